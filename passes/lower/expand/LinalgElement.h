//===- LinalgElement.h - one element of a linalg operation ------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the loops and accesses of a linalg operation on static
// memrefs, and the computation of one element of its results in scalar form.

#ifndef GRAVEN_PASSES_LOWER_EXPAND_LINALGELEMENT_H
#define GRAVEN_PASSES_LOWER_EXPAND_LINALGELEMENT_H

#include "passes/lower/expand/Access.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace graven::expand {

/// The loops, those collapsed that no operand and no index tells apart.
LoopNest nestOf(mlir::linalg::LinalgOp op);

/// One for each operand, without a buffer for a scalar. Fails, with a message,
/// where they are no static memrefs.
mlir::FailureOr<llvm::SmallVector<Access>>
accessesOf(Emitter &e, mlir::linalg::LinalgOp op);

class LinalgElement {
public:
  LinalgElement(Emitter &e, mlir::linalg::LinalgOp op,
                llvm::ArrayRef<Access> accesses, const LoopNest &nest)
      : e(e), op(op), accesses(accesses), nest(nest) {}

  /// Computes and stores the element at `ivs` of the nest's parallel loops; the
  /// reduction loops are carried in registers. `ivs` has room for those.
  void emit(llvm::SmallVectorImpl<Idx> &ivs);

  /// The element of an operand, which the next ones are computed from.
  void provide(unsigned operand, mlir::Value value) {
    provided[operand] = value;
  }

  /// What a reduction begins with, one step of it, and what it ends with.
  llvm::SmallVector<mlir::Value> begin(llvm::ArrayRef<Idx> ivs);
  llvm::SmallVector<mlir::Value> body(llvm::ArrayRef<Idx> ivs,
                                      mlir::ValueRange carried);
  void store(llvm::ArrayRef<Idx> ivs, mlir::ValueRange results);

private:
  llvm::SmallVector<mlir::Value> reduction(size_t depth,
                                           llvm::SmallVectorImpl<Idx> &ivs,
                                           mlir::ValueRange carried);
  bool combines(mlir::Operation &inner);
  mlir::Value loadOperand(mlir::OpOperand &operand, llvm::ArrayRef<Idx> ivs);

  Emitter &e;
  mlir::linalg::LinalgOp op;
  llvm::ArrayRef<Access> accesses;
  const LoopNest &nest;
  llvm::SmallDenseMap<unsigned, mlir::Value> provided;
};

} // namespace graven::expand

#endif // GRAVEN_PASSES_LOWER_EXPAND_LINALGELEMENT_H
