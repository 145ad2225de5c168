//===- Compiler.h - the compiler as Python sees it --------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares what the Python module calls: compile, load and save, with
// diagnostics as data. It needs neither MLIR's headers nor exceptions, which
// divides the module in a part that knows MLIR and one that knows Python.
//===----------------------------------------------------------------------===//
#ifndef PYTHON_BINDINGS_COMPILER_H
#define PYTHON_BINDINGS_COMPILER_H

#include "python/bindings/Messages.h"
#include "python/bindings/Source.h"
#include "runtime/host/LoadedModel.h"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace graven::python {

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
  /// What it refers to must stay until compile() returns.
  Source source;
  /// Prefix of the C symbols.
  std::string name;
  /// "cpu", "cuda", "cuda:sm_80,sm_90" or, of either, "cuda,cpu".
  std::string target = "cpu";
  /// "native", "x86-64-v3", ...
  std::string cpu = "native";
  /// 0 to 3.
  int level = 2;
  /// "strict", "default" or "fast".
  std::string numerics = "default";
  /// "f32" or "bf16".
  std::string precision = "f32";
  /// Threads the artifact's typed entry uses.
  int threads = 1;
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

/// Compiles into a file, whose extension says what becomes of the model: .so,
/// .o, .a, .s or .ll. Messages as for compile().
bool write(const Request &request, const std::string &path,
           std::vector<Message> &messages);

/// Loads a shared object; on failure an error is appended.
std::optional<Artifact> load(const std::string &path,
                             std::vector<Message> &messages);

/// Whether the file is native code, whatever its name is.
bool isArtifact(const std::string &path);

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
