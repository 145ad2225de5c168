//===- GraphMaker.cpp - the graph that an import makes ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the inputs, outputs and the end of an imported graph.
//
//===----------------------------------------------------------------------===//

#include "frontends/aten/GraphMaker.h"

#include "dialects/support/Diagnostics.h"
#include "frontends/aten/Complex.h"
#include "frontends/aten/Tensor.h"

#include "mlir/IR/Verifier.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/ADT/StringExtras.h"

#include <set>

using namespace graven;
using namespace graven::aten;
using llvm::StringRef;
using Kind = Value::Kind;

/// Containers within containers of a result.
static constexpr unsigned kMaxDepth = 32;

GraphMaker::GraphMaker(mlir::Location loc)
    : loc(loc), module_(mlir::ModuleOp::create(loc)),
      builder_(loc.getContext()) {
  builder_.setInsertionPointToEnd(module_->getBody());
  graph = GraphOp::create(builder_, loc, "forward",
                          builder_.getFunctionType({}, {}));
  builder_.setInsertionPointToEnd(&graph.getBody().front());
}

//===----------------------------------------------------------------------===//
// Inputs
//===----------------------------------------------------------------------===//

std::optional<InputType> GraphMaker::typeOf(const InputSpec &spec,
                                            const ImportOptions &options) {
  InputType result;
  llvm::SmallVector<int64_t> shape;
  for (const InputExtent &extent : spec.shape) {
    std::string symbol = extent.isDynamic()
                             ? symbolFor(extent.symbol, spec.name, shape.size())
                             : std::string();
    int64_t size = extent.isDynamic() ? options.resolve(symbol) : extent.size;
    if (mlir::ShapedType::isDynamic(size)) {
      emitCoded(loc, Code::DynamicShape)
          << "input '" << spec.name << "' has the extent '" << symbol
          << "', which is not known; the importers of PyTorch's files need all "
             "of them";
      refused.push_back(spec.name);
      return std::nullopt;
    }
    shape.push_back(size);
    result.symbols.push_back(std::move(symbol));
  }
  result.type = mlir::RankedTensorType::get(
      shape, parseElementType(loc.getContext(), spec.elementType));
  return result;
}

Value GraphMaker::addInput(StringRef name, InputType type) {
  mlir::Location place = mlir::NameLoc::get(builder_.getStringAttr(name), loc);
  mlir::Value argument = graph.getBody().front().addArgument(type.type, place);
  inputNames.push_back(name.str());
  inputSymbols.push_back(std::move(type.symbols));
  inputTensors.push_back(Tensor::make(argument));
  return Value(inputTensors.back());
}

bool GraphMaker::checkOptions(const ImportOptions &options) {
  bool fine = true;
  for (const InputSpec &spec : options.inputs) {
    size_t index = 0;
    bool isIndex = !StringRef(spec.name).getAsInteger(10, index) &&
                   index < inputNames.size();
    if (isIndex || llvm::is_contained(inputNames, spec.name) ||
        llvm::is_contained(refused, spec.name))
      continue;
    emitCoded(loc, Code::UnknownInput)
        << "--input names '" << spec.name
        << "', the model's inputs are: " << llvm::join(inputNames, ", ");
    fine = false;
  }
  return fine;
}

//===----------------------------------------------------------------------===//
// Outputs
//===----------------------------------------------------------------------===//

bool GraphMaker::addOutputs(const Value &value, const std::string &name,
                            unsigned depth) {
  auto part = [&](const std::string &key) {
    return name.empty() ? key : name + "." + key;
  };
  if (depth > kMaxDepth) {
    emitCoded(loc, Code::UnsupportedFeature)
        << "the result is nested more than " << kMaxDepth << " deep";
    return false;
  }
  switch (value.kind()) {
  case Kind::None:
    return true;
  case Kind::Tensor:
    outputs.push_back(value.tensor()->read(builder_));
    outputNames.push_back(name);
    return true;
  case Kind::Bool:
  case Kind::Int:
  case Kind::Float:
    outputs.push_back(Emitter(builder_, loc).number(value));
    outputNames.push_back(name);
    return true;
  case Kind::List:
  case Kind::Tuple: {
    const auto &items = *value.items();
    for (size_t i = 0; i < items.size(); ++i) {
      bool named = value.is(Kind::Tuple) && i < value.tuple().fields.size();
      bool inDict = !name.empty();
      std::string key = named    ? part(value.tuple().fields[i])
                        : inDict ? part(std::to_string(i))
                                 : std::string();
      if (!addOutputs(items[i], key, depth + 1))
        return false;
    }
    return true;
  }
  case Kind::Dict:
    for (const auto &[key, item] : value.dict().items) {
      if (!key.is(Kind::String) && !key.is(Kind::Int)) {
        emitCoded(loc, Code::UnsupportedFeature)
            << "the result has a dict with a key of type " << key.typeName()
            << ", which is no name of an output";
        return false;
      }
      std::string text =
          key.is(Kind::String) ? key.string() : std::to_string(key.integer());
      if (!addOutputs(item, part(text), depth + 1))
        return false;
    }
    return true;
  default:
    if (ComplexTensor::in(value))
      emitCoded(loc, Code::UnsupportedFeature)
          << "forward returns a complex tensor, which is no output of a graph; "
             "return torch.view_as_real of it";
    else
      emitCoded(loc, Code::UnsupportedFeature)
          << "forward returns a value of type " << value.typeName()
          << ", which is no output of a graph";
    return false;
  }
}

void GraphMaker::addState(StringRef name, mlir::Value initial,
                          mlir::Value final) {
  auto type = mlir::cast<mlir::RankedTensorType>(initial.getType());
  mlir::Value input = addInput(name, {type}).tensor()->current();
  initial.replaceAllUsesWith(input);
  std::replace(outputs.begin(), outputs.end(), initial, input);
  outputs.push_back(final == initial ? input : final);
  outputNames.push_back((name + ".next").str());
}

void GraphMaker::addWrittenInputs() {
  for (size_t i = 0, count = inputTensors.size(); i < count; ++i) {
    if (!inputTensors[i]->wasWritten())
      continue;
    outputs.push_back(inputTensors[i]->read(builder_));
    outputNames.push_back(inputNames[i] + ".next");
  }
}

/// Nodes whose results nobody uses go: the walk builds some to know shapes. An
/// extent that data decide stays, as a number of the program may be it.
static void eraseDead(GraphOp graph) {
  mlir::Block &block = graph.getBody().front();
  for (mlir::Operation &op : llvm::make_early_inc_range(llvm::reverse(block)))
    if (mlir::isOpTriviallyDead(&op) && !mlir::isa<PrefixOp>(op))
      op.erase();
  // Parameters that were only read to be looked at.
  auto module = graph->getParentOfType<mlir::ModuleOp>();
  std::set<StringRef> used;
  graph.walk([&](GetParamOp read) { used.insert(read.getParam()); });
  for (auto param :
       llvm::make_early_inc_range(module.getBody()->getOps<ParamOp>()))
    if (!used.count(param.getSymName()))
      param.erase();
}

mlir::FailureOr<mlir::OwningOpRef<mlir::ModuleOp>> GraphMaker::finish() {
  ReturnOp::create(builder_, loc, outputs);
  graph.updateType();
  for (auto [i, name] : llvm::enumerate(inputNames))
    graph.setInputName(i, name);
  for (auto [i, symbols] : llvm::enumerate(inputSymbols)) {
    llvm::SmallVector<StringRef> names(symbols.begin(), symbols.end());
    if (!llvm::all_of(names, [](StringRef name) { return name.empty(); }))
      graph.setArgAttr(i, "graven.symbols", builder_.getStrArrayAttr(names));
  }
  std::set<std::string> taken;
  for (auto [i, name] : llvm::enumerate(outputNames))
    if (!name.empty() && taken.insert(name).second)
      graph.setOutputName(i, name);
  eraseDead(graph);
  // The graph goes after its Parameters, as a reader expects.
  graph->moveBefore(module_->getBody(), module_->getBody()->end());
  if (mlir::failed(mlir::verify(*module_)))
    return mlir::failure();
  return std::move(module_);
}
