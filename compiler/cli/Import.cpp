//===- Import.cpp - graven import -----------------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements `graven import MODEL [-o m.mlir]`.
//===----------------------------------------------------------------------===//

#include "compiler/cli/Command.h"
#include "dialects/support/Diagnostics.h"

using namespace mlir;
using namespace llvm;

namespace graven::cli {
namespace {

class ImportCommand : public ModelCommand {
public:
  ImportCommand()
      : ModelCommand(
            "import",
            "any format -> graph IR text, and its weights as safetensors"),
        outputFlag("o", cl::desc("output file, - for standard output"),
                   cl::value_desc("m.mlir"), cl::init("-"), cl::sub(sub)) {}

  void read() override {
    ModelCommand::read();
    output = outputFlag;
  }

private:
  int runOn(Session &session) override {
    if (isJson() && output == "-") {
      emitCoded(UnknownLoc::get(&session.getContext()), Code::BadOption)
          << "--json and the graph cannot both go to standard output; give -o";
      return Usage;
    }
    auto module = importModel(session);
    if (failed(module) || failed(session.write(**module, output)))
      return BadInput;
    report["output"] = output;
    return Ok;
  }

  std::string output;
  cl::opt<std::string> outputFlag;
};

} // namespace

std::unique_ptr<Command> makeImport() {
  return std::make_unique<ImportCommand>();
}

} // namespace graven::cli
