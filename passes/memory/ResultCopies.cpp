//===- ResultCopies.cpp - copies into the result arguments ------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the order of the copies that end a function. The
// analysis of one-shot bufferization does not see that materializing a result
// in a memref writes it, so it lets another result live there until the end.
//===----------------------------------------------------------------------===//
#include "passes/memory/ResultCopies.h"

#include "mlir/Dialect/Bufferization/Transforms/BufferViewFlowAnalysis.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;

namespace graven::memory {

SmallVector<linalg::CopyOp> takeResultCopies(func::FuncOp function) {
  SmallVector<linalg::CopyOp> copies;
  Operation *mark = nullptr;
  for (Operation &op : function.front()) {
    if (op.hasAttr(kResultsBeginAttr))
      mark = &op;
    else if (auto copy = dyn_cast<linalg::CopyOp>(op); copy && mark)
      copies.push_back(copy);
  }
  if (mark)
    mark->erase();
  return copies;
}

namespace {
/// A copy with the arguments its two sides may be.
struct ResultCopy {
  linalg::CopyOp op;
  DenseSet<Value> reads;
  DenseSet<Value> writes;
};
} // namespace

static DenseSet<Value> argumentsOf(func::FuncOp function,
                                   const BufferViewFlowAnalysis &flow,
                                   Value value) {
  DenseSet<Value> arguments;
  for (Value origin : flow.resolveReverse(value))
    if (auto argument = dyn_cast<BlockArgument>(origin);
        argument && argument.getOwner() == &function.front())
      arguments.insert(argument);
  return arguments;
}

/// Whether another copy reads what this one writes.
static bool isStillRead(const ResultCopy &copy, ArrayRef<ResultCopy> copies) {
  return llvm::any_of(copies, [&](const ResultCopy &other) {
    return other.op != copy.op &&
           llvm::any_of(copy.writes, [&](Value argument) {
             return other.reads.contains(argument);
           });
  });
}

void orderResultCopies(func::FuncOp function, ArrayRef<linalg::CopyOp> copies) {
  BufferViewFlowAnalysis flow(function);
  SmallVector<ResultCopy> waiting;
  for (linalg::CopyOp op : copies)
    waiting.push_back({op, argumentsOf(function, flow, op.getInputs().front()),
                       argumentsOf(function, flow, op.getOutputs().front())});
  Operation *end = function.front().getTerminator();
  while (!waiting.empty()) {
    auto *ready = llvm::find_if(waiting, [&](const ResultCopy &copy) {
      return !isStillRead(copy, waiting);
    });
    if (ready != waiting.end()) {
      ready->op->moveBefore(end);
      waiting.erase(ready);
      continue;
    }
    // A circle: read the first one's source before anything is written.
    ResultCopy &first = waiting.front();
    OpBuilder builder(waiting.front().op);
    Value source = first.op.getInputs().front();
    auto type = cast<MemRefType>(source.getType());
    Value staged = memref::AllocOp::create(
        builder, first.op.getLoc(),
        MemRefType::get(type.getShape(), type.getElementType()));
    auto read =
        linalg::CopyOp::create(builder, first.op.getLoc(), source, staged);
    read->moveBefore(end);
    staged.getDefiningOp()->moveBefore(read);
    first.op.getInputsMutable().assign(staged);
    first.reads.clear();
  }
}

} // namespace graven::memory
