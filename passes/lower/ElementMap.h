//===- ElementMap.h - where the elements of a view are ----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the view of a Value as elements of another one, from which
// it is made by moves alone: a kernel that takes such a map reads them in
// place.
//===----------------------------------------------------------------------===//

#ifndef PASSES_LOWER_ELEMENTMAP_H
#define PASSES_LOWER_ELEMENTMAP_H

#include "mlir/IR/Value.h"
#include "llvm/ADT/SmallVector.h"

namespace graven {

/// Element [i0, i1, ..] of a Value is element offset + sum_a ia strides[a] of
/// `base`, row-major.
struct ElementMap {
  mlir::Value base;
  int64_t offset = 0;
  llvm::SmallVector<int64_t> shape, strides;
};

/// The map of a Value of static shape itself.
ElementMap contiguousMap(mlir::Value value);

/// Looks through transposes, slices with positive steps, broadcasts, and
/// reshapes that leave every axis with one stride, as far as they go.
ElementMap elementsOf(mlir::Value value);

} // namespace graven

#endif // PASSES_LOWER_ELEMENTMAP_H
