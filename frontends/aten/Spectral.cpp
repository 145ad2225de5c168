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

llvm::SmallVector<double> graven::aten::waves(Wave wave, int64_t rows,
                                              int64_t columns, int64_t period,
                                              double factor) {
  llvm::SmallVector<double> matrix(rows * columns);
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < columns; ++j) {
      double angle = 2 * std::numbers::pi *
                     static_cast<double>(i * j % period) /
                     static_cast<double>(period);
      matrix[i * columns + j] =
          factor * (wave == Wave::Sine ? std::sin(angle) : std::cos(angle));
    }
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
  // Of a real tensor the last axis goes first: it halves the rest.
  size_t count = of->axes.size();
  int64_t last = of->axes.back(), n = of->lengths.back();
  if (kKind == Transform::FromReal)
    x = transform(c, x, last, n, n / 2 + 1, kForward, *factor);
  for (size_t i = 0; x.real && i + 1 < count; ++i)
    x = transform(c, x, of->axes[i], of->lengths[i], of->lengths[i], kForward,
                  1);
  if (kKind == Transform::ToReal)
    return c.give(x.real ? toReal(c, x, last, n, kForward, *factor) : x.real);
  if (kKind == Transform::Complex && x.real)
    x = transform(c, x, last, n, n, kForward, *factor);
  if (!x.real || !x.imaginary)
    return c.give({});
  c.results.push_back(
      ComplexTensor::make(Tensor::make(x.real), Tensor::make(x.imaginary)));
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
  t.add("fft_fftshift", shift<false>);
  t.add("fft_ifftshift", shift<true>);
}
