//===- Blobs.cpp - the files that linking an artifact needs -----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the embedded files, which the assembler includes as they
// are; the build passes their paths as GRAVEN_BLOB_*.
//
//===----------------------------------------------------------------------===//
#include "runtime/blobs/Blobs.h"

#define GRAVEN_EMBED(NAME, PATH)                                               \
  asm(".pushsection .rodata." #NAME ", \"a\", @progbits\n"                     \
      ".balign 64\n"                                                           \
      ".hidden graven_blob_" #NAME "\n"                                        \
      ".globl graven_blob_" #NAME "\n"                                         \
      "graven_blob_" #NAME ":\n"                                               \
      ".incbin \"" PATH "\"\n"                                                 \
      ".hidden graven_blob_" #NAME "_end\n"                                    \
      ".globl graven_blob_" #NAME "_end\n"                                     \
      "graven_blob_" #NAME "_end:\n"                                           \
      ".byte 0\n"                                                              \
      ".popsection\n");                                                        \
  extern "C" __attribute__((visibility("hidden")))                             \
  const unsigned char graven_blob_##NAME[],                                    \
      graven_blob_##NAME##_end[];                                              \
  static graven::rt::Blob NAME##Blob() {                                       \
    return {graven_blob_##NAME, static_cast<size_t>(graven_blob_##NAME##_end - \
                                                    graven_blob_##NAME)};      \
  }

GRAVEN_EMBED(support, GRAVEN_BLOB_SUPPORT)
GRAVEN_EMBED(libc, GRAVEN_BLOB_LIBC)
GRAVEN_EMBED(libm, GRAVEN_BLOB_LIBM)
GRAVEN_EMBED(header, GRAVEN_BLOB_HEADER)

graven::rt::Blob graven::rt::supportObject() { return supportBlob(); }
graven::rt::Blob graven::rt::libcStub() { return libcBlob(); }
graven::rt::Blob graven::rt::libmStub() { return libmBlob(); }
graven::rt::Blob graven::rt::runtimeHeader() { return headerBlob(); }
