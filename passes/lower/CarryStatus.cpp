//===- CarryStatus.cpp - checks as one more result ------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the collection of the checks of a function into one
// status result. A check inside a branch or a loop is carried out of it, so
// that it counts when, and only when, it has run.
//===----------------------------------------------------------------------===//

#include "passes/lower/CarryStatus.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "passes/lower/LowerUtils.h"
#include "passes/lower/ScalarFormulas.h"

using namespace mlir;

namespace graven {
namespace {

/// tensor<1xi32>: non-zero where one of the statuses is.
Value anyOf(OpBuilder &builder, Location loc, ArrayRef<Value> statuses) {
  if (statuses.size() == 1)
    return statuses.front();
  SmallVector<AffineMap> maps(statuses.size(),
                              builder.getMultiDimIdentityMap(1));
  return mapElements(builder, loc, {1}, builder.getI32Type(), statuses, maps,
                     [](OpBuilder &b, Location at, ValueRange args) {
                       Value all = args[0];
                       for (Value more : args.drop_front())
                         all = arith::OrIOp::create(b, at, all, more);
                       return all;
                     });
}

/// The status of nothing.
Value good(OpBuilder &builder, Location loc) {
  return filledTensor(builder, loc, {1},
                      emitConstant(builder, loc, builder.getI32Type(), 0));
}

Value carryOut(Operation *op);

/// The status of all checks in the block, at its end; null when there is none.
Value statusOf(Block &block) {
  SmallVector<Value> statuses;
  for (Operation &op : llvm::make_early_inc_range(block)) {
    if (op.removeAttr(statusAttrName))
      statuses.push_back(op.getResult(0));
    else if (Value carried = carryOut(&op))
      statuses.push_back(carried);
  }
  if (statuses.empty())
    return {};
  Operation *end = block.getTerminator();
  OpBuilder builder(end);
  return anyOf(builder, end->getLoc(), statuses);
}

void appendOperand(Operation *terminator, Value value) {
  terminator->insertOperands(terminator->getNumOperands(), value);
}

Value carryOut(scf::IfOp op) {
  if (op.getElseRegion().empty())
    return {};
  Value taken = statusOf(*op.thenBlock()), other = statusOf(*op.elseBlock());
  if (!taken && !other)
    return {};
  OpBuilder builder(op);
  SmallVector<Type> types(op.getResultTypes());
  types.push_back((taken ? taken : other).getType());
  auto made = scf::IfOp::create(builder, op.getLoc(), types, op.getCondition(),
                                /*withElseRegion=*/true);
  made.getThenRegion().takeBody(op.getThenRegion());
  made.getElseRegion().takeBody(op.getElseRegion());
  for (auto [block, status] : {std::pair(made.thenBlock(), taken),
                               std::pair(made.elseBlock(), other)}) {
    Operation *end = block->getTerminator();
    OpBuilder atEnd(end);
    appendOperand(end, status ? status : good(atEnd, op.getLoc()));
  }
  op->replaceAllUsesWith(made.getResults().drop_back());
  op.erase();
  return made.getResults().back();
}

Value carryOut(scf::WhileOp op) {
  Value status = statusOf(*op.getAfterBody());
  if (!status)
    return {};
  OpBuilder builder(op);
  Location loc = op.getLoc();
  SmallVector<Value> inits(op.getInits());
  inits.push_back(good(builder, loc));
  SmallVector<Type> types(op.getResultTypes());
  types.push_back(status.getType());
  auto made = scf::WhileOp::create(builder, loc, types, inits);
  made.getBefore().takeBody(op.getBefore());
  made.getAfter().takeBody(op.getAfter());
  appendOperand(made.getConditionOp(),
                made.getBeforeBody()->addArgument(status.getType(), loc));
  Value before = made.getAfterBody()->addArgument(status.getType(), loc);
  Operation *end = made.getAfterBody()->getTerminator();
  OpBuilder atEnd(end);
  appendOperand(end, anyOf(atEnd, loc, {before, status}));
  op->replaceAllUsesWith(made.getResults().drop_back());
  op.erase();
  return made.getResults().back();
}

Value carryOut(scf::ForOp op) {
  Value status = statusOf(*op.getBody());
  if (!status)
    return {};
  OpBuilder builder(op);
  Location loc = op.getLoc();
  SmallVector<Value> inits(op.getInitArgs());
  inits.push_back(good(builder, loc));
  auto made = scf::ForOp::create(builder, loc, op.getLowerBound(),
                                 op.getUpperBound(), op.getStep(), inits,
                                 /*bodyBuilder=*/nullptr, op.getUnsignedCmp());
  made->setDiscardableAttrs(op->getDiscardableAttrDictionary());
  made.getRegion().takeBody(op.getRegion());
  Value before = made.getBody()->addArgument(status.getType(), loc);
  Operation *end = made.getBody()->getTerminator();
  OpBuilder atEnd(end);
  appendOperand(end, anyOf(atEnd, loc, {before, status}));
  op->replaceAllUsesWith(made.getResults().drop_back());
  op.erase();
  return made.getResults().back();
}

Value carryOut(Operation *op) {
  if (auto branch = dyn_cast<scf::IfOp>(op))
    return carryOut(branch);
  if (auto loop = dyn_cast<scf::WhileOp>(op))
    return carryOut(loop);
  if (auto loop = dyn_cast<scf::ForOp>(op))
    return carryOut(loop);
  return {};
}

} // namespace

void returnStatus(func::FuncOp function) {
  Value status = statusOf(function.getBody().front());
  if (!status)
    return;
  Operation *terminator = function.getBody().front().getTerminator();
  appendOperand(terminator, status);
  Builder builder(function.getContext());
  (void)function.insertResult(function.getNumResults(), status.getType(),
                              builder.getDictionaryAttr(builder.getNamedAttr(
                                  statusAttrName, builder.getUnitAttr())));
}

} // namespace graven
