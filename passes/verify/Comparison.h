//===- Comparison.h - what two Graphs compute -------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares random inputs for Graphs, and the comparison of what they
// give in the reference evaluator.
//===----------------------------------------------------------------------===//

#ifndef GRAVEN_PASSES_VERIFY_COMPARISON_H
#define GRAVEN_PASSES_VERIFY_COMPARISON_H

#include "dialects/graven/Graven.h"
#include "mlir/IR/BuiltinOps.h"
#include <random>

namespace graven {

/// Floats in [-2, 2], whose squares and exponentials stay small; integers in
/// [least, least + 1], which let a loop run, are indices of short axes, and
/// bools of either value where `least` is 0.
eval::Tensor randomTensor(mlir::RankedTensorType type, std::mt19937 &random,
                          int64_t least = 1);

/// Inputs of these types; extents that are not known are 3.
llvm::SmallVector<eval::Tensor>
randomInputs(mlir::TypeRange types, std::mt19937 &random, int64_t least = 1);

/// |a - b| <= absolute + relative * max(|a|, |b|).
struct Tolerance {
  double relative, absolute;
};

/// What a rewrite may change by rounding in another order, by element type:
/// some units of f32 and f64, one of bf16 and f16, none of integers.
Tolerance toleranceOf(mlir::Type elementType);

/// How two tensors differ, as the end of a sentence; nullopt when they agree.
std::optional<std::string> differenceOf(const eval::Tensor &before,
                                        const eval::Tensor &after,
                                        std::optional<Tolerance> tolerance);

} // namespace graven

#endif // GRAVEN_PASSES_VERIFY_COMPARISON_H
