//===- Blobs.h - the files that linking an artifact needs -------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the files that the compiler carries inside itself, so that
// it can link artifacts on a machine without compiler, linker or libc headers.
//
//===----------------------------------------------------------------------===//
#ifndef GRAVEN_RUNTIME_BLOBS_BLOBS_H
#define GRAVEN_RUNTIME_BLOBS_BLOBS_H

#include <cstddef>

namespace graven::rt {

/// The bytes of one embedded file; they live as long as the program.
struct Blob {
  const unsigned char *data;
  size_t size;
};

/// The architectures that artifacts are linked for, all of 64 bits and with the
/// least significant byte first.
enum class Machine { X86_64, AArch64 };

/// The support object, a relocatable ELF file: every function of runtime.h and
/// the conversions of 16-bit floats, all weak and hidden, each in a section of
/// its own (link with --gc-sections). It needs libc only.
Blob supportObject(Machine machine);

/// The same for artifacts with kernels for GPUs, beside the support object: the
/// functions of cuda/Device.h. It loads the driver when it is first called.
Blob deviceObject(Machine machine);

/// A shared library without code that has the name of the C library (libc.so.6)
/// and the symbols an artifact may take from it, without versions: an artifact
/// linked with it starts on any glibc. Names: blobs/LibcSymbols.def.
Blob libcStub(Machine machine);

/// The same for libm.so.6. Names: blobs/LibmSymbols.def.
Blob libmStub(Machine machine);

/// The text of runtime.h, to be written beside a generated header.
Blob runtimeHeader();

} // namespace graven::rt

#endif // GRAVEN_RUNTIME_BLOBS_BLOBS_H
