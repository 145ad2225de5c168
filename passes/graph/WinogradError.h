//===- WinogradError.h - what Winograd's way costs in accuracy --*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the measurement of the rounding error of Winograd's
// convolution on given weights.
//===----------------------------------------------------------------------===//

#ifndef PASSES_GRAPH_WINOGRADERROR_H
#define PASSES_GRAPH_WINOGRADERROR_H

#include "llvm/ADT/STLFunctionalExtras.h"
#include <cstdint>

namespace graven {

/// Weight of (output channel, input channel, tap), tap = 3 y + x.
using TapWeight = llvm::function_ref<double(int64_t, int64_t, int64_t)>;

/// The largest error of F(tile x tile, 3 x 3) in f32 against f64, on a few
/// tiles of random non-negative inputs and a few output channels, as a part of
/// what the accuracy policy allows a sum of products: 2 sqrt(K) eps sum |x w|
/// for K = 9 inChannels. Above 1 the policy is broken; NaN where a weight is.
double winogradError(TapWeight weight, int64_t outChannels, int64_t inChannels,
                     int64_t tile);

} // namespace graven

#endif // PASSES_GRAPH_WINOGRADERROR_H
