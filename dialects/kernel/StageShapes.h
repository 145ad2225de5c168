//===- StageShapes.h - extents of a Winograd convolution ------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the extents of kernel.winograd and kernel.strassen, of
// their blocks and of their scratch memory, which the lowering, the verifiers
// and the expanders share.

#ifndef GRAVEN_DIALECTS_KERNEL_STAGESHAPES_H
#define GRAVEN_DIALECTS_KERNEL_STAGESHAPES_H

#include "llvm/ADT/SmallVector.h"
#include <cstdint>

namespace graven::kernel {

class StrassenInputOp;
class StrassenOp;
class StrassenOutputOp;
class WinogradOp;
class WinogradInputOp;
class WinogradOutputOp;

/// What stands between the two stages, in elements: at each of `points`, a
/// matrix [block, depth] that the first stage wrote, to be multiplied with
/// panels [depth, panel] of weights.
struct ProductShape {
  int64_t points, depth, block, panel, panels;

  int64_t depthBlocks() const;
  /// The left-hand sides: row r at depth k of point i is at
  /// i * inputStride() + (k / 16 * block + r) * 16 + k % 16.
  int64_t inputStride() const;
  /// Products: row r in column c of a panel of point i is at
  /// productsStart() + slot * productsSize() + i * productStride() + r * panel
  /// + c. Products.h says which slot a thread uses.
  int64_t productStride() const;
  int64_t productsStart() const { return points * inputStride(); }
  int64_t productsSize() const { return points * productStride(); }
  int64_t scratchSize() const {
    return productsStart() + panels * productsSize();
  }
};

/// Extents in elements. Tiles are numbered through the images of the batch,
/// then down, then across; a block is `block` consecutive ones (the last may
/// have fewer).
struct WinogradShape {
  explicit WinogradShape(WinogradOp op);
  explicit WinogradShape(WinogradInputOp op);
  explicit WinogradShape(WinogradOutputOp op);
  WinogradShape(int64_t batch, int64_t inChannels, int64_t outChannels,
                int64_t height, int64_t width, int64_t panel, int64_t tile)
      : batch(batch), inChannels(inChannels), outChannels(outChannels),
        height(height), width(width), panel(panel), tile(tile) {}

  /// Output channels of a panel, output pixels of a tile along an axis, tiles
  /// of a block.
  int64_t batch, inChannels, outChannels, height, width, panel, tile, block = 1;

  int64_t size() const { return tile + 2; }
  int64_t inBlocks() const { return products().depthBlocks(); }
  int64_t points() const { return size() * size(); }
  int64_t panels() const;
  int64_t down() const;
  int64_t across() const;
  int64_t tiles() const { return batch * down() * across(); }
  /// Extents of all output pixels, blocked.
  llvm::SmallVector<int64_t> pixels() const;
  int64_t blocks() const;
  ProductShape products() const {
    return {points(), inChannels, block, panel, panels()};
  }
};

/// Extents in elements. A block is `block` consecutive rows of a quadrant (the
/// last may have fewer); with an odd number of rows, the lower quadrants lack
/// their last. The left quadrants are whole panels; those on the right lack the
/// columns by which the panels exceed the matrix.
struct StrassenShape {
  explicit StrassenShape(StrassenOp op);
  explicit StrassenShape(StrassenInputOp op);
  explicit StrassenShape(StrassenOutputOp op);
  StrassenShape(int64_t rows, int64_t depth, int64_t columns, int64_t panel)
      : rows(rows), depth(depth), columns(columns), panel(panel) {}

  int64_t rows, depth, columns, panel, block = 1;

  int64_t halfRows() const { return (rows + 1) / 2; }
  int64_t blocks() const;
  /// Panels of a quadrant.
  int64_t panels() const { return ((columns + panel - 1) / panel + 1) / 2; }
  /// Columns of the left quadrants.
  int64_t halfColumns() const { return panels() * panel; }
  ProductShape products() const {
    return {7, depth / 2, block, panel, panels()};
  }
};

} // namespace graven::kernel

#endif // GRAVEN_DIALECTS_KERNEL_STAGESHAPES_H
