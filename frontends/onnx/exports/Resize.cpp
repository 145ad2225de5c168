//===- Resize.cpp - images of other sizes ---*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file expresses resize: as the node of that name, or, where the opset has
// none that does the same, by what it reads.
//===----------------------------------------------------------------------===//

#include "dialects/graven/ResizeTaps.h"
#include "frontends/onnx/exports/Exporter.h"

using namespace mlir;
using Ints = SmallVector<int64_t>;

namespace graven::onnx {

/// Until opset 10 elements are repeated a number of times.
static bool expressRepeated(Exporter &e, ResizeOp op) {
  auto in = Exporter::typeOf(op.getX());
  if (op.getMode() != ResizeMode::Nearest ||
      op.getCoordinate() != CoordinateMode::Asymmetric ||
      op.getNearest() != NearestMode::Floor)
    return false;
  std::vector<double> scales(in.getRank(), 1);
  for (auto [i, axis] : llvm::enumerate(op.getAxes())) {
    int64_t from = in.getDimSize(axis), to = op.getSizes()[i];
    if (ShapedType::isDynamic(to) && op.getScales())
      scales[axis] = (*op.getScales())[i];
    else if (ShapedType::isDynamic(from) || ShapedType::isDynamic(to) ||
             from == 0 || to % from != 0)
      return false;
    else
      scales[axis] = static_cast<double>(to / from);
    if (scales[axis] != std::floor(scales[axis]))
      return false;
  }
  auto type =
      RankedTensorType::get(in.getRank(), Float32Type::get(op.getContext()));
  Name factors = e.constant(eval::Tensor::fromVector(type, scales));
  e.give(op, e.opset() < 10 ? "Upsample" : "Resize",
         {e.name(op.getX()), factors}, {{"mode", "nearest"}});
  return true;
}

/// One axis as sums of what its taps read, each times its weight.
static Name resampled(Exporter &e, Name x, ResizeOp op, int64_t axis,
                      const ResizeTaps &taps) {
  Type type = Exporter::element(op.getX());
  Ints column(Exporter::rank(op.getX()) - axis, 1);
  column[0] = taps.count();
  Name sum;
  for (int64_t t = 0; t < taps.width; ++t) {
    Ints places;
    std::vector<double> weights;
    for (int64_t i = t; i < taps.count() * taps.width; i += taps.width) {
      places.push_back(taps.positions[i]);
      weights.push_back(taps.weights[i]);
    }
    Name part = e.make("Gather", {x, e.ints(places)}, {{"axis", axis}});
    if (taps.width > 1)
      part = e.make("Mul",
                    {part, e.constant(eval::Tensor::fromVector(
                               RankedTensorType::get(column, type), weights))});
    sum = t == 0 ? part : e.make("Add", {sum, part});
  }
  return sum;
}

/// What no node of the opset does, of extents that are known; ints would have
/// to be rounded.
static bool expressTaps(Exporter &e, ResizeOp op) {
  auto in = Exporter::typeOf(op.getX());
  if (op.getMode() != ResizeMode::Nearest && !Exporter::isFloat(op.getX()))
    return false;
  if (llvm::any_of(op.getSizes(), ShapedType::isDynamic) ||
      llvm::any_of(op.getAxes(),
                   [&](int64_t axis) { return in.isDynamicDim(axis); }))
    return false;
  Name x = e.name(op.getX());
  for (auto [n, axis] : llvm::enumerate(op.getAxes()))
    x = resampled(e, x, op, axis,
                  resizeTaps(op, n, in.getDimSize(axis), op.getSizes()[n]));
  e.alias(op.getResult(), x);
  return true;
}

static void express(Exporter &e, ResizeOp op) {
  auto in = Exporter::typeOf(op.getX());
  if (e.opset() < 11 && expressRepeated(e, op))
    return;
  bool isSymmetric = op.getCoordinate() == CoordinateMode::HalfPixelSymmetric;
  int64_t since = isSymmetric ? 19 : 11;
  if (e.opset() < since) {
    if (!expressTaps(e, op))
      e.needs(op, since, isSymmetric ? "half_pixel_symmetric" : "");
    return;
  }
  SmallVector<std::variant<int64_t, Name>> sizes;
  for (int64_t axis = 0; axis < in.getRank(); ++axis)
    if (in.isDynamicDim(axis) && !llvm::is_contained(op.getAxes(), axis))
      sizes.push_back(e.extent(op.getX(), axis));
    else
      sizes.push_back(in.getDimSize(axis));
  std::vector<double> scales(in.getRank(), 1);
  bool isExact = op.getScales().has_value();
  for (auto [i, axis] : llvm::enumerate(op.getAxes())) {
    bool isComputed = ShapedType::isDynamic(op.getSizes()[i]);
    if (isComputed) {
      // Then all have scales (C5).
      scales[axis] = (*op.getScales())[i];
      continue;
    }
    sizes[axis] = op.getSizes()[i];
    if (op.getScales()) {
      scales[axis] = (*op.getScales())[i];
      isExact &= static_cast<int64_t>(
                     std::floor(float(scales[axis]) * in.getDimSize(axis))) ==
                 op.getSizes()[i];
    }
  }
  if (op.getScales() && !isExact) {
    if (!expressTaps(e, op))
      e.unsupported(op, "scales that do not give its sizes");
    return;
  }
  Type f32 = Float32Type::get(op.getContext());
  auto list = [&](std::vector<double> values) {
    auto type = RankedTensorType::get({int64_t(values.size())}, f32);
    return e.constant(eval::Tensor::fromVector(type, values));
  };
  // Opset 11 wants roi and scales to be there.
  Name roi = e.opset() < 13 ? list({}) : Name();
  Name factors = isExact ? list(scales) : e.opset() < 13 ? list({}) : Name();
  SmallVector<Attr> attributes{
      {"mode", stringifyResizeMode(op.getMode()).str()},
      {"coordinate_transformation_mode",
       stringifyCoordinateMode(op.getCoordinate()).str()},
      {"nearest_mode", stringifyNearestMode(op.getNearest()).str()},
      {"cubic_coeff_a", op.getCubicA().convertToDouble()}};
  e.give(op, "Resize",
         {e.name(op.getX()), roi, factors, isExact ? Name() : e.list(sizes)},
         attributes);
}

void addResizeExports(ExportTable &table) { table.add<ResizeOp, express>(); }

} // namespace graven::onnx
