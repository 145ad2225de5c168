//===- LoopNode.h - a loop of a sub-graph ---------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the making of graven.loop of a body, as Loop and Scan have
// it.
//===----------------------------------------------------------------------===//

#ifndef FRONTENDS_ONNX_OPS_LOOPNODE_H
#define FRONTENDS_ONNX_OPS_LOOPNODE_H

#include "frontends/onnx/NodeBuilder.h"

namespace graven::onnx {

/// What a loop needs: its body gets (iteration, condition, carried..) and gives
/// (condition, carried.., slices..).
struct LoopParts {
  mlir::Value trip, condition;
  llvm::SmallVector<mlir::Value> init;
  const pb::GraphProto *body;
  /// What the body's inputs are, of the Block's arguments.
  llvm::function_ref<llvm::SmallVector<mlir::Value>(mlir::Block &)> inputsOf;
  /// Makes yield's operands of the body's outputs.
  llvm::function_ref<void(llvm::SmallVector<mlir::Value> &)> finish;
};

/// Builds the loop; a carried value whose extents change gets `?` and the body
/// is imported again, until nothing changes.
llvm::LogicalResult buildLoopOp(NodeBuilder &n, const LoopParts &parts);

} // namespace graven::onnx

#endif // FRONTENDS_ONNX_OPS_LOOPNODE_H
