//===- SymbolicInt.cpp - extents that are expressions ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the parser of extent expressions, which evaluates as it
// goes. Both forms are calls and infix operators over integers and symbols, so
// one grammar reads them.
//
//===----------------------------------------------------------------------===//

#include "frontends/torchexport/SymbolicInt.h"

#include "frontends/torchfile/Errors.h"

#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MathExtras.h"

using namespace graven;
using namespace graven::torchexport;
using llvm::StringRef;

/// Calls and parentheses within each other.
static constexpr unsigned kMaxNesting = 64;

namespace {

using Number = std::optional<int64_t>;

/// sum := product {('+'|'-') product}; product := unary {('*'|'//'|'%') unary};
/// unary := ['-'] power; power := atom ['**' unary];
/// atom := INT | NAME | NAME '(' arguments ')' | '(' sum ')'.
class Evaluator {
public:
  Evaluator(StringRef text, SymbolValues values) : rest(text), values(values) {}

  llvm::Expected<Number> run() {
    StringRef whole = rest;
    Number result = sum();
    skipBlanks();
    if (failed || !rest.empty())
      return torch::parseError("extent '", torch::printable(whole),
                               "' is no expression");
    return result;
  }

private:
  void skipBlanks() { rest = rest.ltrim(" \t"); }
  bool take(StringRef token) {
    skipBlanks();
    // "*" and "/" are beginnings of "**" and "//".
    if (token.size() == 1 && rest.size() > 1 && rest[1] == token[0] &&
        (token == "*" || token == "/"))
      return false;
    return rest.consume_front(token);
  }
  Number fail() {
    failed = true;
    return std::nullopt;
  }

  Number sum() {
    if (++depth > kMaxNesting)
      return fail();
    Number left = product();
    while (!failed) {
      if (take("+"))
        left = add(left, product());
      else if (take("-"))
        left = add(left, negate(product()));
      else
        break;
    }
    --depth;
    return left;
  }
  Number product() {
    Number left = unary();
    while (!failed) {
      if (take("*"))
        left = multiply(left, unary());
      else if (take("//"))
        left = floorDivide(left, unary());
      else if (take("%"))
        left = modulo(left, unary());
      else
        break;
    }
    return left;
  }
  Number unary() {
    bool isNegative = false;
    while (take("-"))
      isNegative = !isNegative;
    Number value = atom();
    if (!failed && take("**"))
      value = power(value, atom());
    return isNegative ? negate(value) : value;
  }
  Number atom() {
    skipBlanks();
    if (take("(")) {
      Number value = sum();
      return take(")") ? value : fail();
    }
    StringRef word = rest.take_while(
        [](char c) { return llvm::isAlnum(c) || c == '_' || c == '.'; });
    if (word.empty())
      return fail();
    rest = rest.drop_front(word.size());
    if (llvm::isDigit(word.front())) {
      int64_t value = 0;
      return word.getAsInteger(10, value) ? fail() : Number(value);
    }
    return take("(") ? call(word) : values(word);
  }

  /// The rest of `name(`.
  Number call(StringRef name) {
    if (name == "Symbol") {
      if (!take("'"))
        return fail();
      auto [symbol, tail] = rest.split('\'');
      rest = tail;
      // Assumptions: positive=True, integer=True.
      size_t end = rest.find(')');
      if (end == StringRef::npos)
        return fail();
      rest = rest.drop_front(end + 1);
      return values(symbol);
    }
    llvm::SmallVector<Number, 4> arguments;
    while (!failed && !take(")")) {
      arguments.push_back(sum());
      if (!take(",") && !rest.starts_with(")"))
        return fail();
    }
    return failed ? std::nullopt : apply(name, arguments);
  }

  Number apply(StringRef name, llvm::ArrayRef<Number> arguments) {
    auto fold = [&](auto combine) {
      Number result = arguments.front();
      for (Number argument : arguments.drop_front())
        result = combine(result, argument);
      return result;
    };
    if (arguments.empty())
      return fail();
    if (name == "Add")
      return fold(add);
    if (name == "Mul")
      return fold(multiply);
    if (name == "Max" || name == "Min")
      return fold([&](Number a, Number b) -> Number {
        if (!a || !b)
          return std::nullopt;
        return name == "Max" ? std::max(*a, *b) : std::min(*a, *b);
      });
    if (arguments.size() == 1)
      return name == "Integer" || name == "CeilToInt" || name == "FloorToInt" ||
                     name == "ceiling" || name == "floor"
                 ? arguments[0]
                 : fail();
    if (arguments.size() != 2)
      return fail();
    if (name == "FloorDiv" || name == "CleanDiv")
      return floorDivide(arguments[0], arguments[1]);
    if (name == "CeilDiv")
      return negate(floorDivide(negate(arguments[0]), arguments[1]));
    if (name == "Mod" || name == "PythonMod")
      return modulo(arguments[0], arguments[1]);
    if (name == "Pow" || name == "PowByNatural")
      return power(arguments[0], arguments[1]);
    // A quotient that is whole stays one; others are no extents.
    if (name == "IntTrueDiv") {
      Number left = modulo(arguments[0], arguments[1]);
      return left && *left == 0 ? floorDivide(arguments[0], arguments[1])
                                : std::nullopt;
    }
    return fail();
  }

  // Arithmetic: nothing in, nothing out, and nothing when it overflows.
  static Number add(Number a, Number b) {
    int64_t result = 0;
    return a && b && !llvm::AddOverflow(*a, *b, result) ? Number(result)
                                                        : std::nullopt;
  }
  static Number multiply(Number a, Number b) {
    int64_t result = 0;
    return a && b && !llvm::MulOverflow(*a, *b, result) ? Number(result)
                                                        : std::nullopt;
  }
  static Number negate(Number a) { return multiply(a, -1); }
  static Number floorDivide(Number a, Number b) {
    if (!a || !b || *b == 0 || (*a == INT64_MIN && *b == -1))
      return std::nullopt;
    return llvm::divideFloorSigned(*a, *b);
  }
  static Number modulo(Number a, Number b) {
    return add(a, negate(multiply(floorDivide(a, b), b)));
  }
  static Number power(Number a, Number b) {
    if (!a || !b || *b < 0 || *b > 63)
      return std::nullopt;
    Number result = 1;
    for (int64_t i = 0; i < *b; ++i)
      result = multiply(result, a);
    return result;
  }

  StringRef rest;
  SymbolValues values;
  unsigned depth = 0;
  bool failed = false;
};

} // namespace

llvm::Expected<std::optional<int64_t>>
torchexport::evaluate(StringRef expression, SymbolValues values) {
  return Evaluator(expression, values).run();
}

/// A line goes through its values at any extents.
std::optional<LinearExtent> torchexport::linearIn(StringRef expression) {
  LinearExtent linear;
  bool isOne = true;
  auto at = [&](int64_t extent) -> std::optional<int64_t> {
    auto value = evaluate(expression, [&](StringRef name) {
      isOne &= linear.symbol.empty() || linear.symbol == name;
      linear.symbol = name.str();
      return std::optional(extent);
    });
    if (!value) {
      llvm::consumeError(value.takeError());
      return std::nullopt;
    }
    return *value;
  };
  auto none = at(0), one = at(1);
  if (!none || !one || linear.symbol.empty())
    return std::nullopt;
  linear.offset = *none;
  linear.scale = *one - *none;
  constexpr int64_t samples[] = {2, 3, 5, 30, 1001, 65536};
  for (int64_t sample : samples) {
    auto value = at(sample);
    isOne &= value && *value == linear.scale * sample + linear.offset;
  }
  return isOne && linear.scale > 0 ? std::optional(linear) : std::nullopt;
}
