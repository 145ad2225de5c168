//===- RecomposeGroupNorm.cpp - group norms spelled out ---------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the patterns that find norms of groups of channels
// between reshapes, and give them the scale and bias behind them.
//===----------------------------------------------------------------------===//

#include "passes/graph/RecomposeGroupNorm.h"
#include "passes/graph/AttentionMask.h"
#include "passes/graph/GraphUtils.h"

using namespace mlir;

namespace graven {
namespace {

/// Whether `value` is absent, or known to be `number` everywhere.
bool isAll(Value value, double number) {
  if (!value)
    return true;
  auto elements = knownElements(value);
  if (!elements)
    return false;
  for (int64_t i = 0; i < elements->size(); ++i)
    if (elements->getDouble(i) != number)
      return false;
  return true;
}

/// A norm of rows: each of them one group of one sample.
struct RowNorm {
  Value x;
  int64_t rows;
  APFloat epsilon;
};

/// The norm that gives `value`, where it has neither scale nor bias.
std::optional<RowNorm> rowNorm(Value value) {
  RankedTensorType type = tensorType(value);
  if (!type.hasStaticShape() || type.getNumElements() == 0)
    return std::nullopt;
  auto rows = [&](int64_t axes) {
    return ShapedType::getNumElements(type.getShape().take_front(axes));
  };
  if (auto norm = value.getDefiningOp<LayerNormOp>();
      norm && isAll(norm.getScale(), 1) && isAll(norm.getBias(), 0))
    return RowNorm{norm.getX(), rows(norm.getAxis()), norm.getEpsilon()};
  // One group for each channel.
  if (auto norm = value.getDefiningOp<GroupNormOp>();
      norm && norm.getGroups() == type.getDimSize(1) &&
      isAll(norm.getScale(), 1) && isAll(norm.getBias(), 0))
    return RowNorm{norm.getX(), rows(2), norm.getEpsilon()};
  return std::nullopt;
}

/// reshape(norm(reshape(x))), where each row is a group of x's channels.
struct ToGroupNorm : CountingPattern<ReshapeOp> {
  using CountingPattern::CountingPattern;

  LogicalResult matchAndRewrite(ReshapeOp op,
                                PatternRewriter &rewriter) const override {
    auto norm = rowNorm(op.getX());
    if (!norm)
      return rewriter.notifyMatchFailure(
          op, "x is no norm of rows without scale and bias");
    if (soleUser(op.getX()) != op)
      return rewriter.notifyMatchFailure(op, "the norm has a second user");
    auto before = norm->x.getDefiningOp<ReshapeOp>();
    auto type = cast<RankedTensorType>(op.getResult().getType());
    if (!before || before.getX().getType() != type || type.getRank() < 3)
      return rewriter.notifyMatchFailure(
          op, "the norm's input is no reshape of such a shape");
    int64_t samples = type.getDimSize(0), channels = type.getDimSize(1);
    if (norm->rows % samples != 0 || channels % (norm->rows / samples) != 0)
      return rewriter.notifyMatchFailure(op,
                                         "a row is no whole group of channels");
    rewriter.replaceOpWithNewOp<GroupNormOp>(
        op, type, before.getX(), Value(), Value(),
        rewriter.getI64IntegerAttr(norm->rows / samples),
        FloatAttr::get(rewriter.getF64Type(), norm->epsilon));
    return rewritten();
  }
};

/// A product or sum of a group norm and one number a channel.
template <class OpTy> struct AbsorbChannels : CountingPattern<OpTy> {
  using CountingPattern<OpTy>::CountingPattern;
  static constexpr bool kIsScale = std::is_same_v<OpTy, MulOp>;

  LogicalResult matchAndRewrite(OpTy op,
                                PatternRewriter &rewriter) const override {
    for (auto [value, weights] :
         {std::pair(op.getA(), op.getB()), std::pair(op.getB(), op.getA())}) {
      auto norm = value.template getDefiningOp<GroupNormOp>();
      if (!norm || !takes(norm, weights) || norm.getType() != op.getType())
        continue;
      Value flat = reshaped(rewriter, op.getLoc(), weights,
                            {norm.getType().getDimSize(1)});
      // The weights may be computed behind the norm.
      auto made = cast<GroupNormOp>(rewriter.clone(*norm));
      rewriter.modifyOpInPlace(made, [&] {
        (kIsScale ? made.getScaleMutable() : made.getBiasMutable())
            .assign(flat);
      });
      rewriter.replaceOp(op, made.getResult());
      rewriter.eraseOp(norm);
      return this->rewritten();
    }
    return rewriter.notifyMatchFailure(
        op, "no group norm with one user and room for these weights");
  }

  static bool takes(GroupNormOp norm, Value weights) {
    bool isFree =
        kIsScale ? !norm.getScale() && !norm.getBias() : !norm.getBias();
    RankedTensorType type = tensorType(weights);
    return isFree && norm->hasOneUse() && isParameterValue(weights) &&
           type.hasStaticShape() && type.getRank() > 1 &&
           type.getDimSize(1) == norm.getType().getDimSize(1) &&
           type.getNumElements() == type.getDimSize(1);
  }
};

} // namespace

void populateRecomposeGroupNormPatterns(RewritePatternSet &patterns,
                                        Pass::Statistic *count) {
  patterns.add<ToGroupNorm, AbsorbChannels<MulOp>, AbsorbChannels<AddOp>>(
      patterns.getContext(), count);
}

} // namespace graven
