//===- TuningFiles.h - where measured tiles come from ----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the tuning databases that a compile uses: those that come
// with the compiler, and the user's.
//===----------------------------------------------------------------------===//
#ifndef COMPILER_TUNING_TUNINGFILES_H
#define COMPILER_TUNING_TUNINGFILES_H

#include "mlir/IR/Location.h"
#include "passes/lower/Tuning.h"
#include <optional>

namespace graven {

/// The databases in compiler/tuning, as text.
llvm::ArrayRef<llvm::StringRef> shippedTuning();

/// The file of a user who names none: `GRAVEN_TUNE_DB`, else
/// `$XDG_CONFIG_HOME/graven/tuning.db`, else `~/.config/graven/tuning.db`;
/// empty when the first is, or when there is no home.
std::string defaultTuningFile();

/// The entries of `file`; none, with a warning at `loc`, when it is damaged.
/// A file that does not exist has none.
TuningDatabase readTuning(llvm::StringRef file, mlir::Location loc);

/// Replaces `file`, whose folder is made where it is missing.
mlir::LogicalResult writeTuning(const TuningDatabase &database,
                                llvm::StringRef file, mlir::Location loc);

/// What comes with the compiler and, over it, what is in `file`, by default the
/// user's.
std::shared_ptr<const TuningDatabase>
usualTuning(const std::optional<std::string> &file, mlir::Location loc);

} // namespace graven

#endif // COMPILER_TUNING_TUNINGFILES_H
