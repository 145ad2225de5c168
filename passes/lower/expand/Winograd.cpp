//===- Winograd.cpp - expansion of Winograd's convolution -------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the expansion of the two stages: the transform of the
// input tiles, sixteen channels at a time, and, behind the products, the
// transform to output pixels with the epilogue at the store.

#include "passes/lower/expand/Products.h"

#include "dialects/graven/Winograd.h"
#include "passes/lower/expand/Epilogue.h"
#include "passes/lower/expand/Expand.h"
#include "llvm/Support/MathExtras.h"
#include <optional>

using namespace mlir;

namespace graven::expand {

namespace {

constexpr int64_t kBlock = kernel::kChannelBlock;

/// The tiles of one block.
class WinogradBlock {
public:
  WinogradBlock(Emitter &e, const kernel::WinogradShape &shape, Value number)
      : e(e), shape(shape), first(e.mul(indexOf(number), shape.block)) {}

  /// Where a tile's pixels are: its image, and its first output row and column
  /// in tiles.
  struct Place {
    Idx image, y, x;
  };
  Place placeOf(Idx tile) {
    SmallVector<Idx> place = e.delinearize(
        e.add(first, tile), {shape.batch, shape.down(), shape.across()});
    return {place[0], place[1], place[2]};
  }

  /// `last` or the number of tiles that the block has.
  Idx bounded(Idx last) {
    if (shape.tiles() % shape.block == 0)
      return last;
    return e.min(last, e.add(Idx(shape.tiles()), e.mul(first, -1)));
  }

private:
  Emitter &e;
  const kernel::WinogradShape &shape;
  Idx first;
};

} // namespace

/// matrix X matrix^T for a square X of vectors, row-major.
static SmallVector<Value> combineBoth(Emitter &e, ArrayRef<double> matrix,
                                      ArrayRef<Value> xs, int64_t size) {
  int64_t rows = matrix.size() / size;
  // Columns first: X's column j becomes column j of matrix X.
  SmallVector<Value> half(rows * size);
  for (int64_t j = 0; j < size; ++j) {
    SmallVector<Value> column;
    for (int64_t i = 0; i < size; ++i)
      column.push_back(xs[i * size + j]);
    for (auto [i, value] : llvm::enumerate(combine(e, matrix, column)))
      half[i * size + j] = value;
  }
  SmallVector<Value> result;
  for (int64_t i = 0; i < rows; ++i)
    llvm::append_range(
        result, combine(e, matrix, ArrayRef(half).slice(i * size, size)));
  return result;
}

int64_t taskCount(kernel::WinogradInputOp op) {
  kernel::ProductShape products = kernel::WinogradShape(op).products();
  return products.depthBlocks() * rowGroups(products);
}

LogicalResult expandWinogradInput(Emitter &e, kernel::WinogradInputOp op,
                                  Value lo, Value hi) {
  FailureOr<Buffer> x = e.buffer(op.getX()),
                    scratch = e.buffer(op.getScratch());
  if (failed(x) || failed(scratch))
    return failure();
  if (x->strides[4] != 1)
    return op.emitOpError("expects an input with contiguous channel blocks");
  kernel::WinogradShape shape(op);
  WinogradTransform transform = makeWinogradTransform(shape.tile);
  WinogradBlock block(e, shape, op.getNumber());
  VectorType vector = e.vectorOf(x->element);
  kernel::ProductShape products = shape.products();
  int64_t lanes = vector.getNumElements(), size = shape.size();
  if (kBlock % lanes != 0)
    return op.emitOpError("expects vectors of at most 16 lanes, got ") << lanes;
  e.tasks(lo, hi, {products.depthBlocks(), rowGroups(products)},
          [&](ArrayRef<Idx> task) {
            Idx first = groupStart(e, products, task[1]),
                last = groupStart(e, products, e.add(task[1], Idx(1)));
            e.loop(first, block.bounded(last), 1, [&](Idx tile) {
              WinogradBlock::Place place = block.placeOf(tile);
              Idx from =
                  e.at(*x, {place.image, task[0], e.mul(place.y, shape.tile),
                            e.mul(place.x, shape.tile), Idx(int64_t(0))});
              Idx to = e.mul(e.add(e.mul(task[0], shape.block), tile), kBlock);
              e.loop(Idx(int64_t(0)), Idx(kBlock), lanes, [&](Idx lane) {
                SmallVector<Value> pixels;
                for (int64_t i = 0; i < size; ++i)
                  for (int64_t j = 0; j < size; ++j)
                    pixels.push_back(e.loadVector(
                        *x,
                        e.add(e.add(from, lane),
                              Idx(i * x->strides[2] + j * x->strides[3])),
                        vector, lanes));
                pixels = combineBoth(e, transform.input, pixels, size);
                for (auto [point, value] : llvm::enumerate(pixels))
                  e.storeVector(value, *scratch,
                                e.add(e.add(to, lane),
                                      Idx(point * products.inputStride())),
                                lanes);
              });
            });
          });
  return success();
}

int64_t taskCount(kernel::WinogradOutputOp op) {
  kernel::ProductShape products = kernel::WinogradShape(op).products();
  return products.panels * unitsOfPanel(products, op.getMr());
}

namespace {

class OutputExpansion {
public:
  OutputExpansion(Emitter &e, kernel::WinogradOutputOp op, Buffer w,
                  std::optional<Buffer> whole, Buffer out, Buffer scratch,
                  Epilogue epilogue)
      : e(e), shape(op), mr(op.getMr()), pool(op.getPool()), w(std::move(w)),
        whole(std::move(whole)), out(std::move(out)),
        scratch(std::move(scratch)), epilogue(std::move(epilogue)),
        transform(makeWinogradTransform(shape.tile)),
        block(e, shape, op.getNumber()), vector(e.vectorOf(this->out.element)),
        lanes(vector.getNumElements()) {}

  void run(Value lo, Value hi) {
    productUnits(e, shape.products(), mr, lo, hi, [&](const ProductUnit &unit) {
      emitProducts(e, shape.products(), mr, w, scratch, unit);
      int64_t tail = shape.outChannels - (shape.panels() - 1) * shape.panel;
      auto pixelsOf = [&](int64_t channels) {
        for (int64_t c = 0; c < channels; c += lanes)
          pixels(unit, c, std::clamp<int64_t>(channels - c, 0, lanes));
      };
      if (tail == shape.panel)
        return pixelsOf(shape.panel);
      e.ifEqual(
          shape.panels() == 1 ? Idx(int64_t(0)) : unit.panel,
          shape.panels() - 1, [&] { pixelsOf(tail); },
          [&] { pixelsOf(shape.panel); });
    });
  }

private:
  /// The pixels of a unit's tiles in `lanes` channels from `channel` of its
  /// panel, of which `valid` exist.
  void pixels(const ProductUnit &unit, int64_t channel, int64_t valid) {
    SmallVector<Value> channelValues = epilogue.channelValues(
        e, e.add(e.mul(unit.panel, shape.panel), Idx(channel)), vector, valid);
    int64_t lastRows = shape.height - (shape.down() - 1) * shape.tile,
            lastColumns = shape.width - (shape.across() - 1) * shape.tile;
    e.loop(unit.firstRow, block.bounded(unit.lastRow), 1, [&](Idx tile) {
      WinogradBlock::Place place = block.placeOf(tile);
      auto emit = [&](int64_t rows, int64_t columns) {
        store(unit, channel, valid, tile, place, rows, columns, channelValues);
      };
      auto emitRows = [&](int64_t rows) {
        if (lastColumns == shape.tile)
          return emit(rows, shape.tile);
        e.ifEqual(
            place.x, shape.across() - 1, [&] { emit(rows, lastColumns); },
            [&] { emit(rows, shape.tile); });
      };
      if (lastRows == shape.tile)
        return emitRows(shape.tile);
      e.ifEqual(
          place.y, shape.down() - 1, [&] { emitRows(lastRows); },
          [&] { emitRows(shape.tile); });
    });
  }

  /// Transforms a tile's products and stores the `rows` x `columns` pixels that
  /// lie in the output.
  void store(const ProductUnit &unit, int64_t channel, int64_t valid, Idx tile,
             const WinogradBlock::Place &place, int64_t rows, int64_t columns,
             ArrayRef<Value> channelValues) {
    Idx from =
        e.add(unit.products, e.add(e.mul(tile, shape.panel), Idx(channel)));
    SmallVector<Value> values;
    for (int64_t point = 0; point < shape.points(); ++point)
      values.push_back(e.loadVector(
          scratch, e.add(from, Idx(point * shape.products().productStride())),
          vector, lanes));
    values = combineBoth(e, transform.output, values, shape.size());
    // A pixel of the tile in a buffer that holds one of `step` x `step`.
    auto indexIn = [&](const Buffer &buffer, int64_t i, int64_t j,
                       int64_t step) {
      return e.at(buffer,
                  {place.image,
                   e.add(e.mul(unit.panel, shape.panel / kBlock),
                         Idx(channel / kBlock)),
                   e.add(e.mul(place.y, shape.tile / step), Idx(i / step)),
                   e.add(e.mul(place.x, shape.tile / step), Idx(j / step)),
                   Idx(channel % kBlock)});
    };
    for (int64_t i = 0; i < rows; ++i)
      for (int64_t j = 0; j < columns; ++j) {
        Value &value = values[i * shape.tile + j];
        value =
            epilogue.apply(e, value, channelValues, [&](const Buffer &full) {
              return e.loadVector(full, indexIn(full, i, j, 1), vector, lanes);
            });
        if (whole)
          e.storeVector(value, *whole, indexIn(*whole, i, j, 1), lanes);
      }
    for (int64_t i = 0; i < rows; i += pool)
      for (int64_t j = 0; j < columns; j += pool)
        e.storeVector(windowOf(values, i, j), out, indexIn(out, i, j, pool),
                      lanes);
  }

  /// The maximum over the window of a tile's pixels that begins at (i, j).
  Value windowOf(ArrayRef<Value> values, int64_t i, int64_t j) {
    Value most = values[i * shape.tile + j];
    for (int64_t tap = 1; tap < pool * pool; ++tap)
      most = e.maxOrNaN(most,
                        values[(i + tap / pool) * shape.tile + j + tap % pool]);
    return most;
  }

  Emitter &e;
  kernel::WinogradShape shape;
  int64_t mr, pool;
  Buffer w;
  std::optional<Buffer> whole;
  Buffer out, scratch;
  Epilogue epilogue;
  WinogradTransform transform;
  WinogradBlock block;
  VectorType vector;
  int64_t lanes;
};

} // namespace

LogicalResult expandWinogradOutput(Emitter &e, kernel::WinogradOutputOp op,
                                   Value lo, Value hi) {
  FailureOr<Buffer> w = e.buffer(op.getW()), out = e.buffer(op.getOut()),
                    scratch = e.buffer(op.getScratch());
  if (failed(w) || failed(out) || failed(scratch))
    return failure();
  if (!cast<MemRefType>(op.getW().getType()).getLayout().isIdentity())
    return op.emitOpError("expects contiguous weights");
  std::optional<Buffer> whole;
  if (op.getWhole()) {
    FailureOr<Buffer> buffer = e.buffer(op.getWhole());
    if (failed(buffer))
      return failure();
    whole = *buffer;
  }
  if (out->strides[4] != 1 || (whole && whole->strides[4] != 1))
    return op.emitOpError("expects an output with contiguous channel blocks");
  if (kBlock % e.lanesOf(out->element) != 0)
    return op.emitOpError("expects vectors of at most 16 lanes, got ")
           << e.lanesOf(out->element);
  FailureOr<Epilogue> epilogue = Epilogue::create(
      e, op.getEpilogue(), op.getBody(), kernel::WinogradShape(op).pixels());
  if (failed(epilogue))
    return failure();
  OutputExpansion(e, op, *w, whole, *out, *scratch, *epilogue).run(lo, hi);
  return success();
}

} // namespace graven::expand
