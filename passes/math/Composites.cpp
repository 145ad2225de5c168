//===- Composites.cpp - formulas of several math ops ------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements expandComposites. It walks backwards, so that a formula
// is seen before its parts are, and parts that nothing uses any more are gone
// before they could be expanded.
//===----------------------------------------------------------------------===//
#include "passes/math/Composites.h"
#include "passes/math/Functions.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Iterators.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/TypeUtilities.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;

namespace graven::elementary {
namespace {

/// The number that a constant holds in every lane.
std::optional<float> numberOf(Value value) {
  if (auto broadcast = value.getDefiningOp<vector::BroadcastOp>())
    value = broadcast.getSource();
  FloatAttr number;
  if (matchPattern(value, m_Constant(&number)))
    return number.getValue().convertToFloat();
  DenseFPElementsAttr splat;
  if (matchPattern(value, m_Constant(&splat)) && splat.isSplat())
    return splat.getSplatValue<APFloat>().convertToFloat();
  return std::nullopt;
}

/// The other operand of a commutative op with a constant.
template <typename Op> Value besides(Value value, float number) {
  auto op = value.getDefiningOp<Op>();
  if (!op)
    return {};
  if (numberOf(op.getRhs()) == number)
    return op.getLhs();
  return numberOf(op.getLhs()) == number ? op.getRhs() : Value();
}

/// x of op(x).
template <typename Op> Value under(Value value) {
  auto op = value ? value.getDefiningOp<Op>() : Op();
  return op ? op.getOperand() : Value();
}

/// -x of x / sqrt(2), or x of -x / sqrt(2).
Value minusTimesRoot(Value value) {
  constexpr float root = 0.70710678118654752440f;
  if (Value x = besides<arith::MulFOp>(value, -root))
    return x;
  Value negated = besides<arith::MulFOp>(value, root);
  return under<arith::NegFOp>(negated);
}

/// x of x/2 erfc(-x / sqrt(2)).
Value matchGelu(arith::MulFOp product) {
  for (auto [first, second] : {std::pair(product.getLhs(), product.getRhs()),
                               std::pair(product.getRhs(), product.getLhs())}) {
    Value argument = under<math::ErfcOp>(second);
    Value x = argument ? minusTimesRoot(argument) : Value();
    if (x && besides<arith::MulFOp>(first, 0.5f) == x)
      return x;
  }
  return {};
}

/// x of log1p(exp(-|x|)).
Value matchTail(Value value) {
  return under<math::AbsFOp>(
      under<arith::NegFOp>(under<math::ExpOp>(under<math::Log1pOp>(value))));
}

/// x of max(x, 0) + log1p(exp(-|x|)).
Value matchSoftplus(Value value) {
  auto sum = value.getDefiningOp<arith::AddFOp>();
  if (!sum)
    return {};
  for (auto [first, second] : {std::pair(sum.getLhs(), sum.getRhs()),
                               std::pair(sum.getRhs(), sum.getLhs())})
    if (Value x = matchTail(second);
        x && besides<arith::MaximumFOp>(first, 0.0f) == x)
      return x;
  return {};
}

/// x of tanh(softplus(x)).
Value matchTanhOfSoftplus(Value value) {
  Value argument = under<math::TanhOp>(value);
  return argument ? matchSoftplus(argument) : Value();
}

/// x of x tanh(softplus(x)).
Value matchMish(arith::MulFOp product) {
  for (auto [x, tanh] : {std::pair(product.getLhs(), product.getRhs()),
                         std::pair(product.getRhs(), product.getLhs())})
    if (matchTanhOfSoftplus(tanh) == x)
      return x;
  return {};
}

/// Whether a value is x x (0.044715 x).
bool isCubic(Value value, Value x) {
  auto product = value.getDefiningOp<arith::MulFOp>();
  if (!product)
    return false;
  for (auto [first, second] : {std::pair(product.getLhs(), product.getRhs()),
                               std::pair(product.getRhs(), product.getLhs())}) {
    auto square = first.getDefiningOp<arith::MulFOp>();
    if (square && square.getLhs() == x && square.getRhs() == x &&
        besides<arith::MulFOp>(second, 0.044715f) == x)
      return true;
  }
  return false;
}

/// Whether a value is -2 sqrt(2 / pi) (x + 0.044715 x^3).
bool isTanhGeluArgument(Value value, Value x) {
  Value inner = besides<arith::MulFOp>(
      value, static_cast<float>(-2 * 0.79788456080286535588));
  auto sum = inner ? inner.getDefiningOp<arith::AddFOp>() : arith::AddFOp();
  return sum && ((sum.getLhs() == x && isCubic(sum.getRhs(), x)) ||
                 (sum.getRhs() == x && isCubic(sum.getLhs(), x)));
}

/// numerator / (1 + e^exponent).
Value overOnePlusExp(Emitter &at, Value numerator, Value exponent) {
  Expr x(at, numerator);
  if (under<arith::NegFOp>(exponent) == numerator)
    return siluF32(x).get();
  if (isTanhGeluArgument(exponent, numerator))
    return geluTanhF32(x).get();
  return overOnePlusExpF32(x, Expr(at, exponent)).get();
}

/// What `op` is as one function, or null.
Value expand(Operation *op, Emitter &at) {
  if (auto product = dyn_cast<arith::MulFOp>(op)) {
    if (Value x = matchGelu(product))
      return geluF32(Expr(at, x)).get();
    Value x = matchMish(product);
    return x ? timesTanhOfSoftplusF32(Expr(at, x), Expr(at, x)).get() : Value();
  }
  if (isa<math::TanhOp>(op)) {
    Value x = matchTanhOfSoftplus(op->getResult(0));
    if (!x)
      return {};
    Expr argument(at, x);
    return timesTanhOfSoftplusF32(argument.constant(1), argument).get();
  }
  if (isa<math::Log1pOp>(op)) {
    Value x = matchTail(op->getResult(0));
    return x ? log1pOfExpF32(-abs(Expr(at, x))).get() : Value();
  }
  if (auto quotient = dyn_cast<arith::DivFOp>(op)) {
    Value x = under<math::ExpOp>(besides<arith::AddFOp>(quotient.getRhs(), 1));
    return x ? overOnePlusExp(at, quotient.getLhs(), x) : Value();
  }
  return {};
}

} // namespace

int64_t expandComposites(Operation *root, Contraction contraction) {
  int64_t count = 0;
  IRRewriter rewriter(root->getContext());
  root->walk<WalkOrder::PostOrder, ReverseIterator>([&](Operation *op) {
    if (op == root || op->getNumResults() != 1)
      return;
    if (isOpTriviallyDead(op) &&
        isa<math::MathDialect, arith::ArithDialect>(op->getDialect()))
      return rewriter.eraseOp(op);
    if (!getElementTypeOrSelf(op->getResult(0).getType()).isF32())
      return;
    rewriter.setInsertionPoint(op);
    Emitter at{rewriter, op->getLoc(), contraction};
    if (Value value = expand(op, at)) {
      rewriter.replaceOp(op, value);
      ++count;
    }
  });
  return count;
}

} // namespace graven::elementary
