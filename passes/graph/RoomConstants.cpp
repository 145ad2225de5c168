//===- RoomConstants.cpp - constants in their room -------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements what becomes of constants that differ between a Graph
// and its samples: parts of the Graph's own, or numbers computed from extents.
//===----------------------------------------------------------------------===//

#include "passes/graph/RoomMaker.h"

using namespace mlir;

namespace graven {

/// Where a place of a joined axis of a sample lies at the most extents; -1 for
/// none.
int64_t RoomMaker::placeAtMost(int64_t place, const RoomAxis &axis,
                               size_t sample) const {
  int64_t result = 0, inner = 1;
  if (place < 0)
    return -1;
  for (const RoomFactor &factor : llvm::reverse(axis)) {
    int64_t used = factor.function ? at(*factor.function, sample) : factor.most;
    result += place % used * inner;
    place /= used;
    inner *= factor.most;
  }
  return place == 0 ? result : -1;
}

/// The constant of the Graph where those of the samples are parts of it.
Value RoomMaker::knownConstant(ConstantOp constant, ArrayRef<Value> others,
                               const RoomAxis &joined) {
  auto elements = dyn_cast<DenseElementsAttr>(constant.getValue());
  if (!elements)
    return {};
  RoomShape shape;
  for (int64_t axis = 0; axis < elements.getType().getRank(); ++axis) {
    auto own = axisOf(extentsAt(constant.getResult(), others, axis));
    if (!own)
      return {};
    shape.push_back(*own);
  }
  std::optional<eval::Tensor> all;
  for (auto [k, other] : llvm::enumerate(others)) {
    auto part = dyn_cast<DenseElementsAttr>(
        other.getDefiningOp<ConstantOp>().getValue());
    if (!part)
      return {};
    if (part == elements)
      continue;
    if (part.isSplat() && elements.isSplat()) {
      if (part.getSplatValue<Attribute>() !=
          elements.getSplatValue<Attribute>())
        return {};
      continue;
    }
    if (!all)
      all = eval::Tensor::fromElements(elements);
    eval::Tensor own = eval::Tensor::fromElements(part);
    std::vector<int64_t> places =
        eval::stridedOffsets(own.getShape(), eval::stridesOf(all->getShape()));
    int64_t bytes = own.size() ? own.getBytes().size() / own.size() : 0;
    for (auto [i, place] : llvm::enumerate(places))
      if (!joined.empty()) {
        if (placeAtMost(own.getInt(i), joined, k) != all->getInt(place))
          return {};
      } else if (own.getBytes().slice(i * bytes, bytes) !=
                 all->getBytes().slice(place * bytes, bytes))
        return {};
  }
  Value value = constant.getResult();
  if (shapes.contains(value))
    value = b.clone(*constant)->getResult(0);
  shapes[value] = std::move(shape);
  return value;
}

/// A constant of equal elements that are a number which follows from extents,
/// or in floats its root or reciprocal, computed from them.
Value RoomMaker::computedConstant(ConstantOp constant, ArrayRef<Value> others) {
  RankedTensorType type = tensorType(constant.getResult());
  SmallVector<double> numbers;
  SmallVector<Value> all(others);
  all.push_back(constant.getResult());
  for (Value value : all) {
    auto splat = splatOf(value);
    if (!splat || tensorType(value) != type)
      return {};
    numbers.push_back(*splat);
  }
  Location loc = constant.getLoc();
  Type element = type.getElementType();
  auto close = [](double x, double y) {
    return std::abs(x - y) <= 1e-6 * std::abs(x);
  };
  // Of a whole number: itself, 1/x, sqrt x, 1/sqrt x.
  double (*forms[])(double) = {
      [](double x) { return x; }, [](double x) { return 1 / x; },
      [](double x) { return x * x; }, [](double x) { return 1 / (x * x); }};
  for (auto [form, toWhole] : llvm::enumerate(forms)) {
    if (form > 0 && !isa<FloatType>(element))
      break;
    SmallVector<int64_t> whole;
    for (double x : numbers) {
      double y = toWhole(x);
      if (!(std::abs(y) < 1e15) || !close(y, std::round(y)))
        break;
      whole.push_back(static_cast<int64_t>(std::round(y)));
    }
    if (whole.size() != numbers.size())
      continue;
    Value value = scalarOf(loc, whole);
    if (!value)
      continue;
    value = converted(b, loc, value, element);
    if (form >= 2)
      value = SqrtOp::create(b, loc, value);
    if (form % 2 == 1)
      value =
          DivOp::create(b, loc, scalarConstant(b, loc, element, 1, 0), value);
    if (type.getRank() > 0)
      value = BroadcastOp::create(b, loc, value, type.getShape(),
                                  ArrayRef<int64_t>{});
    RoomShape shape;
    for (int64_t extent : type.getShape())
      shape.push_back(fixed(extent));
    shapes[value] = std::move(shape);
    return value;
  }
  return {};
}

bool RoomMaker::connectConstant(OpOperand &operand, ArrayRef<Value> others) {
  auto constant = operand.get().getDefiningOp<ConstantOp>();
  RoomAxis joined;
  if (auto gather = dyn_cast<GatherOp>(operand.getOwner()))
    if (operand.getOperandNumber() == 1)
      if (RoomAxis axis = of(gather.getX())[gather.getAxis()];
          varies(axis) && !isSimple(axis))
        joined = axis;
  std::vector<const void *> key{joined.empty() ? nullptr : operand.getOwner(),
                                constant.getValue().getAsOpaquePointer()};
  for (Value other : others) {
    auto own = other.getDefiningOp<ConstantOp>();
    if (!own ||
        tensorType(own.getResult()).getElementType() !=
            tensorType(constant.getResult()).getElementType() ||
        tensorType(own.getResult()).getRank() !=
            tensorType(constant.getResult()).getRank()) {
      fail(operand.getOwner(), "reads other Nodes at other extents");
      return false;
    }
    key.push_back(own.getValue().getAsOpaquePointer());
  }
  Value &value = constants[key];
  if (!value) {
    OpBuilder::InsertionGuard guard(b);
    // Where all extents that it may follow from are known.
    b.setInsertionPoint(operand.getOwner());
    value = knownConstant(constant, others, joined);
    if (!value && joined.empty())
      value = computedConstant(constant, others);
  }
  if (!value) {
    fail(operand.getOwner(), "reads a constant that depends on the extents");
    return false;
  }
  operand.set(value);
  return true;
}

} // namespace graven
