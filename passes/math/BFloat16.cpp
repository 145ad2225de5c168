//===- BFloat16.cpp - bf16 without instructions -----------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the conversions between bf16 and wider floats as integer
// arithmetic: bf16 is the upper half of an f32.

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/TypeUtilities.h"
#include "passes/math/Passes.h"

using namespace mlir;

namespace graven {
namespace {

/// `like`, a scalar or a vector, with another element type.
Type withElement(Type like, Type element) {
  if (auto vector = dyn_cast<VectorType>(like))
    return VectorType::get(vector.getShape(), element);
  return element;
}

Value integer(OpBuilder &b, Location loc, Type type, int64_t value) {
  IntegerAttr number = b.getIntegerAttr(getElementTypeOrSelf(type), value);
  if (auto vector = dyn_cast<VectorType>(type))
    return arith::ConstantOp::create(
        b, loc, DenseElementsAttr::get(vector, Attribute(number)));
  return arith::ConstantOp::create(b, loc, number);
}

bool isScalarOrVector(Type type) {
  if (auto vector = dyn_cast<VectorType>(type))
    return !vector.isScalable();
  return !isa<ShapedType>(type);
}

struct ExpandExtF : OpRewritePattern<arith::ExtFOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(arith::ExtFOp op,
                                PatternRewriter &b) const override {
    Type from = op.getIn().getType(), to = op.getType();
    if (!getElementTypeOrSelf(from).isBF16() || !isScalarOrVector(from))
      return b.notifyMatchFailure(op, "not a bf16 scalar or vector");
    Location loc = op.getLoc();
    Type i16 = withElement(from, b.getI16Type()),
         i32 = withElement(from, b.getI32Type()),
         f32 = withElement(from, b.getF32Type());
    Value bits = arith::BitcastOp::create(b, loc, i16, op.getIn());
    bits = arith::ExtUIOp::create(b, loc, i32, bits);
    bits = arith::ShLIOp::create(b, loc, bits, integer(b, loc, i32, 16));
    Value value = arith::BitcastOp::create(b, loc, f32, bits);
    if (f32 != to)
      value = arith::ExtFOp::create(b, loc, to, value);
    b.replaceOp(op, value);
    return success();
  }
};

/// Adds what carries into the upper half when the lower one is above the middle
/// or the upper one odd in the middle. The choice for NaN is made at the width
/// of f32: LLVM would turn one of 16 bits into a choice between bf16, for which
/// it calls functions.
struct ExpandTruncF : OpRewritePattern<arith::TruncFOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(arith::TruncFOp op,
                                PatternRewriter &b) const override {
    Type from = op.getIn().getType(), to = op.getType();
    if (!getElementTypeOrSelf(to).isBF16() || !isScalarOrVector(to))
      return b.notifyMatchFailure(op, "not a bf16 scalar or vector");
    if (op.getRoundingmode() &&
        *op.getRoundingmode() != arith::RoundingMode::to_nearest_even)
      return b.notifyMatchFailure(op, "does not round to nearest even");
    Location loc = op.getLoc();
    Type i16 = withElement(from, b.getI16Type()),
         i32 = withElement(from, b.getI32Type()),
         f32 = withElement(from, b.getF32Type());
    Value x = op.getIn();
    if (from != f32)
      x = arith::TruncFOp::create(b, loc, f32, x);
    Value isNaN =
        arith::CmpFOp::create(b, loc, arith::CmpFPredicate::UNO, x, x);
    Value bits = arith::BitcastOp::create(b, loc, i32, x),
          half = integer(b, loc, i32, 16);
    Value odd = arith::AndIOp::create(
        b, loc, arith::ShRUIOp::create(b, loc, bits, half),
        integer(b, loc, i32, 1));
    Value rounded =
        arith::AddIOp::create(b, loc, arith::AddIOp::create(b, loc, bits, odd),
                              integer(b, loc, i32, 0x7fff));
    Value quiet =
        arith::OrIOp::create(b, loc, bits, integer(b, loc, i32, 0x400000));
    bits = arith::SelectOp::create(b, loc, isNaN, quiet, rounded);
    bits = arith::ShRUIOp::create(b, loc, bits, half);
    bits = arith::TruncIOp::create(b, loc, i16, bits);
    b.replaceOpWithNewOp<arith::BitcastOp>(op, to, bits);
    return success();
  }
};

} // namespace

void populateExpandBFloat16Patterns(RewritePatternSet &patterns) {
  patterns.add<ExpandExtF, ExpandTruncF>(patterns.getContext());
}

} // namespace graven
