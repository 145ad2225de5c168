//===- PickleValue.h - what a pickle of a model holds ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the tree of values that the unpickler builds. Values are
// owned by an arena and compared by identity: the same address is the same
// Python object, which is how tied weights and shared lists are recognised.
//
//===----------------------------------------------------------------------===//

#ifndef FRONTENDS_TORCHFILE_PICKLEVALUE_H
#define FRONTENDS_TORCHFILE_PICKLEVALUE_H

#include "frontends/aten/ScalarType.h"

#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace graven::torch {

/// A storage as its persistent id names it.
struct PickleStorage {
  aten::ScalarType type = aten::ScalarType::Float;
  std::string key;    ///< names the record within the folder of the pickle
  uint64_t numel = 0; ///< elements
  uint64_t first = 0; ///< element at which views of it begin (legacy files)
};

struct PickleValue;

/// How the integers q of a quantized tensor stand for numbers:
/// (q - zero point) * scale.
struct PickleQuantization {
  double scale = 1; ///< and zeroPoint: of the whole tensor
  int64_t zeroPoint = 0;
  /// Of each index of an axis instead, when set: Tensors.
  const PickleValue *scales = nullptr, *zeroPoints = nullptr;
  int64_t axis = 0;
};

/// A strided view of a storage; offset and strides are in elements and were
/// checked against the storage's numel.
struct PickleTensor {
  PickleStorage storage;
  int64_t offset = 0;
  llvm::SmallVector<int64_t, 4> sizes;
  llvm::SmallVector<int64_t, 4> strides;
  bool requiresGrad = false;
  /// Why the graph cannot hold this tensor ("sparse", "quantized", ...); empty
  /// for ordinary tensors.
  std::string unsupported;
  /// Set for a quantized tensor, which is `unsupported` too: only who knows of
  /// quantization reads it.
  std::optional<PickleQuantization> quantization;
};

struct PickleValue {
  enum class Kind : uint8_t {
    None,
    Bool,    ///< integer is 0 or 1
    Int,     ///< integer
    Float,   ///< real
    Complex, ///< real, imaginary
    String,  ///< text
    List,    ///< items
    Tuple,   ///< items
    Dict,    ///< items: key, value, key, value, ... in insertion order
    Object,  ///< text: the class's qualified name; items: {state} when built
    Enum,    ///< text: the class's qualified name; items: {value}
    Global,  ///< text: an allowed name that is not called yet
    Storage, ///< tensor->storage
    Tensor,  ///< tensor
    Device,  ///< text
    Opaque,  ///< text: a name that is not on the list; integer: its byte
  };
  Kind kind = Kind::None;
  int64_t integer = 0;
  double real = 0, imaginary = 0;
  std::string text;
  /// The static type that `restore_type_tag` gives a container, or empty.
  std::string typeTag;
  std::vector<PickleValue *> items;
  std::unique_ptr<PickleTensor> tensor;

  bool is(Kind k) const { return kind == k; }
  /// The value of a string key in a Dict, or null.
  const PickleValue *lookup(llvm::StringRef key) const {
    for (size_t i = 0; kind == Kind::Dict && i + 1 < items.size(); i += 2)
      if (items[i]->is(Kind::String) && items[i]->text == key)
        return items[i + 1];
    return nullptr;
  }
};

/// Owns the values of one or more pickles; addresses are stable.
class PickleArena {
public:
  PickleValue *make(PickleValue::Kind kind) {
    values.emplace_back();
    values.back().kind = kind;
    return &values.back();
  }
  size_t size() const { return values.size(); }
  const std::deque<PickleValue> &all() const { return values; }

private:
  std::deque<PickleValue> values;
};

} // namespace graven::torch

#endif // FRONTENDS_TORCHFILE_PICKLEVALUE_H
