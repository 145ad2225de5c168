//===- Canonicalize.cpp - MLIR's canonicalizer, explained -------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements Canonicalize. MLIR's own pass takes no listener, so that
// nobody could hear which of the patterns did something.
//===----------------------------------------------------------------------===//

#include "dialects/graven/Graven.h"
#include "mlir/IR/PatternMatch.h"
#include "passes/graph/Explain.h"
#include "passes/graph/Fingerprint.h"
#include "passes/graph/Passes.h"

namespace graven {
#define GEN_PASS_DEF_CANONICALIZE
#include "passes/graph/Passes.h.inc"
} // namespace graven

using namespace mlir;

namespace graven {
namespace {

/// The patterns of all ops that a context knows, which take longer to collect
/// than to apply to a small graph: the passes of a context share them.
class SharedPatterns : public DialectInterface::Base<SharedPatterns> {
public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(SharedPatterns)
  explicit SharedPatterns(Dialect *dialect) : Base(dialect) {}

  std::shared_ptr<const FrozenRewritePatternSet> patterns;
  /// Of the dialects that were loaded then.
  size_t numDialects = 0;
};

std::shared_ptr<const FrozenRewritePatternSet>
collectPatterns(MLIRContext *context) {
  RewritePatternSet patterns(context);
  for (Dialect *dialect : context->getLoadedDialects())
    dialect->getCanonicalizationPatterns(patterns);
  for (RegisteredOperationName op : context->getRegisteredOperations())
    op.getCanonicalizationPatterns(patterns, context);
  return std::make_shared<FrozenRewritePatternSet>(std::move(patterns));
}

class CanonicalizePass : public impl::CanonicalizeBase<CanonicalizePass> {
  LogicalResult initialize(MLIRContext *context) override {
    auto *dialect = context->getOrLoadDialect<GravenDialect>();
    auto *shared = dialect->getRegisteredInterface<SharedPatterns>();
    if (!shared)
      shared = &dialect->addInterface<SharedPatterns>();
    size_t numDialects = context->getLoadedDialects().size();
    if (shared->numDialects != numDialects) {
      shared->patterns = collectPatterns(context);
      shared->numDialects = numDialects;
    }
    patterns = shared->patterns;
    return success();
  }

  void runOnOperation() override {
    auto graphs = getCachedParentAnalysis<SettledGraphs>();
    bool changed = runUnlessSettled(
        getOperation(), getAnalysis<Fingerprint>(),
        graphs ? &graphs->get().of(getOperation()).canonical : nullptr, [&] {
          GreedyRewriteConfig config;
          config.setUseTopDownTraversal(true);
          // As upstream: it is best effort, and need not come to an end.
          (void)canonicalizeExplained(*this, getOperation(), *patterns, config);
        });
    if (changed)
      markAnalysesPreserved<Fingerprint>();
    else
      markAllAnalysesPreserved();
  }

  std::shared_ptr<const FrozenRewritePatternSet> patterns;
};

} // namespace
} // namespace graven
