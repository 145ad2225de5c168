//===- KernelPhase.cpp - from the graph to kernels ------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the kernel phase.
//===----------------------------------------------------------------------===//

#include "compiler/phases/Phases.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/Passes.h"
#include "mlir/Transforms/Passes.h"
#include "passes/graph/Passes.h"
#include "passes/lower/Passes.h"

namespace graven {

void buildKernelPhase(mlir::OpPassManager &manager, const TargetInfo &target,
                      Sharing sharing) {
  manager.addPass(createGravenToKernel(target));
  // Before equal packings are merged and leave @forward.
  if (sharing == Sharing::SeveralSizes)
    manager.addNestedPass<mlir::func::FuncOp>(createCommonPanels(target));
  // Equal nests appear where two Nodes read one tensor in another layout;
  // merging them first lets fusion see one user.
  manager.addPass(createCanonicalize());
  manager.addPass(mlir::createCSEPass());
  // Before a conversion becomes part of another nest, kernels take it over.
  manager.addNestedPass<mlir::func::FuncOp>(createFoldKernelCasts(target));
  // Elementwise nests become one pass over memory, in @forward before what it
  // does with Parameters alone leaves it: a bias that is only repeated is read
  // where it is added. Then in @prepare, where each Parameter is to go through
  // memory once on its way into the blob.
  manager.addNestedPass<mlir::func::FuncOp>(createFuseElementwise());
  manager.addPass(createCanonicalize());
  manager.addPass(mlir::createCSEPass());
  manager.addPass(createHoistPrepare());
  manager.addPass(createCanonicalize());
  manager.addNestedPass<mlir::func::FuncOp>(createFuseElementwise());
  // Packed weights are Parameters' alone no more, and stay where they are.
  manager.addNestedPass<mlir::func::FuncOp>(createFoldInputScale());
  manager.addPass(createCanonicalize());
}

} // namespace graven
