//===- KernelRunner.h - compile and run kernels -----------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the compiler of kernels on memrefs for tests: outline,
// expand, lower, and run in process, and the arrays and the comparison they
// need.

#ifndef GRAVEN_TEST_UNIT_PASSES_LOWER_KERNELRUNNER_H
#define GRAVEN_TEST_UNIT_PASSES_LOWER_KERNELRUNNER_H

#include "passes/lower/TargetInfo.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include <cmath>
#include <functional>
#include <string>
#include <vector>

namespace graven::test {

/// The machines whose tiles are tested; vectors wider than the host's are
/// split.
std::vector<TargetInfo> targets();

/// "memref<2x3xf32>"
std::string memref(llvm::ArrayRef<int64_t> shape,
                   llvm::StringRef element = "f32");

/// "[1, 2]" for an attribute
std::string list(llvm::ArrayRef<int64_t> values);

/// Runs the function @main of `text`, each of whose arguments is a memref. The
/// units of work of every kernel run in three pieces, the last one first. Ends
/// the test program when the text does not compile.
void run(const std::string &text, const TargetInfo &target,
         llvm::ArrayRef<void *> arguments);

/// Elements with memory around them that must keep its value.
class Array {
public:
  explicit Array(int64_t size);
  /// Numbers in [-1, 1] that depend on `seed` only.
  Array(int64_t size, unsigned seed);

  float *data() { return values.data() + kMargin; }
  const float *data() const { return values.data() + kMargin; }
  float &operator[](int64_t i) { return data()[i]; }
  float operator[](int64_t i) const { return data()[i]; }
  int64_t size() const { return int64_t(values.size()) - 2 * kMargin; }
  bool marginIntact() const;

private:
  static constexpr int64_t kMargin = 64;
  std::vector<float> values;
};

/// a / b rounded up
inline int64_t up(int64_t a, int64_t b) { return (a + b - 1) / b; }

/// Planar [n, c, h, w] to blocked; lanes without a channel are `fill`.
Array block(const Array &planar, int64_t n, int64_t c, int64_t h, int64_t w,
            float fill);
/// Back, and expects that nothing beside the array was written.
Array unblock(const Array &blocked, int64_t n, int64_t c, int64_t h, int64_t w);

/// Expects that of a blocked array made without a seed, whose last block ends
/// with channel `c`, no vector of `lanes` that has no channel was written.
void expectNoPaddingWritten(const Array &blocked, int64_t n, int64_t c,
                            int64_t h, int64_t w, int64_t lanes,
                            const std::string &what);

/// Expects values within `tolerance` times the largest `scale` of them.
void expectNear(const Array &got, llvm::ArrayRef<double> expected,
                double tolerance, const std::string &what);

} // namespace graven::test

#endif // GRAVEN_TEST_UNIT_PASSES_LOWER_KERNELRUNNER_H
