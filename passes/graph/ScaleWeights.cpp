//===- ScaleWeights.cpp - products and sums into weights --------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements ScaleWeights, which multiplies factors in front of and
// behind contractions into their weights, and moves sums in front of
// convolutions into their biases.
//===----------------------------------------------------------------------===//

#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "passes/graph/ContractionWeights.h"
#include "passes/graph/Explain.h"
#include "passes/graph/Fingerprint.h"
#include "passes/graph/GraphUtils.h"
#include "passes/graph/Passes.h"

namespace graven {
#define GEN_PASS_DEF_SCALEWEIGHTS
#include "passes/graph/Passes.h.inc"
} // namespace graven

using namespace mlir;

namespace graven {
namespace {

/// x op c or, where op commutes, c op x, with c one number for each entry of an
/// axis of x or one for all.
struct Factor {
  Value x, numbers;
};

/// The factor of `op` along an axis of its result; nullopt where it has none.
template <class OpTy> std::optional<Factor> factorOf(OpTy op, int64_t axis) {
  constexpr bool commutes =
      std::is_same_v<OpTy, MulOp> || std::is_same_v<OpTy, AddOp>;
  RankedTensorType type = op.getType();
  if (op.getA().getType() == type && liesAlong(op.getB(), type, axis))
    return Factor{op.getA(), op.getB()};
  if (commutes && op.getB().getType() == type &&
      liesAlong(op.getA(), type, axis))
    return Factor{op.getB(), op.getA()};
  return std::nullopt;
}

/// value * numbers or value / numbers, as `OpTy` is.
template <class OpTy>
Value applied(OpBuilder &b, Location loc, Value value, Value numbers) {
  return OpTy::create(b, loc, value.getType(), value, numbers);
}

/// conv(x, w, b) s is conv(x, w s, b s), s one number a channel.
template <class OpTy> struct BehindConv : CountingPattern<OpTy> {
  using CountingPattern<OpTy>::CountingPattern;

  LogicalResult matchAndRewrite(OpTy op,
                                PatternRewriter &rewriter) const override {
    auto factor = factorOf(op, 1);
    auto conv = factor ? factor->x.template getDefiningOp<ConvOp>() : ConvOp();
    if (!conv)
      return rewriter.notifyMatchFailure(
          op, "is no convolution and one number a channel");
    if (!conv->hasOneUse())
      return rewriter.notifyMatchFailure(op,
                                         "the convolution has a second user");
    if (failed(checkConv(conv, rewriter)))
      return failure();
    Location loc = rewriter.getFusedLoc({conv.getLoc(), op.getLoc()});
    Value numbers = factor->numbers;
    int64_t rank = tensorType(conv.getW()).getRank();
    Value w = applied<OpTy>(rewriter, loc, conv.getW(),
                            along(rewriter, loc, numbers, rank, 0));
    Value bias = conv.getBias();
    if (bias)
      bias = applied<OpTy>(rewriter, loc, bias,
                           along(rewriter, loc, numbers, 1, 0));
    auto made = cast<ConvOp>(rewriter.clone(*conv));
    rewriter.modifyOpInPlace(made, [&] {
      made.getWMutable().assign(w);
      if (bias)
        made.getBiasMutable().assign(bias);
      made->setLoc(loc);
    });
    rewriter.replaceOp(op, made.getResult());
    rewriter.eraseOp(conv);
    return this->rewritten();
  }
};

/// The weights [Co, Ci/g, K..] as [g, Co/g, Ci/g, K..], and numbers, one an
/// input channel, along them.
struct GroupedWeights {
  Value w, numbers;
};

GroupedWeights byGroup(OpBuilder &b, Location loc, ConvOp conv, Value numbers) {
  ArrayRef<int64_t> shape = tensorType(conv.getW()).getShape();
  int64_t groups = conv.getGroups();
  SmallVector<int64_t> split{groups, shape[0] / groups};
  llvm::append_range(split, shape.drop_front());
  SmallVector<int64_t> channels(split.size(), 1);
  if (tensorType(numbers).getNumElements() > 1) {
    channels[0] = groups;
    channels[2] = shape[1];
  }
  return {reshaped(b, loc, conv.getW(), split),
          reshaped(b, loc, numbers, channels)};
}

/// conv(x s, w) is conv(x, w s), s one number a channel: pads stay 0.
template <class OpTy> struct BeforeConv : CountingPattern<ConvOp> {
  using CountingPattern::CountingPattern;

  LogicalResult matchAndRewrite(ConvOp op,
                                PatternRewriter &rewriter) const override {
    auto product = op.getX().getDefiningOp<OpTy>();
    auto factor = product ? factorOf(product, 1) : std::nullopt;
    if (!factor)
      return rewriter.notifyMatchFailure(
          op, "x has no factor of one number a channel");
    if (!product->hasOneUse())
      return rewriter.notifyMatchFailure(op, "x has a second user");
    if (failed(checkConv(op, rewriter)))
      return failure();
    Location loc = rewriter.getFusedLoc({product.getLoc(), op.getLoc()});
    GroupedWeights grouped = byGroup(rewriter, loc, op, factor->numbers);
    Value w = reshaped(rewriter, loc,
                       applied<OpTy>(rewriter, loc, grouped.w, grouped.numbers),
                       tensorType(op.getW()).getShape());
    rewriter.modifyOpInPlace(op, [&] {
      op.getXMutable().assign(factor->x);
      op.getWMutable().assign(w);
    });
    return rewritten();
  }
};

/// conv(x + t, w, b) is conv(x, w, b + sum(w t)), where no window sees pads.
template <class OpTy> struct SumBeforeConv : CountingPattern<ConvOp> {
  using CountingPattern::CountingPattern;

  LogicalResult matchAndRewrite(ConvOp op,
                                PatternRewriter &rewriter) const override {
    auto sum = op.getX().getDefiningOp<OpTy>();
    auto term = sum ? factorOf(sum, 1) : std::nullopt;
    if (!term)
      return rewriter.notifyMatchFailure(
          op, "x is no sum with one number a channel");
    if (!sum->hasOneUse())
      return rewriter.notifyMatchFailure(op, "x has a second user");
    if (llvm::any_of(op.getPads(), [](int64_t pad) { return pad != 0; }))
      return rewriter.notifyMatchFailure(
          op, "the term is not in the pads, which windows see, too");
    if (failed(checkConv(op, rewriter)))
      return failure();
    Location loc = rewriter.getFusedLoc({sum.getLoc(), op.getLoc()});
    GroupedWeights grouped = byGroup(rewriter, loc, op, term->numbers);
    Value product = applied<MulOp>(rewriter, loc, grouped.w, grouped.numbers);
    auto axes =
        llvm::to_vector(llvm::seq<int64_t>(2, tensorType(product).getRank()));
    Value shift = ReduceOp::create(rewriter, loc, product, ReduceKind::Sum,
                                   axes, /*keep=*/false);
    shift =
        reshaped(rewriter, loc, shift, {tensorType(op.getW()).getDimSize(0)});
    Value bias = shift;
    if (op.getBias())
      bias = applied<OpTy>(rewriter, loc, op.getBias(), shift);
    else if (std::is_same_v<OpTy, SubOp>)
      bias = NegOp::create(rewriter, loc, shift);
    rewriter.modifyOpInPlace(op, [&] {
      op.getXMutable().assign(term->x);
      op.getBiasMutable().assign(bias);
    });
    return rewritten();
  }
};

/// conv(x, w, b) + t is conv(x, w, b + t), t one number a channel.
template <class OpTy> struct SumBehindConv : CountingPattern<OpTy> {
  using CountingPattern<OpTy>::CountingPattern;

  LogicalResult matchAndRewrite(OpTy op,
                                PatternRewriter &rewriter) const override {
    auto term = factorOf(op, 1);
    auto conv = term ? term->x.template getDefiningOp<ConvOp>() : ConvOp();
    if (!conv || !conv.getBias())
      return rewriter.notifyMatchFailure(
          op, "is no convolution with a bias and one number a channel");
    if (!conv->hasOneUse())
      return rewriter.notifyMatchFailure(op,
                                         "the convolution has a second user");
    if (failed(checkConv(conv, rewriter)))
      return failure();
    Location loc = rewriter.getFusedLoc({conv.getLoc(), op.getLoc()});
    Value bias = applied<OpTy>(rewriter, loc, conv.getBias(),
                               along(rewriter, loc, term->numbers, 1, 0));
    auto made = cast<ConvOp>(rewriter.clone(*conv));
    rewriter.modifyOpInPlace(made, [&] {
      made.getBiasMutable().assign(bias);
      made->setLoc(loc);
    });
    rewriter.replaceOp(op, made.getResult());
    rewriter.eraseOp(conv);
    return this->rewritten();
  }
};

/// (x w + b) s is x (w s) + b s, s one number a column; there may be no b.
template <class OpTy> struct BehindMatmul : CountingPattern<OpTy> {
  using CountingPattern<OpTy>::CountingPattern;

  LogicalResult matchAndRewrite(OpTy op,
                                PatternRewriter &rewriter) const override {
    int64_t last = op.getType().getRank() - 1;
    auto factor = last > 0 ? factorOf(op, last) : std::nullopt;
    if (!factor)
      return rewriter.notifyMatchFailure(op, "is no factor of one a column");
    auto add = factor->x.template getDefiningOp<AddOp>();
    auto bias = add ? factorOf(add, last) : std::nullopt;
    Value product = bias ? bias->x : factor->x;
    auto matmul = product.getDefiningOp<MatmulOp>();
    if (!matmul)
      return rewriter.notifyMatchFailure(op, "no matrix product before it");
    if (!matmul->hasOneUse() || !factor->x.hasOneUse())
      return rewriter.notifyMatchFailure(
          op, "the matrix product has a second user");
    if (failed(checkWeights(matmul, matmul.getB(), rewriter)))
      return failure();
    Location loc = rewriter.getFusedLoc({matmul.getLoc(), op.getLoc()});
    int64_t rank = tensorType(matmul.getB()).getRank();
    Value w =
        applied<OpTy>(rewriter, loc, matmul.getB(),
                      along(rewriter, loc, factor->numbers, rank,
                            matmul.getTransposeB() ? rank - 2 : rank - 1));
    auto made = cast<MatmulOp>(rewriter.clone(*matmul));
    rewriter.modifyOpInPlace(made, [&] { made.getBMutable().assign(w); });
    Value result = made;
    if (bias) {
      Value row = along(rewriter, loc, bias->numbers, last + 1, last),
            numbers = along(rewriter, loc, factor->numbers, last + 1, last);
      // One bias for all columns and a factor for each make a bias for each.
      if (tensorType(row).getNumElements() == 1)
        row = OpTy::create(rewriter, loc, numbers.getType(), row, numbers);
      else
        row = applied<OpTy>(rewriter, loc, row, numbers);
      result = AddOp::create(rewriter, loc, op.getType(), made, row);
    }
    rewriter.replaceOp(op, result);
    return this->rewritten();
  }
};

/// (x s) w is x (w s), s one number a column of x.
template <class OpTy> struct BeforeMatmul : CountingPattern<MatmulOp> {
  using CountingPattern::CountingPattern;

  LogicalResult matchAndRewrite(MatmulOp op,
                                PatternRewriter &rewriter) const override {
    auto product = op.getA().getDefiningOp<OpTy>();
    int64_t last = tensorType(op.getA()).getRank() - 1;
    if (op.getTransposeA())
      return rewriter.notifyMatchFailure(op, "a is transposed");
    auto factor = product ? factorOf(product, last) : std::nullopt;
    if (!factor)
      return rewriter.notifyMatchFailure(op, "a has no factor of one a column");
    if (!product->hasOneUse())
      return rewriter.notifyMatchFailure(op, "a has a second user");
    if (failed(checkWeights(op, op.getB(), rewriter)))
      return failure();
    int64_t rank = tensorType(op.getB()).getRank();
    Value w =
        applied<OpTy>(rewriter, product.getLoc(), op.getB(),
                      along(rewriter, product.getLoc(), factor->numbers, rank,
                            op.getTransposeB() ? rank - 1 : rank - 2));
    rewriter.modifyOpInPlace(op, [&] {
      op.getAMutable().assign(factor->x);
      op.getBMutable().assign(w);
    });
    return rewritten();
  }
};

class ScaleWeightsPass : public impl::ScaleWeightsBase<ScaleWeightsPass> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    populateScaleWeightsPatterns(patterns, &numScaled);
    applyPatternsExplained(*this, getOperation(), std::move(patterns), {},
                           getCachedParentAnalysis<SettledGraphs>());
  }
};

} // namespace

void populateScaleWeightsPatterns(RewritePatternSet &patterns,
                                  Pass::Statistic *count) {
  patterns.add<BehindConv<MulOp>, BehindConv<DivOp>, BeforeConv<MulOp>,
               BeforeConv<DivOp>, SumBeforeConv<AddOp>, SumBeforeConv<SubOp>,
               SumBehindConv<AddOp>, SumBehindConv<SubOp>, BehindMatmul<MulOp>,
               BehindMatmul<DivOp>, BeforeMatmul<MulOp>, BeforeMatmul<DivOp>>(
      patterns.getContext(), count);
}

} // namespace graven
