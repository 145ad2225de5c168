//===- ConvTransposeUtils.h - transposed conv as conv -----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares how a transposed convolution whose windows do not overlap
// becomes a 1x1 convolution that gives each input pixel's whole window as
// channels.
//===----------------------------------------------------------------------===//

#ifndef PASSES_GRAPH_CONVTRANSPOSEUTILS_H
#define PASSES_GRAPH_CONVTRANSPOSEUTILS_H

#include "dialects/graven/Graven.h"

namespace graven {

/// Why the windows of `op` overlap, leave gaps, or are not those of one plain
/// group; empty when each output element comes from exactly one input element.
llvm::StringRef whyWindowsOverlap(ConvTransposeOp op);

/// Weights and bias of the 1x1 convolution: [K.. Co, Ci, 1..] and [K.. Co], so
/// that the taps are the slower part of its channels.
struct TapConv {
  mlir::Value w, bias;
};
TapConv tapConvOf(mlir::OpBuilder &builder, ConvTransposeOp op);

/// Moves the taps between the spatial axes. `x` is [N, K.., C, D.., rest..],
/// with as many K as D; the result is [N, C, D1 K1, .., rest..].
mlir::Value interleaveTaps(mlir::OpBuilder &builder, mlir::Location loc,
                           mlir::Value x, int64_t spatial);

} // namespace graven

#endif // PASSES_GRAPH_CONVTRANSPOSEUTILS_H
