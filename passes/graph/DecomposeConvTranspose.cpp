//===- DecomposeConvTranspose.cpp - transposed conv as conv -----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements DecomposeConvTranspose, which turns transposed
// convolutions whose windows do not overlap into a 1x1 convolution and a pixel
// shuffle.
//===----------------------------------------------------------------------===//

#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "passes/graph/ConvTransposeUtils.h"
#include "passes/graph/GraphUtils.h"
#include "passes/graph/Passes.h"

namespace graven {
#define GEN_PASS_DEF_DECOMPOSECONVTRANSPOSE
#include "passes/graph/Passes.h.inc"
} // namespace graven

using namespace mlir;

namespace graven {

StringRef whyWindowsOverlap(ConvTransposeOp op) {
  RankedTensorType w = tensorType(op.getW());
  auto isZero = [](int64_t v) { return v == 0; };
  if (!tensorType(op.getX()).hasStaticShape() || !w.hasStaticShape() ||
      !op.getType().hasStaticShape())
    return "an extent is not known";
  if (op.getType().getNumElements() == 0 || w.getNumElements() == 0)
    return "it is empty";
  if (op.getGroups() != 1)
    return "it has groups";
  if (!llvm::all_of(op.getPads(), isZero) ||
      !llvm::all_of(op.getOutputPadding(), isZero))
    return "it has pads";
  for (auto [kernel, stride, dilation] : llvm::zip(
           w.getShape().drop_front(2), op.getStrides(), op.getDilations())) {
    if (kernel != stride)
      return "the kernel is not the stride";
    if (dilation != 1 && kernel != 1)
      return "the taps are dilated";
  }
  return {};
}

TapConv tapConvOf(OpBuilder &b, ConvTransposeOp op) {
  Location loc = op.getLoc();
  ArrayRef<int64_t> shape = tensorType(op.getW()).getShape();
  int64_t spatial = shape.size() - 2, taps = 1;
  // [Ci, Co, K..] as [K.., Co, Ci].
  SmallVector<int64_t> permutation;
  for (int64_t axis = 0; axis < spatial; ++axis) {
    permutation.push_back(2 + axis);
    taps *= shape[2 + axis];
  }
  permutation.append({1, 0});
  Value w = TransposeOp::create(b, loc, op.getW(), permutation);
  SmallVector<int64_t> flat{taps * shape[1], shape[0]};
  flat.append(spatial, 1);
  w = reshaped(b, loc, w, flat);
  Value bias = op.getBias();
  if (bias) {
    bias = BroadcastOp::create(b, loc, bias, ArrayRef<int64_t>{taps, shape[1]},
                               ArrayRef<int64_t>{1});
    bias = reshaped(b, loc, bias, {taps * shape[1]});
  }
  return {w, bias};
}

Value interleaveTaps(OpBuilder &b, Location loc, Value x, int64_t spatial) {
  ArrayRef<int64_t> shape = tensorType(x).getShape();
  SmallVector<int64_t> permutation{0, 1 + spatial},
      merged{shape[0], shape[1 + spatial]};
  for (int64_t axis = 0; axis < spatial; ++axis) {
    permutation.append({2 + spatial + axis, 1 + axis});
    merged.push_back(shape[2 + spatial + axis] * shape[1 + axis]);
  }
  for (int64_t axis = 2 + 2 * spatial, e = shape.size(); axis < e; ++axis) {
    permutation.push_back(axis);
    merged.push_back(shape[axis]);
  }
  x = TransposeOp::create(b, loc, x, permutation);
  return reshaped(b, loc, x, merged);
}

namespace {

struct ToPixelShuffle : CountingPattern<ConvTransposeOp> {
  using CountingPattern::CountingPattern;

  LogicalResult matchAndRewrite(ConvTransposeOp op,
                                PatternRewriter &rewriter) const override {
    if (StringRef why = whyWindowsOverlap(op); !why.empty())
      return rewriter.notifyMatchFailure(op, why);
    if (!isParameterValue(op.getW()))
      return rewriter.notifyMatchFailure(
          op, "the weights are computed when the model runs");
    Location loc = op.getLoc();
    RankedTensorType x = tensorType(op.getX()), w = tensorType(op.getW());
    int64_t spatial = x.getRank() - 2;
    TapConv tap = tapConvOf(rewriter, op);
    SmallVector<int64_t> ones(spatial, 1), none(2 * spatial, 0);
    Value y =
        ConvOp::create(rewriter, loc, op.getX(), tap.w, tap.bias, ones, ones,
                       none, /*groups=*/1, Layout::Planar, IntegerAttr());
    SmallVector<int64_t> split{x.getDimSize(0)};
    llvm::append_range(split, w.getShape().drop_front(2));
    split.push_back(w.getDimSize(1));
    llvm::append_range(split, x.getShape().drop_front(2));
    y = reshaped(rewriter, loc, y, split);
    rewriter.replaceOp(op, interleaveTaps(rewriter, loc, y, spatial));
    return rewritten();
  }
};

class DecomposeConvTransposePass
    : public impl::DecomposeConvTransposeBase<DecomposeConvTransposePass> {
public:
  using DecomposeConvTransposeBase::DecomposeConvTransposeBase;

private:
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    populateDecomposeConvTransposePatterns(patterns, &numDecomposed);
    FrozenRewritePatternSet frozen(std::move(patterns));
    SmallVector<Operation *> chosen;
    getOperation().walk([&](ConvTransposeOp op) {
      bool wholeBlocks = tensorType(op.getW()).getDimSize(1) % 16 == 0;
      if (!keepBlocks || !wholeBlocks)
        chosen.push_back(op);
    });
    GreedyRewriteConfig config;
    config.setStrictness(GreedyRewriteStrictness::ExistingOps);
    if (failed(applyOpPatternsGreedily(chosen, frozen, config)))
      signalPassFailure();
  }
};

} // namespace

void populateDecomposeConvTransposePatterns(RewritePatternSet &patterns,
                                            Pass::Statistic *count) {
  patterns.add<ToPixelShuffle>(patterns.getContext(), count);
}

} // namespace graven
