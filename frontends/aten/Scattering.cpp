//===- Scattering.cpp - ATen's writes at index tensors ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file builds ATen's scatters along an axis, on the flattened tensor: the
// place of an update is computed from its own indices and the index tensor.
//
//===----------------------------------------------------------------------===//

#include "frontends/aten/Norms.h"
#include "frontends/aten/Table.h"

#include <limits>

using namespace graven;
using namespace graven::aten;
using llvm::StringRef;

/// For every element of `index` its place in a flattened tensor of that shape,
/// `index` being the place along `axis`.
static mlir::Value placesOf(Emitter &e, llvm::ArrayRef<int64_t> shape,
                            mlir::Value index, int64_t axis) {
  mlir::Type i64 = e.builder.getI64Type();
  mlir::Value places = e.cast(index, ScalarType::Long);
  if (!places)
    return places;
  Shape extents = e.shape(places);
  int64_t rank = extents.size(), stride = 1;
  llvm::SmallVector<mlir::Value> terms;
  for (int64_t i = rank - 1; i >= 0; --i) {
    mlir::Value step = e.scalar(i64, stride, rank);
    if (i == axis) {
      places = stride == 1 ? places : e.binary<MulOp>(places, step);
    } else if (extents[i] > 1) {
      Shape line(rank, 1);
      line[i] = extents[i];
      mlir::Value iota = e.iota(line, i);
      terms.push_back(stride == 1 ? iota : e.binary<MulOp>(iota, step));
    }
    stride *= shape[i];
  }
  for (mlir::Value term : terms)
    places = e.binary<AddOp>(places, term);
  return places;
}

/// x with `updates`, of the shape of `index`, met at x[.., index, ..].
static mlir::Value scatterTo(Call &c, mlir::Value x, int64_t axis,
                             mlir::Value index, mlir::Value updates,
                             ScatterKind kind) {
  if (!x || !index || !updates)
    return {};
  Shape shape = c.shape(x);
  if (c.type(index).getNumElements() == 0)
    return x;
  // Bools are added and multiplied as 0 and 1.
  bool isBool = c.isBool(x) && kind != ScatterKind::None;
  if (isBool) {
    x = c.cast(x, ScalarType::Int);
    updates = c.cast(updates, ScalarType::Int);
  }
  int64_t count = c.type(index).getNumElements();
  mlir::Value places = placesOf(c, shape, index, axis);
  mlir::Value flat = c.reshape(x, {extentProduct(shape)}),
              values = c.reshape(updates, {count});
  places = c.reshape(places, {count, 1});
  if (!flat || !places || !values)
    return {};
  mlir::Value y =
      c.make<ScatterNdOp>(flat, places, values, kind, /*nonneg=*/true);
  y = c.reshape(y, shape);
  return isBool ? c.toBool(y) : y;
}

namespace {
/// What the scatters along an axis have in common: x, the axis, the index and
/// the updates in x's type and the index's shape.
struct Along {
  mlir::Value x, index, updates;
  int64_t axis = 0;
  Shape original; ///< the shape of x before a tensor without axes got one
};
} // namespace

/// What is written and along which axis, without index and updates.
static std::optional<Along> readTarget(Call &c) {
  mlir::Value x = c.tensor();
  auto axis = c.axis("dim", c.rank(x));
  if (!axis)
    return std::nullopt;
  Along a;
  a.x = c.withRank(x, 1);
  a.axis = *axis;
  a.original = c.shape(x);
  return a;
}

static std::optional<Along> readScatter(Call &c, StringRef source) {
  std::optional<Along> target = readTarget(c);
  if (!target)
    return std::nullopt;
  Along &a = *target;
  a.index = c.withRank(c.tensor("index"), 1);
  if (c.rank(a.index) != c.rank(a.x)) {
    c.fail() << "index of rank " << c.rank(a.index) << " for a tensor of rank "
             << c.rank(a.x);
    return std::nullopt;
  }
  Shape extents = c.shape(a.index);
  for (int64_t i = 0; i < c.rank(a.x); ++i)
    if (i != a.axis && extents[i] > c.type(a.x).getDimSize(i)) {
      c.fail() << "index of shape [" << extents << "] for a tensor of shape ["
               << c.type(a.x).getShape() << "]";
      return std::nullopt;
    }
  mlir::Value updates = c.operand(source, c.scalarType(a.x));
  if (!updates)
    return std::nullopt;
  if (c.argument(source).is(Value::Kind::Tensor) && c.rank(updates) > 0) {
    for (int64_t i = 0; i < static_cast<int64_t>(extents.size()); ++i) {
      if (c.rank(updates) != c.rank(a.index) ||
          c.type(updates).getDimSize(i) < extents[i]) {
        c.fail() << "source of shape [" << c.type(updates).getShape()
                 << "] for an index of shape [" << extents << "]";
        return std::nullopt;
      }
      updates = c.slice(updates, i, 0, extents[i]);
    }
  } else {
    updates = c.broadcastTo(updates, extents);
  }
  a.updates = updates;
  return updates ? std::optional(a) : std::nullopt;
}

//===----------------------------------------------------------------------===//
// Reductions
//===----------------------------------------------------------------------===//

/// The value that changes nothing: 0, 1, or an end of the type's range.
static mlir::Value identityOf(Call &c, mlir::Type type, ScatterKind kind) {
  if (kind == ScatterKind::Add || kind == ScatterKind::Mul)
    return c.scalar(type, int64_t(kind == ScatterKind::Mul));
  bool least = kind == ScatterKind::Max;
  if (mlir::isa<mlir::FloatType>(type)) {
    double inf = std::numeric_limits<double>::infinity();
    return c.scalar(type, least ? -inf : inf);
  }
  unsigned width = type.getIntOrFloatBitWidth();
  bool isUnsigned = type.isUnsignedInteger() || width == 1;
  llvm::APInt end = isUnsigned ? (least ? llvm::APInt(width, 0)
                                        : llvm::APInt::getMaxValue(width))
                    : least    ? llvm::APInt::getSignedMinValue(width)
                               : llvm::APInt::getSignedMaxValue(width);
  return c.scalar(type, isUnsigned ? static_cast<int64_t>(end.getZExtValue())
                                   : end.getSExtValue());
}

/// The kind of a `reduce` argument; a mean adds.
static std::optional<ScatterKind> kindOf(Call &c, StringRef reduce) {
  if (reduce == "add" || reduce == "sum" || reduce == "mean")
    return ScatterKind::Add;
  if (reduce == "multiply" || reduce == "prod")
    return ScatterKind::Mul;
  if (reduce == "amax")
    return ScatterKind::Max;
  if (reduce == "amin")
    return ScatterKind::Min;
  c.fail() << "reduction '" << reduce << "'";
  return std::nullopt;
}

/// a / b rounded down for ints, as PyTorch divides by counts.
static mlir::Value divideByCount(Call &c, mlir::Value total,
                                 mlir::Value count) {
  mlir::Value q = c.binary<DivOp>(total, count);
  if (!q || c.isFloat(total))
    return q;
  mlir::Value rest = c.binary<RemOp>(total, count);
  return c.where(c.compare(ComparePredicate::Lt, rest, 0.0),
                 c.binary<SubOp>(q, 1.0), q);
}

static mlir::Value scatterReduced(Call &c, const Along &a, StringRef reduce,
                                  bool includeSelf) {
  auto kind = kindOf(c, reduce);
  if (!kind)
    return {};
  mlir::Value base = a.x;
  Shape extents = c.shape(a.index);
  if (!includeSelf)
    base =
        scatterTo(c, base, a.axis, a.index,
                  c.broadcastTo(identityOf(c, c.element(base), *kind), extents),
                  ScatterKind::None);
  mlir::Value y = scatterTo(c, base, a.axis, a.index, a.updates, *kind);
  if (reduce != "mean")
    return y;
  if (c.isBool(y))
    return c.failed("mean of bools");
  mlir::Type type = c.element(y);
  mlir::Value one = c.full(type, extents, int64_t(1));
  mlir::Value counts =
      scatterTo(c, c.full(type, c.shape(a.x), int64_t(includeSelf)), a.axis,
                a.index, one, ScatterKind::Add);
  counts = c.binary<MaxOp>(counts, 1.0);
  return divideByCount(c, y, counts);
}

static mlir::Value scatter(Call &c) {
  auto a = readScatter(c, c.has("src") ? "src" : "value");
  if (!a)
    return {};
  ScatterKind kind = ScatterKind::None;
  if (c.has("reduce")) {
    auto given = kindOf(c, c.string("reduce"));
    if (!given)
      return {};
    kind = *given;
  }
  return c.reshape(scatterTo(c, a->x, a->axis, a->index, a->updates, kind),
                   a->original);
}
static mlir::Value scatterAdd(Call &c) {
  auto a = readScatter(c, "src");
  return a ? c.reshape(scatterTo(c, a->x, a->axis, a->index, a->updates,
                                 ScatterKind::Add),
                       a->original)
           : mlir::Value();
}
static mlir::Value scatterReduce(Call &c) {
  auto a = readScatter(c, "src");
  return a ? c.reshape(scatterReduced(c, *a, c.string("reduce"),
                                      c.flag("include_self")),
                       a->original)
           : mlir::Value();
}

//===----------------------------------------------------------------------===//
// One index for whole slices
//===----------------------------------------------------------------------===//

/// An index vector, brought to the shape of x with its own extent at the axis.
static std::optional<Along> readIndexed(Call &c, StringRef source) {
  std::optional<Along> written = readTarget(c);
  if (!written)
    return std::nullopt;
  Along &a = *written;
  mlir::Value index = c.tensor("index");
  if (c.rank(index) > 1) {
    c.fail() << "index of rank " << c.rank(index);
    return std::nullopt;
  }
  Shape target = c.shape(a.x), line(target.size(), 1);
  int64_t extent = target[a.axis];
  line[a.axis] = target[a.axis] = c.type(index).getNumElements();
  index = c.cast(index, ScalarType::Long);
  if (index && c.schema.name.starts_with("aten::index_fill"))
    index = c.where(c.compare(ComparePredicate::Lt, index, 0.0),
                    c.binary<AddOp>(index, static_cast<double>(extent)), index);
  a.index = c.broadcastTo(c.reshape(index, line), target);
  mlir::Value updates = c.operand(source, c.scalarType(a.x));
  if (!updates || !a.index)
    return std::nullopt;
  bool isWhole = c.type(updates).getNumElements() == extentProduct(target);
  if (source == "value" ? c.type(updates).getNumElements() != 1 : !isWhole) {
    c.fail() << "source of shape [" << c.type(updates).getShape()
             << "], expected [" << target << "]";
    return std::nullopt;
  }
  a.updates = source == "value" ? c.broadcastTo(c.reshape(updates, {}), target)
                                : c.reshape(updates, target);
  return a.updates ? std::optional(a) : std::nullopt;
}

static mlir::Value indexAdd(Call &c) {
  auto a = readIndexed(c, "source");
  auto alpha = c.number("alpha");
  if (!a || !alpha)
    return {};
  if (*alpha != 1)
    a->updates =
        c.isBool(a->updates)
            ? c.binary<AndOp>(a->updates, c.scalar(c.element(a->x), *alpha))
            : c.binary<MulOp>(a->updates, *alpha);
  return c.reshape(
      scatterTo(c, a->x, a->axis, a->index, a->updates, ScatterKind::Add),
      a->original);
}
static mlir::Value indexWrite(Call &c, StringRef source) {
  auto a = readIndexed(c, source);
  return a ? c.reshape(scatterTo(c, a->x, a->axis, a->index, a->updates,
                                 ScatterKind::None),
                       a->original)
           : mlir::Value();
}
static mlir::Value indexCopy(Call &c) { return indexWrite(c, "source"); }
static mlir::Value indexFill(Call &c) { return indexWrite(c, "value"); }
static mlir::Value indexReduce(Call &c) {
  auto a = readIndexed(c, "source");
  return a ? c.reshape(scatterReduced(c, *a, c.string("reduce"),
                                      c.flag("include_self")),
                       a->original)
           : mlir::Value();
}

//===----------------------------------------------------------------------===//
// Flattened tensors and masks
//===----------------------------------------------------------------------===//

/// Negative indices count from the end.
static mlir::Value take(Call &c) {
  mlir::Value x = c.tensor();
  mlir::Value index = c.cast(c.tensor("index"), ScalarType::Long);
  return index ? c.make<GatherOp>(c.reshape(x, {c.type(x).getNumElements()}),
                                  index, uint64_t(0))
               : index;
}
static mlir::Value put(Call &c) {
  mlir::Value x = c.tensor();
  mlir::Value index = c.cast(c.tensor("index"), ScalarType::Long);
  mlir::Value source = c.operand("source", c.scalarType(x));
  if (!index || !source)
    return {};
  int64_t count = c.type(index).getNumElements();
  if (c.type(source).getNumElements() != count)
    return c.failed("source and index of different sizes");
  Shape shape = c.shape(x);
  int64_t elements = extentProduct(shape);
  index = c.reshape(index, {count});
  index = c.where(c.compare(ComparePredicate::Lt, index, 0.0),
                  c.binary<AddOp>(index, static_cast<double>(elements)), index);
  return c.reshape(
      scatterTo(c, c.reshape(x, {elements}), 0, index,
                c.reshape(source, {count}),
                c.flag("accumulate") ? ScatterKind::Add : ScatterKind::None),
      shape);
}

/// The source's elements in order, where the mask is true.
static mlir::Value maskedScatter(Call &c) {
  mlir::Value x = c.tensor(), mask = c.toBool(c.tensor("mask"));
  mlir::Value source = c.cast(c.tensor("source"), c.element(x));
  if (!mask || !source)
    return {};
  auto shape = c.commonShape(x, mask);
  if (!shape)
    return {};
  x = c.broadcastTo(x, *shape);
  int64_t given = c.type(source).getNumElements();
  if (given == 0 || extentProduct(*shape) == 0)
    return x;
  mask = c.broadcastTo(mask, *shape);
  mlir::Value flat =
      c.cast(c.reshape(mask, {extentProduct(*shape)}), ScalarType::Long);
  mlir::Value rank =
      flat ? c.make<CumReduceOp>(flat, ReduceKind::Sum, uint64_t(0)) : flat;
  if (!rank)
    return {};
  mlir::Type i64 = c.builder.getI64Type();
  rank = c.make<ClampOp>(c.binary<SubOp>(rank, 1.0), c.scalar(i64, int64_t(0)),
                         c.scalar(i64, given - 1));
  mlir::Value picked = c.make<GatherOp>(c.reshape(source, {given}), rank,
                                        uint64_t(0), /*nonneg=*/true);
  return c.where(mask, c.reshape(picked, *shape), x);
}

/// Counts of the elements in equal bins between min and max, which are those of
/// the data when equal. Source: PyTorch, ATen/native/cpu/HistogramKernel.cpp.
static mlir::Value histc(Call &c) {
  mlir::Value x = c.tensor();
  auto bins = c.integer("bins");
  auto lo = c.number("min"), hi = c.number("max");
  if (!bins || !lo || !hi)
    return {};
  if (!c.isFloat(x) || *bins < 1 || *lo > *hi)
    return c.failed("bins and range");
  int64_t count = c.type(x).getNumElements();
  mlir::Type type = c.element(x);
  mlir::Value none = c.full(type, {*bins}, int64_t(0));
  if (count == 0)
    return none;
  x = c.reshape(x, {count});
  mlir::Value low = c.scalar(type, *lo), high = c.scalar(type, *hi);
  if (*lo == *hi) {
    low = c.reduce(ReduceKind::Min, x, {0}, /*keep=*/false);
    high = c.reduce(ReduceKind::Max, x, {0}, /*keep=*/false);
    mlir::Value equal = c.compare(ComparePredicate::Eq, low, high);
    low = c.where(equal, c.binary<SubOp>(low, 1.0), low);
    high = c.where(equal, c.binary<AddOp>(high, 1.0), high);
  }
  mlir::Value inside =
      c.binary<AndOp>(c.compare(ComparePredicate::Ge, x, low),
                      c.compare(ComparePredicate::Le, x, high));
  mlir::Value at = c.binary<DivOp>(
      c.binary<MulOp>(c.binary<SubOp>(x, low), static_cast<double>(*bins)),
      c.binary<SubOp>(high, low));
  at = c.where(inside, at, c.scalar(type, 0.0, 1));
  at = c.cast(at, ScalarType::Long);
  at = c.binary<MinOp>(at, static_cast<double>(*bins - 1));
  return scatterTo(c, none, 0, at, c.cast(inside, type), ScatterKind::Add);
}

void graven::aten::addScattering(Table &t) {
  t.add("scatter", scatter);
  t.add("scatter_add", scatterAdd);
  t.add("scatter_reduce", scatterReduce);
  t.add("index_add", indexAdd);
  t.add("index_copy", indexCopy);
  t.add("index_fill", indexFill);
  t.add("index_reduce", indexReduce);
  t.add("take", take);
  t.add("put", put);
  t.add("masked_scatter", maskedScatter);
  t.add("histc", histc);
}
