//===- Inspect.cpp - graven inspect ---------------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements `graven inspect`: inputs, outputs, Parameters and ops of
// a model, or the table of an artifact.
//===----------------------------------------------------------------------===//

#include "compiler/cli/Command.h"
#include "dialects/graven/Graven.h"
#include "llvm/Support/JSON.h"
#include <map>

using namespace mlir;
using namespace llvm;

namespace graven::cli {
namespace {

llvm::json::Object describe(StringRef name, Type type) {
  auto tensor = cast<RankedTensorType>(type);
  llvm::json::Array shape;
  for (int64_t extent : tensor.getShape())
    shape.push_back(ShapedType::isDynamic(extent) ? llvm::json::Value("?")
                                                  : llvm::json::Value(extent));
  return llvm::json::Object{
      {"name", name.str()},
      {"dtype", graven_dtype_name(dtypeOf(tensor.getElementType()))},
      {"shape", std::move(shape)}};
}

class InspectCommand : public Command {
public:
  InspectCommand()
      : Command("inspect", "inputs, outputs, Parameters and ops of a model"),
        flags(sub),
        jsonFlag("json", cl::desc("print the report as JSON"), cl::sub(sub)) {}

  void read() override {
    flags.read();
    json = jsonFlag;
  }

  int run() override {
    Session session;
    auto options = flags.importOptions(&session.getContext());
    if (failed(options))
      return BadInput;
    auto module = session.import(flags.model, *options);
    if (failed(module))
      return BadInput;
    llvm::json::Object report = summarize(**module);
    if (json)
      outs() << formatv("{0:2}", llvm::json::Value(std::move(report))) << "\n";
    else
      print(report);
    return Ok;
  }

private:
  static llvm::json::Object summarize(ModuleOp module) {
    llvm::json::Array inputs, outputs;
    std::map<std::string, int64_t> counts;
    int64_t params = 0, elements = 0, bytes = 0;
    for (ParamOp param : module.getOps<ParamOp>()) {
      ++params;
      RankedTensorType type = param.getTensorType();
      elements += type.getNumElements();
      bytes +=
          type.getNumElements() * eval::storageBytes(type.getElementType());
    }
    if (auto graph = module.lookupSymbol<GraphOp>("forward")) {
      for (auto [i, type] : llvm::enumerate(graph.getArgumentTypes()))
        inputs.push_back(describe(graph.getInputName(i), type));
      for (auto [i, type] : llvm::enumerate(graph.getResultTypes()))
        outputs.push_back(describe(graph.getOutputName(i), type));
      graph.walk([&](Operation *node) {
        if (!isa<GraphOp, ReturnOp, GetParamOp>(node))
          ++counts[node->getName().stripDialect().str()];
      });
    }
    llvm::json::Object ops;
    for (auto &[name, count] : counts)
      ops[name] = count;
    return llvm::json::Object{
        {"inputs", std::move(inputs)},
        {"outputs", std::move(outputs)},
        {"parameters", llvm::json::Object{{"count", params},
                                          {"elements", elements},
                                          {"bytes", bytes}}},
        {"ops", std::move(ops)}};
  }

  static void print(const llvm::json::Object &report) {
    for (StringRef side : {"inputs", "outputs"})
      for (const llvm::json::Value &entry : *report.getArray(side)) {
        const llvm::json::Object &tensor = *entry.getAsObject();
        outs() << (side == "inputs" ? "input  " : "output ")
               << *tensor.getString("name") << ": "
               << *tensor.getString("dtype")
               << formatv("{0}", *tensor.get("shape")) << "\n";
      }
    const llvm::json::Object &params = *report.getObject("parameters");
    outs() << "parameters " << *params.getInteger("count") << ", "
           << *params.getInteger("elements") << " elements, "
           << *params.getInteger("bytes") << " bytes\n";
    std::map<std::string, int64_t> sorted;
    for (auto &[name, count] : *report.getObject("ops"))
      sorted[name.str()] = *count.getAsInteger();
    for (auto &[name, count] : sorted)
      outs() << "op     " << name << " " << count << "\n";
  }

  ModelFlags flags;
  bool json = false;
  cl::opt<bool> jsonFlag;
};

} // namespace

std::unique_ptr<Command> makeInspect() {
  return std::make_unique<InspectCommand>();
}

} // namespace graven::cli
