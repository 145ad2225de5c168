//===- RowsUnary.cpp - elementwise ops of one operand -----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the rows of the elementwise ops of one operand, each
// with the range in which it is well-conditioned.
//===----------------------------------------------------------------------===//

#include "test/fuzz/random/Rows.h"

using namespace mlir;

namespace graven::fuzz {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr Range everything = {-infinity, infinity};

llvm::APFloat number(double value) { return llvm::APFloat(value); }

template <class Op, class... Attributes>
void drawUnary(Draft &d, Types types, Range range, Attributes... attributes) {
  Value x = d.within(d.operand(types), range);
  if (x)
    d.add<Op>(x, attributes...);
}

template <class Op> void drawFloat(Draft &d) {
  drawUnary<Op>(d, Types::Float, everything);
}
template <class Op> void drawExponential(Draft &d) {
  drawUnary<Op>(d, Types::Float, {-30, 6});
}
template <class Op> void drawOfPositive(Draft &d) {
  drawUnary<Op>(d, Types::Float, {0.01, infinity});
}
template <class Op> void drawOfAngle(Draft &d) {
  drawUnary<Op>(d, Types::Float, {-1.25, 40});
}
template <class Op> void drawOfUnit(Draft &d) {
  drawUnary<Op>(d, Types::Float, {-0.95, 0.95});
}
template <class Op> void drawNumber(Draft &d) {
  drawUnary<Op>(d, Types::Number, everything);
}

void drawLog1p(Draft &d) {
  drawUnary<Log1pOp>(d, Types::Float, {-0.9, infinity});
}
void drawAcosh(Draft &d) {
  drawUnary<AcoshOp>(d, Types::Float, {1.1, infinity});
}
void drawNot(Draft &d) { drawUnary<NotOp>(d, Types::Bits, everything); }
void drawGelu(Draft &d) {
  drawUnary<GeluOp>(d, Types::Float, everything,
                    d.pick({GeluForm::Exact, GeluForm::Tanh}));
}
void drawHardSigmoid(Draft &d) {
  drawUnary<HardSigmoidOp>(d, Types::Float, everything,
                           number(d.pick({1.0 / 6, 0.2, -0.5})),
                           number(d.pick({0.5, 0.0, 0.3})));
}
void drawElu(Draft &d) {
  drawUnary<EluOp>(
      d, Types::Float, {-100, 100}, number(d.pick({1.0, 1.673, 0.0})),
      number(d.pick({1.0, 1.0507, -2.0})), number(d.pick({1.0, 0.5, 2.0})));
}

/// Of any type to any, out of range and back.
void drawCast(Draft &d) {
  d.add<CastOp>(d.operand(Types::Any), d.type(Types::Any));
}

void drawBitcast(Draft &d) {
  Value x = d.operand(Types::Any);
  OpBuilder &b = d.builder;
  Type to;
  switch (Draft::elementOf(x).getIntOrFloatBitWidth()) {
  case 1:
    to = b.getI1Type();
    break;
  case 8:
    to = d.pick<Type>({b.getI8Type(), b.getIntegerType(8, false)});
    break;
  case 16:
    to = d.pick<Type>({b.getI16Type(), b.getIntegerType(16, false),
                       b.getF16Type(), b.getBF16Type()});
    break;
  case 32:
    to = d.pick<Type>(
        {b.getI32Type(), b.getIntegerType(32, false), b.getF32Type()});
    break;
  default:
    to = d.pick<Type>(
        {b.getI64Type(), b.getIntegerType(64, false), b.getF64Type()});
  }
  d.add<BitcastOp>(x, to);
}

} // namespace

llvm::ArrayRef<Row> getUnaryRows() {
  static const Row rows[] = {
      row<NegOp>(drawNumber<NegOp>),
      row<AbsOp>(drawNumber<AbsOp>),
      row<SignOp>(drawNumber<SignOp>),
      row<CeilOp>(drawFloat<CeilOp>),
      row<FloorOp>(drawFloat<FloorOp>),
      row<RoundOp>(drawFloat<RoundOp>),
      row<ExpOp>(drawExponential<ExpOp>),
      row<Expm1Op>(drawExponential<Expm1Op>),
      row<LogOp>(drawOfPositive<LogOp>),
      row<Log1pOp>(drawLog1p),
      row<SqrtOp>(drawOfPositive<SqrtOp>),
      row<RsqrtOp>(drawOfPositive<RsqrtOp>),
      row<SinOp>(drawFloat<SinOp>),
      row<CosOp>(drawFloat<CosOp>),
      row<TanOp>(drawOfAngle<TanOp>),
      row<AsinOp>(drawOfUnit<AsinOp>),
      row<AcosOp>(drawOfUnit<AcosOp>),
      row<AtanOp>(drawFloat<AtanOp>),
      row<SinhOp>(drawExponential<SinhOp>),
      row<CoshOp>(drawExponential<CoshOp>),
      row<TanhOp>(drawFloat<TanhOp>),
      row<AsinhOp>(drawFloat<AsinhOp>),
      row<AcoshOp>(drawAcosh),
      row<AtanhOp>(drawOfUnit<AtanhOp>),
      row<SigmoidOp>(drawFloat<SigmoidOp>),
      row<ErfOp>(drawFloat<ErfOp>),
      row<ReluOp>(drawNumber<ReluOp>),
      row<SiluOp>(drawFloat<SiluOp>),
      row<HardSwishOp>(drawFloat<HardSwishOp>),
      row<SoftplusOp>(drawFloat<SoftplusOp>),
      row<NotOp>(drawNot),
      row<GeluOp>(drawGelu),
      row<HardSigmoidOp>(drawHardSigmoid),
      row<EluOp>(drawElu),
      row<CastOp>(drawCast),
      row<BitcastOp>(drawBitcast),
  };
  return rows;
}

} // namespace graven::fuzz
