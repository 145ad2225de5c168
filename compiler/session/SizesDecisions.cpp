//===- SizesDecisions.cpp - where programs change -------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the search for the extents around which the program does
// something else, such as those on either side of `if x.size(0) > 8`. What is
// concluded from a few extents must hold at these, too.
//===----------------------------------------------------------------------===//

#include "compiler/session/Sizing.h"

#include "llvm/ADT/SetVector.h"

#include <cmath>

using namespace mlir;

namespace graven {

/// What the program compares at these extents; nothing where it does not
/// import.
std::vector<Decision> Sizing::decisionsAt(ArrayRef<int64_t> extents) {
  constexpr size_t most = 1 << 16;
  std::vector<Decision> met;
  ScopedDiagnosticHandler quiet(context,
                                [](Diagnostic &) { return success(); });
  options.onDecision = [&](const Decision &decision) {
    if (met.size() < most)
      met.push_back(decision);
  };
  bool imports = succeeded(importAt(extents));
  options.onDecision = {};
  return imports ? met : std::vector<Decision>();
}

/// In the range of the symbol, where the others are as `extents` says. What is
/// compared is taken for a line between two extents of it.
SmallVector<int64_t> Sizing::criticalExtents(unsigned symbol,
                                             ArrayRef<int64_t> extents,
                                             int64_t lowest, int64_t highest) {
  // What halves images is linear over this distance.
  constexpr int64_t distance = 32;
  constexpr size_t most = 32;
  constexpr int64_t farthest = int64_t(1) << 40;
  SmallVector<int64_t> at(extents);
  int64_t start = std::max<int64_t>(lowest, std::min<int64_t>(2, highest)),
          end = std::min(start + distance, highest);
  at[symbol] = start;
  std::vector<Decision> first = decisionsAt(at);
  at[symbol] = end;
  std::vector<Decision> second = decisionsAt(at);
  llvm::SetVector<int64_t> critical;
  auto add = [&](double extent) {
    if (extent >= static_cast<double>(lowest) &&
        extent <= static_cast<double>(std::min(highest, farthest)) &&
        critical.size() < most)
      critical.insert(static_cast<int64_t>(extent));
  };
  if (start == end)
    return {};
  for (size_t i = 0; i < std::min(first.size(), second.size()); ++i) {
    const Decision &a = first[i], &b = second[i];
    auto slope = [&](double from, double to) {
      return (to - from) / static_cast<double>(end - start);
    };
    if (a.kind != b.kind)
      break;
    if (a.kind == Decision::Kind::Rest) {
      // The first extent that leaves nothing, and the next one.
      double step = slope(a.left, b.left), divisor = a.right;
      if (step == 0 || divisor != b.right || divisor == 0 ||
          std::fabs(divisor) > 4096)
        continue;
      for (int64_t k = 0; k < static_cast<int64_t>(std::fabs(divisor)); ++k)
        if (std::fmod(a.left + step * static_cast<double>(k), divisor) == 0) {
          add(static_cast<double>(start + k));
          add(static_cast<double>(start + k + 1));
          break;
        }
      continue;
    }
    double gap = a.left - a.right, change = slope(gap, b.left - b.right);
    if (change == 0)
      continue;
    // One is special in any program, so it counts only where the order is
    // another.
    auto order = [](double value) { return value < 0 ? -1 : value > 0; };
    double root = static_cast<double>(start) - gap / change;
    for (double extent :
         {std::ceil(root) - 1, std::ceil(root), std::floor(root) + 1})
      if (extent > 1 ||
          order(gap + change * (extent - static_cast<double>(start))) !=
              order(gap))
        add(extent);
  }
  return SmallVector<int64_t>(critical.begin(), critical.end());
}

} // namespace graven
