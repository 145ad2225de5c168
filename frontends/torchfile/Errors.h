//===- Errors.h - errors of the file readers ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares how the readers of model files report what is wrong: an
// llvm::Error whose text names the record and the place. Import.cpp turns it
// into a coded diagnostic.
//
//===----------------------------------------------------------------------===//

#ifndef FRONTENDS_TORCHFILE_ERRORS_H
#define FRONTENDS_TORCHFILE_ERRORS_H

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/raw_ostream.h"

#include <string>

namespace graven::torch {

/// An error whose text is the parts in a row.
template <typename... Parts> llvm::Error parseError(const Parts &...parts) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  (stream << ... << parts);
  return llvm::createStringError(llvm::inconvertibleErrorCode(), text);
}

/// Text of the file as it may stand in a message: at most 80 bytes, control
/// and non-ASCII bytes escaped.
inline std::string printable(llvm::StringRef text) {
  std::string result;
  llvm::raw_string_ostream stream(result);
  llvm::printEscapedString(text.take_front(80), stream);
  return result + (text.size() > 80 ? "..." : "");
}

} // namespace graven::torch

#endif // FRONTENDS_TORCHFILE_ERRORS_H
