//===- Counted.cpp - ATen operators whose extents data decide ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file builds the operators that find elements: those that are not zero,
// that a mask selects, that are different; and repetitions by counts.
//
//===----------------------------------------------------------------------===//

#include "frontends/aten/Table.h"

using namespace graven;
using namespace graven::aten;

/// Rows of more columns than this are not sorted, by a sort for each.
static constexpr int64_t kMaxSortedColumns = 256;

static mlir::Value flat(Call &c, mlir::Value x) {
  return x ? c.reshape(x, {c.type(x).getNumElements()}) : x;
}
static mlir::Value gather(Call &c, mlir::Value x, mlir::Value at,
                          int64_t axis = 0) {
  return x && at ? c.make<GatherOp>(x, at, uint64_t(axis), /*nonneg=*/true)
                 : mlir::Value();
}

//===----------------------------------------------------------------------===//
// What is not zero
//===----------------------------------------------------------------------===//

static mlir::Value nonzero(Call &c) { return c.nonzero(c.tensor()); }

static void nonzeroAsTuple(Call &c) { c.giveNonzero(c.tensor()); }

static mlir::Value maskedSelect(Call &c) {
  mlir::Value x = c.withRank(c.tensor(), 1), mask = c.toBool(c.tensor("mask"));
  if (!mask)
    return {};
  auto shape = c.commonShape(x, mask);
  if (!shape)
    return {};
  x = c.broadcastTo(x, *shape);
  mlir::Value places = c.nonzero(c.broadcastTo(mask, *shape));
  if (!x || !places)
    return {};
  return shape->size() == 1 ? gather(c, x, flat(c, places))
                            : c.make<GatherNdOp>(x, places, uint64_t(0),
                                                 /*nonneg=*/true);
}

//===----------------------------------------------------------------------===//
// What is different
//===----------------------------------------------------------------------===//

namespace {
/// Rows along axis 0, equal ones beside each other.
struct Runs {
  mlir::Value rows;  ///< [n, ...]
  mlir::Value order; ///< which rows of the argument they are; null: as given
};
} // namespace

/// Whether each of n >= 1 rows differs from the one before; the first does.
static mlir::Value beginsRun(Call &c, mlir::Value rows) {
  int64_t n = c.type(rows).getDimSize(0);
  mlir::Value differ = c.compare(ComparePredicate::Ne, c.slice(rows, 0, 1, n),
                                 c.slice(rows, 0, 0, n - 1));
  Shape inner;
  for (int64_t axis = 1; axis < c.rank(rows); ++axis)
    inner.push_back(axis);
  if (differ && !inner.empty()) {
    differ = c.reduce(ReduceKind::Max, c.cast(differ, ScalarType::Int), inner,
                      /*keep=*/false);
    differ = c.toBool(differ);
  }
  return differ
             ? c.concat(
                   {c.full(c.builder.getI1Type(), {1}, int64_t(1)), differ}, 0)
             : differ;
}

/// The first row of each run, with axis 0 moved back to `axis`; for each row
/// which run it belongs to; how many rows there are in each.
static void giveRuns(Call &c, const Runs &runs, int64_t axis,
                     llvm::ArrayRef<int64_t> inverseShape, bool wantsInverse,
                     bool wantsCounts) {
  if (!runs.rows)
    return c.give({});
  mlir::Type i64 = c.builder.getI64Type();
  int64_t n = c.type(runs.rows).getDimSize(0);
  mlir::Value none = c.full(i64, {0}, int64_t(0));
  if (n == 0) {
    c.give(runs.rows);
    c.give(wantsInverse ? c.reshape(none, inverseShape) : none);
    c.give(none);
    return;
  }
  mlir::Value begins = beginsRun(c, runs.rows), places = c.nonzero(begins);
  if (!places)
    return c.give({});
  mlir::Value found = gather(c, runs.rows, flat(c, places));
  Shape back;
  for (int64_t i = 0; found && i < c.rank(found); ++i)
    back.push_back(i < axis ? i + 1 : i == axis ? 0 : i);
  c.give(found ? c.transpose(found, back) : found);
  mlir::Value run =
      c.make<CumReduceOp>(c.cast(begins, i64), ReduceKind::Sum, uint64_t(0));
  run = c.binary<SubOp>(run, 1.0);
  mlir::Value line = c.reshape(run, {n, 1});
  if (!line)
    return c.give({});
  mlir::Value inverse = run;
  if (wantsInverse && runs.order)
    inverse = c.make<ScatterNdOp>(c.full(i64, {n}, int64_t(0)),
                                  c.reshape(runs.order, {n, 1}), run,
                                  ScatterKind::None, /*nonneg=*/true);
  c.give(wantsInverse ? c.reshape(inverse, inverseShape) : none);
  if (!wantsCounts)
    return c.give(none);
  mlir::Value counts = c.make<ScatterNdOp>(c.full(i64, {n}, int64_t(0)), line,
                                           c.full(i64, {n}, int64_t(1)),
                                           ScatterKind::Add, /*nonneg=*/true);
  mlir::Value number =
      c.reduce(ReduceKind::Sum, c.cast(begins, i64), {0}, /*keep=*/false);
  // The runs are as many as their first rows.
  if (auto prefix = places.getDefiningOp<PrefixOp>())
    number = prefix.getCount();
  c.give(c.counted(counts, number, 0));
}

/// The rows in ascending order, as lists of numbers are compared: by the last
/// column, then, stably, by those before.
static Runs sortedRows(Call &c, mlir::Value rows) {
  int64_t n = c.type(rows).getDimSize(0),
          columns = n ? c.type(rows).getNumElements() / n : 0;
  if (n == 0)
    return {rows, {}};
  if (columns == 0) {
    c.fail() << "rows without elements";
    return {};
  }
  if (columns > kMaxSortedColumns) {
    c.fail() << "sort of rows of " << columns << " elements, expected at most "
             << kMaxSortedColumns;
    return {};
  }
  mlir::Value keys = c.reshape(rows, {n, columns}), order;
  for (int64_t column = columns; keys && column-- > 0;) {
    mlir::Value key = c.select(keys, 1, column);
    if (order)
      key = gather(c, key, order);
    if (!key)
      return {};
    auto sorted = tryCreate<TopKOp>(c.builder, c.loc, key, uint64_t(n),
                                    uint64_t(0), /*largest=*/false);
    if (mlir::failed(sorted))
      return {};
    order = order ? gather(c, order, sorted->getIndices())
                  : mlir::Value(sorted->getIndices());
    if (columns == 1)
      return {c.reshape(sorted->getValues(), c.shape(rows)), order};
  }
  return {gather(c, rows, order), order};
}

/// Of all elements.
static void unique(Call &c) {
  mlir::Value x = c.tensor();
  giveRuns(c, sortedRows(c, flat(c, x)), 0, c.shape(x),
           c.flag("return_inverse"), c.flag("return_counts"));
}

/// The axis moved to the front.
static mlir::Value rowsAlong(Call &c, mlir::Value x, int64_t axis) {
  Shape front{axis};
  for (int64_t i = 0; i < c.rank(x); ++i)
    if (i != axis)
      front.push_back(i);
  return c.transpose(x, front);
}

static void uniqueAlong(Call &c, bool isSorted) {
  mlir::Value x = c.tensor();
  auto axis = c.axisOf("dim", x);
  if (!axis)
    return;
  mlir::Value rows = rowsAlong(c, x, *axis);
  if (rows)
    giveRuns(c, isSorted ? sortedRows(c, rows) : Runs{rows, {}}, *axis,
             {c.type(x).getDimSize(*axis)}, c.flag("return_inverse"),
             c.flag("return_counts"));
}
static void uniqueDim(Call &c) { uniqueAlong(c, /*isSorted=*/true); }
static void uniqueConsecutive(Call &c) {
  if (c.has("dim"))
    return uniqueAlong(c, /*isSorted=*/false);
  mlir::Value x = c.tensor();
  giveRuns(c, {flat(c, x), {}}, 0, c.shape(x), c.flag("return_inverse"),
           c.flag("return_counts"));
}

//===----------------------------------------------------------------------===//
// Repetition by counts
//===----------------------------------------------------------------------===//

/// Which of the counts each of `total` places in a row belongs to: as many
/// running sums as are at most the place.
static mlir::Value ownersOf(Call &c, mlir::Value repeats, int64_t total) {
  mlir::Value ends = c.make<CumReduceOp>(
      c.cast(flat(c, repeats), ScalarType::Long), ReduceKind::Sum, uint64_t(0));
  return c.countUpTo(ends, total);
}

/// The number of all repetitions: stated, or known; an error otherwise.
static std::optional<int64_t> totalOf(Call &c, mlir::Value repeats) {
  if (c.has("output_size"))
    return c.integer("output_size");
  auto known = c.evaluate(repeats);
  if (!known) {
    c.fail(Code::DataDependent)
        << "the sum of the repeats is only known at run time; output_size says "
           "it";
    return std::nullopt;
  }
  int64_t total = 0;
  for (int64_t i = 0; i < known->size(); ++i)
    if (known->getInt(i) < 0 ||
        llvm::AddOverflow(total, known->getInt(i), total)) {
      c.fail() << "repeats below zero, or too many";
      return std::nullopt;
    }
  return total;
}

static mlir::Value repeatInterleave(Call &c) {
  bool hasTensor = c.argument("repeats").is(Value::Kind::Tensor);
  mlir::Value x = c.tensor();
  mlir::Value repeats = hasTensor ? c.tensor("repeats") : mlir::Value();
  if (hasTensor && !x) {
    auto total = totalOf(c, repeats);
    return total ? ownersOf(c, repeats, *total) : mlir::Value();
  }
  if (!c.has("dim"))
    x = flat(c, x);
  auto axis = c.has("dim") ? c.axisOf("dim", x) : 0;
  if (!axis)
    return {};
  int64_t extent = c.type(x).getDimSize(*axis);
  if (hasTensor && c.type(repeats).getNumElements() != 1) {
    if (c.type(repeats).getNumElements() != extent)
      return c.failed("repeats of shape [" +
                      llvm::Twine(c.type(repeats).getNumElements()) +
                      "] for an axis of " + llvm::Twine(extent));
    auto total = totalOf(c, repeats);
    return total ? gather(c, x, ownersOf(c, repeats, *total), *axis)
                 : mlir::Value();
  }
  std::optional<int64_t> times;
  if (!hasTensor) {
    times = c.integer("repeats");
  } else {
    auto known = c.evaluate(repeats);
    if (!known && c.has("output_size") && extent > 0)
      times = c.integer("output_size").value_or(0) / extent;
    else if (known)
      times = known->getInt(0);
    else
      c.fail(Code::DataDependent) << "repeats are only known at run time";
  }
  if (!times || *times < 0)
    return times ? c.failed("negative repeat") : mlir::Value();
  Shape wide = c.shape(x), result = wide;
  wide.insert(wide.begin() + *axis + 1, *times);
  result[*axis] *= *times;
  return c.reshape(c.broadcastTo(c.unsqueeze(x, *axis + 1), wide), result);
}

/// How often each number occurs. The extent is the greatest number plus one,
/// for which bytes have a bound, and `minlength` is taken for one: what exceeds
/// it is an index out of range at run time.
static mlir::Value binCount(Call &c) {
  mlir::Value x = c.tensor();
  auto least = c.integer("minlength");
  if (!least)
    return {};
  mlir::Type type = c.element(x), i64 = c.builder.getI64Type();
  if (c.rank(x) != 1 || c.isFloat(x) || *least < 0)
    return c.failed("a tensor of rank " + llvm::Twine(c.rank(x)) +
                    " and minlength " + llvm::Twine(*least));
  int64_t n = c.type(x).getNumElements(), bound = *least;
  bool isNarrow = type.getIntOrFloatBitWidth() <= 8;
  auto known = n ? c.evaluate(x) : std::nullopt;
  if (known)
    for (int64_t i = 0; i < n; ++i)
      bound = std::max(bound, known->getInt(i) + 1);
  else if (isNarrow)
    bound = std::max<int64_t>(bound, c.isBool(x) ? 2 : 256);
  mlir::Value weights = c.tensor("weights");
  if (weights && c.scalarType(weights) != ScalarType::Float)
    weights = c.cast(weights, ScalarType::Double);
  if (!weights)
    weights = c.full(i64, {n}, int64_t(1));
  mlir::Value zeros = c.full(c.element(weights), {bound}, int64_t(0));
  if (n == 0)
    return zeros;
  if (bound == 0) {
    c.fail(Code::DataDependent)
        << "the greatest number is only known at run time; minlength bounds it";
    return {};
  }
  x = c.cast(x, i64);
  if (!known && !isNarrow)
    mlir::emitWarning(c.loc) << c.schema.name << " takes numbers below "
                             << bound << ", its minlength";
  mlir::Value counts = c.make<ScatterNdOp>(zeros, c.reshape(x, {n, 1}), weights,
                                           ScatterKind::Add, /*nonneg=*/true);
  if (known || !isNarrow)
    return counts;
  mlir::Value greatest = c.reduce(ReduceKind::Max, x, {0}, /*keep=*/false);
  mlir::Value length = c.binary<MaxOp>(c.binary<AddOp>(greatest, 1.0),
                                       static_cast<double>(*least));
  return c.counted(counts, length, 0);
}

void graven::aten::addCounted(Table &t) {
  t.add("nonzero argwhere", nonzero);
  t.add("nonzero_numpy", nonzeroAsTuple);
  t.add("masked_select", maskedSelect);
  t.add("_unique2", unique);
  t.add("unique_dim", uniqueDim);
  t.add("unique_consecutive unique_dim_consecutive", uniqueConsecutive);
  t.add("repeat_interleave", repeatInterleave);
  t.add("bincount", binCount);
}
