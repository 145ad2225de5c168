//===- Sampling.cpp - samples between pixels ---*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the builders of GridSample and AffineGrid.
//===----------------------------------------------------------------------===//

#include "frontends/onnx/NodeBuilder.h"
#include "frontends/onnx/OpTable.h"

using namespace mlir;

namespace graven::onnx {

namespace {

enum class Interpolation { Linear, Nearest, Cubic };
enum class Outside { Zeros, Border, Reflection };

/// A pixel of one axis that a sample reads: where, a whole float, and with
/// which weight, null for 1.
struct Tap {
  Value at, weight;
};

/// The reading of an image [N, C, D..] at positions [N, P] of each axis.
struct GridSampler {
  NodeBuilder &n;
  Value image; ///< [N, C, all pixels]
  IntList extents;
  Type type;
  Interpolation mode;
  Outside outside;
  bool isAligned;
  Value total = {};

  Value number(double value) { return n.scalar(type, value); }
  template <class OpTy> Value with(Value x, double value) {
    return n.binary<OpTy>(x, number(value));
  }

  /// From -1..1 to pixels.
  Value unnormalised(Value g, double extent) {
    Value shifted = with<AddOp>(g, 1);
    if (isAligned)
      return with<MulOp>(with<DivOp>(shifted, 2), extent - 1);
    return with<DivOp>(with<SubOp>(with<MulOp>(shifted, extent), 1), 2);
  }

  /// Positions outside brought inside, where there is a way.
  Value inside(Value at, double extent) {
    if (outside == Outside::Zeros)
      return at;
    if (outside == Outside::Reflection) {
      double low = isAligned ? 0 : -0.5, span = isAligned ? extent - 1 : extent;
      if (span <= 0)
        return with<MulOp>(at, 0);
      Value away = n.make<AbsOp>(with<SubOp>(at, low));
      Value extra = with<RemOp>(away, span);
      Value odd = with<RemOp>(n.make<FloorOp>(with<DivOp>(away, span)), 2);
      Value back = n.binary<SubOp>(number(span), extra);
      at = with<AddOp>(n.select(n.compare(ComparePredicate::Eq, odd, number(0)),
                                extra, back),
                       low);
    }
    return n.make<ClampOp>(at, number(0), number(extent - 1));
  }

  SmallVector<Tap> tapsOf(Value g, double extent) {
    Value at = unnormalised(g, extent);
    if (mode != Interpolation::Cubic)
      at = inside(at, extent);
    if (mode == Interpolation::Nearest)
      return {{n.make<RoundOp>(at), {}}};
    Value low = n.make<FloorOp>(at), fraction = n.binary<SubOp>(at, low);
    Value rest = n.binary<SubOp>(number(1), fraction);
    if (mode == Interpolation::Linear)
      return {{low, rest}, {with<AddOp>(low, 1), fraction}};
    // Keys' cubic convolution.
    constexpr double a = -0.75;
    auto polynomial = [&](Value x, double a3, double a2, double a1, double a0) {
      Value y = with<AddOp>(with<MulOp>(x, a3), a2);
      y = with<AddOp>(n.binary<MulOp>(y, x), a1);
      return with<AddOp>(n.binary<MulOp>(y, x), a0);
    };
    auto near = [&](Value x) { return polynomial(x, a + 2, -(a + 3), 0, 1); };
    auto far = [&](Value x) {
      return polynomial(with<AddOp>(x, 1), a, -5 * a, 8 * a, -4 * a);
    };
    SmallVector<Tap> taps{{with<SubOp>(low, 1), far(fraction)},
                          {low, near(fraction)},
                          {with<AddOp>(low, 1), near(rest)},
                          {with<AddOp>(low, 2), far(rest)}};
    for (Tap &tap : taps)
      tap.at = inside(tap.at, extent);
    return taps;
  }

  /// Adds the pixels that all choices of taps of the axes from `axis` read.
  void visit(size_t axis, ArrayRef<SmallVector<Tap>> taps, Value place,
             Value weight, Value valid) {
    if (n.hasFailed())
      return;
    if (axis == taps.size()) {
      IntList shape = n.shapeOf(image), line = n.shapeOf(place);
      shape[2] = line[1];
      auto alongChannels = [&](Value x) {
        return n.reshape(x, {line[0], 1, line[1]});
      };
      Value index = n.expand(
          alongChannels(n.cast(place, n.getBuilder().getI64Type())), shape);
      Value y = n.make<GatherElementsOp>(image, index, int64_t(2), true);
      if (weight)
        y = n.binary<MulOp>(y, alongChannels(weight));
      y = n.select(alongChannels(valid), y, number(0));
      total = total ? n.binary<AddOp>(total, y) : y;
      return;
    }
    double extent = static_cast<double>(extents[axis]);
    for (const Tap &tap : taps[axis]) {
      Value isInside = n.binary<AndOp>(
          n.compare(ComparePredicate::Ge, tap.at, number(0)),
          n.compare(ComparePredicate::Le, tap.at, number(extent - 1)));
      Value at = n.cast(n.select(isInside, tap.at, number(0)),
                        n.getBuilder().getI64Type());
      if (place)
        at = n.binary<AddOp>(
            n.binary<MulOp>(place, n.scalar(n.elementTypeOf(at), extent)), at);
      Value product = weight && tap.weight ? n.binary<MulOp>(weight, tap.weight)
                                           : (weight ? weight : tap.weight);
      visit(axis + 1, taps, at, product,
            valid ? n.binary<AndOp>(valid, isInside) : isInside);
    }
  }
};

template <class Enum>
std::optional<Enum>
readName(NodeBuilder &n, StringRef attribute, StringRef otherwise,
         std::initializer_list<std::pair<StringRef, Enum>> names) {
  std::string given = n.stringAttr(attribute, otherwise);
  for (const auto &[name, value] : names)
    if (name == given)
      return value;
  n.error(Code::UnsupportedFeature) << attribute << " is " << quoted(given);
  return std::nullopt;
}

LogicalResult buildGridSample(NodeBuilder &n) {
  Value x = n.input(0), grid = n.input(1);
  auto shape = n.staticShape(x), gridShape = n.staticShape(grid);
  auto mode = readName<Interpolation>(n, "mode", "linear",
                                      {{"linear", Interpolation::Linear},
                                       {"bilinear", Interpolation::Linear},
                                       {"nearest", Interpolation::Nearest},
                                       {"cubic", Interpolation::Cubic},
                                       {"bicubic", Interpolation::Cubic}});
  auto outside = readName<Outside>(n, "padding_mode", "zeros",
                                   {{"zeros", Outside::Zeros},
                                    {"border", Outside::Border},
                                    {"reflection", Outside::Reflection}});
  if (!shape || !gridShape || !mode || !outside)
    return failure();
  int64_t axes = static_cast<int64_t>(shape->size()) - 2;
  Type own = n.elementTypeOf(x);
  if (axes < 1 || axes > 3 ||
      static_cast<int64_t>(gridShape->size()) != axes + 2 ||
      gridShape->back() != axes || gridShape->front() != shape->front() ||
      llvm::is_contained(ArrayRef(*shape).drop_front(2), 0) ||
      !isa<FloatType>(own))
    return n.error(Code::UnsupportedFeature)
           << "an image of type " << n.typeOf(x) << " with a grid of type "
           << n.typeOf(grid);
  IntList extents(llvm::drop_begin(*shape, 2)),
      result(llvm::drop_end(*gridShape));
  int64_t batch = result.front(),
          points = elementCount(ArrayRef(result).drop_front()).value_or(0);
  // Positions of narrow floats in f32.
  Type type = own.isF64() ? own : n.getBuilder().getF32Type();
  GridSampler sampler{
      n,
      n.reshape(n.cast(x, type),
                {(*shape)[0], (*shape)[1], elementCount(extents).value_or(0)}),
      extents,
      type,
      *mode,
      *outside,
      n.flagAttr("align_corners")};
  SmallVector<SmallVector<Tap>> taps;
  // The grid names the last axis first.
  for (int64_t i = 0; i < axes; ++i)
    taps.push_back(sampler.tapsOf(
        n.reshape(n.slice(n.cast(grid, type), axes + 1, axes - 1 - i, axes - i),
                  {batch, points}),
        static_cast<double>(extents[i])));
  sampler.visit(0, taps, {}, {}, {});
  result.insert(result.begin() + 1, (*shape)[1]);
  return n.finish(n.cast(n.reshape(sampler.total, result), own));
}

/// The positions -1..1 of each pixel, mapped by theta [N, D, D + 1].
LogicalResult buildAffineGrid(NodeBuilder &n) {
  Value theta = n.input(0);
  auto size = n.ints(n.input(1), "the size");
  if (!size)
    return failure();
  int64_t axes = static_cast<int64_t>(size->size()) - 2;
  Type type = n.elementTypeOf(theta);
  if ((axes != 2 && axes != 3) ||
      n.shapeOf(theta) != IntList({size->front(), axes, axes + 1}))
    return n.error(Code::BadGraph) << "theta of type " << n.typeOf(theta)
                                   << " for an image of " << axes << " axes";
  IntList extents(llvm::drop_begin(*size, 2)), line = extents;
  for (int64_t extent : extents)
    if (extent < 1 || extent > std::numeric_limits<int32_t>::max())
      return n.error(Code::BadGraph) << "the size has the entry " << extent;
  line.push_back(1);
  bool isAligned = n.flagAttr("align_corners");
  SmallVector<Value> columns;
  for (int64_t i = axes; i-- > 0;) {
    int64_t count = extents[i];
    IntList own(axes + 1, 1);
    own[i] = count;
    eval::Tensor places(RankedTensorType::get(own, type));
    for (int64_t k = 0; k < count; ++k) {
      double at = count > 1 ? -1 + 2.0 * k / (count - 1) : 0;
      places.set(k, isAligned ? at : at * (count - 1) / count);
    }
    columns.push_back(n.expand(n.constant(places), line));
  }
  columns.push_back(n.splat(RankedTensorType::get(line, type), 1));
  int64_t points = elementCount(extents).value_or(0);
  Value base =
      n.reshape(n.make<ConcatOp>(columns, axes), {1, points, axes + 1});
  base = n.expand(base, {size->front(), points, axes + 1});
  Value y = n.make<MatmulOp>(base, theta, false, true);
  IntList result{size->front()};
  llvm::append_range(result, extents);
  result.push_back(axes);
  return n.finish(n.reshape(y, result));
}

} // namespace

void addSampling(OpTable &table) {
  table.add("GridSample", 2, buildGridSample, 16);
  table.add("AffineGrid", 2, buildAffineGrid);
}

} // namespace graven::onnx
