//===- Structure.cpp - folds of control flow ------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements canonicalizations of the ops that hold sub-Blocks.
//===----------------------------------------------------------------------===//

#include "dialects/graven/folds/Folds.h"

using namespace mlir;

namespace graven {

namespace {
/// An `if` on a known condition is the Block that it takes.
struct InlineKnownIf : OpRewritePattern<IfOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(IfOp op,
                                PatternRewriter &rewriter) const override {
    auto condition = constantScalar(op.getCond());
    if (!condition)
      return rewriter.notifyMatchFailure(op, "the condition is not constant");
    Block &taken = (*condition ? op.getThenBlock() : op.getElseBlock()).front();
    Operation *yield = taken.getTerminator();
    // A `?` result that becomes static would have to refine its users.
    if (yield->getOperandTypes() != op.getResultTypes())
      return rewriter.notifyMatchFailure(
          op, "the taken Block yields more static types");
    SmallVector<Value> values(yield->getOperands());
    rewriter.inlineBlockBefore(&taken, op);
    rewriter.eraseOp(yield);
    rewriter.replaceOp(op, values);
    return success();
  }
};

/// A loop that never runs gives its initial values.
struct EraseIdleLoop : OpRewritePattern<LoopOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(LoopOp op,
                                PatternRewriter &rewriter) const override {
    auto trip = op.getTrip() ? constantScalar(op.getTrip()) : std::nullopt,
         cond = op.getCond() ? constantScalar(op.getCond()) : std::nullopt;
    if (!(trip && *trip <= 0) && !(cond && *cond == 0))
      return rewriter.notifyMatchFailure(op, "it may run");
    if (!op.getStacked().empty())
      return rewriter.notifyMatchFailure(op, "it has stacked results");
    if (op.getInit().getTypes() != op.getFinal().getTypes())
      return rewriter.notifyMatchFailure(op, "the types of a value differ");
    rewriter.replaceOp(op, op.getInit());
    return success();
  }
};
} // namespace

void IfOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                       MLIRContext *context) {
  patterns.add<InlineKnownIf>(context);
}
void LoopOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                         MLIRContext *context) {
  patterns.add<EraseIdleLoop>(context);
}

} // namespace graven
