//===- Canonicalize.cpp - MLIR's canonicalizer, explained -------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements Canonicalize. MLIR's own pass takes no listener, so that
// nobody could hear which of the patterns did something.
//===----------------------------------------------------------------------===//

#include "mlir/IR/PatternMatch.h"
#include "passes/graph/Explain.h"
#include "passes/graph/Passes.h"

namespace graven {
#define GEN_PASS_DEF_CANONICALIZE
#include "passes/graph/Passes.h.inc"
} // namespace graven

using namespace mlir;

namespace graven {
namespace {

class CanonicalizePass : public impl::CanonicalizeBase<CanonicalizePass> {
  LogicalResult initialize(MLIRContext *context) override {
    RewritePatternSet canonical(context);
    for (Dialect *dialect : context->getLoadedDialects())
      dialect->getCanonicalizationPatterns(canonical);
    for (RegisteredOperationName op : context->getRegisteredOperations())
      op.getCanonicalizationPatterns(canonical, context);
    patterns = std::make_shared<FrozenRewritePatternSet>(std::move(canonical));
    return success();
  }

  void runOnOperation() override {
    GreedyRewriteConfig config;
    config.setUseTopDownTraversal(true);
    // As upstream: it is best effort, and need not come to an end.
    (void)canonicalizeExplained(*this, getOperation(), *patterns, config);
  }

  std::shared_ptr<const FrozenRewritePatternSet> patterns;
};

} // namespace
} // namespace graven
