//===- BuildIdentity.h - which compiler this is ----------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares buildIdentity, by which what one build of the compiler
// keeps is told from what another does.
//===----------------------------------------------------------------------===//
#ifndef COMPILER_CACHE_BUILDIDENTITY_H
#define COMPILER_CACHE_BUILDIDENTITY_H

#include "llvm/ADT/StringRef.h"

namespace graven {

/// The build IDs of the program or library that holds this code, and of the
/// LLVM and MLIR libraries it uses. Empty when the linker gave this code none:
/// then nothing may be kept, because a version number does not tell two builds
/// apart.
llvm::StringRef buildIdentity();

} // namespace graven

#endif // COMPILER_CACHE_BUILDIDENTITY_H
