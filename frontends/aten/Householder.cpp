//===- Householder.cpp - ATen's orthogonal decompositions ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file builds QR decompositions by Householder reflections, unrolled, with
// the signs of LAPACK's geqrf: small matrices only.
//
//===----------------------------------------------------------------------===//

#include "frontends/aten/Matrices.h"
#include "frontends/aten/Norms.h"
#include "frontends/aten/Table.h"

using namespace graven;
using namespace graven::aten;
using llvm::StringRef;

namespace {
/// R on and above the diagonal, the reflections' vectors, without their leading
/// one, below it; and their factors [.., k].
struct Reflections {
  mlir::Value packed, factors;
};
} // namespace

/// x less factor v (v^T x), v a column [.., m, 1].
static mlir::Value reflected(Call &c, mlir::Value x, mlir::Value v,
                             mlir::Value factor) {
  mlir::Value row = product(c, matrixTransposed(c, v), x);
  return row ? c.binary<SubOp>(x,
                               c.binary<MulOp>(c.binary<MulOp>(v, factor), row))
             : row;
}

static std::optional<Reflections> reflections(Call &c, mlir::Value a) {
  if (!a)
    return std::nullopt;
  int64_t rank = c.rank(a), n = c.type(a).getShape().back(),
          m = c.type(a).getShape().drop_back().back(), k = std::min(m, n);
  mlir::Type type = c.element(a);
  Shape line(c.type(a).getShape().drop_back(2));
  line.push_back(1);
  mlir::Value zero = c.scalar(type, 0.0, rank), one = c.scalar(type, 1.0, rank);
  mlir::Value i = indicesAlong(c, m, rank, rank - 2),
              j = indicesAlong(c, n, rank, rank - 1);
  llvm::SmallVector<mlir::Value> factors;
  for (int64_t step = 0; step < k && a; ++step) {
    double at = static_cast<double>(step);
    mlir::Value column = c.slice(a, rank - 1, step, step + 1);
    mlir::Value below = c.compare(ComparePredicate::Gt, i, at);
    mlir::Value tail = c.where(below, column, zero);
    mlir::Value alpha = c.slice(column, rank - 2, step, step + 1);
    mlir::Value rest = pNorm(c, tail, 2, {rank - 2}, /*keep=*/true);
    if (!alpha || !rest)
      return std::nullopt;
    mlir::Value isZero = c.compare(ComparePredicate::Eq, rest, 0.0);
    mlir::Value length = c.unary<SqrtOp>(c.binary<AddOp>(
        c.binary<MulOp>(alpha, alpha), c.binary<MulOp>(rest, rest)));
    mlir::Value beta = c.where(c.compare(ComparePredicate::Ge, alpha, 0.0),
                               c.unary<NegOp>(length), length);
    beta = c.where(isZero, alpha, beta);
    mlir::Value safeBeta = c.where(isZero, one, beta);
    mlir::Value factor = c.where(
        isZero, zero, c.binary<DivOp>(c.binary<SubOp>(beta, alpha), safeBeta));
    mlir::Value scale = c.where(isZero, one, c.binary<SubOp>(alpha, beta));
    mlir::Value vector = c.binary<DivOp>(tail, scale);
    mlir::Value isHead = c.compare(ComparePredicate::Eq, i, at);
    mlir::Value full = c.where(isHead, one, vector);
    mlir::Value next = full && factor ? reflected(c, a, full, factor) : full;
    // Columns in front keep their vectors; this one gets beta and its own.
    mlir::Value own = c.where(below, vector, c.where(isHead, beta, column));
    a = c.where(c.compare(ComparePredicate::Gt, j, at), next, a);
    a = c.where(c.compare(ComparePredicate::Eq, j, at), own, a);
    factors.push_back(c.reshape(factor, line));
  }
  if (!a)
    return std::nullopt;
  line.back() = 0;
  mlir::Value all =
      factors.empty() ? c.full(type, line, 0.0) : c.concat(factors, rank - 2);
  return all ? std::optional(Reflections{a, all}) : std::nullopt;
}

/// The reflections applied to x from the left, the last one first; the other
/// way round when `transposed`.
static mlir::Value applied(Call &c, const Reflections &r, mlir::Value x,
                           bool transposed) {
  int64_t rank = c.rank(r.packed),
          m = c.type(r.packed).getShape().drop_back().back(),
          k = c.type(r.factors).getShape().back();
  mlir::Type type = c.element(r.packed);
  mlir::Value i = indicesAlong(c, m, rank, rank - 2);
  for (int64_t step = 0; step < k && x; ++step) {
    int64_t at = transposed ? step : k - 1 - step;
    mlir::Value column = c.slice(r.packed, rank - 1, at, at + 1);
    mlir::Value v =
        c.where(c.compare(ComparePredicate::Gt, i, static_cast<double>(at)),
                column, c.scalar(type, 0.0, rank));
    v = c.where(c.compare(ComparePredicate::Eq, i, static_cast<double>(at)),
                c.scalar(type, 1.0, rank), v);
    mlir::Value factor =
        c.unsqueeze(c.slice(r.factors, rank - 2, at, at + 1), rank - 1);
    x = v && factor ? reflected(c, x, v, factor) : v;
  }
  return x;
}

/// The first `count` columns of the product of the reflections.
static mlir::Value orthogonal(Call &c, const Reflections &r, int64_t count) {
  int64_t rank = c.rank(r.packed);
  Shape shape = c.shape(r.packed);
  int64_t m = shape[rank - 2];
  shape[rank - 1] = m;
  mlir::Value eye =
      c.broadcastTo(identityMatrix(c, c.element(r.packed), m, rank), shape);
  return applied(c, r, c.slice(eye, rank - 1, 0, count), /*transposed=*/false);
}

mlir::Value aten::orthonormalBasis(Call &c, mlir::Value x, int64_t count) {
  auto r = reflections(c, x);
  return r ? orthogonal(c, *r, count) : mlir::Value();
}

static void geqrf(Call &c) {
  auto r = reflections(c, smallMatrices(c, "self"));
  if (!r)
    return;
  c.give(r->packed);
  c.give(r->factors);
}

static void qr(Call &c) {
  mlir::Value a = smallMatrices(c, "A");
  auto r = reflections(c, a);
  if (!r)
    return;
  StringRef mode = c.string("mode");
  int64_t rank = c.rank(a), n = c.type(a).getShape().back(),
          m = c.type(a).getShape().drop_back().back(), k = std::min(m, n);
  if (mode != "reduced" && mode != "complete" && mode != "r") {
    c.failed("mode '" + mode + "'");
    return;
  }
  int64_t count = mode == "complete" ? m : k;
  c.give(mode == "r" ? c.full(c.element(a), {0}, 0.0)
                     : orthogonal(c, *r, count));
  mlir::Value i = indicesAlong(c, count, rank, rank - 2),
              j = indicesAlong(c, n, rank, rank - 1);
  c.give(c.where(c.compare(ComparePredicate::Ge, j, i),
                 c.slice(r->packed, rank - 2, 0, count),
                 c.scalar(c.element(a), 0.0, rank)));
}

static std::optional<Reflections> given(Call &c, StringRef packed,
                                        StringRef factors) {
  Reflections r{smallMatrices(c, packed), c.tensor(factors)};
  if (!r.packed || !r.factors)
    return std::nullopt;
  if (c.rank(r.factors) == c.rank(r.packed) - 1 &&
      c.type(r.factors).getShape().back() <= c.type(r.packed).getShape().back())
    return r;
  c.fail() << "factors of shape [" << c.type(r.factors).getShape() << "]";
  return std::nullopt;
}
static mlir::Value householderProduct(Call &c) {
  auto r = given(c, "input", c.has("tau") ? "tau" : "input2");
  return r ? orthogonal(c, *r, c.type(r->packed).getShape().back())
           : mlir::Value();
}
static mlir::Value ormqr(Call &c) {
  auto r = given(c, "self", "input2");
  mlir::Value other = c.tensor("input3");
  if (!r || !other)
    return {};
  bool transposed = c.flag("transpose");
  if (c.flag("left"))
    return applied(c, *r, other, transposed);
  return matrixTransposed(
      c, applied(c, *r, matrixTransposed(c, other), !transposed));
}

void graven::aten::addHouseholder(Table &t) {
  t.addWide("geqrf", geqrf);
  t.addWide("linalg_qr", qr);
  t.addWide("linalg_householder_product orgqr", householderProduct);
  t.addWide("ormqr", ormqr);
}
