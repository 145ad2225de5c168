//===- Representation.cpp - operators on how numbers are stored -*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file builds the operators that look at signs, exponents and neighbours
// of floats, and the integer operators that a loop computes.
//
//===----------------------------------------------------------------------===//

#include "frontends/aten/Call.h"
#include "frontends/aten/Formula.h"
#include "frontends/aten/Table.h"

#include <numbers>

using namespace graven;
using namespace graven::aten;

/// Integers of the width of x's floats that hold their bits.
static Term bitsOf(Term x) {
  Emitter &in = x.in();
  mlir::Value value = x;
  if (!value)
    return x;
  mlir::Type integer = in.builder.getIntegerType(
      Emitter::element(value).getIntOrFloatBitWidth());
  return {in, in.make<BitcastOp>(value, integer)};
}
static Term floatOf(Term bits, mlir::Type element) {
  mlir::Value value = bits;
  return {bits.in(), value ? bits.in().make<BitcastOp>(value, element) : value};
}
static Term integerLike(Term x, int64_t number) {
  mlir::Value value = x;
  if (!value)
    return x;
  return {x.in(),
          x.in().scalar(Emitter::element(value), number, Emitter::rank(value))};
}

static Term isSigned(Term x) { return less(bitsOf(x), 0.0); }

static mlir::Value signbit(Call &c) {
  mlir::Value x = c.tensor();
  if (!x)
    return {};
  if (c.isFloat(x))
    return isSigned(Term(c, x));
  if (c.isBool(x) || c.element(x).isUnsignedInteger())
    return c.full(c.builder.getI1Type(), c.shape(x), int64_t(0));
  return c.compare(ComparePredicate::Lt, x, 0.0);
}

/// The operands in their common float type.
static std::optional<std::pair<Term, Term>> floats(Call &c) {
  Operands o = c.floatOperands("self", "other");
  return o ? std::optional(std::pair(Term(c, o.a), Term(c, o.b)))
           : std::nullopt;
}

static mlir::Value copysign(Call &c) {
  auto operands = floats(c);
  if (!operands)
    return {};
  Term magnitude = abs(operands->first);
  return where(isSigned(operands->second), -magnitude, magnitude);
}

/// The next number of the type from a towards b: bits of floats of one sign
/// count upwards with the magnitude.
static mlir::Value nextAfter(Call &c) {
  auto operands = floats(c);
  if (!operands)
    return {};
  auto [a, b] = *operands;
  mlir::Type element = c.element(a);
  Term bits = bitsOf(a);
  Term one = integerLike(bits, 1);
  Term grows =
      equals(where(greater(a, 0.0), integerLike(bits, 1), integerLike(bits, 0)),
             where(greater(b, a), integerLike(bits, 1), integerLike(bits, 0)));
  Term next = floatOf(where(grows, bits + one, bits - one), element);
  Term least = floatOf(one, element);
  Term y = where(equals(a, 0.0), where(less(b, 0.0), -least, least), next);
  y = where(equals(a, b), b, y);
  return where(either(isNaN(a), isNaN(b)), kNaN, y);
}

/// A mantissa from 1/2 to 1 and the power of two that it is of; zeros,
/// infinities and NaN are their own, with power 0. In f64 no other type's
/// number is subnormal; its own are scaled up.
static void frexp(Call &c) {
  mlir::Value x = c.tensor();
  if (!x || !c.isFloat(x)) {
    c.failed("mantissas of integers");
    return;
  }
  Term wide(c, c.cast(x, ScalarType::Double));
  Term isSmall = less(abs(wide), 0x1p-1022);
  Term bits = bitsOf(where(isSmall, wide * 0x1p54, wide));
  Term field = apply<AndOp>(apply<ShrOp>(bits, integerLike(bits, 52)),
                            integerLike(bits, 0x7ff));
  Term power = field - where(isSmall, integerLike(bits, 1022 + 54),
                             integerLike(bits, 1022));
  Term rest = apply<AndOp>(bits, integerLike(bits, ~(int64_t(0x7ff) << 52)));
  Term mantissa =
      floatOf(apply<OrOp>(rest, integerLike(bits, int64_t(1022) << 52)),
              c.builder.getF64Type());
  Term isPlain = both(compare(ComparePredicate::Ne, wide, 0.0),
                      less(abs(wide), kInfinity));
  c.give(c.cast(where(isPlain, mantissa, wide), c.element(x)));
  c.give(c.cast(where(isPlain, power, integerLike(bits, 0)), ScalarType::Int));
}

/// self times two to the power of other: in f64, where the power of a float
/// does not overflow.
static mlir::Value ldexp(Call &c) {
  std::optional<ScalarType> type = c.promoted({"self", "other"});
  if (!type)
    return {};
  if (!isFloating(*type))
    type = ScalarType::Float;
  mlir::Value x = c.operand("self", ScalarType::Double),
              n = c.operand("other", ScalarType::Double);
  if (!x || !n)
    return {};
  Term base(c, c.scalar(c.element(n), 2.0, c.rank(n)));
  return c.cast(c.binary<MulOp>(x, pow(base, Term(c, n))), *type);
}

static mlir::Value floatPower(Call &c) {
  return c.binary<PowOp>(c.operand("self", ScalarType::Double),
                         c.operand("exponent", ScalarType::Double));
}

/// Real numbers' angle is 0 or pi.
static mlir::Value angle(Call &c) {
  mlir::Value value = c.floatTensor();
  if (!value)
    return {};
  Term x(c, value);
  Term y = where(less(x, 0.0), constantLike(x, std::numbers::pi),
                 constantLike(x, 0));
  return c.broadcastTo(where(isNaN(x), x, y), c.shape(value));
}
static mlir::Value isReal(Call &c) {
  mlir::Value x = c.tensor();
  return x ? c.full(c.builder.getI1Type(), c.shape(x), int64_t(1)) : x;
}
static mlir::Value positive(Call &c) {
  mlir::Value x = c.tensor();
  return x && c.isBool(x) ? c.failed("plus of bools") : x;
}
static mlir::Value same(Call &c) { return c.tensor(); }

/// |a - b| <= atol + |rtol b|, or equal.
/// Source: PyTorch, ATen/native/TensorCompare.cpp, isclose.
static mlir::Value isClose(Call &c) {
  auto relative = c.number("rtol"), absolute = c.number("atol");
  mlir::Value x = c.tensor(), y = c.tensor("other");
  if (!relative || !absolute || !x || !y)
    return {};
  if (c.element(x) != c.element(y))
    return c.failed("operands of different types");
  Term same(c, c.compare(ComparePredicate::Eq, x, y));
  Term a(c, c.isFloat(x) ? x : c.cast(x, ScalarType::Double)),
      b(c, c.isFloat(y) ? y : c.cast(y, ScalarType::Double));
  if (c.flag("equal_nan"))
    same = either(same, both(isNaN(a), isNaN(b)));
  if (*relative == 0 && *absolute == 0)
    return same;
  Term difference = abs(a - b);
  Term allowed = abs(b * *relative) + *absolute;
  return either(
      same, both(less(difference, kInfinity), lessEqual(difference, allowed)));
}

/// Whether each element is among those of another tensor.
static mlir::Value isIn(Call &c) {
  llvm::StringRef elements = c.has("elements") ? "elements" : "element",
                  tests =
                      c.has("test_elements") ? "test_elements" : "test_element";
  std::optional<ScalarType> type = c.promoted({elements, tests});
  if (!type)
    return {};
  mlir::Value x = c.operand(elements, *type), y = c.operand(tests, *type);
  if (!x || !y)
    return {};
  int64_t axis = c.rank(x);
  mlir::Value found = c.compare(ComparePredicate::Eq, c.unsqueeze(x, axis),
                                c.reshape(y, {c.type(y).getNumElements()}));
  found = c.reduce(ReduceKind::Or, found, {axis}, /*keep=*/false);
  return c.flag("invert") ? c.unary<NotOp>(found) : found;
}

/// Euclid's algorithm, while any divisor is left: the divisors of a and b.
static mlir::Value commonDivisor(Call &c, mlir::Value a, mlir::Value b) {
  auto shape = a && b ? c.broadcastShape(c.shape(a), c.shape(b)) : std::nullopt;
  if (!shape)
    return {};
  mlir::OpBuilder &builder = c.builder;
  a = c.broadcastTo(c.unary<AbsOp>(a), *shape);
  b = c.broadcastTo(c.unary<AbsOp>(b), *shape);
  if (!a || !b)
    return {};
  Shape axes = llvm::to_vector(llvm::seq<int64_t>(0, c.rank(a)));
  auto anyOf = [&](mlir::Value x) {
    return c.reduce(ReduceKind::Or, c.toBool(x), axes, /*keep=*/false);
  };
  mlir::Type types[] = {a.getType(), b.getType()};
  auto op = LoopOp::create(builder, c.loc, types, mlir::TypeRange(),
                           mlir::Value(), anyOf(b), mlir::ValueRange{a, b});
  mlir::OpBuilder::InsertionGuard guard(builder);
  mlir::Type iteration = mlir::RankedTensorType::get({}, builder.getI64Type());
  mlir::Block *block =
      builder.createBlock(&op.getBody(), {}, {iteration, types[0], types[1]},
                          {c.loc, c.loc, c.loc});
  mlir::Value p = block->getArgument(1), q = block->getArgument(2);
  mlir::Value isDone = c.compare(ComparePredicate::Eq, q, 0.0);
  mlir::Value one = c.scalar(c.element(q), int64_t(1), c.rank(q));
  mlir::Value rest = c.binary<RemOp>(p, c.where(isDone, one, q));
  mlir::Value nextP = c.where(isDone, p, q), nextQ = c.where(isDone, q, rest);
  YieldOp::create(builder, c.loc, mlir::ValueRange{anyOf(nextQ), nextP, nextQ});
  return op->getResult(0);
}

static mlir::Value gcdOrLcm(Call &c, bool isMultiple) {
  std::optional<ScalarType> type = c.promoted({"self", "other"});
  if (!type)
    return {};
  if (!isIntegral(*type))
    return c.failed("divisors of " + name(*type));
  mlir::Value a = c.operand("self", *type), b = c.operand("other", *type);
  mlir::Value divisor = commonDivisor(c, a, b);
  if (!divisor || !isMultiple)
    return divisor;
  mlir::Value isZero = c.compare(ComparePredicate::Eq, divisor, 0.0);
  mlir::Value one = c.scalar(c.element(a), int64_t(1), c.rank(divisor));
  mlir::Value share = c.binary<DivOp>(a, c.where(isZero, one, divisor));
  return c.unary<AbsOp>(c.binary<MulOp>(share, b));
}
static mlir::Value gcd(Call &c) { return gcdOrLcm(c, /*isMultiple=*/false); }
static mlir::Value lcm(Call &c) { return gcdOrLcm(c, /*isMultiple=*/true); }

void graven::aten::addRepresentation(Table &t) {
  t.add("signbit", signbit);
  t.add("copysign", copysign);
  t.add("nextafter", nextAfter);
  t.add("frexp", frexp);
  t.add("ldexp", ldexp);
  t.add("float_power", floatPower);
  t.add("angle", angle);
  t.add("isreal", isReal);
  t.add("positive", positive);
  t.add("real conj conj_physical resolve_conj resolve_neg", same);
  t.add("isclose", isClose);
  t.add("isin", isIn);
  t.add("gcd", gcd);
  t.add("lcm", lcm);
}
