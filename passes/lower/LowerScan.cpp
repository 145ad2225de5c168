//===- LowerScan.cpp - running sums, products and extremes ----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the lowering of scans to kernel.scan.
//===----------------------------------------------------------------------===//

#include "dialects/kernel/Kernel.h"
#include "passes/lower/LowerUtils.h"
#include "passes/lower/Reductions.h"
#include "passes/lower/ScalarFormulas.h"

using namespace mlir;

namespace graven {
namespace {

struct LowerCumReduce : OpConversionPattern<CumReduceOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(CumReduceOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const final {
    Location loc = op.getLoc();
    auto type = cast<RankedTensorType>(adaptor.getX().getType());
    if (isEmpty(type)) {
      rewriter.replaceOp(op, adaptor.getX());
      return success();
    }
    Type nodeElement = op.getType().getElementType(),
         element = type.getElementType(), accumulator = accumulatorOf(element);
    int64_t axis = op.getAxis(), inner = 1, extent = type.getDimSize(axis);
    for (int64_t d : type.getShape().drop_front(axis + 1))
      inner *= d;
    SmallVector<int64_t> shape{type.getNumElements() / (extent * inner), extent,
                               inner};
    Value out = emptyTensor(rewriter, loc, shape, element);
    auto scan = kernel::ScanOp::create(
        rewriter, loc, TypeRange(out.getType()),
        reshapeTo(rewriter, loc, adaptor.getX(), shape), out,
        identityOf(op.getKind(), nodeElement, accumulator), op.getExclusive(),
        op.getReverse());
    OpBuilder::InsertionGuard guard(rewriter);
    Block *body = rewriter.createBlock(&scan.getBody(), {},
                                       {accumulator, accumulator}, {loc, loc});
    Value next = combine(rewriter, loc, op.getKind(), nodeElement,
                         body->getArgument(0), body->getArgument(1));
    kernel::YieldOp::create(rewriter, loc, next);
    rewriter.setInsertionPointAfter(scan);
    rewriter.replaceOp(
        op, reshapeTo(rewriter, loc, scan->getResult(0), type.getShape()));
    return success();
  }
};

} // namespace

void populateScanLowering(RewritePatternSet &patterns) {
  patterns.add<LowerCumReduce>(patterns.getContext());
}

} // namespace graven
