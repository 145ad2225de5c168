//===- LayoutPlan.h - which Nodes work on channel blocks --------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the choice of a layout for each Node of a Block: what has
// a blocked form, what that form reads, and the cost by which the Block is cut
// into planar and blocked parts.
//===----------------------------------------------------------------------===//

#ifndef PASSES_GRAPH_LAYOUTPLAN_H
#define PASSES_GRAPH_LAYOUTPLAN_H

#include "dialects/graven/Graven.h"
#include "mlir/IR/Block.h"
#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/SetVector.h"
#include <array>
#include <optional>

namespace graven {

/// Channels in a block, the innermost extent of a blocked tensor.
inline constexpr int64_t channelBlock = 16;

/// [N,C,D..] as [N,ceil(C/16),D..,16].
mlir::RankedTensorType blockedType(mlir::RankedTensorType planar);

/// Whether the two layouts of a value of this type are the same bytes: whole
/// blocks and no spatial extent.
bool sameBytesInBothLayouts(mlir::RankedTensorType planar);

/// How the blocked form of a Node reads an operand.
enum class OperandForm {
  AsIs,    ///< Weights and scalars: layouts do not concern it.
  Planar,  ///< As it was.
  Blocked, ///< In channel blocks.
  Either,  ///< Planar or blocked, whichever it is (the first convolution).
  Unit,    ///< Planar with an extent of 1 appended: it has one channel.
};

/// The layouts of the Nodes of one Block.
class LayoutPlan {
public:
  /// Chooses the layouts of the Nodes of `block`; sub-Blocks have their own.
  explicit LayoutPlan(mlir::Block &block);

  bool isBlocked(mlir::Operation *node) const {
    return node && blocked.contains(node);
  }
  bool isBlocked(mlir::Value value) const {
    return isBlocked(value.getDefiningOp());
  }
  bool empty() const { return blocked.empty(); }

  /// How the blocked form of `node` reads operand i.
  static OperandForm formOf(mlir::Operation *node, unsigned i);

private:
  bool isFree(mlir::Operation *node) const;
  void findParameterValues(mlir::Block &block);
  void keepPartsWithConvolutions();
  void improve();
  std::optional<Layout> readLayout(mlir::Operation *node, unsigned i) const;
  void count(mlir::OpOperand &use, int64_t times);
  void countReaders();
  void flip(mlir::Operation *node);
  double costAround(mlir::Operation *node) const;
  double costOfValue(mlir::Value value) const;

  /// Nodes that have a blocked form, and those that shall take it.
  llvm::SetVector<mlir::Operation *> candidates;
  llvm::DenseSet<mlir::Operation *> blocked;
  /// How many uses read a value in planes, and in blocks. A value may have as
  /// many as there are Nodes, so they are counted once.
  llvm::DenseMap<mlir::Value, std::array<int64_t, 2>> readers;
  /// Computed from Parameters alone: laid out at compile time, for free.
  llvm::DenseSet<mlir::Value> free;
};

} // namespace graven

#endif // PASSES_GRAPH_LAYOUTPLAN_H
