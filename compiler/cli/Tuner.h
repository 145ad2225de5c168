//===- Tuner.h - tiles by measuring ---------------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the measurement of the candidates of each kernel, which
// takes place in the model that has the kernels: what they read was written by
// the kernels before them, and the weights come from memory as in every run.
//===----------------------------------------------------------------------===//
#ifndef COMPILER_CLI_TUNER_H
#define COMPILER_CLI_TUNER_H

#include "compiler/cli/Flags.h"
#include "compiler/session/Session.h"

namespace graven::cli {

struct TuningResult {
  /// The best tiles of every signature that has a choice, for the host.
  TuningDatabase database;
  int64_t signatures = 0, changed = 0;
  /// The launches with a choice, with the tiles of the cost model and with the
  /// best.
  double before = 0, after = 0;
};

/// Compiles `module` once with the tiles of the cost model and once with each
/// further candidate, and runs both in turn on one thread. `options.cpu` must
/// be the host.
mlir::FailureOr<TuningResult> tune(Session &session, mlir::ModuleOp module,
                                   const CompileOptions &options,
                                   const ModelFlags &flags);

} // namespace graven::cli

#endif // COMPILER_CLI_TUNER_H
