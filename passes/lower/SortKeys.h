//===- SortKeys.h - sorting of integers -------------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares how elements of up to 32 bits are sorted: each becomes an
// integer that has its place in the order in the upper half and its position in
// the lower one. No two are equal, and one comparison decides.
//===----------------------------------------------------------------------===//

#ifndef PASSES_LOWER_SORTKEYS_H
#define PASSES_LOWER_SORTKEYS_H

#include "mlir/IR/Builders.h"

namespace graven {

/// x sorted along an axis, stable, NaN the greatest and -0 equal to 0.
struct KeySort {
  mlir::Value x;
  /// The type of the Node, which knows signs.
  mlir::Type nodeElement;
  int64_t axis;
  bool largest;

  /// Whether there are keys for elements of the type, so many on an axis.
  static bool supports(mlir::Type nodeElement, int64_t extent);

  /// The positions of the first `count` elements, i64, by one pass over the
  /// axis for each.
  mlir::Value pick(mlir::OpBuilder &b, mlir::Location loc, int64_t count) const;

  /// The positions of all elements in order, i64, by merging runs.
  mlir::Value sort(mlir::OpBuilder &b, mlir::Location loc) const;
};

} // namespace graven

#endif // PASSES_LOWER_SORTKEYS_H
