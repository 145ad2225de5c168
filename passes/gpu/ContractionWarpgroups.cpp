//===- ContractionWarpgroups.cpp - products of warpgroups -------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the products of groups of four warps (wgmma of sm_90a),
// which read both operands from shared memory, by descriptors (PTX ISA, matrix
// descriptor format), while the threads copy what comes next.
//===----------------------------------------------------------------------===//
#include "passes/gpu/Contraction.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;

namespace graven {

/// Threads of a group, and the rows and the depth of its instruction.
static constexpr int64_t kGroupThreads = 128, kGroupRows = 64, kGroupDepth = 16;

/// Lines of a piece of shared memory in which chunks change places.
static constexpr int64_t kPatternLines = 8;

/// How a descriptor counts bytes.
static constexpr int64_t kUnit = 16;

/// A descriptor of what lies in lines of `line` bytes, but for the address: the
/// distances between pieces of 8 lines, and between pieces side by side.
static int64_t descriptorOf(int64_t line, int64_t beside) {
  int64_t swizzle = line == 128 ? 1 : line == 64 ? 2 : 3;
  return beside / kUnit << 16 | kPatternLines * line / kUnit << 32 |
         swizzle << 62;
}

// The places of chunks are those that the instruction looks for: in lines of
// the left-hand side, 128 bytes of depth, chunk c of row r is at c ^ r % 8; in
// those of the right-hand side, a panel's columns at one depth, they change
// with every 128 bytes.
ContractionEmitter::Values ContractionEmitter::multiplyByWarpgroups() {
  // One stage is multiplied, and one before it may still be.
  int64_t ahead = tile.stages - 2;
  Value group = u.sameInWarp(u.div(thread, kGroupThreads)),
        start = u.sharedAddress();
  Value leftStart = u.add(start, u.mul(group, kGroupRows * leftRow)),
        rightStart = u.add(start, tile.rows * leftRow);
  int64_t leftForm = descriptorOf(leftRow, kUnit),
          rightForm = descriptorOf(rightRow, panelBytes);
  auto products = [&](Value stage, Value sums) {
    Value left = u.descriptor(u.add(leftStart, stage), leftForm),
          right = u.descriptor(u.add(rightStart, stage), rightForm);
    u.beginProducts();
    for (int64_t k = 0; k < tile.depth; k += kGroupDepth)
      sums = u.multiplyShared(u.addWide(left, k * leftBytes / kUnit),
                              u.addWide(right, k * rightRow / kUnit), sums,
                              tile.columns, type);
    u.commitProducts();
    return sums;
  };
  Values sums = overStages(
      ahead, u.zeroSums(tile.columns),
      [&](Value stage, ValueRange carried, function_ref<void()> issueNext) {
        u.publishCopies();
        u.barrier();
        // Where the stage before the last one was, which all threads know to be
        // over.
        issueNext();
        Value next = products(stage, carried.front());
        u.waitForProducts(1);
        return Values{next};
      });
  u.waitForProducts(0);
  return u.membersOf(sums.front());
}

} // namespace graven
