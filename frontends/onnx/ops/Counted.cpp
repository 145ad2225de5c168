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

LogicalResult buildNonZero(NodeBuilder &n) {
  Value x = n.input(0);
  if (!n.staticShape(x))
    return failure();
  return n.finish(n.transpose(n.nonzero(x), {1, 0}));
}

/// The slices of an axis, or the elements, whose condition is true; those
/// behind the end of the conditions are not taken.
LogicalResult buildCompress(NodeBuilder &n) {
  Value x = n.input(0), condition = n.input(1);
  auto shape = n.staticShape(x), conditions = n.staticShape(condition);
  if (!shape || !conditions)
    return failure();
  int64_t axis = 0;
  if (n.hasAttr("axis"))
    axis = n.axis(n.intAttr("axis", 0), shape->size());
  else
    x = flat(n, x);
  if (n.hasFailed())
    return failure();
  int64_t extent = n.shapeOf(x)[axis];
  if (conditions->size() != 1 || conditions->front() > extent)
    return n.error(Code::BadGraph) << "condition of shape [" << *conditions
                                   << "] for " << extent << " slices";
  return n.finish(
      n.make<GatherOp>(x, flat(n, n.nonzero(condition)), axis, false));
}

/// Of n elements, all of them known to be there.
struct Unique {
  NodeBuilder &n;
  int64_t size;
  Type i64 = n.getBuilder().getI64Type();

  Value iota() { return n.make<IotaOp>(ValueRange(), IntList{size}, 0, i64); }
  Value zeros() { return n.splat(RankedTensorType::get({size}, i64), 0); }
  Value columns(Value x) { return x ? n.reshape(x, {size, 1}) : x; }
  Value scattered(Value base, Value at, Value updates, ScatterKind kind) {
    return n.make<ScatterNdOp>(base, columns(at), updates, kind, true);
  }
  Value at(Value x, Value places) {
    return n.make<GatherOp>(x, places, 0, false);
  }

  /// Whether each of ascending elements differs from the one before. NaNs are
  /// one.
  Value begins(Value sorted) {
    Value later = n.slice(sorted, 0, 1, size),
          earlier = n.slice(sorted, 0, 0, size - 1);
    Value differ = n.compare(ComparePredicate::Ne, later, earlier);
    if (isa<FloatType>(n.elementTypeOf(sorted))) {
      Value isNumber = n.compare(ComparePredicate::Eq, earlier, earlier);
      differ = n.binary<AndOp>(differ, isNumber);
    }
    Value first =
        n.splat(RankedTensorType::get({1}, n.getBuilder().getI1Type()), 1);
    return n.make<ConcatOp>(ValueRange{first, differ}, 0);
  }
  /// How many flags are set in front of each place, itself included, less one.
  Value ordinals(Value flags) {
    Value sums = n.make<CumReduceOp>(n.cast(flags, i64), ReduceKind::Sum, 0);
    return n.binary<SubOp>(sums, n.scalar(i64, 1));
  }

  LogicalResult build(Value x, bool isSorted) {
    auto ascending = n.makeAll<TopKOp>(x, size, 0, false);
    if (n.hasFailed())
      return failure();
    Value order = ascending[1], begin = begins(ascending[0]);
    // The number of the run that each sorted element is in.
    Value run = ordinals(begin);
    Value values = ascending[0], picks, inverse;
    if (isSorted) {
      picks = flat(n, n.nonzero(begin));
      n.setOutput(1, at(order, picks));
      inverse = scattered(zeros(), order, run, ScatterKind::None);
    } else {
      // Sorting is stable: a run begins with what comes first in x.
      Value isFirst =
          scattered(zeros(), order, n.cast(begin, i64), ScatterKind::None);
      picks = flat(n, n.nonzero(n.compare(ComparePredicate::Ne, isFirst,
                                          n.scalar(i64, 0))));
      n.setOutput(1, picks);
      Value start = n.make<CumReduceOp>(
          n.binary<MulOp>(iota(), n.cast(begin, i64)), ReduceKind::Max, 0);
      Value firsts =
          scattered(zeros(), order, at(order, start), ScatterKind::None);
      inverse = at(ordinals(isFirst), firsts);
      values = x;
    }
    n.setOutput(2, inverse);
    Value counts = scattered(zeros(), inverse,
                             n.splat(RankedTensorType::get({size}, i64), 1),
                             ScatterKind::Add);
    Value number = n.reduce(n.cast(begin, i64), ReduceKind::Sum, {0}, false);
    if (auto prefix = n.countOf(picks))
      number = prefix;
    n.setOutput(3, n.counted(counts, number, 0));
    return n.finish(at(values, picks));
  }
};

LogicalResult buildUnique(NodeBuilder &n) {
  Value x = n.input(0);
  auto shape = n.staticShape(x);
  if (!shape)
    return failure();
  if (n.hasAttr("axis") && shape->size() != 1)
    return n.error(Code::UnsupportedFeature)
           << "different slices of an axis of a tensor of rank "
           << shape->size();
  x = flat(n, x);
  int64_t size = n.typeOf(x).getNumElements();
  if (size == 0) {
    for (size_t i = 1; i < 4; ++i)
      n.setOutput(i, n.intList({}));
    return n.finish(x);
  }
  return Unique{n, size}.build(x, n.flagAttr("sorted", true));
}

} // namespace

void addCounted(OpTable &table) {
  table.add("NonZero", 1, buildNonZero);
  table.add("Compress", 2, buildCompress);
  table.add("Unique", 1, buildUnique);
}

} // namespace graven::onnx
