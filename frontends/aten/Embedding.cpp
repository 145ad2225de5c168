//===- Embedding.cpp - ATen's bags of embeddings and segments ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file builds reductions of rows by groups, and the scaling of rows whose
// norm is too great.
//
//===----------------------------------------------------------------------===//

#include "frontends/aten/Norms.h"
#include "frontends/aten/Table.h"

#include <limits>

using namespace graven;
using namespace graven::aten;
using llvm::StringRef;

static constexpr double kInf = std::numeric_limits<double>::infinity();

/// The group of each of `count` rows: the last that has begun.
static mlir::Value groupsOf(Call &c, mlir::Value starts, int64_t count) {
  return c.binary<SubOp>(c.countUpTo(starts, count), 1.0);
}

/// Rows [n, ..] met at their group in `base` [groups, ..].
static mlir::Value meet(Call &c, mlir::Value base, mlir::Value groups,
                        mlir::Value rows, ScatterKind kind) {
  mlir::Value index = groups ? c.unsqueeze(groups, 1) : groups;
  return base && index && rows
             ? c.make<ScatterNdOp>(base, index, rows, kind, /*nonneg=*/true)
             : mlir::Value();
}

/// Sums, means or maxima of the embeddings of each bag. The other results serve
/// training only.
static void embeddingBag(Call &c) {
  mlir::Value weight = c.tensor("weight"), indices = c.tensor("indices"),
              offsets = c.tensor("offsets");
  auto mode = c.integer("mode");
  if (!mode)
    return;
  if (c.rank(weight) != 2 || c.rank(indices) != 1 || c.rank(offsets) != 1 ||
      *mode < 0 || *mode > 2) {
    c.failed("indices of rank " + llvm::Twine(c.rank(indices)));
    return;
  }
  int64_t count = c.type(indices).getNumElements(),
          bags =
              c.type(offsets).getNumElements() - c.flag("include_last_offset"),
          width = c.type(weight).getDimSize(1);
  mlir::Type type = c.element(weight);
  if (count == 0 || bags <= 0)
    return c.give(c.full(type, {std::max<int64_t>(bags, 0), width}, 0.0));
  offsets = c.slice(offsets, 0, 0, bags);
  indices = c.cast(indices, ScalarType::Long);
  mlir::Value groups = groupsOf(c, offsets, count);
  if (!indices || !groups)
    return;
  mlir::Value rows =
      c.make<GatherOp>(weight, indices, uint64_t(0), /*nonneg=*/true);
  if (mlir::Value factors = c.tensor("per_sample_weights"))
    rows = c.binary<MulOp>(rows, c.unsqueeze(c.cast(factors, type), 1));
  mlir::Value counts = c.full(c.builder.getI1Type(), {count}, int64_t(1));
  if (c.has("padding_idx")) {
    auto padding = c.integer("padding_idx");
    if (!padding)
      return;
    int64_t at =
        *padding < 0 ? *padding + c.type(weight).getDimSize(0) : *padding;
    counts = c.compare(ComparePredicate::Ne, indices,
                       c.scalar(c.builder.getI64Type(), at));
  }
  mlir::Value sizes = meet(c, c.full(type, {bags}, 0.0), groups,
                           c.cast(counts, type), ScatterKind::Add);
  double start = *mode == 2 ? -kInf : 0;
  rows = c.where(c.unsqueeze(counts, 1), rows, c.scalar(type, start, 2));
  mlir::Value y = meet(c, c.full(type, {bags, width}, start), groups, rows,
                       *mode == 2 ? ScatterKind::Max : ScatterKind::Add);
  if (!y || !sizes)
    return;
  sizes = c.unsqueeze(sizes, 1);
  if (*mode == 1)
    y = c.binary<DivOp>(y, c.binary<MaxOp>(sizes, 1.0));
  if (*mode == 2)
    y = c.where(c.compare(ComparePredicate::Eq, sizes, 0.0),
                c.scalar(type, 0.0, 2), y);
  c.give(y);
}

/// Rows that `indices` names and whose norm exceeds max_norm, scaled to it.
static mlir::Value embeddingRenorm(Call &c) {
  mlir::Value weight = c.tensor(), indices = c.tensor("indices");
  auto bound = c.number("max_norm"), p = c.number("norm_type");
  if (!bound || !p)
    return {};
  if (c.rank(weight) != 2)
    return c.failed("weight of rank " + llvm::Twine(c.rank(weight)));
  int64_t rows = c.type(weight).getDimSize(0),
          count = c.type(indices).getNumElements();
  if (count == 0)
    return weight;
  mlir::Type type = c.element(weight);
  indices = c.reshape(c.cast(indices, ScalarType::Long), {count});
  mlir::Value used = meet(c, c.full(type, {rows}, 0.0), indices,
                          c.full(type, {count}, 1.0), ScatterKind::None);
  if (!used)
    return {};
  mlir::Value norm = pNorm(c, weight, *p, {1}, /*keep=*/true);
  mlir::Value scale =
      c.binary<DivOp>(c.scalar(type, *bound, 2), c.binary<AddOp>(norm, 1e-7));
  mlir::Value exceeds =
      c.binary<AndOp>(c.compare(ComparePredicate::Gt, norm, *bound),
                      c.toBool(c.reshape(used, {rows, 1})));
  return c.where(exceeds, c.binary<MulOp>(weight, scale), weight);
}

/// Slices along an axis whose norm exceeds maxnorm, scaled to it.
static mlir::Value renorm(Call &c) {
  mlir::Value x = c.tensor();
  auto p = c.number("p"), bound = c.number("maxnorm");
  auto axis = c.axis("dim", c.rank(x));
  if (!p || !bound || !axis)
    return {};
  if (c.rank(x) < 2 || !c.isFloat(x))
    return c.failed("tensor of rank " + llvm::Twine(c.rank(x)));
  Shape others = allAxes(x);
  others.erase(others.begin() + *axis);
  mlir::Value norm = pNorm(c, x, *p, others, /*keep=*/true);
  mlir::Value scale =
      norm ? c.binary<DivOp>(c.scalar(c.element(x), *bound, c.rank(x)),
                             c.binary<AddOp>(norm, 1e-7))
           : norm;
  return scale ? c.binary<MulOp>(
                     x, c.where(c.compare(ComparePredicate::Gt, norm, *bound),
                                scale, c.scalar(c.element(x), 1.0, c.rank(x))))
               : scale;
}

/// Softmax, rows of minus infinity alone becoming zeros.
static mlir::Value safeSoftmax(Call &c) {
  mlir::Value x = c.tensor();
  if (std::optional<ScalarType> type = c.dtype())
    x = c.cast(x, *type);
  auto axis = x ? c.axis("dim", c.rank(x)) : std::nullopt;
  if (!axis)
    return {};
  if (c.rank(x) == 0 || !c.isFloat(x))
    return c.failed("tensor of rank " + llvm::Twine(c.rank(x)));
  mlir::Value y = c.make<SoftmaxOp>(x, uint64_t(*axis));
  mlir::Value most = c.reduce(ReduceKind::Max, x, {*axis}, /*keep=*/true);
  return c.where(c.compare(ComparePredicate::Eq, most, -kInf),
                 c.scalar(c.element(x), 0.0, c.rank(x)), y);
}

/// Gradients of softmax and log_softmax, which decomposed programs hold.
template <bool kLog> static mlir::Value softmaxBackward(Call &c) {
  mlir::Value g = c.tensor("grad_output"), y = c.tensor("output");
  auto axis = c.axis("dim", c.rank(y));
  if (!axis)
    return {};
  Shape axes = c.rank(y) ? Shape{*axis} : Shape();
  if (kLog)
    return c.binary<SubOp>(
        g, c.binary<MulOp>(c.unary<ExpOp>(y),
                           c.reduce(ReduceKind::Sum, g, axes, /*keep=*/true)));
  mlir::Value total = c.reduce(ReduceKind::Sum, c.binary<MulOp>(g, y), axes,
                               /*keep=*/true);
  return c.binary<MulOp>(y, c.binary<SubOp>(g, total));
}

/// A leaky relu, whose slope is random in training alone.
static mlir::Value rrelu(Call &c) {
  mlir::Value x = c.tensor();
  auto low = c.number("lower"), high = c.number("upper");
  if (!low || !high)
    return {};
  if (c.flag("training")) {
    c.fail(Code::TrainingMode) << "slopes are random";
    return {};
  }
  return c.make<LeakyReluOp>(x, c.scalar(c.element(x), (*low + *high) / 2));
}

/// Reductions of groups of rows, given by lengths or offsets.
static mlir::Value segmentReduce(Call &c) {
  mlir::Value x = c.tensor("data"), lengths = c.tensor("lengths"),
              offsets = c.tensor("offsets");
  auto axis = c.axis("axis", c.rank(x));
  if (!axis)
    return {};
  mlir::Value given = lengths ? lengths : offsets;
  if (*axis != 0 || !given || c.rank(given) != 1 || !c.isFloat(x) ||
      c.rank(x) == 0 || c.type(x).getDimSize(0) == 0)
    return c.failed("groups along other axes than the first");
  mlir::Type type = c.element(x);
  int64_t rows = c.type(x).getDimSize(0),
          groups = c.type(given).getNumElements() - !lengths;
  given = c.cast(given, ScalarType::Long);
  mlir::Value starts =
      lengths && given
          ? c.make<CumReduceOp>(given, ReduceKind::Sum, uint64_t(0),
                                /*exclusive=*/true)
          : c.slice(given, 0, 0, groups);
  mlir::Value at = groupsOf(c, starts, rows);
  StringRef how = c.string("reduce");
  ScatterKind kind = how == "max"    ? ScatterKind::Max
                     : how == "min"  ? ScatterKind::Min
                     : how == "prod" ? ScatterKind::Mul
                                     : ScatterKind::Add;
  double start = how == "max" ? -kInf : how == "min" ? kInf : how == "prod";
  if (c.has("initial")) {
    auto initial = c.number("initial");
    if (!initial)
      return {};
    start = *initial;
  }
  Shape shape = c.shape(x);
  shape[0] = groups;
  mlir::Value y = meet(c, c.full(type, shape, start), at, x, kind);
  if (how != "mean" || !y)
    return y;
  mlir::Value sizes = meet(c, c.full(type, {groups}, 0.0), at,
                           c.full(type, {rows}, 1.0), ScatterKind::Add);
  Shape column(c.rank(x), 1);
  column[0] = groups;
  sizes = c.reshape(sizes, column);
  // An empty group without an initial value has no mean.
  mlir::Value mean = c.binary<DivOp>(y, sizes);
  return c.has("initial")
             ? c.where(c.compare(ComparePredicate::Eq, sizes, 0.0), y, mean)
             : mean;
}

void graven::aten::addEmbedding(Table &t) {
  t.addWide("embedding_bag _embedding_bag _embedding_bag_forward_only",
            embeddingBag);
  t.addWide("embedding_renorm", embeddingRenorm);
  t.addWide("renorm", renorm);
  t.add("_safe_softmax", safeSoftmax);
  t.addWide("_softmax_backward_data", softmaxBackward<false>);
  t.addWide("_log_softmax_backward_data", softmaxBackward<true>);
  t.addWide("rrelu", rrelu);
  t.addWide("segment_reduce", segmentReduce);
}
