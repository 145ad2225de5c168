//===- Counted.cpp - nodes whose extents data decide ---------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the builders of NonZero, Compress and Unique.
//===----------------------------------------------------------------------===//

#include "frontends/onnx/GraphImporter.h"
#include "frontends/onnx/NodeBuilder.h"
#include "frontends/onnx/OpTable.h"

using namespace mlir;

namespace graven::onnx {

namespace {

Value flat(NodeBuilder &n, Value x) {
  return x ? n.reshape(x, {n.typeOf(x).getNumElements()}) : x;
}

/// The first input flat, and axis 0; with the attribute `axis`, that of it.
std::optional<std::pair<Value, int64_t>> slicesOrElements(NodeBuilder &n) {
  Value x = n.input(0);
  auto shape = n.staticShape(x);
  if (!shape)
    return std::nullopt;
  int64_t axis = 0;
  if (n.hasAttr("axis"))
    axis = n.axis(n.intAttr("axis", 0), shape->size());
  else
    x = flat(n, x);
  return n.hasFailed() ? std::nullopt : std::optional(std::pair(x, axis));
}

LogicalResult buildNonZero(NodeBuilder &n) {
  Value x = n.input(0);
  if (!n.staticShape(x))
    return failure();
  return n.finish(n.transpose(n.nonzero(x), {1, 0}));
}

/// The slices of an axis, or the elements, whose condition is true; those
/// behind the end of the conditions are not taken.
LogicalResult buildCompress(NodeBuilder &n) {
  Value condition = n.input(1);
  auto source = slicesOrElements(n);
  auto conditions = n.staticShape(condition);
  if (!source || !conditions)
    return failure();
  auto [x, axis] = *source;
  int64_t extent = n.shapeOf(x)[axis];
  if (conditions->size() != 1 || conditions->front() > extent)
    return n.error(Code::BadGraph) << "condition of shape [" << *conditions
                                   << "] for " << extent << " slices";
  return n.finish(
      n.make<GatherOp>(x, flat(n, n.nonzero(condition)), axis, false));
}

/// Rows of more columns than this are not sorted, by a sort for each.
constexpr int64_t maxSortedColumns = 256;

/// Of `size` rows [size, columns], which are all there.
struct Unique {
  NodeBuilder &n;
  int64_t size;
  Type i64 = n.getBuilder().getI64Type();

  Value iota() { return n.make<IotaOp>(ValueRange(), IntList{size}, 0, i64); }
  Value all(int64_t number) {
    return n.splat(RankedTensorType::get({size}, i64), double(number));
  }
  Value scattered(Value at, Value updates, ScatterKind kind) {
    Value column = n.hasFailed() ? at : n.reshape(at, {size, 1});
    return n.make<ScatterNdOp>(all(0), column, updates, kind, true);
  }
  Value at(Value x, Value places) {
    return n.make<GatherOp>(x, places, 0, false);
  }

  /// The places of the rows in ascending order: by the last column, then,
  /// stably, by those before.
  Value orderOf(Value rows) {
    Value order;
    for (int64_t column = n.shapeOf(rows)[1]; column-- > 0;) {
      Value key = n.reshape(n.slice(rows, 1, column, column + 1), {size});
      auto ascending =
          n.makeAll<TopKOp>(order ? at(key, order) : key, size, 0, false);
      if (n.hasFailed())
        return {};
      order = order ? at(order, ascending[1]) : ascending[1];
    }
    return order;
  }

  /// Whether each of ascending rows differs from the one before. NaNs are one.
  Value begins(Value sorted) {
    Value later = n.slice(sorted, 0, 1, size),
          earlier = n.slice(sorted, 0, 0, size - 1);
    Value differ = n.compare(ComparePredicate::Ne, later, earlier);
    if (isa<FloatType>(n.elementTypeOf(sorted))) {
      Value isNumber =
          n.binary<OrOp>(n.compare(ComparePredicate::Eq, earlier, earlier),
                         n.compare(ComparePredicate::Eq, later, later));
      differ = n.binary<AndOp>(differ, isNumber);
    }
    Type i32 = n.getBuilder().getI32Type();
    differ =
        n.compare(ComparePredicate::Ne,
                  n.reduce(n.cast(differ, i32), ReduceKind::Max, {1}, false),
                  n.scalar(i32, 0));
    Value first =
        n.splat(RankedTensorType::get({1}, n.getBuilder().getI1Type()), 1);
    return n.make<ConcatOp>(ValueRange{first, differ}, 0);
  }
  /// How many flags are set up to each place, itself included, less one.
  Value ordinals(Value flags) {
    Value sums = n.make<CumReduceOp>(n.cast(flags, i64), ReduceKind::Sum, 0);
    return n.binary<SubOp>(sums, n.scalar(i64, 1));
  }

  /// Sets all outputs but the first: gives the places of the rows that it has.
  Value build(Value rows, bool isSorted) {
    Value order = orderOf(rows);
    if (!order)
      return {};
    Value begin = begins(at(rows, order));
    Value picks, inverse;
    if (isSorted) {
      picks = at(order, flat(n, n.nonzero(begin)));
      inverse = scattered(order, ordinals(begin), ScatterKind::None);
    } else {
      // Sorting is stable: a run begins with what comes first in x.
      Value isFirst = scattered(order, n.cast(begin, i64), ScatterKind::None);
      isFirst = n.compare(ComparePredicate::Ne, isFirst, n.scalar(i64, 0));
      picks = flat(n, n.nonzero(isFirst));
      Value start = n.make<CumReduceOp>(
          n.binary<MulOp>(iota(), n.cast(begin, i64)), ReduceKind::Max, 0);
      Value firsts = scattered(order, at(order, start), ScatterKind::None);
      inverse = at(ordinals(isFirst), firsts);
    }
    Value counts = scattered(inverse, all(1), ScatterKind::Add);
    Value number = n.reduce(n.cast(begin, i64), ReduceKind::Sum, {0}, false);
    if (Value known = n.countOf(picks))
      number = known;
    n.setOutput(1, picks);
    n.setOutput(2, inverse);
    n.setOutput(3, n.counted(counts, number, 0));
    return picks;
  }
};

/// Of the slices of an axis, or of the elements.
LogicalResult buildUnique(NodeBuilder &n) {
  auto source = slicesOrElements(n);
  if (!source)
    return failure();
  auto [x, axis] = *source;
  int64_t size = n.shapeOf(x)[axis], rank = n.rankOf(x);
  int64_t columns = size ? n.typeOf(x).getNumElements() / size : 1;
  if (columns < 1 || columns > maxSortedColumns)
    return n.error(Code::UnsupportedFeature)
           << "slices of " << columns << " elements, expected 1 to "
           << maxSortedColumns;
  if (size == 0) {
    for (size_t i = 1; i < 4; ++i)
      n.setOutput(i, n.intList({}));
    return n.finish(x);
  }
  // One alone is unique: data decide nothing.
  if (size == 1) {
    n.setOutput(1, n.intList({0}));
    n.setOutput(2, n.intList({0}));
    n.setOutput(3, n.intList({1}));
    return n.finish(x);
  }
  IntList front{axis};
  for (int64_t i = 0; i < rank; ++i)
    if (i != axis)
      front.push_back(i);
  Value rows = n.reshape(n.transpose(x, front), {size, columns});
  Value picks = Unique{n, size}.build(rows, n.flagAttr("sorted", true));
  return n.finish(n.make<GatherOp>(x, picks, axis, false));
}

} // namespace

void addCounted(OpTable &table) {
  table.add("NonZero", 1, buildNonZero);
  table.add("Compress", 2, buildCompress);
  table.add("Unique", 1, buildUnique);
}

} // namespace graven::onnx
