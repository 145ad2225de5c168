//===- SpecialFunctions.cpp - around the normal distribution ---*- C++ -*-===//
//-*-//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file builds the special functions that elementary ones express: those
// around the normal distribution and the logarithms with a value at zero.
//
//===----------------------------------------------------------------------===//

#include "frontends/aten/Special.h"
#include "frontends/aten/SpecialTables.h"
#include "frontends/aten/Table.h"

#include <numbers>

using namespace graven;
using namespace graven::aten;
using std::numbers::pi;
using std::numbers::sqrt2;

/// The normal distribution's integral. Gelu is x times it, without cancellation
/// in the left tail; beyond 40 the integral is 0 or 1 in any type.
static Term ndtr(Term x) {
  Term bounded = min(max(x, -40.0), 40.0);
  Term product(x.in(),
               x.in().make<GeluOp>(mlir::Value(bounded), GeluForm::Exact));
  return where(equals(x, 0.0), 0.5, product / bounded);
}
static Term erfc(Term x) { return ndtr(x * -sqrt2) * 2; }

/// From 20 on the asymptotic series: erfc is nearly 0 and e^x^2 infinite there.
Term graven::aten::erfcx(Term x) {
  Term near = exp(x * x) * erfc(x);
  Term z = 0.5 / (x * x);
  Term far =
      polynomial(z, {10395, -945, 105, -15, 3, -1, 1}) / (x * std::sqrt(pi));
  return where(greater(x, 20.0), far, near);
}

static Term logNdtr(Term x) {
  Term t = x / sqrt2;
  Term left = log(erfcx(-t) * 0.5) - t * t;
  return where(less(x, -1.0), left, log1p(erfc(t) * -0.5));
}

/// A rational approximation, then two steps of Newton's method.
/// Source: G. L. Pavlis' erfinv, as PyTorch has it (ATen/native/Math.h).
static Term erfinv(Term y) {
  Term square = y * y;
  Term central =
      y *
      polynomial(square,
                 {-0.140543331, 0.914624893, -1.645349621, 0.886226899}) /
      polynomial(square,
                 {0.012229801, -0.329097515, 1.442710462, -2.118377725, 1});
  Term z = sqrt(-log((1 - abs(y)) * 0.5));
  Term tail =
      polynomial(z, {1.641345311, 3.429567803, -1.624906493, -1.970840454}) /
      polynomial(z, {1.6370678, 3.5438892, 1});
  Term x =
      where(lessEqual(abs(y), 0.7), central, where(less(y, 0.0), -tail, tail));
  for (int step = 0; step < 2; ++step)
    x = x - (erf(x) - y) / (exp(-(x * x)) * (2 / std::sqrt(pi)));
  return where(equals(abs(y), 1.0), y * kInfinity,
               where(greater(abs(y), 1.0), kNaN, x));
}

/// Source: Cephes, ndtri.
static Term ndtri(Term p) {
  constexpr double kTail = 0.13533528323661269189; // e^-2
  Term isHigh = greater(p, 1 - kTail);
  Term y = where(isHigh, 1 - p, p);
  Term middle = y - 0.5, square = middle * middle;
  Term central = (middle + middle * (square * polynomial(square, kNormalP0) /
                                     polynomial(square, kNormalQ0))) *
                 std::sqrt(2 * pi);
  Term x = sqrt(log(y) * -2);
  Term z = 1 / x;
  Term near = z * polynomial(z, kNormalP1) / polynomial(z, kNormalQ1),
       far = z * polynomial(z, kNormalP2) / polynomial(z, kNormalQ2);
  Term tail = x - log(x) / x - where(less(x, 8.0), near, far);
  Term result = where(greater(y, kTail), central, where(isHigh, tail, -tail));
  result = where(either(less(p, 0.0), greater(p, 1.0)), kNaN, result);
  return where(equals(p, 0.0), -kInfinity,
               where(equals(p, 1.0), kInfinity, result));
}

static Term entr(Term x) {
  Term y = where(equals(x, 0.0), 0.0, -x * log(x));
  return where(less(x, 0.0), -kInfinity, y);
}
static Term sinc(Term x) {
  return where(equals(x, 0.0), 1.0, sinPi(x) / (x * pi));
}
static Term xlog1py(Term x, Term y) {
  Term product = where(equals(x, 0.0), 0.0, x * log1p(y));
  return where(isNaN(y), kNaN, product);
}

/// log(x / (1 - x)), of x kept eps away from 0 and 1 where eps is given.
static mlir::Value logit(Call &c) {
  std::optional<double> eps = c.has("eps") ? c.number("eps") : -1;
  if (!eps)
    return {};
  return inDouble(c, [&](Term x) {
    // Below the lower bound it counts, even where it is above the upper one.
    if (*eps >= 0)
      x = where(less(x, *eps), *eps, min(x, constantLike(x, 1 - *eps)));
    return log(x / (1 - x));
  });
}

/// PyTorch multiplies by the quotient rounded to the type it computes in.
static mlir::Value degreesToRadians(Call &c) {
  return inDouble(c, [](Term x) { return x * (pi / 180); });
}
static mlir::Value radiansToDegrees(Call &c) {
  return inDouble(c, [](Term x) { return x * (180 / pi); });
}

static Term sphericalBesselJ0(Term x) {
  Term y = where(equals(x, 0.0), 1.0, sin(x) / x);
  return where(equals(abs(x), kInfinity), 0.0, y);
}

void graven::aten::addSpecialFunctions(Table &t) {
  t.add("erfc special_erfc", special<erfc>);
  t.add("special_erfcx", special<erfcx>);
  t.add("special_ndtr", special<ndtr>);
  t.add("special_log_ndtr", special<logNdtr>);
  t.add("special_ndtri", special<ndtri>);
  t.add("erfinv special_erfinv", special<erfinv>);
  t.add("special_entr", special<entr>);
  t.add("sinc special_sinc", special<sinc>);
  t.add("special_xlog1py", special<xlog1py>);
  t.addWide("logit special_logit", logit);
  t.addWide("deg2rad", degreesToRadians);
  t.addWide("rad2deg", radiansToDegrees);
  t.add("special_spherical_bessel_j0", special<sphericalBesselJ0>);
}
