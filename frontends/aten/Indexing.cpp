//===- Indexing.cpp - ATen operators that index by tensors ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file builds gathers and scatters, and Python's advanced indexing:
// several index tensors broadcast together, axes without an index stay, and the
// result's index axes stand in front unless the indexed axes are adjacent.
//
//===----------------------------------------------------------------------===//

#include "frontends/aten/Table.h"

using namespace graven;
using namespace graven::aten;
using llvm::StringRef;

/// Indices as i32 or i64.
static mlir::Value asIndices(Emitter &e, mlir::Value x) {
  if (!x || e.element(x).isInteger(32) || e.element(x).isInteger(64))
    return x;
  return e.cast(x, ScalarType::Long);
}

static mlir::Value embedding(Call &c) {
  return c.make<GatherOp>(c.tensor("weight"), asIndices(c, c.tensor("indices")),
                          uint64_t(0),
                          /*nonneg=*/true);
}

static mlir::Value indexSelect(Call &c) {
  mlir::Value x = c.tensor(), index = asIndices(c, c.tensor("index"));
  auto axis = c.axis("dim", c.rank(x));
  if (!axis)
    return {};
  return c.make<GatherOp>(x, c.withRank(index, 1), uint64_t(*axis),
                          /*nonneg=*/true);
}

static mlir::Value gather(Call &c) {
  mlir::Value x = c.tensor(), index = asIndices(c, c.tensor("index"));
  auto axis = c.axis("dim", c.rank(x));
  if (!axis)
    return {};
  if (c.rank(x) == 0)
    return c.failed("tensor without axes");
  return c.make<GatherElementsOp>(x, index, uint64_t(*axis), /*nonneg=*/true);
}

static mlir::Value takeAlongDim(Call &c) {
  mlir::Value x = c.tensor(), index = asIndices(c, c.tensor("indices"));
  if (!c.has("dim")) {
    x = c.reshape(x, {c.type(x).getNumElements()});
    index = c.reshape(index, {c.type(index).getNumElements()});
    return c.make<GatherElementsOp>(x, index, uint64_t(0));
  }
  auto axis = c.axis("dim", c.rank(x));
  if (!axis)
    return {};
  Shape xs = c.shape(x), is = c.shape(index);
  if (xs.size() != is.size())
    return c.failed("tensors of different ranks");
  int64_t along = is[*axis], extent = xs[*axis];
  xs[*axis] = is[*axis] = 1;
  auto shape = Emitter::broadcastShape(xs, is);
  if (!shape)
    return c.failed("shapes do not broadcast");
  (*shape)[*axis] = along;
  index = c.broadcastTo(index, *shape);
  (*shape)[*axis] = extent;
  return c.make<GatherElementsOp>(c.broadcastTo(x, *shape), index,
                                  uint64_t(*axis));
}

//===----------------------------------------------------------------------===//
// Advanced indexing
//===----------------------------------------------------------------------===//

namespace {
/// x[indices] brought into the form of gather_nd and scatter_nd.
struct Plan {
  mlir::Value x;     ///< the indexed axes in front
  mlir::Value index; ///< [extents of the index..., number of indexed axes]
  Shape toFront;     ///< the permutation that x went through
  Shape indexShape;
  int64_t count = 0;    ///< indexed axes
  int64_t position = 0; ///< where the index axes stand in the result
};
} // namespace

/// The indices of an argument, masks that are known at import turned into
/// their positions. Trailing None may be left out.
static bool readIndices(Call &c, mlir::Value x,
                        llvm::SmallVectorImpl<mlir::Value> &indices) {
  indices = c.tensors("indices");
  for (size_t i = 0; i < indices.size(); ++i) {
    mlir::Value &index = indices[i];
    if (!index)
      continue;
    if (!c.isBool(index) && !c.element(index).isUnsignedInteger(8)) {
      index = asIndices(c, index);
      continue;
    }
    auto mask = c.evaluate(index);
    if (!mask) {
      c.fail(Code::DataDependent)
          << "the positions of a mask are only known at run time";
      return false;
    }
    llvm::SmallVector<Shape> positions(mask->getRank());
    int64_t i64 = 0;
    eval::forEachIndex(mask->getShape(), [&](llvm::ArrayRef<int64_t> at) {
      if (mask->getUnsigned(i64++))
        for (auto [axis, value] : llvm::enumerate(at))
          positions[axis].push_back(value);
    });
    llvm::SmallVector<mlir::Value> expanded;
    for (const Shape &p : positions)
      expanded.push_back(c.indices({static_cast<int64_t>(p.size())}, p));
    indices.erase(indices.begin() + i);
    indices.insert(indices.begin() + i, expanded.begin(), expanded.end());
    i += expanded.size() - 1;
  }
  if (static_cast<int64_t>(indices.size()) <= c.rank(x))
    return true;
  c.fail() << indices.size() << " indices for a tensor of rank " << c.rank(x);
  return false;
}

static std::optional<Plan> plan(Call &c, mlir::Value x,
                                llvm::ArrayRef<mlir::Value> indices) {
  Plan p;
  Shape indexed, rest;
  for (int64_t i = 0; i < c.rank(x); ++i) {
    bool isIndexed = i < static_cast<int64_t>(indices.size()) && indices[i];
    (isIndexed ? indexed : rest).push_back(i);
    if (!isIndexed)
      continue;
    auto shape =
        Emitter::broadcastShape(p.indexShape, c.type(indices[i]).getShape());
    if (!shape) {
      c.fail() << "shapes of the indices do not broadcast";
      return std::nullopt;
    }
    p.indexShape = *shape;
  }
  p.count = indexed.size();
  if (indexed.empty()) {
    c.fail() << "no index";
    return std::nullopt;
  }
  bool adjacent = indexed.back() - indexed.front() + 1 == p.count;
  p.position = adjacent ? indexed.front() : 0;
  p.toFront = indexed;
  p.toFront.append(rest);
  p.x = c.transpose(x, p.toFront);
  Shape column(p.indexShape);
  column.push_back(1);
  llvm::SmallVector<mlir::Value> columns;
  for (int64_t axis : indexed)
    columns.push_back(c.reshape(
        c.broadcastTo(c.cast(indices[axis], ScalarType::Long), p.indexShape),
        column));
  p.index = c.concat(columns, p.indexShape.size());
  return p.x && p.index ? std::optional(p) : std::nullopt;
}

/// The permutation that moves the index axes of a result from the front to
/// their position.
static Shape placement(const Plan &p, int64_t rank) {
  int64_t width = p.indexShape.size();
  Shape order;
  for (int64_t i = 0; i < p.position; ++i)
    order.push_back(width + i);
  for (int64_t i = 0; i < width; ++i)
    order.push_back(i);
  for (int64_t i = width + p.position; i < rank; ++i)
    order.push_back(i);
  return order;
}

static mlir::Value index(Call &c) {
  mlir::Value x = c.tensor();
  llvm::SmallVector<mlir::Value> indices;
  if (!readIndices(c, x, indices))
    return {};
  size_t given = llvm::count_if(indices, [](mlir::Value v) { return !!v; });
  if (given == 0)
    return x;
  if (given == 1) {
    size_t axis = llvm::find_if(indices, [](mlir::Value v) { return !!v; }) -
                  indices.begin();
    return c.make<GatherOp>(x, indices[axis], axis);
  }
  std::optional<Plan> p = plan(c, x, indices);
  if (!p)
    return {};
  mlir::Value y = c.make<GatherNdOp>(p->x, p->index);
  return y ? c.transpose(y, placement(*p, c.rank(y))) : y;
}

/// x[mask] = v with a v of one element is a select.
static mlir::Value putMasked(Call &c, mlir::Value x, mlir::Value mask,
                             mlir::Value values) {
  Shape shape = c.shape(mask);
  shape.resize(c.rank(x), 1);
  Shape ones(c.rank(x), 1);
  return c.where(c.reshape(c.toBool(mask), shape), c.reshape(values, ones), x);
}

static mlir::Value indexPut(Call &c) {
  mlir::Value x = c.tensor();
  mlir::Value values = c.cast(c.tensor("values"), c.element(x));
  llvm::SmallVector<mlir::Value> indices = c.tensors("indices");
  if (indices.size() == 1 && indices[0] && c.isBool(indices[0]) &&
      !c.flag("accumulate") && c.type(values).getNumElements() == 1)
    return putMasked(c, x, indices[0], values);
  if (!readIndices(c, x, indices))
    return {};
  std::optional<Plan> p = plan(c, x, indices);
  if (!p)
    return {};
  // The values broadcast to the shape of x[indices]; then the index axes go to
  // the front, as they do in x.
  Shape picked(p->indexShape);
  llvm::append_range(picked, c.type(p->x).getShape().drop_front(p->count));
  Shape order = placement(*p, picked.size()), target, inverse(order.size());
  for (auto [i, axis] : llvm::enumerate(order)) {
    target.push_back(picked[axis]);
    inverse[axis] = i;
  }
  values = c.transpose(c.broadcastTo(values, target), inverse);
  if (!values)
    return {};
  mlir::Value y = c.make<ScatterNdOp>(p->x, p->index, values,
                                      c.flag("accumulate") ? ScatterKind::Add
                                                           : ScatterKind::None);
  Shape back(p->toFront.size());
  for (auto [i, axis] : llvm::enumerate(p->toFront))
    back[axis] = i;
  return y ? c.transpose(y, back) : y;
}

/// unfold(axis, size, step): windows of an axis as a new last axis.
static mlir::Value unfold(Call &c) {
  mlir::Value x = c.withRank(c.tensor(), 1);
  auto axis = c.axis("dimension", c.rank(x)), size = c.integer("size"),
       step = c.integer("step");
  if (!axis || !size || !step)
    return {};
  int64_t extent = c.type(x).getDimSize(*axis);
  if (*size < 1 || *step < 1 || *size > extent)
    return c.failed("windows of " + llvm::Twine(*size) +
                    " elements on an axis of " + llvm::Twine(extent));
  int64_t count = (extent - *size) / *step + 1;
  Shape positions;
  for (int64_t i = 0; i < count; ++i)
    for (int64_t j = 0; j < *size; ++j)
      positions.push_back(i * *step + j);
  mlir::Value y = c.make<GatherOp>(x, c.indices({count, *size}, positions),
                                   uint64_t(*axis), /*nonneg=*/true);
  if (!y)
    return {};
  Shape order;
  for (int64_t i = 0; i < c.rank(y); ++i)
    if (i != *axis + 1)
      order.push_back(i);
  order.push_back(*axis + 1);
  y = c.transpose(y, order);
  // The window of a tensor without axes is its only axis.
  return y && c.rank(c.tensor()) == 0 ? c.select(y, 0, 0) : y;
}

void graven::aten::addIndexing(Table &t) {
  t.add("embedding", embedding);
  t.add("index_select", indexSelect);
  t.add("gather", gather);
  t.add("take_along_dim", takeAlongDim);
  t.add("index", index);
  t.add("index_put _index_put_impl", indexPut);
  t.add("unfold unfold_copy", unfold);
}
