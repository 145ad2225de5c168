//===- ResultCopies.h - copies into the result arguments --------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares what makes the copies at the end of a bufferized function
// safe in any order that one-shot bufferization leaves them in.
//===----------------------------------------------------------------------===//
#ifndef GRAVEN_PASSES_MEMORY_RESULTCOPIES_H
#define GRAVEN_PASSES_MEMORY_RESULTCOPIES_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace graven::memory {

/// Marks, before bufferization, where the ops that materialize results begin.
inline constexpr llvm::StringLiteral kResultsBeginAttr = "graven.results_begin";

/// The copies after the mark, which is erased.
llvm::SmallVector<mlir::linalg::CopyOp>
takeResultCopies(mlir::func::FuncOp function);

/// Orders the copies so that none overwrites what another still reads: a value
/// may have been computed in the argument of a result that it is not. Where
/// they read one another in a circle, one is read into a temporary first.
void orderResultCopies(mlir::func::FuncOp function,
                       llvm::ArrayRef<mlir::linalg::CopyOp> copies);

} // namespace graven::memory

#endif // GRAVEN_PASSES_MEMORY_RESULTCOPIES_H
