//===- Blobs.cpp - the files that linking an artifact needs -----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the embedded files, which the assembler includes as they
// are; the build passes their folder as GRAVEN_BLOBS.
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

GRAVEN_EMBED(support_x86_64, GRAVEN_BLOBS "/x86_64/support.o")
GRAVEN_EMBED(device_x86_64, GRAVEN_BLOBS "/x86_64/device.o")
GRAVEN_EMBED(libc_x86_64, GRAVEN_BLOBS "/x86_64/Libc.stub")
GRAVEN_EMBED(libm_x86_64, GRAVEN_BLOBS "/x86_64/Libm.stub")
GRAVEN_EMBED(support_aarch64, GRAVEN_BLOBS "/aarch64/support.o")
GRAVEN_EMBED(device_aarch64, GRAVEN_BLOBS "/aarch64/device.o")
GRAVEN_EMBED(libc_aarch64, GRAVEN_BLOBS "/aarch64/Libc.stub")
GRAVEN_EMBED(libm_aarch64, GRAVEN_BLOBS "/aarch64/Libm.stub")
GRAVEN_EMBED(header, GRAVEN_BLOB_HEADER)

using graven::rt::Blob;
using graven::rt::Machine;

Blob graven::rt::supportObject(Machine machine) {
  return machine == Machine::AArch64 ? support_aarch64Blob()
                                     : support_x86_64Blob();
}
Blob graven::rt::deviceObject(Machine machine) {
  return machine == Machine::AArch64 ? device_aarch64Blob()
                                     : device_x86_64Blob();
}
Blob graven::rt::libcStub(Machine machine) {
  return machine == Machine::AArch64 ? libc_aarch64Blob() : libc_x86_64Blob();
}
Blob graven::rt::libmStub(Machine machine) {
  return machine == Machine::AArch64 ? libm_aarch64Blob() : libm_x86_64Blob();
}
graven::rt::Blob graven::rt::runtimeHeader() { return headerBlob(); }
