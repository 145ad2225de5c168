//===- LoopNest.h - order and collapse loops --------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares LoopNest, which orders the loops of a linalg operation,
// collapses those that walk memory together, and cuts the outer parallel ones
// into units of work.

#ifndef GRAVEN_PASSES_LOWER_EXPAND_LOOPNEST_H
#define GRAVEN_PASSES_LOWER_EXPAND_LOOPNEST_H

#include "passes/lower/expand/Emitter.h"

namespace graven::expand {

/// The distance in memory of one step of each original loop.
using Strides = llvm::SmallVector<int64_t>;

/// Original loops that were collapsed to one, outermost first; or, `inner` > 0,
/// one of the two loops that such a loop was cut into.
struct Loop {
  /// The distance of one step of this loop.
  int64_t strideOf(llvm::ArrayRef<int64_t> strides) const {
    return strides.empty() || dims.empty() ? 0 : strides[dims.back()] * scale;
  }

  int64_t extent;
  /// The original loops.
  llvm::SmallVector<unsigned, 2> dims;
  /// Steps of the original loop in one step of this one.
  int64_t scale = 1;
};

class LoopNest {
public:
  /// `operands` are the strides of the operands that have some; `pinned` loops
  /// are not collapsed.
  LoopNest(llvm::ArrayRef<int64_t> extents, llvm::ArrayRef<bool> isParallel,
           llvm::ArrayRef<Strides> operands, llvm::ArrayRef<bool> pinned);

  /// The loops in the order of their walk through the last operand, farthest
  /// first, neighbours collapsed where no operand and no pin forbids it.
  static llvm::SmallVector<Loop> inOrder(llvm::SmallVector<Loop> loops,
                                         llvm::ArrayRef<Strides> operands,
                                         llvm::ArrayRef<bool> pinned);

  /// The index of an original loop that is not collapsed.
  Idx original(llvm::ArrayRef<Idx> ivs, unsigned dim) const;

  /// First the parallel loops, the contiguous one last, then the reductions.
  llvm::SmallVector<Loop> loops;
  /// Parallel loops in all, and those that are distributed over tasks.
  size_t parallel = 0, outer = 0;
  /// Iterations of the distributed loops, and how they are grouped.
  int64_t units = 1, unitsPerTask = 1, tasks = 1;
  /// Steps of the outermost reduction loop that all neighbours take before the
  /// next ones.
  int64_t block = 1;
};

} // namespace graven::expand

#endif // GRAVEN_PASSES_LOWER_EXPAND_LOOPNEST_H
