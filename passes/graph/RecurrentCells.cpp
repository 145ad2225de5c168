//===- RecurrentCells.cpp - one step of a recurrent unit --------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the Nodes of the cells of lstm, gru and rnn.
//===----------------------------------------------------------------------===//

#include "passes/graph/RecurrentCells.h"
#include "passes/graph/GraphUtils.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace graven {

Value CellBuilder::add(Value x, Value y) { return AddOp::create(b, loc, x, y); }
Value CellBuilder::sub(Value x, Value y) { return SubOp::create(b, loc, x, y); }
Value CellBuilder::mul(Value x, Value y) { return MulOp::create(b, loc, x, y); }

Value CellBuilder::number(Value like, double value) {
  return scalarConstant(b, loc, tensorType(like).getElementType(), value,
                        tensorType(like).getRank());
}

Value CellBuilder::apply(const GateFunction &gate, double clip, Value x) {
  if (clip > 0)
    x = ClampOp::create(b, loc, x, number(x, -clip), number(x, clip));
  return function(gate, x);
}

Value CellBuilder::function(const GateFunction &gate, Value x) {
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

template <class OpTy> static bool forgetsByInput(OpTy) { return false; }
template <> bool forgetsByInput(LstmOp op) { return op.getInputForget(); }

template <class OpTy>
CellFunctions cellFunctionsOf(OpTy op, int64_t direction) {
  return {gateFunctionsOf(op, direction), op.getClip().convertToDouble(),
          forgetsByInput(op)};
}
template CellFunctions cellFunctionsOf(LstmOp, int64_t);
template CellFunctions cellFunctionsOf(GruOp, int64_t);
template CellFunctions cellFunctionsOf(RnnOp, int64_t);

SmallVector<Value, 2> lstmCell(CellBuilder e, const CellFunctions &cell,
                               GateValue sum, GateValue peephole, Value c) {
  auto gate = [&](int64_t index, int64_t hole, Value state) {
    Value v = sum(index);
    if (peephole && hole >= 0)
      v = e.add(v, e.mul(peephole(hole), state));
    return e.apply(cell.functions[index == 2 ? 1 : 0], cell.clip, v);
  };
  Value in = gate(0, 0, c);
  Value forget = cell.inputForget ? e.sub(e.number(in, 1), in) : gate(1, 1, c);
  Value next = e.add(e.mul(forget, c), e.mul(in, gate(2, -1, c)));
  Value out = gate(3, 2, next);
  return {e.mul(out, e.apply(cell.functions[2], 0, next)), next};
}

Value gruMix(CellBuilder e, Value update, Value fresh, Value h) {
  Value rest = e.sub(e.number(update, 1), update);
  return e.add(e.mul(rest, fresh), e.mul(update, h));
}

Value gruCell(CellBuilder e, const CellFunctions &cell, GateValue sum,
              GateValue input, GateValue product, Value h) {
  Value reset = e.apply(cell.functions[0], cell.clip, sum(0));
  Value update = e.apply(cell.functions[0], cell.clip, sum(1));
  Value fresh = e.apply(cell.functions[1], cell.clip,
                        e.add(input(2), e.mul(reset, product(2))));
  return gruMix(e, update, fresh, h);
}

Value rnnCell(CellBuilder e, const CellFunctions &cell, GateValue sum) {
  return e.apply(cell.functions[0], cell.clip, sum(0));
}

static bool isSame(ArrayRef<GateFunction> a, ArrayRef<GateFunction> b) {
  return llvm::equal(a, b, [](const GateFunction &x, const GateFunction &y) {
    return x.function == y.function && x.alpha == y.alpha && x.beta == y.beta;
  });
}

template <class OpTy> static StringRef obstacle(OpTy op) {
  if (op.getSeqLens())
    return "sequences have lengths of their own";
  if (directionsOf(op.getDirection()) == 2 &&
      !isSame(gateFunctionsOf(op, 0), gateFunctionsOf(op, 1)))
    return "the directions have other activations";
  return {};
}

StringRef obstacleToKernel(Operation *op) {
  for (Type type : llvm::concat<Type>(SmallVector<Type>(op->getOperandTypes()),
                                      SmallVector<Type>(op->getResultTypes())))
    if (!cast<RankedTensorType>(type).hasStaticShape())
      return "an extent is not known";
  auto y = cast<RankedTensorType>(op->getResult(0).getType());
  if (y.getNumElements() == 0)
    return "it is empty";
  if (cast<RankedTensorType>(op->getOperand(0).getType()).getNumElements() == 0)
    return "its inputs are empty";
  if (!y.getElementType().isF32() && !y.getElementType().isF64())
    return "states are kept in the accumulator's type";
  return TypeSwitch<Operation *, StringRef>(op)
      .Case([](LstmOp lstm) { return obstacle(lstm); })
      .Case([](GruOp gru) -> StringRef {
        if (!gru.getLinearBeforeReset())
          return "the reset gate stands before a product";
        return obstacle(gru);
      })
      .Case([](RnnOp rnn) { return obstacle(rnn); })
      .Default([](Operation *) { return "it is no recurrent layer"; });
}

} // namespace graven
