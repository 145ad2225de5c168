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

/// The products of a block's rows with one panel of weights [.., points, depth,
/// panel], into the scratch memory from `products` on.
void emitProducts(Emitter &e, const kernel::ProductShape &shape, int64_t mr,
                  const Buffer &weights, const Buffer &scratch, Idx panel,
                  Idx products);

/// The first unit of work of a thread names its products: each thread keeps to
/// one part of the scratch memory, which stays in its cache.
Idx productsOf(Emitter &e, const kernel::ProductShape &shape, mlir::Value lo);

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
