//===- Extents.h - a Graph at smaller extents -------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the replacement of an extent by a smaller one everywhere
// in a Graph, its Parameters included.
//===----------------------------------------------------------------------===//

#ifndef GRAVEN_PASSES_VERIFY_EXTENTS_H
#define GRAVEN_PASSES_VERIFY_EXTENTS_H

#include "dialects/graven/Graven.h"

namespace graven {

/// The extents over 1 of inputs, Parameters and constants, the greatest first.
llvm::SmallVector<int64_t> extentsOf(GraphOp graph);

/// What an extent may become, the least first.
llvm::SmallVector<int64_t> smallerExtents(int64_t extent);

/// Whether numbers in attributes of Nodes may be the extent, too: shapes that
/// `reshape` makes, numbers of channels and groups.
enum class Attributes { Kept, Changed };

/// Replaces an extent of inputs, Parameters and constants, which lose their
/// last elements, and infers the types of all Nodes again. Fails where that
/// cannot be; the Graph is then of no use.
mlir::LogicalResult replaceExtent(GraphOp graph, int64_t from, int64_t to,
                                  Attributes attributes);

} // namespace graven

#endif // GRAVEN_PASSES_VERIFY_EXTENTS_H
