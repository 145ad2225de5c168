//===- Types.cpp - TorchScript types against values ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the questions about types. Type expressions are syntax
// trees, whose height the parser bounds, so recursion is safe.
//
//===----------------------------------------------------------------------===//

#include "frontends/torchscript/Types.h"

#include "frontends/aten/Complex.h"
#include "frontends/aten/Ragged.h"
#include "frontends/torchscript/Quantized.h"

#include "llvm/ADT/STLExtras.h"

using namespace graven::torch;
using namespace graven::aten;
using Kind = Value::Kind;

std::string graven::torch::typeHead(const Expr *type) {
  if (!type)
    return "";
  switch (type->kind) {
  case Expr::Kind::Name:
  case Expr::Kind::None:
    return type->text.str();
  case Expr::Kind::Attribute: {
    std::string base = typeHead(type->operands[0]);
    return base.empty() ? "" : base + "." + type->text.str();
  }
  case Expr::Kind::Subscript:
    return typeHead(type->operands[0]);
  default:
    return "";
  }
}

const Expr *graven::torch::typeArgument(const Expr *type, size_t index) {
  if (!type || !type->is(Expr::Kind::Subscript))
    return nullptr;
  const Expr *inner = type->operands[1];
  if (!inner->is(Expr::Kind::Tuple))
    return index == 0 ? inner : nullptr;
  return index < inner->operands.size() ? inner->operands[index] : nullptr;
}

const Expr *graven::torch::withoutOptional(const Expr *type) {
  while (type) {
    std::string head = typeHead(type);
    if (head != "Optional" && head != "Final")
      break;
    type = typeArgument(type);
  }
  return type;
}

static bool allItems(const Value &value, const Expr *type) {
  return !type || llvm::all_of(*value.items(), [&](const Value &item) {
    return isInstance(item, type);
  });
}

bool graven::torch::isInstance(const Value &value, const Expr *type) {
  if (!type)
    return false;
  // A parenthesised list of alternatives.
  if (type->is(Expr::Kind::Tuple) || type->is(Expr::Kind::List))
    return llvm::any_of(type->operands, [&](const Expr *alternative) {
      return isInstance(value, alternative);
    });
  std::string head = typeHead(type);
  if (head == "Any")
    return true;
  if (head == "Optional")
    return value.isNone() || isInstance(value, typeArgument(type));
  if (head == "Union") {
    for (size_t i = 0; const Expr *argument = typeArgument(type, i); ++i)
      if (isInstance(value, argument))
        return true;
    return false;
  }
  switch (value.kind()) {
  case Kind::None:
    return head == "None" || head == "NoneType";
  case Kind::Bool:
    return head == "bool";
  case Kind::Int:
    return head == "int" || head == "number";
  case Kind::Float:
    return head == "float" || head == "number";
  case Kind::String:
    return head == "str";
  case Kind::Tensor: {
    if (!value.tensor()->isNumber())
      return head == "Tensor";
    mlir::Type element = value.tensor()->type().getElementType();
    return head == (element.isInteger(1)  ? "bool"
                    : element.isInteger() ? "int"
                                          : "float") ||
           (head == "number" && !element.isInteger(1));
  }
  case Kind::Device:
    return head == "Device";
  case Kind::List:
    return head == "list" ||
           (head == "List" && allItems(value, typeArgument(type)));
  case Kind::Tuple:
    return head == "tuple" || head == "Tuple" ||
           (!value.tuple().fields.empty() &&
            llvm::StringRef(head).starts_with("__torch__"));
  case Kind::Dict:
    return head == "dict" || head == "Dict";
  case Kind::Extension: {
    if (extensionIn<QuantizedTensor>(value) || Ragged::in(value) ||
        ComplexTensor::in(value))
      return head == "Tensor";
    const Object *object = extensionIn<Object>(value);
    return object && object->type.qualifiedName == head;
  }
  case Kind::Unknown:
    return true;
  }
  return false;
}

Value graven::torch::coerced(const Value &value, const Expr *type) {
  type = withoutOptional(type);
  std::string head = typeHead(type);
  if (value.is(Kind::Int) && head == "float")
    return Value(value.number());
  // Identity matters for lists: only one that needs it is made anew.
  if (value.is(Kind::List) && head == "List" &&
      typeHead(typeArgument(type)) == "float" &&
      llvm::any_of(value.list().items,
                   [](const Value &v) { return v.is(Kind::Int); }))
    for (Value &item : value.list().items)
      item = coerced(item, typeArgument(type));
  return value;
}
