//===- BlockKernels.cpp - kernels whose threads work together ---*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the choice of the family of a kernel for blocks.
//===----------------------------------------------------------------------===//
#include "passes/gpu/BlockKernels.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace graven::blocks {

std::optional<LaunchExtents> extentsOf(Operation *op, MatrixUnits units) {
  using Extents = std::optional<LaunchExtents>;
  return llvm::TypeSwitch<Operation *, Extents>(op)
      .Case<kernel::GemmOp, kernel::ConvOp>(
          [&](auto kernelOp) { return extentsOf(kernelOp, units); })
      .Case<kernel::SoftmaxOp, kernel::RowNormOp, kernel::AttentionOp>(
          [](auto kernelOp) { return extentsOf(kernelOp); })
      .Case([](linalg::LinalgOp linalgOp) {
        return linalgOp.getNumReductionLoops() > 0 ? reductionExtents(linalgOp)
                                                   : transposeExtents(linalgOp);
      })
      .Default([](Operation *) { return std::nullopt; });
}

LogicalResult emit(BlockEmitter &e, Operation *op) {
  return llvm::TypeSwitch<Operation *, LogicalResult>(op)
      .Case<kernel::SoftmaxOp, kernel::RowNormOp, kernel::GemmOp,
            kernel::ConvOp, kernel::AttentionOp>(
          [&](auto kernelOp) { return emit(e, kernelOp); })
      .Case([&](linalg::LinalgOp linalgOp) {
        return linalgOp.getNumReductionLoops() > 0 ? emitReduction(e, linalgOp)
                                                   : emitTranspose(e, linalgOp);
      })
      .Default([](Operation *other) {
        return other->emitOpError("is no kernel for blocks");
      });
}

} // namespace graven::blocks
