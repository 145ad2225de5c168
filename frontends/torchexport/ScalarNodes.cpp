//===- ScalarNodes.cpp - arithmetic on extents ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the nodes of an exported program that work on numbers,
// by Python's rules. Extents are known at import, so the numbers are.
//
//===----------------------------------------------------------------------===//

#include "frontends/torchexport/Program.h"

#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/MathExtras.h"

#include <cmath>

using namespace graven;
using namespace graven::torchexport;
using llvm::StringRef;
using Kind = Value::Kind;

namespace {

using Arguments = llvm::ArrayRef<Value>;
using Result = std::optional<Value>;

bool isNumber(const Value &value) {
  return value.isNumber() || value.is(Kind::Bool);
}
/// A bool counts as an int, as in Python.
int64_t asInt(const Value &value) {
  return value.is(Kind::Bool) ? value.boolean() : value.integer();
}

/// Applies to two numbers, to ints where both are: an int result that does not
/// fit is nothing.
template <typename Ints, typename Floats>
Result binary(Arguments arguments, Ints ints, Floats floats) {
  if (arguments.size() != 2 || !isNumber(arguments[0]) ||
      !isNumber(arguments[1]))
    return std::nullopt;
  if (arguments[0].is(Kind::Float) || arguments[1].is(Kind::Float))
    return Result(Value(floats(arguments[0].number(), arguments[1].number())));
  return ints(asInt(arguments[0]), asInt(arguments[1]));
}

Result add(Arguments a) {
  return binary(
      a,
      [](int64_t x, int64_t y) -> Result {
        int64_t sum = 0;
        return llvm::AddOverflow(x, y, sum) ? std::nullopt : Result(Value(sum));
      },
      [](double x, double y) { return x + y; });
}
Result subtract(Arguments a) {
  return binary(
      a,
      [](int64_t x, int64_t y) -> Result {
        int64_t difference = 0;
        return llvm::SubOverflow(x, y, difference) ? std::nullopt
                                                   : Result(Value(difference));
      },
      [](double x, double y) { return x - y; });
}
Result multiply(Arguments a) {
  return binary(
      a,
      [](int64_t x, int64_t y) -> Result {
        int64_t product = 0;
        return llvm::MulOverflow(x, y, product) ? std::nullopt
                                                : Result(Value(product));
      },
      [](double x, double y) { return x * y; });
}
bool divides(int64_t x, int64_t y) {
  return y != 0 && !(x == INT64_MIN && y == -1);
}
Result floorDivide(Arguments a) {
  return binary(
      a,
      [](int64_t x, int64_t y) -> Result {
        return divides(x, y) ? Result(Value(llvm::divideFloorSigned(x, y)))
                             : std::nullopt;
      },
      [](double x, double y) { return std::floor(x / y); });
}
Result modulo(Arguments a) {
  return binary(
      a,
      [](int64_t x, int64_t y) -> Result {
        return divides(x, y)
                   ? Result(Value(x - llvm::divideFloorSigned(x, y) * y))
                   : std::nullopt;
      },
      [](double x, double y) { return x - std::floor(x / y) * y; });
}
Result divide(Arguments a) {
  if (a.size() != 2 || !isNumber(a[0]) || !isNumber(a[1]) || a[1].number() == 0)
    return std::nullopt;
  return Value(a[0].number() / a[1].number());
}
Result power(Arguments a) {
  return binary(
      a,
      [](int64_t x, int64_t y) -> Result {
        if (y < 0)
          return Value(std::pow(double(x), double(y)));
        int64_t result = 1;
        for (int64_t i = 0; i < y && x != 1; ++i)
          if (llvm::MulOverflow(result, x, result))
            return std::nullopt;
        return Value(result);
      },
      [](double x, double y) { return std::pow(x, y); });
}
Result maximum(Arguments a) {
  return binary(
      a, [](int64_t x, int64_t y) -> Result { return Value(std::max(x, y)); },
      [](double x, double y) { return std::max(x, y); });
}
Result minimum(Arguments a) {
  return binary(
      a, [](int64_t x, int64_t y) -> Result { return Value(std::min(x, y)); },
      [](double x, double y) { return std::min(x, y); });
}

/// -1, 0 or 1.
template <typename Decide> Result compare(Arguments a, Decide decide) {
  if (a.size() != 2 || !isNumber(a[0]) || !isNumber(a[1]))
    return std::nullopt;
  if (!a[0].is(Kind::Float) && !a[1].is(Kind::Float)) {
    int64_t x = asInt(a[0]), y = asInt(a[1]);
    return Value(decide(x < y ? -1 : x > y));
  }
  double x = a[0].number(), y = a[1].number();
  return Value(decide(x < y ? -1 : x > y));
}
Result equal(Arguments a) {
  return compare(a, [](int order) { return order == 0; });
}
Result notEqual(Arguments a) {
  return compare(a, [](int order) { return order != 0; });
}
Result less(Arguments a) {
  return compare(a, [](int order) { return order < 0; });
}
Result lessEqual(Arguments a) {
  return compare(a, [](int order) { return order <= 0; });
}
Result greater(Arguments a) {
  return compare(a, [](int order) { return order > 0; });
}
Result greaterEqual(Arguments a) {
  return compare(a, [](int order) { return order >= 0; });
}

template <typename Combine> Result logical(Arguments a, Combine combine) {
  if (a.size() != 2 || !isNumber(a[0]) || !isNumber(a[1]))
    return std::nullopt;
  if (a[0].is(Kind::Bool) && a[1].is(Kind::Bool))
    return Value(bool(combine(a[0].boolean(), a[1].boolean())));
  if (a[0].is(Kind::Float) || a[1].is(Kind::Float))
    return std::nullopt;
  return Value(int64_t(combine(asInt(a[0]), asInt(a[1]))));
}
Result bitAnd(Arguments a) {
  return logical(a, [](int64_t x, int64_t y) { return x & y; });
}
Result bitOr(Arguments a) {
  return logical(a, [](int64_t x, int64_t y) { return x | y; });
}
Result logicalNot(Arguments a) {
  if (a.size() != 1 || !isNumber(a[0]))
    return std::nullopt;
  return Value(a[0].number() == 0);
}
Result negate(Arguments a) {
  if (a.size() != 1 || !isNumber(a[0]))
    return std::nullopt;
  return a[0].is(Kind::Float) ? Result(Value(-a[0].number()))
                              : subtract({Value(int64_t(0)), a[0]});
}
/// A float becomes the int that `round` makes of it, if it has one.
Result rounded(Arguments a, double (*round)(double)) {
  if (a.size() != 1 || !isNumber(a[0]))
    return std::nullopt;
  if (!a[0].is(Kind::Float))
    return Value(asInt(a[0]));
  double whole = round(a[0].number());
  if (!(std::fabs(whole) < 9.2e18))
    return std::nullopt;
  return Value(int64_t(whole));
}
Result floor(Arguments a) { return rounded(a, std::floor); }
Result ceil(Arguments a) { return rounded(a, std::ceil); }
Result truncate(Arguments a) { return rounded(a, std::trunc); }
Result roundToEven(Arguments a) { return rounded(a, std::nearbyint); }
Result toFloat(Arguments a) {
  if (a.size() != 1 || !isNumber(a[0]))
    return std::nullopt;
  return Value(a[0].number());
}
Result squareRoot(Arguments a) {
  if (a.size() != 1 || !isNumber(a[0]) || a[0].number() < 0)
    return std::nullopt;
  return Value(std::sqrt(a[0].number()));
}
Result ifThenElse(Arguments a) {
  if (a.size() != 3 || !a[0].is(Kind::Bool))
    return std::nullopt;
  return a[0].boolean() ? a[1] : a[2];
}

/// The number of a tensor's elements along an axis, or of all of them.
Result extent(Arguments a) {
  if (a.empty() || !a[0].is(Kind::Tensor))
    return std::nullopt;
  auto type = a[0].tensor()->type();
  if (a.size() == 1)
    return Value(type.getNumElements());
  int64_t axis = a[1].is(Kind::Int) ? a[1].integer() : type.getRank();
  axis += axis < 0 ? type.getRank() : 0;
  if (axis < 0 || axis >= type.getRank())
    return std::nullopt;
  return Value(type.getDimSize(axis));
}

} // namespace

ScalarFunction torchexport::findScalarFunction(StringRef target) {
  return llvm::StringSwitch<ScalarFunction>(target)
      .Case("_operator.add", add)
      .Case("_operator.sub", subtract)
      .Case("_operator.mul", multiply)
      .Case("_operator.floordiv", floorDivide)
      .Case("_operator.mod", modulo)
      .Case("_operator.truediv", divide)
      .Case("_operator.pow", power)
      .Case("_operator.neg", negate)
      .Case("_operator.eq", equal)
      .Case("_operator.ne", notEqual)
      .Case("_operator.lt", less)
      .Case("_operator.le", lessEqual)
      .Case("_operator.gt", greater)
      .Case("_operator.ge", greaterEqual)
      .Cases({"_operator.and_", "torch.ops.aten.sym_and"}, bitAnd)
      .Cases({"_operator.or_", "torch.ops.aten.sym_or"}, bitOr)
      .Cases({"_operator.not_", "torch.sym_not"}, logicalNot)
      .Cases({"math.floor", "_operator.floor"}, floor)
      .Cases({"math.ceil", "_operator.ceil"}, ceil)
      .Cases({"math.trunc", "_operator.trunc", "torch.sym_int"}, truncate)
      .Cases({"builtins.round", "round"}, roundToEven)
      .Case("torch.sym_float", toFloat)
      .Cases({"torch._sym_sqrt", "math.sqrt", "torch.sym_sqrt"}, squareRoot)
      .Cases({"torch.sym_max", "builtins.max"}, maximum)
      .Cases({"torch.sym_min", "builtins.min"}, minimum)
      .Case("torch.sym_ite", ifThenElse)
      .Cases(
          {"torch.ops.aten.sym_size.int", "torch.ops.aten.sym_numel.default"},
          extent)
      .Default(nullptr);
}
