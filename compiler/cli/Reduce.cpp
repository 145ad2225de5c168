//===- Reduce.cpp - graven reduce -----------------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements `graven reduce MODEL --check CMD -o test.mlir`: the
// least graph on which the command fails as it does on the model, as a test.
//===----------------------------------------------------------------------===//

#include "compiler/cli/Command.h"
#include "compiler/cli/ShellCheck.h"
#include "dialects/support/Diagnostics.h"
#include "passes/verify/Reducer.h"
#include "llvm/Support/Path.h"

using namespace mlir;
using namespace llvm;

namespace graven::cli {
namespace {

class ReduceCommand : public ModelCommand {
public:
  ReduceCommand()
      : ModelCommand("reduce", "the least graph on which a check still fails, "
                               "as a test"),
        checkFlag("check",
                  cl::desc("a command that fails on the model, with {} for the "
                           "file of its graph"),
                  cl::value_desc("CMD"), cl::Required, cl::sub(sub)),
        outputFlag("o", cl::desc("output file"), cl::value_desc("test.mlir"),
                   cl::Required, cl::sub(sub)) {}

  void read() override {
    ModelCommand::read();
    command = checkFlag;
    output = outputFlag;
  }

private:
  int runOn(Session &session) override {
    auto module = importModel(session);
    if (failed(module))
      return BadInput;
    Location loc = (*module)->getLoc();
    FailureOr<GraphOp> found = requireGraph(**module);
    if (failed(found))
      return BadInput;
    GraphOp graph = *found;
    auto folder = TemporaryFolder::create(loc);
    if (failed(folder))
      return BadInput;
    ShellCheck check(command);
    std::string file = folder->file("m.mlir");
    bool canGoOn = true;
    auto statusOf = [&](ModuleOp candidate) -> FailureOr<int> {
      OwningOpRef<ModuleOp> copy = candidate.clone();
      if (failed(session.write(*copy, file)))
        return failure();
      return check.run(loc, file);
    };
    FailureOr<int> wanted = statusOf(**module);
    if (failed(wanted))
      return BadInput;
    if (*wanted == 0) {
      emitCoded(loc, Code::BadOption)
          << "--check passes on the graph of '" << flags.model
          << "', expected it to fail";
      return Usage;
    }
    int64_t before = countNodes(graph);
    // What fails in another way is something else.
    auto interesting = [&](ModuleOp candidate) {
      FailureOr<int> status = failure();
      if (canGoOn)
        status = statusOf(candidate);
      canGoOn &= succeeded(status);
      bool isLess = succeeded(status) && *status == *wanted;
      if (isLess && errs().is_displayed())
        errs() << countNodes(graphOf(candidate)) << " nodes\n";
      return isLess;
    };
    Reducer reducer(**module, "forward", interesting);
    OwningOpRef<ModuleOp> least = reducer.run();
    if (!canGoOn)
      return BadInput;
    int64_t after = countNodes(graphOf(*least));
    if (failed(session.write(*least, output, comments(after, before, check))))
      return BadInput;
    report["output"] = output;
    report["nodes_before"] = before;
    report["nodes"] = after;
    report["tried"] = reducer.numTried();
    report["kept"] = reducer.numKept();
    report["check_exit"] = *wanted;
    if (!isJson())
      outs() << output << ": " << after << " of " << before << " nodes, after "
             << reducer.numTried() << " tries\n";
    return Ok;
  }

  /// A test that fails until what it shows is mended.
  std::string comments(int64_t after, int64_t before,
                       const ShellCheck &check) const {
    return ("// " + StringRef(std::to_string(after)) + " of the " +
            std::to_string(before) + " nodes of " +
            sys::path::filename(flags.model) + ".\n// RUN" + ": " +
            check.on("%s") + "\n\n")
        .str();
  }

  std::string command, output;
  cl::opt<std::string> checkFlag, outputFlag;
};

} // namespace

std::unique_ptr<Command> makeReduce() {
  return std::make_unique<ReduceCommand>();
}

} // namespace graven::cli
