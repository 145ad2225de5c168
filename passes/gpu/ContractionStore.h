//===- ContractionStore.h - results of products -----------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares how the sums of a tile become elements of a tensor.
//===----------------------------------------------------------------------===//
#ifndef GRAVEN_PASSES_GPU_CONTRACTIONSTORE_H
#define GRAVEN_PASSES_GPU_CONTRACTIONSTORE_H

#include "passes/gpu/Contraction.h"
#include "passes/lower/expand/Emitter.h"

namespace graven {

/// A memref whose shape, strides and offset are known.
struct StaticMemRef {
  static std::optional<StaticMemRef> get(mlir::Value memref);

  /// Whether the offset of any element fits 31 bits.
  bool isSmall() const;

  mlir::MemRefType type;
  llvm::SmallVector<int64_t> strides;
  int64_t offset;
};

/// The results of a kernel, and what its epilogue reads besides the sums.
class ContractionStore {
public:
  using Position = llvm::SmallVector<expand::Idx>;

  ContractionStore(mlir::Value out, mlir::ValueRange operands,
                   mlir::Region &body)
      : out(out), operands(operands), body(body) {}

  /// Whether all memrefs are as `emit` needs them.
  bool canEmit() const;

  /// Stores the tile from `row` and `column` on, of a product of `rows` x
  /// `columns`; `positionOf` gives the place of an element in the output, whose
  /// lanes are neighbours along its last axis, `block` of them at most.
  mlir::LogicalResult
  emit(BlockBuilder &u, ContractionEmitter &tile, const ContractionShape &shape,
       const ContractionTile &extent, mlir::Value row, mlir::Value column,
       ContractionEmitter::Order order,
       llvm::function_ref<Position(expand::Idx row, expand::Idx column)>
           positionOf) const;

private:
  int64_t lanes(int64_t columns) const;

  mlir::Value out;
  mlir::ValueRange operands;
  mlir::Region &body;
};

} // namespace graven

#endif // GRAVEN_PASSES_GPU_CONTRACTIONSTORE_H
