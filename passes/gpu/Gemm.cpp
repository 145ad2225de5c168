//===- Gemm.cpp - matrix products by blocks of threads ----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements kernel.gemm on tensor cores.
//===----------------------------------------------------------------------===//
#include "passes/gpu/BlockKernels.h"
#include "passes/gpu/ContractionStore.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using graven::expand::Idx;

namespace graven::blocks {
namespace {

/// Rows of a matrix.
class MatrixRows : public LeftSide {
public:
  /// `depth` steps, `stage` of them at a time.
  MatrixRows(const StaticMemRef &a, int64_t depth, int64_t stage)
      : rowStride(a.strides[1]), stride(a.strides[2]), depth(depth),
        stage(stage) {
    SmallVector<int64_t> distances{a.offset};
    if (a.type.getDimSize(0) > 1)
      distances.push_back(a.strides[0]);
    if (a.type.getDimSize(1) > 1)
      distances.push_back(a.strides[1]);
    if (stride == 1)
      run = longestRun(a.type.getElementType(), distances);
  }

  Value rowOffset(BlockBuilder &u, Value row) const override {
    return u.mul(row, rowStride);
  }

  Run stepOffset(BlockBuilder &u, Value k) const override {
    Value valid;
    if (depth % stage != 0)
      valid = u.clamp(u.sub(u.number(depth), k), 0, run);
    return {u.mul(k, stride), valid};
  }

private:
  int64_t rowStride, stride, depth, stage;
};

struct Gemm : TiledContraction {
  static std::optional<Gemm> get(kernel::GemmOp op, MatrixUnits units);

  StaticMemRef a, b;
};

std::optional<Gemm> Gemm::get(kernel::GemmOp op, MatrixUnits units) {
  if (op.isPaired() ||
      !ContractionStore(op.getOut(), op.getEpilogue(), op.getBody()).canEmit())
    return std::nullopt;
  std::optional<StaticMemRef> a = StaticMemRef::get(op.getA()),
                              b = StaticMemRef::get(op.getB());
  if (!a || !b || !a->isSmall() || !b->isSmall())
    return std::nullopt;
  int64_t panel = b->type.getDimSize(3), depth = b->type.getDimSize(2);
  // Panels are copied as they lie.
  if (b->strides[3] != 1 || b->strides[2] != panel ||
      longestRun(b->type.getElementType(),
                 {b->offset, b->strides[0], b->strides[1], panel}) *
              (b->type.getElementTypeBitWidth() / 8) !=
          kChunkBytes)
    return std::nullopt;
  ContractionShape shape{op.getOutType().getDimSize(0),
                         op.getOutType().getDimSize(1),
                         op.getOutType().getDimSize(2),
                         depth,
                         panel,
                         a->type.getElementType(),
                         b->type.getElementType()};
  std::optional<ContractionTile> tile = chooseTile(shape, units);
  if (!tile)
    return std::nullopt;
  return Gemm{{shape, *tile}, *a, *b};
}

} // namespace

std::optional<LaunchExtents> extentsOf(kernel::GemmOp op, MatrixUnits units) {
  std::optional<Gemm> gemm = Gemm::get(op, units);
  if (!gemm)
    return std::nullopt;
  return gemm->extents();
}

LogicalResult emit(BlockEmitter &e, kernel::GemmOp op) {
  std::optional<Gemm> gemm = Gemm::get(op, e.units());
  const ContractionShape &shape = gemm->shape;
  const ContractionTile &tile = gemm->tile;
  BlockBuilder u(e);
  // Blocks that run at a time share columns, whose panels are larger.
  Value block = u.blockId(), rest = u.div(block, gemm->rowTiles());
  Value batch = u.div(rest, gemm->columnTiles()),
        columnTile = u.rem(rest, gemm->columnTiles());
  Value row = u.mul(u.rem(block, gemm->rowTiles()), tile.rows),
        column = u.mul(columnTile, tile.columns);
  MatrixRows left(gemm->a, shape.depth, tile.depth);
  left.pointer =
      u.at(u.pointer(op.getA()), u.mul(batch, gemm->a.strides[0]), shape.left);
  int64_t panels = tile.columns / shape.panel;
  Value panel = u.mul(columnTile, panels * gemm->b.strides[1]);
  if (gemm->b.type.getDimSize(0) > 1)
    panel = u.add(panel, u.mul(batch, gemm->b.strides[0]));
  Value right = u.at(u.pointer(op.getB()), panel, shape.right);
  ContractionEmitter products(u, shape, tile, left, right, gemm->b.strides[1],
                              row);
  products.multiply();
  ContractionStore store(op.getOut(), op.getEpilogue(), op.getBody());
  Idx image(u.toIndex(batch));
  return store.emit(u, products, shape, tile, row, column,
                    ContractionEmitter::Order::Rows,
                    [&](Idx atRow, Idx atColumn) {
                      return ContractionStore::Position{image, atRow, atColumn};
                    });
}

} // namespace graven::blocks
