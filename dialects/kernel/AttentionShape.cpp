//===- AttentionShape.cpp - extents of kernel.attention ---------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the extents that follow from those of the operands.

#include "dialects/kernel/AttentionShape.h"

#include "dialects/kernel/Kernel.h"
#include "llvm/Support/MathExtras.h"

namespace graven::kernel {

/// Slots that keep any number of threads we expect busy and evenly loaded.
static constexpr int64_t kMostTasks = 48;

/// Elements of a cache line, so that the parts of a slot are aligned.
static constexpr int64_t kLine = 16;

static int64_t aligned(int64_t elements) {
  return llvm::alignTo(elements, kLine);
}

AttentionShape::AttentionShape(llvm::ArrayRef<int64_t> extents, int64_t mr,
                               int64_t panel, int64_t block, int64_t group,
                               int64_t pair)
    : batch(extents[0]), heads(extents[1]), keyHeads(extents[2]),
      rows(extents[3]), keys(extents[4]), depth(extents[5]),
      columns(extents[6]), mr(mr), panel(panel), block(std::min(block, keys)),
      group(group), pair(pair) {}

AttentionShape::AttentionShape(AttentionOp op)
    : AttentionShape(op.getExtents(), op.getMr(), op.getPanel(), op.getBlock(),
                     op.getGroup(), op.getPaired() ? 2 : 1) {}

int64_t AttentionShape::tiles() const {
  return llvm::divideCeilSigned(rows, mr);
}

int64_t AttentionShape::groups() const {
  return llvm::divideCeilSigned(tiles(), group);
}

int64_t AttentionShape::unitsPerTask() const {
  return llvm::divideCeilSigned(units(), kMostTasks);
}

int64_t AttentionShape::tasks() const {
  return llvm::divideCeilSigned(units(), unitsPerTask());
}

int64_t AttentionShape::keyBlocks() const {
  return llvm::divideCeilSigned(keys, block);
}

int64_t AttentionShape::paddedKeys() const {
  return llvm::alignTo(block, panel);
}

int64_t AttentionShape::paddedColumns() const {
  return llvm::alignTo(columns, panel);
}

int64_t AttentionShape::depthSteps() const {
  return llvm::divideCeilSigned(depth, pair);
}

int64_t AttentionShape::keySteps() const {
  return llvm::divideCeilSigned(paddedKeys(), pair);
}

int64_t AttentionShape::groupRows() const { return std::min(rows, group * mr); }

int64_t AttentionShape::valuesStart() const {
  return aligned(paddedKeys() * depthSteps());
}

int64_t AttentionShape::queryStart() const {
  return valuesStart() + aligned(keySteps() * paddedColumns());
}

int64_t AttentionShape::queryStride() const { return aligned(depthSteps()); }

int64_t AttentionShape::scoresStart() const {
  return queryStart() + mr * queryStride();
}

int64_t AttentionShape::scoresStride() const {
  // A line more: rows a multiple of 4096 bytes apart would share one set of the
  // first level cache.
  return aligned(paddedKeys()) + kLine;
}

int64_t AttentionShape::shiftsStart() const {
  return scoresStart() + mr * scoresStride();
}

int64_t AttentionShape::factorsStart() const {
  return shiftsStart() + aligned(mr);
}

int64_t AttentionShape::maximaStart() const {
  return factorsStart() + aligned(mr);
}

int64_t AttentionShape::totalsStart() const {
  return maximaStart() + (isOnline() ? aligned(groupRows()) : 0);
}

int64_t AttentionShape::sumsStart() const {
  return totalsStart() + (isOnline() ? aligned(groupRows()) : 0);
}

int64_t AttentionShape::slotSize() const {
  return sumsStart() +
         (isOnline() ? aligned(groupRows() * paddedColumns()) : 0);
}

} // namespace graven::kernel
