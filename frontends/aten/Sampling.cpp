//===- Sampling.cpp - ATen's samples between pixels ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file builds operators that read an image at computed positions:
// grid_sample, the grids of affine maps, and antialiased resizing, which is a
// product with constant weights along each axis.
//
//===----------------------------------------------------------------------===//

#include "frontends/aten/Norms.h"
#include "frontends/aten/Table.h"
#include "frontends/aten/Windows.h"

#include <cmath>

using namespace graven;
using namespace graven::aten;
using llvm::StringRef;

//===----------------------------------------------------------------------===//
// grid_sample
//===----------------------------------------------------------------------===//

namespace {
enum class Interpolation : int64_t { Linear, Nearest, Cubic };
enum class Padding : int64_t { Zeros, Border, Reflection };

/// A pixel of one axis that a sample reads: where, and with which weight.
struct Tap {
  mlir::Value at;     ///< float, a whole number
  mlir::Value weight; ///< null for 1
};

/// The reading of an image [N, C, spatial..] at positions [N, P] of each axis.
class GridSampler {
public:
  GridSampler(Call &c, mlir::Value image, Interpolation mode, Padding padding,
              bool aligned)
      : c(c), image(image), mode(mode), padding(padding), aligned(aligned) {}

  mlir::Value sample(llvm::ArrayRef<mlir::Value> grid);

private:
  /// From -1..1 to pixels.
  mlir::Value unnormalise(mlir::Value g, double extent);
  /// Positions outside brought inside, when the padding asks for it.
  mlir::Value inside(mlir::Value at, double extent);
  llvm::SmallVector<Tap> tapsOf(mlir::Value at, double extent);
  /// Adds the pixels that all choices of taps of the axes from `axis` read.
  void visit(size_t axis, llvm::ArrayRef<llvm::SmallVector<Tap>> taps,
             mlir::Value place, mlir::Value weight, mlir::Value valid);

  Call &c;
  mlir::Value image, flat, total;
  Interpolation mode;
  Padding padding;
  bool aligned;
};
} // namespace

mlir::Value GridSampler::unnormalise(mlir::Value g, double extent) {
  mlir::Value shifted = c.binary<AddOp>(g, 1.0);
  if (aligned)
    return c.binary<MulOp>(c.binary<DivOp>(shifted, 2.0), extent - 1);
  return c.binary<DivOp>(c.binary<SubOp>(c.binary<MulOp>(shifted, extent), 1.0),
                         2.0);
}

mlir::Value GridSampler::inside(mlir::Value at, double extent) {
  if (padding == Padding::Zeros || !at)
    return at;
  if (padding == Padding::Reflection) {
    double low = aligned ? 0 : -0.5, span = aligned ? extent - 1 : extent;
    if (span <= 0)
      return c.binary<MulOp>(at, 0.0);
    mlir::Value away = c.unary<AbsOp>(c.binary<SubOp>(at, low));
    mlir::Value extra =
        c.binary<RemOp>(away, c.scalar(c.element(away), span, c.rank(away)));
    mlir::Value flips = c.unary<FloorOp>(c.binary<DivOp>(away, span));
    mlir::Value odd =
        c.binary<RemOp>(flips, c.scalar(c.element(away), 2.0, c.rank(away)));
    mlir::Value back =
        c.binary<SubOp>(c.scalar(c.element(away), span, c.rank(away)), extra);
    at = c.binary<AddOp>(
        c.where(c.compare(ComparePredicate::Eq, odd, 0.0), extra, back), low);
  }
  return at ? c.make<ClampOp>(at, c.scalar(c.element(at), 0.0),
                              c.scalar(c.element(at), extent - 1))
            : at;
}

llvm::SmallVector<Tap> GridSampler::tapsOf(mlir::Value g, double extent) {
  mlir::Value at = unnormalise(g, extent);
  if (mode != Interpolation::Cubic)
    at = inside(at, extent);
  if (mode == Interpolation::Nearest)
    return {{c.unary<RoundOp>(at), {}}};
  mlir::Value low = c.unary<FloorOp>(at);
  mlir::Value fraction = c.binary<SubOp>(at, low);
  if (!fraction)
    return {};
  mlir::Value rest =
      c.binary<SubOp>(c.scalar(c.element(g), 1.0, c.rank(g)), fraction);
  if (mode == Interpolation::Linear)
    return {{low, rest}, {c.binary<AddOp>(low, 1.0), fraction}};
  // Keys' cubic convolution with a = -3/4.
  constexpr double kA = -0.75;
  auto polynomial = [&](mlir::Value x, double a3, double a2, double a1,
                        double a0) {
    mlir::Value y = c.binary<AddOp>(c.binary<MulOp>(x, a3), a2);
    y = c.binary<AddOp>(c.binary<MulOp>(y, x), a1);
    return c.binary<AddOp>(c.binary<MulOp>(y, x), a0);
  };
  auto near = [&](mlir::Value x) {
    return polynomial(x, kA + 2, -(kA + 3), 0, 1);
  };
  auto far = [&](mlir::Value x) {
    return polynomial(c.binary<AddOp>(x, 1.0), kA, -5 * kA, 8 * kA, -4 * kA);
  };
  llvm::SmallVector<Tap> taps{{c.binary<SubOp>(low, 1.0), far(fraction)},
                              {low, near(fraction)},
                              {c.binary<AddOp>(low, 1.0), near(rest)},
                              {c.binary<AddOp>(low, 2.0), far(rest)}};
  for (Tap &tap : taps)
    tap.at = inside(tap.at, extent);
  return taps;
}

void GridSampler::visit(size_t axis,
                        llvm::ArrayRef<llvm::SmallVector<Tap>> taps,
                        mlir::Value place, mlir::Value weight,
                        mlir::Value valid) {
  if (axis == taps.size()) {
    // [N, P] in front of the channels.
    Shape shape = c.shape(flat);
    shape[2] = c.type(place).getDimSize(1);
    mlir::Value index =
        c.broadcastTo(c.unsqueeze(c.cast(place, ScalarType::Long), 1), shape);
    if (!index)
      return;
    mlir::Value y =
        c.make<GatherElementsOp>(flat, index, uint64_t(2), /*nonneg=*/true);
    if (weight)
      y = c.binary<MulOp>(y, c.unsqueeze(weight, 1));
    y = c.where(c.unsqueeze(valid, 1), y, c.scalar(c.element(flat), 0.0, 3));
    total = total ? c.binary<AddOp>(total, y) : y;
    return;
  }
  double extent = static_cast<double>(c.type(image).getDimSize(2 + axis));
  for (const Tap &tap : taps[axis]) {
    mlir::Value isInside =
        c.binary<AndOp>(c.compare(ComparePredicate::Ge, tap.at, 0.0),
                        c.compare(ComparePredicate::Le, tap.at, extent - 1));
    mlir::Value at =
        c.where(isInside, tap.at, c.scalar(c.element(tap.at), 0.0, 2));
    at = c.cast(at, ScalarType::Long);
    if (place)
      at = c.binary<AddOp>(c.binary<MulOp>(place, extent), at);
    mlir::Value product = weight && tap.weight
                              ? c.binary<MulOp>(weight, tap.weight)
                              : (weight ? weight : tap.weight);
    visit(axis + 1, taps, at, product,
          valid ? c.binary<AndOp>(valid, isInside) : isInside);
  }
}

mlir::Value GridSampler::sample(llvm::ArrayRef<mlir::Value> grid) {
  Shape shape = c.shape(image);
  flat = c.reshape(image, {shape[0], shape[1],
                           extentProduct(llvm::ArrayRef(shape).drop_front(2))});
  llvm::SmallVector<llvm::SmallVector<Tap>> taps;
  for (auto [axis, g] : llvm::enumerate(grid)) {
    taps.push_back(tapsOf(g, static_cast<double>(shape[2 + axis])));
    if (taps.back().empty() || !taps.back().back().at)
      return {};
  }
  visit(0, taps, {}, {}, {});
  return total;
}

static mlir::Value gridSample(Call &c) {
  mlir::Value x = c.tensor("input"), grid = c.tensor("grid");
  auto mode = c.integer("interpolation_mode"),
       padding = c.integer("padding_mode");
  if (!mode || !padding)
    return {};
  int64_t axes = c.rank(x) - 2;
  if ((axes != 2 && axes != 3) || c.rank(grid) != axes + 2 ||
      c.type(grid).getShape().back() != axes ||
      c.type(grid).getDimSize(0) != c.type(x).getDimSize(0) || !c.isFloat(x) ||
      c.element(x) != c.element(grid))
    return c.failed("grid of shape [" + llvm::Twine(c.rank(grid)) + "] axes");
  if (*mode < 0 || *mode > 2 || *padding < 0 || *padding > 2 ||
      (*mode == 2 && axes == 3))
    return c.failed("interpolation mode " + llvm::Twine(*mode));
  Shape extents(c.type(x).getShape().drop_front(2));
  if (llvm::is_contained(extents, 0))
    return c.failed("image without pixels");
  // Positions in f32 for narrow floats.
  mlir::Type type = c.element(x);
  if (type.isF16() || type.isBF16()) {
    x = c.cast(x, ScalarType::Float);
    grid = c.cast(grid, ScalarType::Float);
  }
  Shape result(c.type(grid).getShape().drop_back());
  int64_t batch = result.front(),
          points = extentProduct(llvm::ArrayRef(result).drop_front());
  llvm::SmallVector<mlir::Value> positions;
  // The grid names the last axis first.
  for (int64_t i = axes; i-- > 0;)
    positions.push_back(
        c.reshape(c.slice(grid, axes + 1, i, i + 1), {batch, points}));
  if (llvm::is_contained(positions, mlir::Value()))
    return {};
  GridSampler sampler(c, x, static_cast<Interpolation>(*mode),
                      static_cast<Padding>(*padding), c.flag("align_corners"));
  mlir::Value y = sampler.sample(positions);
  result.insert(result.begin() + 1, c.type(x).getDimSize(1));
  return c.cast(c.reshape(y, result), type);
}

/// The positions -1..1 of each pixel, mapped by theta [N, D, D + 1].
static mlir::Value affineGrid(Call &c) {
  mlir::Value theta = c.tensor("theta");
  auto size = c.integers("size");
  if (!size)
    return {};
  int64_t axes = static_cast<int64_t>(size->size()) - 2;
  if ((axes != 2 && axes != 3) || c.rank(theta) != 3 || !c.isFloat(theta) ||
      c.shape(theta) != Shape({size->front(), axes, axes + 1}))
    return c.failed("theta of shape [" + llvm::Twine(c.rank(theta)) + "] axes");
  Shape extents(size->begin() + 2, size->end()), line(extents);
  line.push_back(1);
  mlir::Type type = c.element(theta);
  llvm::SmallVector<mlir::Value> columns;
  for (int64_t i = axes; i-- > 0;) {
    int64_t n = extents[i];
    llvm::SmallVector<double> values;
    for (int64_t k = 0; k < n; ++k) {
      double at = n > 1 ? -1 + 2.0 * k / (n - 1) : 0;
      values.push_back(c.flag("align_corners") ? at : at * (n - 1) / n);
    }
    Shape own(axes + 1, 1);
    own[i] = n;
    columns.push_back(c.broadcastTo(c.numbers(type, own, values), line));
  }
  columns.push_back(c.full(type, line, 1.0));
  mlir::Value base = c.concat(columns, axes);
  base = c.reshape(base, {1, extentProduct(extents), axes + 1});
  base = c.broadcastTo(base, {size->front(), extentProduct(extents), axes + 1});
  mlir::Value y =
      base ? c.make<MatmulOp>(base, theta, false, /*transpose_b=*/true) : base;
  Shape result{size->front()};
  result.append(extents);
  result.push_back(axes);
  return c.reshape(y, result);
}

//===----------------------------------------------------------------------===//
// Antialiased resizing
//===----------------------------------------------------------------------===//

/// The weights [input, output] of one axis.
/// Source: PyTorch, ATen/native/cpu/UpSampleKernel.cpp.
static llvm::SmallVector<double> antialiased(int64_t input, int64_t output,
                                             double scale, bool cubic) {
  auto filter = [&](double x) {
    x = std::abs(x);
    if (!cubic)
      return x < 1 ? 1 - x : 0.0;
    constexpr double kA = -0.5;
    if (x < 1)
      return ((kA + 2) * x - (kA + 3)) * x * x + 1;
    return x < 2 ? (((x - 5) * x + 8) * x - 4) * kA : 0.0;
  };
  double radius = cubic ? 2 : 1, stretch = std::max(scale, 1.0);
  llvm::SmallVector<double> matrix(input * output, 0);
  for (int64_t i = 0; i < output; ++i) {
    double centre = scale * (i + 0.5), support = radius * stretch;
    auto first =
        static_cast<int64_t>(std::max(std::trunc(centre - support + 0.5), 0.0));
    int64_t last = std::min(
        static_cast<int64_t>(std::trunc(centre + support + 0.5)), input);
    double total = 0;
    for (int64_t j = first; j < last; ++j)
      total += filter((j - centre + 0.5) / stretch);
    for (int64_t j = first; j < last; ++j)
      matrix[j * output + i] =
          filter((j - centre + 0.5) / stretch) / (total != 0 ? total : 1);
  }
  return matrix;
}

template <bool kCubic> static mlir::Value resizeAntialiased(Call &c) {
  mlir::Value x = c.has("input") ? c.tensor("input") : c.tensor();
  auto sizes = c.integers("output_size");
  if (!sizes)
    return {};
  if (c.rank(x) != 4 || !c.isFloat(x))
    return c.failed("tensor of rank " + llvm::Twine(c.rank(x)) +
                    ", expected an image of floats");
  const auto *factors = c.argument("scale_factors").items();
  for (int64_t i = 1; i >= 0; --i) {
    int64_t axis = 2 + i, extent = c.type(x).getDimSize(axis);
    std::optional<double> given;
    StringRef name = i ? "scales_w" : "scales_h";
    if (factors && factors->size() == 2 && (*factors)[i].isNumber())
      given = (*factors)[i].number();
    else if (c.has(name))
      given = c.number(name);
    int64_t size = 0;
    if (sizes->size() == 2)
      size = (*sizes)[i];
    else if (given)
      size = static_cast<int64_t>(std::floor(extent * *given));
    if (size < 1 || extent < 1 || size > (int64_t(1) << 16) ||
        extent > (int64_t(1) << 16) || size * extent > (int64_t(1) << 26))
      return c.failed("resize of " + llvm::Twine(extent) + " to " +
                      llvm::Twine(size));
    double ratio = static_cast<double>(extent) / size;
    double scale = c.flag("align_corners")
                       ? (size > 1 ? (extent - 1.0) / (size - 1.0) : 0)
                   : given && *given > 0 ? 1 / *given
                                         : ratio;
    if (size != extent)
      x = timesAlongAxis(c, x, axis, size,
                         antialiased(extent, size, scale, kCubic));
    if (!x)
      return {};
  }
  return x;
}

void graven::aten::addSampling(Table &t) {
  t.addWide("grid_sampler grid_sampler_2d grid_sampler_3d", gridSample);
  t.addWide("affine_grid_generator", affineGrid);
  t.addWide("_upsample_bilinear2d_aa", resizeAntialiased<false>);
  t.addWide("_upsample_bicubic2d_aa", resizeAntialiased<true>);
}
