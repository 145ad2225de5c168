//===- Norm.cpp - normalisations and softmax ---*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file expresses the normalisations, as one node where the opset has it.
//===----------------------------------------------------------------------===//

#include "frontends/onnx/exports/Exporter.h"

using namespace mlir;
using Ints = SmallVector<int64_t>;

namespace graven::onnx {

static void express(Exporter &e, BatchNormOp op) {
  e.give(op, "BatchNormalization",
         {e.name(op.getX()), e.name(op.getScale()), e.name(op.getBias()),
          e.name(op.getMean()), e.name(op.getVariance())},
         {{"epsilon", op.getEpsilon().convertToDouble()}});
}

/// `x` times scale plus bias, as far as they are there.
static Name affine(Exporter &e, Name x, const Name &scale, const Name &bias) {
  if (!scale.empty())
    x = e.make("Mul", {x, scale});
  return bias.empty() ? x : e.make("Add", {x, bias});
}

static Ints axesFrom(int64_t axis, int64_t rank) {
  Ints axes;
  for (; axis < rank; ++axis)
    axes.push_back(axis);
  return axes;
}

static void express(Exporter &e, LayerNormOp op) {
  Name x = e.name(op.getX());
  auto type = Exporter::typeOf(op.getX());
  int64_t axis = op.getAxis();
  double epsilon = op.getEpsilon().convertToDouble();
  Name scale = e.name(op.getScale()), bias = e.name(op.getBias());
  if (e.opset() >= 17) {
    auto extents = type.getShape().drop_front(axis);
    if (scale.empty() && ShapedType::isDynamicShape(extents))
      return e.unsupported(op, "an extent that is not known");
    if (scale.empty())
      scale = e.splat(type.getElementType(), extents, 1);
    e.give(op, "LayerNormalization", {x, scale, bias},
           {{"axis", axis}, {"epsilon", epsilon}});
    return;
  }
  Ints axes = axesFrom(axis, type.getRank());
  Name centered = e.make("Sub", {x, e.reduce("ReduceMean", x, axes, true)});
  Name variance =
      e.reduce("ReduceMean", e.make("Mul", {centered, centered}), axes, true);
  Name deviation = e.make(
      "Sqrt",
      {e.make("Add", {variance, e.scalar(type.getElementType(), epsilon)})});
  e.alias(op.getResult(),
          affine(e, e.make("Div", {centered, deviation}), scale, bias));
}

static void express(Exporter &e, RmsNormOp op) {
  Name x = e.name(op.getX());
  auto type = Exporter::typeOf(op.getX());
  double epsilon = op.getEpsilon().convertToDouble();
  Name scale = e.name(op.getScale());
  if (e.opset() >= 23 && !scale.empty()) {
    e.give(op, "RMSNormalization", {x, scale},
           {{"axis", int64_t(op.getAxis())}, {"epsilon", epsilon}});
    return;
  }
  Name mean = e.reduce("ReduceMean", e.make("Mul", {x, x}),
                       axesFrom(op.getAxis(), type.getRank()), true);
  Name root =
      e.make("Sqrt",
             {e.make("Add", {mean, e.scalar(type.getElementType(), epsilon)})});
  e.alias(op.getResult(), affine(e, e.make("Div", {x, root}), scale, ""));
}

/// Groups are the channels of an instance norm without weights.
static void express(Exporter &e, GroupNormOp op) {
  auto shape = Exporter::typeOf(op.getX());
  Type type = Exporter::element(op.getX());
  int64_t channels = shape.getDimSize(1), groups = op.getGroups(),
          rank = shape.getRank();
  if (ShapedType::isDynamic(channels))
    return e.unsupported(op, "a number of channels that is not known");
  double epsilon = op.getEpsilon().convertToDouble();
  Name x = e.name(op.getX()), scale = e.name(op.getScale()),
       bias = e.name(op.getBias());
  auto ones = [&] {
    return scale.empty() ? e.splat(type, {channels}, 1) : scale;
  };
  auto zeros = [&] {
    return bias.empty() ? e.splat(type, {channels}, 0) : bias;
  };
  if (groups == channels && rank > 2) {
    e.give(op, "InstanceNormalization", {x, ones(), zeros()},
           {{"epsilon", epsilon}});
    return;
  }
  if (e.opset() >= 21) {
    e.give(op, "GroupNormalization", {x, ones(), zeros()},
           {{"epsilon", epsilon}, {"num_groups", groups}});
    return;
  }
  Name grouped = e.reshape(x, {0, groups, -1});
  Name normal =
      e.make("InstanceNormalization",
             {grouped, e.splat(type, {groups}, 1), e.splat(type, {groups}, 0)},
             {{"epsilon", epsilon}});
  Ints perChannel(rank - 1, 1);
  perChannel[0] = channels;
  auto aligned = [&](Value value) -> Name {
    if (!value)
      return "";
    if (auto elements = e.known(value))
      return e.rewritten(value, elements->reshaped(perChannel));
    return e.reshape(e.name(value), perChannel);
  };
  Name back = e.make("Reshape", {normal, e.extents(op.getX())});
  e.alias(op.getResult(),
          affine(e, back, aligned(op.getScale()), aligned(op.getBias())));
}

/// Until opset 12 all axes from the given one on are one, so the axis is moved
/// to the end.
template <class Op> static void softmax(Exporter &e, Op op, const char *node) {
  Name x = e.name(op.getX());
  int64_t axis = op.getAxis(), last = Exporter::rank(op.getX()) - 1;
  if (e.opset() >= 13 || axis == last) {
    e.give(op, node, {x}, {{"axis", axis}});
    return;
  }
  Ints permutation = axesFrom(0, last + 1);
  std::swap(permutation[axis], permutation[last]);
  Name moved = e.make(node, {e.transpose(x, permutation)}, {{"axis", last}});
  e.alias(op.getResult(), e.transpose(moved, permutation));
}

static void express(Exporter &e, SoftmaxOp op) { softmax(e, op, "Softmax"); }
static void express(Exporter &e, LogSoftmaxOp op) {
  softmax(e, op, "LogSoftmax");
}

void addNormExports(ExportTable &table) {
  table.add<BatchNormOp, express>();
  table.add<LayerNormOp, express>();
  table.add<RmsNormOp, express>();
  table.add<GroupNormOp, express>();
  table.add<SoftmaxOp, express>();
  table.add<LogSoftmaxOp, express>();
}

} // namespace graven::onnx
