//===- Winograd.h - the stages of Winograd's convolution --------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares what the expansions of the two stages share: which tiles a
// block has, where a tile lies, and linear combinations of vectors.

#ifndef GRAVEN_PASSES_LOWER_EXPAND_WINOGRAD_H
#define GRAVEN_PASSES_LOWER_EXPAND_WINOGRAD_H

#include "dialects/kernel/Kernel.h"
#include "dialects/kernel/WinogradShape.h"
#include "passes/lower/expand/Emitter.h"

namespace graven::expand {

/// The tiles of one block.
class WinogradBlock {
public:
  WinogradBlock(Emitter &e, const kernel::WinogradShape &shape,
                mlir::Value number);

  /// Where a tile's pixels are: its image, and its first output row and column
  /// in tiles.
  struct Place {
    Idx image, y, x;
  };
  Place placeOf(Idx tile);

  /// `last` or the number of tiles that the block has.
  Idx bounded(Idx last);

private:
  Emitter &e;
  const kernel::WinogradShape &shape;
  Idx first;
};

/// matrix [rows, xs.size()] times the vectors; a row's products are added in
/// order.
llvm::SmallVector<mlir::Value> combine(Emitter &e,
                                       llvm::ArrayRef<double> matrix,
                                       llvm::ArrayRef<mlir::Value> xs);

/// The products of a block's transformed tiles with one panel of weights, into
/// the scratch memory from `products` on.
void emitWinogradProducts(Emitter &e, const kernel::WinogradShape &shape,
                          int64_t mr, const Buffer &weights,
                          const Buffer &scratch, Idx panel, Idx products);

} // namespace graven::expand

#endif // GRAVEN_PASSES_LOWER_EXPAND_WINOGRAD_H
