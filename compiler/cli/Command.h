//===- Command.h - one command of `graven` --------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares what the commands of the command line share: their base,
// the flags that say which model, and the exit codes.
//===----------------------------------------------------------------------===//

#ifndef COMPILER_CLI_COMMAND_H
#define COMPILER_CLI_COMMAND_H

#include "compiler/session/Session.h"
#include "llvm/Support/CommandLine.h"
#include <memory>
#include <vector>

namespace graven::cli {

/// Exit codes of every command (design section 4.11).
enum Exit : int {
  Ok = 0,
  CheckFailed = 1,
  BadInput = 2,
  Usage = 3,
  Internal = 70
};

/// A command: its flags are members, made when the command is and read by
/// run().
class Command {
public:
  Command(const char *name, const char *help) : sub(name, help) {}
  virtual ~Command() = default;
  virtual void read() = 0;
  virtual int run() = 0;
  llvm::cl::SubCommand &subCommand() { return sub; }

protected:
  llvm::cl::SubCommand sub;
};

/// MODEL and --input, which most commands take.
class ModelFlags {
public:
  explicit ModelFlags(llvm::cl::SubCommand &sub);
  void read();

  /// The shapes that --input gives; reports malformed ones.
  mlir::FailureOr<ImportOptions>
  importOptions(mlir::MLIRContext *context) const;
  /// What `--input NAME=@file.npy` gives: name and path.
  std::vector<std::pair<std::string, std::string>> files() const;

  std::string model;
  std::vector<std::string> inputs;

private:
  llvm::cl::opt<std::string> modelFlag;
  llvm::cl::list<std::string> inputFlag;
};

/// --target-cpu, -O, --numerics, --threads.
class CompileFlags {
public:
  explicit CompileFlags(llvm::cl::SubCommand &sub);
  void read();

  CompileOptions options;

private:
  llvm::cl::opt<std::string> cpu;
  llvm::cl::opt<unsigned> level;
  llvm::cl::opt<Numerics> numerics;
  llvm::cl::opt<int> threads;
};

/// Arrays for the inputs a model takes, in its order: read from the files that
/// flags name, or, where `random` is given, made from a fixed seed. `infos`
/// describes the inputs.
enum class Missing { IsError, IsRandom };
mlir::FailureOr<std::vector<rt::Array>>
gatherInputs(mlir::MLIRContext *context, const ModelFlags &flags,
             llvm::ArrayRef<GravenTensorInfo> infos, Missing missing);

/// Opens an artifact as it is; imports and compiles anything else.
mlir::FailureOr<rt::LoadedModel> openModel(Session &session,
                                           const ModelFlags &flags,
                                           const CompileFlags &compile);

std::unique_ptr<Command> makeImport();
std::unique_ptr<Command> makeCompile();
std::unique_ptr<Command> makeRun();
std::unique_ptr<Command> makeBench();
std::unique_ptr<Command> makeInspect();
std::unique_ptr<Command> makeCheck();
std::unique_ptr<Command> makeExplain();

/// Parses the arguments, runs the command they name, and returns the exit code.
int runCommandLine(int argc, char **argv);

} // namespace graven::cli

#endif // COMPILER_CLI_COMMAND_H
