//===- FuseElementwise.cpp - fewer passes over memory ----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements FuseElementwise: MLIR's patterns, with a limit that
// MLIR's own pass has no option for.
//===----------------------------------------------------------------------===//

#include "passes/lower/Passes.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Tensor/Transforms/Transforms.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace graven {
#define GEN_PASS_DEF_FUSEELEMENTWISE
#include "passes/lower/Passes.h.inc"
} // namespace graven

using namespace mlir;

namespace graven {
namespace {

/// The distinct values that an operation is given.
unsigned numOperands(Operation *op) {
  return llvm::SmallDenseSet<Value, 16>(op->operand_begin(), op->operand_end())
      .size();
}

/// The operations on elements that an operation is made of, without its yield.
size_t numOperations(Operation *op) {
  auto generic = dyn_cast<linalg::GenericOp>(op);
  return generic ? llvm::range_size(generic.getBody()->without_terminator())
                 : 1;
}

class FuseElementwisePass
    : public impl::FuseElementwiseBase<FuseElementwisePass> {
public:
  using FuseElementwiseBase::FuseElementwiseBase;

private:
  void runOnOperation() override {
    MLIRContext *context = &getContext();
    auto hasOneUser = [](OpOperand *fused) {
      Operation *producer = fused->get().getDefiningOp();
      return producer && producer->hasOneUse();
    };
    auto fits = [this, hasOneUser](OpOperand *fused) {
      if (!hasOneUser(fused))
        return false;
      Operation *first = fused->get().getDefiningOp(),
                *second = fused->getOwner();
      return numOperands(first) + numOperands(second) <= maxOperands &&
             numOperations(first) + numOperations(second) <= maxOperations;
    };
    RewritePatternSet patterns(context);
    linalg::populateElementwiseOpsFusionPatterns(patterns, fits);
    linalg::populateFoldReshapeOpsByExpansionPatterns(patterns, hasOneUser);
    tensor::populateBubbleUpExpandShapePatterns(patterns);
    affine::AffineApplyOp::getCanonicalizationPatterns(patterns, context);
    linalg::GenericOp::getCanonicalizationPatterns(patterns, context);
    tensor::ExpandShapeOp::getCanonicalizationPatterns(patterns, context);
    tensor::CollapseShapeOp::getCanonicalizationPatterns(patterns, context);
    context->getLoadedDialect<linalg::LinalgDialect>()
        ->getCanonicalizationPatterns(patterns);
    linalg::populateConstantFoldLinalgOperations(patterns, hasOneUser);
    // What does not come to an end is right all the same.
    (void)applyPatternsGreedily(getOperation(), std::move(patterns),
                                GreedyRewriteConfig().setUseTopDownTraversal());
  }
};

} // namespace
} // namespace graven
