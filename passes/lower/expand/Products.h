//===- Products.h - products between two stages -----------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares what the expansions of kernels in two stages share: the
// products of the second stage, linear combinations of vectors, and the block
// that a stage works on.

#ifndef GRAVEN_PASSES_LOWER_EXPAND_PRODUCTS_H
#define GRAVEN_PASSES_LOWER_EXPAND_PRODUCTS_H

#include "dialects/kernel/Kernel.h"
#include "dialects/kernel/StageShapes.h"
#include "passes/lower/expand/Emitter.h"

namespace graven::expand {

/// What one thread does of a panel in a second stage: some of the register
/// tiles of the block's rows.
struct ProductUnit {
  Idx panel, firstTile, lastTile, firstRow, lastRow;
  /// Where the panel's products are in the scratch memory.
  Idx products;
};

/// In how many units a panel is cut, so that few panels keep many threads busy.
int64_t unitsOfPanel(const kernel::ProductShape &shape, int64_t mr);

/// Runs the units of work [lo, hi), those of a panel one after another. They
/// are joined to one where `body` is called, so that a thread reads the weights
/// of a panel once. A thread keeps to one part of the scratch memory, which
/// stays in its cache: that of the first panel it begins with. Of a panel that
/// others have begun, it uses its own rows of that panel's part.
void productUnits(Emitter &e, const kernel::ProductShape &shape, int64_t mr,
                  mlir::Value lo, mlir::Value hi,
                  llvm::function_ref<void(const ProductUnit &)> body);

/// The products of a unit's rows with its panel of weights [.., points, depth,
/// panel].
void emitProducts(Emitter &e, const kernel::ProductShape &shape, int64_t mr,
                  const Buffer &weights, const Buffer &scratch,
                  const ProductUnit &unit);

/// matrix [rows, xs.size()] times the vectors; a row's products are added in
/// order.
llvm::SmallVector<mlir::Value> combine(Emitter &e,
                                       llvm::ArrayRef<double> matrix,
                                       llvm::ArrayRef<mlir::Value> xs);

/// An index that may be known.
Idx indexOf(mlir::Value value);

/// In how many parts a first stage cuts the rows of a block, so that with its
/// depth blocks there are enough units of work.
int64_t rowGroups(const kernel::ProductShape &shape);
/// First row of a part; that of the part after the last ends the block.
Idx groupStart(Emitter &e, const kernel::ProductShape &shape, Idx group);

} // namespace graven::expand

#endif // GRAVEN_PASSES_LOWER_EXPAND_PRODUCTS_H
