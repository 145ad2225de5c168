//===- FusedNodes.h - Nodes that ride on a contraction ----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares what a lowering knows of the elementwise Nodes fused
// behind its anchor: they become the epilogue region of the kernel.
//===----------------------------------------------------------------------===//

#ifndef PASSES_LOWER_FUSEDNODES_H
#define PASSES_LOWER_FUSEDNODES_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/IRMapping.h"

namespace graven {

/// The elementwise Nodes behind an anchor, and the outer tensors they read.
struct FusedNodes {
  mlir::Operation *anchor = nullptr;
  llvm::SmallVector<mlir::Operation *> nodes;
  /// The max pool of the last of them, or null, and whether what it pools is
  /// wanted as well.
  mlir::Operation *pool = nullptr;
  bool keepsWhole = false;
  /// Values of the fused Block that are not computed by `nodes`, and the
  /// lowered tensors that stand for them.
  llvm::SmallVector<mlir::Value> inner;
  llvm::SmallVector<mlir::Value> outer;

  /// Fills `region` with the scalar form of the nodes: arguments are the
  /// accumulator and an element of each operand; `makeYield` ends it. Leaves
  /// the region empty when there are no nodes.
  void emitRegion(
      mlir::OpBuilder &builder, mlir::Region &region, mlir::Type element,
      llvm::function_ref<void(mlir::OpBuilder &, mlir::Location, mlir::Value)>
          makeYield) const;
};

} // namespace graven

#endif // PASSES_LOWER_FUSEDNODES_H
