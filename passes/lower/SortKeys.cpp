//===- SortKeys.cpp - sorting of integers -----------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the making of keys, the repeated minimum that picks a
// few of them, and the merge sort of all: each pass doubles the length of the
// runs and is a parallel nest, in which every position finds by bisection which
// key of its two runs lands there. So results do not depend on threads.
//===----------------------------------------------------------------------===//

#include "passes/lower/SortKeys.h"

#include "dialects/graven/Graven.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "passes/lower/LowerUtils.h"
#include "passes/lower/ScalarFormulas.h"
#include "passes/lower/Scalars.h"
#include <limits>

using namespace mlir;

namespace graven {
namespace {

/// An i32 whose signed order is that of the elements.
Value orderOf(const Scalars &s, Value x, Type nodeElement) {
  Type i32 = s.b.getI32Type();
  if (isa<FloatType>(nodeElement)) {
    Type f32 = s.b.getF32Type();
    if (x.getType() != f32)
      x = arith::ExtFOp::create(s.b, s.at, f32, x);
    auto real = [&](double value) {
      return emitConstant(s.b, s.at, f32, value);
    };
    auto is = [&](arith::CmpFPredicate predicate, Value other) {
      return arith::CmpFOp::create(s.b, s.at, predicate, x, other).getResult();
    };
    Value isZero = is(arith::CmpFPredicate::OEQ, real(0)),
          isNaN = is(arith::CmpFPredicate::UNO, x);
    Value bits = arith::BitcastOp::create(s.b, s.at, i32, x);
    // All bits but the sign turn round below zero.
    Value sign = s.two<arith::ShRSIOp>(bits, s.number(i32, 31));
    bits = s.two<arith::XOrIOp>(
        bits, s.two<arith::AndIOp>(sign, s.number(i32, 0x7fffffff)));
    bits = s.pick(isZero, s.number(i32, 0), bits);
    return s.pick(isNaN, s.number(i32, 0x7fffffff), bits);
  }
  bool isUnsigned = nodeElement.isUnsignedInteger() || nodeElement.isInteger(1);
  if (x.getType() == i32)
    return isUnsigned
               ? s.two<arith::XOrIOp>(
                     x, s.number(i32, std::numeric_limits<int32_t>::min()))
               : x;
  if (isUnsigned)
    return arith::ExtUIOp::create(s.b, s.at, i32, x);
  return arith::ExtSIOp::create(s.b, s.at, i32, x);
}

Value keysOf(OpBuilder &b, Location loc, const KeySort &sort) {
  auto type = cast<RankedTensorType>(sort.x.getType());
  return generate(
      b, loc, type.getShape(), b.getI64Type(),
      [&](OpBuilder &inner, Location at, ValueRange place) -> Value {
        Scalars s{inner, at};
        Type i64 = inner.getI64Type();
        Value order =
            orderOf(s, tensor::ExtractOp::create(inner, at, sort.x, place),
                    sort.nodeElement);
        if (sort.largest)
          order = s.two<arith::XOrIOp>(order, s.number(inner.getI32Type(), -1));
        Value upper = s.two<arith::ShLIOp>(
            arith::ExtSIOp::create(inner, at, i64, order), s.number(i64, 32));
        // From 1 on: no key is the least number, which stands before them all.
        Value position = s.add(place[sort.axis], s.index(1));
        return s.two<arith::OrIOp>(upper, s.cast(position, i64));
      });
}

Value positionsOf(OpBuilder &b, Location loc, Value keys) {
  ArrayRef<int64_t> shape = cast<RankedTensorType>(keys.getType()).getShape();
  return generate(
      b, loc, shape, b.getI64Type(),
      [&](OpBuilder &inner, Location at, ValueRange place) -> Value {
        Scalars s{inner, at};
        Value key = tensor::ExtractOp::create(inner, at, keys, place);
        Type i64 = inner.getI64Type();
        return s.sub(s.two<arith::AndIOp>(key, s.number(i64, 0x7fffffff)),
                     s.number(i64, 1));
      });
}

/// The key at `place` when runs of `width` are merged in pairs.
Value merged(const Scalars &s, Value keys, int64_t axis, Value width,
             Value steps, ValueRange place) {
  int64_t extent = cast<RankedTensorType>(keys.getType()).getDimSize(axis);
  Value end = s.index(extent), last = s.index(extent - 1), here = place[axis];
  Value zero = s.index(0), one = s.index(1);
  auto keyAt = [&](const Scalars &t, Value position) -> Value {
    SmallVector<Value> from(place);
    // What lies past a run is not used, but has to be readable.
    from[axis] = t.min(position, last);
    return tensor::ExtractOp::create(t.b, t.at, keys, from);
  };
  Value into = s.two<arith::RemUIOp>(here, s.add(width, width));
  Value left = s.sub(here, into), right = s.min(s.add(left, width), end);
  Value leftCount = s.sub(right, left),
        rightCount = s.sub(s.min(s.add(right, width), end), right);
  // How many of the first `into` keys come from the left run.
  SmallVector<Value> bounds{s.max(zero, s.sub(into, rightCount)),
                            s.min(into, leftCount)};
  auto bisection = scf::ForOp::create(
      s.b, s.at, zero, steps, one, bounds,
      [&](OpBuilder &inner, Location at, Value, ValueRange carried) {
        Scalars t{inner, at};
        Value low = carried[0], high = carried[1];
        Value middle = t.two<arith::ShRUIOp>(t.add(low, high), one);
        Value fromRight = t.max(zero, t.sub(t.sub(into, middle), one));
        Value rightFirst = t.less(keyAt(t, t.add(right, fromRight)),
                                  keyAt(t, t.add(left, middle)));
        Value open = t.less(low, high);
        Value up = t.pick(rightFirst, low, t.add(middle, one)),
              down = t.pick(rightFirst, middle, high);
        scf::YieldOp::create(
            inner, at,
            ValueRange{t.pick(open, up, low), t.pick(open, down, high)});
      });
  Value fromLeft = bisection.getResult(0), fromRight = s.sub(into, fromLeft);
  Value none = s.number(s.b.getI64Type(), std::numeric_limits<int64_t>::max());
  Value nextLeft = s.pick(s.less(fromLeft, leftCount),
                          keyAt(s, s.add(left, fromLeft)), none),
        nextRight = s.pick(s.less(fromRight, rightCount),
                           keyAt(s, s.add(right, fromRight)), none);
  return s.min(nextLeft, nextRight);
}

} // namespace

bool KeySort::supports(Type nodeElement, int64_t extent) {
  return nodeElement.isIntOrFloat() &&
         nodeElement.getIntOrFloatBitWidth() <= 32 &&
         extent <= std::numeric_limits<int32_t>::max();
}

Value KeySort::pick(OpBuilder &b, Location loc, int64_t count) const {
  Value keys = keysOf(b, loc, *this);
  auto type = cast<RankedTensorType>(keys.getType());
  int64_t rank = type.getRank();
  SmallVector<int64_t> kept, shape, one(type.getShape()), all(type.getShape());
  SmallVector<utils::IteratorType> iterators(rank,
                                             utils::IteratorType::parallel);
  iterators[axis] = utils::IteratorType::reduction;
  for (int64_t other = 0; other < rank; ++other)
    if (other != axis) {
      kept.push_back(other);
      shape.push_back(type.getDimSize(other));
    }
  one[axis] = 1;
  all[axis] = count;
  Type i64 = b.getI64Type();
  auto bound = [&](OpBuilder &at, int64_t value) -> Value {
    return arith::ConstantOp::create(at, loc, at.getIntegerAttr(i64, value));
  };
  Value picked = emptyTensor(b, loc, all, i64);
  Value before = filledTensor(b, loc, shape,
                              bound(b, std::numeric_limits<int64_t>::min()));
  AffineMap rows = selectAxes(b.getContext(), rank, kept);
  SmallVector<AffineMap> maps{b.getMultiDimIdentityMap(rank), rows, rows};
  auto loop = scf::ForOp::create(
      b, loc, indexConstant(b, loc, 0), indexConstant(b, loc, count),
      indexConstant(b, loc, 1), ValueRange{picked, before},
      [&](OpBuilder &inner, Location at, Value n, ValueRange carried) {
        Value most = bound(inner, std::numeric_limits<int64_t>::max());
        Value start = filledTensor(inner, at, shape, most);
        Value next =
            linalg::GenericOp::create(
                inner, at, start.getType(), ValueRange{keys, carried[1]},
                ValueRange{start}, maps, iterators,
                [&](OpBuilder &body, Location l, ValueRange args) {
                  Scalars s{body, l};
                  Value isOpen = s.less(args[1], args[0]);
                  Value none =
                      s.number(i64, std::numeric_limits<int64_t>::max());
                  Value candidate = s.pick(isOpen, args[0], none);
                  linalg::YieldOp::create(body, l, s.min(args[2], candidate));
                })
                .getResult(0);
        SmallVector<OpFoldResult> offsets(rank, inner.getIndexAttr(0)),
            steps(rank, inner.getIndexAttr(1));
        offsets[axis] = n;
        Value whole = tensor::InsertSliceOp::create(
            inner, at, reshapeTo(inner, at, next, one), carried[0], offsets,
            indexAttributes(inner, one), steps);
        scf::YieldOp::create(inner, at, ValueRange{whole, next});
      });
  return positionsOf(b, loc, loop.getResult(0));
}

Value KeySort::sort(OpBuilder &b, Location loc) const {
  Value keys = keysOf(b, loc, *this);
  auto type = cast<RankedTensorType>(keys.getType());
  int64_t passes =
      llvm::Log2_64_Ceil(std::max<int64_t>(type.getDimSize(axis), 1));
  if (passes > 0) {
    auto loop = scf::ForOp::create(
        b, loc, indexConstant(b, loc, 0), indexConstant(b, loc, passes),
        indexConstant(b, loc, 1), keys,
        [&](OpBuilder &inner, Location at, Value pass, ValueRange carried) {
          Value width = arith::ShLIOp::create(
              inner, at, indexConstant(inner, at, 1), pass);
          // Enough to halve the length of a run until one key is left.
          Value steps = arith::AddIOp::create(inner, at, pass,
                                              indexConstant(inner, at, 1));
          Value next = generate(
              inner, at, type.getShape(), inner.getI64Type(),
              [&](OpBuilder &body, Location l, ValueRange place) -> Value {
                return merged({body, l}, carried[0], axis, width, steps, place);
              });
          scf::YieldOp::create(inner, at, next);
        });
    keys = loop.getResult(0);
  }
  return positionsOf(b, loc, keys);
}

} // namespace graven
