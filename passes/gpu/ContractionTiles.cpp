//===- ContractionTiles.cpp - tiles of products on tensor cores -*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the choice of a product's tile.
//===----------------------------------------------------------------------===//
#include "passes/gpu/Contraction.h"

using namespace mlir;

namespace graven {
namespace {

struct Candidate {
  int64_t rows, panels, warpRows, warpColumns;
  /// Time for a product of two elements, relative to the largest tile of warps:
  /// the smaller a tile, the more often elements are loaded.
  double cost;
};

constexpr Candidate ofWarps[] = {
    {128, 2, 2, 4, 1.0}, {128, 1, 2, 2, 1.15}, {64, 1, 2, 2, 1.4},
    {32, 1, 1, 4, 2.0},  {16, 1, 1, 4, 3.2},
};

// A group has 64 rows and all columns. Tiles of warps reach little more than
// half of what these do (reference/cuda-codegen.md, section 8).
constexpr Candidate ofWarpgroups[] = {
    {128, 4, 8, 1, 0.55}, {128, 2, 8, 1, 0.6}, {64, 4, 4, 1, 0.7},
    {64, 2, 4, 1, 0.8},   {64, 1, 4, 1, 1.0},
};

constexpr int64_t mostSharedBytes = 227 << 10, mostColumns = 256;

/// Those of GPUs of the kind that code is for when none is named, and of those
/// with warpgroups.
int64_t processorsWith(MatrixUnits units) {
  return units == MatrixUnits::Warps ? 108 : 132;
}

ContractionTile tileOfWarps(const ContractionShape &shape,
                            const Candidate &candidate) {
  int64_t warpRows = candidate.warpRows, warpColumns = candidate.warpColumns;
  // Narrow panels leave all warps along the rows, of 16 at least.
  while (shape.panel * candidate.panels / warpColumns < 16) {
    warpColumns /= 2;
    if (candidate.rows / (2 * warpRows) >= 16)
      warpRows *= 2;
  }
  ContractionTile tile{candidate.rows,
                       shape.panel * candidate.panels,
                       kLeftChunks * kChunkBytes / bytesOf(shape.left),
                       warpRows,
                       warpColumns,
                       /*stages=*/3};
  // Where blocks have few rows, it is memory that they wait for: they have more
  // of it under way, as much as leaves no GPU with less than a block.
  constexpr int64_t fewRows = 32, mostStages = 8, wantedBytes = 72 << 10;
  if (tile.rows <= fewRows)
    tile.stages = std::clamp<int64_t>(wantedBytes / bytesOfStage(shape, tile),
                                      tile.stages, mostStages);
  tile.stages = std::clamp<int64_t>(
      llvm::divideCeilSigned(shape.depth, tile.depth), 2, tile.stages);
  return tile;
}

ContractionTile tileOfWarpgroups(const ContractionShape &shape,
                                 const Candidate &candidate) {
  ContractionTile tile{candidate.rows,
                       shape.panel * candidate.panels,
                       kLeftChunks * kChunkBytes / bytesOf(shape.left),
                       candidate.warpRows,
                       candidate.warpColumns,
                       /*stages=*/4,
                       MatrixUnits::Warpgroups};
  // One is multiplied, and one may still be.
  tile.stages = std::clamp<int64_t>(
      llvm::divideCeilSigned(shape.depth, tile.depth) + 1, 3, tile.stages);
  return tile;
}

class Choice {
public:
  Choice(const ContractionShape &shape, MatrixUnits units)
      : shape(shape), processors(processorsWith(units)) {}

  void consider(const Candidate &candidate, const ContractionTile &tile) {
    // Rows of the left-hand side are copied eight at a time.
    int64_t panels = llvm::divideCeilSigned(shape.columns, shape.panel);
    if (panels % candidate.panels != 0 ||
        tile.threads() < kLeftChunks * kLeftChunks ||
        tile.columns > mostColumns ||
        sharedBytes(shape, tile) > mostSharedBytes)
      return;
    int64_t blocks = shape.batch *
                     llvm::divideCeilSigned(shape.rows, tile.rows) *
                     (panels / candidate.panels);
    double cost = double(llvm::divideCeilSigned(blocks, processors)) *
                  double(tile.rows * tile.columns) * candidate.cost;
    if (best && cost >= bestCost)
      return;
    best = tile;
    bestCost = cost;
  }

  std::optional<ContractionTile> best;

private:
  const ContractionShape &shape;
  int64_t processors;
  double bestCost = 0;
};

} // namespace

int64_t bytesOfStage(const ContractionShape &shape,
                     const ContractionTile &tile) {
  return tile.depth * (tile.rows * bytesOf(shape.left) +
                       tile.columns * bytesOf(shape.right));
}

int64_t sharedBytes(const ContractionShape &shape,
                    const ContractionTile &tile) {
  int64_t sums =
      tile.rows * (tile.columns + kSumPadding) * int64_t(sizeof(float));
  return std::max(sums, tile.stages * bytesOfStage(shape, tile));
}

LaunchExtents TiledContraction::extents() const {
  return {shape.batch * rowTiles() * columnTiles(), int32_t(tile.threads()),
          int32_t(sharedBytes(shape, tile))};
}

int64_t longestRun(Type element, ArrayRef<int64_t> distances) {
  int64_t run = kChunkBytes / bytesOf(element);
  while (run > 1 && llvm::any_of(distances, [&](int64_t distance) {
           return distance % run != 0;
         }))
    run /= 2;
  return run;
}

std::optional<ContractionTile> chooseTile(const ContractionShape &shape,
                                          MatrixUnits units) {
  bool isWide = shape.left.isF32(),
       isNarrow = shape.left.isF16() || shape.left.isBF16(),
       isMixed = isWide && (shape.right.isF16() || shape.right.isBF16());
  if (!((isWide || isNarrow) && (shape.left == shape.right || isMixed)))
    return std::nullopt;
  if (shape.panel != 16 && shape.panel != 32 && shape.panel != 64)
    return std::nullopt;
  Choice choice(shape, units);
  for (const Candidate &candidate : ofWarps)
    choice.consider(candidate, tileOfWarps(shape, candidate));
  // What f32 is multiplied as is nowhere in shared memory.
  if (units == MatrixUnits::Warpgroups && isNarrow)
    for (const Candidate &candidate : ofWarpgroups)
      choice.consider(candidate, tileOfWarpgroups(shape, candidate));
  return choice.best;
}

} // namespace graven
