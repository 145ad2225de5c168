//===- BufferPhase.cpp - the order of the buffer phase ----------*- C++ -*-===//
//-*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the sequence from kernels on tensors to memrefs in one
// arena, with the reason for the order of its passes.
//===----------------------------------------------------------------------===//
#include "passes/memory/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

namespace graven {

void buildBufferPhase(OpPassManager &manager) {
  // Dead and equal values would get buffers.
  manager.addPass(createCanonicalizerPass());
  manager.addPass(createCSEPass());
  // After CSE, which would make one of two again.
  manager.addNestedPass<func::FuncOp>(createRecompute());
  // Needs single uses, so after CSE; gives the analysis fewer buffers.
  manager.addNestedPass<func::FuncOp>(createReuseOperands());
  manager.addPass(createBufferize());
  // Folds the views and casts that bufferization left.
  manager.addPass(createCanonicalizerPass());
  manager.addPass(createCSEPass());
  // Last, when no buffer comes or goes any more.
  manager.addPass(createPlanArena());
  manager.addPass(createVerifyBufferPhase());
}

} // namespace graven
