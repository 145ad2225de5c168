//===- Stft.cpp - ATen's short-time Fourier transforms ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file builds stft and istft as convolutions: their filters are cosines
// and sines under the window, which are computed at compile time where the
// window is a buffer.
//
//===----------------------------------------------------------------------===//

#include "frontends/aten/Complex.h"
#include "frontends/aten/Spectral.h"
#include "frontends/aten/Table.h"

#include <cmath>

using namespace graven;
using namespace graven::aten;
using llvm::StringRef;

namespace {
/// What both transforms are told.
struct Frames {
  int64_t length = 0, hop = 0;
  int64_t rows = 0;   ///< frequencies
  mlir::Value window; ///< [length]
  bool isHalf = true; ///< of a real signal
  double factor = 1;  ///< of the forward transform
};
} // namespace

static std::optional<Frames> framesOf(Call &c, mlir::Type element) {
  auto optional = [&](StringRef name, int64_t fallback) {
    return c.has(name) ? c.integer(name) : fallback;
  };
  Frames frames;
  auto length = c.integer("n_fft");
  if (!length)
    return std::nullopt;
  frames.length = *length;
  auto hop = optional("hop_length", frames.length / 4),
       width = optional("win_length", frames.length);
  if (!hop || !width)
    return std::nullopt;
  frames.hop = *hop;
  if (frames.length < 1 || frames.length > kMaxLength || *hop < 1 ||
      *width < 1 || *width > frames.length ||
      !(element.isF32() || element.isF64()) || c.flag("align_to_window")) {
    c.fail() << "needs f32 or f64, frames of at most " << kMaxLength
             << " elements, and a window that is not longer";
    return std::nullopt;
  }
  frames.isHalf = !c.has("onesided") || c.flag("onesided");
  frames.rows = frames.isHalf ? frames.length / 2 + 1 : frames.length;
  if (c.flag("normalized"))
    frames.factor = 1 / std::sqrt(static_cast<double>(frames.length));
  mlir::Value window = c.has("window") ? c.cast(c.tensor("window"), element)
                                       : c.full(element, {*width}, 1.0);
  if (!window || c.shape(window) != Shape{*width}) {
    c.fail() << "needs a window of " << *width << " elements";
    return std::nullopt;
  }
  int64_t before = (frames.length - *width) / 2;
  if (*width < frames.length)
    window = c.make<PadOp>(window, mlir::Value(), Shape{before},
                           Shape{frames.length - *width - before},
                           PadMode::Constant);
  frames.window = window;
  return window ? std::optional(frames) : std::nullopt;
}

/// Cosines, then sines, under the window: [2 rows, 1, length].
static mlir::Value filters(Call &c, const Frames &frames,
                           llvm::MutableArrayRef<double> cosines,
                           llvm::ArrayRef<double> sines) {
  llvm::SmallVector<double> matrix(cosines.begin(), cosines.end());
  matrix.append(sines.begin(), sines.end());
  mlir::Value waves = c.numbers(c.element(frames.window),
                                {2 * frames.rows, 1, frames.length}, matrix);
  return c.binary<MulOp>(waves, frames.window);
}

static std::optional<PadMode> padModeOf(StringRef name) {
  if (name == "reflect" || name.empty())
    return PadMode::Reflect;
  if (name == "constant")
    return PadMode::Constant;
  if (name == "replicate")
    return PadMode::Edge;
  return std::nullopt;
}

static void stft(Call &c) {
  mlir::Value x = c.tensor();
  bool isBatched = x && c.rank(x) == 2;
  if (!x || !c.isFloat(x) || (c.rank(x) != 1 && !isBatched)) {
    c.fail() << "needs real signals of rank 1 or 2";
    return;
  }
  auto frames = framesOf(c, c.element(x));
  if (!frames)
    return c.give({});
  int64_t n = c.shape(x).back(), half = frames->length / 2;
  x = c.reshape(x, {isBatched ? c.shape(x)[0] : 1, 1, n});
  if (c.flag("center")) {
    auto mode = padModeOf(c.string("pad_mode"));
    if (!mode) {
      c.fail() << "pad_mode '" << c.string("pad_mode") << "'";
      return;
    }
    Shape pads{0, 0, half};
    x = x ? c.make<PadOp>(x, mlir::Value(), pads, pads, *mode) : x;
  }
  if (!x || c.shape(x).back() < frames->length) {
    c.fail() << "a signal of " << n << " elements for frames of "
             << frames->length;
    return;
  }
  auto cosines = waves(Wave::Cosine, frames->rows, frames->length,
                       frames->length, frames->factor),
       sines = waves(Wave::Sine, frames->rows, frames->length, frames->length,
                     -frames->factor);
  mlir::Value w = filters(c, *frames, cosines, sines);
  mlir::Value y = w ? c.make<ConvOp>(x, w, mlir::Value(), Shape{frames->hop},
                                     Shape{1}, Shape{0, 0}, uint64_t(1),
                                     Layout::Planar, mlir::IntegerAttr())
                    : w;
  if (!y)
    return c.give({});
  mlir::Value real = c.slice(y, 1, 0, frames->rows),
              imaginary = c.slice(y, 1, frames->rows, 2 * frames->rows);
  if (!isBatched) {
    real = c.select(real, 0, 0);
    imaginary = c.select(imaginary, 0, 0);
  }
  if (!real || !imaginary)
    return c.give({});
  if (c.flag("return_complex")) {
    c.results.push_back(
        ComplexTensor::make(Tensor::make(real), Tensor::make(imaginary)));
    return;
  }
  int64_t last = c.rank(real);
  c.give(
      c.concat({c.unsqueeze(real, last), c.unsqueeze(imaginary, last)}, last));
}

/// Frames under the window, added where they overlap, divided by what the
/// squares of the windows add up to.
static void istft(Call &c) {
  const ComplexTensor *z = ComplexTensor::in(c.argument("self"));
  if (!z || z->real->type().getRank() < 2 || z->real->type().getRank() > 3 ||
      c.flag("return_complex")) {
    c.fail() << "needs complex spectra of rank 2 or 3 of real signals";
    return;
  }
  mlir::Value real = z->real->read(c.builder),
              imaginary = z->imaginary->read(c.builder);
  auto frames = framesOf(c, c.element(real));
  if (!frames)
    return c.give({});
  bool isBatched = c.rank(real) == 3;
  if (!isBatched) {
    real = c.unsqueeze(real, 0);
    imaginary = c.unsqueeze(imaginary, 0);
  }
  if (!real || !imaginary || !frames->isHalf ||
      c.shape(real)[1] != frames->rows) {
    c.fail() << "needs spectra of " << frames->rows << " frequencies";
    return;
  }
  double scale = 1 / (frames->factor * static_cast<double>(frames->length));
  int64_t length = frames->length;
  auto cosines = waves(Wave::Cosine, frames->rows, length, length, scale),
       sines = waves(Wave::Sine, frames->rows, length, length, -scale);
  doublePairs(cosines, length, length);
  doublePairs(sines, length, length);
  auto overlapped = [&](mlir::Value x, mlir::Value w) {
    return x && w ? c.make<ConvTransposeOp>(x, w, mlir::Value(),
                                            Shape{frames->hop}, Shape{1},
                                            Shape{0, 0}, Shape{0}, uint64_t(1))
                  : mlir::Value();
  };
  mlir::Value y = overlapped(c.concat({real, imaginary}, 1),
                             filters(c, *frames, cosines, sines));
  mlir::Value ones = c.full(c.element(real), {1, 1, c.shape(real)[2]}, 1.0);
  mlir::Value squares = c.binary<MulOp>(frames->window, frames->window);
  mlir::Value weight =
      overlapped(ones, squares ? c.reshape(squares, {1, 1, length}) : squares);
  if (!y || !weight)
    return c.give({});
  int64_t total = c.shape(y)[2], start = c.flag("center") ? length / 2 : 0,
          end = c.flag("center") ? total - length / 2 : total;
  if (c.has("length")) {
    auto asked = c.integer("length");
    if (!asked)
      return;
    end = start + *asked;
  }
  int64_t stop = std::min(end, total);
  if (stop <= start) {
    c.fail() << "no elements are left";
    return;
  }
  y = c.binary<DivOp>(c.slice(y, 2, start, stop),
                      c.slice(weight, 2, start, stop));
  if (y && end > stop)
    y = c.make<PadOp>(y, mlir::Value(), Shape{0, 0, 0}, Shape{0, 0, end - stop},
                      PadMode::Constant);
  y = y ? c.select(y, 1, 0) : y;
  c.give(y && !isBatched ? c.select(y, 0, 0) : y);
}

void graven::aten::addStft(Table &t) {
  t.add("stft", stft);
  t.addForExtensions("istft", istft);
}
