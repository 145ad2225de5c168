//===- OrthogonalPolynomials.cpp - Chebyshev, Hermite, ... ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file builds the families of orthogonal polynomials. The degree is a
// tensor, so that a loop runs the family's recurrence in f64 up to the greatest
// degree, and each element stops at its own.
//
//===----------------------------------------------------------------------===//

#include "frontends/aten/Special.h"
#include "frontends/aten/Table.h"

using namespace graven;
using namespace graven::aten;

namespace {
/// One step of a recurrence: from the polynomials p of degree k - 1 and q of
/// degree k to that of degree k + 1.
using Step = Term (*)(Term x, Term k, Term p, Term q);
} // namespace

static Term chebyshevStep(Term x, Term, Term p, Term q) {
  return (x + x) * q - p;
}
static Term hermiteStep(Term x, Term k, Term p, Term q) {
  return (x + x) * q - (k + k) * p;
}
static Term hermiteEStep(Term x, Term k, Term p, Term q) {
  return x * q - k * p;
}
static Term laguerreStep(Term x, Term k, Term p, Term q) {
  return ((k + k + 1 - x) * q - k * p) / (k + 1);
}
static Term legendreStep(Term x, Term k, Term p, Term q) {
  return ((k + k + 1) * x * q - k * p) / (k + 1);
}

// Polynomials of degree 1.
static Term x1(Term x) { return x; }
static Term x2(Term x) { return x + x; }
static Term x2Less1(Term x) { return x + x - 1; }
static Term x2And1(Term x) { return x + x + 1; }
static Term oneLess(Term x) { return 1 - x; }

/// The polynomial of x of the degrees n, whole numbers of f64, at least 0.
static Term evaluate(Term x, Term n, Step step, Term first) {
  Emitter &in = x.in();
  mlir::OpBuilder &builder = in.builder;
  if (!mlir::Value(first) || !mlir::Value(n))
    return {in, {}};
  auto shape = Emitter::broadcastShape(Emitter::shape(x), Emitter::shape(n));
  if (!shape)
    return {in, {}};
  mlir::Value one = in.full(builder.getF64Type(), *shape, 1.0);
  mlir::Value start = in.broadcastTo(first, *shape);
  Shape axes = llvm::to_vector(llvm::seq<int64_t>(0, Emitter::rank(n)));
  mlir::Value most = in.reduce(ReduceKind::Max, n, axes, /*keep=*/false);
  mlir::Value trip = in.cast(in.binary<SubOp>(most, 1.0), builder.getI64Type());
  auto carried = in.repeat(
      trip, {one, start}, [&](mlir::Value number, mlir::ValueRange pair) {
        Term k = Term(in, in.cast(number, builder.getF64Type())) + 1;
        Term p(in, pair[0]), q(in, pair[1]), goesOn = less(k, n);
        return llvm::SmallVector<mlir::Value>{
            where(goesOn, q, p), where(goesOn, step(x, k, p, q), q)};
      });
  return {in, carried.empty() ? mlir::Value() : carried[1]};
}

/// Of negative degrees 0; infinite and absent degrees count as such, as their
/// conversion to an integer makes them in PyTorch.
static Term polynomialOf(Term x, Term n, Step step, Term (*first)(Term)) {
  // Whole numbers, by truncation; NaN compares false.
  n = where(less(abs(n), 0x1p62), n, -1.0);
  n = where(less(n, 0.0), -floor(-n), floor(n));
  Term y = evaluate(x, max(n, 0.0), step, first(x));
  return where(less(n, 0.0), 0.0, where(equals(n, 0.0), 1.0, y));
}

template <Step kStep, Term (*kFirst)(Term)> static Term plain(Term x, Term n) {
  return polynomialOf(x, n, kStep, kFirst);
}
/// Of 2x - 1.
template <Step kStep, Term (*kFirst)(Term)>
static Term shifted(Term x, Term n) {
  return polynomialOf(x + x - 1, n, kStep, kFirst);
}

template <Term (*kFormula)(Term, Term)> static mlir::Value ofDegree(Call &c) {
  std::optional<ScalarType> type = c.promoted({"x", "n"});
  if (!type)
    return {};
  if (!isFloating(*type))
    type = ScalarType::Float;
  mlir::Value x = c.cast(c.operand("x", *type), ScalarType::Double),
              n = c.cast(c.operand("n", *type), ScalarType::Double);
  if (!x || !n)
    return {};
  return c.cast(kFormula(Term(c, x), Term(c, n)), *type);
}

/// PyTorch gives NaN from a degree on at which its type must have overflowed.
template <Step kStep, Term (*kFirst)(Term)>
static mlir::Value hermite(Call &c) {
  mlir::Value y = ofDegree<plain<kStep, kFirst>>(c);
  if (!y)
    return {};
  Term n(c, c.operand("n", ScalarType::Double));
  double limit = c.scalarType(y) == ScalarType::Double ? 512 : 128;
  return where(greater(n, limit), kNaN, Term(c, y));
}

void graven::aten::addOrthogonalPolynomials(Table &t) {
  t.add("special_chebyshev_polynomial_t", ofDegree<plain<chebyshevStep, x1>>);
  t.add("special_chebyshev_polynomial_u", ofDegree<plain<chebyshevStep, x2>>);
  t.add("special_chebyshev_polynomial_v",
        ofDegree<plain<chebyshevStep, x2Less1>>);
  t.add("special_chebyshev_polynomial_w",
        ofDegree<plain<chebyshevStep, x2And1>>);
  t.add("special_shifted_chebyshev_polynomial_t",
        ofDegree<shifted<chebyshevStep, x1>>);
  t.add("special_shifted_chebyshev_polynomial_u",
        ofDegree<shifted<chebyshevStep, x2>>);
  t.add("special_shifted_chebyshev_polynomial_v",
        ofDegree<shifted<chebyshevStep, x2Less1>>);
  t.add("special_shifted_chebyshev_polynomial_w",
        ofDegree<shifted<chebyshevStep, x2And1>>);
  t.add("special_hermite_polynomial_h", hermite<hermiteStep, x2>);
  t.add("special_hermite_polynomial_he", hermite<hermiteEStep, x1>);
  t.add("special_laguerre_polynomial_l",
        ofDegree<plain<laguerreStep, oneLess>>);
  t.add("special_legendre_polynomial_p", ofDegree<plain<legendreStep, x1>>);
}
