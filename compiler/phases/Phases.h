//===- Phases.h - the pipeline, phase by phase ----------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the phases a Graph passes on its way to native code. Each
// is a function that adds its passes to a manager; the file of a phase says why
// its passes stand in this order.
//===----------------------------------------------------------------------===//

#ifndef COMPILER_PHASES_PHASES_H
#define COMPILER_PHASES_PHASES_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Support/Timing.h"
#include "passes/gpu/MatrixUnits.h"
#include "passes/graph/Passes.h"
#include "passes/lower/TargetInfo.h"
#include "llvm/ADT/StringSet.h"
#include <memory>
#include <optional>

namespace graven {

class TuningDatabase;

/// Where a compile may stop: each phase ends in IR that can be printed and read
/// back.
enum class Phase { Import, Graph, Kernel, Buffer, Loops };
std::optional<Phase> parsePhase(llvm::StringRef name);

/// How hard the graph is worked on: -O0 only does what later phases need.
enum class OptLevel { O0, O1, O2, O3 };

/// Ends canonical, layouts and fusions chosen.
void buildGraphPhase(mlir::OpPassManager &manager, OptLevel level,
                     Numerics numerics, Precision precision,
                     const TargetInfo &target);
/// Whether weights are laid out for one size of a model or for several.
enum class Sharing { OneSize, SeveralSizes };
/// Ends in functions @forward and @prepare of kernel and linalg ops on tensors.
void buildKernelPhase(mlir::OpPassManager &manager, const TargetInfo &target,
                      Sharing sharing = Sharing::OneSize);
/// The two parts of the loops phase. The first ends with one function for each
/// distinct kernel, with the tiles that `tuning`, unless null, has for it; the
/// second expands these, and needs to see no more than one at a time.
void buildOutlining(mlir::OpPassManager &manager, const TargetInfo &target,
                    std::shared_ptr<const TuningDatabase> tuning);
void buildExpansion(mlir::OpPassManager &manager, const TargetInfo &target);
/// The loops phase of GPUs: ends with one kernel for each distinct one in a
/// gpu.module, and with launches of them.
void buildDevicePhase(mlir::OpPassManager &manager,
                      MatrixUnits units = MatrixUnits::Warps);
/// Ends with one function for each distinct kernel, expanded to loops and
/// vectors.
void buildLoopsPhase(mlir::OpPassManager &manager, const TargetInfo &target,
                     std::shared_ptr<const TuningDatabase> tuning = nullptr);

/// The phases after `Import` up to and including `last`.
void buildPhases(mlir::OpPassManager &manager, Phase last, OptLevel level,
                 Numerics numerics, Precision precision,
                 const TargetInfo &target,
                 MatrixUnits units = MatrixUnits::Warps);

/// The flags of the passes of the graph and kernel phases without which there
/// is no code, whatever the level: these no limit of steps leaves out.
llvm::StringSet<> requiredPasses();

/// Runs the passes and checks the module once at the end, not after each, which
/// would be an eighth of the time of a compile: only a mistake of ours can be
/// found.
llvm::LogicalResult runChecked(mlir::PassManager &manager,
                               mlir::ModuleOp module, mlir::TimingScope timing);

/// Makes `graven-graph-phase`, `graven-kernel-phase`, ... pipelines of
/// graven-opt.
void registerPhases();

} // namespace graven

#endif // COMPILER_PHASES_PHASES_H
