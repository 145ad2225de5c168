//===- DeviceCode.h - a model's kernels for GPUs --------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the compile of a model to the code of its GPU kernels.
//===----------------------------------------------------------------------===//

#ifndef COMPILER_SESSION_DEVICECODE_H
#define COMPILER_SESSION_DEVICECODE_H

#include "compiler/session/Session.h"
#include "compiler/targets/cuda/DeviceTable.h"

namespace graven {

/// From bufferized kernels to those of GPUs in the NVVM dialect.
void buildDeviceCode(mlir::OpPassManager &manager, MatrixUnits units);

/// Whether the extension of a path asks for the kernels alone: .ptx, .cubin.
bool isDeviceCode(llvm::StringRef path);

/// Takes a model that is bufferized and without @prepare to the host code of a
/// device, and makes its kernels for all GPUs of `options`: machine code of
/// each, where there is a ptxas, and text of the newest, for GPUs to come.
mlir::FailureOr<cuda::DeviceProgram>
makeDeviceProgram(mlir::ModuleOp module, const CompileOptions &options);

/// Compiles the kernels of `model` for the GPU of `options` into `output`, a
/// .ptx or .cubin. Reports more than one GPU or size.
mlir::FailureOr<CompileSummary> compileDeviceCode(Session &session,
                                                  const SizedModel &model,
                                                  const CompileOptions &options,
                                                  llvm::StringRef output);

} // namespace graven

#endif // COMPILER_SESSION_DEVICECODE_H
