//===- VerifyGraphPhase.cpp - the contract of the graph phase ---*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements VerifyGraphPhase, which checks what the lowering relies
// on at the end of the graph phase.
//===----------------------------------------------------------------------===//

#include "passes/graph/GraphUtils.h"
#include "passes/graph/Passes.h"

namespace graven {
#define GEN_PASS_DEF_VERIFYGRAPHPHASE
#include "passes/graph/Passes.h.inc"
} // namespace graven

using namespace mlir;

namespace graven {
namespace {

InFlightDiagnostic violated(Operation *op) {
  return op->emitError("graph contract: ");
}

class VerifyGraphPhasePass
    : public impl::VerifyGraphPhaseBase<VerifyGraphPhasePass> {
  void runOnOperation() override {
    bool good = true;
    llvm::DenseSet<StringAttr> read;
    for (Operation &op : *getOperation().getBody()) {
      if (isa<ParamOp>(op))
        continue;
      auto graph = dyn_cast<GraphOp>(op);
      if (!graph) {
        violated(&op) << "the module holds '" << op.getName()
                      << "', expected graphs and Parameters only";
        good = false;
        continue;
      }
      graph.getBody().walk([&](Operation *node) {
        good &= succeeded(checkNode(node));
        if (auto get = dyn_cast<GetParamOp>(node))
          read.insert(get.getParamAttr().getAttr());
      });
    }
    if (!getOperation().lookupSymbol<GraphOp>("forward")) {
      violated(getOperation()) << "there is no graph @forward";
      good = false;
    }
    for (auto param : getOperation().getOps<ParamOp>())
      if (!read.contains(param.getSymNameAttr())) {
        violated(param) << "no Node reads the Parameter '" << param.getSymName()
                        << "'";
        good = false;
      }
    if (!good)
      signalPassFailure();
  }

  static LogicalResult checkNode(Operation *node) {
    if (!isa<GravenDialect>(node->getDialect()))
      return violated(node)
             << "'" << node->getName() << "' is not of the graven dialect";
    if (isa<CallOp>(node))
      return violated(node) << "a call is left";
    for (Type type : node->getResultTypes())
      if (!isa<RankedTensorType>(type))
        return violated(node)
               << "a result has type " << type << ", expected a ranked tensor";
    auto relayout = dyn_cast<RelayoutOp>(node);
    if (relayout && relayout.getX().getDefiningOp<RelayoutOp>())
      return violated(node) << "a relayout of a relayout is left";
    auto fusion = dyn_cast<FusionOp>(node);
    if (fusion && !fusion->getAttrOfType<StringAttr>("kind"))
      return violated(node) << "a fusion has no kind";
    return success();
  }
};

} // namespace
} // namespace graven
