//===- ConvPlan.h - the order of a direct convolution -----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares how a direct convolution walks its output: which pixels
// are joined to rows, the units of work, and what is kept in cache.

#ifndef GRAVEN_PASSES_LOWER_EXPAND_CONVPLAN_H
#define GRAVEN_PASSES_LOWER_EXPAND_CONVPLAN_H

#include "dialects/kernel/Kernel.h"
#include "passes/lower/TargetInfo.h"

namespace graven::expand {

/// The iteration space of a convolution, which follows from the operation
/// alone.
struct ConvShape {
  explicit ConvShape(kernel::ConvOp op);

  int64_t batch, rows, columns, panels, tileRows, tileColumns;
  /// Rows of the image in one row of the iteration.
  int64_t joined = 1;
  /// Units of work along the rows, and row tiles in each.
  int64_t rowBlocks, tilesPerBlock;
};

/// What is read again and again: it should be what fits the second level cache.
struct ConvOrder {
  ConvOrder(kernel::ConvOp op, const ConvShape &shape,
            const TargetInfo &target);

  /// All rows against a panel of weights; otherwise all panels against a block
  /// of rows.
  bool panelsOutside = true;
  /// Input channel blocks that are worked off before the next ones: the sums go
  /// through the output. All of them in one chunk is the plain order.
  int64_t blocksPerChunk, chunks = 1;
};

} // namespace graven::expand

#endif // GRAVEN_PASSES_LOWER_EXPAND_CONVPLAN_H
