//===- Statistics.cpp - quantiles, covariances, without NaN ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file builds quantiles from sorted values, reductions that
// leave NaN out, and covariances.
//
//===----------------------------------------------------------------------===//

#include "frontends/aten/Call.h"
#include "frontends/aten/Formula.h"
#include "frontends/aten/Table.h"

#include <cmath>

using namespace graven;
using namespace graven::aten;

//===----------------------------------------------------------------------===//
// Without NaN
//===----------------------------------------------------------------------===//

static mlir::Value withoutNaN(Call &c, mlir::Value x) {
  return x && c.isFloat(x) ? c.where(c.compare(ComparePredicate::Ne, x, x),
                                     c.scalar(c.element(x), 0.0, c.rank(x)), x)
                           : x;
}
static mlir::Value sumOf(Call &c, mlir::Value x) {
  std::optional<Shape> axes = x ? c.axes("dim", c.rank(x)) : std::nullopt;
  return axes ? c.reduce(ReduceKind::Sum, x, *axes, c.flag("keepdim"))
              : mlir::Value();
}

static mlir::Value nanSum(Call &c) {
  mlir::Value x = withoutNaN(c, c.tensor());
  if (!x)
    return {};
  if (std::optional<ScalarType> type = c.dtype())
    x = c.cast(x, *type);
  else if (!c.isFloat(x))
    x = c.cast(x, ScalarType::Long);
  return sumOf(c, x);
}
static mlir::Value nanMean(Call &c) {
  mlir::Value x = c.tensor();
  if (!x || !c.isFloat(x))
    return c.failed("mean of integers");
  mlir::Value count = sumOf(
      c, c.cast(c.compare(ComparePredicate::Eq, x, x), ScalarType::Double));
  mlir::Value sum = sumOf(c, c.cast(withoutNaN(c, x), ScalarType::Double));
  return c.cast(c.binary<DivOp>(sum, count),
                c.dtype().value_or(c.scalarType(x)));
}

static void aminmax(Call &c) {
  mlir::Value x = c.tensor();
  std::optional<Shape> axes = x ? c.axes("dim", c.rank(x)) : std::nullopt;
  if (!axes)
    return;
  bool keep = c.flag("keepdim");
  c.give(c.reduce(ReduceKind::Min, x, *axes, keep));
  c.give(c.reduce(ReduceKind::Max, x, *axes, keep));
}

//===----------------------------------------------------------------------===//
// Ranks
//===----------------------------------------------------------------------===//

namespace {
/// The rows of a tensor in ascending order, on a last axis; NaN is last.
struct Rows {
  mlir::Value values, hasNaN;
  /// Elements of a row that are not NaN, as an i64 in a row of one.
  mlir::Value count;
  int64_t axis = 0, extent = 0;
  explicit operator bool() const { return values && count; }
};
} // namespace

/// Of axis `dim`, or of all elements.
static Rows sortRows(Call &c) {
  mlir::Value x = c.tensor();
  if (!x)
    return {};
  Rows rows;
  if (!c.has("dim") || c.rank(x) == 0) {
    x = c.reshape(x, {c.type(x).getNumElements()});
  } else {
    auto axis = c.axis("dim", c.rank(x));
    if (!axis)
      return {};
    rows.axis = *axis;
    Shape order;
    for (int64_t i = 0; i < c.rank(x); ++i)
      if (i != *axis)
        order.push_back(i);
    order.push_back(*axis);
    x = c.transpose(x, order);
  }
  int64_t last = c.rank(x) - 1;
  rows.extent = c.type(x).getDimSize(last);
  if (rows.extent == 0) {
    c.failed("order of no elements");
    return {};
  }
  auto op = tryCreate<TopKOp>(c.builder, c.loc, x, uint64_t(rows.extent),
                              uint64_t(last), /*largest=*/false);
  if (mlir::failed(op))
    return {};
  rows.values = op->getValues();
  mlir::Value isNumber = c.compare(ComparePredicate::Eq, x, x);
  rows.count = c.reduce(ReduceKind::Sum, c.cast(isNumber, ScalarType::Long),
                        {last}, /*keep=*/true);
  rows.hasNaN =
      c.compare(ComparePredicate::Lt, rows.count, double(rows.extent));
  return rows;
}

/// A result with a last axis of 1 in the shape the call asks for.
static mlir::Value inPlaceOfAxis(Call &c, const Rows &rows, mlir::Value y) {
  if (!y)
    return y;
  int64_t rank = c.rank(c.tensor());
  Shape shape = c.shape(y);
  shape.pop_back();
  if (c.flag("keepdim") && rank > 0) {
    if (c.has("dim"))
      shape.insert(shape.begin() + rows.axis, 1);
    else
      shape.assign(rank, 1);
  }
  return c.reshape(y, shape);
}

/// Between the two elements around q (n - 1).
/// Source: PyTorch, ATen/native/Sorting.cpp, quantile_compute.
static mlir::Value quantileOf(Call &c, bool ignoresNaN) {
  mlir::Value x = c.tensor();
  if (!x || !c.isFloat(x))
    return c.failed("quantile of integers");
  mlir::Value q = c.operand("q", c.scalarType(x));
  Rows rows = q ? sortRows(c) : Rows();
  if (!rows)
    return {};
  bool isNumber = c.rank(q) == 0;
  int64_t last = c.rank(rows.values) - 1;
  q = c.reshape(q, {c.type(q).getNumElements()});
  mlir::Value n = ignoresNaN ? rows.count
                             : c.scalar(c.builder.getI64Type(), rows.extent,
                                        c.rank(rows.count));
  n = c.cast(c.binary<MaxOp>(c.binary<SubOp>(n, 1.0), 0.0), c.scalarType(x));
  mlir::Value rank = c.binary<MulOp>(n, q);
  if (!rank)
    return {};
  llvm::StringRef mode = c.string("interpolation");
  if (mode == "lower")
    rank = c.unary<FloorOp>(rank);
  else if (mode == "higher")
    rank = c.unary<CeilOp>(rank);
  else if (mode == "nearest")
    rank = c.unary<RoundOp>(rank);
  Shape shape = c.shape(rows.values);
  shape.back() = c.type(q).getDimSize(0);
  rank = c.broadcastTo(rank, shape);
  auto at = [&](mlir::Value place) {
    place = c.cast(place, ScalarType::Long);
    return place ? c.make<GatherElementsOp>(rows.values, place, uint64_t(last))
                 : place;
  };
  mlir::Value below = c.unary<FloorOp>(rank);
  Term low(c, at(below)), high(c, at(c.unary<CeilOp>(rank)));
  Term weight(c, mode == "midpoint"
                     ? c.binary<MulOp>(
                           c.unary<CeilOp>(c.binary<SubOp>(rank, below)), 0.5)
                     : c.binary<SubOp>(rank, below));
  Term step = high - low;
  Term y =
      where(less(weight, 0.5), low + weight * step, high - step * (1 - weight));
  y = where(equals(weight, 0.0), low, y);
  if (!ignoresNaN)
    y = where(Term(c, rows.hasNaN), kNaN, y);
  if (isNumber)
    return inPlaceOfAxis(c, rows, y);
  // The axis of q comes first.
  mlir::Value result = y;
  if (!result)
    return {};
  Shape order{last};
  for (int64_t i = 0; i < last; ++i)
    order.push_back(i);
  result = c.transpose(result, order);
  if (!c.flag("keepdim") || c.rank(x) == 0)
    return result;
  Shape kept(c.shape(result));
  if (c.has("dim"))
    kept.insert(kept.begin() + 1 + rows.axis, 1);
  else
    kept.append(c.rank(x), 1);
  return c.reshape(result, kept);
}
static mlir::Value quantile(Call &c) {
  return quantileOf(c, /*ignoresNaN=*/false);
}
static mlir::Value nanQuantile(Call &c) {
  return quantileOf(c, /*ignoresNaN=*/true);
}

//===----------------------------------------------------------------------===//
// Covariance
//===----------------------------------------------------------------------===//

/// Of the rows, which are variables; null on failure.
/// Source: PyTorch, ATen/native/Correlation.cpp, cov.
static mlir::Value covariance(Call &c, double correction) {
  mlir::Value x = c.floatTensor();
  if (!x)
    return {};
  if (c.rank(x) > 2)
    return c.failed("tensor of rank > 2");
  Shape shape = c.shape(x);
  if (shape.size() < 2)
    shape = {1, c.type(x).getNumElements()};
  x = c.reshape(x, shape);
  double count = shape[1];
  mlir::Type element = c.element(x);
  mlir::Value frequencies = c.tensor("fweights"),
              importance = c.tensor("aweights");
  mlir::Value weights = frequencies ? c.cast(frequencies, element) : x;
  if (!frequencies)
    weights = importance ? c.cast(importance, element) : mlir::Value();
  else if (importance)
    weights = c.binary<MulOp>(weights, c.cast(importance, element));
  mlir::Value mean, divisor;
  if (weights) {
    mlir::Value total = c.reduce(ReduceKind::Sum, weights, {0}, /*keep=*/true);
    mean = c.binary<DivOp>(c.reduce(ReduceKind::Sum,
                                    c.binary<MulOp>(x, weights), {1},
                                    /*keep=*/true),
                           total);
    mlir::Value share = c.scalar(element, correction, 1);
    if (importance)
      share = c.binary<DivOp>(
          c.binary<MulOp>(
              c.reduce(ReduceKind::Sum,
                       c.binary<MulOp>(weights, c.cast(importance, element)),
                       {0}, /*keep=*/true),
              correction),
          total);
    divisor = c.binary<MaxOp>(c.binary<SubOp>(total, share), 0.0);
  } else {
    mean = c.reduce(ReduceKind::Mean, x, {1}, /*keep=*/true);
    divisor = c.scalar(element, std::max(0.0, count - correction), 1);
  }
  mlir::Value d = c.binary<SubOp>(x, mean);
  mlir::Value weighted = weights ? c.binary<MulOp>(d, weights) : d;
  if (!weighted)
    return {};
  return c.binary<DivOp>(c.make<MatmulOp>(d, weighted, false,
                                          /*transpose_b=*/true),
                         divisor);
}

static mlir::Value squeezed(Call &c, mlir::Value y) {
  return y && c.type(y).getNumElements() == 1 ? c.reshape(y, {}) : y;
}
static mlir::Value cov(Call &c) {
  std::optional<int64_t> correction = c.integer("correction");
  return correction ? squeezed(c, covariance(c, *correction)) : mlir::Value();
}

/// Covariances over the roots of both variances.
static mlir::Value corrcoef(Call &c) {
  mlir::Value y = covariance(c, 1);
  if (!y)
    return {};
  int64_t n = c.type(y).getDimSize(0);
  auto iota = [&](uint64_t axis) { return c.iota({n, n}, axis); };
  mlir::Value onDiagonal = c.compare(ComparePredicate::Eq, iota(0), iota(1));
  mlir::Value variances = c.reduce(
      ReduceKind::Sum, c.where(onDiagonal, y, c.scalar(c.element(y), 0.0, 2)),
      {1}, true);
  mlir::Value roots = c.unary<SqrtOp>(variances);
  if (!roots)
    return {};
  y = c.binary<DivOp>(c.binary<DivOp>(y, roots), c.reshape(roots, {1, n}));
  if (!y)
    return {};
  // One variable is not clipped.
  if (n == 1)
    return squeezed(c, y);
  return c.make<ClampOp>(y, c.scalar(c.element(y), -1.0),
                         c.scalar(c.element(y), 1.0));
}

void graven::aten::addStatistics(Table &t) {
  t.addWide("nansum", nanSum);
  t.addWide("nanmean", nanMean);
  t.add("aminmax", aminmax);
  t.addWide("quantile", quantile);
  t.addWide("nanquantile", nanQuantile);
  t.addWide("cov", cov);
  t.addWide("corrcoef", corrcoef);
}
