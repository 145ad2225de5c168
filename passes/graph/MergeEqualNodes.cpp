//===- MergeEqualNodes.cpp - MLIR's CSE, once a state -----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements MergeEqualNodes.
//===----------------------------------------------------------------------===//

#include "mlir/IR/Dominance.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/CSE.h"
#include "passes/graph/Fingerprint.h"
#include "passes/graph/Passes.h"

namespace graven {
#define GEN_PASS_DEF_MERGEEQUALNODES
#include "passes/graph/Passes.h.inc"
} // namespace graven

using namespace mlir;

namespace graven {
namespace {

class MergeEqualNodesPass
    : public impl::MergeEqualNodesBase<MergeEqualNodesPass> {
  void runOnOperation() override {
    auto graphs = getCachedParentAnalysis<SettledGraphs>();
    bool changed = runUnlessSettled(
        getOperation(), getAnalysis<Fingerprint>(),
        graphs ? &graphs->get().of(getOperation()).unique : nullptr, [&] {
          IRRewriter rewriter(&getContext());
          eliminateCommonSubExpressions(rewriter, getAnalysis<DominanceInfo>(),
                                        getOperation());
        });
    // Nodes leave; Blocks stay.
    if (changed)
      markAnalysesPreserved<Fingerprint, DominanceInfo>();
    else
      markAllAnalysesPreserved();
  }
};

} // namespace
} // namespace graven
