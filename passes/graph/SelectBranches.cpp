//===- SelectBranches.cpp - both Blocks of an if that counts ---*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements SelectBranches, which puts both Blocks of an `if` in its
// place and selects, where extents that data decide go in or are found inside,
// and where running both costs little.
//===----------------------------------------------------------------------===//

#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "passes/graph/Explain.h"
#include "passes/graph/GraphUtils.h"
#include "passes/graph/Passes.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/TypeSwitch.h"

namespace graven {
#define GEN_PASS_DEF_SELECTBRANCHES
#include "passes/graph/Passes.h.inc"
} // namespace graven

using namespace mlir;

namespace graven {
namespace {

class SelectBranchesPass : public impl::SelectBranchesBase<SelectBranchesPass> {
public:
  using SelectBranchesBase::SelectBranchesBase;

private:
  void runOnOperation() override {
    selectCounting();
    if (maxCost <= 0)
      return;
    // Inner ones first: what they become may be cheap in turn.
    getOperation()->walk<WalkOrder::PostOrder>([&](IfOp branch) {
      std::optional<std::string> why = whyNotCheap(branch);
      if (why) {
        explainNotDone(*this, branch, [&] { return *why; });
        return;
      }
      explainDone(*this, branch, [] { return std::string("both are cheap"); });
      select(branch);
      ++numCheap;
    });
  }

  void selectCounting() {
    // Blocks that were put in the place of an `if` are looked at in turn.
    for (auto it = getOperation().getBody().front().begin();
         it != getOperation().getBody().front().end();) {
      Operation &node = *it;
      auto branch = dyn_cast<IfOp>(node);
      if (branch && counts(branch) && canSelect(branch)) {
        Operation *first = select(branch);
        it = first->getIterator();
        ++numSelected;
        continue;
      }
      if (isa<PrefixOp>(node) ||
          llvm::any_of(node.getOperands(),
                       [&](Value value) { return counted.contains(value); }))
        counted.insert(node.result_begin(), node.result_end());
      ++it;
    }
  }

  /// Whether an extent that data decide is found in the Blocks, or something
  /// that follows from one is seen there.
  bool counts(IfOp branch) const {
    return branch
        ->walk([&](Operation *node) {
          bool any = isa<PrefixOp>(node) ||
                     llvm::any_of(node->getOperands(), [&](Value value) {
                       return counted.contains(value);
                     });
          return any ? WalkResult::interrupt() : WalkResult::advance();
        })
        .wasInterrupted();
  }

  /// Whether both Blocks may run, and give results of one type.
  static bool canSelect(IfOp branch) {
    if (branch.getNumResults() == 0 || !isSpeculatable(branch))
      return false;
    for (Region &region : branch->getRegions())
      for (auto [value, result] :
           llvm::zip_equal(region.front().getTerminator()->getOperands(),
                           branch.getResults()))
        if (value.getType() != result.getType() ||
            !cast<RankedTensorType>(value.getType()).hasStaticShape())
          return false;
    return true;
  }

  /// Whether a Node moves elements to places that are known: extents from the
  /// run may not be those that are there, even where the result's are.
  static bool isFixedMovement(Operation &node) {
    return llvm::TypeSwitch<Operation *, bool>(&node)
        .Case<ReshapeOp, BroadcastOp>(
            [](auto op) { return op.getDynamicShape().empty(); })
        .Case<SliceOp>([](SliceOp op) {
          return op.getDynamicStarts().empty() && op.getDynamicEnds().empty();
        })
        .Case<InsertSliceOp>(
            [](InsertSliceOp op) { return op.getDynamicStarts().empty(); })
        .Case<TransposeOp, ConcatOp, PadOp, ReverseOp>(
            [](auto) { return true; })
        .Default(false);
  }

  /// What it costs to compute a Node of a Block, in simple operations; nullopt
  /// for one that may fail, or is no Node by elements.
  static std::optional<int64_t> costOf(Operation &node) {
    constexpr int64_t simple = 1, function = 16;
    if (isa<ConstantOp, GetParamOp>(node))
      return 0;
    bool isMovement = isFixedMovement(node);
    if (node.getNumRegions() != 0 || node.getNumResults() != 1 ||
        !isSpeculatable(&node) || !(node.hasTrait<Elementwise>() || isMovement))
      return std::nullopt;
    if (isa<ReshapeOp>(node))
      return 0;
    bool isSimple =
        isMovement ||
        isa<AddOp, SubOp, MulOp, MaxOp, MinOp, AndOp, OrOp, XorOp, NotOp, NegOp,
            AbsOp, ReluOp, ClampOp, CastOp, CompareOp, SelectOp>(node);
    return tensorType(node.getResult(0)).getNumElements() *
           (isSimple ? simple : function);
  }

  /// The reason not to run both Blocks; nullopt where they cost little.
  std::optional<std::string> whyNotCheap(IfOp branch) const {
    if (branch.getNumResults() == 0)
      return "it has no result";
    if (!canSelect(branch))
      return "the Blocks may fail, or give other extents than the results'";
    int64_t cost = 0;
    for (Value result : branch.getResults())
      cost += tensorType(result).getNumElements();
    for (Region &region : branch->getRegions())
      for (Operation &node : region.front().without_terminator()) {
        std::optional<int64_t> more = costOf(node);
        if (!more)
          return ("there is a " + node.getName().getStringRef() + " in it")
              .str();
        cost += *more;
      }
    if (cost > maxCost)
      return "both together cost " + std::to_string(cost) + ", more than " +
             std::to_string(maxCost);
    return std::nullopt;
  }

  /// Lets Nodes that a run does not come to look at index 0, which is there.
  static void guardIndices(IfOp branch, Region &region) {
    bool isThen = &region == &branch->getRegion(0);
    region.walk([&](Operation *node) {
      bool isRegions = isa<RoiAlignOp, RoiPoolOp>(node);
      if (!isRegions &&
          !isa<GatherOp, GatherElementsOp, GatherNdOp, ScatterNdOp>(node))
        return;
      OpOperand &operand = node->getOpOperand(isRegions ? 2 : 1);
      Value indices = operand.get();
      if (indices.getDefiningOp<ConstantOp>())
        return;
      OpBuilder b(node);
      Location loc = node->getLoc();
      RankedTensorType type = tensorType(indices);
      Value none =
          scalarConstant(b, loc, type.getElementType(), 0, type.getRank());
      Value condition = reshaped(b, loc, branch.getCond(),
                                 SmallVector<int64_t>(type.getRank(), 1));
      operand.set(SelectOp::create(b, loc, condition, isThen ? indices : none,
                                   isThen ? none : indices));
    });
  }

  /// The first Node that now stands where the `if` was.
  static Operation *select(IfOp branch) {
    OpBuilder b(branch);
    Operation *before = branch->getPrevNode();
    Block *block = branch->getBlock();
    SmallVector<SmallVector<Value>> yielded;
    for (Region &region : branch->getRegions()) {
      guardIndices(branch, region);
      Operation *end = region.front().getTerminator();
      yielded.emplace_back(end->getOperands());
      end->erase();
      block->getOperations().splice(branch->getIterator(),
                                    region.front().getOperations());
    }
    for (auto [result, taken, other] :
         llvm::zip_equal(branch.getResults(), yielded[0], yielded[1])) {
      Value condition =
          reshaped(b, branch.getLoc(), branch.getCond(),
                   SmallVector<int64_t>(tensorType(result).getRank(), 1));
      result.replaceAllUsesWith(
          SelectOp::create(b, branch.getLoc(), condition, taken, other));
    }
    branch->erase();
    return before ? before->getNextNode() : &block->front();
  }

  /// What follows from an extent that data decide.
  llvm::DenseSet<Value> counted;
};

} // namespace
} // namespace graven
