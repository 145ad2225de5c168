//===- Sorting.cpp - ATen's scans and sorts ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file builds running sums and products, sorts and the greatest elements.
//
//===----------------------------------------------------------------------===//

#include "frontends/aten/Table.h"

using namespace graven;
using namespace graven::aten;

template <ReduceKind kKind> static mlir::Value cumulative(Call &c) {
  mlir::Value x = c.tensor();
  if (std::optional<ScalarType> type = c.dtype())
    x = c.cast(x, *type);
  else if (!c.isFloat(x))
    x = c.cast(x, ScalarType::Long);
  auto axis = x ? c.axis("dim", c.rank(x)) : std::nullopt;
  if (!axis || c.rank(x) == 0)
    return axis ? x : mlir::Value();
  return c.make<CumReduceOp>(x, kKind, uint64_t(*axis));
}

/// Differences of neighbours, n times, after joining what the caller adds to
/// either end; of bools, whether they differ.
static mlir::Value diff(Call &c) {
  mlir::Value x = c.tensor();
  auto axis = c.axis("dim", c.rank(x)), times = c.integer("n");
  if (!axis || !times)
    return {};
  if (c.rank(x) == 0)
    return c.failed("tensor without axes");
  llvm::SmallVector<mlir::Value> parts{x};
  if (mlir::Value before = c.tensor("prepend"))
    parts.insert(parts.begin(), c.cast(before, c.element(x)));
  if (mlir::Value after = c.tensor("append"))
    parts.push_back(c.cast(after, c.element(x)));
  x = c.concat(parts, *axis);
  for (int64_t i = 0; x && i < *times && c.type(x).getDimSize(*axis) > 0; ++i) {
    int64_t extent = c.type(x).getDimSize(*axis);
    mlir::Value later = c.slice(x, *axis, 1, extent),
                earlier = c.slice(x, *axis, 0, extent - 1);
    x = c.isBool(x) ? c.binary<XorOp>(later, earlier)
                    : c.binary<SubOp>(later, earlier);
  }
  return x;
}

/// Values and indices of the k first elements in order.
static void giveTop(Call &c, int64_t k, int64_t axis, bool largest,
                    bool onlyIndices) {
  mlir::Value x = c.tensor();
  if (c.rank(x) == 0) {
    if (!onlyIndices)
      c.give(x);
    c.give(c.full(c.mlirType(ScalarType::Long), {}, int64_t(0)));
    return;
  }
  auto op = tryCreate<TopKOp>(c.builder, c.loc, x, uint64_t(k), uint64_t(axis),
                              largest);
  if (mlir::failed(op)) {
    c.ok = false;
    return;
  }
  if (!onlyIndices)
    c.give(op->getValues());
  c.give(op->getIndices());
}

/// As many as only running tells: all in order, of which the first are used.
static void topkAtRunTime(Call &c, mlir::Value k, int64_t axis) {
  int64_t extent = c.type(c.tensor()).getDimSize(axis);
  giveTop(c, extent, axis, c.flag("largest"), /*onlyIndices=*/false);
  k = c.make<ClampOp>(k, c.scalar(c.element(k), int64_t(0)),
                      c.scalar(c.element(k), extent));
  llvm::SmallVector<Value> all = std::exchange(c.results, {});
  for (const Value &result : all)
    c.give(k && c.ok ? c.counted(result.tensor()->current(), k, axis)
                     : mlir::Value());
}

static void topk(Call &c) {
  auto axis = c.axis("dim", c.rank(c.tensor()));
  if (axis && c.rank(c.tensor()) > 0)
    if (mlir::Value k = c.runTimeNumber("k"))
      return topkAtRunTime(c, k, *axis);
  auto k = c.integer("k");
  if (axis && k)
    giveTop(c, *k, *axis, c.flag("largest"), /*onlyIndices=*/false);
}
static void sortWith(Call &c, bool onlyIndices) {
  mlir::Value x = c.tensor();
  if (!x) {
    c.failed("sort of a list of tensors");
    return;
  }
  auto axis = c.axis("dim", c.rank(x));
  if (axis)
    giveTop(c, c.rank(x) ? c.type(x).getDimSize(*axis) : 1, *axis,
            c.flag("descending"), onlyIndices);
}
static void sort(Call &c) { sortWith(c, /*onlyIndices=*/false); }
static void argsort(Call &c) { sortWith(c, /*onlyIndices=*/true); }

void graven::aten::addSorting(Table &t) {
  t.add("cumsum", cumulative<ReduceKind::Sum>);
  t.add("cumprod", cumulative<ReduceKind::Prod>);
  t.add("diff", diff);
  t.add("topk", topk);
  t.add("sort", sort);
  t.add("argsort", argsort);
}
