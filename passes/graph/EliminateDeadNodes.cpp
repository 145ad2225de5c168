//===- EliminateDeadNodes.cpp - what no output depends on -------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements EliminateDeadNodes, which erases Nodes, results of `if`
// and `loop`, carried values and Parameters that no output depends on.
//===----------------------------------------------------------------------===//

#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "passes/graph/GraphUtils.h"
#include "passes/graph/Passes.h"

namespace graven {
#define GEN_PASS_DEF_ELIMINATEDEADNODES
#include "passes/graph/Passes.h.inc"
} // namespace graven

using namespace mlir;

namespace graven {
namespace {

SmallVector<Value> keep(ValueRange values, const llvm::BitVector &dead,
                        unsigned offset = 0) {
  SmallVector<Value> kept;
  for (auto [i, value] : llvm::enumerate(values))
    if (!dead.test(offset + i))
      kept.push_back(value);
  return kept;
}

SmallVector<Type> typesOf(ArrayRef<Value> values) {
  return llvm::map_to_vector(values, [](Value v) { return v.getType(); });
}

llvm::BitVector unusedResults(Operation *op) {
  llvm::BitVector unused(op->getNumResults());
  for (OpResult result : op->getResults())
    if (result.use_empty())
      unused.set(result.getResultNumber());
  return unused;
}

/// Lets the results of `made` stand for those of `old` that are not dead, and
/// erases `old`.
void replaceLive(Operation *old, Operation *made, const llvm::BitVector &dead) {
  unsigned next = 0;
  for (OpResult result : old->getResults())
    if (!dead.test(result.getResultNumber()))
      result.replaceAllUsesWith(made->getResult(next++));
  old->erase();
}

/// `if` without its unused results; true if there were any.
bool shrinkIf(IfOp op) {
  llvm::BitVector dead = unusedResults(op);
  if (dead.none())
    return false;
  OpBuilder builder(op);
  SmallVector<Value> live = keep(op.getResults(), dead);
  auto made = IfOp::create(builder, op.getLoc(), typesOf(live), op.getCond());
  made->setDiscardableAttrs(op->getDiscardableAttrDictionary());
  for (auto [from, to] :
       {std::pair(&op.getThenBlock(), &made.getThenBlock()),
        std::pair(&op.getElseBlock(), &made.getElseBlock())}) {
    to->takeBody(*from);
    auto yield = cast<YieldOp>(to->front().getTerminator());
    SmallVector<Value> values = keep(yield.getValues(), dead);
    yield.getValuesMutable().assign(values);
  }
  replaceLive(op, made, dead);
  return true;
}

/// The carried values and slices of a loop on which its used results, its
/// condition or an effect depends.
class LoopLiveness {
public:
  explicit LoopLiveness(LoopOp loop)
      : loop(loop), body(loop.getBody().front()),
        yield(cast<YieldOp>(body.getTerminator())), live(loop.getNumResults()) {
    markLive(yield.getValues()[0]);
    for (OpResult result : loop->getResults())
      if (!result.use_empty())
        markResult(result.getResultNumber());
    for (Operation &node : body.without_terminator())
      if (!isMemoryEffectFree(&node))
        markNode(&node);
    while (!pending.empty())
      visit(pending.pop_back_val());
  }

  llvm::BitVector dead() const {
    llvm::BitVector flipped = live;
    return flipped.flip();
  }

private:
  void markResult(unsigned i) {
    if (live.test(i))
      return;
    live.set(i);
    markLive(yield.getValues()[1 + i]);
  }
  void markLive(Value value) {
    if (seen.insert(value).second)
      pending.push_back(value);
  }
  void markNode(Operation *node) {
    node->walk([&](Operation *inner) {
      for (Value operand : inner->getOperands())
        markLive(operand);
    });
  }
  void visit(Value value) {
    auto argument = dyn_cast<BlockArgument>(value);
    if (argument && argument.getOwner() == &body) {
      if (argument.getArgNumber() > 0)
        markResult(argument.getArgNumber() - 1);
      return;
    }
    // Values of inner Blocks belong to a Node of this one, which is whole.
    if (value.getParentBlock() == &body)
      markNode(value.getDefiningOp());
  }

  LoopOp loop;
  Block &body;
  YieldOp yield;
  llvm::BitVector live;
  SmallVector<Value> pending;
  llvm::DenseSet<Value> seen;
};

/// `loop` without dead carried values and slices; true if there were any.
bool shrinkLoop(LoopOp op) {
  llvm::BitVector dead = LoopLiveness(op).dead();
  if (dead.none())
    return false;
  OpBuilder builder(op);
  SmallVector<Value> init = keep(op.getInit(), dead),
                     finals = keep(op.getFinal(), dead),
                     stacked = keep(op.getStacked(), dead, op.getInit().size());
  auto made =
      LoopOp::create(builder, op.getLoc(), typesOf(finals), typesOf(stacked),
                     op.getTrip(), op.getCond(), init);
  made->setDiscardableAttrs(op->getDiscardableAttrDictionary());
  made.getBody().takeBody(op.getBody());
  Block &body = made.getBody().front();
  auto yield = cast<YieldOp>(body.getTerminator());
  SmallVector<Value> values{yield.getValues()[0]};
  llvm::append_range(values, keep(yield.getValues().drop_front(), dead));
  yield.getValuesMutable().assign(values);
  // What only the dead values depend on has no other user.
  llvm::BitVector arguments(body.getNumArguments());
  for (unsigned i = 0, e = op.getInit().size(); i < e; ++i)
    if (dead.test(i))
      arguments.set(1 + i);
  SmallVector<Operation *> nodes;
  for (Operation &node : body.without_terminator())
    nodes.push_back(&node);
  for (Operation *node : llvm::reverse(nodes))
    if (isOpTriviallyDead(node))
      node->erase();
  body.eraseArguments(arguments);
  replaceLive(op, made, dead);
  return true;
}

class EliminateDeadNodesPass
    : public impl::EliminateDeadNodesBase<EliminateDeadNodesPass> {
  void runOnOperation() override {
    for (auto graph : getOperation().getOps<GraphOp>())
      while (sweep(graph.getBody()))
        ;
    eraseParams();
  }

  /// One pass from the last Node to the first; true if it changed something.
  bool sweep(Region &region) {
    bool changed = false;
    SmallVector<Operation *> nodes;
    region.walk<WalkOrder::PreOrder>(
        [&](Operation *node) { nodes.push_back(node); });
    for (Operation *node : llvm::reverse(nodes)) {
      // An extent that data decide stays, as a number of the model may be it.
      if (isOpTriviallyDead(node) && !isa<PrefixOp>(node)) {
        node->erase();
        ++numNodes;
        changed = true;
        continue;
      }
      auto op = dyn_cast<IfOp>(node);
      auto loop = dyn_cast<LoopOp>(node);
      bool shrunk = (op && shrinkIf(op)) || (loop && shrinkLoop(loop));
      numShrunk += shrunk;
      changed |= shrunk;
    }
    return changed;
  }

  void eraseParams() {
    llvm::DenseSet<StringAttr> read;
    getOperation().walk(
        [&](GetParamOp get) { read.insert(get.getParamAttr().getAttr()); });
    for (auto param :
         llvm::make_early_inc_range(getOperation().getOps<ParamOp>()))
      if (!read.contains(param.getSymNameAttr())) {
        param.erase();
        ++numParams;
      }
  }
};

} // namespace
} // namespace graven
