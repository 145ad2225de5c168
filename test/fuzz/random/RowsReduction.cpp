//===- RowsReduction.cpp - reductions, scans, sorts -------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the rows of the ops that combine or order elements along
// axes.
//===----------------------------------------------------------------------===//

#include "test/fuzz/random/Rows.h"

using namespace mlir;

namespace graven::fuzz {
namespace {

void drawReduce(Draft &d) {
  Value x = d.operand(Types::Any);
  Type element = Draft::elementOf(x);
  ReduceKind kind =
      element.isInteger(1) ? d.pick({ReduceKind::Max, ReduceKind::Min,
                                     ReduceKind::And, ReduceKind::Or})
      : element.isInteger()
          ? d.pick({ReduceKind::Sum, ReduceKind::Prod, ReduceKind::Max,
                    ReduceKind::Min, ReduceKind::Mean, ReduceKind::And,
                    ReduceKind::Or})
          : d.pick({ReduceKind::Sum, ReduceKind::Sum, ReduceKind::Prod,
                    ReduceKind::Max, ReduceKind::Min, ReduceKind::Mean});
  Draft::Shape axes;
  for (int64_t axis = 0; axis < Draft::typeOf(x).getRank(); ++axis)
    if (d.chance(50))
      axes.push_back(axis);
  d.add<ReduceOp>(x, kind, axes, d.chance(40));
}

void drawArgReduce(Draft &d) {
  Value x = d.operand(Types::Any, 1);
  int64_t axis = d.number(0, Draft::typeOf(x).getRank() - 1);
  if (Draft::shapeOf(x)[axis] > 0)
    d.add<ArgReduceOp>(x, d.pick({ExtremeKind::Max, ExtremeKind::Min}), axis,
                       d.chance(40), d.chance(30));
}

void drawCumReduce(Draft &d) {
  Value x = d.operand(Types::Number, 1);
  d.add<CumReduceOp>(x,
                     d.pick({ReduceKind::Sum, ReduceKind::Prod, ReduceKind::Max,
                             ReduceKind::Min}),
                     d.number(0, Draft::typeOf(x).getRank() - 1), d.chance(25),
                     d.chance(25));
}

void drawTopK(Draft &d) {
  Value x = d.operand(Types::Any, 1);
  int64_t axis = d.number(0, Draft::typeOf(x).getRank() - 1);
  int64_t extent = Draft::shapeOf(x)[axis];
  int64_t k =
      d.chance(30) ? extent : d.number(d.chance(95) && extent > 0, extent);
  d.add<TopKOp>(x, k, axis, d.chance(50));
}

} // namespace

llvm::ArrayRef<Row> getReductionRows() {
  static const Row rows[] = {
      row<ReduceOp>(drawReduce),
      row<ArgReduceOp>(drawArgReduce),
      row<CumReduceOp>(drawCumReduce),
      row<TopKOp>(drawTopK),
  };
  return rows;
}

} // namespace graven::fuzz
