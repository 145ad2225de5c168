//===- Norm.cpp - types of the normalisations -----------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements type inference and verifiers of the normalisations and
// of softmax.
//===----------------------------------------------------------------------===//

#include "dialects/graven/ops/Infer.h"

using namespace mlir;

namespace graven {

/// Fails unless epsilon is a number >= 0.
static LogicalResult checkEpsilon(OptionalLoc loc, const APFloat &epsilon,
                                  StringRef label) {
  double value = epsilon.convertToDouble();
  if (value >= 0 && std::isfinite(value))
    return success();
  return emitOptionalError(loc, "epsilon is ", value, ", expected at least 0 (",
                           label, ")");
}

static LogicalResult checkParameter(OptionalLoc loc, StringRef what,
                                    Value parameter, ArrayRef<int64_t> shape,
                                    StringRef label) {
  if (!parameter)
    return success();
  return checkShape(loc, what, tensorOf(parameter).getShape(), shape, label);
}

LogicalResult BatchNormOp::inferReturnTypes(MLIRContext *, OptionalLoc loc,
                                            Adaptor adaptor,
                                            InferredTypes &types) {
  RankedTensorType x = tensorOf(adaptor.getX());
  if (failed(checkElementTypes(loc, adaptor.getOperands())))
    return failure();
  if (x.getRank() < 2)
    return emitOptionalError(loc, "x has rank ", x.getRank(),
                             ", expected at least 2 (C1)");
  int64_t channels = x.getDimSize(1);
  if (failed(
          checkParameter(loc, "scale", adaptor.getScale(), {channels}, "C2")) ||
      failed(
          checkParameter(loc, "bias", adaptor.getBias(), {channels}, "C2")) ||
      failed(
          checkParameter(loc, "mean", adaptor.getMean(), {channels}, "C2")) ||
      failed(checkParameter(loc, "variance", adaptor.getVariance(), {channels},
                            "C2")) ||
      failed(checkEpsilon(loc, adaptor.getEpsilon(), "C3")))
    return failure();
  types.push_back(x);
  return success();
}

LogicalResult LayerNormOp::inferReturnTypes(MLIRContext *, OptionalLoc loc,
                                            Adaptor adaptor,
                                            InferredTypes &types) {
  RankedTensorType x = tensorOf(adaptor.getX());
  int64_t axis = adaptor.getAxis();
  if (failed(checkElementTypes(loc, adaptor.getOperands())) ||
      failed(checkAxis(loc, axis, x.getRank(), "C2")))
    return failure();
  ArrayRef<int64_t> normalised = x.getShape().drop_front(axis);
  if (failed(
          checkParameter(loc, "scale", adaptor.getScale(), normalised, "C3")) ||
      failed(
          checkParameter(loc, "bias", adaptor.getBias(), normalised, "C3")) ||
      failed(checkEpsilon(loc, adaptor.getEpsilon(), "C4")))
    return failure();
  types.push_back(x);
  return success();
}

LogicalResult RmsNormOp::inferReturnTypes(MLIRContext *, OptionalLoc loc,
                                          Adaptor adaptor,
                                          InferredTypes &types) {
  RankedTensorType x = tensorOf(adaptor.getX());
  int64_t axis = adaptor.getAxis();
  if (failed(checkElementTypes(loc, adaptor.getOperands())) ||
      failed(checkAxis(loc, axis, x.getRank(), "C2")) ||
      failed(checkParameter(loc, "scale", adaptor.getScale(),
                            x.getShape().drop_front(axis), "C3")) ||
      failed(checkEpsilon(loc, adaptor.getEpsilon(), "C4")))
    return failure();
  types.push_back(x);
  return success();
}

LogicalResult GroupNormOp::inferReturnTypes(MLIRContext *, OptionalLoc loc,
                                            Adaptor adaptor,
                                            InferredTypes &types) {
  RankedTensorType x = tensorOf(adaptor.getX());
  if (failed(checkElementTypes(loc, adaptor.getOperands())))
    return failure();
  if (x.getRank() < 2)
    return emitOptionalError(loc, "x has rank ", x.getRank(),
                             ", expected at least 2 (C1)");
  int64_t channels = x.getDimSize(1), groups = adaptor.getGroups();
  if (groups < 1)
    return emitOptionalError(loc, "groups is ", groups,
                             ", expected at least 1 (C2)");
  if (!ShapedType::isDynamic(channels) && channels % groups != 0)
    return emitOptionalError(
        loc, "x has ", channels,
        " channels, expected a multiple of groups = ", groups, " (C2)");
  if (failed(
          checkParameter(loc, "scale", adaptor.getScale(), {channels}, "C3")) ||
      failed(
          checkParameter(loc, "bias", adaptor.getBias(), {channels}, "C3")) ||
      failed(checkEpsilon(loc, adaptor.getEpsilon(), "C4")))
    return failure();
  types.push_back(x);
  return success();
}

LogicalResult SoftmaxOp::verify() {
  return checkAxis(getLoc(), getAxis(), getX().getType().getRank(), "C1");
}

LogicalResult LogSoftmaxOp::verify() {
  return checkAxis(getLoc(), getAxis(), getX().getType().getRank(), "C1");
}

} // namespace graven
