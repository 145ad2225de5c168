//===- BlockKernels.h - kernels whose threads work together -----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the kernels of blocks, a pair of functions for each
// family: the extents of its launch, none where threads do better alone, and
// the code of a thread.
//===----------------------------------------------------------------------===//
#ifndef GRAVEN_PASSES_GPU_BLOCKKERNELS_H
#define GRAVEN_PASSES_GPU_BLOCKKERNELS_H

#include "dialects/kernel/Kernel.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "passes/gpu/BlockEmitter.h"
#include "passes/gpu/KernelMapping.h"

namespace graven::blocks {

std::optional<LaunchExtents> extentsOf(mlir::Operation *op, MatrixUnits units);
mlir::LogicalResult emit(BlockEmitter &e, mlir::Operation *op);

// The functions above choose among these.
std::optional<LaunchExtents> extentsOf(kernel::SoftmaxOp op);
mlir::LogicalResult emit(BlockEmitter &e, kernel::SoftmaxOp op);
std::optional<LaunchExtents> extentsOf(kernel::RowNormOp op);
mlir::LogicalResult emit(BlockEmitter &e, kernel::RowNormOp op);
std::optional<LaunchExtents> extentsOf(kernel::GemmOp op, MatrixUnits units);
mlir::LogicalResult emit(BlockEmitter &e, kernel::GemmOp op);
std::optional<LaunchExtents> extentsOf(kernel::AttentionOp op);
mlir::LogicalResult emit(BlockEmitter &e, kernel::AttentionOp op);
std::optional<LaunchExtents> extentsOf(kernel::ConvOp op, MatrixUnits units);
mlir::LogicalResult emit(BlockEmitter &e, kernel::ConvOp op);
/// Of a linalg operation that reduces, and of one that only moves elements or
/// computes each by itself.
std::optional<LaunchExtents> reductionExtents(mlir::linalg::LinalgOp op);
mlir::LogicalResult emitReduction(BlockEmitter &e, mlir::linalg::LinalgOp op);
std::optional<LaunchExtents> transposeExtents(mlir::linalg::LinalgOp op);
mlir::LogicalResult emitTranspose(BlockEmitter &e, mlir::linalg::LinalgOp op);

} // namespace graven::blocks

#endif // GRAVEN_PASSES_GPU_BLOCKKERNELS_H
