//===- Calls.cpp - calls of a TorchScript program ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements calls: of functions and methods, which are walked in
// place; of the language's own forms; and of operators, which are evaluated
// when all is known and become Nodes otherwise.
//
//===----------------------------------------------------------------------===//

#include "frontends/torchscript/Interpreter.h"

#include "frontends/torchscript/LibraryFunctions.h"
#include "frontends/torchscript/Quantized.h"
#include "frontends/torchscript/RaggedBuiltins.h"
#include "frontends/torchscript/Types.h"

#include "llvm/ADT/ScopeExit.h"

using namespace graven;
using namespace graven::torch;
using llvm::StringRef;
using Kind = Value::Kind;

/// Calls within calls; each takes several C++ frames.
static constexpr unsigned kCallWeight = 4;

mlir::FailureOr<CallArguments>
Interpreter::evaluateArguments(const Expr *call) {
  CallArguments arguments;
  auto positional = evaluateAll(llvm::ArrayRef(call->operands).drop_front());
  if (mlir::failed(positional))
    return mlir::failure();
  arguments.positional = std::move(*positional);
  for (const Expr::Keyword &keyword : call->keywords) {
    Result value = evaluate(keyword.value);
    if (mlir::failed(value))
      return mlir::failure();
    arguments.keywords.emplace_back(keyword.name.str(), *value);
  }
  return arguments;
}

/// annotate(T, e) converts tensors to numbers where T asks for one.
Result Interpreter::annotated(const Value &value, const Expr *type) {
  std::string head = typeHead(type);
  bool isNumber =
      head == "int" || head == "float" || head == "number" || head == "bool";
  if (value.is(Kind::Tensor) && isNumber) {
    if (knownScalar(value).isNone()) {
      CallArguments call;
      call.positional = {value};
      return callOperator(head == "int"     ? "aten::Int"
                          : head == "float" ? "aten::Float"
                          : head == "bool"  ? "aten::Bool"
                                            : "aten::item",
                          std::move(call));
    }
    Result number = scalar(value);
    if (mlir::failed(number))
      return number;
    if (head == "int" && !number->is(Kind::Int))
      return Value(static_cast<int64_t>(number->number()));
    return head == "float" ? Value(number->number()) : *number;
  }
  return coerced(value, type);
}

mlir::FailureOr<std::optional<Value>>
Interpreter::callSpecial(StringRef name, const Expr *call) {
  using Given = mlir::FailureOr<std::optional<Value>>;
  size_t count = call->operands.size() - 1;
  auto give = [](Result result) -> Given {
    if (mlir::failed(result))
      return mlir::failure();
    return std::optional<Value>(*result);
  };
  if ((name == "annotate" || name == "unchecked_cast") && count == 2) {
    Result value = evaluate(call->operands[2]);
    setPlace(call->offset);
    return give(mlir::failed(value) ? value
                                    : annotated(*value, call->operands[1]));
  }
  if (name == "uninitialized")
    return std::optional<Value>(Value(
        std::shared_ptr<aten::Extension>(std::make_shared<Uninitialized>())));
  if (name == "isinstance" && count == 2) {
    Result value = evaluate(call->operands[1]);
    if (mlir::failed(value))
      return mlir::failure();
    return std::optional<Value>(Value(isInstance(*value, call->operands[2])));
  }
  if (name == "getattr" && count == 2 &&
      call->operands[2]->is(Expr::Kind::String)) {
    Result base = evaluate(call->operands[1]);
    setPlace(call->offset);
    return give(mlir::failed(base) ? base
                                   : attribute(*base, call->operands[2]->text));
  }
  if (name == "fork" && count >= 1) {
    // The result of the fork stands for the future; wait() is the identity.
    Result callee = evaluate(call->operands[1]);
    if (mlir::failed(callee))
      return mlir::failure();
    return give(callValue(*callee, {}));
  }
  static constexpr std::pair<StringRef, StringRef> kBuiltins[] = {
      {"int", "aten::Int"},     {"float", "aten::Float"},
      {"bool", "aten::Bool"},   {"str", "aten::str"},
      {"range", "prim::range"}, {"len", "aten::len"},
      {"min", "prim::min"},     {"max", "prim::max"},
      {"abs", "prim::abs"},     {"sorted", "aten::sorted"},
      {"print", "prim::Print"}};
  for (auto [plain, operation] : kBuiltins)
    if (name == plain) {
      auto arguments = evaluateArguments(call);
      if (mlir::failed(arguments))
        return mlir::failure();
      setPlace(call->offset);
      return give(callOperator(operation, std::move(*arguments)));
    }
  return std::optional<Value>();
}

Result Interpreter::evaluateCall(const Expr *expr) {
  const Expr *callee = expr->operands[0];
  if (callee->is(Expr::Kind::Name) && !frame->variables.count(callee->text)) {
    auto given = callSpecial(callee->text, expr);
    if (mlir::failed(given))
      return mlir::failure();
    if (*given)
      return **given;
  }
  if (!callee->is(Expr::Kind::Attribute)) {
    Result function = evaluate(callee);
    if (mlir::failed(function))
      return function;
    auto arguments = evaluateArguments(expr);
    if (mlir::failed(arguments))
      return mlir::failure();
    setPlace(expr->offset);
    return callValue(*function, std::move(*arguments));
  }
  Result base = evaluate(callee->operands[0]);
  if (mlir::failed(base))
    return base;
  auto arguments = evaluateArguments(expr);
  if (mlir::failed(arguments))
    return mlir::failure();
  setPlace(expr->offset);
  auto *space = extensionIn<Namespace>(*base);
  if (!space)
    return callMethod(*base, callee->text, std::move(*arguments));
  // torch.f is aten::f, ops.ns.f is ns::f.
  StringRef path = space->path;
  if (path == "torch" || path == "torch.autograd")
    return callOperator(("aten::" + callee->text).str(), std::move(*arguments));
  if (path.consume_front("ops."))
    return callOperator((path + "::" + callee->text).str(),
                        std::move(*arguments));
  Result function = resolve(space->path + "." + callee->text.str());
  return mlir::failed(function) ? function
                                : callValue(*function, std::move(*arguments));
}

Result Interpreter::callValue(const Value &callee, CallArguments arguments) {
  if (callee.is(Kind::Unknown))
    return callee;
  if (auto *reference = extensionIn<FunctionReference>(callee))
    return callFunction(reference->function, std::move(arguments), frame->path);
  if (auto *closure = extensionIn<Closure>(callee))
    return callFunction(closure->function, std::move(arguments), frame->path,
                        closure->variables);
  if (auto *reference = extensionIn<ClassReference>(callee))
    return construct(reference->type, std::move(arguments));
  if (auto *space = extensionIn<Namespace>(callee))
    error(Code::BadSource) << "'" << space->path << "' is not defined";
  else
    error(Code::BadSource) << callee.typeName() << " is not callable";
  return mlir::failure();
}

Result Interpreter::construct(const DefinedClass &type,
                              CallArguments arguments) {
  const ClassDef &definition = *type.definition;
  if (definition.base == "NamedTuple") {
    auto tuple = std::make_shared<aten::Tuple>();
    tuple->items = std::move(arguments.positional);
    for (const AttributeDecl &attribute : definition.attributes)
      tuple->fields.push_back(attribute.name.str());
    for (auto &[name, value] : arguments.keywords)
      tuple->items.push_back(value);
    if (tuple->items.size() == tuple->fields.size())
      return Value(tuple);
    error(Code::BadSource) << "'" << type.qualifiedName << "' has "
                           << tuple->fields.size() << " fields, got "
                           << tuple->items.size() << " values";
    return mlir::failure();
  }
  auto object = std::make_shared<Object>();
  object->type = type;
  object->path = frame->path;
  Value value{std::shared_ptr<aten::Extension>(object)};
  if (!definition.method("__init__"))
    return value;
  Result done = callMethod(value, "__init__", std::move(arguments));
  return mlir::failed(done) ? done : Result(value);
}

/// What is a tensor to the program: its methods are operators.
static bool isTensorLike(const Value &value) {
  return extensionIn<QuantizedTensor>(value) || aten::Ragged::in(value) ||
         aten::ComplexTensor::in(value);
}

Result Interpreter::callMethod(const Value &base, StringRef name,
                               CallArguments arguments) {
  if (base.is(Kind::Unknown))
    return base;
  if (auto *reference = extensionIn<ClassReference>(base))
    if (name == "__new__") {
      auto object = std::make_shared<Object>();
      object->type = reference->type;
      object->path = frame->path;
      return Value(std::shared_ptr<aten::Extension>(object));
    }
  Object *object = extensionIn<Object>(base);
  if (!object) {
    // x.tolist(), x.relu(): the operator of that name.
    if (auto *weights = extensionIn<PackedWeights>(base);
        weights && name == "unpack")
      return weights->unpacked();
    if (base.is(Kind::Extension) && !isTensorLike(base)) {
      Result callee = attribute(base, name);
      return mlir::failed(callee) ? callee
                                  : callValue(*callee, std::move(arguments));
    }
    arguments.positional.insert(arguments.positional.begin(), base);
    return callOperator(("aten::" + name).str(), std::move(arguments));
  }
  const ClassDef &definition = *object->type.definition;
  const FunctionDef *method = definition.method(name);
  if (!method) {
    error(Code::BadSource) << "class '" << object->type.qualifiedName
                           << "' has no method '" << name << "'";
    return mlir::failure();
  }
  if (name == "forward" && (!definition.forwardHooks.empty() ||
                            !definition.forwardPreHooks.empty())) {
    error(Code::UnsupportedFeature)
        << "class '" << object->type.qualifiedName << "' has forward hooks";
    return mlir::failure();
  }
  std::string path = object->path;
  arguments.positional.insert(arguments.positional.begin(), base);
  return callFunction({object->type.file, method,
                       object->type.qualifiedName + "." + name.str()},
                      std::move(arguments), path);
}

Result Interpreter::callFunction(const DefinedFunction &function,
                                 CallArguments arguments, StringRef path,
                                 llvm::StringMap<Value> variables) {
  const FunctionDef &definition = *function.definition;
  if (StringRef operation = libraryOperator(function.qualifiedName, definition);
      !operation.empty())
    return callOperator(operation, std::move(arguments));
  Frame inner{function.file, path.str(), std::move(variables), {}, &definition};
  size_t next = 0;
  for (const Parameter &parameter : definition.parameters) {
    Value value;
    auto keyword = llvm::find_if(arguments.keywords, [&](const auto &k) {
      return k.first == parameter.name;
    });
    if (next < arguments.positional.size()) {
      value = arguments.positional[next++];
    } else if (keyword != arguments.keywords.end()) {
      value = keyword->second;
    } else if (parameter.defaultValue) {
      Result given = evaluate(parameter.defaultValue);
      if (mlir::failed(given))
        return given;
      value = *given;
    } else {
      error(Code::BadSource)
          << "call of '" << function.qualifiedName << "' lacks the argument '"
          << parameter.name << "'";
      return mlir::failure();
    }
    inner.variables[parameter.name] = coerced(value, parameter.type);
  }
  if (next < arguments.positional.size()) {
    error(Code::BadSource) << "call of '" << function.qualifiedName << "' has "
                           << arguments.positional.size()
                           << " arguments, expected "
                           << definition.parameters.size();
    return mlir::failure();
  }
  Frame *outer = std::exchange(frame, &inner);
  mlir::Location place = current;
  depth += kCallWeight;
  llvm::scope_exit leave([&] {
    frame = outer;
    current = place;
    depth -= kCallWeight;
  });
  if (runBody(definition.body) == Flow::Failed)
    return mlir::failure();
  return coerced(inner.returned, definition.returnType);
}

//===----------------------------------------------------------------------===//
// Operators
//===----------------------------------------------------------------------===//

static bool hasUnknown(const CallArguments &call) {
  return llvm::any_of(call.positional,
                      [](const Value &v) { return v.hasUnknown(); }) ||
         llvm::any_of(call.keywords,
                      [](const auto &k) { return k.second.hasUnknown(); });
}

/// Builtins that store or drop their arguments.
static bool takesUnknown(StringRef name) {
  static constexpr StringRef kNames[] = {
      "aten::append", "aten::insert",        "aten::_set_item",
      "aten::extend", "aten::warn",          "aten::len",
      "prim::Print",  "prim::RaiseException"};
  return llvm::is_contained(kNames, name);
}

/// Below version 4, division of integers truncated.
static bool dividesOldIntegers(unsigned version, StringRef name,
                               const CallArguments &call) {
  if (version >= 4 || (name != "aten::div" && name != "aten::div_"))
    return false;
  return call.keywords.empty() &&
         llvm::all_of(call.positional, [](const Value &v) {
           return v.is(Kind::Int) || (v.is(Kind::Tensor) &&
                                      !mlir::isa<mlir::FloatType>(
                                          v.tensor()->type().getElementType()));
         });
}

Result Interpreter::callOperator(StringRef name, CallArguments arguments) {
  bool isUnknown = hasUnknown(arguments);
  if (hasStale(arguments))
    return mlir::failure();
  if (!isUnknown) {
    aten::noteDecision(session, name.rsplit("::").second, arguments.positional);
    auto given = callOnNumbers(name, arguments);
    if (mlir::failed(given))
      return mlir::failure();
    if (*given)
      return **given;
    for (auto call : {callQuantized, callRagged, callComplex}) {
      given = call(*this, name, arguments);
      if (mlir::failed(given))
        return mlir::failure();
      if (*given)
        return **given;
    }
  }
  Builtin builtin = findBuiltin(name);
  if (builtin && (!isUnknown || takesUnknown(name))) {
    auto given = builtin(*this, arguments);
    if (mlir::failed(given))
      return mlir::failure();
    if (*given)
      return **given;
  }
  // An out argument is written with what the plain form gives.
  Value out;
  llvm::erase_if(arguments.keywords, [&](const auto &keyword) {
    if (keyword.first == "out")
      out = keyword.second;
    return keyword.first == "out";
  });
  bool isKnown = session.table.find(name) || (builtin && isUnknown);
  if (options)
    options->noteUse(name, isKnown);
  if (!isKnown) {
    reported.unsupported.add(name, current);
    return Value::unknown();
  }
  if (isUnknown) {
    if (!hasFailed())
      error(Code::UnsupportedFeature)
          << name << ": a result of an operation that is not computed";
    return Value::unknown();
  }
  if (dividesOldIntegers(archive.version(), name, arguments))
    arguments.keywords.emplace_back("rounding_mode",
                                    Value(std::string("trunc")));
  auto match = session.schemas.resolve(name, arguments);
  if (!match) {
    auto diagnostic = error(Code::UnsupportedFeature)
                      << name << ": no overload takes (";
    for (auto [i, value] : llvm::enumerate(arguments.positional))
      diagnostic << (i ? ", " : "") << value.typeName();
    for (auto &[key, value] : arguments.keywords)
      diagnostic << ", " << key << "=" << value.typeName();
    diagnostic << ")";
    return Value::unknown();
  }
  llvm::SmallVector<Value> results;
  if (mlir::failed(aten::run(session, current, *match->schema, match->arguments,
                             results))) {
    reported.failed = true;
    return Value::unknown();
  }
  if (out.is(Kind::Tensor) && !results.empty() &&
      results.front().is(Kind::Tensor)) {
    CallArguments copy;
    copy.positional = {out, results.front()};
    return callOperator("aten::copy_", std::move(copy));
  }
  if (results.size() == 1)
    return results.front();
  if (results.empty())
    return Value();
  return Value::makeTuple(std::vector<Value>(results.begin(), results.end()));
}
