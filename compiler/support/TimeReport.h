//===- TimeReport.h - where the time of a compile goes ---------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares TimeReport, a timing manager of MLIR's that also measures
// processor time, of all threads, and memory. Timers nested in its root, by
// passes and by hand, become a tree that is printed or given as JSON.
//===----------------------------------------------------------------------===//
#ifndef COMPILER_SUPPORT_TIMEREPORT_H
#define COMPILER_SUPPORT_TIMEREPORT_H

#include "mlir/Support/Timing.h"
#include "llvm/Support/JSON.h"
#include <memory>
#include <mutex>

namespace graven {

class TimeReport : public mlir::TimingManager {
public:
  TimeReport();
  ~TimeReport() override;

  /// The tree as a table: seconds of wall clock and of processor time, the
  /// largest memory of the process so far, and the name. What takes less than
  /// a thousandth of the whole is left out. To be called after the root timer
  /// has stopped.
  void print(llvm::raw_ostream &os) const;

  /// {name, count, wall_seconds, cpu_seconds, peak_bytes, children} of the root
  /// and, in `children`, of all timers, in the order of their first start.
  /// `peak_bytes` is there where the timer ran on the main thread.
  llvm::json::Object json() const;

protected:
  std::optional<void *> rootTimer() override;
  void startTimer(void *handle) override;
  void stopTimer(void *handle) override;
  void *nestTimer(void *handle, const void *id,
                  llvm::function_ref<std::string()> nameBuilder) override;
  void hideTimer(void *handle) override;

private:
  struct Record;
  struct Entry;
  static Entry summarize(const Record &root);

  std::mutex mutex;
  std::unique_ptr<Record> root;
};

} // namespace graven

#endif // COMPILER_SUPPORT_TIMEREPORT_H
