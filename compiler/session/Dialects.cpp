//===- Dialects.cpp - what a context of the compiler knows ----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the registration of dialects and passes. It names what
// is used and nothing more, because each dialect costs start-up time.
//===----------------------------------------------------------------------===//

#include "compiler/session/Dialects.h"
#include "compiler/phases/Phases.h"
#include "compiler/targets/cpu/Passes.h"
#include "compiler/targets/cuda/Passes.h"
#include "dialects/check/Check.h"
#include "dialects/graven/Graven.h"
#include "dialects/kernel/Kernel.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/Func/Extensions/InlinerExtension.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Passes.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Transforms/Passes.h"
#include "passes/check/Passes.h"
#include "passes/gpu/Passes.h"
#include "passes/graph/Passes.h"
#include "passes/graph/Pipeline.h"
#include "passes/lower/Passes.h"
#include "passes/math/Passes.h"
#include "passes/memory/Passes.h"

using namespace mlir;

namespace graven {

void registerDialects(DialectRegistry &registry) {
  registry
      .insert<GravenDialect, check::CheckDialect, kernel::KernelDialect,
              arith::ArithDialect, bufferization::BufferizationDialect,
              cf::ControlFlowDialect, func::FuncDialect, LLVM::LLVMDialect,
              linalg::LinalgDialect, math::MathDialect, memref::MemRefDialect,
              scf::SCFDialect, tensor::TensorDialect, vector::VectorDialect>();
  func::registerInlinerExtension(registry);
  registerBufferizationModels(registry);
}

void registerDeviceDialects(DialectRegistry &registry) {
  registry.insert<gpu::GPUDialect, NVVM::NVVMDialect>();
}

void registerPasses() {
  registerTransformsPasses();
  registerLinalgPasses();
  registerCheckPasses();
  registerGravenGraphPasses();
  registerGraphPipeline();
  registerGravenGpuPasses();
  registerGravenLowerPasses();
  registerMathPasses();
  registerMemoryPasses();
  cpu::registerGravenTargetCPUPasses();
  cpu::registerLLVMPhase();
  cuda::registerGravenTargetCUDAPasses();
  cuda::registerNVVMPhase();
  registerPhases();
}

} // namespace graven
