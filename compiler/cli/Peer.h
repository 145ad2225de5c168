//===- Peer.h - another runtime beside a model ----------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares a model in ONNX Runtime or PyTorch, in a Python process of
// its own that runs it when told to, so that `graven bench --vs ort` can take
// turns.
//===----------------------------------------------------------------------===//

#ifndef COMPILER_CLI_PEER_H
#define COMPILER_CLI_PEER_H

#include "mlir/IR/Location.h"
#include "runtime/host/Array.h"
#include <cstdio>
#include <sys/types.h>
#include <vector>

namespace graven::cli {

enum class PeerKind { Ort, Torch };

/// "ONNX Runtime", "PyTorch".
llvm::StringRef peerName(PeerKind kind);

/// What a node of PyTorch's program gave: the path of its submodule, the file
/// names and lines that it may be said to come from, the likeliest first.
struct PeerNode {
  std::string path;
  std::vector<std::pair<std::string, int64_t>> lines;
  std::optional<rt::Array> value;
};

class Peer {
public:
  /// Starts `python` ($GRAVEN_PYTHON, else python3), which loads `model`, an
  /// ONNX file for ONNX Runtime, a .pt or .pt2 for PyTorch, for `threads`
  /// threads and takes the inputs in the model's order. Reports what it says
  /// when it cannot.
  static mlir::FailureOr<Peer> start(mlir::Location loc, PeerKind kind,
                                     llvm::StringRef model, int64_t threads,
                                     llvm::ArrayRef<rt::Array> inputs);
  Peer(Peer &&other);
  Peer(const Peer &) = delete;
  ~Peer();

  /// Runs the model for some seconds, once at least: milliseconds of each run.
  mlir::FailureOr<std::vector<double>> run(double seconds);

  /// The outputs of a run.
  mlir::FailureOr<std::vector<rt::Array>> outputs();

  /// The values of a run of PyTorch; ONNX Runtime has no names for others.
  mlir::FailureOr<std::vector<PeerNode>> nodes();

private:
  Peer(mlir::Location loc, PeerKind kind) : loc(loc), kind(kind) {}
  mlir::FailureOr<std::string> readLine();
  /// A number line, then as many bytes.
  mlir::FailureOr<std::vector<std::byte>> readBlock();
  mlir::FailureOr<rt::Array> readArray(const std::string &name);

  mlir::Location loc;
  PeerKind kind;
  pid_t process = -1;
  std::FILE *to = nullptr, *from = nullptr;
};

} // namespace graven::cli

#endif // COMPILER_CLI_PEER_H
