//===- LowerIndexed.cpp - gathers and scatters ----------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the lowering of Nodes that are indexed by data. Indices
// are checked in a reduction of their own, whose result becomes the status of
// the run; the reads themselves are clamped, so memory stays safe either way.
//===----------------------------------------------------------------------===//

#include "dialects/graven/Graven.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "passes/lower/LowerUtils.h"
#include "passes/lower/ScalarFormulas.h"

using namespace mlir;

namespace graven {

void checkIndices(OpBuilder &b, Location loc, Value indices,
                  ArrayRef<int64_t> extents, bool nonneg) {
  auto type = cast<RankedTensorType>(indices.getType());
  int64_t rank = type.getRank();
  if (type.getNumElements() == 0)
    return;
  Value zero = emitConstant(b, loc, b.getI32Type(), 0);
  Value none = filledTensor(b, loc, {1}, zero);
  SmallVector<utils::IteratorType> iterators(rank,
                                             utils::IteratorType::reduction);
  AffineMap first =
      AffineMap::get(rank, 0, b.getAffineConstantExpr(0), b.getContext());
  SmallVector<AffineMap> maps{
      AffineMap::getMultiDimIdentityMap(rank, b.getContext()), first};
  auto generic = linalg::GenericOp::create(
      b, loc, none.getType(), indices, none, maps, iterators,
      [&](OpBuilder &inner, Location at, ValueRange args) {
        Type element = type.getElementType();
        auto outside = [&](int64_t extent) -> Value {
          Value low = emitConstant(inner, at, element, nonneg ? 0 : -extent);
          Value high = emitConstant(inner, at, element, extent);
          Value below = arith::CmpIOp::create(
              inner, at, arith::CmpIPredicate::slt, args[0], low);
          Value above = arith::CmpIOp::create(
              inner, at, arith::CmpIPredicate::sge, args[0], high);
          return arith::OrIOp::create(inner, at, below, above);
        };
        Value bad = outside(extents[0]);
        if (extents.size() > 1) {
          Value position = linalg::IndexOp::create(inner, at, rank - 1);
          for (auto [i, extent] : llvm::enumerate(extents.drop_front())) {
            Value here = arith::CmpIOp::create(
                inner, at, arith::CmpIPredicate::eq, position,
                indexConstant(inner, at, i + 1));
            bad =
                arith::SelectOp::create(inner, at, here, outside(extent), bad);
          }
        }
        Value flag = arith::ExtUIOp::create(inner, at, inner.getI32Type(), bad);
        linalg::YieldOp::create(
            inner, at,
            arith::OrIOp::create(inner, at, args[1], flag).getResult());
      });
  generic->setAttr(statusAttrName, b.getUnitAttr());
}

namespace {

/// The index as a position in [0, extent): negative ones count from the end,
/// the rest is clamped.
Value safePosition(OpBuilder &b, Location loc, Value index, int64_t extent,
                   bool nonneg) {
  Value position = arith::IndexCastOp::create(b, loc, b.getIndexType(), index);
  Value zero = indexConstant(b, loc, 0);
  if (!nonneg) {
    Value negative = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt,
                                           position, zero);
    Value wrapped =
        arith::AddIOp::create(b, loc, position, indexConstant(b, loc, extent));
    position = arith::SelectOp::create(b, loc, negative, wrapped, position);
  }
  position = arith::MaxSIOp::create(b, loc, position, zero);
  return arith::MinSIOp::create(b, loc, position,
                                indexConstant(b, loc, extent - 1));
}

/// Nothing can be picked from an empty tensor: every index is out of range, and
/// the result is whatever.
void replaceByNothing(ConversionPatternRewriter &rewriter, Operation *op) {
  RankedTensorType type = loweredType(op->getResult(0).getType());
  Value zero = emitConstant(rewriter, op->getLoc(), type.getElementType(), 0);
  rewriter.replaceOp(
      op, filledTensor(rewriter, op->getLoc(), type.getShape(), zero));
}

struct LowerGather : OpConversionPattern<GatherOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(GatherOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const final {
    Location loc = op.getLoc();
    RankedTensorType type = loweredType(op.getType());
    int64_t axis = op.getAxis(),
            indexRank = op.getIndices().getType().getRank();
    int64_t extent = op.getX().getType().getDimSize(axis);
    checkIndices(rewriter, loc, adaptor.getIndices(), extent, op.getNonneg());
    if (isEmpty(op.getX().getType())) {
      replaceByNothing(rewriter, op);
      return success();
    }
    rewriter.replaceOp(
        op,
        generate(rewriter, loc, type.getShape(), type.getElementType(),
                 [&](OpBuilder &b, Location at, ValueRange i) -> Value {
                   Value index = tensor::ExtractOp::create(
                       b, at, adaptor.getIndices(), i.slice(axis, indexRank));
                   SmallVector<Value> where(i.take_front(axis));
                   where.push_back(
                       safePosition(b, at, index, extent, op.getNonneg()));
                   llvm::append_range(where, i.drop_front(axis + indexRank));
                   return tensor::ExtractOp::create(b, at, adaptor.getX(),
                                                    where);
                 }));
    return success();
  }
};

struct LowerGatherElements : OpConversionPattern<GatherElementsOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(GatherElementsOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const final {
    Location loc = op.getLoc();
    RankedTensorType type = loweredType(op.getType());
    int64_t axis = op.getAxis(), extent = op.getX().getType().getDimSize(axis);
    checkIndices(rewriter, loc, adaptor.getIndices(), extent, op.getNonneg());
    if (isEmpty(op.getX().getType())) {
      replaceByNothing(rewriter, op);
      return success();
    }
    rewriter.replaceOp(
        op, generate(rewriter, loc, type.getShape(), type.getElementType(),
                     [&](OpBuilder &b, Location at, ValueRange i) -> Value {
                       Value index = tensor::ExtractOp::create(
                           b, at, adaptor.getIndices(), i);
                       SmallVector<Value> where(i);
                       where[axis] =
                           safePosition(b, at, index, extent, op.getNonneg());
                       return tensor::ExtractOp::create(b, at, adaptor.getX(),
                                                        where);
                     }));
    return success();
  }
};

/// The positions on `extents` that the tuple at `prefix` of `indices` names.
SmallVector<Value> tuplePositions(OpBuilder &b, Location at, Value indices,
                                  ValueRange prefix, ArrayRef<int64_t> extents,
                                  bool nonneg) {
  SmallVector<Value> positions;
  for (auto [t, extent] : llvm::enumerate(extents)) {
    SmallVector<Value> where(prefix);
    where.push_back(indexConstant(b, at, t));
    Value index = tensor::ExtractOp::create(b, at, indices, where);
    positions.push_back(safePosition(b, at, index, extent, nonneg));
  }
  return positions;
}

struct LowerGatherNd : OpConversionPattern<GatherNdOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(GatherNdOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const final {
    Location loc = op.getLoc();
    RankedTensorType type = loweredType(op.getType());
    auto indexType = op.getIndices().getType();
    int64_t batch = op.getBatchDims(), prefix = indexType.getRank() - 1,
            tuple = indexType.getShape().back();
    ArrayRef<int64_t> extents =
        op.getX().getType().getShape().slice(batch, tuple);
    if (tuple > 0)
      checkIndices(rewriter, loc, adaptor.getIndices(), extents,
                   op.getNonneg());
    if (isEmpty(op.getX().getType())) {
      replaceByNothing(rewriter, op);
      return success();
    }
    rewriter.replaceOp(
        op, generate(rewriter, loc, type.getShape(), type.getElementType(),
                     [&](OpBuilder &b, Location at, ValueRange i) -> Value {
                       SmallVector<Value> where(i.take_front(batch));
                       llvm::append_range(
                           where, tuplePositions(b, at, adaptor.getIndices(),
                                                 i.take_front(prefix), extents,
                                                 op.getNonneg()));
                       llvm::append_range(where, i.drop_front(prefix));
                       return tensor::ExtractOp::create(b, at, adaptor.getX(),
                                                        where);
                     }));
    return success();
  }
};

/// Element by element of the result: the last update (or all, combined in
/// order) that names its position.
struct LowerScatterNd : OpConversionPattern<ScatterNdOp> {
  using OpConversionPattern::OpConversionPattern;
  /// One without indices becomes one with an index, and that is lowered.
  void initialize() { setHasBoundedRewriteRecursion(); }
  LogicalResult
  matchAndRewrite(ScatterNdOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const final {
    Location loc = op.getLoc();
    RankedTensorType type = loweredType(op.getType());
    Type nodeElement = op.getType().getElementType();
    auto indexType = op.getIndices().getType();
    int64_t tuple = indexType.getShape().back();
    ArrayRef<int64_t> extents = type.getShape().take_front(tuple);
    if (isEmpty(op.getUpdates().getType())) {
      rewriter.replaceOp(op, adaptor.getX());
      return success();
    }
    if (tuple == 0) {
      rewriter.replaceOp(op, scatterWhole(op, rewriter));
      return success();
    }
    checkIndices(rewriter, loc, adaptor.getIndices(), extents, op.getNonneg());
    int64_t count = indexType.getNumElements() / tuple;
    Value indices =
        reshapeTo(rewriter, loc, adaptor.getIndices(), {count, tuple});
    SmallVector<int64_t> updateShape{count};
    llvm::append_range(updateShape, type.getShape().drop_front(tuple));
    Value updates = reshapeTo(rewriter, loc, adaptor.getUpdates(), updateShape);
    // All elements that look for all updates are one kernel, but quadratic.
    constexpr int64_t fewComparisons = 4096;
    if (count * type.getNumElements() > fewComparisons) {
      rewriter.replaceOp(op, updateSlices(op, adaptor.getX(), indices, updates,
                                          extents, rewriter));
      return success();
    }
    rewriter.replaceOp(
        op, generate(rewriter, loc, type.getShape(), type.getElementType(),
                     [&](OpBuilder &b, Location at, ValueRange i) -> Value {
                       Value start =
                           tensor::ExtractOp::create(b, at, adaptor.getX(), i);
                       return combine(op, b, at, i, start, indices, updates,
                                      extents, nodeElement);
                     }));
    return success();
  }

  /// Tuples of no index stand for all of x: for the one slice of a tensor with
  /// an axis more.
  static Value scatterWhole(ScatterNdOp op, OpBuilder &b) {
    SmallVector<int64_t> shape(op.getType().getShape()),
        tuples(op.getIndices().getType().getShape());
    shape.insert(shape.begin(), 1);
    tuples.back() = 1;
    auto zeros = DenseElementsAttr::get(
        RankedTensorType::get(tuples, b.getI64Type()), b.getI64IntegerAttr(0));
    Value x = ReshapeOp::create(b, op.getLoc(), op.getX(), shape);
    auto scatter =
        ScatterNdOp::create(b, op.getLoc(), x.getType(), x,
                            ConstantOp::create(b, op.getLoc(), zeros),
                            op.getUpdates(), op.getKind(), /*nonneg=*/true);
    return ReshapeOp::create(b, op.getLoc(), scatter, op.getType().getShape());
  }

  /// One update after the other, each of a slice in place.
  static Value updateSlices(ScatterNdOp op, Value x, Value indices,
                            Value updates, ArrayRef<int64_t> extents,
                            OpBuilder &b) {
    Location loc = op.getLoc();
    auto type = cast<RankedTensorType>(x.getType());
    Type nodeElement = op.getType().getElementType();
    ArrayRef<int64_t> slice = type.getShape().drop_front(extents.size());
    auto loop = scf::ForOp::create(
        b, loc, indexConstant(b, loc, 0),
        indexConstant(b, loc,
                      cast<RankedTensorType>(indices.getType()).getDimSize(0)),
        indexConstant(b, loc, 1), x,
        [&](OpBuilder &inner, Location at, Value n, ValueRange carried) {
          SmallVector<OpFoldResult> offsets(type.getRank(),
                                            inner.getIndexAttr(0)),
              from(1 + slice.size(), inner.getIndexAttr(0));
          SmallVector<int64_t> window(extents.size(), 1), one(1, 1);
          llvm::append_range(window, slice);
          llvm::append_range(one, slice);
          for (auto [axis, position] : llvm::enumerate(tuplePositions(
                   inner, at, indices, n, extents, op.getNonneg())))
            offsets[axis] = position;
          from[0] = n;
          auto steps = [&](size_t count) {
            return indexAttributes(inner, SmallVector<int64_t>(count, 1));
          };
          Value update = tensor::ExtractSliceOp::create(
              inner, at, updates, from, indexAttributes(inner, one),
              steps(one.size()));
          update = reshapeTo(inner, at, update, window);
          if (op.getKind() != ScatterKind::None) {
            Value here = tensor::ExtractSliceOp::create(
                inner, at, carried[0], offsets, indexAttributes(inner, window),
                steps(window.size()));
            AffineMap identity = AffineMap::getMultiDimIdentityMap(
                window.size(), inner.getContext());
            SmallVector<utils::IteratorType> iterators(
                window.size(), utils::IteratorType::parallel);
            update = linalg::GenericOp::create(
                         inner, at, here.getType(), update, here,
                         ArrayRef<AffineMap>{identity, identity}, iterators,
                         [&](OpBuilder &body, Location l, ValueRange args) {
                           linalg::YieldOp::create(body, l,
                                                   merge(op.getKind(), body, l,
                                                         nodeElement, args[1],
                                                         args[0]));
                         })
                         .getResult(0);
          }
          Value next = tensor::InsertSliceOp::create(
              inner, at, update, carried[0], offsets,
              indexAttributes(inner, window), steps(window.size()));
          scf::YieldOp::create(inner, at, next);
        });
    return loop.getResult(0);
  }

  static Value combine(ScatterNdOp op, OpBuilder &b, Location at, ValueRange i,
                       Value start, Value indices, Value updates,
                       ArrayRef<int64_t> extents, Type nodeElement) {
    auto loop = scf::ForOp::create(
        b, at, indexConstant(b, at, 0),
        indexConstant(b, at,
                      cast<RankedTensorType>(indices.getType()).getDimSize(0)),
        indexConstant(b, at, 1), start,
        [&](OpBuilder &inner, Location l, Value n, ValueRange carried) {
          SmallVector<Value> positions =
              tuplePositions(inner, l, indices, n, extents, op.getNonneg());
          Value here;
          for (auto [position, index] : llvm::zip(positions, i)) {
            Value same = arith::CmpIOp::create(
                inner, l, arith::CmpIPredicate::eq, position, index);
            here = here
                       ? arith::AndIOp::create(inner, l, here, same).getResult()
                       : same;
          }
          SmallVector<Value> where{n};
          llvm::append_range(where, i.drop_front(positions.size()));
          Value update = tensor::ExtractOp::create(inner, l, updates, where);
          Value merged =
              merge(op.getKind(), inner, l, nodeElement, carried[0], update);
          scf::YieldOp::create(
              inner, l,
              arith::SelectOp::create(inner, l, here, merged, carried[0])
                  .getResult());
        });
    return loop.getResult(0);
  }

  static Value merge(ScatterKind kind, OpBuilder &b, Location l,
                     Type nodeElement, Value x, Value y) {
    bool floating = isa<FloatType>(nodeElement);
    switch (kind) {
    case ScatterKind::None:
      return y;
    case ScatterKind::Add:
      return floating ? arith::AddFOp::create(b, l, x, y).getResult()
                      : arith::AddIOp::create(b, l, x, y);
    case ScatterKind::Mul:
      return floating ? arith::MulFOp::create(b, l, x, y).getResult()
                      : arith::MulIOp::create(b, l, x, y);
    case ScatterKind::Max:
      return emitExtreme(b, l, Extreme::Max, nodeElement, x, y);
    case ScatterKind::Min:
      return emitExtreme(b, l, Extreme::Min, nodeElement, x, y);
    }
    llvm_unreachable("unknown kind");
  }
};

} // namespace

void populateIndexedLowering(RewritePatternSet &patterns) {
  patterns.add<LowerGather, LowerGatherElements, LowerGatherNd, LowerScatterNd>(
      patterns.getContext());
}

} // namespace graven
