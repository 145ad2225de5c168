//===- ContractTest.cpp - gemm and pack against loops -----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file tests the expansion of kernel.gemm and kernel.pack: every tail in
// every axis, every kind of epilogue operand, on each target's tiles.

#include "passes/lower/expand/Tiles.h"
#include "test/unit/passes/lower/KernelRunner.h"
#include <gtest/gtest.h>

using namespace graven;
using namespace graven::test;

namespace {

struct GemmCase {
  int64_t batch, m, n, k, batchB;
  int64_t kc = 0;
  bool epilogue = false;
};

int64_t panelsOf(int64_t n, int64_t width) { return (n + width - 1) / width; }

/// The panels of b [batch, k, n].
Array pack(const Array &b, int64_t batch, int64_t k, int64_t n, int64_t width) {
  int64_t panels = panelsOf(n, width);
  Array packed(batch * panels * k * width);
  for (int64_t i = 0; i < batch; ++i)
    for (int64_t p = 0; p < panels; ++p)
      for (int64_t r = 0; r < k; ++r)
        for (int64_t c = 0; c < width; ++c) {
          int64_t column = p * width + c;
          packed[((i * panels + p) * k + r) * width + c] =
              column < n ? b[(i * k + r) * n + column] : 0.0f;
        }
  return packed;
}

void checkGemm(const TargetInfo &target, GemmCase c) {
  expand::GemmTile tile = expand::chooseGemmTile(target, c.m, c.n, c.k);
  int64_t kc = c.kc == 0 ? tile.kc : c.kc, panels = panelsOf(c.n, tile.nr);
  Array a(c.batch * c.m * c.k, 1), b(c.batchB * c.k * c.n, 2),
      out(c.batch * c.m * c.n);
  Array residual(out.size(), 3), row(c.n, 4), scalar(1, 5);
  Array packed = pack(b, c.batchB, c.k, c.n, tile.nr);
  std::string ta = memref({c.batch, c.m, c.k}),
              tb = memref({c.batchB, panels, c.k, tile.nr});
  std::string tc = memref({c.batch, c.m, c.n}), tr = memref({c.n});
  std::string text =
      "func.func @main(%a: " + ta + ", %b: " + tb + ", %c: " + tc;
  if (c.epilogue)
    text += ", %r: " + tc + ", %v: " + tr + ", %s: memref<f32>";
  text += ") {\n kernel.gemm ins(%a, %b : " + ta + ", " + tb + ")";
  if (c.epilogue)
    text += " epilogue(%r, %v, %s : " + tc + ", " + tr + ", memref<f32>)";
  text += " outs(%c : " + tc + ") attributes {mr = " + std::to_string(tile.mr) +
          " : i64, kc = " + std::to_string(kc) + " : i64}";
  if (c.epilogue)
    text += R"( {
    ^bb0(%acc: f32, %er: f32, %ev: f32, %es: f32):
      %zero = arith.constant 0.0 : f32
      %0 = arith.addf %acc, %ev : f32
      %1 = arith.addf %0, %er : f32
      %2 = arith.mulf %1, %es : f32
      %3 = arith.cmpf ogt, %2, %zero : f32
      %4 = arith.select %3, %2, %zero : f32
      kernel.yield %4 : f32
    })";
  text += "\n return\n}\n";
  std::vector<void *> arguments{a.data(), packed.data(), out.data()};
  if (c.epilogue)
    arguments.insert(arguments.end(),
                     {residual.data(), row.data(), scalar.data()});
  run(text, target, arguments);

  std::vector<double> expected(out.size());
  for (int64_t i = 0; i < c.batch; ++i)
    for (int64_t m = 0; m < c.m; ++m)
      for (int64_t n = 0; n < c.n; ++n) {
        double sum = 0;
        for (int64_t k = 0; k < c.k; ++k)
          sum += double(a[(i * c.m + m) * c.k + k]) *
                 b[((c.batchB == 1 ? 0 : i) * c.k + k) * c.n + n];
        int64_t index = (i * c.m + m) * c.n + n;
        if (c.epilogue)
          sum = std::max(0.0, (sum + row[n] + residual[index]) * scalar[0]);
        expected[index] = sum;
      }
  expectNear(out, expected, 1e-5,
             target.name + " gemm " + std::to_string(c.batch) + "x" +
                 std::to_string(c.m) + "x" + std::to_string(c.n) + "x" +
                 std::to_string(c.k));
}

TEST(Gemm, TailsInEveryAxis) {
  for (const TargetInfo &target : targets())
    for (GemmCase c : {GemmCase{1, 1, 1, 1, 1}, GemmCase{1, 1, 100, 37, 1},
                       GemmCase{1, 2, 10, 64, 1}, GemmCase{1, 3, 33, 8, 1},
                       GemmCase{1, 5, 48, 3, 1}, GemmCase{1, 13, 17, 30, 1},
                       GemmCase{1, 29, 65, 129, 1}, GemmCase{1, 100, 96, 50, 1},
                       GemmCase{1, 6, 7, 1024, 1}})
      checkGemm(target, c);
}

TEST(Gemm, Batches) {
  for (const TargetInfo &target : targets())
    for (GemmCase c : {GemmCase{3, 7, 20, 9, 3}, GemmCase{3, 7, 20, 9, 1},
                       GemmCase{2, 40, 64, 16, 2}})
      checkGemm(target, c);
}

TEST(Gemm, AddsUpBlocksOfK) {
  for (const TargetInfo &target : targets())
    for (int64_t kc : {8, 16, 40, 1000})
      checkGemm(target, {1, 15, 37, 45, 1, kc, true});
}

TEST(Gemm, Epilogue) {
  for (const TargetInfo &target : targets())
    for (GemmCase c : {GemmCase{2, 1, 70, 11, 1, 0, true},
                       GemmCase{1, 31, 50, 20, 1, 0, true}})
      checkGemm(target, c);
}

/// The residual and the output are one buffer; blocks of k must not overwrite
/// it.
TEST(Gemm, ResidualInPlace) {
  for (const TargetInfo &target : targets()) {
    expand::GemmTile tile = expand::chooseGemmTile(target, 9, 20, 40);
    Array a(9 * 40, 1), b(40 * 20, 2), out(9 * 20, 3);
    Array packed = pack(b, 1, 40, 20, tile.nr);
    std::vector<double> expected(out.size());
    for (int64_t m = 0; m < 9; ++m)
      for (int64_t n = 0; n < 20; ++n) {
        double sum = out[m * 20 + n];
        for (int64_t k = 0; k < 40; ++k)
          sum += double(a[m * 40 + k]) * b[k * 20 + n];
        expected[m * 20 + n] = sum;
      }
    std::string tb = memref({1, panelsOf(20, tile.nr), 40, tile.nr});
    run("func.func @main(%a: memref<1x9x40xf32>, %b: " + tb +
            R"(, %c: memref<1x9x20xf32>) {
      kernel.gemm ins(%a, %b : memref<1x9x40xf32>, )" +
            tb + R"() epilogue(%c : memref<1x9x20xf32>)
        outs(%c : memref<1x9x20xf32>) attributes {mr = 4 : i64, kc = 8 : i64} {
      ^bb0(%acc: f32, %r: f32):
        %0 = arith.addf %acc, %r : f32
        kernel.yield %0 : f32
      }
      return
    })",
        target, {a.data(), packed.data(), out.data()});
    expectNear(out, expected, 1e-5, target.name + " gemm in place");
  }
}

/// Rows of a view: a is every second row of a wider matrix.
TEST(Gemm, StridedLeftHandSide) {
  for (const TargetInfo &target : targets()) {
    expand::GemmTile tile = expand::chooseGemmTile(target, 5, 12, 6);
    Array a(10 * 8, 1), b(6 * 12, 2), out(5 * 12);
    Array packed = pack(b, 1, 6, 12, tile.nr);
    std::string tb = memref({1, panelsOf(12, tile.nr), 6, tile.nr});
    std::string view = "memref<1x5x6xf32, strided<[80, 16, 1], offset: 1>>";
    run("func.func @main(%w: memref<1x10x8xf32>, %b: " + tb +
            R"(, %c: memref<1x5x12xf32>) {
      %a = memref.subview %w[0, 0, 1] [1, 5, 6] [1, 2, 1] : memref<1x10x8xf32> to )" +
            view + R"(
      kernel.gemm ins(%a, %b : )" +
            view + ", " + tb +
            R"() outs(%c : memref<1x5x12xf32>) attributes {mr = 4 : i64, kc = 0 : i64}
      return
    })",
        target, {a.data(), packed.data(), out.data()});
    std::vector<double> expected(out.size());
    for (int64_t m = 0; m < 5; ++m)
      for (int64_t n = 0; n < 12; ++n)
        for (int64_t k = 0; k < 6; ++k)
          expected[m * 12 + n] += double(a[2 * m * 8 + 1 + k]) * b[k * 12 + n];
    expectNear(out, expected, 1e-5, target.name + " gemm of a view");
  }
}

TEST(Pack, RowsAndColumns) {
  for (const TargetInfo &target : targets())
    for (bool transposed : {false, true})
      for (auto [k, n] : {std::pair<int64_t, int64_t>{1, 1},
                          {5, 40},
                          {37, 17},
                          {16, 32},
                          {64, 50}}) {
        int64_t width = 2 * target.lanes(4), panels = panelsOf(n, width);
        Array b(2 * k * n, 7), x(2 * k * n), out(2 * panels * k * width);
        for (int64_t i = 0; i < 2; ++i)
          for (int64_t r = 0; r < k; ++r)
            for (int64_t c = 0; c < n; ++c)
              x[transposed ? (i * n + c) * k + r : (i * k + r) * n + c] =
                  b[(i * k + r) * n + c];
        std::string tx = transposed ? memref({2, n, k}) : memref({2, k, n});
        std::string to = memref({2, panels, k, width});
        run("func.func @main(%x: " + tx + ", %o: " + to +
                ") {\n kernel.pack ins(%x : " + tx + ") outs(%o : " + to + ")" +
                (transposed ? " {transposed}" : "") + "\n return\n}\n",
            target, {x.data(), out.data()});
        Array packed = pack(b, 2, k, n, width);
        expectNear(
            out,
            std::vector<double>(packed.data(), packed.data() + packed.size()),
            0.0, target.name + (transposed ? " pack transposed" : " pack"));
      }
}

} // namespace
