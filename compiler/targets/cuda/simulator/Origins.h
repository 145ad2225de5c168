//===- Origins.h - where the addresses of a kernel come from ---*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the search for the buffer that an address lies in.
//===----------------------------------------------------------------------===//
#ifndef GRAVEN_COMPILER_TARGETS_CUDA_SIMULATOR_ORIGINS_H
#define GRAVEN_COMPILER_TARGETS_CUDA_SIMULATOR_ORIGINS_H

#include "compiler/targets/cuda/simulator/Program.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

namespace graven::cuda::simulator {

/// The one thing that a pointer is made of by address arithmetic, selections
/// and control flow; unknown where there are several, or it was a number.
Origin findOrigin(mlir::Value pointer, mlir::LLVM::LLVMFuncOp function,
                  const Kernel &kernel);

/// The array in shared memory that a symbol is, if it is one.
std::optional<uint32_t> findArray(llvm::StringRef symbol, const Kernel &kernel);

} // namespace graven::cuda::simulator

#endif // GRAVEN_COMPILER_TARGETS_CUDA_SIMULATOR_ORIGINS_H
