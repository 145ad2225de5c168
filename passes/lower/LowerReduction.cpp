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

/// Along a short axis each element walks its prefix, which is quadratic but one
/// kernel. Along others, a loop adds up slices of all other axes.
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
    int64_t axis = op.getAxis(), extent = type.getDimSize(axis);
    constexpr int64_t shortAxis = 32;
    if (extent > shortAxis && !isEmpty(type)) {
      rewriter.replaceOp(op, addSlices(op, adaptor.getX(), rewriter));
      return success();
    }
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

private:
  static Value addSlices(CumReduceOp op, Value x, OpBuilder &b) {
    Location loc = op.getLoc();
    auto type = cast<RankedTensorType>(x.getType());
    Type nodeElement = op.getType().getElementType(),
         element = type.getElementType(), accumulator = accumulatorOf(element);
    int64_t axis = op.getAxis(), extent = type.getDimSize(axis),
            rest = type.getNumElements() / extent;
    // The axis first.
    SmallVector<int64_t> order{axis}, back(type.getRank()), shape{extent};
    for (int64_t d = 0; d < type.getRank(); ++d)
      if (d != axis) {
        order.push_back(d);
        shape.push_back(type.getDimSize(d));
      }
    for (auto [to, from] : llvm::enumerate(order))
      back[from] = to;
    if (axis != 0)
      x = transposeTo(b, loc, x, order);
    x = reshapeTo(b, loc, x, {extent, rest});
    Value sums = emptyTensor(b, loc, {extent, rest}, element),
          start = filledTensor(
              b, loc, {1, rest},
              identityOf(b, loc, op.getKind(), nodeElement, accumulator));
    AffineMap identity = AffineMap::getMultiDimIdentityMap(2, b.getContext());
    SmallVector<utils::IteratorType> iterators(2,
                                               utils::IteratorType::parallel);
    auto loop = scf::ForOp::create(
        b, loc, indexConstant(b, loc, 0), indexConstant(b, loc, extent),
        indexConstant(b, loc, 1), ValueRange{sums, start},
        [&](OpBuilder &inner, Location at, Value step, ValueRange carried) {
          Value position =
              op.getReverse()
                  ? arith::SubIOp::create(
                        inner, at, indexConstant(inner, at, extent - 1), step)
                        .getResult()
                  : step;
          SmallVector<OpFoldResult> offsets{position, inner.getIndexAttr(0)},
              sizes = indexAttributes(inner, {1, rest}),
              ones = indexAttributes(inner, {1, 1});
          auto store = [&](Value slice, Value into) -> Value {
            slice = convertElements(inner, at, slice, element);
            return tensor::InsertSliceOp::create(inner, at, slice, into,
                                                 offsets, sizes, ones);
          };
          Value result = carried[0];
          if (op.getExclusive())
            result = store(carried[1], result);
          Value slice = tensor::ExtractSliceOp::create(inner, at, x, offsets,
                                                       sizes, ones);
          Value next = linalg::GenericOp::create(
                           inner, at, start.getType(), slice, carried[1],
                           ArrayRef<AffineMap>{identity, identity}, iterators,
                           [&](OpBuilder &body, Location l, ValueRange args) {
                             Value wide = emitCast(body, l, args[0], element,
                                                   accumulator);
                             linalg::YieldOp::create(
                                 body, l,
                                 combine(body, l, op.getKind(), nodeElement,
                                         args[1], wide));
                           })
                           .getResult(0);
          if (!op.getExclusive())
            result = store(next, result);
          scf::YieldOp::create(inner, at, ValueRange{result, next});
        });
    x = reshapeTo(b, loc, loop.getResult(0), shape);
    return axis == 0 ? x : transposeTo(b, loc, x, back);
  }
};

} // namespace

void populateReductionLowering(RewritePatternSet &patterns) {
  patterns.add<LowerReduce, LowerArgReduce, LowerCumReduce>(
      patterns.getContext());
}

} // namespace graven
