//===- HoistLoopInvariants.cpp - work that a loop repeats -------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements HoistLoopInvariants, which moves what is the same in
// each iteration of a loop, and in both Blocks of an `if`, in front of it.
//===----------------------------------------------------------------------===//

#include "mlir/IR/OperationSupport.h"
#include "passes/graph/Explain.h"
#include "passes/graph/GraphUtils.h"
#include "passes/graph/Passes.h"

namespace graven {
#define GEN_PASS_DEF_HOISTLOOPINVARIANTS
#include "passes/graph/Passes.h.inc"
} // namespace graven

using namespace mlir;

namespace graven {
namespace {

/// Whether everything that the Node reads, also from inside its Blocks, is
/// there in front of `loop`.
bool readsFromOutside(Operation *node, Operation *loop) {
  return !node->walk([&](Operation *inner) {
                bool outside =
                    llvm::all_of(inner->getOperands(), [&](Value operand) {
                      Operation *owner =
                          operand.getParentBlock()->getParentOp();
                      return node->isAncestor(owner) ||
                             !loop->isAncestor(owner);
                    });
                return outside ? WalkResult::advance()
                               : WalkResult::interrupt();
              })
              .wasInterrupted();
}

/// Whether it, or a Node in its Blocks, fails for indices out of range.
bool checksIndices(Operation *node) {
  return node
      ->walk([](Operation *inner) {
        return inner->hasTrait<Indexed>() ? WalkResult::interrupt()
                                          : WalkResult::advance();
      })
      .wasInterrupted();
}

/// Nodes of a Block by what they compute of what they read.
class NodesByMeaning {
public:
  explicit NodesByMeaning(Block &block) {
    for (Operation &node : block.without_terminator())
      if (node.getNumRegions() == 0)
        byHash[hashOf(&node)].push_back(&node);
  }

  /// Takes out a Node that is `node`; null where there is none.
  Operation *take(Operation *node) {
    auto found = byHash.find(hashOf(node));
    if (found == byHash.end())
      return nullptr;
    auto *twin = llvm::find_if(found->second, [&](Operation *other) {
      return OperationEquivalence::isEquivalentTo(
          node, other, OperationEquivalence::IgnoreLocations);
    });
    if (twin == found->second.end())
      return nullptr;
    Operation *taken = *twin;
    found->second.erase(twin);
    return taken;
  }

private:
  static llvm::hash_code hashOf(Operation *node) {
    return OperationEquivalence::computeHash(
        node, OperationEquivalence::directHashValue,
        OperationEquivalence::ignoreHashValue,
        OperationEquivalence::IgnoreLocations);
  }

  llvm::DenseMap<size_t, SmallVector<Operation *, 1>> byHash;
};

class HoistLoopInvariantsPass
    : public impl::HoistLoopInvariantsBase<HoistLoopInvariantsPass> {
  void runOnOperation() override {
    // Inner loops first: what leaves them may leave those around them, too.
    getOperation()->walk<WalkOrder::PostOrder>([&](Operation *node) {
      if (auto loop = dyn_cast<LoopOp>(node)) {
        replaceUnchanged(loop);
        hoist(loop);
      } else if (auto branch = dyn_cast<IfOp>(node)) {
        hoistCommon(branch);
      }
    });
  }

  /// A carried value that each iteration yields as it is, is its initial one.
  void replaceUnchanged(LoopOp loop) {
    Block &body = loop.getBody().front();
    auto yield = cast<YieldOp>(body.getTerminator());
    for (auto [i, init] : llvm::enumerate(loop.getInit())) {
      BlockArgument carried = body.getArgument(1 + i);
      Value next = yield.getValues()[1 + i], last = loop.getFinal()[i];
      if (next != carried && next != init) {
        explainNotDone(*this, loop, [&] {
          return "carried value " + std::to_string(i) + " changes";
        });
        continue;
      }
      if (init.getType() != carried.getType() ||
          init.getType() != last.getType()) {
        explainNotDone(*this, loop, [&] {
          return "carried value " + std::to_string(i) + " has other types";
        });
        continue;
      }
      if (carried.use_empty() && last.use_empty())
        continue;
      carried.replaceAllUsesWith(init);
      last.replaceAllUsesWith(init);
      explainDone(*this, loop, [&] {
        return "carried value " + std::to_string(i) + " does not change";
      });
      ++numUnchanged;
    }
  }

  /// Moves Nodes in front of a loop, which may not run at all: they must not
  /// fail, nor run forever.
  void hoist(LoopOp loop) {
    for (Operation &node : llvm::make_early_inc_range(
             loop.getBody().front().without_terminator())) {
      if (!readsFromOutside(&node, loop))
        continue;
      if (!isSpeculatable(&node) || checksIndices(&node)) {
        explainNotDone(*this, &node, [] {
          return std::string("it may fail, or not end, and the loop may not "
                             "run");
        });
        continue;
      }
      node.moveBefore(loop);
      explainDone(*this, &node, [] { return std::string("hoisted"); });
      ++numHoisted;
    }
  }

  /// Moves Nodes that both Blocks have in front of the `if`: one of them runs
  /// in any case. A value that both yield is that result.
  void hoistCommon(IfOp branch) {
    Block &then = branch.getThenBlock().front(),
          &other = branch.getElseBlock().front();
    // What these read does not change when a Node moves, what those of the
    // other Block read does.
    NodesByMeaning known(then);
    for (Operation &node :
         llvm::make_early_inc_range(other.without_terminator())) {
      if (!isMemoryEffectFree(&node) || node.getNumRegions() > 0 ||
          !readsFromOutside(&node, branch))
        continue;
      Operation *twin = known.take(&node);
      if (!twin)
        continue;
      twin->moveBefore(branch);
      node.replaceAllUsesWith(twin->getResults());
      node.erase();
      explainDone(*this, twin, [] { return std::string("in both Blocks"); });
      ++numCommon;
    }
    auto taken = cast<YieldOp>(then.getTerminator()),
         left = cast<YieldOp>(other.getTerminator());
    for (auto [result, one, two] : llvm::zip_equal(
             branch.getResults(), taken.getValues(), left.getValues()))
      if (one == two && one.getType() == result.getType() &&
          !result.use_empty()) {
        result.replaceAllUsesWith(one);
        ++numCommon;
      }
  }
};

} // namespace
} // namespace graven
