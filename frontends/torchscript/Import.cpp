//===- Import.cpp - TorchScript models into graphs ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the importer's entry: the inputs of the graph come from
// the options or from a trace's own example inputs, the interpreter walks
// forward, and what it returns becomes the graph's outputs.
//
//===----------------------------------------------------------------------===//

#include "frontends/torchscript/Import.h"

#include "frontends/aten/GraphMaker.h"
#include "frontends/torchscript/Interpreter.h"
#include "frontends/torchscript/Types.h"

#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/Path.h"

#include <set>

using namespace graven;
using namespace graven::torch;
using llvm::StringRef;
using Kind = Value::Kind;

namespace {

/// One import: the arguments of forward, and the walk.
class Importer {
public:
  Importer(mlir::MLIRContext *context, Archive &archive, StringRef name,
           const ImportOptions &options)
      : context(context), archive(archive), options(options),
        loc(mlir::FileLineColLoc::get(context, name, 0, 0)), maker(loc) {}

  mlir::FailureOr<mlir::OwningOpRef<mlir::ModuleOp>> run(std::string blob);

private:
  bool makeArguments(const FunctionDef &entry, bool isMethod);
  bool addState(Interpreter &interpreter, ParameterLoader &parameters);
  std::optional<Value> numberFor(const std::string &name, const Expr *type,
                                 size_t index, bool isRequired);
  std::optional<Value> fromParts(const std::string &name, const Expr *type,
                                 unsigned depth);
  std::optional<Value> argumentFor(const Parameter &parameter, size_t index,
                                   const PickleValue *example);
  std::optional<Value> fromExample(const PickleValue &example,
                                   const std::string &name, unsigned depth);
  std::optional<Value> addInput(const std::string &name, const InputSpec &spec);

  mlir::MLIRContext *context;
  Archive &archive;
  const ImportOptions &options;
  mlir::Location loc;
  aten::GraphMaker maker;
  std::vector<Value> arguments;
};

} // namespace

std::optional<Value> Importer::addInput(const std::string &name,
                                        const InputSpec &spec) {
  auto type = maker.typeOf(spec, options);
  return type ? std::optional(maker.addInput(name, std::move(*type)))
              : std::nullopt;
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
    if (const InputSpec *spec = options.find(name, maker.inputCount()))
      return addInput(name, *spec);
    mlir::Type element = aten::toMLIR(context, example.tensor->storage.type);
    if (!element)
      return std::nullopt;
    return maker.addInput(
        name, {mlir::RankedTensorType::get(example.tensor->sizes, element)});
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

/// An int, float or bool of which the options say a type, or nobody a value:
/// an input without axes.
std::optional<Value> Importer::numberFor(const std::string &name,
                                         const Expr *typeOf, size_t index,
                                         bool isRequired) {
  std::string head = typeHead(withoutOptional(typeOf));
  auto type = llvm::StringSwitch<std::optional<aten::ScalarType>>(head)
                  .Case("int", aten::ScalarType::Long)
                  .Case("float", aten::ScalarType::Double)
                  .Case("bool", aten::ScalarType::Bool)
                  .Default(std::nullopt);
  const InputSpec *spec = type ? options.find(name, index) : nullptr;
  if (!type || (!spec && !isRequired))
    return std::nullopt;
  auto element = aten::toMLIR(context, *type);
  aten::InputType own{mlir::RankedTensorType::get({}, element)};
  auto stated = spec ? maker.typeOf(*spec, options) : own;
  if (!stated)
    return Value::unknown();
  if (stated->type != own.type) {
    emitCoded(loc, Code::BadInputShape)
        << "--input says " << stated->type << " of '" << name
        << "', which is of type '" << head << "', so that it is " << own.type;
    return Value::unknown();
  }
  Value value = maker.addInput(name, std::move(own));
  value.tensor()->setNumber();
  return value;
}

/// A tensor or container of a type from the inputs called name, name.0,
/// name.KEY, ...; nothing when they are not given.
std::optional<Value> Importer::fromParts(const std::string &name,
                                         const Expr *type, unsigned depth) {
  constexpr unsigned kMostDepth = 16;
  bool isOptional = typeHead(type) == "Optional";
  type = withoutOptional(type);
  std::string head = typeHead(type), prefix = name + ".";
  auto exact = llvm::find_if(
      options.inputs, [&](const InputSpec &spec) { return spec.name == name; });
  if (head == "Tensor" && exact != options.inputs.end())
    return addInput(name, *exact);
  bool isGiven = llvm::any_of(options.inputs, [&](const InputSpec &spec) {
    return StringRef(spec.name).starts_with(prefix);
  });
  auto nothing = [&] {
    return isOptional ? std::optional(Value()) : std::nullopt;
  };
  if (!isGiven || depth > kMostDepth)
    return nothing();
  if (head == "Tuple") {
    std::vector<Value> items;
    for (size_t i = 0; const Expr *item = typeArgument(type, i); ++i) {
      std::string part = prefix + std::to_string(i);
      auto value = numberFor(part, item, SIZE_MAX,
                             /*isRequired=*/typeHead(item) != "Optional");
      if (!value)
        value = fromParts(part, item, depth + 1);
      if (!value)
        return std::nullopt;
      items.push_back(*value);
    }
    return Value::makeTuple(std::move(items));
  }
  if (head == "List") {
    Value list = Value::makeList();
    while (auto item =
               fromParts(prefix + std::to_string(list.list().items.size()),
                         withoutOptional(typeArgument(type)), depth + 1))
      list.list().items.push_back(*item);
    return list;
  }
  if (head != "Dict")
    return nothing();
  Value dict = Value::makeDict();
  std::set<std::string> keys;
  for (const InputSpec &spec : options.inputs) {
    StringRef rest = spec.name;
    if (!rest.consume_front(prefix))
      continue;
    // The key of a tensor may have dots; that of a container ends at one.
    bool isTensor =
        typeHead(withoutOptional(typeArgument(type, 1))) == "Tensor";
    std::string key = isTensor ? rest.str() : rest.split('.').first.str();
    if (!keys.insert(key).second)
      continue;
    auto value = fromParts(prefix + key, typeArgument(type, 1), depth + 1);
    if (!value)
      return std::nullopt;
    dict.dict().items.emplace_back(Value(key), *value);
  }
  return dict;
}

std::optional<Value> Importer::argumentFor(const Parameter &parameter,
                                           size_t index,
                                           const PickleValue *example) {
  std::string name = parameter.name.str();
  std::string head = typeHead(withoutOptional(parameter.type));
  bool isTensor = head == "Tensor" || !parameter.type;
  if (isTensor)
    if (const InputSpec *spec = options.find(name, index))
      return addInput(name, *spec);
  if (auto number = numberFor(name, parameter.type, index,
                              !parameter.defaultValue &&
                                  typeHead(parameter.type) != "Optional"))
    return number;
  bool isContainer = head == "List" || head == "Dict" || head == "Tuple";
  if (example)
    if (auto value = fromExample(*example, name, 0))
      return value;
  // A container takes inputs x.0, x.1, ... as far as they are given.
  if (isContainer)
    if (auto value = fromParts(name, parameter.type, 0);
        value && !value->isNone())
      return value;
  if (parameter.defaultValue)
    if (auto value = literal(parameter.defaultValue))
      return coerced(*value, parameter.type);
  if (typeHead(parameter.type) == "Optional")
    return Value();
  auto diagnostic = emitCoded(loc, Code::MissingInput)
                    << "input '" << name << "'";
  if (isTensor)
    diagnostic << " needs an element type and a shape: --input " << name
               << ":f32[...]";
  else if (isContainer)
    diagnostic << " of type '" << head << "' needs its tensors: --input "
               << name << (head == "Dict" ? ".KEY" : ".0") << ":f32[...]";
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
    complete &= argument && !argument->is(Kind::Unknown);
    arguments.push_back(argument.value_or(Value::unknown()));
  }
  return complete;
}

/// Buffers that were written or replaced, and inputs that were written.
bool Importer::addState(Interpreter &interpreter, ParameterLoader &parameters) {
  maker.addWrittenInputs();
  std::vector<std::pair<Value, Value>> replaced = interpreter.replacedTensors();
  for (const ParameterLoader::Loaded &loaded : parameters.all()) {
    auto other = llvm::find_if(replaced, [&](const auto &entry) {
      return entry.first.tensor() == loaded.tensor;
    });
    bool isReplaced = other != replaced.end();
    if (!isReplaced && !loaded.tensor->wasWritten())
      continue;
    aten::Tensor &last = isReplaced ? *other->second.tensor() : *loaded.tensor;
    StringRef name = loaded.tensor->parameterName();
    if (last.isStale() || last.type() != loaded.tensor->type()) {
      emitCoded(loc, Code::DataDependent)
          << "buffer '" << name << "' is " << loaded.tensor->type()
          << " before a run and " << last.type()
          << " behind it, or what it holds depends on data";
      return false;
    }
    maker.addState(name, loaded.initial, last.read(maker.builder()));
  }
  return true;
}

mlir::FailureOr<mlir::OwningOpRef<mlir::ModuleOp>>
Importer::run(std::string blob) {
  aten::Session session(maker.builder());
  session.extents.decide = options.extentOfData;
  session.onDecision = options.onDecision;
  ParameterLoader parameters(archive, maker.builder(), maker.module(),
                             std::move(blob), options);
  Interpreter interpreter(archive, session, parameters);
  interpreter.tellUses(options);
  auto entry = interpreter.findEntry("forward");
  if (!entry)
    return emitCoded(loc, Code::BadSource) << llvm::toString(entry.takeError());
  if (!*entry)
    return emitCoded(loc, Code::BadSource)
           << "the model has no method 'forward'";
  bool complete = makeArguments(*entry->definition, archive.root() != nullptr);
  bool isExplicit = options.state == StateMode::Explicit;
  if (isExplicit)
    interpreter.keepTensors();
  if (!isExplicit && !maker.checkOptions(options))
    return mlir::failure();
  if (!complete) {
    // Which operators there are does not need shapes.
    if (options.onUse) {
      interpreter.survey("forward", std::move(arguments));
      (void)interpreter.finish();
    }
    return mlir::failure();
  }
  Result result = interpreter.callEntry("forward", std::move(arguments));
  if (mlir::failed(interpreter.finish()) || mlir::failed(result))
    return mlir::failure();
  if (!maker.addOutputs(*result))
    return mlir::failure();
  session.discarded.clear();
  if (isExplicit) {
    if (!addState(interpreter, parameters) || !maker.checkOptions(options))
      return mlir::failure();
  } else {
    parameters.warnOfWrites(loc);
  }
  return maker.finish();
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

mlir::FailureOr<mlir::OwningOpRef<mlir::ModuleOp>>
graven::importTorchScript(mlir::MLIRContext *context,
                          std::shared_ptr<llvm::MemoryBuffer> file,
                          ZipReader zip, const ImportOptions &options) {
  auto *dialect = context->getOrLoadDialect<GravenDialect>();
  StringRef name = file->getBufferIdentifier();
  auto archive = Archive::open(file->getBuffer(), std::move(zip));
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
