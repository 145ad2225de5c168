//===- Array.h - a tensor that owns its memory ------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares Array, the host's tensor: an element type, extents and
// row-major memory aligned for vectors, which can be passed to a compiled
// model.
//
//===----------------------------------------------------------------------===//
#ifndef GRAVEN_RUNTIME_HOST_ARRAY_H
#define GRAVEN_RUNTIME_HOST_ARRAY_H

#include "runtime/host/Result.h"
#include "runtime/include/graven/runtime.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace graven::rt {

/// Bytes on a boundary of at least 64 bytes, freed with their owner.
class Buffer {
public:
  Buffer() = default;

  /// Zeroed bytes; `alignment` is a power of two. Fails when memory is refused.
  static Result<Buffer> allocate(size_t size, size_t alignment = 64);

  std::byte *data() { return bytes.get(); }
  const std::byte *data() const { return bytes.get(); }
  size_t size() const { return count; }

private:
  struct Free {
    void operator()(std::byte *memory) const { std::free(memory); }
  };
  std::unique_ptr<std::byte[], Free> bytes;
  size_t count = 0;
};

/// Bytes of a tensor, or nothing when the type is unknown, an extent negative
/// or the product too large for an address.
std::optional<size_t> byteSize(int32_t dtype, std::span<const int64_t> extents);

/// "f32[2,3]", "i64[]".
std::string describe(int32_t dtype, std::span<const int64_t> extents);

/// A tensor that owns its memory. Moves, does not copy.
class Array {
public:
  Array() = default;

  /// Zeroed elements. Fails on bad extents and when memory is refused.
  static Result<Array> create(int32_t dtype, std::vector<int64_t> extents);

  int32_t dtype() const { return type; }
  std::span<const int64_t> extents() const { return shape; }
  int64_t numElements() const;
  size_t numBytes() const {
    return static_cast<size_t>(numElements()) * graven_dtype_size(type);
  }
  std::byte *data() { return memory.data(); }
  const std::byte *data() const { return memory.data(); }

  /// The elements as T, whose size must be that of the element type.
  template <typename T> std::span<T> as() {
    assert(sizeof(T) == graven_dtype_size(type) && "wrong element size");
    return {reinterpret_cast<T *>(data()), static_cast<size_t>(numElements())};
  }
  template <typename T> std::span<const T> as() const {
    assert(sizeof(T) == graven_dtype_size(type) && "wrong element size");
    return {reinterpret_cast<const T *>(data()),
            static_cast<size_t>(numElements())};
  }

  /// Gives the same bytes another element type of the same size; bf16 travels
  /// as u16 in .npy files. Fails when the sizes differ.
  Status reinterpret(int32_t dtype);

  /// This tensor as a run takes it; valid as long as the Array stays in place.
  GravenTensor tensor();

  /// After a run that gave this tensor as an output whose extents data decide:
  /// has the extents that the run found, which are no more than its own.
  void settle();

private:
  int32_t type = GRAVEN_F32;
  std::vector<int64_t> shape, found;
  Buffer memory;
};

} // namespace graven::rt

#endif // GRAVEN_RUNTIME_HOST_ARRAY_H
