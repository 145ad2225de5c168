//===- Signs.cpp - what never is negative -----------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the question about signs, op by op.
//===----------------------------------------------------------------------===//

#include "passes/graph/Signs.h"
#include "dialects/graven/Graven.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace graven {
namespace {

/// Nodes that are looked through: a sum of squares has few.
constexpr int kDeepest = 8;

bool isConstantWithoutSign(Value value) {
  DenseFPElementsAttr elements;
  return matchPattern(value, m_Constant(&elements)) &&
         llvm::all_of(elements.getValues<APFloat>(), [](const APFloat &number) {
           return number.isNaN() || !number.isNegative();
         });
}

bool isPositiveConstant(Value value) {
  DenseFPElementsAttr elements;
  return matchPattern(value, m_Constant(&elements)) &&
         llvm::all_of(elements.getValues<APFloat>(), [](const APFloat &number) {
           return !number.isNaN() && !number.isNegative() && !number.isZero();
         });
}

bool hasNoSign(Value value, int depth) {
  Operation *op = value.getDefiningOp();
  if (!op || depth > kDeepest)
    return false;
  auto all = [&](auto operands) {
    return llvm::all_of(
        operands, [&](Value operand) { return hasNoSign(operand, depth + 1); });
  };
  return llvm::TypeSwitch<Operation *, bool>(op)
      .Case<ConstantOp>([&](auto) { return isConstantWithoutSign(value); })
      .Case<AbsOp, ExpOp, SigmoidOp, SoftplusOp, SoftmaxOp>(
          [](auto) { return true; })
      // -0 * -0 is 0.
      .Case<MulOp>([&](MulOp mul) {
        return mul.getA() == mul.getB() || all(op->getOperands());
      })
      .Case<AddOp, DivOp, MinOp, SqrtOp, RsqrtOp, ReshapeOp, TransposeOp,
            BroadcastOp, ConcatOp>([&](auto) { return all(op->getOperands()); })
      // Which of -0 and 0 is the greater one, native code does not say.
      .Case<MaxOp>([&](MaxOp max) {
        return isPositiveConstant(max.getA()) ||
               isPositiveConstant(max.getB()) || all(op->getOperands());
      })
      .Case<SliceOp>(
          [&](SliceOp slice) { return hasNoSign(slice.getX(), depth + 1); })
      .Case<SelectOp>([&](SelectOp select) {
        return all(ArrayRef<Value>{select.getA(), select.getB()});
      })
      // Of no elements, sums are 0 and the greatest is -inf.
      .Case<ReduceOp>([&](ReduceOp reduce) {
        bool keepsSign = reduce.getKind() == ReduceKind::Sum ||
                         reduce.getKind() == ReduceKind::Mean ||
                         reduce.getKind() == ReduceKind::Prod;
        return keepsSign && hasNoSign(reduce.getX(), depth + 1);
      })
      .Default([](Operation *) { return false; });
}

} // namespace

bool hasNoSign(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  return type && isa<FloatType>(type.getElementType()) && hasNoSign(value, 0);
}

} // namespace graven
