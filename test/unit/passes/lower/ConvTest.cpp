//===- ConvTest.cpp - conv against loops ------------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file tests the expansion of kernel.conv: channel counts that fill no
// block, strides, dilations, groups, planar inputs and outputs, and epilogues.
// Lanes of the input that belong to no channel hold NaN.

#include "passes/lower/expand/Tiles.h"
#include "test/unit/passes/lower/KernelRunner.h"
#include <gtest/gtest.h>
#include <limits>

using namespace graven;
using namespace graven::test;

namespace {

struct ConvCase {
  int64_t n, ic, oc, h, w, kh, kw;
  int64_t stride = 1, dilation = 1, groups = 1;
  bool planarIn = false, planarOut = false, epilogue = false;
  int64_t rowBlock = 0;
};

/// Weights [oc, ic/groups, kh, kw] to panels.
Array packWeights(const Array &w, const ConvCase &c, int64_t width) {
  int64_t icg = c.ic / c.groups, panels = up(c.oc, width);
  int64_t inner = c.planarIn ? icg : 16, blocks = c.planarIn ? 1 : up(icg, 16);
  Array packed(panels * blocks * c.kh * c.kw * inner * width);
  int64_t at = 0;
  for (int64_t p = 0; p < panels; ++p)
    for (int64_t b = 0; b < blocks; ++b)
      for (int64_t t = 0; t < c.kh * c.kw; ++t)
        for (int64_t i = 0; i < inner; ++i)
          for (int64_t l = 0; l < width; ++l) {
            int64_t oc = p * width + l, ic = b * inner + i;
            packed[at++] = oc < c.oc && ic < icg
                               ? w[(oc * icg + ic) * c.kh * c.kw + t]
                               : 0.0f;
          }
  return packed;
}

std::vector<double> reference(const ConvCase &c, const Array &x, const Array &w,
                              int64_t oh, int64_t ow) {
  int64_t icg = c.ic / c.groups, ocg = c.oc / c.groups;
  std::vector<double> out(c.n * c.oc * oh * ow);
  for (int64_t n = 0; n < c.n; ++n)
    for (int64_t oc = 0; oc < c.oc; ++oc)
      for (int64_t y = 0; y < oh; ++y)
        for (int64_t xx = 0; xx < ow; ++xx) {
          double sum = 0;
          for (int64_t ic = 0; ic < icg; ++ic)
            for (int64_t ky = 0; ky < c.kh; ++ky)
              for (int64_t kx = 0; kx < c.kw; ++kx) {
                int64_t channel = oc / ocg * icg + ic,
                        iy = y * c.stride + ky * c.dilation,
                        ix = xx * c.stride + kx * c.dilation;
                sum += double(x[((n * c.ic + channel) * c.h + iy) * c.w + ix]) *
                       w[((oc * icg + ic) * c.kh + ky) * c.kw + kx];
              }
          out[((n * c.oc + oc) * oh + y) * ow + xx] = sum;
        }
  return out;
}

void checkConv(const TargetInfo &target, ConvCase c) {
  int64_t oh = (c.h - (c.kh - 1) * c.dilation - 1) / c.stride + 1;
  int64_t ow = (c.w - (c.kw - 1) * c.dilation - 1) / c.stride + 1;
  expand::ConvTile tile =
      expand::chooseConvTile(target, {c.n, c.ic, c.oc, c.groups, c.kh, c.kw,
                                      c.stride, c.stride, oh, ow});
  int64_t icg = c.ic / c.groups, panels = up(c.oc, tile.channels);
  Array x(c.n * c.ic * c.h * c.w, 1), w(c.oc * icg * c.kh * c.kw, 2);
  Array residual(c.n * c.oc * oh * ow, 3), bias(c.oc, 4);
  std::vector<double> expected = reference(c, x, w, oh, ow);
  if (c.epilogue)
    for (int64_t i = 0; i < residual.size(); ++i)
      expected[i] =
          std::max(0.0, expected[i] + bias[i / (oh * ow) % c.oc] + residual[i]);

  Array packed = packWeights(w, c, tile.channels);
  float nan = std::numeric_limits<float>::quiet_NaN();
  if (!c.planarIn)
    x = block(x, c.n, c.ic, c.h, c.w, nan);
  if (!c.planarOut)
    residual = block(residual, c.n, c.oc, oh, ow, nan);
  Array out(c.planarOut ? c.n * c.oc * oh * ow
                        : c.n * up(c.oc, 16) * oh * ow * 16);
  std::string tx = c.planarIn ? memref({c.n, c.ic, c.h, c.w})
                              : memref({c.n, up(c.ic, 16), c.h, c.w, 16});
  std::string tw = memref({panels, c.planarIn ? 1 : up(icg, 16), c.kh, c.kw,
                           c.planarIn ? icg : 16, tile.channels});
  std::string to = c.planarOut ? memref({c.n, c.oc, oh, ow})
                               : memref({c.n, up(c.oc, 16), oh, ow, 16});
  std::string text =
      "func.func @main(%x: " + tx + ", %w: " + tw + ", %o: " + to;
  if (c.epilogue)
    text += ", %b: " + memref({c.oc}) + ", %r: " + to;
  text += ") {\n kernel.conv ins(%x, %w : " + tx + ", " + tw + ")";
  if (c.epilogue)
    text += " epilogue(%b, %r : " + memref({c.oc}) + ", " + to + ")";
  text +=
      " outs(%o : " + to +
      ") attributes {in_channels = " + std::to_string(c.ic) +
      " : i64, out_channels = " + std::to_string(c.oc) +
      " : i64, strides = " + list({c.stride, c.stride}) +
      ", dilations = " + list({c.dilation, c.dilation}) +
      ", groups = " + std::to_string(c.groups) +
      " : i64, tile = " + list({tile.rows, tile.columns}) + ", row_block = " +
      std::to_string(c.rowBlock == 0 ? tile.rowBlock : c.rowBlock) + " : i64}";
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
  std::vector<void *> arguments{x.data(), packed.data(), out.data()};
  if (c.epilogue)
    arguments.insert(arguments.end(), {bias.data(), residual.data()});
  run(text, target, arguments);
  std::string what = target.name + " conv " + std::to_string(c.ic) + "->" +
                     std::to_string(c.oc) + " " + std::to_string(c.h) + "x" +
                     std::to_string(c.w) + " k" + std::to_string(c.kh) + "x" +
                     std::to_string(c.kw) + " s" + std::to_string(c.stride) +
                     " d" + std::to_string(c.dilation) + " g" +
                     std::to_string(c.groups);
  if (!c.planarOut)
    expectNoPaddingWritten(out, c.n, c.oc, oh, ow, target.lanes(4), what);
  expectNear(c.planarOut ? out : unblock(out, c.n, c.oc, oh, ow), expected,
             1e-5, what);
}

TEST(Conv, Channels) {
  for (const TargetInfo &target : targets())
    for (auto [ic, oc] : {std::pair<int64_t, int64_t>{16, 16},
                          {32, 64},
                          {20, 24},
                          {17, 40},
                          {5, 3},
                          {48, 33}})
      checkConv(target,
                {.n = 1, .ic = ic, .oc = oc, .h = 6, .w = 9, .kh = 3, .kw = 3});
}

TEST(Conv, StridesAndDilations) {
  for (const TargetInfo &target : targets())
    for (auto [stride, dilation] :
         {std::pair<int64_t, int64_t>{2, 1}, {1, 2}, {3, 2}})
      checkConv(target, {.n = 2,
                         .ic = 20,
                         .oc = 32,
                         .h = 13,
                         .w = 17,
                         .kh = 3,
                         .kw = 2,
                         .stride = stride,
                         .dilation = dilation});
}

TEST(Conv, Pointwise) {
  for (const TargetInfo &target : targets())
    for (ConvCase c :
         {ConvCase{
              .n = 1, .ic = 32, .oc = 48, .h = 7, .w = 7, .kh = 1, .kw = 1},
          ConvCase{.n = 2,
                   .ic = 24,
                   .oc = 40,
                   .h = 12,
                   .w = 5,
                   .kh = 1,
                   .kw = 1,
                   .epilogue = true,
                   .rowBlock = 4},
          ConvCase{.n = 1,
                   .ic = 16,
                   .oc = 32,
                   .h = 9,
                   .w = 9,
                   .kh = 1,
                   .kw = 1,
                   .stride = 2}})
      checkConv(target, c);
}

/// The last vector of a panel alone: its tiles are longer.
TEST(Conv, ChannelsOfOneVector) {
  for (const TargetInfo &target : targets())
    for (auto [oc, w] :
         {std::pair<int64_t, int64_t>{24, 31}, {40, 7}, {72, 13}, {8, 25}})
      checkConv(target, {.n = 1,
                         .ic = 24,
                         .oc = oc,
                         .h = 5,
                         .w = w,
                         .kh = 1,
                         .kw = 1,
                         .epilogue = true});
}

TEST(Conv, Groups) {
  for (const TargetInfo &target : targets())
    for (ConvCase c : {ConvCase{.n = 1,
                                .ic = 32,
                                .oc = 64,
                                .h = 5,
                                .w = 8,
                                .kh = 3,
                                .kw = 3,
                                .groups = 2},
                       ConvCase{.n = 1,
                                .ic = 64,
                                .oc = 64,
                                .h = 4,
                                .w = 4,
                                .kh = 1,
                                .kw = 1,
                                .groups = 4,
                                .epilogue = true}})
      checkConv(target, c);
}

TEST(Conv, PlanarInput) {
  for (const TargetInfo &target : targets())
    for (ConvCase c : {ConvCase{.n = 1,
                                .ic = 3,
                                .oc = 32,
                                .h = 21,
                                .w = 27,
                                .kh = 7,
                                .kw = 7,
                                .stride = 2,
                                .planarIn = true,
                                .epilogue = true},
                       ConvCase{.n = 2,
                                .ic = 1,
                                .oc = 10,
                                .h = 9,
                                .w = 9,
                                .kh = 3,
                                .kw = 3,
                                .planarIn = true}})
      checkConv(target, c);
}

TEST(Conv, PlanarOutput) {
  for (const TargetInfo &target : targets())
    for (ConvCase c : {ConvCase{.n = 2,
                                .ic = 32,
                                .oc = 2,
                                .h = 6,
                                .w = 11,
                                .kh = 1,
                                .kw = 1,
                                .planarOut = true,
                                .epilogue = true},
                       ConvCase{.n = 1,
                                .ic = 16,
                                .oc = 37,
                                .h = 5,
                                .w = 7,
                                .kh = 3,
                                .kw = 3,
                                .planarOut = true}})
      checkConv(target, c);
}

TEST(Conv, RowBlocksAndOneDimension) {
  for (const TargetInfo &target : targets())
    for (ConvCase c :
         {ConvCase{.n = 1,
                   .ic = 16,
                   .oc = 40,
                   .h = 15,
                   .w = 9,
                   .kh = 3,
                   .kw = 3,
                   .epilogue = true,
                   .rowBlock = 2},
          ConvCase{
              .n = 1, .ic = 16, .oc = 32, .h = 1, .w = 50, .kh = 1, .kw = 5}})
      checkConv(target, c);
}

TEST(Conv, SmallMaps) {
  for (const TargetInfo &target : targets())
    for (int64_t extent : {1, 2, 4, 7})
      checkConv(target, {.n = 1,
                         .ic = 32,
                         .oc = 32,
                         .h = extent + 2,
                         .w = extent + 2,
                         .kh = 3,
                         .kw = 3,
                         .epilogue = true});
}

} // namespace
