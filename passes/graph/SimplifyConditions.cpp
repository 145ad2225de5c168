//===- SimplifyConditions.cpp - comparisons and selections ------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements SimplifyConditions, which merges comparisons, the logic
// on them and what selects by them. Nothing holds for numbers alone: NaN is
// neither less nor greater.
//===----------------------------------------------------------------------===//

#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "passes/graph/Explain.h"
#include "passes/graph/Fingerprint.h"
#include "passes/graph/GraphUtils.h"
#include "passes/graph/MergeComparisons.h"
#include "passes/graph/Passes.h"

namespace graven {
#define GEN_PASS_DEF_SIMPLIFYCONDITIONS
#include "passes/graph/Passes.h.inc"
} // namespace graven

using namespace mlir;

namespace graven {
namespace {

bool isOfBools(Value value) {
  return tensorType(value).getElementType().isInteger(1);
}

/// The predicate that holds where this one does not; nullopt where NaN makes
/// that none.
std::optional<ComparePredicate> opposite(CompareOp op) {
  bool ordered = isa<FloatType>(tensorType(op.getA()).getElementType());
  switch (op.getPredicate()) {
  case ComparePredicate::Eq:
    return ComparePredicate::Ne;
  case ComparePredicate::Ne:
    return ComparePredicate::Eq;
  default:
    break;
  }
  if (ordered)
    return std::nullopt;
  switch (op.getPredicate()) {
  case ComparePredicate::Lt:
    return ComparePredicate::Ge;
  case ComparePredicate::Le:
    return ComparePredicate::Gt;
  case ComparePredicate::Gt:
    return ComparePredicate::Le;
  default:
    return ComparePredicate::Lt;
  }
}

/// not(a < b) is a >= b.
struct NotOfCompare : CountingPattern<NotOp> {
  using CountingPattern::CountingPattern;

  LogicalResult matchAndRewrite(NotOp op,
                                PatternRewriter &rewriter) const override {
    auto compare = op.getX().getDefiningOp<CompareOp>();
    if (!compare)
      return rewriter.notifyMatchFailure(op, "x is no comparison");
    if (!compare->hasOneUse())
      return rewriter.notifyMatchFailure(op,
                                         "the comparison has a second user");
    std::optional<ComparePredicate> predicate = opposite(compare);
    if (!predicate)
      return rewriter.notifyMatchFailure(
          op, "of NaN neither the comparison nor its opposite holds");
    rewriter.replaceOpWithNewOp<CompareOp>(op, op.getType(), compare.getA(),
                                           compare.getB(), *predicate);
    return rewritten();
  }
};

/// A bool compared with a constant, or as a number with zero, is that bool or
/// its complement.
struct CompareOfBool : CountingPattern<CompareOp> {
  using CountingPattern::CountingPattern;

  LogicalResult matchAndRewrite(CompareOp op,
                                PatternRewriter &rewriter) const override {
    bool isEq = op.getPredicate() == ComparePredicate::Eq;
    if (!isEq && op.getPredicate() != ComparePredicate::Ne)
      return rewriter.notifyMatchFailure(op, "compares by order");
    std::optional<double> number = splatOf(op.getB());
    if (!number || (*number != 0 && *number != 1))
      return rewriter.notifyMatchFailure(op, "b is not 0 or 1");
    Value condition = op.getA();
    if (auto cast = condition.getDefiningOp<CastOp>())
      condition = cast.getX();
    if (!isOfBools(condition))
      return rewriter.notifyMatchFailure(op, "a is no bool");
    if (condition.getType() != op.getType())
      return rewriter.notifyMatchFailure(op, "a is broadcast");
    if (isEq == (*number == 1))
      rewriter.replaceOp(op, condition);
    else
      rewriter.replaceOpWithNewOp<NotOp>(op, condition);
    return rewritten();
  }
};

/// select(!c, a, b) is select(c, b, a).
struct SelectByComplement : CountingPattern<SelectOp> {
  using CountingPattern::CountingPattern;

  LogicalResult matchAndRewrite(SelectOp op,
                                PatternRewriter &rewriter) const override {
    auto complement = op.getCond().getDefiningOp<NotOp>();
    if (!complement)
      return rewriter.notifyMatchFailure(op, "the condition is no complement");
    rewriter.replaceOpWithNewOp<SelectOp>(op, op.getType(), complement.getX(),
                                          op.getB(), op.getA());
    return rewritten();
  }
};

/// A selection of bools of which one is constant is their logic.
struct SelectOfBools : CountingPattern<SelectOp> {
  using CountingPattern::CountingPattern;

  LogicalResult matchAndRewrite(SelectOp op,
                                PatternRewriter &rewriter) const override {
    if (!isOfBools(op.getResult()))
      return rewriter.notifyMatchFailure(op, "does not select bools");
    Value c = op.getCond();
    std::optional<double> a = splatOf(op.getA()), b = splatOf(op.getB());
    if (a && b && *a != *b && c.getType() == op.getType()) {
      if (*a == 1)
        rewriter.replaceOp(op, c);
      else
        rewriter.replaceOpWithNewOp<NotOp>(op, c);
      return rewritten();
    }
    // What the constant broadcasts the condition to, the other must, too.
    auto isWhole = [&](Value other) {
      return c.getType() == op.getType() || other.getType() == op.getType();
    };
    if (b == 0.0 && isWhole(op.getA()))
      rewriter.replaceOpWithNewOp<AndOp>(op, op.getType(), c, op.getA());
    else if (a == 1.0 && isWhole(op.getB()))
      rewriter.replaceOpWithNewOp<OrOp>(op, op.getType(), c, op.getB());
    else
      return rewriter.notifyMatchFailure(
          op, "is no `and` or `or` of the condition");
    return rewritten();
  }
};

/// select(c, select(c, a, b), d) is select(c, a, d).
struct SelectOfSelect : CountingPattern<SelectOp> {
  using CountingPattern::CountingPattern;

  LogicalResult matchAndRewrite(SelectOp op,
                                PatternRewriter &rewriter) const override {
    auto takenOf = [&](Value value, bool first) -> Value {
      auto inner = value.getDefiningOp<SelectOp>();
      if (!inner || inner.getCond() != op.getCond())
        return {};
      Value taken = first ? inner.getA() : inner.getB();
      return taken.getType() == value.getType() ? taken : Value();
    };
    Value a = takenOf(op.getA(), /*first=*/true),
          b = takenOf(op.getB(), /*first=*/false);
    if (!a && !b)
      return rewriter.notifyMatchFailure(
          op, "selects nothing that the same condition selected");
    rewriter.modifyOpInPlace(op, [&] {
      if (a)
        op.getAMutable().assign(a);
      if (b)
        op.getBMutable().assign(b);
    });
    return rewritten();
  }
};

/// x and its complement: all bits, or none.
template <class OpTy> struct WithComplement : CountingPattern<OpTy> {
  using CountingPattern<OpTy>::CountingPattern;

  LogicalResult matchAndRewrite(OpTy op,
                                PatternRewriter &rewriter) const override {
    auto isComplementOf = [](Value value, Value other) {
      auto complement = value.getDefiningOp<NotOp>();
      return complement && complement.getX() == other;
    };
    if (!isComplementOf(op.getA(), op.getB()) &&
        !isComplementOf(op.getB(), op.getA()))
      return rewriter.notifyMatchFailure(
          op, "no operand is the complement of the other");
    if (!op.getType().hasStaticShape())
      return rewriter.notifyMatchFailure(op, "an extent is not known");
    unsigned width = op.getType().getElementTypeBitWidth();
    APInt bits = std::is_same_v<OpTy, AndOp> ? APInt::getZero(width)
                                             : APInt::getAllOnes(width);
    rewriter.replaceOpWithNewOp<ConstantOp>(
        op, cast<ElementsAttr>(
                DenseElementsAttr::get(op.getType(), ArrayRef(bits))));
    return this->rewritten();
  }
};

/// x ^ 0 is x, x ^ -1 its complement.
struct XorWithBits : CountingPattern<XorOp> {
  using CountingPattern::CountingPattern;

  LogicalResult matchAndRewrite(XorOp op,
                                PatternRewriter &rewriter) const override {
    DenseIntElementsAttr elements;
    if (!matchPattern(op.getB(), m_Constant(&elements)) || elements.empty() ||
        !elements.isSplat())
      return rewriter.notifyMatchFailure(op, "b is not one number");
    if (op.getA().getType() != op.getType())
      return rewriter.notifyMatchFailure(op, "a is broadcast");
    APInt bits = elements.getSplatValue<APInt>();
    if (bits.isZero())
      rewriter.replaceOp(op, op.getA());
    else if (bits.isAllOnes())
      rewriter.replaceOpWithNewOp<NotOp>(op, op.getA());
    else
      return rewriter.notifyMatchFailure(op, "b has some bits");
    return rewritten();
  }
};

class SimplifyConditionsPass
    : public impl::SimplifyConditionsBase<SimplifyConditionsPass> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    populateSimplifyConditionsPatterns(patterns, &numSimplified);
    applyPatternsExplained(*this, getOperation(), std::move(patterns), {},
                           getCachedParentAnalysis<SettledGraphs>());
  }
};

} // namespace

void populateSimplifyConditionsPatterns(RewritePatternSet &patterns,
                                        Pass::Statistic *count) {
  patterns.add<NotOfCompare, CompareOfBool, SelectByComplement, SelectOfBools,
               SelectOfSelect, WithComplement<AndOp>, WithComplement<OrOp>,
               WithComplement<XorOp>, XorWithBits>(patterns.getContext(),
                                                   count);
  populateMergeComparisonsPatterns(patterns, count);
}

} // namespace graven
