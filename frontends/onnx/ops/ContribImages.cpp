//===- ContribImages.cpp - image ops of ONNX Runtime ----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the builders of com.microsoft's ops of images, whose
// channels come last: what its optimizer makes of diffusion models.
//===----------------------------------------------------------------------===//

#include "frontends/onnx/OpTable.h"
#include "frontends/onnx/ops/Quantized.h"
#include "frontends/onnx/ops/Window.h"

using namespace mlir;

namespace graven::onnx {

namespace {

/// Weights [M, K.., C] as well.
LogicalResult buildNhwcConv(NodeBuilder &n) {
  for (size_t i : {0, 1})
    n.setInput(i, channelsFirst(n, n.input(i)));
  return n.finish(channelsLast(n, convolve(n)));
}

LogicalResult buildNhwcMaxPool(NodeBuilder &n) {
  Value x = channelsFirst(n, n.input(0));
  auto kernel = n.intsAttr("kernel_shape");
  if (!kernel)
    return n.hasFailed() ? failure()
                         : LogicalResult(n.error(Code::BadGraph)
                                         << "there is no kernel_shape");
  auto window = readWindow(n, x, *kernel);
  if (!window)
    return failure();
  Value y =
      n.make<MaxPoolOp>(x, *kernel, window->strides, window->dilations,
                        window->pads, n.flagAttr("ceil_mode"), Layout::Planar);
  return n.finish(channelsLast(n, y));
}

/// The norm of groups of channels, which are last unless the node says so.
LogicalResult finishGroupNorm(NodeBuilder &n, Value x) {
  bool isLast = n.flagAttr("channels_last", true);
  int64_t groups = n.intAttr("groups", 0),
          activation = n.intAttr("activation", 0);
  if (activation != 0 && activation != 1)
    return n.error(Code::UnsupportedFeature)
           << "activation is " << activation << ", expected 0 or 1";
  Type type = n.elementTypeOf(x);
  Value planes = isLast ? channelsFirst(n, x) : x;
  Value y = n.make<GroupNormOp>(planes, n.cast(n.input(1), type),
                                n.cast(n.input(2), type), groups,
                                llvm::APFloat(n.floatAttr("epsilon", 1e-5f)));
  if (activation == 1)
    y = n.make<SiluOp>(y);
  return n.finish(isLast ? channelsLast(n, y) : y);
}

LogicalResult buildGroupNorm(NodeBuilder &n) {
  return finishGroupNorm(n, n.input(0));
}

/// X, gamma, beta, skip of X's shape or one number for each channel, bias of
/// the channels: the norm of their sum, which is output 1.
LogicalResult buildSkipGroupNorm(NodeBuilder &n) {
  Value x = n.input(0), skip = n.input(3);
  if (!n.flagAttr("channels_last", true))
    return n.error(Code::UnsupportedFeature)
           << "channels_last is 0, expected 1";
  auto shape = n.staticShape(x), given = n.staticShape(skip);
  if (!shape || !given)
    return failure();
  if (given->size() == 2 && shape->size() == 4)
    skip = n.reshape(skip, {given->front(), 1, 1, given->back()});
  Value sum = n.binary<AddOp>(x, skip);
  if (n.input(4))
    sum = n.binary<AddOp>(sum, n.input(4));
  n.setOutput(1, sum);
  return finishGroupNorm(n, sum);
}

/// Of x + bias, the first half times the Gelu of the other.
LogicalResult buildBiasSplitGelu(NodeBuilder &n) {
  Value sum = n.binary<AddOp>(n.input(0), n.input(1));
  auto shape = n.staticShape(sum);
  if (!shape)
    return failure();
  if (shape->empty() || shape->back() % 2)
    return n.error(Code::BadGraph) << "input has type " << n.typeOf(sum)
                                   << ", expected an even number of columns";
  int64_t last = static_cast<int64_t>(shape->size()) - 1,
          half = shape->back() / 2;
  Value gate =
      n.make<GeluOp>(n.slice(sum, last, half, 2 * half), GeluForm::Exact);
  return n.finish(n.make<MulOp>(n.slice(sum, last, 0, half), gate));
}

LogicalResult buildBiasAdd(NodeBuilder &n) {
  return n.finish(
      n.binary<AddOp>(n.binary<AddOp>(n.input(0), n.input(1)), n.input(2)));
}

} // namespace

void addContribImages(OpTable &table) {
  table.add("com.microsoft/NhwcConv", 2, buildNhwcConv);
  table.add("com.microsoft/NhwcMaxPool", 1, buildNhwcMaxPool);
  table.add("com.microsoft/GroupNorm", 3, buildGroupNorm);
  table.add("com.microsoft/SkipGroupNorm", 4, buildSkipGroupNorm);
  table.add("com.microsoft/BiasSplitGelu", 2, buildBiasSplitGelu);
  table.add("com.microsoft/BiasAdd", 3, buildBiasAdd);
}

} // namespace graven::onnx
