//===- Targets.h - what the code of an artifact is for ---------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares what a compile's options make code for.
//===----------------------------------------------------------------------===//
#ifndef GRAVEN_COMPILER_SESSION_TARGETS_H
#define GRAVEN_COMPILER_SESSION_TARGETS_H

#include "compiler/session/Session.h"

namespace graven {

/// What code is made for, and what the layout of the one copy of the weights
/// follows from.
struct Targets {
  /// The GPUs, with the CPU of their host.
  std::optional<cpu::CpuTarget> device;
  /// Of code that needs no GPU, what asks for most first.
  llvm::SmallVector<cpu::CpuTarget> cpus;
  TargetInfo layout;
  /// Of the first GPU, whose kernels are shown and simulated.
  MatrixUnits units = MatrixUnits::Warps;

  /// Those of the options; unknown ones, and several hosts of a GPU, are errors
  /// at `loc`.
  static mlir::FailureOr<Targets> get(const CompileOptions &options,
                                      mlir::Location loc);

  const cpu::CpuTarget &host() const { return device ? *device : cpus.front(); }

  /// IR and text show the code for one of them and one size: an error at `loc`
  /// for more.
  llvm::LogicalResult checkOne(size_t sizes, mlir::Location loc) const;
};

} // namespace graven

#endif // GRAVEN_COMPILER_SESSION_TARGETS_H
