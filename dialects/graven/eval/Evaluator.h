//===- Evaluator.h - the reference evaluator ------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the evaluator that runs a Graph Node by Node with the ops'
// naive functions. It is the executable meaning of the IR: slow, plain, and
// used by folding, tests and verification alike.
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_GRAVEN_EVAL_EVALUATOR_H
#define DIALECTS_GRAVEN_EVAL_EVALUATOR_H

#include "dialects/graven/eval/Tensor.h"
#include "mlir/IR/Block.h"
#include "llvm/ADT/DenseMap.h"

namespace graven {
class GraphOp;

namespace eval {

/// Runs Graphs and Blocks. Errors are emitted at the Node that failed.
class Evaluator {
public:
  /// Outputs of the Graph for inputs that match the types of its Params.
  mlir::FailureOr<llvm::SmallVector<Tensor>> run(GraphOp graph,
                                                 llvm::ArrayRef<Tensor> inputs);

  /// Runs the Nodes of `block` with these arguments and returns the operands of
  /// its terminator. Values of the enclosing Blocks that are being run are
  /// visible.
  mlir::FailureOr<llvm::SmallVector<Tensor>>
  runBlock(mlir::Block &block, llvm::ArrayRef<Tensor> arguments);

  /// The results of one Node.
  mlir::FailureOr<llvm::SmallVector<Tensor>>
  runNode(mlir::Operation *node, llvm::ArrayRef<Tensor> operands);

  /// An output of the Graph @prepare that `user` reads; it runs once.
  mlir::FailureOr<Tensor> prepared(mlir::Operation *user, int64_t output);

private:
  llvm::DenseMap<mlir::Value, Tensor> values;
  /// Outputs of @prepare, by Graph.
  llvm::DenseMap<mlir::Operation *, llvm::SmallVector<Tensor>> outputs;
  /// Graphs being run, to refuse recursion.
  unsigned depth = 0;
};

/// The Parameter's elements, read from its blob or attribute.
mlir::FailureOr<Tensor> readParam(mlir::Operation *param);

} // namespace eval
} // namespace graven

#endif // DIALECTS_GRAVEN_EVAL_EVALUATOR_H
