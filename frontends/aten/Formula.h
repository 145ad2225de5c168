//===- Formula.h - formulas of tensors, written as such ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the terms with which the builders of special functions
// write their formulas: arithmetic on terms makes Nodes. Operands broadcast;
// numbers take the element type of the other operand.
//
//===----------------------------------------------------------------------===//

#ifndef FRONTENDS_ATEN_FORMULA_H
#define FRONTENDS_ATEN_FORMULA_H

#include "frontends/aten/Emitter.h"

#include <limits>

namespace graven::aten {

/// A value in a formula; a null value passes through every operation.
class Term {
public:
  Term(Emitter &emitter, mlir::Value value) : emitter(&emitter), value(value) {}
  operator mlir::Value() const { return value; }
  Emitter &in() const { return *emitter; }

private:
  Emitter *emitter;
  mlir::Value value;
};

inline constexpr double kInfinity = std::numeric_limits<double>::infinity();
inline constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

/// A number of x's element type that broadcasts to x.
Term constantLike(Term x, double number);

template <class Op> Term apply(Term a) { return {a.in(), a.in().unary<Op>(a)}; }
template <class Op> Term apply(Term a, Term b) {
  return {a.in(), a.in().binary<Op>(a, b)};
}

inline Term operator+(Term a, Term b) { return apply<AddOp>(a, b); }
inline Term operator-(Term a, Term b) { return apply<SubOp>(a, b); }
inline Term operator*(Term a, Term b) { return apply<MulOp>(a, b); }
inline Term operator/(Term a, Term b) { return apply<DivOp>(a, b); }
inline Term operator-(Term a) { return apply<NegOp>(a); }
inline Term operator+(Term a, double b) { return a + constantLike(a, b); }
inline Term operator-(Term a, double b) { return a - constantLike(a, b); }
inline Term operator*(Term a, double b) { return a * constantLike(a, b); }
inline Term operator/(Term a, double b) { return a / constantLike(a, b); }
inline Term operator+(double a, Term b) { return constantLike(b, a) + b; }
inline Term operator-(double a, Term b) { return constantLike(b, a) - b; }
inline Term operator*(double a, Term b) { return constantLike(b, a) * b; }
inline Term operator/(double a, Term b) { return constantLike(b, a) / b; }

inline Term abs(Term a) { return apply<AbsOp>(a); }
inline Term exp(Term a) { return apply<ExpOp>(a); }
inline Term log(Term a) { return apply<LogOp>(a); }
inline Term log1p(Term a) { return apply<Log1pOp>(a); }
inline Term sqrt(Term a) { return apply<SqrtOp>(a); }
inline Term sin(Term a) { return apply<SinOp>(a); }
inline Term cos(Term a) { return apply<CosOp>(a); }
inline Term tan(Term a) { return apply<TanOp>(a); }
inline Term acos(Term a) { return apply<AcosOp>(a); }
inline Term erf(Term a) { return apply<ErfOp>(a); }
inline Term floor(Term a) { return apply<FloorOp>(a); }
inline Term pow(Term a, Term b) { return apply<PowOp>(a, b); }
inline Term max(Term a, Term b) { return apply<MaxOp>(a, b); }
inline Term min(Term a, Term b) { return apply<MinOp>(a, b); }
inline Term max(Term a, double b) { return max(a, constantLike(a, b)); }
inline Term min(Term a, double b) { return min(a, constantLike(a, b)); }

inline Term compare(ComparePredicate predicate, Term a, Term b) {
  return {a.in(), a.in().compare(predicate, a, b)};
}
inline Term compare(ComparePredicate predicate, Term a, double b) {
  return compare(predicate, a, constantLike(a, b));
}
template <class T> Term less(Term a, T b) {
  return compare(ComparePredicate::Lt, a, b);
}
template <class T> Term lessEqual(Term a, T b) {
  return compare(ComparePredicate::Le, a, b);
}
template <class T> Term greater(Term a, T b) {
  return compare(ComparePredicate::Gt, a, b);
}
template <class T> Term greaterEqual(Term a, T b) {
  return compare(ComparePredicate::Ge, a, b);
}
template <class T> Term equals(Term a, T b) {
  return compare(ComparePredicate::Eq, a, b);
}
inline Term isNaN(Term a) { return compare(ComparePredicate::Ne, a, a); }
inline Term both(Term a, Term b) { return apply<AndOp>(a, b); }
inline Term either(Term a, Term b) { return apply<OrOp>(a, b); }
inline Term negated(Term a) { return apply<NotOp>(a); }

inline Term where(Term condition, Term a, Term b) {
  return {a.in(), a.in().where(condition, a, b)};
}
inline Term where(Term condition, Term a, double b) {
  return where(condition, a, constantLike(a, b));
}
inline Term where(Term condition, double a, Term b) {
  return where(condition, constantLike(b, a), b);
}

inline Term cast(Term a, mlir::Type element) {
  return {a.in(), a.in().cast(a, element)};
}

/// c[0] x^n + ... + c[n], by Horner's rule.
Term polynomial(Term x, llvm::ArrayRef<double> coefficients);

/// The Chebyshev series c[0]/2 T_n(x/2) + ... of Cephes: coefficients from the
/// highest order, the last halved, of polynomials of x/2; Clenshaw's rule.
Term chebyshev(Term x, llvm::ArrayRef<double> coefficients);

/// sin(pi x) and tan(pi x), exact where x is a whole number.
Term sinPi(Term x);
Term tanPi(Term x);

} // namespace graven::aten

#endif // FRONTENDS_ATEN_FORMULA_H
