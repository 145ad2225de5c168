//===- Formula.cpp - formulas of tensors, written as such ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the series and the arguments of circular functions that
// several special functions share.
//
//===----------------------------------------------------------------------===//

#include "frontends/aten/Formula.h"

#include <numbers>

using namespace graven;
using namespace graven::aten;

Term graven::aten::constantLike(Term x, double number) {
  mlir::Value value = x;
  if (!value)
    return x;
  return {x.in(),
          x.in().scalar(Emitter::element(value), number, Emitter::rank(value))};
}

Term graven::aten::polynomial(Term x, llvm::ArrayRef<double> coefficients) {
  Term y = constantLike(x, coefficients.front());
  for (double c : coefficients.drop_front())
    y = y * x + c;
  return y;
}

/// Source: C. W. Clenshaw, "A note on the summation of Chebyshev series",
/// 1955.
Term graven::aten::chebyshev(Term x, llvm::ArrayRef<double> coefficients) {
  Term last = constantLike(x, 0), beforeLast = last;
  Term y = constantLike(x, coefficients.front());
  for (double c : coefficients.drop_front()) {
    beforeLast = last;
    last = y;
    y = x * last - beforeLast + c;
  }
  return (y - beforeLast) * 0.5;
}

/// x less a whole number, from -1/2 to 1/2; the difference is exact.
static Term nearestRest(Term x) { return x - apply<RoundOp>(x); }

Term graven::aten::sinPi(Term x) {
  Term half = apply<RoundOp>(x) * 0.5;
  Term isOdd = compare(ComparePredicate::Ne, half, floor(half));
  Term y = sin(nearestRest(x) * std::numbers::pi);
  return where(isOdd, -y, y);
}

Term graven::aten::tanPi(Term x) {
  return tan(nearestRest(x) * std::numbers::pi);
}
