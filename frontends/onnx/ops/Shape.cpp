//===- Shape.cpp - shapes ---*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the builders of the ops that give a tensor another
// shape, join tensors and cut them up.
//===----------------------------------------------------------------------===//

#include "frontends/onnx/NodeBuilder.h"
#include "frontends/onnx/OpTable.h"

using namespace mlir;

namespace graven::onnx {

namespace {

/// The target's zeros copy an extent of x, unless allowzero. Until opset 4 it
/// is an attribute.
LogicalResult buildReshape(NodeBuilder &n) {
  Value x = n.input(0);
  auto target = n.getOpset() < 5 ? n.intsAttr("shape")
                                 : n.ints(n.input(1), "the target shape");
  if (!target && !n.hasFailed())
    n.error(Code::BadGraph) << "there is no shape";
  if (!target)
    return failure();
  if (static_cast<int64_t>(target->size()) > kMaxRank)
    return n.error(Code::BadGraph)
           << "the target shape has " << target->size() << " entries";
  IntList shape = *target, own = n.shapeOf(x);
  bool copies = !n.flagAttr("allowzero"), hasInferred = false;
  for (auto [i, extent] : llvm::enumerate(shape)) {
    if (extent < -1)
      return n.error(Code::BadGraph)
             << "the target shape has the entry " << extent;
    if (extent == -1) {
      if (hasInferred)
        return n.error(Code::BadGraph) << "the target shape has two entries -1";
      hasInferred = true;
    }
  }
  SmallVector<Value> dynamic;
  for (auto [i, extent] : llvm::enumerate(shape)) {
    if (extent != 0 || !copies)
      continue;
    if (i >= own.size())
      return n.error(Code::BadGraph) << "the target shape copies axis " << i
                                     << " of an input of rank " << own.size();
    extent = own[i];
    if (ShapedType::isDynamic(extent))
      dynamic.push_back(n.make<DimOp>(x, int64_t(i)));
  }
  // One unknown extent is better inferred than read.
  if (dynamic.size() == 1 && !hasInferred) {
    llvm::replace(shape, ShapedType::kDynamic, int64_t(-1));
    dynamic.clear();
  }
  if (dynamic.empty())
    return n.finish(n.reshape(x, shape));
  return n.finish(n.make<ReshapeOp>(x, dynamic, shape));
}

LogicalResult buildFlatten(NodeBuilder &n) {
  Value x = n.input(0);
  IntList shape = n.shapeOf(x);
  int64_t rank = shape.size(), axis = n.intAttr("axis", 1);
  if (axis < -rank || axis > rank)
    return n.error(Code::BadGraph)
           << "axis " << axis << " is out of range for rank " << rank;
  axis = axis < 0 ? axis + rank : axis;
  auto left = elementCount(ArrayRef(shape).take_front(axis)),
       right = elementCount(ArrayRef(shape).drop_front(axis));
  if (!left && !right)
    return n.staticShape(x), failure();
  // An extent that is inferred must not stand beside a zero.
  if ((!left && *right == 0) || (!right && *left == 0))
    return n.staticShape(x), failure();
  return n.finish(n.reshape(x, {left.value_or(-1), right.value_or(-1)}));
}

/// A reshape that drops or adds extents of 1 only.
LogicalResult reshapeOnes(NodeBuilder &n, Value x, IntList shape) {
  if (llvm::count(shape, ShapedType::kDynamic) <= 1) {
    llvm::replace(shape, ShapedType::kDynamic, int64_t(-1));
    return n.finish(n.reshape(x, shape));
  }
  SmallVector<Value> extents;
  for (auto [axis, extent] : llvm::enumerate(n.shapeOf(x)))
    if (ShapedType::isDynamic(extent))
      extents.push_back(n.make<DimOp>(x, int64_t(axis)));
  return n.finish(n.make<ReshapeOp>(x, extents, shape));
}

LogicalResult buildSqueeze(NodeBuilder &n) {
  Value x = n.input(0);
  IntList shape = n.shapeOf(x);
  auto given = n.intsAttrOrInput("axes", 1);
  if (n.hasFailed())
    return failure();
  IntList axes;
  if (given) {
    axes = n.axes(*given, shape.size());
  } else {
    if (!n.staticShape(x))
      return failure();
    for (auto [axis, extent] : llvm::enumerate(shape))
      if (extent == 1)
        axes.push_back(axis);
  }
  for (int64_t axis : llvm::reverse(axes)) {
    if (shape[axis] != 1 && !ShapedType::isDynamic(shape[axis]))
      return n.error(Code::BadGraph) << "axis " << axis << " has extent "
                                     << shape[axis] << ", expected 1";
    if (ShapedType::isDynamic(shape[axis]))
      return n.staticShape(x), failure();
    shape.erase(shape.begin() + axis);
  }
  return reshapeOnes(n, x, shape);
}

LogicalResult buildUnsqueeze(NodeBuilder &n) {
  Value x = n.input(0);
  auto given = n.intsAttrOrInput("axes", 1);
  if (n.hasFailed())
    return failure();
  if (!given)
    return n.error(Code::BadGraph) << "there are no axes";
  IntList shape = n.shapeOf(x);
  int64_t rank = shape.size() + given->size();
  if (rank > kMaxRank)
    return n.error(Code::BadGraph) << "the result would have rank " << rank;
  for (int64_t axis : n.axes(*given, rank))
    shape.insert(shape.begin() + axis, 1);
  if (n.hasFailed())
    return failure();
  return reshapeOnes(n, x, shape);
}

LogicalResult buildTranspose(NodeBuilder &n) {
  Value x = n.input(0);
  int64_t rank = n.rankOf(x);
  IntList permutation(llvm::reverse(llvm::seq<int64_t>(0, rank)));
  if (auto given = n.intsAttr("perm")) {
    permutation = *given;
    for (int64_t &axis : permutation)
      axis = n.axis(axis, rank);
  }
  return n.finish(n.transpose(x, permutation));
}

/// Broadcasts in both directions: an entry of 1 keeps x's extent.
LogicalResult buildExpand(NodeBuilder &n) {
  Value x = n.input(0);
  auto target = n.ints(n.input(1), "the target shape");
  if (!target)
    return failure();
  int64_t rank = n.rankOf(x);
  IntList shape = *target;
  if (static_cast<int64_t>(shape.size()) > kMaxRank)
    return n.error(Code::BadGraph)
           << "the target shape has " << shape.size() << " entries";
  if (static_cast<int64_t>(shape.size()) < rank)
    shape.insert(shape.begin(), rank - shape.size(), 1);
  IntList own = n.shapeOf(x);
  SmallVector<Value> dynamic;
  for (int64_t i = 0; i < rank; ++i) {
    int64_t &extent = shape[shape.size() - rank + i];
    if (extent == 1)
      extent = own[i];
    if (ShapedType::isDynamic(extent))
      dynamic.push_back(n.make<DimOp>(x, i));
  }
  if (dynamic.empty())
    return n.finish(n.expand(x, shape));
  if (static_cast<int64_t>(shape.size()) == rank &&
      ArrayRef(shape) == ArrayRef(own))
    return n.finish(x);
  IntList axes = sequence(shape.size() - rank, shape.size());
  return n.finish(n.make<BroadcastOp>(x, dynamic, shape, axes));
}

/// reshape to [1, d0, 1, d1, ..], broadcast, reshape.
LogicalResult tile(NodeBuilder &n, Value x, ArrayRef<int64_t> repeats) {
  auto shape = n.staticShape(x);
  if (!shape)
    return failure();
  if (repeats.size() != shape->size())
    return n.error(Code::BadGraph) << "repeats has " << repeats.size()
                                   << " entries, expected " << shape->size();
  IntList split, repeated, joined;
  for (auto [extent, count] : llvm::zip(*shape, repeats)) {
    int64_t product;
    if (count < 0 || llvm::MulOverflow(extent, count, product))
      return n.error(Code::BadGraph) << "repeats has the entry " << count;
    if (count != 1) {
      split.push_back(1);
      repeated.push_back(count);
    }
    split.push_back(extent);
    repeated.push_back(extent);
    joined.push_back(product);
  }
  return n.finish(n.reshape(n.expand(n.reshape(x, split), repeated), joined));
}

/// x repeated along one axis.
LogicalResult buildTileOfAxis(NodeBuilder &n) {
  Value x = n.input(0);
  auto count = n.oneInt(n.input(1), "tiles"),
       axis = n.oneInt(n.input(2), "axis");
  if (!count || !axis)
    return failure();
  IntList repeats(n.rankOf(x), 1);
  int64_t absolute = n.axis(*axis, n.rankOf(x));
  if (n.hasFailed())
    return failure();
  repeats[absolute] = *count;
  return tile(n, x, repeats);
}

LogicalResult buildTile(NodeBuilder &n) {
  auto repeats = n.ints(n.input(1), "repeats");
  return repeats ? tile(n, n.input(0), *repeats) : failure();
}
LogicalResult buildConcat(NodeBuilder &n) {
  int64_t axis =
      n.axis(n.intAttr("axis", n.getOpset() < 4 ? 1 : 0), n.rankOf(n.input(0)));
  for (Value input : n.getInputs())
    if (!input)
      return n.error(Code::BadGraph) << "an input is absent";
  if (n.getInputCount() == 1)
    return n.finish(n.input(0));
  return n.finish(n.make<ConcatOp>(n.getInputs(), axis));
}

LogicalResult buildSplit(NodeBuilder &n) {
  Value x = n.input(0);
  int64_t axis = n.axis(n.intAttr("axis", 0), n.rankOf(x)),
          parts = n.getOutputCount();
  auto sizes = n.intsAttrOrInput("split", 1);
  if (n.hasFailed())
    return failure();
  int64_t extent = n.rankOf(x) ? n.shapeOf(x)[axis] : 0;
  if (!sizes) {
    if (ShapedType::isDynamic(extent))
      return n.staticShape(x), failure();
    bool mayBeUneven = n.hasAttr("num_outputs");
    parts = n.intAttr("num_outputs", parts);
    if (parts <= 0 || parts < static_cast<int64_t>(n.getOutputCount()) ||
        parts > extent + static_cast<int64_t>(n.getOutputCount()) ||
        (!mayBeUneven && extent % parts))
      return n.error(Code::BadGraph) << "an axis of extent " << extent
                                     << " cannot be split into " << parts;
    int64_t size = llvm::divideCeil(extent, parts);
    sizes.emplace();
    for (int64_t left = extent, i = 0; i < parts; ++i) {
      sizes->push_back(std::clamp<int64_t>(left, 0, size));
      left -= size;
    }
  }
  int64_t start = 0;
  for (auto [i, size] : llvm::enumerate(*sizes)) {
    if (size < 0 || llvm::AddOverflow(start, size, extent))
      return n.error(Code::BadGraph) << "split has the entry " << size;
    n.setOutput(i, n.slice(x, axis, start, start + size));
    start += size;
  }
  if (!ShapedType::isDynamic(n.shapeOf(x)[axis]) && start != n.shapeOf(x)[axis])
    return n.error(Code::BadGraph)
           << "the parts have " << start << " elements, axis " << axis
           << " has " << n.shapeOf(x)[axis];
  return n.finish();
}

} // namespace

void addShapes(OpTable &table) {
  table.add("Reshape", 1, buildReshape, 1, 5);
  table.add("Reshape", 2, buildReshape, 5);
  table.add("Flatten", 1, buildFlatten);
  table.add("Squeeze", 1, buildSqueeze);
  table.add("Unsqueeze", 1, buildUnsqueeze);
  table.add("Transpose", 1, buildTranspose);
  table.add("Expand", 2, buildExpand);
  table.add("Tile", 3, buildTileOfAxis, 1, 6);
  table.add("Tile", 2, buildTile, 6);
  table.add("Concat", 1, buildConcat);
  table.add("Split", 1, buildSplit);
}

} // namespace graven::onnx
