//===- Steps.h - what passes do, counted ------------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the steps of a compilation, by number: a step is the run
// of a pass on an operation, or a try of a pattern on a Node. A limit of steps
// stops what passes do anywhere in between (`--opt-bisect-limit`).
//===----------------------------------------------------------------------===//

#ifndef GRAVEN_PASSES_VERIFY_STEPS_H
#define GRAVEN_PASSES_VERIFY_STEPS_H

#include "mlir/IR/Action.h"
#include "mlir/IR/Location.h"
#include "mlir/IR/MLIRContext.h"
#include "llvm/ADT/StringSet.h"
#include <limits>
#include <optional>
#include <string>

namespace graven {

/// What happened last under a limit.
struct Step {
  int64_t number;
  /// The flag of the pass, and the class of the pattern: empty for the run of
  /// the pass itself, which is what it does without patterns.
  std::string pass, pattern;
  /// The op that the pattern was tried on, or that the pass ran on.
  std::string node;
  mlir::Location place;
};

/// A run of a pass: its own step, then those of its patterns.
struct PassRun {
  std::string pass, on;
  int64_t first, last;
  enum class Fate { Whole, InPart, Skipped } fate;
};

/// Counts the steps of the passes that run while a Scope of it lives. The first
/// `limit` happen; a pass that begins later does nothing, and a pattern does
/// not match; below 0 there is no limit. Passes that `required` names happen as
/// a whole at any limit, but their steps have numbers, too. Takes the context's
/// threads away, since steps have one order.
class StepCounter {
public:
  static constexpr int64_t unlimited = std::numeric_limits<int64_t>::max();

  explicit StepCounter(int64_t limit = unlimited,
                       llvm::StringSet<> required = {})
      : limit(limit < 0 ? unlimited : limit), required(std::move(required)) {}

  /// Counts from here on; the context, or its next handler, ends it.
  void install(mlir::MLIRContext *context);

  class Scope {
  public:
    /// Null counts nothing.
    Scope(StepCounter *counter, mlir::MLIRContext *context);
    Scope(const Scope &) = delete;
    ~Scope();

  private:
    mlir::MLIRContext *context = nullptr;
  };

  /// How many steps there were, those included that did not happen because of
  /// the limit: fewer than without one.
  int64_t count() const { return counted; }
  /// The one with the number `limit`, if there are as many.
  const std::optional<Step> &last() const { return lastStep; }
  llvm::ArrayRef<PassRun> runs() const { return passes; }
  /// A line for each run of a pass.
  void print(llvm::raw_ostream &os) const;

private:
  void handle(llvm::function_ref<void()> apply,
              const mlir::tracing::Action &action);
  void runPass(llvm::function_ref<void()> apply, llvm::StringRef name,
               mlir::Operation *op);
  void tryPattern(llvm::function_ref<void()> apply,
                  const mlir::tracing::Action &action);

  int64_t limit, counted = 0;
  llvm::StringSet<> required;
  std::optional<Step> lastStep;
  llvm::SmallVector<PassRun> passes;
  /// The runs that are under way, as indices of `passes`.
  llvm::SmallVector<size_t> open;
  /// How many of these are of required passes.
  unsigned openRequired = 0;
};

} // namespace graven

#endif // GRAVEN_PASSES_VERIFY_STEPS_H
