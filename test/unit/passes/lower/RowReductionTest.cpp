//===- RowReductionTest.cpp - reductions over neighbours --------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file tests reductions of linalg over the innermost axis, in vectors.

#include "test/unit/passes/lower/KernelRunner.h"
#include <cmath>
#include <gtest/gtest.h>
#include <limits>

using namespace graven;
using namespace graven::test;

namespace {

/// Rows whose lanes are combined at the end, of a slice, so that a reduction
/// goes over two loops; a NaN wins, and lanes behind the end count nothing.
TEST(RowReduction, RowsOfNeighbours) {
  for (const TargetInfo &target : targets())
    for (int64_t columns : {7, 8, 15, 16, 17, 49, 64, 130})
      for (const char *op : {"addf", "maximumf", "minimumf"}) {
        bool isSum = op[0] == 'a', isMax = op[1] == 'a' && !isSum;
        Array x(int64_t(3) * 2 * 200, 1), out(3, 2);
        if (!isSum)
          x[2 * 200 + 3] = std::numeric_limits<float>::quiet_NaN();
        std::vector<double> expected(out.data(), out.data() + out.size());
        for (int64_t i = 0; i < 3; ++i)
          for (int64_t j = 0; j < 2 * columns; ++j) {
            double &value = expected[i],
                   next = x[(2 * i + j / columns) * 200 + j % columns];
            if (isSum)
              value += next;
            else if (std::isnan(next) || (isMax ? next > value : next < value))
              value = next;
          }
        std::string from = "memref<3x2x" + std::to_string(columns) +
                           "xf32, strided<[400, 200, 1]>>";
        run("func.func @main(%whole: memref<3x2x200xf32>, %o: memref<3xf32>) "
            "{\n"
            "%x = memref.subview %whole[0, 0, 0] [3, 2, " +
                std::to_string(columns) +
                "] [1, 1, 1] : memref<3x2x200xf32> to " + from +
                "\nlinalg.reduce ins(%x : " + from +
                R"() outs(%o : memref<3xf32>) dimensions = [1, 2]
    (%a: f32, %s: f32) {
      %0 = arith.)" +
                op +
                R"( %s, %a : f32
      linalg.yield %0 : f32
    }
  return
})",
            target, {x.data(), out.data()});
        expectNear(out, expected, 1e-6,
                   target.name + " " + op + " of rows of " +
                       std::to_string(columns));
      }
}

/// A row that is read from its end is no row of neighbours.
TEST(RowReduction, RowsFromTheirEnds) {
  for (const TargetInfo &target : targets()) {
    Array x(int64_t(3) * 49, 1), w(49, 2), out(3);
    std::vector<double> expected(3);
    for (int64_t i = 0; i < 3; ++i) {
      expected[i] = out[i];
      for (int64_t j = 0; j < 49; ++j)
        expected[i] += double(x[i * 49 + 48 - j]) * w[j];
    }
    run(R"(func.func @main(%x: memref<3x49xf32>, %w: memref<49xf32>, %o: memref<3xf32>) {
  linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j * -1 + 48)>, affine_map<(i, j) -> (j)>,
                                   affine_map<(i, j) -> (i)>], iterator_types = ["parallel", "reduction"]}
      ins(%x, %w : memref<3x49xf32>, memref<49xf32>) outs(%o : memref<3xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %0 = arith.mulf %a, %b : f32
    %1 = arith.addf %0, %c : f32
    linalg.yield %1 : f32
  }
  return
})",
        target, {x.data(), w.data(), out.data()});
    expectNear(out, expected, 1e-5, target.name + " rows from their ends");
  }
}

} // namespace
