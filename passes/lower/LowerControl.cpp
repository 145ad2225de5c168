//===- LowerControl.cpp - control flow and fusion groups ------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the lowering of `if` and `loop` to scf, and of fusion
// groups: a contraction with elementwise Nodes behind it becomes one kernel
// with an epilogue, any other group is inlined.
//===----------------------------------------------------------------------===//

#include "dialects/graven/Graven.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "passes/lower/LowerContraction.h"
#include "passes/lower/LowerUtils.h"
#include "passes/lower/ScalarFormulas.h"

using namespace mlir;

namespace graven {
namespace {

/// The group as an anchor and an epilogue; fails when its Nodes are not a
/// contraction and what follows it.
FailureOr<FusedNodes> splitFusion(FusionOp op, ValueRange outer) {
  FusedNodes fused;
  Block &block = op.getBody().front();
  llvm::SmallDenseMap<Value, Value> lowered;
  for (auto [argument, value] : llvm::zip(block.getArguments(), outer))
    lowered[argument] = value;
  for (Operation &node : block.without_terminator()) {
    if (isa<MatmulOp, ConvOp>(node) && !fused.anchor) {
      fused.anchor = &node;
      continue;
    }
    bool same =
        node.getNumResults() == 1 && fused.anchor &&
        node.hasTrait<Elementwise>() &&
        node.getResult(0).getType() == fused.anchor->getResult(0).getType();
    if (!same)
      return failure();
    fused.nodes.push_back(&node);
    for (Value operand : node.getOperands()) {
      if (operand.getType() != node.getResult(0).getType() &&
          !lowered.count(operand))
        return failure();
      if (lowered.count(operand) && !llvm::is_contained(fused.inner, operand)) {
        fused.inner.push_back(operand);
        fused.outer.push_back(lowered[operand]);
      }
    }
  }
  Operation *yield = block.getTerminator();
  if (!fused.anchor || fused.nodes.empty() || yield->getNumOperands() != 1 ||
      yield->getOperand(0) != fused.nodes.back()->getResult(0))
    return failure();
  for (Value operand : fused.anchor->getOperands())
    if (!lowered.count(operand))
      return failure();
  Type element = cast<RankedTensorType>(fused.anchor->getResult(0).getType())
                     .getElementType();
  if (!element.isF32() && !element.isF64())
    return failure();
  return fused;
}

struct LowerFusion : OpConversionPattern<FusionOp> {
  LowerFusion(MLIRContext *context, const TargetInfo &target)
      : OpConversionPattern(context), target(target) {}

  LogicalResult
  matchAndRewrite(FusionOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const final {
    auto fused = splitFusion(op, adaptor.getInputs());
    if (succeeded(fused)) {
      auto value = lowerAnchor(op, adaptor, rewriter, *fused);
      if (succeeded(value)) {
        rewriter.replaceOp(op, *value);
        return success();
      }
    }
    Block &block = op.getBody().front();
    Operation *yield = block.getTerminator();
    SmallVector<Value> results(yield->getOperands());
    rewriter.eraseOp(yield);
    IRMapping map;
    map.map(block.getArguments(), adaptor.getInputs());
    for (Operation &node : block)
      if (&node != yield)
        rewriter.clone(node, map);
    rewriter.replaceOp(op, llvm::map_to_vector(results, [&](Value v) {
                         return map.lookupOrDefault(v);
                       }));
    return success();
  }

  FailureOr<Value> lowerAnchor(FusionOp op, OpAdaptor adaptor,
                               ConversionPatternRewriter &rewriter,
                               const FusedNodes &fused) const {
    auto outer = [&](Value v) {
      return v ? adaptor.getInputs()[cast<BlockArgument>(v).getArgNumber()]
               : Value();
    };
    if (auto matmul = dyn_cast<MatmulOp>(fused.anchor))
      return lowerMatmul(rewriter, matmul, outer(matmul.getA()),
                         outer(matmul.getB()), fused, target);
    auto conv = cast<ConvOp>(fused.anchor);
    return lowerConv(rewriter, conv, outer(conv.getX()), outer(conv.getW()),
                     outer(conv.getBias()), fused, target);
  }

  const TargetInfo &target;
};

/// An i1 or i64 scalar out of its rank-0 tensor.
Value scalarOf(OpBuilder &b, Location loc, Value tensor) {
  return tensor::ExtractOp::create(b, loc, tensor, ValueRange());
}

void moveBlock(ConversionPatternRewriter &rewriter, Region &from, Block *to,
               ValueRange arguments) {
  rewriter.mergeBlocks(&from.front(), to, arguments);
}

struct LowerYield : OpConversionPattern<YieldOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(YieldOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const final {
    if (isa<FusionOp>(op->getParentOp()))
      return rewriter.notifyMatchFailure(op, "belongs to a fusion");
    rewriter.replaceOpWithNewOp<scf::YieldOp>(op, adaptor.getValues());
    return success();
  }
};

struct LowerIf : OpConversionPattern<IfOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(IfOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const final {
    SmallVector<Type> types;
    for (Type type : op.getResultTypes())
      types.push_back(loweredType(type));
    Value condition = scalarOf(rewriter, op.getLoc(), adaptor.getCond());
    auto made = scf::IfOp::create(rewriter, op.getLoc(), types, condition,
                                  /*withElseRegion=*/true);
    for (auto [from, to] :
         {std::pair(&op.getThenBlock(), &made.getThenRegion()),
          std::pair(&op.getElseBlock(), &made.getElseRegion())}) {
      if (to->empty())
        to->emplaceBlock();
      moveBlock(rewriter, *from, &to->front(), {});
    }
    rewriter.replaceOp(op, made.getResults());
    return success();
  }
};

/// A loop becomes scf.while over (iteration, condition, carried values);
/// stacked results are not lowered.
struct LowerLoop : OpConversionPattern<LoopOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(LoopOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const final {
    if (!op.getStacked().empty())
      return rewriter.notifyMatchFailure(
          op, "stacks values of a number of iterations that is not known");
    Location loc = op.getLoc();
    Value trip =
        adaptor.getTrip()
            ? scalarOf(rewriter, loc, adaptor.getTrip())
            : emitConstant(rewriter, loc, rewriter.getI64Type(), 9.2e18);
    Value start = emitConstant(rewriter, loc, rewriter.getI64Type(), 0);
    Value first = adaptor.getCond()
                      ? scalarOf(rewriter, loc, adaptor.getCond())
                      : emitConstant(rewriter, loc, rewriter.getI1Type(), 1);
    SmallVector<Value> init{start, first};
    llvm::append_range(init, adaptor.getInit());
    SmallVector<Type> types(ValueRange(init).getTypes());
    auto loop = scf::WhileOp::create(rewriter, loc, types, init);
    SmallVector<Location> locations(types.size(), loc);
    Block *before =
        rewriter.createBlock(&loop.getBefore(), {}, types, locations);
    Value inRange = arith::CmpIOp::create(
        rewriter, loc, arith::CmpIPredicate::slt, before->getArgument(0), trip);
    Value goOn =
        arith::AndIOp::create(rewriter, loc, inRange, before->getArgument(1));
    scf::ConditionOp::create(rewriter, loc, goOn, before->getArguments());
    Block *after = rewriter.createBlock(&loop.getAfter(), {}, types, locations);
    auto scalar = RankedTensorType::get({}, rewriter.getI64Type());
    Value iteration = tensor::FromElementsOp::create(rewriter, loc, scalar,
                                                     after->getArgument(0));
    SmallVector<Value> arguments{iteration};
    llvm::append_range(arguments, after->getArguments().drop_front(2));
    auto yield = cast<YieldOp>(op.getBody().front().getTerminator());
    SmallVector<Value> yielded(yield.getValues());
    rewriter.setInsertionPoint(yield);
    Value next = arith::AddIOp::create(
        rewriter, loc, after->getArgument(0),
        emitConstant(rewriter, loc, rewriter.getI64Type(), 1));
    Value condition = scalarOf(rewriter, loc, yielded[0]);
    SmallVector<Value> results{next, condition};
    llvm::append_range(results, ArrayRef(yielded).drop_front());
    scf::YieldOp::create(rewriter, loc, results);
    rewriter.eraseOp(yield);
    moveBlock(rewriter, op.getBody(), after, arguments);
    rewriter.replaceOp(op, loop.getResults().drop_front(2));
    return success();
  }
};

} // namespace

void populateControlLowering(RewritePatternSet &patterns,
                             const TargetInfo &target) {
  patterns.add<LowerIf, LowerLoop, LowerYield>(patterns.getContext());
  patterns.add<LowerFusion>(patterns.getContext(), target);
}

} // namespace graven
