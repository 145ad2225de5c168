//===- UnflattenMatmul.cpp - products with their batch axes -----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements UnflattenMatmul, which moves a reshape that splits the
// rows or the batches of a matrix product in front of the product, where it
// meets the one that had joined them.
//===----------------------------------------------------------------------===//

#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "passes/graph/Explain.h"
#include "passes/graph/Fingerprint.h"
#include "passes/graph/GraphUtils.h"
#include "passes/graph/Passes.h"

namespace graven {
#define GEN_PASS_DEF_UNFLATTENMATMUL
#include "passes/graph/Passes.h.inc"
} // namespace graven

using namespace mlir;

namespace graven {
namespace {

/// Whether a reshape only splits the axes in front of the last.
bool splitsRows(RankedTensorType from, RankedTensorType to) {
  return from.hasStaticShape() && to.hasStaticShape() && from.getRank() >= 2 &&
         to.getRank() > from.getRank() &&
         from.getShape().back() == to.getShape().back();
}

bool splitsRows(ReshapeOp op) {
  return splitsRows(tensorType(op.getX()), tensorType(op.getResult()));
}

bool isOne(int64_t extent) { return extent == 1; }

/// One number, or a row of the last axis.
bool isRow(RankedTensorType type, RankedTensorType full) {
  return type.hasStaticShape() &&
         (type.getNumElements() == 1 ||
          (llvm::all_of(type.getShape().drop_back(), isOne) &&
           type.getShape().back() == full.getShape().back()));
}

/// Whether the rows of the product are rows of one matrix after the other.
bool hasPlainRows(MatmulOp op) {
  return !op.getTransposeA() &&
         llvm::all_of(tensorType(op.getB()).getShape().drop_back(2), isOne);
}

bool hasProductBehind(Value value, ArrayRef<int64_t> to, bool exact,
                      int64_t depth = 0);

/// `shape` with `extent` instead of its last extent.
SmallVector<int64_t> withLast(ArrayRef<int64_t> shape, int64_t extent) {
  SmallVector<int64_t> result(shape);
  result.back() = extent;
  return result;
}

/// Whether the product, with a result of shape `to`, reads a reshape, with
/// which the one in front of it merges, perhaps behind another such product,
/// and its right-hand side as it is stored.
bool isExact(MatmulOp op, ArrayRef<int64_t> to, int64_t depth = 0) {
  Value a = op.getA();
  return !op.getTransposeB() &&
         (a.getDefiningOp<ReshapeOp>() ||
          hasProductBehind(a, withLast(to, tensorType(a).getShape().back()),
                           /*exact=*/true, depth + 1));
}

/// The batches of `full` and the matrix of `operand`.
SmallVector<int64_t> withMatrixOf(ArrayRef<int64_t> full, Value operand) {
  SmallVector<int64_t> result(full.drop_back(2));
  llvm::append_range(result, tensorType(operand).getShape().take_back(2));
  return result;
}

/// Whether the operand becomes one of this shape without another Node when the
/// model runs.
bool isJoinedFrom(Value operand, ArrayRef<int64_t> shape) {
  auto reshape = operand.getDefiningOp<ReshapeOp>();
  return (reshape && tensorType(reshape.getX()).getShape() == shape) ||
         isParameterValue(operand);
}

/// Whether the product has matrices on both sides for each batch, and a result
/// of shape `to` is theirs in several axes of batches, with no more Nodes than
/// now: the reshape behind it goes, and one may come in front of it.
bool splitsBatches(MatmulOp op, ArrayRef<int64_t> to, bool exact) {
  ArrayRef<int64_t> from = op.getType().getShape(), batches = from.drop_back(2);
  if (from.take_back(2) != to.take_back(2) || batches.empty())
    return false;
  int64_t joined = 0;
  for (Value operand : {op.getA(), op.getB()}) {
    if (tensorType(operand).getShape().drop_back(2) != batches)
      return false;
    joined += isJoinedFrom(operand, withMatrixOf(to, operand));
  }
  return joined >= (exact ? 2 : 1);
}

/// Whether a result of shape `to` can be computed by the product.
bool takesSplit(MatmulOp op, ArrayRef<int64_t> to, bool exact, int64_t depth) {
  return (hasPlainRows(op) && (!exact || isExact(op, to, depth))) ||
         splitsBatches(op, to, exact);
}

/// Whether there is such a product at the end of a chain of elementwise Nodes
/// that have no other user.
bool hasProductBehind(Value value, ArrayRef<int64_t> to, bool exact,
                      int64_t depth) {
  constexpr int64_t limit = 24;
  Operation *op = value.getDefiningOp();
  if (!op || !soleUser(value) || depth > limit)
    return false;
  if (auto matmul = dyn_cast<MatmulOp>(op))
    return takesSplit(matmul, to, exact, depth);
  return op->hasTrait<Elementwise>() && op->getNumResults() == 1 &&
         llvm::any_of(op->getOperands(), [&](Value operand) {
           return operand.getType() == value.getType() &&
                  hasProductBehind(operand, to, exact, depth + 1);
         });
}

/// The shape that an operand of an elementwise Node has when the Node's result
/// is split: a full one, a row, or one of as many batches whose matrices keep
/// their extents. None where it has to be broadcast first.
std::optional<SmallVector<int64_t>> splitShapeOf(RankedTensorType operand,
                                                 RankedTensorType from,
                                                 ArrayRef<int64_t> to) {
  if (operand.getShape() == from.getShape())
    return SmallVector<int64_t>(to);
  if (isRow(operand, from))
    return withLast(SmallVector<int64_t>(to.size(), 1),
                    operand.getNumElements());
  ArrayRef<int64_t> own = operand.getShape(), full = from.getShape();
  if (own.size() != full.size() || own.size() < 3 ||
      own.drop_back(2) != full.drop_back(2) ||
      full.take_back(2) != to.take_back(2))
    return std::nullopt;
  SmallVector<int64_t> shape(to.drop_back(2));
  llvm::append_range(shape, own.take_back(2));
  return shape;
}

/// A pattern that may have to leave what is not the better for it.
struct SplitPattern : CountingPattern<ReshapeOp> {
  SplitPattern(MLIRContext *context, Pass::Statistic *count, bool exact)
      : CountingPattern(context, count), exact(exact) {}
  bool exact;
};

struct SplitMatmul : SplitPattern {
  using SplitPattern::SplitPattern;

  LogicalResult matchAndRewrite(ReshapeOp op,
                                PatternRewriter &rewriter) const override {
    auto matmul = op.getX().getDefiningOp<MatmulOp>();
    if (!matmul || !splitsRows(op))
      return rewriter.notifyMatchFailure(
          op, "it does not split the rows of a product");
    if (soleUser(matmul.getResult()) != op)
      return rewriter.notifyMatchFailure(op, "the product has a second user");
    if (!hasPlainRows(matmul))
      return rewriter.notifyMatchFailure(
          op, "a is transposed, or there is a right-hand side for each batch");
    if (exact &&
        !isExact(matmul, cast<RankedTensorType>(op.getType()).getShape()))
      return rewriter.notifyMatchFailure(
          op, "no reshape is in front of it, or b is transposed");
    RankedTensorType a = tensorType(matmul.getA()),
                     b = tensorType(matmul.getB());
    Location loc = matmul.getLoc();
    auto type = cast<RankedTensorType>(op.getResult().getType());
    SmallVector<int64_t> right(type.getRank() - 2, 1);
    llvm::append_range(right, b.getShape().take_back(2));
    rewriter.setInsertionPoint(matmul);
    Value left = reshaped(rewriter, loc, matmul.getA(),
                          withLast(type.getShape(), a.getShape().back()));
    rewriter.replaceOpWithNewOp<MatmulOp>(
        op, type, left, reshaped(rewriter, loc, matmul.getB(), right),
        matmul.getTransposeAAttr(), matmul.getTransposeBAttr(),
        matmul.getAlgorithmAttr());
    rewriter.eraseOp(matmul);
    return rewritten();
  }
};

struct SplitElementwise : SplitPattern {
  using SplitPattern::SplitPattern;

  LogicalResult matchAndRewrite(ReshapeOp op,
                                PatternRewriter &rewriter) const override {
    Operation *node = op.getX().getDefiningOp();
    if (!node || !node->hasTrait<Elementwise>() || node->getNumResults() != 1 ||
        !splitsRows(op))
      return rewriter.notifyMatchFailure(
          op, "it does not split the rows of an elementwise Node");
    RankedTensorType from = tensorType(op.getX());
    auto to = cast<RankedTensorType>(op.getResult().getType());
    if (!hasProductBehind(op.getX(), to.getShape(), exact))
      return rewriter.notifyMatchFailure(op, "no product is behind it");
    SmallVector<SmallVector<int64_t>> shapes;
    for (Value operand : node->getOperands()) {
      auto shape = splitShapeOf(tensorType(operand), from, to.getShape());
      if (!shape)
        return rewriter.notifyMatchFailure(
            op,
            "an operand is neither full, nor a row, nor one for each batch");
      shapes.push_back(*shape);
    }
    rewriter.setInsertionPoint(node);
    SmallVector<Value> operands;
    for (auto [operand, shape] : llvm::zip_equal(node->getOperands(), shapes))
      operands.push_back(reshaped(rewriter, node->getLoc(), operand, shape));
    Operation *copy = rewriter.clone(*node);
    copy->setOperands(operands);
    copy->getResult(0).setType(to);
    rewriter.replaceOp(op, copy->getResults());
    // At once: it would be a second user of what is to be split next.
    rewriter.eraseOp(node);
    return rewritten();
  }
};

struct SplitBatches : SplitPattern {
  using SplitPattern::SplitPattern;

  LogicalResult matchAndRewrite(ReshapeOp op,
                                PatternRewriter &rewriter) const override {
    auto matmul = op.getX().getDefiningOp<MatmulOp>();
    if (!matmul || !splitsRows(op))
      return rewriter.notifyMatchFailure(
          op, "it does not split the batches of a product");
    if (soleUser(matmul.getResult()) != op)
      return rewriter.notifyMatchFailure(op, "the product has a second user");
    auto type = cast<RankedTensorType>(op.getResult().getType());
    if (!splitsBatches(matmul, type.getShape(), exact))
      return rewriter.notifyMatchFailure(
          op, "the matrices are split, or neither side was joined from such "
              "batches");
    rewriter.setInsertionPoint(matmul);
    auto split = [&](Value operand) {
      return reshaped(rewriter, matmul.getLoc(), operand,
                      withMatrixOf(type.getShape(), operand));
    };
    Value a = split(matmul.getA()), b = split(matmul.getB());
    rewriter.replaceOpWithNewOp<MatmulOp>(
        op, type, a, b, matmul.getTransposeAAttr(), matmul.getTransposeBAttr(),
        matmul.getAlgorithmAttr());
    rewriter.eraseOp(matmul);
    return rewritten();
  }
};

/// A product that is divided into columns, each of which is reshaped: it takes
/// the tensor that was reshaped for it, and the columns' reshapes begin there.
struct SplitColumns : CountingPattern<MatmulOp> {
  using CountingPattern::CountingPattern;

  LogicalResult matchAndRewrite(MatmulOp op,
                                PatternRewriter &rewriter) const override {
    auto join = op.getA().getDefiningOp<ReshapeOp>();
    RankedTensorType type = op.getType();
    if (!join ||
        !splitsRows(tensorType(join.getResult()), tensorType(join.getX())) ||
        !hasPlainRows(op) || op.getTransposeB())
      return rewriter.notifyMatchFailure(
          op, "it does not multiply the joined rows of a tensor");
    if (!llvm::all_of(op->getUsers(), [&](Operation *user) {
          auto slice = dyn_cast<SliceOp>(user);
          return slice && isa_and_present<ReshapeOp>(soleUser(slice)) &&
                 slice.getType().getShape().drop_back() ==
                     type.getShape().drop_back() &&
                 llvm::all_of(slice.getSteps(), isOne);
        }))
      return rewriter.notifyMatchFailure(
          op, "it is not divided into columns that are reshaped");
    Location loc = op.getLoc();
    ArrayRef<int64_t> rows = tensorType(join.getX()).getShape();
    SmallVector<int64_t> right(rows.size() - 2, 1);
    llvm::append_range(right, tensorType(op.getB()).getShape().take_back(2));
    auto shape = withLast(rows, type.getShape().back());
    rewriter.setInsertionPoint(op);
    Value y = MatmulOp::create(
        rewriter, loc, RankedTensorType::get(shape, type.getElementType()),
        join.getX(), reshaped(rewriter, loc, op.getB(), right),
        op.getTransposeAAttr(), op.getTransposeBAttr(), op.getAlgorithmAttr());
    for (Operation *user : llvm::make_early_inc_range(op->getUsers())) {
      auto slice = cast<SliceOp>(user);
      SmallVector<int64_t> starts(shape.size(), 0), steps(shape.size(), 1);
      starts.back() = slice.getStarts().back();
      rewriter.setInsertionPoint(slice);
      Value part = SliceOp::create(
          rewriter, slice.getLoc(), y, starts,
          withLast(shape, starts.back() + slice.getType().getShape().back()),
          steps);
      rewriter.replaceOp(slice, reshaped(rewriter, slice.getLoc(), part,
                                         slice.getType().getShape()));
    }
    rewriter.eraseOp(op);
    return rewritten();
  }
};

class UnflattenMatmulPass
    : public impl::UnflattenMatmulBase<UnflattenMatmulPass> {
  using UnflattenMatmulBase::UnflattenMatmulBase;

  void runOnOperation() override {
    MLIRContext *context = &getContext();
    RewritePatternSet patterns(context);
    populateUnflattenMatmulPatterns(patterns, exact, &numUnflattened);
    ReshapeOp::getCanonicalizationPatterns(patterns, context);
    applyPatternsExplained(*this, getOperation(), std::move(patterns), {},
                           getCachedParentAnalysis<SettledGraphs>());
  }
};

} // namespace

void populateUnflattenMatmulPatterns(RewritePatternSet &patterns, bool exact,
                                     Pass::Statistic *count) {
  patterns.add<SplitMatmul, SplitElementwise, SplitBatches>(
      patterns.getContext(), count, exact);
  // Else the columns are read in place by what they go to.
  if (exact)
    patterns.add<SplitColumns>(patterns.getContext(), count);
}

} // namespace graven
