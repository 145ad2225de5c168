//===- Winograd.cpp - transforms of Winograd's convolution ----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements Cook and Toom's construction of the matrices: products
// of polynomials are evaluated at the points, multiplied, and interpolated.
//===----------------------------------------------------------------------===//

#include "dialects/graven/Winograd.h"

#include "llvm/ADT/ArrayRef.h"
#include <cassert>
#include <cmath>

using llvm::ArrayRef;

namespace graven {

/// Coefficients of the product of (x - p) over all points but the one at
/// `skip`.
static std::vector<double> productOfRoots(ArrayRef<double> points,
                                          size_t skip) {
  std::vector<double> product{1};
  for (size_t i = 0; i < points.size(); ++i) {
    if (i == skip)
      continue;
    std::vector<double> next(product.size() + 1, 0);
    for (size_t k = 0; k < product.size(); ++k) {
      next[k] -= points[i] * product[k];
      next[k + 1] += product[k];
    }
    product = std::move(next);
  }
  return product;
}

WinogradTransform makeWinogradTransform(int64_t tile) {
  assert(tile == 2 || tile == 4);
  constexpr int64_t kernel = kWinogradKernel;
  const double all[] = {0, 1, -1, 0.5, -2};
  int64_t size = tile + kernel - 1, finite = size - 1;
  ArrayRef<double> points = ArrayRef(all).take_front(finite);
  WinogradTransform t{tile, size, {}, {}, {}};
  t.input.assign(size * size, 0);
  t.weight.assign(size * kernel, 0);
  t.output.assign(tile * size, 0);
  for (int64_t i = 0; i < finite; ++i) {
    double scale = 1;
    for (int64_t j = 0; j < finite; ++j)
      if (j != i)
        scale *= points[i] - points[j];
    for (int64_t j = 0; j < kernel; ++j)
      t.weight[i * kernel + j] = std::pow(points[i], j) / scale;
    for (int64_t j = 0; j < tile; ++j)
      t.output[j * size + i] = std::pow(points[i], j);
    std::vector<double> row = productOfRoots(points, i);
    std::copy(row.begin(), row.end(), t.input.begin() + i * size);
  }
  // The point at infinity takes the highest coefficients.
  t.weight[finite * kernel + kernel - 1] = 1;
  t.output[(tile - 1) * size + finite] = 1;
  std::vector<double> row = productOfRoots(points, finite);
  std::copy(row.begin(), row.end(), t.input.begin() + finite * size);
  return t;
}

} // namespace graven
