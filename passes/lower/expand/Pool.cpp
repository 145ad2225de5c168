//===- Pool.cpp - expansion of kernel.pool ----------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the expansion of max and average pooling: windows are
// clipped at the borders, and columns whose window lies inside have it
// unrolled.

#include "passes/lower/expand/Expand.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/TypeUtilities.h"
#include "llvm/Support/MathExtras.h"
#include <limits>

using namespace mlir;

namespace graven::expand {
namespace {

constexpr int64_t kBlock = kernel::kChannelBlock;

/// Enough units of work for any number of threads we expect.
constexpr int64_t kWantedTasks = 32;

/// Columns of a window in one loop body.
constexpr int64_t kUnrolledTaps = 8;

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

class PoolExpansion {
public:
  PoolExpansion(Emitter &e, kernel::PoolOp op, Buffer x, Buffer out)
      : e(e), op(op), shape(op), x(std::move(x)), out(std::move(out)),
        blocked(this->out.shape.size() == 5), type(this->out.element),
        lanes(1) {
    if (!blocked)
      return;
    lanes = std::min<int64_t>(e.lanesOf(this->out.element), kBlock);
    type = VectorType::get({lanes}, this->out.element);
  }

  void run(Value lo, Value hi) {
    e.tasks(lo, hi, {shape.batch, shape.channels, shape.groups},
            [&](ArrayRef<Idx> task) {
              Idx first = e.mul(task[2], shape.rowsPerTask);
              Idx last =
                  e.min(e.add(first, Idx(shape.rowsPerTask)), Idx(shape.rows));
              e.loop(first, last, 1, [&](Idx y) {
                e.loop(Idx(int64_t(0)), Idx(blocked ? kBlock : 1), lanes,
                       [&](Idx lane) { row(task[0], task[1], y, lane); });
              });
            });
  }

private:
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

  void row(Idx batch, Idx channel, Idx y, Idx lane) {
    Range rows = clip(0, y);
    // Columns whose window lies inside the input.
    int64_t stride = op.getStrides()[1], pad = op.getPads()[1];
    int64_t reach = (op.getKernel()[1] - 1) * op.getDilations()[1];
    int64_t begin =
        std::min(shape.columns, llvm::divideCeilSigned(pad, stride));
    int64_t room = x.shape[3] - 1 - reach + pad;
    int64_t end =
        room < 0 ? begin : std::clamp(room / stride + 1, begin, shape.columns);
    auto columns = [&](int64_t from, int64_t to, bool inside) {
      e.loop(Idx(from), Idx(to), 1, [&](Idx column) {
        Range window = clip(1, column);
        if (inside)
          window = {e.add(e.mul(column, stride), Idx(-pad)), Idx(int64_t(0)),
                    Idx(op.getKernel()[1]), Idx(op.getKernel()[1])};
        pixel({batch, channel, y, column, lane}, rows, window);
      });
    };
    columns(0, begin, false);
    columns(begin, end, true);
    columns(end, shape.columns, false);
  }

  void pixel(SmallVector<Idx> position, const Range &rows,
             const Range &columns) {
    bool isMax = op.getKind() == kernel::PoolKind::Max;
    Value init =
        e.splat(type, isMax ? -std::numeric_limits<double>::infinity() : 0.0);
    OpBuilder &b = e.builder();
    auto tap = [&](Idx ky, Idx kx, Value value) -> Value {
      Idx from =
          index(x, {position[0], position[1],
                    e.add(rows.start, e.mul(ky, op.getDilations()[0])),
                    e.add(columns.start, e.mul(kx, op.getDilations()[1])),
                    position[4]});
      Value element = read(from);
      if (isMax)
        return arith::MaximumFOp::create(b, e.loc(), value, element);
      return e.addf(value, element);
    };
    Value result = e.loop(
        rows.first, rows.last, 1, init,
        [&](Idx ky, ValueRange outer) -> SmallVector<Value> {
          if (columns.last.isConstant() &&
              columns.last.offset <= kUnrolledTaps) {
            Value value = outer[0];
            for (int64_t kx = columns.first.offset; kx < columns.last.offset;
                 ++kx)
              value = tap(ky, Idx(kx), value);
            return {value};
          }
          return e.loop(columns.first, columns.last, 1, outer,
                        [&](Idx kx, ValueRange inner) -> SmallVector<Value> {
                          return {tap(ky, kx, inner[0])};
                        });
        })[0];
    if (!isMax)
      result =
          arith::DivFOp::create(b, e.loc(), result, divisor(rows, columns));
    Idx to = index(out, position);
    if (blocked)
      e.storeVector(result, out, to, lanes);
    else
      e.store(result, out, to);
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
    return blocked ? e.broadcast(scalar, cast<VectorType>(type)) : scalar;
  }

  Idx index(const Buffer &buffer, ArrayRef<Idx> position) {
    return e.at(buffer, position.take_front(buffer.shape.size()));
  }

  Value read(Idx from) {
    return blocked ? e.loadVector(x, from, cast<VectorType>(type), lanes)
                   : e.load(x, from);
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

int64_t taskCount(kernel::PoolOp op) {
  PoolShape shape(op);
  return shape.batch * shape.channels * shape.groups;
}

LogicalResult expandPool(Emitter &e, kernel::PoolOp op, Value lo, Value hi) {
  FailureOr<Buffer> x = e.buffer(op.getX()), out = e.buffer(op.getOut());
  if (failed(x) || failed(out))
    return failure();
  if (x->shape.size() == 5 && (x->strides[4] != 1 || out->strides[4] != 1))
    return op.emitOpError("expects operands with contiguous channel blocks");
  PoolExpansion(e, op, *x, *out).run(lo, hi);
  return success();
}

} // namespace graven::expand
