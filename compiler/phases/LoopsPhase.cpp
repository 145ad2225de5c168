//===- LoopsPhase.cpp - from kernels to loops and vectors -----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the loops phase.
//===----------------------------------------------------------------------===//

#include "compiler/phases/Phases.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Transforms/Passes.h"
#include "passes/lower/Passes.h"
#include "passes/math/Passes.h"

namespace graven {

void buildOutlining(mlir::OpPassManager &manager, const TargetInfo &target,
                    std::shared_ptr<const TuningDatabase> tuning) {
  // The status leaves the list of outputs before anybody counts them.
  manager.addNestedPass<mlir::func::FuncOp>(createReturnStatus());
  manager.addNestedPass<mlir::func::FuncOp>(createSplitStages());
  if (tuning)
    manager.addNestedPass<mlir::func::FuncOp>(
        createApplyTuning(target, std::move(tuning)));
  // One function for each distinct kernel: the rest of the phase, and code
  // generation, do each kernel once.
  manager.addPass(createOutlineKernels());
}

void buildExpansion(mlir::OpPassManager &manager, const TargetInfo &target) {
  manager.addNestedPass<mlir::func::FuncOp>(createExpandKernels(target));
  // Elementary functions become arithmetic only now, so that epilogues expand
  // to vectors first.
  ExpandMathOptions math;
  math.fma = target.hasFMA;
  manager.addPass(createExpandMath(math));
  // Loops are still structured: there are no blocks to merge, and what is dead
  // goes without a search for it.
  manager.addPass(mlir::createCanonicalizerPass(
      mlir::GreedyRewriteConfig().setRegionSimplificationLevel(
          mlir::GreedySimplifyRegionLevel::Disabled)));
  manager.addPass(mlir::createCSEPass());
}

void buildLoopsPhase(mlir::OpPassManager &manager, const TargetInfo &target,
                     std::shared_ptr<const TuningDatabase> tuning) {
  buildOutlining(manager, target, std::move(tuning));
  buildExpansion(manager, target);
}

} // namespace graven
