//===- Tiled.h - tiles of nests that transpose ------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the walk of a parallel nest whose operands are contiguous
// along different loops: square tiles of vectors, some of them transposed in
// registers, so that every operand is read and written by whole vectors.

#ifndef GRAVEN_PASSES_LOWER_EXPAND_TILED_H
#define GRAVEN_PASSES_LOWER_EXPAND_TILED_H

#include "passes/lower/expand/LoopNest.h"
#include <optional>

namespace graven::expand {

class TiledNest {
public:
  /// The nest over parallel loops of the given extents; the last operand is
  /// the one written. Nullopt where no operand is contiguous along another
  /// loop than that one is, or where more than one other loop is.
  static std::optional<TiledNest> create(llvm::ArrayRef<int64_t> extents,
                                         llvm::ArrayRef<Strides> operands,
                                         int64_t elementBytes);

  /// Units of work.
  int64_t tasks = 1;

  /// Emits the units [lo, hi). `rowsOf(operand, at, rows, columns)` is given
  /// as Walk below.
  struct Walk {
    /// Gives the stored vectors from those of each operand but the last, one
    /// row of the tile at a time.
    llvm::function_ref<mlir::Value(llvm::ArrayRef<mlir::Value>)> body;
    /// One for each operand, the written one last; `offsets` in elements.
    llvm::ArrayRef<Buffer> buffers;
    llvm::ArrayRef<int64_t> offsets;
  };
  void run(Emitter &e, mlir::Value lo, mlir::Value hi, const Walk &walk) const;

private:
  TiledNest() = default;

  void tile(Emitter &e, const Walk &walk, llvm::ArrayRef<Idx> bases, Idx down,
            int64_t rows, Idx across, int64_t columns) const;

  /// Loops around the tiles; rows and columns of the tiles: the written operand
  /// is contiguous across, the transposed ones down.
  llvm::SmallVector<Loop> around;
  Loop down, across;
  llvm::SmallVector<Strides> operands;
  /// Elements of a cache line, which are the rows of a unit.
  int64_t line = 16;
  int64_t units = 1, unitsPerTask = 1;
};

} // namespace graven::expand

#endif // GRAVEN_PASSES_LOWER_EXPAND_TILED_H
