//===- Explain.cpp - graven explain ---------------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements `graven explain GRV0101`; without a code it lists all.
//===----------------------------------------------------------------------===//

#include "compiler/cli/Command.h"
#include "dialects/support/Diagnostics.h"

using namespace llvm;

namespace graven::cli {
namespace {

class ExplainCommand : public Command {
public:
  ExplainCommand()
      : Command("explain", "what an error code means; without one, all codes"),
        codeFlag(cl::Positional, cl::Optional, cl::desc("[CODE]"),
                 cl::sub(sub)) {}

  void read() override { code = codeFlag; }

  int run() override {
    if (code.empty()) {
      for (Code each : allCodes())
        outs() << codeName(each) << "  " << codeSummary(each) << "\n";
      return Ok;
    }
    auto known = parseCode(StringRef(code).upper());
    if (!known) {
      errs() << "graven: no error has the code '" << code
             << "'; `graven explain` lists all\n";
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
