//===- Circular.cpp - circular functions and their inverses -----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements sin, cos, tan, asin, acos, atan and atan2 for f32. The
// argument of the first three is reduced exactly: by Cody and Waite's method
// in f64 below 2^24, by Payne and Hanek's in integers above; both are
// computed and one is selected, so that there is no branch.
//===----------------------------------------------------------------------===//
#include "passes/math/Coefficients.h"
#include "passes/math/Functions.h"

#include <limits>

namespace graven::elementary {

namespace {
/// |x| = (quadrant + 4k) * pi/2 + angle with |angle| <= pi/4; quadrant is i64
/// of which the two lowest bits count.
struct Angle {
  Expr angle;
  Expr quadrant;
};
} // namespace

/// For 0 <= x < 2^24, in f64: n * kHalfPiHigh is exact.
static Angle reduceSmall(Expr x) {
  Nearest n = nearestInteger(x, kTwoOverPi);
  Expr high = multiplyAdd(n.real, -kHalfPiHigh, x);
  return {multiplyAdd(n.real, -kHalfPiLow, high), n.integer};
}

/// The first 224 bits of 1 / (2 pi) after the binary point.
static constexpr uint64_t kTurnBits[] = {0x28be60db, 0x9391054a, 0x7f09d5f4,
                                         0x7d4d3770, 0x36d8a566, 0x4f10e410,
                                         0x7f9458ea};

/// The 64 bits of 1 / (2 pi) from bit 32 * (word + first), for word 0 to 3.
static Expr turnWords(Expr word, unsigned first) {
  auto pair = [&](unsigned i) {
    return word.constant((kTurnBits[first + i] << 32) |
                         kTurnBits[first + i + 1]);
  };
  Expr low = select(equals(word & 1, 0), pair(0), pair(1));
  Expr high = select(equals(word & 1, 0), pair(2), pair(3));
  return select(word < 2, low, high);
}

/// For x >= 2^24 (f32, given by its bits): x = m * 2^s, and the fraction of
/// m * 2^s / (2 pi) needs only the 96 bits of 1 / (2 pi) from bit s.
static Angle reduceLarge(Expr bits) {
  Expr wide = zeroExtend(bits, 64);
  Expr mantissa = (wide & 0x7fffff) | 0x800000;
  // The mask is for small x, whose result is not used.
  Expr s = ((wide >> 23) - 150) & 127;
  Expr word = s >> 5;
  Expr shift = 32 - (s & 31);
  constexpr int64_t kLow = 0xffffffff;
  Expr high = ((turnWords(word, 0) >> shift) & kLow) * mantissa;
  Expr middle = ((turnWords(word, 1) >> shift) & kLow) * mantissa;
  Expr low = ((turnWords(word, 2) >> shift) & kLow) * mantissa;
  Expr sum = middle + (low >> 32);
  // 32 bits of turns, of which the first two are the quadrant, and 32 more.
  Expr turns = (high + (sum >> 32)) & kLow;
  Expr quadrant = (turns + 0x20000000) >> 30;
  Expr fraction = ((turns << 32) | (sum & kLow)) << 2;
  mlir::Type f64 = bits.at().builder.getF64Type();
  Expr signedHalf = signedToFloat(truncateTo(fraction >> 32, 32), f64);
  Expr shift52 = signedHalf.constant(0x1p52);
  Expr lowHalf = floatOf((fraction & kLow) | bitsOf(shift52)) - shift52;
  Expr quarters = multiplyAdd(lowHalf, 0x1p-32, signedHalf) * 0x1p-32;
  return {quarters * kHalfPi, quadrant};
}

static Angle reduceByHalfPi(Expr x) {
  Expr magnitude = abs(x);
  Angle small = reduceSmall(toF64(magnitude));
  Angle large = reduceLarge(bitsOf(magnitude));
  Expr isSmall = magnitude < 0x1p24;
  return {select(isSmall, small.angle, large.angle),
          select(isSmall, small.quadrant, large.quadrant)};
}

static Expr sinOfAngle(Expr r) {
  Expr square = r * r;
  return multiplyAdd(horner(square, kSinF64), square * r, r);
}

static Expr cosOfAngle(Expr r) {
  Expr square = r * r;
  Expr tail = horner(square, kCosF64) * square;
  return multiplyAdd(tail - 0.5, square, 1);
}

/// One of sine and cosine, by the quadrant, with the quadrant's sign; `flip`
/// has the bits of a further sign to apply. NaN where x is not finite.
static Expr ofQuadrant(Expr x, Expr sine, Expr cosine, Expr quadrant,
                       Expr flip) {
  Expr value = toF32(select(equals(quadrant & 1, 0), sine, cosine));
  Expr sign = truncateTo((quadrant & 2) << 30, 32);
  Expr y = floatOf(bitsOf(value) ^ sign ^ flip);
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  return select(abs(x) < kInfinity, y, x - x);
}

static Expr signBit(Expr x) { return bitsOf(x) & int64_t(0x80000000); }

SineAndCosine sinCosF32(Expr x) {
  Angle angle = reduceByHalfPi(x);
  Expr sine = sinOfAngle(angle.angle);
  Expr cosine = cosOfAngle(angle.angle);
  Expr none = bitsOf(x).constant(0);
  return {ofQuadrant(x, sine, cosine, angle.quadrant, signBit(x)),
          ofQuadrant(x, sine, cosine, angle.quadrant + 1, none)};
}

Expr sinF32(Expr x) {
  Angle angle = reduceByHalfPi(x);
  return ofQuadrant(x, sinOfAngle(angle.angle), cosOfAngle(angle.angle),
                    angle.quadrant, signBit(x));
}

Expr cosF32(Expr x) {
  Angle angle = reduceByHalfPi(x);
  return ofQuadrant(x, sinOfAngle(angle.angle), cosOfAngle(angle.angle),
                    angle.quadrant + 1, bitsOf(x).constant(0));
}

Expr tanF32(Expr x) {
  Angle angle = reduceByHalfPi(x);
  Expr sine = sinOfAngle(angle.angle);
  Expr cosine = cosOfAngle(angle.angle);
  Expr even = equals(angle.quadrant & 1, 0);
  Expr value = select(even, sine, -cosine) / select(even, cosine, sine);
  Expr y = floatOf(bitsOf(toF32(value)) ^ signBit(x));
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  return select(abs(x) < kInfinity, y, x - x);
}

namespace {
/// asin of min(a, sqrt((1 - a) / 2)), and which of the two it was.
struct HalfArcsine {
  Expr value;
  Expr isSmall;
};
} // namespace

static HalfArcsine halfArcsine(Expr magnitude) {
  Expr isSmall = magnitude <= 0.5;
  // Beyond 1 the root, and so the result, is NaN.
  Expr square = select(isSmall, magnitude * magnitude, (1 - magnitude) * 0.5);
  Expr root = select(isSmall, magnitude, sqrt(square));
  Expr value = multiplyAdd(horner(square, kAsinF64), square * root, root);
  return {value, isSmall};
}

Expr asinF32(Expr x) {
  Expr wide = toF64(x);
  HalfArcsine half = halfArcsine(abs(wide));
  Expr y = select(half.isSmall, half.value,
                  multiplyAdd(half.value, -2, half.value.constant(kHalfPi)));
  return toF32(copySign(y, wide));
}

Expr acosF32(Expr x) {
  Expr wide = toF64(x);
  HalfArcsine half = halfArcsine(abs(wide));
  Expr twice = half.value * 2;
  Expr large = select(wide < 0, kPi - twice, twice);
  Expr small = kHalfPi - copySign(half.value, wide);
  return toF32(select(half.isSmall, small, large));
}

/// atan(t) for |t| <= 1.
static Expr atanOfRatio(Expr t) {
  Expr square = t * t;
  return multiplyAdd(horner(square, kAtanF64), square * t, t);
}

Expr atanF32(Expr x) {
  Expr wide = toF64(x);
  Expr magnitude = abs(wide);
  Expr isLarge = magnitude > 1;
  Expr y = atanOfRatio(select(isLarge, 1, magnitude) /
                       select(isLarge, magnitude, 1));
  return toF32(copySign(select(isLarge, kHalfPi - y, y), wide));
}

Expr atan2F32(Expr y, Expr x) {
  Expr wideY = toF64(y);
  Expr wideX = toF64(x);
  Expr up = abs(wideY);
  Expr along = abs(wideX);
  Expr steep = up > along;
  Expr smaller = select(steep, along, up);
  Expr larger = select(steep, up, along);
  // 0/0 counts as 0 and inf/inf as 1, as C says.
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  Expr ratio = smaller / select(equals(larger, 0), 1, larger);
  ratio = select(equals(smaller, kInfinity), 1, ratio);
  Expr angle = atanOfRatio(ratio);
  angle = select(steep, kHalfPi - angle, angle);
  angle = select(bitsOf(wideX) < 0, kPi - angle, angle);
  // A NaN in y shows in the ratio; one in x does unless y is infinite.
  angle = select(isNaN(wideX), wideX, angle);
  return toF32(copySign(angle, wideY));
}

} // namespace graven::elementary
