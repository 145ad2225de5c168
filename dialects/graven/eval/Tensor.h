//===- Tensor.h - tensors of the reference evaluator ----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the dense row-major tensor on which the reference
// evaluator works. Elements are read and written through double, int64_t or
// uint64_t, whichever holds the element type without loss.
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_GRAVEN_EVAL_TENSOR_H
#define DIALECTS_GRAVEN_EVAL_TENSOR_H

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include <cassert>
#include <limits>
#include <memory>
#include <vector>

namespace graven::eval {

/// How elements of a type are computed on.
enum class Kind { Float, Signed, Unsigned };
Kind kindOf(mlir::Type elementType);

/// Bytes of one stored element; a bool takes one byte.
int64_t storageBytes(mlir::Type elementType);

/// A dense row-major tensor of static extents. Copies share the elements;
/// whoever writes does so before sharing.
class Tensor {
public:
  Tensor() = default;
  /// All elements zero. The type must be static and its byte size fit i64.
  explicit Tensor(mlir::RankedTensorType type);

  static Tensor fromElements(mlir::DenseElementsAttr attr);
  /// Row-major bytes, bools as one byte each (any non-zero is true). `bytes`
  /// has exactly the size of the type.
  static Tensor fromBytes(mlir::RankedTensorType type,
                          llvm::ArrayRef<char> bytes);
  mlir::DenseElementsAttr toElements() const;

  mlir::RankedTensorType getType() const { return type; }
  mlir::Type getElementType() const { return type.getElementType(); }
  llvm::ArrayRef<int64_t> getShape() const { return type.getShape(); }
  int64_t getRank() const { return type.getRank(); }
  int64_t getDim(int64_t axis) const { return type.getDimSize(axis); }
  int64_t size() const { return count; }
  llvm::ArrayRef<char> getBytes() const {
    return {bytes.get(), static_cast<size_t>(count * width)};
  }
  llvm::MutableArrayRef<char> getMutableBytes() {
    return {bytes.get(), static_cast<size_t>(count * width)};
  }

  double getDouble(int64_t i) const;
  int64_t getInt(int64_t i) const;
  uint64_t getUnsigned(int64_t i) const;
  /// Floats round to nearest even; ints keep the low bits; into a bool goes the
  /// low bit.
  void set(int64_t i, double value);
  void set(int64_t i, int64_t value);
  void set(int64_t i, uint64_t value);
  /// Copies `number` elements of `source` (same element type) that begin at
  /// `from` to the elements that begin at i.
  void copy(int64_t i, const Tensor &source, int64_t from, int64_t number = 1);

  /// Element i as T, one of double, int64_t, uint64_t.
  template <class T> T get(int64_t i) const {
    if constexpr (std::is_same_v<T, double>)
      return getDouble(i);
    else if constexpr (std::is_same_v<T, int64_t>)
      return getInt(i);
    else
      return getUnsigned(i);
  }
  /// All elements as doubles.
  std::vector<double> toDoubles() const;
  /// All elements as T, one of double, int64_t, uint64_t.
  template <class T> std::vector<T> toVector() const {
    if constexpr (std::is_same_v<T, double>)
      return toDoubles();
    std::vector<T> elements(count);
    for (int64_t i = 0; i < count; ++i)
      elements[i] = get<T>(i);
    return elements;
  }
  /// Elements rounded or wrapped to the element type of `type`.
  template <class T>
  static Tensor fromVector(mlir::RankedTensorType type,
                           const std::vector<T> &elements) {
    Tensor tensor(type);
    for (int64_t i = 0; i < tensor.count; ++i)
      tensor.set(i, elements[i]);
    return tensor;
  }

  /// The same elements under another shape with as many.
  Tensor reshaped(llvm::ArrayRef<int64_t> shape) const;

private:
  mlir::RankedTensorType type;
  int64_t count = 0, width = 0;
  std::shared_ptr<char[]> bytes;
};

/// Row-major strides, in elements.
llvm::SmallVector<int64_t> stridesOf(llvm::ArrayRef<int64_t> shape);

/// Calls `body(index)` for every index of the shape in row-major order.
void forEachIndex(llvm::ArrayRef<int64_t> shape,
                  llvm::function_ref<void(llvm::ArrayRef<int64_t>)> body);

/// Calls `body` with a value of the computation type (double, int64_t or
/// uint64_t) of `elementType`.
template <class Body> auto dispatch(mlir::Type elementType, Body &&body) {
  switch (kindOf(elementType)) {
  case Kind::Float:
    return body(double());
  case Kind::Signed:
    return body(int64_t());
  case Kind::Unsigned:
    return body(uint64_t());
  }
  llvm_unreachable("unknown kind");
}

/// For every index of the shape in row-major order, base + index . strides.
std::vector<int64_t> stridedOffsets(llvm::ArrayRef<int64_t> shape,
                                    llvm::ArrayRef<int64_t> strides,
                                    int64_t base = 0);

/// An entry of an axis table below, and of its result, that stands for nothing.
inline constexpr int64_t outside = std::numeric_limits<int64_t>::min();

/// As stridedOffsets, with a table of offsets for each axis in the place of a
/// stride: for every index, the sum of table[axis][index[axis]]; `outside` if
/// one of them is.
std::vector<int64_t> gridOffsets(llvm::ArrayRef<std::vector<int64_t>> tables);

/// For every index of shape `to` in row-major order, the offset of the element
/// of shape `from` that broadcasts to it; rank 0 always gives 0.
std::vector<int64_t> broadcastOffsets(llvm::ArrayRef<int64_t> from,
                                      llvm::ArrayRef<int64_t> to);

/// Shape of the broadcast of two shapes of equal rank, or of which one has rank
/// 0.
llvm::SmallVector<int64_t> broadcastShape(llvm::ArrayRef<int64_t> a,
                                          llvm::ArrayRef<int64_t> b);

/// f of every element; the result has x's type.
template <class F> llvm::SmallVector<Tensor> map(const Tensor &x, F &&f) {
  Tensor y(x.getType());
  dispatch(x.getElementType(), [&](auto zero) {
    using T = decltype(zero);
    for (int64_t i = 0, e = x.size(); i < e; ++i)
      y.set(i, static_cast<T>(f(x.get<T>(i))));
  });
  return {y};
}

/// f of every pair of elements after broadcast; the result has a's element
/// type.
template <class F>
llvm::SmallVector<Tensor> zip(const Tensor &a, const Tensor &b, F &&f) {
  Tensor y(mlir::RankedTensorType::get(
      broadcastShape(a.getShape(), b.getShape()), a.getElementType()));
  dispatch(a.getElementType(), [&](auto zero) {
    using T = decltype(zero);
    auto fromA = broadcastOffsets(a.getShape(), y.getShape()),
         fromB = broadcastOffsets(b.getShape(), y.getShape());
    for (int64_t i = 0, e = y.size(); i < e; ++i)
      y.set(i, static_cast<T>(f(a.get<T>(fromA[i]), b.get<T>(fromB[i]))));
  });
  return {y};
}

} // namespace graven::eval

#endif // DIALECTS_GRAVEN_EVAL_TENSOR_H
