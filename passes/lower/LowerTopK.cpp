//===- LowerTopK.cpp - sorting and top-k ----------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the lowering of top-k: by keys (SortKeys.h), or, for
// elements of more than 32 bits, by a merge sort of indices. Each
// pass doubles the length of the sorted runs and is a parallel nest: every
// position of the result finds by bisection which element of its two runs lands
// there. So results do not depend on threads, and equal elements keep their
// order.
//===----------------------------------------------------------------------===//

#include "dialects/graven/Graven.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "passes/lower/LowerUtils.h"
#include "passes/lower/ScalarFormulas.h"
#include "passes/lower/Scalars.h"
#include "passes/lower/SortKeys.h"

using namespace mlir;

namespace graven {
namespace {

/// One sort: x along an axis, in the order of the Node.
struct Sort {
  Value x;
  Type nodeElement;
  int64_t axis, extent;
  bool largest;

  /// Whether element `p` of x comes before `q`; false for equal ones. NaN is
  /// the greatest.
  Value isBefore(const Scalars &s, Value p, Value q) const {
    if (isa<FloatType>(nodeElement)) {
      auto compare = [&](arith::CmpFPredicate predicate, Value a, Value c) {
        return arith::CmpFOp::create(s.b, s.at, predicate, a, c).getResult();
      };
      Value pIsNumber = compare(arith::CmpFPredicate::ORD, p, p),
            qIsNumber = compare(arith::CmpFPredicate::ORD, q, q);
      if (largest)
        return s.both(qIsNumber, compare(arith::CmpFPredicate::UGT, p, q));
      return s.both(pIsNumber, compare(arith::CmpFPredicate::ULT, p, q));
    }
    bool isUnsigned =
        nodeElement.isUnsignedInteger() || nodeElement.isInteger(1);
    using P = arith::CmpIPredicate;
    P order = largest ? (isUnsigned ? P::ugt : P::sgt)
                      : (isUnsigned ? P::ult : P::slt);
    return arith::CmpIOp::create(s.b, s.at, order, p, q);
  }

  /// The position on the axis that `order` has at `place`.
  Value positionAt(const Scalars &s, Value order, ValueRange place,
                   Value where) const {
    SmallVector<Value> index(place);
    index[axis] = where;
    Value stored = tensor::ExtractOp::create(s.b, s.at, order, index);
    return arith::IndexCastOp::create(s.b, s.at, s.b.getIndexType(), stored);
  }

  Value elementAt(const Scalars &s, ValueRange place, Value position) const {
    SmallVector<Value> index(place);
    index[axis] = position;
    return tensor::ExtractOp::create(s.b, s.at, x, index);
  }

  /// `order` with runs of `width` merged in pairs.
  Value mergeRuns(OpBuilder &b, Location loc, Value order, Value width,
                  int64_t steps) const {
    ArrayRef<int64_t> shape =
        cast<RankedTensorType>(order.getType()).getShape();
    return generate(b, loc, shape, b.getI64Type(),
                    [&](OpBuilder &inner, Location at, ValueRange place) {
                      return merged(Scalars{inner, at}, order, width, steps,
                                    place);
                    });
  }

  Value merged(const Scalars &s, Value order, Value width, int64_t steps,
               ValueRange place) const {
    Value end = s.index(extent), last = s.index(extent - 1), here = place[axis];
    Value pair = s.add(width, width);
    Value into = arith::RemUIOp::create(s.b, s.at, here, pair);
    Value left = s.sub(here, into), right = s.min(s.add(left, width), end);
    Value leftCount = s.sub(right, left),
          rightCount = s.sub(s.min(s.add(right, width), end), right);
    // Positions past a run are not used, but have to be readable.
    auto element = [&](const Scalars &t, Value position) {
      return elementAt(t, place,
                       positionAt(t, order, place, t.min(position, last)));
    };
    // How many of the first `into` elements come from the left run.
    SmallVector<Value> bounds{s.max(s.index(0), s.sub(into, rightCount)),
                              s.min(into, leftCount)};
    auto bisection = scf::ForOp::create(
        s.b, s.at, s.index(0), s.index(steps), s.index(1), bounds,
        [&](OpBuilder &inner, Location at, Value, ValueRange carried) {
          Scalars t{inner, at};
          Value low = carried[0], high = carried[1];
          Value middle =
              arith::ShRUIOp::create(inner, at, t.add(low, high), t.index(1));
          Value fromRight =
              t.max(t.index(0), t.sub(t.sub(into, middle), t.index(1)));
          Value rightFirst = isBefore(t, element(t, t.add(right, fromRight)),
                                      element(t, t.add(left, middle)));
          Value open = t.less(low, high);
          Value up = t.both(open, t.negated(rightFirst)),
                down = t.both(open, rightFirst);
          scf::YieldOp::create(
              inner, at,
              ValueRange{t.pick(up, t.add(middle, t.index(1)), low),
                         t.pick(down, middle, high)});
        });
    Value taken = bisection.getResult(0);
    Value nextLeft = s.add(left, taken),
          nextRight = s.add(right, s.sub(into, taken));
    Value hasLeft = s.less(taken, leftCount),
          hasRight = s.less(s.sub(into, taken), rightCount);
    Value rightFirst = isBefore(s, element(s, nextRight), element(s, nextLeft));
    Value takeRight =
        s.either(s.negated(hasLeft), s.both(hasRight, rightFirst));
    SmallVector<Value> index(place);
    index[axis] = s.min(s.pick(takeRight, nextRight, nextLeft), last);
    return tensor::ExtractOp::create(s.b, s.at, order, index);
  }
};

/// A few of many: each pass over the axis picks the first element behind those
/// picked before. `count` positions in order.
static Value pickFew(OpBuilder &b, Location loc, const Sort &sort,
                     int64_t count) {
  auto type = cast<RankedTensorType>(sort.x.getType());
  SmallVector<int64_t> one(type.getShape()), all(type.getShape()),
      steps(type.getRank(), 1);
  one[sort.axis] = 1;
  all[sort.axis] = count;
  Value picked = emptyTensor(b, loc, all, b.getI64Type());
  // No position yet.
  Value before =
      filledTensor(b, loc, one, emitConstant(b, loc, b.getI64Type(), -1));
  auto pick = [&](OpBuilder &inner, Location at, Value before,
                  ValueRange place) -> Value {
    Scalars s{inner, at};
    Value last = tensor::ExtractOp::create(inner, at, before, place);
    last = arith::IndexCastOp::create(inner, at, inner.getIndexType(), last);
    Value lastElement = sort.elementAt(s, place, s.max(last, s.index(0)));
    Value isFirst = s.less(last, s.index(0));
    Value no = s.index(-1);
    Value start = sort.elementAt(s, place, s.index(0));
    auto search = scf::ForOp::create(
        inner, at, s.index(0), s.index(sort.extent), s.index(1),
        ValueRange{no, start},
        [&](OpBuilder &body, Location l, Value p, ValueRange best) {
          Scalars t{body, l};
          Value x = sort.elementAt(t, place, p);
          // Behind the last one, or equal to it and behind it in x.
          Value equal = t.both(t.negated(sort.isBefore(t, x, lastElement)),
                               t.less(last, p));
          Value open = t.either(
              isFirst, t.either(sort.isBefore(t, lastElement, x), equal));
          Value better = t.either(t.less(best[0], t.index(0)),
                                  sort.isBefore(t, x, best[1]));
          Value take = t.both(open, better);
          scf::YieldOp::create(
              body, l,
              ValueRange{t.pick(take, p, best[0]), t.pick(take, x, best[1])});
        });
    return arith::IndexCastOp::create(inner, at, inner.getI64Type(),
                                      search.getResult(0));
  };
  auto loop = scf::ForOp::create(
      b, loc, indexConstant(b, loc, 0), indexConstant(b, loc, count),
      indexConstant(b, loc, 1), ValueRange{picked, before},
      [&](OpBuilder &inner, Location at, Value n, ValueRange carried) {
        Value next =
            generate(inner, at, one, inner.getI64Type(),
                     [&](OpBuilder &body, Location l, ValueRange place) {
                       return pick(body, l, carried[1], place);
                     });
        SmallVector<OpFoldResult> offsets(type.getRank(),
                                          inner.getIndexAttr(0));
        offsets[sort.axis] = n;
        Value whole = tensor::InsertSliceOp::create(
            inner, at, next, carried[0], offsets, indexAttributes(inner, one),
            indexAttributes(inner, steps));
        scf::YieldOp::create(inner, at, ValueRange{whole, next});
      });
  return loop.getResult(0);
}

struct LowerTopK : OpConversionPattern<TopKOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(TopKOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const final {
    Location loc = op.getLoc();
    auto type = cast<RankedTensorType>(adaptor.getX().getType());
    int64_t axis = op.getAxis();
    Sort sort{adaptor.getX(), op.getX().getType().getElementType(), axis,
              type.getDimSize(axis), op.getLargest()};
    RankedTensorType result = loweredType(op.getValues().getType());
    int64_t count = result.getDimSize(axis);
    constexpr int64_t few = 32, fewKeys = 64;
    if (count > 0 && KeySort::supports(sort.nodeElement, sort.extent)) {
      KeySort keys{sort.x, sort.nodeElement, axis, sort.largest};
      bool picks = count <= fewKeys && count < sort.extent;
      Value order =
          picks ? keys.pick(rewriter, loc, count) : keys.sort(rewriter, loc);
      replaceByOrder(op, rewriter, sort, result, order);
      return success();
    }
    if (count > 0 && count <= few && count < sort.extent) {
      replaceByOrder(op, rewriter, sort, result,
                     pickFew(rewriter, loc, sort, count));
      return success();
    }
    Value order = generate(
        rewriter, loc, type.getShape(), rewriter.getI64Type(),
        [&](OpBuilder &b, Location at, ValueRange place) -> Value {
          return arith::IndexCastOp::create(b, at, b.getI64Type(), place[axis]);
        });
    int64_t passes = llvm::Log2_64_Ceil(std::max<int64_t>(sort.extent, 1));
    if (passes > 0) {
      Value one = indexConstant(rewriter, loc, 1);
      auto loop = scf::ForOp::create(
          rewriter, loc, indexConstant(rewriter, loc, 0),
          indexConstant(rewriter, loc, passes), one, order,
          [&](OpBuilder &b, Location at, Value pass, ValueRange carried) {
            Value width =
                arith::ShLIOp::create(b, at, indexConstant(b, at, 1), pass);
            scf::YieldOp::create(
                b, at, sort.mergeRuns(b, at, carried[0], width, passes));
          });
      order = loop.getResult(0);
    }
    replaceByOrder(op, rewriter, sort, result, order);
    return success();
  }

  /// Replaces the Node by what stands at the positions that `order` begins
  /// with, and these positions.
  static void replaceByOrder(TopKOp op, ConversionPatternRewriter &rewriter,
                             const Sort &sort, RankedTensorType result,
                             Value order) {
    Location loc = op.getLoc();
    Value indices = order;
    if (order.getType() !=
        RankedTensorType::get(result.getShape(), rewriter.getI64Type())) {
      SmallVector<OpFoldResult> zeros(result.getRank(),
                                      rewriter.getIndexAttr(0)),
          ones(result.getRank(), rewriter.getIndexAttr(1));
      indices = tensor::ExtractSliceOp::create(
          rewriter, loc, order, zeros,
          indexAttributes(rewriter, result.getShape()), ones);
    }
    rewriter.replaceOp(op,
                       {valuesAt(rewriter, loc, sort, result, order), indices});
  }

  /// The elements at the positions that `order` begins with.
  static Value valuesAt(OpBuilder &builder, Location loc, const Sort &sort,
                        RankedTensorType result, Value order) {
    return generate(builder, loc, result.getShape(), result.getElementType(),
                    [&](OpBuilder &b, Location at, ValueRange place) {
                      Scalars s{b, at};
                      Value position =
                          sort.positionAt(s, order, place, place[sort.axis]);
                      position = s.max(position, s.index(0));
                      return sort.elementAt(
                          s, place, s.min(position, s.index(sort.extent - 1)));
                    });
  }
};

} // namespace

void populateTopKLowering(RewritePatternSet &patterns) {
  patterns.add<LowerTopK>(patterns.getContext());
}

} // namespace graven
