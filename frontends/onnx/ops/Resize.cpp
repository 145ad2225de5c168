//===- Resize.cpp - resampling ---*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the builders of Resize and Upsample. Scales that a model
// gives are kept, because they and not the extents map coordinates.
//===----------------------------------------------------------------------===//

#include "frontends/onnx/NodeBuilder.h"
#include "frontends/onnx/OpTable.h"
#include "frontends/onnx/ops/ResizeMatrix.h"
#include "llvm/ADT/StringSwitch.h"

using namespace mlir;

namespace graven::onnx {

namespace {

struct ResizeModes {
  ResizeMode mode = ResizeMode::Nearest;
  CoordinateMode coordinate = CoordinateMode::HalfPixel;
  NearestMode nearest = NearestMode::RoundPreferFloor;
  double cubicA = -0.75;
};

/// Resizes `axes` of x; `scales` empty means out / in. Axes that stay as they
/// are are left out.
LogicalResult resize(NodeBuilder &n, ArrayRef<int64_t> axes,
                     ArrayRef<int64_t> sizes, ArrayRef<double> scales,
                     const ResizeModes &modes) {
  Value x = n.input(0);
  IntList shape = n.shapeOf(x), changed, extents;
  SmallVector<double> factors;
  SmallVector<std::pair<int64_t, size_t>> order;
  for (auto [i, axis] : llvm::enumerate(axes))
    order.push_back({axis, i});
  llvm::sort(order);
  for (auto [axis, i] : order) {
    if (sizes[i] == shape[axis] && (scales.empty() || scales[i] == 1))
      continue;
    changed.push_back(axis);
    extents.push_back(sizes[i]);
    if (!scales.empty())
      factors.push_back(scales[i]);
  }
  if (changed.empty())
    return n.finish(x);
  auto kept = scales.empty() ? DenseF64ArrayAttr()
                             : n.getBuilder().getDenseF64ArrayAttr(factors);
  return n.finish(n.make<ResizeOp>(x, changed, extents, kept, modes.mode,
                                   modes.coordinate, modes.nearest,
                                   llvm::APFloat(modes.cubicA)));
}

/// floor(extent * scale), multiplied in f32 as the models' writers do.
bool scaleExtents(NodeBuilder &n, ArrayRef<int64_t> extents,
                  ArrayRef<double> scales, IntList &sizes) {
  for (auto [extent, scale] : llvm::zip(extents, scales)) {
    float size = static_cast<float>(extent) * static_cast<float>(scale);
    if (!(scale > 0) || !(size < 2147483648.0f)) {
      n.error(Code::BadGraph) << "scales has the entry " << scale;
      return false;
    }
    sizes.push_back(static_cast<int64_t>(size));
  }
  return true;
}

std::optional<ResizeMode> readMode(NodeBuilder &n) {
  std::string mode = n.stringAttr("mode", "nearest");
  auto found = symbolizeResizeMode(mode == "bilinear" ? "linear" : mode);
  if (!found)
    n.error(Code::UnsupportedFeature) << "mode is " << quoted(mode);
  return found;
}

/// Upsample and Resize-10: the coordinate is i / scale, rounded down.
LogicalResult resizeByScales(NodeBuilder &n,
                             std::optional<SmallVector<double>> scales) {
  auto shape = n.staticShape(n.input(0));
  auto mode = readMode(n);
  if (!scales || !shape || !mode)
    return failure();
  if (scales->size() != shape->size())
    return n.error(Code::BadGraph) << "scales has " << scales->size()
                                   << " entries, expected " << shape->size();
  IntList sizes, axes = sequence(0, shape->size());
  if (!scaleExtents(n, *shape, *scales, sizes))
    return failure();
  return resize(n, axes, sizes, *scales,
                {*mode, CoordinateMode::Asymmetric, NearestMode::Floor, -0.75});
}

LogicalResult buildUpsampleByAttribute(NodeBuilder &n) {
  auto scales = n.floatsAttr("scales");
  if (!scales)
    return n.error(Code::BadGraph) << "there are no scales";
  return resizeByScales(n, scales);
}

LogicalResult buildUpsampleByTwoScales(NodeBuilder &n) {
  if (n.rankOf(n.input(0)) != 4)
    return n.error(Code::BadGraph)
           << "the input has rank " << n.rankOf(n.input(0)) << ", expected 4";
  return resizeByScales(n, SmallVector<double>{1, 1,
                                               n.floatAttr("height_scale", 1),
                                               n.floatAttr("width_scale", 1)});
}

LogicalResult buildResizeByScales(NodeBuilder &n) {
  return resizeByScales(n, n.floats(n.input(1), "the list of scales"));
}

/// Sizes of which the smaller or larger ratio decides for all axes.
LogicalResult keepRatio(NodeBuilder &n, StringRef policy,
                        ArrayRef<int64_t> extents, IntList &sizes,
                        SmallVectorImpl<double> &scales) {
  if (policy == "stretch")
    return success();
  if (policy != "not_larger" && policy != "not_smaller")
    return n.error(Code::BadGraph)
           << "keep_aspect_ratio_policy is " << quoted(policy);
  double scale =
      policy == "not_larger" ? std::numeric_limits<double>::infinity() : 0;
  for (auto [extent, size] : llvm::zip(extents, sizes)) {
    double own = static_cast<double>(size) / extent;
    scale =
        policy == "not_larger" ? std::min(scale, own) : std::max(scale, own);
  }
  for (auto [extent, size] : llvm::zip(extents, sizes)) {
    size = static_cast<int64_t>(std::floor(scale * extent + 0.5));
    scales.push_back(scale);
  }
  return success();
}

std::optional<ResizeModes> readModes(NodeBuilder &n) {
  auto mode = readMode(n);
  std::string coordinate =
                  n.stringAttr("coordinate_transformation_mode", "half_pixel"),
              nearest = n.stringAttr("nearest_mode", "round_prefer_floor");
  auto coordinateMode = symbolizeCoordinateMode(coordinate);
  auto nearestMode = symbolizeNearestMode(nearest);
  if (!mode)
    return std::nullopt;
  if (!coordinateMode || !nearestMode)
    n.error(Code::UnsupportedFeature)
        << "coordinate_transformation_mode is " << quoted(coordinate)
        << ", nearest_mode " << quoted(nearest);
  if (n.hasFailed())
    return std::nullopt;
  // Only said where it says something.
  if (*mode != ResizeMode::Nearest)
    nearestMode = NearestMode::RoundPreferFloor;
  return ResizeModes{*mode, *coordinateMode, *nearestMode,
                     n.floatAttr("cubic_coeff_a", -0.75f)};
}

/// An empty list stands for an absent operand.
bool isGiven(NodeBuilder &n, size_t i) {
  return n.input(i) &&
         !(n.rankOf(n.input(i)) == 1 && n.shapeOf(n.input(i))[0] == 0);
}

/// Whether only a product has this form.
bool needsMatrices(NodeBuilder &n) {
  return n.flagAttr("antialias") || n.flagAttr("exclude_outside") ||
         n.stringAttr("coordinate_transformation_mode", "half_pixel") ==
             "tf_crop_and_resize";
}

std::optional<Coordinates> readCoordinates(NodeBuilder &n) {
  std::string name =
      n.stringAttr("coordinate_transformation_mode", "half_pixel");
  auto found =
      llvm::StringSwitch<std::optional<Coordinates>>(name)
          .Case("half_pixel", Coordinates::HalfPixel)
          .Case("asymmetric", Coordinates::Asymmetric)
          .Case("align_corners", Coordinates::AlignCorners)
          .Case("pytorch_half_pixel", Coordinates::PytorchHalfPixel)
          .Case("half_pixel_symmetric", Coordinates::HalfPixelSymmetric)
          .Case("tf_crop_and_resize", Coordinates::Region)
          .Default(std::nullopt);
  if (!found)
    n.error(Code::UnsupportedFeature)
        << "coordinate_transformation_mode is " << quoted(name);
  return found;
}

LogicalResult resizeByProduct(NodeBuilder &n, ArrayRef<int64_t> axes,
                              ArrayRef<int64_t> sizes,
                              ArrayRef<double> scales) {
  auto mode = readMode(n);
  auto coordinates = readCoordinates(n);
  if (!mode || !coordinates)
    return failure();
  if (*mode == ResizeMode::Nearest)
    return n.error(Code::UnsupportedFeature)
           << "mode is 'nearest' with antialias, exclude_outside or a region";
  SmallVector<double> regions;
  if (*coordinates == Coordinates::Region) {
    auto given = n.input(1) ? n.floats(n.input(1), "the region") : std::nullopt;
    if (n.hasFailed() || !given || given->size() != 2 * axes.size())
      return n.hasFailed() ? failure()
                           : LogicalResult(n.error(Code::BadGraph)
                                           << "roi does not give a region of "
                                           << axes.size() << " axes");
    regions = *given;
  }
  ResizeAxes resize{*mode,
                    *coordinates,
                    n.floatAttr("cubic_coeff_a", -0.75f),
                    n.flagAttr("antialias"),
                    n.flagAttr("exclude_outside"),
                    n.floatAttr("extrapolation_value", 0),
                    {}};
  for (auto [i, axis] : llvm::enumerate(axes)) {
    int64_t extent = n.shapeOf(n.input(0))[axis];
    double scale =
        scales.empty() ? static_cast<double>(sizes[i]) / extent : scales[i];
    bool isRegion =
        !regions.empty() && (regions[i] != 0 || regions[axes.size() + i] != 1);
    if (sizes[i] == extent && scale == 1 && !isRegion)
      continue;
    ResizeAxis own{axis, extent, sizes[i], scale};
    if (!regions.empty()) {
      own.from = regions[i];
      own.to = regions[axes.size() + i];
    }
    resize.axes.push_back(own);
  }
  return n.finish(resizeByMatrices(n, n.input(0), resize));
}

LogicalResult buildResize(NodeBuilder &n) {
  auto shape = n.staticShape(n.input(0));
  bool isProduct = needsMatrices(n);
  auto modes = isProduct ? std::optional(ResizeModes()) : readModes(n);
  if (!shape || !modes)
    return failure();
  int64_t rank = shape->size();
  IntList axes = n.intsAttr("axes").value_or(sequence(0, rank));
  IntList extents, sizes;
  for (int64_t &axis : axes) {
    axis = n.axis(axis, rank);
    if (n.hasFailed())
      return failure();
    extents.push_back((*shape)[axis]);
  }
  SmallVector<double> scales;
  bool hasSizes = isGiven(n, 3);
  if (!hasSizes && !isGiven(n, 2))
    return n.error(Code::BadGraph) << "neither scales nor sizes are given";
  if (hasSizes) {
    auto given = n.ints(n.input(3), "the list of sizes");
    if (!given)
      return failure();
    sizes = *given;
  } else {
    auto given = n.floats(n.input(2), "the list of scales");
    if (!given)
      return failure();
    scales = *given;
  }
  if ((hasSizes ? sizes.size() : scales.size()) != axes.size())
    return n.error(Code::BadGraph)
           << "sizes or scales differ in length from the axes";
  if (!hasSizes && !scaleExtents(n, extents, scales, sizes))
    return failure();
  if (hasSizes) {
    for (auto [size, extent] : llvm::zip(sizes, extents))
      if (size <= 0 || size > std::numeric_limits<int32_t>::max() ||
          extent == 0)
        return n.error(Code::BadGraph) << "sizes has the entry " << size;
    if (failed(keepRatio(n, n.stringAttr("keep_aspect_ratio_policy", "stretch"),
                         extents, sizes, scales)))
      return failure();
  }
  if (isProduct)
    return resizeByProduct(n, axes, sizes, scales);
  return resize(n, axes, sizes, scales, *modes);
}

} // namespace

void addResize(OpTable &table) {
  table.add("Upsample", 1, buildUpsampleByTwoScales, 1, 7);
  table.add("Upsample", 1, buildUpsampleByAttribute, 7, 9);
  table.add("Upsample", 2, buildResizeByScales, 9, 10);
  table.add("Resize", 2, buildResizeByScales, 10, 11);
  table.add("Resize", 1, buildResize, 11);
}

} // namespace graven::onnx
