//===- AlgorithmError.h - what fast algorithms cost in accuracy -*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the measurement of the rounding error of Winograd's
// convolution, Strassen's product and products of bf16 on given weights. The
// result is a part of what the accuracy policy allows a sum of K products:
// 2 sqrt(K) eps sum |x w|. Above 1 the policy is broken; it is NaN where the
// weights are.
//===----------------------------------------------------------------------===//

#ifndef PASSES_GRAPH_ALGORITHMERROR_H
#define PASSES_GRAPH_ALGORITHMERROR_H

#include "llvm/ADT/STLFunctionalExtras.h"
#include <cstdint>

namespace graven {

/// Weight of (output channel, input channel, tap), tap = 3 y + x.
using TapWeight = llvm::function_ref<double(int64_t, int64_t, int64_t)>;

/// The largest error of F(tile x tile, 3 x 3) in f32 against f64, on a few
/// tiles of random non-negative inputs and a few output channels; K = 9
/// inChannels.
double winogradError(TapWeight weight, int64_t outChannels, int64_t inChannels,
                     int64_t tile);

/// Weight of (row, column) of a right-hand side.
using MatrixWeight = llvm::function_ref<double(int64_t, int64_t)>;

/// The largest error of one level of Strassen's recursion in f32 against f64,
/// on a few rows of random inputs and a few columns; K = depth.
double strassenError(MatrixWeight weight, int64_t depth, int64_t columns);

/// Which factors of products are rounded to bf16. Both are where the target
/// multiplies pairs, which takes denormals for 0.
enum class RoundedFactors { Weights, Both };

/// The largest error of plain sums in f32 of such products against f64, on a
/// row of random inputs and a few columns; K = depth, eps that of bf16.
double roundedError(MatrixWeight weight, int64_t depth, int64_t columns,
                    RoundedFactors rounded);

} // namespace graven

#endif // PASSES_GRAPH_ALGORITHMERROR_H
