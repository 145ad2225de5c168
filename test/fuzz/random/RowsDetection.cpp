//===- RowsDetection.cpp - boxes and regions --------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the rows of the ops of detection.
//===----------------------------------------------------------------------===//

#include "test/fuzz/random/Rows.h"

using namespace mlir;
using graven::eval::Tensor;

namespace graven::fuzz {
namespace {

/// Boxes of the form x1 y1 x2 y2 inside an image of that extent, most of them
/// with x1 < x2 and y1 < y2.
Value drawBoxes(Draft &d, Type element, Draft::Shape shape, double extent) {
  shape.push_back(4);
  Tensor tensor(RankedTensorType::get(shape, element));
  for (int64_t i = 0; i < tensor.size(); i += 4)
    for (int64_t axis = 0; axis < 2; ++axis) {
      double first = d.real({0, extent * 0.7});
      double last = first + d.real({0.1, extent * 0.6});
      if (d.chance(5))
        std::swap(first, last);
      tensor.set(i + axis, first);
      tensor.set(i + 2 + axis, last);
    }
  return d.constant(tensor);
}

/// A Value of that type plus the boxes, so that these depend on inputs too.
Value disturbBoxes(Draft &d, Value boxes) {
  if (d.chance(40))
    return boxes;
  Draft::Shape shape = Draft::shapeOf(boxes);
  Value by = d.like(Draft::elementOf(boxes), shape, {0, 0.5});
  Value sum = d.make<AddOp>(boxes, by);
  return sum ? sum : boxes;
}

void drawNms(Draft &d) {
  Type element = d.type(Types::Float);
  int64_t batches = d.number(1, 2), boxes = d.number(1, 8),
          classes = d.number(1, 3);
  Value where = disturbBoxes(d, drawBoxes(d, element, {batches, boxes}, 10));
  Value scores = d.like(element, {batches, classes, boxes}, {0, 1});
  Value iou = d.like(element, {}, {0.1, 0.9});
  Value score = d.chance(60) ? d.like(element, {}, {0, 0.5}) : Value();
  Type i64 = d.builder.getI64Type();
  Value group = d.chance(30) ? d.like(i64, {batches, boxes}, {0, 2}) : Value();
  Value valid = d.chance(30) ? d.like(i64, {}, {0, double(boxes)}) : Value();
  d.add<NmsOp>(where, scores, iou, score, group, valid,
               d.pick({BoxFormat::XYXY, BoxFormat::Corners, BoxFormat::Center}),
               d.pick<int64_t>({-1, 0, 1, 2, 100}));
}

struct Regions {
  Value x, rois, batch, valid;
  Draft::Shape output;

  Regions(Draft &d, bool isPerBin) {
    output = {d.number(1, 3), d.number(1, 3)};
    Type element = d.type(Types::Float);
    if (!isPerBin)
      x = d.find([&](RankedTensorType type) {
        return type.getElementType() == element && type.getRank() == 4 &&
               type.getNumElements() > 0;
      });
    if (!x) {
      int64_t channels = d.number(1, 3);
      if (isPerBin)
        channels *= output[0] * output[1];
      x = d.leaf(element,
                 {d.number(1, 2), channels, d.number(1, 9), d.number(1, 9)});
    }
    int64_t count = d.number(d.chance(5) ? 0 : 1, 3);
    rois = disturbBoxes(d, drawBoxes(d, element, {count}, 8));
    batch = d.like(d.builder.getI64Type(), {count},
                   {0, double(Draft::shapeOf(x)[0] - 1)});
    if (d.chance(30))
      valid = d.like(d.builder.getI64Type(), {}, {0, double(count)});
  }
};

llvm::APFloat drawScale(Draft &d) {
  return llvm::APFloat(d.pick({1.0, 0.5, 0.7}));
}

void drawRoiAlign(Draft &d) {
  bool isPerBin = d.chance(25);
  Regions regions(d, isPerBin);
  RegionMode mode =
      isPerBin || d.chance(60) ? RegionMode::Avg : RegionMode::Max;
  d.add<RoiAlignOp>(regions.x, regions.rois, regions.batch, regions.valid, mode,
                    regions.output, drawScale(d), d.number(0, 2), d.chance(50),
                    isPerBin);
}

void drawRoiPool(Draft &d) {
  bool isPerBin = d.chance(25);
  Regions regions(d, isPerBin);
  RegionMode mode =
      isPerBin || d.chance(40) ? RegionMode::Avg : RegionMode::Max;
  d.add<RoiPoolOp>(regions.x, regions.rois, regions.batch, regions.valid, mode,
                   regions.output, drawScale(d), isPerBin);
}

} // namespace

llvm::ArrayRef<Row> getDetectionRows() {
  static const Row rows[] = {
      row<NmsOp>(drawNms),
      row<RoiAlignOp>(drawRoiAlign),
      row<RoiPoolOp>(drawRoiPool),
  };
  return rows;
}

} // namespace graven::fuzz
