//===- Exporter.cpp - makes ONNX nodes of Graven's ---*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the walk over a Graph and what the functions that
// express its Nodes share.
//===----------------------------------------------------------------------===//

#include "frontends/onnx/exports/Exporter.h"

#include "dialects/graven/CallerView.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace graven::onnx {

using pb::TensorProto;

int32_t dataTypeOf(Type type) {
  if (type.isF32())
    return TensorProto::FLOAT;
  if (type.isF64())
    return TensorProto::DOUBLE;
  if (type.isF16())
    return TensorProto::FLOAT16;
  if (type.isBF16())
    return TensorProto::BFLOAT16;
  bool isUnsigned = type.isUnsignedInteger();
  switch (type.getIntOrFloatBitWidth()) {
  case 1:
    return TensorProto::BOOL;
  case 8:
    return isUnsigned ? TensorProto::UINT8 : TensorProto::INT8;
  case 16:
    return isUnsigned ? TensorProto::UINT16 : TensorProto::INT16;
  case 32:
    return isUnsigned ? TensorProto::UINT32 : TensorProto::INT32;
  default:
    return isUnsigned ? TensorProto::UINT64 : TensorProto::INT64;
  }
}

ExportTable::ExportTable() {
  addElementwiseExports(*this);
  addMovementExports(*this);
  addContractionExports(*this);
  addDetectionExports(*this);
  addReductionExports(*this);
  addNormExports(*this);
  addRecurrentExports(*this);
  addResizeExports(*this);
  addSliceExports(*this);
  addStructureExports(*this);
}

Exporter::Exporter(ModuleOp module, const OnnxExportOptions &options)
    : module(module), options(options) {}

//===----------------------------------------------------------------------===//
// Names
//===----------------------------------------------------------------------===//

Name Exporter::fresh(llvm::StringRef hint) {
  std::string name = hint.str();
  while (!taken.insert(name).second)
    name = hint.str() + "_" + std::to_string(++counters[hint]);
  return name;
}

Names Exporter::outputsOf(Operation *op) {
  Names outputs;
  for (Value result : op->getResults()) {
    Name name = wanted.lookup(result);
    if (name.empty())
      name = fresh(op->getName().stripDialect());
    names[result] = name;
    bound.insert(name);
    outputs.push_back(std::move(name));
  }
  return outputs;
}

/// Lets one of the nodes just made, and those that read it, say another name.
static bool rename(pb::GraphProto &graph, const Name &from, const Name &to) {
  constexpr int most = 32;
  int count = graph.node_size();
  auto given = [&](pb::NodeProto &node) {
    return llvm::find(*node.mutable_output(), from) !=
           node.mutable_output()->end();
  };
  int at = count - 1;
  while (at >= 0 && count - at <= most && !given(*graph.mutable_node(at)))
    --at;
  if (at < 0 || count - at > most)
    return false;
  for (; at < count; ++at)
    for (auto *list : {graph.mutable_node(at)->mutable_output(),
                       graph.mutable_node(at)->mutable_input()})
      for (std::string &name : *list)
        if (name == from)
          name = to;
  return true;
}

void Exporter::alias(Value result, const Name &name) {
  Name output = wanted.lookup(result);
  names[result] = output.empty() ? name : output;
  // A node that stands for no other Value gives the output itself.
  bool isFree = !bound.contains(name);
  bound.insert(names[result]);
  if (output.empty() || (isFree && rename(*current, name, output)))
    return;
  addNode("Identity", {name}, {output}, {});
}

//===----------------------------------------------------------------------===//
// Nodes
//===----------------------------------------------------------------------===//

static void setAttribute(pb::NodeProto &node, const Attr &attr) {
  pb::AttributeProto &proto = *node.add_attribute();
  proto.set_name(attr.name);
  struct Set {
    pb::AttributeProto &proto;
    void operator()(int64_t v) {
      proto.set_type(pb::AttributeProto::INT);
      proto.set_i(v);
    }
    void operator()(float v) {
      proto.set_type(pb::AttributeProto::FLOAT);
      proto.set_f(v);
    }
    void operator()(const std::string &v) {
      proto.set_type(pb::AttributeProto::STRING);
      proto.set_s(v);
    }
    void operator()(const SmallVector<int64_t> &v) {
      proto.set_type(pb::AttributeProto::INTS);
      for (int64_t i : v)
        proto.add_ints(i);
    }
    void operator()(const SmallVector<float> &v) {
      proto.set_type(pb::AttributeProto::FLOATS);
      for (float f : v)
        proto.add_floats(f);
    }
    void operator()(const SmallVector<std::string> &v) {
      proto.set_type(pb::AttributeProto::STRINGS);
      for (const std::string &s : v)
        proto.add_strings(s);
    }
  };
  std::visit(Set{proto}, attr.value);
}

/// "model.py:12" of a place in a file, else the name it has.
static std::string placeOf(Location loc) {
  std::string file, name;
  loc->walk([&](Location part) {
    if (auto at = dyn_cast<FileLineColLoc>(part); at && file.empty())
      file = at.getFilename().str() + ":" + std::to_string(at.getLine());
    if (auto named = dyn_cast<NameLoc>(part); named && name.empty())
      name = named.getName().str();
    return WalkResult::advance();
  });
  return file.empty() || name.empty() ? file + name : name + " " + file;
}

pb::NodeProto *Exporter::addNode(llvm::StringRef type, ArrayRef<Name> inputs,
                                 ArrayRef<Name> outputs, Attrs attributes) {
  pb::NodeProto &proto = *current->add_node();
  ++nodes;
  proto.set_op_type(type.str());
  proto.set_name(("n" + llvm::Twine(nodes) + "_" + type).str());
  if (node)
    proto.set_doc_string(placeOf(node->getLoc()));
  // Optional inputs that are absent at the end are not written.
  while (!inputs.empty() && inputs.back().empty())
    inputs = inputs.drop_back();
  for (const Name &input : inputs)
    proto.add_input(input);
  for (const Name &output : outputs)
    proto.add_output(output);
  for (const Attr &attr : attributes)
    setAttribute(proto, attr);
  return &proto;
}

Names Exporter::makeAll(llvm::StringRef type, ArrayRef<Name> inputs,
                        Attrs attributes, size_t outputs) {
  Names made;
  for (size_t i = 0; i < outputs; ++i)
    made.push_back(fresh(type.lower()));
  addNode(type, inputs, made, attributes);
  return made;
}

Name Exporter::make(llvm::StringRef type, ArrayRef<Name> inputs,
                    Attrs attributes) {
  return makeAll(type, inputs, attributes, 1).front();
}

pb::NodeProto *Exporter::give(Operation *op, llvm::StringRef type,
                              ArrayRef<Name> inputs, Attrs attributes) {
  return addNode(type, inputs, outputsOf(op), attributes);
}

//===----------------------------------------------------------------------===//
// Constants
//===----------------------------------------------------------------------===//

Name Exporter::constant(const eval::Tensor &value) {
  std::string bytes(value.getBytes().begin(), value.getBytes().end());
  std::string key;
  llvm::raw_string_ostream(key) << value.getType() << ":" << bytes;
  Name &name = constants[key];
  if (name.empty()) {
    name = fresh("const");
    initializers.push_back({name, value.getType(), std::move(bytes), {}});
  }
  return name;
}

static ParamOp paramOf(Value value) {
  auto get = value.getDefiningOp<GetParamOp>();
  if (!get)
    return {};
  return SymbolTable::lookupNearestSymbolFrom<ParamOp>(get, get.getParamAttr());
}

std::optional<eval::Tensor> Exporter::known(Value value) const {
  DenseElementsAttr elements;
  if (matchPattern(value, m_Constant(&elements)))
    return eval::Tensor::fromElements(elements);
  ParamOp param = paramOf(value);
  if (!param || !isa<BlobAttr, DenseElementsAttr>(param.getValue()))
    return std::nullopt;
  auto tensor = eval::readParam(param);
  if (mlir::failed(tensor))
    return std::nullopt;
  return *tensor;
}

Name Exporter::rewritten(Value value, const eval::Tensor &tensor) {
  ParamOp param = paramOf(value);
  if (!param)
    return constant(tensor);
  std::string bytes(tensor.getBytes().begin(), tensor.getBytes().end());
  auto uses = SymbolTable::getSymbolUses(param, module);
  if (value.hasOneUse() && uses && llvm::hasSingleElement(*uses))
    for (Initializer &own : initializers)
      if (own.param == param) {
        own = {own.name, tensor.getType(), std::move(bytes), {}};
        return own.name;
      }
  Name name = fresh(param.getSymName());
  initializers.push_back({name, tensor.getType(), std::move(bytes), {}});
  return name;
}

Name Exporter::ints(ArrayRef<int64_t> values) {
  auto type = RankedTensorType::get({static_cast<int64_t>(values.size())},
                                    IntegerType::get(module.getContext(), 64));
  return constant(eval::Tensor::fromVector(
      type, std::vector<int64_t>(values.begin(), values.end())));
}

Name Exporter::scalar(Type element, double value) {
  return constant(eval::Tensor::fromVector(RankedTensorType::get({}, element),
                                           std::vector<double>{value}));
}

Name Exporter::splat(Type element, ArrayRef<int64_t> shape, double value) {
  if (shape.empty())
    return scalar(element, value);
  // A node costs more than a row of numbers.
  constexpr int64_t kMostNumbers = 4096;
  auto type = RankedTensorType::get(shape, element);
  if (type.getNumElements() <= kMostNumbers)
    return constant(eval::Tensor::fromVector(
        type, std::vector<double>(type.getNumElements(), value)));
  return make("Expand", {scalar(element, value), ints(shape)});
}

Name Exporter::list(ArrayRef<std::variant<int64_t, Name>> parts) {
  Names names;
  SmallVector<int64_t> run;
  auto flush = [&] {
    if (!run.empty())
      names.push_back(ints(run));
    run.clear();
  };
  for (const auto &part : parts) {
    if (auto *number = std::get_if<int64_t>(&part)) {
      run.push_back(*number);
      continue;
    }
    flush();
    names.push_back(std::get<Name>(part));
  }
  flush();
  if (names.empty())
    return ints({});
  return names.size() == 1 ? names.front()
                           : make("Concat", names, {{"axis", 0}});
}

Name Exporter::extent(Value value, int64_t axis) {
  if (!typeOf(value).isDynamicDim(axis))
    return ints({typeOf(value).getDimSize(axis)});
  if (opset() >= 15)
    return make("Shape", {name(value)}, {{"start", axis}, {"end", axis + 1}});
  return make("Gather", {make("Shape", {name(value)}), ints({axis})},
              {{"axis", 0}});
}

Name Exporter::extents(Value value) {
  RankedTensorType type = typeOf(value);
  return type.hasStaticShape() ? ints(type.getShape())
                               : make("Shape", {name(value)});
}

Name Exporter::mixed(ArrayRef<int64_t> values, ValueRange dynamic) {
  SmallVector<std::variant<int64_t, Name>> parts;
  auto next = dynamic.begin();
  for (int64_t value : values) {
    if (!ShapedType::isDynamic(value)) {
      parts.push_back(value);
      continue;
    }
    Value number = *next++;
    // The extent of a Value is had as a list.
    auto dim = number.getDefiningOp<DimOp>();
    parts.push_back(dim ? extent(dim.getX(), dim.getAxis())
                        : reshape(name(number), {1}));
  }
  return list(parts);
}

//===----------------------------------------------------------------------===//
// What many ops need
//===----------------------------------------------------------------------===//

Name Exporter::reshape(const Name &x, ArrayRef<int64_t> shape) {
  return make("Reshape", {x, ints(shape)});
}

Name Exporter::unsqueeze(const Name &x, ArrayRef<int64_t> axes) {
  if (axes.empty())
    return x;
  if (opset() >= 13)
    return make("Unsqueeze", {x, ints(axes)});
  return make("Unsqueeze", {x}, {{"axes", axes}});
}

Name Exporter::range(const Name &end) {
  if (opset() < 11) {
    needs(node, 11, "a range whose end is computed");
    return {};
  }
  Type i64 = IntegerType::get(module.getContext(), 64);
  return make("Range", {scalar(i64, 0), end, scalar(i64, 1)});
}

Name Exporter::reduce(llvm::StringRef type, const Name &x,
                      ArrayRef<int64_t> axes, bool keep) {
  if (axes.empty())
    return x;
  if (opset() >= (type == "ReduceSum" ? 13 : 18))
    return make(type, {x, ints(axes)}, {{"keepdims", keep}});
  return make(type, {x}, {{"axes", axes}, {"keepdims", keep}});
}

Name Exporter::slice(const Name &x, ArrayRef<int64_t> starts,
                     ArrayRef<int64_t> ends, ArrayRef<int64_t> axes,
                     ArrayRef<int64_t> steps) {
  if (opset() >= 10)
    return make("Slice",
                {x, ints(starts), ints(ends), ints(axes), ints(steps)});
  if (llvm::any_of(steps, [](int64_t step) { return step != 1; })) {
    needs(node, 10, "slices with steps");
    return {};
  }
  return make("Slice", {x},
              {{"starts", starts}, {"ends", ends}, {"axes", axes}});
}

std::optional<SmallVector<int64_t>> Exporter::shape(Operation *op,
                                                    Value value) {
  if (typeOf(value).hasStaticShape())
    return SmallVector<int64_t>(typeOf(value).getShape());
  unsupported(op, "an operand has an extent that is not known");
  return std::nullopt;
}

bool Exporter::needs(Operation *op, int64_t since, const llvm::Twine &what) {
  if (opset() >= since)
    return true;
  std::string text = what.str();
  failed = lacking = true;
  emitCoded(op->getLoc(), Code::UnsupportedFeature)
      << op->getName() << (text.empty() ? "" : ": ") << text << " needs opset "
      << since << " of ONNX, the export has opset " << opset();
  return false;
}

void Exporter::unsupported(Operation *op, const llvm::Twine &why) {
  failed = lacking = true;
  emitCoded(op->getLoc(), Code::UnsupportedFeature)
      << op->getName() << " has no form in ONNX at opset " << opset() << ": "
      << why;
}

//===----------------------------------------------------------------------===//
// The walk
//===----------------------------------------------------------------------===//

void Exporter::walk(Block &block) {
  for (Operation &op : block.without_terminator()) {
    Operation *outer = std::exchange(node, &op);
    auto isNarrow = [](Type type) {
      return getElementTypeOrSelf(type).isBF16();
    };
    if (llvm::any_of(op.getResultTypes(), isNarrow) &&
        !needs(&op, 13, "bf16")) {
      node = outer;
      continue;
    }
    if (Express express = table.find(&op)) {
      express(*this, &op);
    } else {
      failed = lacking = true;
      emitCoded(op.getLoc(), Code::UnsupportedOp)
          << op.getName() << " has no form in ONNX at opset " << opset();
    }
    node = outer;
  }
}

void Exporter::declare(pb::ValueInfoProto &info, llvm::StringRef name,
                       RankedTensorType type, ArrayAttr symbols) {
  info.set_name(name.str());
  auto &tensor = *info.mutable_type()->mutable_tensor_type();
  tensor.set_elem_type(dataTypeOf(type.getElementType()));
  auto &shape = *tensor.mutable_shape();
  for (auto [axis, extent] : llvm::enumerate(type.getShape())) {
    auto &dimension = *shape.add_dim();
    if (!ShapedType::isDynamic(extent))
      dimension.set_dim_value(extent);
    else if (symbols && axis < symbols.size())
      dimension.set_dim_param(cast<StringAttr>(symbols[axis]).getValue().str());
  }
}

void Exporter::addOutputs(Block &block, ArrayRef<Name> outputs,
                          pb::GraphProto &graph, ValueRange values,
                          ArrayRef<ArrayAttr> symbols) {
  for (auto [i, value] : llvm::enumerate(values)) {
    // What is no result of a node of this graph, or has another output's name,
    // is copied.
    if (names.lookup(value) != outputs[i])
      addNode("Identity", {names.lookup(value)}, {outputs[i]}, {});
    declare(*graph.add_output(), outputs[i], typeOf(value),
            i < symbols.size() ? symbols[i] : ArrayAttr());
  }
}

void Exporter::subgraph(Block &block, ArrayRef<Name> inputs,
                        pb::GraphProto &graph) {
  pb::GraphProto *outer = std::exchange(current, &graph);
  graph.set_name(fresh("body"));
  for (auto [argument, name] : llvm::zip(block.getArguments(), inputs)) {
    names[argument] = name;
    bound.insert(name);
  }
  ValueRange values = block.getTerminator()->getOperands();
  Names outputs;
  for (Value value : values) {
    Name name = fresh("yield");
    if (value.getParentBlock() == &block && value.getDefiningOp())
      wanted.try_emplace(value, name);
    outputs.push_back(std::move(name));
  }
  walk(block);
  addOutputs(block, outputs, graph, values, {});
  current = outer;
}

/// Names in the options that fit.
static bool rename(Location loc, Names &names,
                   const std::vector<std::string> &given, const char *what) {
  if (given.size() > names.size()) {
    emitCoded(loc, Code::BadOption) << given.size() << " names of " << what
                                    << "s, the graph has " << names.size();
    return false;
  }
  llvm::copy(given, names.begin());
  return true;
}

/// The Graph computes with codes, of which ONNX would have to know.
static bool refuseMeaning(Location loc, StringRef what, StringRef name,
                          Type meaning) {
  emitCoded(loc, Code::UnsupportedFeature)
      << what << " '" << name << "' has elements of " << meaning
      << ", which is not exported";
  return false;
}

bool Exporter::declareInterface(GraphOp forward, pb::GraphProto &graph) {
  Location loc = forward.getLoc();
  for (unsigned i = 0; i < forward.getNumArguments(); ++i)
    inputNames.push_back(forward.getInputName(i));
  for (unsigned i = 0; i < forward.getResultTypes().size(); ++i)
    outputNames.push_back(forward.getOutputName(i));
  if (forward->hasAttr(kStructureAttr)) {
    emitCoded(loc, Code::UnsupportedFeature)
        << "the model takes or gives sequences or optionals, which are not "
           "exported";
    return false;
  }
  for (unsigned i = 0; i < forward.getNumArguments(); ++i)
    if (Type meaning = forward.getInputMeaning(i))
      return refuseMeaning(loc, "input", inputNames[i], meaning);
  for (unsigned i = 0; i < forward.getResultTypes().size(); ++i)
    if (Type meaning = forward.getOutputMeaning(i))
      return refuseMeaning(loc, "output", outputNames[i], meaning);
  if (!rename(loc, inputNames, options.inputNames, "input") ||
      !rename(loc, outputNames, options.outputNames, "output"))
    return false;
  // A model may give an output the name of an input; who asks for that is
  // wrong.
  auto take = [&](Name &name, bool isAsked) {
    if (!name.empty() && !isAsked) {
      name = fresh(name);
      return true;
    }
    if (!name.empty() && taken.insert(name).second)
      return true;
    emitCoded(loc, Code::BadOption)
        << "the name '" << name << "' is "
        << (name.empty() ? "no name of an input or output"
                         : "the name of two inputs or outputs");
    return false;
  };
  for (bool isAsked : {true, false})
    for (auto [list, given] : {std::pair(&inputNames, &options.inputNames),
                               std::pair(&outputNames, &options.outputNames)})
      for (auto [i, name] : llvm::enumerate(*list))
        if ((i < given->size()) == isAsked && !take(name, isAsked))
          return false;
  for (auto [i, argument] :
       llvm::enumerate(forward.getBody().front().getArguments())) {
    names[argument] = inputNames[i];
    bound.insert(inputNames[i]);
    declare(*graph.add_input(), inputNames[i], typeOf(argument),
            forward.getArgAttrOfType<ArrayAttr>(i, "graven.symbols"));
  }
  return true;
}

/// Names an extent of an input, and what had the same name.
static void renameExtent(pb::GraphProto &graph,
                         pb::TensorShapeProto::Dimension &extent,
                         const std::string &symbol) {
  std::string before = extent.dim_param();
  extent.set_dim_param(symbol);
  if (before.empty())
    return;
  for (auto *list : {graph.mutable_input(), graph.mutable_output()})
    for (pb::ValueInfoProto &info : *list)
      for (auto &other : *info.mutable_type()
                              ->mutable_tensor_type()
                              ->mutable_shape()
                              ->mutable_dim())
        if (other.dim_param() == before)
          other.set_dim_param(symbol);
}

/// The dynamic extents of the interface with the names that the options give.
static bool nameAxes(Location loc, pb::GraphProto &graph,
                     ArrayRef<OnnxDynamicAxis> axes) {
  bool fine = true;
  for (const OnnxDynamicAxis &given : axes) {
    pb::ValueInfoProto *info = nullptr;
    bool isInput = false;
    for (auto *list : {graph.mutable_input(), graph.mutable_output()})
      for (pb::ValueInfoProto &one : *list)
        if (one.name() == given.tensor) {
          info = &one;
          isInput = list == graph.mutable_input();
        }
    std::string problem;
    if (!info) {
      problem = "names no input or output";
    } else {
      auto &shape =
          *info->mutable_type()->mutable_tensor_type()->mutable_shape();
      bool exists = given.axis >= 0 && given.axis < shape.dim_size();
      auto *extent = exists ? shape.mutable_dim(given.axis) : nullptr;
      if (!exists)
        problem = "has " + std::to_string(shape.dim_size()) + " axes";
      else if (extent->has_dim_value())
        problem = "has the extent " + std::to_string(extent->dim_value()) +
                  " in this graph, which is made for it";
      else if (isInput)
        renameExtent(graph, *extent, given.symbol);
      else
        extent->set_dim_param(given.symbol);
    }
    if (problem.empty())
      continue;
    emitCoded(loc, Code::DynamicShape)
        << "dynamic axis " << given.axis << " of '" << given.tensor
        << "': " << problem;
    fine = false;
  }
  return fine;
}

namespace {
/// Removes nodes that nothing reads, from the last to the first.
struct Pruner {
  llvm::StringSet<> read;
  int64_t removed = 0;

  void prune(pb::GraphProto &graph) {
    for (const pb::ValueInfoProto &output : graph.output())
      read.insert(output.name());
    auto &nodes = *graph.mutable_node();
    int kept = nodes.size();
    for (int i = nodes.size(); i-- > 0;) {
      if (llvm::none_of(nodes[i].output(), [&](const std::string &name) {
            return read.contains(name);
          }))
        continue;
      for (const std::string &name : nodes[i].input())
        read.insert(name);
      for (pb::AttributeProto &attribute : *nodes[i].mutable_attribute())
        if (attribute.has_g())
          prune(*attribute.mutable_g());
      nodes.SwapElements(i, --kept);
    }
    removed += kept;
    nodes.DeleteSubrange(0, kept);
  }
};
} // namespace

/// What a Node was expressed without is not written.
void Exporter::dropUnread(pb::GraphProto &graph) {
  Pruner pruner;
  pruner.prune(graph);
  nodes -= pruner.removed;
  llvm::erase_if(initializers, [&](const Initializer &initializer) {
    return !pruner.read.contains(initializer.name);
  });
}

LogicalResult Exporter::run(GraphOp forward, pb::GraphProto &graph) {
  current = &graph;
  graph.set_name("forward");
  if (!declareInterface(forward, graph))
    return failure();
  Block &block = forward.getBody().front();
  ValueRange values = block.getTerminator()->getOperands();
  for (auto [value, name] : llvm::zip(values, outputNames))
    if (value.getDefiningOp())
      wanted.try_emplace(value, name);
  walk(block);
  SmallVector<ArrayAttr> symbols;
  for (unsigned i = 0; i < values.size(); ++i)
    symbols.push_back(
        forward.getResultAttrOfType<ArrayAttr>(i, "graven.symbols"));
  addOutputs(block, outputNames, graph, values, symbols);
  failed |= !nameAxes(forward.getLoc(), graph, options.dynamicAxes);
  dropUnread(graph);
  return failure(failed);
}

} // namespace graven::onnx
