//===- Sampler.h - what a graph computes, and how surely ------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the evaluation of a graph while it is drawn. Beside its
// value, each Value has samples that rounding, as compiled code may round,
// could have given: where they differ by more than a fraction of what a
// comparison allows, the draw is ill-conditioned and no test.
//===----------------------------------------------------------------------===//

#ifndef GRAVEN_TEST_FUZZ_RANDOM_SAMPLER_H
#define GRAVEN_TEST_FUZZ_RANDOM_SAMPLER_H

#include "dialects/graven/Graven.h"
#include <array>
#include <random>

namespace graven::fuzz {

/// The first is the value; the others were disturbed at every Node before.
inline constexpr size_t sampleCount = 4;
using Samples = std::array<eval::Tensor, sampleCount>;

class Sampler {
public:
  explicit Sampler(uint64_t seed) : random(seed) {}

  /// Gives the results of a Node their samples; fails where the evaluator does.
  mlir::LogicalResult run(mlir::Operation *node);

  const Samples &operator[](mlir::Value value) const {
    return known.find(value)->second;
  }
  /// The value and nothing but it.
  const eval::Tensor &exact(mlir::Value value) const {
    return (*this)[value].front();
  }
  void set(mlir::Value value, const eval::Tensor &tensor) {
    known[value].fill(tensor);
  }
  void copy(mlir::Value from, mlir::Value to) {
    Samples samples = (*this)[from];
    known[to] = std::move(samples);
  }

  /// Whether rounding can make no difference that a comparison would see.
  bool isSure(mlir::Value value) const;

private:
  using Tensors = llvm::SmallVector<eval::Tensor>;
  mlir::FailureOr<Tensors> runNode(mlir::Operation *node, size_t sample);
  mlir::FailureOr<Tensors> runBlock(mlir::Block &block,
                                    llvm::ArrayRef<eval::Tensor> arguments,
                                    size_t sample);
  mlir::FailureOr<Tensors> runLoop(LoopOp loop, llvm::ArrayRef<eval::Tensor>,
                                   size_t sample);
  eval::Tensor disturb(const eval::Tensor &tensor);
  /// Zeros with either sign.
  eval::Tensor disturbZeros(const eval::Tensor &tensor);

  std::mt19937_64 random;
  llvm::DenseMap<mlir::Value, Samples> known;
};

} // namespace graven::fuzz

#endif // GRAVEN_TEST_FUZZ_RANDOM_SAMPLER_H
