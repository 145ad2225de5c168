//===- Weights.h - the tensors of a weights file ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares Weights: names, types and places of the tensors that a
// file holds, whatever its format. The bytes stay in the mapped file; tensors
// may be strided views that share them.
//
//===----------------------------------------------------------------------===//

#ifndef FRONTENDS_SAFETENSORS_WEIGHTS_H
#define FRONTENDS_SAFETENSORS_WEIGHTS_H

#include "frontends/aten/ScalarType.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/MemoryBuffer.h"

#include <memory>
#include <string>
#include <vector>

namespace graven {

/// What a model makes of a tensor; files of weights alone call all Parameters.
enum class WeightRole : uint8_t {
  Parameter, ///< or a buffer that the state_dict has
  Optional,  ///< a tensor that a state_dict may lack: constants, attributes
};

/// One name of a file. Offset and strides are in elements, the place in bytes;
/// the view was checked to lie in its storage.
struct WeightTensor {
  std::string name;
  aten::ScalarType type = aten::ScalarType::Float;
  llvm::SmallVector<int64_t, 4> sizes, strides;
  size_t file = 0;     ///< index of Weights::files
  uint64_t begin = 0;  ///< of the storage in the file
  uint64_t length = 0; ///< of the storage
  int64_t offset = 0;
  WeightRole role = WeightRole::Parameter;
  /// Why its elements cannot be read ("sparse", "quantized", ...), or empty.
  std::string unsupported;

  int64_t elements() const;
  /// Bytes of the elements, each counted once.
  int64_t bytes() const { return elements() * aten::itemSize(type); }
  /// Whether the elements lie dense and row-major.
  bool isDense() const;
  /// Whether it has elements of that storage.
  bool hasBytes() const { return unsupported.empty() && elements() > 0; }
  bool sharesStorage(const WeightTensor &other) const {
    return hasBytes() && other.hasBytes() && file == other.file &&
           begin == other.begin;
  }
  /// Whether it is the other tensor by another name.
  bool isTiedTo(const WeightTensor &other) const {
    return sharesStorage(other) && type == other.type &&
           offset == other.offset && sizes == other.sizes &&
           strides == other.strides;
  }
};

/// A value that is neither a tensor nor plain data, and was not looked into.
struct OpaqueValue {
  std::string name;  ///< where it stands, as names of tensors are made
  std::string what;  ///< the global that would make it
  std::string place; ///< record and byte
};

struct Weights {
  /// What the file is, in words: "state_dict (torch.save, zip)".
  std::string format;
  std::vector<std::shared_ptr<llvm::MemoryBuffer>> files;
  bool bigEndian = false;
  std::vector<WeightTensor> tensors;
  std::vector<OpaqueValue> opaque;

  const WeightTensor *find(llvm::StringRef name) const;
  /// The bytes of its storage from its first element on.
  llvm::StringRef bytes(const WeightTensor &tensor) const;
  /// For each tensor the first one that shares its storage: itself for most.
  std::vector<size_t> owners() const;
  /// Bytes of all storages, those that are shared counted once.
  uint64_t storageBytes() const;
  /// Hands out the elements row-major and little-endian, in pieces; stops at
  /// the first error.
  llvm::Error
  read(const WeightTensor &tensor,
       llvm::function_ref<llvm::Error(llvm::ArrayRef<char>)> piece) const;
};

/// "f32", "u8", "f8e4m3fn", "c64": the name of a type in reports.
llvm::StringRef shortName(aten::ScalarType type);

/// "f32[2,3]"
std::string typeText(const WeightTensor &tensor);

/// Sets the strides of a dense row-major tensor of these sizes.
void setDense(WeightTensor &tensor);

/// Elements of the sizes; nothing when they are more than 2^63, or negative.
std::optional<int64_t> countElements(llvm::ArrayRef<int64_t> sizes);

} // namespace graven

#endif // FRONTENDS_SAFETENSORS_WEIGHTS_H
