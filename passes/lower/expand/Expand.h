//===- Expand.h - kernels to loops ------------------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the expansion of kernels on memrefs, operations of the
// kernel dialect, linalg operations and copies, to scf, vector, memref and
// arith operations, and the number of independent units of work of each.

#ifndef GRAVEN_PASSES_LOWER_EXPAND_EXPAND_H
#define GRAVEN_PASSES_LOWER_EXPAND_EXPAND_H

#include "dialects/kernel/Kernel.h"
#include "passes/lower/expand/Emitter.h"

namespace mlir::linalg {
class LinalgOp;
} // namespace mlir::linalg

namespace mlir::memref {
class CopyOp;
} // namespace mlir::memref

namespace graven::expand {

/// True for an operation on memrefs that `expand` knows.
bool isKernel(mlir::Operation *op);

/// True for a kernel whose destinations have no element: it does nothing.
bool isEmpty(mlir::Operation *op);

/// Units of work of a kernel, at least 1. They may run in any order, and none
/// of the results depends on how they are distributed.
int64_t taskCount(mlir::Operation *op);

/// Emits the units of work [lo, hi) of `op` at `builder`'s insertion point,
/// which is in a function. Leaves `op` in place; fails with a message on `op`.
mlir::LogicalResult expand(mlir::OpBuilder &builder, mlir::Operation *op,
                           mlir::Value lo, mlir::Value hi,
                           const TargetInfo &target);

/// Threads of a GPU that share a kernel: one for each element that a linalg
/// operation or a copy writes, one for each vector of a pool or depthwise
/// convolution, one for each unit of work of any other kernel.
int64_t threadCount(mlir::Operation *op, const TargetInfo &target);

/// Emits what the thread number `thread` of `op` does, as `expand` does.
mlir::LogicalResult expandThread(mlir::OpBuilder &builder, mlir::Operation *op,
                                 mlir::Value thread, const TargetInfo &target);

// One pair for each family; the functions above choose.
int64_t taskCount(kernel::GemmOp op);
mlir::LogicalResult expandGemm(Emitter &e, kernel::GemmOp op, mlir::Value lo,
                               mlir::Value hi);
int64_t taskCount(kernel::PackOp op);
mlir::LogicalResult expandPack(Emitter &e, kernel::PackOp op, mlir::Value lo,
                               mlir::Value hi);
int64_t taskCount(kernel::ConvOp op);
mlir::LogicalResult expandConv(Emitter &e, kernel::ConvOp op, mlir::Value lo,
                               mlir::Value hi);
int64_t taskCount(kernel::DepthwiseOp op);
mlir::LogicalResult expandDepthwise(Emitter &e, kernel::DepthwiseOp op,
                                    mlir::Value lo, mlir::Value hi);
int64_t threadCount(kernel::DepthwiseOp op, const TargetInfo &target);
mlir::LogicalResult expandThread(Emitter &e, kernel::DepthwiseOp op,
                                 mlir::Value thread);
int64_t taskCount(kernel::WinogradInputOp op);
mlir::LogicalResult expandWinogradInput(Emitter &e, kernel::WinogradInputOp op,
                                        mlir::Value lo, mlir::Value hi);
int64_t taskCount(kernel::WinogradOutputOp op);
mlir::LogicalResult expandWinogradOutput(Emitter &e,
                                         kernel::WinogradOutputOp op,
                                         mlir::Value lo, mlir::Value hi);
int64_t taskCount(kernel::StrassenInputOp op);
mlir::LogicalResult expandStrassenInput(Emitter &e, kernel::StrassenInputOp op,
                                        mlir::Value lo, mlir::Value hi);
int64_t taskCount(kernel::StrassenOutputOp op);
mlir::LogicalResult expandStrassenOutput(Emitter &e,
                                         kernel::StrassenOutputOp op,
                                         mlir::Value lo, mlir::Value hi);
int64_t taskCount(kernel::AttentionOp op);
mlir::LogicalResult expandAttention(Emitter &e, kernel::AttentionOp op,
                                    mlir::Value lo, mlir::Value hi);
int64_t taskCount(kernel::RecurrenceStepOp op);
mlir::LogicalResult expandRecurrenceStep(Emitter &e,
                                         kernel::RecurrenceStepOp op,
                                         mlir::Value lo, mlir::Value hi);
int64_t taskCount(kernel::PoolOp op);
mlir::LogicalResult expandPool(Emitter &e, kernel::PoolOp op, mlir::Value lo,
                               mlir::Value hi);
int64_t threadCount(kernel::PoolOp op, const TargetInfo &target);
mlir::LogicalResult expandThread(Emitter &e, kernel::PoolOp op,
                                 mlir::Value thread);
int64_t taskCount(kernel::SoftmaxOp op);
mlir::LogicalResult expandSoftmax(Emitter &e, kernel::SoftmaxOp op,
                                  mlir::Value lo, mlir::Value hi);
int64_t taskCount(kernel::RowNormOp op);
mlir::LogicalResult expandRowNorm(Emitter &e, kernel::RowNormOp op,
                                  mlir::Value lo, mlir::Value hi);
int64_t taskCount(kernel::NmsOp op);
mlir::LogicalResult expandNms(Emitter &e, kernel::NmsOp op, mlir::Value lo,
                              mlir::Value hi);
int64_t taskCount(kernel::RegionsOp op);
mlir::LogicalResult expandRegions(Emitter &e, kernel::RegionsOp op,
                                  mlir::Value lo, mlir::Value hi);
int64_t taskCount(kernel::ScanOp op);
mlir::LogicalResult expandScan(Emitter &e, kernel::ScanOp op, mlir::Value lo,
                               mlir::Value hi);
int64_t taskCount(mlir::linalg::LinalgOp op);
mlir::LogicalResult expandLinalg(Emitter &e, mlir::linalg::LinalgOp op,
                                 mlir::Value lo, mlir::Value hi);
int64_t taskCount(mlir::memref::CopyOp op);
mlir::LogicalResult expandCopy(Emitter &e, mlir::memref::CopyOp op,
                               mlir::Value lo, mlir::Value hi);

} // namespace graven::expand

#endif // GRAVEN_PASSES_LOWER_EXPAND_EXPAND_H
