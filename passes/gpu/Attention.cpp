//===- Attention.cpp - attention by blocks of threads -----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements kernel.attention on tensor cores (Dao et al.,
// "FlashAttention", 2022): a warp has 16 rows, whose scores against some keys
// at a time, and sums so far, stay in registers.
//===----------------------------------------------------------------------===//
#include "dialects/kernel/AttentionShape.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "passes/gpu/BlockBuilder.h"
#include "passes/gpu/BlockKernels.h"
#include "passes/gpu/Contraction.h"
#include "llvm/Support/MathExtras.h"
#include <limits>

using namespace mlir;

namespace graven::blocks {
namespace {

/// Rows of a warp, keys at a time, and the most columns of a row.
constexpr int64_t kRows = 16, kKeys = 32, kMostColumns = 128;
/// Columns, in shared memory a multiple of so many: all banks.
constexpr int64_t kLine = 32;
constexpr int64_t kWord = sizeof(float), kPerChunk = kChunkBytes / kWord;
constexpr int64_t kStages = 2;
/// Products of 8 columns, of the scores of some keys.
constexpr int64_t kKeyTiles = kKeys / 8;

using Values = SmallVector<Value>;

/// Where the threads of a warp have the results of products: two rows, 8 apart.
constexpr int64_t kHalves = 2;

struct Plan {
  explicit Plan(kernel::AttentionOp op)
      : shape(op), depth(llvm::alignTo(shape.depth, kLine)),
        columns(llvm::alignTo(shape.columns, kLine)) {
    while (warps < 4 && warps * kRows < shape.rows)
      warps *= 2;
    tiles = llvm::divideCeilSigned(shape.rows, warps * kRows);
  }

  int64_t keyBytes() const { return kKeys * depth * kWord; }
  int64_t stageBytes() const { return keyBytes() + kKeys * columns * kWord; }
  int64_t queryBytes() const { return warps * kRows * depth * kWord; }
  LaunchExtents extents() const {
    return {shape.batch * shape.heads * tiles, int32_t(warps * kWarpSize),
            int32_t(queryBytes() + kStages * stageBytes())};
  }

  kernel::AttentionShape shape;
  /// Columns of q and k, and of v, with those that fill lines.
  int64_t depth, columns;
  int64_t warps = 1, tiles;
};

class AttentionBlock {
public:
  AttentionBlock(BlockEmitter &e, kernel::AttentionOp op)
      : e(e), u(e), op(op), plan(op), lowest(number(-kInfinity)) {}

  void run();

private:
  static constexpr double kInfinity = std::numeric_limits<double>::infinity();

  /// Rows of an operand, of this block's image and head.
  struct Rows {
    Value pointer;
    int64_t stride, columns, run;
  };
  /// What a thread has of its two rows.
  struct State {
    Values maxima, totals, sums;
  };

  Rows rowsOf(Value memref, ArrayRef<int64_t> map, Value head, int64_t columns);
  void copyRows(Value to, const Rows &rows, Value first, int64_t count,
                int64_t most, int64_t padded,
                function_ref<Value(Value row, Value chunk)> place);
  void issueKeys(Value stage, Value first);
  Values scores(Value stage);
  void maskScores(MutableArrayRef<Value> scores, Value firstKey);
  void accumulate(State &state, MutableArrayRef<Value> scores);
  void addValues(State &state, ArrayRef<Value> weights, Value stage);
  void store(State &state);

  /// Numbers as sums of two.
  struct Parts {
    Parts(BlockBuilder &u, Values bits)
        : high(std::move(bits)), rests(u.splitAll(high)) {}
    Values high, rests;
  };
  void products(const Parts &left, MutableArrayRef<Value> right,
                MutableArrayRef<Value> sums);
  /// Chunk number `start` + 2 `step` of a row, whose place differs in the bits
  /// of `exchange`, below a line: only four differ in more than a constant.
  Value placeOf(Value start, int64_t step, Value exchange) {
    constexpr int64_t perLine = kLine / kPerChunk;
    Value inLine = u.bitXor(u.add(start, 2 * step % perLine), exchange);
    return u.mul(u.add(inLine, 2 * step / perLine * perLine), kChunkBytes);
  }
  Value number(double value) {
    return e.splat(e.builder().getF32Type(), value);
  }
  Value bits(Value value) {
    return arith::BitcastOp::create(u.b, u.loc, u.b.getI32Type(), value);
  }
  /// Joined with those of the threads that have the same row.
  Value ofRow(Value value, BlockEmitter::Join join) {
    for (int32_t distance : {1, 2})
      value = join(value, e.exchange(value, distance));
    return value;
  }

  BlockEmitter &e;
  BlockBuilder u;
  kernel::AttentionOp op;
  Plan plan;
  Value lowest;
  Value thread, lane, warp, firstRow;
  /// Of this thread: its two rows, and its first column of 8.
  Values row;
  Value column;
  Rows keys, values;
  Value batch, head;
};

AttentionBlock::Rows AttentionBlock::rowsOf(Value memref, ArrayRef<int64_t> map,
                                            Value ofHead, int64_t columns) {
  auto [strides, offset] =
      cast<MemRefType>(memref.getType()).getStridesAndOffset();
  Value start =
      u.add(u.add(u.mul(batch, map[1]), u.mul(ofHead, map[2])), map[0]);
  Type element = u.b.getF32Type();
  return {u.at(u.pointer(memref), start, element), map[3], columns,
          longestRun(element, {offset, map[0], map[1], map[2], map[3]})};
}

/// Copies `count` rows to shared memory, `padded` columns wide, with zeros for
/// what there is not; `place` exchanges chunks of a row.
void AttentionBlock::copyRows(
    Value to, const Rows &rows, Value first, int64_t count, int64_t most,
    int64_t padded, function_ref<Value(Value row, Value chunk)> place) {
  int64_t chunks = padded / kPerChunk, threads = plan.warps * kWarpSize;
  // Most often the threads have whole rows.
  bool isWhole = threads % chunks == 0;
  for (int64_t i = 0; i < count * chunks; i += threads) {
    Value unit = isWhole ? thread : u.add(thread, i),
          chunk = u.rem(unit, chunks),
          at = u.add(u.div(unit, chunks), isWhole ? i / chunks : 0),
          from = u.add(first, at);
    Value target = u.add(to, u.add(u.mul(at, padded * kWord),
                                   u.mul(place(at, chunk), kChunkBytes)));
    for (int64_t part = 0; part < kPerChunk; part += rows.run) {
      Value start = u.add(u.mul(chunk, kPerChunk), part), valid;
      if (rows.columns != padded)
        valid = u.mul(
            u.clamp(u.sub(u.number(rows.columns), start), 0, rows.run), kWord);
      if (most % count != 0)
        valid =
            u.select(u.isLess(from, most),
                     valid ? valid : u.number(rows.run * kWord), u.number(0));
      u.copyAsync(u.shared(u.add(target, part * kWord)),
                  u.at(rows.pointer, u.add(u.mul(from, rows.stride), start),
                       u.b.getF32Type()),
                  rows.run * kWord, valid);
    }
  }
}

/// Rows that a matrix instruction loads.
static Value placeOfRow(BlockBuilder &u, Value row, Value chunk) {
  return u.bitXor(chunk, u.rem(row, 8));
}

/// Rows of which every second one is loaded, for 8 columns.
static Value placeOfValue(BlockBuilder &u, Value row, Value chunk) {
  return u.bitXor(chunk, u.mul(u.rem(u.div(row, 2), 4), 2));
}

void AttentionBlock::issueKeys(Value stage, Value first) {
  copyRows(stage, keys, first, kKeys, plan.shape.keys, plan.depth,
           [&](Value at, Value chunk) { return placeOfRow(u, at, chunk); });
  copyRows(u.add(stage, plan.keyBytes()), values, first, kKeys, plan.shape.keys,
           plan.columns,
           [&](Value at, Value chunk) { return placeOfValue(u, at, chunk); });
}

/// Adds the products of one tile of 16 rows with tiles of 8 columns.
void AttentionBlock::products(const Parts &left, MutableArrayRef<Value> right,
                              MutableArrayRef<Value> sums) {
  Values rightRests = u.splitAll(right);
  auto add = [&](ArrayRef<Value> as, ArrayRef<Value> bs) {
    for (size_t j = 0; j < sums.size() / 4; ++j)
      llvm::copy(u.multiplyAdd(as, bs.slice(2 * j, 2), sums.slice(4 * j, 4),
                               NVVM::MMATypes::tf32),
                 sums.begin() + 4 * j);
  };
  // The small products first.
  add(left.rests, right);
  add(left.high, rightRests);
  add(left.high, right);
}

Values AttentionBlock::scores(Value stage) {
  Values sums(4 * kKeyTiles, number(0));
  Value row8 = u.bitAnd(lane, 7), matrix = u.div(lane, 8);
  Value query = u.add(u.mul(warp, kRows),
                      u.add(row8, u.mul(u.bitAnd(matrix, 1), 8))),
        key = u.add(row8, u.mul(u.div(matrix, 2), 8));
  int64_t line = plan.depth * kWord;
  for (int64_t step = 0; step < llvm::divideCeilSigned(plan.shape.depth, 8);
       ++step) {
    Parts left(u, u.loadMatrices(
                      u.shared(u.add(u.mul(query, line),
                                     placeOf(u.div(matrix, 2), step, row8))),
                      4, NVVM::MMALayout::row));
    Value from = u.add(u.add(stage, u.mul(key, line)),
                       placeOf(u.bitAnd(matrix, 1), step, row8));
    Values right;
    for (int64_t j = 0; j < kKeyTiles; j += 2)
      llvm::append_range(right,
                         u.loadMatrices(u.shared(u.add(from, 8 * j * line)), 4,
                                        NVVM::MMALayout::row));
    products(left, right, sums);
  }
  return sums;
}

void AttentionBlock::maskScores(MutableArrayRef<Value> scores, Value firstKey) {
  const kernel::AttentionShape &shape = plan.shape;
  double softcap = op.getSoftcap().convertToDouble();
  Value scale = number(op.getScale().convertToDouble()), maskPointer, maskStart;
  ArrayRef<int64_t> map;
  Type f32 = u.b.getF32Type();
  if (op.getMask()) {
    map = *op.getMaskMap();
    maskPointer = u.pointer(op.getMask());
    maskStart = u.add(u.add(u.mul(batch, map[1]), u.mul(head, map[2])), map[0]);
  }
  for (int64_t j = 0; j < kKeyTiles; ++j)
    for (int64_t c = 0; c < 4; ++c) {
      Value &score = scores[4 * j + c];
      Value key = u.add(firstKey, u.add(column, 8 * j + c % 2)),
            at = row[c / 2];
      score = e.mulf(score, scale);
      if (softcap > 0)
        score = e.mulf(number(softcap),
                       math::TanhOp::create(
                           u.b, u.loc, e.mulf(score, number(1 / softcap))));
      Value exists = u.isLess(key, shape.keys);
      if (maskPointer) {
        Value offset =
            u.add(maskStart, u.add(u.mul(at, map[3]), u.mul(key, map[4])));
        // A load has to be of something.
        Value isIn = u.both(exists, u.isLess(at, shape.rows));
        offset = u.select(isIn, offset, u.number(map[0]));
        score =
            e.addf(score, u.load(f32, u.at(maskPointer, offset, f32), kWord));
      }
      if (op.getCausal())
        exists = u.both(exists, u.isLess(key, u.add(at, 1)));
      score = u.select(exists, score, lowest);
    }
}

/// The scores become weights; what there is of the rows is scaled to their new
/// maxima.
void AttentionBlock::accumulate(State &state, MutableArrayRef<Value> scores) {
  auto larger = [&](Value a, Value b) { return e.maxOrSecond(a, b); };
  for (int64_t half = 0; half < kHalves; ++half) {
    Value most = state.maxima[half];
    for (int64_t j = 0; j < kKeyTiles; ++j)
      for (int64_t c = 2 * half; c < 2 * half + 2; ++c)
        most = larger(scores[4 * j + c], most);
    // A NaN that the maximum overlooks comes back through the exponentials.
    most = ofRow(most, larger);
    // So far there may be no key.
    Value isEmpty = arith::CmpFOp::create(u.b, u.loc, arith::CmpFPredicate::OEQ,
                                          most, lowest);
    Value shift = u.select(isEmpty, number(0), most);
    Value factor = e.expNonPositive(e.subf(state.maxima[half], shift));
    Value total = e.mulf(state.totals[half], factor);
    for (int64_t j = 0; j < kKeyTiles; ++j)
      for (int64_t c = 2 * half; c < 2 * half + 2; ++c) {
        Value &score = scores[4 * j + c];
        score = e.expNonPositive(e.subf(score, shift));
        total = e.addf(total, score);
      }
    for (size_t f = 0; f < state.sums.size(); f += 4)
      for (size_t c = f + 2 * half; c < f + 2 * half + 2; ++c)
        state.sums[c] = e.mulf(state.sums[c], factor);
    state.maxima[half] = most;
    state.totals[half] = total;
  }
}

/// Where a product has columns 2t and 2t + 1 in a thread, the next one wants
/// steps t and t + 4: taken for those, keys are only in another order.
void AttentionBlock::addValues(State &state, ArrayRef<Value> weights,
                               Value stage) {
  Type i32 = u.b.getI32Type();
  int64_t line = plan.columns * kWord;
  Value ofLane = u.div(lane, 4), inChunk = u.rem(ofLane, kPerChunk);
  // The rows of the keys of a thread, and what is exchanged in them.
  Value start = u.add(u.add(stage, plan.keyBytes()),
                      u.add(u.mul(column, line), u.mul(inChunk, kWord))),
        exchange = u.mul(u.rem(lane, 4), 2);
  // More at a time would not stay in registers.
  constexpr size_t together = 4;
  size_t tiles = state.sums.size() / 4;
  for (int64_t j = 0; j < kKeyTiles; ++j) {
    Parts left(u, {bits(weights[4 * j]), bits(weights[4 * j + 2]),
                   bits(weights[4 * j + 1]), bits(weights[4 * j + 3])});
    for (size_t first = 0; first < tiles; first += together) {
      size_t count = std::min(together, tiles - first);
      Values right;
      for (size_t f = first; f < first + count; ++f) {
        Value at = u.add(start, placeOf(u.div(ofLane, kPerChunk), f, exchange));
        for (int64_t half = 0; half < 2; ++half)
          right.push_back(
              u.load(i32, u.shared(u.add(at, (8 * j + half) * line)), kWord));
      }
      products(left, right,
               MutableArrayRef(state.sums).slice(4 * first, 4 * count));
    }
  }
}

void AttentionBlock::store(State &state) {
  ArrayRef<int64_t> map = op.getOutMap();
  Type f32 = u.b.getF32Type();
  Value pointer = u.pointer(op.getOut()),
        start = u.add(u.add(u.mul(batch, map[1]), u.mul(head, map[2])), map[0]);
  for (int64_t half = 0; half < kHalves; ++half) {
    Value total = ofRow(state.totals[half],
                        [&](Value a, Value b) { return e.addf(a, b); });
    Value inverse = arith::DivFOp::create(u.b, u.loc, number(1), total);
    if (op.getZeroEmpty())
      inverse =
          u.select(arith::CmpFOp::create(u.b, u.loc, arith::CmpFPredicate::OEQ,
                                         total, number(0)),
                   number(0), inverse);
    for (size_t f = 0; f < state.sums.size() / 4; ++f)
      for (int64_t c = 0; c < 2; ++c) {
        Value at = u.add(column, 8 * f + c);
        Value exists = u.both(u.isLess(row[half], plan.shape.rows),
                              u.isLess(at, plan.shape.columns));
        Value offset = u.add(start, u.add(u.mul(row[half], map[3]), at));
        Value result = e.mulf(state.sums[4 * f + 2 * half + c], inverse);
        e.when(exists,
               [&] { u.store(result, u.at(pointer, offset, f32), kWord); });
      }
  }
}

void AttentionBlock::run() {
  const kernel::AttentionShape &shape = plan.shape;
  u.useShared();
  thread = u.threadId();
  lane = u.bitAnd(thread, kWarpSize - 1);
  warp = u.div(thread, kWarpSize);
  Value block = u.blockId(), ofHeads = u.div(block, plan.tiles);
  batch = u.div(ofHeads, shape.heads);
  head = u.rem(ofHeads, shape.heads);
  firstRow = u.mul(u.rem(block, plan.tiles), plan.warps * kRows);
  column = u.mul(u.rem(lane, 4), 2);
  for (int64_t half = 0; half < kHalves; ++half)
    row.push_back(u.add(u.add(firstRow, u.mul(warp, kRows)),
                        u.add(u.div(lane, 4), 8 * half)));
  Value keyHead = u.div(head, shape.repeat());
  Rows queries = rowsOf(op.getQ(), op.getQMap(), head, shape.depth);
  keys = rowsOf(op.getK(), op.getKMap(), keyHead, shape.depth);
  values = rowsOf(op.getV(), op.getVMap(), keyHead, shape.columns);

  int64_t firstStage = plan.queryBytes();
  copyRows(u.number(0), queries, firstRow, plan.warps * kRows, shape.rows,
           plan.depth,
           [&](Value at, Value chunk) { return placeOfRow(u, at, chunk); });
  issueKeys(u.number(firstStage), u.number(0));
  u.commitCopies();
  // With `causal`, the keys up to the last row's.
  Value count = u.number(shape.keys);
  if (op.getCausal())
    count = u.clamp(u.add(firstRow, plan.warps * kRows), 1, shape.keys);
  Value steps = u.div(u.add(count, kKeys - 1), kKeys);
  Value zero = number(0);
  Values inits(2, lowest);
  inits.append(2 + 4 * llvm::divideCeilSigned(shape.columns, 8), zero);
  auto stateOf = [](ValueRange all) {
    return State{Values(all.take_front(2)), Values(all.slice(2, 2)),
                 Values(all.drop_front(4))};
  };
  auto loop = scf::ForOp::create(
      u.b, u.loc, u.number(0), steps, u.number(1), inits,
      [&](OpBuilder &, Location, Value step, ValueRange carried) {
        State state = stateOf(carried);
        Value odd = u.rem(step, kStages),
              read = u.add(u.mul(odd, plan.stageBytes()), firstStage),
              write =
                  u.add(u.mul(u.bitXor(odd, u.number(1)), plan.stageBytes()),
                        firstStage);
        u.waitForCopies(0);
        u.barrier();
        Value next = u.add(step, 1);
        e.when(u.isLess(next, steps),
               [&] { issueKeys(write, u.mul(next, kKeys)); });
        u.commitCopies();
        Values some = scores(read);
        maskScores(some, u.mul(step, kKeys));
        accumulate(state, some);
        addValues(state, some, read);
        Values results = state.maxima;
        results.append(state.totals);
        results.append(state.sums);
        scf::YieldOp::create(u.b, u.loc, results);
      });
  State state = stateOf(loop.getResults());
  store(state);
}

} // namespace

std::optional<LaunchExtents> extentsOf(kernel::AttentionOp op) {
  kernel::AttentionShape shape(op);
  // Offsets fit 31 bits.
  auto isPlain = [](Value value) {
    auto type = cast<MemRefType>(value.getType());
    auto [strides, offset] = type.getStridesAndOffset();
    return type.getElementType().isF32() && !ShapedType::isDynamic(offset) &&
           strides[0] == 1 &&
           offset + type.getNumElements() < (int64_t(1) << 31) - kChunkBytes;
  };
  SmallVector<Value> operands{op.getQ(), op.getK(), op.getV(), op.getOut()};
  if (op.getMask())
    operands.push_back(op.getMask());
  if (op.getPaired() || shape.depth > kMostColumns ||
      shape.columns > kMostColumns || !llvm::all_of(operands, isPlain))
    return std::nullopt;
  return Plan(op).extents();
}

LogicalResult emit(BlockEmitter &e, kernel::AttentionOp op) {
  AttentionBlock(e, op).run();
  return success();
}

} // namespace graven::blocks
