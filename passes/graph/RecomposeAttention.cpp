//===- RecomposeAttention.cpp - attention that is spelled out ---*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the pattern that finds matmul, scale, mask, softmax and
// matmul in a row and builds `graven.attention`.
//===----------------------------------------------------------------------===//

#include "passes/graph/RecomposeAttention.h"
#include "mlir/IR/Matchers.h"
#include "passes/graph/Factors.h"
#include "passes/graph/GraphUtils.h"
#include <cmath>
#include <limits>

using namespace mlir;

namespace graven {
namespace {

/// x of x c or x / c, with the constant multiplied into `scale`. Through Values
/// with one user, else the product would be computed twice.
Value withoutScale(Value value, double &scale) {
  for (;;) {
    if (!soleUser(value))
      return value;
    if (auto mul = value.getDefiningOp<MulOp>()) {
      auto a = splatOf(mul.getA()), b = splatOf(mul.getB());
      if (!a && !b)
        return value;
      scale *= a ? *a : *b;
      value = a ? mul.getB() : mul.getA();
      continue;
    }
    auto div = value.getDefiningOp<DivOp>();
    auto by = div ? splatOf(div.getB()) : std::nullopt;
    if (!by || *by == 0)
      return value;
    scale /= *by;
    value = div.getA();
  }
}

/// The parts of softmax(scale q k^T + mask) v.
struct Parts {
  Value q, k, v, mask;
  double scale = 1;
  bool causal = false;
  /// Whether k is [.., E, L] and must be transposed.
  bool transposeK = false;
};

/// Whether element [i, j] of a constant mask is open for j <= i and closed for
/// the rest; bools, or floats of 0 and -inf.
bool isCausal(Value mask) {
  DenseElementsAttr elements;
  if (!matchPattern(mask, m_Constant(&elements)))
    return false;
  ArrayRef<int64_t> shape = tensorType(mask).getShape();
  int64_t rank = shape.size(), rows = rank >= 2 ? shape[rank - 2] : 0;
  if (rows < 2 || shape[rank - 1] != rows ||
      elements.getNumElements() != rows * rows)
    return false;
  eval::Tensor tensor = eval::Tensor::fromElements(elements);
  bool isBool = tensor.getElementType().isInteger(1);
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < rows; ++j) {
      bool open = j <= i;
      int64_t at = i * rows + j;
      double closed = -std::numeric_limits<double>::infinity();
      if (isBool ? (tensor.getUnsigned(at) != 0) != open
                 : tensor.getDouble(at) != (open ? 0.0 : closed))
        return false;
    }
  return true;
}

/// Whether every row of a constant bool mask has an open element.
bool everyRowIsOpen(Value mask) {
  DenseElementsAttr elements;
  if (!matchPattern(mask, m_Constant(&elements)))
    return false;
  eval::Tensor tensor = eval::Tensor::fromElements(elements);
  int64_t columns = tensor.getShape().empty() ? 1 : tensor.getShape().back();
  for (int64_t row = 0; columns > 0 && row < tensor.size(); row += columns) {
    bool open = false;
    for (int64_t j = 0; j < columns; ++j)
      open |= tensor.getUnsigned(row + j) != 0;
    if (!open)
      return false;
  }
  return columns > 0;
}

bool broadcastsTo(RankedTensorType mask, ArrayRef<int64_t> scores) {
  if (mask.getRank() != static_cast<int64_t>(scores.size()))
    return false;
  return llvm::all_of(llvm::zip(mask.getShape(), scores), [](auto extents) {
    return std::get<0>(extents) == 1 ||
           std::get<0>(extents) == std::get<1>(extents);
  });
}

/// Whether `value` is a product of two matrices, perhaps scaled.
bool isScores(Value value) {
  double scale = 1;
  return isa_and_present<MatmulOp>(withoutScale(value, scale).getDefiningOp());
}

/// Takes the mask off the scores; fails with a reason where it is of a kind
/// that attention has not.
LogicalResult takeMask(MatmulOp root, Value &scores, Parts &parts,
                       PatternRewriter &rewriter) {
  ArrayRef<int64_t> shape = tensorType(scores).getShape();
  Value rest;
  if (auto add = scores.getDefiningOp<AddOp>()) {
    rest = add.getA();
    parts.mask = add.getB();
    if (tensorType(rest).getShape() != shape || !isScores(rest))
      std::swap(rest, parts.mask);
  } else if (auto select = scores.getDefiningOp<SelectOp>()) {
    auto fill = splatOf(select.getB());
    // A finite fill acts as -inf only beside an open element.
    constexpr double asGoodAsInf = -1e30;
    bool closes = fill && (std::isinf(*fill) && *fill < 0);
    bool nearly =
        fill && *fill < asGoodAsInf && everyRowIsOpen(select.getCond());
    if (!closes && !nearly)
      return rewriter.notifyMatchFailure(
          root, "the scores are replaced by something else than -inf");
    rest = select.getA();
    parts.mask = select.getCond();
  } else {
    return success();
  }
  if (!soleUser(scores))
    return rewriter.notifyMatchFailure(root, "the scores have a second user");
  if (tensorType(rest).getShape() != shape ||
      !broadcastsTo(tensorType(parts.mask), shape))
    return rewriter.notifyMatchFailure(root,
                                       "the mask is larger than the scores");
  scores = rest;
  if (isCausal(parts.mask)) {
    parts.causal = true;
    parts.mask = {};
  }
  return success();
}

struct ToAttention : CountingPattern<MatmulOp> {
  using CountingPattern::CountingPattern;

  LogicalResult matchAndRewrite(MatmulOp op,
                                PatternRewriter &rewriter) const override {
    auto softmax = op.getA().getDefiningOp<SoftmaxOp>();
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
    if (!softmax->hasOneUse())
      return rewriter.notifyMatchFailure(op, "the weights have a second user");
    Parts parts;
    parts.v = op.getB();
    Value scores = softmax.getX();
    if (failed(takeMask(op, scores, parts, rewriter)))
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
    auto product = withoutScale(scores, parts.scale).getDefiningOp<MatmulOp>();
    if (!product)
      return rewriter.notifyMatchFailure(op, "the scores are no product");
    if (!soleUser(product) || product.getTransposeA())
      return rewriter.notifyMatchFailure(
          op, "the scores have a second user, or q is transposed");
    parts.q = withoutScale(product.getA(), parts.scale);
    parts.k = withoutScale(product.getB(), parts.scale);
    parts.transposeK = !product.getTransposeB();
    // A transpose of k merges with the one that brought the heads forward.
    if (parts.transposeK && !parts.k.getDefiningOp<TransposeOp>() &&
        !isParameterValue(parts.k))
      return rewriter.notifyMatchFailure(op, "k is not transposed");
    int64_t rank = op.getType().getRank();
    for (Value value : {parts.q, parts.k, parts.v})
      if (tensorType(value).getShape().drop_back(2) !=
          op.getType().getShape().drop_back(2))
        return rewriter.notifyMatchFailure(op, "the batches differ");
    Type element = op.getType().getElementType();
    if (parts.mask && rank == 3 && tensorType(parts.mask).getRank() != rank)
      return rewriter.notifyMatchFailure(op, "the mask has another rank");
    if (parts.mask && !tensorType(parts.mask).getElementType().isInteger(1) &&
        tensorType(parts.mask).getElementType() != element)
      return rewriter.notifyMatchFailure(op, "the mask has another type");
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
    Value made = AttentionOp::create(
        rewriter, loc, type, as4d(parts.q), as4d(parts.k), as4d(parts.v),
        as4d(parts.mask), rewriter.getF64FloatAttr(parts.scale),
        parts.causal ? rewriter.getUnitAttr() : UnitAttr(),
        rewriter.getF64FloatAttr(0),
        EmptyRowAttr::get(rewriter.getContext(), EmptyRow::NaN));
    rewriter.replaceOp(op,
                       reshaped(rewriter, loc, made, op.getType().getShape()));
  }
};

} // namespace

void populateRecomposeAttentionPatterns(RewritePatternSet &patterns,
                                        Pass::Statistic *count) {
  patterns.add<ToAttention>(patterns.getContext(), count);
}

} // namespace graven
