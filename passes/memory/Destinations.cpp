//===- Destinations.cpp - where tensors are to be computed ------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the steps that prepare a function on tensors for
// one-shot bufferization: its boundary, and the destinations inside.
//===----------------------------------------------------------------------===//
#include "passes/memory/Destinations.h"

#include "dialects/kernel/Kernel.h"
#include "passes/memory/Passes.h"
#include "passes/memory/ResultCopies.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;

namespace graven::memory {

static MemRefType bufferOf(RankedTensorType type) {
  return MemRefType::get(type.getShape(), type.getElementType());
}

/// The type as a ranked tensor of static shape; emits an error where it is
/// another tensor, and is null where it is none.
static FailureOr<RankedTensorType> asStaticTensor(func::FuncOp function,
                                                  Type type, StringRef what,
                                                  unsigned index) {
  if (!isa<TensorType>(type))
    return RankedTensorType();
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (tensor && tensor.hasStaticShape())
    return tensor;
  return function.emitError() << what << " " << index << " has type " << type
                              << ", expected a ranked tensor of static shape";
}

static LogicalResult readArguments(func::FuncOp function) {
  OpBuilder builder(function.getBody());
  Block &entry = function.front();
  for (BlockArgument argument : entry.getArguments()) {
    FailureOr<RankedTensorType> type = asStaticTensor(
        function, argument.getType(), "argument", argument.getArgNumber());
    if (failed(type))
      return failure();
    if (!*type)
      continue;
    argument.setType(bufferOf(*type));
    auto tensor = bufferization::ToTensorOp::create(
        builder, argument.getLoc(), *type, argument, /*restrict=*/true);
    argument.replaceAllUsesExcept(tensor, tensor);
  }
  return success();
}

/// The value before the reshapes that make `value`, and `buffer` reshaped the
/// other way at the builder's point to take it.
static std::pair<Value, Value> peelReshapes(OpBuilder &builder, Value value,
                                            Value buffer) {
  for (;;) {
    Location loc = value.getLoc();
    if (auto op = value.getDefiningOp<tensor::CollapseShapeOp>()) {
      if (!op.getSrcType().hasStaticShape())
        return {value, buffer};
      buffer =
          memref::ExpandShapeOp::create(builder, loc, bufferOf(op.getSrcType()),
                                        buffer, op.getReassociationIndices());
      value = op.getSrc();
    } else if (auto op = value.getDefiningOp<tensor::ExpandShapeOp>()) {
      buffer = memref::CollapseShapeOp::create(builder, loc, buffer,
                                               op.getReassociationIndices());
      value = op.getSrc();
    } else {
      return {value, buffer};
    }
  }
}

/// Where a new output argument goes: before the weights if they are there.
static unsigned outputPosition(func::FuncOp function) {
  for (unsigned i = 0; i < function.getNumArguments(); ++i)
    if (function.getArgAttr(i, kernel::kWeightsAttr))
      return i;
  return function.getNumArguments();
}

static LogicalResult writeResults(func::FuncOp function) {
  auto terminator = cast<func::ReturnOp>(function.front().getTerminator());
  unsigned position = outputPosition(function);
  OpBuilder atStart(function.getBody());
  OpBuilder atEnd(terminator);
  auto mark = arith::ConstantOp::create(atEnd, terminator.getLoc(),
                                        atEnd.getBoolAttr(false));
  mark->setAttr(kResultsBeginAttr, atEnd.getUnitAttr());
  for (auto [index, value] : llvm::enumerate(terminator.getOperands())) {
    FailureOr<RankedTensorType> type =
        asStaticTensor(function, value.getType(), "result", index);
    if (failed(type))
      return failure();
    if (!*type)
      return function.emitError() << "result " << index << " has type "
                                  << value.getType() << ", expected a tensor";
    Location loc = terminator.getLoc();
    if (failed(function.insertArgument(position, bufferOf(*type),
                                       function.getResultAttrDict(index), loc)))
      return failure();
    auto [source, buffer] =
        peelReshapes(atStart, value, function.getArgument(position));
    auto store = bufferization::MaterializeInDestinationOp::create(
        atEnd, loc, source, buffer);
    store.setRestrict(true);
    store.setWritable(true);
    ++position;
  }
  terminator->setOperands({});
  return success();
}

LogicalResult passTensorsAsBuffers(func::FuncOp function) {
  if (!function.getBody().hasOneBlock())
    return function.emitError()
           << "has " << function.getBody().getBlocks().size()
           << " blocks, expected 1";
  if (failed(readArguments(function)))
    return failure();
  unsigned inputs = outputPosition(function);
  unsigned outputs = function.getNumResults();
  if (failed(writeResults(function)))
    return failure();
  function.setType(FunctionType::get(function.getContext(),
                                     function.front().getArgumentTypes(), {}));
  function.removeResAttrsAttr();
  Builder builder(function.getContext());
  function->setAttr(kNumInputsAttr, builder.getI64IntegerAttr(inputs));
  function->setAttr(kNumOutputsAttr, builder.getI64IntegerAttr(outputs));
  return success();
}

/// Whether the use is the destination of an op that may write there.
static bool isDestination(OpOperand &use) {
  auto op = dyn_cast<DestinationStyleOpInterface>(use.getOwner());
  return op && op.isDpsInit(&use);
}

/// Gives every op that writes into a filled tensor a fill of its own.
static void splitFills(func::FuncOp function) {
  SmallVector<linalg::FillOp> fills;
  function.walk([&](linalg::FillOp op) {
    if (op.hasPureTensorSemantics() && !op->hasOneUse() &&
        op.getOutputs().front().getDefiningOp<tensor::EmptyOp>())
      fills.push_back(op);
  });
  for (linalg::FillOp fill : fills) {
    for (OpOperand &use : llvm::make_early_inc_range(fill->getUses())) {
      if (!isDestination(use))
        continue;
      OpBuilder builder(use.getOwner());
      use.set(builder.clone(*fill)->getResult(0));
    }
    if (fill->use_empty())
      fill->erase();
  }
}

void splitEmptyTensors(func::FuncOp function) {
  splitFills(function);
  SmallVector<tensor::EmptyOp> empties;
  function.walk([&](tensor::EmptyOp op) { empties.push_back(op); });
  for (tensor::EmptyOp empty : empties) {
    for (OpOperand &use : llvm::make_early_inc_range(empty->getUses())) {
      OpBuilder builder(empty);
      if (empty.getDynamicSizes().empty())
        builder.setInsertionPointToStart(use.getOwner()->getBlock());
      use.set(builder.clone(*empty)->getResult(0));
    }
    empty.erase();
  }
}

/// The insert_slice ops that build up one tensor, first to last, when each but
/// the last is used by the next only; `last` is used by no other insert_slice's
/// destination.
static SmallVector<tensor::InsertSliceOp> chainOf(tensor::InsertSliceOp last) {
  SmallVector<tensor::InsertSliceOp> chain{last};
  while (auto next =
             chain.back().getDest().getDefiningOp<tensor::InsertSliceOp>()) {
    if (!next->hasOneUse() || next->getBlock() != last->getBlock())
      break;
    chain.push_back(next);
  }
  std::reverse(chain.begin(), chain.end());
  return chain;
}

/// Whether two slices of one tensor, at static offsets and with steps of 1,
/// have no element in common.
static bool areDisjoint(tensor::InsertSliceOp a, tensor::InsertSliceOp b) {
  auto isPlain = [](tensor::InsertSliceOp op) {
    return llvm::none_of(op.getStaticOffsets(), ShapedType::isDynamic) &&
           llvm::none_of(op.getStaticSizes(), ShapedType::isDynamic) &&
           llvm::all_of(op.getStaticStrides(),
                        [](int64_t stride) { return stride == 1; });
  };
  if (!isPlain(a) || !isPlain(b))
    return false;
  for (auto [offsetA, sizeA, offsetB, sizeB] :
       llvm::zip_equal(a.getStaticOffsets(), a.getStaticSizes(),
                       b.getStaticOffsets(), b.getStaticSizes()))
    if (offsetA + sizeA <= offsetB || offsetB + sizeB <= offsetA)
      return true;
  return false;
}

/// The last of the op's operands' definitions in its own block, or null.
static Operation *lastDefinition(Operation *op) {
  Operation *last = nullptr;
  for (Value operand : op->getOperands()) {
    Operation *definition = operand.getDefiningOp();
    if (!definition || definition->getBlock() != op->getBlock())
      continue;
    if (!last || last->isBeforeInBlock(definition))
      last = definition;
  }
  return last;
}

static void moveUp(Operation *op) {
  if (Operation *last = lastDefinition(op))
    op->moveAfter(last);
  else
    op->moveBefore(op->getBlock(), op->getBlock()->begin());
}

/// Whether a's source is computed before b's.
static bool isSourceBefore(tensor::InsertSliceOp a, tensor::InsertSliceOp b) {
  auto inBlock = [&](tensor::InsertSliceOp op) {
    Operation *source = op.getSource().getDefiningOp();
    return source && source->getBlock() == op->getBlock() ? source : nullptr;
  };
  Operation *sourceA = inBlock(a);
  Operation *sourceB = inBlock(b);
  if (!sourceA || !sourceB)
    return !sourceA && sourceB;
  return sourceA->isBeforeInBlock(sourceB);
}

/// Puts the slices of a chain in the order in which their sources are
/// computed. The ops keep their places, which are dominated by all sources of
/// the chain only for the last; so all of them are moved there first.
static void reorder(ArrayRef<tensor::InsertSliceOp> chain) {
  for (size_t i = 0; i < chain.size(); ++i)
    for (size_t j = i + 1; j < chain.size(); ++j)
      if (!areDisjoint(chain[i], chain[j]))
        return;
  SmallVector<tensor::InsertSliceOp> sorted(chain);
  llvm::sort(sorted, [](tensor::InsertSliceOp a, tensor::InsertSliceOp b) {
    if (isSourceBefore(a, b) != isSourceBefore(b, a))
      return isSourceBefore(a, b);
    return a->isBeforeInBlock(b);
  });
  tensor::InsertSliceOp first = chain.front();
  tensor::InsertSliceOp last = chain.back();
  Value destination = first.getDest();
  // What used the end of the chain uses the new end.
  SmallVector<OpOperand *> uses;
  for (OpOperand &use : last->getUses())
    uses.push_back(&use);
  Operation *place = last->getNextNode();
  for (tensor::InsertSliceOp op : sorted) {
    op->moveBefore(place);
    op.getDestMutable().assign(destination);
    destination = op.getResult();
  }
  for (OpOperand *use : uses)
    use->set(destination);
}

void insertSlicesEarly(func::FuncOp function) {
  SmallVector<tensor::InsertSliceOp> lasts;
  function.walk([&](tensor::InsertSliceOp op) {
    auto extendsChain = [&](OpOperand &use) {
      auto next = dyn_cast<tensor::InsertSliceOp>(use.getOwner());
      return next && next.getDest() == op.getResult() &&
             next->getBlock() == op->getBlock();
    };
    if (!op->hasOneUse() || !extendsChain(*op->getUses().begin()))
      lasts.push_back(op);
  });
  for (tensor::InsertSliceOp last : lasts)
    reorder(chainOf(last));
  function.walk([](tensor::InsertSliceOp op) { moveUp(op); });
}

} // namespace graven::memory
