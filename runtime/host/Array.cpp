//===- Array.cpp - a tensor that owns its memory ----------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements aligned memory and the host's tensor, which checks the
// size before it allocates.
//
//===----------------------------------------------------------------------===//
#include "runtime/host/Array.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <sys/mman.h>

using namespace graven::rt;

Result<Buffer> Buffer::allocate(size_t size, size_t alignment) {
  constexpr size_t hugePage = 2 << 20;
  bool isLarge = size >= hugePage;
  alignment = std::max<size_t>(alignment, isLarge ? hugePage : 64);
  // One byte at least, so that an empty tensor has an address too.
  size_t room = isLarge ? (size - 1) / hugePage * hugePage + hugePage
                        : std::max<size_t>(size, 1);
  void *memory = nullptr;
  if (room < size || posix_memalign(&memory, alignment, room))
    return Error{"out of memory: " + std::to_string(size) + " bytes"};
  // Only advice: a fault for each small page takes longer than the zeros do.
  if (isLarge)
    ::madvise(memory, room, MADV_HUGEPAGE);
  std::memset(memory, 0, std::max<size_t>(size, 1));
  Buffer buffer;
  buffer.bytes.reset(static_cast<std::byte *>(memory));
  buffer.count = size;
  return buffer;
}

std::optional<size_t> graven::rt::byteSize(int32_t dtype,
                                           std::span<const int64_t> extents) {
  int64_t bytes = static_cast<int64_t>(graven_dtype_size(dtype));
  if (bytes == 0)
    return std::nullopt;
  for (int64_t extent : extents)
    if (extent < 0)
      return std::nullopt;
  if (std::find(extents.begin(), extents.end(), 0) != extents.end())
    return 0;
  for (int64_t extent : extents)
    if (__builtin_mul_overflow(bytes, extent, &bytes))
      return std::nullopt;
  return static_cast<size_t>(bytes);
}

std::string graven::rt::describe(int32_t dtype,
                                 std::span<const int64_t> extents) {
  std::string text = graven_dtype_name(dtype);
  text += '[';
  for (size_t i = 0; i < extents.size(); ++i)
    text += (i ? "," : "") + std::to_string(extents[i]);
  return text + ']';
}

Result<Array> Array::create(int32_t dtype, std::vector<int64_t> extents) {
  std::optional<size_t> bytes = byteSize(dtype, extents);
  if (!bytes)
    return Error{"a tensor " + describe(dtype, extents) +
                 " does not fit into memory"};
  Result<Buffer> memory = Buffer::allocate(*bytes);
  if (!memory)
    return memory.takeError();
  Array array;
  array.type = dtype;
  array.shape = std::move(extents);
  array.memory = std::move(*memory);
  return array;
}

int64_t Array::numElements() const {
  int64_t count = memory.size() > 0;
  for (int64_t extent : shape)
    count *= extent;
  return count;
}

Status Array::reinterpret(int32_t dtype) {
  if (graven_dtype_size(dtype) != graven_dtype_size(type))
    return Error{std::string("expected a type of the size of ") +
                 graven_dtype_name(type) + ", got " + graven_dtype_name(dtype)};
  type = dtype;
  return {};
}

GravenTensor Array::tensor() {
  found = shape;
  return {memory.data(), shape.data(), type, static_cast<int32_t>(shape.size()),
          found.data()};
}

void Array::settle() { shape = found; }
