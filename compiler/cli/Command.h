//===- Command.h - one command of `graven` --------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares what the commands of the command line share: their base,
// the base of those that work on a model, and the exit codes.
//===----------------------------------------------------------------------===//

#ifndef COMPILER_CLI_COMMAND_H
#define COMPILER_CLI_COMMAND_H

#include "compiler/cli/Flags.h"
#include "compiler/session/Session.h"
#include "llvm/Support/JSON.h"
#include <memory>

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
/// read().
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

/// A command that takes MODEL, --input, --dim and --json. Its diagnostics are
/// printed as users read them; with --json the report, the exit code and the
/// diagnostics go to standard output as one object, also after a failure.
class ModelCommand : public Command {
public:
  ModelCommand(const char *name, const char *help);
  void read() override;
  int run() final;

protected:
  /// The command itself: fills `report`, or prints it when isJson() is false.
  virtual int runOn(Session &session) = 0;

  /// The flags about passes of a command that runs some.
  virtual PassFlags *passFlags() { return nullptr; }

  /// What --input, --dim and --weights make of an import.
  mlir::FailureOr<ImportOptions> importOptions(Session &session) const;

  /// Reads MODEL with the shapes that --input gives.
  mlir::FailureOr<mlir::OwningOpRef<mlir::ModuleOp>>
  importModel(Session &session);

  /// Reads MODEL at each size that --dim asks for.
  mlir::FailureOr<SizedModel> importSized(Session &session);

  /// Opens an artifact as it is; imports and compiles anything else.
  mlir::FailureOr<rt::LoadedModel> openModel(Session &session,
                                             const CompileOptions &options);

  bool isJson() const { return json; }

  ModelFlags flags;
  llvm::json::Object report;

private:
  bool json = false;
  llvm::cl::opt<bool> jsonFlag;
};

/// Whether the file begins as an ELF file does.
bool isArtifact(llvm::StringRef path);

/// {name, dtype, shape} of an input or output; -1 and less is the extent's
/// symbol, or "?" without one.
llvm::json::Object describeTensor(llvm::StringRef name, int32_t dtype,
                                  llvm::ArrayRef<int64_t> extents,
                                  const char *const *symbols = nullptr);

std::unique_ptr<Command> makeImport();
std::unique_ptr<Command> makeCompile();
std::unique_ptr<Command> makeExport();
std::unique_ptr<Command> makeRun();
std::unique_ptr<Command> makeBench();
std::unique_ptr<Command> makeInspect();
std::unique_ptr<Command> makeCheck();
std::unique_ptr<Command> makeSimplify();
std::unique_ptr<Command> makeDiff();
std::unique_ptr<Command> makeExtract();
std::unique_ptr<Command> makeExplain();
std::unique_ptr<Command> makeVerify();
std::unique_ptr<Command> makeBisect();
std::unique_ptr<Command> makeReduce();

/// Parses the arguments, runs the command they name, and returns the exit code.
int runCommandLine(int argc, char **argv);

} // namespace graven::cli

#endif // COMPILER_CLI_COMMAND_H
