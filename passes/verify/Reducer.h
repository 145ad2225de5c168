//===- Reducer.h - the least Graph that still fails -------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the reduction of a module: its Graph, the extents in it
// and its weights become as small as a check lets them.
//===----------------------------------------------------------------------===//

#ifndef GRAVEN_PASSES_VERIFY_REDUCER_H
#define GRAVEN_PASSES_VERIFY_REDUCER_H

#include "dialects/graven/Graven.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

namespace graven {

/// Whether what is looked for is in the module.
using Interesting = llvm::function_ref<bool(mlir::ModuleOp)>;

/// Tries smaller modules, and goes on from each that is valid and interesting:
/// with an earlier Node's result as the only output; with inputs in the place
/// of Nodes; with a Node's operand in the place of its result; with weights
/// that are one number, or a few in the text; with smaller extents.
class Reducer {
public:
  Reducer(mlir::ModuleOp module, llvm::StringRef graph, Interesting interesting)
      : current(module.clone()), name(graph.str()), interesting(interesting) {}

  /// Until nothing smaller is interesting.
  mlir::OwningOpRef<mlir::ModuleOp> run();

  /// Modules that were valid, and those that were interesting.
  int64_t numTried() const { return tried; }
  int64_t numKept() const { return kept; }

private:
  using Change = llvm::function_ref<mlir::LogicalResult(GraphOp)>;

  /// Goes on from a changed copy if that is valid and interesting.
  bool attempt(Change change);
  GraphOp graph();
  size_t numNodes();

  bool keepOneOutput();
  bool cutTail();
  bool cutNodes();
  bool bypassNodes();
  bool simplifyWeights();
  bool shrinkExtents();

  mlir::OwningOpRef<mlir::ModuleOp> current;
  std::string name;
  Interesting interesting;
  int64_t tried = 0, kept = 0;
};

/// How many Nodes there are in a Graph, without Parameters, constants and
/// terminators.
int64_t countNodes(GraphOp graph);

} // namespace graven

#endif // GRAVEN_PASSES_VERIFY_REDUCER_H
