//===- Diagnostics.cpp - user errors with stable codes --------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the table of error codes.
//===----------------------------------------------------------------------===//

#include "dialects/support/Diagnostics.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace graven {

namespace {
struct Entry {
  Code code;
  StringRef summary, explanation;
};
constexpr Entry entries[] = {
#define CODE(name, number, summary, explanation)                               \
  {Code::name, summary, explanation},
#include "dialects/support/ErrorCodes.def"
#undef CODE
};
} // namespace

static const Entry &entryOf(Code code) {
  return *llvm::find_if(
      entries, [code](const Entry &entry) { return entry.code == code; });
}

std::string codeName(Code code) {
  std::string name;
  raw_string_ostream(name) << "GRV" << format("%04d", static_cast<int>(code));
  return name;
}

std::optional<Code> parseCode(StringRef name) {
  for (const Entry &entry : entries)
    if (name == codeName(entry.code))
      return entry.code;
  return std::nullopt;
}

SmallVector<Code> allCodes() {
  SmallVector<Code> codes;
  for (const Entry &entry : entries)
    codes.push_back(entry.code);
  return codes;
}

StringRef codeSummary(Code code) { return entryOf(code).summary; }
StringRef codeExplanation(Code code) { return entryOf(code).explanation; }

mlir::InFlightDiagnostic emitCoded(mlir::Location loc, Code code) {
  return mlir::emitError(loc) << "[" << codeName(code) << "] ";
}

mlir::InFlightDiagnostic warnCoded(mlir::Location loc, Code code) {
  return mlir::emitWarning(loc) << "[" << codeName(code) << "] ";
}

void noteNeeded(mlir::Diagnostic &diagnostic, const NeededInput &input) {
  mlir::MLIRContext *context = diagnostic.getLocation().getContext();
  auto name = mlir::StringAttr::get(context, input.name);
  diagnostic.getMetadata().emplace_back(mlir::Attribute(name));
  diagnostic.getMetadata().emplace_back(input.position);
}

llvm::SmallVector<NeededInput> neededInputs(mlir::Diagnostic &diagnostic) {
  llvm::SmallVector<NeededInput> inputs;
  llvm::ArrayRef<mlir::DiagnosticArgument> entries = diagnostic.getMetadata();
  for (; entries.size() >= 2; entries = entries.drop_front(2))
    inputs.push_back(
        {mlir::cast<mlir::StringAttr>(entries[0].getAsAttribute()).getValue(),
         entries[1].getAsInteger()});
  return inputs;
}

CodeScope::CodeScope(mlir::MLIRContext *context, Code code)
    : ScopedDiagnosticHandler(context, [code](mlir::Diagnostic &diagnostic) {
        std::string text = diagnostic.str();
        if (diagnostic.getSeverity() != mlir::DiagnosticSeverity::Error ||
            StringRef(text).starts_with("[GRV"))
          return mlir::failure();
        auto coded = emitCoded(diagnostic.getLocation(), code) << text;
        for (mlir::Diagnostic &note : diagnostic.getNotes())
          coded.attachNote(note.getLocation()) << note.str();
        return mlir::success();
      }) {}

} // namespace graven
