//===- TextLimits.h - what IR text may ask of the parser ------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef GRAVEN_COMPILER_SESSION_TEXTLIMITS_H
#define GRAVEN_COMPILER_SESSION_TEXTLIMITS_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

namespace graven {

/// Checks IR text before MLIR's parser reads it. The parser recurses into each
/// bracket and makes room for the results of a value `%x#N` up to the N-th, so
/// that a short text could take any amount of stack and memory. An error gives
/// the line and what exceeds which bound: 256 brackets, and as many results as
/// the text has bytes.
llvm::Error checkTextLimits(llvm::StringRef text);

} // namespace graven

#endif // GRAVEN_COMPILER_SESSION_TEXTLIMITS_H
