//===- CallerView.h - what callers see of a Graph's tensors ---*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file names the attribute of a Graph that says which of its tensors
// callers see as a sequence or an optional.
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_GRAVEN_CALLERVIEW_H
#define DIALECTS_GRAVEN_CALLERVIEW_H

#include "llvm/ADT/StringRef.h"

namespace graven {

/// A StringAttr of JSON (docs/artifact.md); absent where all are tensors.
inline constexpr llvm::StringLiteral kStructureAttr = "graven.structure";

} // namespace graven

#endif // DIALECTS_GRAVEN_CALLERVIEW_H
