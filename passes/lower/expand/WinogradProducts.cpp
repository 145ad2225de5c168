//===- WinogradProducts.cpp - products of transformed tiles -----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the matrix products of the second Winograd stage: at
// each point, the tiles of a block times a panel of weights, in register tiles
// as in a direct convolution with one tap.

#include "passes/lower/expand/Winograd.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace graven::expand {
namespace {

constexpr int64_t kBlock = kernel::kChannelBlock;

class Products {
public:
  Products(Emitter &e, const kernel::WinogradShape &shape, int64_t mr,
           const Buffer &weights, const Buffer &scratch)
      : e(e), shape(shape), weights(weights), scratch(scratch),
        vector(e.vectorOf(scratch.element)), lanes(vector.getNumElements()),
        vectors(shape.panel / lanes), rows(shape.block, mr) {}

  void point(Idx panel, Idx point, Idx products) {
    Idx from = e.mul(point, shape.inputStride());
    Idx to = e.add(products, e.mul(point, shape.productStride()));
    Idx w = e.add(e.mul(panel, weights.strides[0]),
                  e.mul(point, weights.strides[1]));
    e.tiles(rows, Idx(int64_t(0)), Idx(rows.count),
            [&](Idx index, Idx row, int64_t count) {
              tile(from, to, w, index, row, count);
            });
  }

private:
  void tile(Idx from, Idx to, Idx w, Idx index, Idx row, int64_t count) {
    int64_t whole = shape.inChannels / kBlock, rest = shape.inChannels % kBlock;
    // The weights of the next point, spread over the tiles of this one.
    int64_t steps = shape.inBlocks();
    int64_t ahead =
        llvm::divideCeilSigned(weights.strides[1], rows.count * steps);
    Idx next =
        e.add(e.add(w, Idx(weights.strides[1])), e.mul(index, ahead * steps));
    auto multiply = [&](Idx block, int64_t depth, ValueRange carried) {
      SmallVector<Value> values(carried);
      constexpr int64_t line = 16;
      int64_t prefetches = llvm::divideCeilSigned(ahead, line);
      for (int64_t c = 0; c < depth; ++c) {
        for (int64_t p = 0; p < prefetches; ++p)
          if (p * depth / prefetches == c)
            e.prefetch(weights,
                       e.add(e.add(next, e.mul(block, ahead)), Idx(p * line)));
        SmallVector<Value> right;
        Idx k = e.add(e.mul(block, kBlock), Idx(c));
        for (int64_t j = 0; j < vectors; ++j)
          right.push_back(e.loadVector(
              weights, e.add(w, e.add(e.mul(k, shape.panel), Idx(j * lanes))),
              vector, lanes));
        Idx tiles = e.add(e.mul(block, shape.block * kBlock),
                          e.add(e.mul(row, kBlock), Idx(c)));
        for (int64_t i = 0; i < count; ++i) {
          Value left = e.loadSplat(
              scratch, e.add(from, e.add(tiles, Idx(i * kBlock))), vector);
          for (int64_t j = 0; j < vectors; ++j)
            values[i * vectors + j] =
                e.fma(left, right[j], values[i * vectors + j]);
        }
      }
      return values;
    };
    SmallVector<Value> sums(count * vectors, e.splat(vector, 0.0));
    sums = e.loop(Idx(int64_t(0)), Idx(whole), 1, sums,
                  [&](Idx block, ValueRange carried) {
                    return multiply(block, kBlock, carried);
                  });
    if (rest > 0)
      sums = multiply(Idx(whole), rest, sums);
    for (int64_t i = 0; i < count; ++i)
      for (int64_t j = 0; j < vectors; ++j)
        e.storeVector(sums[i * vectors + j], scratch,
                      e.add(to, e.add(e.mul(row, shape.panel),
                                      Idx(i * shape.panel + j * lanes))),
                      lanes);
  }

  Emitter &e;
  const kernel::WinogradShape &shape;
  const Buffer &weights, &scratch;
  VectorType vector;
  int64_t lanes, vectors;
  Split rows;
};

} // namespace

void emitWinogradProducts(Emitter &e, const kernel::WinogradShape &shape,
                          int64_t mr, const Buffer &weights,
                          const Buffer &scratch, Idx panel, Idx products) {
  Products emitter(e, shape, mr, weights, scratch);
  e.loop(Idx(int64_t(0)), Idx(shape.points()), 1,
         [&](Idx point) { emitter.point(panel, point, products); });
}

} // namespace graven::expand
