//===- Expand.cpp - kernels to loops ----------------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the choice of the expander for a kernel on memrefs.

#include "passes/lower/expand/Expand.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace graven::expand {

bool isKernel(Operation *op) {
  if (isa<memref::CopyOp>(op))
    return true;
  if (!isa<kernel::GemmOp, kernel::PackOp, kernel::ConvOp, kernel::DepthwiseOp,
           kernel::StrassenInputOp, kernel::StrassenOutputOp,
           kernel::WinogradInputOp, kernel::WinogradOutputOp,
           kernel::RecurrenceStepOp, kernel::PoolOp, kernel::SoftmaxOp,
           kernel::RowNormOp, kernel::ScanOp, kernel::AttentionOp,
           kernel::NmsOp, kernel::RegionsOp, linalg::LinalgOp>(op))
    return false;
  return cast<DestinationStyleOpInterface>(op).hasPureBufferSemantics();
}

bool isEmpty(Operation *op) {
  SmallVector<Value> destinations;
  if (auto copy = dyn_cast<memref::CopyOp>(op))
    destinations.push_back(copy.getTarget());
  else
    llvm::append_range(destinations,
                       cast<DestinationStyleOpInterface>(op).getDpsInits());
  return llvm::all_of(destinations, [](Value value) {
    auto type = cast<ShapedType>(value.getType());
    return type.hasStaticShape() && type.getNumElements() == 0;
  });
}

int64_t taskCount(Operation *op) {
  if (isEmpty(op))
    return 1;
  return TypeSwitch<Operation *, int64_t>(op)
      .Case<kernel::GemmOp, kernel::PackOp, kernel::ConvOp, kernel::DepthwiseOp,
            kernel::StrassenInputOp, kernel::StrassenOutputOp,
            kernel::WinogradInputOp, kernel::WinogradOutputOp,
            kernel::RecurrenceStepOp, kernel::PoolOp, kernel::SoftmaxOp,
            kernel::RowNormOp, kernel::ScanOp, kernel::AttentionOp,
            kernel::NmsOp, kernel::RegionsOp, linalg::LinalgOp, memref::CopyOp>(
          [](auto kernelOp) {
            return std::max<int64_t>(1, taskCount(kernelOp));
          });
}

LogicalResult expand(OpBuilder &builder, Operation *op, Value lo, Value hi,
                     const TargetInfo &target) {
  if (isEmpty(op))
    return success();
  Emitter e(builder, op->getLoc(), target);
  return TypeSwitch<Operation *, LogicalResult>(op)
      .Case([&](kernel::GemmOp gemm) { return expandGemm(e, gemm, lo, hi); })
      .Case([&](kernel::PackOp pack) { return expandPack(e, pack, lo, hi); })
      .Case([&](kernel::ConvOp conv) { return expandConv(e, conv, lo, hi); })
      .Case([&](kernel::DepthwiseOp depthwise) {
        return expandDepthwise(e, depthwise, lo, hi);
      })
      .Case([&](kernel::StrassenInputOp input) {
        return expandStrassenInput(e, input, lo, hi);
      })
      .Case([&](kernel::StrassenOutputOp output) {
        return expandStrassenOutput(e, output, lo, hi);
      })
      .Case([&](kernel::WinogradInputOp input) {
        return expandWinogradInput(e, input, lo, hi);
      })
      .Case([&](kernel::WinogradOutputOp output) {
        return expandWinogradOutput(e, output, lo, hi);
      })
      .Case([&](kernel::RecurrenceStepOp step) {
        return expandRecurrenceStep(e, step, lo, hi);
      })
      .Case([&](kernel::AttentionOp attention) {
        return expandAttention(e, attention, lo, hi);
      })
      .Case([&](kernel::PoolOp pool) { return expandPool(e, pool, lo, hi); })
      .Case([&](kernel::SoftmaxOp softmax) {
        return expandSoftmax(e, softmax, lo, hi);
      })
      .Case([&](kernel::RowNormOp norm) {
        return expandRowNorm(e, norm, lo, hi);
      })
      .Case([&](kernel::NmsOp nms) { return expandNms(e, nms, lo, hi); })
      .Case([&](kernel::RegionsOp regions) {
        return expandRegions(e, regions, lo, hi);
      })
      .Case([&](kernel::ScanOp scan) { return expandScan(e, scan, lo, hi); })
      .Case([&](linalg::LinalgOp linalgOp) {
        return expandLinalg(e, linalgOp, lo, hi);
      })
      .Case([&](memref::CopyOp copy) { return expandCopy(e, copy, lo, hi); })
      .Default([](Operation *other) {
        return other->emitOpError("is not a kernel");
      });
}

} // namespace graven::expand
