//===- Evaluate.cpp - expressions of a TorchScript program ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the evaluation of expressions other than calls: names,
// attributes, subscripts and literals.
//
//===----------------------------------------------------------------------===//

#include "frontends/aten/Complex.h"
#include "frontends/aten/Ragged.h"
#include "frontends/torchscript/Interpreter.h"

#include "llvm/ADT/ScopeExit.h"
#include "llvm/ADT/StringSwitch.h"

#include <limits>

using namespace graven;
using namespace graven::torch;
using llvm::StringRef;
using Kind = Value::Kind;

/// Calls and expressions nested deeper than this are refused; a recursive
/// program ends here.
static constexpr unsigned kMaxNesting = 1500;

static Value extensionValue(std::shared_ptr<aten::Extension> extension) {
  return Value(std::move(extension));
}

Result Interpreter::evaluate(const Expr *expr) {
  if (depth >= kMaxNesting) {
    setPlace(expr->offset);
    error(Code::UnsupportedFeature)
        << "calls are nested more than " << kMaxNesting
        << " deep, perhaps without end";
    return mlir::failure();
  }
  ++depth;
  llvm::scope_exit leave([&] { --depth; });
  return evaluateInner(expr);
}

mlir::FailureOr<std::vector<Value>>
Interpreter::evaluateAll(llvm::ArrayRef<Expr *> exprs) {
  std::vector<Value> values;
  for (const Expr *expr : exprs) {
    Result value = evaluate(expr);
    if (mlir::failed(value))
      return mlir::failure();
    values.push_back(*value);
  }
  return values;
}

Result Interpreter::evaluateInner(const Expr *expr) {
  switch (expr->kind) {
  case Expr::Kind::Int:
    return Value(expr->integer);
  case Expr::Kind::Float:
    return Value(expr->real);
  case Expr::Kind::Complex:
    return aten::ComplexTensor::number({builder(), location()}, expr->real,
                                       expr->imaginary);
  case Expr::Kind::String:
    return Value(expr->text.str());
  case Expr::Kind::True:
  case Expr::Kind::False:
    return Value(expr->is(Expr::Kind::True));
  case Expr::Kind::None:
    return Value();
  case Expr::Kind::Name:
    return evaluateName(expr);
  case Expr::Kind::Attribute:
    return evaluateAttribute(expr);
  case Expr::Kind::Call:
    return evaluateCall(expr);
  case Expr::Kind::Subscript:
    return evaluateSubscript(expr);
  case Expr::Kind::List:
  case Expr::Kind::Tuple: {
    auto items = evaluateAll(expr->operands);
    if (mlir::failed(items))
      return mlir::failure();
    return expr->is(Expr::Kind::List) ? Value::makeList(std::move(*items))
                                      : Value::makeTuple(std::move(*items));
  }
  case Expr::Kind::Dict: {
    auto items = evaluateAll(expr->operands);
    if (mlir::failed(items))
      return mlir::failure();
    Value dict = Value::makeDict();
    for (size_t i = 0; i + 1 < items->size(); i += 2)
      dict.dict().items.emplace_back((*items)[i], (*items)[i + 1]);
    return dict;
  }
  case Expr::Kind::Slice:
  case Expr::Kind::Ellipsis:
    break;
  }
  setPlace(expr->offset);
  error(Code::BadSource) << "unexpected expression";
  return mlir::failure();
}

/// Locals come first: a program may call its variables what it likes.
Result Interpreter::evaluateName(const Expr *expr) {
  auto it = frame->variables.find(expr->text);
  if (it != frame->variables.end())
    return it->second;
  if (expr->text == "inf")
    return Value(std::numeric_limits<double>::infinity());
  if (expr->text == "nan")
    return Value(std::numeric_limits<double>::quiet_NaN());
  if (const FunctionDef *function = frame->file->findFunction(expr->text)) {
    auto reference = std::make_shared<FunctionReference>();
    reference->function = {frame->file, function, expr->text.str()};
    return extensionValue(reference);
  }
  if (const ClassDef *type = frame->file->findClass(expr->text)) {
    auto reference = std::make_shared<ClassReference>();
    reference->type = {frame->file, type, expr->text.str()};
    return extensionValue(reference);
  }
  static constexpr StringRef kRoots[] = {"torch", "ops", "CONSTANTS",
                                         "__torch__"};
  if (llvm::is_contained(kRoots, expr->text))
    return extensionValue(std::make_shared<Namespace>(expr->text.str()));
  setPlace(expr->offset);
  error(Code::BadSource) << "name '" << expr->text << "' is not defined";
  return mlir::failure();
}

/// A dotted name: a function or class of the archive as soon as it is one.
Result Interpreter::resolve(const std::string &path) {
  StringRef module = StringRef(path).rsplit('.').first;
  if (StringRef(path).starts_with("__torch__.") && archive.hasModule(module)) {
    auto type = archive.findClass(path);
    auto function = archive.findFunction(path);
    if (!type || !function) {
      std::string message = llvm::toString(
          llvm::joinErrors(type.takeError(), function.takeError()));
      error(Code::BadSource) << message;
      return mlir::failure();
    }
    if (*type) {
      auto reference = std::make_shared<ClassReference>();
      reference->type = *type;
      return extensionValue(reference);
    }
    if (*function) {
      auto reference = std::make_shared<FunctionReference>();
      reference->function = *function;
      return extensionValue(reference);
    }
  }
  return extensionValue(std::make_shared<Namespace>(path));
}

Result Interpreter::evaluateAttribute(const Expr *expr) {
  Result base = evaluate(expr->operands[0]);
  if (mlir::failed(base))
    return base;
  setPlace(expr->offset);
  return attribute(*base, expr->text);
}

Result Interpreter::attribute(const Value &base, StringRef name) {
  if (base.is(Kind::Unknown))
    return base;
  if (auto *space = extensionIn<Namespace>(base)) {
    if (space->path == "CONSTANTS")
      return constant(name);
    return resolve(space->path + "." + name.str());
  }
  if (auto *object = extensionIn<Object>(base))
    return objectAttribute(*object, name);
  if (auto *reference = extensionIn<ClassReference>(base)) {
    const ClassDef &definition = *reference->type.definition;
    const AttributeDecl *member = definition.attribute(name);
    if (definition.base == "Enum" && member && member->value) {
      auto result = std::make_shared<EnumMember>();
      result->type = reference->type.qualifiedName;
      result->name = name.str();
      Result value = evaluate(member->value);
      if (mlir::failed(value))
        return value;
      result->value = *value;
      return extensionValue(result);
    }
  }
  if (auto *member = extensionIn<EnumMember>(base)) {
    if (name == "value")
      return member->value;
    if (name == "name")
      return Value(member->name);
  }
  if (base.is(Kind::Tuple))
    for (auto [i, field] : llvm::enumerate(base.tuple().fields))
      if (field == name)
        return base.tuple().items[i];
  error(Code::BadSource) << base.typeName() << " has no attribute '" << name
                         << "'";
  return mlir::failure();
}

//===----------------------------------------------------------------------===//
// Subscripts
//===----------------------------------------------------------------------===//

/// Python's slice of a list or tuple.
static std::vector<Value> sliceItems(const std::vector<Value> &items,
                                     int64_t start, int64_t end) {
  SliceBounds bounds = resolveSlice(items.size(), start, end, 1);
  return {items.begin() + bounds.start,
          items.begin() + bounds.start + bounds.extent};
}

Result Interpreter::evaluateSubscript(const Expr *expr) {
  Result base = evaluate(expr->operands[0]);
  if (mlir::failed(base))
    return base;
  const Expr *index = expr->operands[1];
  if (index->is(Expr::Kind::Slice)) {
    Value given[2] = {Value(int64_t(0)), Value(INT64_MAX)};
    for (int i = 0; i < 2; ++i) {
      if (!index->operands[i])
        continue;
      Result value = evaluate(index->operands[i]);
      if (mlir::failed(value))
        return value;
      given[i] = *value;
    }
    setPlace(expr->offset);
    if (base->is(Kind::Unknown))
      return base;
    if (base->is(Kind::Tensor)) {
      CallArguments call;
      call.positional = {*base, Value(int64_t(0)), given[0], given[1]};
      return callOperator("aten::slice", std::move(call));
    }
    int64_t bounds[2];
    for (int i = 0; i < 2; ++i) {
      Result number = scalar(given[i]);
      if (mlir::failed(number) || !number->is(Kind::Int))
        return mlir::failure();
      bounds[i] = number->integer();
    }
    if (base->is(Kind::List))
      return Value::makeList(
          sliceItems(base->list().items, bounds[0], bounds[1]));
    if (base->is(Kind::Tuple))
      return Value::makeTuple(
          sliceItems(base->tuple().items, bounds[0], bounds[1]));
    error(Code::BadSource) << "cannot slice " << base->typeName();
    return mlir::failure();
  }
  Result key = evaluate(index);
  if (mlir::failed(key))
    return key;
  setPlace(expr->offset);
  if (base->is(Kind::Tensor) || aten::Ragged::in(*base) ||
      aten::ComplexTensor::in(*base)) {
    CallArguments call;
    call.positional = {*base, Value(int64_t(0)), *key};
    return callOperator("aten::select", std::move(call));
  }
  CallArguments call;
  call.positional = {*base, *key};
  return callOperator("aten::__getitem__", std::move(call));
}
