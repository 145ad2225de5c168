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
        codeFlag(cl::Positional, cl::Required, cl::desc("CODE"), cl::sub(sub)) {
  }

  void read() override { code = codeFlag; }

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
  std::string code;
  cl::opt<std::string> codeFlag;
};

} // namespace

std::unique_ptr<Command> makeExplain() {
  return std::make_unique<ExplainCommand>();
}

} // namespace graven::cli
