//===- Elementwise.cpp - types of the elementwise ops ---------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements type inference and builders of the elementwise ops that
// are neither plainly unary nor plainly binary (those are generated).
//===----------------------------------------------------------------------===//

#include "dialects/graven/ops/Infer.h"

using namespace mlir;

namespace graven {

void CastOp::build(OpBuilder &builder, OperationState &state, Value x,
                   Type elementType) {
  build(builder, state, tensorOf(x).clone(elementType), x, elementType);
}

LogicalResult CastOp::inferReturnTypes(MLIRContext *, OptionalLoc loc,
                                       Adaptor adaptor, InferredTypes &types) {
  if (failed(checkElementType(loc, adaptor.getTo())))
    return failure();
  return pushResult(loc, tensorOf(adaptor.getX()).getShape(), adaptor.getTo(),
                    types);
}

LogicalResult BitcastOp::inferReturnTypes(MLIRContext *, OptionalLoc loc,
                                          Adaptor adaptor,
                                          InferredTypes &types) {
  if (failed(checkElementType(loc, adaptor.getTo())))
    return failure();
  RankedTensorType x = tensorOf(adaptor.getX());
  unsigned from = x.getElementTypeBitWidth(),
           to = adaptor.getTo().getIntOrFloatBitWidth();
  if (from != to)
    return emitOptionalError(loc, "element type ", adaptor.getTo(), " has ", to,
                             " bits, expected ", from, " (C1)");
  return pushResult(loc, x.getShape(), adaptor.getTo(), types);
}

LogicalResult CompareOp::inferReturnTypes(MLIRContext *context, OptionalLoc loc,
                                          Adaptor adaptor,
                                          InferredTypes &types) {
  if (failed(checkElementTypes(loc, adaptor.getOperands())))
    return failure();
  return inferBroadcast(loc, adaptor.getOperands(),
                        IntegerType::get(context, 1), types);
}

LogicalResult SelectOp::inferReturnTypes(MLIRContext *, OptionalLoc loc,
                                         Adaptor adaptor,
                                         InferredTypes &types) {
  if (failed(checkElementTypes(loc, adaptor.getOperands().drop_front())))
    return failure();
  return inferBroadcast(loc, adaptor.getOperands(),
                        tensorOf(adaptor.getA()).getElementType(), types);
}

LogicalResult ClampOp::inferReturnTypes(MLIRContext *, OptionalLoc loc,
                                        Adaptor adaptor, InferredTypes &types) {
  RankedTensorType x = tensorOf(adaptor.getX());
  if (failed(checkElementTypes(
          loc, {adaptor.getX(), adaptor.getLo(), adaptor.getHi()})))
    return failure();
  if (!adaptor.getLo() && !adaptor.getHi())
    return emitOptionalError(loc, "has no bound, expected lo, hi or both (C3)");
  if (adaptor.getLo() &&
      failed(checkBroadcastsTo(loc, "lo", tensorOf(adaptor.getLo()).getShape(),
                               x.getShape(), "C2")))
    return failure();
  if (adaptor.getHi() &&
      failed(checkBroadcastsTo(loc, "hi", tensorOf(adaptor.getHi()).getShape(),
                               x.getShape(), "C2")))
    return failure();
  types.push_back(x);
  return success();
}

LogicalResult LeakyReluOp::inferReturnTypes(MLIRContext *, OptionalLoc loc,
                                            Adaptor adaptor,
                                            InferredTypes &types) {
  RankedTensorType x = tensorOf(adaptor.getX());
  if (failed(checkElementTypes(loc, adaptor.getOperands())) ||
      failed(checkBroadcastsTo(loc, "slope",
                               tensorOf(adaptor.getSlope()).getShape(),
                               x.getShape(), "C2")))
    return failure();
  types.push_back(x);
  return success();
}

} // namespace graven
