//===- Indexed.cpp - types of the gather and scatter ops ------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements type inference of the ops that are indexed by data.
//===----------------------------------------------------------------------===//

#include "dialects/graven/ops/Infer.h"

using namespace mlir;

namespace graven {

LogicalResult GatherOp::inferReturnTypes(MLIRContext *, OptionalLoc loc,
                                         Adaptor adaptor,
                                         InferredTypes &types) {
  RankedTensorType x = tensorOf(adaptor.getX());
  int64_t axis = adaptor.getAxis();
  if (failed(checkAxis(loc, axis, x.getRank(), "C1")))
    return failure();
  Shape shape(x.getShape().take_front(axis));
  llvm::append_range(shape, tensorOf(adaptor.getIndices()).getShape());
  llvm::append_range(shape, x.getShape().drop_front(axis + 1));
  return pushResult(loc, shape, x.getElementType(), types);
}

LogicalResult GatherElementsOp::inferReturnTypes(MLIRContext *, OptionalLoc loc,
                                                 Adaptor adaptor,
                                                 InferredTypes &types) {
  RankedTensorType x = tensorOf(adaptor.getX()),
                   indices = tensorOf(adaptor.getIndices());
  int64_t axis = adaptor.getAxis(), rank = x.getRank();
  if (failed(checkAxis(loc, axis, rank, "C1")) ||
      failed(checkRank(loc, "indices", indices.getRank(), rank, rank, "C2")))
    return failure();
  for (int64_t i = 0; i < rank; ++i) {
    int64_t extent = indices.getDimSize(i), most = x.getDimSize(i);
    if (i == axis || ShapedType::isDynamic(extent) ||
        ShapedType::isDynamic(most) || extent <= most)
      continue;
    return emitOptionalError(loc, "indices has extent ", extent, " on axis ", i,
                             ", expected at most ", most, " (C3)");
  }
  return pushResult(loc, indices.getShape(), x.getElementType(), types);
}

/// Length of an index tuple, the last extent of `indices`; at most `most`.
static FailureOr<int64_t> tupleLength(OptionalLoc loc, RankedTensorType indices,
                                      int64_t most, StringRef label) {
  if (indices.getRank() == 0)
    return emitOptionalError(loc, "indices has rank 0, expected at least 1 (",
                             label, ")");
  int64_t length = indices.getShape().back();
  if (ShapedType::isDynamic(length))
    return emitOptionalError(loc, "the last extent of indices is unknown (",
                             label, ")");
  if (length > most)
    return emitOptionalError(loc, "index tuples have ", length,
                             " entries, expected at most ", most, " (", label,
                             ")");
  return length;
}

LogicalResult GatherNdOp::inferReturnTypes(MLIRContext *, OptionalLoc loc,
                                           Adaptor adaptor,
                                           InferredTypes &types) {
  RankedTensorType x = tensorOf(adaptor.getX()),
                   indices = tensorOf(adaptor.getIndices());
  int64_t batch = adaptor.getBatchDims();
  if (batch < 0 || batch > x.getRank() || batch >= indices.getRank())
    return emitOptionalError(loc, "batch_dims is ", batch, ", expected 0 to ",
                             std::min(x.getRank(), indices.getRank() - 1),
                             " (C1)");
  auto length = tupleLength(loc, indices, x.getRank() - batch, "C2");
  if (failed(length) ||
      failed(checkShape(loc, "the batch of indices",
                        indices.getShape().take_front(batch),
                        x.getShape().take_front(batch), "C1")))
    return failure();
  Shape shape(indices.getShape().drop_back());
  llvm::append_range(shape, x.getShape().drop_front(batch + *length));
  return pushResult(loc, shape, x.getElementType(), types);
}

LogicalResult ScatterNdOp::inferReturnTypes(MLIRContext *, OptionalLoc loc,
                                            Adaptor adaptor,
                                            InferredTypes &types) {
  RankedTensorType x = tensorOf(adaptor.getX()),
                   indices = tensorOf(adaptor.getIndices());
  auto length = tupleLength(loc, indices, x.getRank(), "C1");
  if (failed(length) || failed(checkElementTypes(
                            loc, {adaptor.getX(), adaptor.getUpdates()}, "C3")))
    return failure();
  Shape expected(indices.getShape().drop_back());
  llvm::append_range(expected, x.getShape().drop_front(*length));
  if (failed(checkShape(loc, "updates",
                        tensorOf(adaptor.getUpdates()).getShape(), expected,
                        "C2")))
    return failure();
  if (x.getElementType().isInteger(1) && adaptor.getKind() != ScatterKind::None)
    return emitOptionalError(loc, "kind is ",
                             stringifyScatterKind(adaptor.getKind()),
                             ", expected none for bools (C4)");
  types.push_back(x);
  return success();
}

LogicalResult NonzeroOp::inferReturnTypes(MLIRContext *context, OptionalLoc loc,
                                          Adaptor adaptor,
                                          InferredTypes &types) {
  RankedTensorType x = tensorOf(adaptor.getX());
  if (!x.hasStaticShape())
    return emitOptionalError(loc, "x is ", x, ", expected known extents (C1)");
  Type i64 = IntegerType::get(context, 64);
  if (failed(pushResult(loc, {x.getNumElements(), x.getRank()}, i64, types)))
    return failure();
  return pushResult(loc, {}, i64, types);
}

LogicalResult PrefixOp::inferReturnTypes(MLIRContext *, OptionalLoc loc,
                                         Adaptor adaptor,
                                         InferredTypes &types) {
  RankedTensorType x = tensorOf(adaptor.getX());
  int64_t axis = adaptor.getAxis(), extent = adaptor.getExtent();
  if (failed(checkAxis(loc, axis, x.getRank(), "C1")))
    return failure();
  int64_t most = x.getDimSize(axis);
  if (extent < 0 || (!ShapedType::isDynamic(most) && extent > most))
    return emitOptionalError(loc, "extent is ", extent, ", expected 0 to ",
                             most, " (C2)");
  Shape shape(x.getShape());
  shape[axis] = extent;
  return pushResult(loc, shape, x.getElementType(), types);
}

} // namespace graven
