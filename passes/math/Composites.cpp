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

/// What `op` is as one function, or null.
Value expand(Operation *op, Emitter &at) {
  if (auto product = dyn_cast<arith::MulFOp>(op)) {
    Value x = matchGelu(product);
    return x ? geluF32(Expr(at, x)).get() : Value();
  }
  if (auto tanh = dyn_cast<math::TanhOp>(op)) {
    Value x = matchSoftplus(tanh.getOperand());
    return x ? tanhOfSoftplusF32(Expr(at, x)).get() : Value();
  }
  if (isa<math::Log1pOp>(op)) {
    Value x = matchTail(op->getResult(0));
    return x ? log1pOfExpF32(-abs(Expr(at, x))).get() : Value();
  }
  if (auto quotient = dyn_cast<arith::DivFOp>(op)) {
    Value x = under<math::ExpOp>(besides<arith::AddFOp>(quotient.getRhs(), 1));
    return x ? overOnePlusExpF32(Expr(at, quotient.getLhs()), Expr(at, x)).get()
             : Value();
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
