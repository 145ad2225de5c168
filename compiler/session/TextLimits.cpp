//===- TextLimits.cpp - what IR text may ask of the parser ----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the bounds on IR text, a scan over its characters that
// passes over strings and comments.
//===----------------------------------------------------------------------===//

#include "compiler/session/TextLimits.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"

using namespace llvm;

namespace graven {

namespace {

constexpr int64_t maxNesting = 256;

class Scanner {
public:
  explicit Scanner(StringRef text) : text(text), rest(text) {}

  Error scan() {
    while (!rest.empty()) {
      StringRef at = rest;
      char c = rest.front();
      rest = rest.drop_front();
      if (c == '"')
        skipString();
      else if (c == '/' && rest.starts_with("/"))
        rest = rest.drop_until([](char next) { return next == '\n'; });
      else if (c == '-' && rest.starts_with(">"))
        rest = rest.drop_front();
      else if (c == '%') {
        if (!readValue())
          return failAt(at, "a value has more results than the text has bytes");
      } else if (StringRef("([{<").contains(c)) {
        if (++depth > maxNesting)
          return failAt(at, "nested deeper than " + Twine(maxNesting));
      } else if (StringRef(")]}>").contains(c) && depth > 0)
        --depth;
    }
    return Error::success();
  }

private:
  Error failAt(StringRef at, const Twine &what) const {
    size_t line = text.drop_back(at.size()).count('\n') + 1;
    return createStringError("line " + Twine(line) + ": " + what);
  }

  void skipString() {
    while (!rest.empty() && rest.front() != '"')
      rest = rest.substr(rest.front() == '\\' ? 2 : 1);
    rest = rest.drop_front(!rest.empty());
  }

  /// Reads a value's name and number after `%`; false when the greatest numbers
  /// of all values together exceed the text's bytes: each result has a type.
  bool readValue() {
    StringRef name = rest.take_while(
        [](char c) { return isAlnum(c) || StringRef("$._-").contains(c); });
    rest = rest.drop_front(name.size());
    StringRef number = rest;
    uint64_t last = 0;
    if (!number.consume_front("#") || number.empty() ||
        !isDigit(number.front()))
      return true;
    if (number.consumeInteger(10, last) || last >= text.size())
      return false;
    rest = number;
    uint64_t &greatest = results[name];
    if (last > greatest) {
      total += last - greatest;
      greatest = last;
    }
    return total <= text.size();
  }

  StringRef text, rest;
  StringMap<uint64_t> results;
  uint64_t total = 0;
  int64_t depth = 0;
};

} // namespace

Error checkTextLimits(StringRef text) { return Scanner(text).scan(); }

} // namespace graven
