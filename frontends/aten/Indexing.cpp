//===- Indexing.cpp - ATen operators that index by tensors ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file builds gathers and scatters, and Python's advanced indexing:
// several index tensors broadcast together, axes without an index stay, and the
// result's index axes stand in front unless the indexed axes are adjacent.
//
//===----------------------------------------------------------------------===//

#include "frontends/aten/Norms.h"
#include "frontends/aten/Table.h"

using namespace graven;
using namespace graven::aten;

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

/// A tensor without axes has one of one element here.
static mlir::Value indexSelect(Call &c) {
  mlir::Value x = c.tensor(), index = asIndices(c, c.tensor("index"));
  auto axis = c.axis("dim", c.rank(x));
  if (!axis)
    return {};
  mlir::Value y =
      c.make<GatherOp>(c.withRank(x, 1), c.withRank(index, 1), uint64_t(*axis),
                       /*nonneg=*/true);
  return y && c.rank(x) == 0 ? c.reshape(y, {}) : y;
}

static mlir::Value gather(Call &c) {
  mlir::Value x = c.tensor(), index = asIndices(c, c.tensor("index"));
  auto axis = c.axis("dim", c.rank(x));
  if (!axis || !index)
    return {};
  // No indices may have any rank.
  if (std::max<int64_t>(c.rank(x), 1) != std::max<int64_t>(c.rank(index), 1) &&
      c.type(index).getNumElements() == 0)
    return c.full(c.element(x), c.shape(index), 0.0);
  mlir::Value y = c.make<GatherElementsOp>(
      c.withRank(x, 1), c.withRank(index, 1), uint64_t(*axis), /*nonneg=*/true);
  return c.reshape(y, c.shape(index));
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

/// Whether a mask has the extents of the axes of x that it stands for.
static bool fits(Call &c, mlir::Value x, mlir::Value mask, size_t axis) {
  auto extents = c.type(x).getShape();
  auto wanted = c.type(mask).getShape();
  if (axis + wanted.size() <= extents.size() &&
      extents.slice(axis, wanted.size()) == wanted)
    return true;
  c.fail() << "mask of shape [" << wanted << "] at axis " << axis
           << " of a tensor of shape [" << extents << "]";
  return false;
}

static bool isMask(Call &c, mlir::Value index) {
  return index && (c.isBool(index) || c.element(index).isUnsignedInteger(8));
}

/// The indices of an argument, masks turned into the positions of what is true.
/// Trailing None may be left out.
static bool readIndices(Call &c, mlir::Value x,
                        llvm::SmallVectorImpl<mlir::Value> &indices) {
  indices = c.tensors("indices");
  for (size_t i = 0; i < indices.size(); ++i) {
    mlir::Value &index = indices[i];
    if (!index)
      continue;
    if (!isMask(c, index)) {
      index = asIndices(c, index);
      continue;
    }
    if (!fits(c, x, index, i))
      return false;
    mlir::Value places = c.nonzero(c.toBool(index));
    if (!places)
      return false;
    llvm::SmallVector<mlir::Value> expanded;
    for (int64_t axis = 0; axis < c.type(places).getDimSize(1); ++axis)
      expanded.push_back(c.select(places, 1, axis));
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

/// The only index, when it is a mask, and the axis from which on it stands.
static std::optional<size_t> soleMask(Call &c,
                                      llvm::ArrayRef<mlir::Value> indices) {
  std::optional<size_t> axis;
  for (auto [i, index] : llvm::enumerate(indices)) {
    if (index && (axis || !isMask(c, index)))
      return std::nullopt;
    if (index)
      axis = i;
  }
  return axis;
}

/// x[:, mask] with a mask of no axis or several: the true elements' axis stands
/// where the mask's first one did.
static mlir::Value selectMasked(Call &c, mlir::Value x, mlir::Value mask,
                                int64_t axis) {
  if (!fits(c, x, mask, axis))
    return {};
  int64_t width = c.rank(mask);
  if (width == 0) {
    x = c.unsqueeze(x, axis);
    mask = c.withRank(mask, 1);
    width = 1;
  }
  mlir::Value places = c.nonzero(c.toBool(mask));
  if (!places || !x)
    return {};
  if (width == 1)
    return c.make<GatherOp>(x, c.select(places, 1, 0), uint64_t(axis),
                            /*nonneg=*/true);
  Shape front, back;
  for (int64_t i = 0; i < c.rank(x); ++i)
    if (i >= axis && i < axis + width)
      front.push_back(i);
  for (int64_t i = 0; i < c.rank(x); ++i)
    if (i < axis || i >= axis + width)
      front.push_back(i);
  mlir::Value y = c.make<GatherNdOp>(c.transpose(x, front), places, uint64_t(0),
                                     /*nonneg=*/true);
  for (int64_t i = 0; y && i < c.rank(y); ++i)
    back.push_back(i < axis ? i + 1 : i == axis ? 0 : i);
  return y ? c.transpose(y, back) : y;
}

static mlir::Value index(Call &c) {
  mlir::Value x = c.tensor();
  llvm::SmallVector<mlir::Value> indices = c.tensors("indices");
  if (auto axis = soleMask(c, indices))
    return selectMasked(c, x, indices[*axis], *axis);
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

/// x[:, mask] = v: what is written is elementwise, v's rows one after the other
/// where the mask is true, or v everywhere.
static mlir::Value putMasked(Call &c, mlir::Value x, mlir::Value mask,
                             int64_t axis, mlir::Value values) {
  if (!fits(c, x, mask, axis))
    return {};
  mask = c.toBool(mask);
  Shape masked = c.shape(mask), lines(axis, 1), target = c.shape(x);
  int64_t count = extentProduct(masked), width = masked.size(),
          rest = c.rank(x) - axis - width;
  llvm::append_range(lines, masked);
  lines.resize(c.rank(x), 1);
  // The axis of the values that the true elements stand along, if any.
  int64_t along = c.rank(values) - rest - 1;
  if (along > axis)
    return c.failed("values of more axes than the elements they are for");
  Shape shape = c.shape(values);
  // As many as the mask has true elements are one for each, however few.
  bool isOneEach = along >= 0 && shape[along] == c.extentOfNonzero(mask);
  if (along >= 0 && (isOneEach || shape[along] != 1)) {
    if (count == 0 || (shape[along] == 0 && !isOneEach))
      return x;
    mlir::Value place =
        c.make<CumReduceOp>(c.cast(c.reshape(mask, {count}), ScalarType::Long),
                            ReduceKind::Sum, uint64_t(0));
    place = c.binary<MaxOp>(c.binary<SubOp>(place, 1.0), 0.0);
    if (!place)
      return {};
    values = c.make<GatherOp>(values, place, uint64_t(along), /*nonneg=*/true);
    if (!values)
      return {};
    shape.erase(shape.begin() + along);
    shape.insert(shape.begin() + along, masked.begin(), masked.end());
  } else if (along >= 0) {
    shape.erase(shape.begin() + along);
    shape.insert(shape.begin() + along, width, 1);
  }
  values = c.broadcastTo(c.reshape(values, shape), target);
  mask = c.reshape(mask, lines);
  if (!values || !mask)
    return {};
  if (!c.flag("accumulate"))
    return c.where(mask, values, x);
  mlir::Value sum =
      c.isBool(x) ? c.binary<OrOp>(x, values) : c.binary<AddOp>(x, values);
  return c.where(mask, sum, x);
}

static mlir::Value putAt(Call &c, mlir::Value x,
                         llvm::ArrayRef<mlir::Value> indices,
                         mlir::Value values, ScatterKind kind) {
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
  mlir::Value y = c.make<ScatterNdOp>(p->x, p->index, values, kind);
  Shape back(p->toFront.size());
  for (auto [i, axis] : llvm::enumerate(p->toFront))
    back[axis] = i;
  return y ? c.transpose(y, back) : y;
}

static mlir::Value indexPut(Call &c) {
  mlir::Value x = c.tensor();
  mlir::Value values = c.cast(c.tensor("values"), c.element(x));
  llvm::SmallVector<mlir::Value> indices = c.tensors("indices");
  if (!values)
    return {};
  if (auto axis = soleMask(c, indices))
    return putMasked(c, x, indices[*axis], *axis, values);
  if (!readIndices(c, x, indices))
    return {};
  if (!c.flag("accumulate"))
    return putAt(c, x, indices, values, ScatterKind::None);
  if (!c.isBool(x))
    return putAt(c, x, indices, values, ScatterKind::Add);
  // A sum of bools says whether any of them is true.
  x = c.cast(x, ScalarType::Long);
  values = c.cast(values, ScalarType::Long);
  return x && values ? c.toBool(putAt(c, x, indices, values, ScatterKind::Add))
                     : mlir::Value();
}

/// Where a mask is false, what an index says does not matter: such indices are
/// brought into their axis.
static bool readMaskedIndices(Call &c, mlir::Value x,
                              llvm::SmallVectorImpl<mlir::Value> &indices) {
  if (!readIndices(c, x, indices))
    return false;
  mlir::Type i64 = c.builder.getI64Type();
  for (auto [axis, index] : llvm::enumerate(indices))
    if (index)
      index = c.make<ClampOp>(
          c.cast(index, i64), c.scalar(i64, int64_t(0)),
          c.scalar(i64, c.type(x).getDimSize(static_cast<int64_t>(axis)) - 1));
  return true;
}
static mlir::Value unsafeMaskedIndexPut(Call &c) {
  mlir::Value x = c.tensor(), mask = c.toBool(c.tensor("mask"));
  mlir::Value values = c.cast(c.tensor("values"), c.element(x));
  llvm::SmallVector<mlir::Value> indices;
  if (!values || !mask || !readMaskedIndices(c, x, indices))
    return {};
  if (c.isBool(x))
    return c.failed("sums of bools");
  values = c.where(mask, values, c.scalar(c.element(x), int64_t(0)));
  return values ? putAt(c, x, indices, values, ScatterKind::Add) : values;
}
static mlir::Value unsafeMaskedIndex(Call &c) {
  mlir::Value x = c.tensor(), mask = c.toBool(c.tensor("mask"));
  auto fill = c.known("fill");
  llvm::SmallVector<mlir::Value> indices;
  if (!fill || !readMaskedIndices(c, x, indices))
    return {};
  std::optional<Plan> p = plan(c, x, indices);
  mlir::Value y = p ? c.make<GatherNdOp>(p->x, p->index) : mlir::Value();
  if (!y)
    return y;
  y = c.transpose(y, placement(*p, c.rank(y)));
  auto shape = c.commonShape(y, mask);
  if (!shape)
    return {};
  return c.where(c.broadcastTo(mask, *shape), c.broadcastTo(y, *shape),
                 c.full(c.element(x), *shape, *fill));
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
  t.add("_unsafe_masked_index", unsafeMaskedIndex);
  t.add("_unsafe_masked_index_put_accumulate", unsafeMaskedIndexPut);
  t.add("unfold unfold_copy", unfold);
}
