//===- Movement.cpp - shapes and copies ---*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file expresses the ops that only move elements.
//===----------------------------------------------------------------------===//

#include "dialects/graven/ShapeMath.h"
#include "frontends/onnx/exports/Exporter.h"

using namespace mlir;
using Ints = SmallVector<int64_t>;

namespace graven::onnx {

static void express(Exporter &e, ReshapeOp op) {
  Name shape = e.mixed(op.getShape(), op.getDynamicShape());
  // A 0 is an extent, no copy of one.
  if (!llvm::is_contained(op.getShape(), 0)) {
    e.give(op, "Reshape", {e.name(op.getX()), shape});
    return;
  }
  if (e.needs(op, 14, "an extent of 0"))
    e.give(op, "Reshape", {e.name(op.getX()), shape}, {{"allowzero", 1}});
}

static void express(Exporter &e, TransposeOp op) {
  e.give(op, "Transpose", {e.name(op.getX())}, {{"perm", op.getPermutation()}});
}

static void express(Exporter &e, BroadcastOp op) {
  Name x = e.name(op.getX());
  int64_t rank = op.getShape().size(), own = Exporter::rank(op.getX());
  bool isAligned = true;
  for (auto [i, axis] : llvm::enumerate(op.getAxes()))
    isAligned &= axis == rank - own + static_cast<int64_t>(i);
  if (!isAligned) {
    auto extents = e.shape(op, op.getX());
    if (!extents)
      return;
    Ints aligned(rank, 1);
    for (auto [axis, extent] : llvm::zip(op.getAxes(), *extents))
      aligned[axis] = extent;
    x = e.reshape(x, aligned);
  }
  e.give(op, "Expand", {x, e.mixed(op.getShape(), op.getDynamicShape())});
}

static void express(Exporter &e, SliceOp op) {
  auto type = Exporter::typeOf(op.getX());
  Name x = e.name(op.getX());
  if (!op.getDynamicStarts().empty() || !op.getDynamicEnds().empty()) {
    if (!e.needs(op, 10, "bounds that are computed"))
      return;
    Ints axes;
    for (int64_t i = 0; i < type.getRank(); ++i)
      axes.push_back(i);
    e.give(op, "Slice",
           {x, e.mixed(op.getStarts(), op.getDynamicStarts()),
            e.mixed(op.getEnds(), op.getDynamicEnds()), e.ints(axes),
            e.ints(op.getSteps())});
    return;
  }
  Ints starts, ends, axes, steps;
  for (int64_t i = 0; i < type.getRank(); ++i) {
    int64_t start = op.getStarts()[i], end = op.getEnds()[i],
            step = op.getSteps()[i];
    if (!type.isDynamicDim(i)) {
      SliceBounds bounds = resolveSlice(type.getDimSize(i), start, end, step);
      if (bounds.extent == type.getDimSize(i) && step == 1)
        continue;
      start = bounds.start;
      end = std::max(bounds.start, bounds.end);
    }
    starts.push_back(start);
    ends.push_back(end);
    axes.push_back(i);
    steps.push_back(step);
  }
  e.alias(op.getResult(),
          axes.empty() ? x : e.slice(x, starts, ends, axes, steps));
}

/// `dest` with `src` at the starts, from `axis` on: what is before, the window
/// replaced along the further axes, what is behind.
static Name insert(Exporter &e, Name dest, const Name &src, Ints extents,
                   ArrayRef<int64_t> window, ArrayRef<int64_t> starts,
                   size_t axis) {
  while (axis < extents.size() && extents[axis] == window[axis])
    ++axis;
  if (axis == extents.size())
    return src;
  int64_t at = axis, start = starts[axis], end = start + window[axis];
  Names parts;
  if (start > 0)
    parts.push_back(e.slice(dest, {0}, {start}, {at}, {1}));
  Name inner = e.slice(dest, {start}, {end}, {at}, {1});
  int64_t whole = std::exchange(extents[axis], window[axis]);
  parts.push_back(insert(e, inner, src, extents, window, starts, axis + 1));
  if (end < whole)
    parts.push_back(e.slice(dest, {end}, {whole}, {at}, {1}));
  return e.make("Concat", parts, {{"axis", at}});
}

static void express(Exporter &e, InsertSliceOp op) {
  auto extents = e.shape(op, op.getDest()), window = e.shape(op, op.getSrc());
  if (!extents || !window)
    return;
  if (!op.getDynamicStarts().empty() ||
      llvm::any_of(op.getSteps(), [](int64_t step) { return step != 1; }))
    return e.unsupported(op,
                         "a window with steps, or at a place that is computed");
  if (llvm::is_contained(*window, 0))
    return e.alias(op.getResult(), e.name(op.getDest()));
  e.alias(op.getResult(), insert(e, e.name(op.getDest()), e.name(op.getSrc()),
                                 *extents, *window, op.getStarts(), 0));
}

static void express(Exporter &e, ConcatOp op) {
  Names inputs;
  for (Value input : op.getInputs())
    inputs.push_back(e.name(input));
  e.give(op, "Concat", inputs, {{"axis", int64_t(op.getAxis())}});
}

static void express(Exporter &e, PadOp op) {
  Name x = e.name(op.getX());
  Ints pads(op.getLow());
  llvm::append_range(pads, op.getHigh());
  std::string mode = stringifyPadMode(op.getMode()).str();
  if (op.getMode() == PadMode::Wrap && !e.needs(op, 19, "mode wrap"))
    return;
  // No node has to know of bools.
  Type type = Exporter::element(op.getX());
  bool isBool = Exporter::isBool(op.getX());
  if (isBool) {
    type = IntegerType::get(op.getContext(), 32);
    x = e.cast(x, type);
  }
  Name value = op.getValue() ? e.name(op.getValue()) : Name();
  if (isBool && !value.empty())
    value = e.cast(value, type);
  Name padded;
  if (e.opset() >= 11) {
    padded = e.make("Pad", {x, e.ints(pads), value}, {{"mode", mode}});
  } else {
    DenseElementsAttr constant;
    if (op.getValue() &&
        (!matchPattern(op.getValue(), m_Constant(&constant)) ||
         !isa<FloatType>(type)) &&
        !e.needs(op, 11, "a value that is computed"))
      return;
    double number =
        constant ? constant.getSplatValue<llvm::APFloat>().convertToDouble()
                 : 0;
    padded = e.make(
        "Pad", {x},
        {{"mode", mode}, {"pads", ArrayRef<int64_t>(pads)}, {"value", number}});
  }
  e.alias(op.getResult(),
          isBool ? e.cast(padded, Exporter::element(op.getX())) : padded);
}

static void express(Exporter &e, ReverseOp op) {
  size_t count = op.getAxes().size();
  e.alias(op.getResult(),
          count ? e.slice(e.name(op.getX()), Ints(count, -1),
                          Ints(count, std::numeric_limits<int64_t>::min()),
                          op.getAxes(), Ints(count, -1))
                : e.name(op.getX()));
}

static void express(Exporter &e, GatherOp op) {
  e.give(op, "Gather", {e.name(op.getX()), e.name(op.getIndices())},
         {{"axis", int64_t(op.getAxis())}});
}

static void express(Exporter &e, GatherElementsOp op) {
  if (e.needs(op, 11))
    e.give(op, "GatherElements", {e.name(op.getX()), e.name(op.getIndices())},
           {{"axis", int64_t(op.getAxis())}});
}

/// The nodes with index tuples take i64 alone.
static Name wideIndices(Exporter &e, Value indices) {
  Name name = e.name(indices);
  if (Exporter::element(indices).isInteger(64))
    return name;
  return e.cast(name, IntegerType::get(indices.getContext(), 64));
}

static void express(Exporter &e, GatherNdOp op) {
  int64_t batch = op.getBatchDims();
  if (!e.needs(op, batch ? 12 : 11))
    return;
  SmallVector<Attr> attributes;
  if (batch)
    attributes.push_back({"batch_dims", batch});
  e.give(op, "GatherND", {e.name(op.getX()), wideIndices(e, op.getIndices())},
         attributes);
}

static void express(Exporter &e, ScatterNdOp op) {
  ScatterKind kind = op.getKind();
  int64_t since = kind == ScatterKind::None                              ? 11
                  : kind == ScatterKind::Add || kind == ScatterKind::Mul ? 16
                                                                         : 18;
  if (!e.needs(op, since))
    return;
  SmallVector<Attr> attributes;
  if (kind != ScatterKind::None)
    attributes.push_back({"reduction", stringifyScatterKind(kind).str()});
  e.give(op, "ScatterND",
         {e.name(op.getX()), wideIndices(e, op.getIndices()),
          e.name(op.getUpdates())},
         attributes);
}

static void express(Exporter &e, IotaOp op) {
  auto type = Exporter::typeOf(op.getResult());
  int64_t axis = op.getAxis();
  if (type.isDynamicDim(axis) || !op.getDynamicShape().empty())
    return e.unsupported(op, "an extent that is not known");
  int64_t extent = type.getDimSize(axis);
  std::vector<int64_t> counts(extent);
  for (int64_t i = 0; i < extent; ++i)
    counts[i] = i;
  Ints column(type.getRank(), 1);
  column[axis] = extent;
  auto line = RankedTensorType::get(column, type.getElementType());
  Name name = e.constant(eval::Tensor::fromVector(line, counts));
  if (line != type)
    name = e.make("Expand", {name, e.ints(type.getShape())});
  e.alias(op.getResult(), name);
}

static void express(Exporter &e, DimOp op) {
  Name shape = e.make("Shape", {e.name(op.getX())});
  e.give(op, "Gather",
         {shape, e.scalar(IntegerType::get(op.getContext(), 64), op.getAxis())},
         {{"axis", 0}});
}

void addMovementExports(ExportTable &table) {
  table.add<ReshapeOp, express>();
  table.add<TransposeOp, express>();
  table.add<BroadcastOp, express>();
  table.add<SliceOp, express>();
  table.add<InsertSliceOp, express>();
  table.add<ConcatOp, express>();
  table.add<PadOp, express>();
  table.add<ReverseOp, express>();
  table.add<GatherOp, express>();
  table.add<GatherElementsOp, express>();
  table.add<GatherNdOp, express>();
  table.add<ScatterNdOp, express>();
  table.add<IotaOp, express>();
  table.add<DimOp, express>();
}

} // namespace graven::onnx
