//===- ResizeMatrix.cpp - resizing as a product ---*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements what Resize has beyond the op of the dialect: weights
// that are wider where an image shrinks (antialias), weights without places
// outside (exclude_outside), and regions (tf_crop_and_resize). Of each axis
// these are constants, so that resizing is a product with a matrix.
//===----------------------------------------------------------------------===//

#include "frontends/onnx/ops/ResizeMatrix.h"

using namespace mlir;

namespace graven::onnx {

namespace {

/// The weights of neighbours, from place `first` on.
struct Taps {
  int64_t first = 0;
  SmallVector<double> weights;
};

double cubicWeight(double x, double a) {
  x = std::fabs(x);
  if (x <= 1)
    return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0;
}

/// Around the position, for a stretch by `scale` of which only less than 1
/// counts, and only where neighbours are averaged.
Taps tapsAt(const ResizeAxes &resize, double at, double scale) {
  bool isCubic = resize.mode == ResizeMode::Cubic;
  if (!resize.isAntialiased)
    scale = 1;
  scale = std::min(scale, 1.0);
  double reach = (isCubic ? 2 : 1) / scale;
  Taps taps;
  taps.first = static_cast<int64_t>(std::floor(at - reach)) + 1;
  for (int64_t i = taps.first; i < at + reach; ++i) {
    double distance = (at - i) * scale;
    taps.weights.push_back(isCubic ? cubicWeight(distance, resize.cubicA)
                                   : std::max(0.0, 1 - std::fabs(distance)));
  }
  return taps;
}

/// Where the element `i` of the result lies in the input.
double positionOf(const ResizeAxes &resize, const ResizeAxis &axis, int64_t i) {
  double last = static_cast<double>(axis.extent - 1),
         size = static_cast<double>(axis.size), x = static_cast<double>(i);
  switch (resize.coordinate) {
  case Coordinates::HalfPixel:
    return (x + 0.5) / axis.scale - 0.5;
  case Coordinates::Asymmetric:
    return x / axis.scale;
  case Coordinates::AlignCorners:
    return axis.size > 1 ? x * last / (axis.extent * axis.scale - 1) : 0;
  case Coordinates::PytorchHalfPixel:
    return axis.size > 1 ? (x + 0.5) / axis.scale - 0.5 : -0.5;
  case Coordinates::HalfPixelSymmetric: {
    double wanted = axis.extent * axis.scale;
    double shift = axis.extent / 2.0 * (1 - size / wanted);
    return shift + (x + 0.5) / axis.scale - 0.5;
  }
  case Coordinates::Region:
    return axis.size > 1 ? axis.from * last +
                               x * (axis.to - axis.from) * last / (size - 1)
                         : 0.5 * (axis.from + axis.to) * last;
  }
  llvm_unreachable("all are handled");
}

/// The weights [size, extent] of an axis; `outside` says which results lie
/// outside the image.
eval::Tensor matrixOf(const ResizeAxes &resize, const ResizeAxis &axis,
                      Type type, SmallVectorImpl<bool> &outside) {
  eval::Tensor matrix(RankedTensorType::get({axis.size, axis.extent}, type));
  for (int64_t i = 0; i < axis.size; ++i) {
    double at = positionOf(resize, axis, i);
    outside.push_back(at < 0 || at > static_cast<double>(axis.extent - 1));
    Taps taps = tapsAt(resize, at, axis.scale);
    SmallVector<double> row(axis.extent, 0);
    double sum = 0;
    for (auto [k, weight] : llvm::enumerate(taps.weights)) {
      int64_t place = taps.first + static_cast<int64_t>(k);
      bool isInside = place >= 0 && place < axis.extent;
      if (!isInside && resize.excludesOutside)
        continue;
      sum += weight;
      row[std::clamp<int64_t>(place, 0, axis.extent - 1)] += weight;
    }
    for (auto [k, weight] : llvm::enumerate(row))
      matrix.set(i * axis.extent + static_cast<int64_t>(k), weight / sum);
  }
  return matrix;
}

} // namespace

Value resizeByMatrices(NodeBuilder &n, Value x, const ResizeAxes &resize) {
  Type own = n.elementTypeOf(x),
       type = own.isF64() ? own : n.getBuilder().getF32Type();
  if (!isa<FloatType>(own)) {
    n.error(Code::UnsupportedFeature)
        << "resizing elements of " << own << " in this way";
    return {};
  }
  x = n.cast(x, type);
  int64_t rank = n.rankOf(x);
  Value beyond;
  for (const ResizeAxis &axis : resize.axes) {
    if (axis.size > kMostWeights / std::max<int64_t>(axis.extent, 1)) {
      n.error(Code::UnsupportedFeature)
          << "an axis of extent " << axis.extent << " resized to " << axis.size;
      return {};
    }
    SmallVector<bool> outside;
    Value matrix = n.constant(matrixOf(resize, axis, type, outside));
    // The axis last, where a product takes it.
    IntList order = sequence(0, rank);
    std::swap(order[axis.axis], order[rank - 1]);
    x = n.transpose(x, order);
    IntList shape = n.shapeOf(x);
    int64_t rows = elementCount(ArrayRef(shape).drop_back()).value_or(0);
    x = n.make<MatmulOp>(n.reshape(x, {rows, axis.extent}), matrix, false,
                         true);
    if (n.hasFailed())
      return {};
    shape.back() = axis.size;
    x = n.transpose(n.reshape(x, shape), order);
    if (resize.coordinate != Coordinates::Region)
      continue;
    IntList line(rank, 1);
    line[axis.axis] = axis.size;
    eval::Tensor flags(
        RankedTensorType::get(line, n.getBuilder().getI32Type()));
    for (auto [i, flag] : llvm::enumerate(outside))
      flags.set(static_cast<int64_t>(i), double(flag));
    Value isOutside = n.compare(ComparePredicate::Ne, n.constant(flags),
                                n.scalar(n.getBuilder().getI32Type(), 0));
    beyond = beyond ? n.binary<OrOp>(beyond, isOutside) : isOutside;
  }
  if (beyond)
    x = n.select(beyond, n.scalar(type, resize.extrapolation), x);
  return n.cast(x, own);
}

} // namespace graven::onnx
