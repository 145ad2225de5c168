//===- Passes.h - lowering passes -------------------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the passes that lower graphs to kernels and kernels to
// loops, and their registration.

#ifndef GRAVEN_PASSES_LOWER_PASSES_H
#define GRAVEN_PASSES_LOWER_PASSES_H

#include "mlir/IR/PatternMatch.h"
#include "mlir/Pass/Pass.h"
#include "passes/lower/TargetInfo.h"

namespace mlir {
class ModuleOp;
namespace func {
class FuncOp;
} // namespace func
} // namespace mlir

namespace graven {

class TuningDatabase;

#define GEN_PASS_DECL
#include "passes/lower/Passes.h.inc"

/// The expansion for a target.
std::unique_ptr<mlir::Pass> createExpandKernels(const TargetInfo &target);
/// Folds conversions for which `target` has instructions.
std::unique_ptr<mlir::Pass> createFoldKernelCasts(const TargetInfo &target);
/// Lowers the graph with tiles for `target`.
std::unique_ptr<mlir::Pass> createGravenToKernel(const TargetInfo &target);
/// Gives kernels that were made for wider vectors the tiles of `target`.
std::unique_ptr<mlir::Pass> createRetileKernels(const TargetInfo &target);
/// Gives kernels the tiles that were measured for `target`.
std::unique_ptr<mlir::Pass>
createApplyTuning(const TargetInfo &target,
                  std::shared_ptr<const TuningDatabase> database);

/// Packs constant right-hand sides alike for any number of rows.
std::unique_ptr<mlir::Pass> createCommonPanels(const TargetInfo &target);

/// The rewrites of FoldInputScale.
void populateFoldInputScalePatterns(mlir::RewritePatternSet &patterns);

#define GEN_PASS_REGISTRATION
#include "passes/lower/Passes.h.inc"

} // namespace graven

#endif // GRAVEN_PASSES_LOWER_PASSES_H
