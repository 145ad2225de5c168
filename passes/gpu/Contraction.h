//===- Contraction.h - tiles of products on tensor cores --------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares what matrix products and convolutions share: a block of
// threads multiplies a tile of rows by a tile of columns, with both operands on
// their way through shared memory in several stages.
//===----------------------------------------------------------------------===//
#ifndef GRAVEN_PASSES_GPU_CONTRACTION_H
#define GRAVEN_PASSES_GPU_CONTRACTION_H

#include "passes/gpu/BlockBuilder.h"
#include "passes/gpu/KernelMapping.h"
#include "llvm/Support/MathExtras.h"
#include <optional>

namespace graven {

/// What a block computes at a time: `rows` x `columns` of the product, by
/// `warpRows` x `warpColumns` warps, `depth` steps of the contracted axis a
/// stage.
struct ContractionTile {
  int64_t rows, columns, depth;
  int64_t warpRows, warpColumns;
  int64_t stages;
  MatrixUnits units = MatrixUnits::Warps;

  int64_t threads() const { return warpRows * warpColumns * kWarpSize; }
};

/// A product of `rows` x `depth` by `depth` x `columns`, as often as `batch`;
/// the right-hand side in panels of `panel` columns.
struct ContractionShape {
  int64_t batch, rows, columns, depth, panel;
  mlir::Type left, right;
};

/// A product and the tile it is computed by: blocks go through the tiles along
/// the rows first.
struct TiledContraction {
  int64_t rowTiles() const {
    return llvm::divideCeilSigned(shape.rows, tile.rows);
  }
  int64_t columnTiles() const {
    return llvm::divideCeilSigned(shape.columns, tile.columns);
  }
  LaunchExtents extents() const;

  ContractionShape shape;
  ContractionTile tile;
};

/// The tile with which the product takes the least time on a GPU of the usual
/// size that has these units; none where types or panels fit no instruction.
std::optional<ContractionTile> chooseTile(const ContractionShape &shape,
                                          MatrixUnits units);

/// Bytes of shared memory that a stage has, and a block with this tile.
int64_t bytesOfStage(const ContractionShape &shape,
                     const ContractionTile &tile);
int64_t sharedBytes(const ContractionShape &shape, const ContractionTile &tile);

/// Bytes of an element.
inline int64_t bytesOf(mlir::Type type) {
  return type.getIntOrFloatBitWidth() / 8;
}

/// Chunks of a row of the left-hand side in a stage, one for each of the rows
/// that a matrix instruction loads: their places are exchanged so that none of
/// them share banks.
inline constexpr int64_t kLeftChunks = 8;

/// Columns between two rows of sums in shared memory, so that rows begin at
/// different banks.
inline constexpr int64_t kSumPadding = 8;

/// How the elements of the left-hand side lie: at the offset of their row plus
/// that of their step of the contracted axis.
class LeftSide {
public:
  virtual ~LeftSide() = default;

  /// Of an existing or, where the last tile is not whole, a further row.
  virtual mlir::Value rowOffset(BlockBuilder &u, mlir::Value row) const = 0;

  struct Run {
    mlir::Value offset;
    /// Elements that exist; null: all of them.
    mlir::Value valid;
  };
  /// The `run` elements from step `k` on, a multiple of `run`.
  virtual Run stepOffset(BlockBuilder &u, mlir::Value k) const = 0;

  mlir::Value pointer;
  /// Elements, at most 16 bytes of them, that follow each other in memory from
  /// each multiple of their number on, and are aligned to their size.
  int64_t run = 1;
};

/// The most elements that LeftSide::run may be for a memref whose elements
/// follow each other: all of `distances`, between what is copied at a time, are
/// multiples of it.
int64_t longestRun(mlir::Type element, llvm::ArrayRef<int64_t> distances);

class ContractionEmitter {
public:
  /// `right` points to the first of the tile's panels, `panelStride` elements
  /// apart; `row` is the first of the tile's rows.
  ContractionEmitter(BlockBuilder &u, const ContractionShape &shape,
                     const ContractionTile &tile, const LeftSide &left,
                     mlir::Value right, int64_t panelStride, mlir::Value row);

  /// Leaves the sums in shared memory.
  void multiply();

  /// Neighbouring threads get neighbouring columns, columns of one block of
  /// channels and then rows, or rows.
  enum class Order { Rows, Blocks, Columns };
  /// Calls `body` where each thread has `lanes` sums of a row, with the place
  /// of the first of them in the tile.
  void store(int64_t lanes, Order order,
             llvm::function_ref<void(mlir::Value row, mlir::Value column,
                                     mlir::Value sums)>
                 body);

private:
  using Values = llvm::SmallVector<mlir::Value>;

  void prepareCopies();
  void prepareFragments();
  /// Copies the first `ahead` stages, and calls `body` for each step with the
  /// stage that is there and the values it carries, its results; `issueNext`
  /// copies the stage that is `ahead` of it.
  using Step =
      llvm::function_ref<Values(mlir::Value stage, mlir::ValueRange carried,
                                llvm::function_ref<void()> issueNext)>;
  Values overStages(int64_t ahead, mlir::ValueRange inits, Step body);
  /// The sums of the thread.
  Values multiplyByWarps();
  Values multiplyByWarpgroups();
  void issue(mlir::Value stage, mlir::Value k);
  void issueLeft(mlir::Value stage, mlir::Value k);
  void issueRight(mlir::Value stage, mlir::Value k);
  void copyElement(mlir::Value to, mlir::Value offset, mlir::Value exists);
  mlir::Value swizzleOfRight(mlir::Value k);
  /// The sums after one more stage.
  Values stageProducts(mlir::Value stage, mlir::ValueRange sums);
  Values leftFragments(mlir::Value stage, int64_t step);
  Values rightFragments(mlir::Value stage, int64_t step);
  void storeSums(mlir::ValueRange sums);
  /// Row and column in the tile of the first two neighbouring sums of the
  /// thread, and of the pair of a number below numPairs().
  std::pair<mlir::Value, mlir::Value> firstPair();
  std::pair<mlir::Value, mlir::Value> placeOfPair(mlir::Value pair);
  int64_t numPairs() const { return 2 * rowTiles * columnTiles; }
  /// The byte of shared memory where the sum is.
  mlir::Value placeOfSum(mlir::Value row, mlir::Value column);
  /// Computes the sums of this thread, of f32 and stored, that are not finite
  /// again, without splitting what is multiplied.
  void repair(mlir::ValueRange sums);
  mlir::Value sumUnsplit(mlir::Value row, mlir::Value column,
                         mlir::VectorType type);

  BlockBuilder &u;
  ContractionShape shape;
  ContractionTile tile;
  const LeftSide &left;
  mlir::Value right;
  int64_t panelStride;
  mlir::Value firstRow;

  mlir::NVVM::MMATypes type;
  int64_t leftBytes, rightBytes;
  /// Bytes of a row of the left-hand side and of the right-hand side in shared
  /// memory, of a panel, and of a stage.
  int64_t leftRow, rightRow, panelBytes, stageBytes;
  /// Rows and columns of a warp, in units of an instruction.
  int64_t rowTiles, columnTiles;

  // What does not change from stage to stage.
  mlir::Value thread, lane, warpRow, warpColumn;
  Values rowOffsets, rowExists;
  mlir::Value leftTo, leftChunk;
  mlir::Value rightTo, rightK;
  Values leftFrom, rightFrom;
};

} // namespace graven

#endif // GRAVEN_PASSES_GPU_CONTRACTION_H
