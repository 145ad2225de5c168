//===- ScalarBuiltins.cpp - functions on numbers and strings ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements arithmetic on known numbers with TorchScript's types
// (division of ints gives a float, // and % round down), comparison, logic,
// and conversion to numbers and text.
//
//===----------------------------------------------------------------------===//

#include "frontends/torchscript/Builtins.h"

#include "llvm/ADT/StringExtras.h"

#include <charconv>
#include <cmath>

using namespace graven;
using namespace graven::torch;
using llvm::StringRef;
using Kind = Value::Kind;

std::string graven::torch::textOf(const Value &value, unsigned limit) {
  switch (value.kind()) {
  case Kind::None:
    return "None";
  case Kind::Bool:
    return value.boolean() ? "True" : "False";
  case Kind::Int:
    return std::to_string(value.integer());
  case Kind::Float: {
    char buffer[64];
    auto end = std::to_chars(buffer, buffer + sizeof(buffer), value.number());
    std::string text(buffer, end.ptr);
    bool plain =
        llvm::all_of(text, [](char c) { return llvm::isDigit(c) || c == '-'; });
    return plain ? text + ".0" : text;
  }
  case Kind::String:
    return value.string();
  case Kind::Device:
    return value.device().name;
  case Kind::List:
  case Kind::Tuple: {
    if (limit == 0)
      return "...";
    bool isList = value.is(Kind::List);
    std::string text = isList ? "[" : "(";
    for (auto [i, item] : llvm::enumerate(*value.items()))
      text += (i ? ", " : "") + textOf(item, limit - 1);
    return text + (isList ? "]" : ")");
  }
  default:
    return value.typeName().str();
  }
}

bool graven::torch::sameValue(const Value &a, const Value &b) {
  const EnumMember *left = extensionIn<EnumMember>(a),
                   *right = extensionIn<EnumMember>(b);
  if (left && right)
    return left->type == right->type && aten::equal(left->value, right->value);
  return aten::equal(a, b);
}

static bool isScalar(const Value &value) {
  return value.isNumber() || value.is(Kind::Bool);
}
static bool areInts(const Value &a, const Value &b) {
  return !a.is(Kind::Float) && !b.is(Kind::Float);
}
static int64_t intOf(const Value &value) {
  return value.is(Kind::Bool) ? value.boolean() : value.integer();
}
/// Two's complement arithmetic without undefined overflow.
template <class F> static Value wrap(const Value &a, const Value &b, F f) {
  return Value(static_cast<int64_t>(
      f(static_cast<uint64_t>(intOf(a)), static_cast<uint64_t>(intOf(b)))));
}

//===----------------------------------------------------------------------===//
// Arithmetic
//===----------------------------------------------------------------------===//

/// Calls `f` with two known numbers; leaves tensors to the graph.
template <class F> static Given onNumbers(CallArguments &call, F f) {
  if (call.positional.size() != 2 || !isScalar(call.positional[0]) ||
      !isScalar(call.positional[1]))
    return declined();
  return f(call.positional[0], call.positional[1]);
}

static Given add(Interpreter &in, CallArguments &call) {
  Value a = argumentAt(call, 0), b = argumentAt(call, 1);
  if (a.is(Kind::String) && b.is(Kind::String))
    return give(Value(a.string() + b.string()));
  if (a.is(Kind::List) && b.is(Kind::List)) {
    std::vector<Value> items = a.list().items;
    llvm::append_range(items, b.list().items);
    return give(Value::makeList(std::move(items)));
  }
  return onNumbers(call, [](const Value &x, const Value &y) {
    return give(areInts(x, y) ? wrap(x, y, std::plus<>())
                              : Value(x.number() + y.number()));
  });
}
static Given sub(Interpreter &, CallArguments &call) {
  return onNumbers(call, [](const Value &x, const Value &y) {
    return give(areInts(x, y) ? wrap(x, y, std::minus<>())
                              : Value(x.number() - y.number()));
  });
}
static Given mul(Interpreter &in, CallArguments &call) {
  Value a = argumentAt(call, 0), b = argumentAt(call, 1);
  if (a.is(Kind::Int))
    std::swap(a, b);
  if (a.is(Kind::List) && b.is(Kind::Int)) {
    std::vector<Value> items;
    int64_t size = a.list().items.size();
    if (b.integer() > 0 && size * b.integer() > (1 << 20))
      return wrongArguments(in, call, "too long a repetition");
    for (int64_t i = 0; i < b.integer(); ++i)
      llvm::append_range(items, a.list().items);
    return give(Value::makeList(std::move(items)));
  }
  return onNumbers(call, [](const Value &x, const Value &y) {
    return give(areInts(x, y) ? wrap(x, y, std::multiplies<>())
                              : Value(x.number() * y.number()));
  });
}

static Given dividedByZero(Interpreter &in) {
  return in.raise("division by zero");
}
static Given div(Interpreter &in, CallArguments &call) {
  return onNumbers(call, [&](const Value &x, const Value &y) -> Given {
    if (y.number() == 0 && areInts(x, y))
      return dividedByZero(in);
    // Files below version 4 truncate.
    if (in.fileVersion() < 4 && areInts(x, y))
      return give(Value(static_cast<int64_t>(x.number() / y.number())));
    return give(Value(x.number() / y.number()));
  });
}
static Given floordiv(Interpreter &in, CallArguments &call) {
  return onNumbers(call, [&](const Value &x, const Value &y) -> Given {
    if (!areInts(x, y))
      return give(Value(std::floor(x.number() / y.number())));
    int64_t a = intOf(x), b = intOf(y);
    if (b == 0)
      return dividedByZero(in);
    if (b == -1)
      return give(wrap(Value(int64_t(0)), x, std::minus<>()));
    return give(Value(a / b - (a % b != 0 && (a < 0) != (b < 0))));
  });
}
static Given remainder(Interpreter &in, CallArguments &call) {
  return onNumbers(call, [&](const Value &x, const Value &y) -> Given {
    if (!areInts(x, y)) {
      double m = std::fmod(x.number(), y.number());
      return give(
          Value(m != 0 && (m < 0) != (y.number() < 0) ? m + y.number() : m));
    }
    int64_t a = intOf(x), b = intOf(y);
    if (b == 0)
      return dividedByZero(in);
    int64_t m = b == -1 ? 0 : a % b;
    return give(Value(m != 0 && (m < 0) != (b < 0) ? m + b : m));
  });
}
static Given pow(Interpreter &, CallArguments &call) {
  return onNumbers(call, [](const Value &x, const Value &y) {
    return give(Value(std::pow(x.number(), y.number())));
  });
}
template <bool kGreatest>
static Given extreme(Interpreter &in, CallArguments &call) {
  std::vector<Value> values = call.positional;
  if (values.size() == 1 && values[0].items())
    values = std::vector<Value>(*values[0].items());
  if (values.empty() || !llvm::all_of(values, isScalar))
    return declined();
  Value best = values.front();
  for (const Value &value : values) {
    bool better = areInts(value, best)
                      ? (kGreatest ? intOf(value) > intOf(best)
                                   : intOf(value) < intOf(best))
                      : (kGreatest ? value.number() > best.number()
                                   : value.number() < best.number());
    if (better)
      best = value;
  }
  return give(best);
}

/// The sum of a list of numbers.
static Given sum(Interpreter &in, CallArguments &call) {
  Value list = argumentAt(call, 0), total(int64_t(0));
  if (!list.is(Kind::List) || !llvm::all_of(list.list().items, isScalar))
    return declined();
  for (const Value &item : list.list().items)
    total = areInts(total, item) ? wrap(total, item, std::plus<>())
                                 : Value(total.number() + item.number());
  return give(total);
}

static Given neg(Interpreter &, CallArguments &call) {
  Value a = argumentAt(call, 0);
  if (a.is(Kind::Float))
    return give(Value(-a.number()));
  return isScalar(a) ? give(wrap(Value(int64_t(0)), a, std::minus<>()))
                     : declined();
}
static Given absolute(Interpreter &, CallArguments &call) {
  Value a = argumentAt(call, 0);
  if (!isScalar(a))
    return declined();
  if (a.is(Kind::Float))
    return give(Value(std::abs(a.number())));
  return give(intOf(a) < 0 ? wrap(Value(int64_t(0)), a, std::minus<>()) : a);
}
static Given divmod(Interpreter &in, CallArguments &call) {
  Given quotient = floordiv(in, call), rest = remainder(in, call);
  if (mlir::failed(quotient) || mlir::failed(rest))
    return mlir::failure();
  if (!*quotient || !*rest)
    return declined();
  return give(Value::makeTuple({**quotient, **rest}));
}

/// A function of one real; with an int result where TorchScript has one.
template <double (*kFunction)(double), bool kToInt>
static Given realFunction(Interpreter &, CallArguments &call) {
  Value a = argumentAt(call, 0);
  if (call.positional.size() != 1 || !isScalar(a))
    return declined();
  double result = kFunction(a.number());
  if (kToInt && std::abs(result) < 0x1p62)
    return give(Value(static_cast<int64_t>(result)));
  return give(Value(result));
}

//===----------------------------------------------------------------------===//
// Comparison and logic
//===----------------------------------------------------------------------===//

/// lt, le, gt, ge by the sign of a comparison.
template <class Order>
static Given ordered(Interpreter &in, CallArguments &call) {
  Value a = argumentAt(call, 0), b = argumentAt(call, 1);
  if (a.is(Kind::String) && b.is(Kind::String))
    return give(Value(Order()(a.string().compare(b.string()), 0)));
  return onNumbers(call, [](const Value &x, const Value &y) {
    return give(areInts(x, y) ? Value(Order()(intOf(x), intOf(y)))
                              : Value(Order()(x.number(), y.number())));
  });
}
static Given eq(Interpreter &, CallArguments &call) {
  if (hasTensor(call))
    return declined();
  return give(Value(sameValue(argumentAt(call, 0), argumentAt(call, 1))));
}
static Given ne(Interpreter &, CallArguments &call) {
  if (hasTensor(call))
    return declined();
  return give(Value(!sameValue(argumentAt(call, 0), argumentAt(call, 1))));
}
static Given is(Interpreter &, CallArguments &call) {
  return give(Value(argumentAt(call, 0).isSame(argumentAt(call, 1))));
}
static Given isNot(Interpreter &, CallArguments &call) {
  return give(Value(!argumentAt(call, 0).isSame(argumentAt(call, 1))));
}
static Given logicalNot(Interpreter &in, CallArguments &call) {
  auto truth = in.truth(argumentAt(call, 0));
  return mlir::failed(truth) ? Given(mlir::failure()) : give(Value(!*truth));
}
template <class Op> static Given bitwise(Interpreter &, CallArguments &call) {
  return onNumbers(call, [](const Value &x, const Value &y) {
    if (x.is(Kind::Bool) && y.is(Kind::Bool))
      return give(Value(static_cast<bool>(Op()(x.boolean(), y.boolean()))));
    return areInts(x, y) ? give(wrap(x, y, Op())) : declined();
  });
}

//===----------------------------------------------------------------------===//
// Conversions
//===----------------------------------------------------------------------===//

/// A number that only running tells, as a tensor without axes that promotes
/// like a number; nothing for what is known or has several elements.
static std::optional<Value> numberIn(Interpreter &in, const Value &value,
                                     aten::ScalarType type) {
  if (!value.is(Kind::Tensor) || value.tensor()->type().getNumElements() != 1 ||
      !in.knownScalar(value).isNone())
    return std::nullopt;
  return runTimeNumber(in, in.read(value), type);
}

static Given toInt(Interpreter &in, CallArguments &call) {
  Value a = argumentAt(call, 0);
  if (auto number = numberIn(in, a, aten::ScalarType::Long))
    return give(*number);
  if (a.is(Kind::String)) {
    int64_t number;
    if (StringRef(a.string()).trim().getAsInteger(10, number))
      return wrongArguments(in, call, "int()");
    return give(Value(number));
  }
  Result number = in.scalar(a);
  if (mlir::failed(number) || number->is(Kind::Int))
    return give(number);
  if (number->is(Kind::Bool))
    return give(Value(int64_t(number->boolean())));
  double real = number->number();
  if (!(std::abs(real) < 0x1p63))
    return wrongArguments(in, call, "int()");
  return give(Value(static_cast<int64_t>(real)));
}
static Given toFloat(Interpreter &in, CallArguments &call) {
  Value a = argumentAt(call, 0);
  if (auto number = numberIn(in, a, aten::ScalarType::Double))
    return give(*number);
  if (a.is(Kind::String)) {
    double number;
    if (StringRef(a.string()).trim().getAsDouble(number))
      return wrongArguments(in, call, "float()");
    return give(Value(number));
  }
  Result number = in.scalar(a);
  return mlir::failed(number) ? give(number) : give(Value(number->number()));
}
static Given toBool(Interpreter &in, CallArguments &call) {
  if (auto flag = numberIn(in, argumentAt(call, 0), aten::ScalarType::Bool))
    return give(*flag);
  auto truth = in.truth(argumentAt(call, 0));
  return mlir::failed(truth) ? Given(mlir::failure()) : give(Value(*truth));
}
static Given toText(Interpreter &, CallArguments &call) {
  return give(Value(textOf(argumentAt(call, 0))));
}

Builtin graven::torch::findScalarBuiltin(StringRef name) {
  static constexpr std::pair<StringRef, Builtin> kTable[] = {
      {"add", add},
      {"sub", sub},
      {"mul", mul},
      {"div", div},
      {"truediv", div},
      {"floordiv", floordiv},
      {"remainder", remainder},
      {"mod", remainder},
      {"divmod", divmod},
      {"pow", pow},
      {"min", extreme<false>},
      {"max", extreme<true>},
      {"sum", sum},
      {"neg", neg},
      {"abs", absolute},
      {"floor", realFunction<std::floor, true>},
      {"ceil", realFunction<std::ceil, true>},
      {"round", realFunction<std::nearbyint, false>},
      {"sqrt", realFunction<std::sqrt, false>},
      {"log", realFunction<std::log, false>},
      {"log2", realFunction<std::log2, false>},
      {"exp", realFunction<std::exp, false>},
      {"sin", realFunction<std::sin, false>},
      {"cos", realFunction<std::cos, false>},
      {"tan", realFunction<std::tan, false>},
      {"tanh", realFunction<std::tanh, false>},
      {"log10", realFunction<std::log10, false>},
      {"eq", eq},
      {"ne", ne},
      {"lt", ordered<std::less<>>},
      {"le", ordered<std::less_equal<>>},
      {"gt", ordered<std::greater<>>},
      {"ge", ordered<std::greater_equal<>>},
      {"__is__", is},
      {"__isnot__", isNot},
      {"__not__", logicalNot},
      {"__and__", bitwise<std::bit_and<>>},
      {"__or__", bitwise<std::bit_or<>>},
      {"__xor__", bitwise<std::bit_xor<>>},
      {"Int", toInt},
      {"IntImplicit", toInt},
      {"Float", toFloat},
      {"FloatImplicit", toFloat},
      {"Bool", toBool},
      {"str", toText},
  };
  for (const auto &[key, builtin] : kTable)
    if (key == name)
      return builtin;
  return nullptr;
}
