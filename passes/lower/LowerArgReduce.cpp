//===- LowerArgReduce.cpp - positions of extremes -------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the lowering of arg-reductions to reductions of pairs,
// an element and its position, so that neighbours are reduced side by side.
//===----------------------------------------------------------------------===//

#include "dialects/graven/Graven.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "passes/lower/LowerUtils.h"
#include "passes/lower/ScalarFormulas.h"

using namespace mlir;

namespace graven {
namespace {

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

/// Whether `candidate` is the extreme of two, and `best` is not.
Value beats(OpBuilder &b, Location at, ArgReduceOp op, Type nodeElement,
            Value candidate, Value best) {
  bool max = op.getKind() == ExtremeKind::Max;
  if (!isa<FloatType>(nodeElement)) {
    using P = arith::CmpIPredicate;
    bool isUnsigned =
        nodeElement.isUnsignedInteger() || nodeElement.isInteger(1);
    return arith::CmpIOp::create(
        b, at, isUnsigned ? (max ? P::ugt : P::ult) : (max ? P::sgt : P::slt),
        candidate, best);
  }
  using P = arith::CmpFPredicate;
  auto compare = [&](P p, Value x, Value y) -> Value {
    return arith::CmpFOp::create(b, at, p, x, y);
  };
  Value isNaN =
      arith::AndIOp::create(b, at, compare(P::UNO, candidate, candidate),
                            compare(P::ORD, best, best));
  return arith::OrIOp::create(
      b, at, compare(max ? P::OGT : P::OLT, candidate, best), isNaN);
}

struct LowerArgReduce : OpConversionPattern<ArgReduceOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(ArgReduceOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const final {
    Location loc = op.getLoc();
    auto from = cast<RankedTensorType>(adaptor.getX().getType());
    int64_t axis = op.getAxis();
    SmallVector<int64_t> shape(from.getShape());
    shape.erase(shape.begin() + axis);
    if (axis + 1 < from.getRank() && !isEmpty(from)) {
      Value result = reduceOuter(op, adaptor.getX(), shape, rewriter);
      rewriter.replaceOp(
          op, reshapeTo(rewriter, loc, result, op.getType().getShape()));
      return success();
    }
    Value result = isLong(op, from) ? reduceInner(op, adaptor.getX(), rewriter)
                                    : walk(op, adaptor.getX(), shape, rewriter);
    rewriter.replaceOp(
        op, reshapeTo(rewriter, loc, result, op.getType().getShape()));
    return success();
  }

private:
  /// Neighbours that are reduced side by side along the last axis: vectors
  /// enough for any target.
  static constexpr int64_t kLanes = 32;

  static bool isLong(ArgReduceOp op, RankedTensorType from) {
    int64_t extent = from.getRank() == 0 ? 0 : from.getShape().back();
    return static_cast<int64_t>(op.getAxis()) + 1 == from.getRank() &&
           !isEmpty(from) && extent >= 4 * kLanes && extent <= INT32_MAX;
  }

  /// Element by element.
  static Value walk(ArgReduceOp op, Value x, ArrayRef<int64_t> shape,
                    OpBuilder &builder) {
    auto from = cast<RankedTensorType>(x.getType());
    return generate(
        builder, op.getLoc(), shape, builder.getI64Type(),
        [&](OpBuilder &b, Location at, ValueRange i) -> Value {
          auto read = [&](OpBuilder &inner, Value position) -> Value {
            SmallVector<Value> where(i);
            where.insert(where.begin() + op.getAxis(), position);
            return tensor::ExtractOp::create(inner, at, x, where);
          };
          Value zero = indexConstant(b, at, 0), one = indexConstant(b, at, 1);
          Value end = indexConstant(b, at, from.getDimSize(op.getAxis()));
          Value where =
              walkOn(op, b, at, one, end, {read(b, zero), zero}, read);
          return arith::IndexCastOp::create(b, at, b.getI64Type(), where);
        });
  }

  /// The position of the extreme among those so far, an element and its
  /// position, and the elements [first, end).
  static Value walkOn(ArgReduceOp op, OpBuilder &b, Location at, Value first,
                      Value end, ArrayRef<Value> start,
                      function_ref<Value(OpBuilder &, Value)> read) {
    Type nodeElement = op.getX().getType().getElementType();
    auto loop = scf::ForOp::create(
        b, at, first, end, indexConstant(b, at, 1), start,
        [&](OpBuilder &inner, Location, Value p, ValueRange carried) {
          Value candidate = read(inner, p);
          Value take =
              replaces(inner, at, op, nodeElement, candidate, carried[0]);
          Value best =
              arith::SelectOp::create(inner, at, take, candidate, carried[0]);
          Value where = arith::SelectOp::create(inner, at, take, p, carried[1]);
          scf::YieldOp::create(inner, at, ValueRange{best, where});
        });
    return loop.getResult(1);
  }

  /// Along a long last axis, as rows of kLanes: columns first, then the
  /// extremes of the columns, of which equal ones are told by their positions,
  /// then what is left of the axis.
  static Value reduceInner(ArgReduceOp op, Value x, OpBuilder &builder) {
    Location loc = op.getLoc();
    auto from = cast<RankedTensorType>(x.getType());
    Type nodeElement = op.getX().getType().getElementType();
    int64_t extent = from.getShape().back(), rows = extent / kLanes,
            outer = from.getNumElements() / extent;
    Value flat = reshapeTo(builder, loc, x, {outer, extent});
    Value whole = flat;
    if (rows * kLanes < extent)
      whole = tensor::ExtractSliceOp::create(
          builder, loc, flat, indexAttributes(builder, {0, 0}),
          indexAttributes(builder, {outer, rows * kLanes}),
          indexAttributes(builder, {1, 1}));
    whole = tensor::ExpandShapeOp::create(
        builder, loc,
        RankedTensorType::get({outer, rows, kLanes}, from.getElementType()),
        whole, ArrayRef<ReassociationIndices>{{0}, {1, 2}});
    auto [bests, wheres] =
        reducePairs(op, whole, /*axis=*/1, {outer, kLanes}, builder);
    return generate(
        builder, loc, {outer}, builder.getI64Type(),
        [&](OpBuilder &b, Location at, ValueRange i) -> Value {
          auto c = [&](int64_t v) { return indexConstant(b, at, v); };
          auto column = [&](OpBuilder &inner,
                            Value lane) -> std::pair<Value, Value> {
            SmallVector<Value> position{i[0], lane};
            Value best = tensor::ExtractOp::create(inner, at, bests, position);
            Value row = arith::IndexCastOp::create(
                inner, at, inner.getIndexType(),
                tensor::ExtractOp::create(inner, at, wheres, position));
            Value start = arith::MulIOp::create(
                inner, at, row, indexConstant(inner, at, kLanes));
            return {best, arith::AddIOp::create(inner, at, start, lane)};
          };
          auto [best, where] = column(b, c(0));
          auto loop = scf::ForOp::create(
              b, at, c(1), c(kLanes), c(1), ValueRange{best, where},
              [&](OpBuilder &inner, Location, Value lane, ValueRange carried) {
                auto [candidate, position] = column(inner, lane);
                auto order = op.getLastIndex() ? arith::CmpIPredicate::ugt
                                               : arith::CmpIPredicate::ult;
                Value comesFirst = arith::CmpIOp::create(inner, at, order,
                                                         position, carried[1]);
                // Replaces what it beats, and what does not beat it but stands
                // on the wrong side.
                Value wins =
                    beats(inner, at, op, nodeElement, candidate, carried[0]);
                Value loses =
                    beats(inner, at, op, nodeElement, carried[0], candidate);
                Value equal = arith::AndIOp::create(
                    inner, at, comesFirst,
                    arith::XOrIOp::create(
                        inner, at, loses,
                        arith::ConstantOp::create(inner, at,
                                                  inner.getBoolAttr(true))));
                Value take = arith::OrIOp::create(inner, at, wins, equal);
                scf::YieldOp::create(
                    inner, at,
                    ValueRange{arith::SelectOp::create(inner, at, take,
                                                       candidate, carried[0]),
                               arith::SelectOp::create(inner, at, take,
                                                       position, carried[1])});
              });
          auto read = [&](OpBuilder &inner, Value position) -> Value {
            return tensor::ExtractOp::create(inner, at, flat,
                                             ValueRange{i[0], position});
          };
          Value result = walkOn(op, b, at, c(rows * kLanes), c(extent),
                                {loop.getResult(0), loop.getResult(1)}, read);
          return arith::IndexCastOp::create(b, at, b.getI64Type(), result);
        });
  }

  /// Along an axis that is not the last one.
  static Value reduceOuter(ArgReduceOp op, Value x, ArrayRef<int64_t> shape,
                           OpBuilder &b) {
    Value wheres = reducePairs(op, x, op.getAxis(), shape, b).second;
    return mapElements(
        b, op.getLoc(), shape, b.getI64Type(), wheres,
        {AffineMap::getMultiDimIdentityMap(shape.size(), b.getContext())},
        [](OpBuilder &inner, Location at, ValueRange args) -> Value {
          return arith::ExtUIOp::create(inner, at, inner.getI64Type(), args[0]);
        });
  }

  /// A reduction of pairs, so that neighbours are reduced side by side, along
  /// an axis that is not the last one: the extremes, and their positions, which
  /// are read from a table.
  static std::pair<Value, Value> reducePairs(ArgReduceOp op, Value x,
                                             int64_t axis,
                                             ArrayRef<int64_t> shape,
                                             OpBuilder &b) {
    Location loc = op.getLoc();
    MLIRContext *context = b.getContext();
    auto from = cast<RankedTensorType>(x.getType());
    Type nodeElement = op.getX().getType().getElementType();
    int64_t rank = from.getRank();
    SmallVector<int32_t> positions;
    for (int64_t p = 0; p < from.getDimSize(axis); ++p)
      positions.push_back(p);
    Value table = arith::ConstantOp::create(
        b, loc,
        DenseElementsAttr::get(
            RankedTensorType::get({from.getDimSize(axis)}, b.getI32Type()),
            ArrayRef<int32_t>(positions)));
    // The first element begins, at position 0.
    SmallVector<int64_t> window(from.getShape()), zeros(rank, 0), ones(rank, 1);
    window[axis] = 1;
    Value first = tensor::ExtractSliceOp::create(
        b, loc, x, indexAttributes(b, zeros), indexAttributes(b, window),
        indexAttributes(b, ones));
    first = copyElements(b, loc, shape, reshapeTo(b, loc, first, shape),
                         AffineMap::getMultiDimIdentityMap(rank - 1, context));
    Value start =
        filledTensor(b, loc, shape, emitConstant(b, loc, b.getI32Type(), 0));
    SmallVector<int64_t> kept;
    SmallVector<utils::IteratorType> iterators;
    for (int64_t d = 0; d < rank; ++d) {
      iterators.push_back(d == axis ? utils::IteratorType::reduction
                                    : utils::IteratorType::parallel);
      if (d != axis)
        kept.push_back(d);
    }
    AffineMap result = selectAxes(context, rank, kept);
    SmallVector<AffineMap> maps{
        AffineMap::getMultiDimIdentityMap(rank, context),
        selectAxes(context, rank, {axis}), result, result};
    auto reduced = linalg::GenericOp::create(
        b, loc, TypeRange{first.getType(), start.getType()},
        ValueRange{x, table}, ValueRange{first, start}, maps, iterators,
        [&](OpBuilder &inner, Location at, ValueRange args) {
          Value take = replaces(inner, at, op, nodeElement, args[0], args[2]);
          Value best =
                    arith::SelectOp::create(inner, at, take, args[0], args[2]),
                where =
                    arith::SelectOp::create(inner, at, take, args[1], args[3]);
          linalg::YieldOp::create(inner, at, ValueRange{best, where});
        });
    return {reduced.getResult(0), reduced.getResult(1)};
  }
};

} // namespace

void populateArgReduceLowering(RewritePatternSet &patterns) {
  patterns.add<LowerArgReduce>(patterns.getContext());
}

} // namespace graven
