//===- AttentionTest.cpp - kernel.attention against loops -------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file tests the expansion of kernel.attention: extents that fill no tile,
// shared key heads, masks, causality, rows without keys, blocks of keys, and
// heads read in place from one projection.

#include "dialects/kernel/AttentionShape.h"
#include "passes/lower/expand/Tiles.h"
#include "test/unit/passes/lower/KernelRunner.h"
#include <gtest/gtest.h>
#include <limits>

using namespace graven;
using namespace graven::test;

namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

struct AttentionCase {
  int64_t batch = 1, heads = 1, keyHeads = 1, rows = 1, keys = 1, depth = 8,
          columns = 8;
  /// Extents of a mask [B, H, S, L], 0 where there is none.
  std::vector<int64_t> mask = {};
  bool causal = false, zeroEmpty = false;
  double softcap = 0;
  /// Keys of a block and row tiles of a unit of work; 0: the target's choice.
  int64_t block = 0, group = 0;
  /// q, k and v side by side in rows [B, S, (H + 2 Hk) E], out as [B, S, H F].
  bool merged = false;
  /// What becomes of the operands before the run.
  std::function<void(Array &qkv, Array &mask)> spoil = {};
};

using Map = std::vector<int64_t>;

int64_t at(const Map &map, int64_t b, int64_t h, int64_t i, int64_t j) {
  return map[0] + b * map[1] + h * map[2] + i * map[3] + j * map[4];
}

/// Where the operands are in one array, and the result in another.
struct Maps {
  explicit Maps(const AttentionCase &c) {
    if (c.merged) {
      int64_t width = (c.heads + 2 * c.keyHeads) * c.depth, h = c.heads,
              g = c.keyHeads, d = c.depth, image = c.rows * width;
      q = {0, image, d, width, 1};
      k = {h * d, image, d, width, 1};
      v = {(h + g) * d, image, d, width, 1};
      out = {0, c.rows * h * d, d, h * d, 1};
      size = c.batch * image;
      return;
    }
    auto plain = [&](int64_t heads, int64_t rows, int64_t columns) {
      Map map{size, heads * rows * columns, rows * columns, columns, 1};
      size += c.batch * heads * rows * columns;
      return map;
    };
    q = plain(c.heads, c.rows, c.depth);
    k = plain(c.keyHeads, c.keys, c.depth);
    v = plain(c.keyHeads, c.keys, c.columns);
    out = q;
    out[0] = 0;
    out[1] = c.heads * c.rows * c.columns;
    out[2] = c.rows * c.columns;
    out[3] = c.columns;
  }

  Map q, k, v, out, mask;
  int64_t size = 0;
};

void attend(const AttentionCase &c, const Maps &maps, const Array &x,
            const Array &mask, std::vector<double> &out) {
  for (int64_t b = 0; b < c.batch; ++b)
    for (int64_t h = 0; h < c.heads; ++h)
      for (int64_t i = 0; i < c.rows; ++i) {
        int64_t g = h / (c.heads / c.keyHeads);
        std::vector<double> s(c.keys);
        double most = -kInf, sum = 0;
        bool nan = false;
        for (int64_t j = 0; j < c.keys; ++j) {
          for (int64_t d = 0; d < c.depth; ++d)
            s[j] += 0.5 * x[at(maps.q, b, h, i, d)] * x[at(maps.k, b, g, j, d)];
          if (c.softcap > 0)
            s[j] = c.softcap * std::tanh(s[j] / c.softcap);
          if (!c.mask.empty())
            s[j] += mask[at(maps.mask, b, h, i, j)];
          if (c.causal && j > i)
            s[j] = -kInf;
          nan |= std::isnan(s[j]);
          most = std::max(most, s[j]);
        }
        bool empty = most == -kInf && !nan;
        for (double &value : s)
          sum += value = std::exp(value - most);
        for (int64_t f = 0; f < c.columns; ++f) {
          double value = 0;
          for (int64_t j = 0; j < c.keys; ++j)
            value += s[j] * x[at(maps.v, b, g, j, f)];
          value = empty && c.zeroEmpty ? 0 : nan ? kNaN : value / sum;
          out[at(maps.out, b, h, i, f)] = value;
        }
      }
}

void check(const TargetInfo &target, const AttentionCase &c) {
  Maps maps(c);
  Array x(maps.size, 1), out(c.batch * c.heads * c.rows * c.columns);
  int64_t maskSize = 1;
  for (int64_t extent : c.mask)
    maskSize *= extent;
  Array mask(maskSize, 2);
  if (!c.mask.empty()) {
    const std::vector<int64_t> &m = c.mask;
    maps.mask = {0, m[0] > 1 ? m[1] * m[2] * m[3] : 0,
                 m[1] > 1 ? m[2] * m[3] : 0, m[2] > 1 ? m[3] : 0, m[3] > 1};
  }
  for (int64_t i = 0; i < x.size(); ++i)
    x[i] *= 3;
  if (c.spoil)
    c.spoil(x, mask);
  std::vector<double> expected(out.size());
  attend(c, maps, x, mask, expected);

  expand::AttentionTileSizes tile = expand::chooseAttentionTile(
      target, c.batch * c.heads, c.rows, c.keys, c.depth, c.columns);
  if (c.block > 0)
    tile.block = std::min(c.keys, up(c.block, tile.panel) * tile.panel);
  if (c.group > 0)
    tile.group = c.group;
  std::vector<int64_t> extents{c.batch, c.heads, c.keyHeads, c.rows,
                               c.keys,  c.depth, c.columns};
  kernel::AttentionShape shape(extents, tile.mr, tile.panel, tile.block,
                               tile.group);
  Array scratch(shape.scratchSize());
  for (int64_t i = 0; i < scratch.size(); ++i)
    scratch[i] = float(kNaN);
  std::string tx = memref({x.size()}), to = memref({out.size()}),
              ts = memref({scratch.size()}), tm = memref({mask.size()});
  auto number = [](int64_t value) { return std::to_string(value) + " : i64"; };
  std::string text = "func.func @main(%x: " + tx + ", %o: " + to +
                     ", %s: " + ts + ", %m: " + tm +
                     ") {\n kernel.attention ins(%x, %x, %x : " + tx + ", " +
                     tx + ", " + tx + ")";
  if (!c.mask.empty())
    text += " mask(%m : " + tm + ")";
  text += " outs(%o, %s : " + to + ", " + ts + ") {extents = " + list(extents) +
          ", q_map = " + list(maps.q) + ", k_map = " + list(maps.k) +
          ", v_map = " + list(maps.v) + ", out_map = " + list(maps.out) +
          ", scale = 0.5, mr = " + number(tile.mr) +
          ", panel = " + number(tile.panel) +
          ", block = " + number(tile.block) + ", group = " + number(tile.group);
  if (!c.mask.empty())
    text += ", mask_map = " + list(maps.mask);
  if (c.softcap > 0)
    text += ", softcap = " + std::to_string(c.softcap);
  if (c.causal)
    text += ", causal";
  if (c.zeroEmpty)
    text += ", zero_empty";
  text += "}\n return\n}\n";
  run(text, target, {x.data(), out.data(), scratch.data(), mask.data()});
  EXPECT_TRUE(scratch.marginIntact());
  expectNear(out, expected, 2e-6,
             target.name + " attention of " + std::to_string(c.rows) + "x" +
                 std::to_string(c.keys) + "x" + std::to_string(c.depth));
}

void checkAll(const AttentionCase &c) {
  for (const TargetInfo &target : targets())
    check(target, c);
}

TEST(Attention, Extents) {
  for (int64_t keys : {1, 37, 70})
    checkAll({.heads = 2, .keyHeads = 2, .rows = 17, .keys = keys});
  for (int64_t rows : {1, 29})
    checkAll({.rows = rows, .keys = 33, .depth = 24, .columns = 40});
  for (int64_t depth : {3, 64})
    checkAll({.rows = 7, .keys = 21, .depth = depth, .columns = 11});
  for (int64_t columns : {1, 33})
    checkAll({.rows = 7, .keys = 21, .depth = 16, .columns = columns});
}

TEST(Attention, HeadsOfOneProjection) {
  checkAll({.batch = 2,
            .heads = 3,
            .keyHeads = 3,
            .rows = 19,
            .keys = 19,
            .merged = true});
  // More units than slots.
  checkAll({.batch = 10,
            .heads = 6,
            .keyHeads = 3,
            .rows = 5,
            .keys = 5,
            .merged = true});
}

TEST(Attention, SharedKeyHeads) {
  checkAll({.batch = 2, .heads = 6, .keyHeads = 2, .rows = 9, .keys = 20});
  checkAll({.heads = 4,
            .keyHeads = 1,
            .rows = 31,
            .keys = 31,
            .group = 1,
            .merged = true});
}

TEST(Attention, Causal) {
  for (int64_t keys : {15, 90})
    checkAll(
        {.heads = 2, .keyHeads = 2, .rows = 40, .keys = keys, .causal = true});
  checkAll({.rows = 100, .keys = 100, .causal = true, .group = 2});
  // No whole panel, and rows enough to ask for what comes next.
  checkAll({.heads = 6,
            .keyHeads = 1,
            .rows = 29,
            .keys = 3,
            .columns = 3,
            .causal = true});
}

TEST(Attention, Masks) {
  for (const std::vector<int64_t> &mask : {std::vector<int64_t>{1, 1, 1, 21},
                                           {2, 1, 1, 21},
                                           {2, 2, 9, 21},
                                           {1, 2, 9, 1}})
    checkAll({.batch = 2,
              .heads = 2,
              .keyHeads = 2,
              .rows = 9,
              .keys = 21,
              .mask = mask});
  checkAll({.rows = 20,
            .keys = 20,
            .mask = {1, 1, 20, 20},
            .causal = true,
            .softcap = 2});
}

TEST(Attention, RowsWithoutKeys) {
  auto spoil = [](Array &x, Array &mask) {
    for (int64_t i = 0; i < mask.size(); ++i)
      mask[i] = i / 40 == 3 || i % 3 == 0 ? float(-kInf) : 0.0f;
    // The lowest number is not -inf: such a row is the mean of all values.
    for (int64_t j = 0; j < 40; ++j)
      mask[200 + j] = -std::numeric_limits<float>::max();
  };
  for (bool zeroEmpty : {false, true})
    for (int64_t block : {0, 16})
      checkAll({.rows = 8,
                .keys = 40,
                .mask = {1, 1, 8, 40},
                .zeroEmpty = zeroEmpty,
                .block = block,
                .spoil = spoil});
}

TEST(Attention, NaNAndInfinity) {
  auto spoil = [](Array &x, Array &) {
    x[8] = float(kNaN);
    x[8 * 3 + 2] = float(kInf);
    x[8 * 6 + 2] = 1e30f;
  };
  for (int64_t block : {0, 8})
    checkAll({.rows = 8,
              .keys = 16,
              .zeroEmpty = true,
              .block = block,
              .spoil = spoil});
}

TEST(Attention, KeysFarBelowTheMaximumTakeNoPart) {
  // Key j has the score -j: from 88 on its weight is 0, whatever the value is.
  auto spoil = [](Array &x, Array &) {
    x[0] = 2;
    for (int64_t j = 0; j < 120; ++j) {
      x[1 + j] = float(-j);
      x[121 + j] = j < 88 ? float(j % 7) : 1e30f;
    }
  };
  for (int64_t block : {0, 16})
    checkAll({.keys = 120,
              .depth = 1,
              .columns = 1,
              .block = block,
              .spoil = spoil});
}

TEST(Attention, BlocksOfKeys) {
  for (int64_t keys : {33, 100})
    for (bool causal : {false, true})
      checkAll({.heads = 2,
                .keyHeads = 1,
                .rows = 50,
                .keys = keys,
                .columns = 19,
                .causal = causal,
                .block = 32,
                .group = 2});
  checkAll({.batch = 2,
            .rows = 70,
            .keys = 70,
            .mask = {2, 1, 70, 70},
            .causal = true,
            .softcap = 3,
            .block = 16,
            .merged = true});
  // More keys than one block by the target's choice.
  checkAll({.rows = 30, .keys = 1100, .causal = false});
}

} // namespace
