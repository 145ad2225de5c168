//===- ScalarFormulas.cpp - elementwise Nodes on scalars ------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the scalar form of the elementwise Nodes in arith and
// math. The formulas keep NaN, infinities and signed zeros as the op
// descriptions say.
//===----------------------------------------------------------------------===//

#include "passes/lower/ScalarFormulas.h"
#include "dialects/graven/Graven.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace graven {

Type signless(Type elementType) {
  if (auto integer = dyn_cast<IntegerType>(elementType))
    return IntegerType::get(integer.getContext(), integer.getWidth());
  return elementType;
}

Value emitConstant(OpBuilder &builder, Location loc, Type type, double value) {
  if (auto floating = dyn_cast<FloatType>(type))
    return arith::ConstantOp::create(builder, loc,
                                     builder.getFloatAttr(floating, value));
  return arith::ConstantOp::create(
      builder, loc, builder.getIntegerAttr(type, static_cast<int64_t>(value)));
}

static bool isUnsigned(Type nodeElementType) {
  return nodeElementType.isUnsignedInteger() || nodeElementType.isInteger(1);
}

Value emitExtreme(OpBuilder &b, Location loc, Extreme which,
                  Type nodeElementType, Value x, Value y) {
  bool max = which == Extreme::Max;
  if (isa<FloatType>(nodeElementType))
    return max ? arith::MaximumFOp::create(b, loc, x, y).getResult()
               : arith::MinimumFOp::create(b, loc, x, y);
  if (isUnsigned(nodeElementType))
    return max ? arith::MaxUIOp::create(b, loc, x, y).getResult()
               : arith::MinUIOp::create(b, loc, x, y);
  return max ? arith::MaxSIOp::create(b, loc, x, y).getResult()
             : arith::MinSIOp::create(b, loc, x, y);
}

namespace {
/// Float formulas on one scalar type; short names because they stand in
/// formulas.
struct Floats {
  OpBuilder &b;
  Location loc;
  Type type;

  Value c(double v) const { return emitConstant(b, loc, type, v); }
  Value add(Value x, Value y) const {
    return arith::AddFOp::create(b, loc, x, y);
  }
  Value sub(Value x, Value y) const {
    return arith::SubFOp::create(b, loc, x, y);
  }
  Value mul(Value x, Value y) const {
    return arith::MulFOp::create(b, loc, x, y);
  }
  Value div(Value x, Value y) const {
    return arith::DivFOp::create(b, loc, x, y);
  }
  Value neg(Value x) const { return arith::NegFOp::create(b, loc, x); }
  Value max(Value x, Value y) const {
    return arith::MaximumFOp::create(b, loc, x, y);
  }
  Value min(Value x, Value y) const {
    return arith::MinimumFOp::create(b, loc, x, y);
  }
  Value less(Value x, Value y) const {
    return arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OLT, x, y);
  }
  Value select(Value cond, Value x, Value y) const {
    return arith::SelectOp::create(b, loc, cond, x, y);
  }
  template <class Op> Value call(Value x) const {
    return Op::create(b, loc, x);
  }

  /// 1/(1+e^-x): e^-x overflows to inf for very negative x and the quotient is
  /// then the right 0.
  Value sigmoid(Value x) const { return overOnePlusExp(c(1), neg(x)); }
  Value overOnePlusExp(Value numerator, Value x) const {
    return div(numerator, add(c(1), call<math::ExpOp>(x)));
  }
  Value clamp01(Value x) const { return min(max(x, c(0)), c(1)); }
  Value gelu(Value x, GeluForm form) const {
    if (form == GeluForm::Tanh) {
      // x / (1 + e^(-2u)) is x/2 (1 + tanh u) without the cancellation of 1 +
      // tanh in the left tail.
      Value cubic = mul(mul(x, x), mul(x, c(0.044715)));
      Value u = mul(c(-2 * 0.79788456080286535588), add(x, cubic));
      return overOnePlusExp(x, u);
    }
    Value erfc = call<math::ErfcOp>(mul(neg(x), c(0.70710678118654752440)));
    return mul(mul(c(0.5), x), erfc);
  }
};
} // namespace

static Value emitFloatUnary(Operation *node, const Floats &f, Value x) {
  auto number = [](APFloat value) { return value.convertToDouble(); };
  return llvm::TypeSwitch<Operation *, Value>(node)
      .Case<NegOp>([&](auto) { return f.neg(x); })
      .Case<AbsOp>([&](auto) { return f.call<math::AbsFOp>(x); })
      .Case<SignOp>([&](auto) {
        Value one = math::CopySignOp::create(f.b, f.loc, f.c(1), x);
        Value moved = arith::CmpFOp::create(
            f.b, f.loc, arith::CmpFPredicate::ONE, x, f.c(0));
        return f.select(moved, one, x);
      })
      .Case<CeilOp>([&](auto) { return f.call<math::CeilOp>(x); })
      .Case<FloorOp>([&](auto) { return f.call<math::FloorOp>(x); })
      .Case<RoundOp>([&](auto) { return f.call<math::RoundEvenOp>(x); })
      .Case<ExpOp>([&](auto) { return f.call<math::ExpOp>(x); })
      .Case<Expm1Op>([&](auto) { return f.call<math::ExpM1Op>(x); })
      .Case<LogOp>([&](auto) { return f.call<math::LogOp>(x); })
      .Case<Log1pOp>([&](auto) { return f.call<math::Log1pOp>(x); })
      .Case<SqrtOp>([&](auto) { return f.call<math::SqrtOp>(x); })
      .Case<RsqrtOp>(
          [&](auto) { return f.div(f.c(1), f.call<math::SqrtOp>(x)); })
      .Case<SinOp>([&](auto) { return f.call<math::SinOp>(x); })
      .Case<CosOp>([&](auto) { return f.call<math::CosOp>(x); })
      .Case<TanOp>([&](auto) { return f.call<math::TanOp>(x); })
      .Case<AsinOp>([&](auto) { return f.call<math::AsinOp>(x); })
      .Case<AcosOp>([&](auto) { return f.call<math::AcosOp>(x); })
      .Case<AtanOp>([&](auto) { return f.call<math::AtanOp>(x); })
      .Case<SinhOp>([&](auto) { return f.call<math::SinhOp>(x); })
      .Case<CoshOp>([&](auto) { return f.call<math::CoshOp>(x); })
      .Case<TanhOp>([&](auto) { return f.call<math::TanhOp>(x); })
      .Case<AsinhOp>([&](auto) { return f.call<math::AsinhOp>(x); })
      .Case<AcoshOp>([&](auto) { return f.call<math::AcoshOp>(x); })
      .Case<AtanhOp>([&](auto) { return f.call<math::AtanhOp>(x); })
      .Case<SigmoidOp>([&](auto) { return f.sigmoid(x); })
      .Case<ErfOp>([&](auto) { return f.call<math::ErfOp>(x); })
      .Case<ReluOp>([&](auto) { return f.max(x, f.c(0)); })
      .Case<SiluOp>([&](auto) { return f.overOnePlusExp(x, f.neg(x)); })
      .Case<HardSwishOp>([&](auto) {
        // x + 3 is exact below -1, where x/6 + 1/2 loses all digits next to
        // its zero.
        Value sixth = f.c(1.0 / 6);
        Value low = f.mul(f.max(f.add(x, f.c(3)), f.c(0)), sixth);
        Value high = f.min(f.add(f.mul(x, sixth), f.c(0.5)), f.c(1));
        return f.mul(x, f.select(f.less(x, f.c(-1)), low, high));
      })
      .Case<HardSigmoidOp>([&](HardSigmoidOp op) {
        return f.clamp01(f.add(f.mul(x, f.c(number(op.getAlpha()))),
                               f.c(number(op.getBeta()))));
      })
      .Case<SoftplusOp>([&](auto) {
        Value tail = f.call<math::Log1pOp>(
            f.call<math::ExpOp>(f.neg(f.call<math::AbsFOp>(x))));
        return f.add(f.max(x, f.c(0)), tail);
      })
      .Case<GeluOp>([&](GeluOp op) { return f.gelu(x, op.getForm()); })
      .Case<EluOp>([&](EluOp op) {
        Value grown =
            f.call<math::ExpM1Op>(f.mul(f.c(number(op.getInputScale())), x));
        Value left = f.mul(f.c(number(op.getAlpha())), grown);
        return f.mul(f.c(number(op.getScale())),
                     f.select(f.less(f.c(0), x), x, left));
      })
      .Default([](Operation *) { return Value(); });
}

static Value emitIntUnary(Operation *node, OpBuilder &b, Location loc,
                          Type element, Value x) {
  Value zero = emitConstant(b, loc, x.getType(), 0);
  return llvm::TypeSwitch<Operation *, Value>(node)
      .Case<NegOp>([&](auto) { return arith::SubIOp::create(b, loc, zero, x); })
      .Case<AbsOp>([&](auto) -> Value {
        if (isUnsigned(element))
          return x;
        return math::AbsIOp::create(b, loc, x);
      })
      .Case<SignOp>([&](auto) -> Value {
        Value one = emitConstant(b, loc, x.getType(), 1);
        Value capped = emitExtreme(b, loc, Extreme::Min, element, x, one);
        return isUnsigned(element)
                   ? capped
                   : emitExtreme(b, loc, Extreme::Max, element, capped,
                                 emitConstant(b, loc, x.getType(), -1));
      })
      .Case<ReluOp>([&](auto) {
        return emitExtreme(b, loc, Extreme::Max, element, x, zero);
      })
      .Case<NotOp>([&](auto) {
        return arith::XOrIOp::create(b, loc, x,
                                     emitConstant(b, loc, x.getType(), -1));
      })
      .Default([](Operation *) { return Value(); });
}

/// Integer quotient or remainder without the cases that are undefined in arith.
static Value emitIntDivision(OpBuilder &b, Location loc, Type element,
                             bool remainder, Value x, Value y) {
  Type type = x.getType();
  Value zero = emitConstant(b, loc, type, 0),
        one = emitConstant(b, loc, type, 1);
  Value minusOne = emitConstant(b, loc, type, -1);
  auto equal = [&](Value p, Value q) -> Value {
    return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, p, q);
  };
  Value byZero = equal(y, zero);
  Value safe = arith::SelectOp::create(b, loc, byZero, one, y);
  if (isUnsigned(element)) {
    Value value = remainder
                      ? arith::RemUIOp::create(b, loc, x, safe).getResult()
                      : arith::DivUIOp::create(b, loc, x, safe).getResult();
    return arith::SelectOp::create(b, loc, byZero, remainder ? x : minusOne,
                                   value);
  }
  Value byMinusOne = equal(y, minusOne);
  safe = arith::SelectOp::create(b, loc, byMinusOne, one, safe);
  Value value = remainder ? arith::RemSIOp::create(b, loc, x, safe).getResult()
                          : arith::DivSIOp::create(b, loc, x, safe).getResult();
  Value negated =
      remainder ? zero : arith::SubIOp::create(b, loc, zero, x).getResult();
  value = arith::SelectOp::create(b, loc, byMinusOne, negated, value);
  return arith::SelectOp::create(b, loc, byZero, remainder ? x : minusOne,
                                 value);
}

static Value emitShift(OpBuilder &b, Location loc, Type element, bool left,
                       Value x, Value count) {
  unsigned width = x.getType().getIntOrFloatBitWidth();
  Value limit = emitConstant(b, loc, x.getType(), width),
        last = emitConstant(b, loc, x.getType(), width - 1);
  Value past =
      arith::CmpIOp::create(b, loc, arith::CmpIPredicate::uge, count, limit);
  Value safe = arith::MinUIOp::create(b, loc, count, last);
  if (!left && !isUnsigned(element))
    return arith::ShRSIOp::create(b, loc, x, safe);
  Value shifted = left ? arith::ShLIOp::create(b, loc, x, safe).getResult()
                       : arith::ShRUIOp::create(b, loc, x, safe).getResult();
  return arith::SelectOp::create(b, loc, past,
                                 emitConstant(b, loc, x.getType(), 0), shifted);
}

/// a^b by squaring over the bits of b; a negative exponent gives 1 for 1, +-1
/// for -1, else 0.
static Value emitIntPower(OpBuilder &b, Location loc, Type element, Value x,
                          Value exponent) {
  Type type = x.getType();
  Value zero = emitConstant(b, loc, type, 0),
        one = emitConstant(b, loc, type, 1);
  auto odd = [&](Value v) -> Value {
    Value low = arith::AndIOp::create(b, loc, v, one);
    return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, low, zero);
  };
  Value result = one, base = x, rest = exponent;
  for (unsigned bit = 0, width = type.getIntOrFloatBitWidth(); bit < width;
       ++bit) {
    result = arith::SelectOp::create(
        b, loc, odd(rest), arith::MulIOp::create(b, loc, result, base), result);
    base = arith::MulIOp::create(b, loc, base, base);
    rest = arith::ShRUIOp::create(b, loc, rest, one);
  }
  if (isUnsigned(element))
    return result;
  Value minusOne = emitConstant(b, loc, type, -1);
  auto equal = [&](Value v) -> Value {
    return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, x, v);
  };
  Value unit = arith::SelectOp::create(b, loc, odd(exponent), minusOne, one);
  Value inverse = arith::SelectOp::create(
      b, loc, equal(one), one,
      arith::SelectOp::create(b, loc, equal(minusOne), unit, zero));
  Value negative =
      arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, exponent, zero);
  return arith::SelectOp::create(b, loc, negative, inverse, result);
}

/// The angle of the point (x, y). Of constant zeros MLIR makes NaN, so that the
/// origin is a point on the axis instead, which has its angle.
static Value emitAngle(OpBuilder &b, Location loc, Value y, Value x) {
  Value zero = emitConstant(b, loc, x.getType(), 0);
  auto isZero = [&](Value value) {
    return arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OEQ, value, zero)
        .getResult();
  };
  Value isOrigin = arith::AndIOp::create(b, loc, isZero(x), isZero(y));
  Value onAxis =
      math::CopySignOp::create(b, loc, emitConstant(b, loc, x.getType(), 1), x);
  return math::Atan2Op::create(
      b, loc, y, arith::SelectOp::create(b, loc, isOrigin, onAxis, x));
}

static Value emitBinary(Operation *node, OpBuilder &b, Location loc,
                        Type element, Value x, Value y) {
  bool floating = isa<FloatType>(element);
  return llvm::TypeSwitch<Operation *, Value>(node)
      .Case<AddOp>([&](auto) -> Value {
        return floating ? arith::AddFOp::create(b, loc, x, y).getResult()
                        : arith::AddIOp::create(b, loc, x, y);
      })
      .Case<SubOp>([&](auto) -> Value {
        return floating ? arith::SubFOp::create(b, loc, x, y).getResult()
                        : arith::SubIOp::create(b, loc, x, y);
      })
      .Case<MulOp>([&](auto) -> Value {
        return floating ? arith::MulFOp::create(b, loc, x, y).getResult()
                        : arith::MulIOp::create(b, loc, x, y);
      })
      .Case<DivOp>([&](auto) -> Value {
        if (floating)
          return arith::DivFOp::create(b, loc, x, y);
        return emitIntDivision(b, loc, element, /*remainder=*/false, x, y);
      })
      .Case<RemOp>([&](auto) -> Value {
        if (floating)
          return arith::RemFOp::create(b, loc, x, y);
        return emitIntDivision(b, loc, element, /*remainder=*/true, x, y);
      })
      .Case<PowOp>([&](auto) -> Value {
        return floating ? math::PowFOp::create(b, loc, x, y).getResult()
                        : emitIntPower(b, loc, element, x, y);
      })
      .Case<MaxOp>([&](auto) {
        return emitExtreme(b, loc, Extreme::Max, element, x, y);
      })
      .Case<MinOp>([&](auto) {
        return emitExtreme(b, loc, Extreme::Min, element, x, y);
      })
      .Case<Atan2Op>([&](auto) { return emitAngle(b, loc, x, y); })
      .Case<AndOp>([&](auto) { return arith::AndIOp::create(b, loc, x, y); })
      .Case<OrOp>([&](auto) { return arith::OrIOp::create(b, loc, x, y); })
      .Case<XorOp>([&](auto) { return arith::XOrIOp::create(b, loc, x, y); })
      .Case<ShlOp>(
          [&](auto) { return emitShift(b, loc, element, /*left=*/true, x, y); })
      .Case<ShrOp>([&](auto) {
        return emitShift(b, loc, element, /*left=*/false, x, y);
      })
      .Default([](Operation *) { return Value(); });
}

static Value emitCompare(CompareOp op, OpBuilder &b, Location loc, Type element,
                         Value x, Value y) {
  using P = ComparePredicate;
  if (isa<FloatType>(element)) {
    static constexpr arith::CmpFPredicate predicates[] = {
        arith::CmpFPredicate::OEQ, arith::CmpFPredicate::UNE,
        arith::CmpFPredicate::OLT, arith::CmpFPredicate::OLE,
        arith::CmpFPredicate::OGT, arith::CmpFPredicate::OGE};
    return arith::CmpFOp::create(
        b, loc, predicates[static_cast<int>(op.getPredicate())], x, y);
  }
  using C = arith::CmpIPredicate;
  static constexpr C signedPredicates[] = {C::eq,  C::ne,  C::slt,
                                           C::sle, C::sgt, C::sge};
  static constexpr C unsignedPredicates[] = {C::eq,  C::ne,  C::ult,
                                             C::ule, C::ugt, C::uge};
  static_assert(static_cast<int>(P::Eq) == 0 && static_cast<int>(P::Ge) == 5);
  auto &predicates =
      isUnsigned(element) ? unsignedPredicates : signedPredicates;
  return arith::CmpIOp::create(
      b, loc, predicates[static_cast<int>(op.getPredicate())], x, y);
}

/// Float to int: truncated, saturated, NaN to 0.
static Value emitFloatToInt(OpBuilder &b, Location loc, Value x, Type to) {
  unsigned width = to.getIntOrFloatBitWidth();
  bool isSigned = !isUnsigned(to);
  auto type = cast<FloatType>(x.getType());
  // Bounds are powers of two, so they are exact in every float type that
  // reaches them.
  double top = std::ldexp(1.0, isSigned ? width - 1 : width),
         bottom = isSigned ? -top : 0;
  Value high = emitConstant(b, loc, type, top),
        low = emitConstant(b, loc, type, bottom);
  Type result = signless(to);
  APInt maximum =
      isSigned ? APInt::getSignedMaxValue(width) : APInt::getMaxValue(width);
  APInt minimum =
      isSigned ? APInt::getSignedMinValue(width) : APInt::getZero(width);
  auto integer = [&](const APInt &v) -> Value {
    return arith::ConstantOp::create(b, loc, b.getIntegerAttr(result, v));
  };
  auto compare = [&](arith::CmpFPredicate p, Value y) -> Value {
    return arith::CmpFOp::create(b, loc, p, x, y);
  };
  Value inside =
      arith::AndIOp::create(b, loc, compare(arith::CmpFPredicate::OGE, low),
                            compare(arith::CmpFPredicate::OLT, high));
  Value safe =
      arith::SelectOp::create(b, loc, inside, x, emitConstant(b, loc, type, 0));
  Value converted =
      isSigned ? arith::FPToSIOp::create(b, loc, result, safe).getResult()
               : arith::FPToUIOp::create(b, loc, result, safe).getResult();
  Value above = compare(arith::CmpFPredicate::OGE, high),
        below = compare(arith::CmpFPredicate::OLT, low);
  Value value =
      arith::SelectOp::create(b, loc, above, integer(maximum), converted);
  return arith::SelectOp::create(b, loc, below, integer(minimum), value);
}

Value emitCast(OpBuilder &b, Location loc, Value x, Type from, Type to) {
  if (from == to)
    return x;
  bool fromFloat = isa<FloatType>(from), toFloat = isa<FloatType>(to);
  unsigned fromWidth = from.getIntOrFloatBitWidth(),
           toWidth = to.getIntOrFloatBitWidth();
  if (to.isInteger(1)) {
    if (fromFloat)
      return arith::CmpFOp::create(b, loc, arith::CmpFPredicate::UNE, x,
                                   emitConstant(b, loc, x.getType(), 0));
    return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, x,
                                 emitConstant(b, loc, x.getType(), 0));
  }
  if (fromFloat && toFloat) {
    if (fromWidth < toWidth)
      return arith::ExtFOp::create(b, loc, to, x);
    if (fromWidth > toWidth)
      return arith::TruncFOp::create(b, loc, to, x);
    return arith::TruncFOp::create(
        b, loc, to, arith::ExtFOp::create(b, loc, b.getF32Type(), x));
  }
  if (fromFloat)
    return emitFloatToInt(b, loc, x, to);
  if (toFloat)
    return isUnsigned(from)
               ? arith::UIToFPOp::create(b, loc, to, x).getResult()
               : arith::SIToFPOp::create(b, loc, to, x).getResult();
  Type result = signless(to);
  if (fromWidth == toWidth)
    return x;
  if (fromWidth > toWidth)
    return arith::TruncIOp::create(b, loc, result, x);
  return isUnsigned(from)
             ? arith::ExtUIOp::create(b, loc, result, x).getResult()
             : arith::ExtSIOp::create(b, loc, result, x).getResult();
}

static Type elementOf(Value value) {
  return cast<RankedTensorType>(value.getType()).getElementType();
}

static Value emitClamp(ClampOp op, OpBuilder &b, Location loc, Type element,
                       ValueRange operands) {
  Value value = operands[0];
  size_t next = 1;
  if (op.getLo())
    value = emitExtreme(b, loc, Extreme::Max, element, value, operands[next++]);
  if (op.getHi())
    value = emitExtreme(b, loc, Extreme::Min, element, value, operands[next]);
  return value;
}

static Value emitLeakyRelu(OpBuilder &b, Location loc, Type element, Value x,
                           Value slope) {
  Value zero = emitConstant(b, loc, x.getType(), 0);
  if (isa<FloatType>(element)) {
    Value negative =
        arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OLT, x, zero);
    return arith::SelectOp::create(b, loc, negative,
                                   arith::MulFOp::create(b, loc, x, slope), x);
  }
  if (isUnsigned(element))
    return x;
  Value negative =
      arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, x, zero);
  return arith::SelectOp::create(b, loc, negative,
                                 arith::MulIOp::create(b, loc, x, slope), x);
}

/// The Node on operands of the computation type.
static Value emitComputed(Operation *node, OpBuilder &b, ValueRange operands,
                          Type element) {
  Location loc = node->getLoc();
  if (auto op = dyn_cast<CompareOp>(node))
    return emitCompare(op, b, loc, element, operands[0], operands[1]);
  if (auto op = dyn_cast<ClampOp>(node))
    return emitClamp(op, b, loc, element, operands);
  if (isa<LeakyReluOp>(node))
    return emitLeakyRelu(b, loc, element, operands[0], operands[1]);
  if (operands.size() == 2)
    return emitBinary(node, b, loc, element, operands[0], operands[1]);
  if (isa<FloatType>(element))
    return emitFloatUnary(node, Floats{b, loc, operands[0].getType()},
                          operands[0]);
  return emitIntUnary(node, b, loc, element, operands[0]);
}

Value emitScalar(Operation *node, OpBuilder &b, ValueRange operands) {
  Location loc = node->getLoc();
  Type element = elementOf(node->getOperand(0)),
       result = elementOf(node->getResult(0));
  if (isa<CastOp>(node))
    return emitCast(b, loc, operands[0], element, result);
  if (isa<BitcastOp>(node)) {
    if (signless(element) == signless(result))
      return operands[0];
    return arith::BitcastOp::create(b, loc, signless(result), operands[0]);
  }
  if (isa<SelectOp>(node))
    return arith::SelectOp::create(b, loc, operands[0], operands[1],
                                   operands[2]);
  bool narrow = element.isF16() || element.isBF16();
  if (!narrow)
    return emitComputed(node, b, operands, element);
  SmallVector<Value> wide;
  for (Value operand : operands)
    wide.push_back(arith::ExtFOp::create(b, loc, b.getF32Type(), operand));
  Value value = emitComputed(node, b, wide, b.getF32Type());
  if (!value || !isa<FloatType>(value.getType()))
    return value;
  return arith::TruncFOp::create(b, loc, result, value);
}

Value emitWideScalar(Operation *node, OpBuilder &b, ValueRange operands) {
  if (isa<CastOp>(node))
    return operands[0];
  return emitComputed(node, b, operands, b.getF32Type());
}

} // namespace graven
