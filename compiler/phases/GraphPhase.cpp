//===- GraphPhase.cpp - the graph made ready for lowering -----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the graph phase.
//===----------------------------------------------------------------------===//

#include "compiler/phases/Phases.h"
#include "passes/graph/Pipeline.h"
#include "passes/lower/TargetInfo.h"

namespace graven {

void buildGraphPhase(mlir::OpPassManager &manager, OptLevel level,
                     Numerics numerics, Precision precision,
                     const TargetInfo &target) {
  GraphPipelineOptions options;
  options.level = static_cast<int>(level);
  options.numerics = numerics;
  options.precision = precision;
  options.processor = target.processor;
  options.bf16Dot = target.hasBF16Dot || target.processor == Processor::GPU;
  buildGraphPipeline(manager, options);
}

} // namespace graven
