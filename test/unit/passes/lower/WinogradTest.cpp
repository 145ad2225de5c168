//===- WinogradTest.cpp - winograd against loops ----------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file tests kernel.winograd, split and expanded: tiles that the image
// does not fill, channel counts that fill no block, several images and blocks,
// and epilogues. Lanes of the input that belong to no channel hold NaN.

#include "dialects/graven/Winograd.h"
#include "dialects/kernel/StageShapes.h"
#include "passes/lower/expand/Tiles.h"
#include "test/unit/passes/lower/KernelRunner.h"
#include <gtest/gtest.h>
#include <limits>

using namespace graven;
using namespace graven::test;

namespace {

struct WinogradCase {
  int64_t n, ic, oc, oh, ow;
  /// Tiles of a block; 0: the target's choice.
  int64_t block = 0;
  bool epilogue = false;
  /// Extent of the windows whose maximum is wanted too.
  int64_t pool = 1;
};

Array transformWeights(const Array &w, const kernel::WinogradShape &shape) {
  WinogradTransform t = makeWinogradTransform(shape.tile);
  int64_t size = shape.size();
  Array packed(shape.panels() * shape.points() * shape.inChannels *
               shape.panel);
  int64_t at = 0;
  for (int64_t p = 0; p < shape.panels(); ++p)
    for (int64_t point = 0; point < shape.points(); ++point)
      for (int64_t ic = 0; ic < shape.inChannels; ++ic)
        for (int64_t lane = 0; lane < shape.panel; ++lane, ++at) {
          int64_t oc = p * shape.panel + lane;
          double sum = 0;
          for (int64_t tap = 0; tap < 9 && oc < shape.outChannels; ++tap)
            sum += t.weight[point / size * 3 + tap / 3] *
                   t.weight[point % size * 3 + tap % 3] *
                   w[(oc * shape.inChannels + ic) * 9 + tap];
          packed[at] = static_cast<float>(sum);
        }
  return packed;
}

std::vector<double> reference(const WinogradCase &c, const Array &x,
                              const Array &w, int64_t h, int64_t width) {
  std::vector<double> out(c.n * c.oc * c.oh * c.ow);
  for (int64_t i = 0; i < int64_t(out.size()); ++i) {
    int64_t xx = i % c.ow, y = i / c.ow % c.oh, oc = i / (c.ow * c.oh) % c.oc,
            n = i / (c.ow * c.oh * c.oc);
    for (int64_t ic = 0; ic < c.ic; ++ic)
      for (int64_t tap = 0; tap < 9; ++tap)
        out[i] +=
            double(
                x[((n * c.ic + ic) * h + y + tap / 3) * width + xx + tap % 3]) *
            w[(oc * c.ic + ic) * 9 + tap];
  }
  return out;
}

void checkWinograd(const TargetInfo &target, WinogradCase c, int64_t tile) {
  kernel::WinogradShape shape(c.n, c.ic, c.oc, c.oh, c.ow, 1, tile);
  expand::WinogradTile choice =
      expand::chooseWinogradTile(target, c.ic, shape.points(), shape.tiles());
  shape.panel = choice.channels;
  shape.block = c.block > 0 ? c.block : choice.block;
  int64_t h = shape.down() * tile + 2, width = shape.across() * tile + 2;
  Array x(c.n * c.ic * h * width, 1), w(c.oc * c.ic * 9, 2);
  Array residual(c.n * c.oc * c.oh * c.ow, 3), bias(c.oc, 4);
  std::vector<double> expected = reference(c, x, w, h, width);
  if (c.epilogue)
    for (int64_t i = 0; i < residual.size(); ++i)
      expected[i] = std::max(0.0, expected[i] + bias[i / (c.oh * c.ow) % c.oc] +
                                      residual[i]);
  Array packed = transformWeights(w, shape);
  float nan = std::numeric_limits<float>::quiet_NaN();
  x = block(x, c.n, c.ic, h, width, nan);
  residual = block(residual, c.n, c.oc, c.oh, c.ow, nan);
  Array out(c.n * up(c.oc, 16) * c.oh * c.ow * 16),
      small(out.size() / (c.pool * c.pool)),
      scratch(shape.products().scratchSize());
  std::string tx = memref({c.n, up(c.ic, 16), h, width, 16}),
              tw = memref({shape.panels(), shape.points(), c.ic, shape.panel}),
              to = memref({c.n, up(c.oc, 16), c.oh, c.ow, 16}),
              ts = memref({shape.products().scratchSize()});
  std::string text = "func.func @main(%x: " + tx + ", %w: " + tw +
                     ", %o: " + to + ", %s: " + ts;
  std::string tp =
      memref({c.n, up(c.oc, 16), c.oh / c.pool, c.ow / c.pool, 16});
  if (c.pool > 1)
    text += ", %p: " + tp;
  if (c.epilogue)
    text += ", %b: " + memref({c.oc}) + ", %r: " + to;
  text += ") {\n kernel.winograd ins(%x, %w : " + tx + ", " + tw + ")";
  if (c.epilogue)
    text += " epilogue(%b, %r : " + memref({c.oc}) + ", " + to + ")";
  text += c.pool > 1 ? " whole(%o : " + to + ") outs(%p, %s : " + tp
                     : " outs(%o, %s : " + to;
  text += ", " + ts + ") attributes {pool = " + std::to_string(c.pool) +
          " : i64, in_channels = " + std::to_string(c.ic) +
          " : i64, out_channels = " + std::to_string(c.oc) +
          " : i64, tile = " + std::to_string(tile) +
          " : i64, block = " + std::to_string(shape.block) +
          " : i64, mr = " + std::to_string(choice.mr) + " : i64}";
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
  std::vector<void *> arguments{x.data(), packed.data(), out.data(),
                                scratch.data()};
  if (c.pool > 1)
    arguments.push_back(small.data());
  if (c.epilogue)
    arguments.insert(arguments.end(), {bias.data(), residual.data()});
  run(text, target, arguments);
  EXPECT_TRUE(scratch.marginIntact());
  std::string what = target.name + " winograd " + std::to_string(tile) + " " +
                     std::to_string(c.ic) + "->" + std::to_string(c.oc) + " " +
                     std::to_string(c.oh) + "x" + std::to_string(c.ow);
  expectNear(unblock(out, c.n, c.oc, c.oh, c.ow), expected, 2e-5, what);
  if (c.pool == 1)
    return;
  int64_t ph = c.oh / c.pool, pw = c.ow / c.pool;
  std::vector<double> pooled(c.n * c.oc * ph * pw, -1e30);
  for (int64_t i = 0; i < int64_t(expected.size()); ++i) {
    int64_t xx = i % c.ow, y = i / c.ow % c.oh, image = i / (c.ow * c.oh);
    double &most = pooled[(image * ph + y / c.pool) * pw + xx / c.pool];
    most = std::max(most, expected[i]);
  }
  expectNear(unblock(small, c.n, c.oc, ph, pw), pooled, 2e-5, what + " pooled");
}

void checkBoth(WinogradCase c) {
  for (const TargetInfo &target : targets())
    for (int64_t tile : {2, 4})
      checkWinograd(target, c, tile);
}

TEST(Winograd, WholeTiles) {
  checkBoth({.n = 1, .ic = 32, .oc = 64, .oh = 8, .ow = 12});
}

TEST(Winograd, PartOfATile) {
  for (auto [oh, ow] : {std::pair<int64_t, int64_t>{7, 7}, {9, 4}, {1, 5}})
    checkBoth({.n = 1, .ic = 16, .oc = 16, .oh = oh, .ow = ow});
}

TEST(Winograd, Channels) {
  for (auto [ic, oc] :
       {std::pair<int64_t, int64_t>{20, 24}, {17, 40}, {48, 33}})
    checkBoth({.n = 1, .ic = ic, .oc = oc, .oh = 6, .ow = 9});
}

TEST(Winograd, BlocksAcrossImages) {
  // Blocks end inside of an image, and the last has fewer tiles.
  checkBoth({.n = 3, .ic = 16, .oc = 32, .oh = 10, .ow = 6, .block = 7});
}

/// One or two panels, whose rows are cut into units of work.
TEST(Winograd, PartsOfAPanel) {
  checkBoth({.n = 1, .ic = 16, .oc = 16, .oh = 30, .ow = 37});
  checkBoth({.n = 1, .ic = 16, .oc = 56, .oh = 12, .ow = 50, .block = 31});
}

TEST(Winograd, Epilogue) {
  checkBoth({.n = 2,
             .ic = 24,
             .oc = 40,
             .oh = 7,
             .ow = 9,
             .block = 5,
             .epilogue = true});
}

TEST(Winograd, Pool) {
  checkBoth({.n = 2, .ic = 16, .oc = 40, .oh = 6, .ow = 10, .pool = 2});
  checkBoth({.n = 1,
             .ic = 20,
             .oc = 16,
             .oh = 8,
             .ow = 2,
             .block = 3,
             .epilogue = true,
             .pool = 2});
}

} // namespace
