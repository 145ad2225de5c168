//===- Bisect.h - the step that makes a result wrong ------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the search for the run of a pass, or the application of a
// pattern to a Node, with which what a Graph computes becomes wrong.
//===----------------------------------------------------------------------===//

#ifndef GRAVEN_PASSES_VERIFY_BISECT_H
#define GRAVEN_PASSES_VERIFY_BISECT_H

#include "passes/verify/Steps.h"
#include "passes/verify/Trace.h"

namespace mlir {
class PassManager;
} // namespace mlir

namespace graven {

/// Whether the result is right when that many steps happen; failure ends the
/// search.
using Probe = llvm::function_ref<mlir::FailureOr<bool>(int64_t limit)>;

/// Told of each probe, for those who watch.
using Progress = llvm::function_ref<void(int64_t limit, bool isRight)>;

/// A number of steps, over `right` and at most `wrong`, with which the result
/// is wrong, and with one fewer is right. There is one where the result with
/// `right` steps is right and that with `wrong` ones is not.
mlir::FailureOr<int64_t> firstWrong(int64_t right, int64_t wrong, Probe probe);

/// What makes the result wrong.
struct Culprit {
  Step step;
  /// How many steps there are, and how many results were looked at.
  int64_t steps, probes;
  /// How the result differs, as the end of a sentence.
  std::string difference;
  /// The first Node that gives something else with the step than without, and
  /// its op; nothing where no Node of the two Graphs can be compared.
  std::optional<std::pair<std::string, mlir::Location>> node;
};

/// A pipeline on the Graph of a module in the reference evaluator.
class GraphBisection {
public:
  /// `build` adds the passes. The module is not changed.
  GraphBisection(mlir::ModuleOp module, llvm::StringRef graph,
                 std::function<void(mlir::PassManager &)> build,
                 llvm::ArrayRef<eval::Tensor> inputs,
                 std::optional<double> tolerance)
      : module(module), graph(graph.str()), build(std::move(build)),
        inputs(inputs), tolerance(tolerance) {}

  /// Nothing where the passes keep what the Graph computes. Fails where the
  /// evaluator does not run the module as it is.
  mlir::FailureOr<std::optional<Culprit>> run(Progress progress = nullptr);

private:
  /// What a limit of steps makes of the module.
  struct Attempt {
    mlir::OwningOpRef<mlir::ModuleOp> module;
    /// Why there is no result to compare; empty where there is.
    std::string problem;
  };
  Attempt attempt(StepCounter &counter);
  /// How the result of an attempt differs.
  std::optional<std::string> differenceOf(const Attempt &attempt);
  std::optional<std::pair<std::string, mlir::Location>>
  divergingNode(int64_t limit);

  mlir::ModuleOp module;
  std::string graph;
  std::function<void(mlir::PassManager &)> build;
  llvm::ArrayRef<eval::Tensor> inputs;
  std::optional<double> tolerance;
  llvm::SmallVector<eval::Tensor> expected;
  int64_t probes = 0;
};

} // namespace graven

#endif // GRAVEN_PASSES_VERIFY_BISECT_H
