//===- Collector.cpp - diagnostics of a context as data ---------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the translation of diagnostics: severity, code, text,
// and the location as people write it.
//===----------------------------------------------------------------------===//
#include "python/bindings/Collector.h"
#include "mlir/IR/Location.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;

namespace graven::python {

/// The longest chain of locations that a message shows.
static constexpr unsigned maxLocationDepth = 8;

/// A location as people write it: "file:line:column", a name in quotes.
static std::string describeLocation(Location loc, unsigned depth = 0) {
  if (depth == maxLocationDepth)
    return "...";
  if (auto file = dyn_cast<FileLineColLoc>(loc)) {
    std::string text = file.getFilename().str();
    if (file.getLine())
      text += ":" + std::to_string(file.getLine());
    if (file.getLine() && file.getColumn())
      text += ":" + std::to_string(file.getColumn());
    return text;
  }
  if (auto name = dyn_cast<NameLoc>(loc)) {
    std::string inner = describeLocation(name.getChildLoc(), depth + 1);
    std::string text = "'" + name.getName().str() + "'";
    return inner.empty() ? text : text + " (" + inner + ")";
  }
  if (auto call = dyn_cast<CallSiteLoc>(loc))
    return describeLocation(call.getCallee(), depth + 1) + ", called from " +
           describeLocation(call.getCaller(), depth + 1);
  std::string text;
  if (auto fused = dyn_cast<FusedLoc>(loc))
    for (Location part : fused.getLocations())
      if (std::string inner = describeLocation(part, depth + 1); !inner.empty())
        text += (text.empty() ? "" : ", ") + inner;
  return text;
}

static Message convert(Diagnostic &diagnostic) {
  Message message;
  switch (diagnostic.getSeverity()) {
  case DiagnosticSeverity::Error:
    message.severity = "error";
    break;
  case DiagnosticSeverity::Warning:
    message.severity = "warning";
    break;
  default:
    message.severity = "remark";
    break;
  }
  message.text = diagnostic.str();
  StringRef text = message.text;
  if (text.consume_front("[")) {
    auto [code, rest] = text.split(']');
    if (parseCode(code)) {
      message.code = code.str();
      message.text = rest.ltrim().str();
    }
  }
  message.location = describeLocation(diagnostic.getLocation());
  for (Diagnostic &note : diagnostic.getNotes()) {
    std::string location = describeLocation(note.getLocation());
    message.notes.push_back((location.empty() ? "" : location + ": ") +
                            note.str());
  }
  for (const NeededInput &input : neededInputs(diagnostic))
    message.needed.emplace_back(input.name.str(), input.position);
  return message;
}

Collector::Collector(MLIRContext *context, std::vector<Message> &messages)
    : ScopedDiagnosticHandler(context) {
  setHandler([&messages](Diagnostic &diagnostic) {
    messages.push_back(convert(diagnostic));
    return success();
  });
}

Message errorMessage(Code code, std::string text) {
  return {"error", codeName(code), std::move(text), "", {}};
}

bool hasError(const std::vector<Message> &messages) {
  return llvm::any_of(messages, [](const Message &message) {
    return message.severity == "error";
  });
}

void explainFailure(std::vector<Message> &messages, const std::string &model) {
  if (!hasError(messages))
    messages.push_back(
        {"error", "", "internal error: no reason was given", model, {}});
}

} // namespace graven::python
