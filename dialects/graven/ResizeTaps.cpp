//===- ResizeTaps.cpp - which elements a resampled one reads --*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the coordinate maps and interpolation weights of resize.
//===----------------------------------------------------------------------===//

#include "dialects/graven/ResizeTaps.h"
#include "dialects/graven/Graven.h"
#include <algorithm>
#include <cmath>

namespace graven {

/// Input coordinate of output index i. `scale` is the given one or 0.
template <class T>
static T coordinate(CoordinateMode mode, int64_t i, int64_t in, int64_t out,
                    double scale) {
  // PyTorch inverts the scale first, in double, and multiplies by it.
  T inverse = scale > 0 ? static_cast<T>(1 / scale)
                        : static_cast<T>(in) / static_cast<T>(out);
  T length = scale > 0 ? static_cast<T>(scale) * static_cast<T>(in)
                       : static_cast<T>(out);
  T x = static_cast<T>(i), half = static_cast<T>(0.5);
  switch (mode) {
  case CoordinateMode::HalfPixel:
    return (x + half) * inverse - half;
  case CoordinateMode::HalfPixelSymmetric: {
    T adjustment = static_cast<T>(out) / length,
      center = static_cast<T>(in) / 2;
    return center * (1 - adjustment) + (x + half) * inverse - half;
  }
  case CoordinateMode::PytorchHalfPixel:
    return out > 1 ? (x + half) * inverse - half : 0;
  case CoordinateMode::AlignCorners:
    return length == 1 ? 0 : x * (static_cast<T>(in - 1) / (length - 1));
  case CoordinateMode::Asymmetric:
    return x * inverse;
  case CoordinateMode::TfHalfPixelForNn:
    return (x + half) * inverse;
  }
  llvm_unreachable("unknown coordinate mode");
}

template <class T> static int64_t nearestOf(NearestMode mode, T x) {
  T half = static_cast<T>(0.5);
  switch (mode) {
  case NearestMode::RoundPreferFloor:
    return static_cast<int64_t>(std::ceil(x - half));
  case NearestMode::RoundPreferCeil:
    return static_cast<int64_t>(std::floor(x + half));
  case NearestMode::Floor:
    return static_cast<int64_t>(std::floor(x));
  case NearestMode::Ceil:
    return static_cast<int64_t>(std::ceil(x));
  }
  llvm_unreachable("unknown nearest mode");
}

/// Keys' cubic convolution kernel at distance t.
static double cubicWeight(double t, double a) {
  t = std::fabs(t);
  if (t <= 1)
    return ((a + 2) * t - (a + 3)) * t * t + 1;
  if (t < 2)
    return ((a * t - 5 * a) * t + 8 * a) * t - 4 * a;
  return 0;
}

template <class T>
static ResizeTaps tapsOf(ResizeOp op, int64_t n, int64_t in, int64_t out) {
  double scale = op.getScales() ? (*op.getScales())[n] : 0,
         a = op.getCubicA().convertToDouble();
  ResizeTaps taps;
  taps.width = op.getMode() == ResizeMode::Nearest  ? 1
               : op.getMode() == ResizeMode::Linear ? 2
                                                    : 4;
  auto add = [&](int64_t position, double weight) {
    taps.positions.push_back(
        static_cast<int32_t>(std::clamp<int64_t>(position, 0, in - 1)));
    taps.weights.push_back(weight);
  };
  for (int64_t i = 0; i < out; ++i) {
    T x = coordinate<T>(op.getCoordinate(), i, in, out, scale);
    if (op.getMode() == ResizeMode::Nearest) {
      add(nearestOf(op.getNearest(), x), 1);
      continue;
    }
    // Linear interpolation stops at the edges: torch clamps the coordinate,
    // which equals clamping both taps.
    int64_t floor = static_cast<int64_t>(std::floor(x));
    double fraction = static_cast<double>(x) - static_cast<double>(floor);
    if (op.getMode() == ResizeMode::Linear) {
      add(floor, 1 - fraction);
      add(floor + 1, fraction);
      continue;
    }
    for (int64_t tap = -1; tap <= 2; ++tap)
      add(floor + tap, cubicWeight(fraction - static_cast<double>(tap), a));
  }
  return taps;
}

int64_t resizedExtent(ResizeOp op, int64_t n, int64_t in) {
  int64_t size = op.getSizes()[n];
  if (!mlir::ShapedType::isDynamic(size))
    return size;
  return static_cast<int64_t>(std::floor(
      static_cast<float>(in) * static_cast<float>((*op.getScales())[n])));
}

ResizeTaps resizeTaps(ResizeOp op, int64_t n, int64_t in, int64_t out) {
  return op.getX().getType().getElementType().isF64()
             ? tapsOf<double>(op, n, in, out)
             : tapsOf<float>(op, n, in, out);
}

} // namespace graven
