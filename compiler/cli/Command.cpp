//===- Command.cpp - the command line of `graven` -------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements choosing the command, help and version, and what happens
// when the process itself fails.
//===----------------------------------------------------------------------===//

#include "compiler/cli/Command.h"
#include "dialects/support/Diagnostics.h"
#include "llvm/Config/llvm-config.h"
#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/PrettyStackTrace.h"
#include "llvm/Support/Signals.h"
#include <csignal>
#include <unistd.h>

using namespace llvm;

namespace graven::cli {

/// Writes without allocating: memory may be what is missing.
static void say(StringRef text) {
  while (!text.empty()) {
    ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
    if (written <= 0)
      return;
    text = text.drop_front(written);
  }
}

/// Ends the process without running destructors, and without temporary files.
[[noreturn]] static void leave(int exit) {
  sys::RunInterruptHandlers();
  ::_exit(exit);
}

static void onOutOfMemory(void *, const char *, bool) {
  say("graven: error: [GRV0006] out of memory\n");
  leave(BadInput);
}

static void onFatalError(void *handler, const char *reason, bool crash) {
  // LLVM is refused a thread where there is no room for its stack.
  if (StringRef(reason).starts_with("pthread_create failed"))
    onOutOfMemory(handler, reason, crash);
  say("graven: internal error: ");
  say(reason);
  say("\n");
  leave(Internal);
}

/// After the stack trace, with the temporary files gone: the exit code says
/// that it was us.
static void onCrash(void *) { ::_exit(Internal); }

static void installHandlers() {
  setBugReportMsg("graven: internal error: this is a bug in Graven; please "
                  "report it with the model, the command and this trace\n");
  install_fatal_error_handler(onFatalError);
  install_bad_alloc_error_handler(onOutOfMemory);
  sys::AddSignalHandler(onCrash, nullptr);
  // Writing beyond a limit is an error of the write.
  std::signal(SIGXFSZ, SIG_IGN);
}

static void printVersion(raw_ostream &os) {
  os << "graven " GRAVEN_VERSION " (LLVM " LLVM_VERSION_STRING ")\n";
}

static constexpr const char *helpEpilogue =
    "\nMODEL is a TorchScript archive (.pt) or source (.py), an ONNX file or "
    "graph IR (.mlir);\nthe content decides, not the extension.\n\n"
    "EXAMPLES:\n\n"
    "  graven inspect model.onnx\n"
    "  graven compile model.pt -o model.so --header model.h\n"
    "  graven run model.so --input 0=@image.npy --save-outputs out/\n"
    "  graven compile model.onnx -o model.o --input x:f32[1,3,224,224] "
    "--target-cpu x86-64-v3\n\n"
    "EXIT CODES:\n\n"
    "  0 ok, 1 a check or comparison failed, 2 unsupported or bad input, 3 "
    "wrong usage, 70 a bug in Graven\n";

int runCommandLine(int argc, char **argv) {
  installHandlers();
  std::vector<std::unique_ptr<Command>> commands;
  commands.push_back(makeImport());
  commands.push_back(makeCompile());
  commands.push_back(makeRun());
  commands.push_back(makeBench());
  commands.push_back(makeExport());
  commands.push_back(makeInspect());
  commands.push_back(makeCheck());
  commands.push_back(makeSimplify());
  commands.push_back(makeDiff());
  commands.push_back(makeExtract());
  commands.push_back(makeVerify());
  commands.push_back(makeBisect());
  commands.push_back(makeReduce());
  commands.push_back(makeExplain());
  cl::SetVersionPrinter(printVersion);
  cl::extrahelp epilogue(helpEpilogue);
  // The options that the libraries of LLVM bring along are not ours to offer.
  cl::OptionCategory none("none");
  cl::HideUnrelatedOptions(none);
  if (!cl::ParseCommandLineOptions(
          argc, argv, "Graven compiles trained models to native code\n",
          &errs(), /*VFS=*/nullptr, /*EnvVar=*/nullptr,
          /*LongOptionsUseDoubleDash=*/true))
    return Usage;
  for (auto &command : commands)
    if (command->subCommand()) {
      command->read();
      return command->run();
    }
  errs() << "graven: no command, expected one of:";
  for (auto &command : commands)
    errs() << ' ' << command->subCommand().getName();
  errs() << "; see graven --help\n";
  return Usage;
}

} // namespace graven::cli
