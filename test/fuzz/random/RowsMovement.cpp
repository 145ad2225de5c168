//===- RowsMovement.cpp - ops that move elements ----------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the rows of the ops that copy elements to other places
// which types and attributes decide.
//===----------------------------------------------------------------------===//

#include "test/fuzz/random/Rows.h"

using namespace mlir;

namespace graven::fuzz {
namespace {

constexpr int64_t openEnd = std::numeric_limits<int64_t>::max();

/// A shape of so many elements, by moving factors and 1s about.
Draft::Shape drawShapeOf(Draft &d, int64_t count) {
  Draft::Shape shape;
  int64_t rest = count;
  for (int64_t factor : {2, 3, 5, 7, 2, 4})
    if (rest > 0 && rest % factor == 0 && d.chance(40)) {
      shape.push_back(factor);
      rest /= factor;
    }
  shape.insert(shape.begin() + d.number(0, shape.size()), rest);
  for (int i = 0; i < 2; ++i)
    if (d.chance(25))
      shape.insert(shape.begin() + d.number(0, shape.size()), 1);
  return shape;
}

void drawReshape(Draft &d) {
  Value x = d.operand(Types::Any);
  int64_t count = Draft::typeOf(x).getNumElements();
  Draft::Shape shape =
      count == 1 && d.chance(30) ? Draft::Shape() : drawShapeOf(d, count);
  if (count > 0 && !shape.empty() && d.chance(25))
    shape[d.number(0, shape.size() - 1)] = -1;
  d.add<ReshapeOp>(x, ValueRange(), shape);
}

void drawTranspose(Draft &d) {
  Value x = d.operand(Types::Any, 1);
  Draft::Shape order;
  for (int64_t axis = 0; axis < Draft::typeOf(x).getRank(); ++axis)
    order.insert(order.begin() + d.number(0, order.size()), axis);
  d.add<TransposeOp>(x, order);
}

void drawBroadcast(Draft &d) {
  Value x = d.operand(Types::Any, 0, 3);
  Draft::Shape shape, axes;
  for (int64_t extent : Draft::shapeOf(x)) {
    while (shape.size() < 4 && d.chance(25))
      shape.push_back(d.number(1, 3));
    axes.push_back(shape.size());
    shape.push_back(extent == 1 && d.chance(60) ? d.extent() : extent);
  }
  if (shape.empty() || d.chance(20))
    shape.push_back(d.number(1, 4));
  d.add<BroadcastOp>(x, ValueRange(), shape, axes);
}

/// Ends before the beginning, past the end, negative and open ones too.
void drawSlice(Draft &d) {
  Value x = d.operand(Types::Any, 1);
  Draft::Shape starts, ends, steps;
  for (int64_t extent : Draft::shapeOf(x)) {
    bool isWhole = d.chance(40);
    int64_t start = isWhole ? 0 : d.number(0, std::max<int64_t>(extent - 1, 0));
    int64_t end = d.number(start + 1, std::max(extent, start + 1));
    if (isWhole || d.chance(30))
      end = d.pick<int64_t>({extent, openEnd, extent + 3});
    if (d.chance(3))
      end = start;
    starts.push_back(d.chance(30) && start < extent ? start - extent : start);
    ends.push_back(end);
    steps.push_back(isWhole ? 1 : d.pick<int64_t>({1, 1, 1, 2, 3}));
  }
  d.add<SliceOp>(x, ValueRange(), ValueRange(), starts, ends, steps);
}

void drawInsertSlice(Draft &d) {
  Value dest = d.operand(Types::Any, 1);
  Draft::Shape starts, steps, window;
  for (int64_t extent : Draft::shapeOf(dest)) {
    int64_t step = d.pick<int64_t>({1, 1, 2});
    int64_t start = extent ? d.number(0, extent - 1) : 0;
    int64_t most = extent ? (extent - 1 - start) / step + 1 : 0;
    starts.push_back(start);
    steps.push_back(step);
    window.push_back(most ? d.number(1, most) : 0);
  }
  Value source = d.like(Draft::elementOf(dest), window);
  d.add<InsertSliceOp>(dest, source, ValueRange(), starts, steps);
}

void drawConcat(Draft &d) {
  Value x = d.operand(Types::Any, 1);
  int64_t axis = d.number(0, Draft::typeOf(x).getRank() - 1);
  SmallVector<Value> parts{x};
  for (int64_t i = d.number(0, 3); i > 0; --i) {
    Draft::Shape shape = Draft::shapeOf(x);
    if (d.chance(50))
      shape[axis] = d.chance(5) ? 0 : d.extent();
    parts.push_back(d.chance(10) ? x : d.like(Draft::elementOf(x), shape));
  }
  std::swap(parts.front(), parts[d.number(0, parts.size() - 1)]);
  d.add<ConcatOp>(parts, axis);
}

void drawPad(Draft &d) {
  Value x = d.operand(Types::Any, 1);
  PadMode mode = d.pick({PadMode::Constant, PadMode::Constant, PadMode::Reflect,
                         PadMode::Edge, PadMode::Wrap});
  Draft::Shape low, high;
  for (int64_t extent : Draft::shapeOf(x)) {
    bool isPadded = d.chance(60);
    int64_t most = mode == PadMode::Reflect ? std::min<int64_t>(extent - 1, 3)
                   : mode == PadMode::Constant || extent > 0 ? 3
                                                             : 0;
    for (Draft::Shape *amounts : {&low, &high})
      amounts->push_back(isPadded && most > 0 ? d.number(0, most) : 0);
    if (mode == PadMode::Constant && extent > 1 && d.chance(20))
      low.back() = -1;
  }
  Value value;
  if (mode == PadMode::Constant && d.chance(60))
    value = d.like(Draft::elementOf(x), {});
  d.add<PadOp>(x, value, low, high, mode);
}

void drawReverse(Draft &d) {
  Value x = d.operand(Types::Any, 1);
  Draft::Shape axes;
  for (int64_t axis = 0; axis < Draft::typeOf(x).getRank(); ++axis)
    if (d.chance(50))
      axes.push_back(axis);
  d.add<ReverseOp>(x, axes);
}

void drawIota(Draft &d) {
  Draft::Shape shape = d.shape(1, 3);
  d.add<IotaOp>(ValueRange(), shape, d.number(0, shape.size() - 1),
                d.type(Types::Number));
}

void drawDim(Draft &d) {
  Value x = d.operand(Types::Any, 1);
  d.add<DimOp>(x, d.number(0, Draft::typeOf(x).getRank() - 1));
}

} // namespace

llvm::ArrayRef<Row> getMovementRows() {
  static const Row rows[] = {
      row<ReshapeOp>(drawReshape),
      row<TransposeOp>(drawTranspose),
      row<BroadcastOp>(drawBroadcast),
      row<SliceOp>(drawSlice),
      row<InsertSliceOp>(drawInsertSlice),
      row<ConcatOp>(drawConcat),
      row<PadOp>(drawPad),
      row<ReverseOp>(drawReverse),
      row<IotaOp>(drawIota),
      row<DimOp>(drawDim),
  };
  return rows;
}

} // namespace graven::fuzz
