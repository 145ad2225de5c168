//===- Det.cpp - determinants ---*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the builder of Det: Gaussian elimination with pivots, of
// which each column is Nodes of its own.
//===----------------------------------------------------------------------===//

#include "frontends/onnx/NodeBuilder.h"
#include "frontends/onnx/OpTable.h"

using namespace mlir;

namespace graven::onnx {

/// Greater matrices are refused.
static constexpr int64_t kMaxRows = 64;

/// Takes the first column out of matrices [B, n, n]: multiplies `product` [B]
/// with the pivot and gives what is left, [B, n - 1, n - 1].
static Value eliminate(NodeBuilder &n, Value x, Value &product) {
  int64_t batch = n.shapeOf(x)[0], rows = n.shapeOf(x)[1];
  Type type = n.elementTypeOf(x), i64 = n.getBuilder().getI64Type();
  // The row of the greatest pivot changes places with the first one, which is
  // where the first one is picked.
  Value best = n.make<ArgReduceOp>(n.make<AbsOp>(n.slice(x, 2, 0, 1)),
                                   ExtremeKind::Max, int64_t(1), true, false);
  best = n.cast(best, i64);
  Value line =
            n.make<IotaOp>(ValueRange(), IntList{1, rows, 1}, int64_t(1), i64),
        isBest = n.compare(ComparePredicate::Eq, line, best);
  Value places =
      n.expand(n.select(isBest, n.scalar(i64, 0), line), {batch, rows, rows});
  Value pivotRow = n.make<GatherElementsOp>(x, n.expand(best, {batch, 1, rows}),
                                            int64_t(1), false);
  Value pivot = n.slice(pivotRow, 2, 0, 1);
  Value sign = n.select(n.compare(ComparePredicate::Eq, best, n.scalar(i64, 0)),
                        n.scalar(type, 1), n.scalar(type, -1));
  product = n.binary<MulOp>(product,
                            n.reshape(n.binary<MulOp>(pivot, sign), {batch}));
  Value rest = n.slice(n.make<GatherElementsOp>(x, places, int64_t(1), false),
                       1, 1, rows);
  // Without a pivot all of the column is zero, and so is the product.
  Value divisor =
      n.select(n.compare(ComparePredicate::Eq, pivot, n.scalar(type, 0)),
               n.scalar(type, 1), pivot);
  Value factors = n.binary<DivOp>(n.slice(rest, 2, 0, 1), divisor);
  rest = n.binary<SubOp>(rest, n.binary<MulOp>(factors, pivotRow));
  return n.slice(rest, 2, 1, rows);
}

static LogicalResult buildDet(NodeBuilder &n) {
  Value x = n.input(0);
  auto shape = n.staticShape(x);
  if (!shape)
    return failure();
  size_t rank = shape->size();
  if (rank < 2 || (*shape)[rank - 1] != (*shape)[rank - 2] ||
      !isa<FloatType>(n.elementTypeOf(x)))
    return n.error(Code::BadGraph)
           << "input has type " << n.typeOf(x) << ", expected square matrices";
  int64_t rows = shape->back();
  if (rows > kMaxRows)
    return n.error(Code::UnsupportedFeature)
           << "the matrices have " << rows << " rows, expected at most "
           << kMaxRows;
  shape->truncate(rank - 2);
  auto batch = elementCount(*shape);
  if (!batch)
    return n.error(Code::BadGraph) << "there are too many matrices";
  x = n.reshape(x, {*batch, rows, rows});
  Value product =
      n.splat(RankedTensorType::get({*batch}, n.elementTypeOf(x)), 1);
  for (int64_t left = rows; left > 0 && !n.hasFailed(); --left)
    x = eliminate(n, x, product);
  return n.finish(n.reshape(product, *shape));
}

void addDet(OpTable &table) { table.add("Det", 1, buildDet); }

} // namespace graven::onnx
