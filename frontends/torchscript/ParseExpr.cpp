//===- ParseExpr.cpp - parses TorchScript expressions ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the expression half of the parser. Saved archives have
// no infix operators but the minus sign; source text written by hand may, and
// each is the call of a torch function.
//
//===----------------------------------------------------------------------===//

#include "frontends/torchscript/Parser.h"
#include "frontends/torchscript/ParserImpl.h"

#include "llvm/ADT/StringSwitch.h"

using namespace graven::torch;
using llvm::StringRef;

/// Infix operators by level, loosest first; unary and power bind tighter.
static StringRef binaryFunction(StringRef op, unsigned level) {
  switch (level) {
  case 0:
    return op == "|" ? "__or__" : "";
  case 1:
    return op == "^" ? "__xor__" : "";
  case 2:
    return op == "&" ? "__and__" : "";
  case 3:
    return llvm::StringSwitch<StringRef>(op)
        .Case("+", "add")
        .Case("-", "sub")
        .Default("");
  default:
    return llvm::StringSwitch<StringRef>(op)
        .Case("*", "mul")
        .Case("/", "div")
        .Case("//", "floordiv")
        .Case("%", "remainder")
        .Case("@", "matmul")
        .Default("");
  }
}
static constexpr unsigned kBinaryLevels = 5;

Expr *Parser::make(Expr::Kind kind, uint32_t offset,
                   llvm::ArrayRef<Expr *> operands, StringRef text) {
  unsigned height = 0;
  for (const Expr *operand : operands)
    if (operand)
      height = std::max<unsigned>(height, operand->depth);
  if (height >= kMaxDepth)
    return fail(offset, "expression is nested more than " +
                            llvm::Twine(kMaxDepth) + " deep");
  Expr &expr = file.exprs.emplace_back();
  expr.kind = kind;
  expr.offset = offset;
  expr.depth = height + 1;
  expr.text = text;
  expr.operands.assign(operands.begin(), operands.end());
  return &expr;
}

Expr *Parser::makeTorchCall(uint32_t offset, StringRef function,
                            llvm::ArrayRef<Expr *> operands) {
  Expr *torch = make(Expr::Kind::Name, offset, {}, "torch");
  llvm::SmallVector<Expr *> all{
      make(Expr::Kind::Attribute, offset, {torch}, function)};
  all.append(operands.begin(), operands.end());
  return make(Expr::Kind::Call, offset, all);
}

Expr *Parser::parseExpr() {
  if (tooDeep())
    return nullptr;
  Nest nest(*this);
  // `and` and `or` are only written by hand, on booleans; both are strict here.
  Expr *left = parseNot();
  while (left && (token().isName("and") || token().isName("or"))) {
    uint32_t offset = token().offset;
    StringRef function = token().isName("and") ? "__and__" : "__or__";
    ++next;
    Expr *right = parseNot();
    left = right ? makeTorchCall(offset, function, {left, right}) : nullptr;
  }
  return left;
}

Expr *Parser::parseNot() {
  if (tooDeep())
    return nullptr;
  Nest nest(*this);
  uint32_t offset = token().offset;
  if (!takeName("not"))
    return parseComparison();
  Expr *operand = parseNot();
  return operand ? makeTorchCall(offset, "__not__", {operand}) : nullptr;
}

Expr *Parser::parseComparison() {
  Expr *left = parseBinary(0);
  if (!left)
    return nullptr;
  uint32_t offset = token().offset;
  StringRef function;
  if (token().is(Token::Kind::Op))
    function = llvm::StringSwitch<StringRef>(token().text)
                   .Case("==", "eq")
                   .Case("!=", "ne")
                   .Case("<", "lt")
                   .Case(">", "gt")
                   .Case("<=", "le")
                   .Case(">=", "ge")
                   .Default("");
  else if (token().isName("is"))
    function = peek(1).isName("not") ? "__isnot__" : "__is__";
  if (function.empty())
    return left;
  next += function == "__isnot__" ? 2 : 1;
  Expr *right = parseBinary(0);
  return right ? makeTorchCall(offset, function, {left, right}) : nullptr;
}

Expr *Parser::parseBinary(unsigned level) {
  if (level == kBinaryLevels)
    return parseUnary();
  Expr *left = parseBinary(level + 1);
  while (left && token().is(Token::Kind::Op)) {
    StringRef function = binaryFunction(token().text, level);
    if (function.empty())
      break;
    uint32_t offset = token().offset;
    ++next;
    Expr *right = parseBinary(level + 1);
    left = right ? makeTorchCall(offset, function, {left, right}) : nullptr;
  }
  return left;
}

Expr *Parser::parseUnary() {
  if (tooDeep())
    return nullptr;
  Nest nest(*this);
  uint32_t offset = token().offset;
  if (takeOp("-")) {
    if ((token().is(Token::Kind::Int) || token().is(Token::Kind::Float)) &&
        !peek(1).isOp("**"))
      return parseNumber(/*negative=*/true);
    Expr *operand = parseUnary();
    return operand ? makeTorchCall(offset, "neg", {operand}) : nullptr;
  }
  Expr *base = parsePostfix();
  if (!base || !takeOp("**"))
    return base;
  Expr *exponent = parseUnary();
  return exponent ? makeTorchCall(offset, "pow", {base, exponent}) : nullptr;
}

Expr *Parser::parsePostfix() {
  Expr *expr = parsePrimary();
  while (expr) {
    if (takeOp(".")) {
      uint32_t offset = token().offset;
      StringRef name;
      if (!expectIdentifier(name))
        return nullptr;
      expr = make(Expr::Kind::Attribute, offset, {expr}, name);
    } else if (token().isOp("(")) {
      expr = parseCall(expr);
    } else if (token().isOp("[")) {
      expr = parseSubscript(expr);
    } else {
      break;
    }
  }
  return expr;
}

Expr *Parser::parseCall(Expr *callee) {
  uint32_t offset = token().offset;
  ++next;
  llvm::SmallVector<Expr *> operands{callee};
  std::vector<Expr::Keyword> keywords;
  while (!takeOp(")")) {
    bool isKeyword = token().is(Token::Kind::Name) && peek(1).isOp("=");
    StringRef name = isKeyword ? token().text : StringRef();
    next += isKeyword ? 2 : 0;
    Expr *value = parseExpr();
    if (!value)
      return nullptr;
    if (isKeyword)
      keywords.push_back({name, value});
    else if (!keywords.empty())
      return fail(value->offset,
                  "positional argument after a keyword argument");
    else
      operands.push_back(value);
    if (!token().isOp(")") && !expectOp(","))
      return nullptr;
  }
  // Keyword values count for the height like operands.
  llvm::SmallVector<Expr *> all(operands);
  for (const Expr::Keyword &keyword : keywords)
    all.push_back(keyword.value);
  Expr *call = make(Expr::Kind::Call, offset, all);
  if (call) {
    call->operands.assign(operands.begin(), operands.end());
    call->keywords = std::move(keywords);
  }
  return call;
}

Expr *Parser::parseSubscriptItem() {
  uint32_t offset = token().offset;
  Expr *lower = nullptr, *upper = nullptr;
  if (!token().isOp(":") && !(lower = parseExpr()))
    return nullptr;
  if (!takeOp(":"))
    return lower;
  if (!token().isOp("]") && !token().isOp(",") && !(upper = parseExpr()))
    return nullptr;
  return make(Expr::Kind::Slice, offset, {lower, upper});
}

Expr *Parser::parseSubscript(Expr *base) {
  uint32_t offset = token().offset;
  ++next;
  llvm::SmallVector<Expr *> items;
  bool comma = false;
  do {
    if (comma && token().isOp("]"))
      break;
    Expr *item = parseSubscriptItem();
    if (!item)
      return nullptr;
    items.push_back(item);
    comma |= token().isOp(",");
  } while (takeOp(","));
  if (!expectOp("]"))
    return nullptr;
  Expr *index = items.size() == 1 && !comma
                    ? items.front()
                    : make(Expr::Kind::Tuple, offset, items);
  return index ? make(Expr::Kind::Subscript, offset, {base, index}) : nullptr;
}

Expr *Parser::parseImaginary(double real) {
  bool negative = token().isOp("-");
  next += token().is(Token::Kind::Op) ? 1 : 0;
  const Token &number = token();
  ++next;
  Expr *expr = make(Expr::Kind::Complex, number.offset);
  if (!expr)
    return expr;
  if (number.text.drop_back().getAsDouble(expr->imaginary))
    return fail(number.offset, "malformed number");
  expr->real = real;
  if (negative)
    expr->imaginary = -expr->imaginary;
  return expr;
}

Expr *Parser::parseNumber(bool negative) {
  const Token &number = token();
  ++next;
  if (number.is(Token::Kind::Float)) {
    Expr *expr = make(Expr::Kind::Float, number.offset);
    if (expr && number.text.getAsDouble(expr->real))
      return fail(number.offset, "malformed number");
    if (expr && negative)
      expr->real = -expr->real;
    // Archives write a complex number as the sum of its parts.
    bool isSum = token().isOp("+") || token().isOp("-");
    return expr && isSum && peek(1).is(Token::Kind::Imaginary)
               ? parseImaginary(expr->real)
               : expr;
  }
  uint64_t magnitude = 0, limit = uint64_t(1) << 63;
  if (number.text.getAsInteger(10, magnitude) || magnitude > limit ||
      (magnitude == limit && !negative))
    return fail(number.offset, "integer does not fit 64 bits");
  Expr *expr = make(Expr::Kind::Int, number.offset);
  if (expr)
    expr->integer = negative ? static_cast<int64_t>(0 - magnitude)
                             : static_cast<int64_t>(magnitude);
  return expr;
}

Expr *Parser::parseAdjacentStrings() {
  uint32_t offset = token().offset;
  std::string bytes;
  while (token().is(Token::Kind::String)) {
    std::string part;
    if (!unescape(token().text, part))
      return fail(token().offset, "malformed escape in a string");
    bytes += part;
    ++next;
  }
  return make(Expr::Kind::String, offset, {}, file.strings.save(bytes));
}

Expr *Parser::parseParenthesised() {
  uint32_t offset = token().offset;
  ++next;
  llvm::SmallVector<Expr *> items;
  bool comma = false;
  while (!takeOp(")")) {
    Expr *item = parseExpr();
    if (!item)
      return nullptr;
    items.push_back(item);
    if (token().isOp(",")) {
      comma = true;
      ++next;
    } else if (!token().isOp(")")) {
      return fail(token().offset, "expected ',' or ')'");
    }
  }
  if (items.size() == 1 && !comma)
    return items.front();
  return make(Expr::Kind::Tuple, offset, items);
}

Expr *Parser::parseListOrDict() {
  uint32_t offset = token().offset;
  bool isDict = token().isOp("{");
  StringRef close = isDict ? "}" : "]";
  ++next;
  llvm::SmallVector<Expr *> items;
  while (!takeOp(close)) {
    Expr *item = parseExpr();
    if (!item)
      return nullptr;
    items.push_back(item);
    if (isDict) {
      if (!expectOp(":") || !(item = parseExpr()))
        return nullptr;
      items.push_back(item);
    }
    if (!token().isOp(close) && !expectOp(","))
      return nullptr;
  }
  return make(isDict ? Expr::Kind::Dict : Expr::Kind::List, offset, items);
}

Expr *Parser::parsePrimary() {
  const Token &first = token();
  switch (first.kind) {
  case Token::Kind::Int:
  case Token::Kind::Float:
    return parseNumber(/*negative=*/false);
  case Token::Kind::Imaginary:
    return parseImaginary(0);
  case Token::Kind::String:
    return parseAdjacentStrings();
  case Token::Kind::Name: {
    ++next;
    auto kind = llvm::StringSwitch<Expr::Kind>(first.text)
                    .Case("True", Expr::Kind::True)
                    .Case("False", Expr::Kind::False)
                    .Case("None", Expr::Kind::None)
                    .Default(Expr::Kind::Name);
    return make(kind, first.offset, {}, first.text);
  }
  case Token::Kind::Op:
    if (first.isOp("("))
      return parseParenthesised();
    if (first.isOp("[") || first.isOp("{"))
      return parseListOrDict();
    if (takeOp("..."))
      return make(Expr::Kind::Ellipsis, first.offset);
    break;
  default:
    break;
  }
  return fail(first.offset, "expected an expression");
}
