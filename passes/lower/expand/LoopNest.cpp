//===- LoopNest.cpp - order and collapse loops ------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements LoopNest, which orders the loops of a linalg operation,
// collapses those that walk memory together, and cuts the outer parallel ones
// into units of work.

#include "passes/lower/expand/LoopNest.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace graven::expand {
namespace {

/// Iterations that are worth handing to another thread.
constexpr int64_t kTaskIterations = 16384;

/// Tasks that keep any number of threads we expect busy.
constexpr int64_t kWantedTasks = 16;

/// Neighbours that a reduction over outer axes takes together: a cache line of
/// f32, of which less would be read once for each piece.
constexpr int64_t kLeastNeighbours = 16;

/// Of a reduction over rows that are far apart, and longer than caches, that
/// many rows are read side by side, as many neighbours of each: memory is
/// fastest where it is read in its order.
constexpr int64_t kFarStride = 512, kLongWalk = 1 << 18, kBlock = 8,
                  kBlockNeighbours = 512;

bool collapse(const Loop &a, const Loop &b, ArrayRef<Strides> operands) {
  return llvm::all_of(operands, [&](const Strides &strides) {
    return a.strideOf(strides) == b.strideOf(strides) * b.extent;
  });
}

/// Collapses neighbours among `loops` where no operand and no pin forbids it.
SmallVector<Loop> collapseAll(SmallVector<Loop> loops,
                              ArrayRef<Strides> operands,
                              ArrayRef<bool> pinned) {
  SmallVector<Loop> result;
  for (Loop &loop : loops) {
    bool free =
        llvm::none_of(loop.dims, [&](unsigned dim) { return pinned[dim]; });
    bool freeBefore = !result.empty() &&
                      llvm::none_of(result.back().dims,
                                    [&](unsigned dim) { return pinned[dim]; });
    if (free && freeBefore && collapse(result.back(), loop, operands)) {
      result.back().extent *= loop.extent;
      result.back().dims.append(loop.dims);
    } else {
      result.push_back(loop);
    }
  }
  return result;
}

/// Orders loops by a falling key; equal ones keep their order.
void sortStable(SmallVector<Loop> &loops,
                function_ref<int64_t(const Loop &)> key) {
  for (size_t i = 1; i < loops.size(); ++i)
    for (size_t j = i; j > 0 && key(loops[j - 1]) < key(loops[j]); --j)
      std::swap(loops[j - 1], loops[j]);
}

/// Cuts the innermost of few, long parallel loops in two, the pieces at least
/// `least` long.
void cutInnermost(SmallVector<Loop> &loops, ArrayRef<bool> pinned,
                  int64_t below, int64_t least) {
  if (llvm::any_of(loops.back().dims,
                   [&](unsigned dim) { return pinned[dim]; }))
    return;
  int64_t units = 1;
  for (const Loop &loop : ArrayRef(loops).drop_back())
    units *= loop.extent;
  for (int64_t pieces : {16, 8, 4, 2}) {
    int64_t extent = loops.back().extent;
    if (units * pieces > 2 * kWantedTasks || extent % pieces != 0 ||
        extent / pieces < least || extent / pieces * below < kTaskIterations)
      continue;
    Loop inner = loops.back();
    inner.extent = extent / pieces;
    loops.back().extent = pieces;
    loops.back().scale *= inner.extent;
    loops.push_back(inner);
    return;
  }
}

} // namespace

LoopNest::LoopNest(ArrayRef<int64_t> extents, ArrayRef<bool> isParallel,
                   ArrayRef<Strides> operands, ArrayRef<bool> pinned) {
  SmallVector<Loop> outerLoops, reductions;
  for (auto [dim, extent] : llvm::enumerate(extents))
    if (extent != 1)
      (isParallel[dim] ? outerLoops : reductions)
          .push_back({extent, {unsigned(dim)}});
  if (!operands.empty()) {
    // The output, the last operand, decides the order of the parallel loops;
    // the farthest walk of any operand that of the reductions.
    outerLoops = inOrder(std::move(outerLoops), operands, pinned);
    auto farthest = [&](const Loop &loop) {
      int64_t result = 0;
      for (const Strides &strides : operands)
        result = std::max(result, loop.strideOf(strides));
      return result;
    };
    sortStable(reductions, farthest);
    reductions = collapseAll(std::move(reductions), operands, pinned);
  }
  int64_t below = 1, total = 1;
  for (const Loop &loop : reductions)
    below *= loop.extent;
  // A contiguous loop around a reduction is kept whole for vectors of
  // neighbours; alone otherwise, its range is distributed as it is.
  bool strips = !reductions.empty() && !outerLoops.empty() &&
                llvm::all_of(operands, [&](const Strides &strides) {
                  return outerLoops.back().strideOf(strides) <= 1;
                });
  if (!reductions.empty())
    block = reductions.front().extent;
  bool isLong = strips && block >= 2 * kBlock &&
                llvm::any_of(operands, [&](const Strides &strides) {
                  int64_t stride = reductions.front().strideOf(strides);
                  return stride >= kFarStride && stride * block >= kLongWalk;
                });
  if (isLong)
    block = kBlock;
  if (outerLoops.size() > 1 || strips)
    cutInnermost(outerLoops, pinned, below,
                 isLong   ? kBlockNeighbours
                 : strips ? kLeastNeighbours
                          : 1);
  for (const Loop &loop : outerLoops)
    total *= loop.extent;
  parallel = outerLoops.size();
  outer = parallel > 1 || strips ? parallel - 1 : parallel;
  for (const Loop &loop : ArrayRef(outerLoops).take_front(outer))
    units *= loop.extent;
  int64_t perUnit =
      std::max<int64_t>(1, units == 0 ? 1 : total / units * below);
  unitsPerTask =
      std::max<int64_t>(1, llvm::divideCeilSigned(kTaskIterations, perUnit));
  // Whole cache lines for the neighbours of a cut.
  if (parallel == 1 && unitsPerTask > 1)
    unitsPerTask = llvm::alignTo(unitsPerTask, 64);
  unitsPerTask = std::min(unitsPerTask, std::max<int64_t>(units, 1));
  tasks = std::max<int64_t>(1, llvm::divideCeilSigned(units, unitsPerTask));
  loops = std::move(outerLoops);
  loops.append(reductions.begin(), reductions.end());
}

SmallVector<Loop> LoopNest::inOrder(SmallVector<Loop> loops,
                                    ArrayRef<Strides> operands,
                                    ArrayRef<bool> pinned) {
  sortStable(loops,
             [&](const Loop &loop) { return loop.strideOf(operands.back()); });
  return collapseAll(std::move(loops), operands, pinned);
}

Idx LoopNest::original(ArrayRef<Idx> ivs, unsigned dim) const {
  for (auto [loop, iv] : llvm::zip_equal(loops, ivs))
    if (llvm::is_contained(loop.dims, dim))
      return iv;
  return Idx(int64_t(0));
}

} // namespace graven::expand
