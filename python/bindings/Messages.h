//===- Messages.h - diagnostics as data -------------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares a diagnostic as Python gets it. It needs neither MLIR's
// headers nor exceptions, as all that both parts of the module share.
//===----------------------------------------------------------------------===//
#ifndef PYTHON_BINDINGS_MESSAGES_H
#define PYTHON_BINDINGS_MESSAGES_H

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace graven::python {

/// One diagnostic.
struct Message {
  /// "error", "warning" or "remark".
  std::string severity;
  /// "GRV0201", empty when the message has none.
  std::string code;
  /// The message without its code.
  std::string text;
  /// "model.py:12:4", the name of an ONNX node; empty when not known.
  std::string location;
  /// What else there is to say, each with its location.
  std::vector<std::string> notes;
  /// Inputs whose elements an import would have to know, with their positions.
  std::vector<std::pair<std::string, int64_t>> needed = {};
};

} // namespace graven::python

#endif // PYTHON_BINDINGS_MESSAGES_H
