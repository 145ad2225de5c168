//===- Spectral.cpp - ATen's Fourier transforms to reals ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file builds the Fourier transforms whose input and result are real, as
// products with constant matrices of cosines and sines: the graph has no
// complex numbers.
//
//===----------------------------------------------------------------------===//

#include "frontends/aten/Norms.h"
#include "frontends/aten/Table.h"
#include "frontends/aten/Windows.h"

#include <cmath>
#include <numbers>

using namespace graven;
using namespace graven::aten;
using llvm::StringRef;

/// Longer axes would need bigger matrices.
static constexpr int64_t kMaxLength = 4096;

namespace {
/// A complex tensor; the imaginary part may be null, for 0.
struct Complex {
  mlir::Value real, imaginary;
};
} // namespace

static mlir::Value sum(Call &c, mlir::Value a, mlir::Value b) {
  return !b ? a : !a ? b : c.binary<AddOp>(a, b);
}
static mlir::Value negated(Call &c, mlir::Value a) {
  return a ? c.unary<NegOp>(a) : a;
}

/// What a transform multiplies its result of n elements with.
static std::optional<double> factorOf(Call &c, bool forward, double n) {
  StringRef norm = c.has("norm") ? c.string("norm") : "backward";
  if (norm == "ortho")
    return 1 / std::sqrt(n);
  if (norm == (forward ? "forward" : "backward"))
    return 1 / n;
  if (norm == "forward" || norm == "backward")
    return 1;
  c.fail() << "norm '" << norm << "'";
  return std::nullopt;
}

/// The axis cut or filled with zeros to `length` elements.
static mlir::Value fitted(Call &c, mlir::Value x, int64_t axis,
                          int64_t length) {
  if (!x)
    return x;
  int64_t extent = c.type(x).getDimSize(axis);
  if (extent >= length)
    return c.slice(x, axis, 0, length);
  Shape low(c.rank(x), 0), high(low);
  high[axis] = length - extent;
  return c.make<PadOp>(x, mlir::Value(), low, high, PadMode::Constant);
}

/// [rows, columns] of weight(i) * wave(2 pi i j / n).
static llvm::SmallVector<float> waves(int64_t rows, int64_t n, bool sine,
                                      double factor, bool halved) {
  llvm::SmallVector<float> matrix(rows * n);
  for (int64_t i = 0; i < rows; ++i) {
    bool isSingle = i == 0 || 2 * i == n;
    double weight = factor * (halved && !isSingle ? 2 : 1);
    for (int64_t j = 0; j < n; ++j) {
      double angle = 2 * std::numbers::pi * static_cast<double>(i * j % n) /
                     static_cast<double>(n);
      matrix[i * n + j] = static_cast<float>(
          weight * (sine ? std::sin(angle) : std::cos(angle)));
    }
  }
  return matrix;
}

/// One axis transformed; the sign of the exponent is + for the inverse.
static Complex transform(Call &c, Complex x, int64_t axis, int64_t n,
                         bool forward, double factor) {
  auto cosines = waves(n, n, /*sine=*/false, factor, /*halved=*/false),
       sines = waves(n, n, /*sine=*/true, forward ? -factor : factor,
                     /*halved=*/false);
  auto times = [&](mlir::Value v, llvm::ArrayRef<float> matrix) {
    return v ? timesAlongAxis(c, fitted(c, v, axis, n), axis, n, matrix) : v;
  };
  return {sum(c, times(x.real, cosines), negated(c, times(x.imaginary, sines))),
          sum(c, times(x.real, sines), times(x.imaginary, cosines))};
}

/// The last axis, half of a spectrum with Hermitian symmetry, to n reals.
static mlir::Value toReal(Call &c, Complex x, int64_t axis, int64_t n,
                          bool forward, double factor) {
  int64_t half = n / 2 + 1;
  auto times = [&](mlir::Value v, bool sine, double scale) {
    return v ? timesAlongAxis(c, fitted(c, v, axis, half), axis, n,
                              waves(half, n, sine, scale, /*halved=*/true))
             : v;
  };
  return sum(c, times(x.real, false, factor),
             times(x.imaginary, true, forward ? factor : -factor));
}

/// irfft and hfft over the given axes with the given lengths, the last halved.
static mlir::Value realTransform(Call &c, llvm::ArrayRef<int64_t> axes,
                                 llvm::ArrayRef<int64_t> lengths,
                                 bool forward) {
  Complex x{c.floatTensor(), {}};
  if (!x.real || axes.empty())
    return c.failed("no axes");
  if (c.element(x.real).isF64())
    return c.failed("elements of f64, for which the factors are too narrow");
  double total = 1;
  for (int64_t n : lengths) {
    if (n < 1 || n > kMaxLength)
      return c.failed("length " + llvm::Twine(n) + " of an axis");
    total *= static_cast<double>(n);
  }
  auto factor = factorOf(c, forward, total);
  if (!factor)
    return {};
  for (size_t i = 0; i + 1 < axes.size(); ++i) {
    x = transform(c, x, axes[i], lengths[i], forward, 1);
    if (!x.real)
      return {};
  }
  return toReal(c, x, axes.back(), lengths.back(), forward, *factor);
}

template <bool kForward> static mlir::Value realOfOneAxis(Call &c) {
  mlir::Value x = c.tensor();
  if (c.rank(x) == 0)
    return c.failed("tensor without axes");
  auto axis = c.axis("dim", c.rank(x));
  if (!axis)
    return {};
  auto n = c.has("n") ? c.integer("n") : 2 * (c.type(x).getDimSize(*axis) - 1);
  return n ? realTransform(c, {*axis}, {*n}, kForward) : mlir::Value();
}

template <bool kForward> static mlir::Value realOfAxes(Call &c) {
  mlir::Value x = c.tensor();
  auto list = [&](StringRef name) -> std::optional<Shape> {
    if (c.argument(name).is(Value::Kind::Int))
      return Shape{c.argument(name).integer()};
    return c.integers(name);
  };
  auto axes = list("dim"), lengths = list("s");
  if (!axes || !lengths)
    return {};
  if (!c.has("dim")) {
    // The last axes, as many as there are lengths.
    int64_t count = c.has("s") ? lengths->size() : c.rank(x);
    for (int64_t i = c.rank(x) - count; i < c.rank(x); ++i)
      axes->push_back(i);
  }
  for (int64_t &axis : *axes) {
    auto checked = c.checkedAxis(axis, c.rank(x));
    if (!checked)
      return {};
    axis = *checked;
  }
  Shape sorted(*axes);
  llvm::sort(sorted);
  if (std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end() ||
      (c.has("s") && lengths->size() != axes->size()) || c.rank(x) == 0)
    return c.failed("axes and lengths");
  for (size_t i = 0; i < axes->size(); ++i) {
    if (lengths->size() <= i)
      lengths->push_back(-1);
    int64_t extent = c.type(x).getDimSize((*axes)[i]);
    if ((*lengths)[i] == -1)
      (*lengths)[i] = i + 1 < axes->size() ? extent : 2 * (extent - 1);
  }
  return realTransform(c, *axes, *lengths, kForward);
}

/// Rolls by half of each axis: zero frequency to the middle, or back.
template <bool kBack> static mlir::Value shift(Call &c) {
  mlir::Value x = c.tensor();
  Shape axes = allAxes(x);
  if (c.has("dim")) {
    auto given = c.argument("dim").is(Value::Kind::Int)
                     ? std::optional(Shape{c.argument("dim").integer()})
                     : c.integers("dim");
    if (!given)
      return {};
    axes = *given;
  }
  for (int64_t dim : axes) {
    auto axis = c.checkedAxis(dim, c.rank(x));
    if (!axis || c.rank(x) == 0)
      return axis ? x : mlir::Value();
    int64_t extent = c.type(x).getDimSize(*axis);
    int64_t cut = kBack ? extent / 2 : extent - extent / 2;
    if (cut > 0 && cut < extent)
      x = c.concat({c.slice(x, *axis, cut, extent), c.slice(x, *axis, 0, cut)},
                   *axis);
    if (!x)
      return {};
  }
  return x;
}

void graven::aten::addSpectral(Table &t) {
  t.addWide("fft_irfft", realOfOneAxis<false>);
  t.addWide("fft_hfft", realOfOneAxis<true>);
  t.addWide("fft_irfft2 fft_irfftn", realOfAxes<false>);
  t.addWide("fft_hfft2 fft_hfftn", realOfAxes<true>);
  t.add("fft_fftshift", shift<false>);
  t.add("fft_ifftshift", shift<true>);
}
