//===- LowerNonzero.cpp - the coordinates of what is not zero --*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the lowering of nonzero: one sequential pass over the
// elements. The coordinates of each are stored at the next free row, and the
// row stays free if the element is zero: no branch, so that it costs the same
// whatever the data. Rows that are free at the end become zero.
//===----------------------------------------------------------------------===//

#include "dialects/graven/Graven.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "passes/lower/LowerUtils.h"
#include "passes/lower/Scalars.h"

using namespace mlir;

namespace graven {
namespace {

/// Whether a number is not zero. NaN is not.
Value isNonzero(const Scalars &s, Value x) {
  Type type = x.getType();
  if (type.isInteger(1))
    return x;
  Value zero = emitConstant(s.b, s.at, type, 0);
  if (isa<FloatType>(type))
    return arith::CmpFOp::create(s.b, s.at, arith::CmpFPredicate::UNE, x, zero);
  return arith::CmpIOp::create(s.b, s.at, arith::CmpIPredicate::ne, x, zero);
}

/// The walk over the elements: what it carries are the rows, and how many of
/// them are taken.
struct Walk {
  Value x;
  ArrayRef<int64_t> shape;

  SmallVector<Value> from(OpBuilder &b, Location loc, ValueRange place,
                          ValueRange carried) const {
    if (place.size() == shape.size())
      return visit(Scalars{b, loc}, place, carried);
    auto loop = scf::ForOp::create(
        b, loc, indexConstant(b, loc, 0),
        indexConstant(b, loc, shape[place.size()]), indexConstant(b, loc, 1),
        carried,
        [&](OpBuilder &inner, Location at, Value i, ValueRange inside) {
          SmallVector<Value> next(place);
          next.push_back(i);
          scf::YieldOp::create(inner, at, from(inner, at, next, inside));
        });
    return SmallVector<Value>(loop.getResults());
  }

  SmallVector<Value> visit(const Scalars &s, ValueRange place,
                           ValueRange carried) const {
    Value rows = carried[0], taken = carried[1];
    for (auto [axis, i] : llvm::enumerate(place))
      rows = tensor::InsertOp::create(
          s.b, s.at, s.cast(i, s.b.getI64Type()), rows,
          ValueRange{taken, s.index(static_cast<int64_t>(axis))});
    Value hit = isNonzero(s, tensor::ExtractOp::create(s.b, s.at, x, place));
    return {rows, s.add(taken, s.pick(hit, s.index(1), s.index(0)))};
  }
};

/// Rows from `taken` on become zero.
Value clearRest(OpBuilder &b, Location loc, Value rows, Value taken) {
  ArrayRef<int64_t> shape = cast<RankedTensorType>(rows.getType()).getShape();
  auto loop = scf::ForOp::create(
      b, loc, taken, indexConstant(b, loc, shape[0]), indexConstant(b, loc, 1),
      rows, [&](OpBuilder &inner, Location at, Value row, ValueRange carried) {
        Value cleared = carried[0];
        Value zero = emitConstant(inner, at, inner.getI64Type(), 0);
        for (int64_t axis = 0; axis < shape[1]; ++axis)
          cleared = tensor::InsertOp::create(
              inner, at, zero, cleared,
              ValueRange{row, indexConstant(inner, at, axis)});
        scf::YieldOp::create(inner, at, cleared);
      });
  return loop.getResult(0);
}

struct LowerNonzero : OpConversionPattern<NonzeroOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(NonzeroOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const final {
    Location loc = op.getLoc();
    RankedTensorType type = op.getX().getType();
    Type i64 = rewriter.getI64Type();
    Value rows =
        emptyTensor(rewriter, loc, op.getIndices().getType().getShape(), i64);
    if (isEmpty(type)) {
      Value none = emitConstant(rewriter, loc, i64, 0);
      rewriter.replaceOp(op, {rows, filledTensor(rewriter, loc, {}, none)});
      return success();
    }
    SmallVector<Value> end = Walk{adaptor.getX(), type.getShape()}.from(
        rewriter, loc, {}, {rows, indexConstant(rewriter, loc, 0)});
    rows = type.getRank() ? clearRest(rewriter, loc, end[0], end[1]) : end[0];
    Value count = tensor::InsertOp::create(
        rewriter, loc, arith::IndexCastOp::create(rewriter, loc, i64, end[1]),
        emptyTensor(rewriter, loc, {}, i64), ValueRange());
    rewriter.replaceOp(op, {rows, count});
    return success();
  }
};

} // namespace

void populateNonzeroLowering(RewritePatternSet &patterns) {
  patterns.add<LowerNonzero>(patterns.getContext());
}

} // namespace graven
