//===- StrassenTest.cpp - strassen against loops ----------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file tests kernel.strassen, split and expanded: odd numbers of rows,
// depths that fill no block or several chains, blocks of rows, and epilogues.

#include "dialects/graven/Strassen.h"
#include "dialects/kernel/StageShapes.h"
#include "passes/lower/expand/Tiles.h"
#include "test/unit/passes/lower/KernelRunner.h"
#include <gtest/gtest.h>

using namespace graven;
using namespace graven::test;

namespace {

struct StrassenCase {
  int64_t m, k, n;
  /// Rows of a block; 0: the target's choice.
  int64_t block = 0;
  bool epilogue = false;
};

Array combineRight(const Array &b, const kernel::StrassenShape &shape) {
  int64_t half = shape.depth / 2, halfColumns = shape.halfColumns(), at = 0;
  Array packed(shape.panels() * 7 * half * shape.panel);
  for (int64_t p = 0; p < shape.panels(); ++p)
    for (int64_t point = 0; point < 7; ++point)
      for (int64_t k = 0; k < half; ++k)
        for (int64_t lane = 0; lane < shape.panel; ++lane, ++at) {
          double sum = 0;
          for (int64_t q = 0; q < 4; ++q) {
            int64_t column = p * shape.panel + lane + q % 2 * halfColumns;
            if (column < shape.columns)
              sum += kStrassenRight[4 * point + q] *
                     b[(k + q / 2 * half) * shape.columns + column];
          }
          packed[at] = static_cast<float>(sum);
        }
  return packed;
}

void checkStrassen(const TargetInfo &target, StrassenCase c) {
  kernel::StrassenShape shape(c.m, c.k, c.n, 1);
  expand::StrassenTile tile =
      expand::chooseStrassenTile(target, shape.halfRows(), up(c.n, 2));
  shape.panel = tile.columns;
  shape.block = c.block > 0 ? c.block : tile.block;
  Array a(c.m * c.k, 1), b(c.k * c.n, 2), bias(c.n, 3), residual(c.m * c.n, 4);
  std::vector<double> expected(c.m * c.n);
  for (int64_t i = 0; i < c.m; ++i)
    for (int64_t j = 0; j < c.n; ++j) {
      double &sum = expected[i * c.n + j];
      for (int64_t k = 0; k < c.k; ++k)
        sum += double(a[i * c.k + k]) * b[k * c.n + j];
      if (c.epilogue)
        sum = std::max(0.0, sum + bias[j] + residual[i * c.n + j]);
    }
  Array packed = combineRight(b, shape), out(c.m * c.n),
        scratch(shape.products().scratchSize());
  std::string ta = memref({1, c.m, c.k}),
              tb = memref({shape.panels(), 7, c.k / 2, shape.panel}),
              to = memref({1, c.m, c.n}), ts = memref({scratch.size()});
  std::string text = "func.func @main(%a: " + ta + ", %b: " + tb +
                     ", %o: " + to + ", %s: " + ts;
  if (c.epilogue)
    text += ", %c: " + memref({c.n}) + ", %r: " + to;
  text += ") {\n kernel.strassen ins(%a, %b : " + ta + ", " + tb + ")";
  if (c.epilogue)
    text += " epilogue(%c, %r : " + memref({c.n}) + ", " + to + ")";
  text += " outs(%o, %s : " + to + ", " + ts +
          ") attributes {block = " + std::to_string(shape.block) +
          " : i64, mr = " + std::to_string(tile.mr) + " : i64}";
  if (c.epilogue)
    text += R"( {
    ^bb0(%acc: f32, %eb: f32, %er: f32):
      %zero = arith.constant 0.0 : f32
      %0 = arith.addf %acc, %eb : f32
      %1 = arith.addf %0, %er : f32
      %2 = arith.maximumf %1, %zero : f32
      kernel.yield %2 : f32
    })";
  text += "\n return\n}\n";
  std::vector<void *> arguments{a.data(), packed.data(), out.data(),
                                scratch.data()};
  if (c.epilogue)
    arguments.insert(arguments.end(), {bias.data(), residual.data()});
  run(text, target, arguments);
  EXPECT_TRUE(out.marginIntact() && scratch.marginIntact());
  expectNear(out, expected, 1e-5,
             target.name + " strassen " + std::to_string(c.m) + "x" +
                 std::to_string(c.k) + "x" + std::to_string(c.n));
}

void checkAll(StrassenCase c) {
  for (const TargetInfo &target : targets())
    checkStrassen(target, c);
}

TEST(Strassen, Rows) {
  for (int64_t m : {1, 2, 16, 33})
    checkAll({.m = m, .k = 32, .n = 64});
}

TEST(Strassen, Depths) {
  for (int64_t k : {2, 34, 60, 1700})
    checkAll({.m = 6, .k = k, .n = 64});
}

// The right quadrants end in any column, in the last panel or before it.
TEST(Strassen, Columns) {
  for (int64_t n : {33, 65, 95, 97, 113, 161})
    checkAll({.m = 5, .k = 16, .n = n});
  checkAll({.m = 13, .k = 40, .n = 161, .block = 3, .epilogue = true});
}

TEST(Strassen, BlocksOfRows) {
  for (int64_t m : {26, 27})
    checkAll({.m = m, .k = 48, .n = 128, .block = 5});
}

TEST(Strassen, Epilogue) {
  checkAll({.m = 13, .k = 40, .n = 128, .block = 3, .epilogue = true});
}

} // namespace
