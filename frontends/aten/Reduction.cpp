//===- Reduction.cpp - ATen's reductions ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file builds sums, means, extremes, variances and norms. Sums of ints
// and bools are i64, as in PyTorch.
//
//===----------------------------------------------------------------------===//

#include "frontends/aten/Table.h"

#include <cmath>

using namespace graven;
using namespace graven::aten;

/// self in the type the reduction computes in: dtype if given; ints and bools
/// become i64 where PyTorch says so.
static mlir::Value input(Call &c, bool intsToLong) {
  mlir::Value x = c.tensor();
  if (std::optional<ScalarType> type = c.dtype())
    return c.cast(x, *type);
  return x && intsToLong && !c.isFloat(x) ? c.cast(x, ScalarType::Long) : x;
}

/// Sums and products of bools, where those are asked for, are bools.
static mlir::Value reduceAll(Call &c, ReduceKind kind, mlir::Value x) {
  if (x && c.isBool(x) && kind == ReduceKind::Sum)
    kind = ReduceKind::Or;
  else if (x && c.isBool(x) && kind == ReduceKind::Prod)
    kind = ReduceKind::And;
  std::optional<Shape> axes = x ? c.axes("dim", c.rank(x)) : std::nullopt;
  return axes ? c.reduce(kind, x, *axes, c.flag("keepdim")) : mlir::Value();
}

static mlir::Value sum(Call &c) {
  return reduceAll(c, ReduceKind::Sum, input(c, /*intsToLong=*/true));
}
static mlir::Value prod(Call &c) {
  return reduceAll(c, ReduceKind::Prod, input(c, /*intsToLong=*/true));
}
static mlir::Value mean(Call &c) {
  mlir::Value x = input(c, /*intsToLong=*/false);
  if (x && !c.isFloat(x))
    return c.failed("mean of integers");
  return reduceAll(c, ReduceKind::Mean, x);
}
template <ReduceKind kKind> static mlir::Value extreme(Call &c) {
  return reduceAll(c, kKind, c.tensor());
}

/// A u8 input gives u8, every other bool.
template <ReduceKind kKind> static mlir::Value logical(Call &c) {
  mlir::Value x = c.tensor();
  mlir::Type element = c.element(x);
  mlir::Value y = reduceAll(c, kKind, c.toBool(x));
  return element.isUnsignedInteger(8) ? c.cast(y, element) : y;
}

static mlir::Value countNonzero(Call &c) {
  return reduceAll(c, ReduceKind::Sum,
                   c.cast(c.toBool(c.tensor()), ScalarType::Long));
}

//===----------------------------------------------------------------------===//
// Extremes with their place
//===----------------------------------------------------------------------===//

static mlir::Value argExtremeOf(Call &c, ExtremeKind kind, mlir::Value x,
                                int64_t axis, bool keep) {
  if (c.rank(x) == 0)
    return c.full(c.mlirType(ScalarType::Long), {}, int64_t(0));
  return c.make<ArgReduceOp>(x, kind, uint64_t(axis), keep, false);
}

template <ExtremeKind kKind> static mlir::Value argExtreme(Call &c) {
  mlir::Value x = c.tensor();
  if (!c.has("dim"))
    return argExtremeOf(c, kKind, c.reshape(x, {c.type(x).getNumElements()}), 0,
                        false);
  auto axis = c.axis("dim", c.rank(x));
  return axis ? argExtremeOf(c, kKind, x, *axis, c.flag("keepdim"))
              : mlir::Value();
}

/// max and min: of all, along an axis with the index, or of two tensors.
template <ReduceKind kReduce, ExtremeKind kExtreme, class Op>
static void extremeOverloads(Call &c) {
  mlir::Value x = c.tensor();
  if (c.has("other")) {
    std::optional<ScalarType> type = c.promoted({"self", "other"});
    if (type)
      c.give(c.binary<Op>(c.operand("self", *type), c.operand("other", *type)));
    return;
  }
  if (!c.has("dim")) {
    c.give(extreme<kReduce>(c));
    return;
  }
  auto axis = c.axis("dim", c.rank(x));
  if (!axis)
    return;
  bool keep = c.flag("keepdim");
  c.give(c.rank(x) == 0 ? x : c.reduce(kReduce, x, {*axis}, keep));
  c.give(argExtremeOf(c, kExtreme, x, *axis, keep));
}

//===----------------------------------------------------------------------===//
// Variance and norms
//===----------------------------------------------------------------------===//

namespace {
struct Moments {
  mlir::Value variance, mean;
};
} // namespace

/// Two passes; divided by max(0, n - correction).
static Moments moments(Call &c) {
  mlir::Value x = c.tensor();
  if (!c.isFloat(x)) {
    c.fail() << "variance of integers";
    return {};
  }
  std::optional<Shape> axes = c.axes("dim", c.rank(x));
  if (!axes)
    return {};
  double correction = 1;
  if (c.has("correction"))
    correction = c.number("correction").value_or(1);
  else if (c.has("unbiased") && !c.flag("unbiased"))
    correction = 0;
  double count = 1;
  for (int64_t axis : *axes)
    count *= c.type(x).getDimSize(axis);
  bool keep = c.flag("keepdim");
  mlir::Value mean = c.reduce(ReduceKind::Mean, x, *axes, /*keep=*/true);
  mlir::Value d = c.binary<SubOp>(x, mean);
  mlir::Value squares = c.binary<MulOp>(d, d);
  mlir::Value variance;
  if (correction == 0) {
    variance = c.reduce(ReduceKind::Mean, squares, *axes, keep);
  } else {
    mlir::Value total = c.reduce(ReduceKind::Sum, squares, *axes, keep);
    variance = total ? c.binary<DivOp>(total, std::max(0.0, count - correction))
                     : total;
  }
  if (!variance || !mean)
    return {};
  return {variance, c.reshape(mean, c.shape(variance))};
}
static mlir::Value var(Call &c) { return moments(c).variance; }
static mlir::Value stddev(Call &c) {
  return c.unary<SqrtOp>(moments(c).variance);
}
static void varMean(Call &c) {
  Moments m = moments(c);
  c.give(m.variance);
  c.give(m.mean);
}
static void stdMean(Call &c) {
  Moments m = moments(c);
  c.give(c.unary<SqrtOp>(m.variance));
  c.give(m.mean);
}

static mlir::Value normOf(Call &c, double p) {
  mlir::Value x = input(c, /*intsToLong=*/false);
  std::optional<Shape> axes = x ? c.axes("dim", c.rank(x)) : std::nullopt;
  if (!axes)
    return {};
  if (!c.isFloat(x))
    return c.failed("norm of integers");
  bool keep = c.flag("keepdim");
  if (p == 2) {
    mlir::Value s =
        c.reduce(ReduceKind::Sum, c.binary<MulOp>(x, x), *axes, keep);
    return c.unary<SqrtOp>(s);
  }
  if (p == 0)
    return c.reduce(
        ReduceKind::Sum,
        c.cast(c.compare(ComparePredicate::Ne, x, 0.0), c.element(x)), *axes,
        keep);
  mlir::Value a = c.unary<AbsOp>(x);
  if (std::isinf(p))
    return c.reduce(p > 0 ? ReduceKind::Max : ReduceKind::Min, a, *axes, keep);
  if (p == 1)
    return c.reduce(ReduceKind::Sum, a, *axes, keep);
  mlir::Value s = c.reduce(ReduceKind::Sum, c.binary<PowOp>(a, p), *axes, keep);
  return c.binary<PowOp>(s, 1 / p);
}
static mlir::Value norm(Call &c) {
  std::optional<double> p = c.has("p") ? c.number("p") : 2;
  return p ? normOf(c, *p) : mlir::Value();
}
static mlir::Value vectorNorm(Call &c) {
  std::optional<double> p = c.number("ord");
  return p ? normOf(c, *p) : mlir::Value();
}

static mlir::Value logsumexp(Call &c) {
  mlir::Value x = c.floatTensor();
  std::optional<Shape> axes = c.axes("dim", c.rank(x));
  if (!axes)
    return {};
  mlir::Value m = c.reduce(ReduceKind::Max, x, *axes, /*keep=*/true);
  // An infinite maximum is left out of the difference.
  mlir::Value finite = c.compare(ComparePredicate::Lt, c.unary<AbsOp>(m),
                                 std::numeric_limits<double>::infinity());
  m = c.where(finite, m, c.scalar(c.element(x), 0.0));
  mlir::Value s =
      c.reduce(ReduceKind::Sum, c.unary<ExpOp>(c.binary<SubOp>(x, m)), *axes,
               /*keep=*/true);
  mlir::Value y = c.binary<AddOp>(c.unary<LogOp>(s), m);
  if (!y || c.flag("keepdim"))
    return y;
  Shape shape;
  for (int64_t i = 0; i < c.rank(y); ++i)
    if (!llvm::is_contained(*axes, i))
      shape.push_back(c.type(y).getDimSize(i));
  return c.reshape(y, shape);
}

void graven::aten::addReduction(Table &t) {
  t.add("sum", sum);
  t.add("prod", prod);
  t.add("mean", mean);
  t.add("amax", extreme<ReduceKind::Max>);
  t.add("amin", extreme<ReduceKind::Min>);
  t.add("any", logical<ReduceKind::Or>);
  t.add("all", logical<ReduceKind::And>);
  t.add("count_nonzero", countNonzero);
  t.add("argmax", argExtreme<ExtremeKind::Max>);
  t.add("argmin", argExtreme<ExtremeKind::Min>);
  t.add("max", extremeOverloads<ReduceKind::Max, ExtremeKind::Max, MaxOp>);
  t.add("min", extremeOverloads<ReduceKind::Min, ExtremeKind::Min, MinOp>);
  t.addWide("var", var);
  t.addWide("std", stddev);
  t.addWide("var_mean", varMean);
  t.addWide("std_mean", stdMean);
  t.addWide("norm", norm);
  t.addWide("linalg_vector_norm", vectorNorm);
  t.addWide("logsumexp special_logsumexp", logsumexp);
}
