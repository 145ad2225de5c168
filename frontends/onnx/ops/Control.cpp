//===- Control.cpp - control flow ---*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the builders of If and Loop. A condition that is
// known picks its branch; the rest becomes graven.if and graven.loop.
//===----------------------------------------------------------------------===//

#include "frontends/onnx/GraphImporter.h"
#include "frontends/onnx/Lists.h"
#include "frontends/onnx/NodeBuilder.h"
#include "frontends/onnx/OpTable.h"
#include "frontends/onnx/Strings.h"
#include "frontends/onnx/ops/LoopNode.h"
#include "frontends/onnx/ops/Unroll.h"
#include "onnx/onnx.pb.h"

using namespace mlir;

namespace graven::onnx {

namespace {

/// The type that holds both: differing extents become `?`. Null when element
/// types or ranks differ, or one is no tensor's.
RankedTensorType joinTypes(Type a, Type b) {
  auto first = dyn_cast<RankedTensorType>(a),
       second = dyn_cast<RankedTensorType>(b);
  if (!first || !second || first.getElementType() != second.getElementType() ||
      first.getRank() != second.getRank())
    return {};
  IntList shape;
  for (auto [x, y] : llvm::zip(first.getShape(), second.getShape()))
    shape.push_back(x == y ? x : ShapedType::kDynamic);
  return RankedTensorType::get(shape, first.getElementType());
}

/// The one element as rank 0.
Value asScalar(NodeBuilder &n, Value value) {
  return n.rankOf(value) == 0 ? value : n.reshape(value, {});
}

/// A condition as a scalar; null, with an error, where it is no bool.
Value asCondition(NodeBuilder &n, Value value) {
  if (isTensor(value) && n.elementTypeOf(value).isInteger(1))
    return asScalar(n, value);
  n.error(Code::BadGraph) << "the condition has type " << value.getType()
                          << ", expected a bool";
  return {};
}

/// Imports a sub-graph into a new Block of `region` that ends in a yield.
FailureOr<SmallVector<Value>>
importBlock(NodeBuilder &n, Region &region, const pb::GraphProto &graph,
            ArrayRef<Type> argumentTypes,
            llvm::function_ref<SmallVector<Value>(Block &)> inputsOf,
            llvm::function_ref<void(SmallVector<Value> &)> finish,
            SmallVectorImpl<Type> *meanings = nullptr) {
  OpBuilder &builder = n.getBuilder();
  OpBuilder::InsertionGuard guard(builder);
  Block *block = builder.createBlock(
      &region, region.end(), argumentTypes,
      SmallVector<Location>(argumentTypes.size(), n.getLoc()));
  auto outputs = n.getImporter().importSubgraph(n.getLoc(), graph, n.getScope(),
                                                inputsOf(*block), meanings);
  if (failed(outputs))
    return failure();
  finish(*outputs);
  if (n.hasFailed())
    return failure();
  for (auto [i, value] : llvm::enumerate(*outputs))
    if (!isTensor(value))
      return n.error(Code::BadGraph)
             << "value #" << i << " of a sub-graph is no tensor";
  YieldOp::create(builder, n.getLoc(), *outputs);
  return outputs;
}

LogicalResult buildIf(NodeBuilder &n) {
  Value condition = asCondition(n, n.input(0));
  const pb::GraphProto *thenGraph = n.graphAttr("then_branch"),
                       *elseGraph = n.graphAttr("else_branch");
  if (n.hasFailed())
    return failure();
  // Strings and narrow types of the branches.
  SmallVector<Type> meanings[2];
  if (auto known = n.known(condition)) {
    auto outputs = n.getImporter().importSubgraph(
        n.getLoc(), known->getUnsigned(0) ? *thenGraph : *elseGraph,
        n.getScope(), {}, &meanings[0]);
    if (failed(outputs))
      return failure();
    for (auto [i, value] : llvm::enumerate(*outputs)) {
      n.setOutput(i, value);
      n.setNarrow(i, meanings[0][i]);
    }
    return n.finish();
  }
  Region regions[2];
  SmallVector<Value> outputs[2];
  ListShape shapes[2];
  const pb::GraphProto *graphs[] = {thenGraph, elseGraph};
  for (size_t i = 0; i < 2; ++i) {
    auto imported = importBlock(
        n, regions[i], *graphs[i], {},
        [](Block &) { return SmallVector<Value>(); },
        [&](SmallVector<Value> &values) { shapes[i] = flatten(values); },
        &meanings[i]);
    if (failed(imported))
      return failure();
    outputs[i] = *imported;
  }
  // Where they differ the condition decides what the Graph is.
  if (shapes[0] != shapes[1]) {
    if (shapes[0].entries.size() == shapes[1].entries.size())
      return n.reportUnknown(condition, "the condition of branches that give " +
                                            shapes[0].text() + ", and " +
                                            shapes[1].text() + ","),
             failure();
    return n.error(Code::BadGraph)
           << "the branches have " << shapes[0].entries.size() << " and "
           << shapes[1].entries.size() << " outputs";
  }
  for (auto [i, a, b] : llvm::enumerate(meanings[0], meanings[1])) {
    if (a != b)
      return n.error(Code::BadGraph)
             << "output #" << i << " of the branches is "
             << (a ? meaningText(a) : "of plain elements") << " and "
             << (b ? meaningText(b) : "of plain elements");
    n.setNarrow(i, a);
  }
  SmallVector<Type> types;
  for (auto [a, b] : llvm::zip(outputs[0], outputs[1])) {
    types.push_back(joinTypes(a.getType(), b.getType()));
    if (!types.back())
      return n.error(Code::BadGraph)
             << "the branches give " << a.getType() << " and " << b.getType();
  }
  auto op = IfOp::create(n.getBuilder(), n.getLoc(), types, condition);
  op.getThenBlock().takeBody(regions[0]);
  op.getElseBlock().takeBody(regions[1]);
  SmallVector<Value> results(op.getResults());
  for (auto [i, result] :
       llvm::enumerate(regroup(n.getBuilder(), n.getLoc(), results, shapes[0])))
    n.setOutput(i, result);
  return n.finish();
}

} // namespace

LogicalResult buildLoopOp(NodeBuilder &n, const LoopParts &parts) {
  Type index = RankedTensorType::get({}, n.getBuilder().getI64Type());
  SmallVector<Type> carried;
  for (Value value : parts.init)
    carried.push_back(value.getType());
  Region region;
  SmallVector<Value> yielded;
  for (bool changed = true; changed;) {
    changed = false;
    region.getBlocks().clear();
    SmallVector<Type> arguments{index};
    llvm::append_range(arguments, carried);
    auto outputs = importBlock(n, region, *parts.body, arguments,
                               parts.inputsOf, parts.finish);
    if (failed(outputs))
      return failure();
    yielded = *outputs;
    if (yielded.size() < 1 + carried.size())
      return n.error(Code::BadGraph)
             << "the body gives " << yielded.size()
             << " values, expected at least " << 1 + carried.size();
    for (auto [i, type] : llvm::enumerate(carried)) {
      Type joined = joinTypes(type, yielded[1 + i].getType());
      if (!joined)
        return n.error(Code::BadGraph)
               << "carried value #" << i << " begins as " << type
               << " and becomes " << yielded[1 + i].getType();
      changed |= joined != type;
      type = joined;
    }
  }
  // The extent of stacked results is known when every iteration runs.
  int64_t iterations = ShapedType::kDynamic;
  auto isTrue = [&](Value value) {
    auto known = value ? n.known(value) : std::nullopt;
    return !value || (known && known->getUnsigned(0));
  };
  auto trip = parts.trip ? n.known(parts.trip) : std::nullopt;
  if (trip && isTrue(parts.condition) && isTrue(yielded.front()))
    iterations = std::max<int64_t>(0, trip->getInt(0));
  SmallVector<Type> stacked;
  for (Value slice : ArrayRef(yielded).drop_front(1 + carried.size())) {
    IntList shape = n.shapeOf(slice);
    shape.insert(shape.begin(), iterations);
    stacked.push_back(RankedTensorType::get(shape, n.elementTypeOf(slice)));
  }
  auto op = LoopOp::create(n.getBuilder(), n.getLoc(), carried, stacked,
                           parts.trip, parts.condition, parts.init);
  op.getBody().takeBody(region);
  for (auto [i, result] : llvm::enumerate(op->getResults()))
    n.setOutput(i, result);
  return success();
}

namespace {

LogicalResult buildLoop(NodeBuilder &n) {
  const pb::GraphProto *body = n.graphAttr("body");
  if (!body)
    return failure();
  LoopParts parts;
  parts.body = body;
  if (!llvm::all_of(n.getInputs().take_front(2),
                    [](Value value) { return !value || isTensor(value); }))
    return n.error(Code::BadGraph) << "trip count or condition is no tensor";
  if (n.input(0))
    parts.trip = n.cast(asScalar(n, n.input(0)), n.getBuilder().getI64Type());
  if (n.input(1))
    parts.condition = asCondition(n, n.input(1));
  for (Value value :
       n.getInputs().drop_front(std::min<size_t>(2, n.getInputCount()))) {
    if (!value)
      return n.error(Code::BadGraph) << "a carried value is absent";
    parts.init.push_back(value);
  }
  if (n.hasFailed())
    return failure();
  if (!llvm::all_of(parts.init, isTensor))
    return unrollLoop(n, {parts.trip, parts.condition, parts.init, body});
  // The body only runs while the condition holds.
  auto inputsOf = [&](Block &block) {
    SmallVector<Value> inputs{block.getArgument(0),
                              n.scalar(n.getBuilder().getI1Type(), 1)};
    llvm::append_range(inputs, block.getArguments().drop_front());
    return inputs;
  };
  auto finish = [&](SmallVector<Value> &outputs) {
    if (outputs.empty() || !n.elementTypeOf(outputs[0]).isInteger(1))
      n.error(Code::BadGraph) << "the body gives no condition";
    else
      outputs[0] = asScalar(n, outputs[0]);
  };
  parts.inputsOf = inputsOf;
  parts.finish = finish;
  // An extent may follow from the iteration: then each is Nodes of its own.
  std::vector<Diagnostic> held;
  bool &needsUnrolling = n.getImporter().needsUnrolling, isBuilt = false;
  needsUnrolling = false;
  {
    ScopedDiagnosticHandler holding(n.getContext(),
                                    [&](Diagnostic &diagnostic) {
                                      held.push_back(std::move(diagnostic));
                                      return success();
                                    });
    isBuilt = succeeded(buildLoopOp(n, parts));
  }
  if (!isBuilt && std::exchange(needsUnrolling, false) && !n.hasFailed())
    return unrollLoop(n, {parts.trip, parts.condition, parts.init, body});
  for (Diagnostic &diagnostic : held)
    n.getContext()->getDiagEngine().emit(std::move(diagnostic));
  return isBuilt ? n.finish() : failure();
}

} // namespace

void addControl(OpTable &table) {
  table.add("If", 1, buildIf);
  table.add("Loop", 0, buildLoop);
  table.takeLists({"Loop"});
}

} // namespace graven::onnx
