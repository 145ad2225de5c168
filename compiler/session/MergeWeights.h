//===- MergeWeights.h - one copy of the weights of all sizes --*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the merging of the functions @prepare of several modules
// of one model into one, whose weights all of them read.
//===----------------------------------------------------------------------===//

#ifndef COMPILER_SESSION_MERGEWEIGHTS_H
#define COMPILER_SESSION_MERGEWEIGHTS_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

namespace graven {

/// Moves @prepare and the Parameters it reads from the modules, which are at
/// the end of the kernel phase, to the module that is returned, null when no
/// module has weights. What two modules compute alike is computed and kept
/// once; the modules then read it where it is, and all say the same size of the
/// weights.
mlir::OwningOpRef<mlir::ModuleOp>
mergeWeights(llvm::ArrayRef<mlir::ModuleOp> modules);

} // namespace graven

#endif // COMPILER_SESSION_MERGEWEIGHTS_H
