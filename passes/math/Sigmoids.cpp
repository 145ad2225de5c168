//===- Sigmoids.cpp - tanh, erf and erfc ------------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements tanh and erf in f32, by an odd polynomial near zero
// and one exponential beyond, and erfc through the scaled function in f64 (in
// f32 where it is a part of gelu).
//===----------------------------------------------------------------------===//
#include "passes/math/Coefficients.h"
#include "passes/math/Functions.h"

namespace graven::elementary {

Expr tanhF32(Expr x) {
  Expr magnitude = abs(x);
  // Beyond 9.02 the result is 1 to the last place.
  Expr exponential = expSmallF32(atMost(magnitude, 10) * 2);
  Expr far = 1 - 2 / (exponential + 1);
  Expr square = magnitude * magnitude;
  Expr near =
      multiplyAdd(horner(square, kTanhF32), square * magnitude, magnitude);
  // The sign last, for -0.
  return copySign(select(magnitude < 0.625, near, far), x);
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

Expr erfcOfNormalF32(Expr x) {
  // From here on the result rounds to 0.
  Expr u = atMost(abs(x), 14.5);
  // u^2/2 in two parts: the square of 12 bits is exact.
  Expr high = floatOf(bitsOf(u) & int64_t(0xfffff000));
  Expr square = high * high * 0.5;
  Expr low = (u - high) * ((u + high) * 0.5);
  Nearest n = nearestInteger(-(square + low), kLog2E);
  Expr rest = multiplyAdd(n.real, -kLn2HighF32, -square);
  rest = multiplyAdd(n.real, -kLn2LowF32, rest) - low;
  Expr gauss = multiplyAdd(horner(rest, kExpF32), rest * rest, rest) + 1;
  Expr y = scale(gauss * horner((u - 3) / (u + 3), kNormalTailF32), n.integer);
  return select(x < 0, 2 - y, y);
}

} // namespace graven::elementary
