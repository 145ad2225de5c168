//===- Detection.cpp - boxes and regions of images ------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the builders of the ops of object detection.
//===----------------------------------------------------------------------===//

#include "frontends/onnx/NodeBuilder.h"
#include "frontends/onnx/OpTable.h"

using namespace mlir;

namespace graven::onnx {

namespace {

/// A threshold of any shape with one element, without axes.
Value threshold(NodeBuilder &n, size_t i, Type element) {
  Value value = n.input(i);
  return value ? n.cast(n.reshape(value, {}), element) : Value();
}

LogicalResult buildNonMaxSuppression(NodeBuilder &n) {
  Value boxes = n.input(0), scores = n.input(1);
  int64_t center = n.intAttr("center_point_box", 0);
  std::optional<int64_t> most = 0;
  if (n.input(2))
    most = n.oneInt(n.input(2), "max_output_boxes_per_class");
  if (!most || n.hasFailed())
    return failure();
  if (center != 0 && center != 1)
    return n.error(Code::BadGraph)
           << "center_point_box is " << center << ", expected 0 or 1";
  if (!n.staticShape(scores))
    return failure();
  Type element = n.elementTypeOf(boxes);
  Value iou = threshold(n, 3, element);
  if (!iou)
    iou = n.scalar(element, 0);
  auto results = n.makeAll<NmsOp>(
      boxes, scores, iou, threshold(n, 4, element), /*group=*/Value(),
      /*valid=*/Value(), center ? BoxFormat::Center : BoxFormat::Corners,
      uint64_t(std::max<int64_t>(*most, 0)));
  if (results.empty())
    return failure();
  return n.finish(n.counted(results[0], results[1], 0));
}

std::optional<RegionMode> regionMode(NodeBuilder &n) {
  std::string name = n.stringAttr("mode", "avg");
  auto mode = symbolizeRegionMode(name);
  if (!mode)
    n.error(Code::BadGraph)
        << "mode is " << quoted(name) << ", expected 'avg' or 'max'";
  return mode;
}

LogicalResult roiAlign(NodeBuilder &n, bool aligned) {
  auto mode = regionMode(n);
  if (!mode || n.hasFailed())
    return failure();
  IntList output{n.intAttr("output_height", 1), n.intAttr("output_width", 1)};
  int64_t samples = n.intAttr("sampling_ratio", 0);
  double scale = n.floatAttr("spatial_scale", 1);
  Value batch = n.cast(n.input(2), IntegerType::get(n.getContext(), 64));
  return n.finish(n.make<RoiAlignOp>(
      n.input(0), n.input(1), batch, /*valid=*/Value(), *mode,
      ArrayRef<int64_t>(output), llvm::APFloat(scale),
      uint64_t(std::max<int64_t>(samples, 0)), aligned, /*perBin=*/false));
}

LogicalResult buildRoiAlignOfOpset10(NodeBuilder &n) {
  return roiAlign(n, /*aligned=*/false);
}

LogicalResult buildRoiAlign(NodeBuilder &n) {
  std::string name =
      n.stringAttr("coordinate_transformation_mode", "half_pixel");
  if (name != "half_pixel" && name != "output_half_pixel")
    return n.error(Code::BadGraph)
           << "coordinate_transformation_mode is " << quoted(name)
           << ", expected 'half_pixel' or 'output_half_pixel'";
  return roiAlign(n, name == "half_pixel");
}

LogicalResult buildMaxRoiPool(NodeBuilder &n) {
  Value x = n.input(0), rois = n.input(1);
  auto output = n.intsAttr("pooled_shape");
  auto shape = n.staticShape(rois);
  if (!shape || n.hasFailed())
    return failure();
  if (!output || shape->size() != 2 || shape->back() != 5)
    return n.error(Code::BadGraph)
           << "expected pooled_shape, and rois of shape [R, 5]";
  Value batch = n.cast(n.reshape(n.slice(rois, 1, 0, 1), {shape->front()}),
                       IntegerType::get(n.getContext(), 64));
  return n.finish(
      n.make<RoiPoolOp>(x, n.slice(rois, 1, 1, 5), batch, /*valid=*/Value(),
                        RegionMode::Max, ArrayRef<int64_t>(*output),
                        llvm::APFloat(n.floatAttr("spatial_scale", 1)),
                        /*perBin=*/false));
}

} // namespace

void addDetection(OpTable &table) {
  table.add("NonMaxSuppression", 2, buildNonMaxSuppression, 10);
  table.add("RoiAlign", 3, buildRoiAlignOfOpset10, 10, 16);
  table.add("RoiAlign", 3, buildRoiAlign, 16);
  table.add("MaxRoiPool", 2, buildMaxRoiPool);
}

} // namespace graven::onnx
