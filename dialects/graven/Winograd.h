//===- Winograd.h - transforms of Winograd's convolution ------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the matrices of Winograd's minimal filtering F(m x m, 3 x
// 3) (Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks",
// 2015), which the choice of algorithms, the packing of weights and the kernels
// share.
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_GRAVEN_WINOGRAD_H
#define DIALECTS_GRAVEN_WINOGRAD_H

#include <cstdint>
#include <vector>

namespace graven {

/// Extent of the kernels the transforms are for.
inline constexpr int64_t kWinogradKernel = 3;

/// y = A^T ((G w G^T) * (B^T x B)) A for an input tile x [size, size], a kernel
/// w [3, 3] and an output tile y [tile, tile]; `*` is elementwise. Row-major.
struct WinogradTransform {
  int64_t tile, size;
  /// B^T [size, size], G [size, 3], A^T [tile, size].
  std::vector<double> input, weight, output;
};

/// F(tile x tile, 3 x 3) for tile 2 or 4, by Cook and Toom's construction on
/// the points 0, 1, -1 (and 1/2, -2, with which f32 loses half as much as with
/// 2, -2) and infinity.
WinogradTransform makeWinogradTransform(int64_t tile);

} // namespace graven

#endif // DIALECTS_GRAVEN_WINOGRAD_H
