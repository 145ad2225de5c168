//===- Reduction.cpp - folds of the reductions ----------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements folders and canonicalizations of the reductions.
//===----------------------------------------------------------------------===//

#include "dialects/graven/folds/Folds.h"

using namespace mlir;

namespace graven {

OpFoldResult ReduceOp::fold(FoldAdaptor) {
  if (getAxes().empty() && getX().getType() == getType())
    return getX();
  return {};
}

namespace {
/// Any kind over axes of extent 1 gives the element itself: a reshape.
struct ReduceOnesToReshape : OpRewritePattern<ReduceOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ReduceOp op,
                                PatternRewriter &rewriter) const override {
    auto type = cast<RankedTensorType>(op.getX().getType());
    for (int64_t axis : op.getAxes())
      if (type.getDimSize(axis) != 1)
        return rewriter.notifyMatchFailure(op, "an extent is not 1");
    if (!op.getType().hasStaticShape())
      return rewriter.notifyMatchFailure(op, "the result is not static");
    return replaceKeepingType<ReshapeOp>(
        rewriter, op, op.getX(), ValueRange(),
        rewriter.getDenseI64ArrayAttr(op.getType().getShape()));
  }
};
} // namespace

void ReduceOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                           MLIRContext *context) {
  patterns.add<ReduceOnesToReshape>(context);
}

} // namespace graven
