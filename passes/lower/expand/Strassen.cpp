//===- Strassen.cpp - expansion of Strassen's product -----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the expansion of the two stages: the combinations of the
// left-hand side's quadrants, and, behind the products, the combinations that
// are the quadrants of the result, with the epilogue at the store.

#include "dialects/graven/Strassen.h"
#include "passes/lower/expand/Epilogue.h"
#include "passes/lower/expand/Expand.h"
#include "passes/lower/expand/Products.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace graven::expand {

static constexpr int64_t kBlock = kernel::kChannelBlock;

namespace {

/// The rows of one block: of the upper quadrants, and those below them.
class StrassenBlock {
public:
  StrassenBlock(Emitter &e, const kernel::StrassenShape &shape, Value number)
      : e(e), shape(shape), first(e.mul(indexOf(number), shape.block)) {}

  /// body(upper row, lower row, whether there is a lower one) for the rows
  /// [from, to) of the block that exist, with their number in the block.
  void rows(Idx from, Idx to,
            llvm::function_ref<void(Idx, Idx, Idx, bool)> body) {
    if (shape.halfRows() % shape.block != 0)
      to = e.min(to, e.add(Idx(shape.halfRows()), e.mul(first, -1)));
    e.loop(from, to, 1, [&](Idx row) {
      Idx upper = e.add(first, row),
          lower = e.add(upper, Idx(shape.halfRows()));
      if (shape.rows % 2 == 0)
        return body(row, upper, lower, true);
      e.ifEqual(
          upper, shape.halfRows() - 1, [&] { body(row, upper, lower, false); },
          [&] { body(row, upper, lower, true); });
    });
  }

private:
  Emitter &e;
  const kernel::StrassenShape &shape;
  Idx first;
};

} // namespace

int64_t taskCount(kernel::StrassenInputOp op) {
  kernel::ProductShape products = kernel::StrassenShape(op).products();
  return products.depthBlocks() * rowGroups(products);
}

LogicalResult expandStrassenInput(Emitter &e, kernel::StrassenInputOp op,
                                  Value lo, Value hi) {
  FailureOr<Buffer> a = e.buffer(op.getA()),
                    scratch = e.buffer(op.getScratch());
  if (failed(a) || failed(scratch))
    return failure();
  if (a->strides[2] != 1)
    return op.emitOpError("expects rows that are contiguous");
  kernel::StrassenShape shape(op);
  kernel::ProductShape products = shape.products();
  StrassenBlock block(e, shape, op.getNumber());
  VectorType vector = e.vectorOf(a->element);
  int64_t lanes = vector.getNumElements();
  if (kBlock % lanes != 0)
    return op.emitOpError("expects vectors of at most 16 lanes, got ") << lanes;

  // One depth block of a row, of which `depth` columns exist.
  auto combineRow = [&](Idx depthBlock, Idx row, Idx upper, Idx lower,
                        bool hasLower, int64_t depth) {
    for (int64_t lane = 0; lane < depth; lane += lanes) {
      Idx k = e.add(e.mul(depthBlock, kBlock), Idx(lane));
      int64_t valid = std::min(lanes, depth - lane);
      auto load = [&](Idx at, int64_t half) {
        return e.loadVector(*a,
                            e.at(*a, {Idx(int64_t(0)), at,
                                      e.add(k, Idx(half * products.depth))}),
                            vector, valid);
      };
      Value zero = e.splat(vector, 0.0);
      SmallVector<Value> quadrants{load(upper, 0), load(upper, 1),
                                   hasLower ? load(lower, 0) : zero,
                                   hasLower ? load(lower, 1) : zero};
      Idx to = e.add(e.mul(e.add(e.mul(depthBlock, shape.block), row), kBlock),
                     Idx(lane));
      for (auto [point, value] :
           llvm::enumerate(combine(e, kStrassenLeft, quadrants)))
        e.storeVector(value, *scratch,
                      e.add(to, Idx(point * products.inputStride())), lanes);
    }
  };
  int64_t blocks = products.depthBlocks(), rest = products.depth % kBlock;
  e.tasks(lo, hi, {blocks, rowGroups(products)}, [&](ArrayRef<Idx> task) {
    auto combineRows = [&](int64_t depth) {
      block.rows(groupStart(e, products, task[1]),
                 groupStart(e, products, e.add(task[1], Idx(1))),
                 [&](Idx row, Idx upper, Idx lower, bool hasLower) {
                   combineRow(task[0], row, upper, lower, hasLower, depth);
                 });
    };
    if (rest == 0)
      return combineRows(kBlock);
    e.ifEqual(
        blocks == 1 ? Idx(int64_t(0)) : task[0], blocks - 1,
        [&] { combineRows(rest); }, [&] { combineRows(kBlock); });
  });
  return success();
}

int64_t taskCount(kernel::StrassenOutputOp op) {
  kernel::ProductShape products = kernel::StrassenShape(op).products();
  return products.panels * unitsOfPanel(products, op.getMr());
}

LogicalResult expandStrassenOutput(Emitter &e, kernel::StrassenOutputOp op,
                                   Value lo, Value hi) {
  FailureOr<Buffer> b = e.buffer(op.getB()), out = e.buffer(op.getOut()),
                    scratch = e.buffer(op.getScratch());
  if (failed(b) || failed(out) || failed(scratch))
    return failure();
  if (!cast<MemRefType>(op.getB().getType()).getLayout().isIdentity() ||
      out->strides[2] != 1)
    return op.emitOpError(
        "expects contiguous panels and an output with contiguous rows");
  kernel::StrassenShape shape(op);
  kernel::ProductShape products = shape.products();
  VectorType vector = e.vectorOf(out->element);
  int64_t lanes = vector.getNumElements();
  if (shape.panel % lanes != 0)
    return op.emitOpError("expects panels of a multiple of ")
           << lanes << " columns, got " << shape.panel;
  FailureOr<Epilogue> epilogue =
      Epilogue::create(e, op.getEpilogue(), op.getBody(), out->shape);
  if (failed(epilogue))
    return failure();
  StrassenBlock block(e, shape, op.getNumber());

  // `lanes` columns of both halves, of which `valid` exist on the right, for
  // the rows of a unit.
  auto store = [&](const ProductUnit &unit, int64_t lane, int64_t valid) {
    Idx left = e.add(e.mul(unit.panel, shape.panel), Idx(lane)),
        right = e.add(left, Idx(shape.halfColumns()));
    SmallVector<Value> leftValues =
                           epilogue->channelValues(e, left, vector, lanes),
                       rightValues =
                           epilogue->channelValues(e, right, vector, valid);
    block.rows(
        unit.firstRow, unit.lastRow,
        [&](Idx row, Idx upper, Idx lower, bool hasLower) {
          Idx from =
              e.add(unit.products, e.add(e.mul(row, shape.panel), Idx(lane)));
          SmallVector<Value> values;
          for (int64_t point = 0; point < products.points; ++point)
            values.push_back(e.loadVector(
                *scratch, e.add(from, Idx(point * products.productStride())),
                vector, lanes));
          SmallVector<Value> quadrants = combine(e, kStrassenResult, values);
          for (int64_t i = 0; i < (hasLower ? 4 : 2); ++i) {
            bool isRight = i % 2 == 1;
            int64_t exist = isRight ? valid : lanes;
            if (exist <= 0)
              continue;
            SmallVector<Idx> position{Idx(int64_t(0)), i < 2 ? upper : lower,
                                      isRight ? right : left};
            Value value = epilogue->apply(
                e, quadrants[i], isRight ? rightValues : leftValues,
                [&](const Buffer &full) {
                  return e.loadVector(full, e.at(full, position), vector,
                                      exist);
                });
            e.storeVector(value, *out, e.at(*out, position), exist);
          }
        });
  };
  // The right quadrants may end in the last panel or in the one before it.
  auto storePanel = [&](const ProductUnit &unit, int64_t columns) {
    for (int64_t lane = 0; lane < shape.panel; lane += lanes)
      store(unit, lane, std::clamp<int64_t>(columns - lane, 0, lanes));
  };
  auto columnsOf = [&](int64_t panel) {
    return std::clamp<int64_t>(shape.columns - shape.halfColumns() -
                                   panel * shape.panel,
                               0, shape.panel);
  };
  auto storeFrom = [&](const ProductUnit &unit, int64_t last,
                       auto &&self) -> void {
    if (last < 0 || columnsOf(last) == shape.panel)
      return storePanel(unit, shape.panel);
    e.ifEqual(
        shape.panels() == 1 ? Idx(int64_t(0)) : unit.panel, last,
        [&] { storePanel(unit, columnsOf(last)); },
        [&] { self(unit, last - 1, self); });
  };
  productUnits(e, products, op.getMr(), lo, hi, [&](const ProductUnit &unit) {
    emitProducts(e, products, op.getMr(), *b, *scratch, unit);
    storeFrom(unit, shape.panels() - 1, storeFrom);
  });
  return success();
}

} // namespace graven::expand
