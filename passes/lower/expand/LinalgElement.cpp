//===- LinalgElement.cpp - one element of a linalg operation ----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the loops and accesses of a linalg operation, and its
// region in scalar form.

#include "passes/lower/expand/LinalgElement.h"
#include "passes/lower/expand/Widen.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;

namespace graven::expand {

LoopNest nestOf(linalg::LinalgOp op) {
  SmallVector<Strides> operands;
  SmallVector<bool> pinned(op.getNumLoops(), false);
  for (OpOperand &operand : op->getOpOperands()) {
    auto type = dyn_cast<MemRefType>(operand.get().getType());
    if (!type)
      continue;
    AffineMap map = op.getMatchingIndexingMap(&operand);
    Strides strides;
    int64_t offset = 0;
    if (linearStrides(type, map, strides, offset)) {
      operands.push_back(strides);
      continue;
    }
    for (unsigned d = 0; d < map.getNumDims(); ++d)
      pinned[d] = true;
  }
  op.getBlock()->walk(
      [&](linalg::IndexOp index) { pinned[index.getDim()] = true; });
  SmallVector<bool> parallel;
  for (utils::IteratorType type : op.getIteratorTypesArray())
    parallel.push_back(type == utils::IteratorType::parallel);
  return LoopNest(op.getStaticLoopRanges(), parallel, operands, pinned);
}

FailureOr<SmallVector<Access>> accessesOf(Emitter &e, linalg::LinalgOp op) {
  if (!op.hasPureBufferSemantics() || op.hasDynamicShape())
    return op->emitOpError("expects static memrefs");
  SmallVector<Access> accesses;
  for (OpOperand &operand : op->getOpOperands()) {
    Access access{{}, op.getMatchingIndexingMap(&operand), false, {}, 0};
    if (auto type = dyn_cast<MemRefType>(operand.get().getType())) {
      FailureOr<Buffer> buffer = e.buffer(operand.get());
      if (failed(buffer))
        return failure();
      access.buffer = *buffer;
      access.linear =
          linearStrides(type, access.map, access.strides, access.offset);
    }
    accesses.push_back(std::move(access));
  }
  return accesses;
}

void LinalgElement::emit(SmallVectorImpl<Idx> &ivs) {
  SmallVector<Value> carried;
  if (nest.parallel < nest.loops.size())
    carried = begin(ivs);
  store(ivs, reduction(nest.parallel, ivs, carried));
}

SmallVector<Value> LinalgElement::begin(ArrayRef<Idx> ivs) {
  SmallVector<Value> values;
  for (OpOperand &init : op.getDpsInitsMutable())
    values.push_back(loadOperand(init, ivs));
  return values;
}

void LinalgElement::store(ArrayRef<Idx> ivs, ValueRange results) {
  for (auto [i, init] : llvm::enumerate(op.getDpsInitsMutable())) {
    const Access &access = accesses[init.getOperandNumber()];
    e.store(results[i], access.buffer, access.index(e, nest, ivs));
  }
}

SmallVector<Value> LinalgElement::reduction(size_t depth,
                                            SmallVectorImpl<Idx> &ivs,
                                            ValueRange carried) {
  if (depth == nest.loops.size())
    return body(ivs, carried);
  return e.loop(Idx(int64_t(0)), Idx(nest.loops[depth].extent), 1, carried,
                [&](Idx iv, ValueRange values) {
                  ivs[depth] = iv;
                  return reduction(depth + 1, ivs, values);
                });
}

/// The region once; `carried` stands for the outputs of a reduction.
SmallVector<Value> LinalgElement::body(ArrayRef<Idx> ivs, ValueRange carried) {
  Block *block = op.getBlock();
  OpBuilder &builder = e.builder();
  IRMapping map;
  for (OpOperand &operand : op->getOpOperands()) {
    BlockArgument argument = op.getMatchingBlockArgument(&operand);
    if (argument.use_empty())
      continue;
    if (op.isDpsInit(&operand) && !carried.empty())
      map.map(argument,
              carried[operand.getOperandNumber() - op.getNumDpsInputs()]);
    else
      map.map(argument, loadOperand(operand, ivs));
  }
  for (Operation &inner : block->without_terminator()) {
    if (auto index = dyn_cast<linalg::IndexOp>(inner)) {
      map.map(index.getResult(), e.get(nest.original(ivs, index.getDim())));
      continue;
    }
    relax(builder.clone(inner, map), !carried.empty() && combines(inner));
  }
  SmallVector<Value> results;
  for (Value value : block->getTerminator()->getOperands())
    results.push_back(map.lookupOrDefault(value));
  return results;
}

/// True for the operation that adds to, or multiplies, a carried value: its
/// order is ours to choose.
bool LinalgElement::combines(Operation &inner) {
  if (!isa<arith::AddFOp, arith::MulFOp>(inner))
    return false;
  return llvm::any_of(inner.getOperands(), [&](Value operand) {
    auto argument = dyn_cast<BlockArgument>(operand);
    return argument && argument.getOwner() == op.getBlock() &&
           argument.getArgNumber() >= op.getNumDpsInputs();
  });
}

Value LinalgElement::loadOperand(OpOperand &operand, ArrayRef<Idx> ivs) {
  if (op.isScalar(&operand))
    return operand.get();
  if (Value value = provided.lookup(operand.getOperandNumber()))
    return value;
  const Access &access = accesses[operand.getOperandNumber()];
  return e.load(access.buffer, access.index(e, nest, ivs));
}

} // namespace graven::expand
