//===- Pool.cpp - expansion of kernel.pool ----------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the expansion of max and average pooling: windows are
// clipped at the borders, and columns whose window lies inside have it
// unrolled, over sixteen channels or over neighbours of a plane at a time.

#include "passes/lower/expand/Expand.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/TypeUtilities.h"
#include "llvm/Support/MathExtras.h"
#include <limits>

using namespace mlir;

namespace graven::expand {
namespace {

constexpr int64_t kBlock = kernel::kChannelBlock;

/// Enough units of work for any number of threads we expect.
constexpr int64_t kWantedTasks = 32;

/// Taps of a window in one loop body.
constexpr int64_t kUnrolledTaps = 9;

struct PoolShape {
  explicit PoolShape(kernel::PoolOp op)
      : batch(op.getOutType().getDimSize(0)),
        channels(op.getOutType().getDimSize(1)),
        rows(op.getOutType().getDimSize(2)),
        columns(op.getOutType().getDimSize(3)) {
    rowsPerTask = std::max<int64_t>(
        1,
        rows / std::max<int64_t>(
                   1, kWantedTasks / std::max<int64_t>(1, batch * channels)));
    groups = std::max<int64_t>(1, llvm::divideCeilSigned(rows, rowsPerTask));
  }

  int64_t batch, channels, rows, columns, rowsPerTask, groups;
};

/// Channels of a block that are pooled at a time; one element of a plane.
int64_t lanesOf(ShapedType type, const TargetInfo &target) {
  Type compute = kernel::computeType(type.getElementType());
  return type.getRank() == 5
             ? std::min(target.lanes(compute.getIntOrFloatBitWidth() / 8),
                        kBlock)
             : 1;
}

class PoolExpansion {
public:
  PoolExpansion(Emitter &e, kernel::PoolOp op, Buffer x, Buffer out)
      : e(e), op(op), shape(op), x(std::move(x)), out(std::move(out)),
        blocked(this->out.shape.size() == 5),
        type(kernel::computeType(this->out.element)),
        lanes(lanesOf(op.getOutType(), e.target())) {
    if (blocked)
      type = VectorType::get({lanes}, type);
  }

  void run(Value lo, Value hi) {
    e.tasks(lo, hi, {shape.batch, shape.channels, shape.groups},
            [&](ArrayRef<Idx> task) {
              Idx first = e.mul(task[2], shape.rowsPerTask);
              Idx last =
                  e.min(e.add(first, Idx(shape.rowsPerTask)), Idx(shape.rows));
              auto rows = [&](Idx from, Idx to, bool inside) {
                e.loop(from, to, 1, [&](Idx y) {
                  e.loop(Idx(int64_t(0)), Idx(blocked ? kBlock : 1), lanes,
                         [&](Idx lane) {
                           row(task[0], task[1], y, lane,
                               inside ? whole(0, y) : clip(0, y));
                         });
                });
              };
              auto [begin, end] = insideOf(0, shape.rows);
              if (begin > 0)
                rows(first, e.min(last, Idx(begin)), false);
              if (begin < end)
                rows(begin > 0 ? e.max(first, Idx(begin)) : first,
                     end < shape.rows ? e.min(last, Idx(end)) : last, true);
              if (end < shape.rows)
                rows(e.max(first, Idx(end)), last, false);
            });
  }

  /// The vector of channels, or the element of a plane, of this number.
  void element(Idx number) {
    SmallVector<Idx> position = e.delinearize(number, extents());
    Idx lane = e.mul(position.pop_back_val(), lanes);
    auto window = [&](int axis, int64_t count) {
      return insideOf(axis, count) == std::pair<int64_t, int64_t>(0, count)
                 ? whole(axis, position[2 + axis])
                 : clip(axis, position[2 + axis]);
    };
    Range rows = window(0, shape.rows), columns = window(1, shape.columns);
    position.push_back(lane);
    pixel(position, rows, columns);
  }

private:
  SmallVector<int64_t> extents() const {
    return {shape.batch, shape.channels, shape.rows, shape.columns,
            blocked ? kBlock / lanes : 1};
  }

  /// The part of a window that counts along one axis.
  struct Range {
    Idx start, first, last, counted;
  };

  Range clip(int axis, Idx position) {
    int64_t extent = x.shape[2 + axis], dilation = op.getDilations()[axis],
            size = op.getKernel()[axis];
    Idx start =
        e.add(e.mul(position, op.getStrides()[axis]), Idx(-op.getPads()[axis]));
    Idx before = e.max(e.mul(start, -1), Idx(int64_t(0)));
    Idx first = e.divRem(e.add(before, Idx(dilation - 1)), dilation).first;
    // Positions up to `end`, in steps of the dilation.
    auto upTo = [&](int64_t end) {
      Idx left = e.add(e.mul(start, -1), Idx(end + dilation - 1));
      return e.min(e.divRem(left, dilation).first, Idx(size));
    };
    return {start, first, upTo(extent), upTo(extent + op.getPads()[2 + axis])};
  }

  /// A window that lies inside the input.
  Range whole(int axis, Idx position) {
    return {
        e.add(e.mul(position, op.getStrides()[axis]), Idx(-op.getPads()[axis])),
        Idx(int64_t(0)), Idx(op.getKernel()[axis]), Idx(op.getKernel()[axis])};
  }

  /// The first position along an axis whose window lies inside the input, and
  /// the one behind the last.
  std::pair<int64_t, int64_t> insideOf(int axis, int64_t count) {
    int64_t stride = op.getStrides()[axis], pad = op.getPads()[axis],
            reach = (op.getKernel()[axis] - 1) * op.getDilations()[axis],
            begin = std::min(count, llvm::divideCeilSigned(pad, stride)),
            room = x.shape[2 + axis] - 1 - reach + pad;
    return {begin,
            room < 0 ? begin : std::clamp(room / stride + 1, begin, count)};
  }

  void row(Idx batch, Idx channel, Idx y, Idx lane, const Range &rows) {
    if (canClamp())
      return clampedRow({batch, channel, y, Idx(int64_t(0)), lane}, rows);
    // Columns whose window lies inside the input.
    auto [begin, end] = insideOf(1, shape.columns);
    auto columns = [&](int64_t from, int64_t to, bool inside) {
      e.loop(Idx(from), Idx(to), 1, [&](Idx column) {
        pixel({batch, channel, y, column, lane}, rows,
              inside ? whole(1, column) : clip(1, column));
      });
    };
    columns(0, begin, false);
    Type compute = kernel::computeType(out.element);
    int64_t width = e.lanesOf(compute), wide = wideColumns(end) - begin;
    if (wide >= width && width > 1) {
      // Neighbours of a plane, a vector at a time; the last one begins where it
      // ends with the others, and does some of them again.
      Type scalar = type;
      lanes = width;
      type = VectorType::get({lanes}, compute);
      auto vectorAt = [&](Idx column) {
        pixel({batch, channel, y, column, lane}, rows, whole(1, column));
      };
      e.loop(Idx(begin), Idx(begin + wide / width * width), width, vectorAt);
      if (wide % width != 0)
        vectorAt(Idx(begin + wide - width));
      begin += wide;
      lanes = 1;
      type = scalar;
    }
    columns(begin, end, true);
    columns(end, shape.columns, false);
  }

  /// Whether the windows of the columns at the borders have the same maximum
  /// when what lies outside is the nearest element of the row: all its
  /// neighbours are in the window, and one of them in the row.
  bool canClamp() {
    int64_t size = op.getKernel()[1], stride = op.getStrides()[1],
            pad = op.getPads()[1];
    return op.getKind() == kernel::PoolKind::Max && !blocked && stride <= 2 &&
           op.getDilations()[1] == 1 && size <= kUnrolledTaps && pad < size &&
           (shape.columns - 1) * stride - pad < x.shape[3] &&
           x.strides[3] == 1 && out.strides[3] == 1 &&
           e.lanesOf(kernel::computeType(out.element)) > 1;
  }

  /// A row in vectors, those at the borders with windows of clamped columns;
  /// the last one does some columns again.
  void clampedRow(SmallVector<Idx> position, const Range &rows) {
    Type scalar = type;
    lanes = e.lanesOf(scalar);
    type = VectorType::get({lanes}, scalar);
    int64_t count = shape.columns,
            inside = wideColumns(insideOf(1, count).second) / lanes * lanes;
    auto border = [&](int64_t column) {
      position[3] = Idx(column);
      Range all = whole(1, Idx(int64_t(0)));
      pixel(position, rows, all, column, std::min(lanes, count));
    };
    bool first = op.getPads()[1] > 0 || inside == 0;
    if (first)
      border(0);
    int64_t done = first ? lanes : 0;
    e.loop(Idx(done), Idx(std::max(done, inside)), lanes, [&](Idx column) {
      position[3] = column;
      pixel(position, rows, whole(1, column));
    });
    for (done = std::max(done, inside); done < count; done += lanes)
      border(std::min(done, count - lanes));
    type = scalar;
    lanes = 1;
  }

  /// What tap `kx` of the window of each column from `column` on reads of the
  /// row at `row`.
  Value readClamped(Idx row, int64_t kx, int64_t column) {
    auto wide = cast<VectorType>(type);
    int64_t stride = op.getStrides()[1], width = x.shape[3],
            shift = kx - op.getPads()[1],
            from = std::clamp<int64_t>(
                column * stride + shift, 0,
                std::max<int64_t>(0, width - stride * lanes));
    SmallVector<int64_t> order;
    for (int64_t lane = 0; lane < lanes; ++lane)
      order.push_back(
          std::clamp<int64_t>((column + lane) * stride + shift, 0, width - 1) -
          from);
    auto part = [&](int64_t first) {
      return e.loadVector(x, e.add(row, Idx(from + first)), wide,
                          std::clamp<int64_t>(width - from - first, 0, lanes));
    };
    Value low = part(0), high = stride == 1 ? low : part(lanes);
    return vector::ShuffleOp::create(e.builder(), e.loc(), low, high, order);
  }

  /// The column up to which those before `end` of a plane can be done in
  /// vectors: with strides of 1, or of 2 where every other element is taken of
  /// two vectors that lie in the row.
  int64_t wideColumns(int64_t end) {
    int64_t stride = op.getStrides()[1];
    if (blocked || stride > 2 || x.strides[3] != 1 || out.strides[3] != 1)
      return 0;
    if (stride == 1)
      return end;
    int64_t reach =
        (op.getKernel()[1] - 1) * op.getDilations()[1] - op.getPads()[1] + 1;
    return std::min(end, (x.shape[3] - 1 - reach) / 2 + 1);
  }

  /// `valid` columns from `position` on, or one; with `border`, that is the
  /// position of the columns, whose windows are clamped.
  void pixel(SmallVector<Idx> position, const Range &rows, const Range &columns,
             std::optional<int64_t> border = {}, int64_t valid = kBlock) {
    bool isMax = op.getKind() == kernel::PoolKind::Max;
    Value init =
        e.splat(type, isMax ? -std::numeric_limits<double>::infinity() : 0.0);
    OpBuilder &b = e.builder();
    auto elementAt = [&](Idx ky, Idx kx) -> Value {
      if (border)
        return readClamped(
            index(x, {position[0], position[1],
                      e.add(rows.start, e.mul(ky, op.getDilations()[0])),
                      Idx(int64_t(0)), position[4]}),
            kx.offset, *border);
      return read(
          index(x, {position[0], position[1],
                    e.add(rows.start, e.mul(ky, op.getDilations()[0])),
                    e.add(columns.start, e.mul(kx, op.getDilations()[1])),
                    position[4]}));
    };
    auto tap = [&](Idx ky, Idx kx, Value value) -> Value {
      Value element = elementAt(ky, kx);
      return isMax ? e.maxOrNaN(value, element) : e.addf(value, element);
    };
    auto across = [&](Idx ky, ValueRange outer) -> SmallVector<Value> {
      if (columns.first.isConstant() && columns.last.isConstant() &&
          columns.last.offset <= kUnrolledTaps) {
        Value value = outer[0];
        for (int64_t kx = columns.first.offset; kx < columns.last.offset; ++kx)
          value = tap(ky, Idx(kx), value);
        return {value};
      }
      return e.loop(columns.first, columns.last, 1, outer,
                    [&](Idx kx, ValueRange inner) -> SmallVector<Value> {
                      return {tap(ky, kx, inner[0])};
                    });
    };
    bool unrolls = rows.first.isConstant() && rows.last.isConstant() &&
                   columns.first.isConstant() && columns.last.isConstant() &&
                   rows.last.offset * columns.last.offset <= kUnrolledTaps;
    SmallVector<Value> values{init};
    if (unrolls && isMax) {
      SmallVector<Value> taps;
      for (int64_t ky = rows.first.offset; ky < rows.last.offset; ++ky)
        for (int64_t kx = columns.first.offset; kx < columns.last.offset; ++kx)
          taps.push_back(elementAt(Idx(ky), Idx(kx)));
      if (!taps.empty())
        values = {greatest(taps)};
    } else if (unrolls) {
      for (int64_t ky = rows.first.offset; ky < rows.last.offset; ++ky)
        values = across(Idx(ky), values);
    } else {
      values = e.loop(rows.first, rows.last, 1, values, across);
    }
    Value result = values[0];
    if (!isMax)
      result =
          arith::DivFOp::create(b, e.loc(), result, divisor(rows, columns));
    Idx to = index(out, position);
    if (isa<VectorType>(type))
      e.storeVector(result, out, to, std::min(lanes, valid));
    else
      e.store(result, out, to);
  }

  /// The greatest element, or NaN where one is: that is asked of two at a time.
  Value greatest(ArrayRef<Value> taps) {
    OpBuilder &b = e.builder();
    Value most = taps[0], unordered;
    for (Value tap : taps.drop_front())
      most = e.maxOrSecond(most, tap);
    for (size_t i = 0; i < taps.size(); i += 2) {
      Value pair =
          arith::CmpFOp::create(b, e.loc(), arith::CmpFPredicate::UNO, taps[i],
                                taps[std::min(i + 1, taps.size() - 1)]);
      unordered =
          unordered ? arith::OrIOp::create(b, e.loc(), unordered, pair) : pair;
    }
    Value nan =
        e.splat(most.getType(), std::numeric_limits<double>::quiet_NaN());
    return arith::SelectOp::create(b, e.loc(), unordered, nan, most);
  }

  /// The number of elements an average divides by.
  Value divisor(const Range &rows, const Range &columns) {
    if (op.getDivisor() > 0)
      return e.splat(type, op.getDivisor());
    bool pads = op.getCountIncludePad();
    auto count = [&](const Range &range) {
      return pads ? range.counted : e.add(range.last, e.mul(range.first, -1));
    };
    Idx h = count(rows), w = count(columns);
    if (h.isConstant() && w.isConstant())
      return e.splat(type, h.offset * w.offset);
    OpBuilder &b = e.builder();
    Value product = arith::MulIOp::create(b, e.loc(), e.get(h), e.get(w));
    Value integer =
        arith::IndexCastOp::create(b, e.loc(), b.getI64Type(), product);
    Value scalar = arith::SIToFPOp::create(b, e.loc(),
                                           getElementTypeOrSelf(type), integer);
    auto wide = dyn_cast<VectorType>(type);
    return wide ? e.broadcast(scalar, wide) : scalar;
  }

  Idx index(const Buffer &buffer, ArrayRef<Idx> position) {
    return e.at(buffer, position.take_front(buffer.shape.size()));
  }

  Value read(Idx from) {
    auto wide = dyn_cast<VectorType>(type);
    if (!wide)
      return e.load(x, from, type);
    Value first = e.loadVector(x, from, wide, lanes);
    if (blocked || op.getStrides()[1] == 1)
      return first;
    SmallVector<int64_t> even;
    for (int64_t lane = 0; lane < lanes; ++lane)
      even.push_back(2 * lane);
    Value second = e.loadVector(x, e.add(from, Idx(lanes)), wide, lanes);
    return vector::ShuffleOp::create(e.builder(), e.loc(), first, second, even);
  }

  Emitter &e;
  kernel::PoolOp op;
  PoolShape shape;
  Buffer x, out;
  bool blocked;
  Type type;
  int64_t lanes;
};

} // namespace

static FailureOr<PoolExpansion> poolOf(Emitter &e, kernel::PoolOp op) {
  FailureOr<Buffer> x = e.buffer(op.getX()), out = e.buffer(op.getOut());
  if (failed(x) || failed(out))
    return failure();
  if (x->shape.size() == 5 && (x->strides[4] != 1 || out->strides[4] != 1))
    return op.emitOpError("expects operands with contiguous channel blocks");
  return PoolExpansion(e, op, *x, *out);
}

int64_t taskCount(kernel::PoolOp op) {
  PoolShape shape(op);
  return shape.batch * shape.channels * shape.groups;
}

LogicalResult expandPool(Emitter &e, kernel::PoolOp op, Value lo, Value hi) {
  FailureOr<PoolExpansion> pool = poolOf(e, op);
  if (failed(pool))
    return failure();
  pool->run(lo, hi);
  return success();
}

int64_t threadCount(kernel::PoolOp op, const TargetInfo &target) {
  ShapedType type = op.getOutType();
  return type.getNumElements() / lanesOf(type, target);
}

LogicalResult expandThread(Emitter &e, kernel::PoolOp op, Value thread) {
  FailureOr<PoolExpansion> pool = poolOf(e, op);
  if (failed(pool))
    return failure();
  pool->element(thread);
  return success();
}

} // namespace graven::expand
