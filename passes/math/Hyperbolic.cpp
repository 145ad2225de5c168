//===- Hyperbolic.cpp - hyperbolic functions and inverses -------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements sinh, cosh, asinh, acosh and atanh for f32 with expm1
// and log1p in f64, which lose nothing near zero; no f32's square overflows.
//===----------------------------------------------------------------------===//
#include "passes/math/Functions.h"

#include <limits>

namespace graven::elementary {

/// e^|x| - 1, from where on both results overflow limited.
static Expr expm1OfMagnitude(Expr x) {
  return expm1F64(atMost(abs(toF64(x)), 91));
}

Expr sinhF32(Expr x) {
  Expr e = expm1OfMagnitude(x);
  Expr y = (e + e / (e + 1)) * 0.5;
  return copySign(toF32(y), x);
}

Expr coshF32(Expr x) {
  Expr e = expm1OfMagnitude(x) + 1;
  return toF32((e + 1 / e) * 0.5);
}

Expr asinhF32(Expr x) {
  Expr a = abs(toF64(x));
  Expr square = a * a;
  // sqrt(1 + a^2) - 1 = a^2 / (1 + sqrt(1 + a^2)).
  Expr y = log1pF64(a + square / (sqrt(square + 1) + 1));
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  y = select(equals(a, kInfinity), a, y);
  return copySign(toF32(y), x);
}

Expr acoshF32(Expr x) {
  Expr wide = toF64(x);
  Expr above = wide - 1;
  Expr y = log1pF64(above + sqrt(above * (wide + 1)));
  constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
  return toF32(select(wide < 1, kNaN, y));
}

Expr atanhF32(Expr x) {
  Expr a = abs(toF64(x));
  Expr y = log1pF64(a * 2 / (1 - a)) * 0.5;
  return copySign(toF32(y), x);
}

} // namespace graven::elementary
