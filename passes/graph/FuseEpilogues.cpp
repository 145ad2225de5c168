//===- FuseEpilogues.cpp - what follows contractions ------------*- C++ -*-===//
//-*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements FuseEpilogues, which wraps a contraction and the
// elementwise Nodes behind it in one `graven.fusion`, so that they run on the
// register tile before it is stored.
//===----------------------------------------------------------------------===//

#include "mlir/IR/IRMapping.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "passes/graph/Explain.h"
#include "passes/graph/Fingerprint.h"
#include "passes/graph/GraphUtils.h"
#include "passes/graph/Passes.h"
#include "llvm/ADT/SetVector.h"

namespace graven {
#define GEN_PASS_DEF_FUSEEPILOGUES
#include "passes/graph/Passes.h.inc"
} // namespace graven

using namespace mlir;

namespace graven {
namespace {

/// Whether a kernel can read `type` beside a tile of `result`: the same tensor,
/// one number, one number a channel of a convolution or a column of a matrix.
bool isEpilogueOperand(Operation *anchor, RankedTensorType type,
                       RankedTensorType result) {
  if (!type.hasStaticShape() ||
      type.getElementType() != result.getElementType())
    return false;
  if (type == result || type.getNumElements() == 1)
    return true;
  if (type.getRank() != result.getRank())
    return false;
  int64_t last = type.getRank() - 1;
  auto conv = dyn_cast<ConvOp>(anchor);
  bool blocked = conv && conv.getLayout() == Layout::Blocked;
  for (auto [axis, extent] : llvm::enumerate(type.getShape())) {
    int64_t at = axis;
    bool along = conv ? at == 1 || (blocked && at == last) : at == last;
    if (extent != (along ? result.getDimSize(at) : 1))
      return false;
  }
  return true;
}

/// The elementwise Nodes behind an anchor, each the one user of the one before.
struct Chain {
  SmallVector<Operation *> nodes;
  /// Why it does not go on.
  StringRef end;
};

Chain chainBehind(Operation *anchor) {
  // Nodes and outer tensors that a kernel can hold in registers beside a tile.
  constexpr size_t maxNodes = 24, maxTensors = 6;
  auto type = cast<RankedTensorType>(anchor->getResult(0).getType());
  Chain chain;
  llvm::SmallPtrSet<Value, 4> tensors;
  Value current = anchor->getResult(0);
  for (;;) {
    Operation *user = soleUser(current);
    auto stop = [&](StringRef why) {
      chain.end = why;
      return chain;
    };
    if (!user)
      return stop("the value has a second user");
    if (user->getBlock() != anchor->getBlock())
      return stop("the value is used in a sub-Block");
    if (!user->hasTrait<Elementwise>() || user->getNumResults() != 1)
      return stop("the user is not elementwise");
    if (user->getResult(0).getType() != type)
      return stop("the user's result has another type");
    for (Value operand : user->getOperands()) {
      if (operand == current)
        continue;
      if (!isEpilogueOperand(anchor, tensorType(operand), type))
        return stop("an operand of the user is neither full, nor one number, "
                    "nor one a channel");
      tensors.insert(operand);
    }
    if (chain.nodes.size() == maxNodes || tensors.size() > maxTensors)
      return stop("the epilogue is full");
    chain.nodes.push_back(user);
    current = user->getResult(0);
  }
}

/// The max pool that Winograd's algorithm takes as it stores `value`: its
/// windows of 2x2 lie in the tiles. Null when there is none.
MaxPoolOp poolOf(Operation *anchor, Value value) {
  auto conv = dyn_cast<ConvOp>(anchor);
  if (!conv || (conv.getAlgorithm() != Algorithm::Winograd2 &&
                conv.getAlgorithm() != Algorithm::Winograd4))
    return {};
  ArrayRef<int64_t> shape = tensorType(value).getShape();
  auto is = [](int64_t number) {
    return [number](int64_t v) { return v == number; };
  };
  MaxPoolOp found;
  for (Operation *user : value.getUsers()) {
    auto pool = dyn_cast<MaxPoolOp>(user);
    if (!pool)
      continue;
    // Two of them want one store each.
    if (found || pool->getBlock() != anchor->getBlock() ||
        pool.getLayout() != Layout::Blocked || pool->getNumResults() != 1 ||
        !llvm::all_of(pool.getKernel(), is(2)) ||
        !llvm::all_of(pool.getStrides(), is(2)) ||
        !llvm::all_of(pool.getDilations(), is(1)) ||
        !llvm::all_of(pool.getPads(), is(0)) || pool.getKernel().size() != 2 ||
        shape[2] % 2 != 0 || shape[3] % 2 != 0)
      return {};
    found = pool;
  }
  return found;
}

void buildFusion(PatternRewriter &rewriter, Operation *anchor,
                 ArrayRef<Operation *> nodes, MaxPoolOp pool) {
  SmallVector<Operation *> members{anchor};
  llvm::append_range(members, nodes);
  llvm::SetVector<Value> inputs;
  SmallVector<Location> locations;
  for (Operation *member : members) {
    locations.push_back(member->getLoc());
    for (Value operand : member->getOperands())
      if (!llvm::is_contained(members, operand.getDefiningOp()))
        inputs.insert(operand);
  }
  Operation *last = members.back();
  SmallVector<Value> results{last->getResult(0)};
  if (pool) {
    if (last->hasOneUse())
      results.clear();
    results.push_back(pool->getResult(0));
    locations.push_back(pool.getLoc());
  }
  // Where the last one stands everything that the others read is computed; the
  // pool reads nothing else.
  rewriter.setInsertionPoint(last);
  Location loc = rewriter.getFusedLoc(locations);
  auto fusion = FusionOp::create(rewriter, loc, ValueRange(results).getTypes(),
                                 inputs.getArrayRef());
  fusion->setAttr("kind", rewriter.getStringAttr("epilogue"));
  Block *block = rewriter.createBlock(&fusion.getBody());
  IRMapping map;
  for (Value input : inputs)
    map.map(input, block->addArgument(input.getType(), input.getLoc()));
  for (Operation *member : members)
    rewriter.clone(*member, map);
  if (pool)
    rewriter.clone(*pool, map);
  SmallVector<Value> yielded;
  for (Value result : results)
    yielded.push_back(map.lookup(result));
  YieldOp::create(rewriter, loc, yielded);
  for (auto [old, made] : llvm::zip_equal(results, fusion.getResults()))
    rewriter.replaceAllUsesExcept(old, made, pool);
  if (pool)
    rewriter.eraseOp(pool);
  for (Operation *member : llvm::reverse(members))
    rewriter.eraseOp(member);
}

template <class AnchorTy> struct FuseBehind : CountingPattern<AnchorTy> {
  using CountingPattern<AnchorTy>::CountingPattern;

  LogicalResult matchAndRewrite(AnchorTy op,
                                PatternRewriter &rewriter) const override {
    if (op->template getParentOfType<FusionOp>())
      return rewriter.notifyMatchFailure(op, "is fused already");
    RankedTensorType type = op.getType();
    if (!isa<FloatType>(type.getElementType()))
      return rewriter.notifyMatchFailure(op, "is not of floats");
    if (!type.hasStaticShape())
      return rewriter.notifyMatchFailure(op, "an extent is not known");
    Chain chain = chainBehind(op);
    Operation *last = chain.nodes.empty() ? op : chain.nodes.back();
    MaxPoolOp pool = poolOf(op, last->getResult(0));
    if (chain.nodes.empty() && !pool)
      return rewriter.notifyMatchFailure(op, chain.end);
    buildFusion(rewriter, op, chain.nodes, pool);
    return this->rewritten();
  }
};

class FuseEpiloguesPass : public impl::FuseEpiloguesBase<FuseEpiloguesPass> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    populateFuseEpiloguesPatterns(patterns, &numFused);
    // Folding would move constants into the fused Blocks, where kernels expect
    // operands.
    GreedyRewriteConfig config;
    config.enableFolding(false).enableConstantCSE(false);
    applyPatternsExplained(*this, getOperation(), std::move(patterns), config,
                           getCachedParentAnalysis<SettledGraphs>());
  }
};

} // namespace

void populateFuseEpiloguesPatterns(RewritePatternSet &patterns,
                                   Pass::Statistic *count) {
  patterns.add<FuseBehind<ConvOp>, FuseBehind<MatmulOp>>(patterns.getContext(),
                                                         count);
}

} // namespace graven
