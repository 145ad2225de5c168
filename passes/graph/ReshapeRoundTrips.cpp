//===- ReshapeRoundTrips.cpp - reshapes there and back ----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the pattern of RemoveIdentities for elementwise Nodes
// between a reshape and one that undoes it.
//===----------------------------------------------------------------------===//

#include "passes/graph/ReshapeRoundTrips.h"
#include "passes/graph/GraphUtils.h"

using namespace mlir;

namespace graven {
namespace {

/// An operand of extents 1 or those of `from`, to be read under the shape `to`:
/// first broadcast to `wide`, then reshaped to `shape`.
struct Regrouped {
  SmallVector<int64_t> wide, shape;
};

/// Axes of one shape become axes of another in groups of as many elements. In
/// each group the operand has one element or all of them; where it has some,
/// the others are repeated. Both shapes are static and of as many elements.
Regrouped regroup(ArrayRef<int64_t> operand, ArrayRef<int64_t> from,
                  ArrayRef<int64_t> to) {
  Regrouped result;
  size_t i = 0, j = 0;
  while (i < from.size() || j < to.size()) {
    size_t firstFrom = i, firstTo = j;
    int64_t here = 1, there = 1;
    if (i < from.size())
      here = from[i++];
    if (j < to.size())
      there = to[j++];
    while (here != there) {
      if ((here < there && i < from.size()) || j == to.size())
        here *= from[i++];
      else
        there *= to[j++];
    }
    ArrayRef<int64_t> part = operand.slice(firstFrom, i - firstFrom);
    bool single = llvm::all_of(part, [](int64_t n) { return n == 1; });
    llvm::append_range(result.wide,
                       single ? part : from.slice(firstFrom, i - firstFrom));
    for (size_t axis = firstTo; axis < j; ++axis)
      result.shape.push_back(single ? 1 : to[axis]);
  }
  return result;
}

/// The Nodes that giving `operand` this form takes when the model runs.
int64_t costOf(Value operand, const Regrouped &form) {
  ArrayRef<int64_t> shape = tensorType(operand).getShape();
  if (ArrayRef<int64_t>(form.wide) != shape)
    return isParameterValue(operand) ? 1 : 2;
  return isParameterValue(operand) || shape == ArrayRef<int64_t>(form.shape)
             ? 0
             : 1;
}

struct RoundTrip : CountingPattern<ReshapeOp> {
  using CountingPattern::CountingPattern;

  LogicalResult matchAndRewrite(ReshapeOp op,
                                PatternRewriter &rewriter) const override {
    Operation *node = op.getX().getDefiningOp();
    if (!node || !node->hasTrait<Elementwise>() || node->getNumResults() != 1)
      return rewriter.notifyMatchFailure(op, "x is not elementwise");
    if (soleUser(op.getX()) != op)
      return rewriter.notifyMatchFailure(op, "x has a second user");
    RankedTensorType from = tensorType(op.getX()),
                     to = tensorType(op.getResult());
    if (!from.hasStaticShape() || !to.hasStaticShape() ||
        from.getNumElements() == 0)
      return rewriter.notifyMatchFailure(
          op, "an extent is not known, or there is no element");
    // This reshape goes, and those with no other reader.
    int64_t gone = 1, added = 0;
    for (Value operand : node->getOperands()) {
      if (sourceOf(operand, from, to)) {
        gone += soleUser(operand) == node;
        continue;
      }
      RankedTensorType type = tensorType(operand);
      if (!type.hasStaticShape())
        return rewriter.notifyMatchFailure(op, "an extent is not known");
      if (type.getRank() != 0)
        added += costOf(
            operand, regroup(type.getShape(), from.getShape(), to.getShape()));
    }
    if (gone < 2 || added >= gone)
      return rewriter.notifyMatchFailure(
          op, "no reshape that it undoes goes with it, or as many are needed "
              "for other operands");
    SmallVector<Value> operands;
    for (Value operand : node->getOperands())
      operands.push_back(moved(rewriter, operand, from, to));
    Operation *made = rewriter.clone(*node);
    rewriter.modifyOpInPlace(made, [&] {
      made->setOperands(operands);
      made->getResult(0).setType(to);
    });
    rewriter.replaceOp(op, made->getResults());
    return rewritten();
  }

  /// x of reshape(x), which takes it to `from`, where x has the extents of
  /// `to`.
  static Value sourceOf(Value operand, RankedTensorType from,
                        RankedTensorType to) {
    auto reshape = operand.getDefiningOp<ReshapeOp>();
    return reshape && tensorType(operand).getShape() == from.getShape() &&
                   tensorType(reshape.getX()).getShape() == to.getShape()
               ? reshape.getX()
               : Value();
  }

  static Value moved(PatternRewriter &rewriter, Value operand,
                     RankedTensorType from, RankedTensorType to) {
    if (Value source = sourceOf(operand, from, to))
      return source;
    RankedTensorType type = tensorType(operand);
    if (type.getRank() == 0)
      return operand;
    Regrouped form = regroup(type.getShape(), from.getShape(), to.getShape());
    if (ArrayRef<int64_t>(form.wide) != type.getShape())
      operand = BroadcastOp::create(
          rewriter, operand.getLoc(), operand, form.wide,
          llvm::to_vector(llvm::seq<int64_t>(0, type.getRank())));
    return reshaped(rewriter, operand.getLoc(), operand, form.shape);
  }
};

} // namespace

void populateReshapeRoundTripPatterns(RewritePatternSet &patterns,
                                      Pass::Statistic *count) {
  patterns.add<RoundTrip>(patterns.getContext(), count);
}

} // namespace graven
