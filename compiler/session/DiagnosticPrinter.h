//===- DiagnosticPrinter.h - messages as users read them ------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the handler that turns a context's diagnostics into text
// and JSON: place, severity, code, message, notes, and the line of the model
// file that a message points to.
//===----------------------------------------------------------------------===//

#ifndef COMPILER_SESSION_DIAGNOSTICPRINTER_H
#define COMPILER_SESSION_DIAGNOSTICPRINTER_H

#include "mlir/IR/Diagnostics.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"
#include <string>

namespace graven {

/// Prints every error, warning and note of a context while it lives:
///
///   m.mlir:3:8: error: [GRV0109] expected ':'
///     %0 = graven.relu %x tensor<2xf32>
///                         ^
///   in Node 'conv1'
///
/// Bytes that a terminal would obey are escaped, since names come from files
/// that may be hostile. After `mostPrinted` diagnostics the rest is counted.
class DiagnosticPrinter {
public:
  static constexpr int64_t mostPrinted = 100;

  DiagnosticPrinter(mlir::MLIRContext *context, llvm::raw_ostream &os);
  DiagnosticPrinter(const DiagnosticPrinter &) = delete;
  DiagnosticPrinter &operator=(const DiagnosticPrinter &) = delete;
  ~DiagnosticPrinter();

  /// Only lines of this file are shown: other paths in messages come out of
  /// the model, and are not opened.
  void setSource(llvm::StringRef path) { sourcePath = path.str(); }

  int64_t numErrors() const { return coded + uncoded; }
  /// Whether there were errors and none had a code: what users can do wrong has
  /// one, so this is a bug of ours.
  bool isInternal() const { return uncoded > 0 && coded == 0; }

  /// Whether all errors are about values of options.
  bool isOnlyUsage() const { return usage > 0 && usage == numErrors(); }

  /// One object for each diagnostic: severity, code, message, place, notes.
  llvm::json::Array takeRecords() { return std::move(records); }

private:
  void handle(const mlir::Diagnostic &diagnostic);
  void showLine(mlir::FileLineColLoc loc);

  mlir::MLIRContext *context;
  mlir::DiagnosticEngine::HandlerID handler;
  llvm::raw_ostream &os;
  std::string sourcePath;
  std::unique_ptr<llvm::MemoryBuffer> source;
  llvm::json::Array records;
  int64_t coded = 0, uncoded = 0, usage = 0, printed = 0, dropped = 0;
};

/// "model.py:12:3 (Node 'conv1')", what there is of it; empty for a place that
/// says nothing.
std::string describe(mlir::Location loc);

/// The same as {file, line, column, node}, without those that are not known.
llvm::json::Object describePlace(mlir::Location loc);

} // namespace graven

#endif // COMPILER_SESSION_DIAGNOSTICPRINTER_H
