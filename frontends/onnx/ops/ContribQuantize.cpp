//===- ContribQuantize.cpp - com.microsoft's quantized ops ---*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the builders of the QLinear ops that ONNX Runtime's
// quantizer writes: decoded, computed in f32, and encoded again.
//===----------------------------------------------------------------------===//

#include "frontends/onnx/OpTable.h"
#include "frontends/onnx/ops/Quantized.h"
#include "frontends/onnx/ops/Window.h"

using namespace mlir;

namespace graven::onnx {

namespace {

/// Scale and zero point are those of a whole tensor.
bool isWhole(NodeBuilder &n, size_t i) {
  return !n.input(i) || (n.typeOf(n.input(i)).hasStaticShape() &&
                         n.typeOf(n.input(i)).getNumElements() == 1);
}

} // namespace

Value decoded(NodeBuilder &n, size_t x, size_t scale, size_t zero) {
  Type f32 = n.getBuilder().getF32Type();
  if (!n.input(x) || !n.input(scale) || !isWhole(n, scale) ||
      !isWhole(n, zero)) {
    n.error(Code::UnsupportedFeature)
        << "input #" << x << " has no scale and zero point of its own";
    return {};
  }
  Value value = n.cast(n.input(x), f32);
  if (n.input(zero))
    value = n.binary<SubOp>(value, n.cast(n.reshape(n.input(zero), {}), f32));
  return n.binary<MulOp>(value, n.cast(n.reshape(n.input(scale), {}), f32));
}

Value encoded(NodeBuilder &n, Value value, size_t scale, size_t zero) {
  Type f32 = n.getBuilder().getF32Type();
  if (!n.input(scale) || !isWhole(n, scale) || !isWhole(n, zero)) {
    if (!n.hasFailed())
      n.error(Code::UnsupportedFeature) << "the result has no scale of its own";
    return {};
  }
  // Without a zero point the type is the input's.
  Type type = n.elementTypeOf(n.input(n.input(zero) ? zero : 0));
  auto integer = dyn_cast<IntegerType>(type);
  if (!integer || integer.getWidth() > 16) {
    if (!n.hasFailed())
      n.error(Code::BadGraph) << "the zero point is of " << type;
    return {};
  }
  value = n.make<RoundOp>(
      n.binary<DivOp>(value, n.cast(n.reshape(n.input(scale), {}), f32)));
  if (n.input(zero))
    value = n.binary<AddOp>(value, n.cast(n.reshape(n.input(zero), {}), f32));
  bool isSigned = !integer.isUnsigned();
  double span = std::ldexp(1.0, static_cast<int>(integer.getWidth()));
  double low = isSigned ? -span / 2 : 0;
  value =
      n.make<ClampOp>(value, n.scalar(f32, low), n.scalar(f32, low + span - 1));
  return n.cast(value, type);
}

Value channelsFirst(NodeBuilder &n, Value x) {
  int64_t rank = n.rankOf(x);
  IntList order = sequence(1, rank - 1);
  order.insert(order.begin(), {0, rank - 1});
  return rank < 3 ? x : n.transpose(x, order);
}

Value channelsLast(NodeBuilder &n, Value x) {
  int64_t rank = n.rankOf(x);
  IntList order = sequence(2, rank);
  order.insert(order.begin(), 0);
  order.push_back(1);
  return rank < 3 ? x : n.transpose(x, order);
}

namespace {

/// (A, scale, zero, B, scale, zero, scale, zero)
template <class OpTy> LogicalResult buildBinary(NodeBuilder &n) {
  Value a = decoded(n, 0, 1, 2), b = decoded(n, 3, 4, 5);
  return n.finish(encoded(n, n.binary<OpTy>(a, b), 6, 7));
}

/// (X, scale, zero, scale, zero)
LogicalResult buildSigmoid(NodeBuilder &n) {
  return n.finish(encoded(n, n.make<SigmoidOp>(decoded(n, 0, 1, 2)), 3, 4));
}

LogicalResult buildLeakyRelu(NodeBuilder &n) {
  Value x = decoded(n, 0, 1, 2);
  Type f32 = n.getBuilder().getF32Type();
  Value slope = n.scalar(f32, n.floatAttr("alpha", 0.01));
  Value y = n.select(n.compare(ComparePredicate::Lt, x, n.scalar(f32, 0)),
                     n.binary<MulOp>(x, slope), x);
  return n.finish(encoded(n, y, 3, 4));
}

LogicalResult buildSoftmax(NodeBuilder &n) {
  Value x = decoded(n, 0, 1, 2);
  int64_t rank = n.rankOf(x), axis = n.axis(n.intAttr("axis", -1), rank);
  // Before opset 13 the axes from that one on are one.
  if (n.hasFailed() || (n.intAttr("opset", 13) < 13 && axis != rank - 1))
    return n.hasFailed() ? failure()
                         : n.error(Code::UnsupportedFeature)
                               << "the axes from " << axis << " on as one";
  return n.finish(encoded(n, n.make<SoftmaxOp>(x, axis), 3, 4));
}

LogicalResult buildGlobalAveragePool(NodeBuilder &n) {
  Value x = decoded(n, 0, 1, 2);
  int64_t rank = n.rankOf(x);
  if (n.hasFailed() || rank < 3)
    return n.hasFailed() ? failure()
                         : LogicalResult(n.error(Code::BadGraph)
                                         << "input has rank " << rank
                                         << ", expected 3 or more");
  IntList plane =
      n.flagAttr("channels_last") ? sequence(1, rank - 1) : sequence(2, rank);
  Value mean = n.reduce(x, ReduceKind::Mean, plane, true);
  return n.finish(encoded(n, mean, 3, 4));
}

LogicalResult buildAveragePool(NodeBuilder &n) {
  Value x = decoded(n, 0, 1, 2);
  if (n.hasFailed())
    return failure();
  bool isLast = n.flagAttr("channels_last");
  Value y = averagePool(n, isLast ? channelsFirst(n, x) : x);
  return n.finish(encoded(n, isLast ? channelsLast(n, y) : y, 3, 4));
}

LogicalResult buildReduceMean(NodeBuilder &n) {
  Value x = decoded(n, 0, 1, 2);
  int64_t rank = n.rankOf(x);
  IntList axes = n.axes(n.intsAttr("axes").value_or(sequence(0, rank)), rank);
  if (n.hasFailed())
    return failure();
  Value mean =
      n.reduce(x, ReduceKind::Mean, axes, n.flagAttr("keepdims", true));
  return n.finish(encoded(n, mean, 3, 4));
}

/// (condition, X, scale, zero, Y, scale, zero, scale, zero)
LogicalResult buildWhere(NodeBuilder &n) {
  Value x = decoded(n, 1, 2, 3), y = decoded(n, 4, 5, 6);
  return n.finish(encoded(n, n.select(n.input(0), x, y), 7, 8));
}

/// (scale, zero, (X, scale, zero)...)
LogicalResult buildConcat(NodeBuilder &n) {
  SmallVector<Value> parts;
  if (n.getInputCount() < 5 || n.getInputCount() % 3 != 2)
    return n.error(Code::BadGraph)
           << "there are " << n.getInputCount() << " inputs";
  for (size_t i = 2; i < n.getInputCount(); i += 3)
    parts.push_back(decoded(n, i, i + 1, i + 2));
  if (n.hasFailed())
    return failure();
  int64_t axis = n.axis(n.intAttr("axis", 0), n.rankOf(parts.front()));
  if (n.hasFailed() || !n.input(1))
    return n.hasFailed() ? failure()
                         : n.error(Code::UnsupportedFeature)
                               << "the result has no zero point";
  return n.finish(encoded(n, n.make<ConcatOp>(ValueRange(parts), axis), 0, 1));
}

} // namespace

void addContribQuantization(OpTable &table) {
  table.add("com.microsoft/QLinearAdd", 2, buildBinary<AddOp>);
  table.add("com.microsoft/QLinearMul", 2, buildBinary<MulOp>);
  table.add("com.microsoft/QLinearSigmoid", 2, buildSigmoid);
  table.add("com.microsoft/QLinearLeakyRelu", 2, buildLeakyRelu);
  table.add("com.microsoft/QLinearSoftmax", 2, buildSoftmax);
  table.add("com.microsoft/QLinearGlobalAveragePool", 2,
            buildGlobalAveragePool);
  table.add("com.microsoft/QLinearAveragePool", 4, buildAveragePool);
  table.add("com.microsoft/QLinearReduceMean", 2, buildReduceMean);
  table.add("com.microsoft/QLinearWhere", 9, buildWhere);
  table.add("com.microsoft/QLinearConcat", 1, buildConcat);
}

} // namespace graven::onnx
