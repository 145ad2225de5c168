//===- GraphImporter.cpp - from GraphProto to graven.graph ----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the walk over the nodes of a model.
//===----------------------------------------------------------------------===//

#include "frontends/onnx/GraphImporter.h"

#include "dialects/graven/CallerView.h"
#include "dialects/graven/Graven.h"
#include "dialects/support/Diagnostics.h"
#include "frontends/onnx/Lists.h"
#include "frontends/onnx/Narrow.h"
#include "frontends/onnx/Strings.h"
#include "frontends/onnx/Survey.h"
#include "frontends/onnx/Text.h"
#include "mlir/IR/Iterators.h"
#include "mlir/IR/Verifier.h"
#include "onnx/onnx.pb.h"
#include "llvm/ADT/ScopeExit.h"

using namespace mlir;

namespace graven::onnx {

/// Sub-graphs and calls of functions in each other beyond this are refused, and
/// so are models of more nodes after inlining.
static constexpr unsigned kMaxNesting = 64;
static constexpr int64_t kMaxNodes = 1'000'000;

bool Scope::isDefined(StringRef name) const {
  for (const Scope *scope = this; scope; scope = scope->outer)
    if (scope->values.count(name) || scope->initializers.count(name))
      return true;
  return false;
}

Type Scope::narrowOf(StringRef name) const {
  for (const Scope *scope = this; scope; scope = scope->outer)
    if (scope->values.count(name) || scope->initializers.count(name))
      return scope->narrow.lookup(name);
  return {};
}

GraphImporter::GraphImporter(ModelFile &file, const ImportOptions &options,
                             const OpTable &table)
    : file(file), options(options), table(table),
      builder(file.getLocation().getContext()) {
  extents.decide = options.extentOfData;
  symbols.insert("forward");
  symbols.insert("prepare");
}

FailureOr<OwningOpRef<ModuleOp>> GraphImporter::run() {
  if (failed(importGraph()))
    return failure();
  removeUnused();
  if (failed(verify(*module)))
    return failure();
  return std::move(module);
}

//===----------------------------------------------------------------------===//
// Names
//===----------------------------------------------------------------------===//

FailureOr<Value> GraphImporter::lookUp(Location loc, Scope &scope,
                                       StringRef name) {
  for (Scope *at = &scope; at; at = at->getOuter()) {
    auto value = at->values.find(name);
    if (value != at->values.end())
      return value->second;
    auto initializer = at->initializers.find(name);
    if (initializer != at->initializers.end()) {
      // Before everything else, so that every later use may share it.
      OpBuilder::InsertionGuard guard(builder);
      if (lastParameterUse)
        builder.setInsertionPointAfter(lastParameterUse);
      else
        builder.setInsertionPointToStart(&graph.getBody().front());
      Location at_ = NameLoc::get(builder.getStringAttr(name));
      Value made = materialize(at_, name, initializer->second);
      lastParameterUse = made.getDefiningOp();
      return at->values[name] = made;
    }
  }
  for (Scope *at = &scope; at; at = at->getOuter())
    if (at->later.contains(name))
      return emitCoded(loc, Code::BadGraph)
             << "uses " << quoted(name)
             << ", which only a later node defines: the nodes are not in "
                "topological order or form a cycle";
  return emitCoded(loc, Code::BadGraph)
         << "uses " << quoted(name) << ", which nothing defines";
}

FailureOr<Value> GraphImporter::lookUpOutput(Location loc, Scope &scope,
                                             StringRef name) {
  FailureOr<Value> value = lookUp(loc, scope, name);
  if (succeeded(value) && !*value)
    return emitCoded(loc, Code::BadGraph)
           << "gives " << quoted(name) << ", which is an absent input";
  return value;
}

LogicalResult GraphImporter::define(Location loc, Scope &scope, StringRef name,
                                    Value value) {
  scope.later.erase(name);
  if (scope.isDefined(name))
    return emitCoded(loc, Code::BadGraph)
           << "defines " << quoted(name) << ", which is defined already";
  scope.values[name] = value;
  return success();
}

/// Elements that the options have instead.
LogicalResult GraphImporter::replaceElements(Location loc, StringRef name,
                                             TensorData &data) const {
  auto other = dyn_cast_or_null<BlobAttr>(options.weight(name));
  if (!other)
    return success();
  auto bytes = file.getBlobs().read(other.getFile(), other.getOffset(),
                                    other.getLength());
  if (!bytes)
    return emitCoded(loc, Code::BadTensor) << llvm::toString(bytes.takeError());
  data.bytes = *bytes;
  data.blob = other.getFile().str();
  data.offset = other.getOffset();
  data.owned.reset();
  return success();
}

LogicalResult GraphImporter::declareInitializers(const pb::GraphProto &proto,
                                                 Scope &scope) {
  auto declare = [&](StringRef name, const auto &tensor) -> LogicalResult {
    Location loc = NameLoc::get(builder.getStringAttr(name));
    auto data = file.read(loc, tensor);
    if (failed(data))
      return failure();
    if (scope.isDefined(name))
      return emitCoded(loc, Code::BadGraph)
             << "initializer " << quoted(name) << " is defined already";
    if (failed(replaceElements(loc, name, *data)))
      return failure();
    if (data->narrow)
      scope.narrow[name] = data->narrow;
    scope.initializers.try_emplace(name, std::move(*data));
    return success();
  };
  for (const pb::TensorProto &tensor : proto.initializer())
    if (failed(declare(tensor.name(), tensor)))
      return failure();
  for (const pb::SparseTensorProto &tensor : proto.sparse_initializer())
    if (failed(declare(tensor.values().name(), tensor)))
      return failure();
  return success();
}

//===----------------------------------------------------------------------===//
// Parameters
//===----------------------------------------------------------------------===//

Value GraphImporter::materialize(Location loc, StringRef name,
                                 const TensorData &data) {
  bool isFloat = isa<FloatType>(data.type.getElementType());
  bool isSmall = data.getElementCount() <= kMaxKnownElements;
  if (isSmall &&
      (!isFloat || data.type.getRank() == 0 || data.getElementCount() == 0))
    return ConstantOp::create(builder, loc, data.toTensor().toElements());
  return declareParameter(loc, name, data);
}

Value GraphImporter::declareParameter(Location loc, StringRef name,
                                      const TensorData &data) {
  std::string symbol = name.empty() ? "param" : name.str();
  for (unsigned n = 1; !symbols.insert(symbol).second; ++n)
    symbol = (name + "_" + Twine(n)).str();
  std::string blob = data.blob;
  int64_t offset = data.offset;
  if (blob.empty()) {
    blob = file.getBlobs().add(
        symbol, llvm::MemoryBuffer::getMemBufferCopy(data.bytes, symbol));
    offset = 0;
  }
  auto value = BlobAttr::get(builder.getContext(), blob, offset,
                             data.bytes.size(), {}, /*bigEndian=*/false);
  {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPoint(graph);
    ParamOp::create(builder, loc, symbol, data.type, value,
                    /*requires_grad=*/false, /*is_buffer=*/false,
                    /*sym_visibility=*/StringAttr());
  }
  return GetParamOp::create(
      builder, loc, data.type,
      FlatSymbolRefAttr::get(builder.getContext(), symbol));
}

//===----------------------------------------------------------------------===//
// Nodes
//===----------------------------------------------------------------------===//

LogicalResult GraphImporter::importNodes(Location loc, const Nodes &nodes,
                                         Scope &scope) {
  if (depth >= kMaxNesting)
    return emitCoded(loc, Code::BadGraph)
           << "sub-graphs and functions are nested deeper than " << kMaxNesting
           << ", or a function calls itself";
  ++depth;
  llvm::scope_exit leave([&] { --depth; });
  for (const pb::NodeProto &node : nodes)
    for (const std::string &name : node.output())
      if (!name.empty())
        scope.later.insert(name);
  for (auto [index, node] : llvm::enumerate(nodes))
    if (failed(importNode(node, index, scope)))
      return failure();
  return success();
}

/// Whether an op may have inputs whose elements stand for this.
static bool takes(const OpEntry &entry, Type meaning) {
  if (isString(meaning))
    return entry.takesStrings || entry.reads == Codes::Moved;
  return entry.reads != Codes::Refused;
}

LogicalResult GraphImporter::importNode(const pb::NodeProto &node, int index,
                                        Scope &scope) {
  Location loc = locationOf(builder.getContext(), node, index);
  if (++nodeCount > kMaxNodes)
    return emitCoded(loc, Code::UnsupportedFeature)
           << "the model has more than " << kMaxNodes
           << " nodes after its functions are inlined";
  if (const pb::FunctionProto *function = findFunction(functions, node))
    return importCall(loc, node, *function, scope);

  StringRef domain = normalDomain(node.domain());
  auto opset = scope.getFrame().opsets.find(domain);
  const OpEntry *entry =
      opset == scope.getFrame().opsets.end()
          ? nullptr
          : table.find(domain, node.op_type(), opset->second);
  if (!entry)
    return emitCoded(loc, Code::UnsupportedOp)
           << quoted(node.op_type()) << " is not supported";
  NodeBuilder made(*this, scope, node, opset->second, loc);
  for (unsigned i = 0; i < entry->required && !made.hasFailed(); ++i)
    if (!made.input(i))
      made.error(Code::BadGraph)
          << "input #" << i << " is absent, expected at least "
          << entry->required << " inputs";
  for (int i = 0; i < node.input_size(); ++i)
    if (made.narrow(i) && !takes(*entry, made.narrow(i)))
      return made.error(Code::UnsupportedFeature)
             << "input #" << i << " of " << meaningText(made.narrow(i))
             << " is not supported: cast it before";
  for (auto [i, value] : llvm::enumerate(made.getInputs()))
    if (value && !isTensor(value) && !entry->takesLists)
      return made.error(Code::UnsupportedFeature)
             << "input #" << i << " is "
             << (isList(value) ? "a sequence" : "an absent optional")
             << ", expected a tensor";
  if (made.hasFailed() || failed(entry->build(made)) || made.hasFailed())
    return failure();
  for (auto [i, name] : llvm::enumerate(node.output())) {
    if (name.empty())
      continue;
    Value value = i < made.getOutputs().size() ? made.getOutputs()[i] : Value();
    if (!value)
      return made.error(Code::UnsupportedFeature)
             << "output #" << i << " " << quoted(name) << " is not supported";
    if (failed(define(loc, scope, name, value)))
      return failure();
    Type narrow =
        entry->reads == Codes::Moved ? made.narrow(0) : made.narrowOutput(i);
    if (narrow)
      scope.narrow[name] = narrow;
    else if (options.noteValue && depth == 1 && isTensor(value))
      options.noteValue(name, cast<RankedTensorType>(value.getType()));
  }
  return success();
}

LogicalResult GraphImporter::importCall(Location loc, const pb::NodeProto &node,
                                        const pb::FunctionProto &function,
                                        Scope &scope) {
  auto refuse = [&] {
    return emitCoded(loc, Code::BadGraph)
           << "function " << quoted(function.name()) << " ";
  };
  if (node.input_size() > function.input_size() ||
      node.output_size() > function.output_size())
    return refuse() << "has " << function.input_size() << " inputs and "
                    << function.output_size() << " outputs, got "
                    << node.input_size() << " and " << node.output_size();
  auto opsets = readOpsets(loc, function.opset_import());
  if (failed(opsets))
    return failure();
  Frame frame{std::move(*opsets), {}};
  // A default that the function declares, then what the call gives; an
  // attribute that refers to the caller's own is resolved there.
  for (const pb::AttributeProto &attribute : function.attribute_proto())
    frame.attributes[attribute.name()] = &attribute;
  for (const pb::AttributeProto &attribute : node.attribute()) {
    const pb::AttributeProto *given = &attribute;
    if (!attribute.ref_attr_name().empty())
      given = scope.getFrame().attributes.lookup(attribute.ref_attr_name());
    if (given)
      frame.attributes[attribute.name()] = given;
  }
  Scope inner(frame, nullptr);
  for (auto [i, name] : llvm::enumerate(node.input())) {
    FailureOr<Value> value = Value();
    if (!name.empty())
      value = lookUp(loc, scope, name);
    if (failed(value) || failed(define(loc, inner, function.input(i), *value)))
      return failure();
    if (Type narrow = scope.narrowOf(name))
      inner.narrow[function.input(i)] = narrow;
  }
  for (int i = node.input_size(); i < function.input_size(); ++i)
    if (failed(define(loc, inner, function.input(i), Value())))
      return failure();
  if (failed(importNodes(loc, function.node(), inner)))
    return failure();
  for (auto [i, name] : llvm::enumerate(node.output())) {
    if (name.empty())
      continue;
    FailureOr<Value> value = lookUpOutput(loc, inner, function.output(i));
    if (failed(value) || failed(define(loc, scope, name, *value)))
      return failure();
    if (Type narrow = inner.narrowOf(function.output(i)))
      scope.narrow[name] = narrow;
  }
  return success();
}

FailureOr<SmallVector<Value>>
GraphImporter::importSubgraph(Location loc, const pb::GraphProto &proto,
                              Scope &outer, ArrayRef<Value> arguments,
                              SmallVectorImpl<Type> *meanings) {
  Scope scope(outer.getFrame(), &outer);
  if (proto.input_size() != static_cast<int>(arguments.size()))
    return emitCoded(loc, Code::BadGraph)
           << "sub-graph " << quoted(proto.name()) << " has "
           << proto.input_size() << " inputs, expected " << arguments.size();
  if (failed(declareInitializers(proto, scope)))
    return failure();
  for (auto [info, argument] : llvm::zip(proto.input(), arguments))
    if (failed(define(loc, scope, info.name(), argument)))
      return failure();
  if (failed(importNodes(loc, proto.node(), scope)))
    return failure();
  SmallVector<Value> outputs;
  for (const pb::ValueInfoProto &info : proto.output()) {
    FailureOr<Value> value = lookUpOutput(loc, scope, info.name());
    if (failed(value))
      return failure();
    Type narrow = scope.narrowOf(info.name());
    if (narrow && !meanings)
      return emitCoded(loc, Code::UnsupportedFeature)
             << "sub-graph " << quoted(proto.name()) << " gives "
             << meaningText(narrow);
    if (meanings)
      meanings->push_back(narrow);
    outputs.push_back(*value);
  }
  return outputs;
}

//===----------------------------------------------------------------------===//
// The graph
//===----------------------------------------------------------------------===//

/// Names and symbols of the inputs, as attributes of the Graph.
static void nameInputs(GraphOp graph, ArrayRef<GraphInput> inputs) {
  Builder builder(graph.getContext());
  unsigned next = 0;
  for (const GraphInput &input : inputs) {
    if (input.value)
      continue;
    unsigned i = next++;
    graph.setInputName(i, input.name);
    if (input.narrow && !isString(input.narrow))
      graph.setInputMeaning(i, input.narrow);
    if (llvm::all_of(input.symbols,
                     [](const std::string &symbol) { return symbol.empty(); }))
      continue;
    SmallVector<StringRef> symbols(input.symbols.begin(), input.symbols.end());
    graph.setArgAttr(i, "graven.symbols", builder.getStrArrayAttr(symbols));
  }
}

int64_t GraphImporter::positionOf(StringRef input) const {
  return llvm::find_if(
             inputs.tensors,
             [&](const GraphInput &own) { return own.name == input; }) -
         inputs.tensors.begin();
}

LogicalResult GraphImporter::importGraph() {
  const pb::GraphProto &proto = file.getModel().graph();
  Location loc = file.getLocation();
  auto opsets = readOpsets(loc, file.getModel().opset_import());
  if (failed(opsets))
    return failure();
  if (opsets->empty())
    return emitCoded(loc, Code::UnsupportedVersion)
           << "the model does not say which opset of ai.onnx it uses";
  auto read = readFunctions(file);
  if (failed(read))
    return failure();
  functions = std::move(*read);
  if (failed(surveyOps(file, table, *opsets, functions, options)))
    return failure();
  for (const std::string &text : options.strings)
    file.getStrings().number(text);
  auto readIn = readInputs(file, options);
  if (failed(readIn))
    return failure();
  inputs = std::move(*readIn);

  module = ModuleOp::create(loc);
  builder.setInsertionPointToEnd(module->getBody());
  SmallVector<Type> types;
  for (const GraphInput &input : inputs.tensors)
    if (!input.value)
      types.push_back(input.type);
  graph = GraphOp::create(builder, loc, "forward",
                          builder.getFunctionType(types, {}));
  nameInputs(graph, inputs.tensors);
  builder.setInsertionPointToStart(&graph.getBody().front());

  Frame frame{std::move(*opsets), {}};
  Scope scope(frame, nullptr);
  if (failed(declareInitializers(proto, scope)))
    return failure();
  if (failed(defineInputs(scope)) ||
      failed(importNodes(loc, proto.node(), scope)))
    return failure();
  return importOutputs(scope);
}

LogicalResult GraphImporter::defineInputs(Scope &scope) {
  Location loc = file.getLocation();
  SmallVector<Value> values;
  unsigned next = 0;
  for (const GraphInput &input : inputs.tensors)
    values.push_back(input.value ? ConstantOp::create(builder, loc, input.value)
                                 : Value(graph.getBody().getArgument(next++)));
  ListShape shape;
  for (const ListInfo &list : inputs.lists)
    shape.entries.push_back(list.entry);
  ArrayRef<GraphInput> tensors = inputs.tensors;
  for (auto [list, value] :
       llvm::zip_equal(inputs.lists, regroup(builder, loc, values, shape))) {
    if (failed(define(loc, scope, list.name, value)))
      return failure();
    int64_t count =
        list.entry == ListShape::kTensor ? 1 : std::max<int64_t>(list.entry, 0);
    if (count > 0 && tensors.front().narrow)
      scope.narrow[list.name] = tensors.front().narrow;
    tensors = tensors.drop_front(count);
  }
  return success();
}

/// What the outputs are called. Exporters list one that a module returns twice
/// twice: the first keeps its name.
static std::vector<std::string> outputNames(const pb::GraphProto &proto) {
  llvm::StringSet<> given, taken;
  for (const pb::ValueInfoProto &info : proto.output())
    given.insert(info.name());
  std::vector<std::string> names;
  for (const pb::ValueInfoProto &info : proto.output()) {
    std::string name = info.name();
    bool isTaken = !taken.insert(name).second;
    for (unsigned i = 1; isTaken; ++i) {
      name = info.name() + "_" + std::to_string(i);
      isTaken = given.contains(name) || !taken.insert(name).second;
    }
    names.push_back(std::move(name));
  }
  return names;
}

LogicalResult GraphImporter::importOutputs(Scope &scope) {
  const pb::GraphProto &proto = file.getModel().graph();
  std::vector<std::string> called = outputNames(proto);
  SmallVector<Value> outputs;
  std::vector<ListInfo> lists;
  SmallVector<std::pair<std::string, Type>> names;
  for (auto [info, output] : llvm::zip_equal(proto.output(), called)) {
    Location at = NameLoc::get(builder.getStringAttr(info.name()));
    FailureOr<Value> value = lookUpOutput(at, scope, info.name());
    if (failed(value))
      return failure();
    DeclaredType type = declaredType(info.type());
    bool isDeclared = info.type().value_case() != pb::TypeProto::VALUE_NOT_SET;
    if (isDeclared && (!type.tensor || (isList(*value) && !type.isSequence) ||
                       (isTensor(*value) && type.isSequence) ||
                       (isAbsent(*value) && !type.isOptional)))
      return emitCoded(at, Code::BadGraph)
             << "output " << quoted(info.name()) << " is "
             << (isList(*value)     ? "a sequence"
                 : isAbsent(*value) ? "an absent optional"
                                    : "a tensor")
             << ", which the model does not declare";
    Type narrow = scope.narrowOf(info.name());
    int32_t declared = type.tensor ? type.tensor->elem_type() : 0;
    Type given = narrow ? meaningOf(builder.getContext(), declared)
                        : elementTypeOf(builder.getContext(), declared);
    SmallVector<Value> own{*value};
    lists.push_back({output, flatten(own).entries.front()});
    for (auto [i, tensor] : llvm::enumerate(own)) {
      Type element =
          narrow ? narrow
                 : cast<RankedTensorType>(tensor.getType()).getElementType();
      if (declared && given != element)
        return emitCoded(at, Code::BadGraph)
               << "output " << quoted(info.name()) << " has elements of "
               << meaningText(element) << ", the model declares "
               << dataTypeName(declared);
      std::string name = output;
      if (isList(*value))
        name += "." + std::to_string(i);
      names.emplace_back(name, narrow);
    }
    llvm::append_range(outputs, own);
  }
  llvm::StringSet<> known;
  for (const auto &[name, narrow] : names)
    if (!known.insert(name).second)
      return emitCoded(NameLoc::get(builder.getStringAttr(name)),
                       Code::BadGraph)
             << "two outputs are called " << quoted(name);
  ReturnOp::create(builder, file.getLocation(), outputs);
  graph.updateType();
  std::vector<std::string> texts;
  for (auto [i, entry] : llvm::enumerate(names)) {
    graph.setOutputName(i, entry.first);
    if (isString(entry.second))
      texts.push_back(entry.first);
    else if (entry.second)
      graph.setOutputMeaning(i, entry.second);
  }
  if (std::string text =
          structureText(inputs, lists, texts, file.getStrings().all());
      !text.empty())
    graph->setAttr(kStructureAttr, builder.getStringAttr(text));
  return success();
}

/// Drops what only served to compute shapes, and Parameters nobody reads.
void GraphImporter::removeUnused() {
  // An extent that data decide stays, as a number of the model may be it.
  graph.walk<WalkOrder::PostOrder, ReverseIterator>([](Operation *op) {
    if (isOpTriviallyDead(op) && !isa<PrefixOp>(op))
      op->erase();
  });
  llvm::DenseSet<StringAttr> used;
  graph.walk([&](GetParamOp op) { used.insert(op.getParamAttr().getAttr()); });
  for (ParamOp param : llvm::make_early_inc_range(module->getOps<ParamOp>()))
    if (!used.contains(param.getSymNameAttr()))
      param.erase();
}

} // namespace graven::onnx
