//===- Movement.cpp - types of the shape and movement ops -----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements type inference and builders of the ops that copy and
// reorder elements; those that index by data are in Indexed.cpp.
//===----------------------------------------------------------------------===//

#include "dialects/graven/ops/Infer.h"
#include "llvm/ADT/SmallBitVector.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace graven {

/// The type that inference gives to the op under construction. Builders are
/// called with operands that fit; what does not is reported by the verifier,
/// so a failed inference leaves x's type.
template <class OpTy>
static void buildInferred(OperationState &state, Value x) {
  SmallVector<Type> types;
  MLIRContext *context = state.getContext();
  if (succeeded(OpTy::inferReturnTypes(context, state.location, state.operands,
                                       state.attributes.getDictionary(context),
                                       state.getRawProperties(), state.regions,
                                       types)))
    state.addTypes(types);
  else
    state.addTypes(x ? x.getType() : NoneType::get(context));
}

//===----------------------------------------------------------------------===//
// reshape, transpose, broadcast
//===----------------------------------------------------------------------===//

void ReshapeOp::build(OpBuilder &builder, OperationState &state, Value x,
                      ArrayRef<int64_t> shape) {
  state.addOperands(x);
  state.getOrAddProperties<Properties>().setShape(
      builder.getDenseI64ArrayAttr(shape));
  buildInferred<ReshapeOp>(state, x);
}

/// The extent that stands for -1, when x's and the other extents are known.
static FailureOr<int64_t> inferredExtent(OptionalLoc loc, RankedTensorType x,
                                         ArrayRef<int64_t> others) {
  auto total = elementCount(x.getShape());
  auto rest = elementCount(others);
  if (rest && *rest == 0)
    return emitOptionalError(loc, "shape has -1 beside a zero extent (C3)");
  if (!total || !rest)
    return ShapedType::kDynamic;
  if (*total % *rest != 0)
    return emitOptionalError(loc, *total, " elements are no multiple of the ",
                             *rest, " of the given extents (C2)");
  return *total / *rest;
}

LogicalResult ReshapeOp::inferReturnTypes(MLIRContext *, OptionalLoc loc,
                                          Adaptor adaptor,
                                          InferredTypes &types) {
  RankedTensorType x = tensorOf(adaptor.getX());
  Shape shape(adaptor.getShape());
  if (failed(checkMixed(loc, "shape", shape, adaptor.getDynamicShape().size(),
                        "C4")))
    return failure();
  Shape others;
  int64_t *inferred = nullptr;
  for (int64_t &extent : shape) {
    if (extent != -1) {
      if (extent < 0 && !ShapedType::isDynamic(extent))
        return emitOptionalError(loc, "shape has the entry ", extent,
                                 ", expected at least -1 (C4)");
      others.push_back(extent);
      continue;
    }
    if (inferred)
      return emitOptionalError(loc, "shape has more than one -1 (C1)");
    inferred = &extent;
  }
  if (inferred) {
    auto extent = inferredExtent(loc, x, others);
    if (failed(extent))
      return failure();
    *inferred = *extent;
  }
  auto from = elementCount(x.getShape()), to = elementCount(shape);
  if (from && to && *from != *to)
    return emitOptionalError(loc, "shape holds ", *to, " elements, expected ",
                             *from, " (C2)");
  return pushResult(loc, shape, x.getElementType(), types);
}

LogicalResult TransposeOp::inferReturnTypes(MLIRContext *, OptionalLoc loc,
                                            Adaptor adaptor,
                                            InferredTypes &types) {
  RankedTensorType x = tensorOf(adaptor.getX());
  ArrayRef<int64_t> permutation = adaptor.getPermutation();
  if (failed(checkLength(loc, "permutation", permutation, x.getRank(), "C1")))
    return failure();
  llvm::SmallBitVector seen(x.getRank());
  Shape shape;
  for (int64_t axis : permutation) {
    if (failed(checkAxis(loc, axis, x.getRank(), "C1")))
      return failure();
    if (seen.test(axis))
      return emitOptionalError(loc, "permutation names axis ", axis,
                               " twice (C1)");
    seen.set(axis);
    shape.push_back(x.getDimSize(axis));
  }
  return pushResult(loc, shape, x.getElementType(), types);
}

void BroadcastOp::build(OpBuilder &builder, OperationState &state, Value x,
                        ArrayRef<int64_t> shape, ArrayRef<int64_t> axes) {
  state.addOperands(x);
  auto &properties = state.getOrAddProperties<Properties>();
  properties.setShape(builder.getDenseI64ArrayAttr(shape));
  properties.setAxes(builder.getDenseI64ArrayAttr(axes));
  buildInferred<BroadcastOp>(state, x);
}

LogicalResult BroadcastOp::inferReturnTypes(MLIRContext *, OptionalLoc loc,
                                            Adaptor adaptor,
                                            InferredTypes &types) {
  RankedTensorType x = tensorOf(adaptor.getX());
  ArrayRef<int64_t> shape = adaptor.getShape(), axes = adaptor.getAxes();
  if (failed(checkLength(loc, "axes", axes, x.getRank(), "C1")) ||
      failed(checkAxes(loc, axes, shape.size(), "C1")) ||
      failed(checkMixed(loc, "shape", shape, adaptor.getDynamicShape().size(),
                        "C3")))
    return failure();
  for (auto [axis, extent] : llvm::zip(axes, x.getShape()))
    if (extent != 1 && failed(checkExtent(loc, "the result's extent",
                                          shape[axis], extent, "C2")))
      return failure();
  return pushResult(loc, shape, x.getElementType(), types);
}

//===----------------------------------------------------------------------===//
// slice, insert_slice, concat, pad, reverse
//===----------------------------------------------------------------------===//

void SliceOp::build(OpBuilder &builder, OperationState &state, Value x,
                    ArrayRef<int64_t> starts, ArrayRef<int64_t> ends,
                    ArrayRef<int64_t> steps) {
  state.addOperands(x);
  auto &properties = state.getOrAddProperties<Properties>();
  properties.setStarts(builder.getDenseI64ArrayAttr(starts));
  properties.setEnds(builder.getDenseI64ArrayAttr(ends));
  properties.setSteps(builder.getDenseI64ArrayAttr(steps));
  properties.setOperandSegmentSizes({1, 0, 0});
  buildInferred<SliceOp>(state, x);
}

LogicalResult SliceOp::inferReturnTypes(MLIRContext *, OptionalLoc loc,
                                        Adaptor adaptor, InferredTypes &types) {
  RankedTensorType x = tensorOf(adaptor.getX());
  ArrayRef<int64_t> starts = adaptor.getStarts(), ends = adaptor.getEnds(),
                    steps = adaptor.getSteps();
  if (failed(checkLength(loc, "starts", starts, x.getRank(), "C1")) ||
      failed(checkLength(loc, "ends", ends, x.getRank(), "C1")) ||
      failed(checkLength(loc, "steps", steps, x.getRank(), "C1")) ||
      failed(checkAtLeast(loc, "steps", steps, 1, "C2")) ||
      failed(checkMixed(loc, "starts", starts,
                        adaptor.getDynamicStarts().size(), "C3")) ||
      failed(
          checkMixed(loc, "ends", ends, adaptor.getDynamicEnds().size(), "C3")))
    return failure();
  Shape shape;
  for (int64_t axis = 0; axis < x.getRank(); ++axis) {
    int64_t d = x.getDimSize(axis);
    bool known = !ShapedType::isDynamic(d) &&
                 !ShapedType::isDynamic(starts[axis]) &&
                 !ShapedType::isDynamic(ends[axis]);
    shape.push_back(
        known ? resolveSlice(d, starts[axis], ends[axis], steps[axis]).extent
              : ShapedType::kDynamic);
  }
  return pushResult(loc, shape, x.getElementType(), types);
}

void InsertSliceOp::build(OpBuilder &builder, OperationState &state, Value dest,
                          Value src, ArrayRef<int64_t> starts,
                          ArrayRef<int64_t> steps) {
  state.addOperands({dest, src});
  auto &properties = state.getOrAddProperties<Properties>();
  properties.setStarts(builder.getDenseI64ArrayAttr(starts));
  properties.setSteps(builder.getDenseI64ArrayAttr(steps));
  buildInferred<InsertSliceOp>(state, dest);
}

LogicalResult InsertSliceOp::inferReturnTypes(MLIRContext *, OptionalLoc loc,
                                              Adaptor adaptor,
                                              InferredTypes &types) {
  RankedTensorType dest = tensorOf(adaptor.getDest()),
                   src = tensorOf(adaptor.getSrc());
  ArrayRef<int64_t> starts = adaptor.getStarts(), steps = adaptor.getSteps();
  int64_t rank = dest.getRank();
  if (failed(checkElementTypes(loc, {adaptor.getDest(), adaptor.getSrc()})) ||
      failed(checkRank(loc, "src", src.getRank(), rank, rank, "C1")) ||
      failed(checkLength(loc, "starts", starts, rank, "C4")) ||
      failed(checkLength(loc, "steps", steps, rank, "C4")) ||
      failed(checkAtLeast(loc, "steps", steps, 1, "C3")) ||
      failed(checkMixed(loc, "starts", starts,
                        adaptor.getDynamicStarts().size(), "C4")))
    return failure();
  for (int64_t axis = 0; axis < rank; ++axis) {
    int64_t d = dest.getDimSize(axis), extent = src.getDimSize(axis),
            start = starts[axis];
    if (ShapedType::isDynamic(start))
      continue;
    if (start < 0)
      return emitOptionalError(loc, "starts has the entry ", start,
                               ", expected at least 0 (C2)");
    if (ShapedType::isDynamic(d) || ShapedType::isDynamic(extent) ||
        extent == 0)
      continue;
    int64_t last;
    if (llvm::MulOverflow(extent - 1, steps[axis], last) ||
        llvm::AddOverflow(start, last, last) || last >= d)
      return emitOptionalError(loc, "the window does not fit extent ", d,
                               " of axis ", axis, " (C2)");
  }
  types.push_back(dest);
  return success();
}

LogicalResult ConcatOp::inferReturnTypes(MLIRContext *, OptionalLoc loc,
                                         Adaptor adaptor,
                                         InferredTypes &types) {
  ValueRange inputs = adaptor.getInputs();
  if (inputs.empty())
    return emitOptionalError(loc, "has no operand, expected at least 1 (C1)");
  RankedTensorType first = tensorOf(inputs.front());
  int64_t axis = adaptor.getAxis(), rank = first.getRank();
  if (failed(checkElementTypes(loc, inputs)) ||
      failed(checkAxis(loc, axis, rank, "C2")))
    return failure();
  Shape shape(first.getShape());
  for (Value input : inputs.drop_front()) {
    RankedTensorType type = tensorOf(input);
    if (failed(checkRank(loc, "an operand", type.getRank(), rank, rank, "C1")))
      return failure();
    for (int64_t i = 0; i < rank; ++i) {
      int64_t extent = type.getDimSize(i);
      if (i == axis) {
        if (ShapedType::isDynamic(shape[i]) || ShapedType::isDynamic(extent))
          shape[i] = ShapedType::kDynamic;
        else if (llvm::AddOverflow(shape[i], extent, shape[i]))
          return emitOptionalError(loc, "the result's extent on axis ", axis,
                                   " does not fit i64 (V7)");
        continue;
      }
      if (!sameExtent(shape[i], extent))
        return emitOptionalError(loc, "an operand has extent ", extent,
                                 " on axis ", i, ", expected ", shape[i],
                                 " (C3)");
      if (ShapedType::isDynamic(shape[i]))
        shape[i] = extent;
    }
  }
  return pushResult(loc, shape, first.getElementType(), types);
}

/// Extent after padding by low and high; kDynamic stays. Errors cite C2, C4.
static FailureOr<int64_t> paddedExtent(OptionalLoc loc, int64_t d, int64_t low,
                                       int64_t high, PadMode mode,
                                       int64_t axis) {
  if (ShapedType::isDynamic(d))
    return d;
  // Negative amounts crop before positive ones are added.
  int64_t cropped, result, most = std::max(low, high);
  if (llvm::AddOverflow(d, std::min<int64_t>(low, 0), cropped) ||
      llvm::AddOverflow(cropped, std::min<int64_t>(high, 0), cropped) ||
      cropped < 0)
    return emitOptionalError(loc, "low ", low, " and high ", high,
                             " crop more than extent ", d, " of axis ", axis,
                             " (C2)");
  if (llvm::AddOverflow(cropped, std::max<int64_t>(low, 0), result) ||
      llvm::AddOverflow(result, std::max<int64_t>(high, 0), result))
    return emitOptionalError(loc, "the result's extent on axis ", axis,
                             " does not fit i64 (V7)");
  int64_t least = mode == PadMode::Reflect ? most + 1 : 1;
  if (mode != PadMode::Constant && most > 0 && cropped < least)
    return emitOptionalError(loc, "mode ", stringifyPadMode(mode), " by ", most,
                             " needs at least ", least, " elements on axis ",
                             axis, ", got ", cropped, " (C4)");
  return result;
}

LogicalResult PadOp::inferReturnTypes(MLIRContext *, OptionalLoc loc,
                                      Adaptor adaptor, InferredTypes &types) {
  RankedTensorType x = tensorOf(adaptor.getX());
  ArrayRef<int64_t> low = adaptor.getLow(), high = adaptor.getHigh();
  if (failed(checkLength(loc, "low", low, x.getRank(), "C1")) ||
      failed(checkLength(loc, "high", high, x.getRank(), "C1")))
    return failure();
  if (Value value = adaptor.getValue()) {
    if (adaptor.getMode() != PadMode::Constant)
      return emitOptionalError(loc, "value is given in mode ",
                               stringifyPadMode(adaptor.getMode()),
                               ", expected only in mode constant (C3)");
    if (failed(checkElementTypes(loc, {adaptor.getX(), value}, "C3")) ||
        failed(checkRank(loc, "value", tensorOf(value).getRank(), 0, 0, "C3")))
      return failure();
  }
  Shape shape;
  for (auto [axis, d] : llvm::enumerate(x.getShape())) {
    auto extent =
        paddedExtent(loc, d, low[axis], high[axis], adaptor.getMode(), axis);
    if (failed(extent))
      return failure();
    shape.push_back(*extent);
  }
  return pushResult(loc, shape, x.getElementType(), types);
}

LogicalResult ReverseOp::inferReturnTypes(MLIRContext *, OptionalLoc loc,
                                          Adaptor adaptor,
                                          InferredTypes &types) {
  RankedTensorType x = tensorOf(adaptor.getX());
  if (failed(checkAxes(loc, adaptor.getAxes(), x.getRank(), "C1")))
    return failure();
  types.push_back(x);
  return success();
}

//===----------------------------------------------------------------------===//
// iota, dim, relayout
//===----------------------------------------------------------------------===//

void IotaOp::build(OpBuilder &builder, OperationState &state,
                   ArrayRef<int64_t> shape, int64_t axis, Type elementType) {
  auto &properties = state.getOrAddProperties<Properties>();
  properties.setShape(builder.getDenseI64ArrayAttr(shape));
  properties.setAxis(builder.getI64IntegerAttr(axis));
  properties.setElementType(TypeAttr::get(elementType));
  buildInferred<IotaOp>(state, Value());
}

LogicalResult IotaOp::inferReturnTypes(MLIRContext *, OptionalLoc loc,
                                       Adaptor adaptor, InferredTypes &types) {
  ArrayRef<int64_t> shape = adaptor.getShape();
  if (failed(checkElementType(loc, adaptor.getElementType())) ||
      failed(checkMixed(loc, "shape", shape, adaptor.getDynamicShape().size(),
                        "C1")))
    return failure();
  for (int64_t extent : shape)
    if (extent < 0 && !ShapedType::isDynamic(extent))
      return emitOptionalError(loc, "shape has the entry ", extent,
                               ", expected at least 0 (C1)");
  if (failed(checkAxis(loc, adaptor.getAxis(), shape.size(), "C2")))
    return failure();
  return pushResult(loc, shape, adaptor.getElementType(), types);
}

LogicalResult DimOp::verify() {
  return checkAxis(getLoc(), getAxis(), tensorOf(getX()).getRank(), "C1");
}

LogicalResult RelayoutOp::inferReturnTypes(MLIRContext *, OptionalLoc loc,
                                           Adaptor adaptor,
                                           InferredTypes &types) {
  constexpr int64_t block = 16;
  RankedTensorType x = tensorOf(adaptor.getX());
  int64_t channels = adaptor.getChannels();
  bool toBlocked = adaptor.getTo() == Layout::Blocked;
  if (adaptor.getFrom() == adaptor.getTo())
    return emitOptionalError(loc, "from and to are both ",
                             stringifyLayout(adaptor.getTo()), " (C1)");
  if (channels < 1)
    return emitOptionalError(loc, "channels is ", channels,
                             ", expected at least 1 (C2)");
  int64_t blocks = (channels - 1) / block + 1;
  Shape shape(x.getShape());
  if (toBlocked) {
    if (failed(checkRank(loc, "x", x.getRank(), 2, 5, "C3")) ||
        failed(
            checkExtent(loc, "x's channel extent", shape[1], channels, "C2")))
      return failure();
    shape[1] = blocks;
    shape.push_back(block);
  } else {
    if (failed(checkRank(loc, "x", x.getRank(), 3, 6, "C3")) ||
        failed(
            checkExtent(loc, "x's number of blocks", shape[1], blocks, "C2")) ||
        failed(checkExtent(loc, "x's last extent", shape.back(), block, "C2")))
      return failure();
    shape[1] = channels;
    shape.pop_back();
  }
  return pushResult(loc, shape, x.getElementType(), types);
}

} // namespace graven
