//===- Trial.h - one random graph, compiled and compared ------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares what is asked of a random graph: its text reads back, the
// evaluator and native code of every level agree on what it computes.
//===----------------------------------------------------------------------===//

#ifndef GRAVEN_TEST_FUZZ_RANDOM_TRIAL_H
#define GRAVEN_TEST_FUZZ_RANDOM_TRIAL_H

#include "compiler/session/Session.h"
#include "test/fuzz/random/Draft.h"

namespace graven::fuzz {

class Trial {
public:
  /// Draws the graph of the seed.
  Trial(Session &session, uint64_t seed);

  mlir::ModuleOp getModule() { return draft.getModule(); }

  /// Why the seed is a finding; nullopt where all is well. Errors of the
  /// compiler go to the context's diagnostics as ever.
  std::optional<std::string> run();

  /// Expects something else, for the test of the comparison.
  void spoil();

  /// Writes FOLDER/seed-N.mlir, its inputs and expected outputs as .npy, and
  /// gives the commands that repeat the comparison.
  std::string write(llvm::StringRef folder);

private:
  std::optional<std::string> checkDraft();
  std::optional<std::string> checkText();
  std::optional<std::string> checkEvaluator();
  std::optional<std::string> checkNative(OptLevel level);
  mlir::FailureOr<std::vector<rt::Array>>
  arraysOf(llvm::ArrayRef<eval::Tensor> tensors);
  std::optional<std::string> compare(llvm::ArrayRef<rt::Array> got,
                                     std::optional<Tolerance> tolerance);

  Session &session;
  uint64_t seed;
  std::string lastError;
  Draft draft;
  llvm::SmallVector<eval::Tensor> inputs, expected;
};

} // namespace graven::fuzz

#endif // GRAVEN_TEST_FUZZ_RANDOM_TRIAL_H
