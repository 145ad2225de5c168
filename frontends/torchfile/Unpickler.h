//===- Unpickler.h - reads the pickles of a model safely ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares unpickle(), a pickle machine that executes nothing: every
// global is looked up in a fixed list, and an unknown one is an error.
//
//===----------------------------------------------------------------------===//

#ifndef FRONTENDS_TORCHFILE_UNPICKLER_H
#define FRONTENDS_TORCHFILE_UNPICKLER_H

#include "frontends/torchfile/PickleValue.h"

#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/Support/Error.h"

namespace graven::torch {

/// What a global that is not on the list becomes.
enum class UnknownGlobals {
  Refused, ///< an error: models name nothing else
  /// An inert value of the kind Opaque, and so is what it is called on; objects
  /// of unknown classes keep their state. For checkpoints, whose reader decides
  /// which values it asks for.
  Opaque
};

struct UnpickleOptions {
  /// Named in errors.
  llvm::StringRef record;
  /// Whether the archive's code defines the class of that qualified name
  /// (`__torch__.a.B`); classes that it does not define are refused.
  llvm::function_ref<bool(llvm::StringRef)> isClass;
  uint64_t maxOperations = 50000000;
  UnknownGlobals unknown = UnknownGlobals::Refused;
  /// Unless null, gets the position behind the pickle; otherwise bytes behind
  /// it are an error.
  size_t *end = nullptr;
};

/// Reads one pickle of protocol 2. The result lives in `arena`. Containers may
/// be cyclic, so whoever walks them bounds the depth.
llvm::Expected<PickleValue *> unpickle(llvm::StringRef bytes,
                                       PickleArena &arena,
                                       const UnpickleOptions &options);

} // namespace graven::torch

#endif // FRONTENDS_TORCHFILE_UNPICKLER_H
