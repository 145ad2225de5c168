//===- FlatLaunch.h - launches as graven-map-to-threads makes ---*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares what passes over launches read off them.
//===----------------------------------------------------------------------===//
#ifndef GRAVEN_COMPILER_TARGETS_CUDA_FLATLAUNCH_H
#define GRAVEN_COMPILER_TARGETS_CUDA_FLATLAUNCH_H

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include <optional>

namespace graven::cuda {

/// Blocks, and threads of each, of a launch of one dimension, and the bytes of
/// shared memory that each block gets beyond what its kernel declares.
struct FlatLaunch {
  int64_t blocks, threads;
  int64_t sharedBytes = 0;

  /// Nullopt for other dimensions, and extents and sizes that are no constants.
  static std::optional<FlatLaunch> get(mlir::gpu::LaunchFuncOp op);
};

/// Where the buffer of a memref begins, as i64.
mlir::Value addressOf(mlir::OpBuilder &b, mlir::Location loc,
                      mlir::Value memref);

} // namespace graven::cuda

#endif // GRAVEN_COMPILER_TARGETS_CUDA_FLATLAUNCH_H
