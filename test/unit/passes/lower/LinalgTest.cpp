//===- LinalgTest.cpp - linalg operations against loops ---------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file tests the expansion of linalg operations and copies: orders of
// loops, broadcasts, reductions over any axis, and maps that are not linear.

#include "test/unit/passes/lower/KernelRunner.h"
#include <array>
#include <gtest/gtest.h>

using namespace graven;
using namespace graven::test;

namespace {

TEST(Linalg, ElementwiseWithBroadcast) {
  for (const TargetInfo &target : targets()) {
    Array x(int64_t(5) * 300 * 40, 1), v(40, 2), out(x.size());
    run(R"(#id = affine_map<(a, b, c) -> (a, b, c)>
#row = affine_map<(a, b, c) -> (c)>
func.func @main(%x: memref<5x300x40xf32>, %v: memref<40xf32>, %o: memref<5x300x40xf32>) {
  linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%x, %v : memref<5x300x40xf32>, memref<40xf32>) outs(%o : memref<5x300x40xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %0 = arith.mulf %a, %b : f32
    linalg.yield %0 : f32
  }
  return
})",
        target, {x.data(), v.data(), out.data()});
    std::vector<double> expected(out.size());
    for (int64_t i = 0; i < out.size(); ++i)
      expected[i] = x[i] * v[i % 40];
    expectNear(out, expected, 1e-7, target.name + " elementwise");
  }
}

TEST(Linalg, RepeatedElements) {
  for (const TargetInfo &target : targets())
    for (int64_t width : {4, 13, 40})
      for (int64_t times : {2, 3, 4}) {
        Array x(int64_t(3) * 7 * width, 1),
            out(int64_t(3) * 7 * 2 * width * times);
        std::string from = memref({3, 7, width}),
                    to = memref({3, 14, width * times});
        run("func.func @main(%x: " + from + ", %o: " + to +
                ") {\n linalg.generic {indexing_maps = [affine_map<(a, b, c) "
                "-> (a, b floordiv 2, c floordiv " +
                std::to_string(times) +
                ")>, affine_map<(a, b, c) -> (a, b, c)>], iterator_types = "
                "[\"parallel\", \"parallel\", \"parallel\"]} ins(%x : " +
                from + ") outs(%o : " + to +
                ") {\n ^bb0(%a: f32, %b: f32):\n %0 = arith.addf %a, %a : f32"
                "\n linalg.yield %0 : f32\n }\n return\n}\n",
            target, {x.data(), out.data()});
        std::vector<double> expected(out.size());
        int64_t wide = width * times;
        for (int64_t i = 0; i < out.size(); ++i)
          expected[i] = 2 * x[(i / wide / 14 * 7 + i / wide % 14 / 2) * width +
                              i % wide / times];
        expectNear(out, expected, 1e-7,
                   target.name + " repeated " + std::to_string(times));
      }
}

TEST(Linalg, LongVectorInPlaceAndFill) {
  for (const TargetInfo &target : targets()) {
    Array x(100003, 1), out(77);
    std::vector<double> expected(x.size());
    for (int64_t i = 0; i < x.size(); ++i)
      expected[i] = x[i] + 0.5f;
    run(R"(#id = affine_map<(a) -> (a)>
func.func @main(%x: memref<100003xf32>, %o: memref<7x11xf32>) {
  %half = arith.constant 0.5 : f32
  linalg.fill ins(%half : f32) outs(%o : memref<7x11xf32>)
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : memref<100003xf32>) outs(%x : memref<100003xf32>) {
  ^bb0(%a: f32, %c: f32):
    %0 = arith.addf %a, %half : f32
    linalg.yield %0 : f32
  }
  return
})",
        target, {x.data(), out.data()});
    expectNear(x, expected, 1e-7, target.name + " in place");
    expectNear(out, std::vector<double>(77, 0.5), 0.0, target.name + " fill");
  }
}

TEST(Linalg, TransposeAndCopy) {
  for (const TargetInfo &target : targets()) {
    Array x(int64_t(6) * 7 * 50, 1), y(x.size()), z(int64_t(6) * 7 * 20);
    run(R"(func.func @main(%x: memref<6x7x50xf32>, %y: memref<50x6x7xf32>, %z: memref<6x7x20xf32>) {
  linalg.transpose ins(%x : memref<6x7x50xf32>) outs(%y : memref<50x6x7xf32>) permutation = [2, 0, 1]
  %s = memref.subview %x[0, 0, 5] [6, 7, 20] [1, 1, 2]
      : memref<6x7x50xf32> to memref<6x7x20xf32, strided<[350, 50, 2], offset: 5>>
  memref.copy %s, %z : memref<6x7x20xf32, strided<[350, 50, 2], offset: 5>> to memref<6x7x20xf32>
  return
})",
        target, {x.data(), y.data(), z.data()});
    std::vector<double> transposed(y.size()), copied(z.size());
    for (int64_t i = 0; i < 42; ++i) {
      for (int64_t j = 0; j < 50; ++j)
        transposed[j * 42 + i] = x[i * 50 + j];
      for (int64_t j = 0; j < 20; ++j)
        copied[i * 20 + j] = x[i * 50 + 5 + 2 * j];
    }
    expectNear(y, transposed, 0.0, target.name + " transpose");
    expectNear(z, copied, 0.0, target.name + " copy");
  }
}

/// Slices that begin where a loop says.
TEST(Linalg, CopyOfMovingSlices) {
  for (const TargetInfo &target : targets()) {
    Array x(int64_t(8) * 30, 1), y(int64_t(8) * 30);
    run(R"(func.func @main(%x: memref<8x30xf32>, %y: memref<8x30xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  scf.for %i = %c0 to %c4 step %c1 {
    %from = memref.subview %x[%i, 3] [2, 20] [4, 1] : memref<8x30xf32> to memref<2x20xf32, strided<[120, 1], offset: ?>>
    %to = memref.subview %y[%i, 5] [2, 20] [4, 1] : memref<8x30xf32> to memref<2x20xf32, strided<[120, 1], offset: ?>>
    memref.copy %from, %to : memref<2x20xf32, strided<[120, 1], offset: ?>> to memref<2x20xf32, strided<[120, 1], offset: ?>>
  }
  return
})",
        target, {x.data(), y.data()});
    std::vector<double> expected(y.size(), -777.0);
    for (int64_t r = 0; r < 8; ++r)
      for (int64_t c = 0; c < 20; ++c)
        expected[r * 30 + 5 + c] = x[r * 30 + 3 + c];
    expectNear(y, expected, 0.0, target.name + " slices");
  }
}

/// The sum over one of three axes, added to what the output holds.
void checkReduce(const TargetInfo &target, std::vector<int64_t> shape,
                 int axis) {
  int64_t outer = 1, inner = 1, extent = shape[axis];
  for (int i = 0; i < 3; ++i)
    (i < axis ? outer : inner) *= i == axis ? 1 : shape[i];
  Array x(outer * extent * inner, 1), out(outer * inner, 2);
  std::vector<double> expected(out.size());
  for (int64_t o = 0; o < outer; ++o)
    for (int64_t i = 0; i < inner; ++i) {
      expected[o * inner + i] = out[o * inner + i];
      for (int64_t r = 0; r < extent; ++r)
        expected[o * inner + i] += x[(o * extent + r) * inner + i];
    }
  const char *dims[] = {"a", "b", "c"};
  std::string kept, iterators;
  std::vector<int64_t> keptShape;
  for (int i = 0; i < 3; ++i) {
    iterators += std::string(i ? ", " : "") +
                 (i == axis ? "\"reduction\"" : "\"parallel\"");
    if (i == axis)
      continue;
    kept += (kept.empty() ? "" : ", ") + std::string(dims[i]);
    keptShape.push_back(shape[i]);
  }
  std::string tx = memref(shape), to = memref(keptShape);
  run("func.func @main(%x: " + tx + ", %o: " + to + ") {\n" +
          "linalg.generic {indexing_maps = [affine_map<(a, b, c) -> (a, b, "
          "c)>, affine_map<(a, b, c) -> (" +
          kept + ")>], iterator_types = [" + iterators + "]} ins(%x : " + tx +
          ") outs(%o : " + to + R"() {
  ^bb0(%a: f32, %c: f32):
    %0 = arith.addf %a, %c : f32
    linalg.yield %0 : f32
  }
  return
})",
      target, {x.data(), out.data()});
  expectNear(out, expected, 1e-5,
             target.name + " reduction over axis " + std::to_string(axis));
}

TEST(Linalg, ReductionOverEachAxis) {
  for (const TargetInfo &target : targets())
    for (int axis : {0, 1, 2})
      for (const std::vector<int64_t> &shape : {std::vector<int64_t>{5, 9, 77},
                                                {40, 3, 1000},
                                                {1, 64, 5},
                                                {2, 1, 3}})
        checkReduce(target, shape, axis);
}

/// Sums of vectors of neighbours: several chains for each, with a rest.
TEST(Linalg, SumsOverAnOuterAxis) {
  for (const TargetInfo &target : targets())
    for (auto [images, rows, columns] :
         {std::array<int64_t, 3>{3, 37, 16},
          {2, 5000, 16},
          {1, 19, 100},
          // Longer than caches: a few rows side by side.
          {1, 1003, 1037},
          {2, 517, 640},
          {1, 300, 2048}}) {
      Array x(images * rows * columns, 1), out(images * columns, 2);
      std::vector<double> expected(out.data(), out.data() + out.size());
      for (int64_t i = 0; i < x.size(); ++i)
        expected[i / (rows * columns) * columns + i % columns] += x[i];
      std::string from = memref({images, rows, columns}),
                  to = memref({images, columns});
      run("func.func @main(%x: " + from + ", %o: " + to + R"() {
  linalg.reduce ins(%x : )" +
              from + ") outs(%o : " + to + R"() dimensions = [1]
    (%a: f32, %s: f32) {
      %0 = arith.addf %s, %a : f32
      linalg.yield %0 : f32
    }
  return
})",
          target, {x.data(), out.data()});
      expectNear(out, expected, 1e-6,
                 target.name + " sums of " + std::to_string(rows));
    }
}

TEST(Linalg, MatmulWithoutPanels) {
  for (const TargetInfo &target : targets()) {
    Array a(int64_t(9) * 20, 1), b(int64_t(20) * 45, 2), out(int64_t(9) * 45);
    run(R"(func.func @main(%a: memref<9x20xf32>, %b: memref<20x45xf32>, %o: memref<9x45xf32>) {
  %zero = arith.constant 0.0 : f32
  linalg.fill ins(%zero : f32) outs(%o : memref<9x45xf32>)
  linalg.matmul ins(%a, %b : memref<9x20xf32>, memref<20x45xf32>) outs(%o : memref<9x45xf32>)
  return
})",
        target, {a.data(), b.data(), out.data()});
    std::vector<double> expected(out.size());
    for (int64_t m = 0; m < 9; ++m)
      for (int64_t n = 0; n < 45; ++n)
        for (int64_t k = 0; k < 20; ++k)
          expected[m * 45 + n] += double(a[m * 20 + k]) * b[k * 45 + n];
    expectNear(out, expected, 1e-5, target.name + " matmul");
  }
}

TEST(Linalg, IndicesAndMapsThatAreNotLinear) {
  for (const TargetInfo &target : targets()) {
    Array x(int64_t(4) * 6, 1), out(int64_t(8) * 12), iota(int64_t(8) * 12);
    run(R"(#half = affine_map<(a, b) -> (a floordiv 2, b mod 6)>
#id = affine_map<(a, b) -> (a, b)>
func.func @main(%x: memref<4x6xf32>, %o: memref<8x12xf32>, %i: memref<8x12xf32>) {
  linalg.generic {indexing_maps = [#half, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x : memref<4x6xf32>) outs(%o, %i : memref<8x12xf32>, memref<8x12xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %row = linalg.index 0 : index
    %column = linalg.index 1 : index
    %ten = arith.constant 100 : index
    %0 = arith.muli %row, %ten : index
    %1 = arith.addi %0, %column : index
    %2 = arith.index_cast %1 : index to i64
    %3 = arith.sitofp %2 : i64 to f32
    linalg.yield %a, %3 : f32, f32
  }
  return
})",
        target, {x.data(), out.data(), iota.data()});
    std::vector<double> expected(out.size()), counted(out.size());
    for (int64_t a = 0; a < 8; ++a)
      for (int64_t b = 0; b < 12; ++b) {
        expected[a * 12 + b] = x[a / 2 * 6 + b % 6];
        counted[a * 12 + b] = double(a * 100 + b);
      }
    expectNear(out, expected, 0.0, target.name + " nearest");
    expectNear(iota, counted, 0.0, target.name + " index");
  }
}

/// Operands contiguous along different loops, with tails both ways, and
/// elementary functions of neighbours.
TEST(Linalg, TilesAndNeighbours) {
  for (const TargetInfo &target : targets()) {
    Array x(int64_t(3) * 37 * 21, 1), y(int64_t(3) * 21 * 37, 2), v(37, 3),
        out(x.size()), root(x.size());
    run(R"(#out = affine_map<(b, i, j) -> (b, i, j)>
#in = affine_map<(b, i, j) -> (b, j, i)>
#row = affine_map<(b, i, j) -> (i)>
#id = affine_map<(i) -> (i)>
func.func @main(%x: memref<3x37x21xf32>, %y: memref<3x21x37xf32>, %v: memref<37xf32>, %o: memref<3x21x37xf32>, %s: memref<2331xf32>) {
  linalg.generic {indexing_maps = [#in, #out, affine_map<(b, i, j) -> (j)>, #out], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%x, %y, %v : memref<3x37x21xf32>, memref<3x21x37xf32>, memref<37xf32>) outs(%o : memref<3x21x37xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32, %d: f32):
    %0 = arith.mulf %a, %b : f32
    %1 = arith.addf %0, %c : f32
    linalg.yield %1 : f32
  }
  %flat = memref.collapse_shape %x [[0, 1, 2]] : memref<3x37x21xf32> into memref<2331xf32>
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%flat : memref<2331xf32>) outs(%s : memref<2331xf32>) {
  ^bb0(%a: f32, %d: f32):
    %0 = math.absf %a : f32
    %1 = math.sqrt %0 : f32
    linalg.yield %1 : f32
  }
  return
})",
        target, {x.data(), y.data(), v.data(), out.data(), root.data()});
    std::vector<double> expected(out.size()), roots(out.size());
    for (int64_t n = 0; n < out.size(); ++n) {
      int64_t j = n % 37, i = n / 37 % 21, b = n / (int64_t(37) * 21);
      expected[n] = double(x[(b * 37 + j) * 21 + i]) * y[n] + v[j];
      roots[n] = std::sqrt(std::abs(double(x[n])));
    }
    expectNear(out, expected, 1e-6, target.name + " tiles");
    expectNear(root, roots, 1e-6, target.name + " neighbours");
  }
}

/// A region with a loop of its own.
TEST(Linalg, LoopInTheRegion) {
  for (const TargetInfo &target : targets()) {
    Array x(20), out(20);
    for (int64_t i = 0; i < 20; ++i)
      x[i] = float(i + 1);
    run(R"(#id = affine_map<(i) -> (i)>
func.func @main(%x: memref<20xf32>, %o: memref<20xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0.0 : f32
  linalg.generic {indexing_maps = [#id], iterator_types = ["parallel"]} outs(%o : memref<20xf32>) {
  ^bb0(%b: f32):
    %n = linalg.index 0 : index
    %sum = scf.for %k = %c0 to %n step %c1 iter_args(%s = %zero) -> f32 {
      %at = arith.subi %n, %k : index
      %v = memref.load %x[%at] : memref<20xf32>
      %t = arith.addf %s, %v : f32
      scf.yield %t : f32
    }
    linalg.yield %sum : f32
  }
  return
})",
        target, {x.data(), out.data()});
    std::vector<double> expected(20);
    for (int64_t i = 0; i < 20; ++i)
      for (int64_t k = 0; k < i; ++k)
        expected[i] += x[i - k];
    expectNear(out, expected, 1e-6, target.name + " loop in the region");
  }
}

} // namespace
