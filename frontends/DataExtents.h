//===- DataExtents.h - extents that data decide ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares what an import remembers of the extents that only running
// tells: the Graph is static, so each is assumed, and the same one wherever the
// same count decides. makeRoom (passes/graph/Room.h) takes them for what they
// are.
//
//===----------------------------------------------------------------------===//

#ifndef FRONTENDS_DATAEXTENTS_H
#define FRONTENDS_DATAEXTENTS_H

#include "dialects/graven/Graven.h"
#include "dialects/graven/eval/Tensor.h"

#include "mlir/IR/Builders.h"
#include "llvm/ADT/DenseMap.h"

#include <functional>

namespace graven {

/// Whether a Block, which may be null or outside of any Graph still, is `outer`
/// or stands in it.
bool isWithin(mlir::Block *block, mlir::Block *outer);

/// The places of what is not zero in x, in order: [count, rank] of i64.
eval::Tensor placesOfNonzero(const eval::Tensor &x);

class DataExtents {
public:
  /// See ImportOptions::extentOfData.
  std::function<int64_t(int64_t most)> decide = {};

  /// The first `count` places of x along an axis, `count` an i64 scalar that
  /// only running tells. The same count gives the same extent. Null, with an
  /// error, when there is no such axis.
  mlir::Value prefix(mlir::OpBuilder &builder, mlir::Location loc,
                     mlir::Value x, mlir::Value count, int64_t axis);

  /// The Node that finds what is not zero in x: a new one, or one that is there
  /// already for x or for a tensor computed as x is. Null after an error.
  NonzeroOp nonzero(mlir::OpBuilder &builder, mlir::Location loc,
                    mlir::Value x);

  /// The extent that was assumed for what is not zero in x; nothing when none
  /// was.
  std::optional<int64_t> extentOfNonzero(mlir::OpBuilder &builder,
                                         mlir::Value x) const;

private:
  NonzeroOp findNonzero(mlir::OpBuilder &builder, mlir::Value x) const;
  int64_t extentFor(mlir::Value count, int64_t most);

  llvm::DenseMap<mlir::Value, int64_t> extents;
  llvm::SmallVector<NonzeroOp> nonzeros;
};

} // namespace graven

#endif // FRONTENDS_DATAEXTENTS_H
