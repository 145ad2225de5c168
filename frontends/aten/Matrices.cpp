//===- Matrices.cpp - ATen's linear algebra by products ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file builds the operators on matrices that are sums of products:
// chains, powers, Kronecker and cross products, and the norms that need no
// decomposition.
//
//===----------------------------------------------------------------------===//

#include "frontends/aten/Matrices.h"

#include "frontends/aten/Norms.h"
#include "frontends/aten/Table.h"

#include <cmath>

using namespace graven;
using namespace graven::aten;
using llvm::StringRef;

mlir::Value aten::product(Call &c, mlir::Value a, mlir::Value b) {
  if (!a || !b)
    return {};
  int64_t rank = std::max(c.rank(a), c.rank(b));
  a = c.withRank(a, rank);
  b = c.withRank(b, rank);
  return a && b ? c.make<MatmulOp>(a, b) : mlir::Value();
}

mlir::Value aten::matrixTransposed(Call &c, mlir::Value x) {
  if (!x)
    return x;
  Shape order = allAxes(x);
  std::swap(order[order.size() - 1], order[order.size() - 2]);
  return c.transpose(x, order);
}

mlir::Value aten::indicesAlong(Call &c, int64_t n, int64_t rank, int64_t axis) {
  Shape shape(rank, 1);
  shape[axis] = n;
  return c.iota(shape, axis);
}

mlir::Value aten::smallMatrices(Call &c, StringRef name, int64_t most) {
  mlir::Value x = c.tensor(name);
  if (!x)
    return x;
  if (c.rank(x) < 2 || !c.isFloat(x))
    return c.failed("tensor of rank " + llvm::Twine(c.rank(x)) +
                    ", expected matrices of floats");
  if (std::min(rows(x), columns(x)) > most)
    return c.failed("matrices of more than " + llvm::Twine(most) +
                    " rows and columns");
  return x;
}

mlir::Value aten::identityMatrix(Call &c, mlir::Type type, int64_t n,
                                 int64_t rank) {
  Shape shape(rank, 1);
  shape[rank - 1] = shape[rank - 2] = n;
  return c.cast(c.compare(ComparePredicate::Eq, c.iota(shape, rank - 2),
                          c.iota(shape, rank - 1)),
                type);
}

bool aten::isSquare(Call &c, mlir::Value x) {
  if (x && c.rank(x) >= 2 &&
      c.type(x).getShape().take_back(2)[0] == c.type(x).getShape().back())
    return true;
  if (x)
    c.fail() << "tensor of shape [" << c.type(x).getShape()
             << "], expected square matrices";
  return false;
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

static mlir::Value vdot(Call &c) {
  mlir::Value a = c.tensor(), b = c.tensor("other");
  return c.reduce(ReduceKind::Sum, c.binary<MulOp>(a, b), {0}, /*keep=*/false);
}

/// Sums over the last axes of both; a tensor without axes scales.
static mlir::Value inner(Call &c) {
  mlir::Value a = c.tensor(), b = c.tensor("other");
  if (c.rank(a) == 0 || c.rank(b) == 0)
    return c.binary<MulOp>(a, b);
  Shape as = c.shape(a), bs = c.shape(b), result(as);
  if (as.back() != bs.back())
    return c.failed("last axes of extents " + llvm::Twine(as.back()) + " and " +
                    llvm::Twine(bs.back()));
  result.pop_back();
  result.append(bs.begin(), bs.end() - 1);
  mlir::Value x = c.reshape(a, {extentProduct(llvm::ArrayRef(as).drop_back()),
                                as.back()}),
              y = c.reshape(b, {extentProduct(llvm::ArrayRef(bs).drop_back()),
                                bs.back()});
  if (!x || !y)
    return {};
  return c.reshape(c.make<MatmulOp>(x, y, false, /*transpose_b=*/true), result);
}

/// beta self + alpha (vec1 outer vec2); beta = 0 ignores self.
static mlir::Value scaledSum(Call &c, mlir::Value y) {
  auto alpha = c.number("alpha"), beta = c.number("beta");
  std::optional<ScalarType> type =
      y ? promote(c.scalarType(c.tensor()), c.scalarType(y)) : std::nullopt;
  if (!alpha || !beta || !type)
    return {};
  y = c.cast(y, *type);
  mlir::Value self = c.operand("self", *type);
  if (c.isBool(y))
    return *alpha == 1 && *beta == 1 ? c.binary<OrOp>(y, self)
                                     : c.failed("scaled bools");
  if (*alpha != 1)
    y = c.binary<MulOp>(y, *alpha);
  if (*beta == 0 || !y)
    return y;
  if (*beta != 1)
    self = c.binary<MulOp>(self, *beta);
  return c.binary<AddOp>(y, self);
}
static mlir::Value addr(Call &c) {
  auto [a, b, type] = c.operands("vec1", "vec2");
  if (!a || !b)
    return {};
  if (c.rank(a) != 1 || c.rank(b) != 1)
    return c.failed("operands that are no vectors");
  a = c.unsqueeze(a, 1);
  return scaledSum(c,
                   c.isBool(a) ? c.binary<AndOp>(a, b) : c.binary<MulOp>(a, b));
}
static mlir::Value addmv(Call &c) {
  mlir::Value m = c.tensor("mat"), v = c.tensor("vec");
  if (c.rank(m) != 2 || c.rank(v) != 1)
    return c.failed("operands that are no matrix and vector");
  mlir::Value y = product(c, m, c.unsqueeze(v, 1));
  return y ? scaledSum(c, c.reshape(y, {c.type(m).getDimSize(0)})) : y;
}

static mlir::Value tensordot(Call &c) {
  mlir::Value a = c.tensor(), b = c.tensor("other");
  auto first = c.integers("dims_self"), second = c.integers("dims_other");
  if (!first || !second)
    return {};
  if (first->size() != second->size())
    return c.failed("numbers of axes differ");
  // The free axes of a in front of its summed ones; of b behind.
  auto split = [&](mlir::Value x, Shape &axes, Shape &rest) -> bool {
    if (c.rank(x) == 0 && !axes.empty()) {
      c.failed("axes of a tensor without any");
      return false;
    }
    for (int64_t &axis : axes) {
      auto checked = c.checkedAxis(axis, c.rank(x));
      if (!checked)
        return false;
      axis = *checked;
    }
    for (int64_t i = 0; i < c.rank(x); ++i)
      if (!llvm::is_contained(axes, i))
        rest.push_back(i);
    if (static_cast<int64_t>(rest.size() + axes.size()) == c.rank(x))
      return true;
    c.fail() << "an axis is named twice";
    return false;
  };
  Shape freeA, freeB;
  if (!split(a, *first, freeA) || !split(b, *second, freeB))
    return {};
  int64_t k = 1, m = 1, n = 1;
  Shape result;
  for (auto [i, j] : llvm::zip(*first, *second)) {
    // An axis of extent 1 broadcasts: the other is summed by itself.
    int64_t x = c.type(a).getDimSize(i), y = c.type(b).getDimSize(j);
    if (x != y && x == 1)
      b = c.reduce(ReduceKind::Sum, b, {j}, /*keep=*/true);
    else if (x != y && y == 1)
      a = c.reduce(ReduceKind::Sum, a, {i}, /*keep=*/true);
    else if (x != y)
      return c.failed("axes of extents " + llvm::Twine(x) + " and " +
                      llvm::Twine(y));
    if (!a || !b)
      return {};
    k *= c.type(a).getDimSize(i);
  }
  for (int64_t axis : freeA) {
    result.push_back(c.type(a).getDimSize(axis));
    m *= result.back();
  }
  for (int64_t axis : freeB) {
    result.push_back(c.type(b).getDimSize(axis));
    n *= c.type(b).getDimSize(axis);
  }
  Shape orderA(freeA), orderB(*second);
  orderA.append(*first);
  orderB.append(freeB);
  return c.reshape(product(c, c.reshape(c.transpose(a, orderA), {m, k}),
                           c.reshape(c.transpose(b, orderB), {k, n})),
                   result);
}

/// [a0, 1, a1, 1] times [1, b0, 1, b1]
static mlir::Value kron(Call &c) {
  auto [a, b, type] = c.operands("self", "other");
  if (!a || !b)
    return {};
  int64_t rank = std::max(c.rank(a), c.rank(b));
  a = c.withRank(a, rank);
  b = c.withRank(b, rank);
  if (!a || !b)
    return {};
  Shape as, bs, result;
  for (auto [x, y] : llvm::zip(c.shape(a), c.shape(b))) {
    as.append({x, 1});
    bs.append({1, y});
    result.push_back(x * y);
  }
  a = c.reshape(a, as);
  b = c.reshape(b, bs);
  return c.reshape(c.isBool(a) ? c.binary<AndOp>(a, b) : c.binary<MulOp>(a, b),
                   result);
}

static mlir::Value cross(Call &c) {
  auto [a, b, type] = c.operands("self", "other");
  if (!a || !b)
    return {};
  auto shape = c.commonShape(a, b);
  if (!shape)
    return {};
  std::optional<int64_t> axis;
  if (c.has("dim"))
    axis = c.axis("dim", shape->size());
  else if (const auto *three = llvm::find(*shape, 3); three != shape->end())
    axis = three - shape->begin();
  if (!axis || shape->empty() || (*shape)[*axis] != 3)
    return c.failed("no axis of extent 3");
  a = c.broadcastTo(a, *shape);
  b = c.broadcastTo(b, *shape);
  auto part = [&](mlir::Value x, int64_t i) {
    return c.slice(x, *axis, i % 3, i % 3 + 1);
  };
  llvm::SmallVector<mlir::Value> parts;
  for (int64_t i = 0; i < 3; ++i)
    parts.push_back(
        c.binary<SubOp>(c.binary<MulOp>(part(a, i + 1), part(b, i + 2)),
                        c.binary<MulOp>(part(a, i + 2), part(b, i + 1))));
  return c.concat(parts, *axis);
}

static mlir::Value vecdot(Call &c) {
  auto [a, b, type] = c.operands("x", "y");
  mlir::Value y = a && b ? c.binary<MulOp>(a, b) : mlir::Value();
  auto axis = y ? c.axis("dim", c.rank(y)) : std::nullopt;
  return axis ? c.reduce(ReduceKind::Sum, y, {*axis}, /*keep=*/false)
              : mlir::Value();
}

/// x1 [.., I] and x2 [.., J] through weights [O, I, J].
static mlir::Value bilinear(Call &c) {
  mlir::Value x = c.tensor("input1"), y = c.tensor("input2"),
              w = c.tensor("weight"), bias = c.tensor("bias");
  if (c.rank(w) != 3 || c.rank(x) == 0 || c.rank(x) != c.rank(y))
    return c.failed("weight of rank " + llvm::Twine(c.rank(w)));
  Shape ws = c.shape(w), result(c.type(x).getShape().drop_back());
  int64_t rows = extentProduct(result);
  result.push_back(ws[0]);
  w = c.reshape(c.transpose(w, {1, 0, 2}), {ws[1], ws[0] * ws[2]});
  mlir::Value z = product(c, c.reshape(x, {rows, ws[1]}), w);
  z = c.binary<MulOp>(c.reshape(z, {rows, ws[0], ws[2]}),
                      c.reshape(y, {rows, 1, ws[2]}));
  z = c.reduce(ReduceKind::Sum, z, {2}, /*keep=*/false);
  if (bias)
    z = c.binary<AddOp>(z, bias);
  return c.reshape(z, result);
}

//===----------------------------------------------------------------------===//
// Chains and powers
//===----------------------------------------------------------------------===//

/// The order with the fewest multiplications, by dynamic programming.
static mlir::Value chain(Call &c) {
  llvm::SmallVector<mlir::Value> factors =
      c.tensors(c.has("tensors") ? "tensors" : "matrices");
  size_t n = factors.size();
  if (n == 0 || n > 64)
    return c.failed(llvm::Twine(n) + " factors");
  if (n == 1)
    return factors.front();
  bool row = c.rank(factors.front()) == 1, column = c.rank(factors.back()) == 1;
  if (row)
    factors.front() = c.unsqueeze(factors.front(), 0);
  if (column)
    factors.back() = c.unsqueeze(factors.back(), 1);
  std::vector<double> extents;
  for (mlir::Value factor : factors) {
    if (!factor || c.rank(factor) != 2)
      return c.failed("factor that is no matrix");
    extents.push_back(static_cast<double>(c.type(factor).getDimSize(0)));
  }
  extents.push_back(static_cast<double>(c.type(factors.back()).getDimSize(1)));
  std::vector<std::vector<double>> cost(n, std::vector<double>(n, 0));
  std::vector<std::vector<size_t>> cut(n, std::vector<size_t>(n, 0));
  for (size_t length = 1; length < n; ++length)
    for (size_t i = 0; i + length < n; ++i) {
      size_t j = i + length;
      cost[i][j] = std::numeric_limits<double>::infinity();
      for (size_t k = i; k < j; ++k) {
        double total = cost[i][k] + cost[k + 1][j] +
                       extents[i] * extents[k + 1] * extents[j + 1];
        if (total < cost[i][j]) {
          cost[i][j] = total;
          cut[i][j] = k;
        }
      }
    }
  auto multiply = [&](auto &&self, size_t i, size_t j) -> mlir::Value {
    if (i == j)
      return factors[i];
    return product(c, self(self, i, cut[i][j]), self(self, cut[i][j] + 1, j));
  };
  mlir::Value y = multiply(multiply, 0, n - 1);
  if (!y)
    return {};
  Shape shape = c.shape(y);
  if (column)
    shape.pop_back();
  if (row)
    shape.erase(shape.begin());
  return c.reshape(y, shape);
}

static mlir::Value matrixPower(Call &c) {
  mlir::Value x = c.has("A") ? c.tensor("A") : c.tensor();
  auto n = c.integer("n");
  if (!n || !isSquare(c, x))
    return {};
  if (*n < 0) {
    if (*n == INT64_MIN)
      return c.failed("exponent");
    x = inverseOf(c, x);
    *n = -*n;
  }
  if (!x)
    return {};
  if (*n == 0)
    return c.broadcastTo(
        identityMatrix(c, c.element(x), c.type(x).getShape().back(), c.rank(x)),
        c.shape(x));
  mlir::Value y;
  for (int64_t rest = *n; rest; rest >>= 1) {
    if (rest & 1)
      y = y ? product(c, y, x) : x;
    if (rest > 1)
      x = product(c, x, x);
  }
  return y;
}

/// The powers of a matrix up to kTerms, of one that was divided by 2^s such
/// that its norm is at most 1, squared s times.
static mlir::Value exponential(Call &c) {
  constexpr int64_t kTerms = 18, kMaxSquarings = 1100;
  mlir::Value self = c.tensor();
  if (!self || !isSquare(c, self))
    return {};
  int64_t rank = c.rank(self), n = c.shape(self).back();
  if (n == 0)
    return self;
  mlir::Type f64 = c.builder.getF64Type();
  mlir::Value a = c.cast(self, f64);
  mlir::Value norm = c.reduce(ReduceKind::Sum, c.unary<AbsOp>(a), {rank - 2},
                              /*keep=*/true);
  norm = c.reduce(ReduceKind::Max, norm, {rank - 1}, /*keep=*/true);
  norm = c.binary<MaxOp>(norm, 1.0);
  mlir::Value squarings =
      c.unary<CeilOp>(c.binary<MulOp>(c.unary<LogOp>(norm), 1 / std::log(2.0)));
  mlir::Value power = c.unary<ExpOp>(c.binary<MulOp>(squarings, std::log(2.0)));
  a = c.binary<DivOp>(a, power);
  mlir::Value eye = identityMatrix(c, f64, n, rank), y = eye;
  for (int64_t i = kTerms; i > 0 && y; --i)
    y = c.binary<AddOp>(
        eye, c.binary<DivOp>(product(c, a, c.broadcastTo(y, c.shape(self))),
                             static_cast<double>(i)));
  Shape all = allAxes(squarings);
  mlir::Value trip =
      c.cast(c.binary<MinOp>(c.reduce(ReduceKind::Max, squarings, all,
                                      /*keep=*/false),
                             static_cast<double>(kMaxSquarings)),
             ScalarType::Long);
  auto carried =
      c.repeat(trip, {y}, [&](mlir::Value number, mlir::ValueRange state) {
        mlir::Value last = state[0], step = c.cast(number, f64);
        return llvm::SmallVector<mlir::Value>{
            c.where(c.compare(ComparePredicate::Lt, step, squarings),
                    product(c, last, last), last)};
      });
  return carried.empty() ? mlir::Value() : c.cast(carried[0], c.element(self));
}

//===----------------------------------------------------------------------===//
// Norms
//===----------------------------------------------------------------------===//

static mlir::Value normInput(Call &c, StringRef name) {
  mlir::Value x = c.tensor(name);
  if (std::optional<ScalarType> type = c.dtype())
    x = c.cast(x, *type);
  return x && !c.isFloat(x) ? c.failed("norm of integers") : x;
}

/// The norms of singular values of the matrices in two axes: their sum, the
/// greatest or the least.
static mlir::Value singularNorm(Call &c, mlir::Value x, const Shape &axes,
                                ReduceKind kind) {
  Shape order;
  for (int64_t i = 0; i < c.rank(x); ++i)
    if (!llvm::is_contained(axes, i))
      order.push_back(i);
  order.append(axes);
  mlir::Value values = singularValuesOf(c, c.transpose(x, order));
  if (!values)
    return values;
  mlir::Value y = c.reduce(kind, values, {c.rank(values) - 1}, /*keep=*/false);
  if (!y || !c.flag("keepdim"))
    return y;
  Shape shape = c.shape(x);
  shape[axes[0]] = shape[axes[1]] = 1;
  return c.reshape(y, shape);
}

/// Of the matrices in two axes: "fro", or the greatest (negative order: least)
/// sum of absolute values of columns (1) or rows (inf).
static mlir::Value matrixNormOf(Call &c, mlir::Value x, Shape axes) {
  bool keep = c.flag("keepdim");
  if (axes.size() != 2)
    return c.failed(llvm::Twine(axes.size()) + " axes, expected 2");
  for (int64_t &axis : axes) {
    auto checked = c.checkedAxis(axis, c.rank(x));
    if (!checked)
      return {};
    axis = *checked;
  }
  if (axes[0] == axes[1] || c.rank(x) < 2)
    return c.failed("axes are equal");
  Shape both(axes);
  llvm::sort(both);
  if (c.argument("ord").is(Value::Kind::String)) {
    if (c.string("ord") == "fro")
      return pNorm(c, x, 2, both, keep);
    if (c.string("ord") == "nuc")
      return singularNorm(c, x, axes, ReduceKind::Sum);
    return c.failed("norm '" + c.string("ord") + "'");
  }
  auto order = c.number("ord");
  if (!order)
    return {};
  double p = std::abs(*order);
  if (p == 2)
    return singularNorm(c, x, axes,
                        *order > 0 ? ReduceKind::Max : ReduceKind::Min);
  if (p != 1 && !std::isinf(p))
    return c.failed("norm of order " + std::to_string(*order));
  int64_t summed = p == 1 ? axes[0] : axes[1],
          rest = p == 1 ? axes[1] : axes[0];
  mlir::Value y = c.reduce(ReduceKind::Sum, c.unary<AbsOp>(x), {summed},
                           /*keep=*/true);
  y = c.reduce(*order > 0 ? ReduceKind::Max : ReduceKind::Min, y, {rest},
               /*keep=*/true);
  if (!y || keep)
    return y;
  Shape shape;
  for (int64_t i = 0; i < c.rank(y); ++i)
    if (!llvm::is_contained(both, i))
      shape.push_back(c.type(y).getDimSize(i));
  return c.reshape(y, shape);
}
static mlir::Value matrixNorm(Call &c) {
  mlir::Value x = normInput(c, c.has("A") ? "A" : "self");
  auto axes = c.integers("dim");
  return x && axes ? matrixNormOf(c, x, *axes) : mlir::Value();
}

/// Without an order, of all elements; with one, of vectors or matrices by the
/// number of axes.
static mlir::Value linalgNorm(Call &c) {
  mlir::Value x = normInput(c, c.has("A") ? "A" : "self");
  if (!x)
    return x;
  bool hasAxes = c.has("dim");
  if (!c.has("ord")) {
    auto axes = c.axes("dim", c.rank(x));
    return axes ? pNorm(c, x, 2, *axes, c.flag("keepdim")) : mlir::Value();
  }
  std::optional<Shape> axes = c.integers("dim");
  if (c.argument("dim").is(Value::Kind::Int))
    axes = Shape{c.argument("dim").integer()};
  if (!axes)
    return {};
  if (!hasAxes)
    axes = allAxes(x);
  if (axes->size() == 2)
    return matrixNormOf(c, x, *axes);
  if (c.argument("ord").is(Value::Kind::String) || axes->size() != 1)
    return c.failed("norm of matrices over " + llvm::Twine(axes->size()) +
                    " axes");
  auto order = c.number("ord");
  auto axis = c.checkedAxis(axes->front(), c.rank(x));
  return order && axis ? pNorm(c, x, *order, {*axis}, c.flag("keepdim"))
                       : mlir::Value();
}

void graven::aten::addMatrices(Table &t) {
  t.add("vdot", vdot);
  t.add("inner", inner);
  t.add("matrix_exp linalg_matrix_exp", exponential);
  t.addWide("addr", addr);
  t.addWide("addmv", addmv);
  t.add("tensordot", tensordot);
  t.add("kron", kron);
  t.addWide("cross linalg_cross", cross);
  t.addWide("linalg_vecdot", vecdot);
  t.addWide("bilinear", bilinear);
  t.addWide("linalg_multi_dot chain_matmul", chain);
  t.addWide("matrix_power linalg_matrix_power", matrixPower);
  t.addWide("linalg_matrix_norm", matrixNorm);
  t.addWide("linalg_norm", linalgNorm);
}
