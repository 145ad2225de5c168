//===- ArenaPlanner.h - offsets of buffers in one arena ---------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the planner that places buffers with known lifetimes in
// one block of memory so that no two that live at the same time overlap. It
// knows nothing of IR: PlanArena feeds it and applies what it says.
//===----------------------------------------------------------------------===//
#ifndef GRAVEN_PASSES_MEMORY_ARENAPLANNER_H
#define GRAVEN_PASSES_MEMORY_ARENAPLANNER_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"

#include <cstdint>
#include <optional>
#include <utility>

namespace graven::memory {

/// Every offset is a multiple of this many bytes: a cache line, and the widest
/// vector's alignment.
inline constexpr int64_t kArenaAlignment = 64;

/// The next multiple of kArenaAlignment that is not below `bytes`.
int64_t alignUp(int64_t bytes);

/// A buffer that holds live data from step `begin` to step `end`, both
/// included. Steps are any numbering of the program in execution order.
struct Lifetime {
  int64_t begin = 0;
  int64_t end = 0;
  /// Bytes; 0 is a buffer that needs no room.
  int64_t size = 0;

  bool overlaps(const Lifetime &other) const {
    return begin <= other.end && other.begin <= end;
  }
};

struct ArenaPlan {
  /// Of each buffer, in bytes, in the order they were given.
  llvm::SmallVector<int64_t> offsets;
  /// Bytes the arena needs: a multiple of kArenaAlignment.
  int64_t peak = 0;
  /// No plan can need fewer: the largest sum of sizes that live at one step.
  int64_t lowerBound = 0;
  /// The name of the heuristic that found it.
  llvm::StringRef strategy;
};

/// The best of several heuristics: buffers taken by size, by lifetime and in
/// order of birth, each placed in the lowest or in the tightest gap that
/// fits. Deterministic. O(n^2 log n) for n buffers.
ArenaPlan planArena(llvm::ArrayRef<Lifetime> buffers);

/// Two buffers that live at the same step and overlap in the plan, if any.
std::optional<std::pair<size_t, size_t>>
findOverlap(llvm::ArrayRef<Lifetime> buffers, llvm::ArrayRef<int64_t> offsets);

} // namespace graven::memory

#endif // GRAVEN_PASSES_MEMORY_ARENAPLANNER_H
