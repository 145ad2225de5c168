//===- LowerReduction.cpp - reductions ------------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the lowering of reductions to reduction nests.
//===----------------------------------------------------------------------===//

#include "passes/lower/LowerUtils.h"
#include "passes/lower/Reductions.h"
#include "passes/lower/ScalarFormulas.h"
#include <limits>

using namespace mlir;

namespace graven {

TypedAttr identityOf(ReduceKind kind, Type nodeElement, Type accumulator) {
  Builder b(accumulator.getContext());
  bool floating = isa<FloatType>(nodeElement);
  auto number = [&](int64_t value) -> TypedAttr {
    return floating ? TypedAttr(b.getFloatAttr(accumulator, double(value)))
                    : b.getIntegerAttr(accumulator, value);
  };
  auto bound = [&](bool greatest) -> TypedAttr {
    if (floating) {
      double infinity = std::numeric_limits<double>::infinity();
      return b.getFloatAttr(accumulator, greatest ? infinity : -infinity);
    }
    unsigned width = accumulator.getIntOrFloatBitWidth();
    bool isUnsigned =
        nodeElement.isUnsignedInteger() || nodeElement.isInteger(1);
    APInt value = isUnsigned ? (greatest ? APInt::getMaxValue(width)
                                         : APInt::getZero(width))
                             : (greatest ? APInt::getSignedMaxValue(width)
                                         : APInt::getSignedMinValue(width));
    return b.getIntegerAttr(accumulator, value);
  };
  switch (kind) {
  case ReduceKind::Sum:
  case ReduceKind::Mean:
  case ReduceKind::Or:
    return number(0);
  case ReduceKind::Prod:
    return number(1);
  case ReduceKind::And:
    return number(-1);
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

Type accumulatorOf(Type element) {
  return element.isF16() || element.isBF16()
             ? Float32Type::get(element.getContext())
             : element;
}

namespace {

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
    Type accumulator = op.getKind() == ReduceKind::Mean
                           ? meanAccumulatorOf(element)
                           : accumulatorOf(element);
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
    Value start = arith::ConstantOp::create(
        rewriter, loc, identityOf(op.getKind(), nodeElement, accumulator));
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
                Value wide = emitCast(b, at, args[0], nodeElement, accumulator);
                linalg::YieldOp::create(
                    b, at,
                    combine(b, at, op.getKind(), nodeElement, args[1], wide));
              })
              .getResult(0);
    if (op.getKind() == ReduceKind::Mean)
      reduced = divide(rewriter, loc, reduced, nodeElement, count);
    if (isa<FloatType>(element))
      reduced = convertElements(rewriter, loc, reduced, element);
    rewriter.replaceOp(op, reshapeTo(rewriter, loc, reduced, type.getShape()));
    return success();
  }

  /// A sum of ints may be greater than any of their type; a mean is none.
  static Type meanAccumulatorOf(Type element) {
    return isa<IntegerType>(element)
               ? IntegerType::get(element.getContext(), 64)
               : accumulatorOf(element);
  }

  /// Floats stay in their accumulator, ints get their type back.
  static Value divide(OpBuilder &b, Location loc, Value sums, Type nodeElement,
                      int64_t count) {
    auto type = cast<RankedTensorType>(sums.getType());
    Type wide = type.getElementType();
    bool floating = isa<FloatType>(nodeElement);
    Type narrow = floating ? wide : signless(nodeElement);
    AffineMap identity =
        AffineMap::getMultiDimIdentityMap(type.getRank(), b.getContext());
    return mapElements(
        b, loc, type.getShape(), narrow, sums, identity,
        [&](OpBuilder &inner, Location at, ValueRange args) -> Value {
          // Without elements, the sum of ints is the 0 that their mean is.
          Value divisor = emitConstant(
              inner, at, wide, floating ? count : std::max<int64_t>(count, 1));
          if (floating)
            return arith::DivFOp::create(inner, at, args[0], divisor);
          Value quotient =
              nodeElement.isUnsignedInteger()
                  ? arith::DivUIOp::create(inner, at, args[0], divisor)
                        .getResult()
                  : arith::DivSIOp::create(inner, at, args[0], divisor);
          return emitCast(inner, at, quotient, wide, narrow);
        });
  }
};

} // namespace

void populateReductionLowering(RewritePatternSet &patterns) {
  patterns.add<LowerReduce>(patterns.getContext());
}

} // namespace graven
