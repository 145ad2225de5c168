//===- Architecture.h - NVIDIA GPUs by their names -------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the GPU architectures that code can be made for.
//===----------------------------------------------------------------------===//
#ifndef GRAVEN_COMPILER_TARGETS_CUDA_ARCHITECTURE_H
#define GRAVEN_COMPILER_TARGETS_CUDA_ARCHITECTURE_H

#include "mlir/IR/Location.h"
#include "mlir/Support/LLVM.h"
#include "passes/gpu/MatrixUnits.h"
#include <string>

namespace graven::cuda {

/// An architecture that code can be made for. Plain data: copy it freely.
struct Architecture {
  /// As LLVM and ptxas name it: "sm_80", "sm_90a".
  std::string name;
  /// Compute capability: 8 and 0, 9 and 0.
  int major = 0, minor = 0;
  /// The lowest version of PTX that knows it, as a feature of LLVM's: a driver
  /// that is older than a version refuses its text.
  std::string ptxFeature;
  /// What multiplies matrices. Code with warpgroups no other GPU takes.
  MatrixUnits units = MatrixUnits::Warps;
};

/// What runs a model for GPUs where there is none.
enum class WithoutDevice { Nothing, Cpu };

/// What --target asks for.
struct DeviceRequest {
  /// "sm_80,sm_90"; empty: the model is for CPUs.
  llvm::StringRef architectures;
  WithoutDevice fallback = WithoutDevice::Nothing;

  /// Of "cpu", "cuda", "cuda:sm_80,sm_90", "cuda,cpu" or "cuda:sm_80,cpu";
  /// nothing where it is no target.
  static std::optional<DeviceRequest> parse(llvm::StringRef target);
};

/// Finds the architectures of a list "sm_80,sm_90". An unknown one, or one that
/// is there twice, is an error at `loc` with those there are.
mlir::FailureOr<llvm::SmallVector<Architecture>>
findArchitectures(llvm::StringRef names, mlir::Location loc);

} // namespace graven::cuda

#endif // GRAVEN_COMPILER_TARGETS_CUDA_ARCHITECTURE_H
