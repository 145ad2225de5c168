//===- Index.cpp - gather, scatter, top-k ---*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the builders of the ops that pick elements by indices,
// and of those that find them.
//===----------------------------------------------------------------------===//

#include "frontends/onnx/NodeBuilder.h"
#include "frontends/onnx/OpTable.h"

using namespace mlir;

namespace graven::onnx {

namespace {

/// A known scalar index is a slice: that is what a frontend of PyTorch gives.
LogicalResult buildGather(NodeBuilder &n) {
  Value x = n.input(0), indices = n.input(1);
  int64_t axis = n.axis(n.intAttr("axis", 0), n.rankOf(x));
  if (n.hasFailed())
    return failure();
  int64_t extent = n.shapeOf(x)[axis];
  if (auto known = n.known(indices);
      known && known->getRank() == 0 && n.typeOf(x).hasStaticShape()) {
    int64_t index = known->getInt(0);
    if (index < -extent || index >= extent)
      return n.error(Code::BadGraph)
             << "index " << index << " is out of range for extent " << extent;
    index = index < 0 ? index + extent : index;
    IntList shape = n.shapeOf(x);
    shape.erase(shape.begin() + axis);
    return n.finish(n.reshape(n.slice(x, axis, index, index + 1), shape));
  }
  return n.finish(n.make<GatherOp>(x, indices, axis, false));
}

LogicalResult buildGatherElements(NodeBuilder &n) {
  int64_t axis = n.axis(n.intAttr("axis", 0), n.rankOf(n.input(0)));
  return n.finish(
      n.make<GatherElementsOp>(n.input(0), n.input(1), axis, false));
}

LogicalResult buildGatherNd(NodeBuilder &n) {
  return n.finish(n.make<GatherNdOp>(n.input(0), n.input(1),
                                     n.intAttr("batch_dims", 0), false));
}

std::optional<ScatterKind> readReduction(NodeBuilder &n) {
  std::string name = n.stringAttr("reduction", "none");
  auto kind = symbolizeScatterKind(name);
  if (!kind)
    n.error(Code::UnsupportedFeature) << "reduction is " << quoted(name);
  return kind;
}

LogicalResult buildScatterNd(NodeBuilder &n) {
  auto kind = readReduction(n);
  if (!kind)
    return failure();
  return n.finish(
      n.make<ScatterNdOp>(n.input(0), n.input(1), n.input(2), *kind, false));
}

/// The index of an element becomes a tuple: its own position, with the given
/// index on `axis`.
LogicalResult buildScatterElements(NodeBuilder &n) {
  Value x = n.input(0), indices = n.input(1);
  auto kind = readReduction(n);
  int64_t rank = n.rankOf(x), axis = n.axis(n.intAttr("axis", 0), rank);
  auto shape = n.staticShape(indices);
  if (!kind || !shape || n.hasFailed())
    return failure();
  if (static_cast<int64_t>(shape->size()) != rank)
    return n.error(Code::BadGraph)
           << "indices have rank " << shape->size() << ", expected " << rank;
  IntList column = *shape;
  column.push_back(1);
  SmallVector<Value> tuple;
  for (int64_t i = 0; i < rank; ++i)
    tuple.push_back(n.reshape(
        i == axis
            ? indices
            : n.make<IotaOp>(ValueRange(), *shape, i, n.elementTypeOf(indices)),
        column));
  Value tuples = rank == 1 ? tuple.front() : n.make<ConcatOp>(tuple, rank);
  return n.finish(n.make<ScatterNdOp>(x, tuples, n.input(2), *kind, false));
}

LogicalResult topK(NodeBuilder &n, std::optional<int64_t> k) {
  Value x = n.input(0);
  int64_t axis = n.axis(n.intAttr("axis", -1), n.rankOf(x));
  if (!k)
    return failure();
  auto results = n.makeAll<TopKOp>(x, *k, axis, n.flagAttr("largest", true));
  for (auto [i, result] : llvm::enumerate(results))
    n.setOutput(i, result);
  return n.finish();
}

LogicalResult buildTopKByAttribute(NodeBuilder &n) {
  return topK(n, n.intAttr("k", -1));
}

LogicalResult buildTopK(NodeBuilder &n) {
  return topK(n, n.oneInt(n.input(1), "k"));
}

/// The first `len` steps of each sample in reverse order.
LogicalResult buildReverseSequence(NodeBuilder &n) {
  Value x = n.input(0), lengths = n.input(1);
  int64_t time = n.intAttr("time_axis", 0), batch = n.intAttr("batch_axis", 1);
  auto shape = n.staticShape(x);
  if (!shape)
    return failure();
  if (shape->size() < 2 || time + batch != 1 || time * batch != 0)
    return n.error(Code::BadGraph)
           << "time_axis is " << time << " and batch_axis " << batch
           << ", expected 0 and 1";
  Type type = n.getBuilder().getI64Type();
  IntList line(shape->size(), 1);
  line[batch] = (*shape)[batch];
  Value length = n.reshape(n.cast(lengths, type), line);
  Value step = n.make<IotaOp>(ValueRange(), *shape, time, type);
  Value mirrored =
      n.binary<SubOp>(n.binary<SubOp>(length, n.scalar(type, 1)), step);
  Value index =
      n.select(n.compare(ComparePredicate::Lt, step, length), mirrored, step);
  return n.finish(n.make<GatherElementsOp>(x, index, time, false));
}

} // namespace

void addIndexing(OpTable &table) {
  table.add("Gather", 2, buildGather);
  table.add("GatherElements", 2, buildGatherElements);
  table.add("GatherND", 2, buildGatherNd);
  table.add("Scatter", 3, buildScatterElements, 9, 11);
  table.add("ScatterElements", 3, buildScatterElements);
  table.add("ScatterND", 3, buildScatterNd);
  table.add("TopK", 1, buildTopKByAttribute, 1, 10);
  table.add("TopK", 2, buildTopK, 10);
  table.add("ReverseSequence", 2, buildReverseSequence, 10);
}

} // namespace graven::onnx
