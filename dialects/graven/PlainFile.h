//===- PlainFile.h - files beside a model ---------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the one way to open a file that a model names: in the
// model's own folder, and nowhere else.
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_GRAVEN_PLAINFILE_H
#define DIALECTS_GRAVEN_PLAINFILE_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/MemoryBuffer.h"
#include <memory>

namespace graven {

/// Maps the file of that plain name (no separators, no `..`) in the folder;
/// links are not followed. Errors: any other name, no regular file.
llvm::Expected<std::shared_ptr<llvm::MemoryBuffer>>
mapPlainFile(llvm::StringRef directory, llvm::StringRef name);

} // namespace graven

#endif // DIALECTS_GRAVEN_PLAINFILE_H
