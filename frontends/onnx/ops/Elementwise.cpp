//===- Elementwise.cpp - arithmetic, logic, comparisons ---*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the builders of elementwise arithmetic, logic and
// comparisons, with numpy's broadcast of ranks.
//===----------------------------------------------------------------------===//

#include "frontends/onnx/Narrow.h"
#include "frontends/onnx/OpTable.h"
#include "frontends/onnx/ops/Strings.h"

using namespace mlir;

namespace graven::onnx {

namespace {

template <class OpTy> LogicalResult unary(NodeBuilder &n) {
  return n.finish(n.make<OpTy>(n.input(0)));
}

template <class OpTy> LogicalResult binary(NodeBuilder &n) {
  return n.finish(n.binary<OpTy>(n.input(0), n.input(1)));
}

/// Until opset 6, inputs are broadcast on request only, and the axes of the
/// second may be any neighbours of the first's: from `axis` on.
template <BuildFunction build> LogicalResult byAxis(NodeBuilder &n) {
  Value a = n.input(0), b = n.input(1);
  if (!n.flagAttr("broadcast")) {
    if (n.typeOf(a).getShape() != n.typeOf(b).getShape())
      return n.error(Code::BadGraph)
             << "the inputs have types " << n.typeOf(a) << " and "
             << n.typeOf(b) << ", expected one shape without broadcast = 1";
    return build(n);
  }
  int64_t rank = n.rankOf(a), own = n.rankOf(b);
  if (n.hasAttr("axis") && own > 0) {
    int64_t axis = n.axis(n.intAttr("axis", 0), rank);
    if (n.hasFailed())
      return failure();
    if (axis + own > rank)
      return n.error(Code::BadGraph)
             << "an input of rank " << own << " from axis " << axis
             << " of one of rank " << rank;
    auto shape = n.staticShape(b);
    if (!shape)
      return failure();
    shape->append(rank - axis - own, 1);
    n.setInput(1, n.reshape(b, *shape));
  }
  return build(n);
}

/// Of one or more inputs.
template <class OpTy> Value chain(NodeBuilder &n) {
  Value result = n.input(0);
  for (Value next : n.getInputs().drop_front()) {
    if (!next) {
      n.error(Code::BadGraph) << "an input is absent";
      return {};
    }
    result = n.binary<OpTy>(result, next);
  }
  return result;
}

template <class OpTy> LogicalResult variadic(NodeBuilder &n) {
  return n.finish(chain<OpTy>(n));
}

LogicalResult buildMean(NodeBuilder &n) {
  Value sum = chain<AddOp>(n);
  Value count = n.scalar(n.elementTypeOf(sum), n.getInputCount());
  return n.finish(n.make<DivOp>(sum, count));
}

template <ComparePredicate predicate> LogicalResult comparison(NodeBuilder &n) {
  return n.finish(n.compare(predicate, n.input(0), n.input(1)));
}

LogicalResult buildEqual(NodeBuilder &n) {
  if (n.narrow(0) != n.narrow(1))
    return n.error(Code::BadGraph) << "strings are compared with numbers";
  return comparison<ComparePredicate::Eq>(n);
}

/// fmod = 1 has the sign of the dividend, fmod = 0 that of the divisor.
LogicalResult buildMod(NodeBuilder &n) {
  Value a = n.input(0), b = n.input(1);
  Value rest = n.binary<RemOp>(a, b);
  Type type = n.elementTypeOf(a);
  if (n.flagAttr("fmod") || type.isUnsignedInteger())
    return n.finish(rest);
  Value zero = n.scalar(type, 0);
  Value isOff = n.binary<AndOp>(
      n.compare(ComparePredicate::Ne, rest, zero),
      n.binary<XorOp>(n.compare(ComparePredicate::Lt, rest, zero),
                      n.compare(ComparePredicate::Lt, b, zero)));
  return n.finish(n.select(isOff, n.binary<AddOp>(rest, b), rest));
}

/// The result has the type of the base, whatever that of the exponent is.
LogicalResult buildPow(NodeBuilder &n) {
  Value base = n.input(0), exponent = n.input(1);
  Type type = n.elementTypeOf(base), other = n.elementTypeOf(exponent);
  if (isa<FloatType>(type)) {
    auto known = n.known(exponent);
    if (known && known->size() == 1 && n.rankOf(exponent) <= n.rankOf(base)) {
      double value = isa<FloatType>(other)
                         ? known->getDouble(0)
                         : static_cast<double>(known->getInt(0));
      if (value == 1)
        return n.finish(base);
      if (value == 2)
        return n.finish(n.make<MulOp>(base, base));
      if (value == 3)
        return n.finish(n.make<MulOp>(n.make<MulOp>(base, base), base));
    }
    exponent = n.cast(exponent, type);
  } else if (isa<FloatType>(other)) {
    base = n.cast(base, other);
  } else {
    exponent = n.cast(exponent, type);
  }
  return n.finish(n.cast(n.binary<PowOp>(base, exponent), type));
}

LogicalResult buildBitShift(NodeBuilder &n) {
  std::string direction = n.stringAttr("direction", "");
  if (direction == "LEFT")
    return n.finish(n.binary<ShlOp>(n.input(0), n.input(1)));
  if (direction == "RIGHT")
    return n.finish(n.binary<ShrOp>(n.input(0), n.input(1)));
  return n.error(Code::BadGraph) << "direction is " << quoted(direction)
                                 << ", expected 'LEFT' or 'RIGHT'";
}

LogicalResult buildWhere(NodeBuilder &n) {
  if (n.narrow(0) || n.narrow(1) != n.narrow(2))
    return n.error(Code::BadGraph) << "strings and numbers are mixed";
  n.setNarrow(0, n.narrow(1));
  return n.finish(n.select(n.input(0), n.input(1), n.input(2)));
}

LogicalResult buildReciprocal(NodeBuilder &n) {
  Value x = n.input(0);
  return n.finish(n.make<DivOp>(n.scalar(n.elementTypeOf(x), 1), x));
}

LogicalResult buildIsNaN(NodeBuilder &n) {
  return n.finish(n.compare(ComparePredicate::Ne, n.input(0), n.input(0)));
}

LogicalResult buildIsInf(NodeBuilder &n) {
  Value x = n.input(0);
  bool positive = n.flagAttr("detect_positive", true),
       negative = n.flagAttr("detect_negative", true);
  if (!isa<FloatType>(n.elementTypeOf(x)))
    return n.error(Code::BadGraph) << "input has elements of "
                                   << n.elementTypeOf(x) << ", expected floats";
  double infinity = std::numeric_limits<double>::infinity();
  if (positive && negative)
    x = n.make<AbsOp>(x);
  else if (!positive && !negative)
    infinity = std::numeric_limits<double>::quiet_NaN(); // equals nothing
  Value bound = n.scalar(n.elementTypeOf(x), positive ? infinity : -infinity);
  return n.finish(n.compare(ComparePredicate::Eq, x, bound));
}

std::optional<Encoding> readEncoding(NodeBuilder &n) {
  Encoding encoding;
  if (!n.flagAttr("saturate", true))
    encoding.overflow = Overflow::IsSpecial;
  std::string mode = n.stringAttr("round_mode", "up");
  if (mode == "down")
    encoding.powers = PowerRounding::Down;
  else if (mode == "nearest")
    encoding.powers = PowerRounding::Nearest;
  else if (mode != "up") {
    n.error(Code::BadGraph) << "round_mode is " << quoted(mode)
                            << ", expected 'up', 'down' or 'nearest'";
    return std::nullopt;
  }
  return encoding;
}

/// To a type, or to the bytes of a narrow one, from either.
LogicalResult castTo(NodeBuilder &n, Type type, Type narrow) {
  Value x = n.input(0);
  Type from = n.narrow(0);
  n.setNarrow(0, narrow);
  if (from == narrow && (narrow || type == n.elementTypeOf(x)))
    return n.finish(x);
  if (isString(from) && !narrow)
    return castStrings(n, type);
  if (isString(narrow) && !from)
    return castStrings(n, {});
  if (isString(from) || isString(narrow))
    return n.error(Code::UnsupportedFeature)
           << "from " << meaningText(from) << " to " << meaningText(narrow)
           << " is not supported";
  auto encoding = readEncoding(n);
  if (!encoding)
    return failure();
  if (from)
    x = decode(n, x, from,
               isa<FloatType>(from) ? Type(n.getBuilder().getF32Type())
                                    : storageOf(from));
  return n.finish(narrow ? encode(n, x, narrow, *encoding) : n.cast(x, type));
}

LogicalResult buildCast(NodeBuilder &n) {
  // Until opset 5 the type is given by name.
  int32_t to = n.getOpset() < 6 ? dataTypeNamed(n.stringAttr("to", ""))
                                : static_cast<int32_t>(n.intAttr("to", 0));
  Type type = elementTypeOf(n.getContext(), to),
       narrow = meaningOf(n.getContext(), to);
  if (!type && !narrow)
    return n.error(Code::UnsupportedFeature)
           << "to " << dataTypeName(to) << " is not supported";
  return castTo(n, type, narrow);
}

LogicalResult buildCastLike(NodeBuilder &n) {
  return castTo(n, n.elementTypeOf(n.input(1)), n.narrow(1));
}

LogicalResult buildBitCast(NodeBuilder &n) {
  Type type = elementTypeOf(n.getContext(), n.intAttr("to", 0));
  if (!type)
    return n.error(Code::UnsupportedFeature) << "the type is not supported";
  Value x = n.input(0);
  if (type == n.elementTypeOf(x))
    return n.finish(x);
  // A bool is a byte of 0 or 1.
  Type byte = n.getBuilder().getIntegerType(8);
  if (n.elementTypeOf(x).isInteger(1))
    x = n.cast(x, byte);
  if (n.elementTypeOf(x) == type)
    return n.finish(x);
  if (type.isInteger(1))
    return n.error(Code::UnsupportedFeature)
           << "bits of " << n.elementTypeOf(x) << " as bools";
  return n.finish(n.make<BitcastOp>(x, type));
}

LogicalResult buildIdentity(NodeBuilder &n) { return n.finish(n.input(0)); }

template <BuildFunction build> void addSince7(OpTable &table, StringRef name) {
  table.add(name, 2, byAxis<build>, 1, 7);
  table.add(name, 2, build, 7);
}

} // namespace

void addElementwise(OpTable &table) {
  table.add("Abs", 1, unary<AbsOp>);
  table.add("Neg", 1, unary<NegOp>);
  table.add("Sign", 1, unary<SignOp>);
  table.add("Ceil", 1, unary<CeilOp>);
  table.add("Floor", 1, unary<FloorOp>);
  table.add("Round", 1, unary<RoundOp>);
  table.add("Exp", 1, unary<ExpOp>);
  table.add("Log", 1, unary<LogOp>);
  table.add("Sqrt", 1, unary<SqrtOp>);
  table.add("Erf", 1, unary<ErfOp>);
  table.add("Sin", 1, unary<SinOp>);
  table.add("Cos", 1, unary<CosOp>);
  table.add("Tan", 1, unary<TanOp>);
  table.add("Asin", 1, unary<AsinOp>);
  table.add("Acos", 1, unary<AcosOp>);
  table.add("Atan", 1, unary<AtanOp>);
  table.add("Sinh", 1, unary<SinhOp>);
  table.add("Cosh", 1, unary<CoshOp>);
  table.add("Tanh", 1, unary<TanhOp>);
  table.add("Asinh", 1, unary<AsinhOp>);
  table.add("Acosh", 1, unary<AcoshOp>);
  table.add("Atanh", 1, unary<AtanhOp>);
  table.add("Not", 1, unary<NotOp>);
  table.add("BitwiseNot", 1, unary<NotOp>);
  addSince7<binary<AddOp>>(table, "Add");
  addSince7<binary<SubOp>>(table, "Sub");
  addSince7<binary<MulOp>>(table, "Mul");
  addSince7<binary<DivOp>>(table, "Div");
  addSince7<binary<AndOp>>(table, "And");
  addSince7<binary<OrOp>>(table, "Or");
  addSince7<binary<XorOp>>(table, "Xor");
  table.add("BitwiseAnd", 2, binary<AndOp>);
  table.add("BitwiseOr", 2, binary<OrOp>);
  table.add("BitwiseXor", 2, binary<XorOp>);
  table.add("BitShift", 2, buildBitShift);
  table.add("Mod", 2, buildMod);
  addSince7<buildPow>(table, "Pow");
  table.add("Max", 1, variadic<MaxOp>);
  table.add("Min", 1, variadic<MinOp>);
  table.add("Sum", 1, variadic<AddOp>);
  table.add("Mean", 1, buildMean);
  addSince7<buildEqual>(table, "Equal");
  addSince7<comparison<ComparePredicate::Lt>>(table, "Less");
  table.add("LessOrEqual", 2, comparison<ComparePredicate::Le>);
  addSince7<comparison<ComparePredicate::Gt>>(table, "Greater");
  table.add("GreaterOrEqual", 2, comparison<ComparePredicate::Ge>);
  table.add("Where", 3, buildWhere);
  table.add("Reciprocal", 1, buildReciprocal);
  table.add("IsNaN", 1, buildIsNaN);
  table.add("IsInf", 1, buildIsInf);
  table.add("Cast", 1, buildCast).reads = Codes::Understood;
  table.add("CastLike", 2, buildCastLike).reads = Codes::Understood;
  table.add("BitCast", 1, buildBitCast);
  table.add("Identity", 1, buildIdentity).takesLists = true;
}

} // namespace graven::onnx
