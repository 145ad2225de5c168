//===- RowsElementwise.cpp - ops of several elements ----------*- C++ -*-===//
//-*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the rows of the elementwise ops of two and three
// operands, with all forms of broadcast.
//===----------------------------------------------------------------------===//

#include "test/fuzz/random/Rows.h"

using namespace mlir;

namespace graven::fuzz {
namespace {

/// Two operands that broadcast, in either order; now and then one twice.
std::pair<Value, Value> drawPair(Draft &d, Types types, Range range = usual) {
  Value a = d.operand(types);
  if (d.chance(10))
    return {a, a};
  Value b = d.partner(Draft::elementOf(a), Draft::shapeOf(a), range);
  if (d.chance(50))
    std::swap(a, b);
  return {a, b};
}

template <class Op, Types types> void drawBinary(Draft &d) {
  auto [a, b] = drawPair(d, types);
  d.add<Op>(a, b);
}

/// The divisor of floats stays away from zero; ints take any.
template <class Op> void drawQuotient(Draft &d) {
  auto [a, b] = drawPair(d, Types::Number, {0.25, 4});
  if (isa<FloatType>(Draft::elementOf(b)))
    b = d.within(b, {0.25, 1000});
  if (b)
    d.add<Op>(a, b);
}

void drawPow(Draft &d) {
  auto [a, b] = drawPair(d, Types::Number);
  if (isa<FloatType>(Draft::elementOf(a))) {
    a = d.within(a, {0.1, 6});
    if (a)
      b = d.within(b, {-3, 3});
  }
  if (a && b)
    d.add<PowOp>(a, b);
}

void drawCompare(Draft &d) {
  auto [a, b] = drawPair(d, Types::Any);
  d.add<CompareOp>(a, b,
                   d.pick({ComparePredicate::Eq, ComparePredicate::Ne,
                           ComparePredicate::Lt, ComparePredicate::Le,
                           ComparePredicate::Gt, ComparePredicate::Ge}));
}

void drawSelect(Draft &d) {
  auto [a, b] = drawPair(d, Types::Any);
  Draft::Shape shape = Draft::shapeOf(Draft::typeOf(a).getRank() ? a : b);
  // With an axis of its own where both operands are 1, for others to fit.
  for (auto [axis, extent] : llvm::enumerate(shape))
    if (Draft::typeOf(a).getRank() && Draft::typeOf(b).getRank())
      extent = extent == 1 ? Draft::shapeOf(b)[axis] : extent;
  d.add<SelectOp>(d.partner(d.builder.getI1Type(), shape), a, b);
}

/// One bound or both, scalars or tensors that broadcast to x.
void drawClamp(Draft &d) {
  Value x = d.operand(Types::Number);
  auto bound = [&](Range range) -> Value {
    Draft::Shape shape = Draft::shapeOf(x);
    for (int64_t &extent : shape)
      extent = d.chance(40) ? 1 : extent;
    return d.like(Draft::elementOf(x), d.chance(50) ? Draft::Shape() : shape,
                  range);
  };
  int64_t form = d.number(0, 3);
  Value lo = form != 1 ? bound({-1, 0}) : Value();
  Value hi = form != 2 ? bound(form == 3 ? usual : Range{0, 2}) : Value();
  d.add<ClampOp>(x, lo, hi);
}

void drawLeakyRelu(Draft &d) {
  Value x = d.operand(Types::Number);
  Draft::Shape shape = Draft::shapeOf(x);
  for (auto [axis, extent] : llvm::enumerate(shape))
    extent = axis == 1 || d.chance(30) ? extent : 1;
  d.add<LeakyReluOp>(
      x, d.like(Draft::elementOf(x), d.chance(50) ? Draft::Shape() : shape));
}

} // namespace

llvm::ArrayRef<Row> getElementwiseRows() {
  static const Row rows[] = {
      row<AddOp>(drawBinary<AddOp, Types::Number>),
      row<SubOp>(drawBinary<SubOp, Types::Number>),
      row<MulOp>(drawBinary<MulOp, Types::Number>),
      row<DivOp>(drawQuotient<DivOp>),
      row<RemOp>(drawQuotient<RemOp>),
      row<PowOp>(drawPow),
      row<MaxOp>(drawBinary<MaxOp, Types::Any>),
      row<MinOp>(drawBinary<MinOp, Types::Any>),
      row<Atan2Op>(drawBinary<Atan2Op, Types::Float>),
      row<AndOp>(drawBinary<AndOp, Types::Bits>),
      row<OrOp>(drawBinary<OrOp, Types::Bits>),
      row<XorOp>(drawBinary<XorOp, Types::Bits>),
      row<ShlOp>(drawBinary<ShlOp, Types::Integer>),
      row<ShrOp>(drawBinary<ShrOp, Types::Integer>),
      row<CompareOp>(drawCompare),
      row<SelectOp>(drawSelect),
      row<ClampOp>(drawClamp),
      row<LeakyReluOp>(drawLeakyRelu),
  };
  return rows;
}

} // namespace graven::fuzz
