//===- RoomWindows.cpp - windows and time in their room --------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the rules for convolutions, pools, resampling and
// recurrent layers. What a window sees beyond the extent of a run is what its
// padding would be there.
//===----------------------------------------------------------------------===//

#include "passes/graph/RoomMaker.h"

using namespace mlir;

namespace graven {

using Shapes = std::optional<SmallVector<RoomShape>>;
using Axis = std::optional<RoomAxis>;

static Shapes just(RoomShape shape) {
  return SmallVector<RoomShape>{std::move(shape)};
}

std::optional<SmallVector<int64_t>>
RoomMaker::slide(Operation *node, RoomShape &shape, const Windows &windows) {
  SmallVector<int64_t> padded;
  size_t spatial = windows.kernel.size();
  for (size_t i = 0; i < spatial; ++i) {
    int64_t low = windows.pads[i], high = windows.pads[spatial + i];
    if (varies(shape[2 + i]) && (high > 0 || windows.reachesOut))
      padded.push_back(2 + i);
    Axis own = mapped(node, shape[2 + i], [&](int64_t extent) {
      return windowExtent(extent, windows.kernel[i], windows.strides[i],
                          windows.dilations[i], low, high, windows.rounding);
    });
    if (!own)
      return std::nullopt;
    shape[2 + i] = *own;
  }
  return padded;
}

Shapes RoomMaker::convolved(ConvOp node) {
  RoomShape shape = of(node.getX()), weights = of(node.getW());
  if (varies(shape[1]) || varies(node.getW()))
    return fail(node, "has channels or weights that follow from a symbol");
  shape[1] = fixed(tensorType(node.getResult()).getDimSize(1));
  auto padded = slide(node, shape,
                      {tensorType(node.getW()).getShape().drop_front(2),
                       node.getStrides(), node.getDilations(), node.getPads()});
  if (!padded)
    return std::nullopt;
  fillOperand(node, 0, *padded, 0);
  return just(std::move(shape));
}

/// Each element of x goes to several places, so those not used must be zero.
Shapes RoomMaker::transposedConv(ConvTransposeOp node) {
  RoomShape shape = of(node.getX());
  if (varies(shape[1]) || varies(node.getW()))
    return fail(node, "has channels or weights that follow from a symbol");
  SmallVector<int64_t> open;
  ArrayRef<int64_t> kernel = tensorType(node.getW()).getShape().drop_front(2);
  size_t spatial = kernel.size();
  shape[1] = fixed(tensorType(node.getResult()).getDimSize(1));
  for (size_t i = 0; i < spatial; ++i) {
    if (varies(shape[2 + i]))
      open.push_back(2 + i);
    Axis own = mapped(node, shape[2 + i], [&](int64_t extent) {
      return (extent - 1) * node.getStrides()[i] +
             node.getDilations()[i] * (kernel[i] - 1) + 1 +
             node.getOutputPadding()[i] - node.getPads()[i] -
             node.getPads()[spatial + i];
    });
    if (!own)
      return std::nullopt;
    shape[2 + i] = *own;
  }
  fillOperand(node, 0, open, 0);
  return just(std::move(shape));
}

Shapes RoomMaker::pooled(MaxPoolOp node) {
  RoomShape shape = of(node.getX());
  bool ceil = node.getCeilMode();
  auto padded =
      slide(node, shape,
            {node.getKernel(), node.getStrides(), node.getDilations(),
             node.getPads(), ceil ? Rounding::Ceil : Rounding::Floor, ceil});
  if (!padded)
    return std::nullopt;
  if (!padded->empty())
    node->setOperand(
        0, filled(node, node.getX(), *padded,
                  extreme(tensorType(node.getX()).getElementType(), false)));
  return just(std::move(shape));
}

/// A window of all of an image is a mean over what is used of it.
Shapes RoomMaker::averaged(AvgPoolOp node, Others others) {
  RoomShape shape = of(node.getX());
  size_t spatial = node.getKernel().size();
  auto isWhole = [](Operation *op) {
    auto pool = cast<AvgPoolOp>(op);
    return pool.getKernel() ==
               tensorType(pool.getX()).getShape().drop_front(2) &&
           llvm::all_of(pool.getPads(), [](int64_t pad) { return pad == 0; }) &&
           pool.getDivisor() == 0;
  };
  if (isWhole(node) && llvm::all_of(others, isWhole)) {
    SmallVector<int64_t> axes =
        llvm::to_vector(llvm::seq<int64_t>(2, 2 + spatial));
    RoomAxis number;
    for (int64_t axis : axes)
      llvm::append_range(number, shape[axis]);
    Location loc = node.getLoc();
    Type element = tensorType(node.getX()).getElementType(),
         wide = accumulatorType(element);
    Value x = converted(b, loc, filled(node, node.getX(), axes, 0), wide);
    Value sum =
        ReduceOp::create(b, loc, x, ReduceKind::Sum, axes, /*keep=*/true);
    Value mean =
        DivOp::create(b, loc, sum, converted(b, loc, count(loc, number), wide));
    replacement = converted(b, loc, mean, element).getDefiningOp();
    for (int64_t axis : axes)
      shape[axis].clear();
    return just(std::move(shape));
  }
  for (Operation *other : others)
    if (other->getAttrDictionary() != node->getAttrDictionary())
      return fail(node, "has windows that follow from the symbols");
  auto padded = slide(node, shape,
                      {node.getKernel(), node.getStrides(), node.getDilations(),
                       node.getPads(), Rounding::Floor, node.getCeilMode()});
  if (!padded)
    return std::nullopt;
  // How many taps count is known for the most extents only.
  if (!padded->empty() && (node.getCeilMode() || (!node.getCountIncludePad() &&
                                                  node.getDivisor() == 0)))
    return fail(node, "counts the taps of windows at the end of a symbol");
  fillOperand(node, 0, *padded, 0);
  return just(std::move(shape));
}

/// The lengths of the sequences are told.
template <class Op> static bool takeLengths(Op op, OpBuilder &b, Value length) {
  if (op.getSeqLens())
    return true;
  int64_t batch = tensorType(op.getX()).getDimSize(1);
  op.getSeqLensMutable().assign(BroadcastOp::create(
      b, op.getLoc(), length, ArrayRef<int64_t>{batch}, ArrayRef<int64_t>{}));
  return true;
}

Shapes RoomMaker::recurrent(Operation *node) {
  RoomShape x = of(node->getOperand(0));
  if (varies(x[2]))
    return fail(node, "has a width that follows from a symbol");
  for (Value operand : node->getOperands().drop_front())
    if (varies(operand))
      return fail(node, "has states or weights that follow from a symbol");
  if (varies(x[1]))
    return fail(node, "has a batch that follows from a symbol");
  Value length = count(node->getLoc(), x[0]);
  if (auto lstm = dyn_cast<LstmOp>(node))
    takeLengths(lstm, b, length);
  else if (auto gru = dyn_cast<GruOp>(node))
    takeLengths(gru, b, length);
  else
    takeLengths(cast<RnnOp>(node), b, length);
  SmallVector<RoomShape> results;
  for (Value value : node->getResults()) {
    RoomShape &shape = results.emplace_back();
    for (int64_t extent : tensorType(value).getShape())
      shape.push_back(fixed(extent));
  }
  results.front()[0] = x[0];
  return results;
}

} // namespace graven
