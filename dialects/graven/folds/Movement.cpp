//===- Movement.cpp - folds of the movement ops ---------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements folders and canonicalizations of the shape and movement
// ops.
//===----------------------------------------------------------------------===//

#include "dialects/graven/folds/Folds.h"

using namespace mlir;

namespace graven {

//===----------------------------------------------------------------------===//
// Folders
//===----------------------------------------------------------------------===//

/// Whether the types are equal and static, so that an op that keeps the order
/// of elements is the identity.
static bool isIdentity(Type from, Type to) {
  return from == to && cast<RankedTensorType>(to).hasStaticShape();
}

OpFoldResult ReshapeOp::fold(FoldAdaptor) {
  // With one unknown extent the others fix it.
  if (getX().getType() == getType() && getType().getNumDynamicDims() <= 1)
    return getX();
  return {};
}

static bool isIdentityPermutation(ArrayRef<int64_t> permutation) {
  for (auto [i, axis] : llvm::enumerate(permutation))
    if (axis != static_cast<int64_t>(i))
      return false;
  return true;
}

OpFoldResult TransposeOp::fold(FoldAdaptor) {
  if (isIdentityPermutation(getPermutation()) && getX().getType() == getType())
    return getX();
  return {};
}

OpFoldResult BroadcastOp::fold(FoldAdaptor) {
  if (isIdentity(getX().getType(), getType()))
    return getX();
  return {};
}

OpFoldResult SliceOp::fold(FoldAdaptor) {
  if (getX().getType() != getType() || !getDynamicStarts().empty() ||
      !getDynamicEnds().empty())
    return {};
  // A slice that keeps a known extent is whole; an unknown one must be asked
  // for in full.
  for (int64_t axis = 0; axis < getType().getRank(); ++axis)
    if (getType().isDynamicDim(axis) &&
        (getStarts()[axis] != 0 || getSteps()[axis] != 1 ||
         getEnds()[axis] != std::numeric_limits<int64_t>::max()))
      return {};
  return getX();
}

OpFoldResult ConcatOp::fold(FoldAdaptor) {
  if (getInputs().size() == 1 && getInputs()[0].getType() == getType())
    return getInputs()[0];
  return {};
}

OpFoldResult PadOp::fold(FoldAdaptor) {
  auto isZero = [](int64_t amount) { return amount == 0; };
  if (llvm::all_of(getLow(), isZero) && llvm::all_of(getHigh(), isZero) &&
      getX().getType() == getType())
    return getX();
  return {};
}

OpFoldResult RelayoutOp::fold(FoldAdaptor) {
  auto inner = getX().getDefiningOp<RelayoutOp>();
  if (inner && inner.getFrom() == getTo() && inner.getTo() == getFrom() &&
      inner.getX().getType() == getType())
    return inner.getX();
  return {};
}

/// The operand that stands for dynamic entry `at` of a mixed list.
static OpFoldResult dynamicEntry(ArrayRef<int64_t> list, ValueRange operands,
                                 int64_t at) {
  if (!ShapedType::isDynamic(list[at]))
    return {};
  return operands[llvm::count_if(list.take_front(at), ShapedType::isDynamic)];
}

OpFoldResult DimOp::fold(FoldAdaptor) {
  auto type = cast<RankedTensorType>(getX().getType());
  int64_t axis = getAxis();
  if (!type.isDynamicDim(axis))
    return DenseElementsAttr::get(cast<RankedTensorType>(getType()),
                                  type.getDimSize(axis));
  Operation *producer = getX().getDefiningOp();
  if (auto reshape = dyn_cast_or_null<ReshapeOp>(producer))
    return dynamicEntry(reshape.getShape(), reshape.getDynamicShape(), axis);
  if (auto broadcast = dyn_cast_or_null<BroadcastOp>(producer))
    return dynamicEntry(broadcast.getShape(), broadcast.getDynamicShape(),
                        axis);
  if (auto iota = dyn_cast_or_null<IotaOp>(producer))
    return dynamicEntry(iota.getShape(), iota.getDynamicShape(), axis);
  return {};
}

//===----------------------------------------------------------------------===//
// Canonicalizations
//===----------------------------------------------------------------------===//

namespace {
/// reshape(reshape(x)) is reshape(x).
struct MergeReshapes : OpRewritePattern<ReshapeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ReshapeOp op,
                                PatternRewriter &rewriter) const override {
    auto inner = op.getX().getDefiningOp<ReshapeOp>();
    if (!inner)
      return rewriter.notifyMatchFailure(op, "x is not a reshape");
    return replaceKeepingType<ReshapeOp>(
        rewriter, op, inner.getX(), op.getDynamicShape(), op.getShapeAttr());
  }
};

/// An inferred or dynamic entry that the result type knows becomes static.
struct StaticReshape : OpRewritePattern<ReshapeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ReshapeOp op,
                                PatternRewriter &rewriter) const override {
    if (!op.getType().hasStaticShape())
      return rewriter.notifyMatchFailure(op, "the result is not static");
    if (op.getShape() == op.getType().getShape())
      return rewriter.notifyMatchFailure(op, "the shape is static already");
    return replaceKeepingType<ReshapeOp>(
        rewriter, op, op.getX(), ValueRange(),
        rewriter.getDenseI64ArrayAttr(op.getType().getShape()));
  }
};

/// transpose(transpose(x)) is one transpose.
struct MergeTransposes : OpRewritePattern<TransposeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(TransposeOp op,
                                PatternRewriter &rewriter) const override {
    auto inner = op.getX().getDefiningOp<TransposeOp>();
    if (!inner)
      return rewriter.notifyMatchFailure(op, "x is not a transpose");
    SmallVector<int64_t> permutation;
    for (int64_t axis : op.getPermutation())
      permutation.push_back(inner.getPermutation()[axis]);
    return replaceKeepingType<TransposeOp>(
        rewriter, op, inner.getX(), rewriter.getDenseI64ArrayAttr(permutation));
  }
};

/// transpose(reshape(transpose(x))), where the reshape only adds or takes away
/// extents of 1, is transpose(reshape(x)).
struct TransposeOverReshape : OpRewritePattern<TransposeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(TransposeOp op,
                                PatternRewriter &rewriter) const override {
    auto reshape = op.getX().getDefiningOp<ReshapeOp>();
    auto inner =
        reshape ? reshape.getX().getDefiningOp<TransposeOp>() : TransposeOp();
    if (!inner || !reshape->hasOneUse() || !inner->hasOneUse())
      return rewriter.notifyMatchFailure(op, "no chain that only this ends");
    RankedTensorType from = inner.getType(), to = reshape.getType();
    if (!from.hasStaticShape() || !to.hasStaticShape())
      return rewriter.notifyMatchFailure(op, "an extent is unknown");
    SmallVector<int64_t> axes = longAxes(from), other = longAxes(to);
    if (axes.size() != other.size() ||
        !llvm::all_of(llvm::zip(axes, other), [&](auto pair) {
          auto [a, b] = pair;
          return from.getDimSize(a) == to.getDimSize(b);
        }))
      return rewriter.notifyMatchFailure(op, "the reshape changes extents");
    // Axes of x, in their order, that the ones of the reshape come from.
    SmallVector<std::pair<int64_t, int64_t>> sources;
    for (auto [a, b] : llvm::zip(axes, other))
      sources.emplace_back(inner.getPermutation()[a], b);
    llvm::sort(sources);
    // First the extents of 1, then the others as x has them.
    SmallVector<int64_t> shape(to.getRank() - sources.size(), 1),
        place(to.getRank(), -1);
    for (auto [source, axis] : sources) {
      place[axis] = shape.size();
      shape.push_back(to.getDimSize(axis));
    }
    int64_t ones = 0;
    for (int64_t &axis : place)
      if (axis < 0)
        axis = ones++;
    SmallVector<int64_t> permutation;
    for (int64_t axis : op.getPermutation())
      permutation.push_back(place[axis]);
    Value x =
        ReshapeOp::create(rewriter, reshape.getLoc(), inner.getX(), shape);
    return replaceKeepingType<TransposeOp>(
        rewriter, op, x, rewriter.getDenseI64ArrayAttr(permutation));
  }

private:
  static SmallVector<int64_t> longAxes(RankedTensorType type) {
    SmallVector<int64_t> axes;
    for (int64_t axis = 0; axis < type.getRank(); ++axis)
      if (type.getDimSize(axis) != 1)
        axes.push_back(axis);
    return axes;
  }
};

/// A transpose that keeps the order of all extents but 1 is a reshape.
struct TransposeToReshape : OpRewritePattern<TransposeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(TransposeOp op,
                                PatternRewriter &rewriter) const override {
    auto type = cast<RankedTensorType>(op.getX().getType());
    int64_t last = -1;
    for (int64_t axis : op.getPermutation()) {
      if (type.getDimSize(axis) == 1)
        continue;
      if (axis < last)
        return rewriter.notifyMatchFailure(op, "extents other than 1 move");
      last = axis;
    }
    if (isIdentityPermutation(op.getPermutation()))
      return rewriter.notifyMatchFailure(op, "the identity folds");
    SmallVector<int64_t> shape(op.getType().getShape());
    if (llvm::count_if(shape, ShapedType::isDynamic) > 1)
      return rewriter.notifyMatchFailure(op, "two extents are unknown");
    for (int64_t &extent : shape)
      if (ShapedType::isDynamic(extent))
        extent = -1;
    return replaceKeepingType<ReshapeOp>(rewriter, op, op.getX(), ValueRange(),
                                         rewriter.getDenseI64ArrayAttr(shape));
  }
};

/// A broadcast that only adds axes of extent 1 is a reshape.
struct BroadcastToReshape : OpRewritePattern<BroadcastOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(BroadcastOp op,
                                PatternRewriter &rewriter) const override {
    auto type = cast<RankedTensorType>(op.getX().getType());
    auto from = elementCount(type.getShape()),
         to = elementCount(op.getType().getShape());
    if (!from || !to || *from != *to || *from == 0)
      return rewriter.notifyMatchFailure(op, "elements are repeated");
    return replaceKeepingType<ReshapeOp>(
        rewriter, op, op.getX(), ValueRange(),
        rewriter.getDenseI64ArrayAttr(op.getType().getShape()));
  }
};

// Constant operands of a mixed list become static entries, where that leaves
// the result type as it is.

struct StaticBroadcast : OpRewritePattern<BroadcastOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(BroadcastOp op,
                                PatternRewriter &rewriter) const override {
    SmallVector<int64_t> shape(op.getShape());
    SmallVector<Value> operands(op.getDynamicShape());
    if (!takeConstants(shape, operands))
      return rewriter.notifyMatchFailure(op, "no constant extent");
    return replaceKeepingType<BroadcastOp>(rewriter, op, op.getX(), operands,
                                           rewriter.getDenseI64ArrayAttr(shape),
                                           op.getAxesAttr());
  }
};

struct StaticSlice : OpRewritePattern<SliceOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(SliceOp op,
                                PatternRewriter &rewriter) const override {
    SmallVector<int64_t> starts(op.getStarts()), ends(op.getEnds());
    SmallVector<Value> dynamicStarts(op.getDynamicStarts()),
        dynamicEnds(op.getDynamicEnds());
    bool start = takeConstants(starts, dynamicStarts),
         end = takeConstants(ends, dynamicEnds);
    if (!start && !end)
      return rewriter.notifyMatchFailure(op, "no constant bound");
    return replaceKeepingType<SliceOp>(
        rewriter, op, op.getX(), dynamicStarts, dynamicEnds,
        rewriter.getDenseI64ArrayAttr(starts),
        rewriter.getDenseI64ArrayAttr(ends), op.getStepsAttr());
  }
};

/// Bounds on an axis of known extent are absolute and lie within it.
struct ClampedSlice : OpRewritePattern<SliceOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(SliceOp op,
                                PatternRewriter &rewriter) const override {
    auto type = cast<RankedTensorType>(op.getX().getType());
    SmallVector<int64_t> starts(op.getStarts()), ends(op.getEnds());
    for (int64_t axis = 0; axis < type.getRank(); ++axis) {
      if (type.isDynamicDim(axis) || ShapedType::isDynamic(starts[axis]) ||
          ShapedType::isDynamic(ends[axis]))
        continue;
      SliceBounds bounds = resolveSlice(type.getDimSize(axis), starts[axis],
                                        ends[axis], op.getSteps()[axis]);
      starts[axis] = bounds.start;
      ends[axis] = bounds.end;
    }
    if (ArrayRef(starts) == op.getStarts() && ArrayRef(ends) == op.getEnds())
      return rewriter.notifyMatchFailure(op, "the bounds lie within");
    return replaceKeepingType<SliceOp>(
        rewriter, op, op.getX(), op.getDynamicStarts(), op.getDynamicEnds(),
        rewriter.getDenseI64ArrayAttr(starts),
        rewriter.getDenseI64ArrayAttr(ends), op.getStepsAttr());
  }
};

struct StaticInsertSlice : OpRewritePattern<InsertSliceOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(InsertSliceOp op,
                                PatternRewriter &rewriter) const override {
    SmallVector<int64_t> starts(op.getStarts());
    SmallVector<Value> operands(op.getDynamicStarts());
    if (!takeConstants(starts, operands))
      return rewriter.notifyMatchFailure(op, "no constant start");
    return replaceKeepingType<InsertSliceOp>(
        rewriter, op, op.getDest(), op.getSrc(), operands,
        rewriter.getDenseI64ArrayAttr(starts), op.getStepsAttr());
  }
};

struct StaticIota : OpRewritePattern<IotaOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(IotaOp op,
                                PatternRewriter &rewriter) const override {
    SmallVector<int64_t> shape(op.getShape());
    SmallVector<Value> operands(op.getDynamicShape());
    if (!takeConstants(shape, operands))
      return rewriter.notifyMatchFailure(op, "no constant extent");
    return replaceKeepingType<IotaOp>(
        rewriter, op, operands, rewriter.getDenseI64ArrayAttr(shape),
        op.getAxisAttr(), op.getElementTypeAttr());
  }
};
} // namespace

void ReshapeOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                            MLIRContext *context) {
  patterns.add<MergeReshapes, StaticReshape>(context);
}
void TransposeOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                              MLIRContext *context) {
  patterns.add<MergeTransposes, TransposeOverReshape, TransposeToReshape>(
      context);
}
void BroadcastOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                              MLIRContext *context) {
  patterns.add<BroadcastToReshape, StaticBroadcast>(context);
}
void SliceOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                          MLIRContext *context) {
  patterns.add<StaticSlice, ClampedSlice>(context);
}
void InsertSliceOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                                MLIRContext *context) {
  patterns.add<StaticInsertSlice>(context);
}
void IotaOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                         MLIRContext *context) {
  patterns.add<StaticIota>(context);
}

} // namespace graven
