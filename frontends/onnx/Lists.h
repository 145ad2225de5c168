//===- Lists.h - sequences and optionals ----------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares ONNX's sequences and optionals. Both are resolved while a
// model is imported: a sequence is a value of a tuple type, made of its
// tensors; an optional is what it holds, or a value of type `none`. No Node
// takes either, so nothing of them is left in the Graph.
//===----------------------------------------------------------------------===//

#ifndef FRONTENDS_ONNX_LISTS_H
#define FRONTENDS_ONNX_LISTS_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Value.h"

namespace graven::onnx {

/// The sequence of these tensors.
mlir::Value makeList(mlir::OpBuilder &builder, mlir::Location loc,
                     llvm::ArrayRef<mlir::Value> elements);
/// The optional that holds nothing.
mlir::Value makeAbsent(mlir::OpBuilder &builder, mlir::Location loc);

inline bool isList(mlir::Value value) {
  return value && mlir::isa<mlir::TupleType>(value.getType());
}
inline bool isAbsent(mlir::Value value) {
  return !value || mlir::isa<mlir::NoneType>(value.getType());
}
/// What every Node takes.
inline bool isTensor(mlir::Value value) {
  return !isList(value) && !isAbsent(value);
}
/// The tensors of a sequence.
llvm::SmallVector<mlir::Value> elementsOf(mlir::Value list);

/// What values are made of: for each one the number of tensors of a sequence,
/// or one of these.
struct ListShape {
  static constexpr int64_t kTensor = -1, kAbsent = -2;
  llvm::SmallVector<int64_t> entries;
  bool operator==(const ListShape &) const = default;
  /// "tensor, sequence of 2, absent"
  std::string text() const;
};

/// Replaces sequences by their tensors and drops what is absent.
ListShape flatten(llvm::SmallVectorImpl<mlir::Value> &values);
/// The inverse.
llvm::SmallVector<mlir::Value> regroup(mlir::OpBuilder &builder,
                                       mlir::Location loc,
                                       llvm::ArrayRef<mlir::Value> tensors,
                                       const ListShape &shape);

} // namespace graven::onnx

#endif // FRONTENDS_ONNX_LISTS_H
