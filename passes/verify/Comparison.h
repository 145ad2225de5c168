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
#include <array>
#include <random>

namespace graven {

/// Floats in [-2, 2], whose squares and exponentials stay small; integers in
/// [least, least + 1], which let a loop run, are indices of short axes, and
/// bools of either value where `least` is 0.
eval::Tensor randomTensor(mlir::RankedTensorType type, std::mt19937 &random,
                          int64_t least = 1);

/// Inputs of the Graph; symbols of extents are 3, and so are extents without
/// one that are not known.
llvm::SmallVector<eval::Tensor>
randomInputs(GraphOp graph, std::mt19937 &random, int64_t least = 1);

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

/// How far a tensor is from the expected one of the same type.
struct Errors {
  /// Elements by their distance in parts of the greatest expected magnitude:
  /// equal, below 1e-8, below 1e-7, ..., below 1e-1, more, and those that are
  /// not finite in one tensor only, or infinite of another sign.
  static constexpr size_t bins = 11;
  std::array<int64_t, bins> histogram = {};
  /// The greatest distance, where it is, and the greatest finite magnitude of
  /// what was expected.
  double greatest = 0, scale = 0;
  int64_t worst = -1;

  int64_t numNotFinite() const { return histogram.back(); }
  /// The greatest distance in parts of the scale; infinite where an element is
  /// not finite in one tensor only.
  double relative() const;
};
Errors errorsOf(const eval::Tensor &expected, const eval::Tensor &got);

/// The label of a bin of the histogram.
llvm::StringRef binName(size_t bin);

/// How far a result of a whole model may be off, in parts of the greatest
/// element of its tensor, by rounding in other orders; 0 for integers.
double usualTolerance(mlir::Type elementType);

} // namespace graven

#endif // GRAVEN_PASSES_VERIFY_COMPARISON_H
