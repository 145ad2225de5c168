//===- WindowTest.cpp - depthwise and pool against loops --------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file tests the expansion of kernel.depthwise and kernel.pool.

#include "passes/lower/expand/Tiles.h"
#include "test/unit/passes/lower/KernelRunner.h"
#include <array>
#include <gtest/gtest.h>
#include <limits>

using namespace graven;
using namespace graven::test;

namespace {

int64_t up(int64_t a, int64_t b) { return (a + b - 1) / b; }

struct DepthwiseCase {
  int64_t n, c, h, w, kh, kw, stride = 1, dilation = 1;
  bool epilogue = false;
};

void checkDepthwise(const TargetInfo &target, DepthwiseCase c) {
  int64_t oh = (c.h - (c.kh - 1) * c.dilation - 1) / c.stride + 1;
  int64_t ow = (c.w - (c.kw - 1) * c.dilation - 1) / c.stride + 1;
  expand::DepthwiseTile tile = expand::chooseDepthwiseTile(target, oh, ow);
  int64_t blocks = up(c.c, 16);
  Array x(c.n * blocks * c.h * c.w * 16, 1), w(blocks * c.kh * c.kw * 16, 2),
      bias(c.c, 3);
  Array out(c.n * blocks * oh * ow * 16);
  std::string tx = memref({c.n, blocks, c.h, c.w, 16}),
              tw = memref({blocks, c.kh, c.kw, 16});
  std::string to = memref({c.n, blocks, oh, ow, 16}), tb = memref({c.c});
  std::string text =
      "func.func @main(%x: " + tx + ", %w: " + tw + ", %o: " + to;
  text += c.epilogue ? ", %b: " + tb + ") {\n" : ") {\n";
  text += " kernel.depthwise ins(%x, %w : " + tx + ", " + tw + ")";
  if (c.epilogue)
    text += " epilogue(%b : " + tb + ")";
  text += " outs(%o : " + to +
          ") attributes {channels = " + std::to_string(c.c) +
          " : i64, strides = " + list({c.stride, c.stride}) +
          ", dilations = " + list({c.dilation, c.dilation}) +
          ", tile = " + list({tile.rows, tile.columns}) + "}";
  if (c.epilogue)
    text += R"( {
    ^bb0(%acc: f32, %eb: f32):
      %0 = arith.addf %acc, %eb : f32
      kernel.yield %0 : f32
    })";
  text += "\n return\n}\n";
  std::vector<void *> arguments{x.data(), w.data(), out.data()};
  if (c.epilogue)
    arguments.push_back(bias.data());
  run(text, target, arguments);
  EXPECT_TRUE(out.marginIntact());
  expectNoPaddingWritten(out, c.n, c.c, oh, ow, target.lanes(4),
                         target.name + " depthwise");
  Array got(c.n * c.c * oh * ow);
  std::vector<double> expected;
  for (int64_t n = 0; n < c.n; ++n)
    for (int64_t channel = 0; channel < c.c; ++channel)
      for (int64_t y = 0; y < oh; ++y)
        for (int64_t xx = 0; xx < ow; ++xx) {
          int64_t b = channel / 16, l = channel % 16;
          double sum = c.epilogue ? bias[channel] : 0.0;
          for (int64_t ky = 0; ky < c.kh; ++ky)
            for (int64_t kx = 0; kx < c.kw; ++kx) {
              int64_t iy = y * c.stride + ky * c.dilation,
                      ix = xx * c.stride + kx * c.dilation;
              sum +=
                  double(
                      x[(((n * blocks + b) * c.h + iy) * c.w + ix) * 16 + l]) *
                  w[((b * c.kh + ky) * c.kw + kx) * 16 + l];
            }
          got[expected.size()] =
              out[(((n * blocks + b) * oh + y) * ow + xx) * 16 + l];
          expected.push_back(sum);
        }
  expectNear(got, expected, 1e-5, target.name + " depthwise");
}

TEST(Depthwise, KernelsStridesDilations) {
  for (const TargetInfo &target : targets())
    for (DepthwiseCase c :
         {DepthwiseCase{.n = 1,
                        .c = 16,
                        .h = 9,
                        .w = 30,
                        .kh = 3,
                        .kw = 3,
                        .epilogue = true},
          DepthwiseCase{.n = 2,
                        .c = 40,
                        .h = 11,
                        .w = 9,
                        .kh = 5,
                        .kw = 5,
                        .stride = 2,
                        .epilogue = true},
          DepthwiseCase{.n = 1, .c = 24, .h = 13, .w = 13, .kh = 7, .kw = 7},
          DepthwiseCase{.n = 1,
                        .c = 5,
                        .h = 10,
                        .w = 12,
                        .kh = 3,
                        .kw = 2,
                        .dilation = 2,
                        .epilogue = true},
          DepthwiseCase{.n = 1, .c = 16, .h = 3, .w = 40, .kh = 1, .kw = 31}})
      checkDepthwise(target, c);
}

struct PoolCase {
  std::string kind;
  int64_t n, c, h, w, k, stride = 1, dilation = 1;
  std::vector<int64_t> pads{0, 0, 0, 0};
  bool ceil = false, countPads = false;
  int64_t divisor = 0;
};

int64_t outExtent(const PoolCase &c, int64_t extent, int axis) {
  int64_t window = (c.k - 1) * c.dilation + 1,
          room = extent + c.pads[axis] + c.pads[2 + axis] - window;
  int64_t out = (c.ceil ? up(room, c.stride) : room / c.stride) + 1;
  return c.ceil && (out - 1) * c.stride >= extent + c.pads[axis] ? out - 1
                                                                 : out;
}

void checkPool(const TargetInfo &target, PoolCase c, bool blocked) {
  int64_t oh = outExtent(c, c.h, 0), ow = outExtent(c, c.w, 1);
  int64_t channels = blocked ? up(c.c, 16) : c.c, lanes = blocked ? 16 : 1;
  Array x(c.n * channels * c.h * c.w * lanes, 5),
      out(c.n * channels * oh * ow * lanes);
  x[3] = std::numeric_limits<float>::quiet_NaN();
  x[x.size() - 1] = -std::numeric_limits<float>::infinity();
  std::string tx = blocked ? memref({c.n, channels, c.h, c.w, 16})
                           : memref({c.n, c.c, c.h, c.w});
  std::string to = blocked ? memref({c.n, channels, oh, ow, 16})
                           : memref({c.n, c.c, oh, ow});
  run("func.func @main(%x: " + tx + ", %o: " + to + ") {\n kernel.pool " +
          c.kind + " ins(%x : " + tx + ") outs(%o : " + to + ") {kernel = " +
          list({c.k, c.k}) + ", strides = " + list({c.stride, c.stride}) +
          ", dilations = " + list({c.dilation, c.dilation}) + ", pads = " +
          list(c.pads) + (c.countPads ? ", count_include_pad" : "") +
          ", divisor = " + std::to_string(c.divisor) + " : i64}\n return\n}\n",
      target, {x.data(), out.data()});
  bool isMax = c.kind == "max";
  std::vector<double> expected(out.size());
  for (int64_t i = 0; i < c.n * channels; ++i)
    for (int64_t y = 0; y < oh; ++y)
      for (int64_t xx = 0; xx < ow; ++xx)
        for (int64_t l = 0; l < lanes; ++l) {
          double value = isMax ? -std::numeric_limits<double>::infinity() : 0.0;
          int64_t count = 0;
          for (int64_t ky = 0; ky < c.k; ++ky)
            for (int64_t kx = 0; kx < c.k; ++kx) {
              int64_t iy = y * c.stride - c.pads[0] + ky * c.dilation;
              int64_t ix = xx * c.stride - c.pads[1] + kx * c.dilation;
              bool inside = iy >= 0 && iy < c.h && ix >= 0 && ix < c.w;
              bool counted = iy < c.h + c.pads[2] && ix < c.w + c.pads[3];
              count += c.countPads ? counted : inside;
              if (!inside)
                continue;
              double element = x[((i * c.h + iy) * c.w + ix) * lanes + l];
              if (isMax)
                value = std::isnan(value) || std::isnan(element)
                            ? std::nan("")
                            : std::max(value, element);
              else
                value += element;
            }
          if (!isMax)
            value /= c.divisor > 0 ? c.divisor : count;
          expected[((i * oh + y) * ow + xx) * lanes + l] = value;
        }
  expectNear(out, expected, 1e-6,
             target.name + " pool " + c.kind +
                 (blocked ? " blocked" : " planar"));
}

TEST(Pool, WindowsPadsCeil) {
  for (const TargetInfo &target : targets())
    for (std::string kind : {"max", "avg"})
      for (const PoolCase &c :
           {PoolCase{kind, 1, 20, 9, 11, 3, 2, 1, {1, 1, 1, 1}},
            PoolCase{kind, 2, 16, 8, 8, 2, 2},
            PoolCase{kind, 1, 3, 7, 10, 3, 2, 1, {0, 0, 0, 0}, true},
            PoolCase{kind, 1, 5, 9, 9, 3, 1, 2, {2, 1, 2, 2}},
            PoolCase{kind, 1, 3, 7, 10, 3, 2, 1, {1, 0, 1, 1}, true, true},
            PoolCase{
                kind, 1, 16, 12, 12, 12, 1, 1, {0, 0, 0, 0}, false, false, 7}})
        for (bool blocked : {false, true})
          checkPool(target, c, blocked);
}

/// Columns at the borders of planes are part of vectors.
TEST(Pool, RowsOfAnyWidth) {
  for (const TargetInfo &target : targets())
    for (int64_t width : {5, 16, 20, 33, 55})
      for (int64_t stride : {1, 2})
        for (auto [size, left, right] :
             {std::array<int64_t, 3>{2, 0, 1}, {3, 1, 1}, {5, 2, 3}})
          if (width + left + right >= size)
            checkPool(
                target,
                {"max", 1, 2, 5, width, size, stride, 1, {1, left, 1, right}},
                /*blocked=*/false);
}

} // namespace
