//===- Elementwise.cpp - folds of the elementwise ops ---------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements folders and canonicalizations of the elementwise ops.
// Nothing is folded that rounding, NaN or the sign of a zero forbids.
//===----------------------------------------------------------------------===//

#include "dialects/graven/folds/Folds.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace graven {

/// x when it has the type of the op's result, so that it can stand for it.
static OpFoldResult standsFor(Operation *op, Value x) {
  return x.getType() == op->getResult(0).getType() ? OpFoldResult(x)
                                                   : OpFoldResult();
}

/// A constant of the op's result type filled with an int; null unless static.
static OpFoldResult splatOfInt(Operation *op, int64_t value) {
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  if (!type.hasStaticShape())
    return {};
  return DenseElementsAttr::get(
      type,
      APInt(64, value, /*isSigned=*/true).trunc(type.getElementTypeBitWidth()));
}

OpFoldResult ReluOp::fold(FoldAdaptor) {
  if (getType().getElementType().isUnsignedInteger())
    return getX();
  return {};
}

bool isLossless(Type from, Type to) {
  if (from == to)
    return true;
  auto fromFloat = dyn_cast<FloatType>(from), toFloat = dyn_cast<FloatType>(to);
  if (fromFloat && toFloat)
    return APFloat::isRepresentableBy(fromFloat.getFloatSemantics(),
                                      toFloat.getFloatSemantics());
  auto fromInt = dyn_cast<IntegerType>(from), toInt = dyn_cast<IntegerType>(to);
  if (!fromInt || to.isInteger(1))
    return false;
  bool fromUnsigned = fromInt.isUnsigned() || fromInt.getWidth() == 1;
  // Bits of magnitude; a sign needs a signed target.
  unsigned bits = fromInt.getWidth() - (fromUnsigned ? 0 : 1);
  if (toFloat)
    return bits <= toFloat.getFPMantissaWidth() &&
           (!toFloat.isF16() || fromInt.getWidth() <= 8);
  if (!toInt)
    return false;
  if (toInt.isUnsigned())
    return fromUnsigned && bits <= toInt.getWidth();
  return bits <= toInt.getWidth() - 1;
}

OpFoldResult CastOp::fold(FoldAdaptor) {
  if (getX().getType() == getType())
    return getX();
  // cast(cast(x)) is cast(x) when the inner one loses nothing.
  auto inner = getX().getDefiningOp<CastOp>();
  if (!inner || !isLossless(inner.getX().getType().getElementType(),
                            inner.getType().getElementType()))
    return {};
  if (inner.getX().getType() == getType())
    return inner.getX();
  setOperand(inner.getX());
  return getResult();
}

OpFoldResult AddOp::fold(FoldAdaptor adaptor) {
  // x + (-0) is x for every x; -0 + 0 is 0.
  if (isSplatOf(adaptor.getB(), hasIntElements(getA()) ? 0.0 : -0.0))
    return standsFor(*this, getA());
  return {};
}

OpFoldResult SubOp::fold(FoldAdaptor adaptor) {
  if (isSplatOf(adaptor.getB(), 0.0))
    return standsFor(*this, getA());
  if (getA() == getB() && hasIntElements(getA()))
    return splatOfInt(*this, 0);
  return {};
}

OpFoldResult MulOp::fold(FoldAdaptor adaptor) {
  if (isSplatOf(adaptor.getB(), 1.0))
    return standsFor(*this, getA());
  if (hasIntElements(getA()) && isSplatOf(adaptor.getB(), 0.0))
    return splatOfInt(*this, 0);
  return {};
}

OpFoldResult DivOp::fold(FoldAdaptor adaptor) {
  if (isSplatOf(adaptor.getB(), 1.0))
    return standsFor(*this, getA());
  return {};
}

OpFoldResult AndOp::fold(FoldAdaptor adaptor) {
  if (getA() == getB() || isSplatOf(adaptor.getB(), -1.0))
    return standsFor(*this, getA());
  if (isSplatOf(adaptor.getB(), 0.0))
    return splatOfInt(*this, 0);
  return {};
}

OpFoldResult OrOp::fold(FoldAdaptor adaptor) {
  if (getA() == getB() || isSplatOf(adaptor.getB(), 0.0))
    return standsFor(*this, getA());
  if (isSplatOf(adaptor.getB(), -1.0))
    return splatOfInt(*this, -1);
  return {};
}

OpFoldResult CompareOp::fold(FoldAdaptor) {
  // Of floats it is isnan.
  if (getA() != getB() || !hasIntElements(getA()))
    return {};
  switch (getPredicate()) {
  case ComparePredicate::Eq:
  case ComparePredicate::Le:
  case ComparePredicate::Ge:
    return splatOfInt(*this, -1);
  case ComparePredicate::Ne:
  case ComparePredicate::Lt:
  case ComparePredicate::Gt:
    return splatOfInt(*this, 0);
  }
  llvm_unreachable("unknown predicate");
}

OpFoldResult SelectOp::fold(FoldAdaptor adaptor) {
  if (getA() == getB())
    return standsFor(*this, getA());
  if (isSplatOf(adaptor.getCond(), -1.0))
    return standsFor(*this, getA());
  if (isSplatOf(adaptor.getCond(), 0.0))
    return standsFor(*this, getB());
  return {};
}

namespace {
/// (x op c1) op c2 is x op (c1 op c2) for ints, which wrap.
template <class OpTy> struct ReassociateInts : OpRewritePattern<OpTy> {
  using OpRewritePattern<OpTy>::OpRewritePattern;
  LogicalResult matchAndRewrite(OpTy op,
                                PatternRewriter &rewriter) const override {
    if (!hasIntElements(op.getA()))
      return rewriter.notifyMatchFailure(op, "not of ints");
    auto inner = op.getA().template getDefiningOp<OpTy>();
    if (!inner || !matchPattern(op.getB(), m_Constant()) ||
        !matchPattern(inner.getB(), m_Constant()))
      return rewriter.notifyMatchFailure(op, "no two constants");
    Value constants =
        OpTy::create(rewriter, op.getLoc(), inner.getB(), op.getB());
    return replaceKeepingType<OpTy>(rewriter, op, inner.getA(), constants);
  }
};

/// x - c is x + (-c) for ints.
struct SubConstantToAdd : OpRewritePattern<SubOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(SubOp op,
                                PatternRewriter &rewriter) const override {
    if (!hasIntElements(op.getA()))
      return rewriter.notifyMatchFailure(op, "not of ints");
    if (!matchPattern(op.getB(), m_Constant()))
      return rewriter.notifyMatchFailure(op, "b is not constant");
    Value negated = NegOp::create(rewriter, op.getLoc(), op.getB());
    rewriter.replaceOpWithNewOp<AddOp>(op, op.getType(), op.getA(), negated);
    return success();
  }
};

/// max(x, 0) is relu(x).
struct MaxZeroToRelu : OpRewritePattern<MaxOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(MaxOp op,
                                PatternRewriter &rewriter) const override {
    if (!isConstantSplat(op.getB(), 0.0))
      return rewriter.notifyMatchFailure(op, "b is not a splat of 0");
    if (op.getA().getType() != op.getType() ||
        op.getType().getElementType().isInteger(1))
      return rewriter.notifyMatchFailure(op, "a is broadcast or of bools");
    rewriter.replaceOpWithNewOp<ReluOp>(op, op.getA());
    return success();
  }
};

/// clamp(x) from 0 without an upper bound is relu(x).
struct ClampZeroToRelu : OpRewritePattern<ClampOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ClampOp op,
                                PatternRewriter &rewriter) const override {
    if (op.getHi() || !isConstantSplat(op.getLo(), 0.0))
      return rewriter.notifyMatchFailure(op, "bounds are not lo = 0 alone");
    rewriter.replaceOpWithNewOp<ReluOp>(op, op.getX());
    return success();
  }
};
} // namespace

void AddOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                        MLIRContext *context) {
  patterns.add<ReassociateInts<AddOp>>(context);
}
void MulOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                        MLIRContext *context) {
  patterns.add<ReassociateInts<MulOp>>(context);
}
void SubOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                        MLIRContext *context) {
  patterns.add<SubConstantToAdd>(context);
}
void MaxOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                        MLIRContext *context) {
  patterns.add<MaxZeroToRelu>(context);
}
void ClampOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                          MLIRContext *context) {
  patterns.add<ClampZeroToRelu>(context);
}

} // namespace graven
