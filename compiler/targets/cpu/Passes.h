//===- Passes.h - passes of the CPU target ----------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the passes of the CPU target and the llvm phase, which
// takes a module from the end of the loops phase to the LLVM dialect.
//===----------------------------------------------------------------------===//
#ifndef GRAVEN_COMPILER_TARGETS_CPU_PASSES_H
#define GRAVEN_COMPILER_TARGETS_CPU_PASSES_H

#include "dialects/kernel/Kernel.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/UB/IR/UBOps.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace mlir {
class LLVMTypeConverter;
class OpPassManager;
} // namespace mlir

namespace graven::cpu {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "compiler/targets/cpu/Passes.h.inc"

/// The launches of `module` in the order of their numbers (see
/// LowerKernelLaunch).
llvm::SmallVector<kernel::LaunchOp> launchesOf(mlir::ModuleOp module);

/// Whether launches tell the caller's parallel_for which one comes next.
enum class Launches { Silent, Announced };

/// Fills `pm`, which is anchored on a module, with the llvm phase: loops,
/// vectors, memrefs and launches become the LLVM dialect with bare pointers.
/// Conversions between f32 and bf16 are expanded to integer arithmetic.
void buildLLVMPhase(mlir::OpPassManager &pm, Launches launches);

/// Upstream's conversions of func, cf, memref, arith, index, ub, vector and
/// math to the LLVM dialect, for code of any processor; functions that are no
/// instruction stay.
void populateToLLVMPatterns(const mlir::LLVMTypeConverter &converter,
                            mlir::RewritePatternSet &patterns);

/// Marks the declaration of a kernel that another object defines.
inline constexpr llvm::StringLiteral kObjectAttr = "kernel.object";

/// Makes attributes of the arguments of kernels of what every launch of them
/// guarantees: what LowerKernelLaunch does first. In a module without a main
/// function it does nothing.
void annotateKernels(mlir::ModuleOp module);

/// Makes all accesses to memory take any address: which of a kernel's are to
/// inputs is not known. On x86 this is the same code.
void assumeNoAlignment(mlir::ModuleOp module);

/// Makes the phase, for the default target, the pipeline graven-llvm-phase.
void registerLLVMPhase();

} // namespace graven::cpu

#endif // GRAVEN_COMPILER_TARGETS_CPU_PASSES_H
