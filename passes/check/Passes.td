//===- Passes.td - passes that check modules ---------------*- tablegen -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the passes that test a module and leave it as it is.
//===----------------------------------------------------------------------===//

#ifndef PASSES_CHECK_PASSES_TD
#define PASSES_CHECK_PASSES_TD

include "mlir/Pass/PassBase.td"

def RunChecks : Pass<"graven-run-checks", "::mlir::ModuleOp"> {
  let summary = "Runs the Graphs without inputs and fails if a `check` op's expectation does not hold";
  let description = [{
    Runs every `graven.graph` of the module that has no inputs with the reference evaluator, as `graven check` does.
    Each `check` op whose expectation does not hold is an error at its place with the element got and the one
    expected; the pass fails after all Graphs have run. A module without such a Graph is an error. The IR is not
    changed.
  }];
}

#endif // PASSES_CHECK_PASSES_TD
