//===- Movement.cpp - slices, pads, rearrangements ---*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the builders of the ops that move elements along
// axes: slices, pads, blocks of space and depth.
//===----------------------------------------------------------------------===//

#include "frontends/onnx/NodeBuilder.h"
#include "frontends/onnx/OpTable.h"

using namespace mlir;

namespace graven::onnx {

namespace {

constexpr int64_t kOpenEnd = std::numeric_limits<int64_t>::max();

/// What slices one axis, in Python's terms, with a positive step; a negative
/// one is a reversal before it.
struct AxisSlice {
  int64_t start = 0, end = kOpenEnd, step = 1;
  bool reversed = false;
};

/// The slice [start : end : step], step < 0, of an axis of extent d, as a slice
/// of the reversed axis.
AxisSlice reverseSlice(int64_t d, int64_t start, int64_t end, int64_t step) {
  auto clampIndex = [d](int64_t i) {
    return std::clamp<int64_t>(i < 0 ? i + d : i, -1, d - 1);
  };
  AxisSlice slice;
  slice.start = d - 1 - clampIndex(start);
  slice.end = d - 1 - clampIndex(end);
  slice.step = step == std::numeric_limits<int64_t>::min() ? kOpenEnd : -step;
  slice.reversed = true;
  return slice;
}

LogicalResult sliceAxes(NodeBuilder &n, ArrayRef<int64_t> starts,
                        ArrayRef<int64_t> ends, std::optional<IntList> axes,
                        std::optional<IntList> steps) {
  Value x = n.input(0);
  int64_t rank = n.rankOf(x);
  if (!axes)
    axes = sequence(0, starts.size());
  if (!steps)
    steps = IntList(starts.size(), 1);
  if (ends.size() != starts.size() || axes->size() != starts.size() ||
      steps->size() != starts.size())
    return n.error(Code::BadGraph)
           << "starts, ends, axes and steps differ in length";
  SmallVector<AxisSlice> slices(rank);
  llvm::SmallDenseSet<int64_t> seen;
  for (size_t i = 0; i < starts.size(); ++i) {
    int64_t axis = n.axis((*axes)[i], rank), step = (*steps)[i];
    if (n.hasFailed())
      return failure();
    if (!seen.insert(axis).second)
      return n.error(Code::BadGraph) << "axis " << axis << " is given twice";
    if (step == 0)
      return n.error(Code::BadGraph) << "a step is 0";
    int64_t extent = n.shapeOf(x)[axis];
    if (step > 0)
      slices[axis] = {starts[i], ends[i], step, false};
    else if (ShapedType::isDynamic(extent))
      return n.staticShape(x), failure();
    else
      slices[axis] = reverseSlice(extent, starts[i], ends[i], step);
  }
  IntList reversed, from(rank), to(rank), by(rank);
  for (auto [axis, slice] : llvm::enumerate(slices)) {
    if (slice.reversed)
      reversed.push_back(axis);
    from[axis] = slice.start;
    to[axis] = slice.end;
    by[axis] = slice.step;
  }
  if (!reversed.empty())
    x = n.make<ReverseOp>(x, reversed);
  Value sliced = n.make<SliceOp>(x, ValueRange(), ValueRange(), from, to, by);
  // A slice of everything is the tensor itself.
  bool isWhole =
      sliced && n.typeOf(sliced) == n.typeOf(x) && n.typeOf(x).hasStaticShape();
  return n.finish(isWhole ? x : sliced);
}

LogicalResult buildSliceByAttributes(NodeBuilder &n) {
  auto starts = n.intsAttr("starts"), ends = n.intsAttr("ends");
  if (!starts || !ends)
    return n.error(Code::BadGraph) << "there are no starts or ends";
  return sliceAxes(n, *starts, *ends, n.intsAttr("axes"), std::nullopt);
}

LogicalResult buildSlice(NodeBuilder &n) {
  auto starts = n.ints(n.input(1), "the start"),
       ends = n.ints(n.input(2), "the end");
  std::optional<IntList> axes, steps;
  if (n.input(3))
    axes = n.ints(n.input(3), "the list of axes");
  if (n.input(4))
    steps = n.ints(n.input(4), "the step");
  if (!starts || !ends || n.hasFailed())
    return failure();
  return sliceAxes(n, *starts, *ends, axes, steps);
}

LogicalResult padAxes(NodeBuilder &n, ArrayRef<int64_t> pads, Value value,
                      std::optional<IntList> given) {
  Value x = n.input(0);
  int64_t rank = n.rankOf(x);
  std::string name = n.stringAttr("mode", "constant");
  auto mode = symbolizePadMode(name);
  if (!mode)
    return n.error(Code::UnsupportedFeature) << "mode is " << quoted(name);
  if (!given)
    given = sequence(0, rank);
  if (pads.size() != 2 * given->size())
    return n.error(Code::BadGraph)
           << "pads has " << pads.size() << " entries, expected "
           << 2 * given->size();
  IntList low(rank, 0), high(rank, 0);
  for (auto [i, axis] : llvm::enumerate(*given)) {
    axis = n.axis(axis, rank);
    if (n.hasFailed())
      return failure();
    low[axis] = pads[i];
    high[axis] = pads[given->size() + i];
  }
  auto isZero = [](int64_t amount) { return amount == 0; };
  if (llvm::all_of(low, isZero) && llvm::all_of(high, isZero))
    return n.finish(x);
  if (*mode != PadMode::Constant)
    value = {};
  return n.finish(n.make<PadOp>(x, value, low, high, *mode));
}

LogicalResult buildPadByAttributes(NodeBuilder &n) {
  auto pads = n.intsAttr(n.getOpset() < 2 ? "paddings" : "pads");
  if (!pads)
    return n.error(Code::BadGraph) << "there are no pads";
  double value = n.floatAttr("value", 0);
  return padAxes(n, *pads,
                 value == 0 ? Value()
                            : n.scalar(n.elementTypeOf(n.input(0)), value),
                 std::nullopt);
}

LogicalResult buildPad(NodeBuilder &n) {
  auto pads = n.ints(n.input(1), "pads");
  std::optional<IntList> axes;
  if (n.input(3))
    axes = n.ints(n.input(3), "the list of axes");
  if (!pads || n.hasFailed())
    return failure();
  Value value = n.input(2);
  if (value) {
    value = n.reshape(value, {});
    auto known = n.known(value);
    if (known && isa<FloatType>(known->getElementType()) &&
        known->getDouble(0) == 0)
      value = {};
  }
  return padAxes(n, *pads, value, axes);
}

/// [N, C, H, W] with blocks of space or depth; the two ops are inverses.
struct Blocks {
  int64_t n, c, h, w, block;
};

std::optional<Blocks> readBlocks(NodeBuilder &n) {
  auto shape = n.staticShape(n.input(0));
  int64_t block = n.intAttr("blocksize", 0);
  if (!shape)
    return std::nullopt;
  if (shape->size() != 4 || block <= 0 ||
      block > std::numeric_limits<int16_t>::max()) {
    n.error(Code::BadGraph) << "input has rank " << shape->size()
                            << ", expected 4; blocksize is " << block;
    return std::nullopt;
  }
  return Blocks{(*shape)[0], (*shape)[1], (*shape)[2], (*shape)[3], block};
}

std::string readMode(NodeBuilder &n) {
  std::string mode = n.stringAttr("mode", "DCR");
  if (mode != "DCR" && mode != "CRD")
    n.error(Code::BadGraph)
        << "mode is " << quoted(mode) << ", expected 'DCR' or 'CRD'";
  return mode;
}

LogicalResult buildDepthToSpace(NodeBuilder &n) {
  auto s = readBlocks(n);
  if (!s)
    return failure();
  int64_t b = s->block, c = s->c / (b * b);
  if (s->c % (b * b))
    return n.error(Code::BadGraph)
           << s->c << " channels are no multiple of " << b * b;
  Value x = n.input(0);
  if (readMode(n) == "DCR")
    x = n.transpose(n.reshape(x, {s->n, b, b, c, s->h, s->w}),
                    {0, 3, 4, 1, 5, 2});
  else
    x = n.transpose(n.reshape(x, {s->n, c, b, b, s->h, s->w}),
                    {0, 1, 4, 2, 5, 3});
  return n.finish(n.reshape(x, {s->n, c, s->h * b, s->w * b}));
}

LogicalResult buildSpaceToDepth(NodeBuilder &n) {
  auto s = readBlocks(n);
  if (!s)
    return failure();
  int64_t b = s->block, h = s->h / b, w = s->w / b;
  if (s->h % b || s->w % b)
    return n.error(Code::BadGraph)
           << s->h << " x " << s->w << " is no multiple of " << b;
  bool isColumnRowDepth = readMode(n) == "CRD";
  Value x = n.reshape(n.input(0), {s->n, s->c, h, b, w, b});
  x = n.transpose(x, isColumnRowDepth ? IntList{0, 1, 3, 5, 2, 4}
                                      : IntList{0, 3, 5, 1, 2, 4});
  return n.finish(n.reshape(x, {s->n, s->c * b * b, h, w}));
}

/// Crops or pads each axis to a given extent, the odd element at the end.
LogicalResult buildCenterCropPad(NodeBuilder &n) {
  Value x = n.input(0);
  auto target = n.ints(n.input(1), "the target shape");
  auto shape = n.staticShape(x);
  if (!target || !shape)
    return failure();
  int64_t rank = shape->size();
  IntList axes = n.intsAttr("axes").value_or(sequence(0, rank));
  if (axes.size() != target->size())
    return n.error(Code::BadGraph) << "the target shape has " << target->size()
                                   << " entries, expected " << axes.size();
  IntList low(rank, 0), high(rank, 0);
  for (auto [axis, extent] : llvm::zip(axes, *target)) {
    int64_t at = n.axis(axis, rank);
    if (n.hasFailed() || extent < 0)
      return n.error(Code::BadGraph)
             << "the target shape has the entry " << extent;
    // A crop of k begins at floor(k / 2); a pad of k puts floor(k / 2) in
    // front.
    int64_t added = extent - (*shape)[at];
    low[at] = added < 0 ? -(-added / 2) : added / 2;
    high[at] = added - low[at];
  }
  return n.finish(n.make<PadOp>(x, Value(), low, high, PadMode::Constant));
}

} // namespace

void addMovement(OpTable &table) {
  table.add("Slice", 1, buildSliceByAttributes, 1, 10);
  table.add("Slice", 3, buildSlice, 10);
  table.add("Pad", 1, buildPadByAttributes, 1, 11);
  table.add("Pad", 2, buildPad, 11);
  table.add("DepthToSpace", 1, buildDepthToSpace);
  table.add("SpaceToDepth", 1, buildSpaceToDepth);
  table.add("CenterCropPad", 2, buildCenterCropPad);
}

} // namespace graven::onnx
