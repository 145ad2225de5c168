//===- Loss.cpp - losses of classifiers ---*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the builders of NegativeLogLikelihoodLoss and
// SoftmaxCrossEntropyLoss.
//===----------------------------------------------------------------------===//

#include "frontends/onnx/NodeBuilder.h"
#include "frontends/onnx/OpTable.h"

using namespace mlir;

namespace graven::onnx {

namespace {

/// The loss of log-probabilities x [N, C, D..] for the classes in `target`
/// [N, D..], with a weight for each class; targets that are ignore_index count
/// for nothing.
LogicalResult lossOf(NodeBuilder &n, Value x, Value target, Value weight) {
  auto shape = n.staticShape(x);
  if (!shape)
    return failure();
  IntList wanted = *shape;
  if (wanted.size() < 2)
    return n.error(Code::BadGraph) << "the scores have rank " << wanted.size()
                                   << ", expected at least 2";
  wanted.erase(wanted.begin() + 1);
  if (n.shapeOf(target) != wanted)
    return n.error(Code::BadGraph) << "the target has type " << n.typeOf(target)
                                   << " for scores of type " << n.typeOf(x);
  Type type = n.elementTypeOf(x), i64 = n.getBuilder().getI64Type();
  target = n.cast(target, i64);
  Value counts; // null where all do
  if (n.hasAttr("ignore_index")) {
    Value ignored = n.reshape(n.intList({n.intAttr("ignore_index", 0)}), {});
    counts = n.compare(ComparePredicate::Ne, target, ignored);
    target = n.select(counts, target, n.scalar(i64, 0));
  }
  IntList column = wanted;
  column.insert(column.begin() + 1, 1);
  Value picked = n.reshape(
      n.make<GatherElementsOp>(x, n.reshape(target, column), int64_t(1), false),
      wanted);
  Value loss = n.make<NegOp>(picked), weights;
  if (weight)
    weights = n.make<GatherOp>(weight, target, int64_t(0), false);
  else
    weights = n.splat(RankedTensorType::get(wanted, type), 1);
  if (counts)
    weights = n.select(counts, weights, n.scalar(type, 0));
  if (weight || counts)
    loss = n.binary<MulOp>(loss, weights);
  // Nothing times infinity is none either.
  if (counts)
    loss = n.select(counts, loss, n.scalar(type, 0));
  std::string reduction = n.stringAttr("reduction", "mean");
  if (reduction == "none")
    return n.finish(loss);
  if (reduction != "mean" && reduction != "sum")
    return n.error(Code::BadGraph) << "reduction is " << quoted(reduction)
                                   << ", expected 'none', 'mean' or 'sum'";
  IntList axes = sequence(0, wanted.size());
  Value sum = n.reduce(loss, ReduceKind::Sum, axes, /*keep=*/false);
  if (reduction == "sum")
    return n.finish(sum);
  return n.finish(n.binary<DivOp>(
      sum, n.reduce(weights, ReduceKind::Sum, axes, /*keep=*/false)));
}

LogicalResult buildNegativeLogLikelihood(NodeBuilder &n) {
  return lossOf(n, n.input(0), n.input(1), n.input(2));
}

LogicalResult buildSoftmaxCrossEntropy(NodeBuilder &n) {
  if (n.rankOf(n.input(0)) < 2)
    return n.error(Code::BadGraph)
           << "the scores have rank " << n.rankOf(n.input(0))
           << ", expected at least 2";
  Value logs = n.make<LogSoftmaxOp>(n.input(0), int64_t(1));
  n.setOutput(1, logs);
  return logs ? lossOf(n, logs, n.input(1), n.input(2)) : failure();
}

} // namespace

void addLosses(OpTable &table) {
  table.add("NegativeLogLikelihoodLoss", 2, buildNegativeLogLikelihood, 12);
  table.add("SoftmaxCrossEntropyLoss", 2, buildSoftmaxCrossEntropy, 12);
}

} // namespace graven::onnx
