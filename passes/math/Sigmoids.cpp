//===- Sigmoids.cpp - tanh, erf, erfc, gelu, silu, mish ---------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements tanh in f32 by e^2x - 1, which loses nothing near zero,
// erf by an odd polynomial near zero and one exponential beyond, erfc through
// the scaled function in f64, and gelu through it in f32, or in f64 where there
// is no fused multiplication and addition.
//===----------------------------------------------------------------------===//
#include "passes/math/Coefficients.h"
#include "passes/math/Functions.h"

#include <cmath>
#include <iterator>
#include <limits>

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
  Expr tail = multiplyAdd(estrin(r, kHalfExpm1F32), r * r, r);
  Expr above = multiplyAdd(tail, two.power, multiplyAdd(two.power, 0.5, -0.5));
  Expr below = multiplyAdd(tail, two.power, multiplyAdd(two.power, 0.5, 0.5));
  // The sign last, for -0.
  return copySign(above / below, x);
}

/// The same where nothing rounds just once.
static Expr timesTanhOfSoftplusWide(Expr factor, Expr x) {
  Expr e = exp2F64(atLeast(atMost(toF64(x), 40), -105) * kLog2E);
  Expr half = multiplyAdd(e, e * 0.5, e);
  Expr y = toF64(factor) * (half / (half + 1));
  // Of -infinity the product with 0 is NaN.
  return toF32(select(x < -105, toF64(factor) * 0, y));
}

Expr timesTanhOfSoftplusF32(Expr factor, Expr x) {
  if (x.at().contraction == Contraction::Separate)
    return timesTanhOfSoftplusWide(factor, x);
  // tanh(ln(1 + e)) = h / (1 + h), h = e (e + 2) / 2, e = e^x = 2^n (1 + g).
  // With h = 2^n (1 + w), w = g + 2^(n-1) (1 + g)^2, both h and 1 + h are in
  // two parts, and what the division lost is known. At -99.2 the power is 0,
  // and its product with infinity NaN. h and the quotient are 2^16 of
  // themselves.
  Expr limited = atLeast(atMost(x, 20), -99.2);
  PowerOfTwo two = nearestPower(limited, kLog2E, 16);
  Expr g = expm1OfRestF32(withoutLn2(limited, two.exponent));
  Expr e = g + 1;
  Expr w = multiplyAdd(e * e, two.power * 0x1p-17, g);
  Expr h = multiplyAdd(w, two.power, two.power);
  Expr hRest = multiplyAdd(w, two.power, two.power - h);
  Expr sum = multiplyAdd(h, 0x1p-16, 1);
  Expr sumRest = multiplyAdd(hRest, 0x1p-16, multiplyAdd(h, 0x1p-16, 1 - sum));
  Expr quotient = h / sum;
  Expr remainder =
      multiplyAdd(-quotient, sumRest, multiplyAdd(-quotient, sum, h) + hRest);
  // Next to 1 the difference from it, 1 / (1 + h), has no digits left, and the
  // quotient needs no more.
  Expr inverse = select(x < 6, multiplyAdd(quotient, -0x1p-16, 1), 0);
  Expr rest = remainder * inverse;
  Expr y = multiplyAdd(factor, quotient, factor * rest) * 0x1p-16;
  // It is 1 from 17 on, where the product with a factor may be infinite.
  return select(x >= 20, factor, y);
}

Expr erfF32(Expr x) {
  Expr magnitude = abs(x);
  // Beyond 3.93 the result is 1 to the last place.
  Expr limited = atMost(magnitude, 3.95);
  Expr far = 1 - expSmallF32(-hornerOfEstrin(limited, kErfTailF32));
  Expr near = multiplyAdd(estrin(x * x, kErfF32), x, x);
  return select(magnitude < 0.92, near, copySign(far, x));
}

/// erfc(u) for f64, with f32's needs; 0 from 10.3 on, which is 2^-157.
static Expr erfcF64(Expr x) {
  // erfc(10.06) is the last value that does not round to zero.
  Expr u = atMost(abs(x), 10.1);
  // One division for both quotients, which f64 has digits for.
  Expr denominator = multiplyAdd(u, 2, 1);
  Expr inverse = 1 / ((u + 3) * denominator);
  Expr t = (u - 3) * denominator * inverse;
  Expr gauss = exp2F64(u * u * -kLog2E);
  Expr y = gauss * horner(t, kErfcF64) * ((u + 3) * inverse);
  return select(x < 0, 2 - y, select(x > 10.3, 0, y));
}

Expr erfcF32(Expr x) { return toF32(erfcF64(toF64(x))); }

/// x/2 erfc(-x / sqrt(2)) where nothing rounds just once.
static Expr geluWide(Expr x) {
  Expr wide = toF64(x);
  return toF32(wide * 0.5 * erfcF64(wide * -0.70710678118654752440));
}

Expr geluF32(Expr x) {
  if (x.at().contraction == Contraction::Separate)
    return geluWide(x);
  // max(x, 0) - u/2 erfc(u / sqrt(2)), u = |x|: the product is small beside a
  // positive x, and all there is for a negative one. From 13.2 on, where it is
  // below 2^-126, the power is 0; its product with what -infinity gives is NaN.
  constexpr double kLimit = 13.2;
  Expr u = select(x > 0, atMost(x, kLimit), -x);
  Expr limited = atMost(u, kLimit);
  Expr square = limited * limited;
  Expr squareRest = multiplyAdd(limited, limited, -square);
  // -2 r, where e^(-u^2/2) = 2^n e^r.
  PowerOfTwo two = nearestPower(square, -kLog2E / 2, -1);
  Expr rest = multiplyAdd(two.exponent, 2 * kLn2HighF32, square);
  rest = multiplyAdd(two.exponent, 2 * kLn2LowF32, rest) + squareRest;
  double halves[std::size(kExpF32)];
  for (size_t i = 0; i < std::size(kExpF32); ++i)
    halves[i] = std::ldexp(i % 2 ? -kExpF32[i] : kExpF32[i], -int(i) - 2);
  Expr gauss = multiplyAdd(estrin(rest, halves), rest * rest, rest * -0.5);
  // The quotient u / (u + 2) in two parts, since all that is left is a product
  // with it and the polynomial's argument is steep in it: what the sum lost and
  // what the product with the inverse lost.
  Expr sum = u + 2;
  Expr lost = u - (sum - 2);
  Expr inverse = 1 / sum;
  Expr q = u * inverse;
  Expr remainder = multiplyAdd(-q, lost, multiplyAdd(-q, sum, u));
  Expr qRest = remainder * inverse;
  // (1 + P) (1 + gauss) = 1 + whole: neither sum is rounded by itself.
  Expr t = multiplyAdd(qRest, 2, multiplyAdd(q, 2, -1));
  // The first two coefficients are far larger than the others.
  llvm::ArrayRef<double> coefficients(kGeluF32);
  Expr p = multiplyAdd(hornerOfEstrin(t, coefficients.drop_front()), t,
                       coefficients.front());
  Expr whole = p + multiplyAdd(p, gauss, gauss);
  Expr product = q + multiplyAdd(q, whole, multiplyAdd(qRest, whole, qRest));
  // Of -0, the sum of two zeros is -0 again.
  return atLeast(x, -0.0) - product * two.power;
}

namespace {
/// A sum that need not be rounded.
struct Parts {
  Expr high;
  Expr low;
};
} // namespace

/// -2 sqrt(2 / pi) (x + 0.044715 x^3) to 2^-30 of itself.
static Parts tanhGeluArgument(Expr x) {
  constexpr double kFactor = -2 * 0.79788456080286535588, kCubic = 0.044715;
  if (x.at().contraction == Contraction::Separate) {
    Expr wide = toF64(x);
    Expr whole = wide * kFactor * multiplyAdd(wide * wide, kCubic, 1);
    Expr high = toF32(whole);
    return {high, toF32(whole - toF64(high))};
  }
  auto lowOf = [](double number) {
    return number - static_cast<double>(static_cast<float>(number));
  };
  Expr square = x * x;
  Expr squareRest = multiplyAdd(x, x, -square);
  Expr growth = multiplyAdd(square, kCubic, 1);
  Expr growthRest = multiplyAdd(square, kCubic, 1 - growth) +
                    multiplyAdd(squareRest, kCubic, square * lowOf(kCubic));
  Expr line = x * kFactor;
  Expr lineRest =
      multiplyAdd(x, lowOf(kFactor), multiplyAdd(x, kFactor, -line));
  Expr high = line * growth;
  Expr low = multiplyAdd(line, growth, -high) +
             multiplyAdd(line, growthRest, lineRest * growth);
  return {high, low};
}

/// x / (1 + e^z) for a z of x, both scaled so that e^132 2^-6 is finite; next
/// to 0, where x would not be normal, x/2.
static Expr overOnePlusScaled(Expr x, PowerOfTwo two, Expr rest,
                              Expr isInfinite) {
  Expr g = expm1OfRestF32(rest);
  Expr below = multiplyAdd(g, two.power, 0x1p-6) + two.power;
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  Expr y = x * 0x1p-6 / select(isInfinite, kInfinity, below);
  return select(abs(x) < 0x1p-64, x * 0.5, y);
}

Expr geluTanhF32(Expr x) {
  // From 6 on the exponential is less than half a unit in the last place of 1;
  // at -10.14 the result is 2^-127.
  constexpr double kLeast = -10.14;
  Parts z = tanhGeluArgument(atLeast(atMost(x, 6), kLeast));
  PowerOfTwo two = nearestPower(z.high, kLog2E, -6);
  Expr rest = withoutLn2(z.high, two.exponent) + z.low;
  return overOnePlusScaled(x, two, rest, x < kLeast);
}

Expr siluF32(Expr x) {
  // At -91.86 the result is 2^-126.
  constexpr double kLeast = -91.86;
  Expr z = -atLeast(atMost(x, 60), kLeast);
  PowerOfTwo two = nearestPower(z, kLog2E, -6);
  return overOnePlusScaled(x, two, withoutLn2(z, two.exponent), x < kLeast);
}

} // namespace graven::elementary
