//===- Reduction.cpp - types of reductions and scans ----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements type inference of the reductions, scans and top-k.
//===----------------------------------------------------------------------===//

#include "dialects/graven/ops/Infer.h"

using namespace mlir;

namespace graven {

/// The shape without the extents of `axes`, or with 1 in their places.
static Shape reducedShape(ArrayRef<int64_t> shape, ArrayRef<int64_t> axes,
                          bool keep) {
  Shape reduced;
  for (auto [axis, extent] : llvm::enumerate(shape)) {
    if (!llvm::is_contained(axes, axis))
      reduced.push_back(extent);
    else if (keep)
      reduced.push_back(1);
  }
  return reduced;
}

LogicalResult ReduceOp::inferReturnTypes(MLIRContext *, OptionalLoc loc,
                                         Adaptor adaptor,
                                         InferredTypes &types) {
  RankedTensorType x = tensorOf(adaptor.getX());
  if (failed(checkAxes(loc, adaptor.getAxes(), x.getRank(), "C1")))
    return failure();
  ReduceKind kind = adaptor.getKind();
  Type element = x.getElementType();
  bool bitwise = kind == ReduceKind::And || kind == ReduceKind::Or;
  bool ordered = kind == ReduceKind::Max || kind == ReduceKind::Min;
  if (bitwise && isa<FloatType>(element))
    return emitOptionalError(loc, "kind ", stringifyReduceKind(kind),
                             " of element type ", element,
                             ", expected ints or bools (C2)");
  if (element.isInteger(1) && !bitwise && !ordered)
    return emitOptionalError(loc, "kind is ", stringifyReduceKind(kind),
                             ", expected max, min, and, or for bools (C2)");
  return pushResult(
      loc, reducedShape(x.getShape(), adaptor.getAxes(), adaptor.getKeep()),
      element, types);
}

LogicalResult ArgReduceOp::inferReturnTypes(MLIRContext *context,
                                            OptionalLoc loc, Adaptor adaptor,
                                            InferredTypes &types) {
  RankedTensorType x = tensorOf(adaptor.getX());
  int64_t axis = adaptor.getAxis();
  if (failed(checkAxis(loc, axis, x.getRank(), "C1")))
    return failure();
  if (x.getDimSize(axis) == 0)
    return emitOptionalError(loc, "axis ", axis,
                             " has extent 0, expected at least 1 (C2)");
  return pushResult(loc, reducedShape(x.getShape(), {axis}, adaptor.getKeep()),
                    IntegerType::get(context, 64), types);
}

LogicalResult CumReduceOp::inferReturnTypes(MLIRContext *, OptionalLoc loc,
                                            Adaptor adaptor,
                                            InferredTypes &types) {
  RankedTensorType x = tensorOf(adaptor.getX());
  switch (adaptor.getKind()) {
  case ReduceKind::Sum:
  case ReduceKind::Prod:
  case ReduceKind::Max:
  case ReduceKind::Min:
    break;
  default:
    return emitOptionalError(loc, "kind is ",
                             stringifyReduceKind(adaptor.getKind()),
                             ", expected sum, prod, max or min (C1)");
  }
  if (failed(checkAxis(loc, adaptor.getAxis(), x.getRank(), "C2")))
    return failure();
  types.push_back(x);
  return success();
}

LogicalResult TopKOp::inferReturnTypes(MLIRContext *context, OptionalLoc loc,
                                       Adaptor adaptor, InferredTypes &types) {
  RankedTensorType x = tensorOf(adaptor.getX());
  int64_t axis = adaptor.getAxis(), k = adaptor.getK();
  if (failed(checkAxis(loc, axis, x.getRank(), "C1")))
    return failure();
  int64_t extent = x.getDimSize(axis);
  if (k < 0 || (!ShapedType::isDynamic(extent) && k > extent))
    return emitOptionalError(loc, "k is ", k, ", expected 0 to ", extent,
                             " (C2)");
  Shape shape(x.getShape());
  shape[axis] = k;
  if (failed(pushResult(loc, shape, x.getElementType(), types)))
    return failure();
  return pushResult(loc, shape, IntegerType::get(context, 64), types);
}

} // namespace graven
