//===- KernelMapping.h - outlined functions to kernels ----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares how outlined functions move to the gpu.module, whatever
// their threads do there.
//===----------------------------------------------------------------------===//
#ifndef GRAVEN_PASSES_GPU_KERNELMAPPING_H
#define GRAVEN_PASSES_GPU_KERNELMAPPING_H

#include "mlir/IR/BuiltinOps.h"

namespace graven {

/// What a kernel is launched with: blocks, the threads of each, and the bytes
/// of `@shared` that each has.
struct LaunchExtents {
  int64_t blocks;
  int32_t threads;
  int32_t sharedBytes = 0;
};

/// What the threads of a GPU do for the kernel operations of an outlined
/// function.
class KernelMapping {
public:
  virtual ~KernelMapping() = default;

  /// None where the mapping leaves the function alone.
  virtual std::optional<LaunchExtents>
  extentsOf(llvm::ArrayRef<mlir::Operation *> kernels) const = 0;

  /// Writes what one thread does at `b`; leaves the operations in place.
  virtual mlir::LogicalResult
  emit(mlir::OpBuilder &b, llvm::ArrayRef<mlir::Operation *> kernels) const = 0;
};

struct MappedKernels {
  unsigned kernels = 0, launches = 0;
};

/// Moves each function that the main function launches, and that `mapping`
/// takes, to `gpu.module @device`, and launches it there.
mlir::FailureOr<MappedKernels> mapKernels(mlir::ModuleOp module,
                                          const KernelMapping &mapping);

} // namespace graven

#endif // GRAVEN_PASSES_GPU_KERNELMAPPING_H
