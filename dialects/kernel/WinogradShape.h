//===- WinogradShape.h - extents of a Winograd convolution ------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the extents of kernel.winograd, of its blocks of tiles and
// of its scratch memory, which the lowering, the verifiers and the expanders
// share.

#ifndef GRAVEN_DIALECTS_KERNEL_WINOGRADSHAPE_H
#define GRAVEN_DIALECTS_KERNEL_WINOGRADSHAPE_H

#include <cstdint>

namespace graven::kernel {

class WinogradOp;
class WinogradInputOp;
class WinogradOutputOp;

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
  int64_t points() const { return size() * size(); }
  int64_t inBlocks() const;
  int64_t panels() const;
  int64_t down() const;
  int64_t across() const;
  int64_t tiles() const { return batch * down() * across(); }
  int64_t blocks() const;

  /// Transformed tiles: point i of tile t in channel c is at
  /// i * inputStride() + (c / 16 * block + t) * 16 + c % 16.
  int64_t inputStride() const;
  /// Products: point i of tile t in channel c of a panel is at
  /// productsStart(slot) + i * productStride() + t * panel + c. A thread uses
  /// the slot of its first panel.
  int64_t productStride() const;
  int64_t productsStart() const { return points() * inputStride(); }
  int64_t productsSize() const { return points() * productStride(); }
  int64_t scratchSize() const {
    return productsStart() + panels() * productsSize();
  }
};

} // namespace graven::kernel

#endif // GRAVEN_DIALECTS_KERNEL_WINOGRADSHAPE_H
