//===- CountedImport.h - outputs as long as data say ----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the import of a model whose extents data decide more than
// once, for forms whose values have the extents that a run finds.
//===----------------------------------------------------------------------===//

#ifndef COMPILER_SESSION_COUNTEDIMPORT_H
#define COMPILER_SESSION_COUNTEDIMPORT_H

#include "compiler/session/Sizes.h"
#include "passes/graph/IndependentParts.h"

namespace graven {

/// The model as a Graph with places for the most elements that its data may
/// give (passes/graph/Room.h), of which each output is cut to those that a run
/// uses. All extents of its inputs are known.
///
/// Otherwise says which Node is in the way: one that does something else where
/// there are no such elements, too, because the Graph could not refuse that.
std::variant<mlir::OwningOpRef<mlir::ModuleOp>, PartsProblem>
importCounted(mlir::MLIRContext *context, const ImportFunction &import,
              const ImportOptions &options);

} // namespace graven

#endif // COMPILER_SESSION_COUNTEDIMPORT_H
