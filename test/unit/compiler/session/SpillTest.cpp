//===- SpillTest.cpp - innermost loops stay in registers --------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file tests that contraction kernels of the sizes that networks have keep
// their register tiles in registers: hardly an instruction of their innermost
// loops is a store to the stack or a load from it, on any of the targets. A
// tile that is one register too large costs half of the speed and changes no
// result, so no other test would see it.
//===----------------------------------------------------------------------===//
#include "compiler/session/Session.h"
#include "mlir/IR/Diagnostics.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MemoryBuffer.h"
#include <gtest/gtest.h>

using namespace graven;

namespace {

/// LLVM moves the loads of neighbouring steps together, which takes two or four
/// registers from a tile: that costs little. A tile that does not fit goes to
/// the stack in every step.
constexpr unsigned leastPerSpill = 16;

/// A model of one contraction.
struct SpillCase {
  std::string name, text;
};

/// @forward of x : `x` and a weight : `w` that gives %1 : `y`, computed by
/// `body` from %x and %w.
std::string modelOf(const std::string &x, const std::string &w,
                    const std::string &y, const std::string &body) {
  return llvm::formatv("graven.param @w : {1} = dense<0.01> : {1}\n"
                       "graven.graph @forward(%x: {0} {{graven.name = \"x\"}) "
                       "-> ({2} {{graven.name = \"y\"}) {{\n"
                       "  %w = graven.get_param @w : {1}\n"
                       "  %0 = {3} : ({0}, {1}) -> {2}\n"
                       "  %1 = graven.relu %0 : {2}\n"
                       "  graven.return %1 : {2}\n}\n",
                       x, w, y, body);
}

SpillCase conv(int64_t in, int64_t out, int64_t size, int64_t kernel,
               int64_t stride, int64_t groups = 1) {
  int64_t pad = kernel / 2, after = (size + 2 * pad - kernel) / stride + 1;
  return {llvm::formatv("conv {0}->{1} {2}x{2} k{3} s{4} g{5}", in, out, size,
                        kernel, stride, groups),
          modelOf(llvm::formatv("tensor<1x{0}x{1}x{1}xf32>", in, size),
                  llvm::formatv("tensor<{0}x{1}x{2}x{2}xf32>", out, in / groups,
                                kernel),
                  llvm::formatv("tensor<1x{0}x{1}x{1}xf32>", out, after),
                  llvm::formatv("graven.conv %x, %w strides [{0}, {0}] "
                                "dilations [1, 1] pads [{1}, {1}, {1}, {1}] "
                                "groups {2}",
                                stride, pad, groups))};
}

SpillCase matmul(int64_t m, int64_t n, int64_t k) {
  return {llvm::formatv("matmul {0}x{1}x{2}", m, n, k),
          modelOf(llvm::formatv("tensor<{0}x{1}xf32>", m, k),
                  llvm::formatv("tensor<{0}x{1}xf32>", k, n),
                  llvm::formatv("tensor<{0}x{1}xf32>", m, n),
                  "graven.matmul %x, %w")};
}

struct Target {
  const char *cpu;
  Precision precision = Precision::F32;
};

class SpillTest : public testing::TestWithParam<Target> {
protected:
  SpillTest() {
    llvm::SmallString<128> made;
    EXPECT_FALSE(llvm::sys::fs::createUniqueDirectory("graven-spill", made));
    folder = made.str().str();
  }
  ~SpillTest() override { llvm::sys::fs::remove_directories(folder); }

  void checkSpills(const SpillCase &model) {
    SCOPED_TRACE(model.name);
    Session session;
    std::string errors;
    mlir::ScopedDiagnosticHandler handler(&session.getContext(),
                                          [&](mlir::Diagnostic &diagnostic) {
                                            errors += diagnostic.str() + "\n";
                                          });
    auto module = session.importBuffer(
        llvm::MemoryBuffer::getMemBufferCopy(model.text, "model.mlir"), "", {});
    ASSERT_TRUE(mlir::succeeded(module)) << errors << model.text;
    CompileOptions options;
    options.cpu = GetParam().cpu;
    options.precision = GetParam().precision;
    options.tuningFile = "";
    // Direct products: those of fewer multiplications have tests of their own.
    options.numerics = Numerics::Strict;
    llvm::SmallVector<cpu::LaunchInfo> launches;
    llvm::SmallVector<cpu::FunctionReport> reports;
    options.launches = &launches;
    options.reports = &reports;
    ASSERT_TRUE(
        mlir::succeeded(session.compile(**module, options, folder + "/m.so")))
        << errors;
    int checked = 0;
    for (const cpu::LaunchInfo &launch : launches) {
      if (launch.multiplyAdds == 0)
        continue;
      for (const cpu::FunctionReport &report : reports)
        if (report.name == launch.function) {
          EXPECT_LE(report.innermostSpills * leastPerSpill,
                    report.innermostSize)
              << launch.kind << " " << report.name;
          ++checked;
        }
    }
    EXPECT_GE(checked, 1);
  }

  std::string folder;
};

std::string nameOf(const testing::TestParamInfo<Target> &info) {
  std::string name = info.param.cpu;
  llvm::replace(name, '-', '_');
  return name + (info.param.precision == Precision::BF16 ? "_bf16" : "");
}

/// Pairs of bf16 where the target multiplies them, and where it does not.
constexpr Target kPairs{"znver5", Precision::BF16},
    kWidened{"x86-64-v3", Precision::BF16};

} // namespace

TEST_P(SpillTest, matmulStaysInRegisters) {
  checkSpills(matmul(128, 768, 768));
  checkSpills(matmul(128, 768, 3072));
  checkSpills(matmul(197, 3072, 768));
  checkSpills(matmul(1, 1000, 2048));
  checkSpills(matmul(64, 10, 128));
  // The last panel has one vector, and tiles of as many rows as fit.
  checkSpills(matmul(64, 50257, 128));
  checkSpills(matmul(98, 768, 768));
}

TEST_P(SpillTest, convolutionStaysInRegisters) {
  checkSpills(conv(3, 64, 224, 7, 2));
  checkSpills(conv(3, 16, 224, 3, 2));
  checkSpills(conv(64, 64, 56, 1, 1));
  checkSpills(conv(64, 64, 56, 3, 1));
  checkSpills(conv(40, 120, 28, 1, 1));
  checkSpills(conv(112, 672, 14, 1, 1));
  checkSpills(conv(256, 512, 28, 1, 2));
  checkSpills(conv(512, 512, 7, 3, 1));
  checkSpills(conv(128, 128, 28, 3, 1, 32));
}

TEST_P(SpillTest, depthwiseStaysInRegisters) {
  checkSpills(conv(16, 16, 112, 3, 1, 16));
  checkSpills(conv(72, 72, 56, 5, 2, 72));
  checkSpills(conv(120, 120, 28, 5, 1, 120));
  checkSpills(conv(240, 240, 28, 3, 2, 240));
  checkSpills(conv(960, 960, 7, 5, 1, 960));
}

INSTANTIATE_TEST_SUITE_P(Targets, SpillTest,
                         testing::Values(Target{"znver5"}, Target{"x86-64-v3"},
                                         Target{"x86-64-v2"},
                                         Target{"neoverse-n1"}, kPairs,
                                         kWidened),
                         nameOf);
