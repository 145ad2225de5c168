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

/// Rows of few vectors wait for the sums over their lanes: so many go together.
constexpr int64_t kGroupedRows = 4, kGroupedVectors = 16;

/// Where a row begins in the input and in the output.
struct RowPlace {
  Idx from, to;
};

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

  void run(Value lo, Value hi, function_ref<void(const RowPlace &)> body) {
    e.tasks(lo, hi, {shape.tasks}, [&](ArrayRef<Idx> task) {
      e.loop(firstOf(task[0]), lastOf(task[0]), 1,
             [&](Idx row) { body(placeOf(row)); });
    });
  }

  /// Rows that are few vectors long in groups, which stages of the work may
  /// pass over one after the other.
  void runGrouped(Value lo, Value hi,
                  function_ref<void(ArrayRef<RowPlace>)> body) {
    int64_t group = shape.length <= kGroupedVectors * lanes ? kGroupedRows : 1;
    e.tasks(lo, hi, {shape.tasks}, [&](ArrayRef<Idx> task) {
      Idx first = firstOf(task[0]), last = lastOf(task[0]);
      Idx groups = e.divRem(e.add(last, e.mul(first, -1)), group).first,
          rest = e.add(first, e.mul(groups, group));
      auto rows = [&](Idx from, int64_t count) {
        SmallVector<RowPlace> places;
        for (int64_t i = 0; i < count; ++i)
          places.push_back(placeOf(e.add(from, Idx(i))));
        body(places);
      };
      e.loop(first, rest, group, [&](Idx row) { rows(row, group); });
      if (group > 1)
        e.loop(rest, last, 1, [&](Idx row) { rows(row, 1); });
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

private:
  Idx firstOf(Idx task) { return e.mul(task, shape.perTask); }
  Idx lastOf(Idx task) {
    return e.min(e.add(firstOf(task), Idx(shape.perTask)), Idx(shape.rows));
  }
  RowPlace placeOf(Idx row) {
    SmallVector<Idx> position = e.delinearize(row, shape.outer);
    position.push_back(Idx(int64_t(0)));
    return {e.at(x, position), e.at(out, position)};
  }
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
  auto load = [&](const RowPlace &row, Idx i, int64_t valid) {
    return e.loadVector(rows->x, e.add(row.from, i), type, valid, lowest);
  };
  // A NaN that the maximum overlooks comes back through the exponentials.
  auto larger = [&](Value a, Value c) { return e.maxOrSecond(a, c); };
  auto add = [&](Value a, Value c) { return e.addf(a, c); };
  bool log = op.getLog();
  auto mostOf = [&](const RowPlace &row) {
    Value most = rows->fold(
        lowest,
        [&](Idx i, int64_t valid, Value chain) {
          return larger(load(row, i, valid), chain);
        },
        larger);
    return e.broadcast(vector::ReductionOp::create(
                           b, e.loc(), vector::CombiningKind::MAXNUMF, most),
                       type);
  };
  auto totalOf = [&](const RowPlace &row, Value most) -> Value {
    Value sum = rows->fold(
        e.splat(type, 0.0),
        [&](Idx i, int64_t valid, Value chain) {
          Value value = e.expNonPositive(e.subf(load(row, i, valid), most));
          if (!log)
            e.storeVector(value, rows->out, e.add(row.to, i), valid);
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
    if (log)
      return e.broadcast(math::LogOp::create(b, e.loc(), total), type);
    return e.broadcast(
        arith::DivFOp::create(b, e.loc(), e.splat(type.getElementType(), 1.0),
                              total),
        type);
  };
  rows->runGrouped(lo, hi, [&](ArrayRef<RowPlace> group) {
    SmallVector<Value> most(llvm::map_range(group, mostOf)), total;
    for (auto [row, greatest] : llvm::zip_equal(group, most))
      total.push_back(totalOf(row, greatest));
    for (auto [row, greatest, each] : llvm::zip_equal(group, most, total))
      rows->each([&](Idx i, int64_t valid) {
        Idx at = e.add(row.to, i);
        Value value =
            log ? e.subf(e.subf(load(row, i, valid), greatest), each)
                : e.mulf(e.loadVector(rows->out, at, type, valid), each);
        e.storeVector(value, rows->out, at, valid);
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
  FailureOr<SmallVector<Buffer>> params = e.buffers(op.getParams());
  if (failed(params))
    return failure();
  OpBuilder &b = e.builder();
  VectorType type = rows->vector;
  Type element = type.getElementType();
  bool layer = op.getKind() == kernel::NormKind::Layer;
  Value zero = e.splat(type, 0.0), count = e.splat(element, rows->shape.length);
  Value epsilon = e.splat(element, op.getEpsilon().convertToDouble());
  auto add = [&](Value a, Value c) { return e.addf(a, c); };
  rows->run(lo, hi, [&](const RowPlace &row) {
    Idx from = row.from, to = row.to;
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
      if (params->size() == 1)
        value = e.mulf(value, e.loadVector((*params)[0], i, type, valid));
      if (params->size() == 2)
        value = e.fma(value, e.loadVector((*params)[0], i, type, valid),
                      e.loadVector((*params)[1], i, type, valid));
      e.storeVector(value, rows->out, e.add(to, i), valid);
    });
  });
  return success();
}

} // namespace graven::expand
