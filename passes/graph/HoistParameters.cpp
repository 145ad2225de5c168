//===- HoistParameters.cpp - work on Parameters, as a Graph -----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements HoistParameters, which moves the Nodes of @forward that
// depend on Parameters alone to a Graph of their own, @prepare, and declares
// its outputs as Parameters.
//===----------------------------------------------------------------------===//

#include "mlir/IR/IRMapping.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Transforms/RegionUtils.h"
#include "passes/graph/GraphUtils.h"
#include "passes/graph/Passes.h"

namespace graven {
#define GEN_PASS_DEF_HOISTPARAMETERS
#include "passes/graph/Passes.h.inc"
} // namespace graven

using namespace mlir;

namespace graven {
namespace {

/// What a Node reads, also from inside its Blocks.
SmallVector<Value> readsOf(Operation *node) {
  llvm::SetVector<Value> reads(node->operand_begin(), node->operand_end());
  getUsedValuesDefinedAbove(node->getRegions(), reads);
  return reads.takeVector();
}

/// Whether the Node gives more than all it reads: what a broadcast repeats
/// should not be stored, what a concat puts together is stored already.
bool grows(Operation *node, ArrayRef<Value> reads) {
  int64_t all = 0;
  for (Value read : reads)
    all += tensorType(read).getNumElements();
  return llvm::any_of(node->getResults(), [&](Value result) {
    return tensorType(result).getNumElements() > all;
  });
}

bool isStatic(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  return type && type.hasStaticShape();
}

/// Nodes that check their indices when they run: the check belongs to @forward.
bool mayFail(Operation *node) {
  return node->hasTrait<Indexed>() || isa<IfOp, LoopOp>(node);
}

/// A Node whose result takes more memory than what it reads, and no work where
/// it is read.
bool widens(Operation *node) {
  auto cast = dyn_cast<CastOp>(node);
  return cast && isa<FloatType>(cast.getType().getElementType()) &&
         tensorType(cast.getX()).getElementTypeBitWidth() <
             cast.getType().getElementTypeBitWidth();
}

class HoistParametersPass
    : public impl::HoistParametersBase<HoistParametersPass> {
  void runOnOperation() override {
    auto forward = getOperation().lookupSymbol<GraphOp>("forward");
    if (!forward)
      return;
    Block &block = forward.getBody().front();
    // Of Parameters alone, and of nothing at all.
    DenseSet<Value> fromParams, fromNothing;
    SmallVector<Operation *> hoisted;
    for (Operation &node : block.without_terminator()) {
      if (isa<GetParamOp>(node)) {
        fromParams.insert(node.getResult(0));
        continue;
      }
      SmallVector<Value> reads = readsOf(&node);
      bool known =
          isMemoryEffectFree(&node) && !mayFail(&node) &&
          llvm::all_of(node.getResults(), isStatic) &&
          llvm::all_of(reads, [&](Value read) {
            return fromParams.contains(read) || fromNothing.contains(read);
          });
      if (!known)
        continue;
      bool readsParam = llvm::any_of(
          reads, [&](Value read) { return fromParams.contains(read); });
      if (!readsParam) {
        fromNothing.insert(node.result_begin(), node.result_end());
      } else if (!grows(&node, reads)) {
        fromParams.insert(node.result_begin(), node.result_end());
        hoisted.push_back(&node);
      }
    }
    if (hoisted.empty())
      return;
    SmallPtrSet<Operation *, 16> moving(hoisted.begin(), hoisted.end());
    // What is stored is narrow: its readers widen it.
    for (Operation *node : llvm::reverse(hoisted))
      if (widens(node) && llvm::any_of(node->getUsers(), [&](Operation *user) {
            return !moving.contains(block.findAncestorOpInBlock(*user));
          }))
        moving.erase(node);
    llvm::erase_if(hoisted,
                   [&](Operation *node) { return !moving.contains(node); });
    SmallVector<Value> crossing;
    for (Operation *node : hoisted)
      for (Value result : node->getResults())
        if (llvm::any_of(result.getUsers(), [&](Operation *user) {
              return !moving.contains(block.findAncestorOpInBlock(*user));
            }))
          crossing.push_back(result);
    move(forward, hoisted, crossing);
  }

  /// Clones the Nodes to the end of @prepare, and lets `forward` read what it
  /// needs of them as Parameters.
  void move(GraphOp forward, ArrayRef<Operation *> hoisted,
            ArrayRef<Value> crossing) {
    ModuleOp module = getOperation();
    SymbolTable symbols(module);
    GraphOp prepare = prepareGraph(forward);
    ReturnOp last = prepare.getReturn();
    OpBuilder builder(last);
    IRMapping map;
    for (Operation *node : hoisted)
      cloneWithSources(builder, symbols, last, node, map);
    SmallVector<Value> outputs(last.getOutputs());
    OpBuilder reads(forward.getContext());
    reads.setInsertionPointToStart(&forward.getBody().front());
    for (Value value : crossing) {
      auto param = declare(symbols, value, outputs.size());
      outputs.push_back(map.lookup(value));
      value.replaceAllUsesExcept(GetParamOp::create(reads, value.getLoc(),
                                                    value.getType(),
                                                    param.getSymName()),
                                 value.getDefiningOp());
      ++numOutputs;
    }
    last.getOutputsMutable().assign(outputs);
    prepare.updateType();
    for (Operation *node : llvm::reverse(hoisted))
      if (isOpTriviallyDead(node))
        node->erase();
    eraseUnreadSources(forward);
  }

  GraphOp prepareGraph(GraphOp forward) {
    if (auto existing = getOperation().lookupSymbol<GraphOp>("prepare"))
      return existing;
    OpBuilder builder(forward);
    auto prepare = GraphOp::create(builder, forward.getLoc(), "prepare",
                                   builder.getFunctionType({}, {}));
    builder.setInsertionPointToStart(&prepare.getBody().front());
    ReturnOp::create(builder, forward.getLoc(), ValueRange());
    return prepare;
  }

  /// A read of a Parameter that @prepare itself computes is its value there.
  static Value preparedValue(const SymbolTable &symbols, ReturnOp outputs,
                             Operation *node) {
    auto get = dyn_cast<GetParamOp>(node);
    auto param = get ? symbols.lookup<ParamOp>(get.getParam()) : ParamOp();
    auto prepared =
        param ? dyn_cast<PreparedAttr>(param.getValue()) : PreparedAttr();
    return prepared ? outputs.getOutputs()[prepared.getOutput()] : Value();
  }

  void cloneWithSources(OpBuilder &builder, const SymbolTable &symbols,
                        ReturnOp outputs, Operation *node, IRMapping &map) {
    for (Value read : readsOf(node)) {
      if (map.contains(read))
        continue;
      Operation *source = read.getDefiningOp();
      if (Value value = preparedValue(symbols, outputs, source))
        map.map(read, value);
      else
        cloneWithSources(builder, symbols, outputs, source, map);
    }
    builder.clone(*node, map);
    ++numHoisted;
  }

  /// A Parameter that is output `index` of @prepare, called after the first one
  /// it is computed from that has its size.
  ParamOp declare(SymbolTable &symbols, Value value, int64_t index) {
    OpBuilder builder(value.getContext());
    auto param = ParamOp::create(
        builder, value.getLoc(), builder.getStringAttr(sourceName(value)),
        TypeAttr::get(value.getType()),
        PreparedAttr::get(value.getContext(), index),
        /*requires_grad=*/nullptr, /*is_buffer=*/nullptr,
        /*sym_visibility=*/nullptr);
    Block *body = getOperation().getBody();
    Block::iterator place = body->begin();
    while (place != body->end() && isa<ParamOp>(*place))
      ++place;
    symbols.insert(param, place);
    return param;
  }

  static std::string sourceName(Value value) {
    StringRef name = "weight";
    int64_t count = tensorType(value).getNumElements();
    SmallVector<Value> pending{value};
    SmallPtrSet<Operation *, 16> seen;
    while (!pending.empty()) {
      Value next = pending.pop_back_val();
      Operation *node = next.getDefiningOp();
      if (!node || !seen.insert(node).second)
        continue;
      if (auto get = dyn_cast<GetParamOp>(node)) {
        name = get.getParam();
        if (tensorType(next).getNumElements() == count)
          break;
      }
      llvm::append_range(pending, llvm::reverse(readsOf(node)));
    }
    return (name + ".prepared").str();
  }

  static void eraseUnreadSources(GraphOp forward) {
    for (Operation &node :
         llvm::make_early_inc_range(llvm::reverse(forward.getBody().front())))
      if (isOpTriviallyDead(&node))
        node.erase();
  }
};

} // namespace
} // namespace graven
