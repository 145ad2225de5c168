//===- LowerPooling.cpp - pooling over windows ----------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the lowering of pools: 1-D and 2-D ones of floats
// to `kernel.pool`, others to a loop over the window inside a parallel nest.
//===----------------------------------------------------------------------===//

#include "dialects/graven/Graven.h"
#include "dialects/kernel/Kernel.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "passes/lower/LowerUtils.h"
#include "passes/lower/ScalarFormulas.h"
#include <limits>

using namespace mlir;

namespace graven {
namespace {

/// What both pools have in common; lists have one entry a spatial axis.
struct Pool {
  kernel::PoolKind kind;
  SmallVector<int64_t> kernel, strides, dilations, pads;
  bool countIncludePad;
  int64_t divisor;
  Layout layout;
  Type nodeElement;
  /// Axes on which x has no element; the tensor that is read has one.
  SmallVector<int64_t> emptyAxes;

  int64_t spatialRank() const { return kernel.size(); }
};

template <class OpTy> Pool commonOf(OpTy op) {
  Pool pool;
  pool.kernel.assign(op.getKernel().begin(), op.getKernel().end());
  pool.strides.assign(op.getStrides().begin(), op.getStrides().end());
  pool.dilations.assign(op.getDilations().begin(), op.getDilations().end());
  pool.pads.assign(op.getPads().begin(), op.getPads().end());
  pool.layout = op.getLayout();
  pool.nodeElement = op.getType().getElementType();
  pool.countIncludePad = false;
  pool.divisor = 0;
  return pool;
}

/// A 1-D pool as a 2-D one of height 1.
void make2d(Pool &pool) {
  for (auto *list : {&pool.kernel, &pool.strides, &pool.dilations})
    list->insert(list->begin(), 1);
  pool.pads = {0, pool.pads[0], 0, pool.pads[1]};
}

/// Elements of a window that one kernel still takes at once.
constexpr int64_t kLargeWindow = 9;

Value makePool(OpBuilder &b, Location loc, const Pool &pool, Value x,
               ArrayRef<int64_t> shape, Type element) {
  Value init = emptyTensor(b, loc, shape, element);
  return kernel::PoolOp::create(b, loc, init.getType(), pool.kind, x, init,
                                pool.kernel, pool.strides, pool.dilations,
                                pool.pads, pool.countIncludePad, pool.divisor)
      .getResults()[0];
}

Value lowerToKernel(OpBuilder &b, Location loc, Pool pool, Value x,
                    RankedTensorType type) {
  SmallVector<int64_t> in(cast<RankedTensorType>(x.getType()).getShape()),
      out(type.getShape());
  if (pool.spatialRank() == 1) {
    make2d(pool);
    in.insert(in.begin() + 2, 1);
    out.insert(out.begin() + 2, 1);
  }
  Value pooled = reshapeTo(b, loc, x, in);
  // The maximum of a large window is that of its rows' maxima.
  if (pool.kind == kernel::PoolKind::Max && pool.kernel[0] > 1 &&
      pool.kernel[1] > 1 && pool.kernel[0] * pool.kernel[1] > kLargeWindow) {
    Pool across = pool, down = pool;
    across.kernel[0] = across.strides[0] = across.dilations[0] = 1;
    down.kernel[1] = down.strides[1] = down.dilations[1] = 1;
    across.pads[0] = across.pads[2] = down.pads[1] = down.pads[3] = 0;
    SmallVector<int64_t> between(out);
    between[2] = in[2];
    pooled = makePool(b, loc, across, pooled, between, type.getElementType());
    pool = down;
  }
  pooled = makePool(b, loc, pool, pooled, out, type.getElementType());
  return reshapeTo(b, loc, pooled, type.getShape());
}

/// Walks the window of one result element; returns the accumulator and the
/// number of counted taps.
struct WindowWalk {
  const Pool &pool;
  Value x;
  Type compute;
  ValueRange index;
  bool isMax() const { return pool.kind == kernel::PoolKind::Max; }

  std::pair<Value, Value> run(OpBuilder &b, Location at) const {
    double lowest = -std::numeric_limits<double>::infinity();
    Value start;
    if (!isMax())
      start = emitConstant(b, at, compute, 0);
    else if (isa<FloatType>(compute))
      start = emitConstant(b, at, compute, lowest);
    else
      start = arith::ConstantOp::create(
          b, at,
          b.getIntegerAttr(
              compute,
              pool.nodeElement.isUnsignedInteger()
                  ? APInt::getZero(compute.getIntOrFloatBitWidth())
                  : APInt::getSignedMinValue(compute.getIntOrFloatBitWidth())));
    SmallVector<Value> carried =
        level(b, at, 0, {start, indexConstant(b, at, 0)}, {}, {}, {});
    return {carried[0], carried[1]};
  }

private:
  /// Loops over axis `axis` of the window. `inside` and `counted` say whether
  /// the taps so far lie in x, in x or pads.
  SmallVector<Value> level(OpBuilder &b, Location at, int64_t axis,
                           SmallVector<Value> carried,
                           SmallVector<Value> position, Value inside,
                           Value counted) const {
    if (axis == pool.spatialRank())
      return tap(b, at, carried, position, inside, counted);
    Value zero = indexConstant(b, at, 0), one = indexConstant(b, at, 1);
    auto loop = scf::ForOp::create(
        b, at, zero, indexConstant(b, at, pool.kernel[axis]), one, carried,
        [&](OpBuilder &inner, Location l, Value k, ValueRange args) {
          auto c = [&](int64_t v) { return indexConstant(inner, l, v); };
          auto joined = [&](Value p, Value q) -> Value {
            return p ? arith::AndIOp::create(inner, l, p, q).getResult() : q;
          };
          auto less = [&](Value p, Value q) -> Value {
            return arith::CmpIOp::create(inner, l, arith::CmpIPredicate::slt, p,
                                         q);
          };
          int64_t extent =
              llvm::is_contained(pool.emptyAxes, axis)
                  ? 0
                  : cast<RankedTensorType>(x.getType()).getDimSize(2 + axis);
          int64_t high = pool.pads[pool.spatialRank() + axis];
          Value first = arith::MulIOp::create(inner, l, index[2 + axis],
                                              c(pool.strides[axis]));
          Value offset =
              arith::MulIOp::create(inner, l, k, c(pool.dilations[axis]));
          Value p = arith::SubIOp::create(
              inner, l, arith::AddIOp::create(inner, l, first, offset),
              c(pool.pads[axis]));
          Value in = arith::AndIOp::create(inner, l, less(c(-1), p),
                                           less(p, c(extent)));
          Value safe = arith::MaxSIOp::create(
              inner, l, arith::MinSIOp::create(inner, l, p, c(extent - 1)),
              c(0));
          SmallVector<Value> where(position);
          where.push_back(safe);
          SmallVector<Value> next = level(
              inner, l, axis + 1, SmallVector<Value>(args), where,
              joined(inside, in), joined(counted, less(p, c(extent + high))));
          scf::YieldOp::create(inner, l, next);
        });
    return SmallVector<Value>(loop.getResults());
  }

  SmallVector<Value> tap(OpBuilder &b, Location at, ArrayRef<Value> carried,
                         ArrayRef<Value> position, Value inside,
                         Value counted) const {
    SmallVector<Value> where(index.take_front(2));
    llvm::append_range(where, position);
    llvm::append_range(where, index.drop_front(2 + pool.spatialRank()));
    Type element = cast<RankedTensorType>(x.getType()).getElementType();
    Value v = emitCast(b, at, tensor::ExtractOp::create(b, at, x, where),
                       element, compute);
    Value merged =
        isMax()
            ? emitExtreme(b, at, Extreme::Max, pool.nodeElement, carried[0], v)
            : arith::AddFOp::create(b, at, carried[0], v).getResult();
    Value more =
        arith::AddIOp::create(b, at, carried[1], indexConstant(b, at, 1));
    Value counts = pool.countIncludePad ? counted : inside;
    return {arith::SelectOp::create(b, at, inside, merged, carried[0]),
            arith::SelectOp::create(b, at, counts, more, carried[1])};
  }
};

Value lowerToLoops(OpBuilder &b, Location loc, const Pool &pool, Value x,
                   RankedTensorType type) {
  Type element = type.getElementType();
  Type compute = element.isF16() || element.isBF16() ? b.getF32Type() : element;
  return generate(
      b, loc, type.getShape(), element,
      [&](OpBuilder &inner, Location at, ValueRange i) -> Value {
        auto [sum, taps] = WindowWalk{pool, x, compute, i}.run(inner, at);
        if (pool.kind == kernel::PoolKind::Max)
          return emitCast(inner, at, sum, compute, element);
        Value n = emitConstant(inner, at, compute, pool.divisor);
        if (pool.divisor == 0)
          n = arith::SIToFPOp::create(
              inner, at, compute,
              arith::IndexCastOp::create(inner, at, inner.getI64Type(), taps));
        return emitCast(inner, at, arith::DivFOp::create(inner, at, sum, n),
                        compute, element);
      });
}

Value lowerPool(OpBuilder &b, Location loc, const Pool &pool, Value x,
                RankedTensorType type) {
  Type element = type.getElementType();
  // A window over padding alone reads one element that counts for nothing.
  if (isEmpty(x.getType())) {
    SmallVector<int64_t> shape;
    for (int64_t extent : cast<RankedTensorType>(x.getType()).getShape())
      shape.push_back(std::max<int64_t>(extent, 1));
    Pool padded = pool;
    for (int64_t axis = 0; axis < pool.spatialRank(); ++axis)
      if (cast<RankedTensorType>(x.getType()).getDimSize(2 + axis) == 0)
        padded.emptyAxes.push_back(axis);
    x = filledTensor(b, loc, shape, emitConstant(b, loc, element, 0));
    return lowerToLoops(b, loc, padded, x, type);
  }
  if (pool.spatialRank() <= 2 && isa<FloatType>(element) &&
      type.getNumElements() > 0)
    return lowerToKernel(b, loc, pool, x, type);
  return lowerToLoops(b, loc, pool, x, type);
}

struct LowerMaxPool : OpConversionPattern<MaxPoolOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(MaxPoolOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const final {
    Pool pool = commonOf(op);
    pool.kind = kernel::PoolKind::Max;
    rewriter.replaceOp(op,
                       lowerPool(rewriter, op.getLoc(), pool, adaptor.getX(),
                                 loweredType(op.getType())));
    return success();
  }
};

struct LowerAvgPool : OpConversionPattern<AvgPoolOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(AvgPoolOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const final {
    Pool pool = commonOf(op);
    pool.kind = kernel::PoolKind::Avg;
    pool.countIncludePad = op.getCountIncludePad();
    pool.divisor = op.getDivisor();
    rewriter.replaceOp(op,
                       lowerPool(rewriter, op.getLoc(), pool, adaptor.getX(),
                                 loweredType(op.getType())));
    return success();
  }
};

} // namespace

void populatePoolingLowering(RewritePatternSet &patterns) {
  patterns.add<LowerMaxPool, LowerAvgPool>(patterns.getContext());
}

} // namespace graven
