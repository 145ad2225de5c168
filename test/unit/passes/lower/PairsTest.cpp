//===- PairsTest.cpp - kernels on pairs of bf16 -----------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file tests packing, products and convolutions of pairs of bf16, with an
// emulation of the instruction.

#include "passes/lower/expand/Tiles.h"
#include "test/unit/passes/lower/Narrow.h"
#include <gtest/gtest.h>

using namespace graven;
using namespace graven::test;

namespace {

/// The widest target with vdpbf16ps, which the runner emulates.
TargetInfo pairTarget() {
  TargetInfo target;
  target.hasBF16Dot = true;
  return target;
}

/// Packs b [k, n], or its transpose, into panels of pairs and multiplies.
void checkPairs(llvm::StringRef from, bool transposed, llvm::StringRef to,
                int64_t m, int64_t n, int64_t k) {
  TargetInfo target = pairTarget();
  expand::GemmTile tile = expand::chooseGemmTile(target, m, n, k);
  int64_t panels = up(n, tile.nr), words = up(k, 2);
  Array a(m * k, 1), b(k * n, 2), wide(m * n);
  Narrow an("bf16", a), bn("bf16", b),
      packed("bf16", panels * words * tile.nr * 2), narrow("bf16", m * n);
  std::string ta = memref({1, m, k}, "bf16"),
              tb = transposed ? memref({1, n, k}, from)
                              : memref({1, k, n}, from),
              tp = memref({1, panels, words, tile.nr, 2}, "bf16"),
              tc = memref({1, m, n}, to);
  run(function({ta, tb, tp, tc},
               "kernel.pack ins(%a1 : " + tb + ") outs(%a2 : " + tp + ")" +
                   (transposed ? " {transposed}" : "") +
                   "\nkernel.gemm ins(%a0, %a2 : " + ta + ", " + tp +
                   ") outs(%a3 : " + tc + ") attributes {mr = " +
                   std::to_string(tile.mr) + " : i64, kc = 24 : i64}"),
      target,
      {an.data(), from == "f32" ? static_cast<void *>(b.data()) : bn.data(),
       packed.data(),
       to == "f32" ? static_cast<void *>(wide.data()) : narrow.data()});
  std::vector<double> expected(m * n);
  for (int64_t i = 0; i < m; ++i)
    for (int64_t j = 0; j < n; ++j)
      for (int64_t r = 0; r < k; ++r)
        expected[i * n + j] +=
            double(a[i * k + r]) * b[transposed ? j * k + r : r * n + j];
  EXPECT_TRUE(packed.marginIntact() && narrow.marginIntact());
  expectNear(to == "f32" ? wide : narrow.wide(), expected,
             to == "f32" ? 1e-6 : unit("bf16"),
             "pairs of " + std::to_string(m) + "x" + std::to_string(n) + "x" +
                 std::to_string(k));
}

TEST(Pairs, Gemm) {
  for (bool transposed : {false, true})
    for (llvm::StringRef from : {"f32", "bf16"})
      for (llvm::StringRef to : {"f32", "bf16"}) {
        checkPairs(from, transposed, to, 1, 37, 1);
        checkPairs(from, transposed, to, 3, 50, 63);
        checkPairs(from, transposed, to, 17, 32, 40);
      }
}

TEST(Pairs, Convolution) {
  TargetInfo target = pairTarget();
  for (int64_t taps : {1, 3})
    for (int64_t ic : {32, 21}) {
      int64_t oc = 40, h = 6, w = 9, oh = h - taps + 1, ow = w - taps + 1;
      expand::ConvTile tile = expand::chooseConvTile(
          target, {1, ic, oc, 1, taps, taps, 1, 1, oh, ow});
      int64_t panels = up(oc, tile.channels), icb = up(ic, 16);
      Array planar(ic * h * w, 1);
      Narrow ignored("bf16", planar);
      Array x = block(planar, 1, ic, h, w, NAN);
      Array weights(panels * icb * taps * taps * 16 * tile.channels, 2);
      Array out(up(oc, 16) * oh * ow * 16);
      Narrow xn("bf16", x), wn("bf16", weights);
      std::string tx = memref({1, icb, h, w, 16}, "bf16"),
                  tw = memref({panels, icb, taps, taps, 8, tile.channels, 2},
                              "bf16"),
                  to = memref({1, up(oc, 16), oh, ow, 16});
      run(function(
              {tx, tw, to},
              "kernel.conv ins(%a0, %a1 : " + tx + ", " + tw + ") outs(%a2 : " +
                  to + ") attributes {in_channels = " + std::to_string(ic) +
                  " : i64, out_channels = 40 : i64, strides = " + list({1, 1}) +
                  ", dilations = " + list({1, 1}) + ", tile = " +
                  list({tile.rows, tile.columns}) + ", row_block = 2 : i64}"),
          target, {xn.data(), wn.data(), out.data()});
      std::vector<double> expected(oc * oh * ow);
      for (int64_t o = 0; o < oc; ++o)
        for (int64_t p = 0; p < oh * ow; ++p)
          for (int64_t i = 0; i < ic; ++i)
            for (int64_t t = 0; t < taps * taps; ++t) {
              int64_t step =
                  ((o / tile.channels * icb + i / 16) * taps * taps + t) * 8 +
                  i % 16 / 2;
              expected[o * oh * ow + p] +=
                  double(
                      weights[(step * tile.channels + o % tile.channels) * 2 +
                              i % 2]) *
                  planar[(i * h + p / ow + t / taps) * w + p % ow + t % taps];
            }
      expectNear(unblock(out, 1, oc, oh, ow), expected, 1e-6,
                 "pairs of channels");
    }
}

} // namespace
