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

Value scan(OpBuilder &b, Location loc, ReduceKind kind, Type nodeElement,
           Value x, int64_t axis, ScanOptions options) {
  auto type = cast<RankedTensorType>(x.getType());
  Type element = type.getElementType(), accumulator = accumulatorOf(element);
  int64_t inner = 1, extent = type.getDimSize(axis);
  for (int64_t d : type.getShape().drop_front(axis + 1))
    inner *= d;
  SmallVector<int64_t> shape{type.getNumElements() / (extent * inner), extent,
                             inner};
  Value out = emptyTensor(b, loc, shape, element);
  auto op = kernel::ScanOp::create(b, loc, TypeRange(out.getType()),
                                   reshapeTo(b, loc, x, shape), out,
                                   identityOf(kind, nodeElement, accumulator),
                                   options.exclusive, options.reverse);
  {
    OpBuilder::InsertionGuard guard(b);
    Block *body = b.createBlock(&op.getBody(), {}, {accumulator, accumulator},
                                {loc, loc});
    Value next = combine(b, loc, kind, nodeElement, body->getArgument(0),
                         body->getArgument(1));
    kernel::YieldOp::create(b, loc, next);
  }
  return reshapeTo(b, loc, op->getResult(0), type.getShape());
}

namespace {

struct LowerCumReduce : OpConversionPattern<CumReduceOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(CumReduceOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const final {
    Value x = adaptor.getX();
    if (!isEmpty(cast<RankedTensorType>(x.getType())))
      x = scan(rewriter, op.getLoc(), op.getKind(),
               op.getType().getElementType(), x, op.getAxis(),
               {op.getExclusive(), op.getReverse()});
    rewriter.replaceOp(op, x);
    return success();
  }
};

} // namespace

void populateScanLowering(RewritePatternSet &patterns) {
  patterns.add<LowerCumReduce>(patterns.getContext());
}

} // namespace graven
