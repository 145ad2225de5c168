//===- Ptx.h - kernels to PTX ----------------------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the code generation for GPUs.
//===----------------------------------------------------------------------===//
#ifndef GRAVEN_COMPILER_TARGETS_CUDA_PTX_H
#define GRAVEN_COMPILER_TARGETS_CUDA_PTX_H

#include "compiler/targets/cuda/Architecture.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include <string>

namespace graven::cuda {

/// The text of all kernels of `device`, which is at the end of the nvvm phase.
/// A kernel that would need a function of a library is an error.
mlir::FailureOr<std::string> makePtx(mlir::gpu::GPUModuleOp device,
                                     const Architecture &architecture);

} // namespace graven::cuda

#endif // GRAVEN_COMPILER_TARGETS_CUDA_PTX_H
