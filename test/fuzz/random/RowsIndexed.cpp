//===- RowsIndexed.cpp - ops that data index --------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the rows of the ops that gather and scatter.
//===----------------------------------------------------------------------===//

#include "test/fuzz/random/Rows.h"

using namespace mlir;

namespace graven::fuzz {
namespace {

bool hasElements(RankedTensorType type) { return type.getNumElements() > 0; }

/// Of a rank of at least 1, with elements to pick.
Value drawSource(Draft &d) {
  Value x = d.operand(Types::Any, 1);
  return hasElements(Draft::typeOf(x)) ? x : Value();
}

void drawGather(Draft &d) {
  Value x = drawSource(d);
  if (!x)
    return;
  int64_t axis = d.number(0, Draft::typeOf(x).getRank() - 1);
  bool isNonneg = false;
  Value indices = d.indices(d.shape(0, 2), Draft::shapeOf(x)[axis], isNonneg);
  if (indices)
    d.add<GatherOp>(x, indices, axis, isNonneg && d.chance(50));
}

void drawGatherElements(Draft &d) {
  Value x = drawSource(d);
  if (!x)
    return;
  Draft::Shape shape = Draft::shapeOf(x);
  int64_t axis = d.number(0, shape.size() - 1), extent = shape[axis];
  for (int64_t &picked : shape)
    picked = d.chance(60) ? picked : d.number(1, picked);
  if (d.chance(50))
    shape[axis] = d.extent();
  bool isNonneg = false;
  Value indices = d.indices(shape, extent, isNonneg);
  if (indices)
    d.add<GatherElementsOp>(x, indices, axis, isNonneg && d.chance(50));
}

/// Index tuples into these extents: entries of each place have a range of
/// their own, so that they are clamped against a row of bounds.
Value drawTuples(Draft &d, Draft::Shape shape, ArrayRef<int64_t> extents,
                 bool &isNonneg) {
  int64_t least = 1024;
  for (int64_t extent : extents)
    least = std::min(least, extent);
  shape.push_back(extents.size());
  return d.indices(shape, least, isNonneg);
}

void drawGatherNd(Draft &d) {
  Value x = drawSource(d);
  if (!x)
    return;
  Draft::Shape extents = Draft::shapeOf(x);
  int64_t rank = extents.size();
  int64_t batch =
      d.chance(30) ? d.number(0, std::min<int64_t>(rank - 1, 2)) : 0;
  int64_t length = d.number(d.chance(10) ? 0 : 1, rank - batch);
  Draft::Shape shape(ArrayRef(extents).take_front(batch));
  llvm::append_range(shape, d.shape(0, 2));
  bool isNonneg = false;
  Value indices =
      drawTuples(d, shape, ArrayRef(extents).slice(batch, length), isNonneg);
  if (indices)
    d.add<GatherNdOp>(x, indices, batch, isNonneg && d.chance(50));
}

/// Of floats, sums and products in their order; more than one update may meet
/// an element.
void drawScatterNd(Draft &d) {
  Value x = drawSource(d);
  if (!x)
    return;
  Draft::Shape extents = Draft::shapeOf(x);
  int64_t length = d.number(d.chance(10) ? 0 : 1, extents.size());
  Draft::Shape shape = d.shape(0, 2);
  bool isNonneg = false;
  Value indices =
      drawTuples(d, shape, ArrayRef(extents).take_front(length), isNonneg);
  if (!indices)
    return;
  llvm::append_range(shape, ArrayRef(extents).drop_front(length));
  ScatterKind kind = ScatterKind::None;
  if (!Draft::elementOf(x).isInteger(1))
    kind = d.pick({ScatterKind::None, ScatterKind::Add, ScatterKind::Mul,
                   ScatterKind::Max, ScatterKind::Min});
  Value updates = d.like(Draft::elementOf(x), shape);
  d.add<ScatterNdOp>(x, indices, updates, kind, isNonneg && d.chance(50));
}

void drawNonzero(Draft &d) {
  Value x = d.operand(Types::Any, 0, 3);
  d.add<NonzeroOp>(x);
}

} // namespace

llvm::ArrayRef<Row> getIndexedRows() {
  static const Row rows[] = {
      row<GatherOp>(drawGather),     row<GatherElementsOp>(drawGatherElements),
      row<GatherNdOp>(drawGatherNd), row<ScatterNdOp>(drawScatterNd),
      row<NonzeroOp>(drawNonzero),
  };
  return rows;
}

} // namespace graven::fuzz
