//===- Import.cpp - TorchScript models into graphs ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the importer's entry: the inputs of the graph come from
// the options or from a trace's own example inputs, the interpreter walks
// forward, and what it returns is flattened into the graph's outputs.
//
//===----------------------------------------------------------------------===//

#include "frontends/torchscript/Import.h"

#include "frontends/torchscript/Interpreter.h"
#include "frontends/torchscript/Types.h"

#include "mlir/IR/Verifier.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Path.h"

#include <set>

using namespace graven;
using namespace graven::torch;
using llvm::StringRef;
using Kind = Value::Kind;

namespace {

/// One import: the module being made, and the graph in it.
class Importer {
public:
  Importer(mlir::MLIRContext *context, Archive &archive, StringRef name,
           const ImportOptions &options)
      : context(context), archive(archive), options(options),
        loc(mlir::FileLineColLoc::get(context, name, 0, 0)), builder(context) {}

  mlir::FailureOr<mlir::OwningOpRef<mlir::ModuleOp>> run(std::string blob);

private:
  bool makeArguments(const FunctionDef &entry, bool isMethod);
  std::optional<Value> argumentFor(const Parameter &parameter, size_t index,
                                   const PickleValue *example);
  std::optional<Value> fromExample(const PickleValue &example,
                                   const std::string &name, unsigned depth);
  Value addInput(const std::string &name, mlir::RankedTensorType type);
  mlir::RankedTensorType typeOf(const InputSpec &spec);
  bool flatten(const Value &value, const std::string &name, unsigned depth);
  bool checkOptions();
  mlir::LogicalResult finishGraph();

  mlir::MLIRContext *context;
  Archive &archive;
  const ImportOptions &options;
  mlir::Location loc;
  mlir::OpBuilder builder;
  GraphOp graph;
  std::vector<Value> arguments;
  std::vector<std::string> inputNames, outputNames;
  /// Symbols of the extents of the inputs, empty for a static one; and of the
  /// type that typeOf made last.
  std::vector<std::vector<std::string>> inputSymbols;
  std::vector<std::string> nextSymbols;
  llvm::SmallVector<mlir::Value> outputs;
};

} // namespace

mlir::RankedTensorType Importer::typeOf(const InputSpec &spec) {
  mlir::Type element = parseElementType(context, spec.elementType);
  llvm::SmallVector<int64_t> shape;
  nextSymbols.clear();
  for (const InputExtent &extent : spec.shape) {
    std::string symbol = extent.isDynamic()
                             ? symbolFor(extent.symbol, spec.name, shape.size())
                             : std::string();
    int64_t size = extent.isDynamic() ? options.resolve(symbol) : extent.size;
    if (mlir::ShapedType::isDynamic(size)) {
      emitCoded(loc, Code::DynamicShape)
          << "input '" << spec.name
          << "' has an extent that is not known; the TorchScript importer "
             "needs all of them";
      return {};
    }
    shape.push_back(size);
    nextSymbols.push_back(std::move(symbol));
  }
  return mlir::RankedTensorType::get(shape, element);
}

Value Importer::addInput(const std::string &name, mlir::RankedTensorType type) {
  mlir::Location place =
      mlir::NameLoc::get(mlir::StringAttr::get(context, name), loc);
  mlir::Value argument = graph.getBody().front().addArgument(type, place);
  inputNames.push_back(name);
  inputSymbols.push_back(std::exchange(nextSymbols, {}));
  return Value(aten::Tensor::make(argument));
}

/// The structure of a trace's example input, its tensors as inputs.
std::optional<Value> Importer::fromExample(const PickleValue &example,
                                           const std::string &name,
                                           unsigned depth) {
  using PickleKind = PickleValue::Kind;
  if (depth > 32)
    return std::nullopt;
  switch (example.kind) {
  case PickleKind::Tensor: {
    if (const InputSpec *spec = options.find(name, inputNames.size())) {
      mlir::RankedTensorType type = typeOf(*spec);
      return type ? std::optional(addInput(name, type)) : std::nullopt;
    }
    mlir::Type element = aten::toMLIR(context, example.tensor->storage.type);
    if (!element)
      return std::nullopt;
    return addInput(
        name, mlir::RankedTensorType::get(example.tensor->sizes, element));
  }
  case PickleKind::None:
    return Value();
  case PickleKind::Bool:
    return Value(example.integer != 0);
  case PickleKind::Int:
    return Value(example.integer);
  case PickleKind::Float:
    return Value(example.real);
  case PickleKind::String:
    return Value(example.text);
  case PickleKind::List:
  case PickleKind::Tuple:
  case PickleKind::Dict: {
    std::vector<Value> items;
    bool isDict = example.is(PickleKind::Dict);
    for (auto [i, item] : llvm::enumerate(example.items)) {
      // Keys of a dict name the value after them.
      std::string part =
          isDict && i % 2 ? example.items[i - 1]->text : std::to_string(i);
      auto value = fromExample(*item, name + "." + part, depth + 1);
      if (!value)
        return std::nullopt;
      items.push_back(*value);
    }
    if (example.is(PickleKind::List))
      return Value::makeList(std::move(items));
    if (!isDict)
      return Value::makeTuple(std::move(items));
    Value dict = Value::makeDict();
    for (size_t i = 0; i + 1 < items.size(); i += 2)
      dict.dict().items.emplace_back(items[i], items[i + 1]);
    return dict;
  }
  default:
    return std::nullopt;
  }
}

/// Values of literals; parameters have no other defaults.
static std::optional<Value> literal(const Expr *expr) {
  switch (expr->kind) {
  case Expr::Kind::Int:
    return Value(expr->integer);
  case Expr::Kind::Float:
    return Value(expr->real);
  case Expr::Kind::String:
    return Value(expr->text.str());
  case Expr::Kind::True:
  case Expr::Kind::False:
    return Value(expr->is(Expr::Kind::True));
  case Expr::Kind::None:
    return Value();
  default:
    return std::nullopt;
  }
}

std::optional<Value> Importer::argumentFor(const Parameter &parameter,
                                           size_t index,
                                           const PickleValue *example) {
  std::string name = parameter.name.str();
  std::string head = typeHead(withoutOptional(parameter.type));
  bool isTensor = head == "Tensor" || !parameter.type;
  if (isTensor)
    if (const InputSpec *spec = options.find(name, index)) {
      mlir::RankedTensorType type = typeOf(*spec);
      return type ? std::optional(addInput(name, type)) : std::nullopt;
    }
  if (example)
    if (auto value = fromExample(*example, name, 0))
      return value;
  if (parameter.defaultValue)
    if (auto value = literal(parameter.defaultValue))
      return coerced(*value, parameter.type);
  // A list of tensors takes inputs x.0, x.1, ... as far as they are given.
  if ((head == "List" || head == "Dict") && !options.inputs.empty()) {
    std::vector<std::pair<std::string, Value>> items;
    for (const InputSpec &spec : options.inputs)
      if (StringRef(spec.name).starts_with(name + "."))
        if (mlir::RankedTensorType type = typeOf(spec))
          items.emplace_back(spec.name.substr(name.size() + 1),
                             addInput(spec.name, type));
    Value list = Value::makeList(), dict = Value::makeDict();
    for (auto &[key, value] : items) {
      list.list().items.push_back(value);
      dict.dict().items.emplace_back(Value(key), value);
    }
    if (!items.empty())
      return head == "List" ? list : dict;
  }
  if (typeHead(parameter.type) == "Optional")
    return Value();
  auto diagnostic = emitCoded(loc, Code::MissingInput)
                    << "input '" << name << "'";
  if (isTensor)
    diagnostic << " needs an element type and a shape: --input " << name
               << ":f32[...]";
  else
    diagnostic << " of type '" << (head.empty() ? "?" : head)
               << "' has no default value";
  return std::nullopt;
}

bool Importer::makeArguments(const FunctionDef &entry, bool isMethod) {
  const PickleValue *examples = archive.tracedInputs()
                                    ? archive.tracedInputs()->lookup("forward")
                                    : nullptr;
  auto parameters = llvm::ArrayRef(entry.parameters).drop_front(isMethod);
  bool complete = true;
  for (auto [i, parameter] : llvm::enumerate(parameters)) {
    const PickleValue *example =
        examples && i < examples->items.size() ? examples->items[i] : nullptr;
    std::optional<Value> argument = argumentFor(parameter, i, example);
    complete &= argument.has_value();
    arguments.push_back(argument.value_or(Value::unknown()));
  }
  return complete;
}

/// Every --input must name an input.
bool Importer::checkOptions() {
  bool fine = true;
  for (const InputSpec &spec : options.inputs) {
    size_t index = 0;
    bool isIndex = !StringRef(spec.name).getAsInteger(10, index) &&
                   index < inputNames.size();
    if (isIndex || llvm::is_contained(inputNames, spec.name))
      continue;
    emitCoded(loc, Code::UnknownInput)
        << "--input names '" << spec.name
        << "', the model's inputs are: " << llvm::join(inputNames, ", ");
    fine = false;
  }
  return fine;
}

bool Importer::flatten(const Value &value, const std::string &name,
                       unsigned depth) {
  auto part = [&](const std::string &key) {
    return name.empty() ? key : name + "." + key;
  };
  if (depth > 32)
    return false;
  switch (value.kind()) {
  case Kind::None:
    return true;
  case Kind::Tensor:
    outputs.push_back(value.tensor()->read(builder));
    outputNames.push_back(name);
    return true;
  case Kind::Bool:
  case Kind::Int:
  case Kind::Float: {
    aten::Emitter emitter(builder, loc);
    mlir::Type element = value.is(Kind::Bool) ? builder.getI1Type()
                         : value.is(Kind::Int)
                             ? builder.getI64Type()
                             : mlir::Type(builder.getF64Type());
    outputs.push_back(emitter.full(element, {}, value));
    outputNames.push_back(name);
    return true;
  }
  case Kind::List:
  case Kind::Tuple: {
    const auto &items = *value.items();
    for (size_t i = 0; i < items.size(); ++i) {
      bool named = value.is(Kind::Tuple) && i < value.tuple().fields.size();
      bool inDict = !name.empty();
      std::string key = named    ? part(value.tuple().fields[i])
                        : inDict ? part(std::to_string(i))
                                 : std::string();
      if (!flatten(items[i], key, depth + 1))
        return false;
    }
    return true;
  }
  case Kind::Dict:
    for (const auto &[key, item] : value.dict().items) {
      if (!key.is(Kind::String) && !key.is(Kind::Int))
        return false;
      std::string text =
          key.is(Kind::String) ? key.string() : std::to_string(key.integer());
      if (!flatten(item, part(text), depth + 1))
        return false;
    }
    return true;
  default:
    emitCoded(loc, Code::UnsupportedFeature)
        << "forward returns a value of type " << value.typeName()
        << ", which is no output of a graph";
    return false;
  }
}

/// Nodes whose results nobody uses go: the walk builds some to know shapes.
static void eraseDead(GraphOp graph) {
  mlir::Block &block = graph.getBody().front();
  for (mlir::Operation &op : llvm::make_early_inc_range(llvm::reverse(block)))
    if (mlir::isOpTriviallyDead(&op))
      op.erase();
  // Parameters that were only read to be looked at.
  auto module = graph->getParentOfType<mlir::ModuleOp>();
  std::set<StringRef> used;
  for (auto read : block.getOps<GetParamOp>())
    used.insert(read.getParam());
  for (auto param :
       llvm::make_early_inc_range(module.getBody()->getOps<ParamOp>()))
    if (!used.count(param.getSymName()))
      param.erase();
}

mlir::LogicalResult Importer::finishGraph() {
  ReturnOp::create(builder, loc, outputs);
  graph.updateType();
  for (auto [i, name] : llvm::enumerate(inputNames))
    graph.setInputName(i, name);
  for (auto [i, symbols] : llvm::enumerate(inputSymbols)) {
    llvm::SmallVector<StringRef> names(symbols.begin(), symbols.end());
    if (!llvm::all_of(names, [](StringRef name) { return name.empty(); }))
      graph.setArgAttr(i, "graven.symbols", builder.getStrArrayAttr(names));
  }
  std::set<std::string> taken;
  for (auto [i, name] : llvm::enumerate(outputNames))
    if (!name.empty() && taken.insert(name).second)
      graph.setOutputName(i, name);
  eraseDead(graph);
  return mlir::success();
}

mlir::FailureOr<mlir::OwningOpRef<mlir::ModuleOp>>
Importer::run(std::string blob) {
  mlir::OwningOpRef<mlir::ModuleOp> module = mlir::ModuleOp::create(loc);
  builder.setInsertionPointToEnd(module->getBody());
  graph =
      GraphOp::create(builder, loc, "forward", builder.getFunctionType({}, {}));
  builder.setInsertionPointToEnd(&graph.getBody().front());

  aten::Session session(builder);
  ParameterLoader parameters(archive, builder, *module, std::move(blob));
  Interpreter interpreter(archive, session, parameters);
  auto entry = interpreter.findEntry("forward");
  if (!entry)
    return emitCoded(loc, Code::BadSource) << llvm::toString(entry.takeError());
  if (!*entry)
    return emitCoded(loc, Code::BadSource)
           << "the model has no method 'forward'";
  bool complete = makeArguments(*entry->definition, archive.root() != nullptr);
  if (!checkOptions() || !complete)
    return mlir::failure();
  Result result = interpreter.callEntry("forward", std::move(arguments));
  if (mlir::failed(interpreter.finish()) || mlir::failed(result))
    return mlir::failure();
  parameters.warnOfWrites(loc);
  if (!flatten(*result, "", 0) || mlir::failed(finishGraph()))
    return mlir::failure();
  // The graph goes after its Parameters, as a reader expects.
  graph->moveBefore(module->getBody(), module->getBody()->end());
  if (mlir::failed(mlir::verify(*module)))
    return mlir::failure();
  return std::move(module);
}

//===----------------------------------------------------------------------===//
// Entry points
//===----------------------------------------------------------------------===//

/// What part of a file an error of the readers speaks of.
static Code codeOf(StringRef message) {
  if (message.starts_with("zip "))
    return Code::BadArchive;
  if (message.contains("pickle byte") || message.contains(".pkl"))
    return Code::BadPickle;
  if (message.starts_with("code/"))
    return Code::BadSource;
  if (message.starts_with("archive has version") ||
      message.contains("before 1.4"))
    return Code::UnsupportedVersion;
  if (message.starts_with("archive holds weights") ||
      message.starts_with("archive is a torch.export"))
    return Code::UnknownFormat;
  return Code::BadArchive;
}

bool graven::isTorchScriptArchive(StringRef content) {
  return ZipReader::isZip(content);
}

mlir::FailureOr<mlir::OwningOpRef<mlir::ModuleOp>>
graven::importTorchScript(mlir::MLIRContext *context,
                          std::shared_ptr<llvm::MemoryBuffer> file,
                          const ImportOptions &options) {
  auto *dialect = context->getOrLoadDialect<GravenDialect>();
  StringRef name = file->getBufferIdentifier();
  auto archive = Archive::open(file->getBuffer());
  if (!archive) {
    std::string message = llvm::toString(archive.takeError());
    return emitCoded(mlir::FileLineColLoc::get(context, name, 0, 0),
                     codeOf(message))
           << message;
  }
  std::string blob =
      dialect->getBlobStore().add(llvm::sys::path::filename(name), file);
  return Importer(context, **archive, name, options).run(std::move(blob));
}

mlir::FailureOr<mlir::OwningOpRef<mlir::ModuleOp>>
graven::importTorchScriptSource(mlir::MLIRContext *context,
                                const llvm::MemoryBuffer &source,
                                const ImportOptions &options) {
  context->getOrLoadDialect<GravenDialect>();
  StringRef name = source.getBufferIdentifier();
  auto archive = Archive::fromSource(name, source.getBuffer());
  if (!archive)
    return emitCoded(mlir::FileLineColLoc::get(context, name, 0, 0),
                     Code::BadSource)
           << llvm::toString(archive.takeError());
  return Importer(context, **archive, name, options).run("");
}

mlir::FailureOr<mlir::OwningOpRef<mlir::ModuleOp>>
graven::importTorchScript(mlir::MLIRContext *context, StringRef path,
                          const ImportOptions &options) {
  auto buffer = llvm::MemoryBuffer::getFileOrSTDIN(
      path, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (!buffer)
    return emitCoded(mlir::FileLineColLoc::get(context, path, 0, 0),
                     Code::CannotRead)
           << "cannot read '" << path << "': " << buffer.getError().message();
  if (isTorchScriptArchive((*buffer)->getBuffer()))
    return importTorchScript(
        context, std::shared_ptr<llvm::MemoryBuffer>(std::move(*buffer)),
        options);
  return importTorchScriptSource(context, **buffer, options);
}
