//===- Program.cpp - a model's Graph as Python sees it ----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements reading a model at the extents it can be shown with, and
// what Python asks of its Graph.
//===----------------------------------------------------------------------===//
#include "python/bindings/Program.h"
#include "dialects/graven/Graph.h"
#include "python/bindings/Collector.h"
#include "python/bindings/Import.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/ADT/StringSwitch.h"

using namespace mlir;
using namespace graven;
using namespace graven::python;

namespace {
/// What is known of a symbol's extents.
struct SymbolRange {
  int64_t lowest = 1;
  std::optional<int64_t> highest = {};
};
using Symbols = llvm::MapVector<StringRef, SymbolRange>;
} // namespace

struct Program::Impl {
  explicit Impl(Source source) : source(std::move(source)) {}

  bool import(const std::map<std::string, int64_t> &hints,
              std::vector<Message> &messages);
  FailureOr<OwningOpRef<ModuleOp>>
  importAt(const std::vector<std::pair<std::string, int64_t>> &extents);
  GraphOp graph() const {
    ModuleOp op = module.get();
    return op ? op.lookupSymbol<GraphOp>("forward") : GraphOp();
  }
  bool isShownAt(StringRef symbol) const {
    return llvm::any_of(sizes,
                        [&](const auto &size) { return size.first == symbol; });
  }
  std::vector<TensorInfo> describe(bool isInput, unsigned count) const;

  Source source;
  Session session;
  OwningOpRef<ModuleOp> module;
  std::vector<std::pair<std::string, int64_t>> sizes;
  std::vector<Message> missing;
};

Program::Program(std::unique_ptr<Impl> impl) : impl(std::move(impl)) {}
Program::~Program() = default;

FailureOr<OwningOpRef<ModuleOp>> Program::Impl::importAt(
    const std::vector<std::pair<std::string, int64_t>> &extents) {
  auto options = importOptions(session, source);
  if (failed(options))
    return failure();
  options->extentOf = [&](StringRef symbol) {
    for (const auto &[name, extent] : extents)
      if (name == symbol)
        return extent;
    return InputExtent::kDynamic;
  };
  return importOne(session, source, *options);
}

/// A small extent within the range, but not one of those that mean something
/// else (broadcasting, nothing at all) when others are allowed.
static int64_t sampleOf(const SymbolRange &range) {
  int64_t extent = std::max<int64_t>(range.lowest, 2);
  return range.highest ? std::min(extent, *range.highest) : extent;
}

bool Program::Impl::import(const std::map<std::string, int64_t> &hints,
                           std::vector<Message> &messages) {
  Collector collector(&session.getContext(), messages);
  auto options = importOptions(session, source);
  auto dims = dimSpecs(session, source);
  if (failed(options) || failed(dims))
    return false;
  Symbols symbols;
  llvm::StringSet<> names;
  bool assumesExtents = false;
  auto rangeOf = [&](StringRef symbol) -> SymbolRange & {
    return symbols[names.insert(symbol).first->getKey()];
  };
  options->noteRange = [&](StringRef symbol, int64_t least,
                           std::optional<int64_t> most) {
    rangeOf(symbol) = {std::max<int64_t>(least, 1), most};
  };
  options->extentOf = [&](StringRef symbol) {
    SymbolRange &range = rangeOf(symbol);
    for (const DimSpec &dim : *dims) {
      if (dim.name != symbol)
        continue;
      if (!dim.range && dim.sizes.size() == 1)
        return dim.sizes.front();
      if (dim.range)
        range = {dim.range->lowest, dim.range->highest};
      if (!dim.sizes.empty())
        range = {dim.sizes.front(), dim.sizes.front()};
    }
    if (!assumesExtents)
      return InputExtent::kDynamic;
    for (const auto &[name, extent] : sizes)
      if (name == symbol)
        return extent;
    auto hint = hints.find(symbol.str());
    sizes.emplace_back(symbol.str(),
                       hint == hints.end() ? sampleOf(range) : hint->second);
    return sizes.back().second;
  };
  std::vector<Message> found;
  auto attempt =
      [&](llvm::function_ref<FailureOr<OwningOpRef<ModuleOp>>()> run) -> bool {
    found.clear();
    Collector inner(&session.getContext(), found);
    auto imported = run();
    if (succeeded(imported))
      module = std::move(*imported);
    return succeeded(imported);
  };
  bool good = attempt([&] { return importOne(session, source, *options); });
  auto isOnly = [&](Code code) {
    return hasError(found) && llvm::all_of(found, [&](const Message &message) {
             return message.severity != "error" ||
                    message.code == codeName(code);
           });
  };
  if (!good && !symbols.empty() && isOnly(Code::DynamicShape)) {
    assumesExtents = true;
    std::vector<Message> unknown = found;
    good = attempt([&] { return importOne(session, source, *options); });
    // Where the model does not exist at extents of our choice, they are
    // missing.
    if (!good && isOnly(Code::BadGraph)) {
      missing = std::move(unknown);
      return true;
    }
  }
  bool isNeeded =
      hasError(found) && llvm::all_of(found, [](const Message &message) {
        return message.severity != "error" || !message.needed.empty();
      });
  if (!good && (isOnly(Code::MissingInput) || isNeeded)) {
    missing = std::move(found);
    return true;
  }
  llvm::append_range(messages, found);
  return good;
}

std::unique_ptr<Program>
Program::import(Source source, const std::map<std::string, int64_t> &hints,
                std::vector<Message> &messages) {
  auto impl = std::make_unique<Impl>(std::move(source));
  if (impl->import(hints, messages))
    return std::unique_ptr<Program>(new Program(std::move(impl)));
  explainFailure(messages, impl->source.path);
  return nullptr;
}

bool Program::isKnown() const { return static_cast<bool>(impl->module); }
const std::vector<Message> &Program::missing() const { return impl->missing; }
const Source &Program::source() const { return impl->source; }
const std::vector<std::pair<std::string, int64_t>> &Program::sizes() const {
  return impl->sizes;
}

/// The comment over a Graph that is shown at one of its sizes.
static std::string
sizesText(const std::vector<std::pair<std::string, int64_t>> &sizes) {
  std::string text;
  for (const auto &[symbol, extent] : sizes)
    text += (text.empty() ? "# dynamic extents, shown at " : ", ") + symbol +
            "=" + std::to_string(extent);
  return text.empty() ? text : text + "\n";
}

std::string Program::graph() const {
  std::string text = sizesText(impl->sizes);
  llvm::raw_string_ostream os(text);
  if (GraphOp graph = impl->graph())
    printGraph(graph, os);
  return text;
}

std::string Program::code() const {
  std::string text = sizesText(impl->sizes);
  llvm::raw_string_ostream os(text);
  if (GraphOp graph = impl->graph())
    printCode(graph, os);
  return text;
}

static std::string dtypeName(Type element) {
  int32_t dtype = dtypeOf(element);
  return dtype ? graven_dtype_name(dtype) : "?";
}

std::vector<TensorInfo> Program::Impl::describe(bool isInput,
                                                unsigned count) const {
  GraphOp graph = this->graph();
  std::vector<TensorInfo> infos(count);
  for (auto [i, info] : llvm::enumerate(infos)) {
    auto type = cast<RankedTensorType>(isInput ? graph.getArgumentTypes()[i]
                                               : graph.getResultTypes()[i]);
    ArrayAttr noted;
    if (isInput)
      noted = graph.getArgAttrOfType<ArrayAttr>(i, "graven.symbols");
    info.name = isInput ? graph.getInputName(i) : graph.getOutputName(i);
    info.dtype = dtypeName(type.getElementType());
    info.extents.assign(type.getShape().begin(), type.getShape().end());
    info.symbols.resize(info.extents.size());
    for (auto [axis, symbol] : llvm::enumerate(info.symbols)) {
      StringRef name;
      if (noted && axis < noted.size())
        name = cast<StringAttr>(noted[axis]).getValue();
      if (ShapedType::isDynamic(info.extents[axis]))
        symbol = name.empty() ? "?" : name.str();
      else if (isShownAt(name))
        symbol = name.str();
    }
  }
  return infos;
}

std::vector<TensorInfo> Program::inputs() const {
  GraphOp graph = impl->graph();
  return graph ? impl->describe(true, graph.getNumArguments())
               : std::vector<TensorInfo>();
}

std::vector<TensorInfo> Program::outputs() {
  GraphOp graph = impl->graph();
  if (!graph)
    return {};
  auto infos = impl->describe(false, graph.getResultTypes().size());
  if (impl->sizes.empty())
    return infos;
  // Extents that are others at another size are dynamic.
  auto sizes = impl->sizes;
  for (auto &size : sizes)
    ++size.second;
  std::vector<Message> ignored;
  Collector collector(&impl->session.getContext(), ignored);
  auto other = impl->importAt(sizes);
  auto otherGraph =
      succeeded(other) ? (*other)->lookupSymbol<GraphOp>("forward") : GraphOp();
  for (auto [i, info] : llvm::enumerate(infos))
    for (auto [axis, symbol] : llvm::enumerate(info.symbols))
      if (!otherGraph || cast<RankedTensorType>(otherGraph.getResultTypes()[i])
                                 .getShape()[axis] != info.extents[axis])
        symbol = "?";
  return infos;
}

std::vector<ParamInfo> Program::params() const {
  std::vector<ParamInfo> infos;
  if (impl->module)
    for (ParamOp param : impl->module->getOps<ParamOp>()) {
      RankedTensorType type = param.getTensorType();
      infos.push_back({param.getSymName().str(),
                       dtypeName(type.getElementType()),
                       {type.getShape().begin(), type.getShape().end()},
                       param.getIsBuffer(),
                       param.getRequiresGrad()});
    }
  return infos;
}

std::optional<ParamData> Program::data(const std::string &name,
                                       std::vector<Message> &messages) {
  Collector collector(&impl->session.getContext(), messages);
  auto param =
      impl->module ? impl->module->lookupSymbol<ParamOp>(name) : ParamOp();
  if (!param)
    return std::nullopt;
  if (auto blob = dyn_cast<BlobAttr>(param.getValue())) {
    auto &store = impl->session.getContext()
                      .getOrLoadDialect<GravenDialect>()
                      ->getBlobStore();
    auto bytes = store.read(blob.getFile(), blob.getOffset(), blob.getLength());
    if (!bytes) {
      emitCoded(param.getLoc(), Code::CannotRead)
          << llvm::toString(bytes.takeError());
      return std::nullopt;
    }
    return ParamData{bytes->data(),
                     static_cast<int64_t>(bytes->size()),
                     {blob.getStrides().begin(), blob.getStrides().end()},
                     blob.getBigEndian()};
  }
  // Small values are in the IR, a splat as its one element.
  auto elements = dyn_cast<DenseElementsAttr>(param.getValue());
  RankedTensorType type = param.getTensorType();
  if (!elements || type.getElementTypeBitWidth() < 8) {
    emitCoded(param.getLoc(), Code::UnsupportedFeature)
        << "Parameter '" << name << "' has no elements in memory";
    return std::nullopt;
  }
  ArrayRef<char> raw = elements.getRawData();
  ParamData data{raw.data(), static_cast<int64_t>(raw.size()), {}, false};
  if (elements.isSplat())
    data.strides.assign(type.getRank(), 0);
  return data;
}

/// Multiplications of a contraction; nothing when an extent is not known, 0 for
/// other Nodes.
static std::optional<int64_t> macsOf(Operation *op) {
  auto shapeOf = [](Value value) {
    return cast<RankedTensorType>(value.getType());
  };
  auto known = [](std::initializer_list<RankedTensorType> types) {
    return llvm::all_of(types,
                        [](RankedTensorType t) { return t.hasStaticShape(); });
  };
  if (!isa<ConvOp, ConvTransposeOp, MatmulOp, AttentionOp>(op))
    return 0;
  RankedTensorType a = shapeOf(op->getOperand(0)),
                   b = shapeOf(op->getOperand(1)),
                   y = shapeOf(op->getResult(0));
  if (!known({a, b, y}))
    return std::nullopt;
  if (a.getNumElements() == 0 || b.getNumElements() == 0)
    return 0;
  // Each output element takes all weights of its channel; transposed, each
  // input element meets all of its own.
  if (isa<ConvOp>(op))
    return y.getNumElements() * (b.getNumElements() / b.getDimSize(0));
  if (isa<ConvTransposeOp>(op))
    return a.getNumElements() * (b.getNumElements() / b.getDimSize(0));
  if (auto matmul = dyn_cast<MatmulOp>(op)) {
    int64_t axis =
        a.getRank() == 1 ? 0 : a.getRank() - (matmul.getTransposeA() ? 2 : 1);
    return y.getNumElements() * a.getDimSize(axis);
  }
  // q kT, then the weights times v.
  int64_t keys = b.getDimSize(b.getRank() - 2);
  return (a.getNumElements() + y.getNumElements()) * keys;
}

ProgramStats Program::stats() const {
  ProgramStats stats;
  if (!impl->module)
    return stats;
  for (ParamOp param : impl->module->getOps<ParamOp>()) {
    RankedTensorType type = param.getTensorType();
    stats.parameters += type.getNumElements();
    stats.parameterBytes +=
        type.getNumElements() * eval::storageBytes(type.getElementType());
  }
  GraphOp graph = impl->graph();
  if (!graph)
    return stats;
  // How often a Node in a loop runs is not known.
  bool isKnown = impl->sizes.empty();
  int64_t macs = 0;
  view::Graph(graph).getBlock().walk([&](view::Node node) {
    ++stats.nodes[node.getKind().str()];
    std::optional<int64_t> own = macsOf(node.get());
    isKnown &= own.has_value() && !isa<LoopOp>(node.get());
    macs += own.value_or(0);
  });
  if (isKnown)
    stats.macs = macs;
  return stats;
}

bool Program::runPasses(const std::string &pipeline,
                        std::vector<Message> &messages) {
  MLIRContext *context = &impl->session.getContext();
  Collector collector(context, messages);
  if (impl->module) {
    if (failed(runPipeline(impl->module, pipeline))) {
      explainFailure(messages, impl->source.path);
      return false;
    }
  } else {
    PassManager manager(context, ModuleOp::getOperationName());
    if (failed(parsePipeline(pipeline, manager, UnknownLoc::get(context))))
      return false;
  }
  impl->source.passes.push_back(pipeline);
  return true;
}

/// A file holds one size: an error, saying so of `what`, when there are others.
static LogicalResult
requireOneSize(Location loc, const char *what,
               const std::vector<std::pair<std::string, int64_t>> &sizes) {
  if (sizes.empty())
    return success();
  auto diagnostic = emitCoded(loc, Code::DynamicShape)
                    << what << " of a graph needs the extents ";
  llvm::interleaveComma(sizes, diagnostic, [&](const auto &size) {
    diagnostic << "'" << size.first << "'";
  });
  return diagnostic << ": give dims or inputs";
}

bool Program::writeText(const std::string &path,
                        std::vector<Message> &messages) {
  Collector collector(&impl->session.getContext(), messages);
  if (failed(requireOneSize(impl->module->getLoc(), "the text", impl->sizes)))
    return false;
  // Its Parameters will refer to the file beside the text.
  OwningOpRef<ModuleOp> copy = impl->module->clone();
  if (succeeded(impl->session.write(*copy, path)))
    return true;
  explainFailure(messages, impl->source.path);
  return false;
}

bool Program::writeOnnx(const std::string &path, const OnnxOptions &options,
                        std::vector<Message> &messages) {
  MLIRContext *context = &impl->session.getContext();
  Collector collector(context, messages);
  OnnxExportOptions exported;
  exported.opset = options.opset;
  exported.inputNames = options.inputNames;
  exported.outputNames = options.outputNames;
  exported.externalData = StringSwitch<ExternalData>(options.externalData)
                              .Case("always", ExternalData::Always)
                              .Case("never", ExternalData::Never)
                              .Default(ExternalData::Auto);
  exported.weights = llvm::StringSwitch<ExportedWeights>(options.weights)
                         .Case("defaults", ExportedWeights::DefaultsOfInputs)
                         .Case("inputs", ExportedWeights::Inputs)
                         .Default(ExportedWeights::Initializers);
  for (const auto &[name, axis, symbol] : options.dynamicAxes)
    exported.dynamicAxes.push_back({name, axis, symbol});
  auto imported = importOptions(impl->session, impl->source);
  auto dims = dimSpecs(impl->session, impl->source);
  if (failed(imported) || failed(dims))
    return false;
  auto module = importGeneral(
      context,
      [&](const ImportOptions &own) {
        return importOne(impl->session, impl->source, own);
      },
      *imported, *dims, dynamicInputs(exported));
  if (succeeded(module) &&
      succeeded(impl->session.exportOnnx(
          **module, exported, options.folds ? Folding::On : Folding::Off,
          path)))
    return true;
  explainFailure(messages, impl->source.path);
  return false;
}
