//===- Fingerprint.h - whether a graph changed ----------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the analyses by which passes that are run many times know
// that they have nothing to do.

#ifndef PASSES_GRAPH_FINGERPRINT_H
#define PASSES_GRAPH_FINGERPRINT_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/AnalysisManager.h"
#include <map>
#include <mutex>

namespace graven {

/// A number for all of an operation's regions but locations: Nodes, their
/// order, operands, attributes and types. It is made of addresses, so it says
/// something about one operation in one process only.
uint64_t fingerprintOf(mlir::Operation *root);

/// The number of now. Who changes the operation computes it anew or lets it go.
class Fingerprint {
public:
  explicit Fingerprint(mlir::Operation *root) : value(fingerprintOf(root)) {}

  uint64_t value;
};

/// The states of a graph in which passes are known to find nothing.
struct Settled {
  std::optional<uint64_t> canonical, unique;
};

/// That of each graph of a module, kept by the module, as MLIR drops what
/// belongs to a graph at the end of each nested pipeline. It outlives changes,
/// because the fingerprint tells of them. graven-infer-shapes makes it;
/// without, nothing is known.
class SettledGraphs {
public:
  explicit SettledGraphs(mlir::ModuleOp)
      : mutex(std::make_unique<std::mutex>()) {}

  bool isInvalidated(const mlir::AnalysisManager::PreservedAnalyses &) const {
    return false;
  }

  /// Passes on several graphs run at a time.
  Settled &of(mlir::Operation *graph);

private:
  std::unique_ptr<std::mutex> mutex;
  std::map<mlir::Operation *, Settled> settled;
};

/// Runs `change`, a pass on `root`, unless it would do nothing; `known` is the
/// state after which that is so. Returns whether anything changed.
bool runUnlessSettled(mlir::Operation *root, Fingerprint &now,
                      std::optional<uint64_t> *known,
                      llvm::function_ref<void()> change);

} // namespace graven

#endif // PASSES_GRAPH_FINGERPRINT_H
