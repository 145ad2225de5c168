//===- DeviceCode.h - a model's kernels for GPUs --------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the compile of a model to the code of its GPU kernels.
//===----------------------------------------------------------------------===//

#ifndef COMPILER_SESSION_DEVICECODE_H
#define COMPILER_SESSION_DEVICECODE_H

#include "compiler/session/Session.h"

namespace graven {

/// Compiles the kernels of `model` for the GPU of `options` into `output`, a
/// .ptx or .cubin. Reports other extensions, and more than one GPU or size.
mlir::FailureOr<CompileSummary> compileDeviceCode(Session &session,
                                                  const SizedModel &model,
                                                  const CompileOptions &options,
                                                  llvm::StringRef output);

} // namespace graven

#endif // COMPILER_SESSION_DEVICECODE_H
