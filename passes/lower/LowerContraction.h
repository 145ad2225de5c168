//===- LowerContraction.h - contractions to packed kernels ------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the lowering of contractions for those who lower through
// them: fusions and attention.
//===----------------------------------------------------------------------===//

#ifndef PASSES_LOWER_LOWERCONTRACTION_H
#define PASSES_LOWER_LOWERCONTRACTION_H

#include "mlir/IR/PatternMatch.h"
#include "mlir/IR/Value.h"
#include "passes/lower/FusedNodes.h"
#include "passes/lower/TargetInfo.h"

namespace graven {
class MatmulOp;
class ConvOp;

/// lhs [B,M,K] times rhs [B or 1,K,N] (or [.,N,K] when transposed) with the
/// epilogue of `fused`, whose operands are scalars, rows [N] or full. The
/// right-hand side is packed into panels first. f32, f64, or what the target
/// multiplies narrow, with an f32 result.
mlir::Value emitGemm(mlir::OpBuilder &builder, mlir::Location loc,
                     const TargetInfo &target, mlir::Value lhs, mlir::Value rhs,
                     bool rhsTransposed, const FusedNodes &fused,
                     mlir::ValueRange epilogue);

/// The matmul and the Nodes fused behind it; fails for shapes and types that
/// take no epilogue.
mlir::FailureOr<mlir::Value> lowerMatmul(mlir::OpBuilder &builder, MatmulOp op,
                                         mlir::Value lhs, mlir::Value rhs,
                                         const FusedNodes &fused,
                                         const TargetInfo &target);

/// The same for a convolution; `bias` may be null. Gives what is pooled too, if
/// that is wanted, then the result.
mlir::FailureOr<llvm::SmallVector<mlir::Value>>
lowerConv(mlir::OpBuilder &builder, ConvOp op, mlir::Value x, mlir::Value w,
          mlir::Value bias, const FusedNodes &fused, const TargetInfo &target);

/// Whether the target multiplies elements of these types as they are: pairs of
/// bf16 for a CPU, f16 or bf16 for tensor cores.
bool multipliesNarrow(const TargetInfo &target, mlir::Type left,
                      mlir::Type right);

/// Part of populateConvLowering.
void populateConvTransposeLowering(mlir::RewritePatternSet &patterns);

} // namespace graven

#endif // PASSES_LOWER_LOWERCONTRACTION_H
