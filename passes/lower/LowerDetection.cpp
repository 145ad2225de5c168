//===- LowerDetection.cpp - boxes and regions of images -------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the lowering of the ops of object detection to kernels.
// The boxes that kernel.nms chooses lie class by class, each class with room
// for all; they are moved together by the running sums of the classes' counts.
//===----------------------------------------------------------------------===//

#include "dialects/graven/Graven.h"
#include "dialects/kernel/Kernel.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "passes/lower/LowerUtils.h"
#include "passes/lower/Reductions.h"
#include "passes/lower/ScalarFormulas.h"
#include "passes/lower/Scalars.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace graven {
namespace {

kernel::BoxFormat formatOf(BoxFormat format) {
  switch (format) {
  case BoxFormat::XYXY:
    return kernel::BoxFormat::XYXY;
  case BoxFormat::Corners:
    return kernel::BoxFormat::Corners;
  case BoxFormat::Center:
    return kernel::BoxFormat::Center;
  }
  llvm_unreachable("unknown format");
}

/// f16 and bf16 as f32.
Value computed(OpBuilder &b, Location loc, Value value) {
  auto type = cast<RankedTensorType>(value.getType());
  return convertElements(b, loc, value,
                         kernel::computeType(type.getElementType()));
}

struct LowerNms : OpConversionPattern<NmsOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(NmsOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const final {
    Location loc = op.getLoc();
    Type i64 = rewriter.getI64Type();
    RankedTensorType type = loweredType(op.getIndices().getType());
    if (isEmpty(type)) {
      Value zero = emitConstant(rewriter, loc, i64, 0);
      rewriter.replaceOp(op, {emptyTensor(rewriter, loc, type.getShape(), i64),
                              filledTensor(rewriter, loc, {}, zero)});
      return success();
    }
    Value boxes = computed(rewriter, loc, adaptor.getBoxes()),
          scores = computed(rewriter, loc, adaptor.getScores()),
          iou = computed(rewriter, loc, adaptor.getIou()), score;
    if (adaptor.getScore())
      score = computed(rewriter, loc, adaptor.getScore());
    auto shape = cast<RankedTensorType>(scores.getType()).getShape();
    Type element = cast<RankedTensorType>(scores.getType()).getElementType();
    int64_t classes = shape[0] * shape[1], most = type.getDimSize(0) / classes;
    SmallVector<Value> outs{
        emptyTensor(rewriter, loc, {shape[0], shape[1], most}, i64),
        emptyTensor(rewriter, loc, {shape[0], shape[1]}, i64),
        emptyTensor(rewriter, loc, shape, i64),
        emptyTensor(rewriter, loc,
                    {shape[0], shape[1], op.getGroup() ? 7 : 5,
                     int64_t(llvm::alignTo(most, kernel::kChannelBlock))},
                    element)};
    auto chosen = kernel::NmsOp::create(
        rewriter, loc, TypeRange(ValueRange(outs)), formatOf(op.getFormat()),
        boxes, scores, iou, score, adaptor.getGroup(), adaptor.getValid(),
        outs[0], outs[1], outs[2], outs[3]);
    Value kept =
              reshapeTo(rewriter, loc, chosen->getResult(0), {classes, most}),
          counts = reshapeTo(rewriter, loc, chosen->getResult(1), {classes});
    Value ends = classes == 1 ? counts
                              : scan(rewriter, loc, ReduceKind::Sum, i64,
                                     counts, /*axis=*/0);
    Value indices = packed(rewriter, loc, kept, ends, shape[1]);
    Value count =
        generate(rewriter, loc, {}, i64,
                 [&](OpBuilder &b, Location at, ValueRange) -> Value {
                   return tensor::ExtractOp::create(
                       b, at, ends, indexConstant(b, at, classes - 1));
                 });
    rewriter.replaceOp(op, {indices, count});
    return success();
  }

  /// Rows (batch, class, box), zero behind the last.
  static Value packed(OpBuilder &b, Location loc, Value kept, Value ends,
                      int64_t classesOfBatch) {
    auto shape = cast<RankedTensorType>(kept.getType()).getShape();
    int64_t classes = shape[0], most = shape[1];
    Type i64 = b.getI64Type();
    return generate(
        b, loc, {classes * most, 3}, i64,
        [&](OpBuilder &inner, Location at, ValueRange place) -> Value {
          Scalars s{inner, at};
          auto endOf = [&](const Scalars &t, Value group) {
            Value end = tensor::ExtractOp::create(t.b, t.at, ends, group);
            return t.cast(end, t.b.getIndexType());
          };
          Value row = place[0], group = s.index(0), begin = s.index(0);
          if (classes > 1) {
            // The first class that ends behind the row, by bisection.
            auto search = scf::ForOp::create(
                inner, at, s.index(0), s.index(llvm::Log2_64_Ceil(classes)),
                s.index(1), ValueRange{s.index(0), s.index(classes - 1)},
                [&](OpBuilder &body, Location l, Value, ValueRange bounds) {
                  Scalars t{body, l};
                  Value middle = arith::ShRUIOp::create(
                      body, l, t.add(bounds[0], bounds[1]), t.index(1));
                  Value isBehind = t.less(row, endOf(t, middle));
                  Value up = t.min(t.add(middle, t.index(1)), bounds[1]);
                  scf::YieldOp::create(
                      body, l,
                      ValueRange{t.pick(isBehind, bounds[0], up),
                                 t.pick(isBehind, middle, bounds[1])});
                });
            group = search.getResult(0);
            Value before = s.max(s.sub(group, s.index(1)), s.index(0));
            begin =
                s.pick(s.less(s.index(0), group), endOf(s, before), s.index(0));
          }
          Value isUsed = s.less(row, endOf(s, group));
          Value which =
              s.max(s.min(s.sub(row, begin), s.index(most - 1)), s.index(0));
          Value box = tensor::ExtractOp::create(inner, at, kept,
                                                ValueRange{group, which});
          Value batch = arith::DivUIOp::create(inner, at, group,
                                               s.index(classesOfBatch)),
                own = arith::RemUIOp::create(inner, at, group,
                                             s.index(classesOfBatch));
          auto isColumn = [&](int64_t column) {
            return arith::CmpIOp::create(inner, at, arith::CmpIPredicate::eq,
                                         place[1], s.index(column));
          };
          Value value = s.pick(isColumn(0), s.cast(batch, i64),
                               s.pick(isColumn(1), s.cast(own, i64), box));
          return s.pick(isUsed, value, s.number(i64, 0));
        });
  }
};

kernel::PoolKind modeOf(RegionMode mode) {
  return mode == RegionMode::Max ? kernel::PoolKind::Max
                                 : kernel::PoolKind::Avg;
}

/// The image of each region that is used, checked; 0 for the others.
Value checkedBatch(OpBuilder &b, Location loc, Value batch, Value valid,
                   int64_t images) {
  if (valid) {
    auto shape = cast<RankedTensorType>(batch.getType()).getShape();
    Value all = batch;
    batch = generate(
        b, loc, shape, b.getI64Type(),
        [&](OpBuilder &inner, Location at, ValueRange i) -> Value {
          Scalars s{inner, at};
          Value own = tensor::ExtractOp::create(inner, at, all, i);
          Value number =
              s.cast(tensor::ExtractOp::create(inner, at, valid, ValueRange()),
                     inner.getIndexType());
          return s.pick(s.less(i[0], number), own,
                        s.number(inner.getI64Type(), 0));
        });
  }
  checkIndices(b, loc, batch, images, /*nonneg=*/true);
  return batch;
}

template <class Op> struct LowerRegions : OpConversionPattern<Op> {
  using OpConversionPattern<Op>::OpConversionPattern;
  using Adaptor = typename OpConversionPattern<Op>::OpAdaptor;
  LogicalResult
  matchAndRewrite(Op op, Adaptor adaptor,
                  ConversionPatternRewriter &rewriter) const final {
    Location loc = op.getLoc();
    RankedTensorType type = loweredType(op.getType());
    auto x = cast<RankedTensorType>(adaptor.getX().getType());
    Value batch = checkedBatch(rewriter, loc, adaptor.getBatch(),
                               adaptor.getValid(), x.getDimSize(0));
    if (isEmpty(x)) {
      rewriter.replaceOp(
          op,
          filledTensor(rewriter, loc, type.getShape(),
                       emitConstant(rewriter, loc, type.getElementType(), 0)));
      return success();
    }
    constexpr bool isAligned = std::is_same_v<Op, RoiAlignOp>;
    int64_t samples = 0;
    bool shifted = false;
    if constexpr (isAligned) {
      samples = op.getSamplingRatio();
      shifted = op.getAligned();
    }
    Value out =
        emptyTensor(rewriter, loc, type.getShape(), type.getElementType());
    auto regions = kernel::RegionsOp::create(
        rewriter, loc, TypeRange(out.getType()),
        isAligned ? kernel::RegionKind::Samples : kernel::RegionKind::Pixels,
        modeOf(op.getMode()), adaptor.getX(), adaptor.getRois(), batch,
        adaptor.getValid(), out, op.getSpatialScale(), uint64_t(samples),
        shifted, op.getPerBin());
    rewriter.replaceOp(op, regions.getResults());
    return success();
  }
};

} // namespace

void populateDetectionLowering(RewritePatternSet &patterns) {
  patterns.add<LowerNms, LowerRegions<RoiAlignOp>, LowerRegions<RoiPoolOp>>(
      patterns.getContext());
}

} // namespace graven
