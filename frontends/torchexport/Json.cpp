//===- Json.cpp - reads JSON that may be hostile ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the bounds around LLVM's JSON parser.
//
//===----------------------------------------------------------------------===//

#include "frontends/torchexport/Json.h"

#include "frontends/torchfile/Errors.h"

using namespace graven;
using namespace graven::torchexport;
using llvm::StringRef;

/// Objects and lists within each other; programs of PyTorch have less than 20.
static constexpr unsigned kMaxNesting = 200;
/// Bytes of text: a value takes several times its text.
static constexpr size_t kMaxText = size_t(512) << 20;

/// Where nesting first exceeds the limit; npos when it never does.
static size_t findTooDeep(StringRef text) {
  unsigned depth = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    switch (text[i]) {
    case '"':
      for (++i; i < text.size() && text[i] != '"'; ++i)
        i += text[i] == '\\';
      break;
    case '{':
    case '[':
      if (++depth > kMaxNesting)
        return i;
      break;
    case '}':
    case ']':
      depth -= depth > 0;
      break;
    default:
      break;
    }
  }
  return StringRef::npos;
}

llvm::Expected<json::Value> torchexport::parseValue(StringRef text,
                                                    StringRef record) {
  if (text.size() > kMaxText)
    return torch::parseError(record, ": ", text.size(),
                             " bytes, expected at most ", kMaxText);
  if (size_t at = findTooDeep(text); at != StringRef::npos)
    return torch::parseError(record, ": byte ", at, ": nested deeper than ",
                             kMaxNesting);
  auto value = json::parse(text);
  if (!value)
    return torch::parseError(record, ": ", llvm::toString(value.takeError()));
  return value;
}

llvm::Expected<json::Object> torchexport::parseObject(StringRef text,
                                                      StringRef record) {
  auto value = parseValue(text, record);
  if (!value)
    return value.takeError();
  if (json::Object *object = value->getAsObject())
    return std::move(*object);
  return torch::parseError(record, ": expected an object");
}

std::optional<Union> torchexport::asUnion(const json::Value &value) {
  const json::Object *object = value.getAsObject();
  if (!object || object->size() != 1)
    return std::nullopt;
  const auto &[key, member] = *object->begin();
  return Union{key, &member};
}

llvm::ArrayRef<json::Value> torchexport::listIn(const json::Object &object,
                                                StringRef key) {
  const json::Array *list = object.getArray(key);
  return list ? llvm::ArrayRef(list->data(), list->size())
              : llvm::ArrayRef<json::Value>();
}
