//===- AssignLayouts.cpp - channel blocks between convolutions --*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements AssignLayouts, which rewrites the Nodes that a
// LayoutPlan chooses into their channel-blocked form and relays values out
// where the two layouts meet.
//===----------------------------------------------------------------------===//

#include "passes/graph/GraphUtils.h"
#include "passes/graph/LayoutPlan.h"
#include "passes/graph/Passes.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"

namespace graven {
#define GEN_PASS_DEF_ASSIGNLAYOUTS
#include "passes/graph/Passes.h.inc"
} // namespace graven

using namespace mlir;

namespace graven {
namespace {

/// Rewrites one Block after its plan.
class LayoutRewriter {
public:
  LayoutRewriter(Block &block, const LayoutPlan &plan)
      : block(block), plan(plan), builder(block.getParentOp()->getContext()) {}

  /// Blocked Nodes built and relayouts inserted.
  int64_t numBlocked = 0, numRelayouts = 0;

  void run() {
    SmallVector<Operation *> old;
    for (Operation &node : block)
      if (plan.isBlocked(&node))
        old.push_back(&node);
    for (Operation *node : old)
      rebuild(node);
    // The rest of the graph reads planes.
    for (Operation *node : old)
      for (OpOperand &use : llvm::make_early_inc_range(node->getUses()))
        if (!plan.isBlocked(use.getOwner()))
          use.set(planarOf(use.get()));
    for (Operation *node : llvm::reverse(old))
      node->erase();
    numBlocked += old.size();
  }

private:
  void insertAfter(Value value) { builder.setInsertionPointAfterValue(value); }

  /// The value as the blocked Nodes read it.
  Value blockedOf(Value value) {
    auto [known, isNew] = blocked.try_emplace(value);
    if (!isNew)
      return known->second;
    insertAfter(value);
    Value made = toBlocked(value);
    return blocked[value] = made;
  }

  Value toBlocked(Value value) {
    RankedTensorType type = tensorType(value);
    RankedTensorType target = blockedType(type);
    DenseElementsAttr splat;
    if (auto constant = value.getDefiningOp<ConstantOp>())
      splat = dyn_cast<DenseElementsAttr>(constant.getValue());
    if (splat && splat.isSplat())
      return ConstantOp::create(builder, value.getLoc(),
                                cast<ElementsAttr>(splat.resizeSplat(target)));
    if (sameBytesInBothLayouts(type))
      return reshaped(builder, value.getLoc(), value, target.getShape());
    ++numRelayouts;
    return RelayoutOp::create(builder, value.getLoc(), value, Layout::Planar,
                              Layout::Blocked, type.getDimSize(1));
  }

  /// The value as the planar Nodes read it.
  Value planarOf(Value value) {
    if (!plan.isBlocked(value))
      return value;
    Value &known = planar[value];
    if (known)
      return known;
    RankedTensorType type = tensorType(value);
    Value source = blocked.at(value);
    insertAfter(source);
    if (sameBytesInBothLayouts(type))
      return known = reshaped(builder, value.getLoc(), source, type.getShape());
    ++numRelayouts;
    return known = RelayoutOp::create(builder, value.getLoc(), source,
                                      Layout::Blocked, Layout::Planar,
                                      type.getDimSize(1));
  }

  Value operandOf(Operation *node, unsigned i) {
    Value value = node->getOperand(i);
    switch (LayoutPlan::formOf(node, i)) {
    case OperandForm::AsIs:
    case OperandForm::Planar:
      return planarOf(value);
    case OperandForm::Blocked:
      return blockedOf(value);
    case OperandForm::Either:
      return plan.isBlocked(value) ? blockedOf(value) : value;
    case OperandForm::Unit:
      break;
    }
    Value source = planarOf(value);
    Value &known = unit[value];
    if (!known) {
      SmallVector<int64_t> shape(tensorType(source).getShape());
      shape.push_back(1);
      insertAfter(source);
      known = ReshapeOp::create(builder, value.getLoc(), source, shape);
    }
    return known;
  }

  void rebuild(Operation *node) {
    SmallVector<Value> operands;
    for (unsigned i = 0, e = node->getNumOperands(); i < e; ++i)
      operands.push_back(operandOf(node, i));
    builder.setInsertionPoint(node);
    Operation *made = builder.clone(*node);
    made->setOperands(operands);
    made->getResult(0).setType(blockedType(tensorType(node->getResult(0))));
    llvm::TypeSwitch<Operation *>(made)
        .Case([&](ConvOp conv) {
          conv.setLayout(Layout::Blocked);
          conv.setChannels(tensorType(node->getOperand(0)).getDimSize(1));
        })
        .Case<MaxPoolOp, AvgPoolOp>(
            [](auto pool) { pool.setLayout(Layout::Blocked); })
        .Case([](PadOp pad) {
          pad.setLow(extended(pad.getLow(), 0));
          pad.setHigh(extended(pad.getHigh(), 0));
        })
        .Case([](InsertSliceOp insert) {
          insert.setStarts(extended(insert.getStarts(), 0));
          insert.setSteps(extended(insert.getSteps(), 1));
        })
        .Case([&](SliceOp slice) {
          rebuildSlice(slice, tensorType(node->getOperand(0)).getDimSize(1));
        });
    blocked[node->getResult(0)] = made->getResult(0);
  }

  static SmallVector<int64_t> extended(ArrayRef<int64_t> list, int64_t entry) {
    SmallVector<int64_t> longer(list);
    longer.push_back(entry);
    return longer;
  }

  static void rebuildSlice(SliceOp slice, int64_t channels) {
    SliceBounds bounds =
        resolveSlice(channels, slice.getStarts()[1], slice.getEnds()[1], 1);
    SmallVector<int64_t> starts = extended(slice.getStarts(), 0),
                         ends = extended(slice.getEnds(), channelBlock);
    starts[1] = bounds.start / channelBlock;
    ends[1] = llvm::divideCeil(bounds.end, channelBlock);
    slice.setStarts(starts);
    slice.setEnds(ends);
    slice.setSteps(extended(slice.getSteps(), 1));
  }

  Block &block;
  const LayoutPlan &plan;
  OpBuilder builder;
  /// Old values to what stands for them.
  DenseMap<Value, Value> blocked, planar, unit;
};

class AssignLayoutsPass : public impl::AssignLayoutsBase<AssignLayoutsPass> {
  void runOnOperation() override {
    SmallVector<Block *> blocks;
    getOperation().walk([&](Block *block) {
      if (!isa<FusionOp>(block->getParentOp()))
        blocks.push_back(block);
    });
    for (Block *block : blocks) {
      LayoutPlan plan(*block);
      if (plan.empty())
        continue;
      LayoutRewriter rewriter(*block, plan);
      rewriter.run();
      numBlocked += rewriter.numBlocked;
      numRelayouts += rewriter.numRelayouts;
    }
  }
};

} // namespace
} // namespace graven
