//===- Composites.h - formulas of several math ops --------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the first step of graven-expand-math, which knows some
// formulas of several ops as functions that are cheaper, or more accurate, as
// one.
//===----------------------------------------------------------------------===//
#ifndef GRAVEN_PASSES_MATH_COMPOSITES_H
#define GRAVEN_PASSES_MATH_COMPOSITES_H

#include "passes/math/Expr.h"

#include "mlir/IR/Operation.h"

namespace graven::elementary {

/// Replaces, in f32 and vectors of it:
///
///   x/2 erfc(-x / sqrt(2))                  by geluF32
///   tanh(max(x, 0) + log1p(exp(-|x|)))      by tanhOfSoftplusF32
///   log1p(exp(-|x|))                        by log1pOfExpF32
///   y / (1 + exp(x))                        by overOnePlusExpF32
///
/// and erases what is dead then. Returns how many.
int64_t expandComposites(mlir::Operation *root, Contraction contraction);

} // namespace graven::elementary

#endif // GRAVEN_PASSES_MATH_COMPOSITES_H
