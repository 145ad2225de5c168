//===- ElfFile.h - is a shared object whole? --------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the check of a shared object before it is loaded: dlopen
// maps what the program headers claim, and a page beyond the end of the file is
// a signal.
//===----------------------------------------------------------------------===//
#ifndef GRAVEN_RUNTIME_HOST_ELFFILE_H
#define GRAVEN_RUNTIME_HOST_ELFFILE_H

#include "runtime/host/Result.h"

#include <string>

namespace graven::rt {

/// An error when `path` is no regular file, no ELF shared object of this
/// machine, or shorter than its program headers say. Messages name the path.
Status checkSharedObject(const std::string &path);

} // namespace graven::rt

#endif // GRAVEN_RUNTIME_HOST_ELFFILE_H
