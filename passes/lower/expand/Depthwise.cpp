//===- Depthwise.cpp - expansion of kernel.depthwise ------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the expansion of depthwise convolutions: a register tile
// of output pixels by one vector of channels, the taps unrolled.

#include "passes/lower/expand/Epilogue.h"
#include "passes/lower/expand/Expand.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace graven::expand {
namespace {

constexpr int64_t kBlock = kernel::kChannelBlock;

/// Enough units of work for any number of threads we expect.
constexpr int64_t kWantedTasks = 32;

/// Taps of a row in one loop body; wider windows loop over their columns too.
constexpr int64_t kUnrolledTaps = 9;

struct DepthwiseShape {
  explicit DepthwiseShape(kernel::DepthwiseOp op)
      : batch(op.getOutType().getDimSize(0)),
        blocks(op.getOutType().getDimSize(1)),
        rows(op.getOutType().getDimSize(2), op.getTile()[0]),
        columns(op.getOutType().getDimSize(3), op.getTile()[1]) {
    groups = std::min(rows.count,
                      llvm::divideCeilSigned(
                          kWantedTasks, std::max<int64_t>(1, batch * blocks)));
  }

  int64_t batch, blocks;
  Split rows, columns;
  /// Units of work along the rows.
  int64_t groups;
};

class DepthwiseExpansion {
public:
  DepthwiseExpansion(Emitter &e, kernel::DepthwiseOp op, Buffer x, Buffer w,
                     Buffer out, Epilogue epilogue)
      : e(e), op(op), shape(op), x(std::move(x)), w(std::move(w)),
        out(std::move(out)), epilogue(std::move(epilogue)),
        vector(e.computeVectorOf(this->out.element)),
        lanes(vector.getNumElements()) {}

  void run(Value lo, Value hi) {
    e.tasks(lo, hi, {shape.batch, shape.blocks, shape.groups},
            [&](ArrayRef<Idx> task) {
              auto whole = [&] {
                e.loop(Idx(int64_t(0)), Idx(kBlock), lanes,
                       [&](Idx lane) { rowsOf(task, lane, lanes); });
              };
              int64_t tail = op.getChannels() - (shape.blocks - 1) * kBlock;
              if (tail == kBlock)
                return whole();
              auto partial = [&] {
                for (int64_t lane = 0; lane < tail; lane += lanes)
                  rowsOf(task, Idx(lane), std::min(tail - lane, lanes));
              };
              e.ifEqual(shape.blocks == 1 ? Idx(int64_t(0)) : task[1],
                        shape.blocks - 1, partial, whole);
            });
  }

  /// The vector of channels of this number, of those that are no more than the
  /// channels.
  void element(Idx number) {
    const ArrayRef<int64_t> extents(out.shape);
    SmallVector<Idx> at =
        e.delinearize(number, {extents[0], extents[1], extents[2], extents[3],
                               kBlock / lanes});
    Idx lane = e.mul(at[4], lanes);
    auto compute = [&] { tile(at[0], at[1], lane, lanes, at[2], 1, at[3], 1); };
    int64_t tail = op.getChannels() - (extents[1] - 1) * kBlock;
    if (tail == kBlock)
      return compute();
    // Nobody reads the lanes past the channels.
    Idx channel = e.add(e.mul(at[1], kBlock), lane);
    e.when(e.isBelow(channel, op.getChannels()), compute);
  }

private:
  void rowsOf(ArrayRef<Idx> task, Idx lane, int64_t valid) {
    Idx first(int64_t(0)), last(shape.rows.count);
    if (shape.groups > 1) {
      first = e.divRem(e.mul(task[2], shape.rows.count), shape.groups).first;
      last = e.divRem(e.mul(e.add(task[2], Idx(1)), shape.rows.count),
                      shape.groups)
                 .first;
    }
    e.tiles(shape.rows, first, last, [&](Idx, Idx y, int64_t rows) {
      e.tiles(shape.columns, Idx(int64_t(0)), Idx(shape.columns.count),
              [&](Idx, Idx column, int64_t columns) {
                tile(task[0], task[1], lane, valid, y, rows, column, columns);
              });
    });
  }

  void tile(Idx batch, Idx block, Idx lane, int64_t valid, Idx y, int64_t rows,
            Idx column, int64_t columns) {
    Idx xBase = e.at(x, {batch, block, e.mul(y, op.getStrides()[0]),
                         e.mul(column, op.getStrides()[1]), lane});
    Idx wBase = e.at(w, {block, Idx(int64_t(0)), Idx(int64_t(0)), lane});
    int64_t kh = w.shape[1], kw = w.shape[2];
    SmallVector<Value> values(rows * columns, e.splat(vector, 0.0));
    auto weightAt = [&](Idx ky, Idx kx) {
      Idx at = e.add(e.mul(ky, w.strides[1]), e.mul(kx, w.strides[2]));
      return e.loadVector(w, e.add(wBase, at), vector, lanes);
    };
    // One row of taps on one row of pixels. Each column of the input is loaded
    // once, and used up before the next: what is loaded early for a later tap
    // takes registers from the accumulators.
    auto unrolled = [&](Idx ky, MutableArrayRef<Value> into) {
      SmallVector<Value> weights;
      for (int64_t kx = 0; kx < kw; ++kx)
        weights.push_back(weightAt(ky, Idx(kx)));
      int64_t dilation = op.getDilations()[1], stride = op.getStrides()[1],
              width = (columns - 1) * stride + (kw - 1) * dilation + 1;
      for (int64_t r = 0; r < rows; ++r) {
        Idx from =
            e.add(xBase, e.add(e.mul(ky, op.getDilations()[0] * x.strides[2]),
                               Idx(r * op.getStrides()[0] * x.strides[2])));
        for (int64_t at = 0; at < width; ++at) {
          Value input;
          for (int64_t kx = 0; kx < kw; ++kx) {
            int64_t start = at - kx * dilation;
            if (start < 0 || start % stride != 0 || start / stride >= columns)
              continue;
            if (!input)
              input = e.loadVector(x, e.add(from, Idx(at * x.strides[3])),
                                   vector, lanes);
            Value &value = into[r * columns + start / stride];
            value = e.fma(input, weights[kx], value);
          }
        }
      }
    };
    auto tap = [&](Idx ky, Idx kx, MutableArrayRef<Value> into) {
      Value weight = weightAt(ky, kx);
      Idx from =
          e.add(xBase, e.add(e.mul(ky, op.getDilations()[0] * x.strides[2]),
                             e.mul(kx, op.getDilations()[1] * x.strides[3])));
      for (int64_t r = 0; r < rows; ++r)
        for (int64_t c = 0; c < columns; ++c) {
          int64_t offset = r * op.getStrides()[0] * x.strides[2] +
                           c * op.getStrides()[1] * x.strides[3];
          Value &value = into[r * columns + c];
          value =
              e.fma(e.loadVector(x, e.add(from, Idx(offset)), vector, lanes),
                    weight, value);
        }
    };
    auto row = [&](Idx ky, ValueRange carried) -> SmallVector<Value> {
      SmallVector<Value> inner(carried);
      if (kw <= kUnrolledTaps) {
        unrolled(ky, inner);
        return inner;
      }
      return e.loop(Idx(int64_t(0)), Idx(kw), 1, inner,
                    [&](Idx kx, ValueRange more) {
                      SmallVector<Value> innermost(more);
                      tap(ky, kx, innermost);
                      return innermost;
                    });
    };
    values = e.loop(Idx(int64_t(0)), Idx(kh), 1, values, row);

    Idx channel = e.add(e.mul(block, kBlock), lane);
    SmallVector<Value> channelValues =
        epilogue.channelValues(e, channel, vector, valid);
    for (int64_t r = 0; r < rows; ++r)
      for (int64_t c = 0; c < columns; ++c) {
        SmallVector<Idx> position{batch, block, e.add(y, Idx(r)),
                                  e.add(column, Idx(c)), lane};
        Value value = epilogue.apply(
            e, values[r * columns + c], channelValues, [&](const Buffer &full) {
              return e.loadVector(full, e.at(full, position), vector, lanes);
            });
        e.storeVector(value, out, e.at(out, position), lanes);
      }
  }

  Emitter &e;
  kernel::DepthwiseOp op;
  DepthwiseShape shape;
  Buffer x, w, out;
  Epilogue epilogue;
  VectorType vector;
  int64_t lanes;
};

} // namespace

int64_t taskCount(kernel::DepthwiseOp op) {
  DepthwiseShape shape(op);
  return shape.batch * shape.blocks * shape.groups;
}

static FailureOr<DepthwiseExpansion> depthwiseOf(Emitter &e,
                                                 kernel::DepthwiseOp op) {
  FailureOr<Buffer> x = e.buffer(op.getX()), w = e.buffer(op.getW()),
                    out = e.buffer(op.getOut());
  if (failed(x) || failed(w) || failed(out))
    return failure();
  if (x->strides[4] != 1 || w->strides[3] != 1 || out->strides[4] != 1)
    return op.emitOpError("expects operands with contiguous channel blocks");
  FailureOr<Epilogue> epilogue =
      Epilogue::create(e, op.getEpilogue(), op.getBody(), out->shape);
  if (failed(epilogue))
    return failure();
  return DepthwiseExpansion(e, op, *x, *w, *out, *epilogue);
}

LogicalResult expandDepthwise(Emitter &e, kernel::DepthwiseOp op, Value lo,
                              Value hi) {
  FailureOr<DepthwiseExpansion> depthwise = depthwiseOf(e, op);
  if (failed(depthwise))
    return failure();
  depthwise->run(lo, hi);
  return success();
}

/// Vectors of channels, where these are whole ones.
static int64_t lanesOf(kernel::DepthwiseOp op, const TargetInfo &target) {
  Type compute = kernel::computeType(op.getOutType().getElementType());
  return target.lanes(compute.getIntOrFloatBitWidth() / 8);
}

int64_t threadCount(kernel::DepthwiseOp op, const TargetInfo &target) {
  int64_t lanes = lanesOf(op, target);
  return op.getChannels() % lanes == 0
             ? op.getOutType().getNumElements() / lanes
             : taskCount(op);
}

LogicalResult expandThread(Emitter &e, kernel::DepthwiseOp op, Value thread) {
  FailureOr<DepthwiseExpansion> depthwise = depthwiseOf(e, op);
  if (failed(depthwise))
    return failure();
  if (op.getChannels() % lanesOf(op, e.target()) == 0)
    depthwise->element(thread);
  else
    depthwise->run(thread, e.get(e.add(Idx(thread), Idx(1))));
  return success();
}

} // namespace graven::expand
