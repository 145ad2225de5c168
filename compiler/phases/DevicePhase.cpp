//===- DevicePhase.cpp - from kernels to GPU kernels ----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the device phase, the loops phase of GPUs.
//===----------------------------------------------------------------------===//

#include "compiler/phases/Phases.h"
#include "mlir/Transforms/Passes.h"
#include "passes/gpu/Passes.h"
#include "passes/math/Passes.h"

namespace graven {

void buildDevicePhase(mlir::OpPassManager &manager, MatrixUnits units) {
  buildOutlining(manager, deviceTarget(), /*tuning=*/nullptr);
  MapToBlocksOptions blocks;
  blocks.units = units;
  manager.addPass(createMapToBlocks(blocks));
  manager.addPass(createMapToThreads());
  // Elementary functions become arithmetic: no library is on the device.
  ExpandMathOptions math;
  math.fma = true;
  manager.addPass(createExpandMath(math));
  manager.addPass(mlir::createCanonicalizerPass());
  manager.addPass(mlir::createCSEPass());
}

} // namespace graven
