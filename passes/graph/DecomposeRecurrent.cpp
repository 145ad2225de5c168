//===- DecomposeRecurrent.cpp - recurrent layers as loops -------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements DecomposeRecurrent, which turns lstm, gru and rnn into
// one product for the inputs of all steps and a loop that carries the state.
//===----------------------------------------------------------------------===//

#include "dialects/graven/Recurrent.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "passes/graph/GraphUtils.h"
#include "passes/graph/Passes.h"

namespace graven {
#define GEN_PASS_DEF_DECOMPOSERECURRENT
#include "passes/graph/Passes.h.inc"
} // namespace graven

using namespace mlir;

namespace graven {
namespace {

/// Short names for the Nodes of a step; all values have equal ranks.
struct Emit {
  OpBuilder &b;
  Location loc;

  Value add(Value x, Value y) { return AddOp::create(b, loc, x, y); }
  Value sub(Value x, Value y) { return SubOp::create(b, loc, x, y); }
  Value mul(Value x, Value y) { return MulOp::create(b, loc, x, y); }
  /// x times the transposed matrix y.
  Value times(Value x, Value y) {
    return MatmulOp::create(b, loc, x, y, /*transpose_a=*/false,
                            /*transpose_b=*/true);
  }
  Value number(Value like, double value) {
    return scalarConstant(b, loc, tensorType(like).getElementType(), value,
                          tensorType(like).getRank());
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
  Value apply(const GateFunction &gate, double clip, Value x) {
    if (clip > 0)
      x = ClampOp::create(b, loc, x, number(x, -clip), number(x, clip));
    return function(gate, x);
  }

private:
  Value function(const GateFunction &gate, Value x) {
    switch (gate.function) {
    case Activation::Relu:
      return ReluOp::create(b, loc, x);
    case Activation::Tanh:
      return TanhOp::create(b, loc, x);
    case Activation::Sigmoid:
      return SigmoidOp::create(b, loc, x);
    case Activation::Affine:
      return add(mul(x, number(x, gate.alpha)), number(x, gate.beta));
    case Activation::LeakyRelu:
      return LeakyReluOp::create(b, loc, x, number(x, gate.alpha));
    case Activation::ThresholdedRelu: {
      Value below = CompareOp::create(b, loc, x, number(x, gate.alpha),
                                      ComparePredicate::Lt);
      return SelectOp::create(b, loc, below, number(x, 0), x);
    }
    case Activation::ScaledTanh:
      x = TanhOp::create(b, loc, mul(x, number(x, gate.beta)));
      return mul(x, number(x, gate.alpha));
    case Activation::HardSigmoid:
      return HardSigmoidOp::create(b, loc, x, APFloat(gate.alpha),
                                   APFloat(gate.beta));
    case Activation::Elu:
      return EluOp::create(b, loc, x, APFloat(gate.alpha), APFloat(1.0),
                           APFloat(1.0));
    case Activation::Softsign: {
      Value magnitude = AbsOp::create(b, loc, x);
      return DivOp::create(b, loc, x, add(magnitude, number(x, 1)));
    }
    case Activation::Softplus:
      return SoftplusOp::create(b, loc, x);
    }
    llvm_unreachable("unknown activation");
  }
};

using States = SmallVector<Value, 2>;

/// One direction of a layer: what its steps read.
struct Walk {
  SmallVector<GateFunction> functions;
  double clip;
  int64_t hidden;
  Value r, biasR, peephole; ///< [G H, H]; [1, G H], if not folded; [1, 3 H]
  bool linearBeforeReset = false, inputForget = false;

  Value gate(Emit e, Value rows, int64_t index) const {
    return e.window(rows, 1, index * hidden, hidden);
  }
};

/// The next states of an LSTM, h and c, from W x + b and the states.
States advance(Emit e, LstmOp, const Walk &w, Value x, const States &states) {
  Value rows = e.add(e.times(states[0], w.r), x), c = states[1];
  auto gate = [&](int64_t index, int64_t peephole, Value cell) {
    Value v = w.gate(e, rows, index);
    if (w.peephole && peephole >= 0)
      v = e.add(v, e.mul(w.gate(e, w.peephole, peephole), cell));
    return e.apply(w.functions[index == 2 ? 1 : 0], w.clip, v);
  };
  Value in = gate(0, 0, c);
  Value forget = w.inputForget ? e.sub(e.number(in, 1), in) : gate(1, 1, c);
  Value next = e.add(e.mul(forget, c), e.mul(in, gate(2, -1, c)));
  Value out = gate(3, 2, next);
  return {e.mul(out, e.apply(w.functions[2], 0, next)), next};
}

States advance(Emit e, GruOp, const Walk &w, Value x, const States &states) {
  Value h = states[0];
  int64_t n = w.hidden;
  auto gate = [&](Value rows, int64_t function) {
    return e.apply(w.functions[function], w.clip, rows);
  };
  Value reset, update, fresh;
  if (w.linearBeforeReset) {
    Value rows = e.times(h, w.r);
    if (w.biasR)
      rows = e.add(rows, w.biasR);
    auto sum = [&](int64_t index) {
      return e.add(w.gate(e, x, index), w.gate(e, rows, index));
    };
    reset = gate(sum(0), 0);
    update = gate(sum(1), 0);
    fresh = gate(e.add(w.gate(e, x, 2), e.mul(reset, w.gate(e, rows, 2))), 1);
  } else {
    Value rows =
        e.add(e.times(h, e.window(w.r, 0, 0, 2 * n)), e.window(x, 1, 0, 2 * n));
    reset = gate(w.gate(e, rows, 0), 0);
    update = gate(w.gate(e, rows, 1), 0);
    Value last = e.times(e.mul(reset, h), e.window(w.r, 0, 2 * n, n));
    fresh = gate(e.add(last, w.gate(e, x, 2)), 1);
  }
  Value rest = e.sub(e.number(update, 1), update);
  return {e.add(e.mul(rest, fresh), e.mul(update, h))};
}

States advance(Emit e, RnnOp, const Walk &w, Value x, const States &states) {
  Value rows = e.add(e.times(states[0], w.r), x);
  return {e.apply(w.functions[0], w.clip, rows)};
}

Value cellOf(LstmOp op) { return op.getC0(); }
Value peepholeOf(LstmOp op) { return op.getPeephole(); }
template <class OpTy> Value cellOf(OpTy) { return {}; }
template <class OpTy> Value peepholeOf(OpTy) { return {}; }

/// Whether bias_r stands inside a product and cannot join the input's bias.
template <class OpTy> bool keepsBias(OpTy) { return false; }
template <> bool keepsBias(GruOp op) { return op.getLinearBeforeReset(); }

template <class OpTy> bool forgetsByInput(OpTy) { return false; }
template <> bool forgetsByInput(LstmOp op) { return op.getInputForget(); }

template <class OpTy> struct ToLoop : CountingPattern<OpTy> {
  using CountingPattern<OpTy>::CountingPattern;

  LogicalResult matchAndRewrite(OpTy op,
                                PatternRewriter &rewriter) const override {
    for (Value operand : op->getOperands())
      if (!tensorType(operand).hasStaticShape())
        return rewriter.notifyMatchFailure(op, "an extent is not known");
    for (Value result : op->getResults())
      if (!tensorType(result).hasStaticShape())
        return rewriter.notifyMatchFailure(op, "an extent is not known");
    if (tensorType(op.getY()).getNumElements() == 0)
      return rewriter.notifyMatchFailure(op, "it is empty");
    Emit e{rewriter, op.getLoc()};
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
          stateOf(e, cellOf(op), d, {batch, walk.hidden}, read, element));
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
    walk.functions = gateFunctionsOf(op, d);
    walk.clip = op.getClip().convertToDouble();
    walk.hidden = tensorType(op.getR()).getDimSize(2);
    walk.r = e.at(read(op.getR()), d);
    walk.linearBeforeReset = keepsBias(op);
    walk.inputForget = forgetsByInput(op);
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
};

class DecomposeRecurrentPass
    : public impl::DecomposeRecurrentBase<DecomposeRecurrentPass> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    populateDecomposeRecurrentPatterns(patterns, &numDecomposed);
    SmallVector<Operation *> layers;
    getOperation().walk([&](Operation *node) {
      if (isa<LstmOp, GruOp, RnnOp>(node))
        layers.push_back(node);
    });
    GreedyRewriteConfig config;
    config.setStrictness(GreedyRewriteStrictness::ExistingOps);
    if (failed(applyOpPatternsGreedily(
            layers, FrozenRewritePatternSet(std::move(patterns)), config)))
      signalPassFailure();
  }
};

} // namespace

void populateDecomposeRecurrentPatterns(RewritePatternSet &patterns,
                                        Pass::Statistic *count) {
  patterns.add<ToLoop<LstmOp>, ToLoop<GruOp>, ToLoop<RnnOp>>(
      patterns.getContext(), count);
}

} // namespace graven
