//===- FuseConvBN.cpp - batch normalisation into weights --------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements FuseConvBN, which multiplies batch normalisations into
// the weights of the contraction before them. The arithmetic is ordinary Nodes
// on Parameters, so it runs once, at compile time.
//===----------------------------------------------------------------------===//

#include "dialects/graven/eval/Evaluator.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "passes/graph/Explain.h"
#include "passes/graph/Fingerprint.h"
#include "passes/graph/GraphUtils.h"
#include "passes/graph/Passes.h"
#include "llvm/ADT/SetVector.h"

namespace graven {
#define GEN_PASS_DEF_FUSECONVBN
#include "passes/graph/Passes.h.inc"
} // namespace graven

using namespace mlir;

namespace graven {
namespace {

/// A batch normalisation as y = x factor + shift, both [C] and of the
/// accumulator type.
struct Affine {
  Value factor, shift;
};

Affine affineOf(OpBuilder &b, BatchNormOp op) {
  Location loc = op.getLoc();
  Type type = accumulatorType(op.getType().getElementType());
  auto wide = [&](Value v) { return converted(b, loc, v, type); };
  // The epsilon is added in the type in which the variance is kept.
  Value epsilon =
      scalarConstant(b, loc, type, op.getEpsilon().convertToDouble(), 1);
  Value shifted = AddOp::create(b, loc, wide(op.getVariance()), epsilon);
  Value deviation = SqrtOp::create(b, loc, shifted);
  Value factor = DivOp::create(b, loc, wide(op.getScale()), deviation);
  Value moved = MulOp::create(b, loc, wide(op.getMean()), factor);
  Value shift = SubOp::create(b, loc, wide(op.getBias()), moved);
  return {factor, shift};
}

LogicalResult checkStatistics(BatchNormOp op, PatternRewriter &rewriter) {
  for (Value value : op->getOperands().drop_front())
    if (!isParameterValue(value))
      return rewriter.notifyMatchFailure(
          op, "the statistics are computed when the model runs");
  ArrayRef<int64_t> channels = tensorType(op.getMean()).getShape();
  if (channels.size() != 1 || ShapedType::isDynamic(channels[0]))
    return rewriter.notifyMatchFailure(op,
                                       "the number of channels is not known");
  return success();
}

/// w with its output channels multiplied; `shape` lays the factors along them.
Value scaled(OpBuilder &b, Location loc, Value w, Value factor,
             ArrayRef<int64_t> shape) {
  Type element = tensorType(w).getElementType(),
       wide = tensorType(factor).getElementType();
  Value product = MulOp::create(b, loc, converted(b, loc, w, wide),
                                reshaped(b, loc, factor, shape));
  return converted(b, loc, product, element);
}

/// bias factor + shift, in the element type of the model.
Value scaledBias(OpBuilder &b, Location loc, Value bias, const Affine &affine,
                 Type element) {
  Value result = affine.shift;
  if (bias) {
    Value wide = converted(b, loc, bias, accumulatorType(element));
    Value product = MulOp::create(b, loc, wide, affine.factor);
    result = AddOp::create(b, loc, product, affine.shift);
  }
  return converted(b, loc, result, element);
}

Value scaleConvWeights(OpBuilder &b, Location loc, ConvOp, Value w,
                       Value factor) {
  SmallVector<int64_t> shape(tensorType(w).getRank(), 1);
  shape[0] = tensorType(w).getDimSize(0);
  return scaled(b, loc, w, factor, shape);
}

/// The output channels of w [Ci, Co/g, K..] are its axis 1 within each group.
Value scaleConvWeights(OpBuilder &b, Location loc, ConvTransposeOp op, Value w,
                       Value factor) {
  int64_t groups = op.getGroups();
  SmallVector<int64_t> whole(tensorType(w).getShape()), split(whole);
  split[0] /= groups;
  split.insert(split.begin(), groups);
  SmallVector<int64_t> along(split.size(), 1);
  along[0] = groups;
  along[2] = split[2];
  Value product = scaled(b, loc, reshaped(b, loc, w, split), factor, along);
  return reshaped(b, loc, product, whole);
}

/// batch_norm(conv(x, w, b)) is conv(x, w', b').
template <class ConvTy> struct FuseIntoConv : CountingPattern<BatchNormOp> {
  using CountingPattern::CountingPattern;

  LogicalResult matchAndRewrite(BatchNormOp op,
                                PatternRewriter &rewriter) const override {
    auto conv = op.getX().getDefiningOp<ConvTy>();
    if (!conv)
      return rewriter.notifyMatchFailure(op, "no such convolution before it");
    if (!conv->hasOneUse())
      return rewriter.notifyMatchFailure(op,
                                         "the convolution has a second user");
    if (conv.getType() != op.getType())
      return rewriter.notifyMatchFailure(op, "the types differ");
    if (!isParameterValue(conv.getW()) ||
        (conv.getBias() && !isParameterValue(conv.getBias())))
      return rewriter.notifyMatchFailure(
          op, "the weights are computed when the model runs");
    if (failed(checkStatistics(op, rewriter)))
      return failure();
    Location loc = rewriter.getFusedLoc({conv.getLoc(), op.getLoc()});
    Affine affine = affineOf(rewriter, op);
    Value w = scaleConvWeights(rewriter, loc, conv, conv.getW(), affine.factor);
    Value bias = scaledBias(rewriter, loc, conv.getBias(), affine,
                            op.getType().getElementType());
    auto fused = cast<ConvTy>(rewriter.clone(*conv));
    rewriter.modifyOpInPlace(fused, [&] {
      fused.getWMutable().assign(w);
      fused.getBiasMutable().assign(bias);
      fused->setLoc(loc);
    });
    rewriter.replaceOp(op, fused.getResult());
    rewriter.eraseOp(conv);
    return rewritten();
  }
};

/// batch_norm(x w [+ b]) of rank 2 is x w' + b'.
struct FuseIntoMatmul : CountingPattern<BatchNormOp> {
  using CountingPattern::CountingPattern;

  LogicalResult matchAndRewrite(BatchNormOp op,
                                PatternRewriter &rewriter) const override {
    if (op.getType().getRank() != 2)
      return rewriter.notifyMatchFailure(
          op, "the channels are not the columns of a matrix");
    Value bias;
    auto matmul = op.getX().getDefiningOp<MatmulOp>();
    auto add = op.getX().getDefiningOp<AddOp>();
    if (add) {
      matmul = add.getA().getDefiningOp<MatmulOp>();
      bias = add.getB();
      if (!matmul) {
        matmul = add.getB().getDefiningOp<MatmulOp>();
        bias = add.getA();
      }
    }
    if (!matmul)
      return rewriter.notifyMatchFailure(op, "no matrix product before it");
    if (!matmul->hasOneUse() || !op.getX().hasOneUse())
      return rewriter.notifyMatchFailure(
          op, "the matrix product has a second user");
    if (matmul.getType() != op.getType())
      return rewriter.notifyMatchFailure(op, "the types differ");
    if (!isParameterValue(matmul.getB()) || (bias && !isParameterValue(bias)))
      return rewriter.notifyMatchFailure(
          op, "the weights are computed when the model runs");
    int64_t columns = op.getType().getDimSize(1);
    if (bias && (tensorType(bias).getRank() != 2 ||
                 tensorType(bias).getNumElements() != columns))
      return rewriter.notifyMatchFailure(op, "the bias is not one row");
    if (failed(checkStatistics(op, rewriter)))
      return failure();
    Location loc = rewriter.getFusedLoc({matmul.getLoc(), op.getLoc()});
    Affine affine = affineOf(rewriter, op);
    bool transposed = matmul.getTransposeB();
    Value w = scaled(rewriter, loc, matmul.getB(), affine.factor,
                     {transposed ? columns : 1, transposed ? 1 : columns});
    if (bias)
      bias = reshaped(rewriter, loc, bias, {columns});
    Value row = reshaped(
        rewriter, loc,
        scaledBias(rewriter, loc, bias, affine, op.getType().getElementType()),
        {1, columns});
    auto product = cast<MatmulOp>(rewriter.clone(*matmul));
    rewriter.modifyOpInPlace(product, [&] { product.getBMutable().assign(w); });
    rewriter.replaceOpWithNewOp<AddOp>(op, op.getType(), product, row);
    if (add)
      rewriter.eraseOp(add);
    rewriter.eraseOp(matmul);
    return rewritten();
  }
};

/// batch_norm(x) with constant statistics is x factor + shift.
struct ExpandBatchNorm : CountingPattern<BatchNormOp> {
  using CountingPattern::CountingPattern;

  LogicalResult matchAndRewrite(BatchNormOp op,
                                PatternRewriter &rewriter) const override {
    if (failed(checkStatistics(op, rewriter)))
      return failure();
    RankedTensorType type = op.getType();
    Type wide = accumulatorType(type.getElementType());
    SmallVector<int64_t> along(type.getRank(), 1);
    along[1] = tensorType(op.getMean()).getDimSize(0);
    Location loc = op.getLoc();
    Affine affine = affineOf(rewriter, op);
    auto wideType = RankedTensorType::get(type.getShape(), wide);
    Value product = MulOp::create(
        rewriter, loc, wideType, converted(rewriter, loc, op.getX(), wide),
        reshaped(rewriter, loc, affine.factor, along));
    Value sum = AddOp::create(rewriter, loc, wideType, product,
                              reshaped(rewriter, loc, affine.shift, along));
    rewriter.replaceOp(op,
                       converted(rewriter, loc, sum, type.getElementType()));
    return rewritten();
  }
};

/// conv(x, w) + b with one number a channel is conv(x, w, b).
struct FuseBias : CountingPattern<AddOp> {
  using CountingPattern::CountingPattern;

  LogicalResult matchAndRewrite(AddOp op,
                                PatternRewriter &rewriter) const override {
    Value sum = op.getA(), bias = op.getB();
    auto conv = sum.getDefiningOp<ConvOp>();
    if (!conv) {
      std::swap(sum, bias);
      conv = sum.getDefiningOp<ConvOp>();
    }
    if (!conv)
      return rewriter.notifyMatchFailure(op, "no convolution before it");
    if (!conv->hasOneUse())
      return rewriter.notifyMatchFailure(op,
                                         "the convolution has a second user");
    if (conv.getBias() || conv.getLayout() != Layout::Planar)
      return rewriter.notifyMatchFailure(
          op, "the convolution has a bias, or is blocked");
    RankedTensorType type = tensorType(bias);
    int64_t channels = tensorType(conv.getW()).getDimSize(0);
    bool perChannel = type.hasStaticShape() && type.getRank() > 1 &&
                      type.getDimSize(1) == channels &&
                      type.getNumElements() == channels;
    if (!perChannel || !isParameterValue(bias) ||
        conv.getType() != op.getType())
      return rewriter.notifyMatchFailure(
          op, "the other term is not a Parameter of one number a channel");
    Value row = reshaped(rewriter, op.getLoc(), bias, {channels});
    auto fused = cast<ConvOp>(rewriter.clone(*conv));
    rewriter.modifyOpInPlace(fused,
                             [&] { fused.getBiasMutable().assign(row); });
    rewriter.replaceOp(op, fused.getResult());
    rewriter.eraseOp(conv);
    return rewritten();
  }
};

/// Elements of a bias that is looked at.
constexpr int64_t kMostElements = 1 << 16;

/// The value of small Parameter arithmetic; nullopt where a Node of it is big,
/// in another Block, or cannot be evaluated now.
std::optional<eval::Tensor> valueOf(Value value) {
  constexpr size_t limit = 64;
  ScopedDiagnosticHandler quiet(value.getContext(),
                                [](Diagnostic &) { return success(); });
  eval::Evaluator evaluator;
  DenseMap<Value, eval::Tensor> known;
  // Operands first, as the walk finds them: the order of the Block would have
  // to be numbered anew after each rewrite.
  SmallVector<Value> pending{value};
  while (!pending.empty()) {
    Value next = pending.back();
    Operation *node = next.getDefiningOp();
    if (!node || node->getBlock() != value.getParentBlock() ||
        node->getNumResults() != 1 || node->getNumRegions() > 0 ||
        !isa<EvaluateInterface>(node) ||
        known.size() + pending.size() > limit ||
        !tensorType(next).hasStaticShape() ||
        tensorType(next).getNumElements() > kMostElements)
      return std::nullopt;
    size_t waiting = pending.size();
    for (Value operand : node->getOperands())
      if (!known.contains(operand))
        pending.push_back(operand);
    if (pending.size() > waiting)
      continue;
    pending.pop_back();
    if (known.contains(next))
      continue;
    SmallVector<eval::Tensor> operands;
    for (Value operand : node->getOperands())
      operands.push_back(known.at(operand));
    auto results = evaluator.runNode(node, operands);
    if (failed(results))
      return std::nullopt;
    known[next] = results->front();
  }
  return known.at(value);
}

/// A bias of zeros, as statistics that were never trained leave one, is none: a
/// convolution's sum starts from 0.
struct DropZeroBias : CountingPattern<ConvOp> {
  using CountingPattern::CountingPattern;

  LogicalResult matchAndRewrite(ConvOp op,
                                PatternRewriter &rewriter) const override {
    Value bias = op.getBias();
    if (!bias || !isParameterValue(bias))
      return rewriter.notifyMatchFailure(op, "the bias is no Parameter's");
    Operation *source = bias.getDefiningOp();
    if (source->getBlock() != op->getBlock())
      return rewriter.notifyMatchFailure(op, "the bias is computed elsewhere");
    std::optional<eval::Tensor> value = valueOf(bias);
    if (!value)
      return rewriter.notifyMatchFailure(op, "the bias is not known");
    for (int64_t i = 0; i < value->size(); ++i)
      if (value->getDouble(i) != 0)
        return rewriter.notifyMatchFailure(op, "the bias is not zero");
    rewriter.modifyOpInPlace(op, [&] { op.getBiasMutable().clear(); });
    return rewritten();
  }
};

class FuseConvBNPass : public impl::FuseConvBNBase<FuseConvBNPass> {
  using FuseConvBNBase::FuseConvBNBase;

  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    populateFuseConvBNPatterns(patterns, expand, &numFused);
    applyPatternsExplained(*this, getOperation(), std::move(patterns), {},
                           getCachedParentAnalysis<SettledGraphs>());
  }
};

} // namespace

void populateFuseConvBNPatterns(RewritePatternSet &patterns, bool expand,
                                Pass::Statistic *count) {
  MLIRContext *context = patterns.getContext();
  patterns
      .add<FuseIntoConv<ConvOp>, FuseIntoConv<ConvTransposeOp>, FuseIntoMatmul>(
          context, count, /*benefit=*/2);
  patterns.add<FuseBias, DropZeroBias>(context, count, /*benefit=*/1);
  if (expand)
    patterns.add<ExpandBatchNorm>(context, count, /*benefit=*/1);
}

} // namespace graven
