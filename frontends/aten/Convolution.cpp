//===- Convolution.cpp - ATen's convolutions ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file builds the convolutions of one to three spatial axes, plain and
// transposed, in all of the forms PyTorch has written them.
//
//===----------------------------------------------------------------------===//

#include "frontends/aten/Table.h"

using namespace graven;
using namespace graven::aten;
using llvm::StringRef;

/// [lo..., hi...] of symmetric padding.
static Shape symmetric(llvm::ArrayRef<int64_t> padding) {
  Shape pads(padding.begin(), padding.end());
  pads.append(padding.begin(), padding.end());
  return pads;
}

/// padding="same" puts the odd element at the end.
static std::optional<Shape> readPads(Call &c, mlir::Value w,
                                     llvm::ArrayRef<int64_t> dilations) {
  size_t axes = dilations.size();
  if (c.argument("padding").is(Value::Kind::String)) {
    Shape pads(2 * axes, 0);
    if (c.string("padding") == "same")
      for (size_t i = 0; i < axes; ++i) {
        int64_t total = dilations[i] * (c.type(w).getDimSize(i + 2) - 1);
        pads[i] = total / 2;
        pads[axes + i] = total - total / 2;
      }
    return pads;
  }
  auto padding = c.integers("padding", axes, Shape(axes, 0));
  return padding ? std::optional(symmetric(*padding)) : std::nullopt;
}

static mlir::Value convolve(Call &c, bool transposed) {
  mlir::Value x = c.tensor("input"), w = c.tensor("weight"),
              bias = c.tensor("bias");
  int64_t axes = c.rank(w) - 2;
  if (axes < 1 || axes > 3)
    return c.failed("weight of rank " + llvm::Twine(c.rank(w)));
  Shape ones(axes, 1), zeros(axes, 0);
  auto strides = c.integers("stride", axes, ones),
       dilations = c.integers("dilation", axes, ones),
       extra = c.integers("output_padding", axes, zeros);
  auto groups = c.integer("groups");
  if (!strides || !dilations || !extra || !groups)
    return {};
  auto pads = readPads(c, w, *dilations);
  if (!pads)
    return {};
  bool unbatched = c.rank(x) == axes + 1;
  if (unbatched)
    x = c.unsqueeze(x, 0);
  mlir::Value y =
      transposed ? c.make<ConvTransposeOp>(x, w, bias, *strides, *dilations,
                                           *pads, *extra, uint64_t(*groups))
                 : c.make<ConvOp>(x, w, bias, *strides, *dilations, *pads,
                                  uint64_t(*groups), Layout::Planar,
                                  mlir::IntegerAttr());
  return y && unbatched ? c.select(y, 0, 0) : y;
}

static mlir::Value conv(Call &c) {
  return convolve(c, /*transposed=*/c.flag("transposed"));
}
static mlir::Value convTranspose(Call &c) {
  return convolve(c, /*transposed=*/true);
}

void graven::aten::addConvolution(Table &t) {
  t.add("conv1d conv2d conv3d _convolution _convolution_mode convolution",
        conv);
  t.add("conv_transpose1d conv_transpose2d conv_transpose3d", convTranspose);
}
