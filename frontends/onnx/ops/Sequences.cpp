//===- Sequences.cpp - sequences and optionals ---*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the builders of what makes and takes sequences and
// optionals (Lists.h). Positions in them are known: they are constants, or the
// model is compiled for them.
//===----------------------------------------------------------------------===//

#include "frontends/onnx/GraphImporter.h"
#include "frontends/onnx/Lists.h"
#include "frontends/onnx/NodeBuilder.h"
#include "frontends/onnx/OpTable.h"
#include "onnx/onnx.pb.h"

using namespace mlir;

namespace graven::onnx {

namespace {

LogicalResult finishList(NodeBuilder &n, ArrayRef<Value> elements) {
  if (n.hasFailed())
    return failure();
  return n.finish(makeList(n.getBuilder(), n.getLoc(), elements));
}

/// The tensors of input 0.
std::optional<SmallVector<Value>> listInput(NodeBuilder &n) {
  if (isList(n.input(0)))
    return elementsOf(n.input(0));
  n.error(Code::BadGraph) << "input #0 is not a sequence";
  return std::nullopt;
}

/// Input i as a place in [0, places); `otherwise` where it is absent.
std::optional<int64_t> placeInput(NodeBuilder &n, size_t i, int64_t places,
                                  int64_t otherwise) {
  int64_t place = otherwise;
  if (n.input(i)) {
    auto given = n.oneInt(n.input(i), "the position");
    if (!given)
      return std::nullopt;
    place = *given;
  }
  // -1 is the last element, also where one may be put behind it.
  int64_t size = elementsOf(n.input(0)).size();
  int64_t absolute = place < 0 ? place + size : place;
  if (absolute >= 0 && absolute < places)
    return absolute;
  n.error(Code::BadGraph) << "position " << place
                          << " is out of range for a sequence of " << size;
  return std::nullopt;
}

LogicalResult buildConstruct(NodeBuilder &n) {
  for (auto [i, value] : llvm::enumerate(n.getInputs()))
    if (!isTensor(value) || n.narrow(i) != n.narrow(0))
      return n.error(Code::BadGraph)
             << "input #" << i << " is not a tensor of the first one's type";
  return finishList(n, n.getInputs());
}

LogicalResult buildEmpty(NodeBuilder &n) { return finishList(n, {}); }

LogicalResult buildAt(NodeBuilder &n) {
  auto list = listInput(n);
  if (!list)
    return failure();
  auto place = placeInput(n, 1, list->size(), 0);
  return place ? n.finish((*list)[*place]) : failure();
}

LogicalResult buildInsert(NodeBuilder &n) {
  auto list = listInput(n);
  if (!list)
    return failure();
  if (!isTensor(n.input(1)) || (!list->empty() && n.narrow(0) != n.narrow(1)))
    return n.error(Code::BadGraph) << "input #1 is not a tensor of the type of "
                                      "the sequence's";
  auto place = placeInput(n, 2, list->size() + 1, list->size());
  if (!place)
    return failure();
  list->insert(list->begin() + *place, n.input(1));
  n.setNarrow(0, n.narrow(1));
  return finishList(n, *list);
}

LogicalResult buildErase(NodeBuilder &n) {
  auto list = listInput(n);
  if (!list)
    return failure();
  auto place = placeInput(n, 1, list->size(), -1);
  if (!place)
    return failure();
  list->erase(list->begin() + *place);
  return finishList(n, *list);
}

LogicalResult buildLength(NodeBuilder &n) {
  auto list = listInput(n);
  if (!list)
    return failure();
  return n.finish(
      n.scalar(n.getBuilder().getI64Type(), static_cast<double>(list->size())));
}

LogicalResult buildSplit(NodeBuilder &n) {
  Value x = n.input(0);
  auto shape = n.staticShape(x);
  int64_t axis = n.axis(n.intAttr("axis", 0), n.rankOf(x));
  if (!shape || n.hasFailed())
    return failure();
  int64_t extent = (*shape)[axis];
  bool keepsAxis = n.input(1) || n.flagAttr("keepdims", true);
  IntList sizes(n.input(1) ? 0 : extent, 1);
  if (n.input(1)) {
    auto given = n.ints(n.input(1), "the split");
    if (!given)
      return failure();
    sizes = *given;
    if (n.rankOf(n.input(1)) == 0) {
      // A scalar is the size of all but the last.
      int64_t size = sizes.front();
      if (size < 1)
        return n.error(Code::BadGraph) << "the split is " << size;
      sizes.clear();
      for (int64_t at = 0; at < extent; at += size)
        sizes.push_back(std::min(size, extent - at));
    }
  }
  if (static_cast<int64_t>(sizes.size()) > kMaxKnownElements)
    return n.error(Code::UnsupportedFeature)
           << "the sequence has " << sizes.size()
           << " tensors, expected at most " << kMaxKnownElements;
  SmallVector<Value> parts;
  int64_t begin = 0;
  for (int64_t size : sizes) {
    if (size < 0 || size > extent - begin)
      return n.error(Code::BadGraph)
             << "a part has " << size << " of the " << extent - begin
             << " places that are left";
    Value part = n.slice(x, axis, begin, begin + size);
    begin += size;
    IntList own = *shape;
    own[axis] = size;
    if (!keepsAxis)
      own.erase(own.begin() + axis);
    parts.push_back(n.reshape(part, own));
  }
  if (begin != extent)
    return n.error(Code::BadGraph)
           << "the parts have " << begin << " places, expected " << extent;
  return finishList(n, parts);
}

LogicalResult buildConcat(NodeBuilder &n) {
  auto list = listInput(n);
  if (!list)
    return failure();
  if (list->empty())
    return n.error(Code::UnsupportedFeature) << "the sequence is empty";
  bool isNew = n.flagAttr("new_axis");
  int64_t rank = n.rankOf(list->front());
  int64_t axis = n.axis(n.intAttr("axis", 0), rank + (isNew ? 1 : 0));
  for (Value &value : *list) {
    auto shape = n.staticShape(value);
    if (!shape || n.hasFailed())
      return failure();
    if (static_cast<int64_t>(shape->size()) != rank)
      return n.error(Code::BadGraph)
             << "the tensors have ranks " << shape->size() << " and " << rank;
    if (!isNew)
      continue;
    shape->insert(shape->begin() + axis, 1);
    value = n.reshape(value, *shape);
  }
  return n.finish(n.make<ConcatOp>(*list, axis));
}

/// The body for the tensors at each position; other inputs are for all.
LogicalResult buildMap(NodeBuilder &n) {
  auto list = listInput(n);
  const pb::GraphProto *body = n.graphAttr("body");
  if (!list || !body)
    return failure();
  SmallVector<SmallVector<Value>> results(n.getOutputCount());
  for (size_t i = 0; i < list->size(); ++i) {
    SmallVector<Value> arguments;
    for (Value value : n.getInputs()) {
      if (isList(value)) {
        auto elements = elementsOf(value);
        if (elements.size() != list->size())
          return n.error(Code::BadGraph)
                 << "sequences have " << list->size() << " and "
                 << elements.size() << " tensors";
        value = elements[i];
      }
      if (!isTensor(value))
        return n.error(Code::BadGraph) << "an input is absent";
      arguments.push_back(value);
    }
    auto outputs = n.getImporter().importSubgraph(n.getLoc(), *body,
                                                  n.getScope(), arguments);
    if (failed(outputs))
      return failure();
    if (outputs->size() != results.size())
      return n.error(Code::BadGraph) << "the body gives " << outputs->size()
                                     << " values, expected " << results.size();
    for (auto [own, value] : llvm::zip_equal(results, *outputs)) {
      if (!isTensor(value))
        return n.error(Code::BadGraph) << "the body gives no tensor";
      own.push_back(value);
    }
  }
  for (auto [i, own] : llvm::enumerate(results))
    n.setOutput(i, makeList(n.getBuilder(), n.getLoc(), own));
  return n.finish();
}

LogicalResult buildOptional(NodeBuilder &n) {
  return n.finish(n.input(0) ? n.input(0)
                             : makeAbsent(n.getBuilder(), n.getLoc()));
}

LogicalResult buildHasElement(NodeBuilder &n) {
  return n.finish(
      n.scalar(n.getBuilder().getI1Type(), isAbsent(n.input(0)) ? 0 : 1));
}

LogicalResult buildGetElement(NodeBuilder &n) {
  if (isAbsent(n.input(0)))
    return n.error(Code::BadGraph) << "the optional holds nothing";
  return n.finish(n.input(0));
}

} // namespace

void addSequences(OpTable &table) {
  table.add("SequenceConstruct", 1, buildConstruct);
  table.add("SequenceEmpty", 0, buildEmpty);
  table.add("SequenceAt", 2, buildAt);
  table.add("SequenceInsert", 2, buildInsert).reads = Codes::Understood;
  table.add("SequenceErase", 1, buildErase);
  table.add("SequenceLength", 1, buildLength).reads = Codes::Understood;
  table.add("SplitToSequence", 1, buildSplit);
  table.add("ConcatFromSequence", 1, buildConcat);
  table.add("SequenceMap", 1, buildMap);
  table.add("Optional", 0, buildOptional);
  table.add("OptionalHasElement", 0, buildHasElement).reads = Codes::Understood;
  table.add("OptionalGetElement", 1, buildGetElement);
  table.moveCodes({"SequenceConstruct", "SequenceAt", "SequenceErase",
                   "SplitToSequence", "ConcatFromSequence", "Optional",
                   "OptionalGetElement"});
  table.takeLists({"SequenceAt", "SequenceInsert", "SequenceErase",
                   "SequenceLength", "ConcatFromSequence", "SequenceMap",
                   "Optional", "OptionalHasElement", "OptionalGetElement"});
}

} // namespace graven::onnx
