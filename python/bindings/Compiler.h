//===- Compiler.h - the compiler as Python sees it --------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares what the Python module calls: compile, load and save, with
// diagnostics as data. It needs neither MLIR's headers nor exceptions, which
// divides the module in a part that knows MLIR and one that knows Python.
//===----------------------------------------------------------------------===//
#ifndef PYTHON_BINDINGS_COMPILER_H
#define PYTHON_BINDINGS_COMPILER_H

#include "runtime/host/LoadedModel.h"

#include <optional>
#include <string>
#include <string_view>
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
};

/// An open file.
class File {
public:
  File() = default;
  explicit File(int descriptor) : descriptor(descriptor) {}
  File(File &&other) : descriptor(std::exchange(other.descriptor, -1)) {}
  File &operator=(File &&other) {
    std::swap(descriptor, other.descriptor);
    return *this;
  }
  ~File();

  int get() const { return descriptor; }
  /// Bytes, 0 when it is not known.
  int64_t size() const;

private:
  int descriptor = -1;
};

/// What to compile and how.
struct Request {
  /// The model's file, or a name for `bytes` in messages.
  std::string path;
  /// The model itself; must stay until compile() returns.
  std::optional<std::string_view> bytes;
  /// Prefix of the C symbols.
  std::string name;
  /// "NAME:f32[1,3,8,8]"
  std::vector<std::string> inputs;
  /// "native", "x86-64-v3", ...
  std::string cpu = "native";
  /// 0 to 3.
  int level = 2;
  /// "strict", "default" or "fast".
  std::string numerics = "default";
  /// "f32" or "bf16".
  std::string precision = "f32";
  /// "batch=1..64"
  std::vector<std::string> dims = {};
};

/// A model that can run, and the file it came from, which may have no name.
struct Artifact {
  rt::LoadedModel model;
  File file;
  /// How long compiling took, and the number of distinct kernels it made;
  /// nothing when the file was only loaded.
  std::optional<double> seconds;
  std::optional<int64_t> kernels;
};

/// Compiles in memory: the temporary file loses its name before this returns.
/// Diagnostics of all severities are appended to `messages`; without a result
/// at least one of them is an error. Several threads may compile at a time.
std::optional<Artifact> compile(const Request &request,
                                std::vector<Message> &messages);

/// Loads a shared object; on failure an error is appended.
std::optional<Artifact> load(const std::string &path,
                             std::vector<Message> &messages);

/// Writes the artifact's file to `path`, whole or not at all; on failure an
/// error is appended.
bool save(const File &file, const std::string &path,
          std::vector<Message> &messages);

/// An error of the runtime, with the code that belongs to its status.
Message describe(const rt::Error &error);

/// Errors in how a model is called.
enum class CallError { MissingInput, UnknownInput, BadInputType };
Message describe(CallError kind, std::string text);

} // namespace graven::python

#endif // PYTHON_BINDINGS_COMPILER_H
