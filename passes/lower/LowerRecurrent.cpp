//===- LowerRecurrent.cpp - recurrent layers to kernels -------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the lowering of lstm, gru and rnn to one product for the
// inputs of all steps and `kernel.recurrence`, whose weights are packed with
// the gates of a unit side by side.
//===----------------------------------------------------------------------===//

#include "dialects/kernel/Kernel.h"
#include "passes/graph/GraphUtils.h"
#include "passes/graph/RecurrentCells.h"
#include "passes/lower/LowerContraction.h"
#include "passes/lower/LowerUtils.h"
#include "passes/lower/ScalarFormulas.h"
#include "passes/lower/expand/Tiles.h"

using namespace mlir;

namespace graven {
namespace {

/// What the cell of one unit reads, in the order of the kernel's region.
struct CellArguments {
  ArrayRef<Value> products, inputs, states, params;
};

/// The sum of a gate's product and input, with the params of the op's kind: the
/// peephole of an LSTM, the bias that a GRU keeps.
SmallVector<Value> emitCell(CellBuilder e, LstmOp op, const CellArguments &a) {
  auto peephole = [&](int64_t gate) { return a.params[gate]; };
  return llvm::to_vector(lstmCell(
      e, cellFunctionsOf(op, 0),
      [&](int64_t gate) { return e.add(a.products[gate], a.inputs[gate]); },
      a.params.empty() ? GateValue() : GateValue(peephole), a.states[1]));
}

SmallVector<Value> emitCell(CellBuilder e, GruOp op, const CellArguments &a) {
  return {gruCell(
      e, cellFunctionsOf(op, 0),
      [&](int64_t gate) { return e.add(a.products[gate], a.inputs[gate]); },
      [&](int64_t gate) { return a.inputs[gate]; },
      [&](int64_t gate) {
        return a.params.empty() ? a.products[gate]
                                : e.add(a.products[gate], a.params[0]);
      },
      a.states[0])};
}

SmallVector<Value> emitCell(CellBuilder e, RnnOp op, const CellArguments &a) {
  return {rnnCell(e, cellFunctionsOf(op, 0), [&](int64_t gate) {
    return e.add(a.products[gate], a.inputs[gate]);
  })};
}

/// Fills the kernel's region with the scalar form of the cell: its Nodes are
/// built on tensors of one element, beside the program.
template <class OpTy>
LogicalResult emitRegion(OpBuilder &b, OpTy op, Region &region, Type element,
                         int64_t gates, int64_t states, int64_t params) {
  auto one = RankedTensorType::get({1}, element);
  int64_t count = 2 * gates + states + params;
  Location loc = op.getLoc();
  Block nodes;
  nodes.addArguments(SmallVector<Type>(count, one),
                     SmallVector<Location>(count, loc));
  OpBuilder beside(b.getContext());
  beside.setInsertionPointToEnd(&nodes);
  SmallVector<Value> values(nodes.getArguments());
  ArrayRef<Value> all = values;
  SmallVector<Value> next =
      emitCell({beside, loc}, op,
               {all.take_front(gates), all.slice(gates, gates),
                all.slice(2 * gates, states), all.take_back(params)});

  OpBuilder::InsertionGuard guard(b);
  Block *block = b.createBlock(&region);
  block->addArguments(SmallVector<Type>(count, element),
                      SmallVector<Location>(count, loc));
  IRMapping map;
  map.map(nodes.getArguments(), block->getArguments());
  for (Operation &node : nodes) {
    SmallVector<Value> scalars;
    for (Value operand : node.getOperands())
      scalars.push_back(map.lookup(operand));
    std::optional<double> number = splatOf(node.getResult(0));
    Value scalar = number ? emitConstant(b, loc, element, *number)
                          : emitScalar(&node, b, scalars);
    if (!scalar)
      return failure();
    map.map(node.getResult(0), scalar);
  }
  SmallVector<Value> yielded;
  for (Value value : next)
    yielded.push_back(map.lookup(value));
  kernel::YieldOp::create(b, loc, yielded);
  return success();
}

/// Index arithmetic in a nest.
struct Indices {
  OpBuilder &b;
  Location loc;

  Value number(int64_t value) { return indexConstant(b, loc, value); }
  Value add(Value x, Value y) { return arith::AddIOp::create(b, loc, x, y); }
  Value mul(Value x, int64_t y) {
    return arith::MulIOp::create(b, loc, x, number(y));
  }
  Value less(Value x, int64_t y) {
    return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, x,
                                 number(y));
  }
  Value element(Value tensor, ValueRange at) {
    return tensor::ExtractOp::create(b, loc, tensor, at);
  }
};

/// r [D, G H, H] as [D, ceil(H/U), H, V, G, L].
Value packWeights(OpBuilder &b, Location loc, Value r, int64_t gates,
                  int64_t vectors, int64_t lanes) {
  auto type = cast<RankedTensorType>(r.getType());
  int64_t hidden = type.getDimSize(2), units = vectors * lanes;
  Type element = type.getElementType();
  return generate(
      b, loc,
      {type.getDimSize(0), llvm::divideCeilSigned(hidden, units), hidden,
       vectors, gates, lanes},
      element, [&](OpBuilder &inner, Location at, ValueRange i) -> Value {
        Indices x{inner, at};
        Value unit = x.add(x.add(x.mul(i[1], units), x.mul(i[3], lanes)), i[5]);
        Value exists = x.less(unit, hidden);
        Value last =
            arith::MinSIOp::create(inner, at, unit, x.number(hidden - 1));
        Value weight =
            x.element(r, {i[0], x.add(x.mul(i[4], hidden), last), i[2]});
        return arith::SelectOp::create(inner, at, exists, weight,
                                       emitConstant(inner, at, element, 0));
      });
}

/// Columns [first, first + count) of a [D, N] tensor.
Value columnsOf(OpBuilder &b, Location loc, Value x, int64_t first,
                int64_t count) {
  auto type = cast<RankedTensorType>(x.getType());
  return generate(b, loc, {type.getDimSize(0), count}, type.getElementType(),
                  [&](OpBuilder &inner, Location at, ValueRange i) -> Value {
                    Indices index{inner, at};
                    return index.element(
                        x, {i[0], index.add(i[1], index.number(first))});
                  });
}

/// bias_w + bias_r [D, N] as [D N]; of bias_r the first `rows` columns only.
/// Null for neither.
Value biasOf(OpBuilder &b, Location loc, Value biasW, Value biasR,
             int64_t rows) {
  Value some = biasW ? biasW : biasR;
  if (!some)
    return {};
  auto type = cast<RankedTensorType>(some.getType());
  int64_t columns = type.getDimSize(1);
  Type element = type.getElementType();
  Value sum = generate(
      b, loc, type.getShape(), element,
      [&](OpBuilder &inner, Location at, ValueRange i) -> Value {
        Indices x{inner, at};
        Value right;
        if (biasR) {
          right = x.element(biasR, i);
          if (rows < columns)
            right =
                arith::SelectOp::create(inner, at, x.less(i[1], rows), right,
                                        emitConstant(inner, at, element, 0));
        }
        if (!biasW)
          return right;
        Value left = x.element(biasW, i);
        return right ? arith::AddFOp::create(inner, at, left, right).getResult()
                     : left;
      });
  return reshapeTo(b, loc, sum, {type.getNumElements()});
}

/// x [T,B,I] times the transposed w [D,N,I], plus the bias: [T,B,D N].
Value inputsOf(OpBuilder &b, Location loc, const TargetInfo &target, Value x,
               Value w, Value bias) {
  ArrayRef<int64_t> shape = cast<RankedTensorType>(x.getType()).getShape(),
                    weights = cast<RankedTensorType>(w.getType()).getShape();
  int64_t rows = shape[0] * shape[1], columns = weights[0] * weights[1];
  Type element = cast<RankedTensorType>(x.getType()).getElementType();
  SmallVector<Value> epilogue;
  if (bias)
    epilogue.push_back(bias);
  Value product =
      emitGemm(b, loc, target, reshapeTo(b, loc, x, {1, rows, shape[2]}),
               reshapeTo(b, loc, w, {1, columns, shape[2]}),
               /*rhsTransposed=*/true, FusedNodes(), epilogue);
  if (bias) {
    OpBuilder::InsertionGuard guard(b);
    Block *block =
        b.createBlock(&product.getDefiningOp<kernel::GemmOp>().getBody());
    block->addArguments({element, element}, {loc, loc});
    Value sum = arith::AddFOp::create(b, loc, block->getArgument(0),
                                      block->getArgument(1));
    kernel::YieldOp::create(b, loc, sum);
  }
  return reshapeTo(b, loc, product, {shape[0], shape[1], columns});
}

/// The lowered operands that only an LSTM has.
Value loweredCellState(LstmOp::Adaptor adaptor) { return adaptor.getC0(); }
Value loweredPeephole(LstmOp::Adaptor adaptor) { return adaptor.getPeephole(); }
template <class Adaptor> Value loweredCellState(Adaptor) { return {}; }
template <class Adaptor> Value loweredPeephole(Adaptor) { return {}; }

template <class OpTy> struct LowerRecurrent : OpConversionPattern<OpTy> {
  LowerRecurrent(MLIRContext *context, const TargetInfo &target)
      : OpConversionPattern<OpTy>(context), target(target) {}

  LogicalResult matchAndRewrite(OpTy op, typename OpTy::Adaptor adaptor,
                                ConversionPatternRewriter &b) const final {
    StringRef obstacle = obstacleToKernel(op);
    if (!obstacle.empty())
      return b.notifyMatchFailure(op, obstacle);
    Location loc = op.getLoc();
    ArrayRef<int64_t> x = tensorType(op.getX()).getShape();
    Type element = tensorType(op.getX()).getElementType();
    int64_t directions = directionsOf(op.getDirection()),
            gates = kindOf(op).gates, states = op->getNumResults() - 1,
            hidden = tensorType(op.getR()).getDimSize(2), steps = x[0],
            batch = x[1];
    expand::RecurrenceTile tile = expand::chooseRecurrenceTile(
        target, gates, batch, hidden, element.getIntOrFloatBitWidth() / 8);
    // Weights that were rounded are stored so.
    Value weights = adaptor.getR();
    if (auto widened = op.getR().template getDefiningOp<CastOp>();
        widened && tensorType(widened.getX()).getElementType().isBF16())
      weights = b.getRemappedValue(widened.getX());
    Value packed =
        packWeights(b, loc, weights, gates, tile.vectors,
                    target.lanes(element.getIntOrFloatBitWidth() / 8));

    SmallVector<Value> params;
    int64_t biasRows = gates * hidden;
    if (keepsBias(op)) {
      biasRows -= hidden;
      if (adaptor.getBiasR())
        params.push_back(
            columnsOf(b, loc, adaptor.getBiasR(), biasRows, hidden));
    }
    if (Value peephole = loweredPeephole(adaptor))
      for (int64_t gate = 0; gate < 3; ++gate)
        params.push_back(columnsOf(b, loc, peephole, gate * hidden, hidden));
    Value inputs = inputsOf(
        b, loc, target, adaptor.getX(), adaptor.getW(),
        biasOf(b, loc, adaptor.getBiasW(), adaptor.getBiasR(), biasRows));

    SmallVector<Value> initial{adaptor.getH0()}, outs;
    if (states == 2)
      initial.push_back(loweredCellState(adaptor));
    SmallVector<int64_t> stateShape{directions, batch, hidden};
    outs.push_back(
        emptyTensor(b, loc, {steps, batch, directions * hidden}, element));
    for (Value &state : initial) {
      if (!state)
        state =
            filledTensor(b, loc, stateShape, emitConstant(b, loc, element, 0));
      outs.push_back(emptyTensor(b, loc, stateShape, element));
    }
    outs.push_back(emptyTensor(b, loc, {2, batch, hidden}, element));
    SmallVector<bool> reverse;
    for (int64_t d = 0; d < directions; ++d)
      reverse.push_back(isReverse(op.getDirection(), d));
    auto recurrence = kernel::RecurrenceOp::create(
        b, loc, ValueRange(outs).getTypes(), inputs, packed, initial, params,
        outs, gates, reverse, tile.mr);
    if (failed(emitRegion(b, op, recurrence.getBody(), element, gates, states,
                          params.size())))
      return failure();
    b.replaceOp(op, recurrence.getResults().drop_back());
    return success();
  }

  const TargetInfo &target;
};

} // namespace

void populateRecurrentLowering(RewritePatternSet &patterns,
                               const TargetInfo &target) {
  patterns.add<LowerRecurrent<LstmOp>, LowerRecurrent<GruOp>,
               LowerRecurrent<RnnOp>>(patterns.getContext(), target);
}

} // namespace graven
