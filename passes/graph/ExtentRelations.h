//===- ExtentRelations.h - extents as formulas of symbols -------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the analysis that says of extents, and of numbers that are
// computed from them, which formula of the inputs' extents they are.
//===----------------------------------------------------------------------===//

#ifndef PASSES_GRAPH_EXTENTRELATIONS_H
#define PASSES_GRAPH_EXTENTRELATIONS_H

#include "dialects/graven/Graven.h"
#include "mlir/IR/AffineExpr.h"
#include "llvm/ADT/DenseMap.h"

namespace graven {

/// Formulas of extents: sums, multiples, quotients and rests by numbers, and
/// maxima and minima, of symbols. Two with one formula are equal in each run. A
/// symbol is an input's extent (those of one name are one), or a number of
/// which nothing more is known.
class ExtentRelations {
public:
  explicit ExtentRelations(GraphOp graph);

  /// The extent of a Value along an axis.
  mlir::AffineExpr extentOf(mlir::Value value, int64_t axis);

  /// The one element of an i64 Value.
  mlir::AffineExpr numberOf(mlir::Value value);

  /// The one form of all formulas that are seen to be equal.
  mlir::AffineExpr simplified(mlir::AffineExpr formula) const;

  /// What a formula is at least and at most, as far as that is known.
  struct Limits {
    std::optional<int64_t> least, most;
  };
  Limits limitsOf(mlir::AffineExpr formula) const;

  /// The input and axis that a formula is the extent of; null for others.
  std::pair<mlir::Value, int64_t> inputOf(mlir::AffineExpr formula) const;

private:
  mlir::AffineExpr constant(int64_t number) {
    return mlir::getAffineConstantExpr(number, context);
  }
  mlir::AffineExpr fresh(Limits limits);
  mlir::AffineExpr symbolOf(mlir::Value value, int64_t axis);
  mlir::AffineExpr named(llvm::StringRef name, mlir::Value value, int64_t axis);
  mlir::AffineExpr computeExtent(mlir::OpResult value, int64_t axis);
  mlir::AffineExpr computeNumber(mlir::Operation *op, mlir::Value value);
  mlir::AffineExpr reshaped(ReshapeOp op, int64_t axis);
  mlir::AffineExpr windows(mlir::Value x, int64_t axis, int64_t kernel,
                           int64_t stride, int64_t dilation, int64_t pads);
  mlir::AffineExpr entry(llvm::ArrayRef<int64_t> list, mlir::ValueRange dynamic,
                         int64_t at);
  enum class Extreme { Greater, Lesser };
  mlir::AffineExpr extreme(Extreme which, mlir::AffineExpr a,
                           mlir::AffineExpr b);

  mlir::MLIRContext *context;
  llvm::SmallVector<Limits> symbols;
  llvm::SmallVector<std::pair<mlir::Value, int64_t>> owners;
  llvm::DenseMap<std::pair<mlir::Value, int64_t>, mlir::AffineExpr> extents;
  llvm::DenseMap<mlir::Value, mlir::AffineExpr> numbers;
  llvm::StringMap<mlir::AffineExpr> byName;
  llvm::DenseMap<std::pair<mlir::AffineExpr, mlir::AffineExpr>,
                 mlir::AffineExpr>
      greater, lesser;
};

} // namespace graven

#endif // PASSES_GRAPH_EXTENTRELATIONS_H
