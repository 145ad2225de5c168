//===- Access.h - how an operation reads an operand -------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares where the elements of a linalg operation's operands lie.

#ifndef GRAVEN_PASSES_LOWER_EXPAND_ACCESS_H
#define GRAVEN_PASSES_LOWER_EXPAND_ACCESS_H

#include "mlir/IR/AffineMap.h"
#include "passes/lower/expand/LoopNest.h"

namespace graven::expand {

/// A shaped operand of a linalg operation: where its element lies as a linear
/// function of the loops, or, when the map is not linear, the map itself.
struct Access {
  /// The flat index of the element at `ivs` of the nest's loops.
  Idx index(Emitter &e, const LoopNest &nest, llvm::ArrayRef<Idx> ivs) const;

  Buffer buffer;
  mlir::AffineMap map;
  bool linear;
  Strides strides;
  int64_t offset;
};

/// The strides of an operand in each loop, read off types alone; false where
/// its elements do not lie on a line.
bool linearStrides(mlir::MemRefType type, mlir::AffineMap map, Strides &strides,
                   int64_t &offset);

} // namespace graven::expand

#endif // GRAVEN_PASSES_LOWER_EXPAND_ACCESS_H
