//===- AttentionTile.cpp - a tile of rows of attention ----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the row tile of kernel.attention: scores in register
// tiles, their softmax in the cache, and the weighted sum of the values in
// register tiles.

#include "passes/lower/expand/AttentionTile.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "passes/lower/expand/Tiles.h"
#include "llvm/Support/MathExtras.h"
#include <limits>
#include <numbers>
#include <numeric>

using namespace mlir;

namespace graven::expand {
namespace {

/// Vectors that are compared, and exponentials that are summed, side by side.
constexpr int64_t kMaximumChains = 4;
constexpr int64_t kSumChains = 4;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

} // namespace

AttentionTile::AttentionTile(Emitter &e, kernel::AttentionOp op,
                             const AttentionOperands &operands, Head head,
                             Idx slot)
    : e(e), op(op), shape(op), operands(operands), head(head), slot(slot),
      element(operands.scratch.element), vector(e.vectorOf(element)),
      lanes(vector.getNumElements()), vectors(shape.panel / lanes),
      // A mask may be the lowest float, of which there is no multiple.
      unit(element.isF32() && !operands.mask ? std::numbers::log2e : 1),
      lowest(e.splat(vector, -kInfinity)) {}

void AttentionTile::run(const Block &block, Idx row, int64_t rows, Idx groupRow,
                        const Ahead &ahead) {
  // Keys that some row of the tile looks at.
  Idx limit(block.count);
  if (op.getCausal())
    limit = e.min(limit, e.add(e.add(row, Idx(rows)), e.mul(block.first, -1)));
  scores(block, row, rows, limit, ahead);
  if (op.getCausal())
    hideLaterKeys(block, row, rows, limit);
  softmax(rows, limit, groupRow);
  values(row, rows, limit, groupRow, ahead);
}

double AttentionTile::keyScale() {
  double scale = op.getScale().convertToDouble(),
         softcap = op.getSoftcap().convertToDouble();
  return softcap > 0 ? scale / softcap : scale * unit;
}

int64_t AttentionTile::parts() {
  return std::max<int64_t>(1, shape.keys / shape.panel +
                                  shape.columns / shape.panel);
}

/// The rows of q, side by side if need be: as pairs, in the type of the sums,
/// and since rows a multiple of 4096 bytes apart share one set of the first
/// level cache.
AttentionTile::Factors AttentionTile::query(Idx row, int64_t rows) {
  const MappedBuffer &q = operands.q;
  Idx from = q.row(e, head.batch, head.head, row);
  constexpr int64_t setsBytes = 4096, mostRowsOfSet = 4;
  int64_t stride = q.map[3] * element.getIntOrFloatBitWidth() / 8,
          sets = setsBytes / std::gcd(stride, setsBytes);
  if (shape.pair == 1 && q.buffer.element == element &&
      rows <= mostRowsOfSet * sets)
    return {q.buffer, from, q.map[3]};
  Idx to = scratch(shape.queryStart());
  e.loop(Idx(int64_t(0)), Idx(rows), 1, [&](Idx r) {
    for (int64_t d = 0; d < shape.depth; d += lanes)
      storeFactors(e.loadVector(q.buffer,
                                e.add(e.add(from, e.mul(r, q.map[3])), d),
                                vector, shape.depth - d),
                   e.add(to, e.mul(r, shape.queryStride())), Idx(d));
  });
  return {operands.scratch, to, shape.queryStride()};
}

void AttentionTile::storeFactors(Value values, Idx row, Idx first) {
  OpBuilder &b = e.builder();
  if (shape.pair == 1)
    return e.storeVector(values, operands.scratch, e.add(row, first), lanes);
  Value words = vector::BitCastOp::create(b, e.loc(),
                                          VectorType::get({lanes / 2}, element),
                                          e.convert(values, b.getBF16Type()));
  e.storeVector(words, operands.scratch,
                e.add(row, e.divRem(first, shape.pair).first), lanes / 2);
}

Value AttentionTile::factors(Value words) {
  if (shape.pair == 1)
    return words;
  return vector::BitCastOp::create(e.builder(), e.loc(), e.pairVector(), words);
}

/// [rows, whole + rest] at `left` times panels [.., panel] at `right`.
SmallVector<Value> AttentionTile::multiply(int64_t rows, int64_t width,
                                           Idx whole, int64_t rest,
                                           const Factors &left, Idx right) {
  int64_t count = rows * width, sets = accumulatorSets(e.target(), count);
  auto steps = [&](Idx k, int64_t unroll, ValueRange carried) {
    SmallVector<Value> sums(carried);
    for (int64_t u = 0; u < unroll; ++u) {
      if (u > 0)
        e.separateLoads();
      Idx row = e.add(right, e.mul(e.add(k, Idx(u)), shape.panel));
      SmallVector<Value> b;
      for (int64_t j = 0; j < width; ++j)
        b.push_back(factors(e.loadVector(
            operands.scratch, e.add(row, Idx(j * lanes)), vector, lanes)));
      MutableArrayRef<Value> set =
          MutableArrayRef(sums).slice(u % sets * count, count);
      for (int64_t i = 0; i < rows; ++i) {
        Value a = factors(e.loadSplat(
            left.buffer, e.add(e.add(left.first, k), Idx(i * left.stride + u)),
            vector));
        for (int64_t j = 0; j < width; ++j) {
          Value &sum = set[i * width + j];
          sum =
              shape.pair == 1 ? e.fma(a, b[j], sum) : e.dotPairs(a, b[j], sum);
        }
      }
    }
    return sums;
  };
  SmallVector<Value> sums(count * sets, e.splat(vector, 0.0));
  sums = e.loop(Idx(int64_t(0)), whole, kUnrolledSteps, sums,
                [&](Idx k, ValueRange carried) {
                  return steps(k, kUnrolledSteps, carried);
                });
  if (rest > 0)
    sums = steps(whole, rest, sums);
  for (int64_t stride = sets / 2; stride >= 1; stride /= 2)
    for (int64_t i = 0; i < stride * count; ++i)
      sums[i] = e.addf(sums[i], sums[i + stride * count]);
  sums.resize(count);
  return sums;
}

void AttentionTile::scores(const Block &block, Idx row, int64_t rows, Idx limit,
                           const Ahead &ahead) {
  int64_t whole = block.count / shape.panel, rest = block.count % shape.panel;
  Factors query = this->query(row, rows);
  Idx needed(whole);
  if (op.getCausal())
    needed =
        e.min(needed,
              e.divRem(e.add(limit, Idx(shape.panel - 1)), shape.panel).first);
  e.loop(Idx(int64_t(0)), needed, 1, [&](Idx panel) {
    ahead(panel, parts());
    scoreTile(block, query, row, rows, panel, vectors, lanes);
  });
  if (rest == 0)
    return;
  int64_t width = llvm::divideCeilSigned(rest, lanes);
  auto last = [&] {
    scoreTile(block, query, row, rows, Idx(whole), width,
              rest - (width - 1) * lanes);
  };
  if (op.getCausal() && whole > 0)
    when(e,
         compare(e, arith::CmpIPredicate::sgt, limit, Idx(whole * shape.panel)),
         last);
  else
    last();
}

void AttentionTile::scoreTile(const Block &block, const Factors &query, Idx row,
                              int64_t rows, Idx panel, int64_t width,
                              int64_t lastLanes) {
  OpBuilder &b = e.builder();
  int64_t steps = shape.depthSteps(),
          whole = steps / kUnrolledSteps * kUnrolledSteps;
  SmallVector<Value> sums =
      multiply(rows, width, Idx(whole), steps - whole, query,
               e.add(slot, e.mul(panel, steps * shape.panel)));
  double softcap = op.getSoftcap().convertToDouble();
  Idx column = e.mul(panel, shape.panel), to = scratch(shape.scoresStart());
  for (int64_t j = 0; j < width; ++j) {
    int64_t valid = j + 1 == width ? lastLanes : lanes;
    auto maskOf = [&](int64_t i) -> Value {
      const MappedBuffer &mask = *operands.mask;
      Idx at = e.add(mask.row(e, head.batch, head.head, e.add(row, Idx(i))),
                     e.mul(e.add(block.first, e.add(column, Idx(j * lanes))),
                           mask.map[4]));
      return mask.map[4] == 0 ? e.loadSplat(mask.buffer, at, vector)
                              : e.loadVector(mask.buffer, at, vector, valid);
    };
    // Loaded once where all rows have the same.
    Value shared =
        operands.mask && operands.mask->map[3] == 0 ? maskOf(0) : Value();
    for (int64_t i = 0; i < rows; ++i) {
      Value score = sums[i * width + j];
      if (softcap > 0)
        score = e.mulf(math::TanhOp::create(b, e.loc(), score),
                       e.splat(vector, softcap * unit));
      if (operands.mask)
        score = e.addf(score, shared ? shared : maskOf(i));
      if (valid < lanes)
        score = arith::SelectOp::create(b, e.loc(), e.laneMask(lanes, valid),
                                        score, lowest);
      e.storeVector(
          score, operands.scratch,
          e.add(to, e.add(column, Idx(i * shape.scoresStride() + j * lanes))),
          lanes);
    }
  }
  // The rest of the panel, which sums in whole steps look at.
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = width; j < vectors; ++j)
      e.storeVector(
          lowest, operands.scratch,
          e.add(to, e.add(column, Idx(i * shape.scoresStride() + j * lanes))),
          lanes);
}

void AttentionTile::hideLaterKeys(const Block &block, Idx row, int64_t rows,
                                  Idx limit) {
  OpBuilder &b = e.builder();
  Idx end =
      e.mul(e.divRem(e.add(limit, Idx(shape.panel - 1)), shape.panel).first,
            shape.panel);
  auto integers = VectorType::get({lanes}, b.getI32Type());
  auto numbers = llvm::to_vector(llvm::seq<int32_t>(0, lanes));
  Value lane = arith::ConstantOp::create(
      b, e.loc(), DenseElementsAttr::get(integers, ArrayRef(numbers)));
  e.loop(Idx(int64_t(0)), Idx(rows), 1, [&](Idx r) {
    // The last key of the block that the row looks at, -1 or less for none.
    Idx own = e.add(e.add(row, r), e.mul(block.first, -1));
    Idx from =
        e.mul(e.divRem(e.max(e.add(own, Idx(1)), Idx(int64_t(0))), lanes).first,
              lanes);
    Idx scores =
        e.add(scratch(shape.scoresStart()), e.mul(r, shape.scoresStride()));
    e.loop(from, end, lanes, [&](Idx column) {
      Value visible = arith::IndexCastOp::create(
          b, e.loc(), b.getI32Type(), e.get(e.add(own, e.mul(column, -1))));
      Value hidden =
          arith::CmpIOp::create(b, e.loc(), arith::CmpIPredicate::sgt, lane,
                                e.broadcast(visible, integers));
      Value score =
          e.loadVector(operands.scratch, e.add(scores, column), vector, lanes);
      e.storeVector(arith::SelectOp::create(b, e.loc(), hidden, lowest, score),
                    operands.scratch, e.add(scores, column), lanes);
    });
  });
}

SmallVector<Value>
AttentionTile::fold(int64_t rows, Idx limit, int64_t chains, Value init,
                    function_ref<Value(int64_t, Idx, Value)> step,
                    function_ref<Value(Value, Value)> join) {
  bool isStatic = limit.isConstant();
  // No more than a panel where the end is not known, since panels are whole.
  if (!isStatic)
    chains = std::min(chains, vectors);
  int64_t stride = chains * lanes;
  int64_t end = llvm::alignTo(isStatic ? limit.offset : 0,
                              std::max<int64_t>(lanes, kKeysUnroll));
  Idx whole = isStatic
                  ? Idx(end / stride * stride)
                  : e.mul(e.divRem(e.add(limit, Idx(stride - 1)), stride).first,
                          stride);
  auto steps = [&](Idx column, int64_t count, ValueRange carried) {
    SmallVector<Value> next(carried);
    for (int64_t row = 0; row < rows; ++row)
      for (int64_t u = 0; u < count; ++u) {
        Value &chain = next[row * chains + u];
        chain = step(row, e.add(column, Idx(u * lanes)), chain);
      }
    return next;
  };
  SmallVector<Value> values(rows * chains, init);
  values = e.loop(Idx(int64_t(0)), whole, stride, values,
                  [&](Idx column, ValueRange carried) {
                    return steps(column, chains, carried);
                  });
  if (isStatic && whole.offset < end)
    values = steps(whole, (end - whole.offset) / lanes, values);
  SmallVector<Value> results;
  for (int64_t row = 0; row < rows; ++row) {
    SmallVector<Value> left(ArrayRef(values).slice(row * chains, chains));
    while (left.size() > 1) {
      SmallVector<Value> joined;
      for (size_t i = 0; i + 1 < left.size(); i += 2)
        joined.push_back(join(left[i], left[i + 1]));
      if (left.size() % 2 == 1)
        joined.push_back(left.back());
      left = std::move(joined);
    }
    results.push_back(left.front());
  }
  return results;
}

Value AttentionTile::power(Value difference) {
  return unit == 1 ? e.softmaxWeight(difference) : e.softmaxPower(difference);
}

Value AttentionTile::inverse(Value total) {
  OpBuilder &b = e.builder();
  // The largest score of a row adds 1, so 0 says that there is none.
  Value none = arith::CmpFOp::create(b, e.loc(), arith::CmpFPredicate::OEQ,
                                     total, e.splat(element, 0.0));
  double empty =
      op.getZeroEmpty() ? 0.0 : std::numeric_limits<double>::quiet_NaN();
  Value quotient =
      arith::DivFOp::create(b, e.loc(), e.splat(element, 1.0), total);
  return arith::SelectOp::create(b, e.loc(), none, e.splat(element, empty),
                                 quotient);
}

/// What is taken off the scores of each row before they are exponents: their
/// maximum, with the blocks before. All rows at once: each alone would wait for
/// its maximum.
void AttentionTile::findShifts(int64_t rows, Idx limit, Idx groupRow) {
  OpBuilder &b = e.builder();
  const Buffer &memory = operands.scratch;
  // A NaN that the maximum overlooks comes back through the exponentials.
  auto larger = [&](Value x, Value y) { return e.maxOrSecond(x, y); };
  SmallVector<Value> most = fold(
      rows, limit, std::max<int64_t>(1, kMaximumChains / rows), lowest,
      [&](int64_t row, Idx column, Value chain) {
        Idx at = e.add(
            scratch(shape.scoresStart() + row * shape.scoresStride()), column);
        return larger(e.loadVector(memory, at, vector, lanes), chain);
      },
      larger);
  for (int64_t row = 0; row < rows; ++row) {
    Value greatest = e.maxOfLanes(most[row]);
    auto storeFirst = [&](Value value, Idx at) {
      e.store(vector::ExtractOp::create(b, e.loc(), value, int64_t(0)), memory,
              at);
    };
    Idx state = e.add(groupRow, Idx(row)),
        maximum = e.add(scratch(shape.maximaStart()), state);
    Value before;
    if (shape.isOnline()) {
      before = e.loadSplat(memory, maximum, vector);
      greatest = larger(greatest, before);
      storeFirst(greatest, maximum);
    }
    // exp(-inf - 0) is 0 where -inf - -inf would be NaN.
    Value none = arith::CmpFOp::create(b, e.loc(), arith::CmpFPredicate::OEQ,
                                       greatest, lowest);
    Value shift = arith::SelectOp::create(b, e.loc(), none,
                                          e.splat(vector, 0.0), greatest);
    storeFirst(shift, scratch(shape.shiftsStart() + row));
    if (!shape.isOnline())
      continue;
    Value shrink = vector::ExtractOp::create(
        b, e.loc(), power(e.subf(before, shift)), int64_t(0));
    e.store(shrink, memory, scratch(shape.factorsStart() + row));
    Idx total = e.add(scratch(shape.totalsStart()), state);
    e.store(e.mulf(e.load(memory, total), shrink), memory, total);
  }
}

void AttentionTile::softmax(int64_t rows, Idx limit, Idx groupRow) {
  OpBuilder &b = e.builder();
  const Buffer &memory = operands.scratch;
  findShifts(rows, limit, groupRow);
  // The constants of the exponential leave few registers on some targets.
  int64_t chains = e.target().vectorRegisters >= 32 ? kSumChains : 2;
  e.loop(Idx(int64_t(0)), Idx(rows), 1, [&](Idx r) {
    Idx scores =
        e.add(scratch(shape.scoresStart()), e.mul(r, shape.scoresStride()));
    Value shift =
        e.loadSplat(memory, e.add(scratch(shape.shiftsStart()), r), vector);
    Value sums = fold(
        1, limit, chains, e.splat(vector, 0.0),
        [&](int64_t, Idx column, Value chain) {
          Idx at = e.add(scores, column);
          Value weight =
              power(e.subf(e.loadVector(memory, at, vector, lanes), shift));
          storeFactors(weight, scores, column);
          return e.addf(chain, weight);
        },
        [&](Value x, Value y) { return e.addf(x, y); })[0];
    Value sum =
        vector::ReductionOp::create(b, e.loc(), vector::CombiningKind::ADD,
                                    sums, arith::FastMathFlags::reassoc);
    if (!shape.isOnline()) {
      e.store(inverse(sum), memory, e.add(scratch(shape.factorsStart()), r));
      return;
    }
    Idx total = e.add(scratch(shape.totalsStart()), e.add(groupRow, r));
    e.store(e.addf(e.load(memory, total), sum), memory, total);
  });
}

void AttentionTile::values(Idx row, int64_t rows, Idx limit, Idx groupRow,
                           const Ahead &ahead) {
  int64_t perLoop = shape.pair * kKeysUnroll;
  Idx steps = e.mul(e.divRem(e.add(limit, Idx(perLoop - 1)), perLoop).first,
                    kKeysUnroll);
  int64_t whole = shape.columns / shape.panel,
          rest = shape.columns % shape.panel;
  e.loop(Idx(int64_t(0)), Idx(whole), 1, [&](Idx panel) {
    ahead(e.add(panel, Idx(parts() - whole)), parts());
    valueTile(row, rows, steps, groupRow, panel, vectors, lanes);
  });
  if (rest == 0)
    return;
  int64_t width = llvm::divideCeilSigned(rest, lanes);
  valueTile(row, rows, steps, groupRow, Idx(whole), width,
            rest - (width - 1) * lanes);
}

void AttentionTile::valueTile(Idx row, int64_t rows, Idx steps, Idx groupRow,
                              Idx panel, int64_t width, int64_t lastLanes) {
  const Buffer &memory = operands.scratch;
  SmallVector<Value> sums = multiply(
      rows, width, steps, 0,
      {operands.scratch, scratch(shape.scoresStart()), shape.scoresStride()},
      e.add(scratch(shape.valuesStart()),
            e.mul(panel, shape.keySteps() * shape.panel)));
  Idx column = e.mul(panel, shape.panel);
  for (int64_t i = 0; i < rows; ++i) {
    Value factor = e.loadSplat(
        memory, e.add(scratch(shape.factorsStart()), Idx(i)), vector);
    Idx out = e.add(
        operands.out.row(e, head.batch, head.head, e.add(row, Idx(i))), column);
    Idx soFar = e.add(
        scratch(shape.sumsStart()),
        e.add(e.mul(e.add(groupRow, Idx(i)), shape.paddedColumns()), column));
    for (int64_t j = 0; j < width; ++j) {
      Value sum = sums[i * width + j];
      if (!shape.isOnline()) {
        e.storeVector(e.mulf(sum, factor), operands.out.buffer,
                      e.add(out, Idx(j * lanes)),
                      j + 1 == width ? lastLanes : lanes);
        continue;
      }
      Idx at = e.add(soFar, Idx(j * lanes));
      e.storeVector(e.fma(e.loadVector(memory, at, vector, lanes), factor, sum),
                    memory, at, lanes);
    }
  }
}

void AttentionTile::startGroup(Idx rows) {
  const Buffer &memory = operands.scratch;
  Value zero = e.splat(element, 0.0), none = e.splat(element, -kInfinity);
  Value zeros = e.splat(vector, 0.0);
  e.loop(Idx(int64_t(0)), rows, 1, [&](Idx r) {
    e.store(none, memory, e.add(scratch(shape.maximaStart()), r));
    e.store(zero, memory, e.add(scratch(shape.totalsStart()), r));
    Idx sums =
        e.add(scratch(shape.sumsStart()), e.mul(r, shape.paddedColumns()));
    e.loop(Idx(int64_t(0)), Idx(shape.paddedColumns()), lanes, [&](Idx column) {
      e.storeVector(zeros, memory, e.add(sums, column), lanes);
    });
  });
}

void AttentionTile::finishGroup(Idx firstRow, Idx rows) {
  const Buffer &memory = operands.scratch;
  e.loop(Idx(int64_t(0)), rows, 1, [&](Idx r) {
    Value factor = e.broadcast(
        inverse(e.load(memory, e.add(scratch(shape.totalsStart()), r))),
        vector);
    Idx sums =
        e.add(scratch(shape.sumsStart()), e.mul(r, shape.paddedColumns()));
    Idx out = operands.out.row(e, head.batch, head.head, e.add(firstRow, r));
    auto store = [&](Idx column, int64_t valid) {
      Value sum = e.loadVector(memory, e.add(sums, column), vector, lanes);
      e.storeVector(e.mulf(sum, factor), operands.out.buffer,
                    e.add(out, column), valid);
    };
    int64_t whole = shape.columns / lanes * lanes;
    e.loop(Idx(int64_t(0)), Idx(whole), lanes,
           [&](Idx column) { store(column, lanes); });
    if (whole < shape.columns)
      store(Idx(whole), shape.columns - whole);
  });
}

} // namespace graven::expand
