//===- ContractionWeights.h - what may become of weights --------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares what passes ask that compute on weights at compile time.
//===----------------------------------------------------------------------===//

#ifndef PASSES_GRAPH_CONTRACTIONWEIGHTS_H
#define PASSES_GRAPH_CONTRACTIONWEIGHTS_H

#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/PatternMatch.h"

namespace graven {

class ConvOp;

/// Whether `numbers` are Parameters of one element, or of one for each entry of
/// `axis` of `full`.
bool liesAlong(mlir::Value numbers, mlir::RankedTensorType full, int64_t axis);

/// `numbers` laid along `axis` of `rank` axes.
mlir::Value along(mlir::OpBuilder &b, mlir::Location loc, mlir::Value numbers,
                  int64_t rank, int64_t axis);

/// Weights of f32 or f64, of Parameters alone, that nothing else reads: else
/// there would be two copies of them. Not of integers: sums of whole numbers
/// are exact.
llvm::LogicalResult checkWeights(mlir::Operation *op, mlir::Value w,
                                 mlir::PatternRewriter &rewriter);

/// The same for those of a planar convolution, and its bias.
llvm::LogicalResult checkConv(ConvOp conv, mlir::PatternRewriter &rewriter);

} // namespace graven

#endif // PASSES_GRAPH_CONTRACTIONWEIGHTS_H
