//===- Npy.h - NumPy's .npy files -------------------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares reading and writing of .npy files, format versions 1 to 3
// (numpy.lib.format), made for files that nobody vouches for: the header is
// parsed by hand and limited to 64 KiB, only numbers are accepted, and nothing
// is allocated before the shape was compared with the size of the file.
//
//===----------------------------------------------------------------------===//
#ifndef GRAVEN_RUNTIME_HOST_NPY_H
#define GRAVEN_RUNTIME_HOST_NPY_H

#include "runtime/host/Array.h"

#include <string>

namespace graven::rt {

/// The largest header and rank that are accepted.
constexpr size_t maxNpyHeader = 65536;
constexpr size_t maxNpyRank = 32;

/// Reads a tensor of bool (I1), i8..i64, u8..u64, f16, f32 or f64. Big-endian
/// data is swapped, Fortran order becomes row-major, bools become 0 or 1. NumPy
/// has no bf16: such data is stored as u16, see Array::reinterpret.
Result<Array> readNpy(const std::string &path);

/// The same from bytes in memory; `name` stands for the file in messages.
Result<Array> parseNpy(std::span<const std::byte> bytes,
                       const std::string &name);

/// The file's bytes before the data: format 1.0, little-endian, row-major, a
/// multiple of 64 bytes. BF16 is written as u16.
std::string npyHeader(const Array &array);

/// Writes the tensor so that the file at `path` is the old one or the new one,
/// never a part: into a new file beside it, synced and renamed.
Status writeNpy(const std::string &path, const Array &array);

} // namespace graven::rt

#endif // GRAVEN_RUNTIME_HOST_NPY_H
