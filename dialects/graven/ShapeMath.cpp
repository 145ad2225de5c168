//===- ShapeMath.cpp - pure functions on shapes and axes ------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the shape functions that verifiers, type inference and
// frontends share.
//===----------------------------------------------------------------------===//

#include "dialects/graven/ShapeMath.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Operation.h"
#include "llvm/Support/MathExtras.h"
#include <algorithm>
#include <limits>

using namespace mlir;

namespace graven {

bool isRefinementOf(TypeRange actual, TypeRange inferred) {
  if (actual.size() != inferred.size())
    return false;
  for (auto [a, i] : llvm::zip(actual, inferred)) {
    auto at = dyn_cast<RankedTensorType>(a), it = dyn_cast<RankedTensorType>(i);
    if (!at || !it || at.getElementType() != it.getElementType() ||
        at.getRank() != it.getRank())
      return false;
    for (auto [ad, id] : llvm::zip(at.getShape(), it.getShape()))
      if (ad != id && !ShapedType::isDynamic(id))
        return false;
  }
  return true;
}

bool isScalarOf(Type type, unsigned width) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tensor && tensor.getRank() == 0 &&
         tensor.getElementType().isSignlessInteger(width);
}

Speculation::Speculatability speculatableIfStatic(Operation *op) {
  auto isStatic = [](Type type) {
    auto shaped = dyn_cast<ShapedType>(type);
    return shaped && shaped.hasStaticShape();
  };
  bool allStatic = llvm::all_of(op->getOperandTypes(), isStatic) &&
                   llvm::all_of(op->getResultTypes(), isStatic);
  return allStatic ? Speculation::Speculatable : Speculation::NotSpeculatable;
}

std::optional<int64_t> elementCount(llvm::ArrayRef<int64_t> shape) {
  int64_t count = 1;
  bool zero = llvm::is_contained(shape, 0);
  for (int64_t extent : shape) {
    if (ShapedType::isDynamic(extent))
      return std::nullopt;
    if (!zero && llvm::MulOverflow(count, extent, count))
      return std::nullopt;
  }
  return zero ? 0 : count;
}

LogicalResult pushResult(std::optional<Location> loc,
                         llvm::ArrayRef<int64_t> shape, Type elementType,
                         SmallVectorImpl<Type> &types) {
  SmallVector<int64_t> known;
  for (int64_t extent : shape)
    if (!ShapedType::isDynamic(extent)) {
      if (extent < 0)
        return emitOptionalError(loc, "the result has the extent ", extent,
                                 " (V2)");
      known.push_back(extent);
    }
  auto count = elementCount(known);
  if (!count || *count > std::numeric_limits<int64_t>::max() / 8)
    return emitOptionalError(
        loc, "the result's number of bytes does not fit i64 (V7)");
  types.push_back(RankedTensorType::get(shape, elementType));
  return success();
}

LogicalResult inferBroadcast(std::optional<Location> loc, ValueRange operands,
                             Type elementType, SmallVectorImpl<Type> &types) {
  int64_t rank = 0;
  for (Value operand : operands)
    rank = std::max(rank, cast<RankedTensorType>(operand.getType()).getRank());
  SmallVector<int64_t> shape(rank, 1);
  for (auto [index, operand] : llvm::enumerate(operands)) {
    auto type = cast<RankedTensorType>(operand.getType());
    if (type.getRank() == 0)
      continue;
    if (type.getRank() != rank)
      return emitOptionalError(loc, "operand #", index, " has rank ",
                               type.getRank(), ", expected ", rank, " (C2)");
    for (auto [axis, extent] : llvm::enumerate(type.getShape())) {
      if (extent == 1 || shape[axis] == extent)
        continue;
      if (shape[axis] == 1) {
        shape[axis] = extent;
        continue;
      }
      if (!sameExtent(shape[axis], extent))
        return emitOptionalError(loc, "operand #", index, " has extent ",
                                 extent, " on axis ", axis, ", expected ",
                                 shape[axis], " or 1 (C2)");
      if (ShapedType::isDynamic(shape[axis]))
        shape[axis] = extent;
    }
  }
  if (!elementType)
    elementType =
        cast<RankedTensorType>(operands.front().getType()).getElementType();
  return pushResult(loc, shape, elementType, types);
}

int64_t windowExtent(int64_t d, int64_t kernel, int64_t stride,
                     int64_t dilation, int64_t lo, int64_t hi,
                     Rounding rounding) {
  if (ShapedType::isDynamic(d))
    return ShapedType::kDynamic;
  // 128 bits hold every sum and product of the entries of a hostile model.
  using Wide = __int128;
  Wide room = Wide(d) + lo + hi - (Wide(dilation) * (Wide(kernel) - 1) + 1);
  Wide quotient = room / stride, remainder = room % stride;
  Wide extent = quotient + 1;
  if (rounding == Rounding::Floor && remainder < 0)
    --extent;
  if (rounding == Rounding::Ceil) {
    if (remainder > 0)
      ++extent;
    // The last window starts inside d + lo.
    extent = std::min(extent, (Wide(d) + lo + stride - 1) / stride);
  }
  return static_cast<int64_t>(
      std::clamp<Wide>(extent, -1, std::numeric_limits<int64_t>::max()));
}

SliceBounds resolveSlice(int64_t d, int64_t start, int64_t end, int64_t step) {
  auto clamp = [d](int64_t i) {
    return std::clamp<int64_t>(i < 0 ? (i < -d ? 0 : i + d) : i, 0, d);
  };
  start = clamp(start);
  end = clamp(end);
  int64_t extent =
      end > start ? llvm::divideCeil(uint64_t(end - start), uint64_t(step)) : 0;
  return {start, end, extent};
}

LogicalResult checkAxis(std::optional<Location> loc, int64_t axis, int64_t rank,
                        llvm::StringRef label) {
  if (axis >= 0 && axis < rank)
    return success();
  return emitOptionalError(loc, "axis ", axis, " is out of range for rank ",
                           rank, " (", label, ")");
}

LogicalResult checkAxes(std::optional<Location> loc,
                        llvm::ArrayRef<int64_t> axes, int64_t rank,
                        llvm::StringRef label) {
  for (auto [i, axis] : llvm::enumerate(axes)) {
    if (failed(checkAxis(loc, axis, rank, label)))
      return failure();
    if (i > 0 && axes[i - 1] >= axis)
      return emitOptionalError(loc,
                               "axes are not sorted and unique: ", axes[i - 1],
                               " before ", axis, " (", label, ")");
  }
  return success();
}

LogicalResult checkLength(std::optional<Location> loc, llvm::StringRef name,
                          llvm::ArrayRef<int64_t> list, int64_t expected,
                          llvm::StringRef label) {
  if (static_cast<int64_t>(list.size()) == expected)
    return success();
  return emitOptionalError(loc, name, " has ", list.size(),
                           " entries, expected ", expected, " (", label, ")");
}

LogicalResult checkAtLeast(std::optional<Location> loc, llvm::StringRef name,
                           llvm::ArrayRef<int64_t> list, int64_t least,
                           llvm::StringRef label) {
  for (int64_t entry : list)
    if (entry < least)
      return emitOptionalError(loc, name, " has the entry ", entry,
                               ", expected at least ", least, " (", label, ")");
  return success();
}

} // namespace graven
