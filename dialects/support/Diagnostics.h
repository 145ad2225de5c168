//===- Diagnostics.h - user errors with stable codes ----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the codes of user errors and the one way to report them: a
// located message that begins with its code. Bugs of ours are assertions, not
// diagnostics.
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_SUPPORT_DIAGNOSTICS_H
#define DIALECTS_SUPPORT_DIAGNOSTICS_H

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Location.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include <optional>
#include <string>

namespace graven {

/// Stable codes (ErrorCodes.def).
enum class Code {
#define CODE(name, number, summary, explanation) name = number,
#include "dialects/support/ErrorCodes.def"
#undef CODE
};

/// "GRV0101".
std::string codeName(Code code);
/// The code of "GRV0101"; nullopt for anything else.
std::optional<Code> parseCode(llvm::StringRef name);
/// One line: what went wrong.
llvm::StringRef codeSummary(Code code);
/// All codes, in ascending order.
llvm::SmallVector<Code> allCodes();
/// A paragraph: why it happens and what to do.
llvm::StringRef codeExplanation(Code code);

/// An error at `loc` that begins with its code: "[GRV0101] ...". Stream the
/// message, lower case, got vs expected.
mlir::InFlightDiagnostic emitCoded(mlir::Location loc, Code code);

/// The same for what is in the way of nothing.
mlir::InFlightDiagnostic warnCoded(mlir::Location loc, Code code);

/// An input of a model whose elements an import would have to know.
struct NeededInput {
  llvm::StringRef name;
  int64_t position;
};

/// Notes on an error that knowing the input's elements may help, for those who
/// can give them: importers read them from ImportOptions.
void noteNeeded(mlir::Diagnostic &diagnostic, const NeededInput &input);
/// What was noted.
llvm::SmallVector<NeededInput> neededInputs(mlir::Diagnostic &diagnostic);

/// While it lives, errors that have no code get this one: for stretches where
/// whatever a parser, a verifier or an inference says is about the user's file.
class CodeScope : public mlir::ScopedDiagnosticHandler {
public:
  CodeScope(mlir::MLIRContext *context, Code code);
};

} // namespace graven

#endif // DIALECTS_SUPPORT_DIAGNOSTICS_H
