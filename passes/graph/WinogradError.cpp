//===- WinogradError.cpp - what Winograd's way costs in accuracy *- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the measurement: the arithmetic of the kernel in f32,
// beside the plain sum in f64.
//===----------------------------------------------------------------------===//

#include "passes/graph/WinogradError.h"

#include "dialects/graven/Winograd.h"
#include "llvm/ADT/ArrayRef.h"
#include <cmath>
#include <limits>
#include <random>

using llvm::ArrayRef;

namespace graven {
namespace {

constexpr int64_t kTaps = kWinogradKernel * kWinogradKernel;
constexpr int64_t kTiles = 2, kChannels = 4;

/// matrix X matrix^T in T, for X [columns, columns].
template <typename T>
std::vector<T> both(ArrayRef<double> matrix, const std::vector<T> &x,
                    int64_t columns) {
  int64_t rows = matrix.size() / columns;
  std::vector<T> half(rows * columns), result(rows * rows);
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < columns; ++j)
      for (int64_t k = 0; k < columns; ++k)
        half[i * columns + j] +=
            T(matrix[i * columns + k]) * x[k * columns + j];
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < rows; ++j)
      for (int64_t k = 0; k < columns; ++k)
        result[i * rows + j] +=
            T(matrix[j * columns + k]) * half[i * columns + k];
  return result;
}

/// Like activations behind a relu: half of them 0.
std::vector<float> randomInputs(std::mt19937 &generator, int64_t count) {
  std::vector<float> values(count);
  for (float &value : values) {
    // A sum of uniforms, since std's normal distribution differs by library.
    double sum = -2;
    for (int i = 0; i < 4; ++i)
      sum += double(generator()) / std::mt19937::max();
    value = static_cast<float>(std::max(0.0, sum));
  }
  return values;
}

} // namespace

double winogradError(TapWeight weight, int64_t outChannels, int64_t inChannels,
                     int64_t tile) {
  WinogradTransform t = makeWinogradTransform(tile);
  std::mt19937 generator(1);
  int64_t points = t.size * t.size;
  std::vector<std::vector<float>> inputs, transformed;
  for (int64_t i = 0; i < kTiles * inChannels; ++i) {
    inputs.push_back(randomInputs(generator, points));
    transformed.push_back(both<float>(t.input, inputs.back(), t.size));
  }
  double worst = 0;
  int64_t channels = std::min(outChannels, kChannels);
  for (int64_t c = 0; c < channels; ++c) {
    int64_t oc = c * outChannels / channels;
    std::vector<std::vector<float>> sums(kTiles, std::vector<float>(points));
    std::vector<std::vector<double>> exact(kTiles,
                                           std::vector<double>(tile * tile)),
        absolute = exact;
    for (int64_t ic = 0; ic < inChannels; ++ic) {
      std::vector<double> taps(kTaps);
      for (int64_t tap = 0; tap < kTaps; ++tap)
        taps[tap] = weight(oc, ic, tap);
      std::vector<double> w = both<double>(t.weight, taps, kWinogradKernel);
      for (int64_t n = 0; n < kTiles; ++n) {
        const std::vector<float> &x = inputs[n * inChannels + ic],
                                 &d = transformed[n * inChannels + ic];
        for (int64_t p = 0; p < points; ++p)
          sums[n][p] = std::fma(d[p], static_cast<float>(w[p]), sums[n][p]);
        for (int64_t i = 0; i < tile * tile; ++i)
          for (int64_t tap = 0; tap < kTaps; ++tap) {
            int64_t at = (i / tile + tap / kWinogradKernel) * t.size +
                         i % tile + tap % kWinogradKernel;
            exact[n][i] += double(x[at]) * taps[tap];
            absolute[n][i] += std::abs(double(x[at]) * taps[tap]);
          }
      }
    }
    double allowed = 2 * std::sqrt(double(kTaps * inChannels)) *
                     std::numeric_limits<float>::epsilon();
    for (int64_t n = 0; n < kTiles; ++n) {
      std::vector<float> y = both<float>(t.output, sums[n], t.size);
      for (int64_t i = 0; i < tile * tile; ++i) {
        double error = std::abs(y[i] - exact[n][i]);
        if (std::isnan(error))
          return error;
        if (error > 0)
          worst = std::max(worst, error / (allowed * absolute[n][i]));
      }
    }
  }
  return worst;
}

} // namespace graven
