//===- ConvPlan.cpp - the order of a direct convolution ---------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements how a direct convolution walks its output, by counting
// the bytes that each order reads again.

#include "passes/lower/expand/ConvPlan.h"

#include "mlir/IR/BuiltinTypes.h"
#include "passes/lower/expand/Emitter.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace graven::expand {

/// True when rows of the memref follow each other without a gap.
static bool hasJoinedRows(MemRefType type) {
  SmallVector<int64_t> strides;
  int64_t offset = 0;
  return succeeded(type.getStridesAndOffset(strides, offset)) &&
         strides[2] == strides[3] * type.getDimSize(3);
}

ConvShape::ConvShape(kernel::ConvOp op)
    : batch(op.getOutType().getDimSize(0)), rows(op.getOutType().getDimSize(2)),
      columns(op.getOutType().getDimSize(3)) {
  auto x = cast<MemRefType>(op.getX().getType()),
       w = cast<MemRefType>(op.getW().getType());
  auto out = cast<MemRefType>(op.getOut().getType());
  panels = w.getDimSize(0);
  tileRows = op.getTile()[0];
  tileColumns = op.getTile()[1];
  int64_t rowBlock =
      std::min<int64_t>(op.getRowBlock(), std::max<int64_t>(rows, 1));
  bool pointwise = w.getDimSize(2) == 1 && w.getDimSize(3) == 1 &&
                   op.getStrides()[0] == 1 && op.getStrides()[1] == 1 &&
                   x.getDimSize(2) == rows && x.getDimSize(3) == columns;
  auto joins = [&](Value value) {
    auto type = cast<MemRefType>(value.getType());
    return type.getRank() < 4 || hasJoinedRows(type);
  };
  if (pointwise && rows > 0 && rows % rowBlock == 0 && hasJoinedRows(x) &&
      hasJoinedRows(out) && llvm::all_of(op.getEpilogue(), joins)) {
    // Pixels of a 1x1 convolution know no rows: join them to longer ones.
    joined = rowBlock;
    rows /= joined;
    columns *= joined;
    rowBlock = 1;
    tileColumns *= tileRows;
    tileRows = 1;
  }
  Split rowTiles(rows, tileRows);
  tilesPerBlock = std::max<int64_t>(1, rowBlock / tileRows);
  rowBlocks = llvm::divideCeilSigned(rowTiles.count, tilesPerBlock);
}

/// Extent of the input that windows touch along one axis.
static int64_t touched(int64_t extent, int64_t out, int64_t kernel,
                       int64_t stride) {
  return kernel >= stride ? extent : std::min(extent, out * kernel);
}

ConvOrder::ConvOrder(kernel::ConvOp op, const ConvShape &shape,
                     const TargetInfo &target) {
  auto x = cast<MemRefType>(op.getX().getType()),
       w = cast<MemRefType>(op.getW().getType());
  auto out = cast<MemRefType>(op.getOut().getType());
  int64_t bytes = out.getElementTypeBitWidth() / 8, groups = op.getGroups();
  int64_t blocks = w.getDimSize(1);
  blocksPerChunk = blocks;
  int64_t image = touched(x.getDimSize(2), out.getDimSize(2), w.getDimSize(2),
                          op.getStrides()[0]) *
                  touched(x.getDimSize(3), out.getDimSize(3), w.getDimSize(3),
                          op.getStrides()[1]) *
                  (op.getInChannels() / groups) * bytes;
  int64_t weights = w.getNumElements() / groups * bytes;
  int64_t panel =
      w.getNumElements() / std::max<int64_t>(shape.panels, 1) * bytes;
  int64_t result =
      out.getNumElements() / std::max<int64_t>(shape.batch, 1) / groups * bytes;
  int64_t panels = std::max<int64_t>(1, shape.panels / groups);
  if (image + panel <= target.l2Bytes * 3 / 4 || panels == 1)
    return;
  int64_t costPanels = image * panels + weights;
  int64_t costRows = weights * shape.rowBlocks + image;
  // The output is read and written once more for each further chunk; a store
  // costs about as much as two loads.
  int64_t wanted = std::min(
      blocks, llvm::divideCeilSigned(image + panel,
                                     std::max<int64_t>(target.l2Bytes / 2, 1)));
  int64_t costChunks = 3 * result * (wanted - 1) + image + weights;
  // Chunks add to the output, which must then be neither read by the epilogue
  // nor rounded.
  bool inPlace = llvm::is_contained(op.getEpilogue(), op.getOut()),
       rounds =
           kernel::computeType(out.getElementType()) != out.getElementType();
  if (wanted > 1 && !op.isPlanarInput() && !op.isPlanarOutput() && !inPlace &&
      !rounds && costChunks < std::min(costPanels, costRows)) {
    blocksPerChunk = llvm::divideCeilSigned(blocks, wanted);
    chunks = llvm::divideCeilSigned(blocks, blocksPerChunk);
    return;
  }
  panelsOutside = shape.rowBlocks == 1 || costPanels <= costRows;
}

} // namespace graven::expand
