//===- NativeTrace.cpp - what the Nodes of native code give -----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements making Nodes outputs, and giving their values back.
//===----------------------------------------------------------------------===//

#include "compiler/session/NativeTrace.h"

using namespace mlir;

namespace graven {

/// Whether a run can give the value back.
static bool isGivable(Value value) {
  auto type = cast<RankedTensorType>(value.getType());
  return type.hasStaticShape() && dtypeOf(type.getElementType()) != 0;
}

FailureOr<Trace> traceNative(Session &session, ModuleOp module,
                             CompileOptions options,
                             MutableArrayRef<rt::Array> inputs) {
  // What a place and an op are is taken now: the Nodes do not last.
  std::vector<NodeValue> nodes;
  size_t own = 0;
  options.onGraph = [&, before = options.onGraph](GraphOp graph) {
    if (before && failed(before(graph)))
      return failure();
    own = graph.getReturn().getOutputs().size();
    SmallVector<OpResult> values = tracedValues(graph);
    llvm::erase_if(values, [](OpResult value) { return !isGivable(value); });
    nodes = describeValues(values);
    addOutputs(graph, values);
    return success();
  };
  auto loaded = session.load(module, options);
  if (failed(loaded))
    return failure();
  auto outputs = loaded->run(inputs);
  if (!outputs)
    return LogicalResult(report(&session.getContext(), outputs.error()));
  Trace trace;
  trace.nodes = std::move(nodes);
  SmallVector<eval::Tensor> tensors =
      toTensors(&session.getContext(), *outputs);
  for (auto [i, tensor] : llvm::enumerate(tensors)) {
    if (i < own)
      trace.outputs.push_back(std::move(tensor));
    else
      trace.nodes[i - own].value = std::move(tensor);
  }
  return trace;
}

} // namespace graven
