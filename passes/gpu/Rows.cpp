//===- Rows.cpp - softmax and rownorm by groups of threads ------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the kernels that normalise the last axis: a row is the
// work of a group of threads.
//===----------------------------------------------------------------------===//
#include "passes/gpu/BlockKernels.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/Support/MathExtras.h"
#include <limits>

using namespace mlir;

namespace graven::blocks {
namespace {

using expand::Buffer;
using expand::Idx;

/// Elements of a thread: so many that its loads hide their latency, and at most
/// so many that they stay in registers.
constexpr int64_t kWantedElements = 16, kMostElements = 32;
constexpr int32_t kBlockThreads = 256, kMostThreads = 1024;

/// How the rows of a tensor are divided.
struct RowPlan {
  explicit RowPlan(ShapedType type) : length(type.getShape().back()) {
    outer.assign(type.getShape().begin(), type.getShape().end() - 1);
    rows = llvm::product_of(outer);
    // In one warp there is no need to wait for others.
    int64_t most =
        length <= kWarpSize * kMostElements ? kWarpSize : kMostThreads;
    group = std::min<int64_t>(most, llvm::PowerOf2Ceil(llvm::divideCeilSigned(
                                        length, kWantedElements)));
    threads = group > kWarpSize ? group : kBlockThreads;
    perBlock = threads / group;
  }

  LaunchExtents extents() const {
    return {llvm::divideCeilSigned(rows, perBlock), threads};
  }

  int64_t length, rows;
  SmallVector<int64_t> outer;
  /// Threads of a row and of a block.
  int32_t group, threads;
  int64_t perBlock;
};

/// Elements of a row that a thread has at a time, neighbours.
struct Chunk {
  /// The first one.
  Idx at;
  /// Whether the row is so long; null where it is known to be.
  Value isValid;
  /// Its number among the thread's, where they are not in a loop.
  std::optional<int64_t> number;
};

class RowBlocks {
public:
  static FailureOr<RowBlocks> create(BlockEmitter &e, Operation *op,
                                     Value input, Value output);

  /// The chunk, its elements computed in `vector`; `fill` in those that do not
  /// exist.
  Value load(const Chunk &chunk, Value fill);
  Value load(const Buffer &parameter, const Chunk &chunk);
  void store(Value value, const Chunk &chunk);
  void each(function_ref<void(const Chunk &)> body);
  /// What `step` makes of the chunks one after the other, then `join` of the
  /// elements of a vector and of the threads of the row: in each of them.
  Value fold(Value init, function_ref<Value(const Chunk &, Value)> step,
             BlockEmitter::Join join);

  Value select(const Chunk &chunk, Value value, Value fill);
  Value broadcast(Value scalar) { return e.broadcast(scalar, vector); }

  BlockEmitter &e;
  RowPlan plan;
  VectorType vector;

private:
  RowBlocks(BlockEmitter &e, Buffer x, Buffer out, RowPlan plan);

  /// Elements of all threads of the row that have one number.
  int64_t stride() const { return lanes * plan.group; }
  Chunk chunkAt(Idx first, bool isWhole);

  Buffer x, out;
  int64_t lanes;
  /// Of the row: whether there is one, null where it is known; where it begins
  /// in x and out; the first element of this thread.
  Value exists;
  Idx from = Idx(int64_t(0)), to = Idx(int64_t(0)), first = Idx(int64_t(0));
  /// Chunks that were loaded, by their numbers.
  SmallVector<Value> loaded;
};

/// Lanes that divide whatever a row may begin at.
int64_t lanesFor(BlockEmitter &e, const RowPlan &plan,
                 ArrayRef<const Buffer *> buffers) {
  int64_t lanes = std::numeric_limits<int64_t>::max();
  for (const Buffer *buffer : buffers)
    lanes = std::min(lanes, e.lanesOf(buffer->element));
  auto divides = [&](int64_t extent) { return extent % lanes == 0; };
  while (lanes > 1 && !(divides(plan.length) &&
                        llvm::all_of(buffers, [&](const Buffer *buffer) {
                          return llvm::all_of(
                              ArrayRef(buffer->strides).drop_back(), divides);
                        })))
    lanes /= 2;
  return lanes;
}

RowBlocks::RowBlocks(BlockEmitter &e, Buffer from, Buffer to, RowPlan shape)
    : e(e), plan(std::move(shape)), x(std::move(from)), out(std::move(to)),
      lanes(lanesFor(e, plan, {&x, &out})) {
  vector = VectorType::get({lanes}, kernel::computeType(out.element));
  auto [inBlock, member] = e.divRem(Idx(e.threadId()), plan.group);
  Idx row = e.add(e.mul(Idx(e.blockId()), plan.perBlock), inBlock);
  if (plan.rows % plan.perBlock != 0) {
    exists = e.isBelow(row, plan.rows);
    row = e.min(row, Idx(plan.rows - 1));
  }
  SmallVector<Idx> position = e.delinearize(row, plan.outer);
  position.push_back(Idx(int64_t(0)));
  this->from = e.at(x, position);
  this->to = e.at(out, position);
  first = e.mul(member, lanes);
}

FailureOr<RowBlocks> RowBlocks::create(BlockEmitter &e, Operation *op,
                                       Value input, Value output) {
  FailureOr<Buffer> x = e.buffer(input), out = e.buffer(output);
  if (failed(x) || failed(out))
    return failure();
  if (x->strides.back() != 1 || out->strides.back() != 1)
    return op->emitOpError("expects operands with a contiguous last axis");
  return RowBlocks(e, *x, *out, RowPlan(cast<ShapedType>(output.getType())));
}

Chunk RowBlocks::chunkAt(Idx start, bool isWhole) {
  Idx at = e.add(start, first);
  if (isWhole)
    return {at, Value(), std::nullopt};
  // A load has to be of something.
  Value isValid = e.isBelow(at, plan.length);
  return {e.min(at, Idx(plan.length - lanes)), isValid, std::nullopt};
}

void RowBlocks::each(function_ref<void(const Chunk &)> body) {
  int64_t whole = plan.length / stride() * stride();
  if (plan.length <= kMostElements * plan.group) {
    for (int64_t start = 0, number = 0; start < plan.length;
         start += stride(), ++number) {
      Chunk chunk = chunkAt(Idx(start), start < whole);
      chunk.number = number;
      body(chunk);
    }
    return;
  }
  e.loop(Idx(int64_t(0)), Idx(whole), stride(),
         [&](Idx start) { body(chunkAt(start, true)); });
  if (whole < plan.length)
    body(chunkAt(Idx(whole), false));
}

Value RowBlocks::select(const Chunk &chunk, Value value, Value fill) {
  if (!chunk.isValid)
    return value;
  return arith::SelectOp::create(e.builder(), e.loc(), chunk.isValid, value,
                                 fill);
}

Value RowBlocks::load(const Chunk &chunk, Value fill) {
  auto fromMemory = [&] {
    return e.loadVector(x, e.add(from, chunk.at), vector, lanes);
  };
  if (!chunk.number)
    return select(chunk, fromMemory(), fill);
  if (loaded.size() <= size_t(*chunk.number))
    loaded.resize(*chunk.number + 1);
  Value &kept = loaded[*chunk.number];
  if (!kept)
    kept = fromMemory();
  return select(chunk, kept, fill);
}

Value RowBlocks::load(const Buffer &parameter, const Chunk &chunk) {
  return e.loadVector(parameter, chunk.at, vector, lanes);
}

void RowBlocks::store(Value value, const Chunk &chunk) {
  Value isStored = chunk.isValid;
  if (exists)
    isStored =
        isStored ? arith::AndIOp::create(e.builder(), e.loc(), isStored, exists)
                       .getResult()
                 : exists;
  auto write = [&] { e.storeVector(value, out, e.add(to, chunk.at), lanes); };
  if (isStored)
    e.when(isStored, write);
  else
    write();
}

Value RowBlocks::fold(Value init,
                      function_ref<Value(const Chunk &, Value)> step,
                      BlockEmitter::Join join) {
  Value folded = init;
  int64_t whole = plan.length / stride() * stride();
  if (plan.length <= kMostElements * plan.group) {
    each([&](const Chunk &chunk) { folded = step(chunk, folded); });
  } else {
    folded = e.loop(Idx(int64_t(0)), Idx(whole), stride(), ValueRange{init},
                    [&](Idx start, ValueRange carried) {
                      return SmallVector<Value>{
                          step(chunkAt(start, true), carried.front())};
                    })
                 .front();
    if (whole < plan.length)
      folded = step(chunkAt(Idx(whole), false), folded);
  }
  SmallVector<Value> elements;
  for (int64_t lane = 0; lane < lanes; ++lane)
    elements.push_back(
        vector::ExtractOp::create(e.builder(), e.loc(), folded, lane));
  for (int64_t half = lanes / 2; half > 0; half /= 2)
    for (int64_t lane = 0; lane < half; ++lane)
      elements[lane] = join(elements[lane], elements[lane + half]);
  return e.reduce(elements.front(), plan.group, join);
}

/// A row of one element, or of none, is its thread's.
std::optional<LaunchExtents> rowExtents(ShapedType x, ShapedType out) {
  auto isContiguous = [](ShapedType type) {
    auto [strides, offset] = cast<MemRefType>(type).getStridesAndOffset();
    return strides.back() == 1;
  };
  if (out.getNumElements() == 0 || out.getShape().back() < 2 ||
      !isContiguous(x) || !isContiguous(out))
    return std::nullopt;
  return RowPlan(out).extents();
}

} // namespace

std::optional<LaunchExtents> extentsOf(kernel::SoftmaxOp op) {
  return rowExtents(cast<ShapedType>(op.getX().getType()), op.getOutType());
}

LogicalResult emit(BlockEmitter &e, kernel::SoftmaxOp op) {
  FailureOr<RowBlocks> rows = RowBlocks::create(e, op, op.getX(), op.getOut());
  if (failed(rows))
    return failure();
  OpBuilder &b = e.builder();
  Type element = rows->vector.getElementType();
  Value lowest =
      e.splat(rows->vector, -std::numeric_limits<double>::infinity());
  // A NaN that the maximum overlooks comes back through the exponentials.
  auto larger = [&](Value a, Value c) { return e.maxOrSecond(a, c); };
  auto add = [&](Value a, Value c) { return e.addf(a, c); };
  Value most = rows->fold(
      lowest,
      [&](const Chunk &chunk, Value sofar) {
        return larger(rows->load(chunk, lowest), sofar);
      },
      larger);
  Value mostEach = rows->broadcast(most);
  // Elements that do not exist are exp(-inf - m): 0, or NaN in a row that is
  // NaN anyway, since it has nothing but -inf.
  auto exponential = [&](const Chunk &chunk) {
    return e.expNonPositive(e.subf(rows->load(chunk, lowest), mostEach));
  };
  Value total = rows->fold(
      e.splat(rows->vector, 0.0),
      [&](const Chunk &chunk, Value sofar) {
        return e.addf(sofar, exponential(chunk));
      },
      add);
  Value each = rows->broadcast(
      op.getLog()
          ? math::LogOp::create(b, e.loc(), total).getResult()
          : arith::DivFOp::create(b, e.loc(), e.splat(element, 1.0), total)
                .getResult());
  rows->each([&](const Chunk &chunk) {
    rows->store(op.getLog()
                    ? e.subf(e.subf(rows->load(chunk, lowest), mostEach), each)
                    : e.mulf(exponential(chunk), each),
                chunk);
  });
  return success();
}

std::optional<LaunchExtents> extentsOf(kernel::RowNormOp op) {
  return rowExtents(cast<ShapedType>(op.getX().getType()), op.getOutType());
}

LogicalResult emit(BlockEmitter &e, kernel::RowNormOp op) {
  FailureOr<RowBlocks> rows = RowBlocks::create(e, op, op.getX(), op.getOut());
  if (failed(rows))
    return failure();
  FailureOr<SmallVector<Buffer>> params = e.buffers(op.getParams());
  if (failed(params))
    return failure();
  OpBuilder &b = e.builder();
  Type element = rows->vector.getElementType();
  Value zero = e.splat(rows->vector, 0.0),
        count = e.splat(element, rows->plan.length),
        epsilon = e.splat(element, op.getEpsilon().convertToDouble());
  auto add = [&](Value a, Value c) { return e.addf(a, c); };
  Value meanEach;
  if (op.getKind() == kernel::NormKind::Layer) {
    Value sum = rows->fold(
        zero,
        [&](const Chunk &chunk, Value sofar) {
          return e.addf(sofar, rows->load(chunk, zero));
        },
        add);
    meanEach = rows->broadcast(arith::DivFOp::create(b, e.loc(), sum, count));
  }
  auto centred = [&](const Chunk &chunk) {
    Value value = rows->load(chunk, zero);
    return meanEach ? e.subf(value, meanEach) : value;
  };
  Value squares = rows->fold(
      zero,
      [&](const Chunk &chunk, Value sofar) {
        Value value = rows->select(chunk, centred(chunk), zero);
        return e.fma(value, value, sofar);
      },
      add);
  Value variance = arith::DivFOp::create(b, e.loc(), squares, count);
  Value root = math::SqrtOp::create(b, e.loc(), e.addf(variance, epsilon));
  Value inverse = rows->broadcast(
      arith::DivFOp::create(b, e.loc(), e.splat(element, 1.0), root));
  rows->each([&](const Chunk &chunk) {
    Value value = e.mulf(centred(chunk), inverse);
    if (!params->empty())
      value = e.mulf(value, rows->load((*params)[0], chunk));
    if (params->size() == 2)
      value = e.addf(value, rows->load((*params)[1], chunk));
    rows->store(value, chunk);
  });
  return success();
}

} // namespace graven::blocks
