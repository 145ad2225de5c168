//===- DiagnosticPrinter.cpp - messages as users read them ----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the rendering of diagnostics, which trusts neither their
// text nor their paths.
//===----------------------------------------------------------------------===//

#include "compiler/session/DiagnosticPrinter.h"
#include "dialects/support/Diagnostics.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/Location.h"
#include "mlir/IR/MLIRContext.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/FileSystem.h"

using namespace mlir;

namespace graven {

/// A line longer than this is cut, around the column.
static constexpr size_t maxLineLength = 160;
/// Notes that print whole operations are cut here.
static constexpr size_t maxNoteLength = 2000;
/// Larger files are not read for the sake of a line.
static constexpr uint64_t maxSourceBytes = 64 << 20;
static constexpr int maxLocationDepth = 16;

namespace {
/// What a location says: the innermost file position, the name of a Node, and
/// who called.
struct Place {
  FileLineColLoc file;
  StringRef node;
  SmallVector<FileLineColLoc> callers;
};
} // namespace

static void resolve(Location loc, Place &place, int depth) {
  if (depth > maxLocationDepth)
    return;
  llvm::TypeSwitch<Location>(loc)
      .Case([&](FileLineColLoc file) {
        if (!place.file)
          place.file = file;
      })
      .Case([&](NameLoc name) {
        if (place.node.empty())
          place.node = name.getName();
        resolve(name.getChildLoc(), place, depth + 1);
      })
      .Case([&](CallSiteLoc call) {
        resolve(call.getCallee(), place, depth + 1);
        Place caller;
        resolve(call.getCaller(), caller, depth + 1);
        if (caller.file)
          place.callers.push_back(caller.file);
        place.callers.append(caller.callers);
      })
      .Case([&](FusedLoc fused) {
        for (Location part : fused.getLocations())
          if (!place.file)
            resolve(part, place, depth + 1);
      })
      .Case([&](OpaqueLoc opaque) {
        resolve(opaque.getFallbackLocation(), place, depth + 1);
      });
}

/// Prints text with what a terminal would obey escaped; a new line begins
/// indented, so that it cannot pass for a message of its own.
static void printSafely(raw_ostream &os, StringRef text) {
  for (unsigned char c : text) {
    if (c == '\n')
      os << "\n    ";
    else if (c == '\t')
      os << ' ';
    else if (c < 0x20 || c == 0x7f)
      os << "\\x" << llvm::utohexstr(c, /*LowerCase=*/true, /*Width=*/2);
    else
      os << static_cast<char>(c);
  }
}

static void printPosition(raw_ostream &os, FileLineColLoc file) {
  printSafely(os, file.getFilename());
  if (file.getLine() == 0)
    return;
  os << ":" << file.getLine();
  if (file.getColumn() > 0)
    os << ":" << file.getColumn();
}

std::string describe(Location loc) {
  Place place;
  resolve(loc, place, 0);
  std::string text;
  llvm::raw_string_ostream os(text);
  if (place.file)
    printPosition(os, place.file);
  if (place.node.empty())
    return text;
  os << (text.empty() ? "Node '" : " (Node '");
  printSafely(os, place.node);
  os << (place.file ? "')" : "'");
  return text;
}

static StringRef severityName(DiagnosticSeverity severity) {
  switch (severity) {
  case DiagnosticSeverity::Error:
    return "error";
  case DiagnosticSeverity::Warning:
    return "warning";
  case DiagnosticSeverity::Remark:
    return "remark";
  case DiagnosticSeverity::Note:
    return "note";
  }
  llvm_unreachable("all severities are listed");
}

/// "GRV0101" of "[GRV0101] text"; empty when there is none.
static StringRef codeOf(StringRef message) {
  if (!message.consume_front("[GRV"))
    return {};
  size_t end = message.find(']');
  return end == StringRef::npos ? StringRef()
                                : StringRef(message.data() - 3, end + 3);
}

static llvm::json::Object toRecord(const Place &place) {
  llvm::json::Object record;
  if (place.file) {
    record["file"] = llvm::json::fixUTF8(place.file.getFilename().getValue());
    record["line"] = place.file.getLine();
    record["column"] = place.file.getColumn();
  }
  if (!place.node.empty())
    record["node"] = llvm::json::fixUTF8(place.node);
  return record;
}

llvm::json::Object describePlace(Location loc) {
  Place place;
  resolve(loc, place, 0);
  return toRecord(place);
}

static llvm::json::Object toRecord(const Diagnostic &diagnostic,
                                   const Place &place) {
  std::string message = diagnostic.str();
  StringRef text = message, code = codeOf(text);
  if (!code.empty())
    text = text.drop_front(code.size() + 2).ltrim();
  llvm::json::Object record = toRecord(place);
  record["severity"] = severityName(diagnostic.getSeverity());
  record["message"] = llvm::json::fixUTF8(text);
  if (!code.empty())
    record["code"] = code.str();
  llvm::json::Array notes;
  for (const Diagnostic &note : diagnostic.getNotes())
    notes.push_back(
        llvm::json::fixUTF8(StringRef(note.str()).take_front(maxNoteLength)));
  if (!notes.empty())
    record["notes"] = std::move(notes);
  return record;
}

DiagnosticPrinter::DiagnosticPrinter(MLIRContext *context,
                                     llvm::raw_ostream &os)
    : context(context), os(os) {
  handler = context->getDiagEngine().registerHandler(
      [this](Diagnostic &diagnostic) { handle(diagnostic); });
}

DiagnosticPrinter::~DiagnosticPrinter() {
  context->getDiagEngine().eraseHandler(handler);
  if (dropped > 0)
    os << "graven: " << dropped << " more messages\n";
}

void DiagnosticPrinter::handle(const Diagnostic &diagnostic) {
  std::string message = diagnostic.str();
  if (diagnostic.getSeverity() == DiagnosticSeverity::Error) {
    std::optional<Code> code = parseCode(codeOf(message));
    ++(code ? coded : uncoded);
    usage += code == Code::BadOption || code == Code::UnknownCpu;
  }
  if (++printed > mostPrinted) {
    ++dropped;
    return;
  }
  Place place;
  resolve(diagnostic.getLocation(), place, 0);
  records.push_back(toRecord(diagnostic, place));
  if (place.file)
    printPosition(os, place.file);
  else if (!place.node.empty())
    printSafely(os, ("Node '" + place.node + "'").str());
  else
    os << "graven";
  os << ": " << severityName(diagnostic.getSeverity()) << ": ";
  printSafely(os, message);
  os << "\n";
  if (place.file)
    showLine(place.file);
  if (place.file && !place.node.empty()) {
    os << "  in ";
    printSafely(os, ("'" + place.node + "'\n").str());
  }
  for (FileLineColLoc caller : place.callers) {
    os << "  called from ";
    printPosition(os, caller);
    os << "\n";
  }
  for (const Diagnostic &note : diagnostic.getNotes()) {
    Place where;
    resolve(note.getLocation(), where, 0);
    os << "  note: ";
    if (where.file && where.file != place.file) {
      printPosition(os, where.file);
      os << ": ";
    }
    std::string text = note.str();
    printSafely(os, StringRef(text).take_front(maxNoteLength));
    os << (text.size() > maxNoteLength ? " ...\n" : "\n");
  }
}

void DiagnosticPrinter::showLine(FileLineColLoc loc) {
  if (sourcePath.empty() || loc.getFilename() != sourcePath ||
      loc.getLine() == 0 || loc.getColumn() == 0)
    return;
  if (!source) {
    llvm::sys::fs::file_status status;
    if (llvm::sys::fs::status(sourcePath, status) ||
        status.type() != llvm::sys::fs::file_type::regular_file ||
        status.getSize() > maxSourceBytes)
      return;
    auto buffer = llvm::MemoryBuffer::getFile(sourcePath);
    if (!buffer)
      return;
    source = std::move(*buffer);
  }
  StringRef rest = source->getBuffer(), line;
  for (unsigned i = 0; i < loc.getLine(); ++i) {
    if (rest.empty())
      return;
    std::tie(line, rest) = rest.split('\n');
  }
  size_t column = std::min<size_t>(loc.getColumn() - 1, line.size());
  size_t begin = line.size() > maxLineLength && column > maxLineLength / 2
                     ? column - maxLineLength / 2
                     : 0;
  os << "    ";
  printSafely(os, line.substr(begin, maxLineLength).rtrim("\r"));
  os << "\n    " << std::string(column - begin, ' ') << "^\n";
}

} // namespace graven
