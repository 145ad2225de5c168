//===- Resampling.cpp - ATen's upsampling ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file builds the upsample family. A scale that the program gives is used
// for coordinates in place of the ratio of extents, except when corners align.
//
//===----------------------------------------------------------------------===//

#include "frontends/aten/Table.h"

#include <cmath>

using namespace graven;
using namespace graven::aten;
using Kind = Value::Kind;

namespace {
/// How an operator samples.
struct Sampling {
  ResizeMode mode;
  CoordinateMode coordinate;
  NearestMode nearest;
};
} // namespace

/// The scales given, one a spatial axis: as a list in the `.vec` overloads, as
/// single arguments in the others.
static std::optional<llvm::SmallVector<double>> readScales(Call &c,
                                                           int64_t axes) {
  llvm::SmallVector<double> scales;
  if (const auto *items = c.argument("scale_factors").items()) {
    for (const Value &item : *items)
      if (item.isNumber())
        scales.push_back(item.number());
  } else {
    static constexpr const char *kNames[] = {"scales_d", "scales_h",
                                             "scales_w"};
    for (int64_t i = 3 - axes; i < 3; ++i) {
      const char *name = axes == 1 ? "scales" : kNames[i];
      if (c.has(name)) {
        std::optional<double> scale = c.number(name);
        if (!scale)
          return std::nullopt;
        scales.push_back(*scale);
      }
    }
  }
  if (static_cast<int64_t>(scales.size()) != axes)
    scales.clear();
  return scales;
}

static mlir::Value resample(Call &c, Sampling sampling) {
  mlir::Value x = c.has("input") ? c.tensor("input") : c.tensor();
  int64_t axes = c.rank(x) - 2;
  if (axes < 1)
    return c.failed("tensor of rank " + llvm::Twine(c.rank(x)));
  auto sizes = c.integers("output_size");
  auto scales = readScales(c, axes);
  if (!sizes || !scales)
    return {};
  Shape spatial;
  for (int64_t i = 0; i < axes; ++i) {
    spatial.push_back(2 + i);
    if (static_cast<int64_t>(sizes->size()) <= i) {
      if (scales->empty())
        return c.failed("neither sizes nor scales");
      sizes->push_back(static_cast<int64_t>(
          std::floor(c.type(x).getDimSize(2 + i) * (*scales)[i])));
    }
  }
  // The ratio says the same when it is exact, and is the canonical form.
  bool redundant = sampling.coordinate == CoordinateMode::AlignCorners;
  if (!redundant)
    redundant =
        llvm::all_of(llvm::seq<size_t>(0, scales->size()), [&](size_t i) {
          return (*scales)[i] * c.type(x).getDimSize(2 + i) == (*sizes)[i];
        });
  mlir::DenseF64ArrayAttr given;
  if (!redundant)
    given = c.builder.getDenseF64ArrayAttr(*scales);
  return c.make<ResizeOp>(x, spatial, *sizes, given, sampling.mode,
                          sampling.coordinate, sampling.nearest,
                          llvm::APFloat(-0.75));
}

static mlir::Value nearest(Call &c) {
  return resample(
      c, {ResizeMode::Nearest, CoordinateMode::Asymmetric, NearestMode::Floor});
}
static mlir::Value nearestExact(Call &c) {
  return resample(c, {ResizeMode::Nearest, CoordinateMode::HalfPixel,
                      NearestMode::RoundPreferCeil});
}
static mlir::Value interpolate(Call &c, ResizeMode mode) {
  return resample(c, {mode,
                      c.flag("align_corners") ? CoordinateMode::AlignCorners
                                              : CoordinateMode::HalfPixel,
                      NearestMode::RoundPreferFloor});
}
static mlir::Value linear(Call &c) {
  return interpolate(c, ResizeMode::Linear);
}
static mlir::Value cubic(Call &c) { return interpolate(c, ResizeMode::Cubic); }

void graven::aten::addResampling(Table &t) {
  t.add("upsample_nearest1d upsample_nearest2d upsample_nearest3d", nearest);
  t.add("_upsample_nearest_exact1d _upsample_nearest_exact2d "
        "_upsample_nearest_exact3d",
        nearestExact);
  t.add("upsample_linear1d upsample_bilinear2d upsample_trilinear3d", linear);
  t.add("upsample_bicubic2d", cubic);
}
