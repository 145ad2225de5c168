//===- Spectral.cpp - ATen's Fourier transforms ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file builds the Fourier transforms along axes, as products with constant
// matrices of cosines and sines: the graph has no complex numbers.
//
//===----------------------------------------------------------------------===//

#include "frontends/aten/Spectral.h"

#include "frontends/aten/Complex.h"
#include "frontends/aten/Norms.h"
#include "frontends/aten/Table.h"
#include "frontends/aten/Windows.h"

#include <cmath>
#include <numbers>

using namespace graven;
using namespace graven::aten;
using llvm::StringRef;

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

/// wave(2 pi k / period), 0 <= k < period, exactly 0 where it is 0: the phase
/// of a frequency that has no imaginary part depends on it.
static double waveAt(Wave wave, int64_t k, int64_t period) {
  bool isSine = wave == Wave::Sine;
  if (isSine ? 2 * k == period : 4 * k == period || 4 * k == 3 * period)
    return 0;
  double angle = 2 * std::numbers::pi * static_cast<double>(k) /
                 static_cast<double>(period);
  return isSine ? std::sin(angle) : std::cos(angle);
}

llvm::SmallVector<double> graven::aten::waves(Wave wave, int64_t rows,
                                              int64_t columns, int64_t period,
                                              double factor) {
  llvm::SmallVector<double> matrix(rows * columns);
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < columns; ++j)
      matrix[i * columns + j] = factor * waveAt(wave, i * j % period, period);
  return matrix;
}

void graven::aten::doublePairs(llvm::MutableArrayRef<double> matrix,
                               int64_t columns, int64_t period) {
  for (size_t i = 0; i < matrix.size(); ++i) {
    int64_t row = static_cast<int64_t>(i) / columns;
    if (row != 0 && 2 * row != period)
      matrix[i] *= 2;
  }
}

/// One axis transformed to its first `size` frequencies; the sign of the
/// exponent is + for the inverse.
static ComplexParts transform(Call &c, ComplexParts x, int64_t axis, int64_t n,
                              int64_t size, bool forward, double factor) {
  auto cosines = waves(Wave::Cosine, n, size, n, factor),
       sines = waves(Wave::Sine, n, size, n, forward ? -factor : factor);
  auto times = [&](mlir::Value v, llvm::ArrayRef<double> matrix) {
    return v ? timesAlongAxis(c, fitted(c, v, axis, n), axis, size, matrix) : v;
  };
  return {sum(c, times(x.real, cosines), negated(c, times(x.imaginary, sines))),
          sum(c, times(x.real, sines), times(x.imaginary, cosines))};
}

/// The last axis, half of a spectrum with Hermitian symmetry, to n reals.
static mlir::Value toReal(Call &c, ComplexParts x, int64_t axis, int64_t n,
                          bool forward, double factor) {
  int64_t half = n / 2 + 1;
  auto times = [&](mlir::Value v, Wave wave, double scale) {
    if (!v)
      return v;
    auto matrix = waves(wave, half, n, n, scale);
    doublePairs(matrix, n, n);
    return timesAlongAxis(c, fitted(c, v, axis, half), axis, n, matrix);
  };
  return sum(c, times(x.real, Wave::Cosine, factor),
             times(x.imaginary, Wave::Sine, forward ? factor : -factor));
}

namespace {
/// What is complex: both sides, the result, or the argument.
enum class Transform : uint8_t { Complex, FromReal, ToReal };

struct Axes {
  Shape axes, lengths;
};
} // namespace

static ComplexParts partsOf(Call &c) {
  if (const ComplexTensor *x = ComplexTensor::in(c.argument("self")))
    return {x->real->read(c.builder), x->imaginary->read(c.builder)};
  if (!c.argument("self").is(Value::Kind::Tensor))
    return {};
  return {c.floatTensor(), {}};
}

static std::optional<Axes> oneAxis(Call &c, mlir::Value x) {
  if (c.rank(x) == 0) {
    c.fail() << "tensor without axes";
    return std::nullopt;
  }
  auto axis = c.axis("dim", c.rank(x));
  auto n = c.has("n") ? c.integer("n") : -1;
  if (!axis || !n)
    return std::nullopt;
  return Axes{{*axis}, {*n}};
}

static std::optional<Axes> manyAxes(Call &c, mlir::Value x) {
  auto list = [&](StringRef name) -> std::optional<Shape> {
    if (c.argument(name).is(Value::Kind::Int))
      return Shape{c.argument(name).integer()};
    return c.integers(name);
  };
  auto axes = list("dim"), lengths = list("s");
  if (!axes || !lengths)
    return std::nullopt;
  if (!c.has("dim")) {
    // The last axes, as many as there are lengths.
    int64_t count = c.has("s") ? lengths->size() : c.rank(x);
    for (int64_t i = c.rank(x) - count; i < c.rank(x); ++i)
      axes->push_back(i);
  }
  for (int64_t &axis : *axes) {
    auto checked = c.checkedAxis(axis, c.rank(x));
    if (!checked)
      return std::nullopt;
    axis = *checked;
  }
  Shape sorted(*axes);
  llvm::sort(sorted);
  if (std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end() ||
      (c.has("s") && lengths->size() != axes->size()) || c.rank(x) == 0) {
    c.fail() << "axes and lengths";
    return std::nullopt;
  }
  lengths->resize(axes->size(), -1);
  return Axes{*axes, *lengths};
}

/// The lengths that were not given, and whether there are matrices for all.
static bool complete(Call &c, mlir::Value x, Transform kind, Axes &of) {
  if (of.axes.empty()) {
    c.fail() << "no axes";
    return false;
  }
  for (auto [i, n] : llvm::enumerate(of.lengths)) {
    int64_t extent = c.type(x).getDimSize(of.axes[i]);
    bool isHalf = kind == Transform::ToReal && i + 1 == of.lengths.size();
    if (n == -1)
      n = isHalf ? 2 * (extent - 1) : extent;
    if (n < 1 || n > kMaxLength) {
      c.fail() << "length " << n << " of an axis";
      return false;
    }
  }
  return true;
}

/// Transforms the axes, the last one as `kind` says; all of the spectrum of
/// reals, or the half that tells the rest.
static void transformAxes(Call &c, Transform kind, ComplexParts x,
                          const Axes &of, bool forward, bool isWhole,
                          double factor) {
  // Of a real tensor the last axis goes first: it halves the rest.
  size_t count = of.axes.size();
  int64_t last = of.axes.back(), n = of.lengths.back();
  if (kind == Transform::FromReal)
    x = transform(c, x, last, n, isWhole ? n : n / 2 + 1, forward, factor);
  for (size_t i = 0; x.real && i + 1 < count; ++i)
    x = transform(c, x, of.axes[i], of.lengths[i], of.lengths[i], forward, 1);
  if (kind == Transform::ToReal)
    return c.give(x.real ? toReal(c, x, last, n, forward, factor) : x.real);
  if (kind == Transform::Complex && x.real)
    x = transform(c, x, last, n, n, forward, factor);
  if (!x.real || !x.imaginary)
    return c.give({});
  c.results.push_back(
      ComplexTensor::make(Tensor::make(x.real), Tensor::make(x.imaginary)));
}

template <Transform kKind, bool kForward, bool kMany>
static void spectrum(Call &c) {
  ComplexParts x = partsOf(c);
  if (!x.real || (kKind == Transform::FromReal && x.imaginary)) {
    c.fail() << "needs a real tensor";
    return;
  }
  auto of = kMany ? manyAxes(c, x.real) : oneAxis(c, x.real);
  if (!of || !complete(c, x.real, kKind, *of))
    return c.give({});
  double total = 1;
  for (int64_t n : of->lengths)
    total *= static_cast<double>(n);
  auto factor = factorOf(c, kForward, total);
  if (!factor)
    return;
  transformAxes(c, kKind, x, *of, kForward, /*isWhole=*/false, *factor);
}

/// What the `normalization` of a decomposed transform says.
static std::optional<double> factorOf(int64_t normalization, double n) {
  switch (normalization) {
  case 0:
    return 1;
  case 1:
    return 1 / std::sqrt(n);
  case 2:
    return 1 / n;
  default:
    return std::nullopt;
  }
}

/// The transforms that those above are decomposed to.
template <Transform kKind> static void decomposed(Call &c) {
  ComplexParts x = partsOf(c);
  auto dims = c.integers("dim");
  auto norm = c.integer("normalization");
  if (!x.real || !dims || !norm ||
      (kKind == Transform::FromReal && x.imaginary))
    return c.give({});
  Axes of{*dims, Shape(dims->size(), -1)};
  for (int64_t &axis : of.axes) {
    auto checked = c.checkedAxis(axis, c.rank(x.real));
    if (!checked)
      return;
    axis = *checked;
  }
  if (kKind == Transform::ToReal && !of.axes.empty()) {
    auto size = c.integer("last_dim_size");
    if (!size)
      return c.give({});
    of.lengths.back() = *size;
  }
  if (!complete(c, x.real, kKind, of))
    return;
  double total = 1;
  for (int64_t n : of.lengths)
    total *= static_cast<double>(n);
  auto factor = factorOf(*norm, total);
  if (!factor) {
    c.fail() << "normalization " << *norm;
    return;
  }
  bool forward = kKind == Transform::FromReal ||
                 (kKind == Transform::Complex && c.flag("forward"));
  transformAxes(c, kKind, x, of, forward,
                kKind == Transform::FromReal && !c.flag("onesided"), *factor);
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
    x = c.roll(x, *axis, cut);
    if (!x)
      return {};
  }
  return x;
}

void graven::aten::addSpectral(Table &t) {
  using enum Transform;
  auto add = [&](StringRef names, Builder builder) {
    t.addForExtensions(names, builder, Arithmetic::Wide);
  };
  add("fft_irfft", spectrum<ToReal, false, false>);
  add("fft_hfft", spectrum<ToReal, true, false>);
  add("fft_irfft2 fft_irfftn", spectrum<ToReal, false, true>);
  add("fft_hfft2 fft_hfftn", spectrum<ToReal, true, true>);
  add("fft_fft", spectrum<Complex, true, false>);
  add("fft_ifft", spectrum<Complex, false, false>);
  add("fft_fft2 fft_fftn", spectrum<Complex, true, true>);
  add("fft_ifft2 fft_ifftn", spectrum<Complex, false, true>);
  add("fft_rfft", spectrum<FromReal, true, false>);
  add("fft_rfft2 fft_rfftn", spectrum<FromReal, true, true>);
  add("fft_ihfft", spectrum<FromReal, false, false>);
  add("fft_ihfft2 fft_ihfftn", spectrum<FromReal, false, true>);
  add("_fft_r2c", decomposed<FromReal>);
  add("_fft_c2r", decomposed<ToReal>);
  add("_fft_c2c", decomposed<Complex>);
  t.add("fft_fftshift", shift<false>);
  t.add("fft_ifftshift", shift<true>);
}
