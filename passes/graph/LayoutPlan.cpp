//===- LayoutPlan.cpp - which Nodes work on channel blocks ------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the choice of a layout for each Node of a Block.
//===----------------------------------------------------------------------===//

#include "passes/graph/LayoutPlan.h"
#include "passes/graph/GraphUtils.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace graven {

/// A convolution of at most this many channels reads planes: a block would be
/// mostly padding.
static constexpr int64_t mostPlanarChannels = 4;

RankedTensorType blockedType(RankedTensorType planar) {
  SmallVector<int64_t> shape(planar.getShape());
  shape[1] = llvm::divideCeil(shape[1], channelBlock);
  shape.push_back(channelBlock);
  return RankedTensorType::get(shape, planar.getElementType());
}

bool sameBytesInBothLayouts(RankedTensorType planar) {
  ArrayRef<int64_t> shape = planar.getShape();
  return shape[1] % channelBlock == 0 &&
         llvm::all_of(shape.drop_front(2), [](int64_t d) { return d == 1; });
}

//===----------------------------------------------------------------------===//
// What has a blocked form
//===----------------------------------------------------------------------===//

static bool isWhole(int64_t channels) { return channels % channelBlock == 0; }

/// A tensor of one or two spatial axes whose layout can be chosen.
static bool isImage(Type type) {
  auto tensor = cast<RankedTensorType>(type);
  return tensor.hasStaticShape() && tensor.getRank() >= 3 &&
         tensor.getRank() <= 4 && tensor.getNumElements() > 0;
}

static bool canBlockConv(ConvOp op) {
  Type element = op.getType().getElementType();
  RankedTensorType w = tensorType(op.getW());
  return op.getLayout() == Layout::Planar && isImage(op.getX().getType()) &&
         w.hasStaticShape() && isa<FloatType>(element);
}

static bool canBlockElementwise(Operation *op) {
  if (op->getNumResults() != 1)
    return false;
  auto result = cast<RankedTensorType>(op->getResult(0).getType());
  for (Value operand : op->getOperands()) {
    RankedTensorType type = tensorType(operand);
    if (type.getRank() == 0)
      continue;
    if (!type.hasStaticShape() || type.getRank() != result.getRank() ||
        (type.getDimSize(1) != 1 && type.getDimSize(1) != result.getDimSize(1)))
      return false;
  }
  return true;
}

static bool canBlockConcat(ConcatOp op) {
  for (Value input : op.getInputs().drop_back())
    if (op.getAxis() == 1 && !isWhole(tensorType(input).getDimSize(1)))
      return false;
  return llvm::all_of(op.getInputs(),
                      [](Value v) { return isImage(v.getType()); });
}

static bool isSpatial(int64_t axis) { return axis >= 2; }

static bool canBlockReduce(ReduceOp op) {
  int64_t spatial = tensorType(op.getX()).getRank() - 2;
  return isImage(op.getX().getType()) && !op.getAxes().empty() &&
         llvm::all_of(op.getAxes(), isSpatial) &&
         (op.getKeep() || static_cast<int64_t>(op.getAxes().size()) == spatial);
}

static bool canBlockSlice(SliceOp op) {
  if (!op.getDynamicStarts().empty() || !op.getDynamicEnds().empty() ||
      !isImage(op.getX().getType()))
    return false;
  int64_t channels = tensorType(op.getX()).getDimSize(1);
  SliceBounds bounds = resolveSlice(channels, op.getStarts()[1],
                                    op.getEnds()[1], op.getSteps()[1]);
  return op.getSteps()[1] == 1 && isWhole(bounds.start) &&
         (isWhole(bounds.end) || bounds.end == channels);
}

/// Of all channels, at known places.
static bool canBlockInsertSlice(InsertSliceOp op) {
  return op.getDynamicStarts().empty() && isImage(op.getSrc().getType()) &&
         op.getStarts()[1] == 0 && op.getSteps()[1] == 1 &&
         tensorType(op.getSrc()).getDimSize(1) ==
             tensorType(op.getDest()).getDimSize(1);
}

static bool canBlock(Operation *op) {
  if (op->getNumResults() != 1)
    return false;
  // A mean over all spatial axes gives [N,C], blocked [N,C/16,16].
  if (auto reduce = dyn_cast<ReduceOp>(op))
    return canBlockReduce(reduce);
  if (!isa<RankedTensorType>(op->getResult(0).getType()) ||
      !isImage(op->getResult(0).getType()))
    return false;
  return llvm::TypeSwitch<Operation *, bool>(op)
      .Case([](ConvOp conv) { return canBlockConv(conv); })
      .Case<MaxPoolOp, AvgPoolOp>(
          [](auto pool) { return pool.getLayout() == Layout::Planar; })
      .Case([](ConcatOp concat) { return canBlockConcat(concat); })
      .Case([](ResizeOp resize) {
        return llvm::all_of(resize.getAxes(), isSpatial);
      })
      .Case([](PadOp pad) {
        return isImage(pad.getX().getType()) && pad.getLow()[1] == 0 &&
               pad.getHigh()[1] == 0;
      })
      .Case([](SliceOp slice) { return canBlockSlice(slice); })
      .Case([](InsertSliceOp insert) { return canBlockInsertSlice(insert); })
      .Default([](Operation *other) {
        return other->hasTrait<Elementwise>() && canBlockElementwise(other);
      });
}

OperandForm LayoutPlan::formOf(Operation *node, unsigned i) {
  if (auto conv = dyn_cast<ConvOp>(node)) {
    if (i > 0)
      return OperandForm::AsIs;
    bool few = conv.getGroups() == 1 &&
               tensorType(conv.getX()).getDimSize(1) <= mostPlanarChannels;
    return few ? OperandForm::Either : OperandForm::Blocked;
  }
  RankedTensorType type = tensorType(node->getOperand(i));
  if (type.getRank() == 0)
    return OperandForm::AsIs;
  bool oneForAll =
      node->hasTrait<Elementwise>() && type.getDimSize(1) == 1 &&
      cast<RankedTensorType>(node->getResult(0).getType()).getDimSize(1) != 1;
  return oneForAll ? OperandForm::Unit : OperandForm::Blocked;
}

//===----------------------------------------------------------------------===//
// The choice
//===----------------------------------------------------------------------===//

LayoutPlan::LayoutPlan(Block &block) {
  findParameterValues(block);
  for (Operation &node : block)
    if (canBlock(&node) && !(node.hasTrait<Elementwise>() && isFree(&node)))
      candidates.insert(&node);
  keepPartsWithConvolutions();
  improve();
}

/// Whether a Node's operands are computed from Parameters alone.
bool LayoutPlan::isFree(Operation *node) const {
  return llvm::all_of(node->getOperands(), [&](Value operand) {
    return operand.getParentBlock() == node->getBlock()
               ? free.contains(operand)
               : isParameterValue(operand);
  });
}

void LayoutPlan::findParameterValues(Block &block) {
  for (Operation &node : block)
    if (node.getNumRegions() == 0 && isMemoryEffectFree(&node) && isFree(&node))
      free.insert(node.result_begin(), node.result_end());
}

/// Blocks pay where a convolution is: candidates that are connected to none
/// stay as they are.
void LayoutPlan::keepPartsWithConvolutions() {
  SmallVector<Operation *> pending;
  auto reach = [&](Operation *node) {
    if (node && candidates.contains(node) && blocked.insert(node).second)
      pending.push_back(node);
  };
  for (Operation *node : candidates)
    if (isa<ConvOp>(node))
      reach(node);
  while (!pending.empty()) {
    Operation *node = pending.pop_back_val();
    for (Value operand : node->getOperands())
      reach(operand.getDefiningOp());
    llvm::for_each(node->getUsers(), reach);
  }
  candidates.remove_if(
      [&](Operation *node) { return !blocked.contains(node); });
}

static double planarBytes(RankedTensorType type) {
  return static_cast<double>(type.getNumElements()) *
         eval::storageBytes(type.getElementType());
}

/// Bytes read and written, strided, when `type` changes its layout.
static double relayoutCost(RankedTensorType type) {
  constexpr double strided = 1.5;
  if (sameBytesInBothLayouts(type))
    return 0;
  return strided * (planarBytes(type) + planarBytes(blockedType(type)));
}

/// Whether an elementwise Node will be fused behind the blocked Node it reads.
static bool joinsEpilogue(Operation *node, const LayoutPlan &plan) {
  return node->hasTrait<Elementwise>() &&
         llvm::any_of(node->getOperands(), [&](Value operand) {
           return plan.isBlocked(operand) && soleUser(operand) &&
                  operand.getType() == node->getResult(0).getType();
         });
}

/// Bytes of a Node's result; of one that is never stored on its own, none.
static double nodeCost(Operation *node, const LayoutPlan &plan) {
  auto type = cast<RankedTensorType>(node->getResult(0).getType());
  if (!plan.isBlocked(node))
    return planarBytes(type);
  return joinsEpilogue(node, plan) ? 0 : planarBytes(blockedType(type));
}

/// The layout in which `node` reads operand i; none where it reads any.
std::optional<Layout> LayoutPlan::readLayout(Operation *node,
                                             unsigned i) const {
  if (!isBlocked(node))
    return Layout::Planar;
  switch (formOf(node, i)) {
  case OperandForm::AsIs:
  case OperandForm::Either:
    return std::nullopt;
  case OperandForm::Blocked:
    return Layout::Blocked;
  case OperandForm::Planar:
  case OperandForm::Unit:
    return Layout::Planar;
  }
  llvm_unreachable("all forms are listed");
}

void LayoutPlan::count(OpOperand &use, int64_t times) {
  if (auto layout = readLayout(use.getOwner(), use.getOperandNumber()))
    readers[use.get()][*layout == Layout::Blocked] += times;
}

void LayoutPlan::countReaders() {
  llvm::DenseSet<Value> seen;
  auto add = [&](Value value) {
    if (seen.insert(value).second)
      for (OpOperand &use : value.getUses())
        count(use, 1);
  };
  for (Operation *node : candidates) {
    add(node->getResult(0));
    llvm::for_each(node->getOperands(), add);
  }
}

void LayoutPlan::flip(Operation *node) {
  for (OpOperand &use : node->getOpOperands())
    count(use, -1);
  if (!blocked.erase(node))
    blocked.insert(node);
  for (OpOperand &use : node->getOpOperands())
    count(use, 1);
}

double LayoutPlan::costOfValue(Value value) const {
  auto type = cast<RankedTensorType>(value.getType());
  if (type.getRank() < 2 || free.contains(value))
    return 0;
  auto known = readers.find(value);
  bool isReadOtherwise =
      known != readers.end() && known->second[!isBlocked(value)] > 0;
  return isReadOtherwise ? relayoutCost(type) : 0;
}

/// The part of the cost that depends on the layout of `node`.
double LayoutPlan::costAround(Operation *node) const {
  double cost = nodeCost(node, *this) + costOfValue(node->getResult(0));
  llvm::SmallPtrSet<Value, 4> seen;
  for (Value operand : node->getOperands())
    if (seen.insert(operand).second)
      cost += costOfValue(operand);
  return cost;
}

/// Turns Nodes back where that is strictly cheaper, until none is. A
/// convolution has no fast planar form and stays.
void LayoutPlan::improve() {
  constexpr int maxRounds = 16;
  countReaders();
  bool changed = true;
  for (int round = 0; changed && round < maxRounds; ++round) {
    changed = false;
    for (Operation *node : candidates) {
      if (isa<ConvOp>(node))
        continue;
      double before = costAround(node);
      flip(node);
      if (costAround(node) < before)
        changed = true;
      else
        flip(node);
    }
  }
}

} // namespace graven
