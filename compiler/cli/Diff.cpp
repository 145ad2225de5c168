//===- Diff.cpp - graven diff ---------------------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements `graven diff A B`: whether two models are the same Graph
// but for names, and where they are not.
//===----------------------------------------------------------------------===//

#include "compiler/cli/Command.h"
#include "compiler/session/GraphDiff.h"

using namespace mlir;
using namespace llvm;

namespace graven::cli {
namespace {

/// More differences than this tell nobody more.
constexpr size_t kMostDifferences = 20;

class DiffCommand : public ModelCommand {
public:
  DiffCommand()
      : ModelCommand("diff", "whether two models are the same graph up to "
                             "names, and where they differ"),
        otherFlag(cl::Positional, cl::Required, cl::desc("OTHER"),
                  cl::sub(sub)) {}

  void read() override {
    ModelCommand::read();
    other = otherFlag;
  }

private:
  int runOn(Session &session) override {
    auto options = importOptions(session);
    if (failed(options))
      return BadInput;
    auto first = session.import(flags.model, *options),
         second = session.import(other, *options);
    if (failed(first) || failed(second) || failed(session.simplify(**first)) ||
        failed(session.simplify(**second)))
      return BadInput;
    auto differences = diffGraphs(**first, **second, kMostDifferences);
    if (failed(differences))
      return BadInput;
    json::Array entries;
    for (const GraphDifference &difference : *differences) {
      entries.push_back(
          json::Object{{"first", json::fixUTF8(difference.first)},
                       {"second", json::fixUTF8(difference.second)},
                       {"what", difference.what}});
      if (!isJson())
        outs() << "differ in " << difference.what << ": " << difference.first
               << " | " << difference.second << "\n";
    }
    if (!isJson() && differences->empty())
      outs() << "the same graph\n";
    report["same"] = differences->empty();
    report["differences"] = std::move(entries);
    return differences->empty() ? Ok : CheckFailed;
  }

  std::string other;
  cl::opt<std::string> otherFlag;
};

} // namespace

std::unique_ptr<Command> makeDiff() { return std::make_unique<DiffCommand>(); }

} // namespace graven::cli
