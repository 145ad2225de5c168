//===- Liveness.h - which variables a statement passes on ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the question that conditions and loops on data ask of
// their variables: which of them matter behind, or in the next iteration.
//
//===----------------------------------------------------------------------===//

#ifndef FRONTENDS_TORCHSCRIPT_LIVENESS_H
#define FRONTENDS_TORCHSCRIPT_LIVENESS_H

#include "frontends/torchscript/AST.h"

#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"

#include <map>

namespace graven::torch {

class Liveness {
public:
  /// The names that `statement`, an `if` or a loop of `function`, assigns and
  /// that are of use elsewhere: in the rest of the function, or in the
  /// statement itself before it assigns them again.
  const llvm::StringSet<> &passedOn(const FunctionDef &function,
                                    const Statement &statement);

private:
  std::map<const FunctionDef *, llvm::StringMap<unsigned>> mentions;
  std::map<const Statement *, llvm::StringSet<>> answers; ///< keep their places
};

} // namespace graven::torch

#endif // FRONTENDS_TORCHSCRIPT_LIVENESS_H
