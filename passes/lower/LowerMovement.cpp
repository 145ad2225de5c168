//===- LowerMovement.cpp - shape and data movement ------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the lowering of Nodes that only copy: to views where a
// view can stand for the result, to copies that fuse with their neighbours
// elsewhere.
//===----------------------------------------------------------------------===//

#include "dialects/graven/Graven.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "passes/lower/LowerUtils.h"
#include "passes/lower/ScalarFormulas.h"

using namespace mlir;

namespace graven {
namespace {

struct LowerReshape : OpConversionPattern<ReshapeOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(ReshapeOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const final {
    rewriter.replaceOp(op, reshapeTo(rewriter, op.getLoc(), adaptor.getX(),
                                     op.getType().getShape()));
    return success();
  }
};

struct LowerTranspose : OpConversionPattern<TransposeOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(TransposeOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const final {
    rewriter.replaceOp(op, transposeTo(rewriter, op.getLoc(), adaptor.getX(),
                                       op.getPermutation()));
    return success();
  }
};

struct LowerBroadcast : OpConversionPattern<BroadcastOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(BroadcastOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const final {
    RankedTensorType type = loweredType(op.getType());
    SmallVector<AffineExpr> exprs;
    for (auto [axis, extent] :
         llvm::zip(op.getAxes(), op.getX().getType().getShape()))
      exprs.push_back(extent == 1 && type.getDimSize(axis) != 1
                          ? rewriter.getAffineConstantExpr(0)
                          : rewriter.getAffineDimExpr(axis));
    AffineMap map = AffineMap::get(type.getRank(), 0, exprs, getContext());
    rewriter.replaceOp(op, copyElements(rewriter, op.getLoc(), type.getShape(),
                                        adaptor.getX(), map));
    return success();
  }
};

struct LowerSlice : OpConversionPattern<SliceOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(SliceOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const final {
    SmallVector<OpFoldResult> starts;
    ArrayRef<int64_t> shape = op.getX().getType().getShape();
    if (RankedTensorType type = loweredType(op.getType()); isEmpty(type)) {
      rewriter.replaceOp(op, emptyTensor(rewriter, op.getLoc(), type.getShape(),
                                         type.getElementType()));
      return success();
    }
    auto dynamic = adaptor.getDynamicStarts().begin();
    for (auto [d, start, end, step, extent] :
         llvm::zip(shape, op.getStarts(), op.getEnds(), op.getSteps(),
                   op.getType().getShape()))
      if (ShapedType::isDynamic(start))
        starts.push_back(
            startOf(rewriter, op.getLoc(), *dynamic++, d, extent, step));
      else
        starts.push_back(rewriter.getIndexAttr(
            resolveSlice(d, start, ShapedType::isDynamic(end) ? d : end, step)
                .start));
    rewriter.replaceOpWithNewOp<tensor::ExtractSliceOp>(
        op, adaptor.getX(), starts,
        indexAttributes(rewriter, op.getType().getShape()),
        indexAttributes(rewriter, op.getSteps()));
    return success();
  }

  /// The start along an axis of d elements. The type of the result promises
  /// `extent` elements from there on, so that clamping keeps what is promised
  /// and never reads outside.
  static Value startOf(OpBuilder &b, Location loc, Value scalar, int64_t d,
                       int64_t extent, int64_t step) {
    Value start = arith::IndexCastOp::create(
        b, loc, b.getIndexType(),
        tensor::ExtractOp::create(b, loc, scalar, ValueRange()));
    Value zero = indexConstant(b, loc, 0);
    Value fromEnd =
        arith::AddIOp::create(b, loc, start, indexConstant(b, loc, d));
    Value negative =
        arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, start, zero);
    start = arith::SelectOp::create(b, loc, negative, fromEnd, start);
    int64_t most = extent == 0 ? 0 : d - (extent - 1) * step - 1;
    start = arith::MinSIOp::create(b, loc, start, indexConstant(b, loc, most));
    return arith::MaxSIOp::create(b, loc, start, zero);
  }
};

/// Whether `first` begins a chain of insertions, each the one user of the one
/// before, which write all elements: as many different starts as there are
/// steps, from each of which a slice goes on to the end.
bool coverEverything(InsertSliceOp first) {
  int64_t phases = 1;
  for (auto [step, d] : llvm::zip(first.getSteps(), first.getType().getShape()))
    phases *= std::min(step, d);
  SmallVector<SmallVector<int64_t>> seen;
  InsertSliceOp op = first;
  for (;;) {
    if (op.getSteps() != first.getSteps() || !op.getDynamicStarts().empty())
      return false;
    for (auto [d, start, step, extent] :
         llvm::zip(op.getType().getShape(), op.getStarts(), op.getSteps(),
                   op.getSrc().getType().getShape()))
      if (start < 0 || start >= step ||
          extent != llvm::divideCeilSigned(d - start, step))
        return false;
    if (llvm::is_contained(seen, SmallVector<int64_t>(op.getStarts())))
      return false;
    seen.emplace_back(op.getStarts());
    if (static_cast<int64_t>(seen.size()) == phases)
      return true;
    if (!op->hasOneUse())
      return false;
    auto next = dyn_cast<InsertSliceOp>(*op->getUsers().begin());
    if (!next || next.getDest() != op.getResult())
      return false;
    op = next;
  }
}

struct LowerInsertSlice : OpConversionPattern<InsertSliceOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(InsertSliceOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const final {
    if (!op.getDynamicStarts().empty())
      return refuse(op, "has starts that are not constant");
    if (isEmpty(op.getSrc().getType())) {
      rewriter.replaceOp(op, adaptor.getDest());
      return success();
    }
    SmallVector<int64_t> starts;
    for (auto [d, start] :
         llvm::zip(op.getDest().getType().getShape(), op.getStarts()))
      starts.push_back(start < 0 ? start + d : start);
    // A constant of which nothing stays need not be written.
    Value dest = adaptor.getDest();
    if (op.getDest().getDefiningOp<ConstantOp>() && coverEverything(op)) {
      RankedTensorType type = loweredType(op.getType());
      dest = emptyTensor(rewriter, op.getLoc(), type.getShape(),
                         type.getElementType());
    }
    rewriter.replaceOpWithNewOp<tensor::InsertSliceOp>(
        op, adaptor.getSrc(), dest, indexAttributes(rewriter, starts),
        indexAttributes(rewriter, op.getSrc().getType().getShape()),
        indexAttributes(rewriter, op.getSteps()));
    return success();
  }
};

/// Parts of one type but for the axis, one behind the other.
Value joined(OpBuilder &b, Location loc, ValueRange parts, int64_t axis) {
  auto typeOf = [](Value part) {
    return cast<RankedTensorType>(part.getType());
  };
  SmallVector<int64_t> shape(typeOf(parts.front()).getShape());
  shape[axis] = 0;
  for (Value part : parts)
    shape[axis] += typeOf(part).getDimSize(axis);
  Value result =
      emptyTensor(b, loc, shape, typeOf(parts.front()).getElementType());
  SmallVector<int64_t> offsets(shape.size(), 0), ones(shape.size(), 1);
  for (Value part : parts) {
    ArrayRef<int64_t> own = typeOf(part).getShape();
    if (!llvm::is_contained(own, 0))
      result = tensor::InsertSliceOp::create(
          b, loc, part, result, indexAttributes(b, offsets),
          indexAttributes(b, own), indexAttributes(b, ones));
    offsets[axis] += own[axis];
  }
  return result;
}

struct LowerConcat : OpConversionPattern<ConcatOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(ConcatOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const final {
    // Bufferization looks at each pair of slices that are written to one tensor
    // for each of them, so many parts are joined in groups first.
    constexpr size_t mostParts = 32;
    SmallVector<Value> parts(adaptor.getInputs());
    while (parts.size() > mostParts) {
      SmallVector<Value> groups;
      for (size_t i = 0; i < parts.size(); i += mostParts)
        groups.push_back(joined(
            rewriter, op.getLoc(),
            ArrayRef(parts).slice(i, std::min(mostParts, parts.size() - i)),
            op.getAxis()));
      parts = std::move(groups);
    }
    rewriter.replaceOp(op, joined(rewriter, op.getLoc(), parts, op.getAxis()));
    return success();
  }
};

/// Reads x at the position to which each index of the result leads.
template <class Body>
Value readAt(OpBuilder &b, Location loc, RankedTensorType type, Value x,
             Body position) {
  return generate(
      b, loc, type.getShape(), type.getElementType(),
      [&](OpBuilder &inner, Location at, ValueRange indices) -> Value {
        SmallVector<Value> where;
        for (auto [axis, index] : llvm::enumerate(indices))
          where.push_back(position(inner, at, axis, index));
        return tensor::ExtractOp::create(inner, at, x, where);
      });
}

struct LowerPad : OpConversionPattern<PadOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(PadOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const final {
    Location loc = op.getLoc();
    RankedTensorType type = loweredType(op.getType());
    if (op.getMode() == PadMode::Constant) {
      Value element =
          adaptor.getValue()
              ? tensor::ExtractOp::create(rewriter, loc, adaptor.getValue(),
                                          ValueRange())
                    .getResult()
              : emitConstant(rewriter, loc, type.getElementType(), 0);
      rewriter.replaceOp(op, padConstant(rewriter, loc, adaptor.getX(),
                                         op.getLow(), op.getHigh(), element));
      return success();
    }
    // Crop, then read each element of the result from where the mode folds its
    // position.
    SmallVector<int64_t> low(op.getLow()), cropLow, cropHigh;
    for (auto [lo, hi] : llvm::zip(op.getLow(), op.getHigh())) {
      cropLow.push_back(std::min<int64_t>(lo, 0));
      cropHigh.push_back(std::min<int64_t>(hi, 0));
    }
    Value zero = emitConstant(rewriter, loc, type.getElementType(), 0);
    Value x =
        padConstant(rewriter, loc, adaptor.getX(), cropLow, cropHigh, zero);
    ArrayRef<int64_t> extents = cast<RankedTensorType>(x.getType()).getShape();
    auto fold = [&](OpBuilder &b, Location at, size_t axis,
                    Value index) -> Value {
      auto c = [&](int64_t v) { return indexConstant(b, at, v); };
      int64_t d = extents[axis];
      if (d == type.getDimSize(axis))
        return index;
      Value p = arith::SubIOp::create(b, at, index,
                                      c(std::max<int64_t>(low[axis], 0)));
      if (op.getMode() == PadMode::Edge)
        return arith::MaxSIOp::create(
            b, at, c(0), arith::MinSIOp::create(b, at, p, c(d - 1)));
      if (op.getMode() == PadMode::Wrap) {
        Value r = arith::RemSIOp::create(b, at, p, c(d));
        Value negative =
            arith::CmpIOp::create(b, at, arith::CmpIPredicate::slt, r, c(0));
        return arith::SelectOp::create(
            b, at, negative, arith::AddIOp::create(b, at, r, c(d)), r);
      }
      Value left = math::AbsIOp::create(b, at, p);
      Value over = arith::SubIOp::create(b, at, c(2 * (d - 1)), left);
      return arith::MinSIOp::create(b, at, left,
                                    arith::MaxSIOp::create(b, at, over, c(0)));
    };
    int64_t last = type.getRank() - 1;
    if (last < 0 || extents[last] == type.getDimSize(last))
      rewriter.replaceOp(op, readAt(rewriter, loc, type, x, fold));
    else
      rewriter.replaceOp(op, inThree(rewriter, loc, type, x, low[last], fold));
    return success();
  }

private:
  /// By parts of the last axis: between its borders, where neighbours are
  /// neighbours in x, and each border.
  template <class Fold>
  static Value inThree(OpBuilder &b, Location loc, RankedTensorType type,
                       Value x, int64_t low, Fold fold) {
    int64_t last = type.getRank() - 1, end = type.getDimSize(last),
            first = std::max<int64_t>(low, 0),
            second =
                first + cast<RankedTensorType>(x.getType()).getDimSize(last);
    Value whole = emptyTensor(b, loc, type.getShape(), type.getElementType());
    for (auto [from, to] : {std::pair(int64_t(0), first),
                            std::pair(first, second), std::pair(second, end)}) {
      if (from == to)
        continue;
      SmallVector<int64_t> shape(type.getShape()), starts(last + 1, 0),
          ones(last + 1, 1);
      shape[last] = to - from;
      starts[last] = from;
      auto place = [&, from = from](OpBuilder &inner, Location at, size_t axis,
                                    Value index) -> Value {
        if (static_cast<int64_t>(axis) != last)
          return fold(inner, at, axis, index);
        if (from == first && from != second)
          return index;
        Value position = arith::AddIOp::create(inner, at, index,
                                               indexConstant(inner, at, from));
        return fold(inner, at, axis, position);
      };
      Value part =
          readAt(b, loc, RankedTensorType::get(shape, type.getElementType()), x,
                 place);
      whole = tensor::InsertSliceOp::create(
          b, loc, part, whole, indexAttributes(b, starts),
          indexAttributes(b, shape), indexAttributes(b, ones));
    }
    return whole;
  }
};

struct LowerReverse : OpConversionPattern<ReverseOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(ReverseOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const final {
    RankedTensorType type = loweredType(op.getType());
    rewriter.replaceOp(
        op, readAt(rewriter, op.getLoc(), type, adaptor.getX(),
                   [&](OpBuilder &b, Location at, int64_t axis,
                       Value index) -> Value {
                     if (!llvm::is_contained(op.getAxes(), axis))
                       return index;
                     Value last =
                         indexConstant(b, at, type.getDimSize(axis) - 1);
                     return arith::SubIOp::create(b, at, last, index);
                   }));
    return success();
  }
};

struct LowerIota : OpConversionPattern<IotaOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(IotaOp op, OpAdaptor,
                  ConversionPatternRewriter &rewriter) const final {
    RankedTensorType type = loweredType(op.getType());
    rewriter.replaceOp(
        op,
        generate(rewriter, op.getLoc(), type.getShape(), type.getElementType(),
                 [&](OpBuilder &b, Location at, ValueRange indices) -> Value {
                   Type i64 = b.getI64Type();
                   Value i = arith::IndexCastOp::create(b, at, i64,
                                                        indices[op.getAxis()]);
                   return emitCast(b, at, i, i64, type.getElementType());
                 }));
    return success();
  }
};

/// [N,C,D..] <-> [N,ceil(C/16),D..,16]; tail lanes of a blocked result are
/// zero.
struct LowerRelayout : OpConversionPattern<RelayoutOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(RelayoutOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const final {
    Location loc = op.getLoc();
    Value x = adaptor.getX();
    SmallVector<int64_t> shape(cast<RankedTensorType>(x.getType()).getShape());
    Type element = cast<RankedTensorType>(x.getType()).getElementType();
    int64_t rank = shape.size(), channels = op.getChannels(),
            blocks = llvm::divideCeil(channels, 16);
    if (op.getTo() == Layout::Blocked) {
      SmallVector<int64_t> low(rank, 0), high(rank, 0), split(shape),
          order{0, 1};
      high[1] = blocks * 16 - channels;
      x = padConstant(rewriter, loc, x, low, high,
                      emitConstant(rewriter, loc, element, 0));
      split[1] = blocks;
      split.insert(split.begin() + 2, 16);
      for (int64_t axis = 2; axis < rank; ++axis)
        order.push_back(axis + 1);
      order.push_back(2);
      rewriter.replaceOp(op, transposeTo(rewriter, loc,
                                         reshapeTo(rewriter, loc, x, split),
                                         order));
      return success();
    }
    SmallVector<int64_t> order{0, 1, rank - 1},
        merged(shape.begin(), shape.end() - 1);
    for (int64_t axis = 2; axis < rank - 1; ++axis)
      order.push_back(axis);
    // Of a single block only the lanes that exist are moved.
    if (blocks == 1) {
      SmallVector<int64_t> window(shape);
      window.back() = channels;
      x = tensor::ExtractSliceOp::create(
          rewriter, loc, x,
          indexAttributes(rewriter, SmallVector<int64_t>(rank, 0)),
          indexAttributes(rewriter, window),
          indexAttributes(rewriter, SmallVector<int64_t>(rank, 1)));
      merged[1] = channels;
      rewriter.replaceOp(op, reshapeTo(rewriter, loc,
                                       transposeTo(rewriter, loc, x, order),
                                       merged));
      return success();
    }
    merged[1] = blocks * 16;
    x = reshapeTo(rewriter, loc, transposeTo(rewriter, loc, x, order), merged);
    SmallVector<int64_t> low(merged.size(), 0), high(merged.size(), 0);
    high[1] = channels - blocks * 16;
    rewriter.replaceOp(op,
                       padConstant(rewriter, loc, x, low, high,
                                   emitConstant(rewriter, loc, element, 0)));
    return success();
  }
};

/// Elements of which a splat is filled in where it is read, and no part of the
/// artifact.
constexpr int64_t mostStoredOfSplat = 1 << 16;

struct LowerConstant : OpConversionPattern<ConstantOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(ConstantOp op, OpAdaptor,
                  ConversionPatternRewriter &rewriter) const final {
    RankedTensorType type = loweredType(op.getType());
    if (isEmpty(type)) {
      rewriter.replaceOp(op, emptyTensor(rewriter, op.getLoc(), type.getShape(),
                                         type.getElementType()));
      return success();
    }
    auto elements = dyn_cast<DenseElementsAttr>(op.getValue());
    if (!elements)
      return refuse(op, "has a value that is not a dense list of elements");
    if (elements.isSplat() && type.getNumElements() > mostStoredOfSplat) {
      Value element = arith::ConstantOp::create(
          rewriter, op.getLoc(),
          elements.bitcast(type.getElementType()).getSplatValue<TypedAttr>());
      Value room = emptyTensor(rewriter, op.getLoc(), type.getShape(),
                               type.getElementType());
      rewriter.replaceOp(
          op, linalg::FillOp::create(rewriter, op.getLoc(), element, room));
      return success();
    }
    rewriter.replaceOpWithNewOp<arith::ConstantOp>(
        op, elements.bitcast(type.getElementType()));
    return success();
  }
};

} // namespace

void populateMovementLowering(RewritePatternSet &patterns) {
  patterns.add<LowerReshape, LowerTranspose, LowerBroadcast, LowerSlice,
               LowerInsertSlice, LowerConcat, LowerPad, LowerReverse, LowerIota,
               LowerRelayout, LowerConstant>(patterns.getContext());
}

} // namespace graven
