//===- Scans.cpp - running extremes, integrals, derivatives -*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file builds running extremes with their places, running logarithms of
// sums, integrals by the trapezoidal rule, and derivatives.
//
//===----------------------------------------------------------------------===//

#include "frontends/aten/Call.h"
#include "frontends/aten/Formula.h"
#include "frontends/aten/Table.h"

using namespace graven;
using namespace graven::aten;

/// Values and the places of the last of equals; NaN is the extreme.
template <ReduceKind kKind> static void cumulativeExtreme(Call &c) {
  mlir::Value x = c.tensor();
  auto axis = x ? c.axis("dim", c.rank(x)) : std::nullopt;
  if (!axis)
    return;
  mlir::Type i64 = c.builder.getI64Type();
  if (c.rank(x) == 0) {
    c.give(x);
    c.give(c.full(i64, {}, int64_t(0)));
    return;
  }
  mlir::Type element = c.element(x);
  if (c.isBool(x))
    x = c.cast(x, ScalarType::Byte);
  mlir::Value y = c.make<CumReduceOp>(x, kKind, uint64_t(*axis));
  mlir::Value isLast = c.compare(ComparePredicate::Eq, x, y);
  if (isLast && c.isFloat(x))
    isLast = c.binary<OrOp>(isLast, c.compare(ComparePredicate::Ne, x, x));
  mlir::Value place = c.iota(c.shape(x), *axis);
  place = c.where(isLast, place, c.scalar(i64, int64_t(0), c.rank(x)));
  c.give(c.cast(y, element));
  c.give(place ? c.make<CumReduceOp>(place, ReduceKind::Max, uint64_t(*axis))
               : place);
}

/// log(e^a + e^b); equal infinities are their own sum.
static Term logSum(Term a, Term b) {
  Term most = max(a, b);
  Term y = most + log1p(exp(-abs(a - b)));
  return where(both(equals(abs(most), kInfinity), equals(a, b)), most, y);
}

/// In log2(n) steps, each of which adds what lies twice as far back.
static mlir::Value logCumulativeSum(Call &c) {
  mlir::Value x = c.floatTensor();
  auto axis = x ? c.axis("dim", c.rank(x)) : std::nullopt;
  if (!axis || c.rank(x) == 0)
    return axis ? x : mlir::Value();
  int64_t extent = c.type(x).getDimSize(*axis);
  for (int64_t shift = 1; x && shift < extent; shift *= 2) {
    Term later(c, c.slice(x, *axis, shift, extent)),
        earlier(c, c.slice(x, *axis, 0, extent - shift));
    x = c.concat({c.slice(x, *axis, 0, shift), logSum(later, earlier)}, *axis);
  }
  return x;
}

//===----------------------------------------------------------------------===//
// Integrals
//===----------------------------------------------------------------------===//

namespace {
/// Sums of neighbours and the widths between them, which broadcast to them.
struct Trapezoids {
  mlir::Value sums, widths;
  int64_t axis = 0;
  explicit operator bool() const { return sums && widths; }
};
} // namespace

static Trapezoids trapezoids(Call &c) {
  mlir::Value y = c.floatTensor("y"), x = c.tensor("x");
  auto axis = y ? c.axis("dim", c.rank(y)) : std::nullopt;
  if (!axis)
    return {};
  if (c.rank(y) == 0) {
    c.failed("tensor without axes");
    return {};
  }
  int64_t extent = c.type(y).getDimSize(*axis);
  auto pairs = [&](mlir::Value v, int64_t at) {
    int64_t n = c.type(v).getDimSize(at);
    return std::pair(c.slice(v, at, 1, n), c.slice(v, at, 0, n - 1));
  };
  if (!x) {
    std::optional<double> dx = c.has("dx") ? c.number("dx") : 1;
    if (!dx || extent == 0)
      return {};
    auto [later, earlier] = pairs(y, *axis);
    return {c.binary<AddOp>(later, earlier),
            c.scalar(c.element(y), *dx, c.rank(y)), *axis};
  }
  if (c.rank(x) == 0 || extent == 0)
    return {};
  // A line of places lies along the axis; other shapes broadcast from the
  // right.
  if (c.rank(x) == 1 && c.rank(y) > 1) {
    Shape line(c.rank(y), 1);
    line[*axis] = c.type(x).getDimSize(0);
    x = c.reshape(x, line);
  }
  mlir::Type type = c.isFloat(x) && !isFloating(c.scalarType(c.tensor("y")))
                        ? c.element(x)
                        : c.element(y);
  y = c.cast(y, type);
  x = c.withRank(c.cast(x, type), c.rank(y));
  if (!x || c.rank(x) != c.rank(y))
    return {};
  auto [later, earlier] = pairs(y, *axis);
  auto [right, left] = pairs(x, *axis);
  return {c.binary<AddOp>(later, earlier), c.binary<SubOp>(right, left), *axis};
}

static mlir::Value trapezoid(Call &c) {
  Trapezoids t = trapezoids(c);
  if (!t)
    return {};
  mlir::Value areas = c.binary<MulOp>(t.sums, t.widths);
  return c.binary<MulOp>(
      c.reduce(ReduceKind::Sum, areas, {t.axis}, /*keep=*/false), 0.5);
}
static mlir::Value cumulativeTrapezoid(Call &c) {
  Trapezoids t = trapezoids(c);
  mlir::Value areas = t ? c.binary<MulOp>(t.sums, t.widths) : mlir::Value();
  if (!areas)
    return {};
  return c.binary<MulOp>(
      c.make<CumReduceOp>(areas, ReduceKind::Sum, uint64_t(t.axis)), 0.5);
}

//===----------------------------------------------------------------------===//
// Derivatives
//===----------------------------------------------------------------------===//

namespace {
/// The weights of three neighbours of which h1 and h2 are the distances, in a
/// derivative at the first, the second or the third of them.
struct Stencil {
  Term first, second, third;
};
} // namespace

static Stencil stencil(Term h1, Term h2, int at) {
  Term sum = h1 + h2, product = h1 * h2;
  switch (at) {
  case 0:
    return {-(h1 + sum) / (h1 * sum), sum / product, -h1 / (h2 * sum)};
  case 1:
    return {-h2 / (h1 * sum), (h2 - h1) / product, h1 / (h2 * sum)};
  default:
    return {h2 / (h1 * sum), -sum / product, (h2 + sum) / (h2 * sum)};
  }
}

/// Along an axis on which the elements are `distances` apart, of extent 1 or
/// one less than the axis.
static mlir::Value derivative(Call &c, mlir::Value x, int64_t axis,
                              mlir::Value distances, bool isSecondOrder) {
  int64_t n = c.type(x).getDimSize(axis);
  bool isUniform = c.type(distances).getDimSize(axis) == 1 && n != 2;
  auto values = [&](int64_t from, int64_t to) {
    return Term(c, c.slice(x, axis, from, to));
  };
  auto steps = [&](int64_t from, int64_t to) {
    return Term(c, isUniform ? distances : c.slice(distances, axis, from, to));
  };
  mlir::Value inner;
  if (n > 2 && isUniform) {
    inner = (values(2, n) - values(0, n - 2)) / (steps(0, 1) * 2);
  } else if (n > 2) {
    Stencil s = stencil(steps(0, n - 2), steps(1, n - 1), 1);
    inner = s.first * values(0, n - 2) + s.second * values(1, n - 1) +
            s.third * values(2, n);
  }
  auto edge = [&](int at) -> mlir::Value {
    int64_t start = at == 0 ? 0 : n - 3;
    if (!isSecondOrder) {
      start = at == 0 ? 0 : n - 2;
      return (values(start + 1, start + 2) - values(start, start + 1)) /
             steps(start, start + 1);
    }
    Stencil s =
        stencil(steps(start, start + 1), steps(start + 1, start + 2), at);
    return s.first * values(start, start + 1) +
           s.second * values(start + 1, start + 2) +
           s.third * values(start + 2, start + 3);
  };
  llvm::SmallVector<mlir::Value> parts{edge(0)};
  if (n > 2)
    parts.push_back(inner);
  parts.push_back(edge(2));
  return c.concat(parts, axis);
}

/// Source: PyTorch, ATen/native/ReduceOps.cpp, gradient.
static void gradient(Call &c) {
  mlir::Value x = c.floatTensor();
  std::optional<int64_t> order = c.integer("edge_order");
  std::optional<Shape> axes = x ? c.axes("dim", c.rank(x)) : std::nullopt;
  if (!axes || !order)
    return;
  // The distances belong to the axes in the order in which they are given.
  if (std::optional<Shape> given = c.integers("dim"); given && !given->empty())
    for (auto [axis, name] : llvm::zip(*axes, *given))
      axis = name < 0 ? name + c.rank(x) : name;
  llvm::SmallVector<mlir::Value> results;
  const std::vector<Value> *spacings = c.argument("spacing").items();
  if (spacings && spacings->size() != axes->size()) {
    c.failed("as many spacings as axes are needed");
    return;
  }
  for (auto [i, axis] : llvm::enumerate(*axes)) {
    int64_t n = c.type(x).getDimSize(axis);
    if (n < *order + 1) {
      c.failed("axis of extent " + llvm::Twine(n));
      return;
    }
    const Value &spacing = spacings ? (*spacings)[i] : c.argument("spacing");
    mlir::Value distances = c.scalar(c.element(x), 1.0, c.rank(x));
    if (spacing.isNumber()) {
      distances = c.scalar(c.element(x), spacing.number(), c.rank(x));
    } else if (spacing.is(Value::Kind::Tensor)) {
      mlir::Value places =
          c.cast(spacing.tensor()->read(c.builder), c.element(x));
      if (!places || c.rank(places) != 1 || c.type(places).getDimSize(0) != n) {
        c.failed("places of another number than the axis has");
        return;
      }
      Shape line(c.rank(x), 1);
      line[axis] = n - 1;
      distances = c.reshape(c.binary<SubOp>(c.slice(places, 0, 1, n),
                                            c.slice(places, 0, 0, n - 1)),
                            line);
    }
    results.push_back(derivative(c, x, axis, distances, *order == 2));
  }
  c.giveList(results);
}

void graven::aten::addScans(Table &t) {
  t.add("cummax", cumulativeExtreme<ReduceKind::Max>);
  t.add("cummin", cumulativeExtreme<ReduceKind::Min>);
  t.addWide("logcumsumexp", logCumulativeSum);
  t.addWide("trapezoid trapz", trapezoid);
  t.addWide("cumulative_trapezoid", cumulativeTrapezoid);
  t.addWide("gradient", gradient);
}
