//===- ExpandedKernelsTest.cpp - kernels through the target -----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file tests the border between the loops phase and this target: kernels
// on buffers are outlined, expanded and compiled, and the artifact's numbers
// compared with loops written here, on one thread and in the caller's pieces.
//===----------------------------------------------------------------------===//
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Pass/PassManager.h"
#include "passes/lower/Passes.h"
#include "passes/lower/expand/Tiles.h"
#include "passes/math/Passes.h"
#include "test/unit/compiler/targets/cpu/TestModels.h"
#include <cmath>
#include <cstring>

using namespace graven::cpu;
using namespace graven::cpu::test;

namespace {

constexpr int64_t rows = 37, columns = 100, depth = 65;

class ExpandedKernelsTest : public CpuTargetTest {
protected:
  ExpandedKernelsTest()
      : a(rows * depth), b(depth * columns), expected(rows * columns) {
    context.loadDialect<mlir::affine::AffineDialect,
                        mlir::linalg::LinalgDialect>();
    for (size_t i = 0; i < a.size(); ++i)
      a[i] = std::sin(float(i));
    for (size_t i = 0; i < b.size(); ++i)
      b[i] = std::cos(float(i) * 0.7f);
    for (int64_t m = 0; m < rows; ++m)
      for (int64_t n = 0; n < columns; ++n) {
        double sum = 0;
        for (int64_t k = 0; k < depth; ++k)
          sum += double(a[m * depth + k]) * b[k * columns + n];
        expected[m * columns + n] = std::tanh(sum);
      }
  }

  /// tanh(a * w) with packed weights: a gemm into the workspace, then an
  /// elementwise kernel.
  std::string source(const graven::expand::GemmTile &tile, int64_t panels) {
    std::string a = memref({1, rows, depth}), c = memref({1, rows, columns});
    std::string w = memref({1, panels, depth, tile.nr});
    std::string workspace = memrefOfBytes(rows * columns * 4);
    std::string weights = memrefOfBytes(panels * depth * tile.nr * 4);
    return "func.func @forward(%a: " + a + ", %y: " + c +
           ", %ws: " + workspace + ", %weights: " + weights +
           ") attributes {graven.num_inputs = 1 : i64, graven.num_outputs = 1 "
           ": i64} {\n  %c0 = arith.constant 0 : index\n  %t = memref.view "
           "%ws[%c0][] : " +
           workspace + " to " + c +
           "\n  %w = memref.view %weights[%c0][] : " + weights + " to " + w +
           "\n  kernel.gemm ins(%a, %w : " + a + ", " + w + ") outs(%t : " + c +
           ") attributes {mr = " + std::to_string(tile.mr) +
           " : i64, kc = " + std::to_string(tile.kc) +
           " : i64}\n  linalg.generic {indexing_maps = [affine_map<(i, j, k) "
           "-> (i, j, k)>, affine_map<(i, j, k) -> (i, j, k)>], "
           "iterator_types = [\"parallel\", \"parallel\", \"parallel\"]} "
           "ins(%t : " +
           c + ") outs(%y : " + c +
           ") {\n  ^bb0(%v: f32, %o: f32):\n    %r = math.tanh %v : f32\n    "
           "linalg.yield %r : f32\n  }\n  return\n}\n";
  }
  static std::string memref(std::vector<int64_t> shape) {
    std::string text = "memref<";
    for (int64_t extent : shape)
      text += std::to_string(extent) + "x";
    return text + "f32>";
  }
  static std::string memrefOfBytes(int64_t size) {
    return "memref<" + std::to_string(size) + "xi8>";
  }

  std::vector<float> a, b;
  std::vector<double> expected;
};

/// Runs the tasks in three uneven pieces, the last one first.
void runInPieces(void *, int64_t count, void (*body)(void *, int64_t, int64_t),
                 void *args) {
  if (!body)
    return;
  int64_t third = count / 3, most = count - count / 4;
  body(args, most, count);
  body(args, third, most);
  body(args, 0, third);
}

} // namespace

TEST_F(ExpandedKernelsTest, gemmAndElementwise) {
  EmitOptions options;
  options.target = target();
  const graven::TargetInfo &info = options.target.info;
  auto tile = graven::expand::chooseGemmTile(info, rows, columns, depth);
  int64_t panels = (columns + tile.nr - 1) / tile.nr;
  auto module = parse(source(tile, panels));
  ASSERT_TRUE(module) << errors;
  mlir::PassManager pm(&context);
  pm.addPass(graven::createOutlineKernels());
  pm.addNestedPass<mlir::func::FuncOp>(graven::createExpandKernels(info));
  graven::ExpandMathOptions math;
  math.fma = info.hasFMA;
  math.rounding = !info.hasFMA;
  pm.addPass(graven::createExpandMath(math));
  ASSERT_TRUE(succeeded(pm.run(*module))) << errors;

  ModelSignature signature;
  signature.name = "gemm";
  signature.inputs = {tensor("a", {1, rows, depth})};
  signature.outputs = {tensor("y", {1, rows, columns})};
  signature.workspaceSize = rows * columns * 4;
  signature.weightsSize = panels * depth * tile.nr * 4;
  auto artifact = emitArtifact(*module, signature, options, path("gemm.so"));
  ASSERT_TRUE(succeeded(artifact)) << errors;
  std::vector<float> packed(panels * depth * tile.nr);
  for (int64_t p = 0; p < panels; ++p)
    for (int64_t k = 0; k < depth; ++k)
      for (int64_t n = 0; n < tile.nr; ++n) {
        int64_t column = p * tile.nr + n;
        packed[(p * depth + k) * tile.nr + n] =
            column < columns ? b[k * columns + column] : 0;
      }
  ASSERT_FALSE(artifact->writeWeights(0, bytesOf(packed)));
  ASSERT_TRUE(succeeded(artifact->commit()));

  Loaded loaded(path("gemm.so"));
  ASSERT_TRUE(loaded.model()) << loaded.error;
  std::vector<float> one(rows * columns), pieces(rows * columns);
  std::vector<char> memory(signature.workspaceSize + 64);
  void *workspace = memory.data() + 64 - uintptr_t(memory.data()) % 64;
  void *inputs[] = {a.data()}, *outputs[] = {one.data()};
  EXPECT_EQ(loaded.call(inputs, outputs, workspace, nullptr), 0);
  for (size_t i = 0; i < one.size(); ++i)
    ASSERT_NEAR(one[i], expected[i], 1e-5) << i;

  GravenParallel parallel = {nullptr, 3, runInPieces};
  outputs[0] = pieces.data();
  EXPECT_EQ(loaded.call(inputs, outputs, workspace, &parallel), 0);
  EXPECT_EQ(0, memcmp(one.data(), pieces.data(), one.size() * sizeof(float)))
      << "results depend on how tasks are split";
}
