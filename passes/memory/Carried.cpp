//===- Carried.cpp - tensors that branches and loops carry ------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the buffers of structured control flow: what a branch
// gives is written to one buffer made before it, and what a loop carries stays
// in one buffer through all iterations. So every buffer has one place and the
// identity layout.
//===----------------------------------------------------------------------===//
#include "passes/memory/Destinations.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;

namespace graven::memory {

/// Whether the result is what the op made of its destination, and if so the
/// operand that is the destination.
static OpOperand *destinationOf(OpResult result) {
  auto op = dyn_cast<DestinationStyleOpInterface>(result.getOwner());
  return op && op.hasPureTensorSemantics() ? op.getTiedOpOperand(result)
                                           : nullptr;
}

/// Whether `value` is `origin` written to in place, op by op, with nobody else
/// looking at what is overwritten.
static bool isWrittenInto(Value value, Value origin) {
  while (value != origin) {
    auto result = dyn_cast<OpResult>(value);
    OpOperand *destination = result ? destinationOf(result) : nullptr;
    if (!destination || !destination->get().hasOneUse())
      return false;
    value = destination->get();
  }
  return true;
}

/// Whether the value is computed in the block into a buffer of its own.
static bool isFresh(Value value, Block *block) {
  for (;;) {
    Operation *op = value.getDefiningOp();
    if (!op || op->getBlock() != block)
      return false;
    if (isa<tensor::EmptyOp, bufferization::AllocTensorOp>(op))
      return true;
    if (isa<tensor::CollapseShapeOp, tensor::ExpandShapeOp>(op)) {
      value = op->getOperand(0);
      continue;
    }
    OpOperand *destination = destinationOf(cast<OpResult>(value));
    if (!destination)
      return false;
    value = destination->get();
  }
}

/// A copy of the value in a buffer of its own.
static Value stage(OpBuilder &builder, Value value) {
  return bufferization::AllocTensorOp::create(
      builder, value.getLoc(), cast<RankedTensorType>(value.getType()),
      ValueRange(), value);
}

/// The value copied into `destination`.
static Value copyInto(OpBuilder &builder, Value value, Value destination) {
  return linalg::CopyOp::create(builder, value.getLoc(), value, destination)
      .getResult(0);
}

static void writeBranchesTo(scf::IfOp op) {
  OpBuilder before(op);
  for (auto [index, result] : llvm::enumerate(op.getResults())) {
    auto type = dyn_cast<RankedTensorType>(result.getType());
    if (!type)
      continue;
    Value destination = bufferization::AllocTensorOp::create(
        before, op.getLoc(), type, ValueRange());
    for (Block *block : {op.thenBlock(), op.elseBlock()}) {
      Operation *yield = block->getTerminator();
      OpBuilder builder(yield);
      yield->setOperand(
          index, copyInto(builder, yield->getOperand(index), destination));
    }
  }
}

/// Writes each next value to the tensor carried into the iteration. One carried
/// tensor may become another's next value: all are read before any is written.
static void writeBack(Operation *yield, ArrayRef<Value> carried) {
  OpBuilder builder(yield);
  SmallVector<std::pair<OpOperand *, Value>> moved;
  for (auto [operand, tensor] :
       llvm::zip_equal(yield->getOpOperands(), carried))
    if (isa<RankedTensorType>(tensor.getType()) &&
        !isWrittenInto(operand.get(), tensor))
      moved.emplace_back(&operand, tensor);
  for (auto [operand, tensor] : moved)
    if (!isFresh(operand->get(), yield->getBlock()))
      operand->set(stage(builder, operand->get()));
  for (auto [operand, tensor] : moved)
    operand->set(copyInto(builder, operand->get(), tensor));
}

/// What a loop begins with has a buffer that the loop may write.
static void stageInits(Operation *loop, MutableOperandRange inits) {
  OpBuilder builder(loop);
  for (OpOperand &init : inits)
    if (isa<RankedTensorType>(init.get().getType()) &&
        !(init.get().hasOneUse() && isFresh(init.get(), loop->getBlock())))
      init.set(stage(builder, init.get()));
}

static void writeBack(scf::ForOp loop) {
  stageInits(loop, loop.getInitArgsMutable());
  writeBack(loop.getBody()->getTerminator(),
            SmallVector<Value>(loop.getRegionIterArgs()));
}

/// What the condition passes on where it is not an argument: a value from
/// outside. Null where there is another one.
static std::optional<SmallVector<int64_t>>
positionsOfPassed(scf::WhileOp loop) {
  SmallVector<int64_t> positions;
  for (Value passed : loop.getConditionOp().getArgs()) {
    auto argument = dyn_cast<BlockArgument>(passed);
    if (argument && argument.getOwner() == loop.getBeforeBody())
      positions.push_back(argument.getArgNumber());
    else if (passed.getParentBlock() != loop.getBeforeBody())
      positions.push_back(-1);
    else
      return std::nullopt;
  }
  return positions;
}

/// The loop with all arguments of its first block passed on in their order,
/// which is how bufferization knows what a carried tensor is; canonicalization
/// drops those that the body does not use.
static scf::WhileOp passAllOn(scf::WhileOp loop) {
  auto positions = positionsOfPassed(loop);
  if (!positions)
    return loop;
  OpBuilder builder(loop);
  Location loc = loop.getLoc();
  SmallVector<Type> types(loop.getInits().getTypes());
  auto made = scf::WhileOp::create(builder, loc, types, loop.getInits());
  scf::ConditionOp condition = loop.getConditionOp();
  SmallVector<Value> outside(condition.getArgs());
  made.getBefore().takeBody(loop.getBefore());
  condition.getArgsMutable().assign(made.getBeforeArguments());
  made.getAfter().takeBody(loop.getAfter());
  Block *body = made.getAfterBody();
  unsigned count = body->getNumArguments();
  body->addArguments(types, SmallVector<Location>(types.size(), loc));
  auto replace = [&](Value old, int64_t position, ValueRange now, size_t i) {
    old.replaceAllUsesWith(position < 0 ? outside[i] : now[position]);
  };
  for (auto [i, position] : llvm::enumerate(*positions)) {
    replace(body->getArgument(i), position,
            body->getArguments().drop_front(count), i);
    replace(loop.getResult(i), position, made.getResults(), i);
  }
  body->eraseArguments(0, count);
  loop.erase();
  return made;
}

static void writeBack(scf::WhileOp loop) {
  loop = passAllOn(loop);
  stageInits(loop, loop.getInitsMutable());
  if (loop.getAfterArguments().size() == loop.getInits().size())
    writeBack(loop.getAfterBody()->getTerminator(),
              SmallVector<Value>(loop.getAfterArguments()));
}

/// A part of another tensor, whose buffer has strides of its own.
static bool isPart(Value value) {
  while (Operation *op = value.getDefiningOp()) {
    if (isa<tensor::ExtractSliceOp>(op))
      return true;
    if (!isa<tensor::CollapseShapeOp, tensor::ExpandShapeOp>(op))
      return false;
    value = op->getOperand(0);
  }
  return false;
}

/// A branch without code is a choice between two buffers, which have one layout
/// then.
static void stageParts(arith::SelectOp op) {
  if (!isa<RankedTensorType>(op.getType()))
    return;
  OpBuilder builder(op);
  for (OpOperand *side :
       {&op.getTrueValueMutable(), &op.getFalseValueMutable()})
    if (isPart(side->get()))
      side->set(stage(builder, side->get()));
}

void writeBackCarriedTensors(func::FuncOp function) {
  function.walk([](Operation *op) {
    if (auto branch = dyn_cast<scf::IfOp>(op))
      writeBranchesTo(branch);
    else if (auto choice = dyn_cast<arith::SelectOp>(op))
      stageParts(choice);
    else if (auto loop = dyn_cast<scf::ForOp>(op))
      writeBack(loop);
    else if (auto repeat = dyn_cast<scf::WhileOp>(op))
      writeBack(repeat);
  });
}

} // namespace graven::memory
