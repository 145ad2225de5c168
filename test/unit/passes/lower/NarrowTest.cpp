//===- NarrowTest.cpp - kernels on f16 and bf16 -----------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file tests that each kernel family reads and writes f16 and bf16: what
// it computes is what it computes of the widened operands in f32, rounded once,
// on each target's tiles.

#include "test/unit/passes/lower/Narrow.h"
#include "passes/lower/expand/Tiles.h"
#include <gtest/gtest.h>

using namespace graven;
using namespace graven::test;

namespace {

struct GemmTypes {
  llvm::StringRef a, b, residual, out;
};

void checkGemm(const TargetInfo &target, llvm::StringRef narrow,
               GemmTypes types, int64_t m, int64_t n, int64_t k) {
  expand::GemmTile tile = expand::chooseGemmTile(target, m, n, k);
  int64_t panels = up(n, tile.nr);
  Array a(m * k, 1), b(panels * k * tile.nr, 2), residual(m * n, 3), out(m * n);
  // An operand that is f32 keeps its values.
  auto stored = [&](llvm::StringRef type, Array &values) {
    return type == "f32" ? Narrow(narrow, 1) : Narrow(narrow, values);
  };
  Narrow an = stored(types.a, a), bn = stored(types.b, b),
         rn = stored(types.residual, residual), on(narrow, m * n);
  std::string ta = memref({1, m, k}, types.a),
              tb = memref({1, panels, k, tile.nr}, types.b),
              tr = memref({1, m, n}, types.residual),
              to = memref({1, m, n}, types.out);
  auto pick = [](llvm::StringRef type, Array &wide, Narrow &few) -> void * {
    return type == "f32" ? static_cast<void *>(wide.data()) : few.data();
  };
  run(function({ta, tb, tr, to},
               "kernel.gemm ins(%a0, %a1 : " + ta + ", " + tb +
                   ") epilogue(%a2 : " + tr + ") outs(%a3 : " + to +
                   ") attributes {mr = " + std::to_string(tile.mr) +
                   R"( : i64, kc = 16 : i64} {
      ^bb0(%acc: f32, %r: f32):
        %0 = arith.addf %acc, %r : f32
        kernel.yield %0 : f32
      })"),
      target,
      {pick(types.a, a, an), pick(types.b, b, bn),
       pick(types.residual, residual, rn), pick(types.out, out, on)});
  std::vector<double> expected(m * n);
  for (int64_t i = 0; i < m; ++i)
    for (int64_t j = 0; j < n; ++j) {
      double sum = residual[i * n + j];
      for (int64_t r = 0; r < k; ++r)
        sum += double(a[i * k + r]) *
               b[(j / tile.nr * k + r) * tile.nr + j % tile.nr];
      expected[i * n + j] = sum;
    }
  bool wide = types.out == "f32";
  expectNear(wide ? out : on.wide(), expected, wide ? 1e-6 : unit(narrow),
             target.name + " gemm " + types.a.str() + " " + types.b.str() +
                 " " + types.residual.str() + " " + types.out.str());
  EXPECT_TRUE(an.marginIntact() && on.marginIntact());
}

TEST(Narrow, GemmOfMixedTypes) {
  for (const TargetInfo &target : targets())
    for (llvm::StringRef n : kTypes)
      for (GemmTypes types :
           {GemmTypes{n, n, n, n}, GemmTypes{"f32", n, n, "f32"},
            GemmTypes{"f32", n, "f32", n}, GemmTypes{n, "f32", "f32", n}}) {
        checkGemm(target, n, types, 1, 37, 19);
        checkGemm(target, n, types, 9, 48, 40);
      }
}

TEST(Narrow, Pack) {
  for (const TargetInfo &target : targets())
    for (llvm::StringRef narrow : kTypes)
      for (llvm::StringRef from : {narrow, llvm::StringRef("f32")})
        for (bool transposed : {false, true}) {
          int64_t k = 21, n = 37, width = 2 * target.lanes(4),
                  panels = up(n, width);
          Array x(k * n, 5);
          Narrow xn(narrow, x), out(narrow, panels * k * width);
          std::string tx = transposed ? memref({1, n, k}, from)
                                      : memref({1, k, n}, from),
                      to = memref({1, panels, k, width}, narrow);
          run(function({tx, to}, "kernel.pack ins(%a0 : " + tx +
                                     ") outs(%a1 : " + to + ")" +
                                     (transposed ? " {transposed}" : "")),
              target,
              {from == "f32" ? static_cast<void *>(x.data()) : xn.data(),
               out.data()});
          std::vector<double> expected(panels * k * width);
          for (int64_t r = 0; r < k; ++r)
            for (int64_t c = 0; c < n; ++c)
              expected[(c / width * k + r) * width + c % width] =
                  x[transposed ? c * k + r : r * n + c];
          expectNear(out.wide(), expected, 0.0, target.name + " pack");
          EXPECT_TRUE(out.marginIntact());
        }
}

TEST(Narrow, Convolution) {
  for (const TargetInfo &target : targets())
    for (llvm::StringRef type : kTypes)
      for (llvm::StringRef input : {type, llvm::StringRef("f32")}) {
        if (type == "f16" && input == "f32")
          continue;
        int64_t ic = 21, oc = 40, h = 7, w = 9, oh = 5, ow = 7;
        expand::ConvTile tile =
            expand::chooseConvTile(target, {1, ic, oc, 1, 3, 3, 1, 1, oh, ow});
        int64_t panels = up(oc, tile.channels), icb = up(ic, 16);
        Array planar(ic * h * w, 1);
        Narrow ignored(type, planar);
        Array x = block(planar, 1, ic, h, w, NAN);
        Array weights(panels * icb * 9 * 16 * tile.channels, 2), bias(oc, 3);
        Narrow xn(type, x), wn(type, weights), bn(type, bias),
            out(type, up(oc, 16) * oh * ow * 16);
        std::string tx = memref({1, icb, h, w, 16}, input),
                    tw = memref({panels, icb, 3, 3, 16, tile.channels}, type),
                    tb = memref({oc}, type),
                    to = memref({1, up(oc, 16), oh, ow, 16}, type);
        run(function({tx, tw, tb, to},
                     "kernel.conv ins(%a0, %a1 : " + tx + ", " + tw +
                         ") epilogue(%a2 : " + tb + ") outs(%a3 : " + to +
                         ") attributes {in_channels = 21 : i64, out_channels "
                         "= 40 : i64, strides = " +
                         list({1, 1}) + ", dilations = " + list({1, 1}) +
                         ", tile = " + list({tile.rows, tile.columns}) +
                         ", row_block = 2 : i64} {\n^bb0(%acc: f32, %b: f32):\n"
                         "%0 = arith.addf %acc, %b : f32\n"
                         "kernel.yield %0 : f32\n}"),
            target,
            {input == "f32" ? static_cast<void *>(x.data()) : xn.data(),
             wn.data(), bn.data(), out.data()});
        std::vector<double> expected(oc * oh * ow);
        for (int64_t o = 0; o < oc; ++o)
          for (int64_t p = 0; p < oh * ow; ++p) {
            double sum = bias[o];
            for (int64_t i = 0; i < ic; ++i)
              for (int64_t t = 0; t < 9; ++t) {
                int64_t at = (o / tile.channels * icb + i / 16) * 9 + t;
                sum += double(weights[(at * 16 + i % 16) * tile.channels +
                                      o % tile.channels]) *
                       planar[(i * h + p / ow + t / 3) * w + p % ow + t % 3];
              }
            expected[o * oh * ow + p] = sum;
          }
        EXPECT_TRUE(out.marginIntact());
        expectNear(unblock(out.wide(), 1, oc, oh, ow), expected, unit(type),
                   target.name + " conv " + input.str());
      }
}

TEST(Narrow, DepthwiseAndPool) {
  for (const TargetInfo &target : targets())
    for (llvm::StringRef type : kTypes) {
      int64_t c = 19, h = 6, w = 11;
      Array planar(c * h * w, 1), weights(2 * 9 * 16, 2);
      Narrow ignored(type, planar);
      Array x = block(planar, 1, c, h, w, 0);
      Narrow xn(type, x), wn(type, weights), out(type, 2 * 4 * 9 * 16),
          most(type, 2 * 4 * 9 * 16), mean(type, 2 * 4 * 9 * 16);
      std::string tx = memref({1, 2, h, w, 16}, type),
                  tw = memref({2, 3, 3, 16}, type),
                  to = memref({1, 2, 4, 9, 16}, type);
      std::string strides =
          "strides = " + list({1, 1}) + ", dilations = " + list({1, 1});
      auto pool = [&](llvm::StringRef kind, llvm::StringRef into) {
        return "\nkernel.pool " + kind.str() + " ins(%a0 : " + tx + ") outs(" +
               into.str() + " : " + to + ") {kernel = " + list({3, 3}) + ", " +
               strides + ", pads = " + list({0, 0, 0, 0}) + "}";
      };
      run(function({tx, tw, to, to, to},
                   "kernel.depthwise ins(%a0, %a1 : " + tx + ", " + tw +
                       ") outs(%a2 : " + to +
                       ") attributes {channels = 19 : i64, " + strides +
                       ", tile = " + list({1, 4}) + "}" + pool("max", "%a3") +
                       pool("avg", "%a4")),
          target, {xn.data(), wn.data(), out.data(), most.data(), mean.data()});
      std::vector<double> sums(c * 36), greatest(c * 36, -1e9), average(c * 36);
      for (int64_t i = 0; i < c; ++i)
        for (int64_t p = 0; p < 36; ++p)
          for (int64_t t = 0; t < 9; ++t) {
            double v = planar[(i * h + p / 9 + t / 3) * w + p % 9 + t % 3];
            sums[i * 36 + p] += v * weights[(i / 16 * 9 + t) * 16 + i % 16];
            greatest[i * 36 + p] = std::max(greatest[i * 36 + p], v);
            average[i * 36 + p] += v / 9;
          }
      EXPECT_TRUE(out.marginIntact() && most.marginIntact() &&
                  mean.marginIntact());
      std::string name = target.name + " " + type.str();
      expectNear(unblock(out.wide(), 1, c, 4, 9), sums, unit(type), name);
      expectNear(unblock(most.wide(), 1, c, 4, 9), greatest, 0.0, name);
      expectNear(unblock(mean.wide(), 1, c, 4, 9), average, unit(type), name);
    }
}

TEST(Narrow, Rows) {
  for (const TargetInfo &target : targets())
    for (llvm::StringRef type : kTypes)
      for (int64_t length : {5, 64, 83}) {
        Array x(3 * length, 1), scale(length, 2), bias(length, 3);
        Narrow xn(type, x), sn(type, scale), bn(type, bias),
            soft(type, 3 * length), norm(type, 3 * length);
        std::string tx = memref({3, length}, type), tp = memref({length}, type);
        run(function({tx, tp, tp, tx, tx},
                     "kernel.softmax ins(%a0 : " + tx + ") outs(%a3 : " + tx +
                         ")\nkernel.rownorm layer ins(%a0 : " + tx +
                         ") params(%a1, %a2 : " + tp + ", " + tp +
                         ") outs(%a4 : " + tx + ") {epsilon = 1.0e-5 : f64}"),
            target,
            {xn.data(), sn.data(), bn.data(), soft.data(), norm.data()});
        std::vector<double> expectedSoft(3 * length), expectedNorm(3 * length);
        for (int64_t r = 0; r < 3; ++r) {
          double total = 0, mean = 0, variance = 0;
          for (int64_t i = 0; i < length; ++i) {
            total += std::exp(double(x[r * length + i]));
            mean += double(x[r * length + i]) / length;
          }
          for (int64_t i = 0; i < length; ++i)
            variance += std::pow(x[r * length + i] - mean, 2) / length;
          for (int64_t i = 0; i < length; ++i) {
            double v = x[r * length + i];
            expectedSoft[r * length + i] = std::exp(v) / total;
            expectedNorm[r * length + i] =
                (v - mean) / std::sqrt(variance + 1e-5) * scale[i] + bias[i];
          }
        }
        std::string name = target.name + " " + type.str();
        // The exponentials are rounded before and after they are divided.
        expectNear(soft.wide(), expectedSoft, 2 * unit(type), name);
        expectNear(norm.wide(), expectedNorm, unit(type), name);
      }
}

/// Infinities, NaN and the smallest numbers keep what they are.
TEST(Narrow, SpecialValues) {
  for (const TargetInfo &target : targets())
    for (llvm::StringRef type : kTypes) {
      Array row(8);
      float tiny = type == "bf16" ? 0x1p-133f : 0x1p-24f;
      const float values[] = {INFINITY, -INFINITY, NAN,  -0.0f,
                              tiny,     -tiny,     1.0f, -2.5f};
      std::copy_n(values, 8, row.data());
      Array one(1 * 1);
      one[0] = 1;
      expand::GemmTile tile = expand::chooseGemmTile(target, 1, 8, 1);
      Array panel(tile.nr);
      std::fill_n(panel.data(), tile.nr, 0.0f);
      std::copy_n(row.data(), 8, panel.data());
      Narrow a(type, one), b(type, panel), out(type, 8);
      std::string ta = memref({1, 1, 1}, type),
                  tb = memref({1, 1, 1, tile.nr}, type),
                  to = memref({1, 1, 8}, type);
      run(function({ta, tb, to},
                   "kernel.gemm ins(%a0, %a1 : " + ta + ", " + tb +
                       ") outs(%a2 : " + to +
                       ") attributes {mr = 1 : i64, kc = 0 : i64}"),
          target, {a.data(), b.data(), out.data()});
      expectNear(out.wide(), std::vector<double>(row.data(), row.data() + 8),
                 0.0, target.name + " " + type.str());
    }
}

} // namespace
