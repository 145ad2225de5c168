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

/// Input coordinate of output index i. `inverse` is 1/scale, `length` the exact
/// length scale * in of the output.
static float coordinate(CoordinateMode mode, int64_t i, int64_t in, int64_t out,
                        float inverse, float length) {
  float x = static_cast<float>(i);
  switch (mode) {
  case CoordinateMode::HalfPixel:
    return (x + 0.5f) * inverse - 0.5f;
  case CoordinateMode::HalfPixelSymmetric: {
    float adjustment = static_cast<float>(out) / length,
          center = static_cast<float>(in) / 2;
    return center * (1 - adjustment) + (x + 0.5f) * inverse - 0.5f;
  }
  case CoordinateMode::PytorchHalfPixel:
    return out > 1 ? (x + 0.5f) * inverse - 0.5f : 0;
  case CoordinateMode::AlignCorners:
    return length == 1 ? 0 : x * (static_cast<float>(in - 1) / (length - 1));
  case CoordinateMode::Asymmetric:
    return x * inverse;
  case CoordinateMode::TfHalfPixelForNn:
    return (x + 0.5f) * inverse;
  }
  llvm_unreachable("unknown coordinate mode");
}

static int64_t nearestOf(NearestMode mode, float x) {
  switch (mode) {
  case NearestMode::RoundPreferFloor:
    return static_cast<int64_t>(std::ceil(x - 0.5f));
  case NearestMode::RoundPreferCeil:
    return static_cast<int64_t>(std::floor(x + 0.5f));
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

ResizeTaps resizeTaps(ResizeOp op, int64_t n, int64_t in) {
  int64_t out = op.getSizes()[n];
  float scale = op.getScales()
                    ? static_cast<float>((*op.getScales())[n])
                    : static_cast<float>(out) / static_cast<float>(in);
  float inverse = op.getScales()
                      ? 1 / scale
                      : static_cast<float>(in) / static_cast<float>(out);
  float length =
      op.getScales() ? scale * static_cast<float>(in) : static_cast<float>(out);
  double a = op.getCubicA().convertToDouble();
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
    float x = coordinate(op.getCoordinate(), i, in, out, inverse, length);
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

} // namespace graven
