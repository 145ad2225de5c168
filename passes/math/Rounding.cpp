//===- Rounding.cpp - rounding to integral values ---------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements roundeven, trunc, floor, ceil and round by adding and
// taking away the power of two at which one unit in the last place is 1, for
// targets without a rounding instruction (x86-64 before SSE4.1), where LLVM
// would call libm for every element.
//===----------------------------------------------------------------------===//
#include "passes/math/Functions.h"

namespace graven::elementary {

static double integralFrom(Expr x) {
  return x.elementType().isF64() ? 0x1p52 : 0x1p23;
}

/// `rounded` with the sign of x, or x itself where it has no fraction; NaN and
/// infinities are among those.
static Expr finish(Expr x, Expr rounded) {
  return select(abs(x) < integralFrom(x), copySign(rounded, x), x);
}

/// |x| to the nearest, ties to even.
static Expr nearestMagnitude(Expr x) {
  Expr shift = x.constant(integralFrom(x));
  return (abs(x) + shift) - shift;
}

static Expr truncatedMagnitude(Expr x) {
  Expr nearest = nearestMagnitude(x);
  return select(nearest > abs(x), nearest - 1, nearest);
}

Expr roundEven(Expr x) { return finish(x, nearestMagnitude(x)); }

Expr truncate(Expr x) { return finish(x, truncatedMagnitude(x)); }

Expr floor(Expr x) {
  Expr nearest = copySign(nearestMagnitude(x), x);
  return finish(x, select(nearest > x, nearest - 1, nearest));
}

Expr ceil(Expr x) {
  Expr nearest = copySign(nearestMagnitude(x), x);
  return finish(x, select(nearest < x, nearest + 1, nearest));
}

Expr roundAway(Expr x) {
  Expr truncated = truncatedMagnitude(x);
  Expr up = abs(x) - truncated >= 0.5;
  return finish(x, select(up, truncated + 1, truncated));
}

} // namespace graven::elementary
