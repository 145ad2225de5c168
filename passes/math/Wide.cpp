//===- Wide.cpp - pieces computed in f64 for f32 results --------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements exponentials and logarithms in f64 that are accurate
// to f32's needs (relative error below 2^-33, including near zero), which the
// functions that are not worth a careful f32 form are composed of.
//===----------------------------------------------------------------------===//
#include "passes/math/Coefficients.h"
#include "passes/math/Functions.h"

#include <limits>

namespace graven::elementary {

static constexpr double kInfinity = std::numeric_limits<double>::infinity();
static constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

/// e^r - 1 for |r| <= ln2 / 2.
static Expr expm1OfRest(Expr r) {
  return multiplyAdd(horner(r, kExpm1F64), r * r, r);
}

Expr expm1F64(Expr x) {
  Nearest n = nearestInteger(x, kLog2E);
  Expr rest = expm1OfRest(multiplyAdd(n.real, -kLn2, x));
  Expr power = powerOfTwo(n.integer);
  return multiplyAdd(rest, power, power - 1);
}

Expr exp2F64(Expr x) {
  Nearest n = nearestInteger(x);
  Expr rest = expm1OfRest((x - n.real) * kLn2);
  return (rest + 1) * powerOfTwo(n.integer);
}

namespace {
/// x = 2^exponent * m with m in [sqrt(1/2), sqrt(2)), and ln(m).
struct LogParts {
  Expr log;
  Expr exponent;
};
} // namespace

static LogParts splitLog(Expr x) {
  Expr bits = bitsOf(x);
  // The bits of sqrt(1/2), below which the exponent is one less; biased so
  // that the difference is positive and a logical shift does.
  constexpr int64_t kSqrtHalf = 0x3fe6a09e667f3bcd;
  constexpr int64_t kBias = int64_t(1024) << 52;
  Expr exponent = ((bits + (kBias - kSqrtHalf)) >> 52) - 1024;
  Expr m = floatOf(bits - (exponent << 52));
  Expr s = (m - 1) / (m + 1);
  Expr square = s * s;
  Expr log = s * multiplyAdd(horner(square, kLogF64), square, 2);
  // A small integer becomes a float through the bits of 1.5 * 2^52.
  Expr shift = m.constant(0x1.8p52);
  return {log, floatOf(exponent + bitsOf(shift)) - shift};
}

Expr logF64(Expr x) {
  LogParts parts = splitLog(x);
  return multiplyAdd(parts.exponent, kLn2, parts.log);
}

Expr log2F64(Expr x) {
  LogParts parts = splitLog(x);
  return multiplyAdd(parts.log, kLog2E, parts.exponent);
}

Expr log1pF64(Expr x) {
  Expr u = x + 1;
  Expr lost = select(u > 2, 1 - (u - x), x - (u - 1)) / u;
  Expr y = logF64(u) + lost;
  y = select(equals(x, kInfinity), x, y);
  return select(x < -1, kNaN, y);
}

} // namespace graven::elementary
