//===- HoistPrepare.cpp - work on Parameters, done once -------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the pass that moves what depends on Parameters alone
// into a function of its own, @prepare, whose results are the weights blob;
// @forward reads the blob through `kernel.weight`. What graven-hoist-parameters
// moved there before is where the packing begins.
//===----------------------------------------------------------------------===//

#include "dialects/graven/Graven.h"
#include "dialects/kernel/Kernel.h"
#include "dialects/support/Diagnostics.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Transforms/RegionUtils.h"
#include "passes/lower/LowerUtils.h"
#include "passes/lower/Passes.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/MathExtras.h"

namespace graven {
#define GEN_PASS_DEF_HOISTPREPARE
#include "passes/lower/Passes.h.inc"
} // namespace graven

using namespace mlir;

namespace graven {
namespace {

constexpr int64_t alignment = 64;

/// What an op reads, also from inside its regions.
SmallVector<Value> readsOf(Operation *op) {
  llvm::SetVector<Value> reads(op->operand_begin(), op->operand_end());
  getUsedValuesDefinedAbove(op->getRegions(), reads);
  return reads.takeVector();
}

/// The split of a function: which values depend on Parameters alone, and which
/// on nothing at all.
class Partition {
public:
  explicit Partition(func::FuncOp function) {
    for (BlockArgument argument : function.getArguments())
      if (function.getArgAttr(argument.getArgNumber(), paramAttrName))
        fromParams.insert(argument);
    Block &body = function.getBody().front();
    for (Operation &op :
         llvm::make_early_inc_range(body.without_terminator())) {
      classify(op);
      if (isa<scf::IfOp, scf::WhileOp, scf::ForOp>(op) && !isHoisted(&op))
        moveOut(op);
    }
    keepScalars(body);
  }

  bool isHoisted(Operation *op) const {
    return op->getNumResults() > 0 && fromParams.contains(op->getResult(0));
  }
  bool dependsOnParams(Value value) const { return fromParams.contains(value); }

private:
  /// What depends on Parameters alone inside a branch or a loop moves in front
  /// of it: weights are packed once, and not in each iteration.
  void moveOut(Operation &outer) {
    SmallVector<Operation *> found;
    outer.walk<WalkOrder::PreOrder>([&](Operation *op) {
      bool isControl = isa<scf::IfOp, scf::WhileOp, scf::ForOp>(op) ||
                       op->hasTrait<OpTrait::IsTerminator>();
      if (isControl)
        return WalkResult::advance();
      classify(*op);
      if (isHoisted(op))
        found.push_back(op);
      return WalkResult::skip();
    });
    for (Operation *op : found)
      moveBefore(op, outer);
  }

  /// Moves the op and the sources it reads, such as constants, that lie inside
  /// `outer`.
  static void moveBefore(Operation *op, Operation &outer) {
    for (Value read : readsOf(op))
      if (Operation *source = read.getDefiningOp();
          source && outer.isProperAncestor(source))
        moveBefore(source, outer);
    op->moveBefore(&outer);
  }

  /// The blob holds tensors: what makes a number for others than Parameters'
  /// own work is done with the others. Users come first, since one that stays
  /// is a reason for what it reads to stay.
  void keepScalars(Block &body) {
    for (Operation &op : llvm::reverse(body.without_terminator())) {
      bool staysScalar =
          isHoisted(&op) && llvm::any_of(op.getResults(), [&](Value result) {
            return !isa<RankedTensorType>(result.getType()) &&
                   llvm::any_of(result.getUsers(), [&](Operation *user) {
                     return !isHoisted(body.findAncestorOpInBlock(*user));
                   });
          });
      if (staysScalar)
        for (Value result : op.getResults())
          fromParams.erase(result);
    }
  }

  /// Iterations that a compile goes through.
  static constexpr int64_t mostTrips = 1 << 24;

  /// Nobody knows that these iterations end soon, and a compile has to.
  static bool mayNotEnd(Operation &op) {
    return op
        .walk([](Operation *inner) {
          auto loop = dyn_cast<scf::ForOp>(inner);
          auto trips = loop ? loop.getStaticTripCount() : std::nullopt;
          bool isEndless = isa<scf::WhileOp>(inner) ||
                           (loop && (!trips || trips->ugt(mostTrips)));
          return isEndless ? WalkResult::interrupt() : WalkResult::advance();
        })
        .wasInterrupted();
  }

  void classify(Operation &op) {
    if (!isMemoryEffectFree(&op) || op.getNumResults() == 0 || mayNotEnd(op))
      return;
    bool anyParam = false;
    for (Value read : readsOf(&op)) {
      if (fromParams.contains(read))
        anyParam = true;
      else if (!fromNothing.contains(read))
        return;
    }
    auto &side = anyParam ? fromParams : fromNothing;
    side.insert(op.result_begin(), op.result_end());
  }

  DenseSet<Value> fromParams, fromNothing;
};

class HoistPreparePass : public impl::HoistPrepareBase<HoistPreparePass> {
public:
  using HoistPrepareBase::HoistPrepareBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    auto forward = module.lookupSymbol<func::FuncOp>("forward");
    if (!forward) {
      emitCoded(module.getLoc(), Code::BadGraph)
          << "the module has no function @forward";
      return signalPassFailure();
    }
    Partition partition(forward);
    llvm::MapVector<Value, int64_t> crossing = placeWeights(forward, partition);
    Builder builder(&getContext());
    forward->setAttr(weightsSizeAttrName,
                     builder.getI64IntegerAttr(weightsSize));
    auto before = module.lookupSymbol<func::FuncOp>("prepare");
    if (!crossing.empty())
      buildPrepare(forward, before, partition, crossing);
    if (before)
      before.erase();
    replaceWithWeights(forward, crossing);
    eraseHoisted(forward, partition);
    for (ParamOp param : llvm::make_early_inc_range(module.getOps<ParamOp>()))
      if (isa<PreparedAttr>(param.getValue()))
        param.erase();
  }

private:
  /// Every value of the Parameters' side that the rest reads, with its offset,
  /// in the order of first use.
  llvm::MapVector<Value, int64_t> placeWeights(func::FuncOp forward,
                                               const Partition &partition) {
    llvm::MapVector<Value, int64_t> offsets;
    weightsSize = 0;
    for (Operation &op : forward.getBody().front()) {
      if (partition.isHoisted(&op))
        continue;
      for (Value read : readsOf(&op)) {
        if (!partition.dependsOnParams(read) || offsets.count(read))
          continue;
        offsets[read] = weightsSize;
        auto type = cast<RankedTensorType>(read.getType());
        weightsSize += llvm::alignTo(
            type.getNumElements() * eval::storageBytes(type.getElementType()),
            alignment);
        ++numWeights;
      }
    }
    return offsets;
  }

  void buildPrepare(func::FuncOp forward, func::FuncOp before,
                    const Partition &partition,
                    const llvm::MapVector<Value, int64_t> &crossing) {
    OpBuilder builder(&getContext());
    builder.setInsertionPoint(forward);
    SmallVector<Type> results;
    SmallVector<int64_t> offsets;
    for (auto &[value, offset] : crossing) {
      results.push_back(value.getType());
      offsets.push_back(offset);
    }
    auto prepare = func::FuncOp::create(builder, forward.getLoc(), "prepare",
                                        builder.getFunctionType({}, results));
    prepare->setAttr(offsetsAttrName, builder.getDenseI64ArrayAttr(offsets));
    builder.setInsertionPointToStart(prepare.addEntryBlock());
    IRMapping map;
    llvm::StringMap<Value> params;
    SmallVector<Value> prepared;
    if (before) {
      addParams(prepare, before, params, map);
      for (Operation &op : before.getBody().front().without_terminator())
        builder.clone(op, map);
      for (Value output :
           before.getBody().front().getTerminator()->getOperands())
        prepared.push_back(map.lookup(output));
    }
    mapPrepared(forward, prepared, map);
    addParams(prepare, forward, params, map);
    for (Operation &op : forward.getBody().front().without_terminator())
      if (partition.isHoisted(&op))
        cloneWithSources(builder, &op, map);
    SmallVector<Value> returned;
    for (auto &[value, offset] : crossing)
      returned.push_back(map.lookup(value));
    func::ReturnOp::create(builder, forward.getLoc(), returned);
  }

  static StringAttr paramOf(func::FuncOp function, BlockArgument argument) {
    return function.getArgAttrOfType<StringAttr>(argument.getArgNumber(),
                                                 paramAttrName);
  }

  /// Maps what `forward` reads of `prepared`, the outputs of the Graph
  /// @prepare.
  void mapPrepared(func::FuncOp forward, ArrayRef<Value> prepared,
                   IRMapping &map) {
    SymbolTable symbols(getOperation());
    for (BlockArgument argument : forward.getArguments()) {
      StringAttr name = paramOf(forward, argument);
      auto param = name ? symbols.lookup<ParamOp>(name) : ParamOp();
      if (auto from =
              param ? dyn_cast<PreparedAttr>(param.getValue()) : PreparedAttr())
        map.map(argument, prepared[from.getOutput()]);
    }
  }

  /// Gives `prepare` the Parameters of `function` that are in neither yet.
  static void addParams(func::FuncOp prepare, func::FuncOp function,
                        llvm::StringMap<Value> &params, IRMapping &map) {
    for (BlockArgument argument : function.getArguments()) {
      StringAttr name = paramOf(function, argument);
      if (!name || map.contains(argument))
        continue;
      Value &known = params[name];
      if (!known) {
        unsigned index = prepare.getNumArguments();
        Builder builder(prepare.getContext());
        auto attrs = builder.getDictionaryAttr(
            builder.getNamedAttr(paramAttrName, name));
        (void)prepare.insertArgument(index, argument.getType(), attrs,
                                     argument.getLoc());
        known = prepare.getArgument(index);
      }
      map.map(argument, known);
    }
  }

  /// Clones op and, before it, the constants and empty tensors it reads.
  void cloneWithSources(OpBuilder &builder, Operation *op, IRMapping &map) {
    SmallVector<Operation *> pending{op};
    while (!pending.empty()) {
      Operation *next = pending.back();
      bool ready = true;
      for (Value read : readsOf(next))
        if (!map.contains(read)) {
          pending.push_back(read.getDefiningOp());
          ready = false;
        }
      if (!ready)
        continue;
      pending.pop_back();
      if (next->getNumResults() > 0 && map.contains(next->getResult(0)))
        continue;
      builder.clone(*next, map);
      ++numHoisted;
    }
  }

  static void
  replaceWithWeights(func::FuncOp forward,
                     const llvm::MapVector<Value, int64_t> &crossing) {
    OpBuilder builder(forward.getContext());
    builder.setInsertionPointToStart(&forward.getBody().front());
    for (auto &[value, offset] : crossing) {
      Value weight = kernel::WeightOp::create(builder, value.getLoc(),
                                              value.getType(), offset);
      Value(value).replaceAllUsesWith(weight);
    }
  }

  static void eraseHoisted(func::FuncOp forward, const Partition &partition) {
    for (Operation &op :
         llvm::make_early_inc_range(llvm::reverse(forward.getBody().front())))
      if (partition.isHoisted(&op))
        op.erase();
    llvm::BitVector params(forward.getNumArguments());
    for (unsigned i = 0; i < forward.getNumArguments(); ++i)
      if (forward.getArgAttr(i, paramAttrName))
        params.set(i);
    (void)forward.eraseArguments(params);
  }

  int64_t weightsSize = 0;
};

} // namespace
} // namespace graven
