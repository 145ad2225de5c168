//===- Detection.cpp - types of boxes and regions -------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements type inference of the ops of object detection.
//===----------------------------------------------------------------------===//

#include "dialects/graven/ops/Infer.h"

using namespace mlir;

namespace graven {

LogicalResult NmsOp::inferReturnTypes(MLIRContext *context, OptionalLoc loc,
                                      Adaptor adaptor, InferredTypes &types) {
  RankedTensorType boxes = tensorOf(adaptor.getBoxes()),
                   scores = tensorOf(adaptor.getScores());
  SmallVector<Value> floats{adaptor.getBoxes(), adaptor.getScores(),
                            adaptor.getIou()};
  if (adaptor.getScore())
    floats.push_back(adaptor.getScore());
  if (failed(checkElementTypes(loc, floats, "C1")) ||
      failed(checkRank(loc, "boxes", boxes.getRank(), 3, 3, "C2")) ||
      failed(checkRank(loc, "scores", scores.getRank(), 3, 3, "C2")))
    return failure();
  for (Value threshold : ArrayRef(floats).drop_front(2))
    if (failed(checkRank(loc, "threshold", tensorOf(threshold).getRank(), 0, 0,
                         "C2")))
      return failure();
  if (failed(checkExtent(loc, "the last axis of boxes", boxes.getDimSize(2), 4,
                         "C3")) ||
      failed(checkExtent(loc, "the batch of scores", scores.getDimSize(0),
                         boxes.getDimSize(0), "C3")) ||
      failed(checkExtent(loc, "the number of scores", scores.getDimSize(2),
                         boxes.getDimSize(1), "C3")))
    return failure();
  if (Value group = adaptor.getGroup();
      group && failed(checkShape(loc, "group", tensorOf(group).getShape(),
                                 boxes.getShape().drop_back(), "C3")))
    return failure();
  int64_t most = scores.getDimSize(2), limit = adaptor.getMaxPerClass(),
          rows = ShapedType::kDynamic;
  if (scores.hasStaticShape()) {
    if (limit >= 0)
      most = std::min(most, limit);
    rows = scores.getDimSize(0) * scores.getDimSize(1) * most;
  }
  Type i64 = IntegerType::get(context, 64);
  if (failed(pushResult(loc, {rows, 3}, i64, types)))
    return failure();
  return pushResult(loc, {}, i64, types);
}

/// What both ops that pool regions ask for; the result's type.
template <class Adaptor>
static LogicalResult inferRegions(OptionalLoc loc, Adaptor adaptor,
                                  InferredTypes &types) {
  RankedTensorType x = tensorOf(adaptor.getX()),
                   rois = tensorOf(adaptor.getRois()),
                   batch = tensorOf(adaptor.getBatch());
  if (failed(
          checkElementTypes(loc, {adaptor.getX(), adaptor.getRois()}, "C1")) ||
      failed(checkRank(loc, "x", x.getRank(), 4, 4, "C2")) ||
      failed(checkRank(loc, "rois", rois.getRank(), 2, 2, "C2")) ||
      failed(checkRank(loc, "batch", batch.getRank(), 1, 1, "C2")) ||
      failed(checkExtent(loc, "the last axis of rois", rois.getDimSize(1), 4,
                         "C2")) ||
      failed(checkExtent(loc, "the number of batch indices",
                         batch.getDimSize(0), rois.getDimSize(0), "C2")))
    return failure();
  ArrayRef<int64_t> output = adaptor.getOutput();
  if (output.size() != 2 || output[0] < 1 || output[1] < 1)
    return emitOptionalError(loc, "output is [", output,
                             "], expected two positive extents (C3)");
  // Their product may be more than there are channels anyway.
  constexpr int64_t most = int64_t(1) << 31;
  if (output[0] > most || output[1] > most)
    return emitOptionalError(loc, "output is [", output,
                             "], expected at most 2^31 each (C3)");
  int64_t channels = x.getDimSize(1), bins = output[0] * output[1];
  if (adaptor.getPerBin()) {
    if (adaptor.getMode() != RegionMode::Avg)
      return emitOptionalError(loc, "mode is max, expected avg with per_bin "
                                    "(C4)");
    if (!ShapedType::isDynamic(channels)) {
      if (channels % bins != 0)
        return emitOptionalError(loc, "x has ", channels,
                                 " channels, expected a multiple of ", bins,
                                 " (C4)");
      channels /= bins;
    }
  }
  if (x.getDimSize(2) == 0 || x.getDimSize(3) == 0)
    return emitOptionalError(loc, "x is ", x, ", expected pixels (C5)");
  return pushResult(loc, {rois.getDimSize(0), channels, output[0], output[1]},
                    x.getElementType(), types);
}

LogicalResult RoiAlignOp::inferReturnTypes(MLIRContext *, OptionalLoc loc,
                                           Adaptor adaptor,
                                           InferredTypes &types) {
  int64_t samples = adaptor.getSamplingRatio();
  if (samples < 0)
    return emitOptionalError(loc, "sampling_ratio is ", samples,
                             ", expected at least 0 (C3)");
  return inferRegions(loc, adaptor, types);
}

LogicalResult RoiPoolOp::inferReturnTypes(MLIRContext *, OptionalLoc loc,
                                          Adaptor adaptor,
                                          InferredTypes &types) {
  return inferRegions(loc, adaptor, types);
}

} // namespace graven
