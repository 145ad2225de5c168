//===- Lexer.cpp - tokens of TorchScript source ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the lexer: one pass over the bytes with a stack of
// indentations, bounded in tokens and in nesting.
//
//===----------------------------------------------------------------------===//

#include "frontends/torchscript/Lexer.h"

#include "llvm/ADT/StringExtras.h"

using namespace graven::torch;
using llvm::StringRef;

namespace {

constexpr size_t kMaxTokens = 8000000;
constexpr size_t kMaxIndents = 256;

class Scanner {
public:
  Scanner(StringRef source, std::vector<Token> &tokens, LexError &error)
      : source(source), tokens(tokens), error(error) {}
  bool run();

private:
  bool fail(size_t at, std::string message) {
    error = {static_cast<uint32_t>(at), std::move(message)};
    return false;
  }
  void add(Token::Kind kind, size_t begin, size_t end) {
    tokens.push_back(
        {kind, static_cast<uint32_t>(begin), source.slice(begin, end)});
  }
  char peek(size_t ahead = 0) const {
    return at + ahead < source.size() ? source[at + ahead] : '\0';
  }
  bool indentation();
  void lexNumber();
  bool lexString();
  bool lexOperator();

  StringRef source;
  std::vector<Token> &tokens;
  LexError &error;
  size_t at = 0;
  size_t brackets = 0;
  std::vector<size_t> indents{0};
};

} // namespace

static bool isNameStart(char c) { return llvm::isAlpha(c) || c == '_'; }
static bool isNamePart(char c) { return llvm::isAlnum(c) || c == '_'; }

/// At the start of a line: skips blank lines and comments, then compares the
/// indentation with the stack.
bool Scanner::indentation() {
  size_t start = at, column = 0;
  while (at < source.size()) {
    char c = source[at];
    if (c == ' ') {
      ++column;
      ++at;
    } else if (c == '\t') {
      return fail(at, "tab in indentation");
    } else if (c == '\n' || c == '\r') {
      ++at;
      column = 0;
      start = at;
    } else if (c == '#') {
      while (at < source.size() && source[at] != '\n')
        ++at;
    } else {
      break;
    }
  }
  if (at == source.size())
    column = 0;
  if (column > indents.back()) {
    if (indents.size() >= kMaxIndents)
      return fail(at, "blocks are nested more than 256 deep");
    indents.push_back(column);
    add(Token::Kind::Indent, start, at);
  }
  while (column < indents.back()) {
    indents.pop_back();
    add(Token::Kind::Dedent, at, at);
  }
  if (column != indents.back())
    return fail(at, "indentation matches no block");
  return true;
}

void Scanner::lexNumber() {
  size_t begin = at;
  bool isFloat = false;
  while (llvm::isDigit(peek()))
    ++at;
  if (peek() == '.') {
    isFloat = true;
    ++at;
    while (llvm::isDigit(peek()))
      ++at;
  }
  if (peek() == 'e' || peek() == 'E') {
    size_t exponent = peek(1) == '+' || peek(1) == '-' ? 2 : 1;
    if (llvm::isDigit(peek(exponent))) {
      isFloat = true;
      at += exponent;
      while (llvm::isDigit(peek()))
        ++at;
    }
  }
  if (peek() == 'j') {
    ++at;
    return add(Token::Kind::Imaginary, begin, at);
  }
  add(isFloat ? Token::Kind::Float : Token::Kind::Int, begin, at);
}

bool Scanner::lexString() {
  size_t begin = at;
  char quote = source[at++];
  while (at < source.size() && source[at] != quote) {
    if (source[at] == '\n')
      return fail(begin, "string does not end on its line");
    at += source[at] == '\\' ? 2 : 1;
  }
  if (at >= source.size())
    return fail(begin, "string does not end");
  ++at;
  add(Token::Kind::String, begin, at);
  return true;
}

bool Scanner::lexOperator() {
  static constexpr StringRef kLong[] = {
      "...", "->", "**", "//", "==", "!=", "<=", ">=", "<<", ">>"};
  StringRef rest = source.substr(at);
  for (StringRef op : kLong)
    if (rest.starts_with(op)) {
      add(Token::Kind::Op, at, at + op.size());
      at += op.size();
      return true;
    }
  char c = rest.front();
  if (!StringRef("()[]{},:.=+-*/%@<>&|^~").contains(c))
    return fail(at, "unexpected byte " + std::to_string(uint8_t(c)));
  if (c == '(' || c == '[' || c == '{')
    ++brackets;
  else if ((c == ')' || c == ']' || c == '}') && brackets-- == 0)
    return fail(at, std::string("unmatched '") + c + "'");
  add(Token::Kind::Op, at, at + 1);
  ++at;
  return true;
}

bool Scanner::run() {
  if (!indentation())
    return false;
  while (at < source.size()) {
    if (tokens.size() >= kMaxTokens)
      return fail(at, "more than " + std::to_string(kMaxTokens) + " tokens");
    char c = source[at];
    if (c == ' ' || c == '\r' || (c == '\n' && brackets)) {
      ++at;
    } else if (c == '#') {
      while (at < source.size() && source[at] != '\n')
        ++at;
    } else if (c == '\n') {
      add(Token::Kind::Newline, at, at + 1);
      ++at;
      if (!indentation())
        return false;
    } else if (isNameStart(c)) {
      size_t begin = at;
      while (isNamePart(peek()))
        ++at;
      add(Token::Kind::Name, begin, at);
    } else if (llvm::isDigit(c) || (c == '.' && llvm::isDigit(peek(1)))) {
      lexNumber();
    } else if (c == '"' || c == '\'') {
      if (!lexString())
        return false;
    } else if (!lexOperator()) {
      return false;
    }
  }
  if (brackets)
    return fail(at, "bracket does not close");
  if (!tokens.empty() && !tokens.back().is(Token::Kind::Newline) &&
      !tokens.back().is(Token::Kind::Dedent))
    add(Token::Kind::Newline, at, at);
  while (indents.size() > 1) {
    indents.pop_back();
    add(Token::Kind::Dedent, at, at);
  }
  add(Token::Kind::End, at, at);
  return true;
}

bool graven::torch::tokenize(StringRef source, std::vector<Token> &tokens,
                             LexError &error) {
  return Scanner(source, tokens, error).run();
}

bool graven::torch::unescape(StringRef literal, std::string &bytes) {
  StringRef body = literal.drop_front().drop_back();
  bytes.reserve(body.size());
  for (size_t i = 0; i < body.size(); ++i) {
    if (body[i] != '\\') {
      bytes.push_back(body[i]);
      continue;
    }
    if (++i == body.size())
      return false;
    static constexpr StringRef kNames = "ntrabfv\\\"'";
    static constexpr StringRef kBytes = "\n\t\r\a\b\f\v\\\"'";
    if (size_t index = kNames.find(body[i]); index != StringRef::npos) {
      bytes.push_back(kBytes[index]);
      continue;
    }
    bool hex = body[i] == 'x';
    size_t begin = hex ? i + 1 : i, length = 0, most = hex ? 2 : 3;
    auto isPart = [&](char c) {
      return hex ? llvm::isHexDigit(c) : c >= '0' && c <= '7';
    };
    while (length < most && begin + length < body.size() &&
           isPart(body[begin + length]))
      ++length;
    unsigned value = 0;
    if (!length ||
        body.substr(begin, length).getAsInteger(hex ? 16 : 8, value) ||
        value > 255)
      return false;
    bytes.push_back(static_cast<char>(value));
    i = begin + length - 1;
  }
  return true;
}
