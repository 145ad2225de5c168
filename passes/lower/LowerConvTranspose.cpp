//===- LowerConvTranspose.cpp - transposed convolutions -------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the lowering of those transposed convolutions that the
// graph phase has not taken apart, to a convolution with unit strides.
//===----------------------------------------------------------------------===//

#include "dialects/graven/Graven.h"
#include "passes/lower/LowerContraction.h"
#include "passes/lower/LowerUtils.h"
#include "passes/lower/ScalarFormulas.h"

using namespace mlir;

namespace graven {
namespace {

/// A transposed convolution is a convolution of the input spread out by the
/// strides, with the kernel reversed and its channels exchanged: y[o] = sum_k
/// spread[o + lo - d(K-1) + k d] w[K-1-k].
struct LowerConvTranspose : OpConversionPattern<ConvTransposeOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult
  matchAndRewrite(ConvTransposeOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const final {
    Location loc = op.getLoc();
    RankedTensorType type = loweredType(op.getType());
    Type element = type.getElementType();
    Value zero = emitConstant(rewriter, loc, element, 0);
    if (isEmpty(op.getX().getType()) || isEmpty(op.getW().getType())) {
      Value none = filledTensor(rewriter, loc, type.getShape(), zero);
      if (adaptor.getBias())
        none = copyElements(rewriter, loc, type.getShape(), adaptor.getBias(),
                            selectAxes(getContext(), type.getRank(), {1}));
      rewriter.replaceOp(op, none);
      return success();
    }
    int64_t spatial = op.getStrides().size(), groups = op.getGroups();
    Value x = spread(rewriter, loc, adaptor.getX(), op.getStrides(), zero);
    Value w = flipped(rewriter, loc, adaptor.getW(), groups, spatial);
    ArrayRef<int64_t> kernel = op.getW().getType().getShape().drop_front(2);
    SmallVector<int64_t> low(spatial + 2, 0), high(spatial + 2, 0);
    for (int64_t s = 0; s < spatial; ++s) {
      int64_t reach = op.getDilations()[s] * (kernel[s] - 1);
      low[2 + s] = reach - op.getPads()[s];
      high[2 + s] =
          reach - op.getPads()[spatial + s] + op.getOutputPadding()[s];
    }
    x = padConstant(rewriter, loc, x, low, high, zero);
    // The rest is the planar convolution with unit strides, built as a Node so
    // that there is one lowering of it.
    SmallVector<int64_t> ones(spatial, 1), none(2 * spatial, 0);
    auto made = ConvOp::create(rewriter, loc, op.getType(), x, w,
                               adaptor.getBias(), ones, op.getDilations(), none,
                               groups, Layout::Planar, IntegerAttr());
    rewriter.replaceOp(op, made.getResult());
    return success();
  }

  /// Zeros between neighbours, stride - 1 of them on each spatial axis.
  static Value spread(OpBuilder &b, Location loc, Value x,
                      ArrayRef<int64_t> strides, Value zero) {
    if (llvm::all_of(strides, [](int64_t s) { return s == 1; }))
      return x;
    auto type = cast<RankedTensorType>(x.getType());
    SmallVector<int64_t> shape(type.getShape());
    SmallVector<OpFoldResult> offsets(shape.size(), b.getIndexAttr(0)), sizes,
        steps(2, b.getIndexAttr(1));
    for (int64_t extent : type.getShape())
      sizes.push_back(b.getIndexAttr(extent));
    for (auto [s, stride] : llvm::enumerate(strides)) {
      shape[2 + s] = shape[2 + s] == 0 ? 0 : (shape[2 + s] - 1) * stride + 1;
      steps.push_back(b.getIndexAttr(stride));
    }
    Value filled = filledTensor(b, loc, shape, zero);
    return tensor::InsertSliceOp::create(b, loc, x, filled, offsets, sizes,
                                         steps);
  }

  /// w [Ci,Co/g,K..] as [Co,Ci/g,K..] with the taps in reverse order.
  static Value flipped(OpBuilder &b, Location loc, Value w, int64_t groups,
                       int64_t spatial) {
    auto type = cast<RankedTensorType>(w.getType());
    int64_t inPerGroup = type.getDimSize(0) / groups,
            outPerGroup = type.getDimSize(1);
    SmallVector<int64_t> shape{groups * outPerGroup, inPerGroup};
    llvm::append_range(shape, type.getShape().drop_front(2));
    return generate(
        b, loc, shape, type.getElementType(),
        [&](OpBuilder &inner, Location at, ValueRange i) -> Value {
          Value per = indexConstant(inner, at, outPerGroup);
          Value group = arith::DivUIOp::create(inner, at, i[0], per),
                co = arith::RemUIOp::create(inner, at, i[0], per);
          Value base = arith::MulIOp::create(
              inner, at, group, indexConstant(inner, at, inPerGroup));
          SmallVector<Value> where{arith::AddIOp::create(inner, at, base, i[1]),
                                   co};
          for (int64_t s = 0; s < spatial; ++s)
            where.push_back(arith::SubIOp::create(
                inner, at, indexConstant(inner, at, type.getDimSize(2 + s) - 1),
                i[2 + s]));
          return tensor::ExtractOp::create(inner, at, w, where);
        });
  }
};

} // namespace

void populateConvTransposeLowering(RewritePatternSet &patterns) {
  patterns.add<LowerConvTranspose>(patterns.getContext());
}

} // namespace graven
