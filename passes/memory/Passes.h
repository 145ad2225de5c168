//===- Passes.h - bufferization and memory planning -------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the passes of passes/memory and what a tool registers so
// that they can run.
//===----------------------------------------------------------------------===//
#ifndef GRAVEN_PASSES_MEMORY_PASSES_H
#define GRAVEN_PASSES_MEMORY_PASSES_H

#include "mlir/IR/PatternMatch.h"
#include "mlir/Pass/Pass.h"

namespace mlir {
class DialectRegistry;
class OpPassManager;
} // namespace mlir

namespace graven {

// Attributes of a function after the buffer phase (ARCH: its convention).
inline constexpr llvm::StringLiteral kNumInputsAttr = "graven.num_inputs";
inline constexpr llvm::StringLiteral kNumOutputsAttr = "graven.num_outputs";
inline constexpr llvm::StringLiteral kWorkspaceSizeAttr =
    "graven.workspace_size";
inline constexpr llvm::StringLiteral kWorkspaceLowerBoundAttr =
    "graven.workspace_lower_bound";
inline constexpr llvm::StringLiteral kWeightsSizeAttr = "graven.weights_size";

#define GEN_PASS_DECL
#include "passes/memory/Passes.h.inc"

/// The rewrite of ReuseOperands.
void populateReuseOperandsPatterns(mlir::RewritePatternSet &patterns);

/// The models by which the ops of arith, kernel, linalg, scf and tensor
/// bufferize, and linalg's slices; without them Bufferize fails on those ops.
void registerBufferizationModels(mlir::DialectRegistry &registry);

/// The buffer phase, tensors to arena, with its check at the end.
void buildBufferPhase(mlir::OpPassManager &manager);

#define GEN_PASS_REGISTRATION
#include "passes/memory/Passes.h.inc"

} // namespace graven

#endif // GRAVEN_PASSES_MEMORY_PASSES_H
