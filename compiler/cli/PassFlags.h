//===- PassFlags.h - flags about single passes ----------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares --explain, --disable-pass and --disable-pattern.
//===----------------------------------------------------------------------===//

#ifndef COMPILER_CLI_PASSFLAGS_H
#define COMPILER_CLI_PASSFLAGS_H

#include "compiler/session/DisabledPasses.h"
#include "compiler/session/Explanations.h"
#include "llvm/Support/CommandLine.h"
#include <optional>

namespace graven::cli {

/// The flags of `graven-opt`, and of the commands of `graven` that run passes.
class PassFlags {
public:
  explicit PassFlags(
      llvm::cl::SubCommand &sub = llvm::cl::SubCommand::getTopLevel());

  /// Makes what the flags ask for; explanations as a document go to
  /// `documents`.
  void read(llvm::raw_ostream &documents);

  /// From here on, passes in the context explain themselves and are skipped as
  /// the flags say.
  void applyTo(mlir::MLIRContext &context);

  /// What is to be said of names in --disable-... that nothing had.
  std::vector<std::string> warnings() const;

  /// Null unless --explain was given.
  Explanations *explanations() { return explained ? &*explained : nullptr; }
  /// Whether they are a document.
  bool isDocument() const { return form == ExplanationForm::Json; }
  const DisabledPasses &disabled() const { return *skipped; }

private:
  ExplanationForm form = ExplanationForm::Text;
  std::optional<Explanations> explained;
  std::optional<DisabledPasses> skipped;
  llvm::cl::opt<ExplanationForm> formFlag;
  llvm::cl::list<std::string> passes, patterns;
};

} // namespace graven::cli

#endif // COMPILER_CLI_PASSFLAGS_H
