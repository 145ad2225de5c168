//===- Import.cpp - exported PyTorch programs into graphs ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the importer's entry: the signature tells Parameters,
// buffers and constants from the user's inputs, and the user's outputs from
// what the program writes in place.
//
//===----------------------------------------------------------------------===//

#include "frontends/torchexport/Import.h"

#include "frontends/aten/GraphMaker.h"
#include "frontends/torchexport/ExportFile.h"
#include "frontends/torchexport/Program.h"
#include "frontends/torchexport/Pytree.h"
#include "frontends/torchexport/SymbolicInt.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Path.h"

using namespace graven;
using namespace graven::torchexport;
using llvm::StringRef;
using Kind = Value::Kind;

namespace {

/// One import.
class Importer {
public:
  Importer(mlir::MLIRContext *context, const ExportFile &file, StringRef name,
           const ImportOptions &options)
      : file(file), options(options),
        loc(mlir::FileLineColLoc::get(context, name, 0, 0)), maker(loc) {}

  mlir::FailureOr<mlir::OwningOpRef<mlir::ModuleOp>> run(std::string blob);

private:
  mlir::InFlightDiagnostic damaged() {
    return emitCoded(loc, Code::BadGraph) << file.programName() << ": ";
  }
  bool readSignature();
  void nameInputs();
  bool decideSymbols();
  /// What the program was exported for; each end may be open.
  struct Range {
    std::optional<int64_t> least, most;
  };
  Range rangeOf(StringRef symbol) const;
  /// Calls `visit` with what the user says of an input, the axis and the extent
  /// for each extent of the inputs that follows from a symbol.
  void forEachSymbol(
      llvm::function_ref<void(const InputSpec *, size_t, const LinearExtent &)>
          visit);
  std::optional<Value> inputFor(const Union &spec,
                                torch::ParameterLoader &parameters);
  std::optional<Value> userInput(const json::Object &spec);
  std::optional<aten::InputType> typeOf(StringRef value, StringRef input);
  std::optional<int64_t> extent(const json::Value &size, StringRef input,
                                size_t axis, std::string &symbol);
  bool addOutputs(llvm::ArrayRef<Value> results);
  bool addState(const torch::ParameterLoader &parameters);

  const ExportFile &file;
  const ImportOptions &options;
  mlir::Location loc;
  aten::GraphMaker maker;
  const json::Object *graph = nullptr, *signature = nullptr,
                     *graphModule = nullptr;
  std::optional<Pytree> resultTree;
  /// The specifications of the user's inputs, in order; null for a malformed
  /// one.
  std::vector<const json::Object *> userInputs;
  /// Their names; the next one to be added.
  std::vector<std::string> inputNames;
  size_t nextInput = 0;
  llvm::StringMap<int64_t> symbols;
  /// What the signature says is written, by the name of the buffer or of the
  /// graph's input.
  struct Written {
    std::string name;
    bool isInput;
    Value value;
  };
  std::vector<Written> writtenBuffers;
};

} // namespace

bool Importer::readSignature() {
  const json::Object &program = file.program();
  if (const json::Object *version = program.getObject("schema_version")) {
    int64_t major = version->getInteger("major").value_or(0);
    if (major > 8) {
      emitCoded(loc, Code::UnsupportedVersion)
          << file.programName() << ": schema version " << major
          << ", expected at most 8";
      return false;
    }
  }
  graphModule = program.getObject("graph_module");
  graph = graphModule ? graphModule->getObject("graph") : nullptr;
  signature = graphModule ? graphModule->getObject("signature") : nullptr;
  if (!graph || !signature) {
    damaged() << "no graph_module with a graph and a signature";
    return false;
  }
  for (const json::Value &item : listIn(*signature, "input_specs"))
    if (auto spec = asUnion(item))
      if (spec->tag == "user_input" || spec->tag == "constant_input")
        userInputs.push_back(spec->value->getAsObject());
  return true;
}

/// The name of a value that an argument refers to: {"as_tensor": {"name": n}}.
static StringRef valueName(const json::Object &spec) {
  const json::Value *argument = spec.get("arg");
  auto member = argument ? asUnion(*argument) : std::nullopt;
  const json::Object *object = member ? member->value->getAsObject() : nullptr;
  if (!object)
    return "";
  return object->getString("name").value_or(
      object->getString("as_name").value_or(""));
}

/// Names from the tree of the call's arguments; those of the graph's values
/// when the file has no such tree.
void Importer::nameInputs() {
  llvm::ArrayRef<json::Value> calls = listIn(*graphModule, "module_call_graph");
  const json::Object *call = calls.empty() ? nullptr : calls[0].getAsObject();
  const json::Object *own = call ? call->getObject("signature") : nullptr;
  const json::Object *fields =
      graphModule->getObject("treespec_namedtuple_fields");
  if (own) {
    if (auto tree = parsePytree(own->getString("in_spec").value_or(""), fields);
        tree && tree->leafCount() == userInputs.size())
      inputNames = argumentNames(*tree, listIn(*own, "forward_arg_names"));
    resultTree = parsePytree(own->getString("out_spec").value_or(""), fields);
  }
  if (inputNames.size() == userInputs.size())
    return;
  inputNames.clear();
  for (auto [i, input] : llvm::enumerate(userInputs)) {
    StringRef name = input ? valueName(*input) : "";
    inputNames.push_back(name.empty() ? "input" + std::to_string(i)
                                      : name.str());
  }
}

/// The type of a tensor value of the graph, or null.
static const json::Object *metaOf(const json::Object &graph, StringRef value) {
  const json::Object *values = graph.getObject("tensor_values");
  return values ? values->getObject(value) : nullptr;
}

/// The text of {"as_expr": {"expr_str": ...}}; nothing for a number.
static std::optional<StringRef> expressionIn(const json::Value &size) {
  auto member = asUnion(size);
  if (!member || member->tag != "as_expr")
    return std::nullopt;
  const json::Object *object = member->value->getAsObject();
  if (object)
    return object->getString("expr_str");
  return member->value->getAsString();
}

void Importer::forEachSymbol(
    llvm::function_ref<void(const InputSpec *, size_t, const LinearExtent &)>
        visit) {
  for (auto [i, input] : llvm::enumerate(userInputs)) {
    if (!input)
      continue;
    const InputSpec *spec = options.find(inputNames[i], i);
    const json::Object *meta = metaOf(*graph, valueName(*input));
    if (!meta)
      continue;
    for (auto [axis, size] : llvm::enumerate(listIn(*meta, "sizes"))) {
      auto expression = expressionIn(size);
      if (auto extent = expression ? linearIn(*expression) : std::nullopt)
        visit(spec, axis, *extent);
    }
  }
}

Importer::Range Importer::rangeOf(StringRef symbol) const {
  const json::Object *ranges = file.program().getObject("range_constraints");
  const json::Object *range = ranges ? ranges->getObject(symbol) : nullptr;
  if (!range)
    return {};
  return {range->getInteger("min_val"), range->getInteger("max_val")};
}

/// Symbols whose extents the options state: by name, or by the shape of an
/// input that has the symbol.
bool Importer::decideSymbols() {
  // A size that an input states is none to ask for by name.
  forEachSymbol(
      [&](const InputSpec *spec, size_t axis, const LinearExtent &extent) {
        if (spec && axis < spec->shape.size() && !spec->shape[axis].isDynamic())
          if (auto value = extent.solve(spec->shape[axis].size))
            symbols.try_emplace(extent.symbol, *value);
      });
  forEachSymbol([&](const InputSpec *, size_t, const LinearExtent &extent) {
    StringRef symbol = extent.symbol;
    if (symbols.count(symbol))
      return;
    if (Range range = rangeOf(symbol);
        options.noteRange && (range.least || range.most))
      options.noteRange(symbol, range.least.value_or(0), range.most);
    int64_t size = options.resolve(symbol);
    if (!mlir::ShapedType::isDynamic(size))
      symbols[symbol] = size;
  });
  for (const auto &[symbol, value] : symbols) {
    auto [least, most] = rangeOf(symbol);
    if ((!least || value >= *least) && (!most || value <= *most))
      continue;
    auto diagnostic = emitCoded(loc, Code::BadInputShape)
                      << "extent '" << symbol << "' is " << value
                      << ", the program was exported for ";
    if (least)
      diagnostic << *least;
    diagnostic << " to ";
    if (most)
      diagnostic << *most;
    return false;
  }
  return true;
}

std::optional<int64_t> Importer::extent(const json::Value &size,
                                        StringRef input, size_t axis,
                                        std::string &symbol) {
  auto member = asUnion(size);
  auto number = member ? member->value->getAsInteger() : size.getAsInteger();
  if (number && *number >= 0)
    return number;
  auto expression = expressionIn(size);
  if (!expression) {
    damaged() << "input '" << input << "' has a malformed extent";
    return std::nullopt;
  }
  auto value =
      evaluate(*expression, [&](StringRef name) -> std::optional<int64_t> {
        auto it = symbols.find(name);
        return it == symbols.end() ? std::nullopt : std::optional(it->second);
      });
  if (!value) {
    damaged() << "input '" << input
              << "': " << llvm::toString(value.takeError());
    return std::nullopt;
  }
  auto linear = linearIn(*expression);
  symbol = linear ? linear->text() : "";
  if (*value && **value >= 0)
    return **value;
  auto diagnostic = emitCoded(loc, Code::DynamicShape)
                    << "input '" << input << "' has the extent '"
                    << (linear ? symbol : expression->str()) << "' on axis "
                    << axis << ", which is not known";
  if (!linear)
    return std::nullopt;
  Range range = rangeOf(linear->symbol);
  diagnostic << "; say which, as in --dim " << linear->symbol << "="
             << range.least.value_or(1) << ".." << range.most.value_or(64);
  return std::nullopt;
}

std::optional<aten::InputType> Importer::typeOf(StringRef value,
                                                StringRef input) {
  const json::Object *meta = metaOf(*graph, value);
  if (!meta) {
    damaged() << "no type of the value '" << value << "'";
    return std::nullopt;
  }
  auto type = scalarTypeFromExport(meta->getInteger("dtype").value_or(0));
  mlir::Type element =
      type ? aten::toMLIR(loc.getContext(), *type) : mlir::Type();
  if (!element) {
    emitCoded(loc, Code::UnsupportedFeature)
        << "input '" << input << "' has elements of type "
        << (type ? aten::name(*type) : "?");
    return std::nullopt;
  }
  aten::InputType result;
  llvm::SmallVector<int64_t> shape;
  for (auto [axis, size] : llvm::enumerate(listIn(*meta, "sizes"))) {
    std::string symbol;
    auto number = extent(size, input, axis, symbol);
    if (!number)
      return std::nullopt;
    shape.push_back(*number);
    result.symbols.push_back(std::move(symbol));
  }
  result.type = mlir::RankedTensorType::get(shape, element);
  return result;
}

std::optional<Value> Importer::userInput(const json::Object &spec) {
  const std::string &name = inputNames[nextInput++];
  const json::Value *argument = spec.get("arg");
  auto member = argument ? asUnion(*argument) : std::nullopt;
  if (!member) {
    damaged() << "input '" << name << "' has no argument";
    return std::nullopt;
  }
  StringRef value = valueName(spec);
  if (member->tag == "as_tensor") {
    auto type = typeOf(value, name);
    const InputSpec *given = options.find(name, maker.inputCount());
    if (!type)
      return std::nullopt;
    // What the program was exported for is all it is right for.
    if (given) {
      auto stated = maker.typeOf(*given, options);
      if (!stated)
        return std::nullopt;
      if (stated->type != type->type) {
        emitCoded(loc, Code::BadInputShape)
            << "--input says " << stated->type << " of '" << name
            << "', the program was exported for " << type->type;
        return std::nullopt;
      }
      type = std::move(stated);
    }
    return maker.addInput(name, std::move(*type));
  }
  if (member->tag == "as_none")
    return Value();
  if (value.empty())
    if (auto number = member->value->getAsInteger())
      return Value(*number);
  emitCoded(loc, Code::UnsupportedFeature)
      << "input '" << name << "' is a number, expected a tensor";
  return std::nullopt;
}

/// The value of a constant input: {"as_int": 3}.
static std::optional<Value> constantOf(const json::Object &spec) {
  const json::Value *value = spec.get("value");
  auto member = value ? asUnion(*value) : std::nullopt;
  if (!member)
    return std::nullopt;
  if (member->tag == "as_none")
    return Value();
  if (auto flag = member->value->getAsBoolean())
    return Value(*flag);
  if (member->tag == "as_int")
    if (auto number = member->value->getAsInteger())
      return Value(*number);
  if (auto number = member->value->getAsNumber())
    return Value(*number);
  if (auto text = member->value->getAsString())
    return Value(text->str());
  return std::nullopt;
}

std::optional<Value> Importer::inputFor(const Union &spec,
                                        torch::ParameterLoader &parameters) {
  const json::Object *object = spec.value->getAsObject();
  if (!object) {
    damaged() << "an input has no specification";
    return std::nullopt;
  }
  if (spec.tag == "user_input")
    return userInput(*object);
  if (spec.tag == "constant_input") {
    ++nextInput;
    if (auto constant = constantOf(*object))
      return constant;
    damaged() << "a constant input has no value";
    return std::nullopt;
  }
  // Orders effects, which are in order here.
  if (spec.tag == "token")
    return Value();
  StringRef key = spec.tag == "parameter"         ? "parameter_name"
                  : spec.tag == "buffer"          ? "buffer_name"
                  : spec.tag == "tensor_constant" ? "tensor_constant_name"
                                                  : "";
  auto name = object->getString(key);
  if (key.empty() || !name) {
    emitCoded(loc, Code::UnsupportedFeature)
        << "an input of kind '" << spec.tag << "' is not supported";
    return std::nullopt;
  }
  const torch::PickleTensor *tensor = file.tensor(*name);
  if (!tensor) {
    emitCoded(loc, Code::BadArchive)
        << "the archive has no tensor '" << *name << "'";
    return std::nullopt;
  }
  StringRef folder = spec.tag == "tensor_constant" ? "constants" : "data";
  Value value = parameters.load(*tensor, *name, folder,
                                /*isBuffer=*/spec.tag != "parameter", loc);
  return value.is(Kind::Unknown) ? std::nullopt : std::optional(value);
}

bool Importer::addOutputs(llvm::ArrayRef<Value> results) {
  llvm::ArrayRef<json::Value> specs = listIn(*signature, "output_specs");
  if (specs.size() != results.size()) {
    damaged() << "the graph has " << results.size()
              << " outputs, its signature " << specs.size();
    return false;
  }
  std::vector<Value> own;
  for (auto [item, result] : llvm::zip(specs, results)) {
    auto spec = asUnion(item);
    const json::Object *object = spec ? spec->value->getAsObject() : nullptr;
    if (!object) {
      damaged() << "an output has no specification";
      return false;
    }
    if (spec->tag == "user_output" || spec->tag == "loss_output") {
      own.push_back(result);
      continue;
    }
    if (spec->tag == "token")
      continue;
    StringRef written =
        object->getString("buffer_name")
            .value_or(
                object->getString("user_input_name")
                    .value_or(
                        object->getString("parameter_name").value_or("")));
    if (written.empty()) {
      emitCoded(loc, Code::UnsupportedFeature)
          << "an output of kind '" << spec->tag << "' is not supported";
      return false;
    }
    bool isInput = spec->tag == "user_input_mutation";
    if (options.state == StateMode::Explicit) {
      writtenBuffers.push_back({written.str(), isInput, result});
      continue;
    }
    mlir::emitWarning(loc)
        << "the program writes its " << (isInput ? "input" : "buffer") << " '"
        << written << "', which the compiled model does not keep between runs";
  }
  Value result = resultTree && resultTree->leafCount() == own.size()
                     ? nest(*resultTree, own)
                     : Value::makeTuple(own);
  return maker.addOutputs(result);
}

/// What the signature says is written, and what is written in place.
bool Importer::addState(const torch::ParameterLoader &parameters) {
  maker.addWrittenInputs();
  for (const Written &entry : writtenBuffers) {
    if (!entry.isInput)
      continue;
    for (auto [i, input] : llvm::enumerate(userInputs))
      if (input && valueName(*input) == entry.name &&
          !maker.addOutputs(entry.value, inputNames[i] + ".next"))
        return false;
  }
  for (const torch::ParameterLoader::Loaded &loaded : parameters.all()) {
    StringRef name = loaded.tensor->parameterName();
    auto entry = llvm::find_if(writtenBuffers, [&](const Written &other) {
      return !other.isInput && other.name == name;
    });
    bool isListed =
        entry != writtenBuffers.end() && entry->value.is(Kind::Tensor);
    if (!isListed && !loaded.tensor->wasWritten())
      continue;
    aten::Tensor &last = isListed ? *entry->value.tensor() : *loaded.tensor;
    maker.addState(name, loaded.initial, last.read(maker.builder()));
  }
  for (const Written &entry : writtenBuffers)
    if (!entry.isInput &&
        llvm::none_of(parameters.all(), [&](const auto &loaded) {
          return loaded.tensor->parameterName() == entry.name;
        })) {
      emitCoded(loc, Code::UnsupportedFeature)
          << "the program writes its buffer '" << entry.name
          << "', which shares its elements with another";
      return false;
    }
  return true;
}

mlir::FailureOr<mlir::OwningOpRef<mlir::ModuleOp>>
Importer::run(std::string blob) {
  if (!readSignature())
    return mlir::failure();
  nameInputs();
  if (!decideSymbols())
    return mlir::failure();
  torch::ParameterLoader parameters(file, maker.builder(), maker.module(),
                                    std::move(blob), options);
  Values inputs;
  for (const json::Value &item : listIn(*signature, "input_specs")) {
    auto spec = asUnion(item);
    if (!spec)
      return damaged() << "an input has no specification";
    auto input = inputFor(*spec, parameters);
    if (!input)
      return mlir::failure();
    inputs.push_back(*input);
  }
  bool isExplicit = options.state == StateMode::Explicit;
  if (!isExplicit && !maker.checkOptions(options))
    return mlir::failure();
  aten::Session session(maker.builder());
  session.extents.decide = options.extentOfData;
  session.onDecision = options.onDecision;
  Program program(session, loc);
  program.tellUses(options);
  auto results = program.run(*graph, inputs);
  if (mlir::failed(program.finish()) || mlir::failed(results))
    return mlir::failure();
  if (!isExplicit)
    parameters.warnOfWrites(loc);
  if (!addOutputs(*results))
    return mlir::failure();
  session.discarded.clear();
  if (isExplicit && (!addState(parameters) || !maker.checkOptions(options)))
    return mlir::failure();
  return maker.finish();
}

//===----------------------------------------------------------------------===//
// Entry points
//===----------------------------------------------------------------------===//

bool graven::isTorchExport(const torch::ZipReader &zip) {
  return ExportFile::isExport(zip);
}

mlir::FailureOr<mlir::OwningOpRef<mlir::ModuleOp>>
graven::importTorchExport(mlir::MLIRContext *context,
                          std::shared_ptr<llvm::MemoryBuffer> buffer,
                          torch::ZipReader zip, const ImportOptions &options) {
  auto *dialect = context->getOrLoadDialect<GravenDialect>();
  StringRef name = buffer->getBufferIdentifier();
  auto file = ExportFile::open(buffer->getBuffer(), std::move(zip));
  if (!file) {
    std::string message = llvm::toString(file.takeError());
    Code code = StringRef(message).contains("pickle byte") ? Code::BadPickle
                                                           : Code::BadArchive;
    return emitCoded(mlir::FileLineColLoc::get(context, name, 0, 0), code)
           << message;
  }
  std::string blob =
      dialect->getBlobStore().add(llvm::sys::path::filename(name), buffer);
  return Importer(context, **file, name, options).run(std::move(blob));
}
