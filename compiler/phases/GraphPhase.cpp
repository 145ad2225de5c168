//===- GraphPhase.cpp - the graph made ready for lowering -----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the graph phase.
//===----------------------------------------------------------------------===//

#include "compiler/phases/Phases.h"
#include "mlir/Transforms/Passes.h"

namespace graven {

void buildGraphPhase(mlir::OpPassManager &manager, OptLevel level) {
  if (level == OptLevel::O0)
    return;
  manager.addPass(mlir::createCanonicalizerPass());
  manager.addPass(mlir::createCSEPass());
}

} // namespace graven
