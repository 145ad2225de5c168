//===- ExpLog.cpp - exponentials and logarithms in f32 ----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements exp, exp2, expm1, log, log2 and log1p in f32: Cody and
// Waite's argument reduction and a minimax polynomial on what is left. The
// exponent comes out of the bits of x + 1.5 * 2^23, so nothing converts a
// float to an integer and no input is out of range anywhere.
//===----------------------------------------------------------------------===//
#include "passes/math/Coefficients.h"
#include "passes/math/Functions.h"

#include <limits>

namespace graven::elementary {

static constexpr double kInfinity = std::numeric_limits<double>::infinity();
static constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

Nearest nearestInteger(Expr x, double factor) {
  // At this magnitude one unit in the last place is 1.
  bool isDouble = x.elementType().isF64();
  Expr shift = x.constant(isDouble ? 0x1.8p52 : 0x1.8p23);
  Expr shifted = factor == 1 ? x + shift : multiplyAdd(x, factor, shift);
  return {shifted - shift, bitsOf(shifted) - bitsOf(shift)};
}

Nearest nearestInteger(Expr x) { return nearestInteger(x, 1); }

Expr powerOfTwo(Expr n) {
  bool isDouble = n.elementType().isInteger(64);
  return floatOf((n + (isDouble ? 1023 : 127)) << (isDouble ? 52 : 23));
}

PowerOfTwo nearestPower(Expr x, double factor, int extra) {
  // The biased exponent of the power comes out in the lowest bits.
  Expr shift = x.constant(0x1.8p23 + 127 + extra);
  Expr shifted = multiplyAdd(x, factor, shift);
  return {shifted - shift, floatOf(bitsOf(shifted) << 23)};
}

namespace {
/// x = exponent * ln2 + rest with |rest| <= ln2 / 2.
struct Reduced {
  Expr rest;
  Expr exponent;
};
} // namespace

Expr withoutLn2(Expr x, Expr n) {
  Expr rest = multiplyAdd(n, -kLn2HighF32, x);
  return multiplyAdd(n, -kLn2LowF32, rest);
}

static Reduced reduceByLn2(Expr x) {
  Nearest n = nearestInteger(x, kLog2E);
  return {withoutLn2(x, n.real), n.integer};
}

Expr expm1OfRestF32(Expr r) {
  return multiplyAdd(estrin(r, kExpm1F32), r * r, r);
}

/// e^r for a reduced r.
static Expr expOfRest(Expr r) {
  return multiplyAdd(estrin(r, kExpF32), r * r, r) + 1;
}

Expr scale(Expr y, Expr n) {
  Expr half = sar(n, 1);
  return y * powerOfTwo(half) * powerOfTwo(n - half);
}

Expr expF32(Expr x) {
  // e^89 overflows and e^-105 rounds to zero, so the limits change nothing.
  Expr limited = atLeast(atMost(x, 89), -105);
  // 2^n in two powers that are normal, the first of which the product is exact
  // with: 2^32 or 2^-32 are the second.
  constexpr double kShift = 0x1.8p23 + 127;
  Expr negative = x < 0;
  Expr shift = select(negative, x.constant(kShift + 32), kShift - 32);
  Expr shifted = multiplyAdd(limited, kLog2E, shift);
  Expr n = shifted - shift;
  Expr first = floatOf(bitsOf(shifted) << 23);
  Expr second = select(negative, x.constant(0x1p-32), 0x1p32);
  return expOfRest(withoutLn2(limited, n)) * first * second;
}

Expr expSmallF32(Expr x) {
  PowerOfTwo two = nearestPower(x, kLog2E);
  return expOfRest(withoutLn2(x, two.exponent)) * two.power;
}

Expr overOnePlusExpF32(Expr numerator, Expr x) {
  // Half of the denominator; beyond 2^128 it is infinite, so that the quotient
  // is zero. The power is added last, since e^r by itself would be rounded once
  // more.
  constexpr double kGreatest = 88.9;
  Expr limited = atLeast(atMost(x, kGreatest), -60);
  PowerOfTwo half = nearestPower(limited, kLog2E, -1);
  Expr rest = expm1OfRestF32(withoutLn2(limited, half.exponent));
  Expr below = multiplyAdd(rest, half.power, 0.5) + half.power;
  return numerator * 0.5 / select(x > kGreatest, x.constant(kInfinity), below);
}

Expr log1pOfExpF32(Expr x) {
  Expr y = expNonPositiveF32(x);
  return y * hornerOfEstrin(multiplyAdd(y, 2, -1), kLog1pUnitF32);
}

Expr expNonPositiveF32(Expr x) {
  // At -88 the exponent is -127, whose bits are those of zero.
  return expSmallF32(atLeast(x, -88));
}

/// 2^x of a sum that rounds x to an integer, and of what was rounded. The sum's
/// lowest bits are the biased exponent, and 0 those of zero.
static Expr softmaxPower(Expr shifted, Expr rest) {
  return horner(rest, kExp2ShortF32) * floatOf(bitsOf(shifted) << 23);
}
static constexpr double kSoftmaxShift = 0x1.8p23 + 127;

Expr softmaxWeightF32(Expr x) {
  // Below -88 the exponent is -127.
  Expr limited = atLeast(x, -88), shift = x.constant(kSoftmaxShift);
  Expr shifted = multiplyAdd(limited, kLog2E, shift);
  return softmaxPower(shifted, multiplyAdd(limited, kLog2E, shift - shifted));
}

Expr softmaxPowerF32(Expr x) {
  Expr limited = atLeast(x, -127), shift = x.constant(kSoftmaxShift);
  Expr shifted = limited + shift;
  return softmaxPower(shifted, limited + (shift - shifted));
}

Expr exp2F32(Expr x) {
  Expr limited = atLeast(atMost(x, 128), -151);
  Nearest n = nearestInteger(limited);
  Expr rest = limited - n.real;
  return scale(multiplyAdd(estrin(rest, kExp2F32), rest, 1), n.integer);
}

Expr expm1F32(Expr x) {
  // Below -18 the result is -1 to the last place.
  Reduced reduced = reduceByLn2(atLeast(atMost(x, 89), -18));
  Expr r = reduced.rest;
  Expr rest = expm1OfRestF32(r);
  // 2^n (e^r - 1) + (2^n - 1), with half of 2^n so that n = 128 fits.
  Expr half = powerOfTwo(reduced.exponent - 1);
  Expr y = multiplyAdd(rest, half, half - 0.5) * 2;
  // The halving would cost a denormal its last bit and -0 its sign.
  return select(abs(x) < 0x1p-26, x, y);
}

namespace {
/// x = 2^exponent * (1 + fraction), 1 + fraction in [sqrt(1/2), sqrt(2)).
struct Parts {
  Expr fraction;
  Expr exponent;
};
} // namespace

static constexpr int kSqrtHalfBits = 0x3f3504f3;

static Parts split(Expr x) {
  Expr bits = bitsOf(x);
  Expr exponent = sar(bits - kSqrtHalfBits, 23);
  return {floatOf(bits - (exponent << 23)) - 1, exponent};
}

/// The same with denormals brought into range first.
static Parts splitAny(Expr x) {
  Expr tiny = x < 0x1p-126;
  Parts parts = split(select(tiny, x * 0x1p25, x));
  Expr zero = parts.exponent.constant(0);
  return {parts.fraction, parts.exponent - select(tiny, 25, zero)};
}

static Expr exponentAsFloat(Expr exponent) {
  return signedToFloat(exponent, exponent.at().builder.getF32Type());
}

/// A logarithm's value where its argument is not in (0, inf).
static Expr finishLog(Expr x, Expr y) {
  Expr negative = select(x < 0, kNaN, x);
  Expr special = select(equals(x, 0), -kInfinity, negative);
  return select((x > 0) & (x < kInfinity), y, special);
}

/// ln(1 + f) - f for a reduced f.
static Expr logTail(Expr f) {
  Expr square = f * f;
  return multiplyAdd(square, -0.5, square * f * estrin(f, kLogF32));
}

Expr logF32(Expr x) {
  Parts parts = splitAny(x);
  Expr exponent = exponentAsFloat(parts.exponent);
  Expr y = multiplyAdd(exponent, kLn2LowF32, logTail(parts.fraction));
  return finishLog(x, multiplyAdd(exponent, kLn2HighF32, parts.fraction + y));
}

Expr log2F32(Expr x) {
  Parts parts = splitAny(x);
  Expr f = parts.fraction;
  Expr y = multiplyAdd(hornerOfEstrin(f, kLog2F32), f, f);
  return finishLog(x, exponentAsFloat(parts.exponent) + y);
}

Expr log1pF32(Expr x) {
  Expr u = x + 1;
  Parts parts = split(u);
  Expr exponent = exponentAsFloat(parts.exponent);
  // What x + 1 lost in rounding, as a correction of the logarithm. Where the
  // exponent is 0 the fraction is x itself and nothing is lost.
  Expr lost = select(u > 2, 1 - (u - x), x - (u - 1)) / u;
  Expr whole = equals(parts.exponent, 0);
  Expr fraction = select(whole, x, parts.fraction);
  Expr correction = multiplyAdd(exponent, kLn2LowF32, select(whole, 0, lost));
  Expr y = fraction + (logTail(fraction) + correction);
  y = multiplyAdd(exponent, kLn2HighF32, y);
  y = select(abs(x) < 0x1p-26, x, y);
  Expr special = select(equals(x, -1), -kInfinity, select(x < -1, kNaN, x));
  return select((x > -1) & (x < kInfinity), y, special);
}

} // namespace graven::elementary
