//===- Source.h - where a model comes from ----------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares all that decides what Graph a model is: its file or
// bytes, what the user says of the inputs, and the passes that ran on it. The
// same source gives the same Graph, so it is read again wherever it is needed.
//===----------------------------------------------------------------------===//
#ifndef PYTHON_BINDINGS_SOURCE_H
#define PYTHON_BINDINGS_SOURCE_H

#include "runtime/include/graven/runtime.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace graven::python {

/// An input that has these elements from here on. Dense; the memory is used
/// where it is and must stay.
struct Constant {
  /// The input's name, or its position in decimal.
  std::string input;
  GravenTensor tensor;
};

struct Source {
  /// The model's file, or a name for `bytes` in messages.
  std::string path;
  /// The model itself; must stay.
  std::optional<std::string_view> bytes;
  /// "NAME:f32[1,3,8,8]"
  std::vector<std::string> inputs;
  /// "batch=1..64"
  std::vector<std::string> dims;
  /// Inputs that are Parameters.
  std::vector<Constant> constants = {};
  /// Inputs that are known while the model is read, and no inputs of the Graph.
  std::vector<Constant> values = {};
  /// What the numbers stand for that such inputs have in place of strings.
  std::vector<std::string> strings = {};
  /// Pipelines as graven-opt's --pass-pipeline has them, in their order.
  std::vector<std::string> passes = {};
  /// A file whose weights the model gets; empty for its own.
  std::string weights = {};
  /// What becomes of what the model writes: "initial" or "explicit"
  /// (StateMode).
  std::string state = "initial";
};

} // namespace graven::python

#endif // PYTHON_BINDINGS_SOURCE_H
