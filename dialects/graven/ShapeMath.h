//===- ShapeMath.h - pure functions on shapes and axes --------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the shape functions that verifiers, type inference and
// frontends share. An unknown extent is ShapedType::kDynamic; arithmetic on it
// gives kDynamic.
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_GRAVEN_SHAPEMATH_H
#define DIALECTS_GRAVEN_SHAPEMATH_H

#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/TypeRange.h"
#include "mlir/IR/ValueRange.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include <optional>

namespace graven {

/// Whether the extents can be equal: both known and equal, or one unknown.
inline bool sameExtent(int64_t a, int64_t b) {
  return a == b || mlir::ShapedType::isDynamic(a) ||
         mlir::ShapedType::isDynamic(b);
}

/// Whether each type of `actual` is that of `inferred` with some `?` replaced
/// by static extents.
bool isRefinementOf(mlir::TypeRange actual, mlir::TypeRange inferred);

/// Whether `type` is a rank-0 tensor of signless integers of this width.
bool isScalarOf(mlir::Type type, unsigned width);

/// Speculatable when the types of all operands and results are static: then no
/// run-time check can fire.
mlir::Speculation::Speculatability speculatableIfStatic(mlir::Operation *op);

/// Product of the extents; nullopt when one is unknown or the product overflows
/// i64.
std::optional<int64_t> elementCount(llvm::ArrayRef<int64_t> shape);

/// Appends the tensor type of this shape and element type; fails (V2, V7) when
/// a known extent is negative or the bytes of the known ones do not fit i64.
llvm::LogicalResult pushResult(std::optional<mlir::Location> loc,
                               llvm::ArrayRef<int64_t> shape,
                               mlir::Type elementType,
                               llvm::SmallVectorImpl<mlir::Type> &types);

/// Result type of an elementwise op over `operands` (rank-0 operands are exempt
/// when a ranked one is present): broadcast rule V4 of the op set, element type
/// `elementType` or, when null, the first operand's.
llvm::LogicalResult inferBroadcast(std::optional<mlir::Location> loc,
                                   mlir::ValueRange operands,
                                   mlir::Type elementType,
                                   llvm::SmallVectorImpl<mlir::Type> &types);

/// Extent of a strided window sweep: floor((d + lo + hi - (dilation (k - 1) +
/// 1)) / stride) + 1, with `Ceil` rounded up and then lessened until the last
/// window starts before d + lo. Unknown d gives unknown; -1 for any
/// negative extent. Nothing overflows; stride > 0.
enum class Rounding { Floor, Ceil };
int64_t windowExtent(int64_t d, int64_t kernel, int64_t stride,
                     int64_t dilation, int64_t lo, int64_t hi,
                     Rounding rounding = Rounding::Floor);

/// Python's slice rule on an axis of extent d: start and end made absolute and
/// clamped, and the number of elements.
struct SliceBounds {
  int64_t start, end, extent;
};
SliceBounds resolveSlice(int64_t d, int64_t start, int64_t end, int64_t step);

// The checks below end their message with the constraint they check, `label`:
// "C3" of the op's description, or a rule of the op set (V2, V3, V5).

/// Fails unless axis lies in [0, rank).
llvm::LogicalResult checkAxis(std::optional<mlir::Location> loc, int64_t axis,
                              int64_t rank, llvm::StringRef label = "V3");

/// Fails unless axes are sorted, unique and lie in [0, rank).
llvm::LogicalResult checkAxes(std::optional<mlir::Location> loc,
                              llvm::ArrayRef<int64_t> axes, int64_t rank,
                              llvm::StringRef label = "V3");

/// Fails unless `list` has `expected` entries; `name` is the attribute's.
llvm::LogicalResult checkLength(std::optional<mlir::Location> loc,
                                llvm::StringRef name,
                                llvm::ArrayRef<int64_t> list, int64_t expected,
                                llvm::StringRef label = "V2");

/// Fails unless every entry of `list` is at least `least`.
llvm::LogicalResult checkAtLeast(std::optional<mlir::Location> loc,
                                 llvm::StringRef name,
                                 llvm::ArrayRef<int64_t> list, int64_t least,
                                 llvm::StringRef label = "V5");

} // namespace graven

#endif // DIALECTS_GRAVEN_SHAPEMATH_H
