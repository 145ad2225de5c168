//===- Bessel.cpp - Bessel's and Airy's functions ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file builds Bessel's functions of order 0 and 1, plain, modified and
// scaled, and Airy's, all in f64 by Cephes' approximations: one near zero, one
// far from it.
//
//===----------------------------------------------------------------------===//

#include "frontends/aten/Special.h"
#include "frontends/aten/SpecialTables.h"
#include "frontends/aten/Table.h"

#include <cmath>
#include <numbers>

using namespace graven;
using namespace graven::aten;
using std::numbers::pi;

//===----------------------------------------------------------------------===//
// Modified
//===----------------------------------------------------------------------===//

static Term scaledI(Term magnitude, llvm::ArrayRef<double> near,
                    llvm::ArrayRef<double> far, bool isOdd) {
  Term inside = chebyshev(magnitude * 0.5 - 2, near);
  if (isOdd)
    inside = inside * magnitude;
  Term outside = chebyshev(32 / magnitude - 2, far) / sqrt(magnitude);
  return where(lessEqual(magnitude, 8.0), inside, outside);
}
Term graven::aten::scaledI0(Term x) {
  return scaledI(abs(x), kI0Near, kI0Far, /*isOdd=*/false);
}
Term graven::aten::scaledI1(Term x) {
  Term y = scaledI(abs(x), kI1Near, kI1Far, /*isOdd=*/true);
  return where(less(x, 0.0), -y, y);
}
static Term i0(Term x) { return exp(abs(x)) * scaledI0(x); }
static Term i1(Term x) { return exp(abs(x)) * scaledI1(x); }

/// Infinite at 0, nothing below it.
static Term onPositive(Term x, Term y, double atZero) {
  return where(less(x, 0.0), kNaN, where(equals(x, 0.0), atZero, y));
}
static Term scaledK0(Term x) {
  Term near = (chebyshev(x * x - 2, kK0Near) - log(x * 0.5) * i0(x)) * exp(x);
  Term far = chebyshev(8 / x - 2, kK0Far) / sqrt(x);
  return onPositive(x, where(lessEqual(x, 2.0), near, far), kInfinity);
}
static Term scaledK1(Term x) {
  Term near =
      (log(x * 0.5) * i1(x) + chebyshev(x * x - 2, kK1Near) / x) * exp(x);
  Term far = chebyshev(8 / x - 2, kK1Far) / sqrt(x);
  return onPositive(x, where(lessEqual(x, 2.0), near, far), kInfinity);
}
static Term k0(Term x) { return scaledK0(x) * exp(-x); }
static Term k1(Term x) { return scaledK1(x) * exp(-x); }

//===----------------------------------------------------------------------===//
// Plain
//===----------------------------------------------------------------------===//

namespace {
/// Behind 5, a function is a sine of a moved x with slowly changing factors.
struct Far {
  llvm::ArrayRef<double> pp, pq, qp, qq;
  double phase;
};
} // namespace

static const Far kFar0{kJ0PP, kJ0PQ, kJ0QP, kJ0QQ, pi / 4};
static const Far kFar1{kJ1PP, kJ1PQ, kJ1QP, kJ1QQ, 3 * pi / 4};

static Term farOfFirst(Term x, const Far &far) {
  Term z = 25 / (x * x);
  Term p = polynomial(z, far.pp) / polynomial(z, far.pq),
       q = polynomial(z, far.qp) / polynomial(z, far.qq);
  Term t = x - far.phase;
  return (p * cos(t) - 5 / x * q * sin(t)) * std::sqrt(2 / pi) / sqrt(x);
}
static Term farOfSecond(Term x, const Far &far) {
  Term z = 25 / (x * x);
  Term p = polynomial(z, far.pp) / polynomial(z, far.pq),
       q = polynomial(z, far.qp) / polynomial(z, far.qq);
  Term t = x - far.phase;
  return (p * sin(t) + 5 / x * q * cos(t)) * std::sqrt(2 / pi) / sqrt(x);
}

static Term besselJ0(Term x) {
  Term a = abs(x), z = a * a;
  Term near = (z - 5.78318596294678452118) * (z - 30.4712623436620863991) *
              polynomial(z, kJ0RP) / polynomial(z, kJ0RQ);
  return where(lessEqual(a, 5.0), near, farOfFirst(a, kFar0));
}
static Term besselJ1(Term x) {
  Term a = abs(x), z = a * a;
  Term near = polynomial(z, kJ1RP) / polynomial(z, kJ1RQ) * a *
              (z - 14.6819706421238932572) * (z - 49.2184563216946036703);
  Term y = where(lessEqual(a, 5.0), near, farOfFirst(a, kFar1));
  return where(less(x, 0.0), -y, y);
}
static Term besselY0(Term x) {
  Term z = x * x;
  Term near = polynomial(z, kY0YP) / polynomial(z, kY0YQ) +
              2 / pi * log(x) * besselJ0(x);
  Term y = where(lessEqual(x, 5.0), near, farOfSecond(x, kFar0));
  return onPositive(x, y, -kInfinity);
}
static Term besselY1(Term x) {
  Term z = x * x;
  Term near = x * (polynomial(z, kY1YP) / polynomial(z, kY1YQ)) +
              2 / pi * (besselJ1(x) * log(x) - 1 / x);
  Term y = where(lessEqual(x, 5.0), near, farOfSecond(x, kFar1));
  return onPositive(x, y, -kInfinity);
}

//===----------------------------------------------------------------------===//
// Airy
//===----------------------------------------------------------------------===//

/// Ai near zero: two power series in x^3, whose terms end below 1e-17 for
/// |x| < 2.09.
static Term airySeries(Term x) {
  Term cube = x * x * x;
  Term even = constantLike(x, 1), odd = x, f = even, g = odd;
  for (int k = 0; k < 14; ++k) {
    double n = 3 * k;
    even = even * cube / ((n + 2) * (n + 3));
    odd = odd * cube / ((n + 3) * (n + 4));
    f = f + even;
    g = g + odd;
  }
  return f * 0.355028053887817239260 - g * 0.258819403792806798405;
}

static Term airy(Term x) {
  const double kPerSqrtPi = 1 / std::sqrt(pi);
  Term a = abs(x);
  Term zeta = a * sqrt(a) * (2.0 / 3), root = sqrt(sqrt(a));
  Term z = 1 / zeta, square = z * z;
  Term right = polynomial(z, kAiryAN) / polynomial(z, kAiryAD) * kPerSqrtPi /
               (2 * root * exp(zeta));
  Term t = zeta + pi / 4;
  Term sines = sin(t) * (1 + square * polynomial(square, kAiryAFN) /
                                 polynomial(square, kAiryAFD));
  Term cosines = cos(t) * (z * polynomial(square, kAiryAGN) /
                           polynomial(square, kAiryAGD));
  Term left = kPerSqrtPi / root * (sines - cosines);
  Term y =
      where(less(x, -2.09), left, where(less(x, 2.09), airySeries(x), right));
  y = where(greater(x, 103.892), 0.0, y);
  return where(equals(a, kInfinity), kNaN, y);
}

void graven::aten::addBessel(Table &t) {
  t.add("i0 special_i0", special<i0>);
  t.add("special_modified_bessel_i0", special<i0>);
  t.add("special_i0e", special<scaledI0>);
  t.add("special_i1 special_modified_bessel_i1", special<i1>);
  t.add("special_i1e", special<scaledI1>);
  t.add("special_modified_bessel_k0", special<k0>);
  t.add("special_modified_bessel_k1", special<k1>);
  t.add("special_scaled_modified_bessel_k0", special<scaledK0>);
  t.add("special_scaled_modified_bessel_k1", special<scaledK1>);
  t.add("special_bessel_j0", special<besselJ0>);
  t.add("special_bessel_j1", special<besselJ1>);
  t.add("special_bessel_y0", special<besselY0>);
  t.add("special_bessel_y1", special<besselY1>);
  t.add("special_airy_ai", special<airy>);
}
