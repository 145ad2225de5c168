//===- RoomResize.cpp - resampling axes with room --------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements `resize` along symbols. By a whole factor it stays what
// it is; else, as to the extents of another tensor, the places and weights of
// the taps are computed from the extents of the run.
//===----------------------------------------------------------------------===//

#include "passes/graph/RoomMaker.h"

using namespace mlir;

namespace graven {

/// The whole factor by which entry `i` of a resize grows its axis at all
/// extents; nothing when there is none.
std::optional<int64_t> RoomMaker::factorOf(ResizeOp node, Others others,
                                           size_t i) {
  int64_t axis = node.getAxes()[i], size = node.getSizes()[i],
          most = tensorType(node.getX()).getDimSize(axis);
  int64_t factor = size / std::max<int64_t>(1, most);
  bool whole = factor >= 1 && size == factor * most;
  for (Operation *other : others)
    whole &= tensorType(other->getResult(0)).getDimSize(axis) ==
             factor * tensorType(other->getOperand(0)).getDimSize(axis);
  return whole ? std::optional(factor) : std::nullopt;
}

RoomMaker::Shapes RoomMaker::resized(ResizeOp node, Others others) {
  RoomShape shape = of(node.getX());
  // Importers leave axes out that have the wanted extent already.
  auto isResized = [&](int64_t axis) {
    return llvm::is_contained(node.getAxes(), axis);
  };
  for (Operation *other : others) {
    auto own = cast<ResizeOp>(other);
    if (own.getMode() != node.getMode() ||
        own.getCoordinate() != node.getCoordinate() ||
        own.getNearest() != node.getNearest() ||
        own.getCubicA() != node.getCubicA() ||
        !llvm::all_of(own.getAxes(), isResized))
      return fail(node, "has other attributes at other extents");
  }
  SmallVector<RoomAxis> made;
  bool stays = true;
  for (auto [i, axis] : llvm::enumerate(node.getAxes())) {
    SmallVector<int64_t> sizes;
    for (Operation *other : others)
      sizes.push_back(tensorType(other->getResult(0)).getDimSize(axis));
    sizes.push_back(node.getSizes()[i]);
    auto factor = factorOf(node, others, i);
    bool isFixed = !varies(shape[axis]) && llvm::all_equal(sizes);
    stays &= isFixed || (varies(shape[axis]) && factor &&
                         node.getCoordinate() != CoordinateMode::AlignCorners);
    Axis own = llvm::all_equal(sizes) ? Axis(fixed(sizes.back()))
               : factor
                   ? mapped(node, shape[axis],
                            [&](int64_t extent) { return extent * *factor; })
                   : axisOf(sizes);
    if (!own)
      return fail(node, "resizes to extents that do not follow from the "
                        "symbols in a way that is known");
    made.push_back(*own);
  }
  Value value = node.getX();
  Location loc = node.getLoc();
  for (auto [i, axis] : llvm::enumerate(node.getAxes())) {
    RoomAxis from = shape[axis];
    shape[axis] = made[i];
    if (!stays) {
      value = resampled(node, value, i, from, made[i]);
      if (!value)
        return std::nullopt;
    } else if (varies(from)) {
      // The last element used repeats beyond it.
      value = picked(loc, value, axis,
                     clampedPlaces(loc, places(loc, from.front().most, 0, 1),
                                   count(loc, from)));
    }
  }
  if (stays)
    node->setOperand(0, value);
  else
    replacement = value.getDefiningOp();
  return SmallVector<RoomShape>{shape};
}

/// One axis, of `from` elements to `to`.
Value RoomMaker::resampled(ResizeOp node, Value value, size_t i,
                           const RoomAxis &from, const RoomAxis &to) {
  Type element = tensorType(value).getElementType();
  bool isLinear = node.getMode() == ResizeMode::Linear;
  bool isKnown = isLinear ? element.isF32() || element.isF64()
                          : node.getMode() == ResizeMode::Nearest &&
                                node.getNearest() == NearestMode::Floor;
  if (!isKnown || node.getScales()) {
    fail(node, "resizes a symbol by more than a whole factor");
    return {};
  }
  Location loc = node.getLoc();
  Type type = element.isF64() ? element : Type(b.getF32Type());
  auto scalar = [&](double x) { return scalarConstant(b, loc, type, x, 0); };
  auto times = [&](Value x, Value y) {
    return MulOp::create(b, loc, x, y).getResult();
  };
  Value in = converted(b, loc, count(loc, from), type),
        out = converted(b, loc, count(loc, to), type);
  int64_t most = 1, axis = node.getAxes()[i],
          rank = tensorType(value).getRank();
  for (const RoomFactor &factor : to)
    most *= factor.most;
  Value x = converted(b, loc, places(loc, most, 0, 1), type);
  switch (node.getCoordinate()) {
  case CoordinateMode::HalfPixel:
  case CoordinateMode::PytorchHalfPixel:
    x = times(AddOp::create(b, loc, x, scalar(0.5)),
              DivOp::create(b, loc, in, out));
    x = SubOp::create(b, loc, x, scalar(0.5));
    // 0 where there is one element.
    if (node.getCoordinate() == CoordinateMode::PytorchHalfPixel)
      x = times(x, MinOp::create(b, loc, SubOp::create(b, loc, out, scalar(1)),
                                 scalar(1)));
    break;
  case CoordinateMode::TfHalfPixelForNn:
    x = times(AddOp::create(b, loc, x, scalar(0.5)),
              DivOp::create(b, loc, in, out));
    break;
  case CoordinateMode::Asymmetric:
    x = times(x, DivOp::create(b, loc, in, out));
    break;
  case CoordinateMode::AlignCorners: {
    // Of one element the place is 0, whatever it is divided by.
    Value gaps =
        MaxOp::create(b, loc, SubOp::create(b, loc, out, scalar(1)), scalar(1));
    x = times(
        x, DivOp::create(b, loc, SubOp::create(b, loc, in, scalar(1)), gaps));
    break;
  }
  default:
    fail(node, "resizes a symbol by more than a whole factor");
    return {};
  }
  Value floor = FloorOp::create(b, loc, x);
  Value first = converted(b, loc, floor, b.getI64Type());
  auto tap = [&](Value at) {
    return picked(loc, value, axis, clampedPlaces(loc, at, count(loc, from)));
  };
  if (!isLinear)
    return tap(first);
  SmallVector<int64_t> along(rank, 1);
  along[axis] = most;
  Value weight =
      graven::reshaped(b, loc, SubOp::create(b, loc, x, floor), along);
  Value rest = SubOp::create(b, loc, scalar(1), weight);
  return AddOp::create(
      b, loc, times(tap(first), rest),
      times(tap(AddOp::create(b, loc, first, number(loc, 1))), weight));
}

} // namespace graven
