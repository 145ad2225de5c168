//===- Arguments.cpp - arguments of exported nodes ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the reading of a node's arguments, unions of one member
// whose key says the type. Source: torch/_export/serde/schema.py, Argument.
//
//===----------------------------------------------------------------------===//

#include "frontends/aten/Complex.h"
#include "frontends/torchexport/ExportFile.h"
#include "frontends/torchexport/Program.h"

using namespace graven;
using namespace graven::torchexport;
using llvm::StringRef;

/// The numbers that TorchScript's tables, and so ours, have for the JSON's.
static std::optional<int64_t> memoryFormat(int64_t number) {
  switch (number) {
  case 1: // contiguous
    return 0;
  case 2: // channels last
  case 3:
    return number;
  case 4: // preserve
    return 1;
  default:
    return std::nullopt;
  }
}

static std::optional<int64_t> layout(int64_t number) {
  // Strided is the only one that dense tensors have.
  return number == 7 ? std::optional<int64_t>(0) : std::nullopt;
}

static std::optional<int64_t> scalarType(int64_t number) {
  auto type = scalarTypeFromExport(number);
  return type ? std::optional<int64_t>(static_cast<int64_t>(*type))
              : std::nullopt;
}

/// Numbers that are not finite are strings.
static std::optional<double> floating(const json::Value &value) {
  if (auto number = value.getAsNumber())
    return number;
  auto text = value.getAsString();
  if (!text)
    return std::nullopt;
  if (*text == "Infinity")
    return std::numeric_limits<double>::infinity();
  if (*text == "-Infinity")
    return -std::numeric_limits<double>::infinity();
  if (*text == "NaN")
    return std::numeric_limits<double>::quiet_NaN();
  return std::nullopt;
}

/// "as_ints" holds what "as_int" does, several times.
static StringRef itemTag(StringRef tag) {
  if (tag == "as_int_lists" || tag == "as_float_lists")
    return tag == "as_int_lists" ? "as_ints" : "as_floats";
  if (tag == "as_nested_tensors")
    return "as_tensors";
  return tag.ends_with("s") && tag != "as_tensor" ? tag.drop_back() : tag;
}

std::optional<Value> Program::list(const json::Value &items, StringRef tag) {
  const json::Array *array = items.getAsArray();
  if (!array)
    return std::nullopt;
  std::vector<Value> values;
  for (const json::Value &item : *array) {
    // Items are what the union of the item's tag would hold, or unions.
    auto inner = asUnion(item);
    bool isUnion = inner && inner->tag.starts_with("as_") &&
                   (inner->tag != "as_name" && inner->tag != "as_int");
    std::optional<Value> value =
        isUnion ? argument(item)
                : argument(json::Object{{itemTag(tag).str(), item}});
    if (!value)
      return std::nullopt;
    values.push_back(std::move(*value));
  }
  return Value::makeList(std::move(values));
}

std::optional<Value> Program::argument(const json::Value &argument) {
  auto given = asUnion(argument);
  auto malformed = [&]() -> std::optional<Value> {
    error(Code::BadGraph) << "an argument of kind '"
                          << (given ? given->tag : "?") << "' is malformed";
    return std::nullopt;
  };
  if (!given)
    return malformed();
  auto [tag, value] = *given;
  auto numbered =
      [&](std::optional<int64_t> (*convert)(int64_t)) -> std::optional<Value> {
    auto number = value->getAsInteger();
    auto converted = number ? convert(*number) : std::nullopt;
    return converted ? std::optional(Value(*converted)) : malformed();
  };
  const json::Object *object = value->getAsObject();
  if (tag == "as_none")
    return Value();
  if (tag == "as_tensor") {
    auto name = object ? object->getString("name") : std::nullopt;
    return name ? lookup(*name) : malformed();
  }
  if (tag == "as_sym_int" || tag == "as_sym_float" || tag == "as_sym_bool") {
    auto member = asUnion(*value);
    auto name = object ? object->getString("as_name") : std::nullopt;
    if (name)
      return lookup(*name);
    return member ? this->argument(*value) : malformed();
  }
  if (tag == "as_optional_tensor")
    return this->argument(*value);
  if (tag == "as_int") {
    auto number = value->getAsInteger();
    return number ? std::optional(Value(*number)) : malformed();
  }
  if (tag == "as_float") {
    auto number = floating(*value);
    return number ? std::optional(Value(*number)) : malformed();
  }
  if (tag == "as_complex") {
    auto part = [&](StringRef name) {
      const json::Value *given = object ? object->get(name) : nullptr;
      return given ? floating(*given) : std::nullopt;
    };
    auto real = part("real"), imaginary = part("imag");
    return real && imaginary ? std::optional(aten::ComplexTensor::number(
                                   {builder(), current}, *real, *imaginary))
                             : malformed();
  }
  if (tag == "as_bool") {
    auto flag = value->getAsBoolean();
    return flag ? std::optional(Value(*flag)) : malformed();
  }
  if (tag == "as_string") {
    auto text = value->getAsString();
    return text ? std::optional(Value(text->str())) : malformed();
  }
  if (tag == "as_scalar_type")
    return numbered(scalarType);
  if (tag == "as_memory_format")
    return numbered(memoryFormat);
  if (tag == "as_layout")
    return numbered(layout);
  if (tag == "as_device")
    return Value(aten::Device{"cpu"});
  if (value->getAsArray()) {
    auto items = list(*value, tag);
    return items ? items : malformed();
  }
  error(Code::UnsupportedFeature)
      << "an argument of kind '" << tag << "' is not supported";
  return std::nullopt;
}
