//===- SimplifyTransposes.cpp - fewer transposes ----------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements SimplifyTransposes, which merges transposes, moves them
// to where they cancel, and lets matrix products and reductions absorb them.
//===----------------------------------------------------------------------===//

#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "passes/graph/Explain.h"
#include "passes/graph/Fingerprint.h"
#include "passes/graph/GraphUtils.h"
#include "passes/graph/Passes.h"

namespace graven {
#define GEN_PASS_DEF_SIMPLIFYTRANSPOSES
#include "passes/graph/Passes.h.inc"
} // namespace graven

using namespace mlir;

namespace graven {
namespace {

using Permutation = SmallVector<int64_t>;

bool isIdentity(ArrayRef<int64_t> permutation) {
  for (auto [i, axis] : llvm::enumerate(permutation))
    if (axis != static_cast<int64_t>(i))
      return false;
  return true;
}

/// The permutation of transpose(transpose(x, inner), outer).
Permutation composed(ArrayRef<int64_t> inner, ArrayRef<int64_t> outer) {
  return llvm::map_to_vector(outer, [&](int64_t axis) { return inner[axis]; });
}

/// transpose(elementwise(transpose(x), ...)): the outer one moves to the front,
/// where each path has a transpose to merge with.
class MoveUp {
public:
  explicit MoveUp(ArrayRef<int64_t> permutation) : permutation(permutation) {}

  /// Whether `value` can be had transposed without a transpose more than now.
  bool canAbsorb(Value value, int depth = 0) {
    constexpr int maxDepth = 24;
    if (tensorType(value).getRank() == 0)
      return true;
    Operation *node = value.getDefiningOp();
    if (!node)
      return false;
    if (auto transpose = dyn_cast<TransposeOp>(node)) {
      bool cancels =
          isIdentity(composed(transpose.getPermutation(), permutation));
      found = true;
      return cancels || value.hasOneUse();
    }
    if (splatOf(value) || isParameterValue(value))
      return true;
    if (depth == maxDepth || !node->hasTrait<Elementwise>() ||
        node->getNumResults() != 1 || !soleUser(value))
      return false;
    return llvm::all_of(node->getOperands(), [&](Value operand) {
      return canAbsorb(operand, depth + 1);
    });
  }

  bool foundTranspose() const { return found; }

  Value apply(PatternRewriter &rewriter, Value value) {
    if (tensorType(value).getRank() == 0)
      return value;
    Value &known = done[value];
    if (known)
      return known;
    Value made = build(rewriter, value);
    return done[value] = made;
  }

private:
  Value build(PatternRewriter &rewriter, Value value) {
    Operation *node = value.getDefiningOp();
    if (auto transpose = dyn_cast<TransposeOp>(node)) {
      Permutation both = composed(transpose.getPermutation(), permutation);
      return isIdentity(both) ? transpose.getX()
                              : transposed(rewriter, transpose.getX(), both);
    }
    if (splatOf(value) || isParameterValue(value))
      return transposed(rewriter, value, permutation);
    SmallVector<Value> operands;
    for (Value operand : node->getOperands())
      operands.push_back(apply(rewriter, operand));
    RankedTensorType type = tensorType(value);
    SmallVector<int64_t> shape;
    for (int64_t axis : permutation)
      shape.push_back(type.getDimSize(axis));
    Operation *made = rewriter.clone(*node);
    rewriter.modifyOpInPlace(made, [&] {
      made->setOperands(operands);
      made->getResult(0).setType(
          RankedTensorType::get(shape, type.getElementType()));
    });
    return made->getResult(0);
  }

  static Value transposed(PatternRewriter &rewriter, Value value,
                          ArrayRef<int64_t> by) {
    return TransposeOp::create(rewriter, value.getLoc(), value, by);
  }

  Permutation permutation;
  bool found = false;
  DenseMap<Value, Value> done;
};

struct MoveThroughElementwise : CountingPattern<TransposeOp> {
  using CountingPattern::CountingPattern;

  LogicalResult matchAndRewrite(TransposeOp op,
                                PatternRewriter &rewriter) const override {
    Operation *node = op.getX().getDefiningOp();
    if (!node || !node->hasTrait<Elementwise>())
      return rewriter.notifyMatchFailure(op, "x is not elementwise");
    MoveUp move(op.getPermutation());
    if (!move.canAbsorb(op.getX()))
      return rewriter.notifyMatchFailure(
          op, "a value on the way up has a second user, or no transpose to "
              "merge with");
    if (!move.foundTranspose())
      return rewriter.notifyMatchFailure(op, "there is no transpose above");
    rewriter.replaceOp(op, move.apply(rewriter, op.getX()));
    return rewritten();
  }
};

/// Whether the permutation swaps the last two axes and keeps the others.
bool swapsLastTwo(ArrayRef<int64_t> permutation) {
  size_t rank = permutation.size();
  if (rank < 2)
    return false;
  Permutation swapped(permutation);
  std::swap(swapped[rank - 1], swapped[rank - 2]);
  return isIdentity(swapped);
}

/// matmul(transpose(a), transpose(b)) takes flags instead.
struct IntoMatmul : CountingPattern<MatmulOp> {
  using CountingPattern::CountingPattern;

  LogicalResult matchAndRewrite(MatmulOp op,
                                PatternRewriter &rewriter) const override {
    auto source = [&](Value operand) -> Value {
      auto transpose = operand.getDefiningOp<TransposeOp>();
      if (!transpose || !swapsLastTwo(transpose.getPermutation()))
        return {};
      return transpose.getX();
    };
    Value a = source(op.getA()), b = source(op.getB());
    if (!a && !b)
      return rewriter.notifyMatchFailure(
          op, "no operand is a transpose of the last two axes");
    rewriter.modifyOpInPlace(op, [&] {
      if (a) {
        op.getAMutable().assign(a);
        op.setTransposeA(!op.getTransposeA());
      }
      if (b) {
        op.getBMutable().assign(b);
        op.setTransposeB(!op.getTransposeB());
      }
    });
    return rewritten();
  }
};

/// A transpose of a matmul's last two axes is the product the other way round.
struct OutOfMatmul : CountingPattern<TransposeOp> {
  using CountingPattern::CountingPattern;

  LogicalResult matchAndRewrite(TransposeOp op,
                                PatternRewriter &rewriter) const override {
    auto matmul = op.getX().getDefiningOp<MatmulOp>();
    if (!matmul || !swapsLastTwo(op.getPermutation()))
      return rewriter.notifyMatchFailure(
          op, "is not of the last two axes of a matrix product");
    if (!matmul->hasOneUse())
      return rewriter.notifyMatchFailure(op, "the product has a second user");
    if (isParameterValue(matmul.getB()))
      return rewriter.notifyMatchFailure(
          op, "the product's weights are best on the right");
    rewriter.replaceOpWithNewOp<MatmulOp>(
        op, op.getType(), matmul.getB(), matmul.getA(), !matmul.getTransposeB(),
        !matmul.getTransposeA());
    return rewritten();
  }
};

/// reduce(transpose(x)) is transpose(reduce(x)): there is less to move.
struct BelowReduce : CountingPattern<ReduceOp> {
  using CountingPattern::CountingPattern;

  LogicalResult matchAndRewrite(ReduceOp op,
                                PatternRewriter &rewriter) const override {
    auto transpose = op.getX().getDefiningOp<TransposeOp>();
    if (!transpose)
      return rewriter.notifyMatchFailure(op, "x is not a transpose");
    if (!transpose->hasOneUse())
      return rewriter.notifyMatchFailure(op, "the transpose has a second user");
    if (op.getAxes().empty())
      return rewriter.notifyMatchFailure(op, "nothing is reduced");
    if (!tensorType(transpose.getX()).hasStaticShape() ||
        !op.getType().hasStaticShape())
      return rewriter.notifyMatchFailure(op, "an extent is not known");
    ArrayRef<int64_t> permutation = transpose.getPermutation();
    Permutation axes = composed(permutation, op.getAxes());
    llvm::sort(axes);
    // What is left of the permutation, over the axes that stay.
    Permutation rest;
    for (auto [i, axis] : llvm::enumerate(permutation)) {
      if (op.getKeep()) {
        rest.push_back(axis);
        continue;
      }
      if (llvm::is_contained(op.getAxes(), static_cast<int64_t>(i)))
        continue;
      int64_t gone = llvm::count_if(
          axes, [axis](int64_t reduced) { return reduced < axis; });
      rest.push_back(axis - gone);
    }
    Value reduced = ReduceOp::create(rewriter, op.getLoc(), transpose.getX(),
                                     op.getKind(), axes, op.getKeep());
    if (isIdentity(rest))
      rewriter.replaceOp(op, reduced);
    else
      rewriter.replaceOpWithNewOp<TransposeOp>(op, op.getType(), reduced, rest);
    return rewritten();
  }
};

class SimplifyTransposesPass
    : public impl::SimplifyTransposesBase<SimplifyTransposesPass> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    populateSimplifyTransposesPatterns(patterns, &numRewritten);
    applyPatternsExplained(*this, getOperation(), std::move(patterns), {},
                           getCachedParentAnalysis<SettledGraphs>());
  }
};

} // namespace

void populateSimplifyTransposesPatterns(RewritePatternSet &patterns,
                                        Pass::Statistic *count) {
  MLIRContext *context = patterns.getContext();
  patterns.add<MoveThroughElementwise, IntoMatmul, OutOfMatmul, BelowReduce>(
      context, count);
  // Merging transposes and reshapes, and turning moves of unit extents into
  // reshapes, are canonicalizations.
  TransposeOp::getCanonicalizationPatterns(patterns, context);
  ReshapeOp::getCanonicalizationPatterns(patterns, context);
}

} // namespace graven
