//===- Conv.cpp - convolutions by blocks of threads -------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements kernel.conv on tensor cores: as a product of the windows
// of all output pixels, which are gathered on their way to shared memory, with
// the weights.
//===----------------------------------------------------------------------===//
#include "passes/gpu/BlockKernels.h"
#include "passes/gpu/ContractionStore.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using graven::expand::Idx;

namespace graven::blocks {
namespace {

constexpr int64_t kBlock = kernel::kChannelBlock;

/// The windows of output pixels, a row each: for each tap in turn the channels
/// of a block, or all channels of a planar input.
class Windows : public LeftSide {
public:
  Windows(kernel::ConvOp op, const StaticMemRef &x, int64_t stage)
      : strides(x.strides), outHeight(op.getOutType().getDimSize(2)),
        outWidth(op.getOutType().getDimSize(3)), stage(stage) {
    auto w = cast<MemRefType>(op.getW().getType());
    kernelHeight = w.getDimSize(2);
    kernelWidth = w.getDimSize(3);
    channels = op.getInChannels() / op.getGroups();
    isPlanar = op.isPlanarInput();
    perTap = isPlanar ? channels : kBlock;
    depth = w.getDimSize(1) * kernelHeight * kernelWidth * perTap;
    rowStep = op.getStrides()[0] * strides[2];
    columnStep = op.getStrides()[1] * strides[3];
    tapRow = op.getDilations()[0] * strides[2];
    tapColumn = op.getDilations()[1] * strides[3];
    if (!isPlanar && strides[4] == 1)
      run = longestRun(x.type.getElementType(),
                       {x.offset, strides[0], strides[1], rowStep, columnStep,
                        tapRow, tapColumn});
  }

  Value rowOffset(BlockBuilder &u, Value row) const override {
    Value line = u.div(row, outWidth), image = u.div(line, outHeight);
    Value inImage = u.add(u.mul(u.rem(line, outHeight), rowStep),
                          u.mul(u.rem(row, outWidth), columnStep));
    return u.add(u.mul(image, strides[0]), inImage);
  }

  Run stepOffset(BlockBuilder &u, Value k) const override {
    Value tap = u.div(k, perTap), channel = u.rem(k, perTap);
    Value line = u.div(tap, kernelWidth), block = u.div(line, kernelHeight);
    Value place = u.add(u.mul(u.rem(line, kernelHeight), tapRow),
                        u.mul(u.rem(tap, kernelWidth), tapColumn));
    Run result;
    result.offset = u.add(u.mul(channel, strides[isPlanar ? 1 : 4]), place);
    if (isPlanar) {
      if (depth % stage != 0)
        result.valid = u.clamp(u.sub(u.number(depth), k), 0, run);
      return result;
    }
    result.offset = u.add(result.offset, u.mul(block, strides[1]));
    // The lanes past the last channel hold any value, and blocks past the last
    // one are past its channels.
    if (depth % stage != 0 || channels % kBlock != 0) {
      Value first = u.add(u.mul(block, kBlock), channel);
      result.valid = u.clamp(u.sub(u.number(channels), first), 0, run);
    }
    return result;
  }

  int64_t depth;

private:
  SmallVector<int64_t> strides;
  int64_t outHeight, outWidth, stage, kernelHeight, kernelWidth, channels;
  bool isPlanar;
  /// Steps of a tap, and distances between rows, columns and taps.
  int64_t perTap, rowStep, columnStep, tapRow, tapColumn;
};

struct Conv : TiledContraction {
  static std::optional<Conv> get(kernel::ConvOp op, MatrixUnits units);

  StaticMemRef x, w;
};

std::optional<Conv> Conv::get(kernel::ConvOp op, MatrixUnits units) {
  if (op.isPaired() ||
      !ContractionStore(op.getOut(), op.getEpilogue(), op.getBody()).canEmit())
    return std::nullopt;
  std::optional<StaticMemRef> x = StaticMemRef::get(op.getX()),
                              w = StaticMemRef::get(op.getW());
  if (!x || !w || !x->isSmall() || !w->isSmall())
    return std::nullopt;
  // Panels are copied as they lie.
  int64_t panel = w->type.getDimSize(5), dense = 1;
  for (int64_t axis = 5; axis >= 0; --axis) {
    if (w->strides[axis] != dense && w->type.getDimSize(axis) != 1)
      return std::nullopt;
    dense *= w->type.getDimSize(axis);
  }
  if (longestRun(w->type.getElementType(), {w->offset, panel}) *
          (w->type.getElementTypeBitWidth() / 8) !=
      kChunkBytes)
    return std::nullopt;
  auto out = op.getOutType();
  ContractionShape shape{/*batch=*/1,
                         out.getDimSize(0) * out.getDimSize(2) *
                             out.getDimSize(3),
                         int64_t(op.getOutChannels()),
                         dense / w->type.getDimSize(0) / panel,
                         panel,
                         x->type.getElementType(),
                         w->type.getElementType()};
  // The rows of an offset past the last one.
  constexpr int64_t mostRows = int64_t(1) << 30;
  if (shape.rows > mostRows)
    return std::nullopt;
  // A tile has columns of one group.
  int64_t perGroup = shape.columns / op.getGroups();
  std::optional<ContractionTile> tile = chooseTile(shape, units);
  if (!tile || (op.getGroups() > 1 && perGroup % tile->columns != 0))
    return std::nullopt;
  return Conv{{shape, *tile}, *x, *w};
}

} // namespace

std::optional<LaunchExtents> extentsOf(kernel::ConvOp op, MatrixUnits units) {
  std::optional<Conv> conv = Conv::get(op, units);
  if (!conv)
    return std::nullopt;
  return conv->extents();
}

LogicalResult emit(BlockEmitter &e, kernel::ConvOp op) {
  std::optional<Conv> conv = Conv::get(op, e.units());
  const ContractionShape &shape = conv->shape;
  const ContractionTile &tile = conv->tile;
  BlockBuilder u(e);
  Value block = u.blockId(), columnTile = u.div(block, conv->rowTiles());
  Value row = u.mul(u.rem(block, conv->rowTiles()), tile.rows),
        column = u.mul(columnTile, tile.columns);
  Windows left(op, conv->x, tile.depth);
  left.pointer = u.pointer(op.getX());
  if (op.getGroups() > 1) {
    Value group = u.div(column, shape.columns / op.getGroups());
    int64_t blocks = conv->w.type.getDimSize(1);
    left.pointer = u.at(left.pointer, u.mul(group, blocks * conv->x.strides[1]),
                        shape.left);
  }
  int64_t panelSize = shape.depth * shape.panel;
  Value panel = u.mul(columnTile, tile.columns / shape.panel * panelSize);
  Value right = u.at(u.pointer(op.getW()), panel, shape.right);
  ContractionEmitter products(u, shape, tile, left, right, panelSize, row);
  products.multiply();
  ContractionStore store(op.getOut(), op.getEpilogue(), op.getBody());
  int64_t height = op.getOutType().getDimSize(2),
          width = op.getOutType().getDimSize(3);
  bool isPlanar = op.isPlanarOutput();
  return store.emit(u, products, shape, tile, row, column,
                    isPlanar ? ContractionEmitter::Order::Columns
                             : ContractionEmitter::Order::Blocks,
                    [&](Idx pixel, Idx channel) {
                      auto [line, x] = e.divRem(pixel, width);
                      auto [image, y] = e.divRem(line, height);
                      if (isPlanar)
                        return ContractionStore::Position{image, channel, y, x};
                      auto [channelBlock, lane] = e.divRem(channel, kBlock);
                      return ContractionStore::Position{image, channelBlock, y,
                                                        x, lane};
                    });
}

} // namespace graven::blocks
