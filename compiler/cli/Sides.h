//===- Sides.h - what `graven verify` compares ----------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares a side of a comparison: a file and who runs it.
//===----------------------------------------------------------------------===//

#ifndef COMPILER_CLI_SIDES_H
#define COMPILER_CLI_SIDES_H

#include "compiler/cli/Command.h"
#include "compiler/cli/Peer.h"
#include "passes/verify/Trace.h"

namespace graven::cli {

enum class Runner { Native, Evaluator, Ort, Torch };

/// `FILE`, an artifact or a model that is compiled; or `evaluator:FILE`,
/// `ort:FILE`, `torch:FILE`; or one of these three words alone, for the file of
/// the other side.
struct Side {
  Runner runner = Runner::Native;
  std::string path;

  static Side parse(llvm::StringRef text);

  bool isArtifact() const {
    return runner == Runner::Native && cli::isArtifact(path);
  }
  /// "native code of m.pt", "ONNX Runtime on m.onnx".
  std::string describe() const;
};

/// What a run is to give.
enum class Depth { Outputs, Nodes };

/// Runs sides of one comparison.
struct SideRunner {
  Session &session;
  const ImportOptions &import;
  const CompileOptions &options;

  /// The outputs, and the values of Nodes where `depth` asks for these and the
  /// side has them. Errors are reported.
  mlir::FailureOr<Trace>
  run(const Side &side, llvm::MutableArrayRef<rt::Array> inputs, Depth depth);

private:
  mlir::FailureOr<Trace> runNative(const Side &side,
                                   llvm::MutableArrayRef<rt::Array> inputs,
                                   Depth depth);
  mlir::FailureOr<Trace> runEvaluator(const Side &side,
                                      llvm::MutableArrayRef<rt::Array> inputs);
  mlir::FailureOr<Trace> runPeer(const Side &side, PeerKind kind,
                                 llvm::MutableArrayRef<rt::Array> inputs);
  mlir::FailureOr<Trace> runTorchNodes(const Side &side,
                                       llvm::MutableArrayRef<rt::Array> inputs);
  mlir::FailureOr<Trace> runOrtNodes(const Side &side,
                                     llvm::MutableArrayRef<rt::Array> inputs);
};

} // namespace graven::cli

#endif // COMPILER_CLI_SIDES_H
