//===- NpyHeader.h - the header of a .npy file ------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the parser of a .npy header, which is a Python dictionary
// literal such as {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }.
//
//===----------------------------------------------------------------------===//
#ifndef GRAVEN_RUNTIME_HOST_NPYHEADER_H
#define GRAVEN_RUNTIME_HOST_NPYHEADER_H

#include "runtime/host/Result.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace graven::rt {

/// What a header says.
struct NpyHeader {
  int32_t dtype = 0;
  bool bigEndian = false;
  bool fortranOrder = false;
  std::vector<int64_t> extents;
};

/// The fixed bytes at the start of every file, before the length of the header.
constexpr size_t npyPrefixSize = 12;

/// Where the dictionary lies, from the first bytes of the file (12, or all of a
/// shorter file): its offset and length, at most maxNpyHeader.
struct NpyHeaderRange {
  size_t offset;
  size_t length;
};
Result<NpyHeaderRange> locateNpyHeader(std::span<const std::byte> prefix);

/// Parses the dictionary: each of the three keys once, no others.
Result<NpyHeader> parseNpyHeader(std::string_view text);

/// "<f4" for F32 and so on; BF16 gives "<u2".
const char *npyDescription(int32_t dtype);

} // namespace graven::rt

#endif // GRAVEN_RUNTIME_HOST_NPYHEADER_H
