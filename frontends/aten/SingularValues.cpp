//===- SingularValues.cpp - ATen's singular and eigenvalues ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file builds singular value decompositions by one-sided Jacobi rotations,
// a loop that rotates all disjoint pairs of columns at once, and what follows
// from them: eigenvalues of symmetric matrices, pseudoinverses, ranks. All of
// it is computed in f64.
//
//===----------------------------------------------------------------------===//

#include "frontends/aten/Matrices.h"
#include "frontends/aten/Norms.h"
#include "frontends/aten/Table.h"

#include <cmath>

using namespace graven;
using namespace graven::aten;
using llvm::StringRef;

/// More columns would take too many rotations.
static constexpr int64_t kMaxColumns = 64;
/// Each sweep rotates every pair once; convergence is quadratic.
static constexpr int64_t kSweeps = 16;

static mlir::Value matrices(Call &c, StringRef name) {
  return c.cast(smallMatrices(c, name, kMaxColumns), ScalarType::Double);
}

//===----------------------------------------------------------------------===//
// Rotations
//===----------------------------------------------------------------------===//

/// The columns of x [.., r, n], the first and second of each pair: two values
/// [.., r, n / 2, 1].
static std::pair<mlir::Value, mlir::Value> pairs(Call &c, mlir::Value x) {
  Shape shape = c.shape(x);
  shape.back() /= 2;
  shape.push_back(2);
  mlir::Value both = c.reshape(x, shape);
  int64_t axis = shape.size() - 1;
  return {c.slice(both, axis, 0, 1), c.slice(both, axis, 1, 2)};
}

/// One rotation of each pair of neighbours among the columns of x, such that
/// their first m entries become orthogonal.
/// Source: G. H. Golub, C. F. Van Loan, "Matrix Computations", 8.6.3.
static mlir::Value rotated(Call &c, mlir::Value x, int64_t m) {
  auto [p, q] = pairs(c, x);
  int64_t axis = c.rank(x) - 2; // of the entries
  auto dot = [&](mlir::Value a, mlir::Value b) {
    return c.reduce(
        ReduceKind::Sum,
        c.binary<MulOp>(c.slice(a, axis, 0, m), c.slice(b, axis, 0, m)), {axis},
        /*keep=*/true);
  };
  mlir::Value gamma = dot(p, q);
  mlir::Value one = c.scalar(c.builder.getF64Type(), 1.0, c.rank(gamma)),
              zero = c.scalar(c.builder.getF64Type(), 0.0, c.rank(gamma));
  mlir::Value isDone = c.compare(ComparePredicate::Eq, gamma, 0.0);
  mlir::Value zeta =
      c.binary<DivOp>(c.binary<SubOp>(dot(q, q), dot(p, p)),
                      c.where(isDone, one, c.binary<MulOp>(gamma, 2.0)));
  mlir::Value size = c.unary<AbsOp>(zeta);
  mlir::Value tangent = c.binary<DivOp>(
      one, c.binary<AddOp>(size, c.unary<SqrtOp>(c.binary<AddOp>(
                                     c.binary<MulOp>(zeta, zeta), 1.0))));
  tangent = c.where(c.compare(ComparePredicate::Lt, zeta, 0.0),
                    c.unary<NegOp>(tangent), tangent);
  tangent = c.where(isDone, zero, tangent);
  mlir::Value cosine = c.binary<DivOp>(
      one,
      c.unary<SqrtOp>(c.binary<AddOp>(c.binary<MulOp>(tangent, tangent), 1.0)));
  mlir::Value sine = c.binary<MulOp>(tangent, cosine);
  mlir::Value first =
      c.binary<SubOp>(c.binary<MulOp>(cosine, p), c.binary<MulOp>(sine, q));
  mlir::Value second =
      c.binary<AddOp>(c.binary<MulOp>(sine, p), c.binary<MulOp>(cosine, q));
  return c.reshape(c.concat({first, second}, c.rank(x)), c.shape(x));
}

/// The columns seated anew so that after n - 1 times each pair met once, and
/// all are back: the circle method of round-robin tournaments. Seats 2i and
/// 2i + 1 face each other; seat 0 stays.
static mlir::Value reseated(Call &c, mlir::Value x) {
  int64_t n = columns(x), half = n / 2;
  Shape from(n);
  for (int64_t i = 1; i < half; ++i)
    from[2 * i] = i == 1 ? 1 : 2 * (i - 1);
  for (int64_t i = 0; i < half; ++i)
    from[2 * i + 1] = i + 1 < half ? 2 * (i + 1) + 1 : 2 * i;
  if (half == 1)
    from = {0, 1};
  return c.make<GatherOp>(x, c.indices({n}, from), uint64_t(c.rank(x) - 1),
                          /*nonneg=*/true);
}

/// x [.., r, n], n even, after all sweeps.
static mlir::Value swept(Call &c, mlir::Value x, int64_t m) {
  mlir::Value trip = c.full(c.builder.getI64Type(), {},
                            kSweeps * std::max<int64_t>(columns(x) - 1, 1));
  auto carried = c.repeat(trip, {x}, [&](mlir::Value, mlir::ValueRange state) {
    mlir::Value y = rotated(c, state[0], m);
    return llvm::SmallVector<mlir::Value>{y ? reseated(c, y) : y};
  });
  return carried.empty() ? mlir::Value() : carried[0];
}

//===----------------------------------------------------------------------===//
// Singular values
//===----------------------------------------------------------------------===//

namespace {
/// a = left diag(values) right^T; k = min(m, n) values, the greatest first.
/// Where a value is 0, its column of `left` is, too.
struct Singular {
  mlir::Value left;   ///< [.., m, k]
  mlir::Value values; ///< [.., k]
  mlir::Value right;  ///< [.., n, k]
};
} // namespace

/// x [.., r, n] with the columns that order [.., n] names.
static mlir::Value pickColumns(Call &c, mlir::Value x, mlir::Value order) {
  if (!x || !order)
    return {};
  order = c.broadcastTo(c.unsqueeze(order, c.rank(order) - 1), c.shape(x));
  return order ? c.make<GatherElementsOp>(x, order, uint64_t(c.rank(x) - 1),
                                          /*nonneg=*/true)
               : order;
}

/// x in the order of `keys` [.., n], and the keys.
static std::pair<mlir::Value, mlir::Value> sorted(Call &c, mlir::Value keys,
                                                  bool descending) {
  auto op =
      tryCreate<TopKOp>(c.builder, c.loc, keys, uint64_t(c.shape(keys).back()),
                        uint64_t(c.rank(keys) - 1), descending);
  if (mlir::failed(op))
    return {};
  return {op->getValues(), op->getIndices()};
}

static mlir::Value diagonalTimes(Call &c, mlir::Value x, mlir::Value line) {
  return line ? c.binary<MulOp>(x, c.unsqueeze(line, c.rank(line) - 1)) : line;
}

/// Of x [.., m, n] in f64 with n <= m.
static std::optional<Singular> decomposedTall(Call &c, mlir::Value x) {
  int64_t rank = c.rank(x), m = rows(x), n = columns(x), even = n + n % 2;
  mlir::Type f64 = c.builder.getF64Type();
  Shape both = {rank - 2, rank - 1};
  // Squares stay in range.
  mlir::Value most =
      c.reduce(ReduceKind::Max, c.unary<AbsOp>(x), both, /*keep=*/true);
  mlir::Value isZero = c.compare(ComparePredicate::Eq, most, 0.0);
  most = c.where(isZero, c.scalar(f64, 1.0, rank), most);
  mlir::Value a = c.binary<DivOp>(x, most);
  Shape identity = c.shape(x), column = c.shape(x);
  identity[rank - 2] = identity[rank - 1] = even;
  column.back() = 1;
  if (even != n)
    a = c.concat({a, c.full(f64, column, 0.0)}, rank - 1);
  mlir::Value eye = c.broadcastTo(identityMatrix(c, f64, even, rank), identity);
  mlir::Value state = c.concat({a, eye}, rank - 2);
  state = state && n > 1 ? swept(c, state, m) : state;
  if (!state)
    return std::nullopt;
  // The column that was added is back in its place.
  state = c.slice(state, rank - 1, 0, n);
  mlir::Value left = c.slice(state, rank - 2, 0, m),
              right = c.slice(state, rank - 2, m, m + n);
  mlir::Value values = c.unary<SqrtOp>(
      c.reduce(ReduceKind::Sum, c.binary<MulOp>(left, left), {rank - 2},
               /*keep=*/false));
  auto [ordered, order] = sorted(c, values, /*descending=*/true);
  left = pickColumns(c, left, order);
  right = pickColumns(c, right, order);
  if (!left || !right)
    return std::nullopt;
  mlir::Value none = c.compare(ComparePredicate::Eq, ordered, 0.0);
  mlir::Value divisor = c.where(none, c.full(f64, {}, 1.0), ordered);
  left = c.binary<DivOp>(left, c.unsqueeze(divisor, c.rank(divisor) - 1));
  Shape line(c.type(most).getShape().drop_back());
  ordered = c.binary<MulOp>(ordered, c.reshape(most, line));
  return left && ordered ? std::optional(Singular{left, ordered, right})
                         : std::nullopt;
}

static std::optional<Singular> decomposed(Call &c, mlir::Value x) {
  if (!x)
    return std::nullopt;
  if (c.type(x).getNumElements() == 0) {
    Shape left = c.shape(x), right = c.shape(x),
          values(c.type(x).getShape().drop_back(2));
    int64_t k = std::min(rows(x), columns(x));
    values.push_back(k);
    left.back() = right.back() = k;
    right[right.size() - 2] = columns(x);
    mlir::Type f64 = c.builder.getF64Type();
    Singular none{c.full(f64, left, 0.0), c.full(f64, values, 0.0),
                  c.full(f64, right, 0.0)};
    return none.left && none.values && none.right ? std::optional(none)
                                                  : std::nullopt;
  }
  if (columns(x) <= rows(x))
    return decomposedTall(c, x);
  auto s = decomposedTall(c, matrixTransposed(c, x));
  if (s)
    std::swap(s->left, s->right);
  return s;
}

mlir::Value aten::singularValuesOf(Call &c, mlir::Value x) {
  if (std::min(rows(x), columns(x)) > kMaxColumns)
    return c.failed("singular values of such matrices");
  auto s = decomposed(c, c.cast(x, ScalarType::Double));
  return s ? c.cast(s->values, c.element(x)) : mlir::Value();
}

/// Orthonormal columns u [.., m, k], some of which may be 0, with those filled,
/// and more of them up to `count`.
static mlir::Value completed(Call &c, mlir::Value u, int64_t count) {
  int64_t rank = c.rank(u), k = columns(u);
  if (c.type(u).getNumElements() == 0) {
    Shape shape = c.shape(u);
    shape.back() = count;
    mlir::Value eye = identityMatrix(c, c.element(u), rows(u), rank);
    return c.broadcastTo(c.slice(eye, rank - 1, 0, count), shape);
  }
  mlir::Value q = orthonormalBasis(c, u, count);
  if (!q)
    return q;
  // The basis has the same columns but for signs.
  mlir::Value dots =
      c.reduce(ReduceKind::Sum, c.binary<MulOp>(c.slice(q, rank - 1, 0, k), u),
               {rank - 2}, /*keep=*/true);
  mlir::Value isThere =
      c.compare(ComparePredicate::Gt, c.unary<AbsOp>(dots), 0.5);
  mlir::Value head = c.where(isThere, u, c.slice(q, rank - 1, 0, k));
  return k == count
             ? head
             : c.concat({head, c.slice(q, rank - 1, k, count)}, rank - 1);
}

/// The three factors in the type of the argument; V is transposed or not.
static void giveFactors(Call &c, StringRef name, bool full, bool transposed) {
  mlir::Type type = c.element(c.tensor(name));
  mlir::Value x = matrices(c, name);
  auto s = decomposed(c, x);
  if (!s)
    return;
  int64_t k = std::min(rows(x), columns(x));
  mlir::Value u = completed(c, s->left, full ? rows(x) : k),
              v = completed(c, s->right, full ? columns(x) : k);
  c.give(c.cast(u, type));
  c.give(c.cast(s->values, type));
  c.give(c.cast(transposed ? matrixTransposed(c, v) : v, type));
}

static void linalgSvd(Call &c) {
  if (c.has("compute_uv") && !c.flag("compute_uv")) {
    mlir::Value x = c.tensor("A"), none = c.full(c.element(x), {0}, 0.0);
    auto s = decomposed(c, matrices(c, "A"));
    if (!s)
      return;
    c.give(none);
    c.give(c.cast(s->values, c.element(x)));
    c.give(none);
    return;
  }
  giveFactors(c, "A", c.flag("full_matrices"), /*transposed=*/true);
}
/// Without vectors they are zeros.
static void svd(Call &c) {
  if (c.flag("compute_uv")) {
    giveFactors(c, "self", !c.flag("some"), /*transposed=*/false);
    return;
  }
  mlir::Value x = c.tensor();
  auto s = decomposed(c, matrices(c, "self"));
  if (!s)
    return;
  Shape shape = c.shape(x);
  shape.back() = rows(x);
  c.give(c.full(c.element(x), shape, 0.0));
  c.give(c.cast(s->values, c.element(x)));
  shape.back() = shape[shape.size() - 2] = columns(x);
  c.give(c.full(c.element(x), shape, 0.0));
}
static mlir::Value svdvals(Call &c) {
  mlir::Value x = c.tensor("A");
  auto s = decomposed(c, matrices(c, "A"));
  return s ? c.cast(s->values, c.element(x)) : mlir::Value();
}

static void polarFactors(Call &c) {
  mlir::Type type = c.element(c.tensor("A"));
  auto s = decomposed(c, matrices(c, "A"));
  if (!s)
    return;
  int64_t k = columns(s->left);
  mlir::Value u = completed(c, s->left, k), v = completed(c, s->right, k);
  mlir::Value right = matrixTransposed(c, v);
  c.give(c.cast(product(c, u, right), type));
  c.give(c.cast(product(c, diagonalTimes(c, v, s->values), right), type));
}

//===----------------------------------------------------------------------===//
// Eigenvalues of symmetric matrices
//===----------------------------------------------------------------------===//

/// The matrix of which one triangle is read.
static mlir::Value symmetric(Call &c, StringRef name, bool upper) {
  mlir::Value x = matrices(c, name);
  if (!x || !isSquare(c, x))
    return {};
  int64_t rank = c.rank(x);
  mlir::Value own =
      c.compare(upper ? ComparePredicate::Le : ComparePredicate::Ge,
                indicesAlong(c, columns(x), rank, rank - 2),
                indicesAlong(c, columns(x), rank, rank - 1));
  return c.where(own, x, matrixTransposed(c, x));
}

namespace {
/// In ascending order; vectors are columns.
struct Eigen {
  mlir::Value values, vectors;
};
} // namespace

/// A multiple of the identity makes all eigenvalues positive; then they are
/// singular values.
static std::optional<Eigen> eigen(Call &c, mlir::Value x) {
  if (!x)
    return std::nullopt;
  int64_t rank = c.rank(x), n = columns(x);
  if (c.type(x).getNumElements() == 0) {
    mlir::Value values =
        c.full(c.element(x), Shape(c.type(x).getShape().drop_back()), 0.0);
    return values ? std::optional(Eigen{values, x}) : std::nullopt;
  }
  mlir::Value most = c.reduce(ReduceKind::Max, c.unary<AbsOp>(x),
                              {rank - 2, rank - 1}, /*keep=*/true);
  mlir::Value shift = c.binary<MulOp>(most, 2.0 * static_cast<double>(n));
  mlir::Value eye = identityMatrix(c, c.element(x), n, rank);
  auto s = decomposed(c, c.binary<AddOp>(x, c.binary<MulOp>(eye, shift)));
  if (!s)
    return std::nullopt;
  Shape line(c.type(shift).getShape().drop_back());
  mlir::Value values = c.binary<SubOp>(s->values, c.reshape(shift, line));
  // The greatest come first.
  Shape back;
  for (int64_t i = n; i-- > 0;)
    back.push_back(i);
  mlir::Value order = c.indices({n}, back);
  values = values ? c.make<GatherOp>(values, order, uint64_t(rank - 2), true)
                  : values;
  mlir::Value vectors =
      c.make<GatherOp>(s->right, order, uint64_t(rank - 1), true);
  return values && vectors ? std::optional(Eigen{values, vectors})
                           : std::nullopt;
}

static bool readsUpper(Call &c) {
  return c.string("UPLO").starts_with_insensitive("u");
}
static StringRef matrixName(Call &c) { return c.has("A") ? "A" : "self"; }

static void eigh(Call &c) {
  StringRef name = matrixName(c);
  mlir::Type type = c.element(c.tensor(name));
  auto e = eigen(c, symmetric(c, name, readsUpper(c)));
  if (!e)
    return;
  bool hasVectors = !c.has("compute_v") || c.flag("compute_v");
  c.give(c.cast(e->values, type));
  c.give(hasVectors ? c.cast(e->vectors, type) : c.full(type, {0}, 0.0));
}
static mlir::Value eigvalsh(Call &c) {
  mlir::Type type = c.element(c.tensor());
  auto e = eigen(c, symmetric(c, "self", readsUpper(c)));
  return e ? c.cast(e->values, type) : mlir::Value();
}

/// The root of a symmetric matrix; negative eigenvalues give NaN.
static mlir::Value squareRoot(Call &c) {
  mlir::Type type = c.element(c.tensor());
  auto e = eigen(c, symmetric(c, "self", /*upper=*/false));
  if (!e)
    return {};
  mlir::Value root = c.unary<SqrtOp>(e->values);
  return c.cast(product(c, diagonalTimes(c, e->vectors, root),
                        matrixTransposed(c, e->vectors)),
                type);
}

//===----------------------------------------------------------------------===//
// Pseudoinverses and ranks
//===----------------------------------------------------------------------===//

/// An argument, number or tensor, as f64 that broadcasts against [.., k].
static mlir::Value bound(Call &c, StringRef name) {
  mlir::Value x = c.operand(name, ScalarType::Double);
  return x && c.rank(x) > 0 ? c.unsqueeze(x, c.rank(x)) : x;
}

/// Which singular values [.., k] of the argument count as more than 0.
static mlir::Value significant(Call &c, mlir::Value x, mlir::Value values,
                               mlir::Type type) {
  if (!values)
    return values;
  if (c.type(values).getNumElements() == 0)
    return c.full(c.builder.getI1Type(), c.shape(values), int64_t(0));
  mlir::Type f64 = c.builder.getF64Type();
  const llvm::fltSemantics &semantics =
      mlir::cast<mlir::FloatType>(type).getFloatSemantics();
  double epsilon = std::ldexp(
      1.0, 1 - static_cast<int>(llvm::APFloat::semanticsPrecision(semantics)));
  mlir::Value usual = c.full(
      f64, {}, epsilon * static_cast<double>(std::max(rows(x), columns(x))));
  mlir::Value none = c.full(f64, {}, 0.0), absolute = none, relative;
  if (c.has("tol"))
    absolute = bound(c, "tol");
  else if (c.has("atol"))
    absolute = bound(c, "atol");
  if (c.has("rcond"))
    relative = bound(c, "rcond");
  else if (c.has("rtol"))
    relative = bound(c, "rtol");
  else if (c.has("tol"))
    relative = none;
  else // an absolute bound replaces the usual one
    relative =
        c.where(c.compare(ComparePredicate::Gt, absolute, 0.0), none, usual);
  mlir::Value most = c.slice(values, c.rank(values) - 1, 0, 1);
  return c.compare(ComparePredicate::Gt, values,
                   c.binary<MaxOp>(absolute, c.binary<MulOp>(relative, most)));
}

/// The argument, or what one triangle of it makes, and its singular values.
static std::pair<mlir::Value, std::optional<Singular>> given(Call &c) {
  StringRef name = c.has("input") ? "input" : "self";
  mlir::Value x = c.flag("hermitian") ? symmetric(c, name, /*upper=*/false)
                                      : matrices(c, name);
  return {x, decomposed(c, x)};
}

static mlir::Value pinv(Call &c) {
  mlir::Type type = c.element(c.tensor());
  auto [x, s] = given(c);
  mlir::Value counts = s ? significant(c, x, s->values, type) : mlir::Value();
  if (!counts)
    return {};
  mlir::Value one = c.full(c.element(x), {}, 1.0),
              none = c.full(c.element(x), {}, 0.0);
  mlir::Value inverse = c.where(
      counts, c.binary<DivOp>(one, c.where(counts, s->values, one)), none);
  return c.cast(product(c, diagonalTimes(c, s->right, inverse),
                        matrixTransposed(c, s->left)),
                type);
}

static mlir::Value matrixRank(Call &c) {
  mlir::Type type = c.element(c.tensor(c.has("input") ? "input" : "self"));
  auto [x, s] = given(c);
  mlir::Value counts = s ? significant(c, x, s->values, type) : mlir::Value();
  return counts ? c.reduce(ReduceKind::Sum, c.cast(counts, ScalarType::Long),
                           {c.rank(counts) - 1}, /*keep=*/false)
                : counts;
}

/// The greatest singular value by the least one, or the other way round.
static mlir::Value condition(Call &c) {
  mlir::Value x = c.tensor();
  double p = c.has("p") && !c.argument("p").is(Value::Kind::String)
                 ? c.number("p").value_or(0)
                 : 2;
  if (c.argument("p").is(Value::Kind::String) || std::abs(p) != 2)
    return c.failed("a norm other than 2 and -2");
  auto s = decomposed(c, matrices(c, "self"));
  if (!s)
    return {};
  if (c.type(x).getNumElements() == 0)
    return c.full(c.element(x), Shape(c.type(x).getShape().drop_back(2)), 0.0);
  int64_t axis = c.rank(s->values) - 1, k = c.shape(s->values).back();
  mlir::Value most = c.select(s->values, axis, 0),
              least = c.select(s->values, axis, k - 1);
  return c.cast(p > 0 ? c.binary<DivOp>(most, least)
                      : c.binary<DivOp>(least, most),
                c.element(x));
}

void graven::aten::addSingularValues(Table &t) {
  t.add("linalg_svd _linalg_svd", linalgSvd);
  t.add("svd", svd);
  t.add("linalg_svdvals", svdvals);
  t.add("linalg_eigh _linalg_eigh", eigh);
  t.add("linalg_eigvalsh", eigvalsh);
  t.add("linalg_pinv pinverse", pinv);
  t.add("linalg_matrix_rank", matrixRank);
  t.add("linalg_cond", condition);
  t.add("linalg_polar", polarFactors);
  t.add("linalg_matrix_sqrth", squareRoot);
}
