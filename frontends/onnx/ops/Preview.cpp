//===- Preview.cpp - the domain ai.onnx.preview ---*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the builders of FlexAttention and of the steps of
// optimizers.
//===----------------------------------------------------------------------===//

#include "frontends/onnx/GraphImporter.h"
#include "frontends/onnx/NodeBuilder.h"
#include "frontends/onnx/OpTable.h"

using namespace mlir;

namespace graven::onnx {

namespace {

/// What a sub-graph of one input makes of a value; the value without one.
Value modified(NodeBuilder &n, StringRef attribute, Value x) {
  if (n.hasFailed() || !n.hasAttr(attribute))
    return x;
  const pb::GraphProto *graph = n.graphAttr(attribute);
  if (!graph)
    return {};
  auto outputs =
      n.getImporter().importSubgraph(n.getLoc(), *graph, n.getScope(), {x});
  if (succeeded(outputs) && outputs->size() == 1 &&
      outputs->front().getType() == x.getType())
    return outputs->front();
  n.error(Code::BadGraph) << attribute << " does not give one " << x.getType();
  return {};
}

LogicalResult buildFlexAttention(NodeBuilder &n) {
  Value q = n.input(0), k = n.input(1), v = n.input(2);
  auto query = n.staticShape(q), key = n.staticShape(k),
       value = n.staticShape(v);
  if (!query || !key || !value)
    return failure();
  if (query->size() != 4 || key->size() != 4 || value->size() != 4 ||
      (*key)[1] == 0 || (*query)[1] % (*key)[1])
    return n.error(Code::BadGraph) << "queries of type " << n.typeOf(q)
                                   << " for keys of type " << n.typeOf(k);
  Type own = n.elementTypeOf(q),
       type = own.isF64() ? own : n.getBuilder().getF32Type();
  if (n.hasAttr("softmax_precision"))
    type = elementTypeOf(n.getContext(), n.intAttr("softmax_precision", 1));
  if (!type || !isa<FloatType>(type))
    return n.error(Code::UnsupportedFeature) << "softmax_precision is no float";
  int64_t batch = (*query)[0], heads = (*query)[1], rows = (*query)[2],
          keys = (*key)[2], groups = (*key)[1];
  double scale = n.hasAttr("scale")
                     ? n.floatAttr("scale", 0)
                     : 1 / std::sqrt(static_cast<double>((*query)[3]));
  Value scores = n.make<MatmulOp>(
      n.reshape(q, {batch, groups, heads / groups * rows, (*query)[3]}), k,
      false, true);
  scores = n.reshape(n.cast(scores, type), {batch, heads, rows, keys});
  scores = n.binary<MulOp>(scores, n.scalar(type, scale));
  scores = modified(n, "score_mod", scores);
  if (n.hasFailed())
    return failure();
  Value weights =
      modified(n, "prob_mod", n.make<SoftmaxOp>(scores, int64_t(3)));
  if (n.hasFailed())
    return failure();
  weights = n.reshape(n.cast(weights, n.elementTypeOf(v)),
                      {batch, groups, heads / groups * rows, keys});
  return n.finish(n.reshape(n.make<MatmulOp>(weights, v, false, false),
                            {batch, heads, rows, (*value)[3]}));
}

/// One step of an optimizer: rate R and count T, then tensors, their gradients
/// and each kind of state, one after the other.
struct Step {
  NodeBuilder &n;
  int64_t states;
  Value rate = {}, count = {};
  size_t tensors = 0;

  template <class OpTy> Value with(Value x, double value) {
    return n.binary<OpTy>(x, n.scalar(n.elementTypeOf(x), value));
  }
  /// Tensor i of a group: 0 those that are trained, 1 gradients, 2.. states.
  Value get(int64_t group, size_t i) {
    return n.input(2 + group * tensors + i);
  }

  bool read() {
    rate = n.input(0);
    count = n.cast(n.input(1), n.elementTypeOf(rate));
    size_t given = n.getInputCount() - 2;
    tensors = given / (2 + states);
    if (given > 0 && given % (2 + states) == 0 && !n.hasFailed())
      return true;
    n.error(Code::BadGraph) << n.getInputCount() << " inputs";
    return false;
  }
  /// The gradient with that of the squares' regularisation.
  Value gradient(size_t i) {
    Value own = with<MulOp>(get(0, i), n.floatAttr("norm_coefficient", 0));
    return n.binary<AddOp>(own, get(1, i));
  }
  /// a x + b y
  Value mix(Value x, double a, Value y, double b) {
    return n.binary<AddOp>(with<MulOp>(x, a), with<MulOp>(y, b));
  }
  /// Whether this is not the first step.
  Value isLater() {
    return n.compare(ComparePredicate::Gt, count,
                     n.scalar(n.elementTypeOf(count), 0));
  }
  /// x - r direction
  Value descend(size_t i, Value r, Value direction) {
    return n.binary<SubOp>(get(0, i), n.binary<MulOp>(r, direction));
  }
  void set(int64_t group, size_t i, Value value) {
    n.setOutput(group * tensors + i, value);
  }
};

LogicalResult buildAdagrad(NodeBuilder &n) {
  Step step{n, 1};
  if (!step.read())
    return failure();
  Value slowed = step.with<AddOp>(
      step.with<MulOp>(step.count, n.floatAttr("decay_factor", 0)), 1);
  Value rate = n.binary<DivOp>(step.rate, slowed);
  for (size_t i = 0; i < step.tensors; ++i) {
    Value g = step.gradient(i);
    Value squares = n.binary<AddOp>(step.get(2, i), n.binary<MulOp>(g, g));
    Value root = step.with<AddOp>(n.make<SqrtOp>(squares),
                                  n.floatAttr("epsilon", 1e-6f));
    step.set(0, i, step.descend(i, rate, n.binary<DivOp>(g, root)));
    step.set(1, i, squares);
  }
  return n.finish();
}

LogicalResult buildAdam(NodeBuilder &n) {
  Step step{n, 2};
  if (!step.read())
    return failure();
  double alpha = n.floatAttr("alpha", 0.9f), beta = n.floatAttr("beta", 0.999f);
  auto rest = [&](double base) {
    Type type = n.elementTypeOf(step.count);
    Value power = n.binary<PowOp>(n.scalar(type, base), step.count);
    return n.binary<SubOp>(n.scalar(type, 1), power);
  };
  Value adjusted = n.binary<DivOp>(
      n.binary<MulOp>(step.rate, n.make<SqrtOp>(rest(beta))), rest(alpha));
  Value rate = n.select(step.isLater(), adjusted, step.rate);
  for (size_t i = 0; i < step.tensors; ++i) {
    Value g = step.gradient(i);
    Value mean = step.mix(step.get(2, i), alpha, g, 1 - alpha);
    Value squares =
        step.mix(step.get(3, i), beta, n.binary<MulOp>(g, g), 1 - beta);
    Value root = step.with<AddOp>(n.make<SqrtOp>(squares),
                                  n.floatAttr("epsilon", 1e-6f));
    Value x = step.descend(i, rate, n.binary<DivOp>(mean, root));
    step.set(0, i,
             step.with<MulOp>(x, 1 - n.floatAttr("norm_coefficient_post", 0)));
    step.set(1, i, mean);
    step.set(2, i, squares);
  }
  return n.finish();
}

LogicalResult buildMomentum(NodeBuilder &n) {
  Step step{n, 1};
  std::string mode = n.stringAttr("mode", "standard");
  if (!step.read())
    return failure();
  if (mode != "standard" && mode != "nesterov")
    return n.error(Code::BadGraph) << "mode is " << quoted(mode)
                                   << ", expected 'standard' or 'nesterov'";
  double alpha = n.floatAttr("alpha", 0);
  Type type = n.elementTypeOf(step.rate);
  Value beta = n.select(step.isLater(), n.scalar(type, n.floatAttr("beta", 0)),
                        n.scalar(type, 1));
  for (size_t i = 0; i < step.tensors; ++i) {
    Value g = step.gradient(i);
    Value moment = n.binary<AddOp>(step.with<MulOp>(step.get(2, i), alpha),
                                   n.binary<MulOp>(beta, g));
    Value direction = mode == "standard"
                          ? moment
                          : n.binary<AddOp>(g, step.with<MulOp>(moment, alpha));
    step.set(0, i, step.descend(i, step.rate, direction));
    step.set(1, i, moment);
  }
  return n.finish();
}

} // namespace

void addPreviews(OpTable &table) {
  table.add("ai.onnx.preview/FlexAttention", 3, buildFlexAttention);
  constexpr StringRef training = "ai.onnx.preview.training/";
  table.add((training + "Adagrad").str(), 5, buildAdagrad);
  table.add((training + "Adam").str(), 6, buildAdam);
  table.add((training + "Momentum").str(), 5, buildMomentum);
}

} // namespace graven::onnx
