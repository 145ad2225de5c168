//===- RoomConstants.cpp - constants in their room -------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements what becomes of constants that differ between a Graph
// and its samples: parts of the Graph's own, or numbers computed from extents.
//===----------------------------------------------------------------------===//

#include "passes/graph/ExtentFormulas.h"
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
  Value value = followingNumber(
      b, loc, type.getElementType(), numbers,
      [&](ArrayRef<int64_t> whole) { return scalarOf(loc, whole); });
  if (!value)
    return {};
  if (type.getRank() > 0)
    value = BroadcastOp::create(b, loc, value, type.getShape(),
                                ArrayRef<int64_t>{});
  RoomShape shape;
  for (int64_t extent : type.getShape())
    shape.push_back(fixed(extent));
  shapes[value] = std::move(shape);
  return value;
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
