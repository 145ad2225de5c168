//===- Collector.h - diagnostics of a context as data -----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the handler that turns MLIR's diagnostics into Messages.
//===----------------------------------------------------------------------===//
#ifndef PYTHON_BINDINGS_COLLECTOR_H
#define PYTHON_BINDINGS_COLLECTOR_H

#include "dialects/support/Diagnostics.h"
#include "mlir/IR/Diagnostics.h"
#include "python/bindings/Messages.h"

namespace graven::python {

/// While it lives, the diagnostics of a context are appended to a list.
class Collector : public mlir::ScopedDiagnosticHandler {
public:
  Collector(mlir::MLIRContext *context, std::vector<Message> &messages);
};

/// An error that belongs to no context.
Message errorMessage(Code code, std::string text);

/// Whether an error is among the messages.
bool hasError(const std::vector<Message> &messages);

/// Appends that nobody said why, unless somebody did: a result is missing.
void explainFailure(std::vector<Message> &messages, const std::string &model);

} // namespace graven::python

#endif // PYTHON_BINDINGS_COLLECTOR_H
