//===- ScanTest.cpp - scans against loops -----------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file tests the expansion of kernel.scan.

#include "test/unit/passes/lower/KernelRunner.h"
#include <gtest/gtest.h>

using namespace graven;
using namespace graven::test;

namespace {

/// A scan of x [rows, extent, columns] by `op`, in IR.
std::string program(const std::string &type, const std::string &element,
                    const std::string &initial, const std::string &op,
                    const std::string &attributes) {
  return "func.func @main(%x: " + type + ", %o: " + type +
         ") {\n kernel.scan ins(%x : " + type + ") outs(%o : " + type +
         ") initial " + initial + " : " + element + attributes +
         " {\n ^bb0(%s: " + element + ", %e: " + element + "):\n %n = arith." +
         op + " %s, %e : " + element + "\n kernel.yield %n : " + element +
         "\n }\n return\n}\n";
}

struct Walk {
  std::string attributes;
  bool exclusive, reverse;
};
const Walk walks[] = {{"", false, false},
                      {" attributes {exclusive}", true, false},
                      {" attributes {reverse}", false, true},
                      {" attributes {exclusive, reverse}", true, true}};

template <class T, class Get, class Combine>
std::vector<T> expected(int64_t rows, int64_t extent, int64_t columns,
                        const Walk &walk, T initial, Get get, Combine combine) {
  std::vector<T> result(rows * extent * columns);
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t c = 0; c < columns; ++c) {
      T state = initial;
      for (int64_t i = 0; i < extent; ++i) {
        int64_t place = walk.reverse ? extent - 1 - i : i;
        int64_t at = (r * extent + place) * columns + c;
        T next = combine(state, get(at));
        result[at] = walk.exclusive ? state : next;
        state = next;
      }
    }
  return result;
}

TEST(Scan, FloatsOfEveryWidth) {
  for (const TargetInfo &target : targets())
    for (const Walk &walk : walks)
      for (int64_t columns : {1, 3, 8, 64, 65, 133}) {
        int64_t rows = columns == 1 ? 9 : 2, extent = 7,
                size = rows * extent * columns;
        Array x(size, 5), out(size);
        run(program(memref({rows, extent, columns}), "f32", "0.0", "addf",
                    walk.attributes),
            target, {x.data(), out.data()});
        std::vector<double> sums = expected<double>(
            rows, extent, columns, walk, 0.0,
            [&](int64_t i) { return double(x[i]); },
            [](double s, double e) { return s + e; });
        expectNear(out, sums, 1e-6,
                   target.name + walk.attributes + " sums of " +
                       std::to_string(columns));
        EXPECT_TRUE(out.marginIntact());
      }
}

template <class T>
void expectGreatest(const TargetInfo &target, const std::string &element,
                    int64_t columns) {
  int64_t rows = 3, extent = 5, size = rows * extent * columns;
  std::vector<T> x(size), out(size + 1, T(77));
  for (int64_t i = 0; i < size; ++i)
    x[i] = T(i * 37 % 101 - 50);
  for (const Walk &walk : walks) {
    run(program(memref({rows, extent, columns}, element), element, "-100",
                "maxsi", walk.attributes),
        target, {x.data(), out.data()});
    std::vector<T> greatest = expected<T>(
        rows, extent, columns, walk, T(-100), [&](int64_t i) { return x[i]; },
        [](T s, T e) { return std::max(s, e); });
    EXPECT_EQ(std::vector<T>(out.begin(), out.end() - 1), greatest)
        << target.name << " " << element << walk.attributes << " " << columns;
    EXPECT_EQ(out.back(), T(77));
  }
}

TEST(Scan, IntsOfEveryType) {
  for (const TargetInfo &target : targets())
    for (int64_t columns : {1, 5, 70}) {
      expectGreatest<int8_t>(target, "i8", columns);
      expectGreatest<int16_t>(target, "i16", columns);
      expectGreatest<int32_t>(target, "i32", columns);
      expectGreatest<int64_t>(target, "i64", columns);
    }
}

} // namespace
