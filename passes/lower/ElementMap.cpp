//===- ElementMap.cpp - where the elements of a view are --------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the view of a Value as elements of another one.
//===----------------------------------------------------------------------===//

#include "passes/lower/ElementMap.h"

#include "dialects/graven/Graven.h"
#include "dialects/graven/ShapeMath.h"

using namespace mlir;

namespace graven {

static RankedTensorType typeOf(Value value) {
  return cast<RankedTensorType>(value.getType());
}

ElementMap contiguousMap(Value value) {
  ElementMap map;
  map.base = value;
  llvm::append_range(map.shape, typeOf(value).getShape());
  int64_t stride = 1;
  for (int64_t extent : llvm::reverse(map.shape)) {
    map.strides.push_back(stride);
    stride *= extent;
  }
  std::reverse(map.strides.begin(), map.strides.end());
  return map;
}

/// The strides of the same elements under another shape, if they have any:
/// axes that are contiguous among each other are one, and can be cut again.
static LogicalResult reshape(ElementMap &map, ArrayRef<int64_t> shape) {
  SmallVector<std::pair<int64_t, int64_t>> runs;
  for (auto [extent, stride] : llvm::zip_equal(map.shape, map.strides)) {
    if (extent == 1)
      continue;
    if (!runs.empty() && runs.back().second == stride * extent)
      runs.back() = {runs.back().first * extent, stride};
    else
      runs.emplace_back(extent, stride);
  }
  SmallVector<int64_t> strides(shape.size(), 0);
  int64_t left = 1, stride = 0;
  for (int64_t axis = int64_t(shape.size()) - 1; axis >= 0; --axis) {
    if (shape[axis] == 1)
      continue;
    if (left == 1) {
      if (runs.empty())
        return failure();
      std::tie(left, stride) = runs.pop_back_val();
    }
    if (left % shape[axis] != 0)
      return failure();
    strides[axis] = stride;
    stride *= shape[axis];
    left /= shape[axis];
  }
  map.shape.assign(shape.begin(), shape.end());
  map.strides = std::move(strides);
  return success();
}

static LogicalResult apply(ElementMap &map, ReshapeOp op) {
  return reshape(map, op.getType().getShape());
}

static LogicalResult apply(ElementMap &map, TransposeOp op) {
  ElementMap from = map;
  for (auto [to, axis] : llvm::enumerate(op.getPermutation())) {
    map.shape[to] = from.shape[axis];
    map.strides[to] = from.strides[axis];
  }
  return success();
}

static LogicalResult apply(ElementMap &map, BroadcastOp op) {
  ArrayRef<int64_t> shape = op.getType().getShape();
  SmallVector<int64_t> strides(shape.size(), 0);
  for (auto [from, axis] : llvm::enumerate(op.getAxes()))
    if (map.shape[from] == shape[axis])
      strides[axis] = map.strides[from];
  map.shape.assign(shape.begin(), shape.end());
  map.strides = std::move(strides);
  return success();
}

static LogicalResult apply(ElementMap &map, SliceOp op) {
  if (!op.getDynamicStarts().empty())
    return failure();
  for (auto [axis, bounds] : llvm::enumerate(
           llvm::zip_equal(op.getStarts(), op.getEnds(), op.getSteps()))) {
    auto [start, end, step] = bounds;
    if (step <= 0 || ShapedType::isDynamic(start) || ShapedType::isDynamic(end))
      return failure();
    map.offset += map.strides[axis] *
                  resolveSlice(map.shape[axis], start, end, step).start;
    map.strides[axis] *= step;
  }
  map.shape.assign(op.getType().getShape().begin(),
                   op.getType().getShape().end());
  return success();
}

static LogicalResult apply(ElementMap &map, Operation *op) {
  return TypeSwitch<Operation *, LogicalResult>(op)
      .Case<ReshapeOp, TransposeOp, BroadcastOp, SliceOp>(
          [&](auto move) { return apply(map, move); })
      .Default([](Operation *) { return failure(); });
}

ElementMap elementsOf(Value value) {
  constexpr size_t longest = 32;
  SmallVector<Operation *> moves;
  Value base = value;
  while (moves.size() < longest) {
    Operation *op = base.getDefiningOp();
    if (!isa_and_present<ReshapeOp, TransposeOp, BroadcastOp, SliceOp>(op) ||
        !typeOf(op->getOperand(0)).hasStaticShape() ||
        !typeOf(op->getResult(0)).hasStaticShape())
      break;
    moves.push_back(op);
    base = op->getOperand(0);
  }
  ElementMap map = contiguousMap(base);
  for (Operation *move : llvm::reverse(moves))
    if (failed(apply(map, move)))
      map = contiguousMap(move->getResult(0));
  return map;
}

} // namespace graven
