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

/// @prepare, null when there is none, and the Parameters that it reads.
class Prepare {
public:
  /// Takes both out of a module that has been through the kernel phase.
  static Prepare take(mlir::ModuleOp module);

  explicit operator bool() const { return static_cast<bool>(function); }

  /// Compiles @prepare for this machine as `like` says, runs it on the
  /// Parameters, and writes the weights it makes into `artifact`. Panels are
  /// laid out for `layout`.
  llvm::LogicalResult run(Session &session, const TargetInfo &layout,
                          const cpu::EmitOptions &like,
                          cpu::Artifact &artifact);

private:
  mlir::OwningOpRef<mlir::ModuleOp> function, params;
};

} // namespace graven

#endif // COMPILER_SESSION_PREPARE_H
