//===- ExpandMathTest.cpp - accuracy of the expansions ----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file tests every expansion of ExpandMath against libm in f64, on every
// 1021st float, or on all 2^32 with GRAVEN_EXHAUSTIVE=1 in the environment
// (about a minute a function), and that LLVM vectorizes each without calls.
//===----------------------------------------------------------------------===//
#include "test/unit/passes/math/Jit.h"

#include "gtest/gtest.h"

#include <bit>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <random>
#include <vector>

using graven::test::canRun;
using graven::test::Loop;
using graven::test::Processor;

namespace {

struct Unary {
  const char *op;
  double (*reference)(double);
  /// The largest error allowed, in units in the last place.
  double bound;
  /// Results nearer to 0 than this may be any that are.
  double tiny = 0;
};

double rsqrt(double x) { return 1 / std::sqrt(x); }

const Unary kUnary[] = {
    {"exp", std::exp, 2},     {"exp2", std::exp2, 2},
    {"expm1", std::expm1, 2}, {"log", std::log, 2},
    {"log2", std::log2, 2},   {"log10", std::log10, 2},
    {"log1p", std::log1p, 2}, {"tanh", std::tanh, 2},
    {"erf", std::erf, 2},     {"erfc", std::erfc, 2},
    {"sin", std::sin, 2},     {"cos", std::cos, 2},
    {"tan", std::tan, 2},     {"asin", std::asin, 2},
    {"acos", std::acos, 2},   {"atan", std::atan, 2},
    {"sinh", std::sinh, 2},   {"cosh", std::cosh, 2},
    {"asinh", std::asinh, 2}, {"acosh", std::acosh, 2},
    {"atanh", std::atanh, 2}, {"cbrt", std::cbrt, 2},
    {"rsqrt", rsqrt, 2},      {"floor", std::floor, 0},
    {"ceil", std::ceil, 0},   {"trunc", std::trunc, 0},
    {"round", std::round, 0}, {"roundeven", std::nearbyint, 0},
};

/// The distance of `got` from `exact` in units in the last place of an f32 of
/// its size; infinite where one is NaN and the other not, or where a zero has
/// the wrong sign.
double ulpError(float got, double exact) {
  constexpr double kMiss = std::numeric_limits<double>::infinity();
  if (std::isnan(exact) || std::isnan(got))
    return std::isnan(exact) && std::isnan(got) ? 0 : kMiss;
  if (exact == 0)
    return got == 0 && std::signbit(got) == std::signbit(exact) ? 0 : kMiss;
  if (std::isinf(exact))
    return got == exact ? 0 : kMiss;
  // An overflow counts as 2^128, the value it takes the place of.
  double value = std::isinf(got) ? std::copysign(0x1p128, got) : got;
  if (std::abs(exact) > 0x1p128)
    exact = std::copysign(0x1p128, exact);
  int exponent = std::max(std::ilogb(exact), -126);
  return std::abs(value - exact) /
         std::ldexp(1.0, std::min(exponent, 127) - 23);
}

bool isExhaustive() {
  const char *value = std::getenv("GRAVEN_EXHAUSTIVE");
  return value && *value && *value != '0';
}

struct Worst {
  double ulp = 0;
  float x = 0;
  float z = 0;
  float got = 0;

  void see(double error, float atX, float atZ, float value) {
    if (!(error > ulp))
      return;
    ulp = error;
    x = atX;
    z = atZ;
    got = value;
  }
};

/// Values at which functions have their special cases.
const float kSpecial[] = {0.0f,
                          -0.0f,
                          1.0f,
                          -1.0f,
                          2.0f,
                          -2.0f,
                          0.5f,
                          -0.5f,
                          3.0f,
                          -3.0f,
                          1.5f,
                          -1.5f,
                          0x1p24f,
                          0x1p-149f,
                          -0x1p-149f,
                          0x1.fffffep127f,
                          -0x1.fffffep127f,
                          0x1.fffffep-1f,
                          0x1.000002p0f,
                          0x1.000001p23f,
                          -0x1.000002p23f,
                          0x1.fffffep22f,
                          33.0f,
                          -34.0f,
                          INFINITY,
                          -INFINITY,
                          NAN};

Worst sweep(const Unary &function, const Loop &loop) {
  uint64_t step = isExhaustive() ? 1 : 1021;
  std::vector<float> x(Loop::kBatch), y(Loop::kBatch);
  Worst worst;
  for (uint64_t next = 0; next < (uint64_t(1) << 32);) {
    int64_t count = 0;
    for (float value : kSpecial)
      x[count++] = value;
    for (; count < Loop::kBatch; ++count, next += step)
      x[count] = std::bit_cast<float>(static_cast<uint32_t>(next));
    loop(x.data(), y.data());
    for (int64_t i = 0; i < count; ++i) {
      double exact = function.reference(x[i]);
      if (std::abs(exact) < function.tiny && std::abs(y[i]) <= function.tiny)
        continue;
      worst.see(ulpError(y[i], exact), x[i], 0, y[i]);
    }
  }
  return worst;
}

class ExpandMath : public testing::TestWithParam<std::tuple<Unary, Processor>> {
};

std::string nameOf(const std::tuple<Unary, Processor> &param) {
  bool isHost = std::get<1>(param) == Processor::Host;
  return std::string(std::get<0>(param).op) + (isHost ? "_host" : "_baseline");
}

TEST_P(ExpandMath, WithinBoundAndVectorized) {
  auto [function, processor] = GetParam();
  if (!canRun(processor))
    GTEST_SKIP() << "this machine has no fused multiply-add";
  Loop loop(function.op, 1, processor);
  EXPECT_TRUE(loop.isVectorized());
  EXPECT_EQ(loop.calls(), "");
  Worst worst = sweep(function, loop);
  std::printf("%-24s max %.3f ulp at x = %a (%.9g): got %.9g, exact %.17g\n",
              nameOf(GetParam()).c_str(), worst.ulp, worst.x, worst.x,
              worst.got, function.reference(worst.x));
  EXPECT_LE(worst.ulp, function.bound);
}

double gelu(double x) { return x / 2 * std::erfc(-x * 0.70710678118654752440); }
double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }
double softplusTail(double x) { return std::log1p(std::exp(-std::abs(x))); }
double tanhOfSoftplus(double x) {
  double e = std::exp(std::min(x, 40.0));
  return std::isnan(x) ? x : e * (e + 2) / (e * (e + 2) + 2);
}

double geluTanh(double x) {
  double u = -2 * 0.79788456080286535588 * (x + 0.044715 * x * x * x);
  return x / (1 + std::exp(u));
}
double silu(double x) { return x / (1 + std::exp(-x)); }
double mish(double x) { return x * tanhOfSoftplus(x); }
double softplus(double x) {
  return std::isnan(x) ? x : std::fmax(x, 0) + softplusTail(x);
}
double hardSwish(double x) {
  return std::isnan(x) ? x : x * (std::fmin(std::fmax(x + 3, 0), 6) / 6);
}
double selu(double x) {
  return 1.0507009873554805 * (x > 0 ? x : 1.6732632423543772 * std::expm1(x));
}

const Unary kFormulas[] = {
    {graven::test::kGelu, gelu, 2, 0x1p-126},
    {graven::test::kSigmoid, sigmoid, 2, 0x1p-126},
    {graven::test::kSoftplusTail, softplusTail, 2, 0x1p-126},
    {graven::test::kTanhOfSoftplus, tanhOfSoftplus, 2, 0x1p-126},
    {graven::test::kGeluTanh, geluTanh, 2, 0x1p-126},
    {graven::test::kSilu, silu, 2, 0x1p-126},
    {graven::test::kMish, mish, 2, 0x1p-126},
    {graven::test::kSoftplus, softplus, 2, 0x1p-126},
    {graven::test::kHardSwish, hardSwish, 2},
    {graven::test::kSelu, selu, 2},
};

INSTANTIATE_TEST_SUITE_P(Formulas, ExpandMath,
                         testing::Combine(testing::ValuesIn(kFormulas),
                                          testing::Values(Processor::Baseline,
                                                          Processor::Host)),
                         [](const auto &info) { return nameOf(info.param); });

INSTANTIATE_TEST_SUITE_P(Unary, ExpandMath,
                         testing::Combine(testing::ValuesIn(kUnary),
                                          testing::Values(Processor::Baseline,
                                                          Processor::Host)),
                         [](const auto &info) { return nameOf(info.param); });

/// Pairs: the special values crossed, then random bits and random moderate
/// numbers by turns.
void fillPairs(std::mt19937 &random, bool first, std::vector<float> &x,
               std::vector<float> &z) {
  std::uniform_real_distribution<float> moderate(-20.0f, 20.0f);
  for (int64_t i = 0; i < Loop::kBatch; ++i) {
    bool isBits = i % 2;
    x[i] = isBits ? std::bit_cast<float>(uint32_t(random())) : moderate(random);
    z[i] = isBits ? std::bit_cast<float>(uint32_t(random())) : moderate(random);
    if (i % 8 == 6)
      z[i] = std::rint(z[i]);
    if (i % 8 == 4)
      x[i] = 1 + x[i] * 0x1p-12f;
  }
  if (!first)
    return;
  int64_t i = 0;
  for (float a : kSpecial)
    for (float b : kSpecial) {
      x[i] = a;
      z[i++] = b;
    }
}

void checkBinary(const char *op, double (*reference)(double, double)) {
  for (Processor processor : {Processor::Baseline, Processor::Host}) {
    if (!canRun(processor))
      continue;
    Loop loop(op, 2, processor);
    EXPECT_TRUE(loop.isVectorized());
    EXPECT_EQ(loop.calls(), "");
    std::mt19937 random(7);
    std::vector<float> x(Loop::kBatch), z(Loop::kBatch), y(Loop::kBatch);
    Worst worst;
    for (int batch = 0; batch < (isExhaustive() ? 2000 : 20); ++batch) {
      fillPairs(random, batch == 0, x, z);
      loop(x.data(), z.data(), y.data());
      for (int64_t i = 0; i < Loop::kBatch; ++i)
        worst.see(ulpError(y[i], reference(x[i], z[i])), x[i], z[i], y[i]);
    }
    std::printf("%s: max %.3f ulp at (%a, %a): got %.9g, exact %.17g\n", op,
                worst.ulp, worst.x, worst.z, worst.got,
                reference(worst.x, worst.z));
    EXPECT_LE(worst.ulp, 2);
  }
}

TEST(ExpandMathBinary, Powf) { checkBinary("powf", std::pow); }
TEST(ExpandMathBinary, Atan2) { checkBinary("atan2", std::atan2); }

} // namespace
