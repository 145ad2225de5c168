//===- DisabledPasses.h - passes and patterns left out --------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares `--disable-pass` and `--disable-pattern`.
//===----------------------------------------------------------------------===//

#ifndef COMPILER_SESSION_DISABLEDPASSES_H
#define COMPILER_SESSION_DISABLEDPASSES_H

#include "mlir/IR/MLIRContext.h"
#include <memory>
#include <string>
#include <vector>

namespace mlir {
class OpPassManager;
} // namespace mlir

namespace graven {

/// Passes, by the names of their flags, and patterns, by the names that
/// `--explain` gives them, with or without their arguments, that do not run.
class DisabledPasses {
public:
  DisabledPasses(std::vector<std::string> passes,
                 std::vector<std::string> patterns);

  /// Whether there are no names.
  bool empty() const;

  /// From here on, passes and patterns of any driver in `context`. Takes the
  /// place of another handler of actions. Without names it does nothing.
  void skipIn(mlir::MLIRContext &context) const;

  /// The names that no pass and no pattern had that was about to run; those
  /// are probably misspelt.
  std::vector<std::string> unknownPasses() const;
  std::vector<std::string> unknownPatterns() const;

  /// The pipeline of the manager, without these passes, as
  /// `graven-opt --pass-pipeline` takes it.
  std::string pipelineOf(const mlir::OpPassManager &manager) const;

private:
  class State;
  std::shared_ptr<State> state;
};

} // namespace graven

#endif // COMPILER_SESSION_DISABLEDPASSES_H
