//===- Lifetimes.h - when a buffer holds live data --------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the analysis that numbers the ops of a structured function
// and says from which to which of them an allocated buffer is needed.
//===----------------------------------------------------------------------===//
#ifndef GRAVEN_PASSES_MEMORY_LIFETIMES_H
#define GRAVEN_PASSES_MEMORY_LIFETIMES_H

#include "passes/memory/ArenaPlanner.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

namespace graven::memory {

/// Bytes that a memref of static shape and identity layout takes, its elements
/// side by side; fails where the type is something else or the size overflows.
mlir::FailureOr<int64_t> sizeInBytes(mlir::MemRefType type);

/// The lifetime of each alloc, from its first use (through any view) to its
/// last; of one that is never used, empty room. Emits an error where a
/// precondition of PlanArena does not hold.
mlir::FailureOr<llvm::SmallVector<Lifetime>>
computeLifetimes(mlir::func::FuncOp function,
                 llvm::ArrayRef<mlir::memref::AllocOp> allocs);

} // namespace graven::memory

#endif // GRAVEN_PASSES_MEMORY_LIFETIMES_H
