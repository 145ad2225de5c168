//===- Infer.h - helpers of type inference --------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares what the type inference of several op families shares.
// Each check ends its message with the label of the constraint it checks.
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_GRAVEN_OPS_INFER_H
#define DIALECTS_GRAVEN_OPS_INFER_H

#include "dialects/graven/Graven.h"

namespace graven {

using OptionalLoc = std::optional<mlir::Location>;
using InferredTypes = llvm::SmallVectorImpl<mlir::Type>;
using Shape = llvm::SmallVector<int64_t>;

inline mlir::RankedTensorType tensorOf(mlir::Value value) {
  return llvm::cast<mlir::RankedTensorType>(value.getType());
}

/// Fails unless all present operands have the first one's element type.
llvm::LogicalResult checkElementTypes(OptionalLoc loc, mlir::ValueRange values,
                                      llvm::StringRef label = "C1");

/// Fails unless `type` is an element type of the op set (T).
llvm::LogicalResult checkElementType(OptionalLoc loc, mlir::Type type);

/// Fails unless the extents can be equal; `what` names the first one.
llvm::LogicalResult checkExtent(OptionalLoc loc, llvm::StringRef what,
                                int64_t extent, int64_t expected,
                                llvm::StringRef label);

/// Fails unless the shapes have the same rank and extents that can be equal.
llvm::LogicalResult checkShape(OptionalLoc loc, llvm::StringRef what,
                               llvm::ArrayRef<int64_t> shape,
                               llvm::ArrayRef<int64_t> expected,
                               llvm::StringRef label);

/// Fails unless lo <= rank <= hi.
llvm::LogicalResult checkRank(OptionalLoc loc, llvm::StringRef what,
                              int64_t rank, int64_t lo, int64_t hi,
                              llvm::StringRef label);

/// Fails unless `from` broadcasts to `to`: of rank 0, or of the same rank with
/// extents that are 1 or equal.
llvm::LogicalResult checkBroadcastsTo(OptionalLoc loc, llvm::StringRef what,
                                      llvm::ArrayRef<int64_t> from,
                                      llvm::ArrayRef<int64_t> to,
                                      llvm::StringRef label);

/// Fails unless the mixed list has one dynamic entry for each dynamic operand.
llvm::LogicalResult checkMixed(OptionalLoc loc, llvm::StringRef name,
                               llvm::ArrayRef<int64_t> list, size_t operands,
                               llvm::StringRef label);

} // namespace graven

#endif // DIALECTS_GRAVEN_OPS_INFER_H
