//===- RecomposeOps.cpp - formulas that exporters spell out -----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements RecomposeOps, which finds activations and normalisations
// that exporters have taken apart and builds the op that has a kernel.
//===----------------------------------------------------------------------===//

#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "passes/graph/Explain.h"
#include "passes/graph/Factors.h"
#include "passes/graph/Fingerprint.h"
#include "passes/graph/GraphUtils.h"
#include "passes/graph/Passes.h"
#include "passes/graph/RecomposeAttention.h"
#include "passes/graph/RecomposeGroupNorm.h"
#include <cmath>
#include <numbers>

namespace graven {
#define GEN_PASS_DEF_RECOMPOSEOPS
#include "passes/graph/Passes.h.inc"
} // namespace graven

using namespace mlir;

namespace graven {
namespace {

//===----------------------------------------------------------------------===//
// Activations
//===----------------------------------------------------------------------===//

/// erf(x / sqrt 2) + 1 gives x.
Value halfErfArgument(Value value) {
  auto sum = sumWithConstant(value);
  auto erf = sum ? sum->x.getDefiningOp<ErfOp>() : ErfOp();
  if (!erf || sum->number != 1)
    return {};
  Product inner = productOf(erf.getX());
  return inner.values.size() == 1 && inner.isTimes(1 / std::numbers::sqrt2)
             ? inner.values[0]
             : Value();
}

/// tanh(sqrt(2/pi) (x + 0.044715 x^3)) + 1 gives x; so does the same with x
/// taken out of the sum.
Value tanhFormArgument(Value value) {
  const double outer = std::sqrt(2 / std::numbers::pi);
  constexpr double cubic = 0.044715;
  auto sum = sumWithConstant(value);
  auto tanh = sum ? sum->x.getDefiningOp<TanhOp>() : TanhOp();
  if (!tanh || sum->number != 1)
    return {};
  Product inner = productOf(tanh.getX());
  if (!inner.isTimes(outer))
    return {};
  if (inner.values.size() == 1) {
    auto add = inner.values[0].getDefiningOp<AddOp>();
    if (!add)
      return {};
    for (auto [x, rest] : {std::pair(add.getA(), add.getB()),
                           std::pair(add.getB(), add.getA())}) {
      Product cube = productOf(rest);
      if (cube.isTimes(cubic) && cube.values.size() == 3 &&
          llvm::all_equal(cube.values) && cube.values[0] == x)
        return x;
    }
    return {};
  }
  if (inner.values.size() != 2)
    return {};
  for (auto [x, rest] : {std::pair(inner.values[0], inner.values[1]),
                         std::pair(inner.values[1], inner.values[0])}) {
    auto one = sumWithConstant(rest);
    if (!one || one->number != 1)
      continue;
    Product square = productOf(one->x);
    if (square.isTimes(cubic) && square.values.size() == 2 &&
        square.values[0] == x && square.values[1] == x)
      return x;
  }
  return {};
}

/// min(max(x + 3, 0), 6) gives x.
Value relu6Argument(Value value) {
  auto clamp = value.getDefiningOp<ClampOp>();
  if (!clamp || !clamp.getLo() || !clamp.getHi() ||
      splatOf(clamp.getLo()) != 0.0 || splatOf(clamp.getHi()) != 6.0)
    return {};
  auto sum = sumWithConstant(clamp.getX());
  return sum && sum->number == 3 ? sum->x : Value();
}

bool isDefaultHardSigmoidOf(Value value, Value x) {
  auto op = value.getDefiningOp<HardSigmoidOp>();
  return op && op.getX() == x &&
         nearlyEqual(op.getAlpha().convertToDouble(), 1.0 / 6) &&
         op.getBeta().convertToDouble() == 0.5;
}

/// Products that are an activation of one of their factors.
template <class RootTy> struct ActivationProduct : CountingPattern<RootTy> {
  using CountingPattern<RootTy>::CountingPattern;

  LogicalResult matchAndRewrite(RootTy op,
                                PatternRewriter &rewriter) const override {
    if (!isa<FloatType>(op.getType().getElementType()))
      return rewriter.notifyMatchFailure(op, "is not of floats");
    Product product = productOf(op.getResult());
    if (product.values.size() != 2)
      return rewriter.notifyMatchFailure(
          op, "is no product of a value and a function of it");
    for (auto [x, f] : {std::pair(product.values[0], product.values[1]),
                        std::pair(product.values[1], product.values[0])}) {
      if (x.getType() != op.getType())
        continue;
      if (Value made = build(rewriter, op.getLoc(), product, x, f)) {
        rewriter.replaceOp(op, made);
        return this->rewritten();
      }
    }
    return rewriter.notifyMatchFailure(op, "is no activation");
  }

  static Value build(PatternRewriter &rewriter, Location loc,
                     const Product &product, Value x, Value f) {
    if (product.isTimes(0.5) && halfErfArgument(f) == x)
      return GeluOp::create(rewriter, loc, x, GeluForm::Exact);
    if (product.isTimes(0.5) && tanhFormArgument(f) == x)
      return GeluOp::create(rewriter, loc, x, GeluForm::Tanh);
    auto sigmoid = f.getDefiningOp<SigmoidOp>();
    if (product.isTimes(1) && sigmoid && sigmoid.getX() == x)
      return SiluOp::create(rewriter, loc, x);
    if ((product.isTimes(1.0 / 6) && relu6Argument(f) == x) ||
        (product.isTimes(1) && isDefaultHardSigmoidOf(f, x)))
      return HardSwishOp::create(rewriter, loc, x);
    return {};
  }
};

//===----------------------------------------------------------------------===//
// Normalisations
//===----------------------------------------------------------------------===//

/// The mean over the last axes, kept, from `axis` on.
struct TrailingMean {
  Value x;
  int64_t axis;
};

std::optional<TrailingMean> trailingMean(Value value) {
  auto reduce = value.getDefiningOp<ReduceOp>();
  if (!reduce || reduce.getKind() != ReduceKind::Mean || !reduce.getKeep() ||
      reduce.getAxes().empty())
    return std::nullopt;
  int64_t rank = tensorType(reduce.getX()).getRank(),
          count = reduce.getAxes().size();
  for (auto [i, axis] : llvm::enumerate(reduce.getAxes()))
    if (axis != rank - count + static_cast<int64_t>(i))
      return std::nullopt;
  return TrailingMean{reduce.getX(), rank - count};
}

/// sqrt(mean(x^2) + epsilon).
struct RootMeanSquare {
  Value x;
  int64_t axis;
  double epsilon;
};

/// The value that this is the square of.
Value squareRootOf(Value value) {
  // As it stands first: a squared product has more factors than two.
  if (auto mul = value.getDefiningOp<MulOp>(); mul && mul.getA() == mul.getB())
    return mul.getA();
  Product square = productOf(value);
  // The square has one user, the mean, but the squared value may have many.
  bool isSquare = square.isTimes(1) && square.values.size() == 2 &&
                  square.values[0] == square.values[1];
  return isSquare ? square.values[0] : Value();
}

std::optional<RootMeanSquare> meanSquareUnder(Value argument) {
  auto sum = sumWithConstant(argument);
  auto mean = sum ? trailingMean(sum->x) : std::nullopt;
  Value root = mean ? squareRootOf(mean->x) : Value();
  if (!root)
    return std::nullopt;
  return RootMeanSquare{root, mean->axis, sum->number};
}

/// d / sqrt(mean(d^2) + epsilon): a layer norm if d = x - mean(x), else an RMS
/// norm.
template <class RootTy> struct Normalisation : CountingPattern<RootTy> {
  using CountingPattern<RootTy>::CountingPattern;

  LogicalResult matchAndRewrite(RootTy op,
                                PatternRewriter &rewriter) const override {
    if (!isa<FloatType>(op.getType().getElementType()))
      return rewriter.notifyMatchFailure(op, "is not of floats");
    auto normed = divided(op);
    if (!normed)
      return rewriter.notifyMatchFailure(
          op, "is no value divided by the root of its mean square");
    if (!(normed->epsilon >= 0))
      return rewriter.notifyMatchFailure(op, "has an epsilon below 0");
    Value d = normed->x;
    FloatAttr epsilon = rewriter.getF64FloatAttr(normed->epsilon);
    IntegerAttr axis = rewriter.getI64IntegerAttr(normed->axis);
    auto sub = d.getDefiningOp<SubOp>();
    auto mean = sub ? trailingMean(sub.getB()) : std::nullopt;
    if (mean && mean->x == sub.getA() && mean->axis == normed->axis)
      rewriter.replaceOpWithNewOp<LayerNormOp>(op, op.getType(), sub.getA(),
                                               Value(), Value(), axis, epsilon);
    else
      rewriter.replaceOpWithNewOp<RmsNormOp>(op, op.getType(), d, Value(), axis,
                                             epsilon);
    return this->rewritten();
  }

  static std::optional<RootMeanSquare> divided(DivOp op) {
    auto sqrt = op.getB().template getDefiningOp<SqrtOp>();
    auto under = sqrt ? meanSquareUnder(sqrt.getX()) : std::nullopt;
    return under && under->x == op.getA() ? under : std::nullopt;
  }

  static std::optional<RootMeanSquare> divided(MulOp op) {
    for (auto [d, root] :
         {std::pair(op.getA(), op.getB()), std::pair(op.getB(), op.getA())}) {
      auto rsqrt = root.template getDefiningOp<RsqrtOp>();
      auto under = rsqrt ? meanSquareUnder(rsqrt.getX()) : std::nullopt;
      if (auto inverse = root.template getDefiningOp<DivOp>();
          inverse && splatOf(inverse.getA()) == 1.0)
        if (auto sqrt = inverse.getB().template getDefiningOp<SqrtOp>())
          under = meanSquareUnder(sqrt.getX());
      if (under && under->x == d)
        return under;
    }
    return std::nullopt;
  }
};

/// The norm and the weights of norm(x) op weights, the weights having exactly
/// the normalised extents.
template <class NormTy, class OpTy>
std::pair<NormTy, Value> normAndWeights(OpTy op) {
  for (auto [value, weights] :
       {std::pair(op.getA(), op.getB()), std::pair(op.getB(), op.getA())}) {
    auto norm = value.template getDefiningOp<NormTy>();
    if (!norm || !norm->hasOneUse() || norm.getType() != op.getType() ||
        !isParameterValue(weights))
      continue;
    RankedTensorType type = tensorType(weights), full = norm.getType();
    auto axis = static_cast<int64_t>(norm.getAxis());
    if (!type.hasStaticShape() || type.getRank() != full.getRank())
      continue;
    bool fits =
        llvm::all_of(llvm::seq<int64_t>(0, type.getRank()), [&](int64_t i) {
          return type.getDimSize(i) == (i < axis ? 1 : full.getDimSize(i));
        });
    if (fits)
      return {norm, weights};
  }
  return {};
}

template <class NormTy, class OpTy>
LogicalResult absorb(OpTy op, PatternRewriter &rewriter,
                     llvm::function_ref<bool(NormTy)> isFree,
                     llvm::function_ref<void(NormTy, Value)> give) {
  auto [norm, weights] = normAndWeights<NormTy>(op);
  if (!norm || !isFree(norm))
    return rewriter.notifyMatchFailure(
        op, "no norm with one user and room for these weights");
  auto shape = tensorType(weights).getShape().drop_front(norm.getAxis());
  Value flat = reshaped(rewriter, op.getLoc(), weights, shape);
  // The weights may be computed behind the norm.
  auto made = cast<NormTy>(rewriter.clone(*norm));
  rewriter.modifyOpInPlace(made, [&] { give(made, flat); });
  rewriter.replaceOp(op, made.getResult());
  rewriter.eraseOp(norm);
  return success();
}

template <class NormTy> struct AbsorbScale : CountingPattern<MulOp> {
  using CountingPattern::CountingPattern;
  LogicalResult matchAndRewrite(MulOp op,
                                PatternRewriter &rewriter) const override {
    auto isFree = [](NormTy norm) {
      if constexpr (std::is_same_v<NormTy, LayerNormOp>)
        return !norm.getScale() && !norm.getBias();
      else
        return !norm.getScale();
    };
    if (failed(absorb<NormTy>(op, rewriter, isFree, [](NormTy norm, Value v) {
          norm.getScaleMutable().assign(v);
        })))
      return failure();
    return rewritten();
  }
};

struct AbsorbBias : CountingPattern<AddOp> {
  using CountingPattern::CountingPattern;
  LogicalResult matchAndRewrite(AddOp op,
                                PatternRewriter &rewriter) const override {
    auto isFree = [](LayerNormOp norm) { return !norm.getBias(); };
    auto give = [](LayerNormOp norm, Value v) {
      norm.getBiasMutable().assign(v);
    };
    if (failed(absorb<LayerNormOp>(op, rewriter, isFree, give)))
      return failure();
    return rewritten();
  }
};

class RecomposeOpsPass : public impl::RecomposeOpsBase<RecomposeOpsPass> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    populateRecomposeOpsPatterns(patterns, &numRecomposed);
    // Attention transposes keys that are transposed already.
    TransposeOp::getCanonicalizationPatterns(patterns, &getContext());
    applyPatternsExplained(*this, getOperation(), std::move(patterns), {},
                           getCachedParentAnalysis<SettledGraphs>());
  }
};

} // namespace

void populateRecomposeOpsPatterns(RewritePatternSet &patterns,
                                  Pass::Statistic *count) {
  MLIRContext *context = patterns.getContext();
  patterns.add<ActivationProduct<MulOp>, ActivationProduct<DivOp>,
               Normalisation<MulOp>, Normalisation<DivOp>,
               AbsorbScale<LayerNormOp>, AbsorbScale<RmsNormOp>, AbsorbBias>(
      context, count);
  populateRecomposeAttentionPatterns(patterns, count);
  populateRecomposeGroupNormPatterns(patterns, count);
}

} // namespace graven
