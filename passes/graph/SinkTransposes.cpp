//===- SinkTransposes.cpp - transposes behind elementwise Nodes -*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements SinkTransposes, which moves transposes behind the
// elementwise Nodes that read them.
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Utils/IndexingUtils.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "passes/graph/Explain.h"
#include "passes/graph/Fingerprint.h"
#include "passes/graph/GraphUtils.h"
#include "passes/graph/Passes.h"

namespace graven {
#define GEN_PASS_DEF_SINKTRANSPOSES
#include "passes/graph/Passes.h.inc"
} // namespace graven

using namespace mlir;

namespace graven {
namespace {

/// The permutation of the transposes among the operands that have the result's
/// shape, where they have one; null otherwise.
TransposeOp commonTranspose(Operation *node) {
  ArrayRef<int64_t> shape = tensorType(node->getResult(0)).getShape();
  TransposeOp common;
  for (Value operand : node->getOperands()) {
    auto transpose = operand.getDefiningOp<TransposeOp>();
    if (!transpose || tensorType(operand).getShape() != shape ||
        isParameterValue(operand))
      continue;
    if (common && common.getPermutation() != transpose.getPermutation())
      return {};
    common = transpose;
  }
  return common;
}

/// f(transpose(x), transpose(y), c) is transpose(f(x, y, c')).
class Sink : public OpTraitRewritePattern<Elementwise> {
public:
  Sink(MLIRContext *context, Pass::Statistic *count)
      : OpTraitRewritePattern(context), count(count) {}

  LogicalResult matchAndRewrite(Operation *node,
                                PatternRewriter &rewriter) const override {
    if (node->getNumResults() != 1)
      return rewriter.notifyMatchFailure(node, "it has several results");
    TransposeOp transpose = commonTranspose(node);
    if (!transpose)
      return rewriter.notifyMatchFailure(
          node, "no operand of its shape is a transpose, or they differ");
    ArrayRef<int64_t> permutation = transpose.getPermutation();
    SmallVector<int64_t> inverse = invertPermutationVector(permutation);
    bool saves = false;
    for (Value operand : node->getOperands()) {
      if (source(operand, permutation)) {
        saves |= soleUser(operand) == node;
        continue;
      }
      if (tensorType(operand).getRank() != 0 && !isParameterValue(operand))
        return rewriter.notifyMatchFailure(
            node, "an operand is no transpose, and no Parameter");
    }
    if (!saves)
      return rewriter.notifyMatchFailure(node,
                                         "every transpose has a second user");
    SmallVector<Value> operands;
    for (Value operand : node->getOperands()) {
      if (Value x = source(operand, permutation))
        operands.push_back(x);
      else if (tensorType(operand).getRank() == 0)
        operands.push_back(operand);
      else
        operands.push_back(
            TransposeOp::create(rewriter, operand.getLoc(), operand, inverse));
    }
    RankedTensorType type = tensorType(node->getResult(0));
    SmallVector<int64_t> shape = llvm::map_to_vector(
        inverse, [&](int64_t axis) { return type.getDimSize(axis); });
    Operation *made = rewriter.clone(*node);
    rewriter.modifyOpInPlace(made, [&] {
      made->setOperands(operands);
      made->getResult(0).setType(type.clone(shape));
    });
    rewriter.replaceOpWithNewOp<TransposeOp>(node, type, made->getResult(0),
                                             permutation);
    if (count)
      ++*count;
    return success();
  }

private:
  /// x of the transpose of x by `permutation`.
  static Value source(Value operand, ArrayRef<int64_t> permutation) {
    auto transpose = operand.getDefiningOp<TransposeOp>();
    return transpose && transpose.getPermutation() == permutation
               ? transpose.getX()
               : Value();
  }

  Pass::Statistic *count;
};

class SinkTransposesPass : public impl::SinkTransposesBase<SinkTransposesPass> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    populateSinkTransposesPatterns(patterns, &numSunk);
    applyPatternsExplained(*this, getOperation(), std::move(patterns), {},
                           getCachedParentAnalysis<SettledGraphs>());
  }
};

} // namespace

void populateSinkTransposesPatterns(RewritePatternSet &patterns,
                                    Pass::Statistic *count) {
  patterns.add<Sink>(patterns.getContext(), count);
}

} // namespace graven
