//===- SizesSplit.cpp - models of independent parts -----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the choice of the symbol along which a run is put
// together from runs of a few sizes, because the model works part by part.
//===----------------------------------------------------------------------===//

#include "compiler/session/Sizing.h"

#include "passes/graph/IndependentParts.h"
#include "passes/graph/Pipeline.h"

using namespace mlir;

namespace graven {

using cpu::SymbolSpec;

/// The parts of the inputs are along their axes 0.
SmallVector<std::optional<PartsAxis>> Sizing::inputParts(GraphOp graph,
                                                         unsigned symbol) {
  SmallVector<std::optional<PartsAxis>> inputs(graph.getNumArguments());
  for (auto [i, names] : llvm::enumerate(model.inputSymbols))
    for (auto [axis, name] : llvm::enumerate(names)) {
      auto extent = parseExtent(name, model.symbols);
      if (!extent || extent->symbol != symbol)
        continue;
      if (axis == 0 && extent->offset == 0) {
        inputs[i] = PartsAxis{0, extent->scale};
        continue;
      }
      problems[symbol] = {graph.getLoc(), "input '" + graph.getInputName(i) +
                                              "' has " + name + " on axis " +
                                              std::to_string(axis)};
      return {};
    }
  return inputs;
}

bool Sizing::tryToSplit(unsigned symbol) {
  std::optional<PartsProblem> &problem = problems[symbol];
  SmallVector<Module> modules;
  SmallVector<int64_t> units;
  // Independence is looked for with no extent of 1, and with two of them, to
  // tell what depends on the number.
  const int64_t least = std::max<int64_t>(
      2, fileRanges.lookup(model.symbols[symbol].name).lowest);
  const int64_t fewParts[] = {least, least + 1};
  for (int64_t count : fewParts) {
    SmallVector<int64_t> extents = first;
    extents[symbol] = count;
    std::string why;
    auto module = importShaped(extents, buildShapePipeline, why);
    if (failed(module)) {
      problem = {loc, "the model does not import at " + std::to_string(count) +
                          ": " + why};
      return false;
    }
    GraphOp graph = graphOf(**module);
    auto inputs = inputParts(graph, symbol);
    if (problem)
      return false;
    IndependentParts flow(graph, count, inputs);
    if (flow.problem()) {
      problem = flow.problem();
      return false;
    }
    units.clear();
    for (const auto &input : inputs)
      units.push_back(input ? input->rows : 0);
    for (Value output : graph.getReturn().getOperands()) {
      auto parts = flow.of(output);
      if (parts && parts->axis != 0) {
        problem = {graph.getLoc(),
                   "an output has it on axis " + std::to_string(parts->axis)};
        return false;
      }
      units.push_back(parts ? parts->rows : 0);
    }
    modules.push_back(std::move(*module));
  }
  problem = findDifference(graphOf(*modules[0]), fewParts[0],
                           graphOf(*modules[1]), fewParts[1]);
  if (problem)
    return false;
  // One part is special in Graphs, so it is looked at only where the program
  // makes it so.
  const SymbolSpec &spec = model.symbols[symbol];
  for (int64_t count :
       criticalExtents(symbol, first, spec.lowest, spec.highest)) {
    SmallVector<int64_t> extents = first;
    extents[symbol] = count;
    std::string why;
    auto module = importShaped(extents, buildShapePipeline, why);
    if (succeeded(module))
      problem = findDifference(graphOf(*modules[0]), fewParts[0],
                               graphOf(**module), count);
    if (problem)
      return false;
  }
  model.split = symbol;
  model.splitUnits = std::move(units);
  return true;
}

/// The symbol with the most extents goes first, because what is not split is
/// taken one by one.
void Sizing::chooseSplit() {
  SmallVector<unsigned> order;
  auto span = [&](unsigned symbol) {
    const SymbolSpec &spec = model.symbols[symbol];
    return spec.highest - spec.lowest;
  };
  for (unsigned i = 0; i < model.symbols.size(); ++i) {
    const DimSpec *spec = specOf(model.symbols[i].name);
    if ((!spec || spec->range) && span(i) >= shortRange)
      order.push_back(i);
  }
  llvm::sort(order, [&](unsigned x, unsigned y) {
    return std::pair(span(y), x) < std::pair(span(x), y);
  });
  for (unsigned symbol : order) {
    // What a file takes no single ones of (torch.export of a batch that was
    // not 1 says 2 and more) is put together of the least extents.
    int64_t lowest = fileRanges.lookup(model.symbols[symbol].name).lowest;
    if (lowest > mostSmallParts)
      problems[symbol] = {loc, "the file does not take extents below " +
                                   std::to_string(lowest)};
    else if (tryToSplit(symbol))
      return;
  }
}

} // namespace graven
