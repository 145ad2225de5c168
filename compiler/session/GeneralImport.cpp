//===- GeneralImport.cpp - a model as one graph for all extents -*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the choice of the extents that a model is imported at to
// see what follows from them.
//===----------------------------------------------------------------------===//

#include "compiler/session/GeneralImport.h"

#include "compiler/session/CountedImport.h"
#include "dialects/graven/Graven.h"
#include "dialects/support/Diagnostics.h"
#include "frontends/LinearExtent.h"
#include "mlir/Pass/PassManager.h"
#include "passes/graph/Generalize.h"
#include "passes/graph/Passes.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;

namespace graven {

namespace {

using Module = OwningOpRef<ModuleOp>;

/// More samples than any formula of extents has numbers, and each symbol comes
/// to all of its choices.
constexpr unsigned numSamples = 7;

/// Extents to try, such as a model hardly has by accident, with many remainders
/// of what extents are divided by, and far apart: what is one element after all
/// pools at each of them would be taken for one always. Convolutions may need
/// more than the least. What pads to a multiple does nothing at multiples, so
/// primes show it, and what pads to the greater of two nothing where both are
/// equal. Networks that halve images may need multiples.
constexpr int64_t ladders[][numSamples] = {
    {5, 7, 26, 31, 44, 160, 353},
    {67, 70, 92, 95, 127, 224, 353},
    {67, 71, 97, 101, 127, 227, 353},
    {160, 224, 384, 576, 736, 992, 1408}};
constexpr size_t kPrimes = 2;
/// What divides all of the last.
constexpr int64_t kStep = 32;

struct Symbol {
  std::string name;
  DimSpec::Range range;
  SmallVector<int64_t> sizes;
};

class GeneralImporter {
public:
  GeneralImporter(MLIRContext *context, const ImportFunction &import,
                  ImportOptions options, ArrayRef<DimSpec> dims)
      : context(context), import(import), options(std::move(options)),
        dims(dims) {}

  LogicalResult makeDynamic(ArrayRef<DynamicInput> inputs);
  FailureOr<Module> run();

private:
  struct Problem {
    Location loc;
    std::string reason;
    /// Whether the model is one at each of the extents, though not one graph.
    bool imports = false;
  };
  FailureOr<Module> sample(ArrayRef<int64_t> ladder, unsigned turn);
  std::variant<Module, Problem> generalizeAt(ArrayRef<int64_t> ladder);
  void guard(GraphOp graph, const Problem &problem);
  unsigned numberOf(StringRef name, DimSpec::Range range);
  int64_t extentOf(StringRef name, ArrayRef<int64_t> ladder, unsigned turn);
  SmallVector<int64_t> choices(const Symbol &symbol, ArrayRef<int64_t> ladder);
  LogicalResult checkNames();
  FailureOr<Module> importAsItIs();
  void tell(bool errors);

  MLIRContext *context;
  const ImportFunction &import;
  ImportOptions options;
  ArrayRef<DimSpec> dims;
  /// In the order in which they are met.
  std::vector<Symbol> symbols;
  /// What the first import said, while it is not known what it is about.
  std::vector<Diagnostic> held;
  /// Whether data decide extents.
  bool isCounted = false;
};

/// `--input`'s name of an element type.
std::string nameOf(Type element) {
  std::string text;
  llvm::raw_string_ostream(text) << element;
  return StringRef(text).starts_with("ui") ? text.substr(1) : text;
}

} // namespace

InputSpec specOfInput(GraphOp graph, unsigned index) {
  auto type = cast<RankedTensorType>(graph.getArgumentTypes()[index]);
  InputSpec spec;
  spec.name = graph.getInputName(index);
  spec.elementType = nameOf(type.getElementType());
  for (int64_t extent : type.getShape())
    spec.shape.push_back({extent, ""});
  auto symbols = graph.getArgAttrOfType<ArrayAttr>(index, "graven.symbols");
  for (size_t axis = 0; symbols && axis < symbols.size(); ++axis)
    if (StringRef symbol = cast<StringAttr>(symbols[axis]); !symbol.empty())
      spec.shape[axis] = {InputExtent::kDynamic, symbol.str()};
  return spec;
}

/// The inputs' shapes with these extents dynamic are what --input would say.
LogicalResult GeneralImporter::makeDynamic(ArrayRef<DynamicInput> inputs) {
  if (inputs.empty())
    return success();
  ImportOptions own = options;
  own.extentOf = [&](StringRef name) { return extentOf(name, ladders[0], 0); };
  auto probe = import(own);
  symbols.clear();
  if (failed(probe))
    return failure();
  GraphOp graph = graphOf(**probe);
  for (const DynamicInput &wanted : inputs) {
    unsigned index = 0, count = graph ? graph.getNumArguments() : 0;
    while (index < count && graph.getInputName(index) != wanted.input &&
           std::to_string(index) != wanted.input)
      ++index;
    if (index == count)
      continue;
    InputSpec stated = specOfInput(graph, index);
    if (wanted.axis < 0 ||
        wanted.axis >= static_cast<int64_t>(stated.shape.size()) ||
        stated.shape[wanted.axis].isDynamic())
      continue;
    const InputSpec *given = options.find(stated.name, index);
    InputSpec spec = given ? *given : stated;
    if (static_cast<size_t>(wanted.axis) < spec.shape.size())
      spec.shape[wanted.axis] = {InputExtent::kDynamic, wanted.symbol};
    if (given)
      options.inputs[given - options.inputs.data()] = std::move(spec);
    else
      options.inputs.push_back(std::move(spec));
  }
  return success();
}

/// At most as many as a ladder has.
SmallVector<int64_t> GeneralImporter::choices(const Symbol &symbol,
                                              ArrayRef<int64_t> ladder) {
  if (!symbol.sizes.empty())
    return symbol.sizes;
  SmallVector<int64_t> chosen;
  for (int64_t extent : ladder)
    if (extent >= symbol.range.lowest && extent <= symbol.range.highest)
      chosen.push_back(extent);
  // Of a range beside the ladder, its first extents.
  constexpr size_t few = 4;
  for (int64_t extent = std::max<int64_t>(symbol.range.lowest, 2);
       chosen.size() < few && extent <= symbol.range.highest &&
       extent < symbol.range.lowest + 2 * static_cast<int64_t>(few);
       ++extent)
    if (!llvm::is_contained(chosen, extent))
      chosen.push_back(extent);
  if (chosen.empty())
    chosen.push_back(symbol.range.lowest);
  return chosen;
}

/// Symbols go through their choices each with a step of its own, so that they
/// are told apart; or with equal ones from different starts, so that no two of
/// them are ever equal.
enum class Steps { Own, Equal };
static int64_t pick(ArrayRef<int64_t> choices, unsigned turn, unsigned number,
                    Steps steps = Steps::Own) {
  size_t size = choices.size(), step = size > 1 ? 1 + number % (size - 1) : 0;
  if (steps == Steps::Equal)
    step = 1;
  return choices[(turn * step + number) % size];
}

/// `--dim` wins over what the file says of it.
unsigned GeneralImporter::numberOf(StringRef name, DimSpec::Range range) {
  auto known = llvm::find_if(
      symbols, [&](const Symbol &symbol) { return symbol.name == name; });
  unsigned number = known - symbols.begin();
  if (known != symbols.end())
    return number;
  Symbol symbol{name.str(), range, {}};
  for (const DimSpec &dim : dims) {
    if (dim.name != name)
      continue;
    if (dim.range)
      symbol.range = *dim.range;
    else
      symbol.sizes = dim.sizes;
  }
  symbols.push_back(std::move(symbol));
  return number;
}

int64_t GeneralImporter::extentOf(StringRef name, ArrayRef<int64_t> ladder,
                                  unsigned turn) {
  unsigned number = numberOf(name, {});
  bool isOfPrimes = ladder == ArrayRef<int64_t>(ladders[kPrimes]);
  return pick(choices(symbols[number], ladder), turn, number,
              isOfPrimes ? Steps::Equal : Steps::Own);
}

/// Imports ask about what data decide in one order.
FailureOr<Module> GeneralImporter::sample(ArrayRef<int64_t> ladder,
                                          unsigned turn) {
  ImportOptions own = options;
  unsigned asked = 0;
  own.noteRange = [&](StringRef name, int64_t least,
                      std::optional<int64_t> most) {
    numberOf(name, {std::max<int64_t>(least, 1),
                    most.value_or(cpu::SymbolSpec::unbounded)});
  };
  own.extentOf = [&](StringRef name) { return extentOf(name, ladder, turn); };
  own.extentOfData = [&](int64_t most) {
    isCounted = true;
    Symbol symbol{"", {2, most}, {}};
    unsigned number = symbols.size() + asked++;
    if (most < 2)
      return most;
    return pick(choices(symbol, ladders[0]), turn, number);
  };
  auto module = import(own);
  if (failed(module))
    return failure();
  // Dead Nodes that take an extent from data may be the only ones that have it,
  // where others follow from it.
  PassManager manager(context);
  manager.addPass(createInlineCalls());
  if (!isCounted)
    manager.addPass(createInferShapes());
  if (failed(manager.run(**module)))
    return failure();
  if (failed(requireGraph(**module)))
    return failure();
  return module;
}

std::variant<Module, GeneralImporter::Problem>
GeneralImporter::generalizeAt(ArrayRef<int64_t> ladder) {
  std::optional<Problem> problem;
  bool isFirst = ladder == ArrayRef<int64_t>(ladders[0]);
  unsigned turn = 0;
  ScopedDiagnosticHandler quiet(context, [&](Diagnostic &diagnostic) {
    if (diagnostic.getSeverity() == DiagnosticSeverity::Error && !problem)
      problem = Problem{diagnostic.getLocation(), diagnostic.str()};
    if (isFirst && turn == 0)
      held.push_back(std::move(diagnostic));
    return success();
  });
  std::vector<Module> modules;
  SmallVector<GraphOp> graphs;
  for (; turn < numSamples; ++turn) {
    auto module = sample(ladder, turn);
    if (failed(module))
      return problem.value_or(Problem{UnknownLoc::get(context),
                                      "it does not import at other extents"});
    graphs.push_back(graphOf(**module));
    modules.push_back(std::move(*module));
    if (symbols.empty() && !isCounted)
      return std::move(modules.front());
  }
  if (auto found =
          generalize(graphs.front(), ArrayRef<GraphOp>(graphs).drop_front()))
    return Problem{found->loc, found->reason, /*imports=*/true};
  return std::move(modules.front());
}

LogicalResult GeneralImporter::checkNames() {
  for (const DimSpec &dim : dims) {
    if (llvm::any_of(symbols,
                     [&](const Symbol &own) { return own.name == dim.name; }))
      continue;
    auto diagnostic = emitCoded(UnknownLoc::get(context), Code::BadOption)
                      << "the model has no dynamic extent '" << dim.name
                      << "'; it has ";
    if (symbols.empty())
      diagnostic << "none";
    llvm::interleaveComma(symbols, diagnostic,
                          [&](const Symbol &own) { diagnostic << own.name; });
    return failure();
  }
  return success();
}

/// With extents as dynamic as the frontend can leave them.
FailureOr<Module> GeneralImporter::importAsItIs() {
  ScopedDiagnosticHandler quiet(context,
                                [](Diagnostic &) { return success(); });
  auto module = import(options);
  if (failed(module) || isCounted)
    return failure();
  return module;
}

void GeneralImporter::tell(bool errors) {
  for (Diagnostic &diagnostic : std::exchange(held, {}))
    if (errors || diagnostic.getSeverity() != DiagnosticSeverity::Error)
      context->getDiagEngine().emit(std::move(diagnostic));
}

/// A graph of multiples, of a model that is another at other extents, takes
/// multiples: its symbols count the steps.
void GeneralImporter::guard(GraphOp graph, const Problem &problem) {
  auto isFree = [&](StringRef name) {
    return llvm::any_of(symbols, [&](const Symbol &symbol) {
      return symbol.name == name && symbol.sizes.empty();
    });
  };
  auto counted = [&](StringRef name) {
    return LinearExtent{name.str() + "_by_" + std::to_string(kStep), kStep}
        .text();
  };
  auto rename = [&](ArrayAttr names) -> Attribute {
    SmallVector<Attribute> changed;
    for (StringAttr name : names.getAsRange<StringAttr>())
      changed.push_back(isFree(name) ? StringAttr::get(context, counted(name))
                                     : name);
    return ArrayAttr::get(context, changed);
  };
  constexpr StringLiteral attribute = "graven.symbols";
  for (unsigned i = 0; i < graph.getNumArguments(); ++i)
    if (auto names = graph.getArgAttrOfType<ArrayAttr>(i, attribute))
      graph.setArgAttr(i, attribute, rename(names));
  for (unsigned i = 0; i < graph.getNumResults(); ++i)
    if (auto names = graph.getResultAttrOfType<ArrayAttr>(i, attribute))
      graph.setResultAttr(i, attribute, rename(names));
  for (const Symbol &symbol : symbols)
    if (symbol.sizes.empty())
      emitWarning(problem.loc)
          << symbol.name << " % " << kStep << " == 0, because "
          << problem.reason << "; '" << symbol.name << "_by_" << kStep
          << "' counts the " << kStep << "s";
}

FailureOr<Module> GeneralImporter::run() {
  std::optional<Problem> first, other;
  for (ArrayRef<int64_t> ladder : ladders) {
    auto made = generalizeAt(ladder);
    if (auto *module = std::get_if<Module>(&made)) {
      tell(/*errors=*/false);
      if (failed(checkNames()))
        return failure();
      bool inSteps = llvm::all_of(
          ladder, [](int64_t extent) { return extent % kStep == 0; });
      if (other && inSteps)
        guard(graphOf(**module), *other);
      return std::move(*module);
    }
    auto &problem = std::get<Problem>(made);
    if (!first)
      first = problem;
    if (!other && problem.imports)
      other = problem;
    // What is wrong at any extents is no matter of extents.
    if (symbols.empty() && !isCounted) {
      tell(/*errors=*/true);
      return failure();
    }
  }
  tell(/*errors=*/false);
  if (failed(checkNames()))
    return failure();
  auto module = importAsItIs();
  if (succeeded(module))
    return module;
  // With places for the most, what data decide is a number, not an extent.
  if (symbols.empty()) {
    auto counted = importCounted(context, import, options);
    if (auto *made = std::get_if<Module>(&counted))
      return std::move(*made);
    auto &problem = std::get<PartsProblem>(counted);
    if (!isa<UnknownLoc>(problem.loc))
      first = Problem{problem.loc, problem.reason};
  }
  auto diagnostic = emitCoded(first->loc, Code::DynamicShape)
                    << "the model is not one graph for all extents of ";
  if (symbols.empty())
    diagnostic << "what its data decide";
  llvm::interleaveComma(symbols, diagnostic, [&](const Symbol &own) {
    diagnostic << "'" << own.name << "'";
  });
  diagnostic << ": " << first->reason;
  if (!symbols.empty())
    diagnostic << "; give it one with --dim " << symbols.front().name
               << "=SIZE";
  return failure();
}

FailureOr<Module> importGeneral(MLIRContext *context,
                                const ImportFunction &import,
                                ImportOptions options, ArrayRef<DimSpec> dims,
                                ArrayRef<DynamicInput> inputs) {
  GeneralImporter importer(context, import, std::move(options), dims);
  if (failed(importer.makeDynamic(inputs)))
    return failure();
  return importer.run();
}

} // namespace graven
