//===- Program.h - a model's Graph as Python sees it ------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares an imported model that can be printed, rewritten by passes
// and asked what it consists of. It needs neither MLIR's headers nor
// exceptions.
//===----------------------------------------------------------------------===//
#ifndef PYTHON_BINDINGS_PROGRAM_H
#define PYTHON_BINDINGS_PROGRAM_H

#include "python/bindings/Messages.h"
#include "python/bindings/Source.h"

#include <map>
#include <memory>
#include <tuple>

namespace graven::python {

/// An input or output.
struct TensorInfo {
  std::string name, dtype;
  /// One entry an axis: the extent, or, where `symbols` has a text, dynamic.
  std::vector<int64_t> extents;
  /// The name of a dynamic extent, "?" for one without; empty for static ones.
  std::vector<std::string> symbols;
};

/// A Parameter or buffer.
struct ParamInfo {
  std::string name, dtype;
  std::vector<int64_t> shape;
  bool isBuffer = false, requiresGrad = false;
};

/// Where the elements of a Parameter are; they stay while the Program lives.
struct ParamData {
  const char *bytes = nullptr;
  int64_t length = 0;
  /// In elements; empty when they are dense.
  std::vector<int64_t> strides;
  bool isBigEndian = false;
};

struct ProgramStats {
  /// How many Nodes of each kind there are, those of sub-Blocks included.
  std::map<std::string, int64_t> nodes;
  /// Elements and bytes of all Parameters.
  int64_t parameters = 0, parameterBytes = 0;
  /// Multiplications and additions of conv, conv_transpose, matmul and
  /// attention; nothing when extents are not known.
  std::optional<int64_t> macs;
};

/// How ONNX is written, as torch.onnx.export's arguments have it.
struct OnnxOptions {
  int64_t opset = 0;
  bool folds = true; ///< computes what depends on constants alone
  /// Of the first inputs and outputs.
  std::vector<std::string> inputNames, outputNames;
  /// (input or output, axis, name of the extent)
  std::vector<std::tuple<std::string, int64_t, std::string>> dynamicAxes;
  std::string externalData = "auto";    ///< or "always", "never"
  std::string weights = "initializers"; ///< or "defaults", "inputs"
};

class Program {
public:
  /// Reads a model. Types or shapes of inputs that nothing says are no error:
  /// see isKnown(). Of dynamic extents that the Nodes cannot do without the
  /// Program shows one size, see sizes(): a hint for the symbol, else a small
  /// one that is allowed. Without a result an error is appended.
  static std::unique_ptr<Program>
  import(Source source, const std::map<std::string, int64_t> &hints,
         std::vector<Message> &messages);
  ~Program();

  /// Whether there is a Graph; else `missing()` has the errors that say which
  /// inputs need types and shapes, and most functions below append these.
  bool isKnown() const;
  const std::vector<Message> &missing() const;

  const Source &source() const;
  /// The extents at which the Graph is shown where it holds for others, too.
  const std::vector<std::pair<std::string, int64_t>> &sizes() const;

  /// As torch.jit prints a graph, and as source text.
  std::string graph() const;
  std::string code() const;
  std::vector<TensorInfo> inputs() const;
  std::vector<TensorInfo> outputs();
  std::vector<ParamInfo> params() const;
  /// Nothing, and an error, when the file does not hold the bytes.
  std::optional<ParamData> data(const std::string &param,
                                std::vector<Message> &messages);
  ProgramStats stats() const;

  /// Runs a pipeline, here and whenever the source is read again. On failure
  /// nothing is changed, and an error is appended.
  bool runPasses(const std::string &pipeline, std::vector<Message> &messages);
  /// Writes the text, and the Parameters as safetensors beside it.
  bool writeText(const std::string &path, std::vector<Message> &messages);
  /// Writes ONNX, and weights of more than 2 GB to `path`.data.
  bool writeOnnx(const std::string &path, const OnnxOptions &options,
                 std::vector<Message> &messages);

private:
  struct Impl;
  explicit Program(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl;
};

} // namespace graven::python

#endif // PYTHON_BINDINGS_PROGRAM_H
