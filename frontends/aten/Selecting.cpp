//===- Selecting.cpp - ATen's order statistics and searches ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file builds what sorting leads to: medians, modes, the k-th of an axis,
// and the places of values among sorted ones.
//
//===----------------------------------------------------------------------===//

#include "frontends/aten/Norms.h"
#include "frontends/aten/Table.h"

using namespace graven;
using namespace graven::aten;
using llvm::StringRef;

namespace {
/// The elements of an axis in ascending order, with their places.
struct Sorted {
  mlir::Value values, places;
};
} // namespace

static std::optional<Sorted> sorted(Call &c, mlir::Value x, int64_t axis) {
  if (!x)
    return std::nullopt;
  auto op = tryCreate<TopKOp>(c.builder, c.loc, x,
                              uint64_t(c.type(x).getDimSize(axis)),
                              uint64_t(axis), /*largest=*/false);
  if (mlir::failed(op))
    return std::nullopt;
  return Sorted{op->getValues(), op->getIndices()};
}

/// Without axes, one.
static mlir::Value asLine(Call &c, mlir::Value x) { return c.withRank(x, 1); }

/// One element of an axis of both, the axis kept or not.
static void giveAt(Call &c, const Sorted &s, int64_t axis, int64_t at,
                   mlir::Value x) {
  for (mlir::Value y : {s.values, s.places}) {
    y = c.slice(y, axis, at, at + 1);
    if (!y)
      return c.give(y);
    Shape shape = c.shape(y);
    if (!c.flag("keepdim") || c.rank(x) == 0)
      shape.erase(shape.begin() + axis);
    c.give(c.reshape(y, shape));
  }
}

static void kthValue(Call &c) {
  mlir::Value x = c.tensor();
  auto axis = c.axis("dim", c.rank(x)), k = c.integer("k");
  if (!axis || !k)
    return;
  mlir::Value line = asLine(c, x);
  int64_t extent = c.type(line).getDimSize(*axis);
  if (*k < 1 || *k > extent) {
    c.failed(llvm::Twine(*k) + "-th of " + llvm::Twine(extent));
    return;
  }
  if (auto s = sorted(c, line, *axis))
    giveAt(c, *s, *axis, *k - 1, x);
}

static mlir::Value msort(Call &c) {
  mlir::Value x = c.tensor();
  if (c.rank(x) == 0)
    return x;
  auto s = sorted(c, x, 0);
  return s ? s->values : mlir::Value();
}

//===----------------------------------------------------------------------===//
// Medians
//===----------------------------------------------------------------------===//

/// The number of elements of an axis that are not NaN, kept, as i64.
static mlir::Value countNumbers(Call &c, mlir::Value x, int64_t axis) {
  mlir::Value isNumber = c.compare(ComparePredicate::Eq, x, x);
  return c.reduce(ReduceKind::Sum, c.cast(isNumber, ScalarType::Long), {axis},
                  /*keep=*/true);
}

/// The lower one of two in the middle, with its place. NaN, which sorts last,
/// is the median when there is one, or is left out.
static std::optional<Sorted> medianOf(Call &c, mlir::Value x, int64_t axis,
                                      bool ignoreNaN) {
  auto s = sorted(c, x, axis);
  int64_t extent = s ? c.type(x).getDimSize(axis) : 0;
  if (!s)
    return std::nullopt;
  if (extent == 0) {
    c.fail() << "median of an empty axis";
    return std::nullopt;
  }
  mlir::Type i64 = c.builder.getI64Type();
  Shape one = c.shape(x);
  one[axis] = 1;
  mlir::Value at = c.full(i64, one, (extent - 1) / 2);
  if (c.isFloat(x)) {
    mlir::Value count = countNumbers(c, x, axis);
    mlir::Value zero = c.scalar(i64, int64_t(0), c.rank(x));
    if (ignoreNaN)
      at = c.binary<MaxOp>(c.binary<DivOp>(c.binary<SubOp>(count, 1.0), 2.0),
                           zero);
    else
      at = c.where(
          c.compare(ComparePredicate::Lt, count, static_cast<double>(extent)),
          count, at);
  }
  auto pick = [&](mlir::Value y) {
    return at ? c.make<GatherElementsOp>(y, at, uint64_t(axis), /*nonneg=*/true)
              : at;
  };
  mlir::Value values = pick(s->values), places = pick(s->places);
  return values && places ? std::optional(Sorted{values, places})
                          : std::nullopt;
}

template <bool kIgnoreNaN> static void median(Call &c) {
  mlir::Value x = c.tensor();
  if (!c.has("dim")) {
    int64_t count = c.type(x).getNumElements();
    if (auto s = medianOf(c, c.reshape(x, {count}), 0, kIgnoreNaN))
      c.give(c.reshape(s->values, {}));
    return;
  }
  auto axis = c.axis("dim", c.rank(x));
  if (!axis)
    return;
  if (auto s = medianOf(c, asLine(c, x), *axis, kIgnoreNaN))
    giveAt(c, *s, *axis, 0, x);
}

/// The value that occurs most often, the least of several, and the place of its
/// last occurrence in the axis.
static void mode(Call &c) {
  mlir::Value x = c.tensor(), line = asLine(c, x);
  auto axis = c.axis("dim", c.rank(x));
  if (!axis || !line)
    return;
  int64_t extent = c.type(line).getDimSize(*axis);
  if (extent == 0) {
    c.failed("mode of an empty axis");
    return;
  }
  if (extent > 4096) {
    c.failed("mode of an axis of more than 4096 elements");
    return;
  }
  // How often each element occurs: [.., i, j] compares i with j.
  mlir::Value a = c.unsqueeze(line, *axis + 1), b = c.unsqueeze(line, *axis);
  mlir::Value counts =
      c.cast(c.compare(ComparePredicate::Eq, a, b), ScalarType::Long);
  counts = c.reduce(ReduceKind::Sum, counts, {*axis + 1}, /*keep=*/false);
  mlir::Value most = c.reduce(ReduceKind::Max, counts, {*axis}, /*keep=*/true);
  mlir::Value isMost = c.compare(ComparePredicate::Eq, counts, most);
  if (c.isBool(line))
    line = c.cast(line, ScalarType::Int);
  mlir::Value greatest =
      c.reduce(ReduceKind::Max, line, {*axis}, /*keep=*/true);
  mlir::Value value = c.reduce(ReduceKind::Min, c.where(isMost, line, greatest),
                               {*axis}, /*keep=*/true);
  mlir::Value hit =
      c.cast(c.compare(ComparePredicate::Eq, line, value), ScalarType::Int);
  if (!hit)
    return;
  mlir::Value place =
      c.make<ArgReduceOp>(hit, ExtremeKind::Max, uint64_t(*axis),
                          /*keep=*/true, /*last=*/true);
  giveAt(c, {c.cast(value, c.element(x)), place}, *axis, 0, x);
}

//===----------------------------------------------------------------------===//
// Places among sorted values
//===----------------------------------------------------------------------===//

/// How many elements of `sequence` [.., n] are less than a value of `values`
/// [.., m] (`right`: not greater). NaN is greater than all numbers.
static mlir::Value placesAmong(Call &c, mlir::Value sequence,
                               mlir::Value values, bool right) {
  if (!sequence || !values)
    return {};
  int64_t rank = c.rank(values);
  if (c.type(values).getNumElements() * c.type(sequence).getShape().back() >
      (int64_t(1) << 28))
    return c.failed("more than 2^28 comparisons");
  mlir::Value v = c.unsqueeze(values, rank),
              s = c.unsqueeze(sequence, c.rank(sequence) - 1);
  // Element s is in front of v.
  mlir::Value before =
      c.compare(right ? ComparePredicate::Le : ComparePredicate::Lt, s, v);
  if (before && c.isFloat(values)) {
    mlir::Value vIsNaN = c.compare(ComparePredicate::Ne, v, v);
    if (right)
      before = c.binary<OrOp>(before, vIsNaN);
    else
      before = c.binary<OrOp>(
          before,
          c.binary<AndOp>(vIsNaN, c.compare(ComparePredicate::Eq, s, s)));
  }
  mlir::Value y = c.cast(before, ScalarType::Long);
  return y ? c.reduce(ReduceKind::Sum, y, {c.rank(y) - 1}, /*keep=*/false) : y;
}

/// The values of a search: a tensor, or a number, in the type both promote to.
static mlir::Value search(Call &c, StringRef sequenceName, bool right) {
  std::optional<ScalarType> type = c.promoted({sequenceName, "self"});
  if (!type)
    return {};
  mlir::Value sequence = c.tensor(sequenceName);
  if (c.has("sorter")) {
    mlir::Value sorter = c.cast(c.tensor("sorter"), ScalarType::Long);
    sequence = sorter ? c.make<GatherElementsOp>(sequence, sorter,
                                                 uint64_t(c.rank(sequence) - 1),
                                                 /*nonneg=*/true)
                      : sorter;
  }
  sequence = c.cast(sequence, *type);
  mlir::Value values = c.operand("self", *type);
  if (!sequence || !values)
    return {};
  if (c.rank(sequence) == 0)
    return c.failed("sequence without axes");
  Shape shape = c.shape(values);
  if (c.rank(sequence) == 1)
    values = c.reshape(values, {extentProduct(shape)});
  else if (c.rank(sequence) != c.rank(values) ||
           c.type(sequence).getShape().drop_back() !=
               c.type(values).getShape().drop_back())
    return c.failed("leading axes of sequence and values differ");
  mlir::Value y = c.reshape(placesAmong(c, sequence, values, right), shape);
  return c.flag("out_int32") ? c.cast(y, ScalarType::Int) : y;
}
static mlir::Value searchSorted(Call &c) {
  bool right = c.flag("right") || c.string("side") == "right";
  return search(c, "sorted_sequence", right);
}
static mlir::Value bucketize(Call &c) {
  return search(c, "boundaries", c.flag("right"));
}

/// The first `size` positions of elements that are not 0, row by row; rows past
/// the last hold the fill value.
static mlir::Value nonzeroStatic(Call &c) {
  mlir::Value x = c.tensor();
  auto size = c.integer("size"), fill = c.integer("fill_value");
  if (!size || !fill)
    return {};
  if (*size < 0)
    return c.failed("negative size");
  int64_t count = c.type(x).getNumElements(), rank = c.rank(x);
  mlir::Type i64 = c.builder.getI64Type();
  if (count == 0 || rank == 0 || *size == 0)
    return rank == 0 && count && *size ? c.full(i64, {*size, 0}, *fill)
                                       : c.full(i64, {*size, rank}, *fill);
  // Rows of zeros go to one place more, which is cut off again.
  mlir::Value hit = c.toBool(c.reshape(x, {count}));
  mlir::Value sum =
      c.make<CumReduceOp>(c.cast(hit, i64), ReduceKind::Sum, uint64_t(0));
  mlir::Value at = c.binary<SubOp>(sum, 1.0);
  at = c.where(hit, c.binary<MinOp>(at, static_cast<double>(*size)),
               c.scalar(i64, *size, 1));
  llvm::SmallVector<mlir::Value> columns;
  for (int64_t axis = 0; axis < rank; ++axis) {
    mlir::Value iota = c.iota(c.shape(x), axis);
    columns.push_back(c.reshape(iota, {count, 1}));
  }
  mlir::Value rows = c.concat(columns, 1);
  at = c.reshape(at, {count, 1});
  if (!rows || !at)
    return {};
  mlir::Value y = c.make<ScatterNdOp>(c.full(i64, {*size + 1, rank}, *fill), at,
                                      rows, ScatterKind::None, /*nonneg=*/true);
  return c.slice(y, 0, 0, *size);
}

void graven::aten::addSelecting(Table &t) {
  t.add("kthvalue", kthValue);
  t.add("msort", msort);
  t.add("median", median<false>);
  t.add("nanmedian", median<true>);
  t.add("mode", mode);
  t.add("searchsorted", searchSorted);
  t.add("bucketize", bucketize);
  t.add("nonzero_static", nonzeroStatic);
}
