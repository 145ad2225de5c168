//===- Signal.cpp - spectra and windows ---*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the builders of DFT and STFT, which are products with a
// matrix of sines, of windows and of the mel scale.
//===----------------------------------------------------------------------===//

#include "frontends/onnx/NodeBuilder.h"
#include "frontends/onnx/OpTable.h"

#include <numbers>

using namespace mlir;

namespace graven::onnx {

namespace {

/// Matrices of more elements than this are refused.
constexpr int64_t maxElements = int64_t(1) << 24;
constexpr double tau = 2 * std::numbers::pi;

/// Complex numbers are pairs on the last axis; a real signal has one there.
struct Spectrum {
  int64_t length = 0; ///< of the transform
  bool isInverse = false, isOneSided = false;

  int64_t bins() const { return length / 2 + 1; }
  bool givesReal() const { return isInverse && isOneSided; }

  /// What one number of the input adds to one of the output: from place `k` and
  /// part `a` to place `j` and part `b`.
  double factor(int64_t k, int64_t a, int64_t j, int64_t b) const {
    double angle =
        tau * static_cast<double>(k * j % length) / static_cast<double>(length);
    if (isInverse)
      angle = -angle;
    double value = a == b   ? std::cos(angle)
                   : a == 0 ? -std::sin(angle)
                            : std::sin(angle);
    if (isInverse)
      value /= static_cast<double>(length);
    // The other half of the spectrum is this one's mirror image.
    bool isPaired = givesReal() && k != 0 && 2 * k != length;
    return isPaired ? 2 * value : value;
  }

  /// The transform of the last axis but one.
  Value apply(NodeBuilder &n, Value x) const {
    IntList shape = n.shapeOf(x);
    int64_t parts = shape.back(), rank = shape.size(),
            taken = givesReal() ? bins() : length,
            made = isOneSided && !isInverse ? bins() : length,
            madeParts = givesReal() ? 1 : 2;
    // __int128 is wide enough for what lengths of 2^31 could give.
    if (static_cast<__int128>(taken) * parts * made * madeParts > maxElements) {
      n.error(Code::UnsupportedFeature) << "a transform of length " << length
                                        << ", expected at most about " << 2048;
      return {};
    }
    int64_t own = shape[rank - 2];
    if (own > taken)
      x = n.slice(x, rank - 2, 0, taken);
    if (own < taken) {
      IntList low(rank, 0), high(rank, 0);
      high[rank - 2] = taken - own;
      x = n.make<PadOp>(x, Value(), low, high, PadMode::Constant);
    }
    eval::Tensor matrix(RankedTensorType::get({taken * parts, made * madeParts},
                                              n.elementTypeOf(x)));
    int64_t at = 0;
    for (int64_t k = 0; k < taken; ++k)
      for (int64_t a = 0; a < parts; ++a)
        for (int64_t j = 0; j < made; ++j)
          for (int64_t b = 0; b < madeParts; ++b)
            matrix.set(at++, factor(k, a, j, b));
    shape.truncate(rank - 2);
    int64_t rows = elementCount(shape).value_or(0);
    Value y = n.make<MatmulOp>(n.reshape(x, {rows, taken * parts}),
                               n.constant(matrix), false, false);
    shape.push_back(made);
    shape.push_back(madeParts);
    return n.reshape(y, shape);
  }
};

/// Whether it is a signal: floats, real or complex on the last axis.
bool checkSignal(NodeBuilder &n, Value x) {
  auto shape = n.staticShape(x);
  if (!shape)
    return false;
  if (shape->size() >= 2 && (shape->back() == 1 || shape->back() == 2) &&
      isa<FloatType>(n.elementTypeOf(x)))
    return true;
  n.error(Code::BadGraph)
      << "a signal of type " << n.typeOf(x)
      << ", expected floats of which the last axis is 1 or 2";
  return false;
}

LogicalResult transform(NodeBuilder &n, int64_t axis) {
  Value x = n.input(0);
  if (n.hasFailed() || !checkSignal(n, x))
    return failure();
  int64_t rank = n.rankOf(x);
  axis = n.axis(axis, rank);
  Spectrum spectrum;
  spectrum.isInverse = n.flagAttr("inverse");
  spectrum.isOneSided = n.flagAttr("onesided");
  int64_t own = n.shapeOf(x)[axis], parts = n.shapeOf(x).back();
  spectrum.length = spectrum.givesReal() ? 2 * (own - 1) : own;
  if (n.input(1)) {
    auto length = n.oneInt(n.input(1), "dft_length");
    if (!length)
      return failure();
    spectrum.length = *length;
  }
  if (axis == rank - 1 || spectrum.length < 1 ||
      spectrum.length > std::numeric_limits<int32_t>::max() ||
      (spectrum.isOneSided && parts != (spectrum.isInverse ? 2 : 1)))
    return n.error(Code::BadGraph)
           << "a transform of length " << spectrum.length << " along axis "
           << axis << " of " << n.typeOf(x);
  IntList swap = sequence(0, rank);
  std::swap(swap[axis], swap[rank - 2]);
  Value y = spectrum.apply(n, n.transpose(x, swap));
  return n.finish(n.transpose(y, swap));
}

LogicalResult buildDft17(NodeBuilder &n) {
  return transform(n, n.intAttr("axis", 1));
}

LogicalResult buildDft(NodeBuilder &n) {
  std::optional<int64_t> axis = -2;
  if (n.input(2))
    axis = n.oneInt(n.input(2), "the axis");
  return axis ? transform(n, *axis) : failure();
}

LogicalResult buildStft(NodeBuilder &n) {
  Value x = n.input(0), window = n.input(2);
  auto step = n.oneInt(n.input(1), "frame_step");
  if (!step || !checkSignal(n, x))
    return failure();
  IntList shape = n.shapeOf(x);
  if (shape.size() != 3 || (window && n.rankOf(window) != 1))
    return n.error(Code::BadGraph) << "a signal of type " << n.typeOf(x);
  std::optional<int64_t> length = window ? n.shapeOf(window)[0] : shape[1];
  if (n.input(3))
    length = n.oneInt(n.input(3), "frame_length");
  if (!length)
    return failure();
  if (*step < 1 || *length < 1 || *length > shape[1] ||
      (window && n.shapeOf(window)[0] != *length))
    return n.error(Code::BadGraph)
           << "frames of " << *length << " every " << *step
           << " of a signal of type " << n.typeOf(x);
  int64_t frames = (shape[1] - *length) / *step + 1;
  Type i64 = n.getBuilder().getI64Type();
  Value first = n.binary<MulOp>(
      n.make<IotaOp>(ValueRange(), IntList{frames, 1}, int64_t(0), i64),
      n.scalar(i64, *step));
  Value places =
      n.binary<AddOp>(first, n.make<IotaOp>(ValueRange(), IntList{1, *length},
                                            int64_t(1), i64));
  Value cut = n.make<GatherOp>(x, places, int64_t(1), true);
  if (window)
    cut = n.binary<MulOp>(cut, n.reshape(window, {*length, 1}));
  Spectrum spectrum;
  spectrum.length = *length;
  spectrum.isOneSided = n.flagAttr("onesided", true) && shape[2] == 1;
  return n.hasFailed() ? failure() : n.finish(spectrum.apply(n, cut));
}

Value tensorOf(NodeBuilder &n, IntList shape, ArrayRef<double> values) {
  Type type = elementTypeOf(n.getContext(), n.intAttr("output_datatype", 1));
  if (!type) {
    n.error(Code::UnsupportedFeature)
        << "output_datatype is " << n.intAttr("output_datatype", 1);
    return {};
  }
  eval::Tensor tensor(RankedTensorType::get(
      shape, isa<FloatType>(type) ? type : n.getBuilder().getF64Type()));
  for (auto [i, value] : llvm::enumerate(values))
    tensor.set(i, value);
  return n.cast(n.constant(tensor), type);
}

/// A sum of cosines of the place's angle and of twice it.
struct Cosines {
  double constant, once, twice;
};
constexpr Cosines hann{0.5, -0.5, 0}, hamming{25.0 / 46, -21.0 / 46, 0},
    blackman{0.42, -0.5, 0.08};

template <const Cosines &cosines> LogicalResult window(NodeBuilder &n) {
  auto size = n.oneInt(n.input(0), "the size");
  if (!size)
    return failure();
  if (*size < 0 || *size > maxElements)
    return n.error(Code::BadGraph) << "a window of " << *size << " places";
  int64_t period = n.flagAttr("periodic", true) ? *size : *size - 1;
  SmallVector<double> values;
  for (int64_t i = 0; i < *size; ++i) {
    double angle = period ? tau * static_cast<double>(i) / period : 0;
    values.push_back(cosines.constant + cosines.once * std::cos(angle) +
                     cosines.twice * std::cos(2 * angle));
  }
  return n.finish(tensorOf(n, {*size}, values));
}

/// Triangles over the bins of a spectrum, evenly spaced by the mel scale.
LogicalResult buildMelWeights(NodeBuilder &n) {
  auto bands = n.oneInt(n.input(0), "num_mel_bins"),
       length = n.oneInt(n.input(1), "dft_length"),
       rate = n.oneInt(n.input(2), "sample_rate");
  auto low = n.floats(n.input(3), "lower_edge_hertz"),
       high = n.floats(n.input(4), "upper_edge_hertz");
  if (!bands || !length || !rate || !low || !high)
    return failure();
  if (*bands < 1 || *length < 1 || *rate < 1 || low->size() != 1 ||
      high->size() != 1 || *bands > maxElements || *length > maxElements ||
      *bands * (*length / 2 + 1) > maxElements)
    return n.error(Code::BadGraph)
           << *bands << " bands of a spectrum of length " << *length
           << " at rate " << *rate;
  int64_t bins = *length / 2 + 1;
  auto mel = [](double hertz) { return 2595 * std::log10(1 + hertz / 700); };
  double least = mel(low->front()),
         step = (mel(high->front()) - least) / static_cast<double>(*bands + 2);
  IntList edges;
  for (int64_t i = 0; i < *bands + 2; ++i) {
    double hertz = 700 * (std::pow(10, (i * step + least) / 2595) - 1);
    edges.push_back(
        static_cast<int64_t>(std::floor((*length + 1) * hertz / *rate)));
    if (edges.back() < 0 || edges.back() >= bins + (i == *bands + 1))
      return n.error(Code::BadGraph) << "a band begins or ends at bin "
                                     << edges.back() << " of " << bins;
  }
  SmallVector<double> weights(bins * *bands, 0);
  for (int64_t band = 0; band < *bands; ++band) {
    int64_t from = edges[band], centre = edges[band + 1], to = edges[band + 2];
    for (int64_t bin = from; bin <= centre; ++bin)
      weights[bin * *bands + band] =
          centre == from ? 1 : double(bin - from) / double(centre - from);
    for (int64_t bin = centre; bin < to; ++bin)
      weights[bin * *bands + band] = double(to - bin) / double(to - centre);
  }
  return n.finish(tensorOf(n, {bins, *bands}, weights));
}

} // namespace

void addSignals(OpTable &table) {
  table.add("DFT", 1, buildDft17, 17, 20);
  table.add("DFT", 1, buildDft, 20);
  table.add("STFT", 2, buildStft);
  table.add("HannWindow", 1, window<hann>);
  table.add("HammingWindow", 1, window<hamming>);
  table.add("BlackmanWindow", 1, window<blackman>);
  table.add("MelWeightMatrix", 5, buildMelWeights);
}

} // namespace graven::onnx
