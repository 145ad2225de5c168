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
    if (isa<MaxPoolOp>(node) && fused.anchor && !fused.pool) {
      fused.pool = &node;
      continue;
    }
    bool same =
        node.getNumResults() == 1 && fused.anchor && !fused.pool &&
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
  if (!fused.anchor || (fused.nodes.empty() && !fused.pool))
    return failure();
  SmallVector<Value> results{
      (fused.nodes.empty() ? fused.anchor : fused.nodes.back())->getResult(0)};
  ValueRange yielded = block.getTerminator()->getOperands();
  fused.keepsWhole = yielded.size() == 2;
  if (fused.pool) {
    if (fused.pool->getOperand(0) != results[0])
      return failure();
    if (!fused.keepsWhole)
      results.pop_back();
    results.push_back(fused.pool->getResult(0));
  }
  if (!llvm::equal(yielded, results))
    return failure();
  for (Value operand : fused.anchor->getOperands())
    if (!lowered.count(operand))
      return failure();
  Type element = cast<RankedTensorType>(fused.anchor->getResult(0).getType())
                     .getElementType();
  if (!isa<FloatType>(element))
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
      auto values = lowerAnchor(op, adaptor, rewriter, *fused);
      if (succeeded(values)) {
        rewriter.replaceOp(op, *values);
        return success();
      }
    }
    Block &block = op.getBody().front();
    Operation *yield = block.getTerminator();
    SmallVector<Value> results(yield->getOperands());
    rewriter.eraseOp(yield);
    rewriter.inlineBlockBefore(&block, op, adaptor.getInputs());
    rewriter.replaceOp(op, results);
    return success();
  }

  FailureOr<SmallVector<Value>> lowerAnchor(FusionOp op, OpAdaptor adaptor,
                                            ConversionPatternRewriter &rewriter,
                                            const FusedNodes &fused) const {
    auto outer = [&](Value v) {
      return v ? adaptor.getInputs()[cast<BlockArgument>(v).getArgNumber()]
               : Value();
    };
    if (auto matmul = dyn_cast<MatmulOp>(fused.anchor)) {
      if (fused.pool)
        return failure();
      FailureOr<Value> product =
          lowerMatmul(rewriter, matmul, outer(matmul.getA()),
                      outer(matmul.getB()), fused, target);
      if (failed(product))
        return failure();
      return SmallVector<Value>{*product};
    }
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

/// Stands for a tensor without elements, which nobody reads.
Value nothing(OpBuilder &b, Location loc, Type type) {
  RankedTensorType lowered = loweredType(type);
  return emptyTensor(b, loc, lowered.getShape(), lowered.getElementType());
}

void moveBlock(ConversionPatternRewriter &rewriter, Region &from, Block *to,
               ValueRange arguments) {
  rewriter.mergeBlocks(&from.front(), to, arguments);
}

/// The values of a type that has elements.
SmallVector<Value> withElements(ValueRange values) {
  return llvm::filter_to_vector(
      values, [](Value value) { return !isEmpty(value.getType()); });
}

/// The stack with the slice at the position, or at its last one.
Value insertSlice(OpBuilder &b, Location loc, Value slice, Value stack,
                  Value position) {
  ArrayRef<int64_t> shape = cast<RankedTensorType>(stack.getType()).getShape();
  Value last = indexConstant(b, loc, shape.front() - 1);
  SmallVector<int64_t> window(shape), ones(shape.size(), 1);
  window.front() = 1;
  SmallVector<OpFoldResult> offsets(shape.size(), b.getIndexAttr(0));
  offsets.front() = arith::MinSIOp::create(b, loc, position, last).getResult();
  return tensor::InsertSliceOp::create(b, loc, slice, stack, offsets,
                                       indexAttributes(b, window),
                                       indexAttributes(b, ones));
}

struct LowerYield : OpConversionPattern<YieldOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(YieldOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const final {
    if (isa<FusionOp>(op->getParentOp()))
      return rewriter.notifyMatchFailure(op, "belongs to a fusion");
    Operation *parent = op->getParentOp();
    SmallVector<Value> values;
    if (isa<scf::WhileOp>(parent))
      values = nextOfLoop(op, adaptor.getValues(), rewriter);
    else if (isa<scf::ForOp>(parent))
      values = carriedOf(op, adaptor.getValues().drop_front(),
                         op->getBlock()->getArgument(0),
                         op->getBlock()->getArguments().drop_front(), rewriter);
    else
      values = withElements(adaptor.getValues());
    rewriter.replaceOpWithNewOp<scf::YieldOp>(op, values);
    return success();
  }

  /// The next iteration, condition, carried values and stacks.
  static SmallVector<Value> nextOfLoop(YieldOp op, ValueRange yielded,
                                       OpBuilder &b) {
    Location loc = op.getLoc();
    Block *body = op->getBlock();
    Value iteration = body->getArgument(0);
    Value next = arith::AddIOp::create(b, loc, iteration,
                                       emitConstant(b, loc, b.getI64Type(), 1));
    SmallVector<Value> results{next, scalarOf(b, loc, yielded[0])};
    Value position =
        arith::IndexCastOp::create(b, loc, b.getIndexType(), iteration);
    llvm::append_range(results,
                       carriedOf(op, yielded.drop_front(), position,
                                 body->getArguments().drop_front(2), b));
    return results;
  }

  /// The carried values and the stacks, of which `before` are the arguments, at
  /// the end of an iteration.
  static SmallVector<Value> carriedOf(YieldOp op, ValueRange yielded,
                                      Value position, ValueRange before,
                                      OpBuilder &b) {
    ArrayRef<bool> isStacked =
        op->getParentOp()
            ->getAttrOfType<DenseBoolArrayAttr>(stacksAttrName)
            .asArrayRef();
    SmallVector<Value> results =
        withElements(yielded.drop_back(isStacked.size()));
    auto stack = before.drop_front(results.size()).begin();
    for (auto [slice, stacked] :
         llvm::zip_equal(yielded.take_back(isStacked.size()), isStacked))
      if (stacked)
        results.push_back(
            insertSlice(b, op.getLoc(), slice, *stack++, position));
    return results;
  }
};

struct LowerIf : OpConversionPattern<IfOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(IfOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const final {
    SmallVector<Type> types;
    for (Type type : op.getResultTypes())
      if (!isEmpty(type))
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
    SmallVector<Value> results;
    auto next = made.getResults().begin();
    for (Type type : op.getResultTypes())
      results.push_back(isEmpty(type) ? nothing(rewriter, op.getLoc(), type)
                                      : *next++);
    rewriter.replaceOp(op, results);
    return success();
  }
};

/// The number of iterations of a loop that makes all of them, if it is known
/// and what the types of its stacks promise.
std::optional<int64_t> tripCountOf(LoopOp op) {
  auto numberOf = [](Value value) -> std::optional<int64_t> {
    auto constant = value.getDefiningOp<ConstantOp>();
    auto elements = constant
                        ? dyn_cast<DenseIntElementsAttr>(constant.getValue())
                        : DenseIntElementsAttr();
    if (!elements || !elements.isSplat())
      return std::nullopt;
    return elements.getSplatValue<APInt>().getZExtValue();
  };
  if (op.getCond() || !op.getTrip() ||
      numberOf(op.getBody().front().getTerminator()->getOperand(0)) != 1)
    return std::nullopt;
  std::optional<int64_t> trip = numberOf(op.getTrip());
  for (Value stack : op.getStacked())
    if (trip != cast<RankedTensorType>(stack.getType()).getDimSize(0))
      return std::nullopt;
  return trip;
}

/// A loop of a known number of iterations becomes scf.for. Any other becomes
/// scf.while over (iteration, condition, carried values, stacks
/// of slices). A stack has room for as many slices as its type says; another
/// number of iterations is an error of the run.
struct LowerLoop : OpConversionPattern<LoopOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(LoopOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const final {
    Location loc = op.getLoc();
    if (std::optional<int64_t> count = tripCountOf(op))
      return lowerCounted(op, adaptor, rewriter, *count);
    Value trip =
        adaptor.getTrip()
            ? scalarOf(rewriter, loc, adaptor.getTrip())
            : emitConstant(rewriter, loc, rewriter.getI64Type(), 9.2e18);
    Value start = emitConstant(rewriter, loc, rewriter.getI64Type(), 0);
    Value first = adaptor.getCond()
                      ? scalarOf(rewriter, loc, adaptor.getCond())
                      : emitConstant(rewriter, loc, rewriter.getI1Type(), 1);
    SmallVector<Value> init{start, first};
    llvm::append_range(init, initOf(op, adaptor, rewriter));
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
    fillBody(op, rewriter, after, after->getArgument(0),
             after->getArguments().drop_front(2));
    rewriter.setInsertionPointAfter(loop);
    if (!op.getStacked().empty())
      checkTripCount(op, rewriter, loop.getResult(0));
    replace(op, rewriter, loop.getResults().drop_front(2));
    return success();
  }

  static LogicalResult lowerCounted(LoopOp op, OpAdaptor adaptor,
                                    ConversionPatternRewriter &rewriter,
                                    int64_t count) {
    Location loc = op.getLoc();
    auto number = [&](int64_t value) {
      return indexConstant(rewriter, loc, value);
    };
    auto loop = scf::ForOp::create(rewriter, loc, number(0), number(count),
                                   number(1), initOf(op, adaptor, rewriter));
    Block *body = loop.getBody();
    if (!body->empty())
      rewriter.eraseOp(body->getTerminator());
    rewriter.setInsertionPointToEnd(body);
    Value iteration = arith::IndexCastOp::create(
        rewriter, loc, rewriter.getI64Type(), loop.getInductionVar());
    fillBody(op, rewriter, body, iteration, loop.getRegionIterArgs());
    rewriter.setInsertionPointAfter(loop);
    replace(op, rewriter, loop.getResults());
    return success();
  }

  /// What the loop begins with: carried values, and room for the stacks.
  static SmallVector<Value> initOf(LoopOp op, OpAdaptor adaptor, OpBuilder &b) {
    SmallVector<Value> init = withElements(adaptor.getInit());
    for (Value stacked : op.getStacked())
      if (!isEmpty(stacked.getType())) {
        RankedTensorType type = loweredType(stacked.getType());
        init.push_back(emptyTensor(b, op.getLoc(), type.getShape(),
                                   type.getElementType()));
      }
    return init;
  }

  static void replace(LoopOp op, ConversionPatternRewriter &rewriter,
                      ValueRange values) {
    SmallVector<Value> results;
    auto next = values.begin();
    for (Type type : op.getResultTypes())
      results.push_back(isEmpty(type) ? nothing(rewriter, op.getLoc(), type)
                                      : *next++);
    rewriter.replaceOp(op, results);
  }

  /// Moves the Block of the loop into that of the new one, whose arguments for
  /// the carried values begin with `values`; its yield becomes the next values
  /// when it is lowered itself.
  static void fillBody(LoopOp op, ConversionPatternRewriter &rewriter,
                       Block *after, Value iteration, ValueRange values) {
    Location loc = op.getLoc();
    auto scalar = RankedTensorType::get({}, rewriter.getI64Type());
    SmallVector<Value> arguments{
        tensor::FromElementsOp::create(rewriter, loc, scalar, iteration)};
    auto carried = values.begin();
    for (Value init : op.getInit())
      arguments.push_back(isEmpty(init.getType())
                              ? nothing(rewriter, loc, init.getType())
                              : *carried++);
    // On the loop, not on its yield: an op that changes is lowered at once,
    // here before the values it yields.
    SmallVector<bool> isStacked;
    for (Value stacked : op.getStacked())
      isStacked.push_back(!isEmpty(stacked.getType()));
    after->getParentOp()->setAttr(stacksAttrName,
                                  rewriter.getDenseBoolArrayAttr(isStacked));
    moveBlock(rewriter, op.getBody(), after, arguments);
  }

  static void checkTripCount(LoopOp op, OpBuilder &b, Value count) {
    int64_t expected =
        cast<RankedTensorType>(op.getStacked().front().getType()).getDimSize(0);
    Value status = generate(
        b, op.getLoc(), {1}, b.getI32Type(),
        [&](OpBuilder &inner, Location at, ValueRange) -> Value {
          auto number = [&](int32_t v) {
            return emitConstant(inner, at, inner.getI32Type(), v);
          };
          Value differs = arith::CmpIOp::create(
              inner, at, arith::CmpIPredicate::ne, count,
              emitConstant(inner, at, inner.getI64Type(), expected));
          return arith::SelectOp::create(inner, at, differs,
                                         number(kTripCountDiffers), number(0));
        });
    status.getDefiningOp()->setAttr(statusAttrName, b.getUnitAttr());
  }
};

} // namespace

void populateControlLowering(RewritePatternSet &patterns,
                             const TargetInfo &target) {
  patterns.add<LowerIf, LowerLoop, LowerYield>(patterns.getContext());
  patterns.add<LowerFusion>(patterns.getContext(), target);
}

} // namespace graven
