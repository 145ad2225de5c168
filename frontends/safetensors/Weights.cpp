//===- Weights.cpp - the tensors of a weights file ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements looking up the tensors of a file, which of them share
// bytes, and reading their elements in order.
//
//===----------------------------------------------------------------------===//

#include "frontends/safetensors/Weights.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/raw_ostream.h"

using namespace graven;
using llvm::Error;
using llvm::StringRef;

/// Bytes that are gathered before they are handed out.
static constexpr size_t kPiece = size_t(1) << 20;

std::optional<int64_t> graven::countElements(llvm::ArrayRef<int64_t> sizes) {
  int64_t count = 1;
  if (llvm::any_of(sizes, [](int64_t size) { return size < 0; }))
    return std::nullopt;
  if (llvm::is_contained(sizes, 0))
    return 0;
  for (int64_t size : sizes)
    if (llvm::MulOverflow(count, size, count))
      return std::nullopt;
  return count;
}

int64_t WeightTensor::elements() const {
  return countElements(sizes).value_or(0);
}

bool WeightTensor::isDense() const {
  int64_t expected = 1;
  for (size_t i = sizes.size(); i-- > 0;) {
    if (sizes[i] != 1 && strides[i] != expected)
      return false;
    expected *= sizes[i];
  }
  return true;
}

void graven::setDense(WeightTensor &tensor) {
  tensor.strides.resize(tensor.sizes.size());
  int64_t stride = 1;
  for (size_t i = tensor.sizes.size(); i-- > 0;) {
    tensor.strides[i] = stride;
    stride *= tensor.sizes[i];
  }
}

const WeightTensor *Weights::find(StringRef name) const {
  auto it = llvm::find_if(
      tensors, [&](const WeightTensor &tensor) { return tensor.name == name; });
  return it == tensors.end() ? nullptr : &*it;
}

StringRef Weights::bytes(const WeightTensor &tensor) const {
  if (!tensor.hasBytes())
    return {};
  return files[tensor.file]
      ->getBuffer()
      .substr(tensor.begin, tensor.length)
      .drop_front(tensor.offset * aten::itemSize(tensor.type));
}

std::vector<size_t> Weights::owners() const {
  llvm::DenseMap<std::pair<uint64_t, uint64_t>, size_t> first;
  std::vector<size_t> result;
  for (auto [i, tensor] : llvm::enumerate(tensors))
    result.push_back(
        tensor.hasBytes()
            ? first.try_emplace({tensor.file, tensor.begin}, i).first->second
            : i);
  return result;
}

uint64_t Weights::storageBytes() const {
  uint64_t sum = 0;
  for (auto [i, owner] : llvm::enumerate(owners()))
    if (owner == i && tensors[i].hasBytes())
      sum += tensors[i].length;
  return sum;
}

Error Weights::read(
    const WeightTensor &tensor,
    llvm::function_ref<Error(llvm::ArrayRef<char>)> piece) const {
  StringRef source = bytes(tensor);
  size_t width = aten::itemSize(tensor.type);
  bool swaps = bigEndian && width > 1;
  if (!tensor.hasBytes())
    return Error::success();
  if (tensor.isDense() && !swaps)
    return piece(llvm::ArrayRef(source.data(), tensor.bytes()));
  // Complex numbers swap each of their halves.
  size_t part = aten::isComplex(tensor.type) ? width / 2 : width;
  std::vector<char> gathered;
  llvm::SmallVector<int64_t, 4> index(tensor.sizes.size(), 0);
  int64_t at = 0;
  for (int64_t left = tensor.elements(); left > 0; --left) {
    const char *element = source.data() + at * width;
    size_t end = gathered.size();
    gathered.insert(gathered.end(), element, element + width);
    for (size_t i = 0; swaps && i < width; i += part)
      std::reverse(gathered.begin() + end + i,
                   gathered.begin() + end + i + part);
    if (gathered.size() + width > kPiece || left == 1) {
      if (Error error = piece(gathered))
        return error;
      gathered.clear();
    }
    for (size_t axis = index.size(); axis-- > 0;) {
      at += tensor.strides[axis];
      if (++index[axis] < tensor.sizes[axis])
        break;
      at -= tensor.strides[axis] * tensor.sizes[axis];
      index[axis] = 0;
    }
  }
  return Error::success();
}

StringRef graven::shortName(aten::ScalarType type) {
  using aten::ScalarType;
  switch (type) {
  case ScalarType::Byte:
    return "u8";
  case ScalarType::Char:
    return "i8";
  case ScalarType::Short:
    return "i16";
  case ScalarType::Int:
    return "i32";
  case ScalarType::Long:
    return "i64";
  case ScalarType::Half:
    return "f16";
  case ScalarType::Float:
    return "f32";
  case ScalarType::Double:
    return "f64";
  case ScalarType::ComplexHalf:
    return "c32";
  case ScalarType::ComplexFloat:
    return "c64";
  case ScalarType::ComplexDouble:
    return "c128";
  case ScalarType::Bool:
    return "i1";
  case ScalarType::QInt8:
    return "qi8";
  case ScalarType::QUInt8:
    return "qu8";
  case ScalarType::QInt32:
    return "qi32";
  case ScalarType::BFloat16:
    return "bf16";
  case ScalarType::Float8E5M2:
    return "f8e5m2";
  case ScalarType::Float8E4M3FN:
    return "f8e4m3fn";
  case ScalarType::Float8E5M2FNUZ:
    return "f8e5m2fnuz";
  case ScalarType::Float8E4M3FNUZ:
    return "f8e4m3fnuz";
  case ScalarType::UInt16:
    return "u16";
  case ScalarType::UInt32:
    return "u32";
  case ScalarType::UInt64:
    return "u64";
  }
  return "?";
}

std::string graven::typeText(const WeightTensor &tensor) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  stream << shortName(tensor.type) << "[";
  llvm::interleave(tensor.sizes, stream, ",");
  stream << "]";
  return text;
}
