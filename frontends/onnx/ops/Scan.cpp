//===- Scan.cpp - loops over slices ---------------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the builders of Scan, in which a loop takes slices of
// its inputs and stacks its outputs.
//===----------------------------------------------------------------------===//

#include "frontends/onnx/OpTable.h"
#include "frontends/onnx/ops/LoopNode.h"

using namespace mlir;

namespace graven::onnx {

namespace {

IntList directions(NodeBuilder &n, StringRef name, size_t count) {
  return n.intsAttr(name).value_or(IntList(count, 0));
}

/// Of each scanned input and each stacked output: the axis, and whether it
/// runs backwards.
struct ScanForm {
  int64_t scanned = 0, states = 0;
  IntList axes, reversed, outAxes, outReversed;
};

/// Of a node with `inputs` besides others; nullopt after an error. Its
/// attributes of inputs and outputs begin with these.
std::optional<ScanForm> readScan(NodeBuilder &n, int64_t inputs,
                                 StringRef inputDirections) {
  ScanForm form;
  form.scanned = n.intAttr("num_scan_inputs", 0);
  form.states = inputs - form.scanned;
  if (form.scanned < 1 || form.states < 0) {
    n.error(Code::BadGraph) << "num_scan_inputs is " << form.scanned;
    return std::nullopt;
  }
  size_t scanned = form.scanned,
         stacked = n.getOutputCount() -
                   std::min<size_t>(form.states, n.getOutputCount());
  form.axes = directions(n, "scan_input_axes", scanned);
  form.reversed = directions(n, inputDirections, scanned);
  form.outAxes = directions(n, "scan_output_axes", stacked);
  form.outReversed = directions(n, "scan_output_directions", stacked);
  if (form.axes.size() != scanned || form.reversed.size() != scanned ||
      form.outAxes.size() != stacked || form.outReversed.size() != stacked) {
    n.error(Code::BadGraph) << "axes or directions differ in length";
    return std::nullopt;
  }
  return form;
}

/// A loop that slices its inputs and stacks its outputs.
LogicalResult scan(NodeBuilder &n, const pb::GraphProto &body,
                   ArrayRef<Value> inputs, const ScanForm &form) {
  IntList axes = form.axes;
  const IntList &reversed = form.reversed, &outAxes = form.outAxes,
                &outReversed = form.outReversed;
  int64_t states = form.states;
  LoopParts parts;
  parts.body = &body;
  SmallVector<Value> sequences;
  int64_t length = -1;
  for (auto [i, value] : llvm::enumerate(inputs)) {
    if (!value)
      return n.error(Code::BadGraph) << "an input is absent";
    int64_t which = static_cast<int64_t>(i) - states;
    if (which < 0) {
      parts.init.push_back(value);
      continue;
    }
    auto shape = n.staticShape(value);
    int64_t axis = n.axis(axes[which], n.rankOf(value));
    if (!shape || n.hasFailed())
      return failure();
    if (length >= 0 && (*shape)[axis] != length)
      return n.error(Code::BadGraph) << "scanned inputs have " << (*shape)[axis]
                                     << " and " << length << " slices";
    length = (*shape)[axis];
    axes[which] = axis;
    sequences.push_back(
        reversed[which] ? n.make<ReverseOp>(value, IntList{axis}) : value);
  }
  parts.trip = n.scalar(n.getBuilder().getI64Type(), length);
  auto inputsOf = [&](Block &block) {
    SmallVector<Value> inputs(block.getArguments().drop_front());
    for (auto [sequence, axis] : llvm::zip(sequences, axes))
      inputs.push_back(
          n.make<GatherOp>(sequence, block.getArgument(0), axis, true));
    return inputs;
  };
  auto finish = [&](SmallVector<Value> &outputs) {
    outputs.insert(outputs.begin(), n.scalar(n.getBuilder().getI1Type(), 1));
  };
  parts.inputsOf = inputsOf;
  parts.finish = finish;
  if (failed(buildLoopOp(n, parts)))
    return failure();
  for (size_t i = 0; i < outAxes.size(); ++i) {
    Value value = n.getOutputs()[states + i];
    if (!value)
      continue;
    if (outReversed[i])
      value = n.make<ReverseOp>(value, IntList{0});
    int64_t rank = n.rankOf(value), axis = n.axis(outAxes[i], rank);
    IntList permutation = sequence(1, rank);
    if (n.hasFailed())
      return failure();
    permutation.insert(permutation.begin() + axis, 0);
    n.setOutput(states + i, n.transpose(value, permutation));
  }
  return n.finish();
}

LogicalResult buildScan(NodeBuilder &n) {
  const pb::GraphProto *body = n.graphAttr("body");
  auto form = readScan(n, static_cast<int64_t>(n.getInputCount()),
                       "scan_input_directions");
  return body && form ? scan(n, *body, n.getInputs(), *form) : failure();
}

/// Scan 8: lengths, which may be absent, and then what later versions have,
/// with the samples as first axis. Each sample is a scan of its own.
LogicalResult buildBatchedScan(NodeBuilder &n) {
  constexpr int64_t most = 256;
  const pb::GraphProto *body = n.graphAttr("body");
  if (!body)
    return failure();
  if (n.input(0))
    return n.error(Code::UnsupportedFeature)
           << "sequence_lens is given, expected sequences of one length";
  auto form =
      readScan(n, static_cast<int64_t>(n.getInputCount()) - 1, "directions");
  if (!form)
    return failure();
  ArrayRef<Value> inputs = n.getInputs().drop_front();
  int64_t samples = -1;
  for (Value value : inputs) {
    auto shape = value ? n.staticShape(value) : std::nullopt;
    if (!shape || shape->empty() ||
        (samples >= 0 && shape->front() != samples) || shape->front() < 1 ||
        shape->front() > most)
      return n.hasFailed()
                 ? failure()
                 : LogicalResult(n.error(Code::BadGraph)
                                 << "an input of type " << n.typeOf(value)
                                 << " has no axis of 1 to " << most
                                 << " samples that all have");
    samples = shape->front();
  }
  std::vector<SmallVector<Value>> results(n.getOutputCount());
  for (int64_t sample = 0; sample < samples; ++sample) {
    SmallVector<Value> own;
    for (Value value : inputs)
      own.push_back(n.reshape(n.slice(value, 0, sample, sample + 1),
                              ArrayRef(n.shapeOf(value)).drop_front()));
    if (failed(scan(n, *body, own, *form)))
      return failure();
    for (auto [i, value] : llvm::enumerate(n.getOutputs())) {
      if (!value)
        continue;
      IntList shape = n.shapeOf(value);
      shape.insert(shape.begin(), 1);
      results[i].push_back(n.reshape(value, shape));
    }
  }
  for (auto [i, parts] : llvm::enumerate(results))
    if (!parts.empty())
      n.setOutput(i, n.make<ConcatOp>(ValueRange(parts), int64_t(0)));
  return n.finish();
}

} // namespace

void addScans(OpTable &table) {
  table.add("Scan", 1, buildScan, 9);
  table.add("Scan", 0, buildBatchedScan, 8, 9);
}

} // namespace graven::onnx
