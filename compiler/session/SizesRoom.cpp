//===- SizesRoom.cpp - code with room for a range -------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the sizes that have room for all extents of a range, and
// those with room for what data decide.
//===----------------------------------------------------------------------===//

#include "compiler/session/Sizing.h"

#include "dialects/support/Diagnostics.h"
#include "passes/graph/Pipeline.h"

using namespace mlir;

namespace graven {

using cpu::SymbolSpec;

/// Extents inside of a range, apart from each other and from `taken`, that
/// hardly occur in a model otherwise.
static SmallVector<int64_t>
unusualExtents(int64_t lowest, int64_t highest,
               llvm::SmallDenseSet<int64_t> &taken) {
  constexpr int64_t parts = 4, smallest = 5;
  int64_t from = std::min(std::max(lowest, smallest), highest - 1);
  auto good = [&](int64_t extent, bool prime) {
    return extent >= lowest && extent < highest && extent > 1 &&
           (isPrime(extent) || !prime) && !taken.contains(extent);
  };
  SmallVector<int64_t> extents;
  for (int64_t part = 1; part <= parts; ++part) {
    int64_t near = from + (highest - from) * part / (parts + 1);
    std::optional<int64_t> found;
    for (bool prime : {true, false})
      for (int64_t away = 0; !found && away < highest - lowest; ++away)
        for (int64_t extent : {near + away, near - away})
          if (!found && good(extent, prime))
            found = extent;
    if (!found)
      continue;
    taken.insert(*found);
    extents.push_back(*found);
  }
  return extents;
}

/// Around which the program decides otherwise, unless it does not import there.
void Sizing::addCriticalSamples(RoomRequest &request) {
  for (auto [i, symbol] : llvm::enumerate(request.symbols)) {
    if (symbol.lowest == symbol.highest)
      continue;
    SmallVector<int64_t> own = request.extents;
    for (int64_t extent :
         criticalExtents(i, own, symbol.lowest, symbol.highest)) {
      own[i] = extent;
      ScopedDiagnosticHandler quiet(context,
                                    [](Diagnostic &) { return success(); });
      if (extent < symbol.highest && succeeded(importAt(own)))
        request.samples.push_back(own);
    }
  }
}

/// Code with room for what data decide, and for the ranges of these symbols.
std::variant<RoomyModule, PartsProblem>
Sizing::roomAt(ArrayRef<int64_t> extents, ArrayRef<RoomSymbol> symbols) {
  SmallVector<InputAxes> axes;
  for (const auto &names : model.inputSymbols) {
    auto &own = axes.emplace_back();
    for (const std::string &name : names) {
      auto &axis = own.emplace_back();
      auto extent = parseExtent(name, model.symbols);
      if (extent &&
          symbols[extent->symbol].lowest < symbols[extent->symbol].highest)
        axis = extent;
    }
  }
  RoomRequest request{symbols, llvm::to_vector(extents), {}, {}, {}};
  llvm::SmallDenseSet<int64_t> taken;
  SmallVector<SmallVector<int64_t>> lists;
  for (auto [i, symbol] : llvm::enumerate(symbols))
    if (symbol.lowest < symbol.highest)
      lists.push_back(unusualExtents(symbol.lowest, extents[i], taken));
  size_t count = lists.empty() ? 0 : lists.front().size();
  for (const auto &list : lists)
    count = std::min(count, list.size());
  for (size_t i = 0; i < count; ++i) {
    auto &own = request.samples.emplace_back(extents);
    auto list = lists.begin();
    for (auto [extent, symbol] : llvm::zip_equal(own, symbols))
      if (symbol.lowest < symbol.highest)
        extent = (*list++)[i];
  }
  addCriticalSamples(request);
  if (axes.empty()) {
    GraphOp graph = graphOf(*probe);
    for (Type type : graph.getArgumentTypes())
      axes.emplace_back(cast<RankedTensorType>(type).getRank());
  }
  request.axes = axes;
  request.import = [&](ArrayRef<int64_t> own, const ExtentOfData &ofData,
                       std::string &why) {
    if (!isCounted)
      return importShaped(own, buildSampleShapePipeline, why, ofData);
    auto module = importShaped(own, buildCountedShapePipeline, why, ofData);
    if (failed(module) || hasKnownExtents(graphOf(**module)))
      return module;
    return importShaped(own, buildSampleShapePipeline, why, ofData);
  };
  return makeRoomFor(request, loc);
}

/// Adds sizes with room for all extents up to each of these, or says why there
/// can be none.
bool Sizing::makeRooms(ArrayRef<SmallVector<int64_t>> combinations,
                       std::optional<PartsProblem> &problem) {
  std::vector<SizedModel::Size> sizes;
  std::vector<Module> modules;
  for (const SmallVector<int64_t> &extents : combinations) {
    SmallVector<RoomSymbol> symbols;
    for (auto [i, symbol] : llvm::enumerate(model.symbols))
      symbols.push_back({symbol.name,
                         roomy.contains(i) ? symbol.lowest : extents[i],
                         extents[i]});
    auto made = roomAt(extents, symbols);
    if (auto *found = std::get_if<PartsProblem>(&made)) {
      problem = *found;
      return false;
    }
    auto &code = std::get<RoomyModule>(made);
    SizedModel::Size size{extents, *code.module, std::move(code.room)};
    for (const RoomSymbol &symbol : symbols)
      size.lowest.push_back(symbol.lowest);
    sizes.push_back(std::move(size));
    modules.push_back(std::move(code.module));
  }
  llvm::move(sizes, std::back_inserter(model.sizes));
  llvm::move(modules, std::back_inserter(model.owned));
  return true;
}

/// Adds the code for just these extents of the symbols, with room for what data
/// decide; one that tells the caller no extents has nothing to copy.
bool Sizing::addDataSize(ArrayRef<int64_t> extents,
                         std::vector<SizedModel::Size> &sizes) {
  SmallVector<RoomSymbol> symbols;
  for (auto [symbol, extent] : llvm::zip_equal(model.symbols, extents))
    symbols.push_back({symbol.name, extent, extent});
  auto made = roomAt(extents, symbols);
  if (auto *problem = std::get_if<PartsProblem>(&made)) {
    std::optional<Location> found;
    graphOf(*probe).walk([&](PrefixOp prefix) {
      found = prefix.getLoc();
      return WalkResult::interrupt();
    });
    bool isPlaced = !isa<UnknownLoc>(problem->loc);
    auto diagnostic = emitCoded(isPlaced ? problem->loc : found.value_or(loc),
                                Code::DataDependent)
                      << "data decide an extent, and " << problem->reason;
    if (isPlaced && found)
      diagnostic.attachNote(*found) << "the extent is found here";
    return false;
  }
  auto &code = std::get<RoomyModule>(made);
  SizedModel::Size size{llvm::to_vector(extents), *code.module};
  if (!code.room.counts.empty()) {
    size.room = std::move(code.room);
    size.lowest = llvm::to_vector(extents);
  }
  sizes.push_back(std::move(size));
  model.owned.push_back(std::move(code.module));
  return true;
}

/// Ranges that are not split have code with room for all of their extents, and,
/// as it does the work of the highest ones for any, more with room for half of
/// them, a quarter, and an eighth.
void Sizing::chooseRooms() {
  for (unsigned i = 0; i < model.symbols.size(); ++i) {
    const SymbolSpec &symbol = model.symbols[i];
    const DimSpec *spec = specOf(symbol.name);
    bool isRange =
        spec ? spec->range.has_value() : fileRanges.contains(symbol.name);
    if (model.split != i && isRange && symbol.lowest >= 1 &&
        symbol.highest < longestRange &&
        symbol.highest - symbol.lowest >= shortRange)
      roomy.insert(i);
  }
  constexpr int64_t rooms = 4, smallest = 32;
  SmallVector<int64_t> most, scales(model.symbols.size(), 1);
  for (const SymbolSpec &symbol : model.symbols)
    most.push_back(symbol.highest);
  for (const auto &names : model.inputSymbols)
    for (const std::string &name : names)
      if (auto extent = parseExtent(name, model.symbols))
        scales[extent->symbol] =
            std::max(scales[extent->symbol], extent->scale);
  for (int64_t room = 0; room < rooms && !roomy.empty(); ++room) {
    auto all = combinations([&](unsigned i) -> FailureOr<SmallVector<int64_t>> {
      if (roomy.contains(i))
        return SmallVector<int64_t>{most[i]};
      // Reported when the sizes are chosen.
      ScopedDiagnosticHandler quiet(context,
                                    [](Diagnostic &) { return success(); });
      return extentsOf(i);
    });
    std::optional<PartsProblem> problem;
    bool made = succeeded(all) && makeRooms(*all, problem);
    if (!made && room == 0) {
      for (unsigned symbol : roomy)
        if (problem)
          problems[symbol] = problem;
      roomy.clear();
    }
    bool smaller = false;
    for (unsigned symbol : roomy)
      if (most[symbol] / 2 * scales[symbol] >= smallest &&
          most[symbol] / 2 >= model.symbols[symbol].lowest + shortRange) {
        most[symbol] /= 2;
        smaller = true;
      }
    if (!made || !smaller)
      return;
  }
}

} // namespace graven
