//===- KernelRecurrent.cpp - verifiers of recurrences -----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the verifiers and the memory effects of
// kernel.recurrence and of its single step.

#include "dialects/kernel/KernelVerify.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace graven::kernel {

using namespace verify;

namespace {

/// What both operations have: extents [T, B, D, H], and operands of them.
template <typename OpTy>
LogicalResult verifyRecurrence(OpTy op, Value y, Value scratch,
                               ValueRange states, size_t stateCount) {
  if (op.getGates() < 1)
    return op.emitOpError("C1: expects at least one gate, got ")
           << op.getGates();
  if (op.getMr() < 1)
    return op.emitOpError("C3: expects mr >= 1, got ") << op.getMr();
  if (failed(verifyRank(op, "x", op.getX(), 3)) ||
      failed(verifyRank(op, "r", op.getR(), 6)) ||
      failed(verifyRank(op, "scratch", scratch, 3)))
    return failure();
  Type element = getElementTypeOrSelf(op.getX());
  for (Value operand : op->getOperands()) {
    Type other = getElementTypeOrSelf(operand);
    if (operand == op.getR())
      other = computeType(other);
    if (!operand.getType().isIndex() && other != element)
      return op.emitOpError("C1: expects equal element types, got ")
             << element << " and " << getElementTypeOrSelf(operand);
  }
  ArrayRef<int64_t> x = shapeOf(op.getX()), r = shapeOf(op.getR());
  int64_t directions = r[0], hidden = r[2], units = r[3] * r[5],
          gates = op.getGates();
  if (x[0] < 1 || directions < 1 || hidden < 1 || units < 1)
    return op.emitOpError("C2: expects at least one step, direction, unit and "
                          "lane, got ")
           << op.getX().getType() << " and " << op.getR().getType();
  if (failed(verifyShape(op, "C2", "x", op.getX(),
                         {x[0], x[1], directions * gates * hidden})) ||
      failed(verifyShape(op, "C2", "r", op.getR(),
                         {directions, llvm::divideCeilSigned(hidden, units),
                          hidden, r[3], gates, r[5]})) ||
      failed(
          verifyShape(op, "C2", "y", y, {x[0], x[1], directions * hidden})) ||
      failed(verifyShape(op, "C2", "scratch", scratch, {2, x[1], hidden})))
    return failure();
  for (Value state : states)
    if (failed(
            verifyShape(op, "C2", "states", state, {directions, x[1], hidden})))
      return failure();
  for (Value param : op.getParams())
    if (failed(verifyShape(op, "C2", "params", param, {directions, hidden})))
      return failure();
  Block &block = op.getBody().front();
  size_t count = 2 * gates + stateCount + op.getParams().size();
  SmallVector<Type> arguments(count, element);
  if (block.getArgumentTypes() != TypeRange(arguments))
    return op.emitOpError("C4: expects ")
           << count << " region arguments of type " << element << ", got "
           << block.getArgumentTypes();
  auto yield = block.empty() ? YieldOp() : dyn_cast<YieldOp>(block.back());
  if (!yield || yield.getOperandTypes() !=
                    TypeRange(ArrayRef(arguments).take_front(stateCount)))
    return op.emitOpError("C4: expects the region to yield ")
           << stateCount << " states of type " << element;
  return verifyElementwise(block, "a cell");
}

} // namespace

LogicalResult RecurrenceOp::verify() {
  size_t states = getInitial().size();
  if (states < 1)
    return emitOpError("C1: expects at least one state");
  if (getOuts().size() != states + 2)
    return emitOpError("C2: expects y, ")
           << states << " last states and scratch as destinations, got "
           << getOuts().size();
  if (failed(verifyDestination(*this, getOuts())) ||
      failed(verifyRecurrence(*this, getOuts().front(), getOuts().back(),
                              getOuts().drop_front().drop_back(), states)))
    return failure();
  ArrayRef<int64_t> r = shapeOf(getR());
  for (Value initial : getInitial())
    if (failed(verifyShape(*this, "C2", "initial", initial,
                           {r[0], shapeOf(getX())[1], r[2]})))
      return failure();
  if (int64_t(getReverse().size()) != r[0])
    return emitOpError("C3: expects ")
           << r[0] << " entries of 'reverse', got " << getReverse().size();
  return success();
}

LogicalResult RecurrenceStepOp::verify() {
  if (getOuts().size() < 2)
    return emitOpError("C2: expects y and scratch as destinations, got ")
           << getOuts().size();
  return verifyRecurrence(*this, getY(), getScratch(), getStates(),
                          getStates().size() + 1);
}

using Effects = SmallVectorImpl<MemoryEffects::EffectInstance>;

void RecurrenceOp::getEffects(Effects &effects) {
  detail::addDestinationEffects(*this, effects);
}

void RecurrenceStepOp::getEffects(Effects &effects) {
  detail::addDestinationEffects(*this, effects);
  for (OpOperand &operand : llvm::drop_begin(getOutsMutable()))
    effects.emplace_back(MemoryEffects::Read::get(), &operand,
                         SideEffects::DefaultResource::get());
}

} // namespace graven::kernel
