//===- Passes.h - kernels for GPUs ------------------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the passes of passes/gpu.
//===----------------------------------------------------------------------===//
#ifndef GRAVEN_PASSES_GPU_PASSES_H
#define GRAVEN_PASSES_GPU_PASSES_H

#include "mlir/Pass/Pass.h"
#include "passes/gpu/MatrixUnits.h"
#include "passes/lower/TargetInfo.h"

namespace graven {

/// What graphs and tiles for GPUs are made from: one thread has vectors of 16
/// bytes, the widest that it loads.
TargetInfo deviceTarget();

/// The gpu.module that kernels are moved to.
inline constexpr llvm::StringLiteral kDeviceModule = "device";

#define GEN_PASS_DECL
#include "passes/gpu/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "passes/gpu/Passes.h.inc"

} // namespace graven

#endif // GRAVEN_PASSES_GPU_PASSES_H
