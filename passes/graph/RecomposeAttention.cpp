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

/// Whether one Node reads `value`, not counting the one that looks for rows
/// without keys.
bool hasOneReader(Value value, const Operation *check) {
  Operation *reader = nullptr;
  for (Operation *user : value.getUsers()) {
    if (user == check)
      continue;
    if (reader && user != reader)
      return false;
    reader = user;
  }
  return reader;
}

/// The parts of softmax(scale q k^T + mask) v, the scores perhaps capped.
struct Parts {
  Value q, k, v;
  double scale = 1, softcap = 0;
  SmallVector<SpelledMask> masks;
  /// Numbers, one a head or a batch, that multiply the scores.
  SmallVector<Value> headScales;
  RowSoftmax rows;
  /// Whether k is [.., E, L] and must be transposed.
  bool transposeK = false;

  bool hasOneReader(Value value) const {
    return graven::hasOneReader(value, rows.check);
  }
};

/// x of x c or x / c, with the constant multiplied into `scale`. Through Values
/// with one user, else the product would be computed twice.
Value withoutScale(Value value, double &scale, const Operation *check) {
  for (;;) {
    if (!hasOneReader(value, check))
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

/// x of x s, where s has one number for the rows and columns of each matrix.
Value withoutHeadScale(Value value, Value &headScale, const Operation *check) {
  auto mul = value.getDefiningOp<MulOp>();
  if (!mul || !hasOneReader(value, check))
    return value;
  for (auto [x, s] :
       {std::pair(mul.getA(), mul.getB()), std::pair(mul.getB(), mul.getA())}) {
    ArrayRef<int64_t> shape = tensorType(s).getShape();
    if (shape.size() < 2 || shape.take_back(2) != ArrayRef<int64_t>{1, 1} ||
        x.getType() != value.getType())
      continue;
    headScale = s;
    return x;
  }
  return value;
}

/// x of scale x, with all factors of both kinds taken.
Value withoutScales(Value value, Parts &parts) {
  for (;;) {
    Value headScale, rest = withoutScale(value, parts.scale, parts.rows.check);
    rest = withoutHeadScale(rest, headScale, parts.rows.check);
    if (headScale)
      parts.headScales.push_back(headScale);
    if (rest == value)
      return value;
    value = rest;
  }
}

/// x of c tanh(x), c > 0: a cap on scores c x.
Value withoutCap(Value value, double &cap, const Operation *check) {
  double factor = 1;
  auto tanh = withoutScale(value, factor, check).getDefiningOp<TanhOp>();
  if (!tanh || !hasOneReader(tanh, check) || !(factor > 0))
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
    Parts ignored;
    Value rest = withoutCap(pending.pop_back_val(), ignored.scale, nullptr);
    Operation *op = withoutScales(rest, ignored).getDefiningOp();
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
      mask.fill = numberOf(select.getB());
      if (!mask.fill || !(*mask.fill <= kClosing))
        return rewriter.notifyMatchFailure(
            root, "the scores are replaced by something else than -inf");
      rest = select.getA();
      mask.value = select.getCond();
    } else {
      return success();
    }
    if (!parts.hasOneReader(scores))
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

struct ToAttention : CountingPattern<MatmulOp> {
  using CountingPattern::CountingPattern;

  LogicalResult matchAndRewrite(MatmulOp op,
                                PatternRewriter &rewriter) const override {
    Parts parts;
    parts.rows = rowSoftmaxOf(op.getA());
    SoftmaxOp softmax = parts.rows.softmax;
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
    if (!parts.hasOneReader(scores))
      return rewriter.notifyMatchFailure(op, "the scores have a second user");
    if (failed(takeProduct(op, scores, parts, rewriter)))
      return failure();
    build(op, parts, rewriter);
    return rewritten();
  }

  static LogicalResult takeProduct(MatmulOp op, Value scores, Parts &parts,
                                   PatternRewriter &rewriter) {
    scores = withoutCap(scores, parts.softcap, parts.rows.check);
    if (parts.softcap > 0)
      parts.scale = parts.softcap;
    auto product = withoutScales(scores, parts).getDefiningOp<MatmulOp>();
    if (!product)
      return rewriter.notifyMatchFailure(op, "the scores are no product");
    if (!parts.hasOneReader(product) || product.getTransposeA())
      return rewriter.notifyMatchFailure(
          op, "the scores have a second user, or q is transposed");
    parts.q = withoutScale(product.getA(), parts.scale, nullptr);
    parts.k = withoutScale(product.getB(), parts.scale, nullptr);
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
    // There are fewer queries than scores.
    for (Value headScale : parts.headScales)
      parts.q = MulOp::create(rewriter, loc, parts.q, headScale);
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
        EmptyRowAttr::get(rewriter.getContext(), parts.rows.emptyRow));
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
          numberOf(select.getB()) != -std::numeric_limits<double>::infinity()));
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
