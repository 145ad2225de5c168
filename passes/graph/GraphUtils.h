//===- GraphUtils.h - what the graph passes share ---------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares small questions about Values and small Nodes to build that
// several graph passes need, and the base of patterns that count.
//===----------------------------------------------------------------------===//

#ifndef PASSES_GRAPH_GRAPHUTILS_H
#define PASSES_GRAPH_GRAPHUTILS_H

#include "dialects/graven/Graven.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace graven {

inline mlir::RankedTensorType tensorType(mlir::Value value) {
  return llvm::cast<mlir::RankedTensorType>(value.getType());
}

/// Whether `value` is computed from Parameters and constants alone, so that
/// work on it is done once, at compile time. Gives up (false) on values with
/// very many Nodes behind them.
bool isParameterValue(mlir::Value value);

/// The number of which a constant is a splat, ints as doubles; nullopt for
/// anything else.
std::optional<double> splatOf(mlir::Value value);

/// The one Node that uses `value`, perhaps several times; null when there are
/// more or none.
mlir::Operation *soleUser(mlir::Value value);

/// A constant of `rank` extents of 1.
mlir::Value scalarConstant(mlir::OpBuilder &builder, mlir::Location loc,
                           mlir::Type element, double value, int64_t rank);

/// `value` under another static shape; itself when it has that shape.
mlir::Value reshaped(mlir::OpBuilder &builder, mlir::Location loc,
                     mlir::Value value, llvm::ArrayRef<int64_t> shape);

/// `value` with another element type; itself when it has that type.
mlir::Value converted(mlir::OpBuilder &builder, mlir::Location loc,
                      mlir::Value value, mlir::Type element);

/// The type in which the op set accumulates values of a float type: f32 for
/// f16 and bf16, else the type itself.
mlir::Type accumulatorType(mlir::Type element);

/// A pattern that counts its rewrites in a pass's statistic.
template <class OpTy> struct CountingPattern : mlir::OpRewritePattern<OpTy> {
  CountingPattern(mlir::MLIRContext *context, mlir::Pass::Statistic *count,
                  mlir::PatternBenefit benefit = 1)
      : mlir::OpRewritePattern<OpTy>(context, benefit), count(count) {}

  /// To be returned at the end of a rewrite.
  llvm::LogicalResult rewritten() const {
    if (count)
      ++*count;
    return llvm::success();
  }

  mlir::Pass::Statistic *count;
};

} // namespace graven

#endif // PASSES_GRAPH_GRAPHUTILS_H
