//===- Assembler.h - PTX to machine code -----------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the assembly of PTX by NVIDIA's ptxas.
//===----------------------------------------------------------------------===//
#ifndef GRAVEN_COMPILER_TARGETS_CUDA_ASSEMBLER_H
#define GRAVEN_COMPILER_TARGETS_CUDA_ASSEMBLER_H

#include "compiler/targets/cuda/Architecture.h"
#include "llvm/ADT/SmallVector.h"

namespace graven::cuda {

/// What ptxas made of one kernel.
struct KernelReport {
  std::string name;
  unsigned registers = 0;
  /// Bytes.
  unsigned stack = 0, spillStores = 0, spillLoads = 0, sharedMemory = 0;
  /// Of its first launch in the model; 0 where it has none.
  int64_t blocks = 0, threads = 0, dynamicSharedMemory = 0;
};

struct Assembled {
  llvm::SmallVector<char, 0> cubin;
  llvm::SmallVector<KernelReport> kernels;
};

/// Whether there is a ptxas, on PATH or in the usual place of the toolkit.
bool hasAssembler();

/// The machine code of `ptx` for `architecture`. Without a ptxas, and
/// where it refuses the text, there is an error at `loc`.
mlir::FailureOr<Assembled> assemble(llvm::StringRef ptx,
                                    const Architecture &architecture,
                                    mlir::Location loc);

} // namespace graven::cuda

#endif // GRAVEN_COMPILER_TARGETS_CUDA_ASSEMBLER_H
