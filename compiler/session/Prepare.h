//===- Prepare.h - the weights of an artifact ---*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares @prepare on its way out of a module, and its run, which
// makes the packed weights.
//===----------------------------------------------------------------------===//

#ifndef COMPILER_SESSION_PREPARE_H
#define COMPILER_SESSION_PREPARE_H

#include "compiler/session/Session.h"

namespace graven {

/// Weights that are on their way: the program that makes them is compiled on
/// the context's threads.
class WeightsProgram {
public:
  WeightsProgram(WeightsProgram &&);
  ~WeightsProgram();

  /// Runs it on the Parameters and writes what it makes into `artifact`; once.
  llvm::LogicalResult run(cpu::Artifact &artifact);

private:
  friend class Prepare;
  struct State;
  explicit WeightsProgram(std::unique_ptr<State> state);
  std::unique_ptr<State> state;
};

/// @prepare, null when there is none, and the Parameters that it reads.
class Prepare {
public:
  /// Takes both out of a module that has been through the kernel phase.
  static Prepare take(mlir::ModuleOp module);

  explicit operator bool() const { return static_cast<bool>(function); }

  /// Begins to compile @prepare for this machine as `like` says, with panels
  /// laid out for `layout`. Outlives what it returns.
  llvm::FailureOr<WeightsProgram> start(Session &session,
                                        const TargetInfo &layout,
                                        const cpu::EmitOptions &like);

private:
  mlir::OwningOpRef<mlir::ModuleOp> function, params;
};

} // namespace graven

#endif // COMPILER_SESSION_PREPARE_H
