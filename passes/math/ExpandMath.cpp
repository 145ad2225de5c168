//===- ExpandMath.cpp - math functions as arithmetic ------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements graven-expand-math, which replaces each math op on f32
// (and, through f32, f16 and bf16) by the formulas of Functions.h, and each
// one on f64 by a call of libm's function.
//===----------------------------------------------------------------------===//
#include "passes/math/Composites.h"
#include "passes/math/Functions.h"
#include "passes/math/Libm.h"
#include "passes/math/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/TypeUtilities.h"
#include "mlir/Transforms/WalkPatternRewriteDriver.h"

namespace graven {
#define GEN_PASS_DEF_EXPANDMATH
#include "passes/math/Passes.h.inc"
} // namespace graven

using namespace mlir;

namespace graven {
namespace {

using elementary::Emitter;
using elementary::Expr;

using UnaryFunction = Expr (*)(Expr);
using BinaryFunction = Expr (*)(Expr, Expr);

/// The element type of a scalar or fixed-size vector, else null.
Type elementOfValue(Type type) {
  if (auto vector = dyn_cast<VectorType>(type))
    return vector.isScalable() ? Type() : vector.getElementType();
  return isa<FloatType>(type) ? type : Type();
}

/// Whether the type is f32 or is computed in it without loss.
bool isComputedInF32(Type type) {
  Type element = elementOfValue(type);
  return element && (element.isF32() || element.isF16() || element.isBF16());
}

bool isF64(Type type) {
  Type element = elementOfValue(type);
  return element && element.isF64();
}

/// An op with one result whose operands all have its type, by a function of
/// them in f32.
template <typename Op, typename Function>
struct ExpandInF32 : OpRewritePattern<Op> {
  ExpandInF32(MLIRContext *context, Function function,
              elementary::Contraction contraction)
      : OpRewritePattern<Op>(context), function(function),
        contraction(contraction) {}

  LogicalResult matchAndRewrite(Op op,
                                PatternRewriter &rewriter) const override {
    if (!isComputedInF32(op.getType()))
      return rewriter.notifyMatchFailure(
          op, "not f16, bf16, f32 or a fixed-size vector of those");
    Emitter emitter{rewriter, op.getLoc(), contraction};
    auto operand = [&](unsigned i) {
      return toF32(Expr(emitter, op->getOperand(i)));
    };
    Type element = getElementTypeOrSelf(op.getType());
    Expr result = apply(operand);
    rewriter.replaceOp(op, toFloat(result, element).get());
    return success();
  }

private:
  template <typename Operands> Expr apply(Operands operand) const {
    if constexpr (std::is_same_v<Function, UnaryFunction>) {
      return function(operand(0));
    } else {
      Expr first = operand(0);
      return function(first, operand(1));
    }
  }

  Function function;
  elementary::Contraction contraction;
};

template <typename Op> using ExpandUnary = ExpandInF32<Op, UnaryFunction>;
template <typename Op> using ExpandBinary = ExpandInF32<Op, BinaryFunction>;

struct ExpandSincos : OpRewritePattern<math::SincosOp> {
  ExpandSincos(MLIRContext *context, elementary::Contraction contraction)
      : OpRewritePattern(context), contraction(contraction) {}

  LogicalResult matchAndRewrite(math::SincosOp op,
                                PatternRewriter &rewriter) const override {
    Value operand = op.getOperand();
    if (!isComputedInF32(operand.getType()))
      return rewriter.notifyMatchFailure(
          op, "not f16, bf16, f32 or a fixed-size vector of those");
    Emitter emitter{rewriter, op.getLoc(), contraction};
    Type element = getElementTypeOrSelf(operand.getType());
    elementary::SineAndCosine both = sinCosF32(toF32(Expr(emitter, operand)));
    rewriter.replaceOp(op, {toFloat(both.sine, element).get(),
                            toFloat(both.cosine, element).get()});
    return success();
  }

private:
  elementary::Contraction contraction;
};

/// x^n for an integer n of up to 64 bits, as a power with an f64 exponent.
struct ExpandFPowI : OpRewritePattern<math::FPowIOp> {
  ExpandFPowI(MLIRContext *context, elementary::Contraction contraction)
      : OpRewritePattern(context), contraction(contraction) {}

  LogicalResult matchAndRewrite(math::FPowIOp op,
                                PatternRewriter &rewriter) const override {
    if (!isComputedInF32(op.getType()) && !isF64(op.getType()))
      return rewriter.notifyMatchFailure(
          op, "not f16, bf16, f32, f64 or a fixed-size vector of those");
    if (isa<IndexType>(getElementTypeOrSelf(op.getRhs().getType())))
      return rewriter.notifyMatchFailure(op, "the exponent is an index");
    Emitter emitter{rewriter, op.getLoc(), contraction};
    Expr exponent =
        signedToFloat(Expr(emitter, op.getRhs()), rewriter.getF64Type());
    if (isF64(op.getType())) {
      FailureOr<Value> result = elementary::callLibm(
          rewriter, op, "pow", {op.getLhs(), exponent.get()});
      if (failed(result))
        return rewriter.notifyMatchFailure(op, "the name is another symbol's");
      rewriter.replaceOp(op, *result);
      return success();
    }
    Type element = getElementTypeOrSelf(op.getType());
    Expr result = powF32(toF32(Expr(emitter, op.getLhs())), exponent);
    rewriter.replaceOp(op, toFloat(result, element).get());
    return success();
  }

private:
  elementary::Contraction contraction;
};

/// A rounding op on f32 or f64, or through f32 on the narrower types.
template <typename Op> struct ExpandRounding : OpRewritePattern<Op> {
  ExpandRounding(MLIRContext *context, UnaryFunction function)
      : OpRewritePattern<Op>(context), function(function) {}

  LogicalResult matchAndRewrite(Op op,
                                PatternRewriter &rewriter) const override {
    Emitter emitter{rewriter, op.getLoc(), elementary::Contraction::Separate};
    Expr operand(emitter, op.getOperand());
    if (isF64(op.getType())) {
      rewriter.replaceOp(op, function(operand).get());
      return success();
    }
    if (!isComputedInF32(op.getType()))
      return rewriter.notifyMatchFailure(
          op, "not f16, bf16, f32, f64 or a fixed-size vector of those");
    Type element = getElementTypeOrSelf(op.getType());
    rewriter.replaceOp(op, toFloat(function(toF32(operand)), element).get());
    return success();
  }

private:
  UnaryFunction function;
};

/// An op on f64 by a call for each element.
template <typename Op> struct CallLibm : OpRewritePattern<Op> {
  CallLibm(MLIRContext *context, StringRef name)
      : OpRewritePattern<Op>(context), name(name) {}

  LogicalResult matchAndRewrite(Op op,
                                PatternRewriter &rewriter) const override {
    if (!isF64(op.getType()))
      return rewriter.notifyMatchFailure(
          op, "not f64 or a fixed-size vector of it");
    FailureOr<Value> result =
        elementary::callLibm(rewriter, op, name, op->getOperands());
    if (failed(result))
      return rewriter.notifyMatchFailure(op, "the name is another symbol's");
    rewriter.replaceOp(op, *result);
    return success();
  }

private:
  StringRef name;
};

/// 1 / sqrt(x) on f64, where both parts are single instructions.
struct RsqrtF64 : OpRewritePattern<math::RsqrtOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(math::RsqrtOp op,
                                PatternRewriter &rewriter) const override {
    if (!isF64(op.getType()))
      return rewriter.notifyMatchFailure(
          op, "not f64 or a fixed-size vector of it");
    Emitter emitter{rewriter, op.getLoc(), elementary::Contraction::Separate};
    Expr operand(emitter, op.getOperand());
    rewriter.replaceOp(op, (1 / sqrt(operand)).get());
    return success();
  }
};

/// sin and cos of f64, by the two functions.
struct SincosF64 : OpRewritePattern<math::SincosOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(math::SincosOp op,
                                PatternRewriter &rewriter) const override {
    if (!isF64(op.getOperand().getType()))
      return rewriter.notifyMatchFailure(
          op, "not f64 or a fixed-size vector of it");
    FailureOr<Value> sine =
        elementary::callLibm(rewriter, op, "sin", op.getOperand());
    FailureOr<Value> cosine =
        elementary::callLibm(rewriter, op, "cos", op.getOperand());
    if (failed(sine) || failed(cosine))
      return rewriter.notifyMatchFailure(op, "the name is another symbol's");
    rewriter.replaceOp(op, {*sine, *cosine});
    return success();
  }
};

/// Adds the two patterns of a function that has an f32 formula and a name in
/// libm.
struct Table {
  RewritePatternSet &patterns;
  elementary::Contraction contraction;

  template <typename Op> void unary(UnaryFunction function, StringRef libm) {
    patterns.add<ExpandUnary<Op>>(patterns.getContext(), function, contraction);
    patterns.add<CallLibm<Op>>(patterns.getContext(), libm);
  }
  template <typename Op> void binary(BinaryFunction function, StringRef libm) {
    patterns.add<ExpandBinary<Op>>(patterns.getContext(), function,
                                   contraction);
    patterns.add<CallLibm<Op>>(patterns.getContext(), libm);
  }
  template <typename Op> void rounding(UnaryFunction function) {
    patterns.add<ExpandRounding<Op>>(patterns.getContext(), function);
  }
};

Expr powOfF32(Expr x, Expr y) { return powF32(x, toF64(y)); }

int64_t countMathOps(Operation *root) {
  int64_t count = 0;
  root->walk([&](Operation *op) {
    bool isPart =
        isa<math::AbsFOp, math::CopySignOp, math::SqrtOp, math::FmaOp>(op);
    count += isa<math::MathDialect>(op->getDialect()) && !isPart;
  });
  return count;
}

struct ExpandMath : impl::ExpandMathBase<ExpandMath> {
  using ExpandMathBase::ExpandMathBase;

  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    populateExpandMathPatterns(patterns, ExpandMathOptions{fma, rounding});
    int64_t before = countMathOps(getOperation());
    numComposites += elementary::expandComposites(
        getOperation(), fma ? elementary::Contraction::Fused
                            : elementary::Contraction::Separate);
    FrozenRewritePatternSet frozen(std::move(patterns));
    for (Operation &op : llvm::make_early_inc_range(*getOperation().getBody()))
      walkAndApplyPatterns(&op, frozen);
    numExpanded += before - countMathOps(getOperation());
  }
};

} // namespace

void populateExpandMathPatterns(RewritePatternSet &patterns,
                                const ExpandMathOptions &options) {
  using namespace elementary;
  elementary::Contraction contraction = options.fma
                                            ? elementary::Contraction::Fused
                                            : elementary::Contraction::Separate;
  Table table{patterns, contraction};
  table.unary<math::ExpOp>(expF32, "exp");
  table.unary<math::Exp2Op>(exp2F32, "exp2");
  table.unary<math::ExpM1Op>(expm1F32, "expm1");
  table.unary<math::LogOp>(logF32, "log");
  table.unary<math::Log2Op>(log2F32, "log2");
  table.unary<math::Log10Op>(log10F32, "log10");
  table.unary<math::Log1pOp>(log1pF32, "log1p");
  table.unary<math::TanhOp>(tanhF32, "tanh");
  table.unary<math::ErfOp>(erfF32, "erf");
  table.unary<math::ErfcOp>(erfcF32, "erfc");
  table.unary<math::SinOp>(sinF32, "sin");
  table.unary<math::CosOp>(cosF32, "cos");
  table.unary<math::TanOp>(tanF32, "tan");
  table.unary<math::AsinOp>(asinF32, "asin");
  table.unary<math::AcosOp>(acosF32, "acos");
  table.unary<math::AtanOp>(atanF32, "atan");
  table.unary<math::SinhOp>(sinhF32, "sinh");
  table.unary<math::CoshOp>(coshF32, "cosh");
  table.unary<math::AsinhOp>(asinhF32, "asinh");
  table.unary<math::AcoshOp>(acoshF32, "acosh");
  table.unary<math::AtanhOp>(atanhF32, "atanh");
  table.unary<math::CbrtOp>(cbrtF32, "cbrt");
  table.binary<math::PowFOp>(powOfF32, "pow");
  table.binary<math::Atan2Op>(atan2F32, "atan2");
  MLIRContext *context = patterns.getContext();
  patterns.add<ExpandUnary<math::RsqrtOp>>(
      context, static_cast<UnaryFunction>(rsqrtF32), contraction);
  patterns.add<ExpandSincos, ExpandFPowI>(context, contraction);
  patterns.add<RsqrtF64, SincosF64>(context);
  if (!options.rounding)
    return;
  table.rounding<math::RoundEvenOp>(roundEven);
  table.rounding<math::TruncOp>(truncate);
  table.rounding<math::FloorOp>(floor);
  table.rounding<math::CeilOp>(ceil);
  table.rounding<math::RoundOp>(roundAway);
}

} // namespace graven
