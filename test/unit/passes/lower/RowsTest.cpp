//===- RowsTest.cpp - softmax and norms against loops -----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file tests the expansion of kernel.softmax and kernel.rownorm.

#include "test/unit/passes/lower/KernelRunner.h"
#include <gtest/gtest.h>
#include <limits>

using namespace graven;
using namespace graven::test;

namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

std::vector<double> softmax(const Array &x, int64_t rows, int64_t n, bool log) {
  std::vector<double> result(x.size());
  for (int64_t r = 0; r < rows; ++r) {
    double most = -kInf, sum = 0;
    bool nan = false;
    for (int64_t i = 0; i < n; ++i) {
      nan |= std::isnan(x[r * n + i]);
      most = std::max(most, double(x[r * n + i]));
    }
    for (int64_t i = 0; i < n; ++i)
      sum += std::exp(x[r * n + i] - most);
    for (int64_t i = 0; i < n; ++i) {
      double value = log ? x[r * n + i] - most - std::log(sum)
                         : std::exp(x[r * n + i] - most) / sum;
      result[r * n + i] = nan ? kNaN : value;
    }
  }
  return result;
}

TEST(Softmax, RowsOfEveryLength) {
  for (const TargetInfo &target : targets())
    for (bool log : {false, true})
      for (int64_t n : {1, 3, 8, 21, 64, 133}) {
        Array x(6 * n, 9), out(6 * n);
        for (int64_t i = 0; i < x.size(); ++i)
          x[i] *= 30.0f;
        // -inf takes no part; a NaN, +inf or nothing but -inf spoils its row.
        if (n > 1)
          x[0] = -kInf;
        x[2 * n + n / 2] = kNaN;
        x[3 * n + n - 1] = kInf;
        for (int64_t i = 0; i < n; ++i)
          x[4 * n + i] = -kInf;
        std::string type = memref({2, 3, n});
        run("func.func @main(%x: " + type + ", %o: " + type +
                ") {\n kernel.softmax ins(%x : " + type + ") outs(%o : " +
                type + ")" + (log ? " {log}" : "") + "\n return\n}\n",
            target, {x.data(), out.data()});
        expectNear(out, softmax(x, 6, n, log), 1e-6,
                   target.name + " softmax of " + std::to_string(n));
      }
}

TEST(RowNorm, LayerAndRms) {
  for (const TargetInfo &target : targets())
    for (bool layer : {true, false})
      for (int params : {0, 1, 2})
        for (int64_t n : {1, 5, 32, 77, 200}) {
          Array x(7 * n, 3), scale(n, 4), bias(n, 5), out(7 * n);
          for (int64_t i = 0; i < x.size(); ++i)
            x[i] += 2.0f;
          std::string type = memref({7, n}), row = memref({n});
          std::string text =
              "func.func @main(%x: " + type + ", %s: " + row + ", %b: " + row +
              ", %o: " + type + ") {\n kernel.rownorm " +
              (layer ? "layer" : "rms") + " ins(%x : " + type + ")";
          if (params == 1)
            text += " params(%s : " + row + ")";
          if (params == 2)
            text += " params(%s, %b : " + row + ", " + row + ")";
          text +=
              " outs(%o : " + type + ") {epsilon = 1.0e-3 : f64}\n return\n}\n";
          run(text, target, {x.data(), scale.data(), bias.data(), out.data()});
          std::vector<double> expected(out.size());
          for (int64_t r = 0; r < 7; ++r) {
            double mean = 0, squares = 0;
            for (int64_t i = 0; layer && i < n; ++i)
              mean += x[r * n + i] / double(n);
            for (int64_t i = 0; i < n; ++i)
              squares += (x[r * n + i] - mean) * (x[r * n + i] - mean) / n;
            for (int64_t i = 0; i < n; ++i) {
              double value = (x[r * n + i] - mean) / std::sqrt(squares + 1e-3);
              value *= params >= 1 ? scale[i] : 1.0;
              expected[r * n + i] = value + (params == 2 ? bias[i] : 0.0);
            }
          }
          expectNear(out, expected, 1e-5,
                     target.name + " rownorm of " + std::to_string(n));
        }
}

} // namespace
