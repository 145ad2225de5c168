//===- Products.cpp - products between two stages ---------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the matrix products of a second stage: at each point,
// the rows of a block times a panel of weights, in register tiles as in a
// direct convolution with one tap.

#include "passes/lower/expand/Products.h"
#include "passes/lower/expand/Tiles.h"

#include "mlir/IR/Matchers.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace graven::expand {
namespace {

constexpr int64_t kBlock = kernel::kChannelBlock;

/// Depth blocks between two additions to the products: short chains round
/// less, and their weights stay in the first level cache.
constexpr int64_t kChunk = 384 / kBlock;

/// Depth blocks that one pass over the rows works off.
struct Chunk {
  Idx first;
  int64_t whole, rest;
  bool initial;

  int64_t blocks() const { return whole + (rest > 0 ? 1 : 0); }
};

class Products {
public:
  Products(Emitter &e, const kernel::ProductShape &shape, int64_t mr,
           const Buffer &weights, const Buffer &scratch)
      : e(e), shape(shape), weights(weights), scratch(scratch),
        vector(e.vectorOf(scratch.element)), lanes(vector.getNumElements()),
        vectors(vectorsThatFit(e.target(), shape.panel / lanes, mr)),
        rows(shape.block, mr) {}

  void point(const ProductUnit &unit, Idx point) {
    Idx from = e.mul(point, shape.inputStride());
    Idx to = e.add(unit.products, e.mul(point, shape.productStride()));
    Idx w = e.add(e.mul(unit.panel, weights.strides[0]),
                  e.mul(point, weights.strides[1]));
    auto emit = [&](const Chunk &chunk) {
      e.tiles(rows, unit.firstTile, unit.lastTile,
              [&](Idx index, Idx row, int64_t count) {
                for (int64_t column = 0; column < shape.panel;
                     column += vectors * lanes)
                  tile(from, e.add(to, Idx(column)), e.add(w, Idx(column)),
                       index, row, count, chunk, column == 0);
              });
    };
    int64_t blocks = shape.depthBlocks(), whole = shape.depth / kBlock,
            rest = shape.depth % kBlock,
            step = llvm::divideCeilSigned(
                blocks, llvm::divideCeilSigned(blocks, kChunk));
    if (blocks <= step)
      return emit({Idx(int64_t(0)), whole, rest, true});
    int64_t last = (blocks - 1) / step * step;
    emit({Idx(int64_t(0)), step, 0, true});
    e.loop(Idx(step), Idx(last), step,
           [&](Idx first) { emit({first, step, 0, false}); });
    emit({Idx(last), whole - last, rest, false});
  }

private:
  void tile(Idx from, Idx to, Idx w, Idx index, Idx row, int64_t count,
            const Chunk &chunk, bool isFirst) {
    // The same depth of the next point's weights, spread over the tiles.
    constexpr int64_t line = 16, unrolled = kUnrolledSteps;
    int64_t length = chunk.whole * kBlock + chunk.rest,
            steps = llvm::divideCeilSigned(length, unrolled),
            ahead = llvm::divideCeilSigned(length * shape.panel,
                                           rows.count * steps),
            prefetches = isFirst ? llvm::divideCeilSigned(ahead, line) : 0;
    Idx start = e.mul(chunk.first, kBlock);
    Idx next =
        e.add(e.add(w, Idx(weights.strides[1])),
              e.add(e.mul(start, shape.panel), e.mul(index, ahead * steps)));
    // `depth` steps, `number` loop bodies into the chunk. A body of all steps
    // of a depth block is more than a core's front end keeps up with.
    auto multiply = [&](Idx number, int64_t depth, ValueRange carried) {
      SmallVector<Value> values(carried);
      auto [block, part] = e.divRem(number, kBlock / unrolled);
      Idx at = e.add(chunk.first, block), column = e.mul(part, unrolled);
      Idx fetched = e.add(next, e.mul(number, ahead));
      for (int64_t c = 0; c < depth; ++c) {
        if (c > 0)
          e.separateLoads();
        for (int64_t p = 0; p < prefetches; ++p)
          if (p * depth / prefetches == c)
            e.prefetch(weights, e.add(fetched, Idx(p * line)));
        Idx k = e.add(start, e.add(e.mul(number, unrolled), Idx(c)));
        SmallVector<Value> right;
        for (int64_t j = 0; j < vectors; ++j)
          right.push_back(e.loadVector(
              weights, e.add(w, e.add(e.mul(k, shape.panel), Idx(j * lanes))),
              vector, lanes));
        Idx left = e.add(e.mul(at, shape.block * kBlock),
                         e.add(e.mul(row, kBlock), e.add(column, Idx(c))));
        for (int64_t i = 0; i < count; ++i) {
          Value element = e.loadSplat(
              scratch, e.add(from, e.add(left, Idx(i * kBlock))), vector);
          for (int64_t j = 0; j < vectors; ++j)
            values[i * vectors + j] =
                e.fma(element, right[j], values[i * vectors + j]);
        }
      }
      return values;
    };
    SmallVector<Value> sums(count * vectors, e.splat(vector, 0.0));
    int64_t whole = length / unrolled;
    sums = e.loop(Idx(int64_t(0)), Idx(whole), 1, sums,
                  [&](Idx number, ValueRange carried) {
                    return multiply(number, unrolled, carried);
                  });
    if (length % unrolled > 0)
      sums = multiply(Idx(whole), length % unrolled, sums);
    for (int64_t i = 0; i < count; ++i)
      for (int64_t j = 0; j < vectors; ++j) {
        Idx at = e.add(to, e.add(e.mul(row, shape.panel),
                                 Idx(i * shape.panel + j * lanes)));
        Value sum = sums[i * vectors + j];
        if (!chunk.initial)
          sum = e.addf(e.loadVector(scratch, at, vector, lanes), sum);
        e.storeVector(sum, scratch, at, lanes);
      }
  }

  Emitter &e;
  const kernel::ProductShape &shape;
  const Buffer &weights, &scratch;
  VectorType vector;
  int64_t lanes;
  /// Of a panel in a tile: fewer than all where it was made for wider ones.
  int64_t vectors;
  Split rows;
};

} // namespace

void emitProducts(Emitter &e, const kernel::ProductShape &shape, int64_t mr,
                  const Buffer &weights, const Buffer &scratch,
                  const ProductUnit &unit) {
  Products emitter(e, shape, mr, weights, scratch);
  e.loop(Idx(int64_t(0)), Idx(shape.points), 1,
         [&](Idx point) { emitter.point(unit, point); });
}

int64_t unitsOfPanel(const kernel::ProductShape &shape, int64_t mr) {
  return std::min(Split(shape.block, mr).count,
                  llvm::divideCeilSigned(kWantedTasks, shape.panels));
}

void productUnits(Emitter &e, const kernel::ProductShape &shape, int64_t mr,
                  Value lo, Value hi,
                  function_ref<void(const ProductUnit &)> body) {
  Split rows(shape.block, mr);
  int64_t units = unitsOfPanel(shape, mr);
  auto ceilDiv = [&](Value value) {
    return e.divRem(e.add(Idx(value), Idx(units - 1)), units).first;
  };
  Idx firstWhole = ceilDiv(lo);
  e.loop(e.divRem(Idx(lo), units).first, ceilDiv(hi), 1, [&](Idx panel) {
    ProductUnit unit{panel,           Idx(int64_t(0)),  Idx(rows.count),
                     Idx(int64_t(0)), Idx(shape.block), firstWhole};
    if (units > 1) {
      Idx before = e.mul(panel, -units);
      auto tileOf = [&](Idx number) {
        return e.divRem(e.mul(number, rows.count), units).first;
      };
      auto rowOf = [&](Idx tile) {
        return e.add(e.mul(tile, rows.base), e.min(tile, Idx(rows.extra)));
      };
      unit.firstTile = tileOf(e.max(e.add(Idx(lo), before), Idx(int64_t(0))));
      unit.lastTile = tileOf(e.min(e.add(Idx(hi), before), Idx(units)));
      unit.firstRow = rowOf(unit.firstTile);
      unit.lastRow = rowOf(unit.lastTile);
      unit.products = e.min(panel, firstWhole);
    }
    unit.products = e.add(Idx(shape.productsStart()),
                          e.mul(unit.products, shape.productsSize()));
    body(unit);
  });
}

SmallVector<Value> combine(Emitter &e, ArrayRef<double> matrix,
                           ArrayRef<Value> xs) {
  SmallVector<Value> results;
  Type type = xs.front().getType();
  for (size_t row = 0; row < matrix.size(); row += xs.size()) {
    ArrayRef<double> factors = matrix.slice(row, xs.size());
    // A factor of 1 starts the sum for nothing.
    const double *one = llvm::find(factors, 1.0);
    Value sum = one == factors.end() ? Value() : xs[one - factors.begin()];
    for (auto [factor, x] : llvm::zip_equal(factors, xs)) {
      if (factor == 0 || &factor == one)
        continue;
      if (!sum)
        sum = e.mulf(x, e.splat(type, factor));
      else if (factor == 1)
        sum = e.addf(sum, x);
      else if (factor == -1)
        sum = e.subf(sum, x);
      else
        sum = e.fma(x, e.splat(type, factor), sum);
    }
    results.push_back(sum);
  }
  return results;
}

Idx indexOf(Value value) {
  APInt constant;
  if (matchPattern(value, m_ConstantInt(&constant)))
    return Idx(constant.getSExtValue());
  return Idx(value);
}

int64_t rowGroups(const kernel::ProductShape &shape) {
  return std::min(shape.block,
                  llvm::divideCeilSigned(kWantedTasks, shape.depthBlocks()));
}

Idx groupStart(Emitter &e, const kernel::ProductShape &shape, Idx group) {
  return e.divRem(e.mul(group, shape.block), rowGroups(shape)).first;
}

} // namespace graven::expand
