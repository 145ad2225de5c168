//===- Check.cpp - graven check -------------------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements `graven check FILE`: runs the expectations in a file of
// self-checking IR.
//===----------------------------------------------------------------------===//

#include "dialects/check/Check.h"
#include "compiler/cli/Command.h"
#include "dialects/graven/Graven.h"

using namespace mlir;
using namespace llvm;

namespace graven::cli {
namespace {

class CheckCommand : public ModelCommand {
public:
  CheckCommand()
      : ModelCommand("check", "run the check.* expectations in IR") {}

private:
  int runOn(Session &session) override {
    auto module = importModel(session);
    if (failed(module))
      return BadInput;
    int64_t graphs =
        llvm::count_if((*module)->getOps<GraphOp>(), [](GraphOp graph) {
          return graph.getArgumentTypes().empty();
        });
    bool passed = succeeded(check::runChecks(**module));
    report["graphs"] = graphs;
    report["passed"] = passed;
    return passed ? Ok : CheckFailed;
  }
};

} // namespace

std::unique_ptr<Command> makeCheck() {
  return std::make_unique<CheckCommand>();
}

} // namespace graven::cli
