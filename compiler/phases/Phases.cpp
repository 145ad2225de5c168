//===- Phases.cpp - the pipeline, phase by phase --------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the names of the phases and their order.
//===----------------------------------------------------------------------===//

#include "compiler/phases/Phases.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Pass/PassRegistry.h"
#include "passes/memory/Passes.h"
#include "llvm/ADT/StringSwitch.h"

using namespace mlir;

namespace graven {

std::optional<Phase> parsePhase(StringRef name) {
  return llvm::StringSwitch<std::optional<Phase>>(name)
      .Case("import", Phase::Import)
      .Case("graph", Phase::Graph)
      .Case("kernel", Phase::Kernel)
      .Case("buffer", Phase::Buffer)
      .Case("loops", Phase::Loops)
      .Default(std::nullopt);
}

void buildPhases(OpPassManager &manager, Phase last, OptLevel level,
                 Numerics numerics, Precision precision,
                 const TargetInfo &target, MatrixUnits units) {
  if (last >= Phase::Graph)
    buildGraphPhase(manager, level, numerics, precision, target);
  if (last >= Phase::Kernel)
    buildKernelPhase(manager, target);
  if (last >= Phase::Buffer)
    buildBufferPhase(manager);
  if (last >= Phase::Loops && target.processor == Processor::GPU)
    buildDevicePhase(manager, units);
  else if (last >= Phase::Loops)
    buildLoopsPhase(manager, target);
}

llvm::StringSet<> requiredPasses() {
  return {"graven-inline-calls",        "graven-infer-shapes",
          "graven-decompose-recurrent", "graven-to-kernel",
          "graven-common-panels",       "graven-hoist-prepare"};
}

LogicalResult runChecked(PassManager &manager, ModuleOp module,
                         TimingScope timing) {
  manager.enableVerifier(false);
  manager.enableTiming(timing);
  return success(succeeded(manager.run(module)) && succeeded(verify(module)));
}

void registerPhases() {
  PassPipelineRegistration<>(
      "graven-graph-phase",
      "The graph made canonical, layouts and fusions chosen",
      [](OpPassManager &manager) {
        buildGraphPhase(manager, OptLevel::O2, Numerics::Default,
                        Precision::F32, TargetInfo());
      });
  PassPipelineRegistration<>(
      "graven-kernel-phase", "Lower the graph to kernels on tensors",
      [](OpPassManager &manager) { buildKernelPhase(manager, TargetInfo()); });
  PassPipelineRegistration<>(
      "graven-buffer-phase", "Bufferize and place all temporaries in one arena",
      [](OpPassManager &manager) { buildBufferPhase(manager); });
  PassPipelineRegistration<>(
      "graven-loops-phase",
      "Outline kernels and expand them to loops and vectors",
      [](OpPassManager &manager) { buildLoopsPhase(manager, TargetInfo()); });
}

} // namespace graven
