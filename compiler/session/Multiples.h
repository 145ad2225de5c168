//===- Multiples.h - extents that a model takes multiples of --*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the search for extents of which a model takes multiples of
// a number only, as one that cuts images into windows does.
//===----------------------------------------------------------------------===//

#ifndef COMPILER_SESSION_MULTIPLES_H
#define COMPILER_SESSION_MULTIPLES_H

#include "compiler/session/Sizes.h"

namespace graven {

/// What is said of a model, in terms of symbols that may have any extent.
struct SaidOfModel {
  ImportOptions options;
  llvm::SmallVector<DimSpec> dims;
};

/// `said`, but for symbols with a range of which the model takes multiples
/// only: h becomes 4*h_by_4, and a warning says so, at the Node that asks for
/// it. Looks for them where somebody said that an extent is dynamic.
SaidOfModel inMultiples(mlir::MLIRContext *context,
                        const ImportFunction &import, SaidOfModel said);

} // namespace graven

#endif // COMPILER_SESSION_MULTIPLES_H
