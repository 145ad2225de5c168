//===- IndependentParts.h - graphs that work part by part -----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the analysis that finds out whether a Graph computes the
// parts of its inputs along axis 0, the samples of a batch, without regard to
// each other, and whether it means the same for another number of parts.
//===----------------------------------------------------------------------===//

#ifndef PASSES_GRAPH_INDEPENDENTPARTS_H
#define PASSES_GRAPH_INDEPENDENTPARTS_H

#include "dialects/graven/Graven.h"
#include <optional>

namespace graven {

/// Where the parts of a tensor are: axis `axis` has `rows` for each part, those
/// of one part next to each other.
struct PartsAxis {
  int64_t axis = 0, rows = 1;
  bool operator==(const PartsAxis &) const = default;
};

/// Why a Graph is not one of independent parts.
struct PartsProblem {
  mlir::Location loc;
  std::string reason;
};

/// The flow of the parts through a Graph. All extents are static, nothing but
/// Nodes of the entry Block touches the parts, and there are at least two, so
/// that none of their axes is one to broadcast along.
class IndependentParts {
public:
  /// Input i has its parts where `inputs[i]` says, or none.
  IndependentParts(GraphOp graph, int64_t count,
                   llvm::ArrayRef<std::optional<PartsAxis>> inputs);

  /// What keeps the parts from being independent.
  const std::optional<PartsProblem> &problem() const { return found; }

  /// The parts of a Value, nothing where it is the same whatever the parts are.
  std::optional<PartsAxis> of(mlir::Value value) const;

  /// Whether the parts that an axis without any has are equal: every index
  /// along it has the same elements.
  static bool isUniform(mlir::Value value, int64_t axis);

private:
  void visit(mlir::Operation *node);
  /// The parts of the results, or a reason.
  std::optional<PartsAxis> transfer(mlir::Operation *node);
  std::optional<PartsAxis> aligned(mlir::Operation *node, mlir::ValueRange);
  std::optional<PartsAxis> reshaped(ReshapeOp node);
  std::optional<PartsAxis> sliced(SliceOp node);
  std::optional<PartsAxis> gathered(GatherOp node);
  std::optional<PartsAxis> multiplied(MatmulOp node);
  std::optional<PartsAxis> attended(AttentionOp node);
  std::optional<PartsAxis> reduced(ReduceOp node);
  std::optional<PartsAxis> onlyOnAxis(mlir::Operation *node, int64_t axis);
  std::optional<PartsAxis> fail(mlir::Operation *node, const llvm::Twine &why);

  int64_t count;
  llvm::DenseMap<mlir::Value, PartsAxis> parts;
  std::optional<PartsProblem> found;
};

/// Whether two Graphs are the same model for `a` and `b` parts: the same Nodes
/// of the same constants, and each number that differs in proportion to them.
/// Otherwise a reason.
std::optional<PartsProblem> findDifference(GraphOp first, int64_t a,
                                           GraphOp second, int64_t b);

} // namespace graven

#endif // PASSES_GRAPH_INDEPENDENTPARTS_H
