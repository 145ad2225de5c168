//===- KernelBufferize.cpp - bufferization of the kernel ops ----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the external models through which one-shot bufferization
// rewrites kernel operations on tensors to the same operations on memrefs.

#include "dialects/kernel/Kernel.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Bufferization/IR/DstBufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace mlir::bufferization;

namespace graven::kernel {
namespace {

/// A kernel reads its inputs and writes, without reading, its destination.
template <typename OpTy>
struct DestinationModel
    : DstBufferizableOpInterfaceExternalModel<DestinationModel<OpTy>, OpTy> {
  bool bufferizesToMemoryRead(Operation *op, OpOperand &operand,
                              const AnalysisState &) const {
    return cast<DestinationStyleOpInterface>(op).isDpsInput(&operand);
  }

  LogicalResult bufferize(Operation *op, RewriterBase &rewriter,
                          const BufferizationOptions &options,
                          BufferizationState &state) const {
    auto destination = cast<DestinationStyleOpInterface>(op);
    OpBuilder::InsertionGuard guard(rewriter);
    rewriter.setInsertionPoint(op);
    SmallVector<Value> operands, results;
    for (OpOperand &operand : op->getOpOperands()) {
      Value value = operand.get();
      if (isa<TensorType>(value.getType())) {
        FailureOr<Value> buffer = getBuffer(rewriter, value, options, state);
        if (failed(buffer))
          return failure();
        value = *buffer;
      }
      operands.push_back(value);
      if (destination.isDpsInit(&operand))
        results.push_back(value);
    }
    OperationState opState(op->getLoc(), op->getName(), operands, TypeRange(),
                           op->getAttrs());
    for (Region &region : op->getRegions())
      opState.addRegion()->takeBody(region);
    rewriter.create(opState);
    replaceOpWithBufferizedValues(rewriter, op, results);
    return success();
  }
};

/// The argument of the enclosing function that holds the weights blob, if any.
Value findWeightsArgument(Operation *op) {
  auto function = op->getParentOfType<func::FuncOp>();
  if (!function)
    return {};
  for (BlockArgument argument : function.getArguments())
    if (function.getArgAttr(argument.getArgNumber(), kWeightsAttr))
      return argument;
  return {};
}

struct WeightModel
    : BufferizableOpInterface::ExternalModel<WeightModel, WeightOp> {
  bool bufferizesToAllocation(Operation *, Value) const { return false; }

  bool isWritable(Operation *, Value, const AnalysisState &) const {
    return false;
  }

  LogicalResult bufferize(Operation *op, RewriterBase &rewriter,
                          const BufferizationOptions &,
                          BufferizationState &) const {
    auto weight = cast<WeightOp>(op);
    auto tensor = dyn_cast<RankedTensorType>(weight.getResult().getType());
    if (!tensor)
      return success();
    OpBuilder::InsertionGuard guard(rewriter);
    rewriter.setInsertionPoint(op);
    auto type = MemRefType::get(tensor.getShape(), tensor.getElementType());
    if (Value blob = findWeightsArgument(op)) {
      Value offset = arith::ConstantIndexOp::create(rewriter, op->getLoc(),
                                                    weight.getOffset());
      replaceOpWithNewBufferizedOp<memref::ViewOp>(rewriter, op, type, blob,
                                                   offset, ValueRange());
      return success();
    }
    replaceOpWithNewBufferizedOp<WeightOp>(rewriter, op, type,
                                           weight.getOffset());
    return success();
  }

  FailureOr<BufferLikeType> getBufferType(Operation *, Value value,
                                          const BufferizationOptions &,
                                          const BufferizationState &,
                                          SmallVector<Value> &) const {
    auto tensor = cast<RankedTensorType>(value.getType());
    return cast<BufferLikeType>(
        MemRefType::get(tensor.getShape(), tensor.getElementType()));
  }
};

} // namespace

void registerBufferizableOpInterfaceExternalModels(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, KernelDialect *) {
    context->getOrLoadDialect<arith::ArithDialect>();
    context->getOrLoadDialect<memref::MemRefDialect>();
    GemmOp::attachInterface<DestinationModel<GemmOp>>(*context);
    ConvOp::attachInterface<DestinationModel<ConvOp>>(*context);
    DepthwiseOp::attachInterface<DestinationModel<DepthwiseOp>>(*context);
    WinogradOp::attachInterface<DestinationModel<WinogradOp>>(*context);
    StrassenOp::attachInterface<DestinationModel<StrassenOp>>(*context);
    AttentionOp::attachInterface<DestinationModel<AttentionOp>>(*context);
    RecurrenceOp::attachInterface<DestinationModel<RecurrenceOp>>(*context);
    PackOp::attachInterface<DestinationModel<PackOp>>(*context);
    PoolOp::attachInterface<DestinationModel<PoolOp>>(*context);
    SoftmaxOp::attachInterface<DestinationModel<SoftmaxOp>>(*context);
    ScanOp::attachInterface<DestinationModel<ScanOp>>(*context);
    RowNormOp::attachInterface<DestinationModel<RowNormOp>>(*context);
    NmsOp::attachInterface<DestinationModel<NmsOp>>(*context);
    RegionsOp::attachInterface<DestinationModel<RegionsOp>>(*context);
    WeightOp::attachInterface<WeightModel>(*context);
  });
}

} // namespace graven::kernel
