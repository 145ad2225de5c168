//===- DecomposeVolumeConv.cpp - 3-D convolutions as 2-D ones -*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements DecomposeVolumeConv, which turns a 3-D convolution into
// a 2-D one whose images are the planes of the output, and whose channels are
// those of all planes of the input that reach one.
//===----------------------------------------------------------------------===//

#include "mlir/IR/IRMapping.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "passes/graph/Explain.h"
#include "passes/graph/GraphUtils.h"
#include "passes/graph/Passes.h"

namespace graven {
#define GEN_PASS_DEF_DECOMPOSEVOLUMECONV
#include "passes/graph/Passes.h.inc"
} // namespace graven

using namespace mlir;

namespace graven {
namespace {

/// Exchanges the axes 1 and 2 of five.
Value exchanged(OpBuilder &b, Location loc, Value value) {
  return TransposeOp::create(b, loc, value, ArrayRef<int64_t>{0, 2, 1, 3, 4});
}

/// The Nodes of one operand behind the convolution, which do not mind its
/// shape.
SmallVector<Operation *> unaryBehind(ConvOp op) {
  SmallVector<Operation *> nodes;
  for (Value current = op.getResult();;) {
    Operation *user = soleUser(current);
    if (!user || user->getBlock() != op->getBlock() ||
        !user->hasTrait<Elementwise>() || user->getNumOperands() != 1 ||
        user->getNumResults() != 1 ||
        user->getResult(0).getType() != op.getType())
      return nodes;
    nodes.push_back(user);
    current = user->getResult(0);
  }
}

struct ToPlanes : CountingPattern<ConvOp> {
  using CountingPattern::CountingPattern;

  LogicalResult matchAndRewrite(ConvOp op,
                                PatternRewriter &rewriter) const override {
    if (op.getStrides().size() != 3 || op.getLayout() != Layout::Planar)
      return rewriter.notifyMatchFailure(op, "it has not three axes");
    RankedTensorType x = tensorType(op.getX()), w = tensorType(op.getW()),
                     type = op.getType();
    if (!x.hasStaticShape() || !w.hasStaticShape() || !type.hasStaticShape())
      return rewriter.notifyMatchFailure(op, "an extent is not known");
    if (type.getNumElements() == 0 || x.getNumElements() == 0 ||
        w.getNumElements() == 0)
      return rewriter.notifyMatchFailure(op, "it is empty");

    Location loc = op.getLoc();
    SmallVector<Operation *> nodes = unaryBehind(op);
    Value y = convOfPlanes(op, rewriter);
    IRMapping map;
    map.map(op.getResult(), y);
    for (Operation *node : nodes) {
      Operation *made = rewriter.clone(*node, map);
      made->getResult(0).setType(tensorType(y));
      y = made->getResult(0);
    }
    ArrayRef<int64_t> out = type.getShape();
    y = reshaped(rewriter, loc, y, {out[0], out[2], out[1], out[3], out[4]});
    y = exchanged(rewriter, loc, y);
    Operation *last = nodes.empty() ? op : nodes.back();
    rewriter.replaceOp(last, y);
    for (Operation *node : llvm::reverse(nodes))
      if (node != last)
        rewriter.eraseOp(node);
    if (op != last)
      rewriter.eraseOp(op);
    return rewritten();
  }

private:
  /// [N OD, Co, OH, OW].
  static Value convOfPlanes(ConvOp op, OpBuilder &b) {
    Location loc = op.getLoc();
    ArrayRef<int64_t> out = op.getType().getShape(), pads = op.getPads(),
                      w = tensorType(op.getW()).getShape();
    int64_t groups = op.getGroups(), taps = w[2];
    Value x = planesOf(op, b);
    ArrayRef<int64_t> in = tensorType(x).getShape();
    int64_t stride = op.getStrides()[0], dilation = op.getDilations()[0],
            last = (out[2] - 1) * stride;
    SmallVector<Value> parts;
    for (int64_t tap = 0; tap < taps; ++tap) {
      SmallVector<int64_t> starts(5, 0), ends(in), steps(5, 1);
      starts[1] = tap * dilation;
      ends[1] = starts[1] + last + 1;
      steps[1] = stride;
      Value part = SliceOp::create(b, loc, x, starts, ends, steps);
      parts.push_back(reshaped(
          b, loc, part, {in[0], out[2], groups, in[2] / groups, in[3], in[4]}));
    }
    // Planes beside each other: the channels of one group first by the tap.
    if (taps > 1)
      x = ConcatOp::create(b, loc, parts, 3);
    else
      x = parts[0];
    x = reshaped(b, loc, x, {in[0] * out[2], in[2] * taps, in[3], in[4]});
    Value weights = reshaped(b, loc, exchanged(b, loc, op.getW()),
                             {w[0], taps * w[1], w[3], w[4]});
    return ConvOp::create(b, loc, x, weights, op.getBias(),
                          op.getStrides().drop_front(),
                          op.getDilations().drop_front(),
                          ArrayRef<int64_t>{pads[1], pads[2], pads[4], pads[5]},
                          groups, Layout::Planar, IntegerAttr());
  }

  /// x [N, C, D, H, W] as [N, D, C, H, W] with the planes of its padding.
  static Value planesOf(ConvOp op, OpBuilder &b) {
    Value x = exchanged(b, op.getLoc(), op.getX());
    SmallVector<int64_t> low{0, op.getPads()[0], 0, 0, 0},
        high{0, op.getPads()[3], 0, 0, 0};
    if (low[1] == 0 && high[1] == 0)
      return x;
    return PadOp::create(b, op.getLoc(), x, Value(), low, high);
  }
};

class DecomposeVolumeConvPass
    : public impl::DecomposeVolumeConvBase<DecomposeVolumeConvPass> {
public:
  using DecomposeVolumeConvBase::DecomposeVolumeConvBase;

private:
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    populateDecomposeVolumeConvPatterns(patterns, &numDecomposed);
    if (failed(rewriteOnly<ConvOp>(*this, getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace

void populateDecomposeVolumeConvPatterns(RewritePatternSet &patterns,
                                         Pass::Statistic *count) {
  patterns.add<ToPlanes>(patterns.getContext(), count);
}

} // namespace graven
