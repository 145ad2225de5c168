//===- Passes.h - passes of the CUDA target --------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the passes of the CUDA target and the phase that takes
// kernels to the NVVM dialect.
//===----------------------------------------------------------------------===//
#ifndef GRAVEN_COMPILER_TARGETS_CUDA_PASSES_H
#define GRAVEN_COMPILER_TARGETS_CUDA_PASSES_H

#include "dialects/kernel/Kernel.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Pass/Pass.h"

namespace mlir {
class OpPassManager;
} // namespace mlir

namespace graven::cuda {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "compiler/targets/cuda/Passes.h.inc"

/// Of a module after LowerDeviceLaunch: its kernels, in the order of their
/// numbers.
inline constexpr llvm::StringLiteral kKernelsAttr = "graven.device_kernels";

namespace simulator {
struct Program;
} // namespace simulator

/// The pass whose code is run: it fills the tables of the simulation.
std::unique_ptr<mlir::Pass> createSimulateKernels(simulator::Program &program);

/// Fills `pm`, which is anchored on a module, with the phase in which its
/// gpu.modules become the LLVM and NVVM dialects.
void buildNVVMPhase(mlir::OpPassManager &pm);

/// Makes the phase the pipeline graven-nvvm-phase.
void registerNVVMPhase();

} // namespace graven::cuda

#endif // GRAVEN_COMPILER_TARGETS_CUDA_PASSES_H
