//===- Decisions.h - what programs decide by numbers ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares what importers tell of the numbers that a program compares
// while it is interpreted. Where such a number follows from an extent, the
// program may be another one at other extents.
//
//===----------------------------------------------------------------------===//

#ifndef FRONTENDS_DECISIONS_H
#define FRONTENDS_DECISIONS_H

#include <cstdint>
#include <functional>

namespace graven {

/// Two numbers of which the program asks for the order, or for the rest that
/// their division leaves.
struct Decision {
  enum class Kind : uint8_t { Order, Rest };
  Kind kind;
  double left, right;
};

using DecisionListener = std::function<void(const Decision &)>;

} // namespace graven

#endif // FRONTENDS_DECISIONS_H
