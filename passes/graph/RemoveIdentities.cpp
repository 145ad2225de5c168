//===- RemoveIdentities.cpp - Nodes that change nothing ---------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements RemoveIdentities, which erases Nodes that give back what
// is there already, beyond what the folders of single ops see.
//===----------------------------------------------------------------------===//

#include "mlir/IR/Matchers.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "passes/graph/Explain.h"
#include "passes/graph/Fingerprint.h"
#include "passes/graph/GraphUtils.h"
#include "passes/graph/Passes.h"
#include "passes/graph/ReshapeRoundTrips.h"

namespace graven {
#define GEN_PASS_DEF_REMOVEIDENTITIES
#include "passes/graph/Passes.h.inc"
} // namespace graven

using namespace mlir;

namespace graven {
namespace {

/// max(x, x) and min(x, x) are x, NaN included.
template <class OpTy> struct SameOperands : CountingPattern<OpTy> {
  using CountingPattern<OpTy>::CountingPattern;

  LogicalResult matchAndRewrite(OpTy op,
                                PatternRewriter &rewriter) const override {
    if (op.getA() != op.getB())
      return rewriter.notifyMatchFailure(op, "the operands differ");
    rewriter.replaceOp(op, op.getA());
    return this->rewritten();
  }
};

/// An elementwise Node broadcasts by itself: it need not be given a broadcast.
struct ImplicitBroadcast : CountingPattern<BroadcastOp> {
  using CountingPattern::CountingPattern;

  LogicalResult matchAndRewrite(BroadcastOp op,
                                PatternRewriter &rewriter) const override {
    if (!op.getType().hasStaticShape())
      return rewriter.notifyMatchFailure(op, "an extent is not known");
    SmallVector<int64_t> shape(op.getType().getRank(), 1);
    for (auto [axis, extent] :
         llvm::zip(op.getAxes(), tensorType(op.getX()).getShape()))
      shape[axis] = extent;
    SmallVector<OpOperand *> uses;
    for (OpOperand &use : op->getUses())
      if (infersTheSame(use, shape))
        uses.push_back(&use);
    if (uses.empty())
      return rewriter.notifyMatchFailure(
          op, "no user is elementwise with the extents from elsewhere");
    Value narrow = reshaped(rewriter, op.getLoc(), op.getX(), shape);
    for (OpOperand *use : uses)
      rewriter.modifyOpInPlace(use->getOwner(), [&] { use->set(narrow); });
    return rewritten();
  }

  /// Whether the user's result keeps its shape without the broadcast.
  static bool infersTheSame(OpOperand &use, ArrayRef<int64_t> narrow) {
    Operation *user = use.getOwner();
    if (!isa<AddOp, SubOp, MulOp, DivOp, RemOp, PowOp, MaxOp, MinOp, Atan2Op,
             AndOp, OrOp, XorOp, ShlOp, ShrOp, CompareOp, SelectOp>(user))
      return false;
    // Used twice, it is where the extents come from.
    if (llvm::count(user->getOperands(), use.get()) != 1)
      return false;
    auto result = cast<RankedTensorType>(user->getResult(0).getType());
    SmallVector<int64_t> shape(narrow);
    for (OpOperand &other : user->getOpOperands()) {
      if (&other == &use)
        continue;
      RankedTensorType type = tensorType(other.get());
      if (type.getRank() == 0)
        continue;
      for (auto [extent, more] : llvm::zip(shape, type.getShape()))
        if (extent == 1)
          extent = more;
    }
    return ArrayRef<int64_t>(shape) == result.getShape();
  }
};

/// A slice of a concat that is exactly one of its parts.
struct SliceOfConcat : CountingPattern<SliceOp> {
  using CountingPattern::CountingPattern;

  LogicalResult matchAndRewrite(SliceOp op,
                                PatternRewriter &rewriter) const override {
    auto concat = op.getX().getDefiningOp<ConcatOp>();
    if (!concat)
      return rewriter.notifyMatchFailure(op, "x is not a concat");
    if (!op.getDynamicStarts().empty() || !op.getDynamicEnds().empty() ||
        !concat.getType().hasStaticShape())
      return rewriter.notifyMatchFailure(op, "a bound is not known");
    int64_t axis = concat.getAxis();
    for (int64_t i = 0; i < concat.getType().getRank(); ++i) {
      SliceBounds bounds =
          resolveSlice(concat.getType().getDimSize(i), op.getStarts()[i],
                       op.getEnds()[i], op.getSteps()[i]);
      if (op.getSteps()[i] != 1 ||
          (i != axis && bounds.extent != concat.getType().getDimSize(i)))
        return rewriter.notifyMatchFailure(op, "takes part of another axis");
    }
    SliceBounds wanted =
        resolveSlice(concat.getType().getDimSize(axis), op.getStarts()[axis],
                     op.getEnds()[axis], 1);
    int64_t start = 0;
    for (Value part : concat.getInputs()) {
      int64_t end = start + tensorType(part).getDimSize(axis);
      if (start == wanted.start && end == wanted.end &&
          part.getType() == op.getType()) {
        rewriter.replaceOp(op, part);
        return rewritten();
      }
      start = end;
    }
    return rewriter.notifyMatchFailure(op, "is no single part");
  }
};

/// concat(slice(x), slice(x), ...) that puts x together again is x.
struct ConcatOfSlices : CountingPattern<ConcatOp> {
  using CountingPattern::CountingPattern;

  LogicalResult matchAndRewrite(ConcatOp op,
                                PatternRewriter &rewriter) const override {
    Value source;
    int64_t axis = op.getAxis(), next = 0;
    for (Value part : op.getInputs()) {
      auto slice = part.getDefiningOp<SliceOp>();
      if (!slice || (source && slice.getX() != source) ||
          !slice.getDynamicStarts().empty() || !slice.getDynamicEnds().empty())
        return rewriter.notifyMatchFailure(
            op, "the parts are not slices of one tensor");
      source = slice.getX();
      if (source.getType() != op.getType() || !op.getType().hasStaticShape())
        return rewriter.notifyMatchFailure(op, "the types differ");
      SliceBounds bounds =
          resolveSlice(op.getType().getDimSize(axis), slice.getStarts()[axis],
                       slice.getEnds()[axis], slice.getSteps()[axis]);
      if (bounds.start != next || slice.getSteps()[axis] != 1)
        return rewriter.notifyMatchFailure(op, "a part is out of order");
      next = bounds.end;
    }
    // The other axes are whole: their extents are those of the result.
    if (next != op.getType().getDimSize(axis))
      return rewriter.notifyMatchFailure(op, "the parts do not cover x");
    rewriter.replaceOp(op, source);
    return rewritten();
  }
};

/// Parts without elements, and concats within concats along the same axis.
struct FlattenConcat : CountingPattern<ConcatOp> {
  using CountingPattern::CountingPattern;

  LogicalResult matchAndRewrite(ConcatOp op,
                                PatternRewriter &rewriter) const override {
    SmallVector<Value> parts;
    int64_t axis = op.getAxis();
    for (Value part : op.getInputs()) {
      auto inner = part.getDefiningOp<ConcatOp>();
      if (inner && inner->hasOneUse() && inner.getAxis() == op.getAxis())
        llvm::append_range(parts, inner.getInputs());
      else if (tensorType(part).getDimSize(axis) != 0)
        parts.push_back(part);
    }
    if (parts.empty() || parts == SmallVector<Value>(op.getInputs()))
      return rewriter.notifyMatchFailure(
          op, "no part is empty or a concat of its own");
    rewriter.replaceOpWithNewOp<ConcatOp>(op, op.getType(), parts, axis);
    return rewritten();
  }
};

/// A window that replaces everything.
struct WholeInsert : CountingPattern<InsertSliceOp> {
  using CountingPattern::CountingPattern;

  LogicalResult matchAndRewrite(InsertSliceOp op,
                                PatternRewriter &rewriter) const override {
    if (op.getSrc().getType() != op.getType() || !op.getType().hasStaticShape())
      return rewriter.notifyMatchFailure(op, "src does not cover dest");
    rewriter.replaceOp(op, op.getSrc());
    return rewritten();
  }
};

/// Zeros around the input of a convolution are what its pads stand for.
struct PadIntoConv : CountingPattern<ConvOp> {
  using CountingPattern::CountingPattern;

  LogicalResult matchAndRewrite(ConvOp op,
                                PatternRewriter &rewriter) const override {
    auto pad = op.getX().getDefiningOp<PadOp>();
    if (!pad || op.getLayout() != Layout::Planar)
      return rewriter.notifyMatchFailure(op, "x is not a planar pad");
    if (pad.getMode() != PadMode::Constant ||
        (pad.getValue() && splatOf(pad.getValue()) != 0.0))
      return rewriter.notifyMatchFailure(op, "the pad is not of zeros");
    SmallVector<int64_t> pads(op.getPads());
    int64_t spatial = op.getSpatialRank();
    for (auto [axis, amounts] :
         llvm::enumerate(llvm::zip(pad.getLow(), pad.getHigh()))) {
      auto [low, high] = amounts;
      if (low < 0 || high < 0 || (axis < 2 && (low != 0 || high != 0)))
        return rewriter.notifyMatchFailure(
            op, "the pad crops, or is not of spatial axes");
      if (axis < 2)
        continue;
      pads[axis - 2] += low;
      pads[spatial + axis - 2] += high;
    }
    rewriter.modifyOpInPlace(op, [&] {
      op.getXMutable().assign(pad.getX());
      op.setPads(pads);
    });
    return rewritten();
  }
};

/// A mean over windows of one element each.
struct WindowOfOne : CountingPattern<AvgPoolOp> {
  using CountingPattern::CountingPattern;

  LogicalResult matchAndRewrite(AvgPoolOp op,
                                PatternRewriter &rewriter) const override {
    auto isOne = [](int64_t i) { return i == 1; };
    if (!llvm::all_of(op.getKernel(), isOne) ||
        !llvm::all_of(op.getStrides(), isOne) || op.getDivisor() > 1 ||
        !llvm::all_of(op.getPads(), [](int64_t i) { return i == 0; }))
      return rewriter.notifyMatchFailure(op, "a window is more than itself");
    if (op.getX().getType() != op.getType())
      return rewriter.notifyMatchFailure(op, "an extent is not known");
    rewriter.replaceOp(op, op.getX());
    return rewritten();
  }
};

/// gather with one constant index is a slice.
struct GatherToSlice : CountingPattern<GatherOp> {
  using CountingPattern::CountingPattern;

  LogicalResult matchAndRewrite(GatherOp op,
                                PatternRewriter &rewriter) const override {
    RankedTensorType x = tensorType(op.getX());
    DenseElementsAttr elements;
    if (!matchPattern(op.getIndices(), m_Constant(&elements)) ||
        elements.getNumElements() != 1)
      return rewriter.notifyMatchFailure(op, "not one constant index");
    if (!x.hasStaticShape() || !op.getType().hasStaticShape())
      return rewriter.notifyMatchFailure(op, "an extent is not known");
    int64_t axis = op.getAxis(), extent = x.getDimSize(axis),
            index = elements.getSplatValue<APInt>().getSExtValue();
    if (index < -extent || index >= extent)
      return rewriter.notifyMatchFailure(op, "the index is out of range");
    index = index < 0 ? index + extent : index;
    SmallVector<int64_t> starts(x.getRank(), 0), ends(x.getShape()),
        steps(x.getRank(), 1);
    starts[axis] = index;
    ends[axis] = index + 1;
    Value slice =
        SliceOp::create(rewriter, op.getLoc(), op.getX(), starts, ends, steps);
    rewriter.replaceOp(
        op, reshaped(rewriter, op.getLoc(), slice, op.getType().getShape()));
    return rewritten();
  }
};

class RemoveIdentitiesPass
    : public impl::RemoveIdentitiesBase<RemoveIdentitiesPass> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    populateRemoveIdentitiesPatterns(patterns, &numRemoved);
    applyPatternsExplained(*this, getOperation(), std::move(patterns), {},
                           getCachedParentAnalysis<SettledGraphs>());
  }
};

} // namespace

void populateRemoveIdentitiesPatterns(RewritePatternSet &patterns,
                                      Pass::Statistic *count) {
  patterns.add<SameOperands<MaxOp>, SameOperands<MinOp>, ImplicitBroadcast,
               SliceOfConcat, ConcatOfSlices, FlattenConcat, WholeInsert,
               PadIntoConv, WindowOfOne, GatherToSlice>(patterns.getContext(),
                                                        count);
  populateReshapeRoundTripPatterns(patterns, count);
}

} // namespace graven
