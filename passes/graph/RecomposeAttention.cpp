//===- RecomposeAttention.cpp - attention that is spelled out ---*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the patterns that find matmul, scale, mask, softmax and
// matmul in a row and build `graven.attention`, and simplify its operands.
//===----------------------------------------------------------------------===//

#include "passes/graph/RecomposeAttention.h"
#include "passes/graph/AttentionMask.h"
#include "passes/graph/Factors.h"
#include "passes/graph/GraphUtils.h"
#include <limits>

using namespace mlir;

namespace graven {
namespace {

/// The number of a constant, or of a Parameter of one element that is not
/// trained.
std::optional<double> numberOf(Value value) {
  if (auto splat = splatOf(value))
    return splat;
  while (auto reshape = value.getDefiningOp<ReshapeOp>())
    value = reshape.getX();
  RankedTensorType type = tensorType(value);
  if (!type.hasStaticShape() || type.getNumElements() != 1 ||
      !isa<FloatType>(type.getElementType()))
    return std::nullopt;
  auto elements = knownElements(value);
  return elements ? std::optional(elements->getDouble(0)) : std::nullopt;
}

/// x of x c or x / c, with the constant multiplied into `scale`. Through Values
/// with one user, else the product would be computed twice.
Value withoutScale(Value value, double &scale) {
  for (;;) {
    if (!soleUser(value))
      return value;
    if (auto mul = value.getDefiningOp<MulOp>()) {
      auto a = numberOf(mul.getA()), b = numberOf(mul.getB());
      if (!a && !b)
        return value;
      scale *= a ? *a : *b;
      value = a ? mul.getB() : mul.getA();
      continue;
    }
    auto div = value.getDefiningOp<DivOp>();
    auto by = div ? numberOf(div.getB()) : std::nullopt;
    if (!by || *by == 0)
      return value;
    scale /= *by;
    value = div.getA();
  }
}

/// The parts of softmax(scale q k^T + mask) v, the scores perhaps capped.
struct Parts {
  Value q, k, v;
  double scale = 1, softcap = 0;
  SmallVector<SpelledMask> masks;
  EmptyRow emptyRow = EmptyRow::NaN;
  /// Whether k is [.., E, L] and must be transposed.
  bool transposeK = false;
};

/// x of c tanh(x), c > 0: a cap on scores c x.
Value withoutCap(Value value, double &cap) {
  double factor = 1;
  auto tanh = withoutScale(value, factor).getDefiningOp<TanhOp>();
  if (!tanh || !soleUser(tanh) || !(factor > 0))
    return value;
  cap = factor;
  return tanh.getX();
}

/// Masks on top of each other that are looked through.
constexpr unsigned kMostMasks = 4;

/// Whether `value` is a product of two matrices, perhaps scaled and masked.
bool isScores(Value value) {
  SmallVector<Value> pending{value};
  for (unsigned i = 0; i < 2 * kMostMasks && !pending.empty(); ++i) {
    double scale = 1;
    Value rest = withoutCap(pending.pop_back_val(), scale);
    Operation *op = withoutScale(rest, scale).getDefiningOp();
    if (isa_and_present<MatmulOp>(op))
      return true;
    if (auto select = dyn_cast_if_present<SelectOp>(op))
      pending.push_back(select.getA());
    else if (isa_and_present<AddOp>(op))
      llvm::append_range(pending, op->getOperands());
  }
  return false;
}

/// Takes the masks off the scores; fails with a reason where one is of a kind
/// that attention has not.
LogicalResult takeMasks(MatmulOp root, Value &scores, Parts &parts,
                        PatternRewriter &rewriter) {
  ArrayRef<int64_t> shape = tensorType(scores).getShape();
  for (unsigned i = 0; i < kMostMasks; ++i) {
    Value rest;
    SpelledMask mask;
    if (auto add = scores.getDefiningOp<AddOp>()) {
      rest = add.getA();
      mask.value = add.getB();
      if (tensorType(rest).getShape() != shape || !isScores(rest))
        std::swap(rest, mask.value);
    } else if (auto select = scores.getDefiningOp<SelectOp>()) {
      mask.fill = splatOf(select.getB());
      if (!mask.fill || !(*mask.fill <= kClosing))
        return rewriter.notifyMatchFailure(
            root, "the scores are replaced by something else than -inf");
      rest = select.getA();
      mask.value = select.getCond();
    } else {
      return success();
    }
    if (!soleUser(scores))
      return rewriter.notifyMatchFailure(root, "the scores have a second user");
    if (tensorType(rest).getShape() != shape ||
        !broadcastsTo(tensorType(mask.value).getShape(), shape))
      return rewriter.notifyMatchFailure(root,
                                         "the mask is larger than the scores");
    scores = rest;
    parts.masks.push_back(mask);
  }
  return success();
}

/// The softmax of `value`, or of select(isnan(softmax), 0, softmax), as which
/// exporters write a row without keys that is to give 0.
SoftmaxOp takeSoftmax(Value value, EmptyRow &emptyRow) {
  auto select = value.getDefiningOp<SelectOp>();
  if (!select)
    return value.getDefiningOp<SoftmaxOp>();
  auto isNaN = select.getCond().getDefiningOp<CompareOp>();
  auto zero = splatOf(select.getA());
  if (!isNaN || isNaN.getPredicate() != ComparePredicate::Ne ||
      isNaN.getA() != select.getB() || isNaN.getB() != select.getB() ||
      !soleUser(select) || !isNaN->hasOneUse() || !zero || *zero != 0)
    return {};
  auto softmax = select.getB().getDefiningOp<SoftmaxOp>();
  // The softmax is read by the comparison and the selection.
  if (!softmax || !llvm::all_of(softmax->getUsers(), [&](Operation *user) {
        return user == isNaN || user == select;
      }))
    return {};
  emptyRow = EmptyRow::Zero;
  return softmax;
}

struct ToAttention : CountingPattern<MatmulOp> {
  using CountingPattern::CountingPattern;

  LogicalResult matchAndRewrite(MatmulOp op,
                                PatternRewriter &rewriter) const override {
    Parts parts;
    SoftmaxOp softmax = takeSoftmax(op.getA(), parts.emptyRow);
    if (!softmax)
      return rewriter.notifyMatchFailure(op, "a is not a softmax");
    RankedTensorType type = op.getType();
    int64_t rank = type.getRank();
    Type element = type.getElementType();
    if ((rank != 3 && rank != 4) || !type.hasStaticShape() ||
        (!element.isF32() && !element.isF64()))
      return rewriter.notifyMatchFailure(
          op, "is not of rank 3 or 4, static, f32 or f64");
    if (op.getTransposeA() || op.getTransposeB() ||
        static_cast<int64_t>(softmax.getAxis()) != rank - 1)
      return rewriter.notifyMatchFailure(
          op, "the softmax is not over the contracted axis");
    if (!soleUser(op.getA()))
      return rewriter.notifyMatchFailure(op, "the weights have a second user");
    parts.v = op.getB();
    Value scores = softmax.getX();
    if (failed(takeMasks(op, scores, parts, rewriter)))
      return failure();
    if (!soleUser(scores))
      return rewriter.notifyMatchFailure(op, "the scores have a second user");
    if (failed(takeProduct(op, scores, parts, rewriter)))
      return failure();
    build(op, parts, rewriter);
    return rewritten();
  }

  static LogicalResult takeProduct(MatmulOp op, Value scores, Parts &parts,
                                   PatternRewriter &rewriter) {
    scores = withoutCap(scores, parts.softcap);
    if (parts.softcap > 0)
      parts.scale = parts.softcap;
    auto product = withoutScale(scores, parts.scale).getDefiningOp<MatmulOp>();
    if (!product)
      return rewriter.notifyMatchFailure(op, "the scores are no product");
    if (!soleUser(product) || product.getTransposeA())
      return rewriter.notifyMatchFailure(
          op, "the scores have a second user, or q is transposed");
    parts.q = withoutScale(product.getA(), parts.scale);
    parts.k = withoutScale(product.getB(), parts.scale);
    parts.transposeK = !product.getTransposeB();
    for (Value value : {parts.q, parts.k, parts.v})
      if (tensorType(value).getShape().drop_back(2) !=
          op.getType().getShape().drop_back(2))
        return rewriter.notifyMatchFailure(op, "the batches differ");
    Type element = op.getType().getElementType();
    for (const SpelledMask &mask : parts.masks) {
      Type type = tensorType(mask.value).getElementType();
      if (!type.isInteger(1) && type != element)
        return rewriter.notifyMatchFailure(op, "the mask has another type");
    }
    return success();
  }

  static void build(MatmulOp op, Parts &parts, PatternRewriter &rewriter) {
    Location loc =
        rewriter.getFusedLoc({parts.q.getLoc(), parts.k.getLoc(), op.getLoc()});
    int64_t rank = op.getType().getRank();
    if (parts.transposeK) {
      auto swap = llvm::to_vector(llvm::seq<int64_t>(0, rank));
      std::swap(swap[rank - 1], swap[rank - 2]);
      parts.k = TransposeOp::create(rewriter, loc, parts.k, swap);
    }
    // Rank 3 is one head.
    auto as4d = [&](Value value) -> Value {
      if (!value || rank == 4)
        return value;
      SmallVector<int64_t> shape(tensorType(value).getShape());
      shape.insert(shape.begin() + 1, 1);
      return reshaped(rewriter, loc, value, shape);
    };
    SmallVector<int64_t> shape(op.getType().getShape());
    if (rank == 3)
      shape.insert(shape.begin() + 1, 1);
    auto type = RankedTensorType::get(shape, op.getType().getElementType());
    SmallVector<int64_t> scores(op.getType().getShape());
    scores.back() = tensorType(parts.v).getDimSize(rank - 2);
    MaskConditions conditions = conditionsOf(parts.masks, scores);
    Value mask = joinMasks(rewriter, loc, conditions, rank,
                           op.getType().getElementType());
    Value made = AttentionOp::create(
        rewriter, loc, type, as4d(parts.q), as4d(parts.k), as4d(parts.v),
        as4d(mask), rewriter.getF64FloatAttr(parts.scale),
        conditions.causal ? rewriter.getUnitAttr() : UnitAttr(),
        rewriter.getF64FloatAttr(parts.softcap),
        EmptyRowAttr::get(rewriter.getContext(), parts.emptyRow));
    rewriter.replaceOp(op,
                       reshaped(rewriter, loc, made, op.getType().getShape()));
  }
};

/// The mask of an attention that a model has as one op.
struct SimplifyMask : CountingPattern<AttentionOp> {
  using CountingPattern::CountingPattern;

  LogicalResult matchAndRewrite(AttentionOp op,
                                PatternRewriter &rewriter) const override {
    Value mask = op.getMask();
    if (!mask || !op.getType().hasStaticShape() ||
        !tensorType(op.getK()).hasStaticShape())
      return rewriter.notifyMatchFailure(op, "has no mask, or no extents");
    SmallVector<int64_t> scores(op.getType().getShape());
    scores.back() = tensorType(op.getK()).getDimSize(2);
    MaskConditions conditions = conditionsOf(SpelledMask{mask, {}}, scores);
    // Bools with a finite fill become a selection of numbers, as this one is;
    // several conditions are joined as they are now.
    Value plain = withoutLeadingOnes(mask);
    auto select = plain.getDefiningOp<SelectOp>();
    bool same =
        !conditions.causal && conditions.rest.size() == 1 &&
        (conditions.rest[0].value == plain ||
         (select && select.getCond() == conditions.rest[0].value &&
          splatOf(select.getB()) != -std::numeric_limits<double>::infinity()));
    bool rejoined = !conditions.causal && conditions.rest.size() > 1;
    if (same || rejoined)
      return rewriter.notifyMatchFailure(op, "the mask is as simple as can be");
    Value joined = joinMasks(rewriter, op.getLoc(), conditions, 4,
                             op.getType().getElementType());
    rewriter.modifyOpInPlace(op, [&] {
      op.getMaskMutable().clear();
      if (joined)
        op.getMaskMutable().append(joined);
      if (conditions.causal)
        op.setCausal(true);
    });
    return rewritten();
  }
};

/// x of keys or values [B, H, L, E] that are each head of x, [B, Hk, L, E], H /
/// Hk times: as models write it whose heads share keys. `extents` are those of
/// x.
Value withoutRepeats(Value value, SmallVectorImpl<int64_t> &extents) {
  auto joined = value.getDefiningOp<ReshapeOp>();
  auto repeated =
      joined ? joined.getX().getDefiningOp<BroadcastOp>() : BroadcastOp();
  if (!repeated || !repeated.getType().hasStaticShape() ||
      !tensorType(repeated.getX()).hasStaticShape())
    return {};
  ArrayRef<int64_t> out = tensorType(value).getShape(),
                    wide = repeated.getType().getShape(),
                    from = tensorType(repeated.getX()).getShape();
  if (wide.size() != 5 || out.size() != 4 || wide[0] != out[0] ||
      wide[1] * wide[2] != out[1] || wide.take_back(2) != out.take_back(2))
    return {};
  extents.assign({wide[0], wide[1], wide[3], wide[4]});
  // Axis 2 alone is new.
  int64_t elements = 1;
  for (auto [i, axis] : llvm::enumerate(repeated.getAxes())) {
    elements *= from[i];
    if (from[i] != (axis == 2 ? 1 : wide[axis]))
      return {};
  }
  return elements * wide[2] == repeated.getType().getNumElements()
             ? repeated.getX()
             : Value();
}

/// Attention has each head of the keys once where heads share them.
struct ShareKeyHeads : CountingPattern<AttentionOp> {
  using CountingPattern::CountingPattern;

  LogicalResult matchAndRewrite(AttentionOp op,
                                PatternRewriter &rewriter) const override {
    SmallVector<int64_t> keys, values;
    Value k = withoutRepeats(op.getK(), keys),
          v = withoutRepeats(op.getV(), values);
    if (!k || !v || keys[1] != values[1])
      return rewriter.notifyMatchFailure(op, "the keys are not repeated");
    k = reshaped(rewriter, op.getLoc(), k, keys);
    v = reshaped(rewriter, op.getLoc(), v, values);
    rewriter.modifyOpInPlace(op, [&] {
      op.getKMutable().assign(k);
      op.getVMutable().assign(v);
    });
    return rewritten();
  }
};

} // namespace

void populateRecomposeAttentionPatterns(RewritePatternSet &patterns,
                                        Pass::Statistic *count) {
  patterns.add<ToAttention, SimplifyMask, ShareKeyHeads>(patterns.getContext(),
                                                         count);
}

} // namespace graven
