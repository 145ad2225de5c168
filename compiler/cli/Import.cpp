//===- Import.cpp - graven import -----------------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements `graven import MODEL [-o m.mlir]`.
//===----------------------------------------------------------------------===//

#include "compiler/cli/Command.h"

using namespace llvm;

namespace graven::cli {
namespace {

class ImportCommand : public Command {
public:
  ImportCommand()
      : Command("import",
                "any format -> graph IR text, and its weights as safetensors"),
        flags(sub),
        outputFlag("o", cl::desc("output file, - for standard output"),
                   cl::init("-"), cl::sub(sub)) {}

  void read() override {
    flags.read();
    output = outputFlag;
  }

  int run() override {
    Session session;
    auto options = flags.importOptions(&session.getContext());
    if (failed(options))
      return BadInput;
    auto module = session.import(flags.model, *options);
    if (failed(module) || failed(session.write(**module, output)))
      return BadInput;
    return Ok;
  }

private:
  ModelFlags flags;
  std::string output;
  cl::opt<std::string> outputFlag;
};

} // namespace

std::unique_ptr<Command> makeImport() {
  return std::make_unique<ImportCommand>();
}

} // namespace graven::cli
