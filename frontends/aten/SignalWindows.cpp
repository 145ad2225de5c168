//===- SignalWindows.cpp - ATen's window functions ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file builds the windows that spectra are weighted with, and the
// frequencies that Fourier transforms give, as constants.
//
//===----------------------------------------------------------------------===//

#include "frontends/aten/Table.h"

#include <cmath>
#include <numbers>

using namespace graven;
using namespace graven::aten;

/// at(i) for 0 <= i < length.
template <class At>
static mlir::Value sampled(Call &c, int64_t length, const At &at) {
  ScalarType type = c.dtype().value_or(ScalarType::Float);
  mlir::Type element = c.mlirType(type);
  if (!mlir::isa_and_nonnull<mlir::FloatType>(element))
    return c.failed("elements of type " + name(type));
  constexpr int64_t longest = 1 << 24;
  if (length < 0 || length > longest)
    return c.failed(llvm::Twine(length) + " elements");
  llvm::SmallVector<double> values(length);
  for (int64_t i = 0; i < length; ++i)
    values[i] = at(i);
  auto elements = mlir::RankedTensorType::get({length}, c.builder.getF64Type());
  return c.cast(c.constant(mlir::DenseElementsAttr::get(
                    elements, llvm::ArrayRef<double>(values))),
                element);
}

/// A window of at(x), where x goes from 0 to 1 over its period; one of a single
/// element is 1.
template <class At> static mlir::Value window(Call &c, const At &at) {
  auto length = c.integer("window_length");
  if (!length)
    return {};
  if (*length == 1)
    return sampled(c, 1, [](int64_t) { return 1.0; });
  bool isPeriodic = !c.has("periodic") || c.flag("periodic");
  auto period = static_cast<double>(isPeriodic ? *length : *length - 1);
  return sampled(c, *length, [&](int64_t i) {
    return at(static_cast<double>(i) / period);
  });
}

static double turn(double x) { return std::cos(2 * std::numbers::pi * x); }

static mlir::Value hann(Call &c) {
  return window(c, [](double x) { return 0.5 - 0.5 * turn(x); });
}
static mlir::Value hamming(Call &c) {
  auto alpha = c.has("alpha") ? c.number("alpha") : 0.54;
  auto beta = c.has("beta") ? c.number("beta") : 0.46;
  if (!alpha || !beta)
    return {};
  return window(c, [&](double x) { return *alpha - *beta * turn(x); });
}
static mlir::Value blackman(Call &c) {
  return window(
      c, [](double x) { return 0.42 - 0.5 * turn(x) + 0.08 * turn(2 * x); });
}
static mlir::Value bartlett(Call &c) {
  return window(c, [](double x) { return 1 - std::fabs(2 * x - 1); });
}

/// The modified Bessel function of order 0 by its power series.
static double besselI0(double x) {
  double term = 1, sum = 1;
  for (int k = 1; term > sum * 1e-17; ++k) {
    term *= (x / 2) * (x / 2) / (static_cast<double>(k) * k);
    sum += term;
  }
  return sum;
}
static mlir::Value kaiser(Call &c) {
  auto beta = c.has("beta") ? c.number("beta") : 12.0;
  if (!beta)
    return {};
  constexpr double greatest = 500; // beyond, the series leaves the doubles
  if (!(std::fabs(*beta) <= greatest))
    return c.failed("beta");
  return window(c, [&](double x) {
    double side = 2 * x - 1;
    return besselI0(*beta * std::sqrt(std::max(0.0, 1 - side * side))) /
           besselI0(*beta);
  });
}

/// The frequencies of a transform of n elements that lie d apart.
template <bool kHalf> static mlir::Value frequencies(Call &c) {
  auto n = c.integer("n");
  auto d = c.number("d");
  if (!n || !d)
    return {};
  double scale = 1 / (static_cast<double>(*n) * *d);
  return sampled(c, kHalf ? *n / 2 + 1 : *n, [&](int64_t i) {
    bool isNegative = !kHalf && i >= (*n + 1) / 2;
    return static_cast<double>(isNegative ? i - *n : i) * scale;
  });
}

void graven::aten::addSignalWindows(Table &t) {
  t.add("hann_window", hann);
  t.add("hamming_window", hamming);
  t.add("blackman_window", blackman);
  t.add("bartlett_window", bartlett);
  t.add("kaiser_window", kaiser);
  t.add("fft_fftfreq", frequencies<false>);
  t.add("fft_rfftfreq", frequencies<true>);
}
