//===- ContractionWeights.cpp - what may become of weights ------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements what passes ask that compute on weights at compile time.
//===----------------------------------------------------------------------===//

#include "passes/graph/ContractionWeights.h"
#include "passes/graph/GraphUtils.h"

using namespace mlir;

namespace graven {

bool liesAlong(Value numbers, RankedTensorType full, int64_t axis) {
  RankedTensorType type = tensorType(numbers);
  if (!type.hasStaticShape())
    return false;
  bool fits = type.getNumElements() == 1 ||
              (type.getRank() == full.getRank() &&
               type.getDimSize(axis) == full.getDimSize(axis) &&
               type.getNumElements() == type.getDimSize(axis));
  // Last: it looks at all that a value is computed from.
  return fits && isParameterValue(numbers);
}

Value along(OpBuilder &b, Location loc, Value numbers, int64_t rank,
            int64_t axis) {
  SmallVector<int64_t> shape(rank, 1);
  shape[axis] = tensorType(numbers).getNumElements();
  return reshaped(b, loc, numbers, shape);
}

/// Whether the weights are whole numbers, of 8 bits mostly: then so are sums of
/// their products, without rounding, and a scale belongs behind the sum.
static bool areIntegers(Value w) {
  constexpr unsigned limit = 64;
  SmallVector<Value> pending{w};
  for (unsigned i = 0; i < limit && !pending.empty(); ++i) {
    Operation *node = pending.pop_back_val().getDefiningOp();
    if (!node)
      continue;
    if (auto cast = dyn_cast<CastOp>(node);
        cast && isa<IntegerType>(tensorType(cast.getX()).getElementType()))
      return true;
    llvm::append_range(pending, node->getOperands());
  }
  return !pending.empty();
}

LogicalResult checkWeights(Operation *op, Value w, PatternRewriter &rewriter) {
  Type element = tensorType(w).getElementType();
  if (!element.isF32() && !element.isF64())
    return rewriter.notifyMatchFailure(op, "is not of f32 or f64");
  if (!tensorType(w).hasStaticShape() || !isParameterValue(w))
    return rewriter.notifyMatchFailure(
        op, "the weights are computed when the model runs");
  if (areIntegers(w))
    return rewriter.notifyMatchFailure(
        op, "the weights are whole numbers, of which sums are exact");
  if (!soleUser(w))
    return rewriter.notifyMatchFailure(op, "the weights have a second user");
  return success();
}

LogicalResult checkConv(ConvOp conv, PatternRewriter &rewriter) {
  if (conv.getLayout() != Layout::Planar)
    return rewriter.notifyMatchFailure(conv, "is in channel blocks");
  if (conv.getBias() && !isParameterValue(conv.getBias()))
    return rewriter.notifyMatchFailure(
        conv, "the bias is computed when the model runs");
  return checkWeights(conv, conv.getW(), rewriter);
}

} // namespace graven
