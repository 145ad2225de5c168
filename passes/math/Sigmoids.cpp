//===- Sigmoids.cpp - tanh, erf, erfc, gelu ---------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements tanh in f32 by e^2x - 1, which loses nothing near zero,
// erf by an odd polynomial near zero and one exponential beyond, erfc through
// the scaled function in f64, and gelu through it in f32.
//===----------------------------------------------------------------------===//
#include "passes/math/Coefficients.h"
#include "passes/math/Functions.h"

#include <cmath>
#include <iterator>

namespace graven::elementary {

Expr tanhF32(Expr x) {
  // Of -|x|, so that the sums round less. Beyond 9.02 the result is 1 to the
  // last place.
  Expr limited = atLeast(-abs(x), -9.1);
  // (e^2x - 1) / 2 = 2^n (e^2r - 1) / 2 + (2^n - 1) / 2, n ln2/2 + r = x; below
  // it stands the same with + 1. Next to the one, what ln2 in one part loses is
  // too small to see.
  PowerOfTwo two = nearestPower(limited, 2 * kLog2E);
  Expr r = multiplyAdd(two.exponent, -kLn2 / 2, limited);
  Expr tail = multiplyAdd(horner(r, kHalfExpm1F32), r * r, r);
  Expr above = multiplyAdd(tail, two.power, multiplyAdd(two.power, 0.5, -0.5));
  Expr below = multiplyAdd(tail, two.power, multiplyAdd(two.power, 0.5, 0.5));
  // The sign last, for -0.
  return copySign(above / below, x);
}

Expr tanhOfSoftplusF32(Expr x) {
  // tanh(ln(1 + e)) = e (e + 2) / (e (e + 2) + 2), which is 1 from 17 on.
  Expr e = expSmallF32(atLeast(atMost(x, 20), -88));
  Expr product = multiplyAdd(e, e, e * 2);
  return product / (product + 2);
}

Expr erfF32(Expr x) {
  Expr magnitude = abs(x);
  // Beyond 3.93 the result is 1 to the last place.
  Expr limited = atMost(magnitude, 3.95);
  Expr far = 1 - expSmallF32(-horner(limited, kErfTailF32));
  Expr near = multiplyAdd(horner(x * x, kErfF32), x, x);
  return select(magnitude < 0.92, near, copySign(far, x));
}

Expr erfcF32(Expr x) {
  // erfc(10.06) is the last value that does not round to zero.
  Expr u = atMost(abs(toF64(x)), 10.1);
  // One division for both quotients, which f64 has digits for.
  Expr denominator = multiplyAdd(u, 2, 1);
  Expr inverse = 1 / ((u + 3) * denominator);
  Expr t = (u - 3) * denominator * inverse;
  Expr gauss = exp2F64(u * u * -kLog2E);
  Expr y = gauss * horner(t, kErfcF64) * ((u + 3) * inverse);
  Expr wide = select(toF64(x) < 0, 2 - y, y);
  return toF32(wide);
}

namespace {
/// A square in two parts whose sum is exact.
struct Square {
  Expr high;
  Expr low;
};
} // namespace

static Square squareOf(Expr u) {
  if (u.at().contraction == Contraction::Fused) {
    Expr high = u * u;
    return {high, multiplyAdd(u, u, -high)};
  }
  // The square of 12 bits is exact.
  Expr part = floatOf(bitsOf(u) & int64_t(0xfffff000));
  return {part * part, (u - part) * (u + part)};
}

Expr geluF32(Expr x) {
  // max(x, 0) - u/2 erfc(u / sqrt(2)), u = |x|: the product is small beside a
  // positive x, and all there is for a negative one. It is 0 from 14.4 on.
  Expr u = atMost(abs(x), 14.45);
  Square square = squareOf(u);
  // -2 r, where e^(-u^2/2) = 2^n e^r; 2^24 keeps the power normal.
  PowerOfTwo two = nearestPower(square.high, -kLog2E / 2, 24);
  Expr rest = multiplyAdd(two.exponent, 2 * kLn2HighF32, square.high);
  rest = multiplyAdd(two.exponent, 2 * kLn2LowF32, rest) + square.low;
  double halves[std::size(kExpF32)];
  for (size_t i = 0; i < std::size(kExpF32); ++i)
    halves[i] = std::ldexp(i % 2 ? -kExpF32[i] : kExpF32[i], -int(i) - 2);
  Expr gauss = multiplyAdd(horner(rest, halves), rest * rest, rest * -0.5) + 1;
  // u last: it may be so small that nothing may come between. Of -infinity it
  // is infinite, and the product NaN.
  Expr last = select(-x > u, -x, u);
  Expr numerator = horner(u, kGeluNumerator) * (gauss * two.power) * last;
  // Of -0, the sum of two zeros is -0 again.
  return atLeast(x, -0.0) - numerator / horner(u, kGeluDenominator);
}

} // namespace graven::elementary
