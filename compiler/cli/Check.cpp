//===- Check.cpp - graven check -------------------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements `graven check FILE`: runs the expectations in a file of
// self-checking IR.
//===----------------------------------------------------------------------===//

#include "dialects/check/Check.h"
#include "compiler/cli/Command.h"

using namespace llvm;

namespace graven::cli {
namespace {

class CheckCommand : public Command {
public:
  CheckCommand()
      : Command("check", "run the check.* expectations in IR"), flags(sub) {}

  void read() override { flags.read(); }

  int run() override {
    Session session;
    auto module = session.import(flags.model, {});
    if (failed(module))
      return BadInput;
    return failed(check::runChecks(**module)) ? CheckFailed : Ok;
  }

private:
  ModelFlags flags;
};

} // namespace

std::unique_ptr<Command> makeCheck() {
  return std::make_unique<CheckCommand>();
}

} // namespace graven::cli
