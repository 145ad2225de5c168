//===- InlineCalls.cpp - called Graphs into their callers -------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements InlineCalls, which replaces every `graven.call` by the
// Nodes of the Graph it names and erases private Graphs that nobody calls.
//===----------------------------------------------------------------------===//

#include "dialects/support/Diagnostics.h"
#include "mlir/IR/IRMapping.h"
#include "passes/graph/GraphUtils.h"
#include "passes/graph/Passes.h"

namespace graven {
#define GEN_PASS_DEF_INLINECALLS
#include "passes/graph/Passes.h.inc"
} // namespace graven

using namespace mlir;

namespace graven {
namespace {

class InlineCallsPass : public impl::InlineCallsBase<InlineCallsPass> {
  void runOnOperation() override {
    SymbolTable symbols(getOperation());
    if (failed(orderGraphs(symbols)))
      return signalPassFailure();
    // Callees first, so that what is copied holds no call.
    for (GraphOp graph : order) {
      SmallVector<CallOp> calls;
      graph.walk([&](CallOp call) { calls.push_back(call); });
      for (CallOp call : calls)
        inlineCall(call, symbols.lookup<GraphOp>(call.getCallee()));
    }
    for (GraphOp graph :
         llvm::make_early_inc_range(getOperation().getOps<GraphOp>()))
      if (graph.isPrivate() && graph.getName() != "forward" &&
          graph.getName() != "prepare") {
        graph.erase();
        ++numErased;
      }
  }

  /// Fills `order` with callees before callers; fails on recursion. Walks with
  /// a stack of its own: call chains come from files.
  LogicalResult orderGraphs(SymbolTable &symbols) {
    enum class State { Open, Done };
    llvm::DenseMap<Operation *, State> states;
    struct Frame {
      GraphOp graph;
      SmallVector<CallOp> calls;
      size_t next = 0;
    };
    SmallVector<Frame> stack;
    auto open = [&](GraphOp graph) {
      states[graph] = State::Open;
      Frame &frame = stack.emplace_back();
      frame.graph = graph;
      graph.walk([&](CallOp call) { frame.calls.push_back(call); });
    };
    for (auto root : getOperation().getOps<GraphOp>()) {
      if (states.contains(root))
        continue;
      open(root);
      while (!stack.empty()) {
        Frame &top = stack.back();
        if (top.next == top.calls.size()) {
          states[top.graph] = State::Done;
          order.push_back(top.graph);
          stack.pop_back();
          continue;
        }
        CallOp call = top.calls[top.next++];
        auto callee = symbols.lookup<GraphOp>(call.getCallee());
        auto known = states.find(callee);
        if (known == states.end()) {
          open(callee);
          continue;
        }
        if (known->second == State::Open)
          return emitCoded(call.getLoc(), Code::UnsupportedFeature)
                 << "graph '" << call.getCallee()
                 << "' calls itself, directly or through others";
      }
    }
    return success();
  }

  void inlineCall(CallOp call, GraphOp callee) {
    OpBuilder builder(call);
    IRMapping map;
    Block &body = callee.getBody().front();
    map.map(body.getArguments(), call.getArgOperands());
    for (Operation &node : body.without_terminator()) {
      Operation *copy = builder.clone(node, map);
      copy->walk([&](Operation *inner) {
        inner->setLoc(CallSiteLoc::get(inner->getLoc(), call.getLoc()));
      });
    }
    for (auto [result, output] :
         llvm::zip(call.getOutputs(), callee.getReturn().getOutputs()))
      result.replaceAllUsesWith(map.lookupOrDefault(output));
    call.erase();
    ++numInlined;
  }

  SmallVector<GraphOp> order;
};

} // namespace
} // namespace graven
