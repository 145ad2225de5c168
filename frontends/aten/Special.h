//===- Special.h - special functions as calls ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares how a formula becomes a builder of the table. Special
// functions compute in f64 and round once: their f32 approximations would be no
// shorter, and cancellation costs them digits.
//
//===----------------------------------------------------------------------===//

#ifndef FRONTENDS_ATEN_SPECIAL_H
#define FRONTENDS_ATEN_SPECIAL_H

#include "frontends/aten/Call.h"
#include "frontends/aten/Formula.h"

namespace graven::aten {

/// What a formula of f64 makes of self, in self's float type.
template <class Formula> mlir::Value inDouble(Call &c, Formula formula) {
  // Bessel's functions call their argument x.
  mlir::Value x = c.floatTensor(c.has("x") ? "x" : "self");
  if (!x)
    return {};
  Term wide(c, c.cast(x, ScalarType::Double));
  return c.cast(formula(wide), c.element(x));
}

template <Term (*kFormula)(Term)> mlir::Value special(Call &c) {
  return inDouble(c, kFormula);
}

/// The same of two operands in their common float type.
template <Term (*kFormula)(Term, Term)> mlir::Value special(Call &c) {
  std::optional<ScalarType> type = c.promoted({"self", "other"});
  if (!type)
    return {};
  if (!isFloating(*type))
    type = ScalarType::Float;
  // Rounded to the common type first, as operands are.
  mlir::Value a = c.cast(c.operand("self", *type), ScalarType::Double),
              b = c.cast(c.operand("other", *type), ScalarType::Double);
  if (!a || !b)
    return {};
  return c.cast(kFormula(Term(c, a), Term(c, b)), *type);
}

/// e^x^2 erfc(x), without the underflow of erfc.
Term erfcx(Term x);

/// The first kind's modified functions times e^-|x|, for even and odd order.
Term scaledI0(Term x);
Term scaledI1(Term x);

} // namespace graven::aten

#endif // FRONTENDS_ATEN_SPECIAL_H
