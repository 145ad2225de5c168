//===- AlgorithmError.cpp - what fast algorithms cost ---------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the measurements: the arithmetic of the kernels in f32,
// beside the plain sums in f64.
//===----------------------------------------------------------------------===//

#include "passes/graph/AlgorithmError.h"

#include "dialects/graven/Strassen.h"
#include "dialects/graven/Winograd.h"
#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/ArrayRef.h"
#include <cmath>
#include <limits>
#include <random>

using llvm::ArrayRef;

namespace graven {
namespace {

constexpr int64_t kTaps = kWinogradKernel * kWinogradKernel;
constexpr int64_t kTiles = 2, kChannels = 4, kRoundedColumns = 16;

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

/// About normal: a sum of uniforms, since std's normal distribution differs by
/// library.
std::vector<float> randomInputs(std::mt19937 &generator, int64_t count) {
  std::vector<float> values(count);
  for (float &value : values) {
    double sum = -2;
    for (int i = 0; i < 4; ++i)
      sum += double(generator()) / std::mt19937::max();
    value = static_cast<float>(sum);
  }
  return values;
}

/// The distance of 1 from the next bf16.
constexpr double kNarrowEpsilon = 0x1p-7;

/// What the policy allows, for each unit of sum |x w|.
double allowedError(int64_t products,
                    double epsilon = std::numeric_limits<float>::epsilon()) {
  return 2 * std::sqrt(double(products)) * epsilon;
}

/// x as bf16, to nearest, ties to even.
float toNarrow(float x) {
  llvm::APFloat value(x);
  bool inexact;
  value.convert(llvm::APFloat::BFloat(), llvm::APFloat::rmNearestTiesToEven,
                &inexact);
  return value.convertToFloat();
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
    // Like activations behind a relu: half of them 0.
    for (float &x : inputs.back())
      x = std::max(0.0f, x);
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
    double allowed = allowedError(kTaps * inChannels);
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

double strassenError(MatrixWeight weight, int64_t depth, int64_t columns) {
  // The products' chains are cut after this many terms, as in the kernel.
  constexpr int64_t chain = 384;
  std::mt19937 generator(1);
  int64_t half = depth / 2, halfColumns = columns / 2;
  // An upper and a lower row.
  std::vector<float> rows[] = {randomInputs(generator, depth),
                               randomInputs(generator, depth)};
  double worst = 0;
  int64_t samples = std::min(halfColumns, kChannels);
  for (int64_t s = 0; s < samples; ++s) {
    int64_t column = s * halfColumns / samples;
    float total[7] = {}, part[7] = {};
    double exact[4] = {}, absolute[4] = {};
    for (int64_t k = 0; k < half; ++k) {
      double a[4], b[4];
      for (int q = 0; q < 4; ++q) {
        a[q] = rows[q / 2][k + q % 2 * half];
        b[q] = weight(k + q / 2 * half, column + q % 2 * halfColumns);
      }
      for (int p = 0; p < 7; ++p) {
        float left = 0, right = 0;
        for (int q = 0; q < 4; ++q) {
          left += static_cast<float>(kStrassenLeft[4 * p + q] * a[q]);
          right += static_cast<float>(kStrassenRight[4 * p + q] * b[q]);
        }
        part[p] = std::fma(left, right, part[p]);
        if ((k + 1) % chain == 0 || k + 1 == half) {
          total[p] += part[p];
          part[p] = 0;
        }
      }
      for (int q = 0; q < 4; ++q)
        for (int inner = 0; inner < 2; ++inner) {
          double term = a[q / 2 * 2 + inner] * b[inner * 2 + q % 2];
          exact[q] += term;
          absolute[q] += std::abs(term);
        }
    }
    for (int q = 0; q < 4; ++q) {
      float sum = 0;
      for (int p = 0; p < 7; ++p)
        sum += static_cast<float>(kStrassenResult[7 * q + p]) * total[p];
      double error = std::abs(sum - exact[q]);
      if (std::isnan(error))
        return error;
      if (error > 0)
        worst = std::max(worst, error / (allowedError(depth) * absolute[q]));
    }
  }
  return worst;
}

double roundedError(MatrixWeight weight, int64_t depth, int64_t columns,
                    RoundedFactors rounded) {
  std::mt19937 generator(1);
  std::vector<float> row = randomInputs(generator, depth), narrow = row;
  if (rounded == RoundedFactors::Both)
    for (float &x : narrow)
      x = toNarrow(x);
  double worst = 0, allowed = allowedError(depth, kNarrowEpsilon);
  int64_t samples = std::min(columns, kRoundedColumns);
  for (int64_t s = 0; s < samples; ++s) {
    int64_t column = s * columns / samples;
    float sum = 0;
    double exact = 0, absolute = 0;
    for (int64_t k = 0; k < depth; ++k) {
      double w = weight(k, column);
      float factor = toNarrow(static_cast<float>(w));
      if (rounded == RoundedFactors::Both &&
          std::abs(factor) < std::numeric_limits<float>::min())
        factor = 0;
      sum = std::fma(narrow[k], factor, sum);
      exact += row[k] * w;
      absolute += std::abs(row[k] * w);
    }
    double error = std::abs(sum - exact);
    if (std::isnan(error))
      return error;
    if (error > 0)
      worst = std::max(worst, error / (allowed * absolute));
  }
  return worst;
}

} // namespace graven
