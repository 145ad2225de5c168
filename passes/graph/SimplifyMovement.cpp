//===- SimplifyMovement.cpp - fewer slices, pads, broadcasts ----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements SimplifyMovement, which merges Nodes that move elements
// with one another and with the windows that read them.
//===----------------------------------------------------------------------===//

#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "passes/graph/Explain.h"
#include "passes/graph/Fingerprint.h"
#include "passes/graph/GraphUtils.h"
#include "passes/graph/Passes.h"
#include <limits>

namespace graven {
#define GEN_PASS_DEF_SIMPLIFYMOVEMENT
#include "passes/graph/Passes.h.inc"
} // namespace graven

using namespace mlir;

namespace graven {
namespace {

/// The bounds of a slice with known ones on each axis of a known extent;
/// nullopt for others.
std::optional<SmallVector<SliceBounds>> boundsOf(SliceOp op) {
  RankedTensorType type = tensorType(op.getX());
  if (!type.hasStaticShape() || !op.getDynamicStarts().empty() ||
      !op.getDynamicEnds().empty())
    return std::nullopt;
  SmallVector<SliceBounds> bounds;
  for (auto [extent, start, end, step] : llvm::zip_equal(
           type.getShape(), op.getStarts(), op.getEnds(), op.getSteps()))
    bounds.push_back(resolveSlice(extent, start, end, step));
  return bounds;
}

/// slice(slice(x)) is one slice of x.
struct SliceOfSlice : CountingPattern<SliceOp> {
  using CountingPattern::CountingPattern;

  LogicalResult matchAndRewrite(SliceOp op,
                                PatternRewriter &rewriter) const override {
    auto inner = op.getX().getDefiningOp<SliceOp>();
    if (!inner)
      return rewriter.notifyMatchFailure(op, "x is not a slice");
    auto outerBounds = boundsOf(op), innerBounds = boundsOf(inner);
    if (!outerBounds || !innerBounds)
      return rewriter.notifyMatchFailure(op, "a bound is not known");
    SmallVector<int64_t> starts, ends, steps;
    for (auto [i, outer] : llvm::enumerate(*outerBounds)) {
      // Steps that lead to no second element may be any number.
      int64_t by = inner.getSteps()[i], start = (*innerBounds)[i].start,
              step = outer.extent > 1 ? op.getSteps()[i] * by : 1;
      if (outer.extent > 0 && outer.start > 0)
        start += outer.start * by;
      starts.push_back(start);
      // The end is behind the last element that is taken.
      ends.push_back(outer.extent == 0 ? start
                                       : start + (outer.extent - 1) * step + 1);
      steps.push_back(step);
    }
    rewriter.replaceOpWithNewOp<SliceOp>(op, op.getType(), inner.getX(),
                                         ValueRange(), ValueRange(), starts,
                                         ends, steps);
    return rewritten();
  }
};

/// A slice of what a pad added nothing to.
struct SliceOfPad : CountingPattern<SliceOp> {
  using CountingPattern::CountingPattern;

  LogicalResult matchAndRewrite(SliceOp op,
                                PatternRewriter &rewriter) const override {
    auto pad = op.getX().getDefiningOp<PadOp>();
    auto bounds = pad ? boundsOf(op) : std::nullopt;
    if (!bounds || !tensorType(pad.getX()).hasStaticShape())
      return rewriter.notifyMatchFailure(
          op, "x is not a pad, or a bound is not known");
    SmallVector<int64_t> starts, ends;
    for (auto [i, bound] : llvm::enumerate(*bounds)) {
      // Of an empty one the end may be in front of the start.
      int64_t start = bound.start - pad.getLow()[i],
              end = bound.extent == 0 ? start : bound.end - pad.getLow()[i];
      if (start < 0 || end > tensorType(pad.getX()).getDimSize(i))
        return rewriter.notifyMatchFailure(op, "it reads what the pad added");
      starts.push_back(start);
      ends.push_back(end);
    }
    rewriter.replaceOpWithNewOp<SliceOp>(op, op.getType(), pad.getX(),
                                         ValueRange(), ValueRange(), starts,
                                         ends, op.getSteps());
    return rewritten();
  }
};

/// What a pad adds, as a number; nullopt where it repeats elements or is not
/// known.
std::optional<double> addedBy(PadOp op) {
  if (op.getMode() != PadMode::Constant)
    return std::nullopt;
  return op.getValue() ? splatOf(op.getValue()) : 0.0;
}

bool crops(PadOp op) {
  auto isNegative = [](int64_t amount) { return amount < 0; };
  return llvm::any_of(op.getLow(), isNegative) ||
         llvm::any_of(op.getHigh(), isNegative);
}

SmallVector<int64_t> sums(ArrayRef<int64_t> a, ArrayRef<int64_t> b) {
  SmallVector<int64_t> result;
  for (auto [left, right] : llvm::zip_equal(a, b))
    result.push_back(left + right);
  return result;
}

/// pad(pad(x)) of one number is one pad.
struct PadOfPad : CountingPattern<PadOp> {
  using CountingPattern::CountingPattern;

  LogicalResult matchAndRewrite(PadOp op,
                                PatternRewriter &rewriter) const override {
    auto inner = op.getX().getDefiningOp<PadOp>();
    if (!inner)
      return rewriter.notifyMatchFailure(op, "x is not a pad");
    auto added = addedBy(op), before = addedBy(inner);
    // A NaN is no number of which there are two alike.
    if (!added || !before || *added != *before ||
        std::signbit(*added) != std::signbit(*before))
      return rewriter.notifyMatchFailure(op, "other elements are added");
    if (crops(op) || crops(inner))
      return rewriter.notifyMatchFailure(op, "elements are cropped");
    rewriter.replaceOpWithNewOp<PadOp>(
        op, op.getType(), inner.getX(), inner.getValue(),
        sums(op.getLow(), inner.getLow()), sums(op.getHigh(), inner.getHigh()),
        PadMode::Constant);
    return rewritten();
  }
};

/// Pads of an image's height and width as a window's; fails where there are
/// others.
template <class PoolTy>
FailureOr<SmallVector<int64_t>> windowPads(PoolTy op, PadOp pad,
                                           PatternRewriter &rewriter) {
  if (op.getLayout() != Layout::Planar || op.getCeilMode())
    return rewriter.notifyMatchFailure(
        op, "is in channel blocks, or has windows past the end");
  if (crops(pad))
    return rewriter.notifyMatchFailure(op, "the pad crops");
  if (pad.getLow()[0] != 0 || pad.getHigh()[0] != 0 || pad.getLow()[1] != 0 ||
      pad.getHigh()[1] != 0)
    return rewriter.notifyMatchFailure(op, "the pad is not of spatial axes");
  SmallVector<int64_t> pads(pad.getLow().drop_front(2));
  llvm::append_range(pads, pad.getHigh().drop_front(2));
  pads = sums(op.getPads(), pads);
  // ONNX and PyTorch have no windows of pads alone.
  size_t axes = op.getKernel().size();
  for (auto [i, amount] : llvm::enumerate(pads))
    if (amount >= op.getKernel()[i % axes])
      return rewriter.notifyMatchFailure(op, "a window would see pads alone");
  return pads;
}

/// Lowest elements around the input of a maximum are what its pads stand for.
struct PadIntoMaxPool : CountingPattern<MaxPoolOp> {
  using CountingPattern::CountingPattern;

  LogicalResult matchAndRewrite(MaxPoolOp op,
                                PatternRewriter &rewriter) const override {
    auto pad = op.getX().getDefiningOp<PadOp>();
    if (!pad)
      return rewriter.notifyMatchFailure(op, "x is not a pad");
    if (!isa<FloatType>(op.getType().getElementType()) ||
        addedBy(pad) != -std::numeric_limits<double>::infinity())
      return rewriter.notifyMatchFailure(op, "the pad is not of -inf");
    auto pads = windowPads(op, pad, rewriter);
    if (failed(pads))
      return failure();
    rewriter.modifyOpInPlace(op, [&] {
      op.getXMutable().assign(pad.getX());
      op.setPads(*pads);
    });
    return rewritten();
  }
};

/// Zeros around the input of a mean are pads that count.
struct PadIntoAvgPool : CountingPattern<AvgPoolOp> {
  using CountingPattern::CountingPattern;

  LogicalResult matchAndRewrite(AvgPoolOp op,
                                PatternRewriter &rewriter) const override {
    auto pad = op.getX().getDefiningOp<PadOp>();
    if (!pad || addedBy(pad) != 0.0)
      return rewriter.notifyMatchFailure(op, "x is not a pad of zeros");
    bool counts = op.getCountIncludePad() || op.getDivisor() > 0;
    if (!counts && llvm::any_of(op.getPads(), [](int64_t n) { return n != 0; }))
      return rewriter.notifyMatchFailure(op, "other pads do not count");
    auto pads = windowPads(op, pad, rewriter);
    if (failed(pads))
      return failure();
    rewriter.modifyOpInPlace(op, [&] {
      op.getXMutable().assign(pad.getX());
      op.setPads(*pads);
      op.setCountIncludePad(true);
    });
    return rewritten();
  }
};

/// broadcast(broadcast(x)) is one broadcast.
struct BroadcastOfBroadcast : CountingPattern<BroadcastOp> {
  using CountingPattern::CountingPattern;

  LogicalResult matchAndRewrite(BroadcastOp op,
                                PatternRewriter &rewriter) const override {
    auto inner = op.getX().getDefiningOp<BroadcastOp>();
    if (!inner)
      return rewriter.notifyMatchFailure(op, "x is not a broadcast");
    if (!op.getDynamicShape().empty())
      return rewriter.notifyMatchFailure(op, "an extent is not known");
    SmallVector<int64_t> axes;
    for (int64_t axis : inner.getAxes())
      axes.push_back(op.getAxes()[axis]);
    rewriter.replaceOpWithNewOp<BroadcastOp>(op, op.getType(), inner.getX(),
                                             ValueRange(), op.getShape(), axes);
    return rewritten();
  }
};

/// Resampled at every point where there is an element.
struct ResizeToSame : CountingPattern<ResizeOp> {
  using CountingPattern::CountingPattern;

  LogicalResult matchAndRewrite(ResizeOp op,
                                PatternRewriter &rewriter) const override {
    if (op.getX().getType() != op.getType() ||
        !tensorType(op.getX()).hasStaticShape())
      return rewriter.notifyMatchFailure(op, "the extents change");
    if (op.getCoordinate() == CoordinateMode::TfHalfPixelForNn)
      return rewriter.notifyMatchFailure(
          op, "its coordinates lie between elements");
    if (op.getScales() &&
        llvm::any_of(*op.getScales(), [](double scale) { return scale != 1; }))
      return rewriter.notifyMatchFailure(op, "it zooms");
    rewriter.replaceOp(op, op.getX());
    return rewritten();
  }
};

class SimplifyMovementPass
    : public impl::SimplifyMovementBase<SimplifyMovementPass> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    populateSimplifyMovementPatterns(patterns, &numMerged);
    applyPatternsExplained(*this, getOperation(), std::move(patterns), {},
                           getCachedParentAnalysis<SettledGraphs>());
  }
};

} // namespace

void populateSimplifyMovementPatterns(RewritePatternSet &patterns,
                                      Pass::Statistic *count) {
  patterns.add<SliceOfSlice, SliceOfPad, PadOfPad, PadIntoMaxPool,
               PadIntoAvgPool, BroadcastOfBroadcast, ResizeToSame>(
      patterns.getContext(), count);
}

} // namespace graven
