//===- Passes.h - passes on elementary functions ----------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the passes of passes/math, their options, and their
// patterns for use in other drivers.
//===----------------------------------------------------------------------===//
#ifndef GRAVEN_PASSES_MATH_PASSES_H
#define GRAVEN_PASSES_MATH_PASSES_H

#include "mlir/IR/PatternMatch.h"
#include "mlir/Pass/Pass.h"

namespace graven {

#define GEN_PASS_DECL
#include "passes/math/Passes.h.inc"

/// The rewrites of ExpandMath, to be applied once to every op (the ops they
/// build include math ops they would not touch).
void populateExpandMathPatterns(mlir::RewritePatternSet &patterns,
                                const ExpandMathOptions &options);

#define GEN_PASS_REGISTRATION
#include "passes/math/Passes.h.inc"

/// Conversions between bf16 and f32 or f64 as integer arithmetic, rounding to
/// nearest even; a NaN stays one and becomes quiet.
void populateExpandBFloat16Patterns(mlir::RewritePatternSet &patterns);

} // namespace graven

#endif // GRAVEN_PASSES_MATH_PASSES_H
