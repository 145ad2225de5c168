//===- MergeContractions.cpp - products of weights --------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements MergeContractions, which multiplies the weights of
// linear Nodes that follow each other, where that spares multiplications.
//===----------------------------------------------------------------------===//

#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "passes/graph/ContractionWeights.h"
#include "passes/graph/Explain.h"
#include "passes/graph/Fingerprint.h"
#include "passes/graph/GraphUtils.h"
#include "passes/graph/Passes.h"

namespace graven {
#define GEN_PASS_DEF_MERGECONTRACTIONS
#include "passes/graph/Passes.h.inc"
} // namespace graven

using namespace mlir;

namespace graven {
namespace {

bool isAll(ArrayRef<int64_t> numbers, int64_t number) {
  return llvm::all_of(numbers, [&](int64_t other) { return other == number; });
}

/// conv(conv(x, v, a), w, b), w 1x1, is conv(x, w v, w a + b).
struct ConvOfConv : CountingPattern<ConvOp> {
  using CountingPattern::CountingPattern;

  LogicalResult matchAndRewrite(ConvOp op,
                                PatternRewriter &rewriter) const override {
    auto inner = op.getX().getDefiningOp<ConvOp>();
    if (!inner)
      return rewriter.notifyMatchFailure(op, "x is no convolution's result");
    if (!inner->hasOneUse())
      return rewriter.notifyMatchFailure(op, "x has a second user");
    RankedTensorType v = tensorType(inner.getW()), w = tensorType(op.getW());
    if (op.getGroups() != 1 || inner.getGroups() != 1)
      return rewriter.notifyMatchFailure(op, "there are groups");
    if (!isAll(w.getShape().drop_front(2), 1))
      return rewriter.notifyMatchFailure(op, "its windows are not 1x1");
    if (!isAll(op.getPads(), 0))
      return rewriter.notifyMatchFailure(op,
                                         "its pads are 0, not the inner bias");
    if (!op.getType().hasStaticShape() || !inner.getType().hasStaticShape())
      return rewriter.notifyMatchFailure(op, "an extent is not known");
    if (failed(checkConv(op, rewriter)) || failed(checkConv(inner, rewriter)))
      return failure();
    int64_t positions = op.getType().getNumElements() / w.getDimSize(0),
            before = inner.getType().getNumElements() / v.getDimSize(0) *
                         v.getNumElements() +
                     positions * w.getNumElements(),
            weights = w.getDimSize(0) * (v.getNumElements() / v.getDimSize(0));
    if (positions * weights > before)
      return rewriter.notifyMatchFailure(op, "multiplications become more");
    if (weights > v.getNumElements() + w.getNumElements())
      return rewriter.notifyMatchFailure(op, "weights become more");

    Location loc = rewriter.getFusedLoc({inner.getLoc(), op.getLoc()});
    int64_t channels = v.getDimSize(0), outputs = w.getDimSize(0);
    Value outer = reshaped(rewriter, loc, op.getW(), {outputs, channels});
    Value rows = reshaped(rewriter, loc, inner.getW(),
                          {channels, v.getNumElements() / channels});
    SmallVector<int64_t> shape(v.getShape());
    shape[0] = outputs;
    Value product = reshaped(
        rewriter, loc, MatmulOp::create(rewriter, loc, outer, rows).getResult(),
        shape);
    Value bias = op.getBias();
    if (Value shift = inner.getBias()) {
      shift = reshaped(rewriter, loc, shift, {channels, 1});
      shift =
          reshaped(rewriter, loc, MatmulOp::create(rewriter, loc, outer, shift),
                   {outputs});
      bias = bias ? AddOp::create(rewriter, loc, bias, shift) : shift;
    }
    SmallVector<int64_t> strides;
    for (auto [one, two] : llvm::zip_equal(inner.getStrides(), op.getStrides()))
      strides.push_back(one * two);
    rewriter.replaceOpWithNewOp<ConvOp>(op, op.getType(), inner.getX(), product,
                                        bias, strides, inner.getDilations(),
                                        inner.getPads(), /*groups=*/1,
                                        Layout::Planar, IntegerAttr());
    return rewritten();
  }
};

/// x v + a, with or without a bias a of one number a column.
struct Linear {
  MatmulOp product;
  Value bias;
};

std::optional<Linear> linearOf(Value value) {
  if (auto product = value.getDefiningOp<MatmulOp>())
    return Linear{product, {}};
  auto add = value.getDefiningOp<AddOp>();
  if (!add || !add->hasOneUse())
    return std::nullopt;
  for (auto [x, bias] :
       {std::pair(add.getA(), add.getB()), std::pair(add.getB(), add.getA())}) {
    auto product = x.getDefiningOp<MatmulOp>();
    if (product && product.getType() == add.getType() &&
        liesAlong(bias, add.getType(), add.getType().getRank() - 1))
      return Linear{product, bias};
  }
  return std::nullopt;
}

/// (x v + a) w is x (v w) + a w.
struct MatmulOfMatmul : CountingPattern<MatmulOp> {
  using CountingPattern::CountingPattern;

  LogicalResult matchAndRewrite(MatmulOp op,
                                PatternRewriter &rewriter) const override {
    std::optional<Linear> inner = linearOf(op.getA());
    if (!inner || op.getTransposeA())
      return rewriter.notifyMatchFailure(
          op, "a is no product, perhaps with a bias");
    MatmulOp product = inner->product;
    if (!product->hasOneUse())
      return rewriter.notifyMatchFailure(op, "a has a second user");
    if (failed(checkWeights(op, op.getB(), rewriter)) ||
        failed(checkWeights(product, product.getB(), rewriter)))
      return failure();
    RankedTensorType v = tensorType(product.getB()), w = tensorType(op.getB());
    if (!isAll(v.getShape().drop_back(2), 1) ||
        !isAll(w.getShape().drop_back(2), 1))
      return rewriter.notifyMatchFailure(op, "weights differ by batch");
    int64_t rank = w.getRank();
    int64_t inputs = v.getDimSize(rank - (product.getTransposeB() ? 1 : 2)),
            outputs = w.getDimSize(rank - (op.getTransposeB() ? 2 : 1));
    if (inputs * outputs > v.getNumElements() + w.getNumElements())
      return rewriter.notifyMatchFailure(op, "multiplications become more");

    Location loc = rewriter.getFusedLoc({product.getLoc(), op.getLoc()});
    Value weights =
        MatmulOp::create(rewriter, loc, product.getB(), op.getB(),
                         product.getTransposeB(), op.getTransposeB());
    Value result =
        MatmulOp::create(rewriter, loc, op.getType(), product.getA(), weights,
                         product.getTransposeA(), /*transpose_b=*/false);
    if (inner->bias) {
      // One number for all columns is one for each here.
      int64_t columns = v.getNumElements() / inputs;
      SmallVector<int64_t> row(rank, 1);
      row[rank - 1] = columns;
      Value bias = inner->bias;
      if (tensorType(bias).getNumElements() == 1 && columns > 1)
        bias = BroadcastOp::create(rewriter, loc,
                                   reshaped(rewriter, loc, bias, {1}), row,
                                   ArrayRef<int64_t>{rank - 1});
      bias = reshaped(rewriter, loc, bias, row);
      bias = MatmulOp::create(rewriter, loc, bias, op.getB(),
                              /*transpose_a=*/false, op.getTransposeB());
      result = AddOp::create(rewriter, loc, op.getType(), result, bias);
    }
    rewriter.replaceOp(op, result);
    return rewritten();
  }
};

/// (x + a) + b is x + (a + b), of Parameters.
struct SumOfParameters : CountingPattern<AddOp> {
  using CountingPattern::CountingPattern;

  LogicalResult matchAndRewrite(AddOp op,
                                PatternRewriter &rewriter) const override {
    std::optional<Linear> inner = linearOf(op.getA());
    if (!inner || !inner->bias)
      return rewriter.notifyMatchFailure(
          op, "a is no product with a bias for it alone");
    if (!inner->product->hasOneUse())
      return rewriter.notifyMatchFailure(op, "the product has a second user");
    if (op.getType() != op.getA().getType() ||
        !liesAlong(op.getB(), op.getType(), op.getType().getRank() - 1))
      return rewriter.notifyMatchFailure(op,
                                         "b is not one number for each column");
    if (!isa<FloatType>(op.getType().getElementType()))
      return rewriter.notifyMatchFailure(op, "is not of floats");
    Value bias = AddOp::create(rewriter, op.getLoc(), inner->bias, op.getB());
    rewriter.replaceOpWithNewOp<AddOp>(op, op.getType(), inner->product, bias);
    return rewritten();
  }
};

class MergeContractionsPass
    : public impl::MergeContractionsBase<MergeContractionsPass> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    populateMergeContractionsPatterns(patterns, &numMerged);
    applyPatternsExplained(*this, getOperation(), std::move(patterns), {},
                           getCachedParentAnalysis<SettledGraphs>());
  }
};

} // namespace

void populateMergeContractionsPatterns(RewritePatternSet &patterns,
                                       Pass::Statistic *count) {
  patterns.add<ConvOfConv, MatmulOfMatmul, SumOfParameters>(
      patterns.getContext(), count);
}

} // namespace graven
