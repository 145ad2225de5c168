//===- PickleGlobals.h - the globals a pickle may name ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the fixed table of names that a model's pickle may refer
// to and what calling each gives. It is private to the unpickler.
//
//===----------------------------------------------------------------------===//

#ifndef FRONTENDS_TORCHFILE_PICKLEGLOBALS_H
#define FRONTENDS_TORCHFILE_PICKLEGLOBALS_H

#include "frontends/torchfile/PickleValue.h"

#include "llvm/Support/Error.h"

namespace graven::torch {

/// Whether (module, name) is in the table, classes of the archive apart.
bool isAllowedGlobal(llvm::StringRef module, llvm::StringRef name);

/// The value of `global(*arguments)`, both as the pickle wrote them.
llvm::Expected<PickleValue *> callGlobal(const PickleValue &global,
                                         PickleValue &arguments,
                                         PickleArena &arena);

/// The storage a persistent id `("storage", class, key, device, numel)` names.
llvm::Expected<PickleValue *> loadPersistent(const PickleValue &id,
                                             PickleArena &arena);

} // namespace graven::torch

#endif // FRONTENDS_TORCHFILE_PICKLEGLOBALS_H
