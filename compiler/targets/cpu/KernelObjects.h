//===- KernelObjects.h - an object for each kernel --------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares KernelBuild, which compiles each kernel for itself, so
// that threads share the work and a kernel that was compiled before, for
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
  llvm::SmallVector<FunctionReport> reports;
  /// How many of the objects were in the cache.
  unsigned numCached = 0;
};

/// Kernels of a module that are being compiled, on the threads of its context
/// while it has some.
class KernelBuild {
public:
  /// Takes the bodies out of the kernels of `module` that refer to nothing but
  /// constants. What stays is a declaration, `kernel.object`, by the name under
  /// which the object defines the kernel: the hash of everything that the
  /// object depends on, `target` among it. It is a weak symbol, since two
  /// models may share a kernel and a program. `target` and `options` are used
  /// as long as the build lives.
  static mlir::FailureOr<std::unique_ptr<KernelBuild>>
  start(mlir::ModuleOp module, const CpuTarget &target,
        const EmitOptions &options);
  /// Waits for the threads.
  virtual ~KernelBuild() = default;

  /// The names of the kernels.
  virtual const llvm::StringSet<> &symbols() const = 0;
  /// Waits for the objects; called once.
  virtual mlir::FailureOr<KernelObjects> finish() = 0;
};

} // namespace graven::cpu

#endif // GRAVEN_COMPILER_TARGETS_CPU_KERNELOBJECTS_H
