//===- KernelOps.cpp - verifiers of the kernel operations -------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the verifiers and the memory effects of the kernel
// operations. The constraint numbers are those of the operation descriptions.

#include "dialects/kernel/KernelVerify.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/Matchers.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace graven::kernel {

using namespace verify;

Type computeType(Type element) {
  return element.isF16() || element.isBF16()
             ? Float32Type::get(element.getContext())
             : element;
}

void detail::addDestinationEffects(
    Operation *op, SmallVectorImpl<MemoryEffects::EffectInstance> &effects) {
  auto destination = cast<DestinationStyleOpInterface>(op);
  for (OpOperand &operand : op->getOpOperands()) {
    if (!isa<BaseMemRefType>(operand.get().getType()))
      continue;
    if (destination.isDpsInit(&operand))
      effects.emplace_back(MemoryEffects::Write::get(), &operand,
                           SideEffects::DefaultResource::get());
    else
      effects.emplace_back(MemoryEffects::Read::get(), &operand,
                           SideEffects::DefaultResource::get());
  }
}

/// Pairs are of bf16, on both sides of the product.
static LogicalResult verifyPairs(Operation *op, StringRef constraint,
                                 ValueRange factors) {
  for (Value factor : factors)
    if (!getElementTypeOrSelf(factor).isBF16())
      return op->emitOpError() << constraint << ": expects bf16 in pairs, got "
                               << getElementTypeOrSelf(factor);
  return success();
}

LogicalResult GemmOp::verify() {
  if (failed(verifyDestination(*this, getOut())) ||
      failed(verifyRank(*this, "a", getA(), 3)) ||
      failed(verifyRank(*this, "b", getB(), isPaired() ? 5 : 4)) ||
      failed(verifyRank(*this, "out", getOut(), 3)) ||
      failed(verifyComputeTypes(*this)))
    return failure();
  ArrayRef<int64_t> a = shapeOf(getA()), b = shapeOf(getB()),
                    out = shapeOf(getOut());
  int64_t panelWidth = b[3];
  if (panelWidth < 1)
    return emitOpError("C2: expects panels of at least one column, got ")
           << panelWidth;
  int64_t batch = b[0] == 1 ? 1 : out[0];
  SmallVector<int64_t> panels{batch, llvm::divideCeilSigned(out[2], panelWidth),
                              a[2], panelWidth};
  if (isPaired()) {
    panels[2] = llvm::divideCeilSigned(a[2], 2);
    panels.push_back(2);
  }
  if (failed(verifyShape(*this, "C2", "a", getA(), {out[0], out[1], a[2]})) ||
      failed(verifyShape(*this, "C2", "b", getB(), panels)))
    return failure();
  if (isPaired() && failed(verifyPairs(*this, "C6", {getA(), getB()})))
    return failure();
  int64_t mr = getMr(), kc = getKc();
  if (mr < 1 || kc < 0)
    return emitOpError("C3: expects mr >= 1 and kc >= 0, got ")
           << mr << " and " << kc;
  return verifyEpilogue(*this, "C4", getEpilogue(), getOut(), out[2],
                        getBody());
}

LogicalResult ConvOp::verify() {
  bool planarIn = isPlanarInput(), planarOut = isPlanarOutput();
  if (failed(verifyDestination(*this, getOut())) ||
      failed(verifyRank(*this, "x", getX(), planarIn ? 4 : 5)) ||
      failed(verifyRank(*this, "w", getW(), isPaired() ? 7 : 6)) ||
      failed(verifyRank(*this, "out", getOut(), planarOut ? 4 : 5)) ||
      failed(verifyComputeTypes(*this)))
    return failure();
  if (failed(verifyEntries(*this, "C3", "strides", getStrides(), 2, 1)) ||
      failed(verifyEntries(*this, "C3", "dilations", getDilations(), 2, 1)) ||
      failed(verifyEntries(*this, "C3", "tile", getTile(), 2, 1)))
    return failure();
  int64_t rowBlock = getRowBlock();
  if (rowBlock < 1)
    return emitOpError("C3: expects row_block >= 1, got ") << rowBlock;
  int64_t ic = getInChannels(), oc = getOutChannels(), groups = getGroups();
  if (ic < 1 || oc < 1 || groups < 1 || ic % groups != 0 || oc % groups != 0)
    return emitOpError(
               "C2: expects channel counts that the groups divide, got ")
           << ic << " and " << oc << " in " << groups << " groups";
  ArrayRef<int64_t> x = shapeOf(getX()), w = shapeOf(getW()),
                    out = shapeOf(getOut());
  int64_t tileChannels = w[5];
  if (tileChannels < 1 ||
      (tileChannels % kChannelBlock != 0 && kChannelBlock % tileChannels != 0))
    return emitOpError("C5: expects a panel width that divides 16 or is a "
                       "multiple of it, got ")
           << tileChannels;
  if (groups > 1 &&
      (planarIn || (ic / groups) % kChannelBlock != 0 ||
       (oc / groups) % kChannelBlock != 0 || (oc / groups) % tileChannels != 0))
    return emitOpError("C4: expects groups of whole blocks and panels, got ")
           << ic << " and " << oc << " channels in " << groups
           << " groups with panels of " << tileChannels;
  int64_t n = out[0], oh = planarOut ? out[2] : out[2], ow = out[3], h = x[2],
          width = x[3];
  SmallVector<int64_t> xShape{n, llvm::divideCeilSigned(ic, kChannelBlock), h,
                              width, kChannelBlock};
  if (planarIn)
    xShape = {n, ic, h, width};
  SmallVector<int64_t> outShape{n, llvm::divideCeilSigned(oc, kChannelBlock),
                                oh, ow, kChannelBlock};
  if (planarOut)
    outShape = {n, oc, oh, ow};
  int64_t icBlocks =
      planarIn ? 1 : llvm::divideCeilSigned(ic / groups, kChannelBlock);
  SmallVector<int64_t> wShape{llvm::divideCeilSigned(oc, tileChannels),
                              icBlocks,
                              w[2],
                              w[3],
                              planarIn ? ic : kChannelBlock,
                              tileChannels};
  if (isPaired()) {
    if (planarIn)
      return emitOpError("C2: expects a blocked 'x' beside pairs of channels");
    if (failed(verifyPairs(*this, "C1", {getX(), getW()})))
      return failure();
    wShape[4] = kChannelBlock / 2;
    wShape.push_back(2);
  }
  if (failed(verifyShape(*this, "C2", "x", getX(), xShape)) ||
      failed(verifyShape(*this, "C2", "out", getOut(), outShape)) ||
      failed(verifyShape(*this, "C2", "w", getW(), wShape)) ||
      failed(verifyWindow(*this, "C2", h, oh, getStrides()[0],
                          getDilations()[0], w[2])) ||
      failed(verifyWindow(*this, "C2", width, ow, getStrides()[1],
                          getDilations()[1], w[3])))
    return failure();
  return verifyEpilogue(*this, "C5", getEpilogue(), getOut(), oc, getBody());
}

LogicalResult DepthwiseOp::verify() {
  if (failed(verifyDestination(*this, getOut())) ||
      failed(verifyRank(*this, "x", getX(), 5)) ||
      failed(verifyRank(*this, "w", getW(), 4)) ||
      failed(verifyRank(*this, "out", getOut(), 5)) ||
      failed(verifyComputeTypes(*this)) ||
      failed(verifyEntries(*this, "C3", "strides", getStrides(), 2, 1)) ||
      failed(verifyEntries(*this, "C3", "dilations", getDilations(), 2, 1)) ||
      failed(verifyEntries(*this, "C3", "tile", getTile(), 2, 1)))
    return failure();
  ArrayRef<int64_t> x = shapeOf(getX()), w = shapeOf(getW()),
                    out = shapeOf(getOut());
  int64_t blocks = llvm::divideCeilSigned(getChannels(), kChannelBlock);
  if (failed(verifyShape(*this, "C2", "x", getX(),
                         {out[0], blocks, x[2], x[3], kChannelBlock})) ||
      failed(verifyShape(*this, "C2", "w", getW(),
                         {blocks, w[1], w[2], kChannelBlock})) ||
      failed(verifyShape(*this, "C2", "out", getOut(),
                         {out[0], blocks, out[2], out[3], kChannelBlock})) ||
      failed(verifyWindow(*this, "C2", x[2], out[2], getStrides()[0],
                          getDilations()[0], w[1])) ||
      failed(verifyWindow(*this, "C2", x[3], out[3], getStrides()[1],
                          getDilations()[1], w[2])))
    return failure();
  return verifyEpilogue(*this, "C4", getEpilogue(), getOut(), getChannels(),
                        getBody());
}

LogicalResult PackOp::verify() {
  if (failed(verifyDestination(*this, getOut())) ||
      failed(verifyRank(*this, "x", getX(), 3)) ||
      failed(verifyRank(*this, "out", getOut(), isPaired() ? 5 : 4)) ||
      failed(verifyComputeTypes(*this)))
    return failure();
  ArrayRef<int64_t> x = shapeOf(getX()), out = shapeOf(getOut());
  int64_t k = getTransposed() ? x[2] : x[1], n = getTransposed() ? x[1] : x[2];
  if (out[3] < 1)
    return emitOpError("C2: expects panels of at least one column, got ")
           << out[3];
  SmallVector<int64_t> panels{x[0], llvm::divideCeilSigned(n, out[3]), k,
                              out[3]};
  if (isPaired()) {
    if (failed(verifyPairs(*this, "C1", getOut())))
      return failure();
    panels[2] = llvm::divideCeilSigned(k, 2);
    panels.push_back(2);
  }
  return verifyShape(*this, "C2", "out", getOut(), panels);
}

LogicalResult PoolOp::verify() {
  int64_t rank = shaped(getX()).getRank();
  if (rank != 4 && rank != 5)
    return emitOpError("C1: expects 'x' of rank 4 or 5, got ")
           << getX().getType();
  if (failed(verifyDestination(*this, getOut())) ||
      failed(verifyRank(*this, "out", getOut(), rank)) ||
      failed(verifyComputeTypes(*this)) ||
      failed(verifyEntries(*this, "C3", "kernel", getKernel(), 2, 1)) ||
      failed(verifyEntries(*this, "C3", "strides", getStrides(), 2, 1)) ||
      failed(verifyEntries(*this, "C3", "dilations", getDilations(), 2, 1)) ||
      failed(verifyEntries(*this, "C3", "pads", getPads(), 4, 0)))
    return failure();
  ArrayRef<int64_t> x = shapeOf(getX()), out = shapeOf(getOut());
  SmallVector<int64_t> expected{x[0], x[1], out[2], out[3]};
  if (rank == 5) {
    if (x[4] != kChannelBlock)
      return emitOpError("C2: expects blocks of 16 channels, got ") << x[4];
    expected.push_back(kChannelBlock);
  }
  if (failed(verifyShape(*this, "C2", "out", getOut(), expected)))
    return failure();
  for (int axis : {0, 1}) {
    int64_t extent = x[2 + axis], stride = getStrides()[axis],
            dilation = getDilations()[axis], pad = getPads()[axis],
            count = out[2 + axis];
    auto isOutside = [&](int64_t o) {
      int64_t start = o * stride - pad;
      int64_t first = start < 0 ? llvm::divideCeilSigned(-start, dilation) : 0;
      return first >= getKernel()[axis] || start + first * dilation >= extent;
    };
    // Windows that begin in the pads reach furthest out first, and the others
    // last; what is between the two ends is inside where they are, but for taps
    // further apart than the input is long.
    int64_t inPads = std::min(count, llvm::divideCeilSigned(pad, stride)),
            checked = dilation > extent ? inPads : std::min<int64_t>(inPads, 1);
    std::optional<int64_t> outside;
    for (int64_t o = 0; o < checked && !outside; ++o)
      if (isOutside(o))
        outside = o;
    if (!outside && count > 0 && isOutside(count - 1))
      outside =
          std::min(count - 1, llvm::divideCeilSigned(extent + pad, stride));
    if (outside)
      return emitOpError("C4: window ") << *outside << " of spatial axis "
                                        << axis << " lies outside the input";
  }
  return success();
}

LogicalResult SoftmaxOp::verify() {
  if (failed(verifyDestination(*this, getOut())) ||
      failed(verifyComputeTypes(*this)) ||
      failed(verifyShape(*this, "C1", "x", getX(), shapeOf(getOut()))))
    return failure();
  if (shapeOf(getX()).empty() || shapeOf(getX()).back() < 1)
    return emitOpError("C2: expects a last axis of at least one element, got ")
           << getX().getType();
  return success();
}

LogicalResult RowNormOp::verify() {
  if (failed(verifyDestination(*this, getOut())) ||
      failed(verifyComputeTypes(*this)) ||
      failed(verifyShape(*this, "C1", "x", getX(), shapeOf(getOut()))))
    return failure();
  if (shapeOf(getX()).empty() || shapeOf(getX()).back() < 1)
    return emitOpError("C3: expects a last axis of at least one element, got ")
           << getX().getType();
  if (getEpsilon().isNegative())
    return emitOpError("C3: expects epsilon >= 0, got ")
           << getEpsilon().convertToDouble();
  if (getParams().size() > 2)
    return emitOpError("C2: expects at most two params, got ")
           << getParams().size();
  for (Value param : getParams())
    if (failed(verifyShape(*this, "C2", "params", param,
                           shapeOf(getX()).take_back())))
      return failure();
  return success();
}

LogicalResult ScanOp::verify() {
  if (failed(verifyDestination(*this, getOut())) ||
      failed(verifyRank(*this, "x", getX(), 3)) ||
      failed(verifyShape(*this, "C1", "out", getOut(), shapeOf(getX()))))
    return failure();
  Type element = getElementTypeOrSelf(getX()), state = getInitial().getType();
  if (getElementTypeOrSelf(getOut()) != element)
    return emitOpError("C1: expects equal element types, got ")
           << element << " and " << getElementTypeOrSelf(getOut());
  if (computeType(element) != state)
    return emitOpError("C2: expects a state of type ")
           << computeType(element) << ", got " << state;
  Block &block = getBody().front();
  auto yield = block.empty() ? YieldOp() : dyn_cast<YieldOp>(block.back());
  if (block.getArgumentTypes() != TypeRange({state, state}) || !yield ||
      yield.getOperandTypes() != TypeRange(state))
    return emitOpError("C2: expects a region of two values of type ")
           << state << " that yields one";
  return verifyElementwise(block, "a scan");
}

LogicalResult WeightOp::verify() {
  if (getOffset() % 64 != 0)
    return emitOpError("C1: expects an offset that is a multiple of 64, got ")
           << getOffset();
  return success();
}

LogicalResult LaunchOp::verify() {
  int64_t tasks = getTasks();
  if (tasks < 1)
    return emitOpError("C1: expects at least one task, got ") << tasks;
  return success();
}

LogicalResult LaunchOp::verifySymbolUses(SymbolTableCollection &symbols) {
  auto function =
      symbols.lookupNearestSymbolFrom<func::FuncOp>(*this, getCalleeAttr());
  if (!function)
    return emitOpError("C2: no function named ") << getCalleeAttr();
  if (!function->hasAttr(kEntryAttr))
    return emitOpError("C2: expects ")
           << getCalleeAttr() << " to have the attribute '" << kEntryAttr
           << "'";
  SmallVector<Type> expected(getOperandTypes());
  expected.append(2, IndexType::get(getContext()));
  if (function.getArgumentTypes() != ArrayRef<Type>(expected) ||
      function.getNumResults() != 0)
    return emitOpError("C2: expects ")
           << getCalleeAttr() << " to take the operands and two indices, got "
           << function.getFunctionType();
  return success();
}

} // namespace graven::kernel

#define GET_OP_CLASSES
#include "dialects/kernel/Kernel.cpp.inc"
