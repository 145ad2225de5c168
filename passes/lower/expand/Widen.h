//===- Widen.h - scalar regions at vector type ------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the cloning of a block of scalar elementwise operations at
// vector type, which epilogues and strips of linalg operations share.

#ifndef GRAVEN_PASSES_LOWER_EXPAND_WIDEN_H
#define GRAVEN_PASSES_LOWER_EXPAND_WIDEN_H

#include "mlir/IR/IRMapping.h"
#include "passes/lower/expand/Emitter.h"

namespace graven::expand {

/// True when `block` holds only elementwise and constant operations.
bool canWiden(mlir::Block &block);

/// Clones `block`, whose arguments `map` maps to vectors of `lanes`, at vector
/// type and returns the operands of its terminator. Values from outside that
/// are scalars are broadcast.
llvm::SmallVector<mlir::Value> cloneWidened(Emitter &emitter,
                                            mlir::Block &block,
                                            mlir::IRMapping &map,
                                            int64_t lanes);

/// Lets a cloned floating point operation contract to a fused multiply-add,
/// and, where `reassociate`, be reordered.
void relax(mlir::Operation *op, bool reassociate);

} // namespace graven::expand

#endif // GRAVEN_PASSES_LOWER_EXPAND_WIDEN_H
