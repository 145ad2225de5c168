//===- Value.cpp - values of an interpreted PyTorch program ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the parts of Value that look into containers. All of
// them bound their depth, because a list may hold itself.
//
//===----------------------------------------------------------------------===//

#include "frontends/aten/Value.h"

#include "llvm/ADT/STLExtras.h"

using namespace graven::aten;

Value Value::makeList(std::vector<Value> items) {
  auto list = std::make_shared<List>();
  list->items = std::move(items);
  return list;
}

Value Value::makeTuple(std::vector<Value> items) {
  auto tuple = std::make_shared<Tuple>();
  tuple->items = std::move(items);
  return tuple;
}

double Value::number() const {
  switch (kind()) {
  case Kind::Bool:
    return boolean();
  case Kind::Int:
    return static_cast<double>(integer());
  default:
    return std::get<double>(data);
  }
}

const std::vector<Value> *Value::items() const {
  if (is(Kind::List))
    return &list().items;
  if (is(Kind::Tuple))
    return &tuple().items;
  return nullptr;
}

bool Value::isSame(const Value &other) const {
  if (kind() != other.kind())
    return false;
  switch (kind()) {
  case Kind::Tensor:
    return tensor() == other.tensor();
  case Kind::List:
    return &list() == &other.list();
  case Kind::Dict:
    return &dict() == &other.dict();
  case Kind::Extension:
    return extension() == other.extension();
  default:
    return equal(*this, other);
  }
}

bool Value::hasUnknown(unsigned limit) const {
  if (is(Kind::Unknown))
    return true;
  if (limit == 0)
    return false;
  if (const std::vector<Value> *values = items())
    return llvm::any_of(
        *values, [&](const Value &v) { return v.hasUnknown(limit - 1); });
  if (is(Kind::Dict))
    return llvm::any_of(dict().items, [&](const auto &item) {
      return item.second.hasUnknown(limit - 1);
    });
  return false;
}

llvm::StringRef Value::typeName() const {
  static constexpr const char *kNames[] = {
      "None", "bool",  "int",  "float",  "str",    "Tensor",
      "List", "Tuple", "Dict", "Device", "object", "unknown"};
  return kNames[static_cast<size_t>(kind())];
}

bool graven::aten::equal(const Value &a, const Value &b, unsigned limit) {
  using Kind = Value::Kind;
  auto isNumeric = [](const Value &v) {
    return v.isNumber() || v.is(Kind::Bool);
  };
  if (a.is(Kind::Int) && b.is(Kind::Int))
    return a.integer() == b.integer();
  if (isNumeric(a) && isNumeric(b))
    return a.number() == b.number();
  if (a.kind() != b.kind() || limit == 0)
    return false;
  switch (a.kind()) {
  case Kind::None:
    return true;
  case Kind::String:
    return a.string() == b.string();
  case Kind::Device:
    return a.device().name == b.device().name;
  case Kind::Tensor:
    return a.tensor() == b.tensor();
  case Kind::Extension:
    return a.extension() == b.extension();
  case Kind::List:
  case Kind::Tuple: {
    const auto &left = *a.items(), &right = *b.items();
    if (left.size() != right.size())
      return false;
    for (size_t i = 0; i < left.size(); ++i)
      if (!equal(left[i], right[i], limit - 1))
        return false;
    return true;
  }
  case Kind::Dict: {
    const auto &left = a.dict().items, &right = b.dict().items;
    return left.size() == right.size() &&
           llvm::all_of(left, [&](const auto &item) {
             return llvm::any_of(right, [&](const auto &other) {
               return equal(item.first, other.first, limit - 1) &&
                      equal(item.second, other.second, limit - 1);
             });
           });
  }
  default:
    return false;
  }
}
