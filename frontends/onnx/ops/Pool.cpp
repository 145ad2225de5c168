//===- Pool.cpp - pools ---*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the builders of pooling over windows and over whole
// planes.
//===----------------------------------------------------------------------===//

#include "frontends/onnx/NodeBuilder.h"
#include "frontends/onnx/OpTable.h"
#include "frontends/onnx/ops/Window.h"

using namespace mlir;

namespace graven::onnx {

namespace {

std::optional<IntList> readKernel(NodeBuilder &n) {
  auto kernel = n.intsAttr("kernel_shape");
  if (!kernel && !n.hasFailed())
    n.error(Code::BadGraph) << "there is no kernel_shape";
  return kernel;
}

} // namespace

Value averagePool(NodeBuilder &n, Value x) {
  auto kernel = readKernel(n);
  if (!kernel)
    return {};
  auto window = readWindow(n, x, *kernel);
  if (!window)
    return {};
  return n.make<AvgPoolOp>(x, *kernel, window->strides, window->dilations,
                           window->pads, n.flagAttr("ceil_mode"),
                           n.flagAttr("count_include_pad"), int64_t(0),
                           Layout::Planar);
}

namespace {

LogicalResult buildMaxPool(NodeBuilder &n) {
  Value x = n.input(0);
  auto kernel = readKernel(n);
  if (!kernel)
    return failure();
  auto window = readWindow(n, x, *kernel);
  if (!window)
    return failure();
  Value y =
      n.make<MaxPoolOp>(x, *kernel, window->strides, window->dilations,
                        window->pads, n.flagAttr("ceil_mode"), Layout::Planar);
  if (n.wantsOutput(1) && y)
    n.setOutput(1, maxPoolIndices(n, x, *kernel, *window, y));
  return n.finish(y);
}

LogicalResult buildAveragePool(NodeBuilder &n) {
  return n.finish(averagePool(n, n.input(0)));
}

/// |x|^p, and the root of a sum of such.
Value powersOf(NodeBuilder &n, Value x, int64_t p) {
  Value magnitude = n.make<AbsOp>(x);
  if (p == 1)
    return magnitude;
  if (p == 2)
    return n.make<MulOp>(x, x);
  return n.binary<PowOp>(magnitude, n.scalar(n.elementTypeOf(x), p));
}

Value rootOf(NodeBuilder &n, Value sum, int64_t p) {
  if (p == 1)
    return sum;
  if (p == 2)
    return n.make<SqrtOp>(sum);
  return n.binary<PowOp>(sum, n.scalar(n.elementTypeOf(sum), 1.0 / p));
}

/// In opset 1 a float.
int64_t exponentOf(NodeBuilder &n) {
  if (n.getOpset() > 1)
    return n.intAttr("p", 2);
  double p = n.floatAttr("p", 2);
  if (p != 1 && p != 2 && p != 3)
    n.error(Code::UnsupportedFeature) << "p is " << p << ", expected 1, 2 or 3";
  return static_cast<int64_t>(p);
}

LogicalResult buildLpPool(NodeBuilder &n) {
  Value x = n.input(0);
  int64_t p = exponentOf(n);
  auto kernel = readKernel(n);
  if (!kernel)
    return failure();
  auto window = readWindow(n, x, *kernel);
  if (!window)
    return failure();
  // A divisor of 1 makes the mean a sum.
  Value sum = n.make<AvgPoolOp>(
      powersOf(n, x, p), *kernel, window->strides, window->dilations,
      window->pads, n.flagAttr("ceil_mode"), false, int64_t(1), Layout::Planar);
  return n.finish(rootOf(n, sum, p));
}

IntList spatialAxes(NodeBuilder &n) {
  int64_t rank = n.rankOf(n.input(0));
  return sequence(std::min<int64_t>(2, rank), rank);
}

template <ReduceKind kind> LogicalResult globalPool(NodeBuilder &n) {
  return n.finish(n.reduce(n.input(0), kind, spatialAxes(n), true));
}

LogicalResult buildGlobalLpPool(NodeBuilder &n) {
  int64_t p = exponentOf(n);
  Value sum = n.reduce(powersOf(n, n.input(0), p), ReduceKind::Sum,
                       spatialAxes(n), true);
  return n.finish(rootOf(n, sum, p));
}

} // namespace

void addPools(OpTable &table) {
  table.add("MaxPool", 1, buildMaxPool);
  table.add("AveragePool", 1, buildAveragePool);
  table.add("LpPool", 1, buildLpPool);
  table.add("GlobalAveragePool", 1, globalPool<ReduceKind::Mean>);
  table.add("GlobalMaxPool", 1, globalPool<ReduceKind::Max>);
  table.add("GlobalLpPool", 1, buildGlobalLpPool);
}

} // namespace graven::onnx
