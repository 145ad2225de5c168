//===- Extract.cpp - graven extract ---------------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements `graven extract MODEL --from a --to b -o part.onnx`.
//===----------------------------------------------------------------------===//

#include "compiler/cli/Command.h"
#include "compiler/support/OutputFile.h"
#include "dialects/support/Diagnostics.h"
#include "frontends/onnx/Surgery.h"

using namespace mlir;
using namespace llvm;

namespace graven::cli {
namespace {

class ExtractCommand : public ModelCommand {
public:
  ExtractCommand()
      : ModelCommand("extract", "the nodes of an ONNX model between values"),
        fromFlag("from", cl::CommaSeparated,
                 cl::desc("values that become inputs; default: the model's "
                          "own inputs"),
                 cl::value_desc("a,b"), cl::sub(sub)),
        toFlag("to", cl::CommaSeparated, cl::OneOrMore,
               cl::desc("values that become outputs"), cl::value_desc("c,d"),
               cl::sub(sub)),
        outputFlag("o", cl::desc("output file"), cl::value_desc("part.onnx"),
                   cl::Required, cl::sub(sub)) {}

  void read() override {
    ModelCommand::read();
    from.assign(fromFlag.begin(), fromFlag.end());
    to.assign(toFlag.begin(), toFlag.end());
    output = outputFlag;
  }

private:
  int runOn(Session &session) override {
    MLIRContext *context = &session.getContext();
    auto bytes =
        extractOnnx(context, flags.model, from, to,
                    [&](StringRef name) { return typeOf(session, name); });
    if (failed(bytes) ||
        failed(writeFile(output, {bytes->data(), bytes->size()},
                         FileMode::Plain, UnknownLoc::get(context))))
      return BadInput;
    auto summary = summarizeOnnx(context, output);
    if (failed(summary))
      return BadInput;
    int64_t nodes = 0;
    for (const auto &[name, count] : summary->ops)
      nodes += count;
    report["output"] = output;
    report["nodes"] = nodes;
    if (!isJson())
      outs() << output << ": " << nodes << " nodes\n";
    return Ok;
  }

  /// Of a value as an import finds it, at the extents that flags give.
  FailureOr<RankedTensorType> typeOf(Session &session, StringRef name) {
    if (types.empty()) {
      auto options = importOptions(session);
      if (failed(options))
        return failure();
      options->noteValue = [&](StringRef value, RankedTensorType type) {
        types[value] = type;
      };
      if (failed(session.import(flags.model, *options)))
        return failure();
    }
    auto found = types.find(name);
    if (found != types.end())
      return found->second;
    return emitCoded(UnknownLoc::get(&session.getContext()),
                     Code::UnsupportedFeature)
           << "nothing says the type of '" << name << "'";
  }

  StringMap<RankedTensorType> types;
  std::vector<std::string> from, to;
  std::string output;
  cl::list<std::string> fromFlag, toFlag;
  cl::opt<std::string> outputFlag;
};

} // namespace

std::unique_ptr<Command> makeExtract() {
  return std::make_unique<ExtractCommand>();
}

} // namespace graven::cli
