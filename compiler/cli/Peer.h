//===- Peer.h - ONNX Runtime beside a model -------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares a model in ONNX Runtime, in a Python process of its own
// that runs it when told to, so that `graven bench --vs ort` can take turns.
//===----------------------------------------------------------------------===//

#ifndef COMPILER_CLI_PEER_H
#define COMPILER_CLI_PEER_H

#include "mlir/IR/Location.h"
#include "runtime/host/Array.h"
#include <cstdio>
#include <sys/types.h>
#include <vector>

namespace graven::cli {

class Peer {
public:
  /// Starts `python` ($GRAVEN_PYTHON, else python3), which loads `model`, an
  /// ONNX file, for `threads` threads and takes the inputs in the model's
  /// order. Reports what it says when it cannot.
  static mlir::FailureOr<Peer> start(mlir::Location loc, llvm::StringRef model,
                                     int64_t threads,
                                     llvm::ArrayRef<rt::Array> inputs);
  Peer(Peer &&other);
  Peer(const Peer &) = delete;
  ~Peer();

  /// Runs the model for some seconds, once at least: milliseconds of each run.
  mlir::FailureOr<std::vector<double>> run(double seconds);

  /// The outputs of a run.
  mlir::FailureOr<std::vector<rt::Array>> outputs();

private:
  explicit Peer(mlir::Location loc) : loc(loc) {}
  mlir::FailureOr<std::string> readLine();
  /// A number line, then as many bytes.
  mlir::FailureOr<std::vector<std::byte>> readBlock();

  mlir::Location loc;
  pid_t process = -1;
  std::FILE *to = nullptr, *from = nullptr;
};

} // namespace graven::cli

#endif // COMPILER_CLI_PEER_H
