//===- Sizes.cpp - one model at several sizes -----------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the choice of the sizes that an artifact has code for.
// Each is an import of its own, so that what a model computes from extents is
// known when it is compiled.
//===----------------------------------------------------------------------===//

#include "compiler/session/Sizes.h"

#include "dialects/graven/Graven.h"
#include "dialects/support/Diagnostics.h"
#include "mlir/Pass/PassManager.h"
#include "passes/graph/IndependentParts.h"
#include "passes/graph/Pipeline.h"
#include "runtime/include/graven/runtime.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;

namespace graven {

using cpu::SymbolSpec;

static llvm::Error dimError(StringRef text, const Twine &what) {
  return llvm::createStringError(llvm::inconvertibleErrorCode(),
                                 "dimension '" + text + "': " + what);
}

llvm::Expected<DimSpec> parseDimSpec(StringRef text) {
  DimSpec spec;
  auto [name, values] = text.rsplit('=');
  if (name.empty() || values.empty())
    return dimError(text, "expected NAME=1..64, NAME=1,8,1..64 or NAME=8");
  spec.name = name.str();
  SmallVector<StringRef> parts;
  values.split(parts, ',');
  for (StringRef part : parts) {
    auto [from, to] = part.split("..");
    bool isRange = part.contains("..");
    DimSpec::Range range;
    if (from.getAsInteger(10, range.lowest) || range.lowest < 0 ||
        (isRange && !to.empty() &&
         (to.getAsInteger(10, range.highest) || range.highest < 0)))
      return dimError(text, "expected an extent or a range such as 1..64, "
                            "got '" +
                                part + "'");
    if (range.lowest > range.highest)
      return dimError(text, "the range " + part + " is empty");
    if (isRange && spec.range)
      return dimError(text, "more than one range");
    if (isRange)
      spec.range = range;
    else
      spec.sizes.push_back(range.lowest);
  }
  for (int64_t size : spec.sizes)
    if (spec.range && (size < spec.range->lowest || size > spec.range->highest))
      return dimError(text, Twine(size) + " is outside of the range");
  return spec;
}

static GraphOp graphOf(ModuleOp module) {
  return module.lookupSymbol<GraphOp>("forward");
}

SizedModel SizedModel::just(ModuleOp module) {
  SizedModel model;
  model.sizes.push_back({{}, module});
  return model;
}

namespace {

/// The numbers of parts that independence is looked for with: no extent of 1,
/// and two of them, to tell what depends on the number.
constexpr int64_t fewParts[] = {2, 3};

/// Up to this many extents a range is taken one by one.
constexpr int64_t shortRange = 4;

class Sizing {
public:
  Sizing(MLIRContext *context, const ImportFunction &import,
         ImportOptions options, ArrayRef<DimSpec> dims)
      : context(context), loc(UnknownLoc::get(context)), import(import),
        options(std::move(options)), dims(dims) {}

  FailureOr<SizedModel> run();

private:
  using Module = OwningOpRef<ModuleOp>;

  const DimSpec *specOf(StringRef symbol) const {
    const auto *found = llvm::find_if(
        dims, [&](const DimSpec &spec) { return spec.name == symbol; });
    return found == dims.end() ? nullptr : found;
  }
  DimSpec::Range rangeOf(StringRef symbol) const;
  FailureOr<Module> importAt(ArrayRef<int64_t> extents);
  LogicalResult findSymbols();
  LogicalResult checkNames();
  LogicalResult readInputs(ModuleOp module);
  void chooseSplit();
  bool tryToSplit(unsigned symbol);
  using Pipeline = void (*)(OpPassManager &);
  FailureOr<Module> importShaped(ArrayRef<int64_t> extents, Pipeline pipeline,
                                 std::string &why);
  SmallVector<std::optional<PartsAxis>> inputParts(GraphOp graph,
                                                   unsigned symbol);
  FailureOr<SmallVector<int64_t>> extentsOf(unsigned symbol);
  void chooseRooms();
  bool makeRooms(ArrayRef<SmallVector<int64_t>> combinations,
                 std::optional<PartsProblem> &problem);
  SmallVector<RoomSample> samplesFor(ArrayRef<int64_t> extents,
                                     SmallVectorImpl<Module> &keep,
                                     std::string &why);
  FailureOr<SmallVector<SmallVector<int64_t>>> combinations(
      llvm::function_ref<FailureOr<SmallVector<int64_t>>(unsigned)> extentsOf);
  LogicalResult importAll();
  void dropFixedSymbols();

  MLIRContext *context;
  Location loc;
  const ImportFunction &import;
  ImportOptions options;
  ArrayRef<DimSpec> dims;
  /// What the file says of its symbols.
  llvm::StringMap<DimSpec::Range> fileRanges;
  SizedModel model;
  SmallVector<int64_t> first;
  Module probe;
  /// Why each symbol cannot be split, or there cannot be room for it.
  SmallVector<std::optional<PartsProblem>> problems;
  /// The symbols that sizes have room for.
  llvm::SetVector<unsigned> roomy;
};

} // namespace

/// Without a word about a symbol it may be what the file says, and anything but
/// empty.
DimSpec::Range Sizing::rangeOf(StringRef symbol) const {
  const DimSpec *spec = specOf(symbol);
  if (!spec)
    return fileRanges.lookup(symbol);
  if (spec->range)
    return *spec->range;
  return {*llvm::min_element(spec->sizes), *llvm::max_element(spec->sizes)};
}

FailureOr<OwningOpRef<ModuleOp>> Sizing::importAt(ArrayRef<int64_t> extents) {
  ImportOptions own = options;
  own.extentOf = [&](StringRef name) {
    for (auto [symbol, extent] : llvm::zip(model.symbols, extents))
      if (symbol.name == name)
        return extent;
    return InputExtent::kDynamic;
  };
  return import(own);
}

/// The first import, in which symbols become known as they are met.
LogicalResult Sizing::findSymbols() {
  llvm::MapVector<StringRef, int64_t> known;
  llvm::StringSet<> names;
  ImportOptions own = options;
  own.noteRange = [&](StringRef name, int64_t least,
                      std::optional<int64_t> most) {
    fileRanges[name] = {std::max<int64_t>(least, 1),
                        most.value_or(SymbolSpec::unbounded)};
  };
  own.extentOf = [&](StringRef name) {
    StringRef kept = names.insert(name).first->getKey();
    return known.try_emplace(kept, rangeOf(kept).lowest).first->second;
  };
  auto imported = import(own);
  if (failed(imported))
    return failure();
  probe = std::move(*imported);
  for (auto [name, extent] : known) {
    DimSpec::Range range = rangeOf(name);
    model.symbols.push_back({name.str(), range.lowest, range.highest});
    first.push_back(extent);
  }
  problems.resize(model.symbols.size());
  return checkNames();
}

LogicalResult Sizing::checkNames() {
  LogicalResult result = success();
  llvm::StringSet<> seen;
  for (const DimSpec &dim : dims) {
    if (!seen.insert(dim.name).second) {
      emitCoded(loc, Code::BadOption)
          << "--dim names '" << dim.name << "' twice";
      result = failure();
    }
    if (llvm::any_of(model.symbols, [&](const SymbolSpec &symbol) {
          return symbol.name == dim.name;
        }))
      continue;
    auto diagnostic = emitCoded(loc, Code::BadOption)
                      << "the model has no dynamic extent '" << dim.name
                      << "'; it has ";
    if (model.symbols.empty())
      diagnostic << "none";
    llvm::interleaveComma(
        model.symbols, diagnostic,
        [&](const SymbolSpec &symbol) { diagnostic << symbol.name; });
    result = failure();
  }
  if (model.symbols.size() > GRAVEN_MAX_SYMBOLS)
    return emitCoded(loc, Code::DynamicShape)
           << "the inputs have " << model.symbols.size()
           << " dynamic extents, expected at most " << GRAVEN_MAX_SYMBOLS;
  return result;
}

LogicalResult Sizing::readInputs(ModuleOp module) {
  GraphOp graph = graphOf(module);
  if (!graph)
    return emitCoded(module.getLoc(), Code::BadGraph)
           << "the module has no graph @forward";
  constexpr unsigned maxRank = 16;
  for (unsigned i = 0; i < graph.getNumArguments(); ++i) {
    auto type = cast<RankedTensorType>(graph.getArgumentTypes()[i]);
    SmallVector<std::string> names(type.getRank());
    if (auto symbols = graph.getArgAttrOfType<ArrayAttr>(i, "graven.symbols"))
      for (auto [name, symbol] : llvm::zip(names, symbols))
        name = cast<StringAttr>(symbol).str();
    if (names.size() > maxRank)
      return emitCoded(graph.getLoc(), Code::DynamicShape)
             << "input '" << graph.getInputName(i) << "' has rank "
             << names.size() << ", expected at most " << maxRank
             << " beside dynamic extents";
    model.inputSymbols.push_back(std::move(names));
  }
  return success();
}

/// The parts of the inputs are along their axes 0.
SmallVector<std::optional<PartsAxis>> Sizing::inputParts(GraphOp graph,
                                                         unsigned symbol) {
  SmallVector<std::optional<PartsAxis>> inputs(graph.getNumArguments());
  for (auto [i, names] : llvm::enumerate(model.inputSymbols))
    for (auto [axis, name] : llvm::enumerate(names)) {
      if (name != model.symbols[symbol].name)
        continue;
      if (axis == 0) {
        inputs[i] = PartsAxis{0, 1};
        continue;
      }
      problems[symbol] = {graph.getLoc(), "input '" + graph.getInputName(i) +
                                              "' has it on axis " +
                                              std::to_string(axis)};
      return {};
    }
  return inputs;
}

/// With all extents that the graph phase gets to know. What fails is no error:
/// `why` says it.
FailureOr<OwningOpRef<ModuleOp>> Sizing::importShaped(ArrayRef<int64_t> extents,
                                                      Pipeline pipeline,
                                                      std::string &why) {
  ScopedDiagnosticHandler quiet(context, [&](Diagnostic &diagnostic) {
    if (diagnostic.getSeverity() == DiagnosticSeverity::Error && why.empty())
      why = diagnostic.str();
    return success();
  });
  auto module = importAt(extents);
  if (failed(module))
    return failure();
  PassManager manager(context);
  pipeline(manager);
  if (failed(manager.run(**module)))
    return failure();
  return module;
}

bool Sizing::tryToSplit(unsigned symbol) {
  std::optional<PartsProblem> &problem = problems[symbol];
  SmallVector<Module> modules;
  SmallVector<int64_t> units;
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
      units.push_back(input ? 1 : 0);
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
    // Parts of any number are put together with single ones.
    if (fileRanges.lookup(model.symbols[symbol].name).lowest > 1)
      problems[symbol] = {loc, "the file does not take an extent of 1"};
    else if (tryToSplit(symbol))
      return;
  }
}

//===----------------------------------------------------------------------===//
// Room
//===----------------------------------------------------------------------===//

static bool isPrime(int64_t number) {
  for (int64_t i = 2; i * i <= number; ++i)
    if (number % i == 0)
      return false;
  return number > 1;
}

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

/// The model at a few extents of the symbols that there is to be room for.
SmallVector<RoomSample> Sizing::samplesFor(ArrayRef<int64_t> extents,
                                           SmallVectorImpl<Module> &keep,
                                           std::string &why) {
  llvm::SmallDenseSet<int64_t> taken;
  SmallVector<SmallVector<int64_t>> lists;
  for (unsigned symbol : roomy)
    lists.push_back(
        unusualExtents(model.symbols[symbol].lowest, extents[symbol], taken));
  size_t count = lists.front().size();
  for (const auto &list : lists)
    count = std::min(count, list.size());
  SmallVector<RoomSample> samples;
  for (size_t i = 0; i < count; ++i) {
    SmallVector<int64_t> own(extents);
    for (auto [symbol, list] : llvm::zip_equal(roomy, lists))
      own[symbol] = list[i];
    auto module = importShaped(own, buildSampleShapePipeline, why);
    if (failed(module))
      return {};
    samples.push_back({own, graphOf(**module)});
    keep.push_back(std::move(*module));
  }
  return samples;
}

/// Adds sizes with room for all extents up to each of these, or says why there
/// can be none.
bool Sizing::makeRooms(ArrayRef<SmallVector<int64_t>> combinations,
                       std::optional<PartsProblem> &problem) {
  SmallVector<SmallVector<std::optional<unsigned>>> axes;
  for (const auto &names : model.inputSymbols) {
    auto &own = axes.emplace_back();
    for (const std::string &name : names) {
      auto &axis = own.emplace_back();
      for (unsigned symbol : roomy)
        if (model.symbols[symbol].name == name)
          axis = symbol;
    }
  }
  std::vector<SizedModel::Size> sizes;
  std::vector<Module> modules;
  for (const SmallVector<int64_t> &extents : combinations) {
    SmallVector<RoomSymbol> symbols;
    for (auto [i, symbol] : llvm::enumerate(model.symbols))
      symbols.push_back({symbol.name,
                         roomy.contains(i) ? symbol.lowest : extents[i],
                         extents[i]});
    std::string why;
    SmallVector<Module> keep;
    SmallVector<RoomSample> samples = samplesFor(extents, keep, why);
    auto module = importShaped(extents, buildSampleShapePipeline, why);
    if (failed(module) || samples.empty()) {
      problem = {loc, "the model does not import at other extents: " + why};
      return false;
    }
    auto made = makeRoom(graphOf(**module), symbols, samples, axes);
    if (auto *found = std::get_if<PartsProblem>(&made)) {
      problem = *found;
      return false;
    }
    SizedModel::Size size{extents, **module, std::get<Room>(std::move(made))};
    for (const RoomSymbol &symbol : symbols)
      size.lowest.push_back(symbol.lowest);
    sizes.push_back(std::move(size));
    modules.push_back(std::move(*module));
  }
  llvm::move(sizes, std::back_inserter(model.sizes));
  llvm::move(modules, std::back_inserter(model.owned));
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
  SmallVector<int64_t> most;
  for (const SymbolSpec &symbol : model.symbols)
    most.push_back(symbol.highest);
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
      if (most[symbol] / 2 >= smallest &&
          most[symbol] / 2 >= model.symbols[symbol].lowest + shortRange) {
        most[symbol] /= 2;
        smaller = true;
      }
    if (!made || !smaller)
      return;
  }
}

/// The extents of a symbol that there is to be code for.
FailureOr<SmallVector<int64_t>> Sizing::extentsOf(unsigned index) {
  const SymbolSpec &symbol = model.symbols[index];
  const DimSpec *spec = specOf(symbol.name);
  llvm::SetVector<int64_t> extents;
  if (spec)
    extents.insert(spec->sizes.begin(), spec->sizes.end());
  bool isRange = !spec || spec->range;
  if (roomy.contains(index))
    return SmallVector<int64_t>(extents.begin(), extents.end());
  if (isRange && model.split == index) {
    // Any number is a sum of these; larger ones read the weights less often.
    constexpr int64_t largest = 64;
    if (symbol.lowest == 0)
      extents.insert(0);
    for (int64_t part : {1, 4, 16})
      if (part <= symbol.highest)
        extents.insert(part);
    if (symbol.highest <= largest)
      extents.insert(symbol.highest);
  } else if (isRange) {
    if (symbol.highest - symbol.lowest >= static_cast<int64_t>(mostSizes)) {
      auto diagnostic = emitCoded(problems[index] ? problems[index]->loc : loc,
                                  Code::DynamicShape)
                        << "extent '" << symbol.name
                        << "' of the inputs has a range of ";
      if (symbol.highest == SymbolSpec::unbounded)
        diagnostic << symbol.lowest << " and more";
      else
        diagnostic << symbol.lowest << " to " << symbol.highest;
      diagnostic << ", and each of its values needs code of its own";
      if (problems[index])
        diagnostic << ", because " << problems[index]->reason;
      else if (model.split)
        diagnostic << ", because '" << model.symbols[*model.split].name
                   << "' is split already";
      return diagnostic << "; name up to " << mostSizes
                        << " sizes, as in --dim " << symbol.name << "=16,128";
    }
    for (int64_t i = symbol.lowest; i <= symbol.highest; ++i)
      extents.insert(i);
    // Short ranges are taken so without a look at the model.
    if (problems[index])
      emitWarning(problems[index]->loc)
          << "each of the " << extents.size() << " values of extent '"
          << symbol.name << "' gets code of its own, because "
          << problems[index]->reason;
  }
  return SmallVector<int64_t>(extents.begin(), extents.end());
}

FailureOr<SmallVector<SmallVector<int64_t>>> Sizing::combinations(
    llvm::function_ref<FailureOr<SmallVector<int64_t>>(unsigned)> extentsOf) {
  SmallVector<SmallVector<int64_t>> combinations{{}};
  for (unsigned i = 0; i < model.symbols.size(); ++i) {
    auto extents = extentsOf(i);
    if (failed(extents))
      return failure();
    SmallVector<SmallVector<int64_t>> longer;
    for (const SmallVector<int64_t> &combination : combinations)
      for (int64_t extent : *extents)
        longer.emplace_back(combination).push_back(extent);
    combinations = std::move(longer);
    if (combinations.size() > mostSizes)
      return emitCoded(loc, Code::DynamicShape)
             << "the dynamic extents have " << combinations.size()
             << " combinations or more, expected at most " << mostSizes
             << "; name fewer sizes with --dim";
  }
  return combinations;
}

LogicalResult Sizing::importAll() {
  auto own = combinations([&](unsigned i) { return extentsOf(i); });
  if (failed(own))
    return failure();
  if (own->size() + model.sizes.size() > mostSizes)
    return emitCoded(loc, Code::DynamicShape)
           << "the dynamic extents have " << own->size() + model.sizes.size()
           << " combinations, expected at most " << mostSizes
           << "; name fewer sizes with --dim";
  // What is there already has room, and is for the rest.
  std::vector<SizedModel::Size> rooms = std::exchange(model.sizes, {});
  for (SmallVector<int64_t> &extents : *own) {
    auto module = extents == first && probe
                      ? FailureOr<Module>(std::move(probe))
                      : importAt(extents);
    if (failed(module))
      return failure();
    model.sizes.push_back({extents, **module});
    model.owned.push_back(std::move(*module));
  }
  llvm::append_range(model.sizes, rooms);
  dropFixedSymbols();
  return success();
}

/// A symbol of one extent is nothing to choose.
void Sizing::dropFixedSymbols() {
  for (unsigned i = model.symbols.size(); i-- > 0;) {
    bool varies = llvm::any_of(model.sizes, [&](const SizedModel::Size &size) {
      return size.extents[i] != model.sizes.front().extents[i];
    });
    if (varies || model.split == i || roomy.contains(i))
      continue;
    for (SizedModel::Size &size : model.sizes) {
      size.extents.erase(size.extents.begin() + i);
      if (!size.room)
        continue;
      size.lowest.erase(size.lowest.begin() + i);
      for (ExtentFunction &function : size.room->functions)
        function.symbol -= function.symbol > i;
    }
    for (auto &names : model.inputSymbols)
      for (std::string &name : names)
        if (name == model.symbols[i].name)
          name.clear();
    model.symbols.erase(model.symbols.begin() + i);
    if (model.split && *model.split > i)
      --*model.split;
  }
}

FailureOr<SizedModel> Sizing::run() {
  if (failed(findSymbols()))
    return failure();
  if (!model.symbols.empty()) {
    if (failed(readInputs(*probe)))
      return failure();
    chooseSplit();
    chooseRooms();
  }
  if (failed(importAll()))
    return failure();
  return std::move(model);
}

FailureOr<SizedModel> importSizes(MLIRContext *context,
                                  const ImportFunction &import,
                                  ImportOptions options,
                                  ArrayRef<DimSpec> dims) {
  return Sizing(context, import, std::move(options), dims).run();
}

} // namespace graven
