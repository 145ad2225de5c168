//===- Power.cpp - powers, roots and the decimal logarithm ------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements pow, cbrt, log10 and rsqrt for f32: 2^(y log2 |x|) in
// f64, where the product's error is small enough, and selects for the special
// cases of C's Annex F.
//===----------------------------------------------------------------------===//
#include "passes/math/Coefficients.h"
#include "passes/math/Functions.h"

#include <limits>

namespace graven::elementary {

static constexpr double kInfinity = std::numeric_limits<double>::infinity();
static constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

/// log2 of a magnitude (f64 that came from f32): also 0, infinity and NaN.
static Expr log2OfMagnitude(Expr a) {
  Expr y = log2F64(a);
  y = select(equals(a, 0), -kInfinity, y);
  return select(a < kInfinity, y, a);
}

/// 2^x where x may be anything and the result goes to f32.
static Expr exp2Any(Expr x) { return exp2F64(atLeast(atMost(x, 200), -200)); }

/// Whether a non-negative f64 has an integral value; infinity has.
static Expr isIntegral(Expr a) {
  Expr shift = a.constant(0x1p52);
  return equals((a + shift) - shift, a) | (a >= shift);
}

Expr powF32(Expr x, Expr y) {
  Expr base = toF64(x);
  Expr magnitude = abs(base);
  Expr exponent = abs(y);
  Expr product = log2OfMagnitude(magnitude) * y;
  // (-1)^(+-inf) is 1, and x^0 is 1 even where x is NaN.
  Expr isOne = equals(magnitude, 1) & equals(exponent, kInfinity);
  product = select(isOne | equals(y, 0), 0, product);
  Expr power = exp2Any(product);
  Expr integral = isIntegral(exponent);
  Expr odd = integral & !isIntegral(exponent * 0.5);
  Expr negative = bitsOf(base) < 0;
  power = select(negative & odd, -power, power);
  // A finite negative base has no real power with a fractional exponent.
  Expr undefined =
      (base < 0) & (magnitude < kInfinity) & !integral & equals(y, y);
  power = select(undefined, kNaN, power);
  return toF32(select(equals(base, 1), 1, power));
}

Expr cbrtF32(Expr x) {
  Expr a = abs(toF64(x));
  Expr y = exp2Any(log2F64(a) * (1.0 / 3));
  y = select((a > 0) & (a < kInfinity), y, a);
  return copySign(toF32(y), x);
}

Expr log10F32(Expr x) {
  Expr wide = toF64(x);
  Expr y = logF64(wide) * kLog10E;
  Expr special =
      select(equals(wide, 0), -kInfinity, select(wide < 0, kNaN, wide));
  return toF32(select((wide > 0) & (wide < kInfinity), y, special));
}

Expr rsqrtF32(Expr x) { return 1 / sqrt(x); }

} // namespace graven::elementary
