//===- RoomIndexed.cpp - indices in their room -----------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the rules for Nodes that read and write at computed
// places. Indices that are not used lead to a place that does no harm.
//===----------------------------------------------------------------------===//

#include "passes/graph/RoomMaker.h"

using namespace mlir;

namespace graven {

using Shapes = std::optional<SmallVector<RoomShape>>;

static Shapes just(RoomShape shape) {
  return SmallVector<RoomShape>{std::move(shape)};
}

/// Indices that are not used must not lead outside.
bool RoomMaker::fillIndices(Operation *node, unsigned operand) {
  Value indices = node->getOperand(operand);
  RoomShape shape = of(indices);
  // Unused places of the inputs are zero.
  if (!isa<BlockArgument>(indices) && !indices.getDefiningOp<ConstantOp>())
    fillOperand(node, operand,
                llvm::to_vector(llvm::seq<int64_t>(shape.size())), 0);
  return true;
}

/// Negative indices count from the end of a run.
static Value fromTheEnd(OpBuilder &b, Location loc, Value indices,
                        Value count) {
  Type element = tensorType(indices).getElementType();
  Value zero = scalarConstant(b, loc, element, 0, 0);
  Value more =
      AddOp::create(b, loc, indices, converted(b, loc, count, element));
  Value negative =
      CompareOp::create(b, loc, indices, zero, ComparePredicate::Lt);
  return SelectOp::create(b, loc, negative, more, indices);
}

Shapes RoomMaker::gathered(GatherOp node) {
  RoomShape data = of(node.getX()), indices = of(node.getIndices()), shape;
  int64_t axis = node.getAxis();
  if (!node.getIndices().getDefiningOp<ConstantOp>())
    data[axis] = simplified(node, data[axis]);
  // Constant places of a joined axis are those at the most extents already.
  bool isJoined = !isSimple(data[axis]);
  if (varies(data[axis]) && isJoined &&
      !node.getIndices().getDefiningOp<ConstantOp>())
    return fail(node, "picks from an axis that joins several");
  if (varies(data[axis]) && !isJoined) {
    if (!node.getNonneg()) {
      Location loc = node.getLoc();
      Value own = fromTheEnd(b, loc, node.getIndices(), count(loc, data[axis]));
      shapes[own] = indices;
      node->setOperand(1, own);
    }
  }
  fillIndices(node, 1);
  shape.append(data.begin(), data.begin() + axis);
  llvm::append_range(shape, indices);
  shape.append(data.begin() + axis + 1, data.end());
  return just(std::move(shape));
}

Shapes RoomMaker::gatheredElements(GatherElementsOp node) {
  RoomShape data = of(node.getX()), indices = of(node.getIndices());
  int64_t axis = node.getAxis();
  data[axis] = simplified(node, data[axis]);
  if (varies(data[axis]) && !isSimple(data[axis]))
    return fail(node, "picks from an axis that joins several");
  if (varies(data[axis]) && !node.getNonneg()) {
    Location loc = node.getLoc();
    Value own = fromTheEnd(b, loc, node.getIndices(), count(loc, data[axis]));
    shapes[own] = indices;
    node->setOperand(1, own);
  }
  fillIndices(node, 1);
  return just(std::move(indices));
}

/// The tuples of a Node, none of them negative; null where they are so already.
static Value tuplesFromTheEnd(OpBuilder &b, Location loc, Value tuples,
                              ArrayRef<Value> counts) {
  int64_t rank = tensorType(tuples).getRank();
  SmallVector<Value> each;
  for (Value count : counts)
    each.push_back(reshaped(b, loc, count, {1}));
  SmallVector<int64_t> shape(rank, 1);
  shape.back() = counts.size();
  Value all = ConcatOp::create(b, loc, each, 0);
  return fromTheEnd(b, loc, tuples, reshaped(b, loc, all, shape));
}

/// Indices of tuples that count from the end of a run, where some do.
bool RoomMaker::fillTuples(Operation *node, RoomShape data, int64_t first) {
  RoomShape shape = of(node->getOperand(1));
  int64_t width = tensorType(node->getOperand(1)).getShape().back();
  if (varies(shape.back())) {
    fail(node, "has tuples of a width that follows from a symbol");
    return false;
  }
  SmallVector<Value> counts;
  for (RoomAxis axis : ArrayRef(data).slice(first, width)) {
    axis = simplified(node, axis);
    if (!isSimple(axis)) {
      fail(node, "picks from an axis that joins several");
      return false;
    }
    counts.push_back(count(node->getLoc(), axis));
  }
  if (node->hasAttr("nonneg") || counts.empty())
    return true;
  Value own = tuplesFromTheEnd(b, node->getLoc(), node->getOperand(1), counts);
  shapes[own] = std::move(shape);
  node->setOperand(1, own);
  return true;
}

Shapes RoomMaker::gatheredTuples(GatherNdOp node) {
  RoomShape data = of(node.getX()), shape = of(node.getIndices());
  int64_t batch = node.getBatchDims(),
          width = tensorType(node.getIndices()).getShape().back();
  if (!fillTuples(node, data, batch))
    return std::nullopt;
  fillIndices(node, 1);
  shape.pop_back();
  shape.append(data.begin() + batch + width, data.end());
  return just(std::move(shape));
}

/// Updates that are not used go to a row of their own, which is taken away
/// again.
Shapes RoomMaker::scattered(ScatterNdOp node) {
  RoomShape data = of(node.getX()), indices = of(node.getIndices());
  Location loc = node.getLoc();
  RankedTensorType type = tensorType(node.getX()),
                   indexType = tensorType(node.getIndices());
  int64_t width = indexType.getShape().back();
  RoomShape expected(ArrayRef(indices).drop_back());
  expected.append(data.begin() + width, data.end());
  if (!same(expected, of(node.getUpdates())))
    return fail(node, "has operands that differ in how their extents follow "
                      "from the symbols");
  if (!fillTuples(node, data, 0))
    return std::nullopt;
  SmallVector<int64_t> open;
  for (auto [axis, own] : llvm::enumerate(indices))
    if (varies(own))
      open.push_back(axis);
  if (open.empty())
    return just(std::move(data));
  if (width == 0 || type.getDimSize(0) == 0)
    return fail(node, "replaces all of a tensor as often as a symbol says");
  SmallVector<int64_t> tupleShape(indexType.getRank(), 1),
      ends(type.getShape()), zeros(type.getRank(), 0), ones(type.getRank(), 1);
  tupleShape.back() = width;
  SmallVector<Attribute> tuple(width,
                               b.getIntegerAttr(indexType.getElementType(), 0));
  tuple.front() =
      b.getIntegerAttr(indexType.getElementType(), type.getDimSize(0));
  Value spare = ConstantOp::create(
      b, loc,
      cast<ElementsAttr>(DenseElementsAttr::get(
          RankedTensorType::get(tupleShape, indexType.getElementType()),
          tuple)));
  Value places = SelectOp::create(b, loc, inUse(loc, node.getIndices(), open),
                                  node.getIndices(), spare);
  ends.front() = 1;
  Value row = SliceOp::create(b, loc, node.getX(), zeros, ends, ones);
  Value longer = ConcatOp::create(b, loc, ValueRange{node.getX(), row}, 0);
  Value all = ScatterNdOp::create(b, loc, longer, places, node.getUpdates(),
                                  node.getKind(), /*nonneg=*/true);
  replacement = SliceOp::create(b, loc, all, zeros, type.getShape(), ones);
  return just(std::move(data));
}

/// A window of fixed extents, or along an axis all of it.
Shapes RoomMaker::inserted(InsertSliceOp node) {
  RoomShape dest = of(node.getDest()), src = of(node.getSrc());
  if (!node.getDynamicStarts().empty())
    return fail(node, "begins at a computed place");
  for (auto [axis, own] : llvm::enumerate(src)) {
    int64_t start = node.getStarts()[axis], step = node.getSteps()[axis],
            extent = tensorType(node.getSrc()).getDimSize(axis);
    bool isAll = same(own, dest[axis]) && start == 0 && step == 1;
    bool isInside =
        !varies(own) && start + (extent - 1) * step + 1 <= lowest(dest[axis]);
    if (!isAll && !isInside)
      return fail(node, "replaces a window that follows from a symbol");
  }
  return just(std::move(dest));
}

} // namespace graven
