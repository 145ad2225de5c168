//===- Explanations.h - why passes did what they did ----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the listener to the explanations of passes
// (passes/graph/Explain.h), and the forms in which they are shown.
//===----------------------------------------------------------------------===//

#ifndef COMPILER_SESSION_EXPLANATIONS_H
#define COMPILER_SESSION_EXPLANATIONS_H

#include "mlir/IR/MLIRContext.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"
#include <memory>
#include <optional>

namespace mlir {
class PassManager;
} // namespace mlir

namespace graven {

/// Lines as decisions are made and a table of passes at the end, or one
/// document at the end.
enum class ExplanationForm { Text, Json };

/// What a pattern, or a pass that has none, decided for one Node.
struct Explanation {
  std::string pass, pattern, op;
  /// As describePlace says it, for documents.
  llvm::json::Object place;
  bool fired = false;
  /// What a pass says of what it did, or why nothing was done; empty where a
  /// pattern gave no reason.
  std::string why;
};

/// The decisions of the passes that run in the contexts it listens to, and
/// what became of the IR in those of the managers it watches. As text:
///
///   model.py:12 (Node 'conv1'): graven-fuse-conv-bn: graven.conv: not
///   FuseBias: the convolution has a second user
class Explanations {
public:
  /// `os` outlives this object and the passes.
  Explanations(ExplanationForm form, llvm::raw_ostream &os);
  Explanations(Explanations &&) = default;
  ~Explanations();

  /// From here on, hears what passes in `context` decide.
  void listenTo(mlir::MLIRContext &context);

  /// Measures the passes that the manager has now: their time, and Nodes and
  /// bytes before and after. Managers of equal passes have common rows.
  void watch(mlir::PassManager &manager);

  /// The tables of passes and patterns, or the document, to the stream.
  void finish() const;

  /// {"candidates": [...], "passes": [...], "pattern_counts": {"pass: pattern":
  /// {"fired", "not"}}, "patterns": {...}}, for
  /// ExplanationForm::Json.
  llvm::json::Object toJson() const;

  /// Calls `visit` with each decision, in their order; `visitPattern` with the
  /// name of each pass and pattern of it that was ready to be applied.
  void visit(llvm::function_ref<void(const Explanation &)> visit,
             llvm::function_ref<void(llvm::StringRef, llvm::StringRef)>
                 visitPattern) const;

private:
  class Record;
  class Streamer;
  class Watcher;
  std::shared_ptr<Record> record;
};

} // namespace graven

#endif // COMPILER_SESSION_EXPLANATIONS_H
