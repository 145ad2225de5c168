//===- NumericsVerifier.h - passes keep what Graphs compute -----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the instrumentation behind `--verify-numerics`.
//===----------------------------------------------------------------------===//

#ifndef GRAVEN_PASSES_VERIFY_NUMERICSVERIFIER_H
#define GRAVEN_PASSES_VERIFY_NUMERICSVERIFIER_H

#include "passes/verify/Comparison.h"

namespace mlir {
class PassManager;
} // namespace mlir

namespace graven {

struct NumericsOptions {
  /// That of the element type where absent (`toleranceOf`).
  std::optional<Tolerance> tolerance;
  /// The module before a pass that changed it, and how to run the pass again;
  /// none where empty.
  std::string reproducer = "graven-numerics.mlir";
  /// Passes that are meant to round: what they change is not compared.
  llvm::SmallVector<llvm::StringRef> rounding = {};
};

/// "rtol,atol"; nothing for what is not two numbers >= 0.
std::optional<Tolerance> parseTolerance(llvm::StringRef text);

/// Runs every Graph of a module in the reference evaluator, on random inputs,
/// before and after each pass. A pass that changes what a Graph computes fails:
/// the error (GRV0602) names it, the element that differs, and, where the pass
/// applies patterns, the first one that changed it and its Node. A Graph that
/// the evaluator cannot run is not verified, which a warning says once. Takes
/// the context's threads away, since passes on other Graphs would change what
/// is evaluated.
void verifyNumerics(mlir::PassManager &manager, NumericsOptions options);

} // namespace graven

#endif // GRAVEN_PASSES_VERIFY_NUMERICSVERIFIER_H
