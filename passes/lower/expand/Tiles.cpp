//===- Tiles.cpp - register tiles from the target ---------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the choice of register tiles and blocks by counting
// registers, wasted lanes and the latency that few accumulators do not hide.

#include "passes/lower/expand/Tiles.h"

#include "llvm/Support/MathExtras.h"
#include <algorithm>

namespace graven::expand {
namespace {

constexpr int64_t kBlock = 16;

/// A row distance that is a multiple of this maps all rows to one set of the
/// first level cache.
constexpr int64_t kAliasBytes = 4096;
constexpr int64_t kRowsThatAlias = 8;

/// The cost of a tile of `pixels` in multiply-adds of one vector: what it does,
/// but not less than the pipeline needs, and the start and end of its loops.
double tileCost(int64_t pixels, int64_t vectors) {
  return double(std::max(pixels * vectors, kWantedAccumulators)) +
         0.5 * vectors + 0.5;
}

/// The cost of `extent` cut into balanced tiles of at most `largest`.
double splitCost(int64_t extent, int64_t largest, int64_t other,
                 int64_t vectors) {
  int64_t count = llvm::divideCeilSigned(extent, largest),
          base = extent / count, extra = extent % count;
  double cost = double(count - extra) * tileCost(base * other, vectors);
  if (extra > 0)
    cost += double(extra) * tileCost((base + 1) * other, vectors);
  return cost;
}

} // namespace

int64_t rowsThatFit(const TargetInfo &target, int64_t vectors) {
  // A product of its own needs a register for each vector it is added to.
  int64_t temporaries = target.hasFMA ? 1 : 1 + vectors;
  return std::max<int64_t>(1, (target.vectorRegisters - vectors - temporaries) /
                                  vectors);
}

int64_t accumulatorSets(const TargetInfo &target, int64_t count) {
  int64_t sets = 1;
  while (sets < kUnrolledSteps && count * sets < kWantedAccumulators &&
         2 * count * sets <= target.vectorRegisters / 2)
    sets *= 2;
  return sets;
}

int64_t tileVectors(const TargetInfo &target, int64_t vectors) {
  int64_t best = 1;
  double bestLoads = 0;
  for (int64_t wide = 1; wide <= vectors; ++wide) {
    int64_t rows = rowsThatFit(target, wide);
    bool fits = vectors % wide == 0 && rows * wide < target.vectorRegisters;
    // Too few accumulators wait for one another.
    double loads =
        double(rows + wide) / double(rows * wide) *
        std::max(1.0, double(kWantedAccumulators) / double(rows * wide));
    if (wide > 1 && (!fits || loads >= bestLoads))
      continue;
    best = wide;
    bestLoads = loads;
  }
  return best;
}

int64_t vectorsThatFit(const TargetInfo &target, int64_t vectors,
                       int64_t rows) {
  for (int64_t wide = vectors; wide > 1; --wide)
    if (vectors % wide == 0 && rowsThatFit(target, wide) >= rows)
      return wide;
  return 1;
}

/// Columns of a panel for tensor cores, of which a tile has one or two: as many
/// as give it enough to do, or as few as there are. One tile of rows has no
/// blocks but those of its panels, which are to be one for each multiprocessor.
static int64_t panelColumns(int64_t rows, int64_t columns) {
  constexpr int64_t least = 16, most = 64, oneTile = 16, processors = 108;
  int64_t panel = least;
  while (panel < most && panel < columns &&
         (rows > oneTile || columns / (2 * panel) >= processors))
    panel *= 2;
  return panel;
}

/// Whether tensor cores multiply these elements: in double precision, none that
/// all GPUs have do.
static bool hasTensorCores(const TargetInfo &target, int64_t elementBytes) {
  return target.processor == Processor::GPU && elementBytes <= 4;
}

GemmTile chooseGemmTile(const TargetInfo &target, int64_t m, int64_t n,
                        int64_t k, int64_t elementBytes) {
  int64_t lanes = target.lanes(elementBytes);
  // What is left to single threads has tiles of two vectors.
  if (hasTensorCores(target, elementBytes))
    return {rowsThatFit(target, 2), panelColumns(m, n), /*kc=*/0};
  int64_t best = 1;
  double bestCost = 0;
  for (int64_t vectors = 1; vectors <= 4; ++vectors) {
    int64_t rows = rowsThatFit(target, vectors);
    if (k * elementBytes % kAliasBytes == 0 && target.vectorRegisters >= 32)
      rows = std::min(rows, kRowsThatAlias);
    int64_t panels =
        llvm::divideCeilSigned(std::max<int64_t>(n, 1), vectors * lanes);
    // Loads of the right-hand side weigh on tiles of few rows, and broadcasts
    // on tiles of few columns.
    int64_t tileRows = std::min(rows, std::max<int64_t>(m, 1));
    double loads = double(tileRows + vectors) / double(tileRows * vectors);
    double cost = double(panels) *
                  splitCost(std::max<int64_t>(m, 1), rows, 1, vectors) *
                  std::max(1.0, loads * 1.25);
    if (vectors == 1 || cost < bestCost) {
      best = vectors;
      bestCost = cost;
    }
  }
  int64_t rows = rowsThatFit(target, best);
  if (k * elementBytes % kAliasBytes == 0 && target.vectorRegisters >= 32)
    rows = std::min(rows, kRowsThatAlias);
  return {rows, best * lanes, kAccumulation};
}

ConvTile chooseConvTile(const TargetInfo &target, const ConvTileShape &shape,
                        int64_t elementBytes) {
  int64_t lanes = target.lanes(elementBytes);
  int64_t perGroup = shape.outChannels / std::max<int64_t>(shape.groups, 1);
  // Two vectors of channels, unless blocks or groups ask for another width.
  int64_t channels = 2 * lanes;
  if (lanes >= kBlock && perGroup <= kBlock)
    channels = lanes;
  if (shape.groups > 1)
    while (channels > lanes && perGroup % channels != 0)
      channels /= 2;
  int64_t vectors = channels / lanes, pixels = rowsThatFit(target, vectors);
  if (hasTensorCores(target, elementBytes)) {
    channels =
        panelColumns(shape.batch * shape.outHeight * shape.outWidth, perGroup);
    while (shape.groups > 1 && perGroup % channels != 0)
      channels /= 2;
  }
  // The loop over a planar input is short: the weights of its next channel are
  // in registers too, and one accumulator in memory would halve the speed.
  if (shape.inChannels < kBlock)
    pixels = std::max<int64_t>(1, (target.vectorRegisters - 2 * vectors - 1) /
                                      vectors);
  ConvTile tile{1, 1, channels, std::max<int64_t>(shape.outHeight, 1)};
  int64_t height = std::max<int64_t>(shape.outHeight, 1),
          width = std::max<int64_t>(shape.outWidth, 1);
  double best = 0;
  for (int64_t rows = 1; rows <= std::min<int64_t>(pixels, 4); ++rows) {
    int64_t columns = pixels / rows;
    int64_t count = llvm::divideCeilSigned(height, rows), base = height / count,
            extra = height % count;
    double cost =
        double(count - extra) * splitCost(width, columns, base, vectors) +
        double(extra) * splitCost(width, columns, base + 1, vectors);
    if (rows == 1 || cost < best * 0.97) {
      best = cost;
      tile.rows = rows;
      tile.columns = columns;
    }
  }
  int64_t panels = llvm::divideCeilSigned(shape.outChannels, channels) *
                   std::max<int64_t>(shape.batch, 1);
  int64_t blocks =
      llvm::divideCeilSigned(kWantedTasks, std::max<int64_t>(panels, 1));
  // The input rows of a block should stay in the second level cache while all
  // panels pass over them.
  int64_t rowBytes = shape.inChannels / std::max<int64_t>(shape.groups, 1) *
                     width * std::min(shape.strideWidth, shape.kernelWidth) *
                     std::min(shape.strideHeight, shape.kernelHeight) *
                     elementBytes;
  int64_t image = rowBytes * height;
  if (image > target.l2Bytes / 2)
    blocks =
        std::max(blocks, llvm::divideCeilSigned(
                             image, std::max<int64_t>(target.l2Bytes / 4, 1)));
  int64_t rows = std::max<int64_t>(1, height / std::max<int64_t>(blocks, 1));
  // A divisor of the height lets the rows of a 1x1 convolution be joined: the
  // smallest from there on that wastes little of its tiles.
  bool pointwise = shape.kernelHeight * shape.kernelWidth * shape.strideHeight *
                       shape.strideWidth ==
                   1;
  double joined =
      splitCost(width * height, pixels, 1, vectors) / double(height);
  for (int64_t candidate = rows; pointwise && candidate <= height;
       ++candidate) {
    if (height % candidate != 0)
      continue;
    rows = candidate;
    if (splitCost(width * candidate, pixels, 1, vectors) / double(candidate) <
        1.03 * joined)
      break;
  }
  tile.rowBlock = std::max(rows, tile.rows);
  return tile;
}

WinogradTile chooseWinogradTile(const TargetInfo &target, int64_t inChannels,
                                int64_t points, int64_t tiles) {
  int64_t lanes = target.lanes(4),
          channels = std::max<int64_t>(2 * lanes, kBlock),
          mr = rowsThatFit(target, channels / lanes);
  // Half of the cache for the transformed tiles. Each block reads all weights
  // once, so a few register tiles are the least that pays.
  int64_t tileBytes = points * llvm::alignTo(inChannels, kBlock) * 4,
          fit = target.l2Bytes / 2 / tileBytes,
          most = std::clamp<int64_t>(fit, 4 * mr, 16 * mr);
  int64_t blocks = llvm::divideCeilSigned(tiles, most);
  return {channels, llvm::divideCeilSigned(tiles, std::max<int64_t>(blocks, 1)),
          mr};
}

StrassenTile chooseStrassenTile(const TargetInfo &target, int64_t halfRows,
                                int64_t halfColumns) {
  int64_t lanes = target.lanes(4), columns = 2 * lanes;
  if (halfColumns <= lanes)
    columns = lanes;
  int64_t mr = rowsThatFit(target, columns / lanes);
  // Every block reads all weights, so it has as many rows as products of one
  // panel leave room for in the second level cache.
  int64_t fit = target.l2Bytes / 4 / (7 * columns * 4),
          most = std::clamp<int64_t>(fit, 4 * mr, 16 * mr),
          blocks = llvm::divideCeilSigned(halfRows, most);
  return {columns,
          llvm::divideCeilSigned(halfRows, std::max<int64_t>(blocks, 1)), mr};
}

AttentionTileSizes chooseAttentionTile(const TargetInfo &target, int64_t heads,
                                       int64_t rows, int64_t keys,
                                       int64_t depth, int64_t columns,
                                       int64_t elementBytes) {
  // Scores of a tile of whole rows stay in the second level cache this far.
  constexpr int64_t mostKeys = 1024, leastBlock = 256;
  // What a group has so far, one row for each query, shall too.
  constexpr int64_t mostRows = 512;
  int64_t panel = std::max<int64_t>(2 * target.lanes(elementBytes), 4),
          mr = std::min(rowsThatFit(target, 2), rows), block = keys;
  if (keys > mostKeys) {
    int64_t fit = target.l2Bytes / 2 / ((depth + columns) * elementBytes);
    int64_t most = std::clamp(fit, leastBlock, mostKeys);
    int64_t blocks = llvm::divideCeilSigned(keys, most);
    block = llvm::alignTo(llvm::divideCeilSigned(keys, blocks), panel);
  }
  int64_t tiles = llvm::divideCeilSigned(rows, mr),
          groups = llvm::divideCeilSigned(kWantedTasks, heads);
  if (block < keys)
    groups = std::max(groups, llvm::divideCeilSigned(rows, mostRows));
  // Each unit packs its keys, so it has rows enough to pay for that.
  constexpr int64_t leastTiles = 4;
  return {mr, panel, block,
          std::clamp<int64_t>(llvm::divideCeilSigned(tiles, groups),
                              std::min(leastTiles, tiles), tiles)};
}

RecurrenceTile chooseRecurrenceTile(const TargetInfo &target, int64_t gates,
                                    int64_t batch, int64_t hidden,
                                    int64_t elementBytes) {
  // The right-hand side is used from memory, one vector at a time.
  int64_t temporaries = target.hasFMA ? 1 : 2;
  auto rowsOf = [&](int64_t vectors) {
    return (target.vectorRegisters - temporaries) / (vectors * gates + 1);
  };
  // Many rows ask for narrow panels, few for wide ones: enough accumulators
  // with every vector of weights used for several rows.
  int64_t lanes = target.lanes(elementBytes), vectors = 1;
  while (vectors < 4 && 2 * vectors * lanes <= hidden &&
         std::min(batch, rowsOf(vectors)) * vectors * gates <
             kWantedAccumulators &&
         rowsOf(2 * vectors) >= std::min<int64_t>(batch, 2))
    vectors *= 2;
  constexpr int64_t mostRows = 4;
  return {vectors, std::clamp<int64_t>(rowsOf(vectors), 1, mostRows)};
}

DepthwiseTile chooseDepthwiseTile(const TargetInfo &target, int64_t outHeight,
                                  int64_t outWidth) {
  // One register for the weight, one for the input; eight chains are enough.
  int64_t pixels = std::min<int64_t>(target.vectorRegisters - 4, 8);
  if (outWidth >= pixels || outHeight <= 1)
    return {1, pixels};
  return {std::min<int64_t>(
              outHeight,
              std::max<int64_t>(1, pixels / std::max<int64_t>(outWidth, 1))),
          std::max<int64_t>(outWidth, 1)};
}

} // namespace graven::expand
