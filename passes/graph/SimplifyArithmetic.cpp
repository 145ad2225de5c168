//===- SimplifyArithmetic.cpp - cheaper formulas ----------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements SimplifyArithmetic, which writes powers, roots,
// quotients and signs by cheaper Nodes, and leaves the bounds to
// MergeBounds.cpp.
//===----------------------------------------------------------------------===//

#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "passes/graph/Explain.h"
#include "passes/graph/Fingerprint.h"
#include "passes/graph/GraphUtils.h"
#include "passes/graph/MergeBounds.h"
#include "passes/graph/Passes.h"
#include "passes/graph/Signs.h"

namespace graven {
#define GEN_PASS_DEF_SIMPLIFYARITHMETIC
#include "passes/graph/Passes.h.inc"
} // namespace graven

using namespace mlir;

namespace graven {
namespace {

bool isOfFloats(Value value) {
  return isa<FloatType>(tensorType(value).getElementType());
}

/// x^c, c one of the numbers for which there are ops.
struct PowerOfNumber : CountingPattern<PowOp> {
  using CountingPattern::CountingPattern;

  LogicalResult matchAndRewrite(PowOp op,
                                PatternRewriter &rewriter) const override {
    std::optional<double> exponent = splatOf(op.getB());
    if (!exponent)
      return rewriter.notifyMatchFailure(op, "the exponent is not one number");
    Value x = op.getA();
    if (x.getType() != op.getType())
      return rewriter.notifyMatchFailure(op, "the base is broadcast");
    Location loc = op.getLoc();
    if (*exponent == 1) {
      rewriter.replaceOp(op, x);
      return rewritten();
    }
    if (*exponent == 2 || *exponent == 3) {
      Value power = MulOp::create(rewriter, loc, op.getType(), x, x);
      if (*exponent == 3)
        power = MulOp::create(rewriter, loc, op.getType(), power, x);
      rewriter.replaceOp(op, power);
      return rewritten();
    }
    // Of NaN, too.
    if (*exponent == 0)
      return replaceByOnes(op, rewriter);
    if (!isOfFloats(x))
      return rewriter.notifyMatchFailure(op, "no op for this power of ints");
    if (*exponent == -1) {
      Value one = scalarConstant(rewriter, loc, op.getType().getElementType(),
                                 1, op.getType().getRank());
      rewriter.replaceOpWithNewOp<DivOp>(op, op.getType(), one, x);
      return rewritten();
    }
    if (*exponent != 0.5 && *exponent != -0.5)
      return rewriter.notifyMatchFailure(op, "no op for this power");
    // (-inf)^0.5 is inf and (-0)^0.5 is 0, of roots NaN and -0.
    if (!hasNoSign(x))
      return rewriter.notifyMatchFailure(op, "the base may have a sign");
    if (*exponent > 0)
      rewriter.replaceOpWithNewOp<SqrtOp>(op, x);
    else
      rewriter.replaceOpWithNewOp<RsqrtOp>(op, x);
    return rewritten();
  }

private:
  LogicalResult replaceByOnes(PowOp op, PatternRewriter &rewriter) const {
    if (!op.getType().hasStaticShape())
      return rewriter.notifyMatchFailure(op, "an extent is not known");
    Type element = op.getType().getElementType();
    Attribute one = isa<FloatType>(element)
                        ? Attribute(rewriter.getFloatAttr(element, 1))
                        : Attribute(IntegerAttr::get(element, 1));
    rewriter.replaceOpWithNewOp<ConstantOp>(
        op, cast<ElementsAttr>(DenseElementsAttr::get(op.getType(), one)));
    return rewritten();
  }
};

/// 1 / sqrt(x).
struct ReciprocalRoot : CountingPattern<DivOp> {
  using CountingPattern::CountingPattern;

  LogicalResult matchAndRewrite(DivOp op,
                                PatternRewriter &rewriter) const override {
    auto root = op.getB().getDefiningOp<SqrtOp>();
    if (!root || splatOf(op.getA()) != 1.0)
      return rewriter.notifyMatchFailure(op, "is not 1 / sqrt(x)");
    if (root.getType() != op.getType())
      return rewriter.notifyMatchFailure(op, "the root is broadcast");
    if (!root->hasOneUse())
      return rewriter.notifyMatchFailure(op, "the root has a second user");
    rewriter.replaceOpWithNewOp<RsqrtOp>(op, root.getX());
    return rewritten();
  }
};

/// x / 2^k is x 2^-k, without rounding.
struct QuotientByPowerOfTwo : CountingPattern<DivOp> {
  using CountingPattern::CountingPattern;

  LogicalResult matchAndRewrite(DivOp op,
                                PatternRewriter &rewriter) const override {
    DenseFPElementsAttr elements;
    if (!matchPattern(op.getB(), m_Constant(&elements)) || elements.empty() ||
        !elements.isSplat())
      return rewriter.notifyMatchFailure(op, "the divisor is not one number");
    APFloat inverse(APFloat::IEEEsingle());
    // Null where rounding, or a denormal number, came in.
    if (!elements.getSplatValue<APFloat>().getExactInverse(&inverse))
      return rewriter.notifyMatchFailure(op, "1 / the divisor is rounded");
    Value factor =
        ConstantOp::create(rewriter, op.getLoc(),
                           cast<ElementsAttr>(DenseElementsAttr::get(
                               elements.getType(), ArrayRef(inverse))));
    rewriter.replaceOpWithNewOp<MulOp>(op, op.getType(), op.getA(), factor);
    return rewritten();
  }
};

/// x of -x that nothing else reads. A negated Parameter is computed once, and
/// may become a bias.
Value negated(Value value) {
  auto neg = value.getDefiningOp<NegOp>();
  return neg && soleUser(value) && !isParameterValue(value) ? neg.getX()
                                                            : Value();
}

/// a + (-b) is a - b, and a - (-b) is a + b.
template <class OpTy, class OppositeTy>
struct SumWithNegated : CountingPattern<OpTy> {
  using CountingPattern<OpTy>::CountingPattern;

  LogicalResult matchAndRewrite(OpTy op,
                                PatternRewriter &rewriter) const override {
    Value a = op.getA(), b = op.getB();
    if (std::is_same_v<OpTy, AddOp> && !negated(b))
      std::swap(a, b);
    Value x = negated(b);
    if (!x)
      return rewriter.notifyMatchFailure(
          op, "no operand is negated for it alone, in each run");
    rewriter.replaceOpWithNewOp<OppositeTy>(op, op.getType(), a, x);
    return this->rewritten();
  }
};

/// (-a) (-b) is a b, and (-a) / (-b) is a / b: signs are exact. Of ints, the
/// least one is its own negative.
template <class OpTy> struct ProductOfNegated : CountingPattern<OpTy> {
  using CountingPattern<OpTy>::CountingPattern;

  LogicalResult matchAndRewrite(OpTy op,
                                PatternRewriter &rewriter) const override {
    Value a = negated(op.getA()), b = negated(op.getB());
    if (!a || !b)
      return rewriter.notifyMatchFailure(
          op, "not both operands are negated for it alone, in each run");
    if (!isOfFloats(a))
      return rewriter.notifyMatchFailure(op, "is not of floats");
    rewriter.replaceOpWithNewOp<OpTy>(op, op.getType(), a, b);
    return this->rewritten();
  }
};

/// |x| and relu(x) of what has no sign are x.
template <class OpTy> struct NoSignToDrop : CountingPattern<OpTy> {
  using CountingPattern<OpTy>::CountingPattern;

  LogicalResult matchAndRewrite(OpTy op,
                                PatternRewriter &rewriter) const override {
    if (!hasNoSign(op.getX()))
      return rewriter.notifyMatchFailure(op, "x may have a sign");
    rewriter.replaceOp(op, op.getX());
    return this->rewritten();
  }
};

/// |-x| is |x|.
struct AbsOfNegated : CountingPattern<AbsOp> {
  using CountingPattern::CountingPattern;

  LogicalResult matchAndRewrite(AbsOp op,
                                PatternRewriter &rewriter) const override {
    auto neg = op.getX().getDefiningOp<NegOp>();
    if (!neg)
      return rewriter.notifyMatchFailure(op, "x is not negated");
    if (tensorType(neg).getElementType().isUnsignedInteger())
      return rewriter.notifyMatchFailure(op, "is unsigned");
    rewriter.replaceOpWithNewOp<AbsOp>(op, neg.getX());
    return rewritten();
  }
};

class SimplifyArithmeticPass
    : public impl::SimplifyArithmeticBase<SimplifyArithmeticPass> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    populateSimplifyArithmeticPatterns(patterns, &numSimplified);
    applyPatternsExplained(*this, getOperation(), std::move(patterns), {},
                           getCachedParentAnalysis<SettledGraphs>());
  }
};

} // namespace

void populateSimplifyArithmeticPatterns(RewritePatternSet &patterns,
                                        Pass::Statistic *count) {
  patterns.add<PowerOfNumber, ReciprocalRoot, QuotientByPowerOfTwo,
               SumWithNegated<AddOp, SubOp>, SumWithNegated<SubOp, AddOp>,
               ProductOfNegated<MulOp>, ProductOfNegated<DivOp>,
               NoSignToDrop<AbsOp>, NoSignToDrop<ReluOp>, AbsOfNegated>(
      patterns.getContext(), count);
  populateMergeBoundsPatterns(patterns, count);
}

} // namespace graven
