//===- Tensor.h - tensors with PyTorch's aliasing ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the tensors of an interpreted program. PyTorch's tensors
// share storage and are written in place; the graph has values only. A Tensor
// is a storage, whose value changes, and the chain of view Nodes that leads
// from it; a write puts the new value back through the chain.
//
//===----------------------------------------------------------------------===//

#ifndef FRONTENDS_ATEN_TENSOR_H
#define FRONTENDS_ATEN_TENSOR_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/SmallVector.h"

#include <memory>
#include <string>

namespace graven::aten {

class Tensor {
public:
  using Ptr = std::shared_ptr<Tensor>;

  /// A tensor with a storage of its own.
  static Ptr make(mlir::Value value);

  /// The tensor that an op returned for a view of `base`: `result` was built
  /// from base's value. When view Nodes alone lead from one to the other, they
  /// share storage; otherwise `result` gets its own.
  static Ptr view(const Ptr &base, mlir::Value result);

  mlir::RankedTensorType type() const {
    return mlir::cast<mlir::RankedTensorType>(cached.getType());
  }

  /// The value when it was last read.
  mlir::Value current() const { return cached; }

  /// The value now, derived anew when the storage was written since, or when
  /// the value was derived in a Block that the builder's does not see.
  mlir::Value read(mlir::OpBuilder &builder);

  /// Makes `value`, of this tensor's type, the value of this tensor and of
  /// everything that shares its storage. Fails, with a message, when several
  /// elements share a place (an expanded tensor).
  mlir::LogicalResult write(mlir::OpBuilder &builder, mlir::Location loc,
                            mlir::Value value);

  /// Whether the elements lie densely in row-major order, as far as the views
  /// tell: storages do.
  bool isContiguous() const;
  bool sharesStorage(const Tensor &other) const {
    return storage == other.storage;
  }

  /// A constant of a trace that stood for a number: it promotes like one.
  void setWrappedNumber() { wrappedNumber = true; }
  bool isWrappedNumber() const { return wrappedNumber; }

  /// Names the storage in warnings: the Parameter it holds, or empty.
  void setParameterName(std::string name) {
    storage->parameter = std::move(name);
  }
  llvm::StringRef parameterName() const { return storage->parameter; }
  /// Whether something was written into the storage.
  bool wasWritten() const { return storage->version != 0; }

private:
  struct Storage {
    mlir::Value value;
    mlir::Block *home = nullptr; ///< where it was made
    unsigned version = 0;        ///< counts the writes
    bool isShared = false;       ///< see share()
    std::string parameter;
  };

public:
  /// What a storage holds at a time.
  struct Contents {
    std::shared_ptr<Storage> storage;
    mlir::Value value;

    Contents now() const { return {storage, storage->value}; }
    /// Makes the storage hold this again.
    void restore() const {
      storage->value = value;
      ++storage->version;
    }
  };
  Contents contents() const { return {storage, storage->value}; }
  /// The Block in which the storage was made.
  mlir::Block *home() const { return storage->home; }

  /// Makes `value` the contents of this tensor's storage, which it is whole.
  void rebind(mlir::Value value) {
    storage->value = cached = value;
    storage->home = value.getParentBlock();
  }

  /// From here on writes fail: what this tensor shares its storage with depends
  /// on data.
  void share() { storage->isShared = true; }

private:
  std::shared_ptr<Storage> storage;
  /// reshape, transpose, slice and broadcast Nodes, from the storage outwards.
  llvm::SmallVector<mlir::Operation *, 2> chain;
  mlir::Value cached;
  unsigned version = 0; ///< of the storage when `cached` was derived
  bool wrappedNumber = false;
};

/// Whether a Block, which may be null or outside of any Graph still, is `outer`
/// or stands in it.
bool isWithin(mlir::Block *block, mlir::Block *outer);

} // namespace graven::aten

#endif // FRONTENDS_ATEN_TENSOR_H
