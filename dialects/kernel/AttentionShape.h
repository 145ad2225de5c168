//===- AttentionShape.h - extents of kernel.attention -----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the extents of kernel.attention, its units of work and the
// layout of its scratch memory, which the lowering, the verifier and the
// expander share.

#ifndef GRAVEN_DIALECTS_KERNEL_ATTENTIONSHAPE_H
#define GRAVEN_DIALECTS_KERNEL_ATTENTIONSHAPE_H

#include "llvm/ADT/ArrayRef.h"
#include <cstdint>

namespace graven::kernel {

class AttentionOp;

/// Extents in elements, rows and keys. A unit of work is `group` row tiles of
/// one head; a task is as many consecutive units as keep the number of slots
/// within bounds.
struct AttentionShape {
  explicit AttentionShape(AttentionOp op);
  /// `extents` are [B, H, Hk, S, L, E, F]; `pair` factors share a word.
  AttentionShape(llvm::ArrayRef<int64_t> extents, int64_t mr, int64_t panel,
                 int64_t block, int64_t group, int64_t pair = 1);

  int64_t batch, heads, keyHeads, rows, keys, depth, columns;
  int64_t mr, panel, block, group, pair;

  int64_t repeat() const { return heads / keyHeads; }
  int64_t tiles() const;
  int64_t groups() const;
  int64_t units() const { return batch * heads * groups(); }
  int64_t unitsPerTask() const;
  int64_t tasks() const;

  int64_t keyBlocks() const;
  /// Whether the keys are more than one block.
  bool isOnline() const { return keyBlocks() > 1; }
  /// Keys of a block, and columns of the result, with those that fill panels.
  int64_t paddedKeys() const;
  int64_t paddedColumns() const;
  /// Steps of the two products: words of a row of the query, and of the weights
  /// of a block.
  int64_t depthSteps() const;
  int64_t keySteps() const;

  // The slot of a task. Key j at depth e is at
  // (j / panel * depth + e) * panel + j % panel of the keys, value j of column
  // f at (f / panel * paddedKeys() + j) * panel + f % panel of the values; as
  // pairs, depths 2e and 2e + 1 of a key, and keys 2j and 2j + 1 of a column,
  // are the halves of a word, and there are half as many.
  // Scores and the rows of the query have a stride each, the sums of a group
  // (online) that of the padded columns. Shifts, factors, maxima and sums are
  // one for each row.
  int64_t valuesStart() const;
  int64_t queryStart() const;
  int64_t queryStride() const;
  int64_t scoresStart() const;
  int64_t scoresStride() const;
  int64_t shiftsStart() const;
  int64_t factorsStart() const;
  int64_t maximaStart() const;
  int64_t totalsStart() const;
  int64_t sumsStart() const;
  int64_t slotSize() const;
  int64_t scratchSize() const { return tasks() * slotSize(); }

private:
  int64_t groupRows() const;
};

} // namespace graven::kernel

#endif // GRAVEN_DIALECTS_KERNEL_ATTENTIONSHAPE_H
