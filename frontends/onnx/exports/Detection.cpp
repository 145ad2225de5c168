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

/// Whether all that is read of the indices is the first `count`.
static bool readsFoundAlone(Value indices, Value count) {
  return llvm::all_of(indices.getUsers(), [&](Operation *user) {
    auto slice = dyn_cast<SliceOp>(user);
    return slice && slice.getX() == indices &&
           slice.getDynamicStarts().empty() &&
           slice.getDynamicEnds().size() == 1 &&
           slice.getDynamicEnds().front() == count &&
           ShapedType::isDynamic(slice.getEnds().front());
  });
}

/// The rows that a node found, and their number: as many rows as there may be,
/// with zeros behind those found, unless nothing reads these.
static void giveFound(Exporter &e, const Name &found, Value indices,
                      Value count) {
  Type i64 = IntegerType::get(indices.getContext(), 64);
  Name number = e.slice(e.make("Shape", {found}), {0}, {1}, {0}, {1});
  e.alias(count, e.reshape(number, {}));
  if (readsFoundAlone(indices, count))
    return e.alias(indices, found);
  ArrayRef<int64_t> rows = Exporter::typeOf(indices).getShape();
  Name room = e.make("Concat", {found, e.splat(i64, rows, 0)}, {{"axis", 0}});
  e.alias(indices, e.slice(room, {0}, {rows.front()}, {0}, {1}));
}

/// The first places of an axis, as many as the number says.
static Name usedOnly(Exporter &e, const Name &x, Value number, int64_t axis) {
  Name end = e.reshape(e.name(number), {1});
  return e.make("Slice", {x, e.ints({0}), end, e.ints({axis})});
}

/// Boxes [B, M, 4] of different groups [B, M] overlap nowhere when each group
/// is moved by more than all of them cover, as torchvision does it.
static Name movedApart(Exporter &e, const Name &boxes, const Name &groups) {
  Type f32 = Float32Type::get(e.module.getContext());
  // There may be no boxes.
  Name all = e.make("Concat", {e.reshape(boxes, {-1}), e.splat(f32, {1}, 0)},
                    {{"axis", 0}});
  Name most = e.reduce("ReduceMax", all, {0}, /*keep=*/false),
       least = e.reduce("ReduceMin", all, {0}, /*keep=*/false);
  Name step = e.make("Add", {e.make("Sub", {most, least}), e.scalar(f32, 1)});
  return e.make("Add",
                {boxes, e.unsqueeze(e.make("Mul", {groups, step}), {2})});
}

static void express(Exporter &e, NmsOp op) {
  auto scores = Exporter::typeOf(op.getScores());
  if (!e.needs(op, 10))
    return;
  bool isFree = readsFoundAlone(op.getIndices(), op.getCount());
  if (!isFree && !e.shape(op, op.getIndices()))
    return;
  if (Exporter::element(op.getBoxes()).isF64())
    return e.unsupported(op, "boxes of f64");
  if (op.getGroup() && op.getFormat() == BoxFormat::Center)
    return e.unsupported(op, "groups of boxes given by their centers");
  Type f32 = Float32Type::get(op.getContext());
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
  Name groups = e.name(op.getGroup());
  if (op.getValid()) {
    boxes = usedOnly(e, boxes, op.getValid(), 1);
    all = usedOnly(e, all, op.getValid(), 2);
    if (op.getGroup())
      groups = usedOnly(e, groups, op.getValid(), 1);
  }
  if (op.getGroup())
    boxes = movedApart(e, boxes, e.cast(groups, f32));
  int64_t most = op.getMaxPerClass();
  if (most < 0)
    most = scores.isDynamicDim(2) ? std::numeric_limits<int64_t>::max()
                                  : scores.getDimSize(2);
  Names inputs{boxes, all, e.ints({most}), e.reshape(asF32(op.getIou()), {1})};
  if (op.getScore())
    inputs.push_back(e.reshape(asF32(op.getScore()), {1}));
  Name chosen =
      e.make("NonMaxSuppression", inputs,
             {{"center_point_box", op.getFormat() == BoxFormat::Center}});
  giveFound(e, chosen, op.getIndices(), op.getCount());
}

static void express(Exporter &e, NonzeroOp op) {
  Name x = e.name(op.getX());
  // Places of a scalar: the node has none, or makes it a list.
  Name places = e.transpose(
      e.make("NonZero",
             {Exporter::rank(op.getX()) == 0 ? e.reshape(x, {1}) : x}),
      {1, 0});
  if (Exporter::rank(op.getX()) == 0)
    places = e.slice(places, {0}, {0}, {1}, {1});
  giveFound(e, places, op.getIndices(), op.getCount());
}

/// The regions that are used, and zeros for the others.
static void giveRegions(Exporter &e, const Name &used, Value result, Value rois,
                        Value number) {
  Name missing =
      e.make("Sub", {e.extent(rois, 0), e.reshape(e.name(number), {1})});
  Name pads = e.list({0, 0, 0, 0, missing, 0, 0, 0});
  e.alias(result, e.make("Pad", {used, pads}));
}

static void express(Exporter &e, RoiAlignOp op) {
  if (op.getPerBin())
    return e.unsupported(op, "a channel for each bin");
  // Pad takes what it computes from 11 on.
  if (!e.needs(op, op.getAligned() ? 16 : op.getValid() ? 11 : 10))
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
  Names inputs{e.name(op.getX()), e.name(op.getRois()), e.name(op.getBatch())};
  if (!op.getValid()) {
    e.give(op, "RoiAlign", inputs, attributes);
    return;
  }
  for (size_t i : {1, 2})
    inputs[i] = usedOnly(e, inputs[i], op.getValid(), 0);
  giveRegions(e, e.make("RoiAlign", inputs, attributes), op.getResult(),
              op.getRois(), op.getValid());
}

static void express(Exporter &e, RoiPoolOp op) {
  if (op.getMode() != RegionMode::Max || op.getPerBin())
    return e.unsupported(op, "means of pixels");
  if (op.getValid() && !e.needs(op, 11))
    return;
  Name batch = e.unsqueeze(
      e.cast(e.name(op.getBatch()), Exporter::element(op.getRois())), {1});
  Name regions = e.make("Concat", {batch, e.name(op.getRois())}, {{"axis", 1}});
  SmallVector<Attr> attributes{
      {"pooled_shape", op.getOutput()},
      {"spatial_scale", op.getSpatialScale().convertToDouble()}};
  if (!op.getValid()) {
    e.give(op, "MaxRoiPool", {e.name(op.getX()), regions}, attributes);
    return;
  }
  regions = usedOnly(e, regions, op.getValid(), 0);
  giveRegions(e, e.make("MaxRoiPool", {e.name(op.getX()), regions}, attributes),
              op.getResult(), op.getRois(), op.getValid());
}

void addDetectionExports(ExportTable &table) {
  table.add<NmsOp, express>();
  table.add<NonzeroOp, express>();
  table.add<RoiAlignOp, express>();
  table.add<RoiPoolOp, express>();
}

} // namespace graven::onnx
