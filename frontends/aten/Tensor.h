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

#include "frontends/DataExtents.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/SmallVector.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

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

  /// How the elements lie in the storage, which is dense and in row-major
  /// order.
  struct Layout {
    llvm::SmallVector<int64_t> strides;
    /// Of the first element; unknown where data select it.
    std::optional<int64_t> offset = 0;
  };
  /// Nothing when the views have no strides.
  std::optional<Layout> layout() const;
  /// Whether the elements lie densely in row-major order.
  bool isContiguous() const;
  /// Whether strides alone make it a tensor of that shape.
  bool canBeViewedAs(llvm::ArrayRef<int64_t> shape) const;
  bool sharesStorage(const Tensor &other) const {
    return storage == other.storage;
  }

  /// A constant of a trace that stood for a number: it promotes like one.
  void setWrappedNumber() { standing = std::max(standing, Standing::Wrapped); }
  bool isWrappedNumber() const { return standing != Standing::Tensor; }
  /// A bool, int or float of the program that only running tells: an i1, i64 or
  /// f64 without axes. It promotes like a number.
  void setNumber() { standing = Standing::Number; }
  bool isNumber() const { return standing == Standing::Number; }

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
    bool isStale = false;        ///< see isStale()
    /// Storages that this one is, or is not, depending on data.
    std::vector<std::weak_ptr<Storage>> aliases;
    std::string parameter;
  };
  static void link(const std::shared_ptr<Storage> &a,
                   const std::shared_ptr<Storage> &b);

public:
  /// What a storage holds at a time.
  struct Contents {
    std::shared_ptr<Storage> storage;
    mlir::Value value;
    bool isStale = false;

    Contents now() const { return of(storage); }
    static Contents of(const std::shared_ptr<Storage> &storage) {
      return {storage, storage->value, storage->isStale};
    }
    /// Makes the storage hold this again.
    void restore() const {
      storage->value = value;
      storage->isStale = isStale;
      ++storage->version;
    }
  };
  Contents contents() const { return Contents::of(storage); }
  /// What a write into this tensor changes: its storage, and those that may be
  /// the same one.
  std::vector<Contents> contentsToWrite() const;
  /// The Block in which the storage was made.
  mlir::Block *home() const { return storage->home; }

  /// Makes `value` the contents of this tensor's storage, which it is whole.
  void rebind(mlir::Value value) {
    storage->value = cached = value;
    storage->home = value.getParentBlock();
  }

  /// Depending on data, this tensor shares its storage with `other`: a write
  /// into one of them leaves open what the other holds.
  void mayAlias(const Tensor &other);
  bool mayBeAlias(const Tensor &other) const;
  /// The Blocks in which the storages were made that this one may be, and its
  /// own.
  llvm::SmallVector<mlir::Block *> homes() const;
  /// Whether what the tensor holds depends on which tensors share a storage,
  /// which depends on data. Such a tensor cannot be read or written.
  bool isStale() const { return storage->isStale; }

private:
  std::shared_ptr<Storage> storage;
  /// reshape, transpose, slice, broadcast Nodes and gathers at one index, from
  /// the storage outwards.
  llvm::SmallVector<mlir::Operation *, 2> chain;
  mlir::Value cached;
  unsigned version = 0; ///< of the storage when `cached` was derived
  enum class Standing : uint8_t { Tensor, Wrapped, Number };
  Standing standing = Standing::Tensor;
};

} // namespace graven::aten

#endif // FRONTENDS_ATEN_TENSOR_H
