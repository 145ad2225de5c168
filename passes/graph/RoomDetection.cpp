//===- RoomDetection.cpp - boxes and regions in their room -----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the rules for the ops of object detection: how many of
// their boxes or regions exist is an operand that they have anyway.
//===----------------------------------------------------------------------===//

#include "passes/graph/RoomMaker.h"

using namespace mlir;

namespace graven {

using Shapes = std::optional<SmallVector<RoomShape>>;

/// Lets no more than `count` boxes or regions of the Node exist.
static void limit(OpBuilder &b, Operation *node, MutableOperandRange valid,
                  Value count) {
  if (!valid.empty())
    count = MinOp::create(b, node->getLoc(), valid[0].get(), count);
  valid.assign(count);
}

/// The rows of what is chosen come first, whatever the number of boxes is.
Shapes RoomMaker::suppressed(NmsOp node) {
  RoomShape boxes = of(node.getBoxes()), scores = of(node.getScores());
  if (varies(boxes[0]) || varies(scores[1]))
    return fail(node, "has a number of images or classes that is a symbol");
  RoomAxis number = simplified(node, boxes[1]);
  if (!same(number, simplified(node, scores[2])) ||
      (node.getGroup() &&
       !same(number, simplified(node, RoomShape(of(node.getGroup()))[1]))))
    return fail(node, "has operands that differ in how their extents follow "
                      "from the symbols");
  if (!isSimple(number))
    return fail(node, "chooses boxes along an axis that joins several");
  if (varies(number))
    limit(b, node, node.getValidMutable(), count(node.getLoc(), number));
  int64_t most = node.getMaxPerClass();
  if (most >= 0 && varies(number)) {
    Axis own = limited(node, number, most);
    if (!own)
      return std::nullopt;
    number = *own;
  } else if (most >= 0) {
    number = fixed(std::min(tensorType(node.getScores()).getDimSize(2), most));
  }
  SmallVector<RoomFactor> factors;
  for (const RoomAxis &axis : {boxes[0], scores[1], number})
    llvm::append_range(factors, axis);
  return SmallVector<RoomShape>{{productOf(node, factors), fixed(3)}, {}};
}

template <class Op> Shapes RoomMaker::pooledRegions(Op node) {
  RoomShape x = of(node.getX());
  for (const RoomAxis &axis : ArrayRef(x).drop_front())
    if (varies(axis))
      return fail(node, "has images whose extents are symbols");
  RoomAxis number = simplified(node, RoomShape(of(node.getRois()))[0]);
  if (!same(number, simplified(node, RoomShape(of(node.getBatch()))[0])))
    return fail(node, "has operands that differ in how their extents follow "
                      "from the symbols");
  if (!isSimple(number))
    return fail(node, "has regions along an axis that joins several");
  if (varies(number))
    limit(b, node, node.getValidMutable(), count(node.getLoc(), number));
  RoomShape shape;
  for (int64_t extent : tensorType(node.getResult()).getShape())
    shape.push_back(fixed(extent));
  shape[0] = number;
  return SmallVector<RoomShape>{std::move(shape)};
}

template Shapes RoomMaker::pooledRegions(RoiAlignOp node);
template Shapes RoomMaker::pooledRegions(RoiPoolOp node);

} // namespace graven
