//===- ReuseOperands.cpp - elementwise ops in place -------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements graven-reuse-operands, which makes an operand that dies
// at an elementwise op the op's destination.
//===----------------------------------------------------------------------===//
#include "passes/memory/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Transforms/WalkPatternRewriteDriver.h"

namespace graven {
#define GEN_PASS_DEF_REUSEOPERANDS
#include "passes/memory/Passes.h.inc"
} // namespace graven

using namespace mlir;

namespace graven {
namespace {

/// Whether the value has a buffer of its own that was filled in this block and
/// that nobody else looks at.
bool isOwned(Value value, Block *block) {
  while (value.hasOneUse()) {
    Operation *op = value.getDefiningOp();
    if (!op || op->getBlock() != block)
      return false;
    if (isa<tensor::CollapseShapeOp, tensor::ExpandShapeOp>(op)) {
      value = op->getOperand(0);
      continue;
    }
    return isa<DestinationStyleOpInterface>(op) &&
           !isa<tensor::InsertSliceOp>(op);
  }
  return false;
}

/// The input to overwrite, or null.
OpOperand *findReusable(linalg::GenericOp op) {
  OpOperand *out = op.getDpsInitOperand(0);
  AffineMap map = op.getMatchingIndexingMap(out);
  for (OpOperand *input : op.getDpsInputOperands())
    if (input->get().getType() == out->get().getType() &&
        op.getMatchingIndexingMap(input) == map &&
        isOwned(input->get(), op->getBlock()))
      return input;
  return nullptr;
}

struct ReuseElementwiseOperand : OpRewritePattern<linalg::GenericOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(linalg::GenericOp op,
                                PatternRewriter &rewriter) const override {
    if (!op.hasPureTensorSemantics() || op.getNumDpsInits() != 1)
      return rewriter.notifyMatchFailure(op, "not on tensors with one result");
    if (op.getNumParallelLoops() != op.getNumLoops())
      return rewriter.notifyMatchFailure(op, "reduces");
    OpOperand *out = op.getDpsInitOperand(0);
    if (!out->get().getDefiningOp<tensor::EmptyOp>() ||
        op.payloadUsesValueFromOperand(out))
      return rewriter.notifyMatchFailure(op, "the destination has a value");
    if (!op.getMatchingIndexingMap(out).isPermutation())
      return rewriter.notifyMatchFailure(op, "an element is written twice");
    OpOperand *reused = findReusable(op);
    if (!reused)
      return rewriter.notifyMatchFailure(
          op, "no operand of the result's type and map dies here in a buffer "
              "of its own");
    unsigned index = reused->getOperandNumber();
    Block *body = op.getBody();
    rewriter.modifyOpInPlace(op, [&] {
      SmallVector<AffineMap> maps = op.getIndexingMapsArray();
      maps.erase(maps.begin() + index);
      op.setIndexingMapsAttr(rewriter.getAffineMapArrayAttr(maps));
      out->set(reused->get());
      op.getInputsMutable().erase(index);
      body->getArgument(index).replaceAllUsesWith(body->getArguments().back());
      body->eraseArgument(index);
    });
    return success();
  }
};

struct ReuseOperands : impl::ReuseOperandsBase<ReuseOperands> {
  using ReuseOperandsBase::ReuseOperandsBase;

  static int64_t countInputs(Operation *root) {
    int64_t count = 0;
    root->walk([&](linalg::GenericOp op) { count += op.getInputs().size(); });
    return count;
  }

  void runOnOperation() override {
    int64_t before = countInputs(getOperation());
    RewritePatternSet patterns(&getContext());
    populateReuseOperandsPatterns(patterns);
    walkAndApplyPatterns(getOperation(), std::move(patterns));
    numReused += before - countInputs(getOperation());
  }
};

} // namespace

void populateReuseOperandsPatterns(RewritePatternSet &patterns) {
  patterns.add<ReuseElementwiseOperand>(patterns.getContext());
}

} // namespace graven
