//===- LowerToLLVM.cpp - the llvm phase of the CPU --------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the llvm phase, which takes scf, vector, memref, arith,
// math and kernel.launch to the LLVM dialect, one pointer for each memref. Top
// to bottom it is the story of that phase; the comments say why the order is
// what it is.
//===----------------------------------------------------------------------===//
#include "compiler/targets/cpu/Passes.h"
#include "mlir/Conversion/AffineToStandard/AffineToStandard.h"
#include "mlir/Conversion/MathToFuncs/MathToFuncs.h"
#include "mlir/Conversion/ReconcileUnrealizedCasts/ReconcileUnrealizedCasts.h"
#include "mlir/Conversion/SCFToControlFlow/SCFToControlFlow.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

void graven::cpu::buildLLVMPhase(OpPassManager &pm, Launches launches) {
  // Powers with integer exponents become loops: neither libc nor libm has them.
  pm.addPass(createConvertMathToFuncs());

  // Kernels are functions that know nothing of each other, so what can be done
  // function by function is, on all of the host's threads. Structured control
  // flow first: transfers become loops, loops become branches.
  OpPassManager &loops = pm.nest<func::FuncOp>();
  loops.addPass(createLowerTransfers());
  loops.addPass(createLowerAffinePass());
  loops.addPass(createExpandArith());
  loops.addPass(createSCFToControlFlowPass());
  loops.addPass(createCSEPass());

  // Launches while views are still memref.view: alignment is read off them.
  pm.addPass(createLowerKernelLaunch({launches == Launches::Announced}));

  // Addresses: what subviews and reshapes hide becomes index arithmetic.
  OpPassManager &addresses = pm.nest<func::FuncOp>();
  addresses.addPass(createLowerViews());
  addresses.addPass(createLowerVectors());

  // LLVM simplifies what comes of this; doing it here as well takes longer.
  pm.addPass(createConvertToLLVM());
  pm.addPass(createReconcileUnrealizedCastsPass());
}

void graven::cpu::registerLLVMPhase() {
  PassPipelineRegistration<>(
      "graven-llvm-phase", "Lower loops and launches to the LLVM dialect",
      [](OpPassManager &pm) { buildLLVMPhase(pm, Launches::Silent); });
}
