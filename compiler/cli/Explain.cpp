//===- Explain.cpp - graven explain ---------------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements `graven explain GRV0101`.
//===----------------------------------------------------------------------===//

#include "compiler/cli/Command.h"
#include "dialects/support/Diagnostics.h"

using namespace llvm;

namespace graven::cli {
namespace {

class ExplainCommand : public Command {
public:
  ExplainCommand()
      : Command("explain", "what an error code means"),
        code(cl::Positional, cl::Required, cl::desc("CODE"), cl::sub(sub)) {}

  int run() override {
    auto known = parseCode(code);
    if (!known) {
      errs() << "graven: no error has the code '" << code << "'\n";
      return Usage;
    }
    outs() << codeName(*known) << ": " << codeSummary(*known) << "\n\n"
           << codeExplanation(*known) << "\n";
    return Ok;
  }

private:
  cl::opt<std::string> code;
};

} // namespace

std::unique_ptr<Command> makeExplain() {
  return std::make_unique<ExplainCommand>();
}

} // namespace graven::cli
