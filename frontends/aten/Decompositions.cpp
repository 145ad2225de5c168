//===- Decompositions.cpp - ATen's small linear systems ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file builds LU, Cholesky and QR decompositions and what follows from
// them - systems, inverses, determinants - with the steps of LAPACK unrolled.
// That suits the small matrices of models; bigger ones are an error.
//
//===----------------------------------------------------------------------===//

#include "frontends/aten/Matrices.h"
#include "frontends/aten/Norms.h"
#include "frontends/aten/Table.h"

using namespace graven;
using namespace graven::aten;
using llvm::StringRef;

/// Rows [from, to) and columns of a batch of matrices.
static mlir::Value rowsOf(Call &c, mlir::Value x, int64_t from, int64_t to) {
  return x ? c.slice(x, c.rank(x) - 2, from, to) : x;
}
static mlir::Value columnsOf(Call &c, mlir::Value x, int64_t from, int64_t to) {
  return x ? c.slice(x, c.rank(x) - 1, from, to) : x;
}
static mlir::Value entry(Call &c, mlir::Value x, int64_t i, int64_t j) {
  return columnsOf(c, rowsOf(c, x, i, i + 1), j, j + 1);
}
static mlir::Value squares(Call &c, StringRef name) {
  mlir::Value x = smallMatrices(c, name);
  return x && isSquare(c, x) ? x : mlir::Value();
}

/// The parts of x on one side of the diagonal; `unit` puts ones on it.
static mlir::Value triangle(Call &c, mlir::Value x, bool upper, bool unit) {
  if (!x)
    return x;
  int64_t rank = c.rank(x);
  mlir::Value i = indicesAlong(c, rows(x), rank, rank - 2),
              j = indicesAlong(c, columns(x), rank, rank - 1);
  mlir::Value keep = c.compare(upper  ? ComparePredicate::Ge
                               : unit ? ComparePredicate::Lt
                                      : ComparePredicate::Le,
                               j, i);
  mlir::Value y = c.where(keep, x, c.scalar(c.element(x), 0.0, rank));
  return unit && !upper ? c.where(c.compare(ComparePredicate::Eq, i, j),
                                  c.scalar(c.element(x), 1.0, rank), y)
                        : y;
}

//===----------------------------------------------------------------------===//
// LU
//===----------------------------------------------------------------------===//

namespace {
/// L below the diagonal and U on and above it; row i of L U is row order[i] of
/// the matrix.
struct Lu {
  mlir::Value lu;
  mlir::Value order;  ///< [.., m] i64
  mlir::Value pivots; ///< [.., k] i64 from 0: the row that step met row i
  mlir::Value info;   ///< [..] i64: the first zero pivot from 1, or 0
};
} // namespace

/// x [.., m, n] with the rows that `order` [.., m] names.
static mlir::Value pickRows(Call &c, mlir::Value x, mlir::Value order) {
  Shape shape = c.shape(x);
  order = c.broadcastTo(c.unsqueeze(order, c.rank(order)), shape);
  return order ? c.make<GatherElementsOp>(x, order, uint64_t(c.rank(x) - 2),
                                          /*nonneg=*/true)
               : order;
}

/// `order` with the entries j and pivot [.., 1] exchanged.
static mlir::Value swapped(Call &c, mlir::Value order, int64_t j,
                           mlir::Value pivot) {
  int64_t rank = c.rank(order);
  mlir::Value i = indicesAlong(c, c.shape(order).back(), rank, rank - 1);
  mlir::Value at = c.where(c.compare(ComparePredicate::Eq, i, pivot),
                           c.scalar(c.element(i), j), i);
  at = c.where(c.compare(ComparePredicate::Eq, i, static_cast<double>(j)),
               pivot, at);
  at = c.broadcastTo(at, c.shape(order));
  return at ? c.make<GatherElementsOp>(order, at, uint64_t(rank - 1),
                                       /*nonneg=*/true)
            : at;
}

static mlir::Value startOrder(Call &c, mlir::Value x) {
  Shape shape(c.type(x).getShape().drop_back());
  return c.broadcastTo(
      indicesAlong(c, shape.back(), shape.size(), shape.size() - 1), shape);
}

/// Partial pivoting, column by column: getrf.
static std::optional<Lu> factor(Call &c, mlir::Value a) {
  if (!a)
    return std::nullopt;
  int64_t rank = c.rank(a), m = rows(a), n = columns(a), k = std::min(m, n);
  mlir::Type i64 = c.builder.getI64Type();
  Shape batch(c.type(a).getShape().drop_back(2)), line(batch);
  line.push_back(1);
  Lu f{a, startOrder(c, a), {}, c.full(i64, batch, int64_t(0))};
  llvm::SmallVector<mlir::Value> pivots;
  mlir::Value i = indicesAlong(c, m, rank, rank - 2),
              j = indicesAlong(c, n, rank, rank - 1);
  for (int64_t step = 0; step < k && f.lu && f.order; ++step) {
    mlir::Value column = rowsOf(c, columnsOf(c, f.lu, step, step + 1), step, m);
    column = c.unary<AbsOp>(column);
    if (!column)
      return std::nullopt;
    mlir::Value pivot =
        c.make<ArgReduceOp>(column, ExtremeKind::Max, uint64_t(rank - 2),
                            /*keep=*/false, /*last=*/false);
    pivot = c.reshape(c.binary<AddOp>(pivot, static_cast<double>(step)), line);
    pivots.push_back(pivot);
    if (!pivot)
      return std::nullopt;
    mlir::Value exchange = swapped(c, startOrder(c, a), step, pivot);
    f.lu = exchange ? pickRows(c, f.lu, exchange) : exchange;
    f.order = swapped(c, f.order, step, pivot);
    // A column of zeros stays.
    mlir::Value head = entry(c, f.lu, step, step);
    mlir::Value isZero = c.compare(ComparePredicate::Eq, head, 0.0);
    head = c.where(isZero, c.scalar(c.element(a), 1.0, rank), head);
    mlir::Value below =
        c.compare(ComparePredicate::Gt, i, static_cast<double>(step));
    mlir::Value ratio = c.where(
        below, c.binary<DivOp>(columnsOf(c, f.lu, step, step + 1), head),
        c.scalar(c.element(a), 0.0, rank));
    mlir::Value row = c.where(
        c.compare(ComparePredicate::Gt, j, static_cast<double>(step)),
        rowsOf(c, f.lu, step, step + 1), c.scalar(c.element(a), 0.0, rank));
    mlir::Value next = c.binary<SubOp>(f.lu, c.binary<MulOp>(ratio, row));
    mlir::Value inColumn = c.binary<AndOp>(
        below, c.compare(ComparePredicate::Eq, j, static_cast<double>(step)));
    f.lu = c.where(inColumn, ratio, next);
    mlir::Value first = c.binary<AndOp>(
        c.reshape(isZero, batch), c.compare(ComparePredicate::Eq, f.info, 0.0));
    f.info = c.where(first, c.scalar(i64, step + 1), f.info);
  }
  f.pivots = pivots.empty() ? mlir::Value() : c.concat(pivots, rank - 2);
  if (pivots.empty()) {
    line.back() = 0;
    f.pivots = c.full(i64, line, int64_t(0));
  }
  return f.lu && f.order && f.pivots && f.info ? std::optional(f)
                                               : std::nullopt;
}

//===----------------------------------------------------------------------===//
// Systems
//===----------------------------------------------------------------------===//

/// The triangular a times the result is b, row after row.
static mlir::Value solveTriangular(Call &c, mlir::Value a, mlir::Value b,
                                   bool upper, bool unit) {
  if (!a || !b)
    return {};
  int64_t n = rows(a);
  int64_t rank = std::max(c.rank(a), c.rank(b));
  a = c.withRank(a, rank);
  b = c.withRank(b, rank);
  if (!a || !b || n == 0)
    return b;
  Shape target = c.shape(b);
  auto batch = Emitter::broadcastShape(c.type(a).getShape().drop_back(2),
                                       c.type(b).getShape().drop_back(2));
  if (!batch || target[rank - 2] != n)
    return c.failed("shapes of matrix and right side do not match");
  batch->append({target[rank - 2], target[rank - 1]});
  b = c.broadcastTo(b, *batch);
  llvm::SmallVector<mlir::Value> solved(n);
  for (int64_t step = 0; step < n && b; ++step) {
    int64_t at = upper ? n - 1 - step : step;
    mlir::Value x = upper ? rowsOf(c, b, at, at + 1) : rowsOf(c, b, 0, 1);
    if (!unit)
      x = c.binary<DivOp>(x, entry(c, a, at, at));
    solved[at] = x;
    if (!x || step + 1 == n)
      continue;
    int64_t from = upper ? 0 : at + 1, to = upper ? at : n;
    mlir::Value factors = columnsOf(c, rowsOf(c, a, from, to), at, at + 1);
    mlir::Value rest = upper ? rowsOf(c, b, 0, at) : rowsOf(c, b, 1, n - step);
    b = c.binary<SubOp>(rest, c.binary<MulOp>(factors, x));
  }
  return c.concat(solved, rank - 2);
}

/// b [.., n, r] for P L U x = b.
/// The rows of b in that order, for each matrix of the batch.
static mlir::Value reordered(Call &c, mlir::Value b, mlir::Value order,
                             mlir::Value lu) {
  if (!lu || !order || !b)
    return {};
  int64_t rank = std::max(c.rank(lu), c.rank(b));
  auto batch = Emitter::broadcastShape(c.type(lu).getShape().drop_back(2),
                                       c.type(b).getShape().drop_back(2));
  if (!batch || rows(b) != rows(lu))
    return c.failed("shapes of matrix and right side do not match");
  Shape target(*batch), line(*batch);
  target.append({rows(b), columns(b)});
  line.push_back(rows(lu));
  b = c.broadcastTo(c.withRank(b, rank), target);
  order = c.broadcastTo(order, line);
  return b && order ? pickRows(c, b, order) : mlir::Value();
}

static mlir::Value solveFactored(Call &c, mlir::Value lu, mlir::Value order,
                                 mlir::Value b) {
  b = reordered(c, b, order, lu);
  b = solveTriangular(c, lu, b, /*upper=*/false, /*unit=*/true);
  return solveTriangular(c, lu, b, /*upper=*/true, /*unit=*/false);
}

mlir::Value aten::inverseOf(Call &c, mlir::Value x) {
  if (rows(x) > kMaxSteps || !c.isFloat(x))
    return c.failed("inverse of such matrices");
  auto f = factor(c, x);
  return f ? solveFactored(c, f->lu, f->order,
                           identityMatrix(c, c.element(x), rows(x), c.rank(x)))
           : mlir::Value();
}

static mlir::Value infoOf(Call &c, mlir::Value info) {
  return c.cast(info, ScalarType::Int);
}

static void inverse(Call &c) {
  mlir::Value x = squares(c, c.has("A") ? "A" : "self");
  auto f = factor(c, x);
  if (!f)
    return;
  c.give(solveFactored(c, f->lu, f->order,
                       identityMatrix(c, c.element(x), rows(x), c.rank(x))));
  if (c.schema.results.size() > 1)
    c.give(infoOf(c, f->info));
}

/// A X = B, or X A = B; a B of one axis less than A is vectors.
/// L and U in one matrix, and the pivots, which count from 1.
static void giveFactored(Call &c, const Lu &f) {
  c.give(f.lu);
  c.give(c.cast(c.binary<AddOp>(f.pivots, 1.0), ScalarType::Int));
}

static void solve(Call &c) {
  mlir::Value a = squares(c, "A"), b = c.tensor("B");
  auto f = factor(c, a);
  if (!f || !b)
    return;
  bool isVector = c.rank(b) == 1 ||
                  (c.rank(b) == c.rank(a) - 1 &&
                   c.type(b).getShape() == c.type(a).getShape().drop_back());
  if (isVector)
    b = c.unsqueeze(b, c.rank(b));
  if (!c.flag("left") && !isVector) {
    f = factor(c, matrixTransposed(c, a));
    b = matrixTransposed(c, b);
  }
  mlir::Value x = f ? solveFactored(c, f->lu, f->order, b) : mlir::Value();
  if (!x)
    return;
  if (!c.flag("left") && !isVector)
    x = matrixTransposed(c, x);
  if (isVector)
    x = c.reshape(x, Shape(c.type(x).getShape().drop_back()));
  c.give(x);
  if (c.schema.results.size() > 2)
    giveFactored(c, *f);
  if (c.schema.results.size() > 1)
    c.give(infoOf(c, f->info));
}

static mlir::Value triangular(Call &c) {
  mlir::Value a = squares(c, "self"), b = c.tensor("B");
  if (!a || !b)
    return {};
  bool upper = c.flag("upper"), unit = c.flag("unitriangular");
  if (c.flag("left"))
    return solveTriangular(c, a, b, upper, unit);
  return matrixTransposed(c, solveTriangular(c, matrixTransposed(c, a),
                                             matrixTransposed(c, b), !upper,
                                             unit));
}
static void triangularSolve(Call &c) {
  mlir::Value a = squares(c, "A"), b = c.tensor();
  if (!a)
    return;
  bool transposed = c.flag("transpose");
  c.give(solveTriangular(c, transposed ? matrixTransposed(c, a) : a, b,
                         c.flag("upper") != transposed,
                         c.flag("unitriangular")));
  c.give(a);
}

/// A x = b for tensors: the axes of b in front, the rest flattened.
static mlir::Value tensorSolve(Call &c) {
  mlir::Value a = c.tensor(), b = c.tensor("other");
  auto dims = c.integers("dims");
  if (!dims)
    return {};
  Shape order;
  for (int64_t &axis : *dims) {
    auto checked = c.checkedAxis(axis, c.rank(a));
    if (!checked)
      return {};
    axis = *checked;
  }
  for (int64_t i = 0; i < c.rank(a); ++i)
    if (!llvm::is_contained(*dims, i))
      order.push_back(i);
  order.append(*dims);
  if (static_cast<int64_t>(order.size()) != c.rank(a) || c.rank(b) > c.rank(a))
    return c.failed("axes");
  a = c.transpose(a, order);
  int64_t n = c.type(b).getNumElements();
  if (!a || n > kMaxSteps || c.type(a).getNumElements() != n * n)
    return c.failed("matrix of " + llvm::Twine(n) + " rows");
  Shape result(c.type(a).getShape().drop_front(c.rank(b)));
  auto f = factor(c, c.reshape(a, {n, n}));
  return f ? c.reshape(solveFactored(c, f->lu, f->order, c.reshape(b, {n, 1})),
                       result)
           : mlir::Value();
}
static mlir::Value tensorInverse(Call &c) {
  mlir::Value a = c.tensor();
  auto ind = c.integer("ind");
  if (!ind || *ind < 1 || *ind >= c.rank(a))
    return c.failed("number of axes");
  Shape shape = c.shape(a), result(shape.begin() + *ind, shape.end());
  int64_t n = extentProduct(result);
  result.append(shape.begin(), shape.begin() + *ind);
  if (c.type(a).getNumElements() != n * n)
    return c.failed("axes that are no square matrix");
  return c.reshape(inverseOf(c, c.reshape(a, {n, n})), result);
}

//===----------------------------------------------------------------------===//
// Determinants
//===----------------------------------------------------------------------===//

namespace {
/// The diagonal of U and the sign of the exchanges.
struct Determinant {
  mlir::Value diagonal, sign;
};
} // namespace

static std::optional<Determinant> determinant(Call &c, StringRef name) {
  mlir::Value x = squares(c, name);
  auto f = factor(c, x);
  if (!f)
    return std::nullopt;
  int64_t rank = c.rank(x), n = rows(x);
  mlir::Value eye = identityMatrix(c, c.builder.getI1Type(), n, rank);
  mlir::Value diagonal = c.reduce(
      ReduceKind::Sum, c.where(eye, f->lu, c.scalar(c.element(x), 0.0, rank)),
      {rank - 2}, /*keep=*/false);
  mlir::Value stays = c.compare(ComparePredicate::Eq, f->pivots,
                                indicesAlong(c, n, rank - 1, rank - 2));
  mlir::Value sign =
      c.where(stays, c.scalar(c.element(x), 1.0), c.scalar(c.element(x), -1.0));
  sign = c.reduce(ReduceKind::Prod, sign, {rank - 2}, /*keep=*/false);
  return diagonal && sign ? std::optional(Determinant{diagonal, sign})
                          : std::nullopt;
}

static mlir::Value det(Call &c) {
  auto d = determinant(c, c.has("A") ? "A" : "self");
  return d ? c.binary<MulOp>(c.reduce(ReduceKind::Prod, d->diagonal,
                                      {c.rank(d->diagonal) - 1},
                                      /*keep=*/false),
                             d->sign)
           : mlir::Value();
}
static std::pair<mlir::Value, mlir::Value> signAndLog(Call &c, StringRef name) {
  auto d = determinant(c, name);
  if (!d)
    return {};
  int64_t axis = c.rank(d->diagonal) - 1;
  mlir::Value sign = c.reduce(ReduceKind::Prod, c.unary<SignOp>(d->diagonal),
                              {axis}, /*keep=*/false);
  mlir::Value log =
      c.reduce(ReduceKind::Sum, c.unary<LogOp>(c.unary<AbsOp>(d->diagonal)),
               {axis}, /*keep=*/false);
  return {c.binary<MulOp>(sign, d->sign), log};
}
static void slogdet(Call &c) {
  auto [sign, log] = signAndLog(c, c.has("A") ? "A" : "self");
  c.give(sign);
  c.give(log);
}
/// With the factors that the decomposed form gives, too.
static void detAndFactors(Call &c) {
  c.give(det(c));
  if (auto f = factor(c, squares(c, "A")))
    giveFactored(c, *f);
}
static void slogdetAndFactors(Call &c) {
  slogdet(c);
  if (auto f = factor(c, squares(c, "A")))
    giveFactored(c, *f);
}
static mlir::Value logdet(Call &c) {
  auto [sign, log] = signAndLog(c, "self");
  if (!sign || !log)
    return {};
  return c.where(c.compare(ComparePredicate::Eq, sign, -1.0),
                 c.scalar(c.element(log), std::nan("")), log);
}

//===----------------------------------------------------------------------===//
// The factors themselves
//===----------------------------------------------------------------------===//

static void luFactor(Call &c) {
  if (!c.flag("pivot")) {
    c.failed("without pivots");
    return;
  }
  auto f = factor(c, smallMatrices(c, c.has("A") ? "A" : "self"));
  if (!f)
    return;
  giveFactored(c, *f);
  if (c.schema.results.size() > 2)
    c.give(infoOf(c, f->info));
}

/// P, L and U of a factored [.., m, n].
static void giveFactors(Call &c, mlir::Value lu, mlir::Value order) {
  int64_t k = std::min(rows(lu), columns(lu)), rank = c.rank(lu);
  mlir::Value i = indicesAlong(c, rows(lu), rank, rank - 2);
  mlir::Value p =
      c.cast(c.compare(ComparePredicate::Eq, i, c.unsqueeze(order, rank - 2)),
             c.element(lu));
  c.give(p);
  c.give(triangle(c, columnsOf(c, lu, 0, k), /*upper=*/false, /*unit=*/true));
  c.give(triangle(c, rowsOf(c, lu, 0, k), /*upper=*/true, /*unit=*/false));
}
static void lu(Call &c) {
  if (!c.flag("pivot")) {
    c.failed("without pivots");
    return;
  }
  if (auto f = factor(c, smallMatrices(c, "A")))
    giveFactors(c, f->lu, f->order);
}

/// The order of the rows that 1-based pivots [.., k] lead to, or the one that
/// leads back.
static mlir::Value orderOf(Call &c, mlir::Value lu, mlir::Value pivots,
                           bool back = false) {
  mlir::Value order = startOrder(c, lu);
  pivots = c.binary<SubOp>(c.cast(pivots, ScalarType::Long), 1.0);
  int64_t count = pivots ? c.shape(pivots).back() : 0;
  for (int64_t step = 0; order && step < count; ++step) {
    int64_t i = back ? count - 1 - step : step;
    order = swapped(c, order, i, c.slice(pivots, c.rank(pivots) - 1, i, i + 1));
  }
  return order;
}
static void luUnpack(Call &c) {
  mlir::Value data = smallMatrices(c, "LU_data");
  if (!c.flag("unpack_data") || !c.flag("unpack_pivots")) {
    c.failed("a part of the factors only");
    return;
  }
  mlir::Value order = data ? orderOf(c, data, c.tensor("LU_pivots")) : data;
  if (order)
    giveFactors(c, data, order);
}
static mlir::Value luSolve(Call &c) {
  bool isOld = c.has("LU_data");
  mlir::Value data = squares(c, isOld ? "LU_data" : "LU"),
              b = c.tensor(isOld ? "self" : "B");
  if (!data || !b)
    return {};
  mlir::Value pivots = c.tensor(isOld ? "LU_pivots" : "pivots");
  bool isRight = !isOld && !c.flag("left"),
       isAdjoint = !isOld && c.flag("adjoint");
  // X A = B is A^T X^T = B^T.
  b = isRight ? matrixTransposed(c, b) : b;
  mlir::Value x;
  if (isAdjoint == isRight) {
    x = solveFactored(c, data, orderOf(c, data, pivots), b);
  } else {
    mlir::Value turned = matrixTransposed(c, data);
    x = solveTriangular(c, turned, b, /*upper=*/false, /*unit=*/false);
    x = solveTriangular(c, turned, x, /*upper=*/true, /*unit=*/true);
    x = reordered(c, x, orderOf(c, data, pivots, /*back=*/true), data);
  }
  return x && isRight ? matrixTransposed(c, x) : x;
}

namespace {
struct Cholesky {
  mlir::Value lower, info;
};
} // namespace

/// Reads the lower triangle.
static std::optional<Cholesky> cholesky(Call &c, mlir::Value a) {
  if (!a)
    return std::nullopt;
  int64_t n = rows(a), rank = c.rank(a);
  mlir::Type i64 = c.builder.getI64Type();
  Shape batch(c.type(a).getShape().drop_back(2));
  mlir::Value info = c.full(i64, batch, int64_t(0)), rest = a;
  llvm::SmallVector<mlir::Value> parts;
  for (int64_t j = 0; j < n && rest; ++j) {
    mlir::Value head = entry(c, rest, 0, 0);
    mlir::Value bad = c.unary<NotOp>(
        c.compare(ComparePredicate::Gt, c.reshape(head, batch), 0.0));
    bad = c.binary<AndOp>(bad, c.compare(ComparePredicate::Eq, info, 0.0));
    info = c.where(bad, c.scalar(i64, j + 1), info);
    head = c.unary<SqrtOp>(head);
    mlir::Value column = head;
    if (j + 1 < n) {
      mlir::Value below =
          c.binary<DivOp>(columnsOf(c, rowsOf(c, rest, 1, n - j), 0, 1), head);
      column = c.concat({head, below}, rank - 2);
      rest = columnsOf(c, rowsOf(c, rest, 1, n - j), 1, n - j);
      rest = c.binary<SubOp>(
          rest, c.binary<MulOp>(below, matrixTransposed(c, below)));
    }
    if (j > 0) {
      Shape above = c.shape(head);
      above[rank - 2] = j;
      column = c.concat({c.full(c.element(a), above, 0.0), column}, rank - 2);
    }
    parts.push_back(column);
  }
  mlir::Value lower = n ? c.concat(parts, rank - 1) : a;
  return lower && info ? std::optional(Cholesky{lower, info}) : std::nullopt;
}

static void choleskyFactor(Call &c) {
  mlir::Value a = squares(c, "self");
  bool upper = c.flag("upper");
  auto f = cholesky(c, a && upper ? matrixTransposed(c, a) : a);
  if (!f)
    return;
  c.give(upper ? matrixTransposed(c, f->lower) : f->lower);
  if (c.schema.results.size() > 1)
    c.give(infoOf(c, f->info));
}
/// A = L L^T of a given L, or U^T U.
static mlir::Value solveCholesky(Call &c, mlir::Value factor, mlir::Value b) {
  if (factor && c.flag("upper"))
    factor = matrixTransposed(c, factor);
  b = solveTriangular(c, factor, b, /*upper=*/false, /*unit=*/false);
  return factor ? solveTriangular(c, matrixTransposed(c, factor), b,
                                  /*upper=*/true, /*unit=*/false)
                : factor;
}
static mlir::Value choleskySolve(Call &c) {
  return solveCholesky(c, squares(c, "input2"), c.tensor());
}
static mlir::Value choleskyInverse(Call &c) {
  mlir::Value x = squares(c, "self");
  return x ? solveCholesky(c, x,
                           identityMatrix(c, c.element(x), rows(x), c.rank(x)))
           : x;
}

void graven::aten::addDecompositions(Table &t) {
  t.addWide("linalg_inv linalg_inv_ex inverse", inverse);
  t.addWide("linalg_solve linalg_solve_ex _linalg_solve_ex", solve);
  t.addWide("linalg_solve_triangular", triangular);
  t.addWide("triangular_solve", triangularSolve);
  t.addWide("linalg_tensorsolve", tensorSolve);
  t.addWide("linalg_tensorinv", tensorInverse);
  t.addWide("linalg_det det", det);
  t.addWide("linalg_slogdet slogdet", slogdet);
  t.addWide("_linalg_det", detAndFactors);
  t.addWide("_linalg_slogdet", slogdetAndFactors);
  t.addWide("logdet", logdet);
  t.addWide("linalg_lu_factor linalg_lu_factor_ex _lu_with_info", luFactor);
  t.addWide("linalg_lu", lu);
  t.addWide("lu_unpack", luUnpack);
  t.addWide("linalg_lu_solve lu_solve", luSolve);
  t.addWide("linalg_cholesky linalg_cholesky_ex cholesky", choleskyFactor);
  t.addWide("cholesky_solve", choleskySolve);
  t.addWide("cholesky_inverse", choleskyInverse);
}
