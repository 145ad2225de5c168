//===- FoldKernelCasts.cpp - conversions where kernels load --*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements FoldKernelCasts, which lets kernels load and store f16
// and bf16 instead of converting whole tensors before and behind them.
//===----------------------------------------------------------------------===//

#include "dialects/kernel/Kernel.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "passes/graph/Explain.h"
#include "passes/lower/LowerUtils.h"
#include "passes/lower/Passes.h"
#include "passes/lower/TargetOptions.h"

namespace graven {
#define GEN_PASS_DEF_FOLDKERNELCASTS
#include "passes/lower/Passes.h.inc"
} // namespace graven

using namespace mlir;

namespace graven {
namespace {

Type elementOf(Value value) { return getElementTypeOrSelf(value.getType()); }

bool isReshape(Operation *op) {
  return isa_and_nonnull<tensor::CollapseShapeOp, tensor::ExpandShapeOp>(op);
}

/// `value` looked at through the reshapes above it, which `reshapes` gets, the
/// lowest first.
Value throughReshapes(Value value, SmallVectorImpl<Operation *> &reshapes) {
  while (isReshape(value.getDefiningOp())) {
    reshapes.push_back(value.getDefiningOp());
    value = value.getDefiningOp()->getOperand(0);
  }
  return value;
}

/// `value` under the same reshapes.
Value reshapedLike(OpBuilder &b, Value value, ArrayRef<Operation *> reshapes) {
  for (Operation *op : llvm::reverse(reshapes)) {
    auto type = cast<RankedTensorType>(op->getResult(0).getType())
                    .clone(elementOf(value));
    if (auto collapse = dyn_cast<tensor::CollapseShapeOp>(op))
      value = tensor::CollapseShapeOp::create(b, op->getLoc(), type, value,
                                              collapse.getReassociation());
    else
      value = tensor::ExpandShapeOp::create(
          b, op->getLoc(), type, value,
          cast<tensor::ExpandShapeOp>(op).getReassociationIndices());
  }
  return value;
}

/// A kernel that takes each operand in a type of its own.
bool takesNarrow(Operation *op) {
  return isa<kernel::GemmOp, kernel::ConvOp, kernel::DepthwiseOp,
             kernel::PoolOp, kernel::SoftmaxOp, kernel::RowNormOp>(op);
}

/// An operand of which an element is loaded for each multiplication: widened
/// each time, it would take longer than the multiplication.
bool isBroadcast(OpOperand &operand) {
  return isa<kernel::GemmOp, kernel::ConvOp>(operand.getOwner()) &&
         operand.getOperandNumber() == 0;
}

/// Loads the narrow elements that a nest has widened.
struct FoldWidening : OpInterfaceRewritePattern<DestinationStyleOpInterface> {
  FoldWidening(MLIRContext *context, Pass::Statistic *count)
      : OpInterfaceRewritePattern(context), count(count) {}

  LogicalResult matchAndRewrite(DestinationStyleOpInterface kernelOp,
                                PatternRewriter &rewriter) const override {
    Operation *op = kernelOp;
    if (!takesNarrow(op) || !kernelOp.hasPureTensorSemantics())
      return rewriter.notifyMatchFailure(op, "not a kernel on tensors that "
                                             "takes f16 and bf16");
    bool changed = false;
    for (OpOperand *operand : kernelOp.getDpsInputOperands()) {
      if (isBroadcast(*operand))
        continue;
      SmallVector<Operation *> reshapes;
      Value source = sourceOfCast<arith::ExtFOp>(
          throughReshapes(operand->get(), reshapes));
      if (!source || kernel::computeType(elementOf(source)) !=
                         kernel::computeType(elementOf(operand->get())))
        continue;
      Value narrow = reshapedLike(rewriter, source, reshapes);
      rewriter.modifyOpInPlace(op, [&] { operand->set(narrow); });
      ++*count;
      changed = true;
    }
    if (!changed)
      return rewriter.notifyMatchFailure(op, "no operand was widened");
    return success();
  }

  Pass::Statistic *count;
};

/// Packs what a nest has converted, without the nest: as narrow panels when it
/// was widened, or, rounded on the way, when it was rounded.
struct FoldIntoPack : OpRewritePattern<kernel::PackOp> {
  FoldIntoPack(MLIRContext *context, bool half, Pass::Statistic *count)
      : OpRewritePattern(context), half(half), count(count) {}

  LogicalResult matchAndRewrite(kernel::PackOp op,
                                PatternRewriter &rewriter) const override {
    if (op.getResults().empty())
      return rewriter.notifyMatchFailure(op, "not on tensors");
    SmallVector<Operation *> reshapes;
    Value converted = throughReshapes(op.getX(), reshapes);
    if (Value wide = sourceOfCast<arith::TruncFOp>(converted)) {
      if (elementOf(wide) != kernel::computeType(elementOf(converted)))
        return rewriter.notifyMatchFailure(op, "not rounded from f32");
      Value source = reshapedLike(rewriter, wide, reshapes);
      rewriter.modifyOpInPlace(op, [&] { op.getXMutable().assign(source); });
      ++*count;
      return success();
    }
    Value narrow = sourceOfCast<arith::ExtFOp>(converted);
    if (!narrow || elementOf(op.getOut()) != elementOf(converted) ||
        !elementOf(converted).isF32())
      return rewriter.notifyMatchFailure(op, "reads no converted tensor");
    if (elementOf(narrow).isF16() && !half)
      return rewriter.notifyMatchFailure(
          op, "the target has no instructions that widen f16");
    if (!llvm::all_of(op->getUses(), [](OpOperand &use) {
          auto gemm = dyn_cast<kernel::GemmOp>(use.getOwner());
          return gemm && use.get() == gemm.getB() && use.get() != gemm.getA();
        }))
      return rewriter.notifyMatchFailure(op, "a user needs f32 panels");
    auto type =
        cast<RankedTensorType>(op.getOut().getType()).clone(elementOf(narrow));
    Value source = reshapedLike(rewriter, narrow, reshapes);
    Value panels = tensor::EmptyOp::create(
        rewriter, op.getLoc(), type.getShape(), type.getElementType());
    rewriter.replaceOpWithNewOp<kernel::PackOp>(op, TypeRange{type}, source,
                                                panels, op.getTransposed());
    ++*count;
    return success();
  }

  bool half;
  Pass::Statistic *count;
};

/// Stores the elements that a nest rounds.
struct FoldRounding : OpRewritePattern<linalg::GenericOp> {
  FoldRounding(MLIRContext *context, Pass::Statistic *count)
      : OpRewritePattern(context), count(count) {}

  LogicalResult matchAndRewrite(linalg::GenericOp nest,
                                PatternRewriter &rewriter) const override {
    if (nest->getNumResults() != 1)
      return rewriter.notifyMatchFailure(nest, "not on tensors");
    Value rounded = nest.getResult(0),
          source = sourceOfCast<arith::TruncFOp>(rounded);
    if (!source)
      return rewriter.notifyMatchFailure(nest, "does more than round");
    SmallVector<Operation *> reshapes;
    Value wide = throughReshapes(source, reshapes);
    Operation *op = wide.getDefiningOp();
    if (!op || !takesNarrow(op) || op->getNumResults() != 1 ||
        !wide.hasOneUse() || !llvm::all_of(reshapes, [](Operation *reshape) {
          return reshape->hasOneUse();
        }))
      return rewriter.notifyMatchFailure(
          nest, "is not the one user of a kernel's result");
    if (kernel::computeType(elementOf(rounded)) != elementOf(wide))
      return rewriter.notifyMatchFailure(nest, "rounds another type");
    auto kernelOp = cast<DestinationStyleOpInterface>(op);
    if (!kernelOp.getDpsInitOperand(0)->get().getDefiningOp<tensor::EmptyOp>())
      return rewriter.notifyMatchFailure(nest, "the destination has a value");
    auto type =
        cast<RankedTensorType>(wide.getType()).clone(elementOf(rounded));
    rewriter.setInsertionPoint(op);
    Value out = tensor::EmptyOp::create(rewriter, op->getLoc(), type.getShape(),
                                        type.getElementType());
    rewriter.modifyOpInPlace(op, [&] {
      kernelOp.getDpsInitOperand(0)->set(out);
      op->getResult(0).setType(type);
    });
    rewriter.setInsertionPoint(nest);
    rewriter.replaceOp(nest, reshapedLike(rewriter, wide, reshapes));
    ++*count;
    return success();
  }

  Pass::Statistic *count;
};

class FoldKernelCastsPass
    : public impl::FoldKernelCastsBase<FoldKernelCastsPass> {
public:
  using FoldKernelCastsBase::FoldKernelCastsBase;

  void runOnOperation() override {
    MLIRContext *context = &getContext();
    RewritePatternSet patterns(context);
    patterns.add<FoldWidening, FoldRounding>(context, &numFolded);
    patterns.add<FoldIntoPack>(context, f16Convert, &numFolded);
    applyPatternsExplained(*this, getOperation(), std::move(patterns));
  }
};

} // namespace

std::unique_ptr<Pass> createFoldKernelCasts(const TargetInfo &target) {
  return createFoldKernelCasts(optionsOf<FoldKernelCastsOptions>(target));
}

} // namespace graven
