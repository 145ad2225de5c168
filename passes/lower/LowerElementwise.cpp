//===- LowerElementwise.cpp - elementwise Nodes as loop nests -*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the one pattern that lowers every elementwise Node: a
// parallel nest around its scalar form.
//===----------------------------------------------------------------------===//

#include "dialects/graven/Graven.h"
#include "passes/lower/LowerUtils.h"
#include "passes/lower/ScalarFormulas.h"

using namespace mlir;

namespace graven {
namespace {

struct LowerElementwise : ConversionPattern {
  explicit LowerElementwise(MLIRContext *context)
      : ConversionPattern(Pattern::MatchAnyOpTypeTag(), /*benefit=*/1,
                          context) {}

  LogicalResult
  matchAndRewrite(Operation *node, ArrayRef<Value> operands,
                  ConversionPatternRewriter &rewriter) const final {
    if (!node->hasTrait<Elementwise>())
      return rewriter.notifyMatchFailure(node, "not elementwise");
    RankedTensorType type = loweredType(node->getResult(0).getType());
    SmallVector<AffineMap> maps;
    for (Value operand : operands)
      maps.push_back(broadcastMap(
          getContext(), cast<RankedTensorType>(operand.getType()).getShape(),
          type.getShape()));
    bool complete = true;
    Value result = mapElements(rewriter, node->getLoc(), type.getShape(),
                               type.getElementType(), operands, maps,
                               [&](OpBuilder &b, Location, ValueRange scalars) {
                                 Value value = emitScalar(node, b, scalars);
                                 complete = complete && value;
                                 return value ? value : scalars[0];
                               });
    if (!complete)
      return rewriter.notifyMatchFailure(
          node, "has no scalar form for this element type");
    rewriter.replaceOp(node, result);
    return success();
  }
};

} // namespace

void populateElementwiseLowering(RewritePatternSet &patterns) {
  patterns.add<LowerElementwise>(patterns.getContext());
}

} // namespace graven
