//===- LowerWinograd.h - convolutions by Winograd's way -------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the lowering of a blocked convolution whose algorithm is
// one of Winograd's.
//===----------------------------------------------------------------------===//

#ifndef PASSES_LOWER_LOWERWINOGRAD_H
#define PASSES_LOWER_LOWERWINOGRAD_H

#include "dialects/graven/Graven.h"
#include "dialects/kernel/Kernel.h"
#include "passes/lower/TargetInfo.h"

namespace graven {

/// Output pixels of a tile along an axis; 0 for the direct algorithm.
int64_t winogradTileOf(Algorithm algorithm);

/// The kernel without its epilogue region: `x` is blocked and padded to whole
/// tiles, `w` [OC,IC,3,3], `out` the blocked destination of `pool` x `pool`
/// windows, and `whole`, which may be null, that of all pixels.
kernel::WinogradOp emitWinograd(mlir::OpBuilder &builder, mlir::Location loc,
                                const TargetInfo &target, mlir::Value x,
                                mlir::Value w, mlir::ValueRange epilogue,
                                mlir::Value whole, mlir::Value out,
                                int64_t tile, int64_t pool);

} // namespace graven

#endif // PASSES_LOWER_LOWERWINOGRAD_H
