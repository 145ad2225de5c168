//===- Expr.cpp - arith ops written as formulas -----------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the operators of Expr, each of which builds one op of
// the arith dialect (or math.absf, copysign, sqrt and fma, which are single
// instructions), without any fast-math flag.
//===----------------------------------------------------------------------===//
#include "passes/math/Expr.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;

namespace graven::elementary {

Type Expr::getElementTypeOrSelf(Value value) {
  return mlir::getElementTypeOrSelf(value.getType());
}

Type Expr::typeWith(Type element) const {
  if (auto shaped = dyn_cast<ShapedType>(value.getType()))
    return shaped.clone(element);
  return element;
}

Expr Expr::constant(Number number) const {
  Type element = elementType();
  TypedAttr attr;
  if (auto floatType = dyn_cast<FloatType>(element))
    attr = FloatAttr::get(floatType, number.real);
  else
    attr = IntegerAttr::get(
        element, APInt(element.getIntOrFloatBitWidth(), number.integer,
                       /*isSigned=*/true, /*implicitTrunc=*/true));
  if (auto shaped = dyn_cast<ShapedType>(value.getType()))
    attr = DenseElementsAttr::get(shaped, Attribute(attr));
  return Expr(*emitter,
              arith::ConstantOp::create(emitter->builder, emitter->loc, attr));
}

template <typename Op> static Expr binary(Expr a, Expr b) {
  return Expr(a.at(), Op::create(a.at().builder, a.at().loc, a.get(), b.get()));
}

template <typename FloatOp, typename IntOp>
static Expr binaryOf(Expr a, Expr b) {
  if (isa<FloatType>(a.elementType()))
    return binary<FloatOp>(a, b);
  return binary<IntOp>(a, b);
}

template <typename Op> static Expr convert(Expr a, Type element) {
  return Expr(a.at(), Op::create(a.at().builder, a.at().loc,
                                 a.typeWith(element), a.get()));
}

Expr operator+(Expr a, Expr b) {
  return binaryOf<arith::AddFOp, arith::AddIOp>(a, b);
}
Expr operator-(Expr a, Expr b) {
  return binaryOf<arith::SubFOp, arith::SubIOp>(a, b);
}
Expr operator*(Expr a, Expr b) {
  return binaryOf<arith::MulFOp, arith::MulIOp>(a, b);
}
Expr operator/(Expr a, Expr b) { return binary<arith::DivFOp>(a, b); }
Expr operator-(Expr a) {
  return Expr(a.at(),
              arith::NegFOp::create(a.at().builder, a.at().loc, a.get()));
}

Expr operator&(Expr a, Expr b) { return binary<arith::AndIOp>(a, b); }
Expr operator|(Expr a, Expr b) { return binary<arith::OrIOp>(a, b); }
Expr operator^(Expr a, Expr b) { return binary<arith::XOrIOp>(a, b); }
Expr operator<<(Expr a, Expr b) { return binary<arith::ShLIOp>(a, b); }
Expr operator>>(Expr a, Expr b) { return binary<arith::ShRUIOp>(a, b); }
Expr operator!(Expr truth) { return truth ^ truth.constant(1); }
Expr sar(Expr a, Number b) { return binary<arith::ShRSIOp>(a, a.constant(b)); }

static Expr compare(arith::CmpFPredicate forFloat,
                    arith::CmpIPredicate forInteger, Expr a, Expr b) {
  Emitter &at = a.at();
  if (isa<FloatType>(a.elementType()))
    return Expr(at, arith::CmpFOp::create(at.builder, at.loc, forFloat, a.get(),
                                          b.get()));
  return Expr(at, arith::CmpIOp::create(at.builder, at.loc, forInteger, a.get(),
                                        b.get()));
}

Expr operator<(Expr a, Expr b) {
  return compare(arith::CmpFPredicate::OLT, arith::CmpIPredicate::slt, a, b);
}
Expr operator<=(Expr a, Expr b) {
  return compare(arith::CmpFPredicate::OLE, arith::CmpIPredicate::sle, a, b);
}
Expr operator>(Expr a, Expr b) {
  return compare(arith::CmpFPredicate::OGT, arith::CmpIPredicate::sgt, a, b);
}
Expr operator>=(Expr a, Expr b) {
  return compare(arith::CmpFPredicate::OGE, arith::CmpIPredicate::sge, a, b);
}
Expr equals(Expr a, Expr b) {
  return compare(arith::CmpFPredicate::OEQ, arith::CmpIPredicate::eq, a, b);
}
Expr differs(Expr a, Expr b) {
  return compare(arith::CmpFPredicate::UNE, arith::CmpIPredicate::ne, a, b);
}

Expr select(Expr condition, Expr a, Expr b) {
  return Expr(a.at(),
              arith::SelectOp::create(a.at().builder, a.at().loc,
                                      condition.get(), a.get(), b.get()));
}

Expr bitsOf(Expr a) {
  unsigned width = a.elementType().getIntOrFloatBitWidth();
  return convert<arith::BitcastOp>(a, a.at().builder.getIntegerType(width));
}

Expr floatOf(Expr a) {
  Builder &builder = a.at().builder;
  bool isDouble = a.elementType().isInteger(64);
  return convert<arith::BitcastOp>(a, isDouble ? Type(builder.getF64Type())
                                               : Type(builder.getF32Type()));
}

Expr toFloat(Expr a, Type element) {
  unsigned from = a.elementType().getIntOrFloatBitWidth();
  unsigned to = element.getIntOrFloatBitWidth();
  if (from == to)
    return a;
  if (from < to)
    return convert<arith::ExtFOp>(a, element);
  return Expr(a.at(), arith::TruncFOp::create(a.at().builder, a.at().loc,
                                              a.typeWith(element), a.get()));
}

Expr toF32(Expr a) { return toFloat(a, a.at().builder.getF32Type()); }
Expr toF64(Expr a) { return toFloat(a, a.at().builder.getF64Type()); }
Expr signExtend(Expr a, unsigned width) {
  return convert<arith::ExtSIOp>(a, a.at().builder.getIntegerType(width));
}
Expr zeroExtend(Expr a, unsigned width) {
  return convert<arith::ExtUIOp>(a, a.at().builder.getIntegerType(width));
}
Expr truncateTo(Expr a, unsigned width) {
  return Expr(a.at(),
              arith::TruncIOp::create(
                  a.at().builder, a.at().loc,
                  a.typeWith(a.at().builder.getIntegerType(width)), a.get()));
}
Expr signedToFloat(Expr a, Type element) {
  return convert<arith::SIToFPOp>(a, element);
}

Expr abs(Expr a) {
  return Expr(a.at(),
              math::AbsFOp::create(a.at().builder, a.at().loc, a.get()));
}
Expr copySign(Expr magnitude, Expr sign) {
  return binary<math::CopySignOp>(magnitude, sign);
}
Expr sqrt(Expr a) {
  return Expr(a.at(),
              math::SqrtOp::create(a.at().builder, a.at().loc, a.get()));
}

Expr multiplyAdd(Expr a, Expr b, Expr c) {
  if (a.at().contraction == Contraction::Separate)
    return a * b + c;
  return Expr(a.at(), math::FmaOp::create(a.at().builder, a.at().loc, a.get(),
                                          b.get(), c.get()));
}

Expr horner(Expr x, llvm::ArrayRef<double> coefficients) {
  Expr result = x.constant(coefficients.back());
  for (double coefficient : llvm::reverse(coefficients.drop_back()))
    result = multiplyAdd(result, x, coefficient);
  return result;
}

Expr estrin(Expr x, llvm::ArrayRef<double> coefficients) {
  size_t count = coefficients.size();
  if (count <= 2)
    return horner(x, coefficients);
  Expr square = x * x;
  if (count <= 6)
    return multiplyAdd(estrin(x, coefficients.drop_front(2)), square,
                       horner(x, coefficients.take_front(2)));
  return multiplyAdd(estrin(x, coefficients.drop_front(4)), square * square,
                     estrin(x, coefficients.take_front(4)));
}

Expr hornerOfEstrin(Expr x, llvm::ArrayRef<double> coefficients) {
  return multiplyAdd(estrin(x, coefficients.drop_front()), x,
                     coefficients.front());
}

Expr atMost(Expr a, Number bound) {
  Expr limit = a.constant(bound);
  return select(limit < a, limit, a);
}
Expr atLeast(Expr a, Number bound) {
  Expr limit = a.constant(bound);
  return select(limit > a, limit, a);
}

} // namespace graven::elementary
