//===- Generalize.h - one graph for all extents -----------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the making of a Graph with dynamic extents from the same
// model at several static ones.
//===----------------------------------------------------------------------===//

#ifndef PASSES_GRAPH_GENERALIZE_H
#define PASSES_GRAPH_GENERALIZE_H

#include "passes/graph/IndependentParts.h"

namespace graven {

/// Rewrites `graph` so that it takes all extents, those that differ between it
/// and `samples`: they become `?`, and what follows from them (shapes, bounds
/// of slices, numbers, ranges) is computed from the extents of the Values
/// before. Each `graven.prefix` becomes a slice. All Graphs are the same model
/// as it is imported, the Nodes in the same order; what differs must be an
/// integer function of extents that agrees with all samples: one of them, a x +
/// b, (x + b) / c + d, a x y, x + y + b, a x y z.
///
/// Otherwise says which Node is in the way, and the Graph is of no more use.
std::optional<PartsProblem> generalize(GraphOp graph,
                                       llvm::ArrayRef<GraphOp> samples);

} // namespace graven

#endif // PASSES_GRAPH_GENERALIZE_H
