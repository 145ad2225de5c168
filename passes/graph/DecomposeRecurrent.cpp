//===- DecomposeRecurrent.cpp - recurrent layers as loops -------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements DecomposeRecurrent, which turns lstm, gru and rnn into
// one product for the inputs of all steps and a loop that carries the state.
//===----------------------------------------------------------------------===//

#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "passes/graph/Explain.h"
#include "passes/graph/GraphUtils.h"
#include "passes/graph/Passes.h"
#include "passes/graph/RecurrentCells.h"

namespace graven {
#define GEN_PASS_DEF_DECOMPOSERECURRENT
#include "passes/graph/Passes.h.inc"
} // namespace graven

using namespace mlir;

namespace graven {
namespace {

/// Nodes around the cells.
struct Emit : CellBuilder {
  /// x times the transposed matrix y.
  Value times(Value x, Value y) {
    return MatmulOp::create(b, loc, x, y, /*transpose_a=*/false,
                            /*transpose_b=*/true);
  }
  Value zeros(ArrayRef<int64_t> shape, Type element) {
    auto type = RankedTensorType::get(shape, element);
    return ConstantOp::create(b, loc,
                              cast<ElementsAttr>(DenseElementsAttr::get(
                                  type, b.getFloatAttr(element, 0.0))));
  }
  Value reshape(Value x, ArrayRef<int64_t> shape) {
    return reshaped(b, loc, x, shape);
  }
  /// x[.., start : start + count, ..] along an axis.
  Value window(Value x, int64_t axis, int64_t start, int64_t count) {
    SmallVector<int64_t> ends(tensorType(x).getShape()), starts(ends.size(), 0),
        steps(ends.size(), 1);
    if (start == 0 && count == ends[axis])
      return x;
    starts[axis] = start;
    ends[axis] = start + count;
    return SliceOp::create(b, loc, x, starts, ends, steps);
  }
  /// x[d], without the axis; null for null.
  Value at(Value x, int64_t d) {
    if (!x)
      return x;
    return reshape(window(x, 0, d, 1), tensorType(x).getShape().drop_front());
  }
  /// x[position] along axis 0, whose extent becomes 1.
  Value step(Value x, Value position) {
    SmallVector<int64_t> ends(tensorType(x).getShape()), starts(ends.size(), 0),
        steps(ends.size(), 1), shape(ends);
    starts[0] = ends[0] = ShapedType::kDynamic;
    shape[0] = 1;
    Value next = add(position, number(position, 1));
    auto type = RankedTensorType::get(shape, tensorType(x).getElementType());
    return SliceOp::create(b, loc, type, x, ValueRange(position),
                           ValueRange(next), starts, ends, steps);
  }
};

using States = SmallVector<Value, 2>;

/// One direction of a layer: what its steps read.
struct Walk {
  CellFunctions cell;
  int64_t hidden;
  Value r, biasR, peephole; ///< [G H, H]; [1, G H], if not folded; [1, 3 H]
  bool linearBeforeReset = false;

  Value gate(Emit e, Value rows, int64_t index) const {
    return e.window(rows, 1, index * hidden, hidden);
  }
};

/// The next states of an LSTM, h and c, from W x + b and the states.
States advance(Emit e, LstmOp, const Walk &w, Value x, const States &states) {
  Value rows = e.add(e.times(states[0], w.r), x);
  auto peephole = [&](int64_t gate) { return w.gate(e, w.peephole, gate); };
  return lstmCell(
      e, w.cell, [&](int64_t gate) { return w.gate(e, rows, gate); },
      w.peephole ? GateValue(peephole) : GateValue(), states[1]);
}

States advance(Emit e, GruOp, const Walk &w, Value x, const States &states) {
  Value h = states[0];
  int64_t n = w.hidden;
  if (w.linearBeforeReset) {
    Value rows = e.times(h, w.r);
    if (w.biasR)
      rows = e.add(rows, w.biasR);
    auto input = [&](int64_t gate) { return w.gate(e, x, gate); };
    auto product = [&](int64_t gate) { return w.gate(e, rows, gate); };
    auto sum = [&](int64_t gate) { return e.add(input(gate), product(gate)); };
    return {gruCell(e, w.cell, sum, input, product, h)};
  }
  Value rows =
      e.add(e.times(h, e.window(w.r, 0, 0, 2 * n)), e.window(x, 1, 0, 2 * n));
  auto gate = [&](Value value, int64_t function) {
    return e.apply(w.cell.functions[function], w.cell.clip, value);
  };
  Value reset = gate(w.gate(e, rows, 0), 0),
        update = gate(w.gate(e, rows, 1), 0);
  Value last = e.times(e.mul(reset, h), e.window(w.r, 0, 2 * n, n));
  Value fresh = gate(e.add(last, w.gate(e, x, 2)), 1);
  return {gruMix(e, update, fresh, h)};
}

States advance(Emit e, RnnOp, const Walk &w, Value x, const States &states) {
  Value rows = e.add(e.times(states[0], w.r), x);
  return {rnnCell(e, w.cell, [&](int64_t) { return rows; })};
}

template <class OpTy> struct ToLoop : CountingPattern<OpTy> {
  ToLoop(MLIRContext *context, Pass::Statistic *count, RecurrentKernels kernels)
      : CountingPattern<OpTy>(context, count), kernels(kernels) {}

  LogicalResult matchAndRewrite(OpTy op,
                                PatternRewriter &rewriter) const override {
    for (Value operand : op->getOperands())
      if (!tensorType(operand).hasStaticShape())
        return rewriter.notifyMatchFailure(op, "an extent is not known");
    for (Value result : op->getResults())
      if (!tensorType(result).hasStaticShape())
        return rewriter.notifyMatchFailure(op, "an extent is not known");
    Emit e{rewriter, op.getLoc()};
    if (tensorType(op.getY()).getNumElements() == 0) {
      rewriter.replaceOp(op, withoutSteps(e, op));
      return this->rewritten();
    }
    if (kernels == RecurrentKernels::Keep && obstacleToKernel(op).empty())
      return rewriter.notifyMatchFailure(op, "a kernel computes it whole");
    int64_t directions = directionsOf(op.getDirection());
    SmallVector<SmallVector<Value>> parts(op->getNumResults());
    for (int64_t d = 0; d < directions; ++d)
      for (auto [list, value] : llvm::zip_equal(parts, direction(e, op, d)))
        list.push_back(value);
    SmallVector<Value> results;
    for (auto [index, list] : llvm::enumerate(parts)) {
      Value whole = list.front();
      if (directions > 1)
        whole =
            ConcatOp::create(rewriter, op.getLoc(), list, index == 0 ? 2 : 0);
      results.push_back(converted(rewriter, op.getLoc(), whole,
                                  tensorType(op.getX()).getElementType()));
    }
    rewriter.replaceOp(op, results);
    return this->rewritten();
  }

private:
  /// The states are as before the first step, and y has no elements.
  static SmallVector<Value> withoutSteps(Emit e, OpTy op) {
    SmallVector<Value> initial{op.getH0()};
    if (op->getNumResults() == 3)
      initial.push_back(cellStateOf(op));
    SmallVector<Value> results{zerosOf(e, op.getY())};
    for (auto [state, result] :
         llvm::zip_equal(initial, op->getResults().drop_front()))
      results.push_back(state ? state : zerosOf(e, result));
    return results;
  }
  static Value zerosOf(Emit e, Value value) {
    RankedTensorType type = tensorType(value);
    if (type.getNumElements() > 0)
      return e.zeros(type.getShape(), type.getElementType());
    return ConstantOp::create(
        e.b, e.loc, DenseElementsAttr::get(type, ArrayRef<Attribute>()));
  }

  /// y [T,B,H] and the last states [1,B,H] of one direction.
  static SmallVector<Value> direction(Emit e, OpTy op, int64_t d) {
    Type element = accumulatorType(tensorType(op.getX()).getElementType());
    auto read = [&](Value value) {
      return value ? converted(e.b, e.loc, value, element) : value;
    };
    ArrayRef<int64_t> shape = tensorType(op.getX()).getShape();
    int64_t steps = shape[0], batch = shape[1];
    Walk walk = walkOf(e, op, d, read);
    Value inputs =
        e.reshape(inputsOf(e, op, d, read, walk), {steps, batch, rowsOf(op)});
    States states{
        stateOf(e, op.getH0(), d, {batch, walk.hidden}, read, element)};
    if (op->getNumResults() == 3)
      states.push_back(
          stateOf(e, cellStateOf(op), d, {batch, walk.hidden}, read, element));
    Value lengths = op.getSeqLens();
    if (lengths)
      lengths = e.reshape(converted(e.b, e.loc, lengths, e.b.getI64Type()),
                          {batch, 1});

    bool backwards = isReverse(op.getDirection(), d);
    Value y;
    if (steps == 1)
      y = e.reshape(step(e, op, walk, inputs, Value(), lengths, states),
                    {1, batch, walk.hidden});
    else
      y = loop(e, op, walk, inputs, lengths, backwards, states);
    if (backwards && steps > 1)
      y = ReverseOp::create(e.b, e.loc, y, ArrayRef<int64_t>{0});
    SmallVector<Value> results{y};
    for (Value state : states)
      results.push_back(e.reshape(state, {1, batch, walk.hidden}));
    return results;
  }

  static int64_t rowsOf(OpTy op) { return tensorType(op.getW()).getDimSize(1); }

  template <class Read>
  static Walk walkOf(Emit e, OpTy op, int64_t d, Read read) {
    Walk walk;
    walk.cell = cellFunctionsOf(op, d);
    walk.hidden = tensorType(op.getR()).getDimSize(2);
    walk.r = e.at(read(op.getR()), d);
    walk.linearBeforeReset = keepsBias(op);
    if (op.getBiasR() && keepsBias(op))
      walk.biasR = e.window(read(op.getBiasR()), 0, d, 1);
    if (Value peephole = peepholeOf(op))
      walk.peephole = e.window(read(peephole), 0, d, 1);
    return walk;
  }

  /// W x + b for all steps, [T B, G H].
  template <class Read>
  static Value inputsOf(Emit e, OpTy op, int64_t d, Read read,
                        const Walk &walk) {
    ArrayRef<int64_t> shape = tensorType(op.getX()).getShape();
    Value x = e.reshape(read(op.getX()), {shape[0] * shape[1], shape[2]});
    Value inputs = e.times(x, e.at(read(op.getW()), d));
    Value bias = read(op.getBiasW()),
          more = walk.biasR ? Value() : read(op.getBiasR());
    if (bias && more)
      bias = e.add(bias, more);
    else if (more)
      bias = more;
    return bias ? e.add(inputs, e.window(bias, 0, d, 1)) : inputs;
  }

  template <class Read>
  static Value stateOf(Emit e, Value initial, int64_t d,
                       ArrayRef<int64_t> shape, Read read, Type element) {
    return initial ? e.at(read(initial), d) : e.zeros(shape, element);
  }

  /// One step: replaces the states and gives the slice of y. Without a
  /// position it is the only one.
  static Value step(Emit e, OpTy op, const Walk &walk, Value inputs,
                    Value position, Value lengths, States &states) {
    ArrayRef<int64_t> shape = tensorType(inputs).getShape();
    Value x = position ? e.step(inputs, position) : inputs;
    States next =
        advance(e, op, walk, e.reshape(x, {shape[1], shape[2]}), states);
    Value y = next[0];
    if (lengths) {
      Value at = position ? e.reshape(position, {1, 1}) : e.number(lengths, 0);
      Value active =
          CompareOp::create(e.b, e.loc, at, lengths, ComparePredicate::Lt);
      for (auto [fresh, old] : llvm::zip_equal(next, states))
        fresh = SelectOp::create(e.b, e.loc, active, fresh, old);
      y = SelectOp::create(e.b, e.loc, active, y, e.number(y, 0));
    }
    states = next;
    return y;
  }

  /// The loop over all steps: leaves the last states and gives the slices in
  /// the order of the walk.
  static Value loop(Emit e, OpTy op, const Walk &walk, Value inputs,
                    Value lengths, bool backwards, States &states) {
    OpBuilder::InsertionGuard guard(e.b);
    ArrayRef<int64_t> shape = tensorType(inputs).getShape();
    int64_t steps = shape[0];
    auto number = [&](Type type, int64_t value) -> Value {
      auto scalar = RankedTensorType::get({}, type);
      return ConstantOp::create(e.b, e.loc,
                                cast<ElementsAttr>(DenseElementsAttr::get(
                                    scalar, e.b.getIntegerAttr(type, value))));
    };
    Type i64 = e.b.getI64Type();
    Value trip = number(i64, steps), on = number(e.b.getI1Type(), 1),
          last = number(i64, steps - 1);
    auto stacked = RankedTensorType::get(
        {steps, shape[1], walk.hidden}, tensorType(states[0]).getElementType());
    auto loop = LoopOp::create(e.b, e.loc, ValueRange(states).getTypes(),
                               stacked, trip, Value(), ValueRange(states));
    Block *body = e.b.createBlock(&loop.getBody());
    body->addArgument(trip.getType(), e.loc);
    for (Value state : states)
      body->addArgument(state.getType(), e.loc);
    Value position = body->getArgument(0);
    if (backwards)
      position = e.sub(last, position);
    States inside(body->getArguments().drop_front());
    Value y = step(e, op, walk, inputs, position, lengths, inside);
    SmallVector<Value> yielded{on};
    llvm::append_range(yielded, inside);
    yielded.push_back(y);
    YieldOp::create(e.b, e.loc, yielded);
    states.assign(loop.getFinal().begin(), loop.getFinal().end());
    return loop.getStacked().front();
  }

  RecurrentKernels kernels;
};

class DecomposeRecurrentPass
    : public impl::DecomposeRecurrentBase<DecomposeRecurrentPass> {
public:
  using DecomposeRecurrentBase::DecomposeRecurrentBase;

private:
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    populateDecomposeRecurrentPatterns(patterns, kernels, &numDecomposed);
    if (failed(rewriteOnly<LstmOp, GruOp, RnnOp>(*this, getOperation(),
                                                 std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace

void populateDecomposeRecurrentPatterns(RewritePatternSet &patterns,
                                        RecurrentKernels kernels,
                                        Pass::Statistic *count) {
  patterns.add<ToLoop<LstmOp>, ToLoop<GruOp>, ToLoop<RnnOp>>(
      patterns.getContext(), count, kernels);
}

} // namespace graven
