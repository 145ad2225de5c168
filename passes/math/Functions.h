//===- Functions.h - elementary functions as arithmetic ---------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the expansions of the elementary functions: each takes
// f32 (a scalar or a vector of it), gives f32 within 2 ULP for every input,
// and builds branch-free arith ops only. NaN gives NaN, poles and overflow
// give the infinity of C's Annex F, results are denormal where they should be.
//===----------------------------------------------------------------------===//
#ifndef GRAVEN_PASSES_MATH_FUNCTIONS_H
#define GRAVEN_PASSES_MATH_FUNCTIONS_H

#include "passes/math/Expr.h"

namespace graven::elementary {

// Exponentials and logarithms (ExpLog.cpp), in f32 throughout.
Expr expF32(Expr x);
Expr exp2F32(Expr x);
Expr expm1F32(Expr x);
Expr logF32(Expr x);
Expr log2F32(Expr x);
Expr log1pF32(Expr x);
/// e^x for -17 <= x <= 87.3, where neither end of the exponent is near.
Expr expSmallF32(Expr x);
/// e^x for x <= 0, within 2 units in the last place, and 0 below -87.7, where
/// it is less than 2^-126; NaN stays NaN.
Expr expNonPositiveF32(Expr x);
/// e^x for x <= 0 as the weight of a softmax, whose largest is 1: within
/// 2^-22 (1 + |x| / 16) of itself, so within 2^-22 of the largest; below 2^-126
/// it is 0. Its reduction takes one product, and its polynomial is short.
Expr softmaxWeightF32(Expr x);
/// 2^x for x <= 0 likewise, within 2^-22 of itself; below 2^-126 it is 0.
Expr softmaxPowerF32(Expr x);
/// e^r - 1 for |r| <= ln2 / 2.
Expr expm1OfRestF32(Expr r);
/// x - n ln2 in two steps, the first of which is exact.
Expr withoutLn2(Expr x, Expr n);
/// numerator / (1 + e^x), which is a sigmoid where the numerator is 1.
Expr overOnePlusExpF32(Expr numerator, Expr x);
/// ln(1 + e^x) for x <= 0; 0 where e^x is below 2^-126.
Expr log1pOfExpF32(Expr x);

// Sigmoid-shaped functions (Sigmoids.cpp), erfc in f64 inside.
Expr tanhF32(Expr x);
Expr erfF32(Expr x);
Expr erfcF32(Expr x);
/// x/2 erfc(-x / sqrt(2)).
Expr geluF32(Expr x);
/// x/2 (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))); 0 where it is below 2^-127.
Expr geluTanhF32(Expr x);
/// x / (1 + e^-x); 0 where it is below 2^-126.
Expr siluF32(Expr x);
/// factor tanh(ln(1 + e^x)), which is mish where the factor is x.
Expr timesTanhOfSoftplusF32(Expr factor, Expr x);

// Circular functions (Circular.cpp), in f64 inside.
Expr sinF32(Expr x);
Expr cosF32(Expr x);
Expr tanF32(Expr x);
struct SineAndCosine {
  Expr sine;
  Expr cosine;
};
SineAndCosine sinCosF32(Expr x);
Expr asinF32(Expr x);
Expr acosF32(Expr x);
Expr atanF32(Expr x);
Expr atan2F32(Expr y, Expr x);

// Hyperbolic functions (Hyperbolic.cpp), in f64 inside.
Expr sinhF32(Expr x);
Expr coshF32(Expr x);
Expr asinhF32(Expr x);
Expr acoshF32(Expr x);
Expr atanhF32(Expr x);

// Powers (Power.cpp), in f64 inside.
/// x^y with the special cases of C's pow; y is f64, so that it may hold any
/// f32 or i32.
Expr powF32(Expr x, Expr y);
Expr cbrtF32(Expr x);
Expr log10F32(Expr x);
Expr rsqrtF32(Expr x);

// Rounding to an integral value (Rounding.cpp), for f32 and f64; the sign of
// a zero result is that of x.
Expr roundEven(Expr x);
Expr truncate(Expr x);
Expr floor(Expr x);
Expr ceil(Expr x);
Expr roundAway(Expr x);

// Pieces in f64 (Wide.cpp), for arguments that came from f32; the relative
// error is below 2^-33.
/// e^x - 1 for |x| <= 700.
Expr expm1F64(Expr x);
/// 2^x for |x| <= 1000.
Expr exp2F64(Expr x);
/// ln(x) for normal, positive, finite x; log2 accordingly.
Expr logF64(Expr x);
Expr log2F64(Expr x);
/// ln(1 + x); NaN for x < -1 and infinity for infinity.
Expr log1pF64(Expr x);

/// x rounded to the nearest integer, as a float and as an integer of the same
/// width; for |x| < 2^22 (f32) or 2^51 (f64), otherwise some value.
struct Nearest {
  Expr real;
  Expr integer;
};
Nearest nearestInteger(Expr x);
/// The nearest integer to x * factor.
Nearest nearestInteger(Expr x, double factor);
/// x * factor rounded to the nearest integer, and 2^(exponent + extra) in f32;
/// for results in the range of the biased exponent, which 0 and 255 are part
/// of.
struct PowerOfTwo {
  Expr exponent;
  Expr power;
};
PowerOfTwo nearestPower(Expr x, double factor, int extra = 0);
/// 2^n as a float of the width of n, for n in the range of normal exponents.
Expr powerOfTwo(Expr n);
/// y * 2^n for n in [-252, 254], rounded once: the first factor keeps y normal.
Expr scale(Expr y, Expr n);

} // namespace graven::elementary

#endif // GRAVEN_PASSES_MATH_FUNCTIONS_H
