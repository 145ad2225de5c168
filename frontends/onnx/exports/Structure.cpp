//===- Structure.cpp - constants, Parameters, control flow ---*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file expresses what gives a graph its structure: constants and
// Parameters are initializers, branches and loops have graphs as attributes.
//===----------------------------------------------------------------------===//

#include "frontends/onnx/exports/Exporter.h"

using namespace mlir;

namespace graven::onnx {

/// Splats of more elements are expanded when the model runs.
static constexpr int64_t kMaxSplat = 1024;

static void express(Exporter &e, ConstantOp op) {
  auto value = dyn_cast<DenseElementsAttr>(op.getValue());
  if (!value)
    return e.unsupported(op, "its elements are not in the graph");
  if (!value.isSplat() || value.getNumElements() <= kMaxSplat)
    return e.alias(op.getResult(),
                   e.constant(eval::Tensor::fromElements(value)));
  auto one = value.getSplatValue<Attribute>();
  auto type = RankedTensorType::get({}, value.getElementType());
  Name scalar =
      e.constant(eval::Tensor::fromElements(DenseElementsAttr::get(type, one)));
  e.give(op, "Expand", {scalar, e.ints(value.getType().getShape())});
}

static void express(Exporter &e, GetParamOp op) {
  auto param =
      SymbolTable::lookupNearestSymbolFrom<ParamOp>(op, op.getParamAttr());
  if (!param || !isa<BlobAttr, DenseElementsAttr>(param.getValue()))
    return e.unsupported(op, "the Parameter is computed by @prepare");
  for (const Initializer &known : e.initializers)
    if (known.param == param)
      return e.alias(op.getResult(), known.name);
  Name name = e.fresh(op.getParam());
  e.initializers.push_back({name, param.getTensorType(), "", param});
  e.alias(op.getResult(), name);
}

static pb::GraphProto &graphOf(pb::NodeProto &node, const char *name) {
  pb::AttributeProto &attribute = *node.add_attribute();
  attribute.set_name(name);
  attribute.set_type(pb::AttributeProto::GRAPH);
  return *attribute.mutable_g();
}

static void express(Exporter &e, IfOp op) {
  pb::NodeProto *node = e.give(op, "If", {e.name(op.getCond())});
  e.subgraph(op.getThenBlock().front(), {}, graphOf(*node, "then_branch"));
  e.subgraph(op.getElseBlock().front(), {}, graphOf(*node, "else_branch"));
}

static void express(Exporter &e, LoopOp op) {
  // Before, the node wants a value that it carries.
  if (op.getInit().empty() && !e.needs(op, 11, "a loop that carries nothing"))
    return;
  Names inputs{e.name(op.getTrip()), e.name(op.getCond())};
  // The node has both; absent ones at the end would be left out.
  if (!op.getCond() && op.getInit().empty())
    inputs[1] = e.scalar(IntegerType::get(op.getContext(), 1), 1);
  for (Value value : op.getInit())
    inputs.push_back(e.name(value));
  pb::NodeProto *node = e.give(op, "Loop", inputs);
  pb::GraphProto &body = graphOf(*node, "body");
  Block &block = op.getBody().front();
  Names arguments;
  for (auto [i, argument] : llvm::enumerate(block.getArguments())) {
    arguments.push_back(e.fresh("carried"));
    e.declare(*body.add_input(), arguments.back(), Exporter::typeOf(argument));
    // The condition, which the body of a graven.loop does not see.
    if (i == 0)
      e.declare(
          *body.add_input(), e.fresh("condition"),
          RankedTensorType::get({}, IntegerType::get(op.getContext(), 1)));
  }
  e.subgraph(block, arguments, body);
}

void addStructureExports(ExportTable &table) {
  table.add<ConstantOp, express>();
  table.add<GetParamOp, express>();
  table.add<IfOp, express>();
  table.add<LoopOp, express>();
}

} // namespace graven::onnx
