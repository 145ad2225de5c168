//===- Sizes.cpp - one model at several sizes -----------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the choice of the sizes that an artifact has code for.
// Each is an import of its own, so that what a model computes from extents is
// known when it is compiled.
//===----------------------------------------------------------------------===//

#include "compiler/session/Multiples.h"
#include "compiler/session/Sizing.h"

#include "dialects/graven/Graven.h"
#include "dialects/support/Diagnostics.h"
#include "frontends/LinearExtent.h"
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

SizedModel SizedModel::just(ModuleOp module) {
  SizedModel model;
  model.sizes.push_back({{}, module});
  return model;
}

FailureOr<GraphOp> requireGraph(ModuleOp module) {
  if (GraphOp graph = graphOf(module))
    return graph;
  return emitCoded(module.getLoc(), Code::BadGraph)
         << "the module has no graph @forward";
}

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

FailureOr<OwningOpRef<ModuleOp>> Sizing::importAt(ArrayRef<int64_t> extents,
                                                  const ExtentOfData &ofData) {
  ImportOptions own = options;
  own.extentOfData = ofData;
  own.extentOf = [&](StringRef name) {
    for (auto [symbol, extent] : llvm::zip(model.symbols, extents))
      if (symbol.name == name)
        return extent;
    return InputExtent::kDynamic;
  };
  return import(own);
}

std::optional<SymbolicExtent> parseExtent(StringRef text,
                                          ArrayRef<SymbolSpec> symbols) {
  auto find = [&](StringRef name) -> std::optional<unsigned> {
    for (auto [i, symbol] : llvm::enumerate(symbols))
      if (symbol.name == name)
        return i;
    return std::nullopt;
  };
  if (auto symbol = find(text))
    return SymbolicExtent(*symbol);
  auto linear = LinearExtent::parse(text);
  auto symbol = linear ? find(linear->symbol) : std::nullopt;
  return symbol ? std::optional(
                      SymbolicExtent(*symbol, linear->scale, linear->offset))
                : std::nullopt;
}

/// What a model says that does not exist at the extents it was read at, where
/// nobody gave these: that they have to be given. Other errors stay.
static void emitForGuess(Diagnostic &error, StringRef guess,
                         DiagnosticEngine &engine) {
  std::string text = error.str();
  StringRef reason = text;
  std::string inconsistent = "[" + codeName(Code::BadGraph) + "] ";
  if (error.getSeverity() != DiagnosticSeverity::Error || guess.empty() ||
      !reason.consume_front(inconsistent))
    return engine.emit(std::move(error));
  auto coded = emitCoded(error.getLocation(), Code::DynamicShape)
               << reason << "; read at " << guess
               << ", of which nothing is known: give extents with --input, or "
                  "with --dim";
  for (Diagnostic &note : error.getNotes())
    coded.attachNote(note.getLocation()) << note.str();
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
  std::vector<Diagnostic> said;
  auto imported = [&] {
    ScopedDiagnosticHandler hold(context, [&](Diagnostic &diagnostic) {
      said.push_back(std::move(diagnostic));
      return success();
    });
    return import(own);
  }();
  std::string guess;
  llvm::raw_string_ostream stream(guess);
  for (auto [name, extent] : known)
    if (!specOf(name) && !fileRanges.contains(name))
      stream << (guess.empty() ? "" : ", ") << name << "=" << extent;
  for (Diagnostic &diagnostic : said)
    emitForGuess(diagnostic, guess, context->getDiagEngine());
  if (failed(imported))
    return failure();
  probe = std::move(*imported);
  probe->walk([&](PrefixOp) { isCounted = true; });
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

/// A symbol's name as it is; a formula as the runtime reads it.
static std::string nameOf(StringRef text, ArrayRef<SymbolSpec> symbols) {
  bool isSymbol = llvm::any_of(
      symbols, [&](const SymbolSpec &symbol) { return symbol.name == text; });
  auto linear = isSymbol ? std::nullopt : LinearExtent::parse(text);
  return linear ? linear->text() : text.str();
}

LogicalResult Sizing::readInputs(ModuleOp module) {
  FailureOr<GraphOp> found = requireGraph(module);
  if (failed(found))
    return failure();
  GraphOp graph = *found;
  constexpr unsigned maxRank = 16;
  for (unsigned i = 0; i < graph.getNumArguments(); ++i) {
    auto type = cast<RankedTensorType>(graph.getArgumentTypes()[i]);
    SmallVector<std::string> names(type.getRank());
    if (auto symbols = graph.getArgAttrOfType<ArrayAttr>(i, "graven.symbols"))
      for (auto [name, symbol] : llvm::zip(names, symbols))
        name = nameOf(cast<StringAttr>(symbol), model.symbols);
    if (names.size() > maxRank)
      return emitCoded(graph.getLoc(), Code::DynamicShape)
             << "input '" << graph.getInputName(i) << "' has rank "
             << names.size() << ", expected at most " << maxRank
             << " beside dynamic extents";
    model.inputSymbols.push_back(std::move(names));
  }
  return success();
}

/// With all extents that the graph phase gets to know. What fails is no error:
/// `why` says it.
FailureOr<OwningOpRef<ModuleOp>>
Sizing::importShaped(ArrayRef<int64_t> extents, Pipeline pipeline,
                     std::string &why, const ExtentOfData &ofData) {
  ScopedDiagnosticHandler quiet(context, [&](Diagnostic &diagnostic) {
    if (diagnostic.getSeverity() == DiagnosticSeverity::Error && why.empty())
      why = diagnostic.str();
    return success();
  });
  auto module = importAt(extents, ofData);
  if (failed(module))
    return failure();
  PassManager manager(context);
  pipeline(manager);
  if (failed(manager.run(**module)))
    return failure();
  return module;
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
    int64_t least = std::max<int64_t>(1, fileRanges.lookup(symbol.name).lowest);
    for (int64_t part = least; part < 2 * least; ++part)
      extents.insert(std::min(part, symbol.highest));
    for (int64_t part : {4, 16})
      if (part >= least && part <= symbol.highest)
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
      if (symbol.highest >= longestRange)
        diagnostic << "; give the range an end, as in --dim " << symbol.name
                   << "=" << symbol.lowest << "..1024, or name up to ";
      else
        diagnostic << "; name up to ";
      return diagnostic << mostSizes << " sizes, as in --dim " << symbol.name
                        << "=16,128";
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
    if (combinations.size() <= mostSizes)
      continue;
    const auto *inTheWay = llvm::find_if(
        problems, [](const auto &problem) { return problem.has_value(); });
    bool isKnown = inTheWay != problems.end();
    auto diagnostic =
        emitCoded(isKnown ? (*inTheWay)->loc : loc, Code::DynamicShape)
        << "the dynamic extents have " << combinations.size()
        << " combinations or more, expected at most " << mostSizes;
    if (isKnown)
      diagnostic << ", because " << (*inTheWay)->reason;
    return diagnostic << "; name fewer sizes with --dim";
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
    if (isCounted) {
      if (!addDataSize(extents, model.sizes))
        return failure();
      continue;
    }
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
      --size.room->numSymbols;
    }
    for (auto &names : model.inputSymbols)
      for (std::string &name : names)
        if (auto extent = parseExtent(name, model.symbols);
            extent && extent->symbol == i)
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
    if (!isCounted)
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
  SaidOfModel said =
      inMultiples(context, import, {std::move(options), llvm::to_vector(dims)});
  return Sizing(context, import, std::move(said.options), said.dims).run();
}

} // namespace graven
