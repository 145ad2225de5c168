//===- Detection.cpp - boxes and regions of images ---*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file expresses the ops of object detection.
//===----------------------------------------------------------------------===//

#include "frontends/onnx/exports/Exporter.h"

using namespace mlir;

namespace graven::onnx {

/// In ONNX a box is any two of its corners. One with x2 < x1, which overlaps
/// nothing here, becomes one without area, which overlaps nothing there.
static Name orderedCorners(Exporter &e, const Name &boxes) {
  Name low = e.slice(boxes, {0}, {2}, {2}, {1}),
       high = e.slice(boxes, {2}, {4}, {2}, {1});
  high = e.make("Max", {low, high});
  return e.make("Concat", {low, high}, {{"axis", 2}});
}

static void express(Exporter &e, NmsOp op) {
  auto rows = e.shape(op, op.getIndices()),
       scores = e.shape(op, op.getScores());
  if (!rows || !scores || !e.needs(op, 10))
    return;
  if (Exporter::element(op.getBoxes()).isF64())
    return e.unsupported(op, "boxes of f64");
  if (op.getGroup())
    return e.unsupported(op, "groups of boxes");
  Type f32 = Float32Type::get(op.getContext()),
       i64 = IntegerType::get(op.getContext(), 64);
  auto asF32 = [&](Value value) {
    Name name = e.name(value);
    return Exporter::element(value).isF32() ? name : e.cast(name, f32);
  };
  Name boxes = asF32(op.getBoxes()), all = asF32(op.getScores());
  if (op.getFormat() == BoxFormat::XYXY) {
    if (!e.needs(op, 12, "boxes x1 y1 x2 y2"))
      return;
    boxes = orderedCorners(e, boxes);
  }
  if (op.getValid()) {
    Name end = e.reshape(e.name(op.getValid()), {1});
    boxes = e.make("Slice", {boxes, e.ints({0}), end, e.ints({1})});
    all = e.make("Slice", {all, e.ints({0}), end, e.ints({2})});
  }
  int64_t most = op.getMaxPerClass();
  if (int64_t(op.getMaxPerClass()) < 0)
    most = (*scores)[2];
  Names inputs{boxes, all, e.ints({most}), e.reshape(asF32(op.getIou()), {1})};
  if (op.getScore())
    inputs.push_back(e.reshape(asF32(op.getScore()), {1}));
  Name chosen =
      e.make("NonMaxSuppression", inputs,
             {{"center_point_box", op.getFormat() == BoxFormat::Center}});
  // As many rows as there may be: zeros behind those chosen.
  Name room = e.make("Concat", {chosen, e.splat(i64, *rows, 0)}, {{"axis", 0}});
  e.alias(op.getIndices(), e.slice(room, {0}, {(*rows)[0]}, {0}, {1}));
  Name extents = e.make("Shape", {chosen});
  Name count = e.slice(extents, {0}, {1}, {0}, {1});
  e.alias(op.getCount(), e.reshape(count, {}));
}

static void express(Exporter &e, RoiAlignOp op) {
  if (op.getPerBin())
    return e.unsupported(op, "a channel for each bin");
  if (op.getValid())
    return e.unsupported(op, "a number of regions");
  if (!e.needs(op, op.getAligned() ? 16 : 10))
    return;
  SmallVector<Attr> attributes{
      {"mode", stringifyRegionMode(op.getMode()).str()},
      {"output_height", op.getOutput()[0]},
      {"output_width", op.getOutput()[1]},
      {"sampling_ratio", int64_t(op.getSamplingRatio())},
      {"spatial_scale", op.getSpatialScale().convertToDouble()}};
  if (e.opset() >= 16)
    attributes.push_back(
        {"coordinate_transformation_mode",
         op.getAligned() ? "half_pixel" : "output_half_pixel"});
  e.give(op, "RoiAlign",
         {e.name(op.getX()), e.name(op.getRois()), e.name(op.getBatch())},
         attributes);
}

static void express(Exporter &e, RoiPoolOp op) {
  if (op.getMode() != RegionMode::Max || op.getPerBin())
    return e.unsupported(op, "means of pixels");
  if (op.getValid())
    return e.unsupported(op, "a number of regions");
  auto rois = e.shape(op, op.getRois());
  if (!rois)
    return;
  Name batch =
      e.reshape(e.cast(e.name(op.getBatch()), Exporter::element(op.getRois())),
                {(*rois)[0], 1});
  Name regions = e.make("Concat", {batch, e.name(op.getRois())}, {{"axis", 1}});
  e.give(op, "MaxRoiPool", {e.name(op.getX()), regions},
         {{"pooled_shape", op.getOutput()},
          {"spatial_scale", op.getSpatialScale().convertToDouble()}});
}

void addDetectionExports(ExportTable &table) {
  table.add<NmsOp, express>();
  table.add<RoiAlignOp, express>();
  table.add<RoiPoolOp, express>();
}

} // namespace graven::onnx
