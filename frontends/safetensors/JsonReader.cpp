//===- JsonReader.cpp - reads JSON without building it ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements JsonReader. What a schema nests is nested by its
// callers; what is passed over is kept on a stack of brackets.
//
//===----------------------------------------------------------------------===//

#include "frontends/safetensors/JsonReader.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/ConvertUTF.h"
#include "llvm/Support/JSON.h"

using namespace graven;
using llvm::Error;
using llvm::Expected;
using llvm::StringRef;

static constexpr size_t kMaxNesting = 64;

Error JsonReader::fail(const llvm::Twine &what) const {
  return llvm::createStringError(record + ": byte " +
                                 llvm::Twine(base + position) + ": " + what);
}

void JsonReader::blanks() {
  while (position < text.size() &&
         StringRef(" \t\r\n").contains(text[position]))
    ++position;
}

bool JsonReader::take(char c) {
  blanks();
  if (position >= text.size() || text[position] != c)
    return false;
  ++position;
  return true;
}

Error JsonReader::expect(char c) {
  if (take(c))
    return Error::success();
  if (position >= text.size())
    return fail("ends where '" + llvm::Twine(c) + "' is expected");
  return fail("expected '" + llvm::Twine(c) + "'");
}

Error JsonReader::object(llvm::function_ref<Error(StringRef)> member) {
  if (Error error = expect('{'))
    return error;
  if (take('}'))
    return Error::success();
  llvm::StringSet<> keys;
  do {
    Expected<std::string> key = string();
    if (!key)
      return key.takeError();
    if (!keys.insert(*key).second)
      return fail("the key '" + llvm::Twine(*key).str() + "' occurs twice");
    if (Error error = expect(':'))
      return error;
    if (Error error = member(*key))
      return error;
  } while (take(','));
  return expect('}');
}

Error JsonReader::array(llvm::function_ref<Error()> item) {
  if (Error error = expect('['))
    return error;
  if (take(']'))
    return Error::success();
  do {
    if (Error error = item())
      return error;
  } while (take(','));
  return expect(']');
}

/// Four hexadecimal digits.
static bool readUnit(StringRef text, size_t at, unsigned &unit) {
  StringRef digits = text.substr(at, 4);
  return digits.size() == 4 && llvm::all_of(digits, llvm::isHexDigit) &&
         !digits.getAsInteger(16, unit);
}

Expected<std::string> JsonReader::string() {
  if (Error error = expect('"'))
    return std::move(error);
  std::string result;
  for (;;) {
    size_t end = text.find_first_of("\"\\", position);
    if (end == StringRef::npos)
      return fail("a string without an end");
    StringRef plain = text.slice(position, end);
    if (llvm::any_of(plain, [](char c) { return uint8_t(c) < 0x20; }))
      return fail("a control character in a string");
    result += plain;
    position = end + 1;
    if (text[end] == '"')
      break;
    char kind = position < text.size() ? text[position++] : '\0';
    size_t simple = StringRef("\"\\/bfnrt").find(kind);
    if (simple != StringRef::npos) {
      result += "\"\\/\b\f\n\r\t"[simple];
      continue;
    }
    unsigned unit = 0, low = 0;
    if (kind != 'u' || !readUnit(text, position, unit))
      return fail("a malformed escape in a string");
    position += 4;
    if (unit >= 0xd800 && unit < 0xdc00) {
      if (text.substr(position, 2) != "\\u" ||
          !readUnit(text, position + 2, low) || low < 0xdc00 || low >= 0xe000)
        return fail("half of a surrogate pair in a string");
      position += 6;
      unit = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
    }
    char encoded[4], *at = encoded;
    if (!llvm::ConvertCodePointToUTF8(unit, at))
      return fail("a malformed escape in a string");
    result.append(encoded, at);
  }
  if (!llvm::json::isUTF8(result))
    return fail("a string that is no UTF-8");
  return result;
}

Expected<int64_t> JsonReader::natural() {
  blanks();
  StringRef digits =
      text.drop_front(position).take_while([](char c) { return isdigit(c); });
  int64_t value = 0;
  if (digits.empty() || (digits.size() > 1 && digits[0] == '0') ||
      digits.getAsInteger(10, value))
    return fail("expected a number from 0 to 2^63 - 1");
  position += digits.size();
  if (position < text.size() && StringRef(".eE").contains(text[position]))
    return fail("expected an integer");
  return value;
}

Error JsonReader::number() {
  StringRef digits = text.drop_front(position).take_while([](char c) {
    return llvm::isDigit(c) || StringRef("+-.eE").contains(c);
  });
  double value = 0;
  if (digits.empty() || digits.size() > 400 || digits.getAsDouble(value))
    return fail("expected a value");
  position += digits.size();
  return Error::success();
}

Error JsonReader::skip() {
  std::string open;
  auto key = [&]() -> Error {
    Expected<std::string> name = string();
    return name ? expect(':') : name.takeError();
  };
  for (;;) {
    blanks();
    char c = position < text.size() ? text[position] : '\0';
    StringRef rest = text.drop_front(std::min(position, text.size()));
    if (c == '{' || c == '[') {
      ++position;
      if (open.size() == kMaxNesting)
        return fail("nested deeper than " + llvm::Twine(kMaxNesting));
      if (!take(c == '{' ? '}' : ']')) {
        open += c;
        if (c == '{')
          if (Error error = key())
            return error;
        continue;
      }
    } else if (c == '"') {
      Expected<std::string> value = string();
      if (!value)
        return value.takeError();
    } else if (rest.starts_with("true") || rest.starts_with("null")) {
      position += 4;
    } else if (rest.starts_with("false")) {
      position += 5;
    } else if (Error error = number()) {
      return error;
    }
    // A value ends; so may what it is in.
    while (!open.empty() && !take(',')) {
      if (Error error = expect(open.back() == '{' ? '}' : ']'))
        return error;
      open.pop_back();
    }
    if (open.empty())
      return Error::success();
    if (open.back() == '{')
      if (Error error = key())
        return error;
  }
}

Error JsonReader::end() {
  blanks();
  return position == text.size() ? Error::success()
                                 : fail("text behind the end of the value");
}
