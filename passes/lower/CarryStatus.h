//===- CarryStatus.h - checks as one more result --------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares how the checks of a function, which are marked
// `graven.status`, become one more result.
//===----------------------------------------------------------------------===//

#ifndef PASSES_LOWER_CARRYSTATUS_H
#define PASSES_LOWER_CARRYSTATUS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace graven {

/// Combines the statuses of the function, also those inside `scf.if` and
/// `scf.while`, into one more result marked `graven.status`. A function without
/// checks does not change.
void returnStatus(mlir::func::FuncOp function);

} // namespace graven

#endif // PASSES_LOWER_CARRYSTATUS_H
