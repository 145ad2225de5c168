//===- ArenaPlanner.cpp - offsets of buffers in one arena -------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the arena planner: offline dynamic storage allocation,
// which is NP-hard, by greedy placement in several orders, of which the best
// result is taken. On networks the bound is usually met.
//===----------------------------------------------------------------------===//
#include "passes/memory/ArenaPlanner.h"

#include "llvm/ADT/STLExtras.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <tuple>

using llvm::ArrayRef;
using llvm::SmallVector;

namespace graven::memory {

int64_t alignUp(int64_t bytes) {
  return (bytes + kArenaAlignment - 1) / kArenaAlignment * kArenaAlignment;
}

/// The largest sum of aligned sizes over the steps.
static int64_t lowerBoundOf(ArrayRef<Lifetime> buffers) {
  std::map<int64_t, int64_t> changes;
  for (const Lifetime &buffer : buffers) {
    changes[buffer.begin] += alignUp(buffer.size);
    changes[buffer.end + 1] -= alignUp(buffer.size);
  }
  int64_t live = 0;
  int64_t most = 0;
  for (auto [step, change] : changes) {
    live += change;
    most = std::max(most, live);
  }
  return most;
}

namespace {
enum class Fit { Lowest, Tightest };

/// A range of the arena that is taken while a buffer is to be placed.
struct Taken {
  int64_t begin;
  int64_t end;
};
} // namespace

/// The offset for `size` bytes beside the ranges, which are sorted by begin and
/// may overlap. The room past the last of them counts as the loosest gap.
static int64_t place(ArrayRef<Taken> ranges, int64_t size, Fit fit) {
  int64_t cursor = 0;
  int64_t best = -1;
  int64_t bestGap = 0;
  for (const Taken &range : ranges) {
    int64_t gap = range.begin - cursor;
    if (gap >= size && (best < 0 || gap < bestGap)) {
      best = cursor;
      bestGap = gap;
      if (fit == Fit::Lowest)
        return best;
    }
    cursor = std::max(cursor, range.end);
  }
  return best < 0 ? cursor : best;
}

static ArenaPlan placeInOrder(ArrayRef<Lifetime> buffers,
                              ArrayRef<size_t> order, Fit fit) {
  ArenaPlan plan;
  plan.offsets.assign(buffers.size(), 0);
  SmallVector<size_t> placed;
  SmallVector<Taken> ranges;
  for (size_t index : order) {
    const Lifetime &buffer = buffers[index];
    int64_t size = alignUp(buffer.size);
    if (size == 0)
      continue;
    ranges.clear();
    for (size_t other : placed)
      if (buffers[other].overlaps(buffer))
        ranges.push_back({plan.offsets[other],
                          plan.offsets[other] + alignUp(buffers[other].size)});
    llvm::sort(ranges, [](const Taken &a, const Taken &b) {
      return std::tie(a.begin, a.end) < std::tie(b.begin, b.end);
    });
    plan.offsets[index] = place(ranges, size, fit);
    plan.peak = std::max(plan.peak, plan.offsets[index] + size);
    placed.push_back(index);
  }
  return plan;
}

/// The indices sorted by a key, equal ones in the order given.
template <typename Key>
static SmallVector<size_t> orderBy(ArrayRef<Lifetime> buffers, Key key) {
  SmallVector<size_t> order(buffers.size());
  std::iota(order.begin(), order.end(), size_t(0));
  llvm::sort(order, [&](size_t a, size_t b) {
    return std::make_pair(key(buffers[a]), a) <
           std::make_pair(key(buffers[b]), b);
  });
  return order;
}

ArenaPlan planArena(ArrayRef<Lifetime> buffers) {
  struct Order {
    llvm::StringRef lowest;
    llvm::StringRef tightest;
    SmallVector<size_t> indices;
  };
  const Order orders[] = {
      {"greedy by size, first fit", "greedy by size, best fit",
       orderBy(buffers,
               [](const Lifetime &b) {
                 return std::make_tuple(-b.size, b.begin);
               })},
      {"first fit", "best fit",
       orderBy(buffers,
               [](const Lifetime &b) {
                 return std::make_tuple(b.begin, -b.size);
               })},
      {"longest lived first, first fit", "longest lived first, best fit",
       orderBy(buffers,
               [](const Lifetime &b) {
                 return std::make_tuple(b.begin - b.end, -b.size);
               })},
  };
  int64_t bound = lowerBoundOf(buffers);
  ArenaPlan best;
  best.peak = -1;
  for (const Order &order : orders)
    for (Fit fit : {Fit::Lowest, Fit::Tightest}) {
      if (best.peak == bound)
        break;
      ArenaPlan plan = placeInOrder(buffers, order.indices, fit);
      if (best.peak >= 0 && best.peak <= plan.peak)
        continue;
      best = std::move(plan);
      best.strategy = fit == Fit::Lowest ? order.lowest : order.tightest;
    }
  best.lowerBound = bound;
  return best;
}

std::optional<std::pair<size_t, size_t>>
findOverlap(ArrayRef<Lifetime> buffers, ArrayRef<int64_t> offsets) {
  for (size_t a = 0; a < buffers.size(); ++a)
    for (size_t b = a + 1; b < buffers.size(); ++b) {
      bool shareRoom = offsets[a] < offsets[b] + buffers[b].size &&
                       offsets[b] < offsets[a] + buffers[a].size;
      if (buffers[a].overlaps(buffers[b]) && shareRoom)
        return std::make_pair(a, b);
    }
  return std::nullopt;
}

} // namespace graven::memory
