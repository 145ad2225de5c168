//===- Schema.cpp - the signatures of ATen operators ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the parser of schema text and overload resolution, after
// PyTorch's frontend/schema_matching.cpp: candidates in order of registration,
// first without implicit conversions, then with them.
//
//===----------------------------------------------------------------------===//

#include "frontends/aten/Schema.h"

#include "frontends/aten/Complex.h"
#include "frontends/aten/Ragged.h"
#include "frontends/aten/Tensor.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSwitch.h"

using namespace graven::aten;
using llvm::StringRef;
using Kind = Value::Kind;
using Base = SchemaType::Base;

static constexpr const char kSchemas[] =
#include "frontends/aten/Schemas.inc"
    ;

//===----------------------------------------------------------------------===//
// Text
//===----------------------------------------------------------------------===//

namespace {

class SchemaParser {
public:
  explicit SchemaParser(StringRef text) : rest(text) {}
  std::optional<Schema> run();

private:
  bool take(StringRef text) {
    rest = rest.ltrim(' ');
    return rest.consume_front(text);
  }
  StringRef word() {
    rest = rest.ltrim(' ');
    StringRef result = rest.take_while(
        [](char c) { return llvm::isAlnum(c) || c == '_' || c == '.'; });
    rest = rest.drop_front(result.size());
    return result;
  }
  bool parseType(SchemaType &type);
  bool parseAlias(SchemaType &type);
  bool parseArgument(SchemaArgument &argument);
  bool parseDefault(Value &value);
  bool parseResults(Schema &schema);

  StringRef rest;
};

} // namespace

/// (a), (a!), (a|b), (a -> *)
bool SchemaParser::parseAlias(SchemaType &type) {
  if (!rest.consume_front("("))
    return true;
  size_t end = rest.find(')');
  if (end == StringRef::npos)
    return false;
  StringRef inner = rest.take_front(end);
  rest = rest.drop_front(end + 1);
  type.isWritten = inner.contains('!');
  // In the (b|a) of some returns, a names the argument.
  type.aliasSet = inner.take_front(inner.find_first_of("! -"));
  if (auto [first, second] = type.aliasSet.split('|'); !second.empty())
    type.aliasSet = second;
  return true;
}

bool SchemaParser::parseType(SchemaType &type) {
  StringRef name = word();
  if (name.empty())
    return false;
  type.base = llvm::StringSwitch<Base>(name)
                  .Case("Tensor", Base::Tensor)
                  .Cases({"int", "SymInt", "ScalarType", "Layout",
                          "MemoryFormat", "QScheme"},
                         Base::Int)
                  .Case("float", Base::Float)
                  .Cases({"bool", "SymBool"}, Base::Bool)
                  .Case("str", Base::String)
                  .Cases({"Scalar", "number"}, Base::Number)
                  .Case("Device", Base::Device)
                  .Default(Base::Any);
  if (!parseAlias(type))
    return false;
  while (true) {
    if (rest.consume_front("?")) {
      type.isOptional = true;
    } else if (rest.consume_front("[")) {
      StringRef size = rest.take_until([](char c) { return c == ']'; });
      rest = rest.drop_front(size.size());
      if (!rest.consume_front("]"))
        return false;
      type.optionalItems = type.isOptional;
      type.isOptional = false;
      type.isList = true;
      if (!size.empty() && size.getAsInteger(10, type.listSize))
        return false;
      // Tensor(a)[] and Tensor[](a!) both occur.
      if (!parseAlias(type))
        return false;
    } else {
      return true;
    }
  }
}

bool SchemaParser::parseDefault(Value &value) {
  rest = rest.ltrim(' ');
  if (rest.consume_front("\"")) {
    StringRef text = rest.take_until([](char c) { return c == '"'; });
    rest = rest.drop_front(text.size());
    value = Value(text.str());
    return rest.consume_front("\"");
  }
  if (rest.consume_front("[")) {
    std::vector<Value> items;
    while (!take("]")) {
      Value item;
      if (!parseDefault(item))
        return false;
      items.push_back(item);
      take(",");
    }
    value = Value::makeList(std::move(items));
    return true;
  }
  StringRef text = rest.take_until(
      [](char c) { return c == ',' || c == ')' || c == ']' || c == ' '; });
  rest = rest.drop_front(text.size());
  int64_t integer;
  double real;
  if (text == "None")
    value = Value();
  else if (text == "True" || text == "False")
    value = Value(text == "True");
  else if (text == "contiguous_format" || text == "Mean")
    value = Value(int64_t(text == "Mean"));
  else if (!text.getAsInteger(10, integer))
    value = Value(integer);
  else if (!text.getAsDouble(real))
    value = Value(real);
  else
    return false;
  return true;
}

bool SchemaParser::parseArgument(SchemaArgument &argument) {
  if (!parseType(argument.type))
    return false;
  argument.name = word();
  if (argument.name.empty())
    return false;
  if (!rest.consume_front("="))
    return true;
  argument.hasDefault = true;
  if (!parseDefault(argument.defaultValue))
    return false;
  // "Scalar alpha=1" stays an int, "float p=1" is a float; "int[2] p=0" a list.
  Value &value = argument.defaultValue;
  if (argument.type.base == Base::Float && value.is(Kind::Int))
    value = Value(value.number());
  if (argument.type.isList && argument.type.listSize && !value.isNone() &&
      !value.is(Kind::List))
    value = Value::makeList(std::vector<Value>(argument.type.listSize, value));
  return true;
}

bool SchemaParser::parseResults(Schema &schema) {
  if (!take("->"))
    return false;
  if (!take("(")) {
    schema.results.emplace_back();
    return parseType(schema.results.back());
  }
  while (!take(")")) {
    schema.results.emplace_back();
    if (!parseType(schema.results.back()))
      return false;
    word();
    if (!take(",") && !rest.ltrim(' ').starts_with(")"))
      return false;
  }
  return true;
}

std::optional<Schema> SchemaParser::run() {
  Schema schema;
  StringRef head = rest.take_until([](char c) { return c == '('; });
  rest = rest.drop_front(head.size());
  StringRef base = head.rsplit("::").second;
  schema.overload = base.split('.').second;
  schema.name = schema.overload.empty()
                    ? head
                    : head.drop_back(schema.overload.size() + 1);
  if (!take("("))
    return std::nullopt;
  bool keywordOnly = false;
  while (!take(")")) {
    if (take("*")) {
      keywordOnly = true;
    } else if (take("...")) {
      schema.isVariadic = true;
    } else {
      SchemaArgument argument;
      argument.keywordOnly = keywordOnly;
      if (!parseArgument(argument))
        return std::nullopt;
      schema.arguments.push_back(std::move(argument));
    }
    if (!take(",") && !rest.ltrim(' ').starts_with(")"))
      return std::nullopt;
  }
  if (!parseResults(schema))
    return std::nullopt;
  return schema;
}

std::optional<Schema> graven::aten::parseSchema(StringRef text) {
  return SchemaParser(text).run();
}

SchemaTable::SchemaTable() {
  StringRef text(kSchemas, sizeof(kSchemas) - 1);
  while (!text.empty()) {
    auto [line, rest] = text.split('\n');
    text = rest;
    StringRef head = line.take_until([](char c) { return c == '('; });
    lines[head.split('.').first].push_back(line);
  }
}

const std::deque<Schema> &SchemaTable::overloads(StringRef name) {
  auto [it, isNew] = parsed.try_emplace(name);
  if (isNew)
    for (StringRef line : lines.lookup(name))
      if (std::optional<Schema> schema = parseSchema(line))
        it->second.push_back(std::move(*schema));
  return it->second;
}

//===----------------------------------------------------------------------===//
// Matching
//===----------------------------------------------------------------------===//

static bool isZeroDimensional(const Value &value) {
  return value.is(Kind::Tensor) && value.tensor()->type().getRank() == 0;
}

/// Whether one item matches a base type; converts ints to floats when the last
/// resort allows it. Tensors for numbers are left to the callee to read.
static bool matchItem(Base base, Value &value, Conversion conversion) {
  bool implicit = conversion != Conversion::None;
  switch (base) {
  case Base::Tensor:
    return value.is(Kind::Tensor) || Ragged::in(value) ||
           ComplexTensor::in(value);
  case Base::Int:
    return value.is(Kind::Int) || (implicit && isZeroDimensional(value));
  case Base::Float:
    if (value.is(Kind::Int) && conversion == Conversion::IntegerAsFloat)
      value = Value(value.number());
    return value.is(Kind::Float) || (implicit && isZeroDimensional(value));
  case Base::Bool:
    return value.is(Kind::Bool);
  case Base::String:
    return value.is(Kind::String);
  case Base::Number:
    return value.isNumber() ||
           (implicit && (value.is(Kind::Bool) || isZeroDimensional(value)));
  case Base::Device:
    return value.is(Kind::Device) || (implicit && value.is(Kind::String));
  case Base::Any:
    return true;
  }
  return false;
}

static bool matchValue(const SchemaType &type, Value &value,
                       Conversion conversion) {
  if (value.is(Kind::Unknown))
    return true;
  if (value.isNone())
    return type.isOptional;
  if (!type.isList)
    return matchItem(type.base, value, conversion);
  if (const std::vector<Value> *items = value.items()) {
    std::vector<Value> converted = *items;
    for (Value &item : converted) {
      bool ok = item.isNone() ? type.optionalItems
                              : item.is(Kind::Unknown) ||
                                    matchItem(type.base, item, conversion);
      if (!ok)
        return false;
    }
    value = Value::makeList(std::move(converted));
    return true;
  }
  if (!type.listSize || !matchItem(type.base, value, conversion))
    return false;
  value = Value::makeList(std::vector<Value>(type.listSize, value));
  return true;
}

std::optional<std::vector<Value>>
graven::aten::matchArguments(const Schema &schema, const CallArguments &call,
                             Conversion conversion) {
  std::vector<Value> result;
  size_t nextPositional = 0, usedKeywords = 0;
  for (const SchemaArgument &formal : schema.arguments) {
    Value value = formal.defaultValue;
    auto keyword = llvm::find_if(call.keywords, [&](const auto &k) {
      return k.first == formal.name ||
             (k.first == "input" && formal.name == "self");
    });
    if (!formal.keywordOnly && nextPositional < call.positional.size()) {
      // `torch.view(x, 1, 2)`: the rest of the arguments form the list.
      size_t left = call.positional.size() - nextPositional;
      bool isLast =
          &formal == &schema.arguments.back() || (&formal)[1].keywordOnly;
      if (conversion != Conversion::None && isLast && left > 1 &&
          formal.type.isList && formal.type.base == Base::Int) {
        value = Value::makeList(
            {call.positional.begin() + nextPositional, call.positional.end()});
        nextPositional += left;
      } else {
        value = call.positional[nextPositional++];
      }
    } else if (keyword != call.keywords.end()) {
      value = keyword->second;
      ++usedKeywords;
    } else if (!formal.hasDefault) {
      return std::nullopt;
    }
    if (!matchValue(formal.type, value, conversion))
      return std::nullopt;
    result.push_back(std::move(value));
  }
  if (nextPositional < call.positional.size() && !schema.isVariadic)
    return std::nullopt;
  if (usedKeywords != call.keywords.size())
    return std::nullopt;
  return result;
}

static constexpr Conversion kConversions[] = {
    Conversion::None, Conversion::Implicit, Conversion::IntegerAsFloat};

std::optional<std::vector<Value>>
graven::aten::matchArguments(const Schema &schema, const CallArguments &call) {
  for (Conversion conversion : kConversions)
    if (auto arguments = matchArguments(schema, call, conversion))
      return arguments;
  return std::nullopt;
}

std::optional<SchemaTable::Match>
SchemaTable::resolve(StringRef name, const CallArguments &call) {
  for (Conversion conversion : kConversions)
    for (const Schema &schema : overloads(name))
      if (auto arguments = matchArguments(schema, call, conversion))
        return Match{&schema, std::move(*arguments)};
  return std::nullopt;
}
