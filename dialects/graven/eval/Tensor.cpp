//===- Tensor.cpp - tensors of the reference evaluator --------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the storage and element access of the reference
// evaluator's tensors.
//===----------------------------------------------------------------------===//

#include "dialects/graven/eval/Tensor.h"
#include "dialects/graven/ShapeMath.h"
#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/APSInt.h"
#include <algorithm>
#include <cstring>

using namespace mlir;

namespace graven::eval {

Kind kindOf(Type elementType) {
  if (isa<FloatType>(elementType))
    return Kind::Float;
  return elementType.isUnsignedInteger() || elementType.isInteger(1)
             ? Kind::Unsigned
             : Kind::Signed;
}

int64_t storageBytes(Type elementType) {
  return (elementType.getIntOrFloatBitWidth() + 7) / 8;
}

Tensor::Tensor(RankedTensorType type)
    : type(type), width(storageBytes(type.getElementType())) {
  auto elements = elementCount(type.getShape());
  assert(elements && "evaluator tensors have static extents");
  count = *elements;
  bytes.reset(new char[std::max<int64_t>(count * width, 1)]());
}

Tensor Tensor::fromBytes(RankedTensorType type, ArrayRef<char> data) {
  Tensor tensor(type);
  assert(static_cast<int64_t>(data.size()) == tensor.count * tensor.width &&
         "size of the type");
  if (!data.empty())
    std::memcpy(tensor.bytes.get(), data.data(), data.size());
  if (type.getElementType().isInteger(1))
    for (char &byte : tensor.getMutableBytes())
      byte = byte != 0;
  return tensor;
}

Tensor Tensor::fromElements(DenseElementsAttr attr) {
  auto type = cast<RankedTensorType>(attr.getType());
  Tensor tensor(type);
  int64_t i = 0;
  if (isa<FloatType>(type.getElementType())) {
    for (const APFloat &value : attr.getValues<APFloat>()) {
      APInt bits = value.bitcastToAPInt();
      std::memcpy(tensor.bytes.get() + i++ * tensor.width, bits.getRawData(),
                  tensor.width);
    }
    return tensor;
  }
  for (const APInt &value : attr.getValues<APInt>())
    tensor.set(i++, static_cast<uint64_t>(value.getZExtValue()));
  return tensor;
}

DenseElementsAttr Tensor::toElements() const {
  if (type.getElementType().isInteger(1)) {
    SmallVector<bool> values;
    for (char byte : getBytes())
      values.push_back(byte != 0);
    return DenseElementsAttr::get(type, ArrayRef<bool>(values));
  }
  return DenseElementsAttr::getFromRawBuffer(type, getBytes());
}

template <class T> static T load(const char *from) {
  T value;
  std::memcpy(&value, from, sizeof(T));
  return value;
}

static const llvm::fltSemantics &semanticsOf(Type type) {
  return cast<FloatType>(type).getFloatSemantics();
}

double Tensor::getDouble(int64_t i) const {
  Type element = type.getElementType();
  const char *at = bytes.get() + i * width;
  if (isa<Float32Type>(element))
    return load<float>(at);
  if (isa<Float64Type>(element))
    return load<double>(at);
  if (isa<FloatType>(element)) {
    llvm::APFloat value(semanticsOf(element),
                        llvm::APInt(width * 8, load<uint16_t>(at)));
    bool inexact;
    value.convert(llvm::APFloat::IEEEdouble(),
                  llvm::APFloat::rmNearestTiesToEven, &inexact);
    return value.convertToDouble();
  }
  return kindOf(element) == Kind::Signed ? static_cast<double>(getInt(i))
                                         : static_cast<double>(getUnsigned(i));
}

uint64_t Tensor::getUnsigned(int64_t i) const {
  uint64_t value = 0;
  std::memcpy(&value, bytes.get() + i * width, width);
  return value;
}

int64_t Tensor::getInt(int64_t i) const {
  if (kindOf(type.getElementType()) == Kind::Unsigned)
    return static_cast<int64_t>(getUnsigned(i));
  return llvm::SignExtend64(getUnsigned(i), width * 8);
}

void Tensor::set(int64_t i, double value) {
  Type element = type.getElementType();
  char *at = bytes.get() + i * width;
  if (isa<Float32Type>(element)) {
    float single = static_cast<float>(value);
    std::memcpy(at, &single, width);
  } else if (isa<Float64Type>(element)) {
    std::memcpy(at, &value, width);
  } else if (isa<FloatType>(element)) {
    llvm::APFloat rounded(value);
    bool inexact;
    rounded.convert(semanticsOf(element), llvm::APFloat::rmNearestTiesToEven,
                    &inexact);
    std::memcpy(at, rounded.bitcastToAPInt().getRawData(), width);
  } else {
    set(i, static_cast<int64_t>(value));
  }
}

/// Stores an int, rounded once to nearest even.
static void storeRounded(char *at, Type element, const llvm::APSInt &value) {
  llvm::APFloat rounded(semanticsOf(element));
  rounded.convertFromAPInt(value, value.isSigned(),
                           llvm::APFloat::rmNearestTiesToEven);
  llvm::APInt bits = rounded.bitcastToAPInt();
  std::memcpy(at, bits.getRawData(), storageBytes(element));
}

void Tensor::set(int64_t i, uint64_t value) {
  if (isa<FloatType>(type.getElementType()))
    return storeRounded(bytes.get() + i * width, type.getElementType(),
                        llvm::APSInt::getUnsigned(value));
  if (type.getElementType().isInteger(1))
    value &= 1;
  std::memcpy(bytes.get() + i * width, &value, width);
}

void Tensor::set(int64_t i, int64_t value) {
  if (isa<FloatType>(type.getElementType()))
    return storeRounded(bytes.get() + i * width, type.getElementType(),
                        llvm::APSInt::get(value));
  set(i, static_cast<uint64_t>(value));
}

void Tensor::copy(int64_t i, const Tensor &source, int64_t from,
                  int64_t number) {
  if (number > 0)
    std::memcpy(bytes.get() + i * width, source.bytes.get() + from * width,
                number * width);
}

std::vector<double> Tensor::toDoubles() const {
  std::vector<double> values(count);
  if (type.getElementType().isF32()) {
    const float *from = reinterpret_cast<const float *>(bytes.get());
    std::copy(from, from + count, values.begin());
    return values;
  }
  for (int64_t i = 0; i < count; ++i)
    values[i] = getDouble(i);
  return values;
}

Tensor Tensor::reshaped(ArrayRef<int64_t> shape) const {
  Tensor other = *this;
  other.type = RankedTensorType::get(shape, type.getElementType());
  return other;
}

SmallVector<int64_t> stridesOf(ArrayRef<int64_t> shape) {
  SmallVector<int64_t> strides(shape.size(), 1);
  for (int64_t i = static_cast<int64_t>(shape.size()) - 2; i >= 0; --i)
    strides[i] = strides[i + 1] * shape[i + 1];
  return strides;
}

void forEachIndex(ArrayRef<int64_t> shape,
                  llvm::function_ref<void(ArrayRef<int64_t>)> body) {
  if (llvm::is_contained(shape, 0))
    return;
  SmallVector<int64_t> index(shape.size(), 0);
  while (true) {
    body(index);
    int64_t axis = static_cast<int64_t>(shape.size()) - 1;
    for (; axis >= 0 && ++index[axis] == shape[axis]; --axis)
      index[axis] = 0;
    if (axis < 0)
      return;
  }
}

std::vector<int64_t> gridOffsets(llvm::ArrayRef<std::vector<int64_t>> tables) {
  std::vector<int64_t> offsets{0};
  for (const std::vector<int64_t> &table : tables) {
    std::vector<int64_t> next;
    next.reserve(offsets.size() * table.size());
    for (int64_t base : offsets)
      for (int64_t step : table)
        next.push_back(base == outside || step == outside ? outside
                                                          : base + step);
    offsets = std::move(next);
  }
  return offsets;
}

std::vector<int64_t> stridedOffsets(ArrayRef<int64_t> shape,
                                    ArrayRef<int64_t> strides, int64_t base) {
  std::vector<int64_t> offsets{base};
  for (auto [extent, stride] : llvm::zip(shape, strides)) {
    std::vector<int64_t> next(offsets.size() * extent);
    int64_t *to = next.data();
    for (int64_t from : offsets)
      for (int64_t i = 0; i < extent; ++i)
        *to++ = from + i * stride;
    offsets = std::move(next);
  }
  return offsets;
}

std::vector<int64_t> broadcastOffsets(ArrayRef<int64_t> from,
                                      ArrayRef<int64_t> to) {
  SmallVector<int64_t> strides = stridesOf(from);
  for (auto [extent, stride] : llvm::zip(from, strides))
    if (extent == 1)
      stride = 0;
  if (from.empty())
    strides.assign(to.size(), 0);
  return stridedOffsets(to, strides);
}

SmallVector<int64_t> broadcastShape(ArrayRef<int64_t> a, ArrayRef<int64_t> b) {
  if (a.empty())
    return SmallVector<int64_t>(b);
  SmallVector<int64_t> shape(a);
  for (auto [axis, extent] : llvm::enumerate(b))
    if (shape[axis] == 1)
      shape[axis] = extent;
  return shape;
}

} // namespace graven::eval
