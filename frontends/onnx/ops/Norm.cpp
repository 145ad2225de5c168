//===- Norm.cpp - normalisations and softmax ---*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the builders of normalisations, softmax and its
// relatives.
//===----------------------------------------------------------------------===//

#include "frontends/onnx/NodeBuilder.h"
#include "frontends/onnx/OpTable.h"

using namespace mlir;

namespace graven::onnx {

namespace {

llvm::APFloat epsilonOf(NodeBuilder &n) {
  return llvm::APFloat(n.floatAttr("epsilon", 1e-5f));
}

/// With the statistics of the batch, which the running ones get a part of.
LogicalResult trainBatchNorm(NodeBuilder &n) {
  Value x = n.input(0);
  Type type = n.elementTypeOf(x);
  int64_t rank = n.rankOf(x);
  if (rank < 2)
    return n.error(Code::BadGraph)
           << "the input has rank " << rank << ", expected at least 2";
  IntList axes = sequence(0, rank), line(rank, 1);
  axes.erase(axes.begin() + 1);
  line[1] = n.shapeOf(x)[1];
  if (ShapedType::isDynamic(line[1]))
    return n.staticShape(x), failure();
  Value mean = n.reduce(x, ReduceKind::Mean, axes, /*keep=*/true);
  Value centred = n.binary<SubOp>(x, mean);
  Value variance = n.reduce(n.binary<MulOp>(centred, centred), ReduceKind::Mean,
                            axes, /*keep=*/true);
  Value deviation = n.make<SqrtOp>(
      n.binary<AddOp>(variance, n.scalar(type, n.floatAttr("epsilon", 1e-5f))));
  double momentum = n.floatAttr("momentum", 0.9f);
  for (auto [i, own] : {std::pair(1, mean), std::pair(2, variance)}) {
    Value old = n.cast(n.input(i + 2), type);
    Value part = n.binary<MulOp>(n.reshape(own, {line[1]}),
                                 n.scalar(type, 1 - momentum));
    Value next =
        n.binary<AddOp>(n.binary<MulOp>(old, n.scalar(type, momentum)), part);
    n.setOutput(i, n.cast(next, n.elementTypeOf(n.input(i + 2))));
  }
  auto perChannel = [&](size_t i) {
    return n.reshape(n.cast(n.input(i), type), line);
  };
  Value y = n.binary<MulOp>(n.binary<DivOp>(centred, deviation), perChannel(1));
  return n.finish(n.binary<AddOp>(y, perChannel(2)));
}

LogicalResult buildBatchNorm(NodeBuilder &n) {
  if (n.flagAttr("training_mode") && n.getOpset() >= 14)
    return trainBatchNorm(n);
  if (!n.flagAttr("spatial", true))
    return n.error(Code::UnsupportedFeature) << "spatial = 0 is not supported";
  if (n.getOpset() < 7 && !n.flagAttr("is_test"))
    return n.error(Code::UnsupportedFeature)
           << "is_test = 0, which is training, is not supported";
  Value x = n.input(0);
  Type type = n.elementTypeOf(x);
  Value statistics[4];
  for (auto [i, value] : llvm::enumerate(statistics))
    value = n.cast(n.input(i + 1), type);
  return n.finish(n.make<BatchNormOp>(x, statistics[0], statistics[1],
                                      statistics[2], statistics[3],
                                      epsilonOf(n)));
}

/// (x - mean) / sqrt(var + epsilon) over `axes`; sets mean and 1 / sqrt.
Value standardize(NodeBuilder &n, Value x, ArrayRef<int64_t> axes,
                  double epsilon, Value &mean, Value &inverse) {
  Type type = n.elementTypeOf(x);
  mean = n.reduce(x, ReduceKind::Mean, axes, true);
  Value centered = n.binary<SubOp>(x, mean);
  Value variance =
      n.reduce(n.make<MulOp>(centered, centered), ReduceKind::Mean, axes, true);
  Value deviation =
      n.make<SqrtOp>(n.binary<AddOp>(variance, n.scalar(type, epsilon)));
  inverse = n.make<DivOp>(n.scalar(type, 1), deviation);
  return n.binary<DivOp>(centered, deviation);
}

/// Whether `value` is absent or has exactly the extents from `axis` on.
bool fitsNorm(NodeBuilder &n, Value x, int64_t axis, Value value) {
  return !value ||
         n.typeOf(value).getShape() == n.typeOf(x).getShape().drop_front(axis);
}

LogicalResult buildLayerNorm(NodeBuilder &n) {
  Value x = n.input(0), scale = n.input(1), bias = n.input(2);
  int64_t rank = n.rankOf(x), axis = n.axis(n.intAttr("axis", -1), rank);
  if (n.hasFailed())
    return failure();
  if (!n.wantsOutput(1) && !n.wantsOutput(2) && fitsNorm(n, x, axis, scale) &&
      fitsNorm(n, x, axis, bias))
    return n.finish(n.make<LayerNormOp>(x, scale, bias, axis, epsilonOf(n)));
  Value mean, inverse;
  IntList axes = sequence(axis, rank);
  Value y =
      standardize(n, x, axes, n.floatAttr("epsilon", 1e-5f), mean, inverse);
  y = n.binary<MulOp>(y, scale);
  if (bias)
    y = n.binary<AddOp>(y, bias);
  n.setOutput(1, mean);
  n.setOutput(2, inverse);
  return n.finish(y);
}

LogicalResult buildRmsNorm(NodeBuilder &n) {
  Value x = n.input(0), scale = n.input(1);
  Type type = n.elementTypeOf(x);
  int64_t rank = n.rankOf(x), axis = n.axis(n.intAttr("axis", -1), rank);
  if (n.hasFailed())
    return failure();
  scale = n.cast(scale, type);
  if (!n.hasFailed() && fitsNorm(n, x, axis, scale))
    return n.finish(n.make<RmsNormOp>(x, scale, axis, epsilonOf(n)));
  Value y = n.make<RmsNormOp>(x, Value(), axis, epsilonOf(n));
  return n.finish(n.binary<MulOp>(y, scale));
}

LogicalResult groupNorm(NodeBuilder &n, int64_t groups, Value scale,
                        Value bias) {
  return n.finish(
      n.make<GroupNormOp>(n.input(0), scale, bias, groups, epsilonOf(n)));
}

std::optional<int64_t> channelsOf(NodeBuilder &n) {
  Value x = n.input(0);
  if (n.rankOf(x) < 2) {
    n.error(Code::BadGraph)
        << "input has rank " << n.rankOf(x) << ", expected at least 2";
    return std::nullopt;
  }
  int64_t channels = n.shapeOf(x)[1];
  if (!ShapedType::isDynamic(channels))
    return channels;
  n.staticShape(x);
  return std::nullopt;
}

LogicalResult buildInstanceNorm(NodeBuilder &n) {
  auto channels = channelsOf(n);
  if (!channels)
    return failure();
  return groupNorm(n, *channels, n.input(1), n.input(2));
}

LogicalResult buildGroupNorm(NodeBuilder &n) {
  Type type = n.elementTypeOf(n.input(0));
  return groupNorm(n, n.intAttr("num_groups", 0), n.cast(n.input(1), type),
                   n.cast(n.input(2), type));
}

/// Opset 18 scales each group, not each channel.
LogicalResult buildGroupNorm18(NodeBuilder &n) {
  auto channels = channelsOf(n);
  int64_t groups = n.intAttr("num_groups", 0);
  if (!channels)
    return failure();
  if (groups <= 0 || *channels % groups)
    return n.error(Code::BadGraph)
           << *channels << " channels are no multiple of " << groups
           << " groups";
  auto perChannel = [&](Value perGroup) {
    Value column = n.reshape(perGroup, {groups, 1});
    return n.reshape(n.expand(column, {groups, *channels / groups}),
                     {*channels});
  };
  return groupNorm(n, groups, perChannel(n.input(1)), perChannel(n.input(2)));
}

/// x / (k + alpha / size sum of squares over neighbouring channels)^beta
LogicalResult buildLrn(NodeBuilder &n) {
  Value x = n.input(0);
  Type type = n.elementTypeOf(x);
  int64_t size = n.intAttr("size", 0);
  auto shape = n.staticShape(x);
  if (!shape)
    return failure();
  if (shape->size() < 3 || size <= 0)
    return n.error(Code::BadGraph)
           << "input has rank " << shape->size() << ", size is " << size;
  auto plane = elementCount(ArrayRef(*shape).drop_front(2));
  IntList ones{1, 1}, kernel{size, 1}, pads{(size - 1) / 2, 0, size / 2, 0};
  Value squares = n.reshape(n.make<MulOp>(x, x),
                            {(*shape)[0], 1, (*shape)[1], plane.value_or(-1)});
  Value mean = n.reshape(
      n.make<AvgPoolOp>(squares, kernel, ones, ones, pads, false,
                        /*count_include_pad=*/true, int64_t(0), Layout::Planar),
      *shape);
  Value base = n.binary<AddOp>(
      n.binary<MulOp>(mean, n.scalar(type, n.floatAttr("alpha", 1e-4f))),
      n.scalar(type, n.floatAttr("bias", 1)));
  Value power =
      n.binary<PowOp>(base, n.scalar(type, n.floatAttr("beta", 0.75f)));
  return n.finish(n.binary<DivOp>(x, power));
}

LogicalResult buildMeanVarianceNorm(NodeBuilder &n) {
  Value x = n.input(0);
  Type type = n.elementTypeOf(x);
  IntList axes =
      n.axes(n.intsAttr("axes").value_or(IntList{0, 2, 3}), n.rankOf(x));
  Value mean = n.reduce(x, ReduceKind::Mean, axes, true);
  Value centered = n.binary<SubOp>(x, mean);
  Value variance =
      n.reduce(n.make<MulOp>(centered, centered), ReduceKind::Mean, axes, true);
  Value deviation =
      n.binary<AddOp>(n.make<SqrtOp>(variance), n.scalar(type, 1e-9));
  return n.finish(n.binary<DivOp>(centered, deviation));
}

/// A row of norm 0 gives 0.
LogicalResult buildLpNorm(NodeBuilder &n) {
  Value x = n.input(0);
  int64_t axis = n.axis(n.intAttr("axis", -1), n.rankOf(x)),
          p = n.intAttr("p", 2);
  if (p != 1 && p != 2)
    return n.error(Code::BadGraph) << "p is " << p << ", expected 1 or 2";
  Value terms = p == 1 ? n.make<AbsOp>(x) : n.make<MulOp>(x, x);
  Value norm = n.reduce(terms, ReduceKind::Sum, {axis}, true);
  if (p == 2)
    norm = n.make<SqrtOp>(norm);
  Value zero = n.scalar(n.elementTypeOf(x), 0);
  return n.finish(n.select(n.compare(ComparePredicate::Eq, norm, zero), zero,
                           n.binary<DivOp>(x, norm)));
}

template <class OpTy> Value softmaxAt(NodeBuilder &n, Value x, int64_t axis) {
  return n.make<OpTy>(x, axis);
}

/// 1 at the first maximum.
struct Hardmax {};
template <> Value softmaxAt<Hardmax>(NodeBuilder &n, Value x, int64_t axis) {
  IntList line(n.rankOf(x), 1);
  auto shape = n.staticShape(x);
  if (!shape)
    return {};
  line[axis] = (*shape)[axis];
  Value best = n.make<ArgReduceOp>(x, ExtremeKind::Max, axis, true, false);
  Value position =
      n.make<IotaOp>(ValueRange(), line, axis, n.getBuilder().getI64Type());
  return n.cast(n.compare(ComparePredicate::Eq, position, best),
                n.elementTypeOf(x));
}

template <class OpTy> LogicalResult softmax(NodeBuilder &n) {
  Value x = n.input(0);
  int64_t axis = n.axis(n.intAttr("axis", -1), n.rankOf(x));
  if (n.hasFailed())
    return failure();
  return n.finish(softmaxAt<OpTy>(n, x, axis));
}

/// Before opset 13: over all axes from `axis` on.
template <class OpTy> LogicalResult softmaxOfRows(NodeBuilder &n) {
  Value x = n.input(0);
  int64_t rank = n.rankOf(x), axis = n.intAttr("axis", 1);
  axis = axis < 0 ? axis + rank : axis;
  if (axis < 0 || axis > rank)
    return n.error(Code::BadGraph)
           << "axis " << axis << " is out of range for rank " << rank;
  if (axis == rank - 1)
    return n.finish(softmaxAt<OpTy>(n, x, axis));
  auto shape = n.staticShape(x);
  if (!shape)
    return failure();
  auto rows = elementCount(ArrayRef(*shape).take_front(axis)),
       columns = elementCount(ArrayRef(*shape).drop_front(axis));
  if (!rows || !columns)
    return n.error(Code::BadGraph) << "the input is too big";
  Value flat = n.reshape(x, {*rows, *columns});
  return n.finish(n.reshape(softmaxAt<OpTy>(n, flat, 1), *shape));
}

} // namespace

void addNorms(OpTable &table) {
  table.add("BatchNormalization", 5, buildBatchNorm);
  table.add("LayerNormalization", 2, buildLayerNorm);
  table.add("RMSNormalization", 2, buildRmsNorm);
  table.add("InstanceNormalization", 3, buildInstanceNorm);
  table.add("GroupNormalization", 3, buildGroupNorm18, 18, 21);
  table.add("GroupNormalization", 3, buildGroupNorm, 21);
  table.add("LRN", 1, buildLrn);
  table.add("MeanVarianceNormalization", 1, buildMeanVarianceNorm);
  table.add("LpNormalization", 1, buildLpNorm);
  table.add("Softmax", 1, softmaxOfRows<SoftmaxOp>, 1, 13);
  table.add("Softmax", 1, softmax<SoftmaxOp>, 13);
  table.add("LogSoftmax", 1, softmaxOfRows<LogSoftmaxOp>, 1, 13);
  table.add("LogSoftmax", 1, softmax<LogSoftmaxOp>, 13);
  table.add("Hardmax", 1, softmaxOfRows<Hardmax>, 1, 13);
  table.add("Hardmax", 1, softmax<Hardmax>, 13);
}

} // namespace graven::onnx
