//===- RowsWindow.cpp - pools and resampling --------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the rows of pools and of resize.
//===----------------------------------------------------------------------===//

#include "test/fuzz/random/Rows.h"

using namespace mlir;

namespace graven::fuzz {
namespace {

struct Pool {
  Draft::Shape kernel, strides, dilations, pads;
  Rounding rounding;

  Pool(Draft &d, ArrayRef<int64_t> extents) {
    rounding = d.pick({Rounding::Floor, Rounding::Floor, Rounding::Ceil});
    Draft::Shape high;
    for (int64_t extent : extents) {
      int64_t size = std::min(d.number(1, 4), std::max<int64_t>(extent, 1));
      int64_t stride = d.number(1, 3), dilation = d.chance(80) ? 1 : 2;
      int64_t lo = d.number(0, size / 2), hi = d.number(0, size / 2);
      // Each window has an element.
      if (extent + lo + hi < (size - 1) * dilation + 1)
        dilation = 1;
      kernel.push_back(size);
      strides.push_back(stride);
      dilations.push_back(dilation);
      pads.push_back(lo);
      high.push_back(hi);
    }
    llvm::append_range(pads, high);
  }
};

Value drawImages(Draft &d, Types types) {
  Value x = d.operand(types, 3, 5);
  return Draft::typeOf(x).getNumElements() > 0 ? x : Value();
}

void drawMaxPool(Draft &d) {
  Value x = drawImages(d, Types::Number);
  if (!x)
    return;
  Pool pool(d, Draft::typeOf(x).getShape().drop_front(2));
  d.add<MaxPoolOp>(x, pool.kernel, pool.strides, pool.dilations, pool.pads,
                   pool.rounding == Rounding::Ceil);
}

void drawAvgPool(Draft &d) {
  Value x = drawImages(d, Types::Float);
  if (!x)
    return;
  Pool pool(d, Draft::typeOf(x).getShape().drop_front(2));
  d.add<AvgPoolOp>(x, pool.kernel, pool.strides, pool.dilations, pool.pads,
                   pool.rounding == Rounding::Ceil, d.chance(40),
                   d.chance(15) ? d.number(1, 5) : 0);
}

void drawResize(Draft &d) {
  Value x = d.operand(Types::Number, 1);
  bool isInt = Draft::elementOf(x).isInteger();
  // Native code copies ints and refuses to interpolate them (GRV0202).
  ResizeMode mode = isInt ? ResizeMode::Nearest
                          : d.pick({ResizeMode::Nearest, ResizeMode::Linear,
                                    ResizeMode::Linear, ResizeMode::Cubic});
  Draft::Shape axes, sizes;
  SmallVector<double> scales;
  for (auto [axis, extent] : llvm::enumerate(Draft::shapeOf(x)))
    if (extent > 0 && axes.size() < 3 && d.chance(50)) {
      axes.push_back(axis);
      sizes.push_back(d.pick<int64_t>(
          {d.number(1, 12), extent * 2, std::max<int64_t>(extent / 2, 1)}));
      scales.push_back(d.chance(50) ? double(sizes.back()) / extent
                                    : d.pick({0.5, 2.0, 1.6, 2.4}));
    }
  d.add<ResizeOp>(
      x, axes, sizes,
      d.chance(40) ? d.builder.getDenseF64ArrayAttr(scales)
                   : DenseF64ArrayAttr(),
      mode,
      d.pick({CoordinateMode::HalfPixel, CoordinateMode::HalfPixelSymmetric,
              CoordinateMode::PytorchHalfPixel, CoordinateMode::AlignCorners,
              CoordinateMode::Asymmetric, CoordinateMode::TfHalfPixelForNn}),
      d.pick({NearestMode::RoundPreferFloor, NearestMode::RoundPreferCeil,
              NearestMode::Floor, NearestMode::Ceil}),
      llvm::APFloat(d.pick({-0.75, -0.5})));
}

} // namespace

llvm::ArrayRef<Row> getWindowRows() {
  static const Row rows[] = {
      row<MaxPoolOp>(drawMaxPool),
      row<AvgPoolOp>(drawAvgPool),
      row<ResizeOp>(drawResize),
  };
  return rows;
}

} // namespace graven::fuzz
