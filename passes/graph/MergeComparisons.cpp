//===- MergeComparisons.cpp - what comparisons leave ------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the patterns on comparisons of ints with constants, as
// ranges of what they hold for.
//===----------------------------------------------------------------------===//

#include "passes/graph/MergeComparisons.h"
#include "mlir/IR/Matchers.h"
#include "passes/graph/GraphUtils.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/IR/ConstantRange.h"

using namespace mlir;
using llvm::CmpInst;
using llvm::ConstantRange;

namespace graven {
namespace {

/// The int of which a constant is a splat.
std::optional<APInt> intOf(Value value) {
  DenseIntElementsAttr elements;
  if (!matchPattern(value, m_Constant(&elements)) || elements.empty() ||
      !elements.isSplat())
    return std::nullopt;
  return elements.getSplatValue<APInt>();
}

bool isUnsigned(Value value) {
  Type element = tensorType(value).getElementType();
  return element.isUnsignedInteger() || element.isInteger(1);
}

CmpInst::Predicate predicateOf(CompareOp op) {
  bool isSigned = !isUnsigned(op.getA());
  switch (op.getPredicate()) {
  case ComparePredicate::Eq:
    return CmpInst::ICMP_EQ;
  case ComparePredicate::Ne:
    return CmpInst::ICMP_NE;
  case ComparePredicate::Lt:
    return isSigned ? CmpInst::ICMP_SLT : CmpInst::ICMP_ULT;
  case ComparePredicate::Le:
    return isSigned ? CmpInst::ICMP_SLE : CmpInst::ICMP_ULE;
  case ComparePredicate::Gt:
    return isSigned ? CmpInst::ICMP_SGT : CmpInst::ICMP_UGT;
  case ComparePredicate::Ge:
    return isSigned ? CmpInst::ICMP_SGE : CmpInst::ICMP_UGE;
  }
  llvm_unreachable("unknown predicate");
}

/// Ours of a predicate, of ints with or without sign; nullopt for one of the
/// others.
std::optional<ComparePredicate> predicateOf(CmpInst::Predicate predicate,
                                            bool isSigned) {
  if (predicate == CmpInst::ICMP_EQ)
    return ComparePredicate::Eq;
  if (predicate == CmpInst::ICMP_NE)
    return ComparePredicate::Ne;
  if (CmpInst::isSigned(predicate) != isSigned)
    return std::nullopt;
  switch (predicate) {
  case CmpInst::ICMP_SLT:
  case CmpInst::ICMP_ULT:
    return ComparePredicate::Lt;
  case CmpInst::ICMP_SLE:
  case CmpInst::ICMP_ULE:
    return ComparePredicate::Le;
  case CmpInst::ICMP_SGT:
  case CmpInst::ICMP_UGT:
    return ComparePredicate::Gt;
  default:
    return ComparePredicate::Ge;
  }
}

void replaceByBool(PatternRewriter &rewriter, Operation *op, bool value) {
  auto type = tensorType(op->getResult(0));
  rewriter.replaceOpWithNewOp<ConstantOp>(
      op, cast<ElementsAttr>(
              DenseElementsAttr::get(type, rewriter.getBoolAttr(value))));
}

/// The range that `type` takes of a constant bound; everything where the bound
/// is none.
ConstantRange rangeOfConstant(Value value, unsigned width) {
  auto number = value ? intOf(value) : std::nullopt;
  return number ? ConstantRange(*number) : ConstantRange::getFull(width);
}

/// What the elements of ints are, as the Nodes that make them say.
ConstantRange rangeOf(Value value, int depth = 0) {
  constexpr int deepest = 6;
  Type element = tensorType(value).getElementType();
  unsigned width = element.getIntOrFloatBitWidth();
  auto full = ConstantRange::getFull(width);
  Operation *op = value.getDefiningOp();
  if (auto number = intOf(value))
    return ConstantRange(*number);
  if (!op || depth > deepest)
    return full;
  bool isSigned = !isUnsigned(value);
  auto of = [&](Value operand) { return rangeOf(operand, depth + 1); };
  auto greater = [&](const ConstantRange &a, const ConstantRange &b) {
    return isSigned ? a.smax(b) : a.umax(b);
  };
  auto lesser = [&](const ConstantRange &a, const ConstantRange &b) {
    return isSigned ? a.smin(b) : a.umin(b);
  };
  return llvm::TypeSwitch<Operation *, ConstantRange>(op)
      .Case<ReluOp>([&](ReluOp relu) {
        return greater(of(relu.getX()), ConstantRange(APInt::getZero(width)));
      })
      .Case<MaxOp>(
          [&](MaxOp max) { return greater(of(max.getA()), of(max.getB())); })
      .Case<MinOp>(
          [&](MinOp min) { return lesser(of(min.getA()), of(min.getB())); })
      .Case<ClampOp>([&](ClampOp clamp) {
        ConstantRange range = of(clamp.getX());
        if (clamp.getLo())
          range = greater(range, rangeOfConstant(clamp.getLo(), width));
        if (clamp.getHi())
          range = lesser(range, rangeOfConstant(clamp.getHi(), width));
        return range;
      })
      .Case<AndOp>([&](AndOp both) {
        return of(both.getA()).binaryAnd(of(both.getB()));
      })
      .Case<CastOp>([&](CastOp cast) {
        auto from =
            dyn_cast<IntegerType>(tensorType(cast.getX()).getElementType());
        if (!from || width == 1 || from.getWidth() >= width)
          return full;
        ConstantRange range = of(cast.getX());
        return isUnsigned(cast.getX()) ? range.zeroExtend(width)
                                       : range.signExtend(width);
      })
      // x rem 0 is x.
      .Case<RemOp>([&](RemOp rem) {
        auto divisor = intOf(rem.getB());
        if (!divisor || divisor->isZero())
          return full;
        return isSigned ? of(rem.getA()).srem(ConstantRange(*divisor))
                        : of(rem.getA()).urem(ConstantRange(*divisor));
      })
      .Case<ReshapeOp, TransposeOp, BroadcastOp, SliceOp>(
          [&](auto) { return of(op->getOperand(0)); })
      .Case<SelectOp>([&](SelectOp select) {
        return of(select.getA()).unionWith(of(select.getB()));
      })
      .Default([&](Operation *) { return full; });
}

/// A comparison that the ranges of its operands decide: relu(x) >= 0.
struct DecidedComparison : CountingPattern<CompareOp> {
  using CountingPattern::CountingPattern;

  LogicalResult matchAndRewrite(CompareOp op,
                                PatternRewriter &rewriter) const override {
    if (!isa<IntegerType>(tensorType(op.getA()).getElementType()))
      return rewriter.notifyMatchFailure(op, "is not of ints");
    if (!op.getType().hasStaticShape())
      return rewriter.notifyMatchFailure(op, "an extent is not known");
    ConstantRange a = rangeOf(op.getA()), b = rangeOf(op.getB());
    CmpInst::Predicate predicate = predicateOf(op);
    bool holds = a.icmp(predicate, b);
    if (!holds && !a.icmp(CmpInst::getInversePredicate(predicate), b))
      return rewriter.notifyMatchFailure(op, "the numbers decide it");
    replaceByBool(rewriter, op, holds);
    return rewritten();
  }
};

/// x + c == d is x == d - c, of ints, which wrap.
struct EqualitySum : CountingPattern<CompareOp> {
  using CountingPattern::CountingPattern;

  LogicalResult matchAndRewrite(CompareOp op,
                                PatternRewriter &rewriter) const override {
    if (op.getPredicate() != ComparePredicate::Eq &&
        op.getPredicate() != ComparePredicate::Ne)
      return rewriter.notifyMatchFailure(op, "a sum may wrap");
    auto sum = op.getA().getDefiningOp<AddOp>();
    std::optional<APInt> number = intOf(op.getB());
    std::optional<APInt> term = sum ? intOf(sum.getB()) : std::nullopt;
    if (!number || !term)
      return rewriter.notifyMatchFailure(op,
                                         "is no sum with an int and an int");
    if (sum.getA().getType() != sum.getType())
      return rewriter.notifyMatchFailure(op, "the sum broadcasts");
    Value rest = ConstantOp::create(
        rewriter, op.getLoc(),
        cast<ElementsAttr>(DenseElementsAttr::get(
            tensorType(op.getB()), ArrayRef(APInt(*number - *term)))));
    rewriter.modifyOpInPlace(op, [&] {
      op.getAMutable().assign(sum.getA());
      op.getBMutable().assign(rest);
    });
    return rewritten();
  }
};

/// Two comparisons of one Value with constants, both or one of which are to
/// hold, as one: x > 3 && x > 5, x < 3 || x == 3.
template <class OpTy> struct TwoComparisons : CountingPattern<OpTy> {
  using CountingPattern<OpTy>::CountingPattern;

  LogicalResult matchAndRewrite(OpTy op,
                                PatternRewriter &rewriter) const override {
    auto one = op.getA().template getDefiningOp<CompareOp>(),
         two = op.getB().template getDefiningOp<CompareOp>();
    if (!one || !two || one.getA() != two.getA())
      return rewriter.notifyMatchFailure(op, "are no comparisons of one Value");
    std::optional<APInt> first = intOf(one.getB()), second = intOf(two.getB());
    if (!first || !second)
      return rewriter.notifyMatchFailure(op, "compare with more than an int");
    Value x = one.getA();
    if (tensorType(x).getShape() != op.getType().getShape() ||
        !op.getType().hasStaticShape())
      return rewriter.notifyMatchFailure(op, "x is broadcast");
    auto a = ConstantRange::makeExactICmpRegion(predicateOf(one), *first),
         b = ConstantRange::makeExactICmpRegion(predicateOf(two), *second);
    std::optional<ConstantRange> range = std::is_same_v<OpTy, AndOp>
                                             ? a.exactIntersectWith(b)
                                             : a.exactUnionWith(b);
    if (!range)
      return rewriter.notifyMatchFailure(op, "leave no single range");
    if (range->isEmptySet() || range->isFullSet()) {
      replaceByBool(rewriter, op, range->isFullSet());
      return this->rewritten();
    }
    CmpInst::Predicate predicate;
    APInt number;
    if (!range->getEquivalentICmp(predicate, number))
      return rewriter.notifyMatchFailure(op, "leave two bounds");
    auto ours = predicateOf(predicate, !isUnsigned(x));
    if (!ours)
      return rewriter.notifyMatchFailure(op, "leave two bounds");
    Value bound =
        ConstantOp::create(rewriter, op.getLoc(),
                           cast<ElementsAttr>(DenseElementsAttr::get(
                               tensorType(one.getB()), ArrayRef(number))));
    rewriter.replaceOpWithNewOp<CompareOp>(op, op.getType(), x, bound, *ours);
    return this->rewritten();
  }
};

} // namespace

void populateMergeComparisonsPatterns(RewritePatternSet &patterns,
                                      Pass::Statistic *count) {
  patterns.add<DecidedComparison, EqualitySum, TwoComparisons<AndOp>,
               TwoComparisons<OrOp>>(patterns.getContext(), count);
}

} // namespace graven
