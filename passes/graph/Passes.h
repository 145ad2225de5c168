//===- Passes.h - passes on graphs ------------------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the passes from the graven dialect to itself, their
// options, and their patterns for use in other drivers. A pattern that is given
// a statistic counts its rewrites there.
//===----------------------------------------------------------------------===//

#ifndef PASSES_GRAPH_PASSES_H
#define PASSES_GRAPH_PASSES_H

#include "mlir/IR/PatternMatch.h"
#include "mlir/Pass/Pass.h"

namespace graven {

/// How much rounding may differ from plain sums of products: not at all, as far
/// as the accuracy policy allows on the weights at hand, or without a look at
/// them.
enum class Numerics { Strict, Default, Fast };

/// Whether recurrent layers stay that kernel.recurrence computes whole.
enum class RecurrentKernels { Keep, Decompose };

/// The type of what contractions multiply: that of the model, or bf16 instead
/// of f32.
enum class Precision { F32, BF16 };

#define GEN_PASS_DECL
#include "passes/graph/Passes.h.inc"

void populateBubbleUpSlicesPatterns(mlir::RewritePatternSet &patterns,
                                    mlir::Pass::Statistic *count = nullptr);

void populateDecomposeConvTransposePatterns(
    mlir::RewritePatternSet &patterns, mlir::Pass::Statistic *count = nullptr);
void populateDecomposeRecurrentPatterns(mlir::RewritePatternSet &patterns,
                                        RecurrentKernels kernels,
                                        mlir::Pass::Statistic *count = nullptr);
void populateDecomposeVolumeConvPatterns(
    mlir::RewritePatternSet &patterns, mlir::Pass::Statistic *count = nullptr);

void populateFuseConvBNPatterns(mlir::RewritePatternSet &patterns, bool expand,
                                mlir::Pass::Statistic *count = nullptr);

void populateFuseEpiloguesPatterns(mlir::RewritePatternSet &patterns,
                                   mlir::Pass::Statistic *count = nullptr);

void populateMergeContractionsPatterns(mlir::RewritePatternSet &patterns,
                                       mlir::Pass::Statistic *count = nullptr);
void populateMoveCastsPatterns(mlir::RewritePatternSet &patterns,
                               mlir::Pass::Statistic *count = nullptr);

void populateRecomposeOpsPatterns(mlir::RewritePatternSet &patterns,
                                  mlir::Pass::Statistic *count = nullptr);

void populateRemoveIdentitiesPatterns(mlir::RewritePatternSet &patterns,
                                      mlir::Pass::Statistic *count = nullptr);

void populateScaleWeightsPatterns(mlir::RewritePatternSet &patterns,
                                  mlir::Pass::Statistic *count = nullptr);
void populateSimplifyArithmeticPatterns(mlir::RewritePatternSet &patterns,
                                        mlir::Pass::Statistic *count = nullptr);
void populateSimplifyConditionsPatterns(mlir::RewritePatternSet &patterns,
                                        mlir::Pass::Statistic *count = nullptr);
void populateSimplifyMovementPatterns(mlir::RewritePatternSet &patterns,
                                      mlir::Pass::Statistic *count = nullptr);
void populateSimplifyTransposesPatterns(mlir::RewritePatternSet &patterns,
                                        mlir::Pass::Statistic *count = nullptr);

void populateSinkTransposesPatterns(mlir::RewritePatternSet &patterns,
                                    mlir::Pass::Statistic *count = nullptr);
void populateUnflattenMatmulPatterns(mlir::RewritePatternSet &patterns,
                                     bool exact,
                                     mlir::Pass::Statistic *count = nullptr);

#define GEN_PASS_REGISTRATION
#include "passes/graph/Passes.h.inc"

} // namespace graven

#endif // PASSES_GRAPH_PASSES_H
