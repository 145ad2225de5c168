//===- ShellCheck.h - a user's check of a file ----------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares `--check CMD` of `graven bisect` and `graven reduce`, and
// the folder in which the files to check are made.
//===----------------------------------------------------------------------===//

#ifndef COMPILER_CLI_SHELLCHECK_H
#define COMPILER_CLI_SHELLCHECK_H

#include "mlir/IR/Location.h"
#include "mlir/Support/LLVM.h"
#include "llvm/ADT/SmallString.h"
#include <string>

namespace graven::cli {

/// A command of the shell that is given a file: in the place of `{}`, or, where
/// there is none, at its end. It ends with 0 where it finds nothing wrong.
class ShellCheck {
public:
  explicit ShellCheck(std::string command) : command(std::move(command)) {}

  /// The command on a file that is called so.
  std::string on(llvm::StringRef file) const;

  /// Runs it, what it prints thrown away: its exit code, 128 and more where a
  /// signal ended it. Reports a shell that cannot be run.
  mlir::FailureOr<int> run(mlir::Location loc, llvm::StringRef file) const;

private:
  std::string command;
};

/// A folder that is gone with its owner, files and all.
class TemporaryFolder {
public:
  static mlir::FailureOr<TemporaryFolder> create(mlir::Location loc);
  TemporaryFolder(TemporaryFolder &&other) : path(std::move(other.path)) {
    other.path.clear();
  }
  TemporaryFolder(const TemporaryFolder &) = delete;
  ~TemporaryFolder();

  std::string file(llvm::StringRef name) const;

private:
  TemporaryFolder() = default;

  llvm::SmallString<128> path;
};

} // namespace graven::cli

#endif // COMPILER_CLI_SHELLCHECK_H
