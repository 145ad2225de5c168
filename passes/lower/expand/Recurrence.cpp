//===- Recurrence.cpp - expansion of a recurrent step -----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the expansion of kernel.recurrence_step: the product of
// the state with a panel in registers, where the gates of a unit are side by
// side, and the cell applied to it before anything is stored.

#include "passes/lower/expand/Expand.h"
#include "passes/lower/expand/Products.h"
#include "passes/lower/expand/Tiles.h"
#include "passes/lower/expand/Widen.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/Support/MathExtras.h"
#include <numeric>

using namespace mlir;

namespace graven::expand {
namespace {

/// Rows of weights between a prefetch and its use: weights come from the second
/// level cache or the third.
constexpr int64_t kPrefetchDistance = 16;

int64_t extent(Value value, int64_t axis) {
  return cast<ShapedType>(value.getType()).getDimSize(axis);
}

int64_t panelsOf(kernel::RecurrenceStepOp op) { return extent(op.getR(), 1); }

class RecurrenceExpansion {
public:
  RecurrenceExpansion(Emitter &e, kernel::RecurrenceStepOp op,
                      ArrayRef<Buffer> params, ArrayRef<Buffer> states,
                      Buffer x, Buffer r, Buffer y, Buffer scratch)
      : e(e), op(op), params(params), states(states), x(std::move(x)),
        r(std::move(r)), y(std::move(y)), scratch(std::move(scratch)),
        direction(indexOf(op.getDirection())),
        position(indexOf(op.getPosition())), gates(op.getGates()),
        lanes(e.lanesOf(this->x.element)), packedLanes(this->r.shape[5]),
        units(this->r.shape[3] * packedLanes), hidden(this->r.shape[2]),
        panels(this->r.shape[1]), vector(e.vectorOf(this->x.element)),
        rows(this->x.shape[1], op.getMr()), old(e.divRem(position, 2).second),
        fresh(e.divRem(e.add(position, Idx(1)), 2).second) {}

  void run(Value lo, Value hi) {
    // Every second step walks the panels backwards: what it begins with is
    // still in the cache.
    Value odd =
        arith::CmpIOp::create(e.builder(), e.loc(), arith::CmpIPredicate::eq,
                              e.get(old), e.constant(1));
    Idx mirror = e.add(e.add(Idx(lo), Idx(hi)), Idx(-1));
    e.loop(Idx(lo), Idx(hi), 1, [&](Idx task) {
      Value number = arith::SelectOp::create(
          e.builder(), e.loc(), odd, e.get(e.add(mirror, e.mul(task, -1))),
          e.get(task));
      panel(panels == 1 ? Idx(int64_t(0)) : Idx(number));
    });
  }

private:
  void panel(Idx number) {
    int64_t last = hidden - (panels - 1) * units, step = unitsAtATime();
    auto all = [&](int64_t count) {
      for (int64_t first = 0; first < count; first += step)
        e.tiles(rows, Idx(int64_t(0)), Idx(rows.count),
                [&](Idx, Idx row, int64_t height) {
                  tile(number, row, height, first,
                       std::min(step, count - first));
                });
    };
    if (last == units)
      return all(units);
    e.ifEqual(number, panels - 1, [&] { all(last); }, [&] { all(units); });
  }

  /// All units of a panel that was made for these vectors; of one for wider
  /// ones as many as have room for their sums.
  int64_t unitsAtATime() {
    if (lanes == packedLanes)
      return units;
    RecurrenceTile tile =
        chooseRecurrenceTile(e.target(), gates, rows.count, hidden,
                             x.element.getIntOrFloatBitWidth() / 8);
    return std::gcd(units, tile.vectors * lanes);
  }

  /// Where in a row of a panel the weights of a gate are, for the vector that
  /// begins with this unit.
  int64_t placeOf(int64_t unit, int64_t gate) const {
    int64_t packed = unit / packedLanes;
    return (packed * gates + gate) * packedLanes + unit % packedLanes;
  }

  /// `height` rows of `valid` units of a panel, from unit `first` on.
  void tile(Idx number, Idx row, int64_t height, int64_t first, int64_t valid) {
    int64_t used = llvm::divideCeilSigned(valid, lanes), width = used * gates,
            count = height * width, sets = 1;
    while (sets < kUnrolledSteps && count * sets < kWantedAccumulators &&
           2 * count * sets + height < e.target().vectorRegisters &&
           hidden >= 2 * sets)
      sets *= 2;
    Idx weights = e.at(r, {direction, number, Idx(int64_t(0)), Idx(int64_t(0)),
                           Idx(int64_t(0)), Idx(int64_t(0))}),
        state = e.at(scratch, {old, row, Idx(int64_t(0))});
    auto multiply = [&](Idx k, int64_t unroll, SmallVector<Value> values) {
      for (int64_t u = 0; u < unroll; ++u) {
        Idx weightRow = e.add(weights, e.mul(e.add(k, Idx(u)), r.strides[2]));
        if (rows.count == 1)
          prefetchRow(weightRow);
        SmallVector<Value> left;
        for (int64_t i = 0; i < height; ++i)
          left.push_back(e.loadSplat(
              scratch, e.add(e.add(state, k), Idx(u + i * scratch.strides[1])),
              vector));
        MutableArrayRef<Value> set =
            MutableArrayRef(values).slice(u % sets * count, count);
        for (int64_t j = 0; j < width; ++j) {
          int64_t place = placeOf(first + j / gates * lanes, j % gates);
          Value right =
              e.loadVector(r, e.add(weightRow, Idx(place)), vector, lanes);
          for (int64_t i = 0; i < height; ++i)
            set[i * width + j] = e.fma(left[i], right, set[i * width + j]);
        }
      }
      return values;
    };
    auto chain = [&](Idx start, int64_t length) {
      SmallVector<Value> sums(count * sets, e.splat(vector, 0.0));
      int64_t whole = length / kUnrolledSteps * kUnrolledSteps;
      sums = e.loop(Idx(int64_t(0)), Idx(whole), kUnrolledSteps, sums,
                    [&](Idx k, ValueRange carried) {
                      return multiply(e.add(start, k), kUnrolledSteps,
                                      SmallVector<Value>(carried));
                    });
      if (whole < length)
        sums = multiply(e.add(start, Idx(whole)), length - whole, sums);
      for (int64_t stride = sets / 2; stride >= 1; stride /= 2)
        for (int64_t i = 0; i < stride * count; ++i)
          sums[i] = e.addf(sums[i], sums[i + stride * count]);
      sums.resize(count);
      return sums;
    };
    int64_t chains = llvm::divideCeilSigned(hidden, kAccumulation * sets),
            length = llvm::alignTo(llvm::divideCeilSigned(hidden, chains),
                                   kUnrolledSteps),
            lastStart = (hidden - 1) / length * length;
    // The last chain may be shorter; the others are a loop.
    SmallVector<Value> products = chain(Idx(lastStart), hidden - lastStart);
    products = e.loop(Idx(int64_t(0)), Idx(lastStart), length, products,
                      [&](Idx start, ValueRange carried) {
                        SmallVector<Value> sums = chain(start, length);
                        for (auto [sum, value] : llvm::zip_equal(sums, carried))
                          sum = e.addf(sum, value);
                        return sums;
                      });
    for (int64_t v = 0; v < used; ++v)
      for (int64_t i = 0; i < height; ++i)
        cell(e.add(e.mul(number, units), Idx(first + v * lanes)),
             e.add(row, Idx(i)), std::min(lanes, valid - v * lanes),
             ArrayRef(products).slice(i * width + v * gates, gates));
  }

  /// The row of weights that is used some steps later.
  void prefetchRow(Idx weightRow) {
    int64_t line = 64 / (r.element.getIntOrFloatBitWidth() / 8);
    for (int64_t at = 0; at < r.strides[2]; at += line)
      e.prefetch(r,
                 e.add(weightRow, Idx(kPrefetchDistance * r.strides[2] + at)));
  }

  /// The new states of `valid` units of one row.
  void cell(Idx unit, Idx row, int64_t valid, ArrayRef<Value> products) {
    Block &block = op.getBody().front();
    SmallVector<Value> arguments(products);
    Idx input =
        e.at(x, {position, row, e.add(e.mul(direction, gates * hidden), unit)});
    for (int64_t gate = 0; gate < gates; ++gate)
      arguments.push_back(
          e.loadVector(x, e.add(input, Idx(gate * hidden)), vector, valid));
    arguments.push_back(
        e.loadVector(scratch, e.at(scratch, {old, row, unit}), vector, valid));
    for (const Buffer &state : states)
      arguments.push_back(e.loadVector(
          state, e.at(state, {direction, row, unit}), vector, valid));
    for (const Buffer &param : params)
      arguments.push_back(
          e.loadVector(param, e.at(param, {direction, unit}), vector, valid));
    IRMapping map;
    map.map(block.getArguments(), arguments);
    SmallVector<Value> next = cloneWidened(e, block, map, lanes);
    e.storeVector(next[0], scratch, e.at(scratch, {fresh, row, unit}), valid);
    e.storeVector(
        next[0], y,
        e.at(y, {position, row, e.add(e.mul(direction, hidden), unit)}), valid);
    for (auto [state, value] :
         llvm::zip_equal(states, ArrayRef(next).drop_front()))
      e.storeVector(value, state, e.at(state, {direction, row, unit}), valid);
  }

  Emitter &e;
  kernel::RecurrenceStepOp op;
  ArrayRef<Buffer> params, states;
  Buffer x, r, y, scratch;
  Idx direction, position;
  /// Lanes of a vector, of the vectors that the panels were made for, and units
  /// of a panel.
  int64_t gates, lanes, packedLanes, units, hidden, panels;
  VectorType vector;
  Split rows;
  /// Which half of the scratch memory has the state, and which gets the next.
  Idx old, fresh;
};

} // namespace

int64_t taskCount(kernel::RecurrenceStepOp op) { return panelsOf(op); }

LogicalResult expandRecurrenceStep(Emitter &e, kernel::RecurrenceStepOp op,
                                   Value lo, Value hi) {
  FailureOr<Buffer> x = e.buffer(op.getX()), r = e.buffer(op.getR()),
                    y = e.buffer(op.getY()),
                    scratch = e.buffer(op.getScratch());
  if (failed(x) || failed(r) || failed(y) || failed(scratch))
    return failure();
  auto buffersOf = [&](ValueRange values, SmallVector<Buffer> &buffers) {
    for (Value value : values) {
      FailureOr<Buffer> buffer = e.buffer(value);
      if (failed(buffer) || buffer->strides.back() != 1)
        return failure();
      buffers.push_back(*buffer);
    }
    return success();
  };
  SmallVector<Buffer> params, states;
  if (failed(buffersOf(op.getParams(), params)) ||
      failed(buffersOf(op.getStates(), states)) || x->strides[2] != 1 ||
      y->strides[2] != 1 || scratch->strides[2] != 1 ||
      !cast<MemRefType>(op.getR().getType()).getLayout().isIdentity())
    return op.emitOpError("expects contiguous weights, and operands with a "
                          "contiguous last axis");
  int64_t lanes = e.lanesOf(x->element);
  if (r->shape[5] % lanes != 0)
    return op.emitOpError("expects vectors of a multiple of ")
           << lanes << " lanes, got " << r->shape[5];
  RecurrenceExpansion(e, op, params, states, *x, *r, *y, *scratch).run(lo, hi);
  return success();
}

} // namespace graven::expand
