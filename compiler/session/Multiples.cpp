//===- Multiples.cpp - extents that a model takes multiples of -*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the search for multiples: at an extent that many numbers
// divide, the least step that leads to another one which the model takes.
//===----------------------------------------------------------------------===//

#include "compiler/session/Multiples.h"
#include "compiler/session/GeneralImport.h"
#include "frontends/LinearExtent.h"

#include "llvm/ADT/StringMap.h"
#include "llvm/Support/MathExtras.h"
#include <map>

using namespace mlir;

namespace graven {
namespace {

/// What windows, patches and halvings multiply to, those first of which a model
/// takes few others: where one is a multiple, its divisors are.
constexpr int64_t kBases[] = {64, 96, 224, 160, 48, 32, 56, 40, 24, 16, 28,
                              20, 12, 14,  8,   10, 6,  7,  5,  4,  3,  2};

struct Multiple {
  std::string symbol;
  int64_t factor;
  Location loc;
  std::string reason;

  std::string counted() const {
    return symbol + "_by_" + std::to_string(factor);
  }
};

class Search {
public:
  Search(MLIRContext *context, const ImportFunction &import,
         const SaidOfModel &said)
      : context(context), import(import), said(said) {}

  SmallVector<Multiple> run();
  /// The same model, of which these symbols are counted in steps.
  SaidOfModel inTermsOf(ArrayRef<Multiple> multiples);
  /// Whether the model has the symbols by which those of `multiples` are
  /// counted then.
  bool asks(const SaidOfModel &changed, ArrayRef<Multiple> multiples);

private:
  using Extents = std::map<std::string, int64_t>;

  DimSpec::Range rangeOf(StringRef symbol) const;
  bool isWide(StringRef symbol) const {
    DimSpec::Range range = rangeOf(symbol);
    return range.highest - range.lowest >= shortRange;
  }
  const DimSpec *specOf(StringRef symbol) const {
    return findDim(said.dims, symbol);
  }
  bool importsAt(llvm::function_ref<int64_t(StringRef)> extentOf,
                 const ImportOptions &options);
  bool findBase();
  std::optional<int64_t> factorOf(StringRef symbol);

  MLIRContext *context;
  const ImportFunction &import;
  const SaidOfModel &said;
  llvm::StringMap<DimSpec::Range> fileRanges;
  /// The symbols that the last import met, and what they were.
  Extents met;
  /// Extents at which the model imports, and the module there.
  Extents base;
  OwningOpRef<ModuleOp> module;
  /// What the last import that failed said first.
  std::optional<Location> loc;
  std::string reason;
};

DimSpec::Range Search::rangeOf(StringRef symbol) const {
  const DimSpec *spec = specOf(symbol);
  if (!spec)
    return fileRanges.lookup(symbol);
  if (spec->range)
    return *spec->range;
  return {spec->sizes.front(), spec->sizes.front()};
}

bool Search::importsAt(llvm::function_ref<int64_t(StringRef)> extentOf,
                       const ImportOptions &options) {
  loc.reset();
  reason.clear();
  met.clear();
  ScopedDiagnosticHandler quiet(context, [&](Diagnostic &diagnostic) {
    if (diagnostic.getSeverity() == DiagnosticSeverity::Error && !loc) {
      loc = diagnostic.getLocation();
      reason = diagnostic.str();
    }
    return success();
  });
  ImportOptions own = options;
  own.noteRange = [&](StringRef name, int64_t least,
                      std::optional<int64_t> most) {
    fileRanges[name] = {std::max<int64_t>(least, 1),
                        most.value_or(cpu::SymbolSpec::unbounded)};
  };
  own.extentOf = [&](StringRef name) {
    return met.try_emplace(name.str(), extentOf(name)).first->second;
  };
  auto imported = import(own);
  if (failed(imported))
    return false;
  module = std::move(*imported);
  return true;
}

/// Extents that each are a multiple of the same number, at which the model
/// imports.
bool Search::findBase() {
  for (int64_t number : kBases) {
    bool isInRange = true;
    bool good = importsAt(
        [&](StringRef symbol) {
          auto [lowest, highest] = rangeOf(symbol);
          if (!isWide(symbol))
            return lowest;
          int64_t extent = llvm::divideCeil(lowest, number) * number;
          isInRange &= extent <= highest;
          return isInRange ? extent : lowest;
        },
        said.options);
    base = met;
    if (good && isInRange)
      return true;
  }
  return false;
}

/// The least step from the base to extents that the model takes as well; 1
/// where that is each, nothing where it is not known.
std::optional<int64_t> Search::factorOf(StringRef symbol) {
  auto [lowest, highest] = rangeOf(symbol);
  int64_t start = base.at(symbol.str());
  auto importsFrom = [&, lowest = lowest, highest = highest](int64_t step) {
    int64_t extent = start + step <= highest ? start + step : start - step;
    return extent >= lowest &&
           importsAt(
               [&](StringRef name) {
                 return name == symbol ? extent : base.at(name.str());
               },
               said.options);
  };
  std::optional<Location> first;
  std::string why;
  for (int64_t step = 1; step <= start; ++step) {
    if (start % step != 0)
      continue;
    if (importsFrom(step)) {
      // What it said at the first step, which was one too small.
      loc = first;
      reason = why;
      return step;
    }
    if (!first) {
      first = loc;
      why = reason;
    }
  }
  return std::nullopt;
}

SmallVector<Multiple> Search::run() {
  // Most models take any, and odd extents tell.
  bool takesOdd = importsAt(
      [&](StringRef symbol) {
        auto [lowest, highest] = rangeOf(symbol);
        return isWide(symbol) ? (lowest + 1) | 1 : lowest;
      },
      said.options);
  bool hasRange = llvm::any_of(
      met, [&](const auto &symbol) { return isWide(symbol.first); });
  SmallVector<Multiple> multiples;
  if (takesOdd || !hasRange || !findBase())
    return multiples;
  for (const std::string &symbol : llvm::make_first_range(base)) {
    if (!isWide(symbol))
      continue;
    std::optional<int64_t> factor = factorOf(symbol);
    if (!factor)
      return {};
    const DimSpec *spec = specOf(symbol);
    bool fits = !spec || llvm::all_of(spec->sizes, [&](int64_t size) {
      return size % *factor == 0;
    });
    if (*factor > 1 && fits && loc)
      multiples.push_back({symbol, *factor, *loc, reason});
  }
  return multiples;
}

bool Search::asks(const SaidOfModel &changed, ArrayRef<Multiple> multiples) {
  auto extentOf = [&](StringRef symbol) {
    for (const Multiple &multiple : multiples)
      if (symbol == multiple.counted())
        return base.at(multiple.symbol) / multiple.factor;
    auto known = base.find(symbol.str());
    return known == base.end() ? rangeOf(symbol).lowest : known->second;
  };
  return importsAt(extentOf, changed.options) &&
         llvm::all_of(multiples, [&](const Multiple &multiple) {
           return met.count(multiple.counted()) > 0;
         });
}

/// The inputs' shapes and the ranges, with the symbols counted in steps.
SaidOfModel Search::inTermsOf(ArrayRef<Multiple> multiples) {
  SaidOfModel changed = said;
  auto stepOf = [&](const InputExtent &extent) -> const Multiple * {
    const auto *found = llvm::find_if(multiples, [&](const Multiple &each) {
      return extent.symbol == each.symbol;
    });
    return found == multiples.end() ? nullptr : found;
  };
  GraphOp graph = graphOf(*module);
  for (unsigned i = 0; i < graph.getNumArguments(); ++i) {
    InputSpec spec = specOfInput(graph, i);
    bool isChanged = false;
    for (InputExtent &extent : spec.shape)
      if (const Multiple *multiple = stepOf(extent)) {
        extent.symbol =
            LinearExtent{multiple->counted(), multiple->factor}.text();
        isChanged = true;
      }
    if (!isChanged)
      continue;
    std::vector<InputSpec> &inputs = changed.options.inputs;
    if (const InputSpec *given = said.options.find(spec.name, i))
      inputs[given - said.options.inputs.data()] = std::move(spec);
    else
      inputs.push_back(std::move(spec));
  }
  for (const Multiple &multiple : multiples) {
    auto *spec = llvm::find_if(changed.dims, [&](const DimSpec &dim) {
      return dim.name == multiple.symbol;
    });
    if (spec == changed.dims.end()) {
      changed.dims.push_back({multiple.symbol, {}, rangeOf(multiple.symbol)});
      spec = std::prev(changed.dims.end());
    }
    spec->name = multiple.counted();
    for (int64_t &size : spec->sizes)
      size /= multiple.factor;
    spec->range->lowest =
        llvm::divideCeil(spec->range->lowest, multiple.factor);
    if (spec->range->highest != cpu::SymbolSpec::unbounded)
      spec->range->highest /= multiple.factor;
  }
  return changed;
}

} // namespace

SaidOfModel inMultiples(MLIRContext *context, const ImportFunction &import,
                        SaidOfModel said) {
  bool isDynamic = llvm::any_of(said.options.inputs, [](const InputSpec &spec) {
    return llvm::any_of(spec.shape, std::mem_fn(&InputExtent::isDynamic));
  });
  if (!isDynamic && said.dims.empty())
    return said;
  Search search(context, import, said);
  SmallVector<Multiple> multiples = search.run();
  if (multiples.empty())
    return said;
  SaidOfModel changed = search.inTermsOf(multiples);
  // A file may have a say of its own in its symbols.
  if (!search.asks(changed, multiples))
    return said;
  for (const Multiple &multiple : multiples)
    emitWarning(multiple.loc)
        << multiple.symbol << " % " << multiple.factor << " == 0, because "
        << multiple.reason << "; '" << multiple.counted() << "' counts the "
        << multiple.factor << "s";
  return changed;
}

} // namespace graven
