//===- Detection.cpp - torchvision's operators ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file builds the operators of torchvision that PyTorch models of object
// detection call: the choice among overlapping boxes, the pooling of regions,
// and convolutions whose taps are displaced.
//
//===----------------------------------------------------------------------===//

#include "frontends/aten/Table.h"

#include <cmath>

using namespace graven;
using namespace graven::aten;
using llvm::StringRef;

//===----------------------------------------------------------------------===//
// nms
//===----------------------------------------------------------------------===//

/// The greatest number of the element type that is not greater: what is
/// compared with it is of that type, so the comparison stays the same.
static double roundedDown(mlir::Type element, double value) {
  if (element.isF64() ||
      static_cast<double>(static_cast<float>(value)) <= value)
    return element.isF64() ? value : static_cast<float>(value);
  return std::nextafter(static_cast<float>(value),
                        -std::numeric_limits<float>::infinity());
}

/// The chosen boxes of `name` by falling score; with groups, those of a group
/// do not suppress others.
static mlir::Value suppressed(Call &c, StringRef name, mlir::Value group) {
  mlir::Value boxes = c.tensor(name), scores = c.tensor("scores");
  auto threshold = c.number("iou_threshold");
  if (!boxes || !scores || !threshold)
    return {};
  if (c.rank(boxes) != 2 || c.type(boxes).getDimSize(1) != 4)
    return c.failed("boxes of another shape than [M, 4]");
  if (c.rank(scores) != 1)
    return c.failed("scores of rank " + llvm::Twine(c.rank(scores)));
  if (!c.isFloat(boxes) || c.element(boxes) != c.element(scores))
    return c.failed("boxes and scores of other types than one of floats");
  if (!c.element(boxes).isF64()) {
    boxes = c.cast(boxes, ScalarType::Float);
    scores = c.cast(scores, ScalarType::Float);
  }
  int64_t most = c.type(boxes).getDimSize(0);
  if (group)
    group = c.reshape(group, {1, most});
  mlir::Type type = c.element(boxes);
  auto op = tryCreate<NmsOp>(c.builder, c.loc, c.reshape(boxes, {1, most, 4}),
                             c.reshape(scores, {1, 1, most}),
                             c.scalar(type, roundedDown(type, *threshold)),
                             /*score=*/mlir::Value(), group,
                             /*valid=*/mlir::Value(), BoxFormat::XYXY);
  if (mlir::failed(op))
    return {};
  mlir::Value chosen = c.select(op->getIndices(), 1, 2);
  return c.counted(chosen, op->getCount(), 0);
}

static mlir::Value nms(Call &c) { return suppressed(c, "dets", {}); }

/// torchvision.ops.batched_nms: boxes of several classes do not overlap.
static mlir::Value batchedNms(Call &c) {
  mlir::Value classes = c.tensor("idxs");
  if (!classes)
    return {};
  if (c.rank(classes) != 1 || c.isFloat(classes))
    return c.failed("classes that are no list of ints");
  return suppressed(c, "boxes", c.cast(classes, ScalarType::Long));
}

//===----------------------------------------------------------------------===//
// Regions
//===----------------------------------------------------------------------===//

namespace {
/// What all operators on regions are given.
struct Regions {
  mlir::Value x, rois, batch;
  double scale = 1;
  Shape output;
};
} // namespace

/// boxes [K, 5], of which the first column says the image.
static std::optional<Regions> readRegions(Call &c, StringRef boxes = "rois") {
  Regions r;
  r.x = c.tensor("input");
  mlir::Value rois = c.tensor(boxes);
  auto scale = c.number("spatial_scale");
  auto height = c.integer("pooled_height"), width = c.integer("pooled_width");
  if (!r.x || !rois || !scale || !height || !width)
    return std::nullopt;
  if (c.rank(rois) != 2 || c.type(rois).getDimSize(1) != 5) {
    c.fail() << "boxes of another shape than [K, 5]";
    return std::nullopt;
  }
  if (!c.isFloat(r.x) || c.element(r.x) != c.element(rois)) {
    c.fail() << "input and boxes of other types than one of floats";
    return std::nullopt;
  }
  r.batch = c.cast(c.select(rois, 1, 0), ScalarType::Long);
  r.rois = c.slice(rois, 1, 1, 5);
  r.scale = *scale;
  r.output = {*height, *width};
  if (!r.rois || !r.batch)
    return std::nullopt;
  return r;
}

static mlir::Value aligned(Call &c, const Regions &r, bool isAligned,
                           bool perBin) {
  auto samples = c.integer("sampling_ratio");
  if (!samples)
    return {};
  return c.make<RoiAlignOp>(
      r.x, r.rois, r.batch, /*valid=*/mlir::Value(), RegionMode::Avg,
      llvm::ArrayRef<int64_t>(r.output), llvm::APFloat(r.scale),
      uint64_t(std::max<int64_t>(*samples, 0)), isAligned, perBin);
}

static mlir::Value roiAlign(Call &c) {
  auto r = readRegions(c);
  return r ? aligned(c, *r, c.flag("aligned"), /*perBin=*/false)
           : mlir::Value();
}

/// The channel of x that each place of the result comes from.
static void giveChannels(Call &c, mlir::Value pooled) {
  if (!pooled)
    return c.give({});
  Shape shape = c.shape(pooled), one = shape;
  one[0] = 1;
  int64_t channels = shape[1] * shape[2] * shape[3];
  mlir::Value all = c.iota({channels}, 0, c.mlirType(ScalarType::Int));
  c.give(pooled);
  c.give(c.broadcastTo(c.reshape(all, one), shape));
}

static void psRoiAlign(Call &c) {
  auto r = readRegions(c);
  giveChannels(c, r ? aligned(c, *r, /*isAligned=*/true, /*perBin=*/true)
                    : mlir::Value());
}

static mlir::Value pooled(Call &c, const Regions &r, RegionMode mode,
                          bool perBin) {
  return c.make<RoiPoolOp>(r.x, r.rois, r.batch, /*valid=*/mlir::Value(), mode,
                           llvm::ArrayRef<int64_t>(r.output),
                           llvm::APFloat(r.scale), perBin);
}

static void psRoiPool(Call &c) {
  auto r = readRegions(c);
  giveChannels(c, r ? pooled(c, *r, RegionMode::Avg, /*perBin=*/true)
                    : mlir::Value());
}

/// The places of the maxima, its second result, serve training only.
static void roiPool(Call &c) {
  auto r = readRegions(c);
  c.give(r ? pooled(c, *r, RegionMode::Max, /*perBin=*/false) : mlir::Value());
}

//===----------------------------------------------------------------------===//
// deform_conv2d
//===----------------------------------------------------------------------===//

namespace {
/// Where the taps [N, G, K, P] of a convolution lie along one axis.
struct Taps {
  mlir::Value low, fraction, isInside;
  int64_t extent;

  Taps(Call &c, mlir::Value at, int64_t extent) : extent(extent) {
    isInside = c.binary<AndOp>(
        c.compare(ComparePredicate::Gt, at, -1.0),
        c.compare(ComparePredicate::Lt, at, static_cast<double>(extent)));
    at = c.where(isInside, at, c.scalar(c.element(at), 0.0, c.rank(at)));
    low = c.unary<FloorOp>(at);
    fraction = c.binary<SubOp>(at, low);
  }
};
} // namespace

/// The pixel `step` behind the low one: where, and its weight, 0 outside.
static std::pair<mlir::Value, mlir::Value> neighbour(Call &c, const Taps &taps,
                                                     bool second) {
  mlir::Value at = taps.low, weight = taps.fraction;
  if (second)
    at = c.binary<AddOp>(at, 1.0);
  else
    weight = c.binary<SubOp>(c.scalar(c.element(weight), 1.0, c.rank(weight)),
                             weight);
  double last = static_cast<double>(taps.extent - 1);
  mlir::Value counts = c.binary<AndOp>(
      taps.isInside,
      c.binary<AndOp>(c.compare(ComparePredicate::Ge, at, 0.0),
                      c.compare(ComparePredicate::Le, at, last)));
  weight =
      c.where(counts, weight, c.scalar(c.element(weight), 0.0, c.rank(weight)));
  mlir::Type type = c.element(at);
  at = c.make<ClampOp>(at, c.scalar(type, 0.0), c.scalar(type, last));
  return {c.cast(at, ScalarType::Long), weight};
}

/// Source: torchvision, csrc/ops/cpu/deform_conv2d_kernel.cpp. Pixels are rows
/// of channels; a tap is a sum of four weighted rows, and what the taps give is
/// multiplied with the weights.
static mlir::Value deformConv(Call &c) {
  mlir::Value x = c.tensor("input"), weight = c.tensor("weight"),
              offset = c.tensor("offset"), mask = c.tensor("mask"),
              bias = c.tensor("bias");
  auto strideH = c.integer("stride_h"), strideW = c.integer("stride_w"),
       padH = c.integer("pad_h"), padW = c.integer("pad_w"),
       dilationH = c.integer("dilation_h"), dilationW = c.integer("dilation_w"),
       groups = c.integer("groups"), parts = c.integer("offset_groups");
  if (!x || !weight || !offset || !strideH || !strideW || !padH || !padW ||
      !dilationH || !dilationW || !groups || !parts)
    return {};
  if (c.rank(x) != 4 || c.rank(weight) != 4 || c.rank(offset) != 4 ||
      !c.isFloat(x) || c.element(x) != c.element(offset) ||
      c.element(x) != c.element(weight))
    return c.failed("operands of other ranks than 4, or of several types");
  Shape in = c.shape(x), kernel = c.shape(weight), out = c.shape(offset);
  int64_t taps = kernel[2] * kernel[3], places = out[2] * out[3],
          pixels = in[2] * in[3];
  if (*groups < 1 || *parts < 1 || in[1] % *parts || in[1] % *groups ||
      kernel[0] % *groups || kernel[1] * *groups != in[1] ||
      out[1] != 2 * *parts * taps || pixels < 1)
    return c.failed("extents that do not agree");
  mlir::Type type = c.element(x);
  // [N, G, K, 2, P]
  offset = c.reshape(offset, {out[0], *parts, taps, 2, places});
  auto positions = [&](int64_t axis, int64_t stride, int64_t pad,
                       int64_t dilation) {
    auto iota = [&](Shape shape, uint64_t along) {
      return c.iota(shape, along, type);
    };
    Shape window{1, 1, kernel[2], kernel[3], 1}, field{1, 1, 1, out[2], out[3]};
    mlir::Value tap = iota(window, 2 + axis), place = iota(field, 3 + axis);
    tap = c.reshape(c.binary<MulOp>(tap, static_cast<double>(dilation)),
                    {1, 1, taps, 1});
    place = c.reshape(
        c.binary<SubOp>(c.binary<MulOp>(place, static_cast<double>(stride)),
                        static_cast<double>(pad)),
        {1, 1, 1, places});
    return c.binary<AddOp>(c.binary<AddOp>(place, tap),
                           c.select(offset, 3, axis));
  };
  mlir::Value ys = positions(0, *strideH, *padH, *dilationH),
              xs = positions(1, *strideW, *padW, *dilationW);
  if (!ys || !xs)
    return {};
  Taps rows(c, ys, in[2]), columns(c, xs, in[3]);
  int64_t perPart = in[1] / *parts;
  mlir::Value image = c.reshape(
      c.transpose(c.reshape(x, {in[0], *parts, perPart, pixels}), {0, 1, 3, 2}),
      {in[0] * *parts * pixels, perPart});
  mlir::Value base = c.iota({in[0] * *parts}, 0);
  base = c.reshape(c.binary<MulOp>(base, static_cast<double>(pixels)),
                   {in[0], *parts, 1, 1});
  mlir::Value total;
  for (bool low : {false, true})
    for (bool left : {false, true}) {
      auto [y, yWeight] = neighbour(c, rows, low);
      auto [z, zWeight] = neighbour(c, columns, left);
      mlir::Value at = c.binary<AddOp>(
          base,
          c.binary<AddOp>(c.binary<MulOp>(y, static_cast<double>(in[3])), z));
      mlir::Value both = c.binary<MulOp>(yWeight, zWeight);
      if (!at || !image || !both)
        return {};
      mlir::Value term = c.binary<MulOp>(
          c.make<GatherOp>(image, at, uint64_t(0), /*nonneg=*/true),
          c.unsqueeze(both, 4));
      total = total ? c.binary<AddOp>(total, term) : term;
    }
  if (c.flag("use_mask")) {
    if (!mask || c.rank(mask) != 4 ||
        c.shape(mask) != Shape{out[0], *parts * taps, out[2], out[3]})
      return c.failed("mask of another shape than the taps");
    total = c.binary<MulOp>(total,
                            c.reshape(mask, {out[0], *parts, taps, places, 1}));
  }
  // [N, G, K, P, C/G] to [N, groups, C/groups K, P]
  int64_t depth = kernel[1] * taps;
  mlir::Value taken = c.reshape(c.transpose(total, {0, 1, 4, 2, 3}),
                                {in[0], *groups, depth, places});
  mlir::Value y = c.make<MatmulOp>(
      c.broadcastTo(c.reshape(weight, {1, *groups, kernel[0] / *groups, depth}),
                    {in[0], *groups, kernel[0] / *groups, depth}),
      taken, false, false);
  y = c.reshape(y, {in[0], kernel[0], out[2], out[3]});
  if (bias)
    y = c.binary<AddOp>(y, c.reshape(bias, {1, kernel[0], 1, 1}));
  return y;
}

//===----------------------------------------------------------------------===//
// Masks
//===----------------------------------------------------------------------===//

/// How much pixel p of an axis of `extent` has of each of `size` places of a
/// mask that is resized to the ints from `low` to `high` [R]: [R, extent,
/// size]. Linear interpolation is the hat function of the distance.
static mlir::Value pasting(Call &c, mlir::Value low, mlir::Value high,
                           int64_t extent, int64_t size, mlir::Type type) {
  if (!low || !high)
    return {};
  int64_t number = c.type(low).getDimSize(0);
  auto iota = [&](Shape shape, uint64_t axis, mlir::Type element) {
    return c.iota(shape, axis, element);
  };
  low = c.reshape(low, {number, 1, 1});
  high = c.reshape(high, {number, 1, 1});
  mlir::Value pixel = iota({1, extent, 1}, 1, c.element(low));
  mlir::Value length = c.binary<AddOp>(c.binary<SubOp>(high, low), 1.0);
  length = c.cast(c.binary<MaxOp>(length, 1.0), type);
  mlir::Value isInside =
      c.binary<AndOp>(c.compare(ComparePredicate::Ge, pixel, low),
                      c.compare(ComparePredicate::Le, pixel, high));
  mlir::Value at = c.cast(c.binary<SubOp>(pixel, low), type);
  mlir::Value all = c.scalar(type, static_cast<double>(size), 3);
  at = c.binary<MulOp>(c.binary<AddOp>(at, 0.5), c.binary<DivOp>(all, length));
  at = c.binary<SubOp>(at, 0.5);
  at = at ? c.make<ClampOp>(at, c.scalar(type, 0.0),
                            c.scalar(type, static_cast<double>(size - 1)))
          : at;
  mlir::Value away =
      c.unary<AbsOp>(c.binary<SubOp>(at, iota({1, 1, size}, 2, type)));
  mlir::Value weight = c.binary<SubOp>(c.scalar(type, 1.0, 3), away);
  weight = c.binary<MaxOp>(weight, 0.0);
  return c.where(isInside, weight, c.scalar(type, 0.0, 3));
}

/// Masks [R, 1, M, M] of boxes [R, 4] as images [R, 1, H, W]: with a border of
/// zeros, the boxes as much larger, resized to them and pasted.
/// Source: torchvision, models/detection/roi_heads.py.
static mlir::Value pasteMasks(Call &c) {
  mlir::Value masks = c.tensor("masks"), boxes = c.tensor("boxes");
  auto image = c.integers("img_shape");
  auto padding = c.integer("padding");
  if (!masks || !boxes || !image || !padding)
    return {};
  Shape shape = c.shape(masks);
  if (c.rank(masks) != 4 || shape[1] != 1 || shape[2] != shape[3] ||
      shape[2] < 1 || c.rank(boxes) != 2 || c.shape(boxes)[1] != 4 ||
      c.shape(boxes)[0] != shape[0] || image->size() != 2 || *padding < 0 ||
      !c.isFloat(masks) || !c.isFloat(boxes))
    return c.failed("masks and boxes of these shapes");
  int64_t border = *padding, size = shape[2] + 2 * border;
  double scale = static_cast<double>(size) / static_cast<double>(shape[2]);
  mlir::Type type = c.element(masks);
  auto column = [&](int64_t i) { return c.select(boxes, 1, i); };
  auto edges = [&](int64_t axis) {
    mlir::Value first = column(axis), last = column(axis + 2);
    mlir::Value half = c.binary<MulOp>(
        c.binary<MulOp>(c.binary<SubOp>(last, first), 0.5), scale);
    mlir::Value middle = c.binary<MulOp>(c.binary<AddOp>(last, first), 0.5);
    return std::pair(c.cast(c.binary<SubOp>(middle, half), ScalarType::Long),
                     c.cast(c.binary<AddOp>(middle, half), ScalarType::Long));
  };
  auto [left, right] = edges(0);
  auto [top, bottom] = edges(1);
  mlir::Value rows = pasting(c, top, bottom, (*image)[0], size, type),
              columns = pasting(c, left, right, (*image)[1], size, type);
  if (!rows || !columns)
    return {};
  // Nothing comes of the border, which is zero.
  auto inner = [&](mlir::Value weights) {
    return c.slice(weights, 2, border, border + shape[2]);
  };
  mlir::Value mask = c.reshape(masks, {shape[0], shape[2], shape[3]});
  mlir::Value y =
      c.make<MatmulOp>(c.make<MatmulOp>(inner(rows), mask, false, false),
                       inner(columns), false, true);
  return c.reshape(y, {shape[0], 1, (*image)[0], (*image)[1]});
}

void graven::aten::addDetection(Table &t) {
  t.add("torchvision::nms", nms);
  t.add("torchvision::batched_nms", batchedNms);
  t.add("torchvision::paste_masks_in_image", pasteMasks);
  t.add("torchvision::roi_align", roiAlign);
  t.add("torchvision::ps_roi_align", psRoiAlign);
  t.add("torchvision::roi_pool", roiPool);
  t.add("torchvision::ps_roi_pool", psRoiPool);
  t.add("torchvision::deform_conv2d", deformConv);
}
