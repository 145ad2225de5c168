//===- LowerStrassen.h - products by Strassen's way -----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the lowering of a matrix product whose algorithm is
// Strassen's.
//===----------------------------------------------------------------------===//

#ifndef PASSES_LOWER_LOWERSTRASSEN_H
#define PASSES_LOWER_LOWERSTRASSEN_H

#include "dialects/kernel/Kernel.h"
#include "passes/lower/TargetInfo.h"

namespace graven {

/// The kernel without its epilogue region: lhs [1,M,K] times rhs [1,K,N] (or
/// [1,N,K] when transposed); null when no panel of the target divides N/2.
kernel::StrassenOp emitStrassen(mlir::OpBuilder &builder, mlir::Location loc,
                                const TargetInfo &target, mlir::Value lhs,
                                mlir::Value rhs, bool rhsTransposed,
                                mlir::ValueRange epilogue);

} // namespace graven

#endif // PASSES_LOWER_LOWERSTRASSEN_H
