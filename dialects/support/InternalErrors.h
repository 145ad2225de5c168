//===- InternalErrors.h - the compiler's own mistakes ---------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the guard that gives a code to errors that nobody
// explained to the user.
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_SUPPORT_INTERNALERRORS_H
#define DIALECTS_SUPPORT_INTERNALERRORS_H

#include "mlir/IR/Diagnostics.h"

namespace graven {

/// While it lives, an error without a code becomes one of the compiler
/// (Code::Internal): after a model has been accepted, what goes wrong without
/// an explanation is a mistake of ours.
class CodeInternalErrors : public mlir::ScopedDiagnosticHandler {
public:
  explicit CodeInternalErrors(mlir::MLIRContext *context);
};

} // namespace graven

#endif // DIALECTS_SUPPORT_INTERNALERRORS_H
