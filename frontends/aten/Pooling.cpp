//===- Pooling.cpp - ATen's pools ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file builds max, average and adaptive pools over one to three spatial
// axes, with or without a batch axis.
//
//===----------------------------------------------------------------------===//

#include "frontends/aten/Table.h"
#include "frontends/aten/Windows.h"

using namespace graven;
using namespace graven::aten;

namespace {
/// self with a batch axis, which goes away again.
struct Batched {
  explicit Batched(Call &c) : c(c), axes(spatialAxes(c)), x(c.tensor()) {
    added = x && c.rank(x) == axes + 1;
    if (added)
      x = c.unsqueeze(x, 0);
    if (x && c.rank(x) != axes + 2) {
      c.fail() << "tensor of rank " << c.rank(x);
      x = {};
    }
  }
  mlir::Value result(mlir::Value y) const {
    return y && added ? c.select(y, 0, 0) : y;
  }
  Call &c;
  int64_t axes;
  mlir::Value x;
  bool added;
};

struct PoolWindow {
  Shape kernel, strides, pads;
};
} // namespace

static std::optional<PoolWindow> readWindow(Call &c, int64_t axes) {
  auto kernel = c.integers("kernel_size", axes, {});
  if (!kernel)
    return std::nullopt;
  auto strides = c.integers("stride", axes, *kernel),
       padding = c.integers("padding", axes, Shape(axes, 0));
  if (!strides || !padding)
    return std::nullopt;
  PoolWindow window{*kernel, *strides, *padding};
  llvm::append_range(window.pads, *padding);
  return window;
}

static mlir::Value maxPool(Call &c) {
  Batched b(c);
  if (!b.x)
    return {};
  auto window = readWindow(c, b.axes);
  auto dilations = c.integers("dilation", b.axes, Shape(b.axes, 1));
  if (!window || !dilations)
    return {};
  return b.result(c.make<MaxPoolOp>(b.x, window->kernel, window->strides,
                                    *dilations, window->pads,
                                    c.flag("ceil_mode")));
}

/// The second result: where the maxima lie. It stays unknown when the windows
/// are too many to list, which is an error only where it is used.
static void giveIndices(Call &c, const Batched &b,
                        llvm::ArrayRef<AxisWindows> windows) {
  if (mlir::Value places = placesOfMaxima(c, b.x, windows))
    c.give(b.result(places));
  else
    c.results.push_back(Value::unknown());
}

static void maxPoolWithIndices(Call &c) {
  mlir::Value y = maxPool(c);
  c.give(y);
  Batched b(c);
  auto window = readWindow(c, b.axes);
  auto dilations = c.integers("dilation", b.axes, Shape(b.axes, 1));
  if (!y || !b.x || !window || !dilations)
    return;
  llvm::SmallVector<AxisWindows> axes(b.axes);
  for (int64_t i = 0; i < b.axes; ++i) {
    AxisWindows &axis = axes[i];
    axis.extent = c.type(b.x).getDimSize(2 + i);
    axis.count = c.type(y).getDimSize(c.rank(y) - b.axes + i);
    axis.width = window->kernel[i];
    axis.dilation = (*dilations)[i];
    for (int64_t k = 0; k < axis.count; ++k) {
      int64_t start = k * window->strides[i] - window->pads[i];
      int64_t skipped =
          start < 0 ? (-start + axis.dilation - 1) / axis.dilation : 0;
      start += skipped * axis.dilation;
      int64_t room = (axis.extent - start + axis.dilation - 1) / axis.dilation;
      axis.starts.push_back(start);
      axis.widths.push_back(std::min(axis.width - skipped, room));
      // A window that holds no element has no place.
      if (axis.widths.back() < 1)
        return c.results.push_back(Value::unknown());
    }
  }
  giveIndices(c, b, axes);
}

static mlir::Value avgPool(Call &c) {
  Batched b(c);
  if (!b.x)
    return {};
  auto window = readWindow(c, b.axes);
  std::optional<int64_t> divisor =
      c.has("divisor_override") ? c.integer("divisor_override") : 0;
  if (!window || !divisor)
    return {};
  // PyTorch takes negative divisors, too.
  bool isNegative = *divisor < 0 && *divisor != INT64_MIN;
  mlir::Value y = c.make<AvgPoolOp>(
      b.x, window->kernel, window->strides, Shape(b.axes, 1), window->pads,
      c.flag("ceil_mode"), c.flag("count_include_pad"),
      uint64_t(isNegative ? -*divisor : *divisor));
  return b.result(isNegative ? c.unary<NegOp>(y) : y);
}

//===----------------------------------------------------------------------===//
// Adaptive pools
//===----------------------------------------------------------------------===//

/// Averages the bins [floor(i D / O), ceil((i + 1) D / O)) of one axis by a
/// product with a constant matrix [D, O].
static mlir::Value averageAxis(Call &c, mlir::Value x, int64_t axis,
                               int64_t bins) {
  int64_t extent = c.type(x).getDimSize(axis);
  llvm::SmallVector<double> matrix(extent * bins, 0);
  for (int64_t i = 0; i < bins; ++i) {
    int64_t begin = i * extent / bins,
            end = ((i + 1) * extent + bins - 1) / bins;
    for (int64_t j = begin; j < end; ++j)
      matrix[j * bins + i] = 1.0 / static_cast<double>(end - begin);
  }
  return timesAlongAxis(c, x, axis, bins, matrix);
}

static std::optional<Shape> outputSize(Call &c, const Batched &b) {
  Shape extents(c.type(b.x).getShape().drop_front(2));
  const auto *items = c.argument("output_size").items();
  auto sizes = items ? c.integers("output_size", b.axes, extents)
                     : std::optional<Shape>(extents);
  if (sizes && llvm::any_of(*sizes, [](int64_t s) { return s < 1; })) {
    c.fail() << "output size [" << *sizes << "]";
    return std::nullopt;
  }
  return sizes;
}

static mlir::Value adaptiveAvgPool(Call &c) {
  Batched b(c);
  auto sizes = b.x ? outputSize(c, b) : std::nullopt;
  if (!sizes)
    return {};
  Shape extents(c.type(b.x).getShape().drop_front(2));
  if (extents == *sizes)
    return c.tensor();
  if (llvm::all_of(*sizes, [](int64_t s) { return s == 1; })) {
    Shape axes;
    for (int64_t i = 0; i < b.axes; ++i)
      axes.push_back(2 + i);
    return b.result(c.reduce(ReduceKind::Mean, b.x, axes, /*keep=*/true));
  }
  Shape kernel, ones(b.axes, 1), zeros(2 * b.axes, 0);
  for (auto [extent, size] : llvm::zip(extents, *sizes))
    kernel.push_back(extent % size ? 0 : extent / size);
  if (!llvm::is_contained(kernel, 0))
    return b.result(c.make<AvgPoolOp>(b.x, kernel, kernel, ones, zeros));
  mlir::Value y = b.x;
  for (int64_t i = 0; y && i < b.axes; ++i)
    if (extents[i] != (*sizes)[i])
      y = averageAxis(c, y, 2 + i, (*sizes)[i]);
  return b.result(y);
}

/// Bins that overlap: slices, each reduced, joined.
static mlir::Value maximumAxis(Call &c, mlir::Value x, int64_t axis,
                               int64_t bins) {
  int64_t extent = c.type(x).getDimSize(axis);
  llvm::SmallVector<mlir::Value> parts;
  for (int64_t i = 0; i < bins; ++i)
    parts.push_back(c.reduce(ReduceKind::Max,
                             c.slice(x, axis, i * extent / bins,
                                     ((i + 1) * extent + bins - 1) / bins),
                             {axis}, /*keep=*/true));
  return c.concat(parts, axis);
}

static void adaptiveMaxPool(Call &c) {
  Batched b(c);
  auto sizes = b.x ? outputSize(c, b) : std::nullopt;
  if (!sizes)
    return;
  mlir::Value y = b.x;
  for (int64_t i = 0; y && i < b.axes; ++i)
    if (c.type(y).getDimSize(2 + i) != (*sizes)[i])
      y = maximumAxis(c, y, 2 + i, (*sizes)[i]);
  c.give(b.result(y));
  llvm::SmallVector<AxisWindows> axes(b.axes);
  for (int64_t i = 0; y && i < b.axes; ++i) {
    AxisWindows &axis = axes[i];
    axis.extent = c.type(b.x).getDimSize(2 + i);
    axis.count = (*sizes)[i];
    for (int64_t k = 0; k < axis.count; ++k) {
      axis.starts.push_back(k * axis.extent / axis.count);
      axis.widths.push_back(((k + 1) * axis.extent + axis.count - 1) /
                                axis.count -
                            axis.starts.back());
      axis.width = std::max(axis.width, axis.widths.back());
    }
  }
  if (y)
    giveIndices(c, b, axes);
}

void graven::aten::addPooling(Table &t) {
  t.add("max_pool1d max_pool2d max_pool3d", maxPool);
  t.add("max_pool1d_with_indices max_pool2d_with_indices "
        "max_pool3d_with_indices",
        maxPoolWithIndices);
  t.add("avg_pool1d avg_pool2d avg_pool3d", avgPool);
  t.add("adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d "
        "_adaptive_avg_pool2d _adaptive_avg_pool3d",
        adaptiveAvgPool);
  t.add("adaptive_max_pool1d adaptive_max_pool2d adaptive_max_pool3d",
        adaptiveMaxPool);
}
