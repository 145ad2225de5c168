//===- Trace.cpp - what the Nodes of a Graph give ---------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements traces and their comparison by places of the model.
//===----------------------------------------------------------------------===//

#include "passes/verify/Trace.h"

#include "dialects/graven/eval/Compute.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/Path.h"

using namespace mlir;
using graven::eval::Tensor;

namespace graven {

std::string placeKey(Location loc) {
  while (auto fused = dyn_cast<FusedLoc>(loc)) {
    if (fused.getLocations().empty())
      return "";
    loc = fused.getLocations().back();
  }
  if (isa<UnknownLoc>(loc))
    return "";
  std::string text;
  llvm::raw_string_ostream os(text);
  // The folder of a text is nothing of the model's.
  if (auto file = dyn_cast<FileLineColLoc>(loc))
    os << llvm::sys::path::filename(file.getFilename()) << ":" << file.getLine()
       << ":" << file.getColumn();
  else
    os << loc;
  return text;
}

bool isTraced(Operation *node) {
  return node->getNumResults() > 0 && !isa<GetParamOp>(node) &&
         !node->hasTrait<OpTrait::ConstantLike>();
}

SmallVector<OpResult> tracedValues(GraphOp graph) {
  SmallVector<OpResult> values;
  for (Operation &node : graph.getBody().front())
    if (isTraced(&node))
      llvm::append_range(values, node.getResults());
  return values;
}

void addOutputs(GraphOp graph, ArrayRef<OpResult> values) {
  auto outputs = graph.getReturn().getOutputsMutable();
  for (OpResult value : values)
    outputs.append(value);
  SmallVector<Attribute> attributes;
  if (ArrayAttr own = graph.getResAttrsAttr())
    llvm::append_range(attributes, own);
  attributes.resize(outputs.size(), DictionaryAttr::get(graph.getContext()));
  graph.setResAttrsAttr(ArrayAttr::get(graph.getContext(), attributes));
  graph.updateType();
}

/// The values of the list that are computed from `value`, with others that are
/// not in it between.
static void findReaders(Value value, Block &block,
                        const llvm::DenseMap<Value, size_t> &places,
                        NodeValue &node) {
  for (Operation *user : value.getUsers()) {
    Operation *here = block.findAncestorOpInBlock(*user);
    node.isSeen |= here->hasTrait<OpTrait::IsTerminator>();
    for (Value result : here->getResults()) {
      auto place = places.find(result);
      if (place == places.end())
        findReaders(result, block, places, node);
      else
        node.readers.push_back(place->second);
    }
  }
}

std::vector<NodeValue> describeValues(ArrayRef<OpResult> values) {
  llvm::DenseMap<Value, size_t> places;
  for (auto [i, value] : llvm::enumerate(values))
    places[value] = i;
  std::vector<NodeValue> nodes;
  for (OpResult value : values) {
    Operation *op = value.getOwner();
    NodeValue &node = nodes.emplace_back(placeKey(op->getLoc()),
                                         op->getName().stripDialect().str(),
                                         op->getLoc(), Tensor());
    node.isSeen = false;
    findReaders(value, *op->getBlock(), places, node);
  }
  return nodes;
}

FailureOr<Trace> traceGraph(GraphOp graph, ArrayRef<Tensor> inputs) {
  // A copy beside it, so that it finds the same symbols.
  OwningOpRef<GraphOp> copy(cast<GraphOp>(graph->clone()));
  graph->getBlock()->getOperations().insert(Block::iterator(graph), copy.get());
  GraphOp inserted = copy.release();
  llvm::scope_exit remove([&] { inserted.erase(); });
  SmallVector<OpResult> values = tracedValues(inserted);
  size_t own = inserted.getReturn().getOutputs().size();
  Trace trace{{}, describeValues(values)};
  addOutputs(inserted, values);
  eval::Evaluator evaluator;
  auto results = evaluator.run(inserted, inputs);
  if (failed(results))
    return failure();
  auto tensors = ArrayRef(*results);
  llvm::append_range(trace.outputs, tensors.take_front(own));
  for (auto [node, tensor] :
       llvm::zip_equal(trace.nodes, tensors.drop_front(own)))
    node.value = tensor;
  return trace;
}

std::optional<Tensor> inFormOf(const Tensor &expected, const Tensor &got) {
  if (expected.getType() == got.getType())
    return got;
  constexpr int64_t block = 16;
  auto isBlockedForm = [&](ArrayRef<int64_t> planar,
                           ArrayRef<int64_t> blocked) {
    return planar.size() >= 2 && blocked.size() == planar.size() + 1 &&
           blocked.back() == block && blocked[0] == planar[0] &&
           blocked[1] == llvm::divideCeil(planar[1], block) &&
           planar.drop_front(2) == blocked.drop_front(2).drop_back();
  };
  if (expected.getElementType() != got.getElementType())
    return std::nullopt;
  if (isBlockedForm(expected.getShape(), got.getShape()))
    return eval::toPlanar(got, expected.getDim(1));
  if (isBlockedForm(got.getShape(), expected.getShape()))
    return eval::toBlocked(got);
  return std::nullopt;
}

std::vector<NodeComparison> compareTraces(ArrayRef<NodeValue> expected,
                                          ArrayRef<NodeValue> got) {
  llvm::StringMap<SmallVector<const NodeValue *>> known;
  for (const NodeValue &value : expected)
    if (!value.key.empty())
      known[value.key].push_back(&value);
  std::vector<NodeComparison> comparisons;
  for (const NodeValue &value : got) {
    auto found = known.find(value.key);
    if (found == known.end())
      continue;
    std::optional<NodeComparison> nearest;
    for (const NodeValue *candidate : found->second) {
      std::optional<Tensor> formed = inFormOf(candidate->value, value.value);
      if (!formed)
        continue;
      Errors errors = errorsOf(candidate->value, *formed);
      if (!nearest || errors.relative() < nearest->errors.relative())
        nearest = NodeComparison{candidate, &value, errors};
    }
    if (nearest)
      comparisons.push_back(*nearest);
  }
  return comparisons;
}

const NodeComparison *firstDivergence(ArrayRef<NodeValue> got,
                                      ArrayRef<NodeComparison> comparisons,
                                      std::optional<double> tolerance) {
  llvm::DenseMap<const NodeValue *, const NodeComparison *> known;
  for (const NodeComparison &comparison : comparisons)
    known[comparison.got] = &comparison;
  // Whether a difference here would be seen. Readers come later.
  std::vector<bool> carries(got.size());
  const NodeComparison *first = nullptr;
  for (size_t i = got.size(); i-- > 0;) {
    const NodeComparison *comparison = known.lookup(&got[i]);
    if (comparison && comparison->isWithin(tolerance))
      continue;
    carries[i] = got[i].isSeen ||
                 llvm::any_of(got[i].readers,
                              [&](size_t reader) { return carries[reader]; });
    if (comparison && carries[i])
      first = comparison;
  }
  return first;
}

std::optional<std::string> outputDifference(ArrayRef<Tensor> expected,
                                            ArrayRef<Tensor> got,
                                            std::optional<double> tolerance) {
  if (expected.size() != got.size())
    return llvm::formatv("expected {0} outputs, got {1}", expected.size(),
                         got.size())
        .str();
  for (auto [i, pair] : llvm::enumerate(llvm::zip_equal(expected, got))) {
    auto &[wanted, found] = pair;
    std::string text;
    llvm::raw_string_ostream os(text);
    os << "output " << i;
    if (wanted.getType() != found.getType()) {
      os << " is " << found.getType() << ", expected " << wanted.getType();
      return text;
    }
    Errors errors = errorsOf(wanted, found);
    if (errors.relative() <=
        tolerance.value_or(usualTolerance(wanted.getElementType())))
      continue;
    std::vector<double> as = wanted.toDoubles(), bs = found.toDoubles();
    os << llvm::formatv(
              " differs by {0:e1} of its greatest element: element {1}",
              errors.relative(), errors.worst)
       << llvm::format(" is %.9g, expected %.9g", bs[errors.worst],
                       as[errors.worst]);
    return text;
  }
  return std::nullopt;
}

} // namespace graven
