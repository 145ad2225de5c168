//===- Infer.cpp - helpers of type inference ------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements what the type inference of several op families shares.
//===----------------------------------------------------------------------===//

#include "dialects/graven/ops/Infer.h"

using namespace mlir;

namespace graven {

LogicalResult checkElementTypes(OptionalLoc loc, ValueRange values,
                                StringRef label) {
  Type expected = tensorOf(values.front()).getElementType();
  for (auto [index, value] : llvm::enumerate(values)) {
    if (!value)
      continue;
    Type element = tensorOf(value).getElementType();
    if (element != expected)
      return emitOptionalError(loc, "operand #", index, " has element type ",
                               element, ", expected ", expected, " (", label,
                               ")");
  }
  return success();
}

LogicalResult checkElementType(OptionalLoc loc, Type type) {
  bool known = isa<Float16Type, BFloat16Type, Float32Type, Float64Type>(type);
  if (auto integer = dyn_cast<IntegerType>(type)) {
    unsigned width = integer.getWidth();
    known = width == 1 ? integer.isSignless()
                       : !integer.isSigned() && (width == 8 || width == 16 ||
                                                 width == 32 || width == 64);
  }
  if (known)
    return success();
  return emitOptionalError(loc, "element type ", type,
                           " is not one of f16, bf16, f32, f64, i1, i8 to "
                           "i64, ui8 to ui64 (V1)");
}

LogicalResult checkExtent(OptionalLoc loc, StringRef what, int64_t extent,
                          int64_t expected, StringRef label) {
  if (sameExtent(extent, expected))
    return success();
  return emitOptionalError(loc, what, " is ", extent, ", expected ", expected,
                           " (", label, ")");
}

LogicalResult checkShape(OptionalLoc loc, StringRef what,
                         ArrayRef<int64_t> shape, ArrayRef<int64_t> expected,
                         StringRef label) {
  if (shape.size() != expected.size())
    return emitOptionalError(loc, what, " has rank ", shape.size(),
                             ", expected ", expected.size(), " (", label, ")");
  for (auto [axis, extents] : llvm::enumerate(llvm::zip(shape, expected)))
    if (!sameExtent(std::get<0>(extents), std::get<1>(extents)))
      return emitOptionalError(loc, what, " has extent ", std::get<0>(extents),
                               " on axis ", axis, ", expected ",
                               std::get<1>(extents), " (", label, ")");
  return success();
}

LogicalResult checkRank(OptionalLoc loc, StringRef what, int64_t rank,
                        int64_t lo, int64_t hi, StringRef label) {
  if (rank >= lo && rank <= hi)
    return success();
  if (lo == hi)
    return emitOptionalError(loc, what, " has rank ", rank, ", expected ", lo,
                             " (", label, ")");
  return emitOptionalError(loc, what, " has rank ", rank, ", expected ", lo,
                           " to ", hi, " (", label, ")");
}

LogicalResult checkBroadcastsTo(OptionalLoc loc, StringRef what,
                                ArrayRef<int64_t> from, ArrayRef<int64_t> to,
                                StringRef label) {
  if (from.empty())
    return success();
  if (from.size() != to.size())
    return emitOptionalError(loc, what, " has rank ", from.size(),
                             ", expected 0 or ", to.size(), " (", label, ")");
  for (auto [axis, extents] : llvm::enumerate(llvm::zip(from, to)))
    if (std::get<0>(extents) != 1 &&
        !sameExtent(std::get<0>(extents), std::get<1>(extents)))
      return emitOptionalError(loc, what, " has extent ", std::get<0>(extents),
                               " on axis ", axis, ", expected 1 or ",
                               std::get<1>(extents), " (", label, ")");
  return success();
}

LogicalResult checkMixed(OptionalLoc loc, StringRef name,
                         ArrayRef<int64_t> list, size_t operands,
                         StringRef label) {
  size_t dynamic = llvm::count_if(list, ShapedType::isDynamic);
  if (dynamic == operands)
    return success();
  return emitOptionalError(loc, name, " has ", dynamic,
                           " dynamic entries, expected one for each of the ",
                           operands, " dynamic operands (", label, ")");
}

} // namespace graven
