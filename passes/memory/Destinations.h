//===- Destinations.h - where tensors are to be computed --------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the steps before bufferization that decide in which
// buffer each value is to be computed, so that the analysis finds no reason
// for a copy.
//===----------------------------------------------------------------------===//
#ifndef GRAVEN_PASSES_MEMORY_DESTINATIONS_H
#define GRAVEN_PASSES_MEMORY_DESTINATIONS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace graven::memory {

/// Replaces the function's tensor arguments by memrefs that are read, and its
/// tensor results by memref arguments in which they are materialized; reshapes
/// at the end become views of the latter. Emits an error, and may leave the
/// function half done, where a precondition of Bufferize does not hold.
mlir::LogicalResult passTensorsAsBuffers(mlir::func::FuncOp function);

/// Gives every use of a tensor.empty an op of its own, at the start of the
/// user's block when its shape is static, and every op that writes into a
/// filled tensor its own fill: what is equal as a value is not as a place.
void splitEmptyTensors(mlir::func::FuncOp function);

/// Moves each tensor.insert_slice up to where its operands are computed, and
/// orders a chain of disjoint ones by when their sources are, so that each
/// source can be computed in its place.
void insertSlicesEarly(mlir::func::FuncOp function);

/// Where a tensor.insert_slice puts a value into a filled tensor, which is how
/// padding looks, fills it before the value is computed, so that it can be
/// computed in its place, and notes on the fill what is overwritten.
void fillAroundSlices(mlir::func::FuncOp function);

/// After bufferization: lets the fills that were noted fill the strips around
/// what is overwritten only.
void shrinkFills(mlir::func::FuncOp function);

/// Makes each scf.for and scf.while yield the buffers it got, to which what the
/// body computed elsewhere is copied, and both branches of an scf.if write to
/// one buffer. What an arith.select chooses between has the identity layout.
void writeBackCarriedTensors(mlir::func::FuncOp function);

/// After bufferization: gives each kernel operand whose last axis is not
/// contiguous a buffer in which it is, filled before or copied back after.
void copyStridedOperands(mlir::func::FuncOp function);

} // namespace graven::memory

#endif // GRAVEN_PASSES_MEMORY_DESTINATIONS_H
