//===- Convolution.cpp - convolutions ---*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the builders of convolutions and transposed ones.
//===----------------------------------------------------------------------===//

#include "frontends/onnx/NodeBuilder.h"
#include "frontends/onnx/OpTable.h"
#include "frontends/onnx/ops/Window.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace graven::onnx {

namespace {

LogicalResult buildConv(NodeBuilder &n) { return n.finish(convolve(n)); }

/// Pads that give the wished extents; an odd one goes to the low end, with
/// SAME_UPPER to the high end.
LogicalResult padToShape(NodeBuilder &n, Value x, ArrayRef<int64_t> kernel,
                         ArrayRef<int64_t> outputPadding,
                         std::optional<IntList> outputShape, StringRef autoPad,
                         WindowSpec &window) {
  auto shape = n.staticShape(x);
  if (!shape)
    return failure();
  size_t spatial = kernel.size();
  // Some models give the whole shape, some the spatial part.
  if (outputShape && outputShape->size() == spatial + 2)
    outputShape->erase(outputShape->begin(), outputShape->begin() + 2);
  if (outputShape && outputShape->size() != spatial)
    return n.error(Code::BadGraph) << "output_shape has " << outputShape->size()
                                   << " entries, expected " << spatial;
  for (size_t i = 0; i < spatial; ++i) {
    int64_t stride = window.strides[i], extent = (*shape)[i + 2];
    int64_t wanted = outputShape ? (*outputShape)[i] : extent * stride;
    int64_t total = stride * (extent - 1) + outputPadding[i] +
                    (kernel[i] - 1) * window.dilations[i] + 1 - wanted;
    int64_t half = llvm::divideFloorSigned(total, 2);
    bool lowIsHalf = autoPad == "SAME_UPPER" && total >= 0;
    window.pads[i] = lowIsHalf ? half : total - half;
    window.pads[spatial + i] = lowIsHalf ? total - half : half;
  }
  return success();
}

LogicalResult buildConvTranspose(NodeBuilder &n) {
  Value x = n.input(0), w = n.input(1);
  std::string autoPad = n.stringAttr("auto_pad", "NOTSET");
  auto outputShape = n.intsAttr("output_shape");
  bool isSame = autoPad == "SAME_UPPER" || autoPad == "SAME_LOWER";
  auto window = readWindow(n, x, w, /*resolveAutoPad=*/false);
  if (!window)
    return failure();
  size_t spatial = window->strides.size();
  IntList kernel(llvm::drop_begin(n.shapeOf(w), 2));
  IntList outputPadding =
      n.intsAttr("output_padding").value_or(IntList(spatial, 0));
  if (outputPadding.size() != spatial)
    return n.error(Code::BadGraph)
           << "output_padding has " << outputPadding.size()
           << " entries, expected " << spatial;
  if ((outputShape || isSame) &&
      failed(padToShape(n, x, kernel, outputPadding, outputShape, autoPad,
                        *window)))
    return failure();
  return n.finish(n.make<ConvTransposeOp>(
      x, w, n.input(2), window->strides, window->dilations, window->pads,
      outputPadding, n.intAttr("group", 1)));
}

} // namespace

Value convolve(NodeBuilder &n) {
  Value x = n.input(0), w = n.input(1);
  auto window = readWindow(n, x, w);
  if (!window)
    return {};
  return n.make<ConvOp>(x, w, n.input(2), window->strides, window->dilations,
                        window->pads, n.intAttr("group", 1), Layout::Planar,
                        IntegerAttr());
}

std::optional<WindowSpec> readWindow(NodeBuilder &n, Value x,
                                     ArrayRef<int64_t> kernel,
                                     bool resolveAutoPad) {
  size_t spatial = kernel.size();
  auto refuse = [&]() { return n.error(Code::BadGraph); };
  if (n.rankOf(x) != static_cast<int64_t>(spatial) + 2) {
    refuse() << "the input has rank " << n.rankOf(x) << ", the kernel "
             << spatial << " spatial axes";
    return std::nullopt;
  }
  if (spatial < 1 || spatial > 3) {
    n.error(Code::UnsupportedFeature)
        << "there are " << spatial << " spatial axes, expected 1 to 3";
    return std::nullopt;
  }
  WindowSpec window;
  window.strides = n.intsAttr("strides").value_or(IntList(spatial, 1));
  window.dilations = n.intsAttr("dilations").value_or(IntList(spatial, 1));
  window.pads = n.intsAttr("pads").value_or(IntList(2 * spatial, 0));
  if (window.strides.size() != spatial || window.dilations.size() != spatial ||
      window.pads.size() != 2 * spatial) {
    refuse() << "strides, dilations and pads have " << window.strides.size()
             << ", " << window.dilations.size() << " and " << window.pads.size()
             << " entries, expected " << spatial << ", " << spatial << " and "
             << 2 * spatial;
    return std::nullopt;
  }
  // Beyond 2^31 nothing is a window any more, and products could overflow.
  for (const IntList *list : {&window.strides, &window.dilations, &window.pads})
    for (int64_t entry : *list)
      if (entry < std::numeric_limits<int32_t>::min() ||
          entry > std::numeric_limits<int32_t>::max()) {
        refuse() << "strides, dilations or pads have the entry " << entry;
        return std::nullopt;
      }
  for (size_t i = 0; i < spatial; ++i)
    if (window.strides[i] < 1 || window.dilations[i] < 1 || kernel[i] < 1 ||
        kernel[i] > std::numeric_limits<int32_t>::max()) {
      refuse() << "axis " << i << " has kernel " << kernel[i] << ", stride "
               << window.strides[i] << ", dilation " << window.dilations[i];
      return std::nullopt;
    }
  std::string autoPad = n.stringAttr("auto_pad", "NOTSET");
  if (autoPad == "VALID")
    window.pads.assign(2 * spatial, 0);
  if (!resolveAutoPad || autoPad == "NOTSET" || autoPad == "VALID" ||
      autoPad.empty())
    return n.hasFailed() ? std::nullopt : std::optional(window);
  if (autoPad != "SAME_UPPER" && autoPad != "SAME_LOWER") {
    refuse() << "auto_pad is " << quoted(autoPad);
    return std::nullopt;
  }
  auto shape = n.staticShape(x);
  if (!shape)
    return std::nullopt;
  for (size_t i = 0; i < spatial; ++i) {
    int64_t extent = (*shape)[i + 2], stride = window.strides[i],
            reach = window.dilations[i] * (kernel[i] - 1) + 1;
    int64_t total = std::max<int64_t>(
        0,
        (llvm::divideCeilSigned(extent, stride) - 1) * stride + reach - extent);
    int64_t low = autoPad == "SAME_UPPER" ? total / 2 : total - total / 2;
    window.pads[i] = low;
    window.pads[spatial + i] = total - low;
  }
  return window;
}

std::optional<WindowSpec> readWindow(NodeBuilder &n, Value x, Value weights,
                                     bool resolveAutoPad) {
  IntList shape = n.shapeOf(weights);
  if (shape.size() < 2) {
    n.error(Code::BadGraph) << "the weights have rank " << shape.size();
    return std::nullopt;
  }
  if (llvm::is_contained(ArrayRef(shape).drop_front(2), ShapedType::kDynamic)) {
    n.staticShape(weights);
    return std::nullopt;
  }
  return readWindow(n, x, ArrayRef(shape).drop_front(2), resolveAutoPad);
}

void addConvolutions(OpTable &table) {
  table.add("Conv", 2, buildConv);
  table.add("ConvTranspose", 2, buildConvTranspose);
}

} // namespace graven::onnx
