//===- StringBuiltins.cpp - functions on strings ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements Python's methods of strings, which programs use to
// choose among layers and to write messages. Strings are bytes, as in
// TorchScript.
//
//===----------------------------------------------------------------------===//

#include "frontends/torchscript/Builtins.h"

#include "llvm/ADT/StringExtras.h"

#include <array>
#include <cstdio>

using namespace graven;
using namespace graven::torch;
using llvm::StringRef;
using Kind = Value::Kind;

/// A string that a program makes may be this long.
static constexpr size_t kMaxText = 1 << 20;
/// What strip() and split() without an argument take away.
static constexpr StringRef kSpace = " \n\t\f\v\r";

static Value number(size_t value) { return Value(static_cast<int64_t>(value)); }

/// The string that a method is called on; null for what is none.
static const std::string *self(const CallArguments &call) {
  return !call.positional.empty() && call.positional[0].is(Kind::String)
             ? &call.positional[0].string()
             : nullptr;
}
/// A string argument; null for another value.
static const std::string *textAt(const CallArguments &call, size_t index) {
  return index < call.positional.size() &&
                 call.positional[index].is(Kind::String)
             ? &call.positional[index].string()
             : nullptr;
}
/// An int argument, by position or name.
static int64_t intAt(const CallArguments &call, size_t index, StringRef name,
                     int64_t otherwise) {
  Value value = argumentAt(call, index);
  if (value.isNone())
    value = keywordOf(call, name);
  return value.is(Kind::Int) ? value.integer() : otherwise;
}

/// The part that the arguments `start` and `end`, from position 2 on, leave,
/// and where it begins. An end of -1 is the end of the string.
static std::pair<StringRef, size_t> window(const CallArguments &call) {
  StringRef text = *self(call);
  int64_t size = text.size(), start = intAt(call, 2, "start", 0),
          end = intAt(call, 3, "end", -1);
  start = std::clamp<int64_t>(start < 0 ? start + size : start, 0, size);
  end = end == -1 ? size : end < 0 ? end + size : end;
  end = std::clamp<int64_t>(end, start, size);
  return {text.slice(start, end), start};
}

//===----------------------------------------------------------------------===//
// Questions
//===----------------------------------------------------------------------===//

template <bool (StringRef::*kTest)(StringRef) const>
static Given borders(Interpreter &, CallArguments &call) {
  const std::string *part = textAt(call, 1);
  if (!self(call) || !part)
    return declined();
  return give(Value((window(call).first.*kTest)(*part)));
}

enum class Search { First, Last, FirstOrRaise, LastOrRaise };

template <Search kSearch>
static Given find(Interpreter &in, CallArguments &call) {
  const std::string *part = textAt(call, 1);
  if (!self(call) || !part)
    return declined();
  constexpr bool kLast =
      kSearch == Search::Last || kSearch == Search::LastOrRaise;
  auto [text, start] = window(call);
  size_t at = kLast ? text.rfind(*part) : text.find(*part);
  if (at != StringRef::npos)
    return give(number(start + at));
  if (kSearch == Search::First || kSearch == Search::Last)
    return give(Value(int64_t(-1)));
  return in.raise("substring not found");
}

/// How often a list has an item, or a string a part.
static Given count(Interpreter &, CallArguments &call) {
  Value a = argumentAt(call, 0);
  if (a.is(Kind::List) && !hasTensor(call))
    return give(number(llvm::count_if(a.list().items, [&](const Value &item) {
      return sameValue(item, argumentAt(call, 1));
    })));
  const std::string *part = textAt(call, 1);
  if (!self(call) || !part)
    return declined();
  StringRef text = window(call).first;
  return give(number(part->empty() ? text.size() + 1 : text.count(*part)));
}

/// Whether there are characters, and all are such.
template <bool (*kTest)(char)>
static Given consists(Interpreter &, CallArguments &call) {
  const std::string *text = self(call);
  if (!text)
    return declined();
  return give(Value(!text->empty() && llvm::all_of(*text, kTest)));
}
static bool isSpace(char c) { return kSpace.contains(c); }

/// Whether there are letters, and all are of that case.
template <bool (*kTest)(char)>
static Given isOfCase(Interpreter &, CallArguments &call) {
  const std::string *text = self(call);
  if (!text)
    return declined();
  auto isFine = [](char c) { return !llvm::isAlpha(c) || kTest(c); };
  return give(
      Value(llvm::any_of(*text, llvm::isAlpha) && llvm::all_of(*text, isFine)));
}

//===----------------------------------------------------------------------===//
// Other strings
//===----------------------------------------------------------------------===//

static std::string upperCase(StringRef text) { return text.upper(); }
static std::string lowerCase(StringRef text) { return text.lower(); }
static std::string capitalized(StringRef text) {
  return text.take_front(1).upper() + text.drop_front(!text.empty()).lower();
}
template <std::string (*kFunction)(StringRef)>
static Given mapped(Interpreter &, CallArguments &call) {
  const std::string *text = self(call);
  return text ? give(Value(kFunction(*text))) : declined();
}

template <bool kLeft, bool kRight>
static Given strip(Interpreter &, CallArguments &call) {
  if (!self(call))
    return declined();
  const std::string *chars = textAt(call, 1);
  StringRef text = *self(call), which = chars ? StringRef(*chars) : kSpace;
  text = kLeft ? text.ltrim(which) : text;
  return give(Value((kRight ? text.rtrim(which) : text).str()));
}

static Given replace(Interpreter &in, CallArguments &call) {
  const std::string *old = textAt(call, 1), *fresh = textAt(call, 2);
  if (!self(call) || !old || !fresh)
    return declined();
  int64_t left = intAt(call, 3, "max", -1);
  if (old->empty())
    return wrongArguments(in, call, "replace() of nothing");
  StringRef rest = *self(call);
  std::string text;
  for (;; --left) {
    size_t at = left == 0 ? StringRef::npos : rest.find(*old);
    text += rest.take_front(at).str();
    if (at == StringRef::npos)
      return give(Value(text));
    text += *fresh;
    if (text.size() > kMaxText)
      return wrongArguments(in, call, "too long a replace()");
    rest = rest.drop_front(at + old->size());
  }
}

static Given listOf(llvm::ArrayRef<StringRef> parts) {
  std::vector<Value> items;
  for (StringRef part : parts)
    items.push_back(Value(part.str()));
  return give(Value::makeList(std::move(items)));
}

static Given split(Interpreter &in, CallArguments &call) {
  if (!self(call))
    return declined();
  const std::string *separator = textAt(call, 1);
  int64_t most = intAt(call, 2, "max", -1);
  StringRef rest = *self(call);
  llvm::SmallVector<StringRef> parts;
  if (!separator) {
    for (rest = rest.ltrim(kSpace); !rest.empty(); rest = rest.ltrim(kSpace)) {
      size_t at = most-- == 0 ? StringRef::npos : rest.find_first_of(kSpace);
      parts.push_back(rest.take_front(at));
      rest = rest.drop_front(parts.back().size());
    }
    return listOf(parts);
  }
  if (separator->empty())
    return in.raise("empty separator");
  rest.split(parts, *separator, most < 0 ? -1 : static_cast<int>(most));
  return listOf(parts);
}

static Given splitLines(Interpreter &, CallArguments &call) {
  if (!self(call) || argumentAt(call, 1).is(Kind::String))
    return declined();
  llvm::SmallVector<StringRef> parts;
  StringRef text = *self(call);
  text.consume_back("\n");
  if (!self(call)->empty())
    text.split(parts, '\n');
  return listOf(parts);
}

static Given join(Interpreter &in, CallArguments &call) {
  Value list = argumentAt(call, 1);
  if (!self(call) || !list.is(Kind::List))
    return declined();
  std::string text;
  for (auto [i, item] : llvm::enumerate(list.list().items)) {
    if (!item.is(Kind::String))
      return wrongArguments(in, call, "join()");
    text += (i ? *self(call) : "") + item.string();
    if (text.size() > kMaxText)
      return wrongArguments(in, call, "too long a join()");
  }
  return give(Value(text));
}

static Given ord(Interpreter &in, CallArguments &call) {
  if (!self(call) || self(call)->size() != 1)
    return wrongArguments(in, call, "ord()");
  return give(number(static_cast<unsigned char>(self(call)->front())));
}
static Given chr(Interpreter &in, CallArguments &call) {
  int64_t code = intAt(call, 0, "", -1);
  if (code < 0 || code > 255)
    return wrongArguments(in, call, "chr()");
  return give(Value(std::string(1, static_cast<char>(code))));
}

//===----------------------------------------------------------------------===//
// Formats
//===----------------------------------------------------------------------===//

/// "{}" takes the next argument.
static Given format(Interpreter &in, CallArguments &call) {
  if (!self(call))
    return wrongArguments(in, call, "format()");
  StringRef rest = *self(call);
  std::string text;
  for (size_t next = 1;; ++next) {
    size_t at = rest.find("{}");
    text += rest.take_front(at).str();
    if (at == StringRef::npos)
      return give(Value(text));
    text += textOf(argumentAt(call, next));
    rest = rest.drop_front(at + 2);
  }
}

/// A number as printf writes it by %f, %e or %g.
static std::string formatted(double value, char letter) {
  std::array<char, 512> buffer;
  const char *pattern = letter == 'f' || letter == 'F' ? "%f"
                        : letter == 'e'                ? "%e"
                        : letter == 'E'                ? "%E"
                        : letter == 'G'                ? "%G"
                                                       : "%g";
  int size = std::snprintf(buffer.data(), buffer.size(), pattern, value);
  return {buffer.data(), static_cast<size_t>(std::max(size, 0))};
}

/// pattern % arguments, with the conversions that TorchScript has: no widths.
static Given percentFormat(Interpreter &in, CallArguments &call) {
  if (!self(call))
    return wrongArguments(in, call, "%");
  std::string text;
  size_t next = 1;
  StringRef pattern = *self(call);
  for (size_t i = 0; i < pattern.size(); ++i) {
    char letter = i + 1 < pattern.size() ? pattern[i + 1] : '\0';
    if (pattern[i] != '%' || letter == '\0') {
      text.push_back(pattern[i]);
      continue;
    }
    ++i;
    if (letter == '%') {
      text.push_back('%');
      continue;
    }
    Value value = argumentAt(call, next++);
    bool isNumber = value.isNumber() || value.is(Kind::Bool);
    if (StringRef("di").contains(letter) && isNumber)
      text += std::to_string(static_cast<int64_t>(value.number()));
    else if (StringRef("fFeEgG").contains(letter) && isNumber)
      text += formatted(value.number(), letter);
    else
      text += textOf(value);
  }
  return give(Value(text));
}

Builtin graven::torch::findStringBuiltin(StringRef name) {
  static constexpr std::pair<StringRef, Builtin> kTable[] = {
      {"startswith", borders<&StringRef::starts_with>},
      {"endswith", borders<&StringRef::ends_with>},
      {"find", find<Search::First>},
      {"rfind", find<Search::Last>},
      {"rindex", find<Search::LastOrRaise>},
      {"count", count},
      {"isdigit", consists<llvm::isDigit>},
      {"isdecimal", consists<llvm::isDigit>},
      {"isnumeric", consists<llvm::isDigit>},
      {"isalpha", consists<llvm::isAlpha>},
      {"isalnum", consists<llvm::isAlnum>},
      {"isspace", consists<isSpace>},
      {"isupper", isOfCase<llvm::isUpper>},
      {"islower", isOfCase<llvm::isLower>},
      {"upper", mapped<upperCase>},
      {"lower", mapped<lowerCase>},
      {"capitalize", mapped<capitalized>},
      {"strip", strip<true, true>},
      {"lstrip", strip<true, false>},
      {"rstrip", strip<false, true>},
      {"replace", replace},
      {"split", split},
      {"splitlines", splitLines},
      {"join", join},
      {"ord", ord},
      {"chr", chr},
      {"format", format},
      {"percentFormat", percentFormat},
  };
  for (const auto &[key, builtin] : kTable)
    if (key == name)
      return builtin;
  return nullptr;
}
