//===- Folds.h - helpers of folders and canonicalizations -----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares what the folders of several op families share.
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_GRAVEN_FOLDS_FOLDS_H
#define DIALECTS_GRAVEN_FOLDS_FOLDS_H

#include "dialects/graven/Graven.h"
#include "mlir/IR/PatternMatch.h"

namespace graven {

/// Whether `attr` is a splat of `value`; a float zero must have the same sign.
bool isSplatOf(mlir::Attribute attr, double value);

/// Whether `value` is defined by a constant that is a splat of `number`.
bool isConstantSplat(mlir::Value value, double number);

/// The value of a rank-0 int constant.
std::optional<int64_t> constantScalar(mlir::Value value);

inline bool hasIntElements(mlir::Value value) {
  return llvm::isa<mlir::IntegerType>(
      llvm::cast<mlir::RankedTensorType>(value.getType()).getElementType());
}

/// Whether every value of the element type `from` is a value of `to`.
bool isLossless(mlir::Type from, mlir::Type to);

/// Moves constant entries of a mixed list from `operands` into `list`; true if
/// there was one.
bool takeConstants(llvm::SmallVector<int64_t> &list,
                   llvm::SmallVector<mlir::Value> &operands);

/// Replaces `op` by an OpTy of the same result type, unless the inferred type
/// is more static than that: refining types is shape inference's business,
/// because users must follow.
template <class OpTy, class... Args>
llvm::LogicalResult replaceKeepingType(mlir::PatternRewriter &rewriter,
                                       mlir::Operation *op, Args &&...args) {
  mlir::OperationState state(op->getLoc(), OpTy::getOperationName());
  OpTy::build(rewriter, state, op->getResult(0).getType(),
              std::forward<Args>(args)...);
  llvm::SmallVector<mlir::Type> inferred;
  if (mlir::failed(OpTy::inferReturnTypes(
          rewriter.getContext(), std::nullopt, state.operands,
          state.attributes.getDictionary(rewriter.getContext()),
          state.getRawProperties(), state.regions, inferred)))
    return rewriter.notifyMatchFailure(op, "the new op's types do not infer");
  if (!isRefinementOf(op->getResultTypes(), inferred))
    return rewriter.notifyMatchFailure(
        op, "the inferred type is more static than the result's");
  rewriter.replaceOp(op, rewriter.create(state));
  return mlir::success();
}

} // namespace graven

#endif // DIALECTS_GRAVEN_FOLDS_FOLDS_H
