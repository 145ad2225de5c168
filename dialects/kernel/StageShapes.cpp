//===- StageShapes.cpp - extents of kernels in two stages -------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the extents that follow from those of the operands.

#include "dialects/kernel/StageShapes.h"

#include "dialects/kernel/Kernel.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace graven::kernel {

static int64_t extent(Value value, int64_t axis) {
  return cast<ShapedType>(value.getType()).getDimSize(axis);
}

WinogradShape::WinogradShape(WinogradOp op)
    : WinogradShape(extent(op.getOut(), 0), op.getInChannels(),
                    op.getOutChannels(), extent(op.getOut(), 2) * op.getPool(),
                    extent(op.getOut(), 3) * op.getPool(), extent(op.getW(), 3),
                    op.getTile()) {
  block = op.getBlock();
}

WinogradShape::WinogradShape(WinogradInputOp op)
    : WinogradShape(extent(op.getX(), 0), op.getInChannels(),
                    op.getOutChannels(), op.getExtents()[0], op.getExtents()[1],
                    op.getPanel(), op.getTile()) {
  block = op.getBlock();
}

WinogradShape::WinogradShape(WinogradOutputOp op)
    : WinogradShape(extent(op.getOut(), 0), op.getInChannels(),
                    op.getOutChannels(), extent(op.getOut(), 2) * op.getPool(),
                    extent(op.getOut(), 3) * op.getPool(), extent(op.getW(), 3),
                    op.getTile()) {
  block = op.getBlock();
}

int64_t WinogradShape::panels() const {
  return llvm::divideCeilSigned(outChannels, panel);
}
int64_t WinogradShape::down() const {
  return llvm::divideCeilSigned(height, tile);
}
int64_t WinogradShape::across() const {
  return llvm::divideCeilSigned(width, tile);
}
llvm::SmallVector<int64_t> WinogradShape::pixels() const {
  return {batch, llvm::divideCeilSigned(outChannels, kChannelBlock), height,
          width, kChannelBlock};
}
int64_t WinogradShape::blocks() const {
  return llvm::divideCeilSigned(tiles(), block);
}

StrassenShape::StrassenShape(StrassenOp op)
    : StrassenShape(extent(op.getA(), 1), extent(op.getA(), 2),
                    extent(op.getOut(), 2), extent(op.getB(), 3)) {
  block = op.getBlock();
}

StrassenShape::StrassenShape(StrassenInputOp op)
    : StrassenShape(extent(op.getA(), 1), extent(op.getA(), 2), op.getColumns(),
                    op.getPanel()) {
  block = op.getBlock();
}

StrassenShape::StrassenShape(StrassenOutputOp op)
    : StrassenShape(extent(op.getOut(), 1), 2 * extent(op.getB(), 2),
                    extent(op.getOut(), 2), extent(op.getB(), 3)) {
  block = op.getBlock();
}

int64_t StrassenShape::blocks() const {
  return llvm::divideCeilSigned(halfRows(), block);
}

int64_t ProductShape::depthBlocks() const {
  return llvm::divideCeilSigned(depth, kChannelBlock);
}

/// The points of a row are written one after the other: at a distance that is a
/// multiple of 1 KiB they would all map to a few sets of the first level cache.
static int64_t unaliased(int64_t elements) {
  return elements % 256 == 0 ? elements + 16 : elements;
}

int64_t ProductShape::inputStride() const {
  return unaliased(depthBlocks() * block * kChannelBlock);
}
int64_t ProductShape::productStride() const { return unaliased(block * panel); }

} // namespace graven::kernel
