//===- LowerToNVVM.cpp - the nvvm phase ------------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the nvvm phase, which takes the gpu.modules of a module
// to the LLVM and NVVM dialects.
//===----------------------------------------------------------------------===//
#include "compiler/targets/cpu/Passes.h"
#include "compiler/targets/cuda/Passes.h"
#include "mlir/Conversion/AffineToStandard/AffineToStandard.h"
#include "mlir/Conversion/ReconcileUnrealizedCasts/ReconcileUnrealizedCasts.h"
#include "mlir/Conversion/SCFToControlFlow/SCFToControlFlow.h"
#include "mlir/Conversion/VectorToLLVM/ConvertVectorToLLVMPass.h"
#include "mlir/Conversion/VectorToSCF/VectorToSCF.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

void graven::cuda::buildNVVMPhase(OpPassManager &pm) {
  OpPassManager &device = pm.nest<gpu::GPUModuleOp>();
  // Structured control flow first: transfers become loops, loops branches.
  device.addPass(createConvertVectorToSCFPass());
  device.addPass(createLowerAffinePass());
  device.addPass(cpu::createExpandArith());
  device.addPass(createSCFToControlFlowPass());
  device.addPass(createCSEPass());
  // Addresses: what subviews and reshapes hide becomes index arithmetic.
  device.addPass(memref::createExpandStridedMetadataPass());
  device.addPass(createLowerAffinePass());
  ConvertVectorToLLVMPassOptions vectorOptions;
  vectorOptions.reassociateFPReductions = true;
  device.addPass(createConvertVectorToLLVMPass(vectorOptions));
  device.addPass(createConvertToNVVM());
  device.addPass(createReconcileUnrealizedCastsPass());
}

void graven::cuda::registerNVVMPhase() {
  PassPipelineRegistration<>("graven-nvvm-phase",
                             "Lower kernels to the LLVM and NVVM dialects",
                             [](OpPassManager &pm) { buildNVVMPhase(pm); });
}
