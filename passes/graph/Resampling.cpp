//===- Resampling.cpp - resize to computed extents ------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the coordinates and taps of resize as Nodes.
//===----------------------------------------------------------------------===//

#include "passes/graph/Resampling.h"

#include "passes/graph/GraphUtils.h"

using namespace mlir;

namespace graven {

namespace {

class Resampler {
public:
  Resampler(OpBuilder &b, ResizeOp node, Value x, size_t n, Value out)
      : b(b), loc(node.getLoc()), node(node), x(x), axis(node.getAxes()[n]),
        type(tensorType(x).getElementType().isF64() ? b.getF64Type()
                                                    : Type(b.getF32Type())),
        in(DimOp::create(b, loc, x, axis)), out(out) {}

  Value build();

private:
  Value number(double value) { return scalarConstant(b, loc, type, value, 0); }
  Value plus(Value left, Value right) {
    return AddOp::create(b, loc, left, right);
  }
  Value minus(Value left, Value right) {
    return SubOp::create(b, loc, left, right);
  }
  Value times(Value left, Value right) {
    return MulOp::create(b, loc, left, right);
  }
  Value coordinates();
  Value nearest(Value places);
  Value read(Value places);
  Value along(Value list);

  OpBuilder &b;
  Location loc;
  ResizeOp node;
  Value x;
  int64_t axis;
  Type type; ///< of coordinates, as the evaluator has them
  Value in, out;
};

} // namespace

/// Where each element of the result lies in x; null for what has no rule.
Value Resampler::coordinates() {
  Type i64 = b.getI64Type();
  SmallVector<int64_t> shape{ShapedType::kDynamic};
  Value place = IotaOp::create(b, loc, RankedTensorType::get(shape, i64),
                               ValueRange{out}, shape, 0, i64);
  place = converted(b, loc, place, type);
  Value from = converted(b, loc, in, type), to = converted(b, loc, out, type);
  auto ratio = [&] { return DivOp::create(b, loc, from, to).getResult(); };
  switch (node.getCoordinate()) {
  case CoordinateMode::HalfPixel:
    return minus(times(plus(place, number(0.5)), ratio()), number(0.5));
  case CoordinateMode::PytorchHalfPixel: {
    Value all = minus(times(plus(place, number(0.5)), ratio()), number(0.5));
    // 0 where there is one element.
    return times(all, MinOp::create(b, loc, minus(to, number(1)), number(1)));
  }
  case CoordinateMode::TfHalfPixelForNn:
    return times(plus(place, number(0.5)), ratio());
  case CoordinateMode::Asymmetric:
    return times(place, ratio());
  case CoordinateMode::AlignCorners: {
    // Of one element the place is 0, whatever it is divided by.
    Value gaps = MaxOp::create(b, loc, minus(to, number(1)), number(1));
    return times(place, DivOp::create(b, loc, minus(from, number(1)), gaps));
  }
  case CoordinateMode::HalfPixelSymmetric:
    return {};
  }
  llvm_unreachable("unknown coordinate mode");
}

Value Resampler::nearest(Value places) {
  switch (node.getNearest()) {
  case NearestMode::RoundPreferFloor:
    return CeilOp::create(b, loc, minus(places, number(0.5)));
  case NearestMode::RoundPreferCeil:
    return FloorOp::create(b, loc, plus(places, number(0.5)));
  case NearestMode::Floor:
    return FloorOp::create(b, loc, places);
  case NearestMode::Ceil:
    return CeilOp::create(b, loc, places);
  }
  llvm_unreachable("unknown nearest mode");
}

/// The elements of x at these whole places, which stop at the edges.
Value Resampler::read(Value places) {
  Type i64 = b.getI64Type();
  auto whole = [&](double value) {
    return scalarConstant(b, loc, i64, value, 0);
  };
  Value index = converted(b, loc, places, i64);
  index = MinOp::create(b, loc, index, minus(in, whole(1)));
  index = MaxOp::create(b, loc, index, whole(0));
  return GatherOp::create(b, loc, x, index, axis, /*nonneg=*/true);
}

/// A list as an axis of x's rank.
Value Resampler::along(Value list) {
  SmallVector<int64_t> shape(tensorType(x).getRank(), 1);
  shape[axis] = -1;
  SmallVector<int64_t> extents(shape);
  extents[axis] = ShapedType::kDynamic;
  return ReshapeOp::create(b, loc, RankedTensorType::get(extents, type), list,
                           ValueRange(), shape);
}

Value Resampler::build() {
  bool isLinear = node.getMode() == ResizeMode::Linear;
  Type element = tensorType(x).getElementType();
  if (node.getScales() || node.getMode() == ResizeMode::Cubic ||
      (isLinear && !isa<FloatType>(element)))
    return {};
  Value places = coordinates();
  if (!places)
    return {};
  if (!isLinear)
    return read(nearest(places));
  Value low = FloorOp::create(b, loc, places);
  Value part = along(minus(places, low));
  Value first = converted(b, loc, read(low), type),
        second = converted(b, loc, read(plus(low, number(1))), type);
  Value sum = plus(times(first, minus(number(1), part)), times(second, part));
  return converted(b, loc, sum, element);
}

Value resampled(OpBuilder &b, ResizeOp node, Value x, size_t n, Value out) {
  return Resampler(b, node, x, n, out).build();
}

} // namespace graven
