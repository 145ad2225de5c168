//===- Margins.cpp - ATen's distances and margin losses ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file builds distances between vectors, and the losses that compare
// scores or distances with a margin.
//
//===----------------------------------------------------------------------===//

#include "frontends/aten/Norms.h"
#include "frontends/aten/Table.h"

#include <cmath>

using namespace graven;
using namespace graven::aten;
using llvm::StringRef;

//===----------------------------------------------------------------------===//
// Distances
//===----------------------------------------------------------------------===//

static mlir::Value pairwise(Call &c) {
  auto [a, b, type] = c.floatOperands("x1", "x2");
  auto p = c.number("p"), epsilon = c.number("eps");
  return a && b && p && epsilon
             ? pairwiseDistance(c, a, b, *p, *epsilon, c.flag("keepdim"))
             : mlir::Value();
}

/// Each operand is divided by its norm, of at least epsilon.
static mlir::Value cosineSimilarity(Call &c) {
  auto [a, b, type] = c.floatOperands("x1", "x2");
  auto epsilon = c.number("eps");
  if (!a || !b || !epsilon)
    return {};
  auto shape = c.commonShape(a, b);
  if (!shape)
    return {};
  int64_t rank = shape->size();
  auto axis = c.axis("dim", rank);
  if (!axis)
    return {};
  Shape axes = rank ? Shape{*axis} : Shape();
  auto unit = [&](mlir::Value x) {
    x = c.broadcastTo(x, *shape);
    mlir::Value norm = pNorm(c, x, 2, axes, /*keep=*/true);
    return norm ? c.binary<DivOp>(x, c.binary<MaxOp>(norm, *epsilon)) : norm;
  };
  return c.reduce(ReduceKind::Sum, c.binary<MulOp>(unit(a), unit(b)), axes,
                  /*keep=*/false);
}

static mlir::Value dist(Call &c) {
  auto [a, b, type] = c.floatOperands("self", "other");
  auto p = c.number("p");
  mlir::Value d = a && b && p ? c.binary<SubOp>(a, b) : mlir::Value();
  return d ? pNorm(c, d, *p, allAxes(d), /*keep=*/false) : d;
}

/// Distances of all pairs of rows of two batches of matrices.
static mlir::Value cdist(Call &c) {
  mlir::Value a = c.tensor("x1"), b = c.tensor("x2");
  auto p = c.number("p");
  if (!p)
    return {};
  if (c.rank(a) < 2 || c.rank(b) < 2 || !c.isFloat(a) || !c.isFloat(b))
    return c.failed("tensors of ranks " + llvm::Twine(c.rank(a)) + " and " +
                    llvm::Twine(c.rank(b)));
  mlir::Value d = c.binary<SubOp>(c.unsqueeze(a, c.rank(a) - 1),
                                  c.unsqueeze(b, c.rank(b) - 2));
  return d ? pNorm(c, d, *p, {c.rank(d) - 1}, /*keep=*/false) : d;
}

/// Distances of the pairs of rows i < j.
static mlir::Value pdist(Call &c) {
  mlir::Value x = c.tensor();
  auto p = c.number("p");
  if (!p)
    return {};
  if (c.rank(x) != 2 || !c.isFloat(x))
    return c.failed("tensor of rank " + llvm::Twine(c.rank(x)));
  int64_t n = c.type(x).getDimSize(0);
  if (n > 4096)
    return c.failed("more than 4096 rows");
  Shape first, second;
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = i + 1; j < n; ++j) {
      first.push_back(i);
      second.push_back(j);
    }
  int64_t pairs = first.size();
  if (pairs == 0)
    return c.full(c.element(x), {0}, 0.0);
  auto rows = [&](const Shape &which) {
    return c.make<GatherOp>(x, c.indices({pairs}, which), uint64_t(0),
                            /*nonneg=*/true);
  };
  return pNorm(c, c.binary<SubOp>(rows(first), rows(second)), *p, {1},
               /*keep=*/false);
}

//===----------------------------------------------------------------------===//
// Losses
//===----------------------------------------------------------------------===//

static mlir::Value zero(Emitter &e, mlir::Value x) {
  return x ? e.scalar(e.element(x), 0.0, e.rank(x)) : x;
}
static mlir::Value positive(Call &c, mlir::Value x) {
  return c.unary<ReluOp>(x);
}
/// margin - x
static mlir::Value below(Call &c, mlir::Value x, double margin) {
  return x ? c.binary<SubOp>(c.scalar(c.element(x), margin, c.rank(x)), x) : x;
}

static mlir::Value softMargin(Call &c) {
  auto [x, target, type] = c.floatOperands("self", "target");
  if (!x || !target)
    return {};
  mlir::Value e = c.unary<ExpOp>(c.binary<MulOp>(c.unary<NegOp>(x), target));
  return reduceLoss(c, c.unary<Log1pOp>(e));
}

static mlir::Value marginRanking(Call &c) {
  auto [a, b, type] = c.floatOperands("input1", "input2");
  auto margin = c.number("margin");
  if (!a || !b || !margin)
    return {};
  mlir::Value target = c.cast(c.tensor("target"), c.element(a));
  mlir::Value y =
      c.binary<MulOp>(c.unary<NegOp>(target), c.binary<SubOp>(a, b));
  return y ? reduceLoss(c, positive(c, c.binary<AddOp>(y, *margin))) : y;
}

static mlir::Value hingeEmbedding(Call &c) {
  auto [x, target, type] = c.floatOperands("self", "target");
  auto margin = c.number("margin");
  if (!x || !target || !margin)
    return {};
  mlir::Value far = c.where(c.compare(ComparePredicate::Ne, target, 1.0),
                            positive(c, below(c, x, *margin)), zero(c, x));
  mlir::Value near =
      c.where(c.compare(ComparePredicate::Ne, target, -1.0), x, zero(c, x));
  return reduceLoss(c, c.binary<AddOp>(far, near));
}

static mlir::Value cosineEmbedding(Call &c) {
  auto [a, b, type] = c.floatOperands("input1", "input2");
  auto margin = c.number("margin");
  mlir::Value target = c.tensor("target");
  if (!a || !b || !margin)
    return {};
  int64_t axis = c.rank(target);
  if (axis > 1 || c.rank(a) != axis + 1 || c.rank(b) != axis + 1)
    return c.failed("target of rank " + llvm::Twine(axis) +
                    " for tensors of ranks " + llvm::Twine(c.rank(a)) +
                    " and " + llvm::Twine(c.rank(b)));
  auto dot = [&](mlir::Value x, mlir::Value y) {
    return c.reduce(ReduceKind::Sum, c.binary<MulOp>(x, y), {axis},
                    /*keep=*/false);
  };
  constexpr double kEpsilon = 1e-12;
  mlir::Value lengths = c.binary<MulOp>(c.binary<AddOp>(dot(a, a), kEpsilon),
                                        c.binary<AddOp>(dot(b, b), kEpsilon));
  mlir::Value cosine = c.binary<DivOp>(dot(a, b), c.unary<SqrtOp>(lengths));
  target = c.cast(target, c.element(a));
  mlir::Value near = c.where(c.compare(ComparePredicate::Eq, target, 1.0),
                             below(c, cosine, 1), zero(c, cosine));
  mlir::Value far =
      c.where(c.compare(ComparePredicate::Eq, target, -1.0),
              positive(c, c.binary<SubOp>(cosine, *margin)), zero(c, cosine));
  return reduceLoss(c, c.binary<AddOp>(near, far));
}

static mlir::Value tripletMargin(Call &c) {
  mlir::Value anchor = c.tensor("anchor"), near = c.tensor("positive"),
              far = c.tensor("negative");
  auto margin = c.number("margin"), p = c.number("p"),
       epsilon = c.number("eps");
  if (!margin || !p || !epsilon)
    return {};
  if (!c.isFloat(anchor) || !c.isFloat(near) || !c.isFloat(far))
    return c.failed("distances of integers");
  mlir::Value good = pairwiseDistance(c, anchor, near, *p, *epsilon, false),
              bad = pairwiseDistance(c, anchor, far, *p, *epsilon, false);
  if (c.flag("swap"))
    bad = c.binary<MinOp>(bad,
                          pairwiseDistance(c, near, far, *p, *epsilon, false));
  mlir::Value y = good && bad ? c.binary<SubOp>(good, bad) : mlir::Value();
  return y ? reduceLoss(c, positive(c, c.binary<AddOp>(y, *margin))) : y;
}

namespace {
/// Scores [N, C] with targets [N], or [N, C] in the case of several labels.
struct Scores {
  mlir::Value x, target;
  bool batched = true;
};
} // namespace

static std::optional<Scores> readScores(Call &c, int64_t targetRank) {
  Scores s{c.tensor(), c.cast(c.tensor("target"), ScalarType::Long)};
  if (!s.x || !s.target || !c.isFloat(s.x)) {
    c.fail() << "scores that are integers";
    return std::nullopt;
  }
  s.batched = c.rank(s.x) == 2;
  if (c.rank(s.x) == 0)
    s.x = c.reshape(s.x, {1});
  if (!s.batched)
    s.x = c.unsqueeze(s.x, 0);
  Shape expected = c.shape(s.x);
  expected.resize(targetRank);
  if (c.rank(s.x) != 2 ||
      c.type(s.target).getNumElements() != extentProduct(expected)) {
    c.fail() << "target of shape [" << c.type(s.target).getShape()
             << "] for scores of shape [" << c.type(s.x).getShape() << "]";
    return std::nullopt;
  }
  s.target = c.reshape(s.target, expected);
  return s;
}

/// A loss per row, which a single row without batch axis loses again.
static mlir::Value reduceRows(Call &c, mlir::Value rows, bool batched) {
  return reduceLoss(c, batched ? rows : c.reshape(rows, {}));
}

/// The mean over the classes i but the target y of max(0, margin - x_y +
/// x_i)^p.
static mlir::Value multiMargin(Call &c) {
  auto s = readScores(c, 1);
  auto p = c.number("p"), margin = c.number("margin");
  if (!s || !p || !margin)
    return {};
  int64_t rows = c.type(s->x).getDimSize(0),
          classes = c.type(s->x).getDimSize(1);
  mlir::Value index = c.reshape(s->target, {rows, 1});
  mlir::Value own = c.make<GatherElementsOp>(s->x, index, uint64_t(1),
                                             /*nonneg=*/true);
  mlir::Value z =
      own ? positive(c, c.binary<AddOp>(c.binary<SubOp>(s->x, own), *margin))
          : own;
  if (z && *p == 2)
    z = c.binary<MulOp>(z, z);
  else if (*p != 1)
    return c.failed("p is neither 1 nor 2");
  if (mlir::Value weight = c.tensor("weight")) {
    mlir::Value w =
        c.make<GatherOp>(c.cast(weight, c.element(s->x)), index, uint64_t(0),
                         /*nonneg=*/true);
    z = w ? c.binary<MulOp>(z, w) : w;
  }
  mlir::Value iota = c.iota({1, classes}, 1);
  z = c.where(c.compare(ComparePredicate::Ne, iota, index), z, zero(c, z));
  return z ? reduceRows(c, c.reduce(ReduceKind::Mean, z, {1}, /*keep=*/false),
                        s->batched)
           : z;
}

/// The targets of a row end at the first -1; each is compared with every class
/// that is none.
static mlir::Value multilabelMargin(Call &c) {
  auto s = readScores(c, 2);
  if (!s)
    return {};
  int64_t rows = c.type(s->x).getDimSize(0),
          classes = c.type(s->x).getDimSize(1);
  if (classes == 0)
    return c.failed("no classes");
  mlir::Type i64 = c.builder.getI64Type();
  mlir::Value valid =
      c.cast(c.compare(ComparePredicate::Ge, s->target, 0.0), i64);
  valid = c.toBool(c.make<CumReduceOp>(valid, ReduceKind::Min, uint64_t(1)));
  mlir::Value safe = c.where(valid, s->target, c.scalar(i64, int64_t(0)));
  if (!safe)
    return {};
  mlir::Value own = c.make<GatherElementsOp>(s->x, safe, uint64_t(1),
                                             /*nonneg=*/true);
  mlir::Value iota = c.iota({1, 1, classes}, 2);
  // [row, target, class]
  mlir::Value column = c.reshape(valid, {rows, classes, 1});
  mlir::Value hit = c.binary<AndOp>(
      column, c.compare(ComparePredicate::Eq,
                        c.reshape(safe, {rows, classes, 1}), iota));
  mlir::Value isTarget = c.reduce(ReduceKind::Or, hit, {1}, /*keep=*/true);
  mlir::Value z = own ? c.binary<SubOp>(c.reshape(s->x, {rows, 1, classes}),
                                        c.reshape(own, {rows, classes, 1}))
                      : own;
  if (!z || !isTarget)
    return {};
  z = positive(c, c.binary<AddOp>(z, 1.0));
  mlir::Value counts = c.binary<AndOp>(column, c.unary<NotOp>(isTarget));
  z = c.where(counts, z, zero(c, z));
  z = c.reduce(ReduceKind::Sum, z, {1, 2}, /*keep=*/false);
  return z ? reduceRows(c, c.binary<DivOp>(z, static_cast<double>(classes)),
                        s->batched)
           : z;
}

void graven::aten::addMargins(Table &t) {
  t.addWide("pairwise_distance", pairwise);
  t.addWide("cosine_similarity", cosineSimilarity);
  t.addWide("dist", dist);
  t.addWide("cdist _cdist_forward", cdist);
  t.addWide("pdist _pdist_forward", pdist);
  t.addWide("soft_margin_loss", softMargin);
  t.addWide("margin_ranking_loss", marginRanking);
  t.addWide("hinge_embedding_loss", hingeEmbedding);
  t.addWide("cosine_embedding_loss", cosineEmbedding);
  t.addWide("triplet_margin_loss", tripletMargin);
  t.addWide("multi_margin_loss", multiMargin);
  t.addWide("multilabel_margin_loss", multilabelMargin);
}
