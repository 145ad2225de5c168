//===- Reductions.cpp - reductions by several threads -----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the reductions of linalg operations in which several
// threads work at one result.
//===----------------------------------------------------------------------===//
#include "passes/gpu/BlockKernels.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/IRMapping.h"
#include "passes/lower/expand/LinalgElement.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace graven::blocks {
namespace {

using expand::Access;
using expand::Idx;
using expand::LinalgElement;
using expand::Loop;
using expand::LoopNest;

/// Steps of a reduction that are worth a thread, where there are threads enough
/// and where there are not.
constexpr int64_t kWantedSteps = 16, kLeastSteps = 4;
/// Threads that fill a GPU.
constexpr int64_t kWantedThreads = 1 << 16;
constexpr int32_t kBlockThreads = 256, kMostThreads = 1024;

/// The operation of a reduction's body that takes what is carried for `result`,
/// and gives it; none where there is no such one, or where what it takes beside
/// depends on what is carried.
Operation *combinerOf(linalg::LinalgOp op, unsigned result) {
  BlockArgument carried =
      op.getMatchingBlockArgument(op.getDpsInitOperand(result));
  Operation *combiner =
      op.getBlock()->getTerminator()->getOperand(result).getDefiningOp();
  if (!carried.hasOneUse() || !combiner || combiner->getNumOperands() != 2 ||
      *carried.getUsers().begin() != combiner || !combiner->hasOneUse() ||
      !arith::getNeutralElement(combiner))
    return nullptr;
  return combiner;
}

enum class Neighbours {
  /// Consecutive threads take consecutive steps of one reduction.
  Steps,
  /// Consecutive threads take consecutive results.
  Results,
};

/// How threads share the results and the steps of each.
struct ReductionPlan {
  static std::optional<ReductionPlan> get(linalg::LinalgOp op,
                                          const LoopNest &nest);

  LaunchExtents extents() const {
    return {llvm::divideCeilSigned(results, perBlock), threads};
  }

  int64_t results = 1, steps = 1;
  Neighbours neighbours = Neighbours::Results;
  /// Threads of one result, and of a block; results of a block.
  int32_t group = 1, threads = kBlockThreads;
  int64_t perBlock = 1;
};

bool readsAlong(linalg::LinalgOp op, const Loop &loop) {
  return llvm::any_of(op.getDpsInputOperands(), [&](OpOperand *operand) {
    auto type = dyn_cast<MemRefType>(operand->get().getType());
    expand::Strides strides;
    int64_t offset = 0;
    return type &&
           expand::linearStrides(type, op.getMatchingIndexingMap(operand),
                                 strides, offset) &&
           loop.strideOf(strides) == 1;
  });
}

std::optional<ReductionPlan> ReductionPlan::get(linalg::LinalgOp op,
                                                const LoopNest &nest) {
  ReductionPlan plan;
  for (auto [i, loop] : llvm::enumerate(nest.loops))
    (i < nest.parallel ? plan.results : plan.steps) *= loop.extent;
  if (plan.results == 0 || plan.steps < 2 * kLeastSteps)
    return std::nullopt;
  auto doubled = [&] {
    return plan.steps >= kLeastSteps * plan.group * 2 &&
           plan.results * plan.group < kWantedThreads;
  };
  if (readsAlong(op, nest.loops.back())) {
    plan.neighbours = Neighbours::Steps;
    int64_t wanted =
        llvm::PowerOf2Ceil(llvm::divideCeilSigned(plan.steps, kWantedSteps));
    plan.group = std::min<int64_t>(
        wanted, plan.steps <= kWantedSteps * 64 ? kWarpSize : kMostThreads);
    while (plan.group < kMostThreads && doubled())
      plan.group *= 2;
    plan.threads = std::max(plan.group, kBlockThreads);
    if (plan.group > kWarpSize)
      plan.threads = plan.group;
  } else {
    while (plan.group < kMostThreads / kWarpSize && doubled())
      plan.group *= 2;
    // Whole warps read neighbours.
    plan.threads = std::max(plan.group * kWarpSize, kBlockThreads);
  }
  plan.perBlock = plan.threads / plan.group;
  return plan.group > 1 ? std::optional(plan) : std::nullopt;
}

class ReductionBlocks {
public:
  ReductionBlocks(BlockEmitter &e, linalg::LinalgOp op,
                  ArrayRef<Access> accesses, const LoopNest &nest,
                  const ReductionPlan &plan)
      : e(e), op(op), nest(nest), plan(plan), element(e, op, accesses, nest) {
    for (unsigned i = 0; i < op.getNumDpsInits(); ++i)
      combiners.push_back(combinerOf(op, i));
  }

  void run();

private:
  /// Of a thread: which result of the block it works at, and as which of those
  /// that do.
  std::pair<Idx, Idx> place();
  SmallVector<Value> reduceSteps(SmallVector<Idx> ivs, Idx member);
  /// All of a group's: its first member has the result.
  SmallVector<Value> reduceGroup(ValueRange values, Idx inBlock, Idx member);
  Value join(unsigned result, Value sofar, Value other);
  SmallVector<int64_t> extentsOf(ArrayRef<Loop> loops) {
    return SmallVector<int64_t>(
        llvm::map_range(loops, [](const Loop &loop) { return loop.extent; }));
  }

  BlockEmitter &e;
  linalg::LinalgOp op;
  const LoopNest &nest;
  const ReductionPlan &plan;
  LinalgElement element;
  SmallVector<Operation *> combiners;
};

Value ReductionBlocks::join(unsigned result, Value sofar, Value other) {
  Operation *combiner = combiners[result];
  BlockArgument carried =
      op.getMatchingBlockArgument(op.getDpsInitOperand(result));
  IRMapping map;
  for (Value operand : combiner->getOperands())
    map.map(operand, operand == carried ? sofar : other);
  return e.builder().clone(*combiner, map)->getResult(0);
}

std::pair<Idx, Idx> ReductionBlocks::place() {
  Idx thread(e.threadId());
  if (plan.neighbours == Neighbours::Steps)
    return e.divRem(thread, plan.group);
  auto [member, inBlock] = e.divRem(thread, plan.perBlock);
  return {inBlock, member};
}

SmallVector<Value> ReductionBlocks::reduceSteps(SmallVector<Idx> ivs,
                                                Idx member) {
  SmallVector<Value> values;
  for (Operation *combiner : combiners)
    values.push_back(arith::ConstantOp::create(
        e.builder(), e.loc(), *arith::getNeutralElement(combiner)));
  SmallVector<int64_t> extents =
      extentsOf(ArrayRef(nest.loops).drop_front(nest.parallel));
  return e.loop(member, Idx(plan.steps), plan.group, values,
                [&](Idx step, ValueRange carried) {
                  SmallVector<Idx> at = e.delinearize(step, extents);
                  std::copy(at.begin(), at.end(), ivs.begin() + nest.parallel);
                  return element.body(ivs, carried);
                });
}

SmallVector<Value> ReductionBlocks::reduceGroup(ValueRange values, Idx inBlock,
                                                Idx member) {
  OpBuilder &b = e.builder();
  SmallVector<Value> totals;
  if (plan.neighbours == Neighbours::Steps) {
    for (auto [i, value] : llvm::enumerate(values))
      totals.push_back(e.reduce(
          value, plan.group, [&](Value x, Value y) { return join(i, x, y); }));
    return totals;
  }
  // [member][result]: neighbours store, and load, neighbours.
  Idx own = e.add(e.mul(member, plan.perBlock), inBlock);
  SmallVector<Value> shared;
  for (Value value : values) {
    shared.push_back(e.shared(plan.threads, value.getType()));
    memref::StoreOp::create(b, e.loc(), value, shared.back(),
                            ValueRange{e.get(own)});
  }
  e.barrier();
  for (auto [i, value] : llvm::enumerate(values)) {
    auto at = [&](int64_t other) -> Value {
      return memref::LoadOp::create(
          b, e.loc(), shared[i],
          ValueRange{e.get(e.add(inBlock, Idx(other * plan.perBlock)))});
    };
    Value total = at(0);
    for (int32_t other = 1; other < plan.group; ++other)
      total = join(i, total, at(other));
    totals.push_back(total);
  }
  return totals;
}

void ReductionBlocks::run() {
  OpBuilder &b = e.builder();
  auto [inBlock, member] = place();
  Idx result = e.add(e.mul(Idx(e.blockId()), plan.perBlock), inBlock);
  Value isStored = e.isBelow(member, 1);
  if (plan.results % plan.perBlock != 0) {
    isStored = arith::AndIOp::create(b, e.loc(), isStored,
                                     e.isBelow(result, plan.results));
    // All threads of a block go the same way.
    result = e.min(result, Idx(plan.results - 1));
  }
  SmallVector<Idx> ivs = e.delinearize(
      result, extentsOf(ArrayRef(nest.loops).take_front(nest.parallel)));
  ivs.resize(nest.loops.size(), Idx(int64_t(0)));
  SmallVector<Value> totals =
      reduceGroup(reduceSteps(ivs, member), inBlock, member);
  e.when(isStored, [&] {
    SmallVector<Value> values;
    for (auto [i, initial] : llvm::enumerate(element.begin(ivs)))
      values.push_back(join(i, initial, totals[i]));
    element.store(ivs, values);
  });
}

} // namespace

std::optional<LaunchExtents> reductionExtents(linalg::LinalgOp op) {
  if (op.hasDynamicShape())
    return std::nullopt;
  for (unsigned i = 0; i < op.getNumDpsInits(); ++i)
    if (!combinerOf(op, i))
      return std::nullopt;
  std::optional<ReductionPlan> plan =
      ReductionPlan::get(op, expand::nestOf(op));
  if (!plan)
    return std::nullopt;
  return plan->extents();
}

LogicalResult emitReduction(BlockEmitter &e, linalg::LinalgOp op) {
  FailureOr<SmallVector<Access>> accesses = expand::accessesOf(e, op);
  if (failed(accesses))
    return failure();
  LoopNest nest = expand::nestOf(op);
  ReductionBlocks(e, op, *accesses, nest, *ReductionPlan::get(op, nest)).run();
  return success();
}

} // namespace graven::blocks
