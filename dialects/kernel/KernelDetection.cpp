//===- KernelDetection.cpp - verifiers of detection kernels -----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the verifiers and the memory effects of kernel.nms and
// kernel.regions. The constraint numbers are those of their descriptions.

#include "dialects/kernel/KernelVerify.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace graven::kernel {

using namespace verify;

LogicalResult NmsOp::verify() {
  SmallVector<Value> floats{getBoxes(), getScores(), getIou(), getCorners()};
  if (getScore())
    floats.push_back(getScore());
  Type element = getElementTypeOrSelf(getBoxes());
  for (Value operand : floats)
    if (getElementTypeOrSelf(operand) != element)
      return emitOpError("C1: expects equal element types, got ")
             << element << " and " << getElementTypeOrSelf(operand);
  if (failed(verifyDestination(
          *this, {getKept(), getCounts(), getOrder(), getCorners()})) ||
      failed(verifyRank(*this, "scores", getScores(), 3)) ||
      failed(verifyRank(*this, "kept", getKept(), 3)))
    return failure();
  ArrayRef<int64_t> scores = shapeOf(getScores());
  int64_t batch = scores[0], classes = scores[1], boxes = scores[2],
          most = shapeOf(getKept())[2];
  if (failed(
          verifyShape(*this, "C2", "boxes", getBoxes(), {batch, boxes, 4})) ||
      failed(verifyShape(*this, "C2", "iou", getIou(), {})) ||
      failed(verifyShape(*this, "C2", "kept", getKept(),
                         {batch, classes, most})) ||
      failed(
          verifyShape(*this, "C2", "counts", getCounts(), {batch, classes})) ||
      failed(verifyShape(*this, "C2", "order", getOrder(), scores)) ||
      failed(verifyShape(
          *this, "C2", "corners", getCorners(),
          {batch, classes, getGroup() ? 7 : 5,
           static_cast<int64_t>(llvm::alignTo(most, kChannelBlock))})))
    return failure();
  if (getScore() && failed(verifyShape(*this, "C2", "score", getScore(), {})))
    return failure();
  if (getGroup() &&
      failed(verifyShape(*this, "C2", "group", getGroup(), {batch, boxes})))
    return failure();
  if (getValid() && failed(verifyShape(*this, "C2", "valid", getValid(), {})))
    return failure();
  return success();
}

void NmsOp::getEffects(
    SmallVectorImpl<MemoryEffects::EffectInstance> &effects) {
  detail::addDestinationEffects(*this, effects);
  for (OpOperand &operand : getDpsInitsMutable().slice(2, 2))
    if (isa<BaseMemRefType>(operand.get().getType()))
      effects.emplace_back(MemoryEffects::Read::get(), &operand,
                           SideEffects::DefaultResource::get());
}

LogicalResult RegionsOp::verify() {
  Type compute = computeType(getElementTypeOrSelf(getX()));
  for (Value operand : {getRois(), getOut()})
    if (computeType(getElementTypeOrSelf(operand)) != compute)
      return emitOpError("C1: expects element types that are computed in one "
                         "type, got ")
             << getElementTypeOrSelf(getX()) << " and "
             << getElementTypeOrSelf(operand);
  if (failed(verifyDestination(*this, getOut())) ||
      failed(verifyRank(*this, "x", getX(), 4)) ||
      failed(verifyRank(*this, "out", getOut(), 4)))
    return failure();
  ArrayRef<int64_t> x = shapeOf(getX()), out = shapeOf(getOut());
  int64_t channels = getPerBin() ? out[1] * out[2] * out[3] : out[1];
  if (failed(verifyShape(*this, "C2", "x", getX(),
                         {x[0], channels, x[2], x[3]})) ||
      failed(verifyShape(*this, "C2", "rois", getRois(), {out[0], 4})) ||
      failed(verifyShape(*this, "C2", "batch", getBatch(), {out[0]})) ||
      (getValid() && failed(verifyShape(*this, "C2", "valid", getValid(), {}))))
    return failure();
  if (x[0] < 1 || x[2] < 1 || x[3] < 1)
    return emitOpError("C2: expects images and pixels, got ")
           << getX().getType();
  if (static_cast<int64_t>(getSamplingRatio()) < 0)
    return emitOpError("C3: expects sampling_ratio >= 0, got ")
           << static_cast<int64_t>(getSamplingRatio());
  return success();
}

} // namespace graven::kernel
