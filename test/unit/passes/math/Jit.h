//===- Jit.h - run math ops the way an artifact would -----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares a compiler of one math op to a loop over arrays: through
// graven-expand-math, the LLVM dialect and LLVM's O3 with its vectorizer.
//===----------------------------------------------------------------------===//
#ifndef GRAVEN_TEST_UNIT_PASSES_MATH_JIT_H
#define GRAVEN_TEST_UNIT_PASSES_MATH_JIT_H

#include "llvm/ADT/StringRef.h"

#include <cstdint>
#include <memory>
#include <string>

namespace graven::test {

/// The processor compiled for: x86-64 as of 2003, or this machine's, fused
/// multiply-adds included.
enum class Processor { Baseline, Host };

/// Whether this machine can run code for `processor`'s choices here.
bool canRun(Processor processor);

/// For Loop: formulas of several ops that are expanded as one function.
inline constexpr char kGelu[] = "gelu", kSigmoid[] = "sigmoid",
                      kSoftplusTail[] = "softplus_tail",
                      kTanhOfSoftplus[] = "tanh_of_softplus",
                      kGeluTanh[] = "gelu_tanh", kSilu[] = "silu",
                      kMish[] = "mish", kSoftplus[] = "softplus",
                      kHardSwish[] = "hardswish", kSelu[] = "selu";

/// One compiled loop: y[i] = op(x[i]) or op(x[i], z[i]) over kBatch elements.
class Loop {
public:
  static constexpr int64_t kBatch = 1 << 16;

  /// `op` is an op of the math dialect by name, as in "exp", of `arity` 1 or 2.
  /// Ends the test program when the op does not compile.
  Loop(llvm::StringRef op, unsigned arity, Processor processor);
  ~Loop();

  void operator()(const float *x, float *y) const;
  void operator()(const float *x, const float *z, float *y) const;

  /// Whether the loop stores whole vectors, and what it calls besides
  /// intrinsics ("" when nothing).
  bool isVectorized() const { return vectorized; }
  const std::string &calls() const { return calledFunctions; }

private:
  struct Engine;
  std::unique_ptr<Engine> engine;
  void *entry = nullptr;
  bool vectorized = false;
  std::string calledFunctions;
};

} // namespace graven::test

#endif // GRAVEN_TEST_UNIT_PASSES_MATH_JIT_H
