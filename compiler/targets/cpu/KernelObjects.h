//===- KernelObjects.h - an object for each kernel --------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares makeKernelObjects, which compiles each kernel for itself,
// so that threads share the work and a kernel that was compiled before, for
// whatever model, is not compiled again.
//===----------------------------------------------------------------------===//
#ifndef GRAVEN_COMPILER_TARGETS_CPU_KERNELOBJECTS_H
#define GRAVEN_COMPILER_TARGETS_CPU_KERNELOBJECTS_H

#include "compiler/targets/cpu/CpuTarget.h"
#include "llvm/ADT/StringSet.h"

namespace graven::cpu {

/// What came of the kernels of a module, in the order of their functions.
struct KernelObjects {
  llvm::SmallVector<llvm::SmallVector<char, 0>> objects;
  llvm::StringSet<> symbols;
  llvm::SmallVector<FunctionReport> reports;
  /// How many of the objects were in the cache.
  unsigned numCached = 0;
};

/// Takes the bodies out of the kernels of `module` that refer to nothing but
/// constants. What stays is a declaration, `kernel.object`, by the name under
/// which the object defines the kernel: the hash of everything that the object
/// depends on, `target` among it. It is a weak symbol, since two models may
/// share a kernel and a program.
mlir::FailureOr<KernelObjects> makeKernelObjects(mlir::ModuleOp module,
                                                 const CpuTarget &target,
                                                 const EmitOptions &options);

} // namespace graven::cpu

#endif // GRAVEN_COMPILER_TARGETS_CPU_KERNELOBJECTS_H
