//===- Profile.h - where the time of a run goes ---------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the time of each kernel of a model, measured from the
// announcements of its launches (compiler/targets/cpu/Passes.td), and the
// speed of the machine that it is set against.
//===----------------------------------------------------------------------===//

#ifndef COMPILER_CLI_PROFILE_H
#define COMPILER_CLI_PROFILE_H

#include "compiler/session/Session.h"
#include "llvm/Support/JSON.h"
#include <vector>

namespace graven::cli {

/// A GravenParallel that notes when launches begin and lets `inner`, or the
/// calling thread where that is null, do their tasks.
class LaunchTimer {
public:
  LaunchTimer(size_t launches, const GravenParallel *inner);

  const GravenParallel *parallel() const { return &table; }
  void beginRun();
  /// Adds what the launches of this run took to what is known of them.
  void endRun();

  /// What a run does of one launch: a launch in a loop is done many times.
  struct Entry {
    double milliseconds = 0;
    int64_t times = 0;
  };

  /// Each launch in the run that spent least on it, and in the last run.
  llvm::ArrayRef<Entry> least() const { return best; }
  llvm::ArrayRef<Entry> last() const { return spent; }

private:
  static void share(void *self, int64_t tasks,
                    void (*body)(void *args, int64_t lo, int64_t hi),
                    void *args);
  void switchTo(int64_t launch);

  GravenParallel table;
  const GravenParallel *inner;
  int64_t current = -1;
  double since = 0;
  std::vector<Entry> spent, best;
};

/// The launches of a model beside what they took.
struct Profile {
  llvm::SmallVector<cpu::LaunchInfo> launches;
  llvm::SmallVector<cpu::FunctionReport> functions;
  std::vector<LaunchTimer::Entry> entries;
  /// f32 multiply-adds per second, in billions, of one thread.
  double peak = 0;

  void print(llvm::raw_ostream &os) const;
  llvm::json::Array toJson() const;

private:
  const cpu::FunctionReport *functionOf(const cpu::LaunchInfo &launch) const;
};

/// Billions of f32 multiply-adds per second that this thread reaches in a loop
/// of nothing else, compiled for `cpu`.
mlir::FailureOr<double> measurePeak(Session &session, llvm::StringRef cpu);

} // namespace graven::cli

#endif // COMPILER_CLI_PROFILE_H
