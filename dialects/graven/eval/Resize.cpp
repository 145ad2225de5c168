//===- Resize.cpp - meaning of resize -------------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the naive function of resize, axis by axis: each index
// of the result reads a few weighted taps. Coordinates are computed in f32 (f64
// for f64), as PyTorch and ONNX Runtime do, because ties depend on it.
//===----------------------------------------------------------------------===//

#include "dialects/graven/eval/Compute.h"

using namespace mlir;
using namespace graven::eval;

namespace graven {

namespace {
struct Tap {
  int64_t index;
  double weight;
};
using Taps = SmallVector<Tap, 4>;
} // namespace

/// Input coordinate of index i: `in` and `out` extents, `scale` the given one
/// or 0.
template <class T>
static T coordinateOf(int64_t i, int64_t in, int64_t out, double scale,
                      CoordinateMode mode) {
  // PyTorch inverts the scale first and then multiplies.
  T inverse = scale > 0 ? static_cast<T>(1.0 / scale)
                        : static_cast<T>(in) / static_cast<T>(out);
  T at = static_cast<T>(i), half = static_cast<T>(0.5),
    length = scale > 0 ? static_cast<T>(scale) * static_cast<T>(in)
                       : static_cast<T>(out);
  switch (mode) {
  case CoordinateMode::HalfPixel:
    return (at + half) * inverse - half;
  case CoordinateMode::HalfPixelSymmetric: {
    T adjustment = static_cast<T>(out) / length,
      center = static_cast<T>(in) / 2;
    return center * (1 - adjustment) + (at + half) * inverse - half;
  }
  case CoordinateMode::PytorchHalfPixel:
    return out > 1 ? (at + half) * inverse - half : T(0);
  case CoordinateMode::AlignCorners:
    return length == 1 ? T(0) : at * (static_cast<T>(in - 1) / (length - 1));
  case CoordinateMode::Asymmetric:
    return at * inverse;
  case CoordinateMode::TfHalfPixelForNn:
    return (at + half) * inverse;
  }
  llvm_unreachable("unknown mode");
}

template <class T> static T roundNearest(T x, NearestMode mode) {
  switch (mode) {
  case NearestMode::RoundPreferFloor:
    return std::ceil(x - static_cast<T>(0.5));
  case NearestMode::RoundPreferCeil:
    return std::floor(x + static_cast<T>(0.5));
  case NearestMode::Floor:
    return std::floor(x);
  case NearestMode::Ceil:
    return std::ceil(x);
  }
  llvm_unreachable("unknown mode");
}

/// Weight of a tap at distance t from the coordinate.
static double cubicWeight(double t, double a) {
  t = std::fabs(t);
  if (t <= 1)
    return ((a + 2) * t - (a + 3)) * t * t + 1;
  return t < 2 ? ((a * t - 5 * a) * t + 8 * a) * t - 4 * a : 0;
}

template <class T>
static Taps tapsOf(ResizeOp op, int64_t i, int64_t in, int64_t out,
                   double scale) {
  T x = coordinateOf<T>(i, in, out, scale, op.getCoordinate());
  auto clamp = [in](double at) {
    return static_cast<int64_t>(
        std::clamp<double>(at, 0, static_cast<double>(in - 1)));
  };
  double base = std::floor(x), fraction = x - base;
  switch (op.getMode()) {
  case ResizeMode::Nearest:
    return {{clamp(roundNearest(x, op.getNearest())), 1.0}};
  case ResizeMode::Linear:
    return {{clamp(base), 1 - fraction}, {clamp(base + 1), fraction}};
  case ResizeMode::Cubic: {
    Taps taps;
    double a = op.getCubicA().convertToDouble();
    for (int k = -1; k <= 2; ++k)
      taps.push_back({clamp(base + k), cubicWeight(k - fraction, a)});
    return taps;
  }
  }
  llvm_unreachable("unknown mode");
}

/// The elements resampled along one axis; `shape` is updated.
static Doubles resampleAxis(const Doubles &from, eval::Shape &shape,
                            int64_t axis, ArrayRef<Taps> taps) {
  int64_t outer = product(ArrayRef(shape).take_front(axis)),
          inner = product(ArrayRef(shape).drop_front(axis + 1)),
          in = shape[axis], out = taps.size();
  Doubles to(outer * out * inner);
  for (int64_t o = 0; o < outer; ++o)
    for (int64_t i = 0; i < out; ++i)
      for (const Tap &tap : taps[i])
        for (int64_t j = 0; j < inner; ++j)
          to[(o * out + i) * inner + j] +=
              tap.weight * from[(o * in + tap.index) * inner + j];
  shape[axis] = out;
  return to;
}

FailureOr<Tensors> ResizeOp::evaluate(ArrayRef<Tensor> operands, Evaluator &) {
  const Tensor &x = operands[0];
  std::vector<SmallVector<Taps>> taps;
  for (auto [n, axis] : llvm::enumerate(getAxes())) {
    double scale = getScales() ? (*getScales())[n] : 0;
    auto &list = taps.emplace_back();
    for (int64_t i = 0, out = getSizes()[n]; i < out; ++i)
      list.push_back(x.getElementType().isF64()
                         ? tapsOf<double>(*this, i, x.getDim(axis), out, scale)
                         : tapsOf<float>(*this, i, x.getDim(axis), out, scale));
  }
  if (getMode() == ResizeMode::Nearest) {
    // Copied, not computed: exact for wide ints and NaN.
    Tensor y(resultType(*this));
    eval::Shape strides = stridesOf(x.getShape());
    std::vector<std::vector<int64_t>> tables(x.getRank());
    for (int64_t axis = 0; axis < x.getRank(); ++axis)
      for (int64_t i = 0; i < x.getDim(axis); ++i)
        tables[axis].push_back(i * strides[axis]);
    for (auto [n, axis] : llvm::enumerate(getAxes())) {
      tables[axis].clear();
      for (const Taps &tap : taps[n])
        tables[axis].push_back(tap.front().index * strides[axis]);
    }
    auto from = gridOffsets(tables);
    for (int64_t i = 0, e = y.size(); i < e; ++i)
      y.copy(i, x, from[i]);
    return Tensors{y};
  }
  Doubles values = x.toDoubles();
  eval::Shape shape(x.getShape());
  for (auto [n, axis] : llvm::enumerate(getAxes()))
    values = resampleAxis(values, shape, axis, taps[n]);
  if (!isa<FloatType>(x.getElementType())) {
    std::vector<int64_t> rounded;
    for (double value : values)
      rounded.push_back(static_cast<int64_t>(std::nearbyint(value)));
    return Tensors{Tensor::fromVector(resultType(*this), rounded)};
  }
  return Tensors{Tensor::fromVector(resultType(*this), values)};
}

} // namespace graven
