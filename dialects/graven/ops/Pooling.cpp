//===- Pooling.cpp - types of pooling and resampling ----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements type inference of the pooling ops and of resize.
//===----------------------------------------------------------------------===//

#include "dialects/graven/ops/Infer.h"

using namespace mlir;

namespace graven {

/// Checks C1 to C3 of a pooling op and infers its result.
template <class Adaptor>
static LogicalResult inferPool(OptionalLoc loc, Adaptor adaptor,
                               InferredTypes &types) {
  constexpr int64_t block = 16;
  RankedTensorType x = tensorOf(adaptor.getX());
  bool blocked = adaptor.getLayout() == Layout::Blocked;
  int64_t extra = blocked ? 1 : 0, spatial = x.getRank() - 2 - extra;
  if (failed(checkRank(loc, "x", x.getRank(), 3 + extra, 5 + extra, "C1")) ||
      failed(checkLength(loc, "kernel", adaptor.getKernel(), spatial, "C1")) ||
      failed(
          checkLength(loc, "strides", adaptor.getStrides(), spatial, "C1")) ||
      failed(checkLength(loc, "dilations", adaptor.getDilations(), spatial,
                         "C1")) ||
      failed(checkLength(loc, "pads", adaptor.getPads(), 2 * spatial, "C1")) ||
      failed(checkAtLeast(loc, "kernel", adaptor.getKernel(), 1, "C2")) ||
      failed(checkAtLeast(loc, "strides", adaptor.getStrides(), 1, "C2")) ||
      failed(checkAtLeast(loc, "dilations", adaptor.getDilations(), 1, "C2")) ||
      failed(checkAtLeast(loc, "pads", adaptor.getPads(), 0, "C2")))
    return failure();
  if (blocked && failed(checkExtent(loc, "x's last extent", x.getShape().back(),
                                    block, "C1")))
    return failure();
  Shape shape(x.getShape());
  for (int64_t i = 0; i < spatial; ++i) {
    int64_t d = x.getDimSize(2 + i);
    int64_t extent =
        windowExtent(d, adaptor.getKernel()[i], adaptor.getStrides()[i],
                     adaptor.getDilations()[i], adaptor.getPads()[i],
                     adaptor.getPads()[spatial + i],
                     adaptor.getCeilMode() ? Rounding::Ceil : Rounding::Floor);
    if (extent < 0 && !ShapedType::isDynamic(extent))
      return emitOptionalError(loc, "the kernel does not fit spatial axis ", i,
                               " of extent ", d, " with its pads (C3)");
    shape[2 + i] = extent;
  }
  return pushResult(loc, shape, x.getElementType(), types);
}

LogicalResult MaxPoolOp::inferReturnTypes(MLIRContext *, OptionalLoc loc,
                                          Adaptor adaptor,
                                          InferredTypes &types) {
  return inferPool(loc, adaptor, types);
}

LogicalResult AvgPoolOp::inferReturnTypes(MLIRContext *, OptionalLoc loc,
                                          Adaptor adaptor,
                                          InferredTypes &types) {
  int64_t divisor = adaptor.getDivisor();
  if (divisor < 0)
    return emitOptionalError(loc, "divisor is ", divisor,
                             ", expected at least 0 (C2)");
  return inferPool(loc, adaptor, types);
}

LogicalResult ResizeOp::inferReturnTypes(MLIRContext *, OptionalLoc loc,
                                         Adaptor adaptor,
                                         InferredTypes &types) {
  RankedTensorType x = tensorOf(adaptor.getX());
  ArrayRef<int64_t> axes = adaptor.getAxes(), sizes = adaptor.getSizes();
  Shape known;
  llvm::copy_if(sizes, std::back_inserter(known),
                [](int64_t size) { return !ShapedType::isDynamic(size); });
  if (failed(checkAxes(loc, axes, x.getRank(), "C1")) ||
      failed(checkLength(loc, "sizes", sizes, axes.size(), "C1")) ||
      failed(checkAtLeast(loc, "sizes", known, 0, "C1")))
    return failure();
  if (known.size() < sizes.size() && !adaptor.getScales())
    return emitOptionalError(loc, "sizes has a dynamic entry, expected scales "
                                  "as well (C5)");
  if (auto scales = adaptor.getScales()) {
    if (scales->size() != axes.size())
      return emitOptionalError(loc, "scales has ", scales->size(),
                               " entries, expected ", axes.size(), " (C2)");
    for (double scale : *scales)
      if (!(scale > 0) || !std::isfinite(scale))
        return emitOptionalError(loc, "scales has the entry ", scale,
                                 ", expected a positive number (C2)");
  }
  if (adaptor.getMode() == ResizeMode::Cubic &&
      !isa<FloatType>(x.getElementType()))
    return emitOptionalError(loc, "mode cubic of element type ",
                             x.getElementType(), ", expected a float (C3)");
  Shape shape(x.getShape());
  for (auto [axis, size] : llvm::zip(axes, sizes)) {
    if (shape[axis] == 0 && size > 0)
      return emitOptionalError(loc, "axis ", axis,
                               " has extent 0, expected at least 1 (C4)");
    shape[axis] = size;
  }
  return pushResult(loc, shape, x.getElementType(), types);
}

} // namespace graven
