//===- Inspect.cpp - graven inspect ---------------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements `graven inspect`: inputs, outputs, Parameters and ops of
// a model, the table of an artifact, or the tensors of a file of weights.
//===----------------------------------------------------------------------===//

#include "compiler/cli/Command.h"
#include "compiler/cli/InspectWeights.h"
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
                                "model; tensors of a file of weights") {}

private:
  int runOn(Session &session) override {
    if (isWeightsFile(flags.model)) {
      auto weights = readWeights(session, flags.model, flags.opaque);
      if (failed(weights))
        return BadInput;
      report = describeWeights(*weights);
      if (!isJson())
        printWeights(*weights, outs());
      return Ok;
    }
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
    describeMost(*loaded);
    report["workspace_bytes"] = table.workspace_size;
    report["weights_bytes"] = table.weights_size;
    if (table.num_sizes > 0)
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

  /// How large outputs can be whose extents data decide.
  void describeMost(const rt::LoadedModel &loaded) {
    if (loaded.table().num_symbols > 0)
      return;
    llvm::json::Array &outputs = *report.getArray("outputs");
    for (auto [i, info] : llvm::enumerate(loaded.outputs())) {
      if (!rt::LoadedModel::isCounted(info))
        continue;
      if (auto most = loaded.outputExtents(info, {}))
        (*outputs[i].getAsObject())["most"] = llvm::json::Array(*most);
    }
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

  /// A program of torch.export needs to know its extents; those that nobody
  /// decided are shown as what they may be.
  FailureOr<OwningOpRef<ModuleOp>> importAtUsualSize(Session &session) {
    auto options = importOptions(session);
    if (failed(options))
      return failure();
    std::vector<SymbolRange> ranges = symbolRanges(flags.model);
    if (ranges.empty())
      return session.import(flags.model, *options);
    options->extentOf = [&, own = options->extentOf](StringRef symbol) {
      int64_t decided = own ? own(symbol) : InputExtent::kDynamic;
      if (decided == InputExtent::kDynamic)
        decided = open[symbol.str()] = usualExtent(ranges, symbol);
      return decided;
    };
    auto module = session.import(flags.model, *options);
    llvm::json::Array symbols;
    llvm::json::Object sizes;
    for (const SymbolRange &range : ranges) {
      auto found = open.find(range.symbol);
      if (found == open.end())
        continue;
      llvm::json::Object entry{{"name", range.symbol},
                               {"lowest", range.lowest}};
      if (range.highest)
        entry["highest"] = *range.highest;
      symbols.push_back(std::move(entry));
      sizes[range.symbol] = found->second;
    }
    if (!symbols.empty()) {
      report["symbols"] = std::move(symbols);
      report["inspected_at"] = std::move(sizes);
    }
    return module;
  }

  LogicalResult inspectModel(Session &session) {
    auto imported = importAtUsualSize(session);
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
      for (unsigned i = 0; i < graph.getNumArguments(); ++i)
        inputs.push_back(describeInput(graph, i));
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

  /// Extents of symbols that are open by their names.
  llvm::json::Object describeInput(GraphOp graph, unsigned index) const {
    auto type = cast<RankedTensorType>(graph.getArgumentTypes()[index]);
    llvm::json::Object input = describe(graph.getInputName(index), type);
    auto names = graph.getArgAttrOfType<ArrayAttr>(index, "graven.symbols");
    llvm::json::Array &shape = *input.getArray("shape");
    for (auto [axis, extent] : llvm::enumerate(shape)) {
      auto name = names && axis < names.size()
                      ? dyn_cast<StringAttr>(names[axis])
                      : StringAttr();
      if (name && open.count(name.str()))
        extent = llvm::json::fixUTF8(name.getValue());
    }
    return input;
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
    if (auto *sizes = report.getObject("inspected_at"))
      for (const auto &[symbol, size] : *sizes)
        outs() << "outputs at " << symbol.str() << "=" << *size.getAsInteger()
               << "\n";
    if (auto *sizes = report.getArray("sizes");
        sizes && !report.getArray("symbols")->empty()) {
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

  /// Symbols that nobody decided, and the extents that they have here.
  std::map<std::string, int64_t> open;
};

} // namespace

std::unique_ptr<Command> makeInspect() {
  return std::make_unique<InspectCommand>();
}

} // namespace graven::cli
