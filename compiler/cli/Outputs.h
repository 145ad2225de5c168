//===- Outputs.h - what a run gave, as files ------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares how the outputs of a run are saved.
//===----------------------------------------------------------------------===//

#ifndef COMPILER_CLI_OUTPUTS_H
#define COMPILER_CLI_OUTPUTS_H

#include "mlir/IR/Location.h"
#include "mlir/Support/LLVM.h"
#include "runtime/host/Array.h"

namespace graven::cli {

/// Writes FOLDER/0.npy, FOLDER/1.npy and so on; where that fails there is an
/// error at `loc`.
mlir::LogicalResult saveOutputs(llvm::ArrayRef<rt::Array> outputs,
                                llvm::StringRef folder, mlir::Location loc);

} // namespace graven::cli

#endif // COMPILER_CLI_OUTPUTS_H
