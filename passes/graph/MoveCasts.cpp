//===- MoveCasts.cpp - casts of fewer bytes ---------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements MoveCasts, which moves casts to where there are fewer
// elements, or where the elements that are moved are narrower. Each element is
// cast as before: none is rounded otherwise.
//===----------------------------------------------------------------------===//

#include "dialects/graven/folds/Folds.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "passes/graph/Explain.h"
#include "passes/graph/Fingerprint.h"
#include "passes/graph/GraphUtils.h"
#include "passes/graph/Passes.h"

namespace graven {
#define GEN_PASS_DEF_MOVECASTS
#include "passes/graph/Passes.h.inc"
} // namespace graven

using namespace mlir;

namespace graven {
namespace {

Type elementOf(Value value) { return tensorType(value).getElementType(); }

unsigned widthOf(Value value) {
  return elementOf(value).getIntOrFloatBitWidth();
}

/// A copy of a Node that moves elements, which reads `x` as its first operand.
Value moved(OpBuilder &b, Operation *movement, Value x) {
  Operation *copy = b.clone(*movement);
  copy->setOperand(0, x);
  Value result = copy->getResult(0);
  result.setType(tensorType(result).clone(elementOf(x)));
  return result;
}

/// The cast that `value` is, which nothing else reads, of what is computed when
/// the model runs; null with the reason.
CastOp soleCast(Operation *op, Value value, PatternRewriter &rewriter) {
  auto cast = value.getDefiningOp<CastOp>();
  if (!cast) {
    (void)rewriter.notifyMatchFailure(op, "x is not cast");
    return {};
  }
  if (!cast->hasOneUse()) {
    (void)rewriter.notifyMatchFailure(op, "the cast has a second user");
    return {};
  }
  if (isParameterValue(cast.getX())) {
    (void)rewriter.notifyMatchFailure(op, "Parameters are cast once");
    return {};
  }
  return cast;
}

void sink(CastOp cast, Operation *movement, PatternRewriter &rewriter) {
  Value result = moved(rewriter, movement, cast.getX());
  rewriter.replaceOp(movement, CastOp::create(rewriter, cast.getLoc(), result,
                                              elementOf(cast)));
}

/// A slice or gather of a cast reads what is cast: fewer elements are.
template <class OpTy> struct CastOfSome : CountingPattern<OpTy> {
  using CountingPattern<OpTy>::CountingPattern;

  LogicalResult matchAndRewrite(OpTy op,
                                PatternRewriter &rewriter) const override {
    CastOp cast = soleCast(op, op.getX(), rewriter);
    if (!cast)
      return failure();
    if (!op.getType().hasStaticShape() || !cast.getType().hasStaticShape())
      return rewriter.notifyMatchFailure(op, "an extent is not known");
    if (op.getType().getNumElements() >= cast.getType().getNumElements())
      return rewriter.notifyMatchFailure(op, "as many elements are cast");
    sink(cast, op, rewriter);
    return this->rewritten();
  }
};

/// A transpose of what a cast widened moves the narrow elements.
struct CastOfTranspose : CountingPattern<TransposeOp> {
  using CountingPattern::CountingPattern;

  LogicalResult matchAndRewrite(TransposeOp op,
                                PatternRewriter &rewriter) const override {
    CastOp cast = soleCast(op, op.getX(), rewriter);
    if (!cast)
      return failure();
    if (widthOf(cast.getX()) >= widthOf(cast))
      return rewriter.notifyMatchFailure(op, "the cast does not widen");
    // A contraction stores what it computed as the type it is cast to.
    Operation *source = cast.getX().getDefiningOp();
    if (source && source->hasTrait<Contraction>())
      return rewriter.notifyMatchFailure(op, "a contraction is cast");
    sink(cast, op, rewriter);
    return rewritten();
  }
};

/// A concat of what casts widened moves the narrow elements, which are cast at
/// once.
struct CastOfConcat : CountingPattern<ConcatOp> {
  using CountingPattern::CountingPattern;

  LogicalResult matchAndRewrite(ConcatOp op,
                                PatternRewriter &rewriter) const override {
    SmallVector<Value> narrow;
    for (Value input : op.getInputs()) {
      CastOp cast = soleCast(op, input, rewriter);
      if (!cast)
        return failure();
      if (widthOf(cast.getX()) >= widthOf(cast))
        return rewriter.notifyMatchFailure(op, "a cast does not widen");
      narrow.push_back(cast.getX());
      if (elementOf(narrow.front()) != elementOf(cast.getX()))
        return rewriter.notifyMatchFailure(op, "the types differ");
    }
    auto type = op.getType().clone(elementOf(narrow.front()));
    Value concat =
        ConcatOp::create(rewriter, op.getLoc(), type, narrow, op.getAxis());
    rewriter.replaceOpWithNewOp<CastOp>(op, concat,
                                        op.getType().getElementType());
    return rewritten();
  }
};

/// What `op` casts, when that is a `MovementTy` that nothing else reads.
template <class MovementTy>
MovementTy soleMovement(CastOp op, PatternRewriter &rewriter) {
  auto movement = op.getX().getDefiningOp<MovementTy>();
  if (!movement) {
    (void)rewriter.notifyMatchFailure(op, "x is not moved so");
    return {};
  }
  if (!movement->hasOneUse()) {
    (void)rewriter.notifyMatchFailure(op, "x has a second user");
    return {};
  }
  return movement;
}

template <class MovementTy>
void hoist(CastOp op, MovementTy movement, PatternRewriter &rewriter) {
  Value cast = CastOp::create(rewriter, op.getLoc(), movement.getX(),
                              op.getType().getElementType());
  rewriter.replaceOp(op, moved(rewriter, movement, cast));
}

/// What is repeated is cast before.
struct CastBeforeBroadcast : CountingPattern<CastOp> {
  using CountingPattern::CountingPattern;

  LogicalResult matchAndRewrite(CastOp op,
                                PatternRewriter &rewriter) const override {
    auto broadcast = soleMovement<BroadcastOp>(op, rewriter);
    if (!broadcast)
      return failure();
    if (tensorType(broadcast.getX()).getShape() ==
        broadcast.getType().getShape())
      return rewriter.notifyMatchFailure(op, "as many elements are cast");
    hoist(op, broadcast, rewriter);
    return rewritten();
  }
};

/// A cast that narrows comes before a transpose, which then moves less.
struct CastBeforeTranspose : CountingPattern<CastOp> {
  using CountingPattern::CountingPattern;

  LogicalResult matchAndRewrite(CastOp op,
                                PatternRewriter &rewriter) const override {
    auto transpose = soleMovement<TransposeOp>(op, rewriter);
    if (!transpose)
      return failure();
    if (widthOf(op) >= widthOf(op.getX()))
      return rewriter.notifyMatchFailure(op, "it does not narrow");
    hoist(op, transpose, rewriter);
    return rewritten();
  }
};

/// Casts on both sides of a reshape become one where the first loses nothing.
struct CastsAroundReshape : CountingPattern<CastOp> {
  using CountingPattern::CountingPattern;

  LogicalResult matchAndRewrite(CastOp op,
                                PatternRewriter &rewriter) const override {
    auto reshape = soleMovement<ReshapeOp>(op, rewriter);
    if (!reshape)
      return failure();
    auto inner = reshape.getX().getDefiningOp<CastOp>();
    if (!inner || !isLossless(elementOf(inner.getX()), elementOf(inner)))
      return rewriter.notifyMatchFailure(
          op, "no cast without loss in front of the reshape");
    hoist(op, reshape, rewriter);
    return rewritten();
  }
};

/// Ints that keep their low bits twice keep them once.
struct CastOfNarrowed : CountingPattern<CastOp> {
  using CountingPattern::CountingPattern;

  LogicalResult matchAndRewrite(CastOp op,
                                PatternRewriter &rewriter) const override {
    auto inner = op.getX().getDefiningOp<CastOp>();
    if (!inner)
      return rewriter.notifyMatchFailure(op, "x is not cast");
    auto isInt = [](Value value) {
      return isa<IntegerType>(elementOf(value)) && widthOf(value) > 1;
    };
    if (!isInt(inner.getX()) || !isInt(inner) || !isInt(op))
      return rewriter.notifyMatchFailure(op, "a type is not of ints");
    // What is as narrow, or narrower, has bits of x alone.
    if (widthOf(op) > widthOf(inner) || widthOf(op) > widthOf(inner.getX()))
      return rewriter.notifyMatchFailure(op, "bits were lost in between");
    rewriter.modifyOpInPlace(op,
                             [&] { op.getXMutable().assign(inner.getX()); });
    return rewritten();
  }
};

/// Numbers of one type that are cast without loss compare as they are.
struct CompareOfCasts : CountingPattern<CompareOp> {
  using CountingPattern::CountingPattern;

  LogicalResult matchAndRewrite(CompareOp op,
                                PatternRewriter &rewriter) const override {
    auto a = op.getA().getDefiningOp<CastOp>(),
         b = op.getB().getDefiningOp<CastOp>();
    if (!a || !b)
      return rewriter.notifyMatchFailure(op, "not both are cast");
    if (elementOf(a.getX()) != elementOf(b.getX()))
      return rewriter.notifyMatchFailure(op, "the types differ");
    if (!isLossless(elementOf(a.getX()), elementOf(a)))
      return rewriter.notifyMatchFailure(op, "the casts lose something");
    rewriter.modifyOpInPlace(op, [&] {
      op.getAMutable().assign(a.getX());
      op.getBMutable().assign(b.getX());
    });
    return rewritten();
  }
};

class MoveCastsPass : public impl::MoveCastsBase<MoveCastsPass> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    populateMoveCastsPatterns(patterns, &numMoved);
    applyPatternsExplained(*this, getOperation(), std::move(patterns), {},
                           getCachedParentAnalysis<SettledGraphs>());
  }
};

} // namespace

void populateMoveCastsPatterns(RewritePatternSet &patterns,
                               Pass::Statistic *count) {
  patterns.add<CastOfSome<SliceOp>, CastOfSome<GatherOp>, CastOfTranspose,
               CastOfConcat, CastBeforeBroadcast, CastBeforeTranspose,
               CastsAroundReshape, CastOfNarrowed, CompareOfCasts>(
      patterns.getContext(), count);
}

} // namespace graven
