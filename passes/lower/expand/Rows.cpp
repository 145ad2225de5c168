//===- Rows.cpp - expansion of kernel.softmax and rownorm -------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the expansion of the kernels that normalise the last
// axis: a row is reduced in a fixed tree of vectors, then written.

#include "passes/lower/expand/Expand.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/Support/MathExtras.h"
#include <limits>

using namespace mlir;

namespace graven::expand {
namespace {

/// Elements that are worth handing to another thread.
constexpr int64_t kTaskElements = 4096;

/// Vectors that are reduced side by side.
constexpr int64_t kUnroll = 4;

/// The rows of a tensor: its outer axes, and how rows are grouped to tasks.
struct RowShape {
  explicit RowShape(ShapedType type) : length(type.getShape().back()) {
    outer.assign(type.getShape().begin(), type.getShape().end() - 1);
    for (int64_t extent : outer)
      rows *= extent;
    perTask = std::max<int64_t>(1, kTaskElements / length);
    tasks = std::max<int64_t>(1, llvm::divideCeilSigned(rows, perTask));
  }

  int64_t length, rows = 1, perTask, tasks;
  SmallVector<int64_t> outer;
};

class RowExpansion {
public:
  RowExpansion(Emitter &e, Buffer x, Buffer out, RowShape shape)
      : e(e), x(std::move(x)), out(std::move(out)), shape(std::move(shape)),
        vector(e.computeVectorOf(this->out.element)),
        lanes(vector.getNumElements()) {}

  /// body(first element of the input row, of the output row)
  void run(Value lo, Value hi, function_ref<void(Idx, Idx)> body) {
    e.tasks(lo, hi, {shape.tasks}, [&](ArrayRef<Idx> task) {
      Idx first = e.mul(task[0], shape.perTask);
      Idx last = e.min(e.add(first, Idx(shape.perTask)), Idx(shape.rows));
      e.loop(first, last, 1, [&](Idx row) {
        SmallVector<Idx> position = e.delinearize(row, shape.outer);
        position.push_back(Idx(int64_t(0)));
        body(e.at(x, position), e.at(out, position));
      });
    });
  }

  /// Visits a row in vectors: body(first element, lanes that exist).
  void each(function_ref<void(Idx, int64_t)> body) {
    int64_t whole = shape.length / lanes * lanes;
    e.loop(Idx(int64_t(0)), Idx(whole), lanes, [&](Idx i) { body(i, lanes); });
    if (whole < shape.length)
      body(Idx(whole), shape.length - whole);
  }

  /// Folds a row with step(first element, lanes that exist, accumulator) in
  /// kUnroll interleaved chains that `join` joins.
  Value fold(Value init, function_ref<Value(Idx, int64_t, Value)> step,
             function_ref<Value(Value, Value)> join) {
    int64_t block = kUnroll * lanes, blocks = shape.length / block * block;
    SmallVector<Value> chains(kUnroll, init);
    chains = e.loop(Idx(int64_t(0)), Idx(blocks), block, chains,
                    [&](Idx i, ValueRange carried) {
                      SmallVector<Value> next;
                      for (int64_t u = 0; u < kUnroll; ++u)
                        next.push_back(
                            step(e.add(i, Idx(u * lanes)), lanes, carried[u]));
                      return next;
                    });
    for (int64_t i = blocks, u = 0; i < shape.length; i += lanes, ++u)
      chains[u] = step(Idx(i), std::min(lanes, shape.length - i), chains[u]);
    return join(join(chains[0], chains[1]), join(chains[2], chains[3]));
  }

  Value sumLanes(Value value) {
    return vector::ReductionOp::create(e.builder(), e.loc(),
                                       vector::CombiningKind::ADD, value,
                                       arith::FastMathFlags::reassoc);
  }

  Emitter &e;
  Buffer x, out;
  RowShape shape;
  VectorType vector;
  int64_t lanes;
};

FailureOr<RowExpansion> rowsOf(Emitter &e, Operation *op, Value input,
                               Value output) {
  FailureOr<Buffer> x = e.buffer(input), out = e.buffer(output);
  if (failed(x) || failed(out))
    return failure();
  if (x->strides.back() != 1 || out->strides.back() != 1)
    return op->emitOpError("expects operands with a contiguous last axis");
  return RowExpansion(e, *x, *out,
                      RowShape(cast<ShapedType>(output.getType())));
}

} // namespace

int64_t taskCount(kernel::SoftmaxOp op) {
  return RowShape(op.getOutType()).tasks;
}

LogicalResult expandSoftmax(Emitter &e, kernel::SoftmaxOp op, Value lo,
                            Value hi) {
  FailureOr<RowExpansion> rows = rowsOf(e, op, op.getX(), op.getOut());
  if (failed(rows))
    return failure();
  OpBuilder &b = e.builder();
  VectorType type = rows->vector;
  Value lowest = e.splat(type, -std::numeric_limits<double>::infinity());
  rows->run(lo, hi, [&](Idx from, Idx to) {
    auto load = [&](Idx i, int64_t valid) {
      return e.loadVector(rows->x, e.add(from, i), type, valid, lowest);
    };
    // A NaN that the maximum overlooks comes back through the exponentials.
    auto larger = [&](Value a, Value c) { return e.maxOrSecond(a, c); };
    Value most = rows->fold(
        lowest,
        [&](Idx i, int64_t valid, Value chain) {
          return larger(load(i, valid), chain);
        },
        larger);
    Value most1 = vector::ReductionOp::create(
        b, e.loc(), vector::CombiningKind::MAXNUMF, most);
    Value mostEach = e.broadcast(most1, type);
    auto add = [&](Value a, Value c) { return e.addf(a, c); };
    bool log = op.getLog();
    Value sum = rows->fold(
        e.splat(type, 0.0),
        [&](Idx i, int64_t valid, Value chain) {
          Value value = e.expNonPositive(e.subf(load(i, valid), mostEach));
          if (!log)
            e.storeVector(value, rows->out, e.add(to, i), valid);
          if (valid < rows->lanes) {
            // Absent lanes are exp(-inf - m): zero, but NaN when m is -inf.
            SmallVector<bool> bits(rows->lanes, false);
            std::fill_n(bits.begin(), valid, true);
            auto maskType = VectorType::get({rows->lanes}, b.getI1Type());
            Value mask = arith::ConstantOp::create(
                b, e.loc(), DenseElementsAttr::get(maskType, bits));
            value = arith::SelectOp::create(b, e.loc(), mask, value,
                                            e.splat(type, 0.0));
          }
          return e.addf(chain, value);
        },
        add);
    Value total = rows->sumLanes(sum);
    if (log) {
      Value shift = e.broadcast(math::LogOp::create(b, e.loc(), total), type);
      rows->each([&](Idx i, int64_t valid) {
        Value value = e.subf(e.subf(load(i, valid), mostEach), shift);
        e.storeVector(value, rows->out, e.add(to, i), valid);
      });
      return;
    }
    Value inverse = arith::DivFOp::create(
        b, e.loc(), e.splat(type.getElementType(), 1.0), total);
    Value inverseEach = e.broadcast(inverse, type);
    rows->each([&](Idx i, int64_t valid) {
      Value value = e.loadVector(rows->out, e.add(to, i), type, valid);
      e.storeVector(e.mulf(value, inverseEach), rows->out, e.add(to, i), valid);
    });
  });
  return success();
}

int64_t taskCount(kernel::RowNormOp op) {
  return RowShape(op.getOutType()).tasks;
}

LogicalResult expandRowNorm(Emitter &e, kernel::RowNormOp op, Value lo,
                            Value hi) {
  FailureOr<RowExpansion> rows = rowsOf(e, op, op.getX(), op.getOut());
  if (failed(rows))
    return failure();
  SmallVector<Buffer> params;
  for (Value param : op.getParams()) {
    FailureOr<Buffer> buffer = e.buffer(param);
    if (failed(buffer))
      return failure();
    params.push_back(*buffer);
  }
  OpBuilder &b = e.builder();
  VectorType type = rows->vector;
  Type element = type.getElementType();
  bool layer = op.getKind() == kernel::NormKind::Layer;
  Value zero = e.splat(type, 0.0), count = e.splat(element, rows->shape.length);
  Value epsilon = e.splat(element, op.getEpsilon().convertToDouble());
  auto add = [&](Value a, Value c) { return e.addf(a, c); };
  rows->run(lo, hi, [&](Idx from, Idx to) {
    Value meanEach;
    if (layer) {
      Value sum = rows->fold(
          zero,
          [&](Idx i, int64_t valid, Value chain) {
            return e.addf(chain,
                          e.loadVector(rows->x, e.add(from, i), type, valid));
          },
          add);
      Value mean =
          arith::DivFOp::create(b, e.loc(), rows->sumLanes(sum), count);
      meanEach = e.broadcast(mean, type);
    }
    auto centred = [&](Idx i, int64_t valid) {
      // Absent lanes hold the mean, so that they add nothing to the variance.
      Value value = e.loadVector(rows->x, e.add(from, i), type, valid,
                                 layer ? meanEach : zero);
      return layer ? e.subf(value, meanEach) : value;
    };
    Value squares = rows->fold(
        zero,
        [&](Idx i, int64_t valid, Value chain) {
          Value value = centred(i, valid);
          return e.fma(value, value, chain);
        },
        add);
    Value variance =
        arith::DivFOp::create(b, e.loc(), rows->sumLanes(squares), count);
    Value root = math::SqrtOp::create(b, e.loc(), e.addf(variance, epsilon));
    Value inverse =
        arith::DivFOp::create(b, e.loc(), e.splat(element, 1.0), root);
    Value inverseEach = e.broadcast(inverse, type);
    rows->each([&](Idx i, int64_t valid) {
      Value value = e.mulf(centred(i, valid), inverseEach);
      if (params.size() == 1)
        value = e.mulf(value, e.loadVector(params[0], i, type, valid));
      if (params.size() == 2)
        value = e.fma(value, e.loadVector(params[0], i, type, valid),
                      e.loadVector(params[1], i, type, valid));
      e.storeVector(value, rows->out, e.add(to, i), valid);
    });
  });
  return success();
}

} // namespace graven::expand
