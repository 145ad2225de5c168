//===- Inspect.cpp - graven inspect ---------------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements `graven inspect`: inputs, outputs, Parameters and ops of
// a model, or the table of an artifact.
//===----------------------------------------------------------------------===//

#include "compiler/cli/Command.h"
#include "dialects/graven/Graven.h"
#include "dialects/support/Diagnostics.h"
#include "llvm/Support/FormatVariadic.h"
#include <map>

using namespace mlir;
using namespace llvm;

namespace graven::cli {
namespace {

class InspectCommand : public ModelCommand {
public:
  InspectCommand()
      : ModelCommand("inspect", "inputs, outputs, Parameters and ops of a "
                                "model; the table of an artifact") {}

private:
  int runOn(Session &session) override {
    LogicalResult done = isArtifact(flags.model)
                             ? inspectArtifact(&session.getContext())
                             : inspectModel(session);
    if (failed(done))
      return BadInput;
    if (!isJson())
      print();
    return Ok;
  }

  LogicalResult inspectArtifact(MLIRContext *context) {
    auto loaded = rt::LoadedModel::load(flags.model);
    if (!loaded)
      return emitCoded(UnknownLoc::get(context), Code::BadArtifact)
             << loaded.error().message;
    auto describeAll = [](auto infos) {
      llvm::json::Array tensors;
      for (const GravenTensorInfo &info : infos)
        tensors.push_back(describeTensor(info.name, info.dtype,
                                         {info.extents, size_t(info.rank)},
                                         info.symbols));
      return tensors;
    };
    const GravenModel &table = loaded->table();
    report["name"] = llvm::json::fixUTF8(loaded->name());
    report["inputs"] = describeAll(loaded->inputs());
    report["outputs"] = describeAll(loaded->outputs());
    report["workspace_bytes"] = table.workspace_size;
    report["weights_bytes"] = table.weights_size;
    if (table.num_symbols > 0)
      describeSizes(table);
    const GravenVariant *used = table.support->variant(&table);
    llvm::json::Array variants;
    for (const GravenVariant &variant :
         ArrayRef(table.variants, table.num_variants))
      variants.push_back(
          llvm::json::Object{{"cpu", llvm::json::fixUTF8(variant.cpu)},
                             {"used_here", &variant == used}});
    report["variants"] = std::move(variants);
    if (table.provenance)
      report["provenance"] = llvm::json::fixUTF8(table.provenance);
    return success();
  }

  /// The symbols with their ranges, and the sizes that there is code for.
  void describeSizes(const GravenModel &table) {
    llvm::json::Array symbols, sizes;
    ArrayRef<GravenSymbol> named(table.symbols, table.num_symbols);
    for (auto [i, symbol] : llvm::enumerate(named)) {
      llvm::json::Object entry{
          {"name", llvm::json::fixUTF8(symbol.name)},
          {"lowest", symbol.lowest},
          {"split", static_cast<int64_t>(i) == table.split}};
      if (symbol.highest != INT64_MAX)
        entry["highest"] = symbol.highest;
      symbols.push_back(std::move(entry));
    }
    for (const GravenSize &size : ArrayRef(table.sizes, table.num_sizes)) {
      llvm::json::Object entry{
          {"extents", llvm::json::Array(ArrayRef(size.extents, named.size()))},
          {"workspace_bytes", size.workspace_size}};
      // With room, all from these on.
      if (size.room)
        entry["lowest"] =
            llvm::json::Array(ArrayRef(size.room->lowest, named.size()));
      sizes.push_back(std::move(entry));
    }
    report["symbols"] = std::move(symbols);
    report["sizes"] = std::move(sizes);
  }

  LogicalResult inspectModel(Session &session) {
    auto imported = importModel(session);
    if (failed(imported))
      return failure();
    ModuleOp module = **imported;
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
    report["inputs"] = std::move(inputs);
    report["outputs"] = std::move(outputs);
    report["parameters"] = llvm::json::Object{
        {"count", params}, {"elements", elements}, {"bytes", bytes}};
    report["ops"] = std::move(ops);
    return success();
  }

  static llvm::json::Object describe(StringRef name, Type type) {
    auto tensor = cast<RankedTensorType>(type);
    return describeTensor(name, dtypeOf(tensor.getElementType()),
                          tensor.getShape());
  }

  void print() const {
    for (StringRef side : {"inputs", "outputs"})
      for (const llvm::json::Value &entry : *report.getArray(side)) {
        const llvm::json::Object &tensor = *entry.getAsObject();
        outs() << (side == "inputs" ? "input  " : "output ")
               << *tensor.getString("name") << ": "
               << *tensor.getString("dtype")
               << formatv("{0}", *tensor.get("shape")) << "\n";
      }
    if (auto *symbols = report.getArray("symbols"))
      for (const llvm::json::Value &entry : *symbols) {
        const llvm::json::Object &symbol = *entry.getAsObject();
        outs() << "extent " << *symbol.getString("name") << ": "
               << *symbol.getInteger("lowest");
        if (auto highest = symbol.getInteger("highest"))
          outs() << " to " << *highest << "\n";
        else
          outs() << " or more\n";
      }
    if (auto *sizes = report.getArray("sizes")) {
      outs() << "sizes ";
      for (const llvm::json::Value &size : *sizes) {
        outs() << " ";
        const llvm::json::Array *lowest =
            size.getAsObject()->getArray("lowest");
        llvm::interleave(
            llvm::enumerate(*size.getAsObject()->getArray("extents")), outs(),
            [&](auto extent) {
              int64_t highest = *extent.value().getAsInteger();
              if (lowest && *(*lowest)[extent.index()].getAsInteger() < highest)
                outs() << *(*lowest)[extent.index()].getAsInteger() << "..";
              outs() << highest;
            },
            "x");
      }
      outs() << "\n";
    }
    if (auto bytes = report.getInteger("weights_bytes"))
      outs() << "weights    " << *bytes << " bytes\nworkspace  "
             << *report.getInteger("workspace_bytes") << " bytes\n";
    if (auto *variants = report.getArray("variants"))
      for (const llvm::json::Value &entry : *variants) {
        const llvm::json::Object &variant = *entry.getAsObject();
        outs() << "code       for " << *variant.getString("cpu")
               << (*variant.getBoolean("used_here") ? ", used here\n" : "\n");
      }
    if (auto provenance = report.getString("provenance"))
      outs() << *provenance << "\n";
    if (auto *params = report.getObject("parameters"))
      outs() << "parameters " << *params->getInteger("count") << ", "
             << *params->getInteger("elements") << " elements, "
             << *params->getInteger("bytes") << " bytes\n";
    std::map<std::string, int64_t> sorted;
    if (auto *ops = report.getObject("ops"))
      for (auto &[name, count] : *ops)
        sorted[name.str()] = *count.getAsInteger();
    for (auto &[name, count] : sorted)
      outs() << "op     " << name << " " << count << "\n";
  }
};

} // namespace

std::unique_ptr<Command> makeInspect() {
  return std::make_unique<InspectCommand>();
}

} // namespace graven::cli
