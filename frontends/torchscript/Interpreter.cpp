//===- Interpreter.cpp - walks a TorchScript program ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the statements of the interpreter, and what it reports.
// When an operation cannot be imported its result is Unknown and the walk goes
// on, through both branches of conditions on it, to find all problems at once.
//
//===----------------------------------------------------------------------===//

#include "frontends/torchscript/Interpreter.h"

#include "frontends/torchscript/Types.h"

#include "mlir/IR/Diagnostics.h"

using namespace graven;
using namespace graven::torch;
using llvm::StringRef;
using Kind = Value::Kind;

/// Iterations of one loop, and statements of one import.
static constexpr int64_t kMaxIterations = 10000;
static constexpr uint64_t kMaxSteps = 5000000;

Interpreter::Interpreter(Archive &archive, aten::Session &session,
                         ParameterLoader &parameters)
    : archive(archive), session(session), parameters(parameters),
      current(session.builder.getUnknownLoc()) {}

void Interpreter::setPlace(uint32_t offset) {
  mlir::MLIRContext *context = session.builder.getContext();
  auto place = [&](StringRef file, unsigned line, unsigned column) {
    return mlir::FileLineColLoc::get(context, file, line, column);
  };
  if (auto python = archive.pythonLine(*frame->file, offset)) {
    current = place(python->file, python->line, 1);
  } else {
    LineColumn at = frame->file->place(offset);
    current = place(frame->file->record(), at.line, at.column);
  }
  if (!frame->path.empty())
    current = mlir::NameLoc::get(mlir::StringAttr::get(context, frame->path),
                                 current);
}

mlir::InFlightDiagnostic Interpreter::error(Code code) {
  reported.failed = true;
  return emitCoded(current, code);
}

std::vector<std::pair<Value, Value>> Interpreter::replacedTensors() const {
  std::vector<std::pair<Value, Value>> result;
  for (const auto &[holder, before] : setAttributes) {
    Value now = holder.get().front();
    if (before.is(Kind::Tensor) && now.is(Kind::Tensor) && !before.isSame(now))
      result.emplace_back(before, now);
  }
  return result;
}

void Interpreter::survey(StringRef entry, std::vector<Value> arguments) {
  // What goes wrong may go wrong because an argument is not known.
  mlir::ScopedDiagnosticHandler quiet(
      builder().getContext(),
      [](mlir::Diagnostic &) { return mlir::success(); });
  reported.failed = true;
  (void)callEntry(entry, std::move(arguments));
}

mlir::LogicalResult Interpreter::finish() {
  reported.unsupported.report();
  return mlir::success(!hasFailed());
}

//===----------------------------------------------------------------------===//
// What depends on data
//===----------------------------------------------------------------------===//

static constexpr StringRef kStale =
    "a tensor is read that, depending on data, shares its storage with one "
    "that was written";

mlir::Value Interpreter::read(const Value &tensor) {
  if (tensor.tensor()->isStale())
    error(Code::DataDependent) << kStale;
  return tensor.tensor()->read(session.builder);
}

bool Interpreter::hasStale(const CallArguments &arguments) {
  bool found = false;
  llvm::DenseSet<const void *> seen;
  auto look = [&](const Value &value) {
    found |= value.is(Kind::Tensor) && value.tensor()->isStale();
  };
  for (const Value &value : arguments.positional)
    forEachValue(value, look, seen);
  for (const auto &keyword : arguments.keywords)
    forEachValue(keyword.second, look, seen);
  if (found)
    error(Code::DataDependent) << kStale;
  return found;
}

bool Interpreter::wasThereBefore(const Value &value) const {
  const void *address = identity(value);
  const Object *object = extensionIn<Object>(value);
  return address && ((object && object->state) ||
                     (outside && outside->contains(address)) ||
                     loadedContainers.contains(address));
}

void Interpreter::noteChange(const Holder &holder) {
  if (journal && wasThereBefore(holder.value) && !journal->has(holder))
    journal->holders.emplace_back(holder, holder.get());
}

mlir::LogicalResult Interpreter::raise(const llvm::Twine &message) {
  if (openConditions) {
    raisesOpenly = true;
    return mlir::failure();
  }
  if (!journal) {
    error(Code::ModelRaises) << message;
    return mlir::failure();
  }
  raised = true;
  if (reported.raises.insert(current).second)
    mlir::emitWarning(current)
        << message
        << "; this depends on data, and the compiled model takes it "
           "that it does not happen";
  return mlir::failure();
}

//===----------------------------------------------------------------------===//
// Known values
//===----------------------------------------------------------------------===//

Value Interpreter::knownScalar(const Value &value) {
  if (value.isNumber() || value.is(Kind::Bool))
    return value;
  if (!value.is(Kind::Tensor))
    return Value();
  return constants().evaluateScalar(read(value)).value_or(Value());
}

Result Interpreter::scalar(const Value &value) {
  Value known = knownScalar(value);
  if (!known.isNone() || value.is(Kind::Unknown))
    return value.is(Kind::Unknown) ? value : known;
  if (value.is(Kind::Tensor))
    error(Code::DataDependent)
        << "a number is taken from a tensor that is only known at run time";
  else
    error(Code::BadSource) << "expected a number, got " << value.typeName();
  return mlir::failure();
}

mlir::FailureOr<bool> Interpreter::truth(const Value &value) {
  Value known = knownScalar(value);
  if (!known.isNone())
    return known.is(Kind::Float) ? known.number() != 0
           : known.is(Kind::Int) ? known.integer() != 0
                                 : known.boolean();
  if (value.is(Kind::Tensor))
    error(Code::DataDependent)
        << "a condition depends on a tensor that is only known at run time";
  else
    error(Code::BadSource) << "expected a condition, got " << value.typeName();
  return mlir::failure();
}

//===----------------------------------------------------------------------===//
// Statements
//===----------------------------------------------------------------------===//

bool Interpreter::countStep() {
  if (++steps <= kMaxSteps)
    return true;
  error(Code::UnsupportedFeature)
      << "the program runs more than " << kMaxSteps << " statements";
  return false;
}

/// Whether a context is an enabled torch.autocast("cpu").
static bool isAutocastForCpu(const Value &context) {
  const Object *object = extensionIn<Object>(context);
  if (!object || object->type.definition->name != "autocast")
    return false;
  Value device = object->attributes.lookup("device"),
        enabled = object->attributes.lookup("_enabled");
  return device.is(Kind::String) && device.string() == "cpu" &&
         enabled.is(Kind::Bool) && enabled.boolean();
}

Interpreter::Flow Interpreter::runBody(const Body &body) {
  for (const Statement *statement : body) {
    if (!countStep())
      return Flow::Failed;
    if (Flow flow = runStatement(*statement); flow != Flow::Next)
      return flow;
  }
  return Flow::Next;
}

Interpreter::Flow Interpreter::runOpenly(const Body &body) {
  ++openConditions;
  Flow flow = runBody(body);
  --openConditions;
  if (flow == Flow::Failed && raisesOpenly) {
    raisesOpenly = false;
    return Flow::Next;
  }
  return flow;
}

Interpreter::Flow Interpreter::runIf(const Statement &statement) {
  Result condition = evaluate(statement.values[0]);
  if (mlir::failed(condition))
    return Flow::Failed;
  if (condition->is(Kind::Unknown)) {
    // An operation failed before: look for further problems on both sides.
    if (Flow flow = runOpenly(statement.body); flow == Flow::Failed)
      return flow;
    return runOpenly(statement.orelse);
  }
  setPlace(statement.offset);
  if (condition->is(Kind::Tensor) && knownScalar(*condition).isNone() &&
      condition->tensor()->type().getNumElements() == 1) {
    aten::Emitter emitter(builder(), current);
    return runBranches(statement,
                       emitter.reshape(emitter.toBool(read(*condition)), {}));
  }
  mlir::FailureOr<bool> taken = truth(*condition);
  if (mlir::failed(taken))
    return Flow::Failed;
  return runBody(*taken ? statement.body : statement.orelse);
}

Interpreter::Flow Interpreter::runFor(const Statement &statement) {
  Result range = evaluate(statement.values[0]);
  if (mlir::failed(range))
    return Flow::Failed;
  setPlace(statement.offset);
  if (range->is(Kind::Unknown)) {
    frame->variables[statement.targets[0]] = *range;
    return runBody(statement.body);
  }
  if (extensionIn<RunTimeRange>(*range))
    return runLoop(statement, *range, {});
  if (!range->items()) {
    error(Code::BadSource) << "cannot iterate over " << range->typeName();
    return Flow::Failed;
  }
  // The list may be changed by the body.
  std::vector<Value> items = *range->items();
  for (const Value &item : items) {
    frame->variables[statement.targets[0]] = item;
    if (Flow flow = runBody(statement.body); flow != Flow::Next)
      return flow;
  }
  return Flow::Next;
}

Interpreter::Flow Interpreter::runWhile(const Statement &statement) {
  for (int64_t i = 0; i < kMaxIterations; ++i) {
    Result condition = evaluate(statement.values[0]);
    if (mlir::failed(condition))
      return Flow::Failed;
    if (condition->is(Kind::Unknown))
      return runBody(statement.body);
    setPlace(statement.offset);
    if (condition->is(Kind::Tensor) && knownScalar(*condition).isNone() &&
        condition->tensor()->type().getNumElements() == 1) {
      aten::Emitter emitter(builder(), current);
      return runLoop(statement, Value(),
                     emitter.reshape(emitter.toBool(read(*condition)), {}));
    }
    mlir::FailureOr<bool> again = truth(*condition);
    if (mlir::failed(again))
      return Flow::Failed;
    if (!*again)
      return Flow::Next;
    if (Flow flow = runBody(statement.body); flow != Flow::Next)
      return flow;
  }
  setPlace(statement.offset);
  error(Code::UnsupportedFeature)
      << "a loop runs more than " << kMaxIterations << " times";
  return Flow::Failed;
}

Interpreter::Flow Interpreter::runAssign(const Statement &statement) {
  auto values = evaluateAll(statement.values);
  if (mlir::failed(values))
    return Flow::Failed;
  auto &variables = frame->variables;
  if (statement.kind != Statement::Kind::Unpack) {
    for (auto [target, value] : llvm::zip(statement.targets, *values))
      variables[target] = coerced(value, statement.type);
    return Flow::Next;
  }
  const Value &value = values->front();
  size_t count = statement.targets.size();
  if (value.is(Kind::Unknown)) {
    for (StringRef target : statement.targets)
      variables[target] = value;
    return Flow::Next;
  }
  const std::vector<Value> *items = value.items();
  if (!items || items->size() != count) {
    setPlace(statement.offset);
    auto diagnostic = error(Code::BadSource)
                      << "cannot unpack " << value.typeName();
    if (items)
      diagnostic << " of " << items->size() << " values";
    diagnostic << " into " << count << " names";
    return Flow::Failed;
  }
  std::vector<Value> copies = *items;
  for (auto [target, item] : llvm::zip(statement.targets, copies))
    variables[target] = item;
  return Flow::Next;
}

Interpreter::Flow Interpreter::runSetAttribute(const Statement &statement) {
  Result base = evaluate(statement.values[0]);
  Result value = mlir::failed(base) ? base : evaluate(statement.values[1]);
  if (mlir::failed(value))
    return Flow::Failed;
  Object *object = extensionIn<Object>(*base);
  if (!object) {
    setPlace(statement.offset);
    error(Code::BadSource) << "cannot set an attribute of " << base->typeName();
    return Flow::Failed;
  }
  if (journal && wasThereBefore(*base)) {
    // What it was before is read from the file if nobody did so yet.
    setPlace(statement.offset);
    if (!object->attributes.count(statement.name) &&
        mlir::failed(objectAttribute(*object, statement.name)))
      return Flow::Failed;
    noteChange(Holder{*base, statement.name.str()});
  }
  Holder holder{*base, statement.name.str()};
  if (object->state && llvm::none_of(setAttributes, [&](const auto &entry) {
        return entry.first.isSame(holder);
      })) {
    Result old = objectAttribute(*object, statement.name);
    if (mlir::failed(old))
      return Flow::Failed;
    setAttributes.emplace_back(holder, *old);
  }
  object->attributes[statement.name] = *value;
  if (object->state && !(keepsTensors && value->is(Kind::Tensor))) {
    setPlace(statement.offset);
    mlir::emitWarning(current)
        << "the model sets its attribute '" << statement.name
        << "', which the compiled model does not keep between runs";
  }
  return Flow::Next;
}

Interpreter::Flow Interpreter::runStatement(const Statement &statement) {
  switch (statement.kind) {
  case Statement::Kind::Pass:
    return Flow::Next;
  case Statement::Kind::Assign:
  case Statement::Kind::Unpack:
  case Statement::Kind::Annotated:
    return runAssign(statement);
  case Statement::Kind::SetAttribute:
    return runSetAttribute(statement);
  case Statement::Kind::Expression:
    return mlir::failed(evaluate(statement.values[0])) ? Flow::Failed
                                                       : Flow::Next;
  case Statement::Kind::If:
    return runIf(statement);
  case Statement::Kind::For:
    return runFor(statement);
  case Statement::Kind::While:
    return runWhile(statement);
  case Statement::Kind::With: {
    // Contexts such as no_grad change nothing in a graph for inference.
    Result context = evaluate(statement.values[0]);
    if (mlir::failed(context))
      return Flow::Failed;
    if (isAutocastForCpu(*context)) {
      error(Code::UnsupportedFeature)
          << "torch.autocast in a script: which operators compute in another "
             "precision is not written in it; a trace and an export say it";
      return Flow::Failed;
    }
    for (StringRef target : statement.targets)
      frame->variables[target] = *context;
    return runBody(statement.body);
  }
  case Statement::Kind::Function: {
    auto closure = std::make_shared<Closure>();
    closure->function = {frame->file, statement.function,
                         statement.function->name.str()};
    closure->variables = frame->variables;
    frame->variables[statement.function->name] =
        Value(std::shared_ptr<aten::Extension>(closure));
    return Flow::Next;
  }
  case Statement::Kind::Return: {
    auto values = evaluateAll(statement.values);
    if (mlir::failed(values))
      return Flow::Failed;
    frame->returned = values->size() == 1 ? values->front()
                      : values->empty()   ? Value()
                                          : Value::makeTuple(*values);
    return Flow::Return;
  }
  }
  return Flow::Failed;
}

//===----------------------------------------------------------------------===//
// Entry
//===----------------------------------------------------------------------===//

llvm::Expected<DefinedFunction> Interpreter::findEntry(StringRef name) {
  if (!archive.root())
    return archive.findFunction(("__torch__." + name).str());
  auto type = archive.findClass(archive.root()->text);
  if (!type)
    return type.takeError();
  const FunctionDef *method = *type ? type->definition->method(name) : nullptr;
  return DefinedFunction{type->file, method, type->qualifiedName};
}

Result Interpreter::callEntry(StringRef name, std::vector<Value> arguments) {
  auto entry = findEntry(name);
  if (!entry || !*entry) {
    llvm::consumeError(entry ? llvm::Error::success() : entry.takeError());
    error(Code::BadSource) << "the model has no method '" << name << "'";
    return mlir::failure();
  }
  Frame outer{entry->file, "", {}, {}};
  frame = &outer;
  setPlace(entry->definition->offset);
  CallArguments call;
  call.positional = std::move(arguments);
  Result result = mlir::failure();
  if (!archive.root()) {
    result = callFunction(*entry, call, "");
  } else {
    Result root = loadObject(archive.root(), "", "data");
    result = mlir::failed(root) ? root : callMethod(*root, name, call);
  }
  frame = nullptr;
  CallArguments given;
  if (mlir::succeeded(result))
    given.positional = {*result};
  if (hasStale(given))
    return mlir::failure();
  return result;
}
