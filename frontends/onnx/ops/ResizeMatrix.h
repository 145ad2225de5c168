//===- ResizeMatrix.h - resizing as a product ---*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares resizing by a product with constant weights along each
// axis, for the forms of Resize that the dialect's op has not.
//===----------------------------------------------------------------------===//

#ifndef FRONTENDS_ONNX_OPS_RESIZEMATRIX_H
#define FRONTENDS_ONNX_OPS_RESIZEMATRIX_H

#include "frontends/onnx/NodeBuilder.h"

namespace graven::onnx {

/// The matrix of an axis has at most this many elements.
inline constexpr int64_t kMostWeights = int64_t(1) << 24;

enum class Coordinates {
  HalfPixel,
  Asymmetric,
  AlignCorners,
  PytorchHalfPixel,
  HalfPixelSymmetric,
  Region
};

struct ResizeAxis {
  int64_t axis, extent, size;
  double scale;            ///< result to input
  double from = 0, to = 1; ///< the region, of the axis
};

struct ResizeAxes {
  ResizeMode mode; ///< linear or cubic
  Coordinates coordinate;
  double cubicA;
  bool isAntialiased, excludesOutside;
  double extrapolation; ///< what lies outside the image a region is of
  llvm::SmallVector<ResizeAxis> axes;
};

/// x, resized along its axes one after the other.
mlir::Value resizeByMatrices(NodeBuilder &n, mlir::Value x,
                             const ResizeAxes &resize);

} // namespace graven::onnx

#endif // FRONTENDS_ONNX_OPS_RESIZEMATRIX_H
