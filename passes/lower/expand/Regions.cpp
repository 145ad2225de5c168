//===- Regions.cpp - expansion of kernel.regions ----------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the expansion of the pooling of regions. Where a bin and
// its samples lie is computed once for several channels, whose sums or maxima
// are carried side by side. Positions are computed as the formulas say, without
// fused products, so that they fall on the same side of a pixel everywhere.

#include "passes/lower/expand/Expand.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/TypeUtilities.h"
#include <limits>

using namespace mlir;

namespace graven::expand {
namespace {

using Values = SmallVector<Value>;

/// Channels whose bins are computed together.
constexpr int64_t kChannels = 8;

/// A region along one axis: where it begins, how long a bin is, and how many
/// samples a bin has or the position that bounds its pixels.
struct Axis {
  Value start, bin, samples;
  int64_t extent;
};

class RegionsExpansion {
public:
  RegionsExpansion(Emitter &e, kernel::RegionsOp op)
      : e(e), b(e.builder()), loc(e.loc()), op(op),
        isMax(op.getMode() == kernel::PoolKind::Max),
        type(kernel::computeType(getElementTypeOrSelf(op.getX()))) {}

  LogicalResult read() {
    auto buffer = [&](Value value, Buffer &into) {
      FailureOr<Buffer> result = e.buffer(value);
      if (succeeded(result))
        into = *result;
      return LogicalResult(result);
    };
    if (failed(buffer(op.getX(), x)) || failed(buffer(op.getRois(), rois)) ||
        failed(buffer(op.getBatch(), batch)) ||
        failed(buffer(op.getOut(), out)))
      return failure();
    return op.getValid() ? buffer(op.getValid(), valid) : success();
  }

  void run(Value lo, Value hi) {
    Split groups(out.shape[1], kChannels);
    e.tasks(lo, hi, {out.shape[0], groups.count}, [&](ArrayRef<Idx> task) {
      auto all = [&] {
        e.tiles(groups, task[1], e.add(task[1], Idx(1)),
                [&](Idx, Idx first, int64_t channels) {
                  region(task[0], first, channels);
                });
      };
      if (!op.getValid())
        return all();
      Value number = arith::IndexCastOp::create(b, loc, b.getIndexType(),
                                                e.load(valid, Idx(int64_t(0))));
      Value isUsed = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt,
                                           e.get(task[0]), number);
      auto branch = scf::IfOp::create(b, loc, isUsed, /*withElseRegion=*/true);
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(branch.thenBlock());
      all();
      b.setInsertionPointToStart(branch.elseBlock());
      e.tiles(groups, task[1], e.add(task[1], Idx(1)),
              [&](Idx, Idx first, int64_t channels) {
                bins([&](Idx py, Idx px) {
                  Values zeros(channels, e.splat(type, 0));
                  write(task[0], first, py, px, zeros);
                });
              });
    });
  }

private:
  bool hasSamples() { return op.getKind() == kernel::RegionKind::Samples; }

  void bins(function_ref<void(Idx, Idx)> body) {
    e.loop(Idx(int64_t(0)), Idx(out.shape[2]), 1, [&](Idx py) {
      e.loop(Idx(int64_t(0)), Idx(out.shape[3]), 1,
             [&](Idx px) { body(py, px); });
    });
  }

  void region(Idx roi, Idx first, int64_t channels) {
    auto coordinate = [&](int64_t which) {
      return e.load(rois, e.at(rois, {roi, Idx(which)}), type);
    };
    Value image = arith::IndexCastOp::create(b, loc, b.getIndexType(),
                                             e.load(batch, e.at(batch, {roi})));
    Idx clamped =
        e.min(e.max(Idx(image), Idx(int64_t(0))), Idx(x.shape[0] - 1));
    Axis rows = axis(coordinate(1), coordinate(3), out.shape[2], x.shape[2]),
         columns = axis(coordinate(0), coordinate(2), out.shape[3], x.shape[3]);
    bins([&](Idx py, Idx px) {
      Idx channel = first;
      int64_t step = 1;
      if (op.getPerBin()) {
        step = out.shape[2] * out.shape[3];
        channel = e.add(e.mul(first, step), e.add(e.mul(py, out.shape[3]), px));
      }
      Idx none(int64_t(0));
      planes.clear();
      Idx plane = e.at(x, {clamped, channel, none, none});
      // One addition more for each channel, out of the loops over samples.
      for (int64_t i = 0; i < channels; ++i)
        planes.push_back(Idx(e.get(plane), i * step * x.strides[1]));
      write(roi, first, py, px,
            hasSamples() ? sampled(rows, columns, py, px)
                         : pooled(rows, columns, py, px));
    });
  }

  void write(Idx roi, Idx first, Idx py, Idx px, ValueRange values) {
    for (auto [i, value] : llvm::enumerate(values))
      e.store(value, out, e.at(out, {roi, e.add(first, Idx(i)), py, px}));
  }

  Axis axis(Value low, Value high, int64_t count, int64_t extent) {
    Value scale = number(op.getSpatialScale().convertToDouble());
    low = e.mulf(low, scale);
    high = e.mulf(high, scale);
    Axis axis;
    axis.extent = extent;
    if (hasSamples()) {
      Value offset = number(op.getAligned() ? 0.5 : 0.0);
      axis.start = e.subf(low, offset);
      Value size = e.subf(e.subf(high, offset), axis.start);
      if (!op.getAligned())
        size = e.maxOrSecond(size, number(1));
      axis.bin = divided(size, number(count));
      int64_t ratio = op.getSamplingRatio();
      axis.samples = ratio > 0
                         ? e.constant(ratio)
                         : toIndex(math::CeilOp::create(b, loc, axis.bin));
      return axis;
    }
    axis.start = toIndex(math::RoundOp::create(b, loc, low));
    Value end = toIndex(math::RoundOp::create(b, loc, high));
    Idx size = e.add(Idx(arith::SubIOp::create(b, loc, end, axis.start)),
                     Idx(isMax ? 1 : 0));
    axis.bin = divided(toFloat(e.get(e.max(size, Idx(1)))), number(count));
    return axis;
  }

  //===--------------------------------------------------------------------===//
  // Samples
  //===--------------------------------------------------------------------===//

  /// Neighbours along an axis, the weights of both, and whether the sample
  /// counts.
  struct Between {
    Idx low, high;
    Value lowWeight, highWeight, isInside;
  };

  Between between(const Axis &axis, Idx place, Idx sample) {
    Value at = e.addf(axis.start, e.mulf(toFloat(e.get(place)), axis.bin));
    Value inside =
        e.mulf(e.addf(toFloat(e.get(sample)), number(0.5)), axis.bin);
    at = e.addf(at, divided(inside, toFloat(axis.samples)));
    Value isInside = arith::AndIOp::create(
        b, loc, compare(arith::CmpFPredicate::OGE, at, number(-1)),
        compare(arith::CmpFPredicate::OLE, at, number(axis.extent)));
    at = choice(isInside, e.maxOrSecond(at, number(0)), number(0));
    Value whole = arith::FPToSIOp::create(b, loc, b.getI64Type(), at);
    whole = arith::IndexCastOp::create(b, loc, b.getIndexType(), whole);
    Idx last(axis.extent - 1);
    Idx low = e.min(Idx(whole), last), high = e.min(e.add(low, Idx(1)), last);
    Value weight = e.subf(at, toFloat(e.get(low)));
    Value isLast = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq,
                                         e.get(low), e.get(last));
    weight = choice(isLast, number(0), weight);
    return {low, high, e.subf(number(1), weight), weight, isInside};
  }

  Values sampled(const Axis &rows, const Axis &columns, Idx py, Idx px) {
    size_t channels = planes.size();
    Value start =
        number(isMax ? -std::numeric_limits<double>::infinity() : 0.0);
    Values sums = e.loop(
        Idx(int64_t(0)), Idx(rows.samples), 1, Values(channels, start),
        [&](Idx i, ValueRange outer) -> Values {
          Between row = between(rows, py, i);
          return e.loop(Idx(int64_t(0)), Idx(columns.samples), 1, outer,
                        [&](Idx j, ValueRange inner) -> Values {
                          return sample(row, between(columns, px, j), inner);
                        });
        });
    Value number1 =
        arith::MulIOp::create(b, loc, rows.samples, columns.samples);
    Value hasAny = arith::AndIOp::create(b, loc, isPositive(rows.samples),
                                         isPositive(columns.samples));
    Value zero = number(0);
    if (!isMax && !op.getPerBin())
      number1 = e.get(e.max(Idx(number1), Idx(1)));
    Value divisor = toFloat(number1);
    for (Value &sum : sums)
      sum = isMax ? choice(hasAny, sum, zero) : divided(sum, divisor);
    return sums;
  }

  Values sample(const Between &row, const Between &column, ValueRange before) {
    Value isInside =
        arith::AndIOp::create(b, loc, row.isInside, column.isInside);
    Value zero = number(0);
    Value weights[] = {e.mulf(row.lowWeight, column.lowWeight),
                       e.mulf(row.lowWeight, column.highWeight),
                       e.mulf(row.highWeight, column.lowWeight),
                       e.mulf(row.highWeight, column.highWeight)};
    auto offset = [&](Idx y, Idx x0) {
      return Idx(e.get(e.add(e.mul(y, x.strides[2]), e.mul(x0, x.strides[3]))));
    };
    Idx places[] = {offset(row.low, column.low), offset(row.low, column.high),
                    offset(row.high, column.low),
                    offset(row.high, column.high)};
    Values after;
    for (auto [plane, old] : llvm::zip_equal(planes, before)) {
      Value value;
      for (auto [weight, place] : llvm::zip_equal(weights, places)) {
        Value corner = e.mulf(e.load(x, e.add(plane, place), type), weight);
        value = !value  ? corner
                : isMax ? e.maxOrNaN(corner, value)
                        : e.addf(value, corner);
      }
      value = choice(isInside, value, zero);
      after.push_back(isMax ? e.maxOrNaN(old, value) : e.addf(old, value));
    }
    return after;
  }

  //===--------------------------------------------------------------------===//
  // Pixels
  //===--------------------------------------------------------------------===//

  /// The pixels of a bin along an axis.
  std::pair<Idx, Idx> pixels(const Axis &axis, Idx place) {
    Idx last(isMax ? axis.extent : axis.extent - 1), none(int64_t(0));
    auto bounded = [&](Value offset) {
      Idx at = e.add(Idx(axis.start), Idx(toIndex(offset)));
      return e.min(e.max(at, none), last);
    };
    auto edge = [&](Idx at) { return e.mulf(toFloat(e.get(at)), axis.bin); };
    return {bounded(math::FloorOp::create(b, loc, edge(place))),
            bounded(math::CeilOp::create(b, loc, edge(e.add(place, Idx(1)))))};
  }

  Values pooled(const Axis &rows, const Axis &columns, Idx py, Idx px) {
    auto [top, bottom] = pixels(rows, py);
    auto [left, right] = pixels(columns, px);
    Value start =
        number(isMax ? -double(std::numeric_limits<float>::max()) : 0.0);
    Values values = e.loop(
        top, bottom, 1, Values(planes.size(), start),
        [&](Idx y, ValueRange outer) -> Values {
          Idx line = e.mul(y, x.strides[2]);
          return e.loop(
              left, right, 1, outer, [&](Idx x0, ValueRange inner) -> Values {
                Idx place = e.add(line, e.mul(x0, x.strides[3]));
                Values after;
                for (auto [plane, old] : llvm::zip_equal(planes, inner)) {
                  Value pixel = e.load(x, e.add(plane, place), type);
                  after.push_back(isMax ? e.maxOrSecond(pixel, old)
                                        : e.addf(old, pixel));
                }
                return after;
              });
        });
    Value height = arith::SubIOp::create(b, loc, e.get(bottom), e.get(top)),
          width = arith::SubIOp::create(b, loc, e.get(right), e.get(left));
    Value hasAny =
        arith::AndIOp::create(b, loc, isPositive(height), isPositive(width));
    Value area = toFloat(arith::MulIOp::create(b, loc, height, width));
    for (Value &value : values)
      value = choice(hasAny, isMax ? value : divided(value, area), number(0));
    return values;
  }

  //===--------------------------------------------------------------------===//
  // Scalars
  //===--------------------------------------------------------------------===//

  Value number(double value) { return e.splat(type, value); }
  Value divided(Value a, Value c) {
    return arith::DivFOp::create(b, loc, a, c);
  }
  Value compare(arith::CmpFPredicate predicate, Value a, Value c) {
    return arith::CmpFOp::create(b, loc, predicate, a, c);
  }
  Value choice(Value condition, Value a, Value c) {
    return arith::SelectOp::create(b, loc, condition, a, c);
  }
  Value isPositive(Value index) {
    return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::sgt, index,
                                 e.constant(0));
  }
  Value toFloat(Value index) {
    Value integer = arith::IndexCastOp::create(b, loc, b.getI64Type(), index);
    return arith::SIToFPOp::create(b, loc, type, integer);
  }
  /// A whole number where 32 bits hold it, else 0.
  Value toIndex(Value value) {
    Value size = math::AbsFOp::create(b, loc, value);
    Value fits = compare(arith::CmpFPredicate::OLT, size, number(2147483648.0));
    Value integer = arith::FPToSIOp::create(b, loc, b.getI64Type(),
                                            choice(fits, value, number(0)));
    return arith::IndexCastOp::create(b, loc, b.getIndexType(), integer);
  }

  Emitter &e;
  OpBuilder &b;
  Location loc;
  kernel::RegionsOp op;
  bool isMax;
  Type type;
  Buffer x, rois, batch, valid, out;
  /// Where the plane of each channel begins.
  SmallVector<Idx> planes;
};

} // namespace

int64_t taskCount(kernel::RegionsOp op) {
  ArrayRef<int64_t> out = op.getOutType().getShape();
  return out[0] * Split(out[1], kChannels).count;
}

LogicalResult expandRegions(Emitter &e, kernel::RegionsOp op, Value lo,
                            Value hi) {
  RegionsExpansion expansion(e, op);
  if (failed(expansion.read()))
    return failure();
  expansion.run(lo, hi);
  return success();
}

} // namespace graven::expand
