//===- LowerReduction.cpp - reductions and scans --------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the lowering of reductions to reduction nests, and of
// the Nodes that walk an axis in order to a loop inside a parallel nest.
//===----------------------------------------------------------------------===//

#include "dialects/graven/Graven.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "passes/lower/LowerUtils.h"
#include "passes/lower/ScalarFormulas.h"
#include <limits>

using namespace mlir;

namespace graven {
namespace {

/// The value with which a reduction of the Node's element type begins.
Value identityOf(OpBuilder &b, Location loc, ReduceKind kind, Type nodeElement,
                 Type accumulator) {
  bool floating = isa<FloatType>(nodeElement);
  auto bound = [&](bool greatest) -> Value {
    if (floating) {
      double infinity = std::numeric_limits<double>::infinity();
      return emitConstant(b, loc, accumulator, greatest ? infinity : -infinity);
    }
    unsigned width = accumulator.getIntOrFloatBitWidth();
    bool isUnsigned =
        nodeElement.isUnsignedInteger() || nodeElement.isInteger(1);
    APInt value = isUnsigned ? (greatest ? APInt::getMaxValue(width)
                                         : APInt::getZero(width))
                             : (greatest ? APInt::getSignedMaxValue(width)
                                         : APInt::getSignedMinValue(width));
    return arith::ConstantOp::create(b, loc,
                                     b.getIntegerAttr(accumulator, value));
  };
  switch (kind) {
  case ReduceKind::Sum:
  case ReduceKind::Mean:
  case ReduceKind::Or:
    return emitConstant(b, loc, accumulator, 0);
  case ReduceKind::Prod:
    return emitConstant(b, loc, accumulator, 1);
  case ReduceKind::And:
    return emitConstant(b, loc, accumulator, -1);
  case ReduceKind::Max:
    return bound(/*greatest=*/false);
  case ReduceKind::Min:
    return bound(/*greatest=*/true);
  }
  llvm_unreachable("unknown kind");
}

Value combine(OpBuilder &b, Location loc, ReduceKind kind, Type nodeElement,
              Value x, Value y) {
  bool floating = isa<FloatType>(nodeElement);
  switch (kind) {
  case ReduceKind::Sum:
  case ReduceKind::Mean:
    return floating ? arith::AddFOp::create(b, loc, x, y).getResult()
                    : arith::AddIOp::create(b, loc, x, y);
  case ReduceKind::Prod:
    return floating ? arith::MulFOp::create(b, loc, x, y).getResult()
                    : arith::MulIOp::create(b, loc, x, y);
  case ReduceKind::And:
    return arith::AndIOp::create(b, loc, x, y);
  case ReduceKind::Or:
    return arith::OrIOp::create(b, loc, x, y);
  case ReduceKind::Max:
    return emitExtreme(b, loc, Extreme::Max, nodeElement, x, y);
  case ReduceKind::Min:
    return emitExtreme(b, loc, Extreme::Min, nodeElement, x, y);
  }
  llvm_unreachable("unknown kind");
}

/// f16 and bf16 accumulate in f32.
Type accumulatorOf(Type element) {
  return element.isF16() || element.isBF16()
             ? Float32Type::get(element.getContext())
             : element;
}

struct LowerReduce : OpConversionPattern<ReduceOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(ReduceOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const final {
    Location loc = op.getLoc();
    auto from = cast<RankedTensorType>(adaptor.getX().getType());
    RankedTensorType type = loweredType(op.getType());
    Type nodeElement = op.getType().getElementType(),
         element = from.getElementType();
    Type accumulator = accumulatorOf(element);
    int64_t rank = from.getRank(), count = 1;
    SmallVector<utils::IteratorType> iterators(rank,
                                               utils::IteratorType::parallel);
    SmallVector<int64_t> kept, shape;
    for (int64_t axis = 0; axis < rank; ++axis) {
      if (llvm::is_contained(op.getAxes(), axis)) {
        iterators[axis] = utils::IteratorType::reduction;
        count *= from.getDimSize(axis);
        continue;
      }
      kept.push_back(axis);
      shape.push_back(from.getDimSize(axis));
    }
    Value start =
        identityOf(rewriter, loc, op.getKind(), nodeElement, accumulator);
    Value reduced = filledTensor(rewriter, loc, shape, start);
    SmallVector<AffineMap> maps{
        AffineMap::getMultiDimIdentityMap(rank, getContext()),
        selectAxes(getContext(), rank, kept)};
    if (!isEmpty(from))
      reduced =
          linalg::GenericOp::create(
              rewriter, loc, reduced.getType(), adaptor.getX(), reduced, maps,
              iterators,
              [&](OpBuilder &b, Location at, ValueRange args) {
                Value wide = emitCast(b, at, args[0], element, accumulator);
                linalg::YieldOp::create(
                    b, at,
                    combine(b, at, op.getKind(), nodeElement, args[1], wide));
              })
              .getResult(0);
    if (op.getKind() == ReduceKind::Mean)
      reduced = divide(rewriter, loc, reduced, nodeElement, count);
    reduced = isa<FloatType>(element)
                  ? convertElements(rewriter, loc, reduced, element)
                  : reduced;
    rewriter.replaceOp(op, reshapeTo(rewriter, loc, reduced, type.getShape()));
    return success();
  }

  static Value divide(OpBuilder &b, Location loc, Value sums, Type nodeElement,
                      int64_t count) {
    auto type = cast<RankedTensorType>(sums.getType());
    AffineMap identity =
        AffineMap::getMultiDimIdentityMap(type.getRank(), b.getContext());
    return mapElements(
        b, loc, type.getShape(), type.getElementType(), sums, identity,
        [&](OpBuilder &inner, Location at, ValueRange args) -> Value {
          Value divisor = emitConstant(inner, at, type.getElementType(), count);
          if (isa<FloatType>(nodeElement))
            return arith::DivFOp::create(inner, at, args[0], divisor);
          if (count == 0)
            return args[0];
          if (nodeElement.isUnsignedInteger())
            return arith::DivUIOp::create(inner, at, args[0], divisor);
          return arith::DivSIOp::create(inner, at, args[0], divisor);
        });
  }
};

/// Whether `candidate` replaces the extreme so far: NaN is the extreme, ties
/// keep the first or take the last.
Value replaces(OpBuilder &b, Location at, ArgReduceOp op, Type nodeElement,
               Value candidate, Value best) {
  bool max = op.getKind() == ExtremeKind::Max;
  if (isa<FloatType>(nodeElement)) {
    using P = arith::CmpFPredicate;
    auto compare = [&](P p, Value x, Value y) -> Value {
      return arith::CmpFOp::create(b, at, p, x, y);
    };
    P order =
        op.getLastIndex() ? (max ? P::OGE : P::OLE) : (max ? P::OGT : P::OLT);
    Value better = compare(order, candidate, best);
    Value isNaN = compare(P::UNO, candidate, candidate);
    if (!op.getLastIndex())
      isNaN = arith::AndIOp::create(b, at, isNaN, compare(P::ORD, best, best));
    return arith::OrIOp::create(b, at, better, isNaN);
  }
  using P = arith::CmpIPredicate;
  bool isUnsigned = nodeElement.isUnsignedInteger() || nodeElement.isInteger(1);
  P order = isUnsigned ? (op.getLastIndex() ? (max ? P::uge : P::ule)
                                            : (max ? P::ugt : P::ult))
                       : (op.getLastIndex() ? (max ? P::sge : P::sle)
                                            : (max ? P::sgt : P::slt));
  return arith::CmpIOp::create(b, at, order, candidate, best);
}

struct LowerArgReduce : OpConversionPattern<ArgReduceOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(ArgReduceOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const final {
    Location loc = op.getLoc();
    auto from = cast<RankedTensorType>(adaptor.getX().getType());
    Type nodeElement = op.getX().getType().getElementType();
    int64_t axis = op.getAxis();
    SmallVector<int64_t> shape(from.getShape());
    shape.erase(shape.begin() + axis);
    Value result = generate(
        rewriter, loc, shape, rewriter.getI64Type(),
        [&](OpBuilder &b, Location at, ValueRange i) -> Value {
          auto read = [&](OpBuilder &inner, Value position) -> Value {
            SmallVector<Value> where(i);
            where.insert(where.begin() + axis, position);
            return tensor::ExtractOp::create(inner, at, adaptor.getX(), where);
          };
          Value zero = indexConstant(b, at, 0), one = indexConstant(b, at, 1);
          Value end = indexConstant(b, at, from.getDimSize(axis));
          SmallVector<Value> start{read(b, zero), zero};
          auto loop = scf::ForOp::create(
              b, at, one, end, one, start,
              [&](OpBuilder &inner, Location, Value p, ValueRange carried) {
                Value candidate = read(inner, p);
                Value take =
                    replaces(inner, at, op, nodeElement, candidate, carried[0]);
                Value best = arith::SelectOp::create(inner, at, take, candidate,
                                                     carried[0]);
                Value where =
                    arith::SelectOp::create(inner, at, take, p, carried[1]);
                scf::YieldOp::create(inner, at, ValueRange{best, where});
              });
          return arith::IndexCastOp::create(b, at, b.getI64Type(),
                                            loop.getResult(1));
        });
    rewriter.replaceOp(
        op, reshapeTo(rewriter, loc, result, op.getType().getShape()));
    return success();
  }
};

/// Each element walks its prefix: quadratic in the axis, which in models holds
/// positions of a sequence.
struct LowerCumReduce : OpConversionPattern<CumReduceOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(CumReduceOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const final {
    Location loc = op.getLoc();
    auto type = cast<RankedTensorType>(adaptor.getX().getType());
    Type nodeElement = op.getType().getElementType(),
         element = type.getElementType();
    Type accumulator = accumulatorOf(element);
    int64_t axis = op.getAxis();
    rewriter.replaceOp(
        op,
        generate(
            rewriter, loc, type.getShape(), element,
            [&](OpBuilder &b, Location at, ValueRange i) -> Value {
              Value one = indexConstant(b, at, 1), position = i[axis];
              Value last = indexConstant(b, at, type.getDimSize(axis) - 1);
              Value steps =
                  op.getReverse()
                      ? arith::SubIOp::create(b, at, last, position).getResult()
                      : position;
              if (!op.getExclusive())
                steps = arith::AddIOp::create(b, at, steps, one);
              Value start =
                  identityOf(b, at, op.getKind(), nodeElement, accumulator);
              auto loop = scf::ForOp::create(
                  b, at, indexConstant(b, at, 0), steps, one, start,
                  [&](OpBuilder &inner, Location, Value step,
                      ValueRange carried) {
                    SmallVector<Value> where(i);
                    where[axis] =
                        op.getReverse()
                            ? arith::SubIOp::create(inner, at, last, step)
                                  .getResult()
                            : step;
                    Value x = tensor::ExtractOp::create(inner, at,
                                                        adaptor.getX(), where);
                    Value wide = emitCast(inner, at, x, element, accumulator);
                    scf::YieldOp::create(inner, at,
                                         combine(inner, at, op.getKind(),
                                                 nodeElement, carried[0],
                                                 wide));
                  });
              return emitCast(b, at, loop.getResult(0), accumulator, element);
            }));
    return success();
  }
};

} // namespace

void populateReductionLowering(RewritePatternSet &patterns) {
  patterns.add<LowerReduce, LowerArgReduce, LowerCumReduce>(
      patterns.getContext());
}

} // namespace graven
