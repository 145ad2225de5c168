//===- LowerAttention.cpp - attention by products and softmax -*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the lowering of attention to two batched products around
// a softmax, with scale, mask and causality applied where the scores are
// stored.
//===----------------------------------------------------------------------===//

#include "dialects/graven/Graven.h"
#include "dialects/kernel/Kernel.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "passes/lower/LowerContraction.h"
#include "passes/lower/LowerNorm.h"
#include "passes/lower/LowerUtils.h"
#include "passes/lower/ScalarFormulas.h"
#include <limits>

using namespace mlir;

namespace graven {
namespace {

struct LowerAttention : OpConversionPattern<AttentionOp> {
  LowerAttention(MLIRContext *context, const TargetInfo &target)
      : OpConversionPattern(context), target(target) {}

  LogicalResult
  matchAndRewrite(AttentionOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const final {
    Location loc = op.getLoc();
    auto q = cast<RankedTensorType>(adaptor.getQ().getType()),
         k = cast<RankedTensorType>(adaptor.getK().getType());
    Type element = q.getElementType();
    Type compute =
        element.isF16() || element.isBF16() ? rewriter.getF32Type() : element;
    RankedTensorType type = loweredType(op.getType());
    int64_t heads = q.getDimSize(0) * q.getDimSize(1), rows = q.getDimSize(2),
            keys = k.getDimSize(2);
    if (keys == 0) {
      // Every row is without keys.
      double nothing = op.getEmptyRow() == EmptyRow::Zero
                           ? 0
                           : std::numeric_limits<double>::quiet_NaN();
      rewriter.replaceOp(
          op, filledTensor(rewriter, loc, type.getShape(),
                           emitConstant(rewriter, loc, element, nothing)));
      return success();
    }
    auto flat = [&](Value x, int64_t repeat) {
      x = repeatHeads(rewriter, loc, convertElements(rewriter, loc, x, compute),
                      repeat);
      ArrayRef<int64_t> shape = cast<RankedTensorType>(x.getType()).getShape();
      return reshapeTo(rewriter, loc, x,
                       {shape[0] * shape[1], shape[2], shape[3]});
    };
    int64_t repeat = q.getDimSize(1) / k.getDimSize(1);
    FusedNodes none;
    SmallVector<int64_t> full{q.getDimSize(0), q.getDimSize(1), rows, keys};
    Value scores =
        isEmpty(q) ? filledTensor(rewriter, loc, full,
                                  emitConstant(rewriter, loc, compute, 0))
                   : emitGemm(rewriter, loc, target, flat(adaptor.getQ(), 1),
                              flat(adaptor.getK(), repeat),
                              /*rhsTransposed=*/true, none, {});
    scores = finishScores(rewriter, op, reshapeTo(rewriter, loc, scores, full),
                          adaptor.getMask(), compute);
    Value weights = emitSoftmax(rewriter, loc, scores, SoftmaxForm::Plain);
    if (op.getMask() && op.getEmptyRow() == EmptyRow::Zero)
      weights = zeroEmptyRows(rewriter, loc, scores, weights, compute);
    Value result = emitGemm(
        rewriter, loc, target,
        reshapeTo(rewriter, loc, weights, {heads, rows, keys}),
        flat(adaptor.getV(), repeat), /*rhsTransposed=*/false, none, {});
    rewriter.replaceOp(
        op, convertElements(rewriter, loc,
                            reshapeTo(rewriter, loc, result, type.getShape()),
                            element));
    return success();
  }

  /// Head h of the result is head h / repeat of x.
  static Value repeatHeads(OpBuilder &b, Location loc, Value x,
                           int64_t repeat) {
    if (repeat == 1)
      return x;
    auto type = cast<RankedTensorType>(x.getType());
    SmallVector<int64_t> wide{type.getDimSize(0), type.getDimSize(1), repeat,
                              type.getDimSize(2), type.getDimSize(3)};
    Value repeated = copyElements(b, loc, wide, x,
                                  selectAxes(b.getContext(), 5, {0, 1, 3, 4}));
    return reshapeTo(b, loc, repeated,
                     {wide[0], wide[1] * repeat, wide[3], wide[4]});
  }

  /// scale, softcap, mask and causality, in one pass over the scores.
  static Value finishScores(OpBuilder &b, AttentionOp op, Value scores,
                            Value mask, Type compute) {
    Location loc = op.getLoc();
    ArrayRef<int64_t> shape =
        cast<RankedTensorType>(scores.getType()).getShape();
    SmallVector<Value> inputs{scores};
    SmallVector<AffineMap> maps{
        AffineMap::getMultiDimIdentityMap(4, b.getContext())};
    if (mask) {
      inputs.push_back(mask);
      maps.push_back(broadcastMap(
          b.getContext(), cast<RankedTensorType>(mask.getType()).getShape(),
          shape));
    }
    double softcap = op.getSoftcap().convertToDouble();
    return mapElements(
        b, loc, shape, compute, inputs, maps,
        [&](OpBuilder &inner, Location at, ValueRange args) {
          auto c = [&](double value) {
            return emitConstant(inner, at, compute, value);
          };
          Value lowest = c(-std::numeric_limits<double>::infinity());
          Value s = arith::MulFOp::create(inner, at, args[0],
                                          c(op.getScale().convertToDouble()));
          if (softcap > 0) {
            Value bounded = math::TanhOp::create(
                inner, at, arith::DivFOp::create(inner, at, s, c(softcap)));
            s = arith::MulFOp::create(inner, at, bounded, c(softcap));
          }
          if (mask && args[1].getType().isInteger(1))
            s = arith::SelectOp::create(inner, at, args[1], s, lowest);
          else if (mask)
            s = arith::AddFOp::create(
                inner, at, s,
                emitCast(inner, at, args[1], args[1].getType(), compute));
          if (op.getCausal()) {
            Value i = linalg::IndexOp::create(inner, at, 2),
                  j = linalg::IndexOp::create(inner, at, 3);
            Value seen = arith::CmpIOp::create(inner, at,
                                               arith::CmpIPredicate::sle, j, i);
            s = arith::SelectOp::create(inner, at, seen, s, lowest);
          }
          return s;
        });
  }

  /// Rows whose every score is -inf give 0 instead of softmax's NaN.
  static Value zeroEmptyRows(OpBuilder &b, Location loc, Value scores,
                             Value weights, Type compute) {
    ArrayRef<int64_t> shape =
        cast<RankedTensorType>(scores.getType()).getShape();
    Value lowest =
        emitConstant(b, loc, compute, -std::numeric_limits<double>::infinity());
    Value init = filledTensor(b, loc, shape.drop_back(), lowest);
    AffineMap identity = AffineMap::getMultiDimIdentityMap(4, b.getContext());
    AffineMap row = selectAxes(b.getContext(), 4, {0, 1, 2});
    SmallVector<utils::IteratorType> iterators(3,
                                               utils::IteratorType::parallel);
    iterators.push_back(utils::IteratorType::reduction);
    SmallVector<AffineMap> maps{identity, row};
    Value greatest =
        linalg::GenericOp::create(
            b, loc, init.getType(), scores, init, maps, iterators,
            [](OpBuilder &inner, Location at, ValueRange args) {
              linalg::YieldOp::create(
                  inner, at,
                  arith::MaximumFOp::create(inner, at, args[0], args[1])
                      .getResult());
            })
            .getResult(0);
    SmallVector<Value> inputs{weights, greatest};
    return mapElements(
        b, loc, shape, compute, inputs, {identity, row},
        [&](OpBuilder &inner, Location at, ValueRange args) -> Value {
          Value bottom = emitConstant(inner, at, compute,
                                      -std::numeric_limits<double>::infinity());
          Value empty = arith::CmpFOp::create(
              inner, at, arith::CmpFPredicate::OEQ, args[1], bottom);
          return arith::SelectOp::create(
              inner, at, empty, emitConstant(inner, at, compute, 0), args[0]);
        });
  }

  const TargetInfo &target;
};

} // namespace

void populateAttentionLowering(RewritePatternSet &patterns,
                               const TargetInfo &target) {
  patterns.add<LowerAttention>(patterns.getContext(), target);
}

} // namespace graven
