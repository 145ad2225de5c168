//===- Import.cpp - graven import -----------------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements `graven import MODEL [-o m.mlir]` and
// `graven import WEIGHTS -o w.safetensors`.
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
      : ModelCommand("import",
                     "any format -> graph IR text and safetensors; weights -> "
                     "safetensors"),
        outputFlag("o", cl::desc("output file, - for standard output"),
                   cl::value_desc("m.mlir|w.safetensors"), cl::init("-"),
                   cl::sub(sub)) {}

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
    if (StringRef(output).ends_with(".safetensors"))
      return convertWeights(session);
    auto module = importModel(session);
    if (failed(module) || failed(session.write(**module, output)))
      return BadInput;
    report["output"] = output;
    return Ok;
  }

  /// The weights of a file of weights, or of a model.
  int convertWeights(Session &session) {
    MLIRContext *context = &session.getContext();
    auto weights = readWeights(session, flags.model, flags.opaque);
    if (failed(weights) ||
        failed(writeSafetensors(
            *weights, output, FileLineColLoc::get(context, flags.model, 0, 0))))
      return BadInput;
    report["output"] = output;
    report["tensors"] = static_cast<int64_t>(weights->tensors.size());
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
