//===- InternalErrors.cpp - the compiler's own mistakes -------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the guard that gives a code to errors that nobody
// explained to the user.
//===----------------------------------------------------------------------===//

#include "dialects/support/InternalErrors.h"
#include "dialects/support/Diagnostics.h"

using namespace mlir;

namespace graven {

CodeInternalErrors::CodeInternalErrors(MLIRContext *context)
    : ScopedDiagnosticHandler(context) {
  setHandler([](Diagnostic &diagnostic) {
    std::string text = diagnostic.str();
    if (diagnostic.getSeverity() != DiagnosticSeverity::Error ||
        StringRef(text).starts_with("[GRV"))
      return failure();
    auto coded = emitCoded(diagnostic.getLocation(), Code::Internal) << text;
    for (Diagnostic &note : diagnostic.getNotes())
      coded.attachNote(note.getLocation()) << note.str();
    return success();
  });
}

} // namespace graven
