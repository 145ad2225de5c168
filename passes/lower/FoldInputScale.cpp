//===- FoldInputScale.cpp - weights times the input's scale -----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements FoldInputScale, which multiplies the weights of a
// convolution instead of its input, where the factor is one for each channel
// and the weights are fewer.
//===----------------------------------------------------------------------===//

#include "dialects/kernel/Kernel.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "passes/graph/Explain.h"
#include "passes/lower/Passes.h"

namespace graven {
#define GEN_PASS_DEF_FOLDINPUTSCALE
#include "passes/lower/Passes.h.inc"
} // namespace graven

using namespace mlir;

namespace graven {
namespace {

/// A blocked tensor times one factor for each channel.
struct Scaled {
  Value x, scale;
  /// Of the factor, in the five axes of x.
  AffineMap map;
};

bool isProduct(Block &body) {
  auto product = dyn_cast<arith::MulFOp>(body.front());
  if (!product || &*std::next(body.begin()) != body.getTerminator() ||
      body.getTerminator()->getOperand(0) != product.getResult())
    return false;
  Value a = body.getArgument(0), b = body.getArgument(1);
  return (product.getLhs() == a && product.getRhs() == b) ||
         (product.getLhs() == b && product.getRhs() == a);
}

std::optional<Scaled> scaledOf(linalg::GenericOp op) {
  if (op.getNumDpsInputs() != 2 || op.getNumDpsInits() != 1 ||
      op.getNumParallelLoops() != op.getNumLoops() ||
      !isProduct(*op.getBlock()))
    return std::nullopt;
  SmallVector<AffineMap> maps = op.getIndexingMapsArray();
  if (!maps[2].isIdentity() || maps[2].getNumResults() != 5)
    return std::nullopt;
  for (unsigned side : {0u, 1u}) {
    AffineMap other = maps[1 - side];
    bool isPerChannel = llvm::none_of(other.getResults(), [](AffineExpr expr) {
      return expr.isFunctionOfDim(2) || expr.isFunctionOfDim(3);
    });
    if (maps[side].isIdentity() && isPerChannel)
      return Scaled{op.getInputs()[side], op.getInputs()[1 - side], other};
  }
  return std::nullopt;
}

/// conv(x s, w) ==> conv(x, w s)
struct FoldScale : OpRewritePattern<kernel::ConvOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(kernel::ConvOp op,
                                PatternRewriter &rewriter) const override {
    auto product = op.getX().getDefiningOp<linalg::GenericOp>();
    std::optional<Scaled> scaled;
    if (product)
      scaled = scaledOf(product);
    if (!scaled)
      return rewriter.notifyMatchFailure(
          op, "the input is not a product with one factor a channel");
    if (!product->hasOneUse())
      return rewriter.notifyMatchFailure(op, "the product has another user");
    auto x = cast<RankedTensorType>(op.getX().getType()),
         w = cast<RankedTensorType>(op.getW().getType());
    if (x.getDimSize(0) != 1)
      return rewriter.notifyMatchFailure(
          op, "several images, whose factors differ");
    if (op.getGroups() != 1 || op.isPaired() || w.getDimSize(4) != 16)
      return rewriter.notifyMatchFailure(op, "groups, or pairs of channels");
    if (x.getElementType() != w.getElementType() ||
        getElementTypeOrSelf(scaled->scale) != w.getElementType())
      return rewriter.notifyMatchFailure(op, "element types differ");
    // Weights come from memory, the input from a cache.
    if (4 * w.getNumElements() > x.getNumElements())
      return rewriter.notifyMatchFailure(
          op, "more weights than a quarter of the input's elements");

    // w[p, b, kh, kw, i, o] s[0, b, 0, 0, i]
    MLIRContext *context = op.getContext();
    AffineExpr zero = getAffineConstantExpr(0, context);
    SmallVector<AffineExpr> axes{zero, getAffineDimExpr(1, context), zero, zero,
                                 getAffineDimExpr(4, context)};
    AffineMap identity = AffineMap::getMultiDimIdentityMap(6, context);
    SmallVector<AffineMap> maps{
        identity, scaled->map.replaceDimsAndSymbols(axes, {}, 6, 0), identity};
    Location loc = product.getLoc();
    rewriter.setInsertionPoint(op);
    Value empty = tensor::EmptyOp::create(rewriter, loc, w.getShape(),
                                          w.getElementType());
    auto weights = linalg::GenericOp::create(
        rewriter, loc, w, ValueRange{op.getW(), scaled->scale}, empty, maps,
        SmallVector<utils::IteratorType>(6, utils::IteratorType::parallel),
        [](OpBuilder &b, Location at, ValueRange args) {
          Value value = arith::MulFOp::create(b, at, args[0], args[1]);
          linalg::YieldOp::create(b, at, value);
        });
    rewriter.modifyOpInPlace(op, [&] {
      op.getXMutable().assign(scaled->x);
      op.getWMutable().assign(weights.getResult(0));
    });
    rewriter.eraseOp(product);
    return success();
  }
};

/// Counts the products that are gone.
struct Counter : RewriterBase::Listener {
  void notifyOperationModified(Operation *op) override {
    folded += isa<kernel::ConvOp>(op);
  }
  int64_t folded = 0;
};

struct FoldInputScalePass : impl::FoldInputScaleBase<FoldInputScalePass> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    populateFoldInputScalePatterns(patterns);
    Counter counter;
    GreedyRewriteConfig config;
    config.setListener(&counter);
    applyPatternsExplained(*this, getOperation(), std::move(patterns), config);
    numFolded += counter.folded;
  }
};

} // namespace

void populateFoldInputScalePatterns(RewritePatternSet &patterns) {
  patterns.add<FoldScale>(patterns.getContext());
}

} // namespace graven
