//===- KernelVerify.h - checks that kernel verifiers share ------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the checks of ranks, extents and epilogues from which the
// verifiers of the kernel operations are made. `constraint` is the number in
// the operation's description.

#ifndef GRAVEN_DIALECTS_KERNEL_KERNELVERIFY_H
#define GRAVEN_DIALECTS_KERNEL_KERNELVERIFY_H

#include "dialects/kernel/Kernel.h"

namespace graven::kernel::verify {

mlir::ShapedType shaped(mlir::Value value);
llvm::ArrayRef<int64_t> shapeOf(mlir::Value value);

/// On tensors the results are tied to `out`; on memrefs there are none.
llvm::LogicalResult verifyDestination(mlir::Operation *op,
                                      mlir::ValueRange out);
llvm::LogicalResult verifyElementTypes(mlir::Operation *op);
/// The types that the operands are computed in are equal.
llvm::LogicalResult verifyComputeTypes(mlir::Operation *op);
llvm::LogicalResult verifyRank(mlir::Operation *op, llvm::StringRef name,
                               mlir::Value value, int64_t rank);
llvm::LogicalResult verifyShape(mlir::Operation *op, llvm::StringRef constraint,
                                llvm::StringRef name, mlir::Value value,
                                llvm::ArrayRef<int64_t> expected);
llvm::LogicalResult verifyEntries(mlir::Operation *op,
                                  llvm::StringRef constraint,
                                  llvm::StringRef name,
                                  llvm::ArrayRef<int64_t> values, size_t count,
                                  int64_t least);
/// A padded input extent has room for every window.
llvm::LogicalResult verifyWindow(mlir::Operation *op,
                                 llvm::StringRef constraint, int64_t extent,
                                 int64_t out, int64_t stride, int64_t dilation,
                                 int64_t kernel);
/// The epilogue's operands (full, `channels` long, or scalar) and its region.
llvm::LogicalResult verifyEpilogue(mlir::Operation *op,
                                   llvm::StringRef constraint,
                                   mlir::ValueRange operands, mlir::Value out,
                                   int64_t channels, mlir::Region &body);
/// The same where the full operands have another shape than the destination.
llvm::LogicalResult
verifyEpilogue(mlir::Operation *op, llvm::StringRef constraint,
               mlir::ValueRange operands, llvm::ArrayRef<int64_t> full,
               mlir::Value out, int64_t channels, mlir::Region &body);
/// The operations of a region that is widened to vectors; `what` names it.
llvm::LogicalResult verifyElementwise(mlir::Block &block, llvm::StringRef what);

} // namespace graven::kernel::verify

#endif // GRAVEN_DIALECTS_KERNEL_KERNELVERIFY_H
