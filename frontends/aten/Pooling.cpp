//===- Pooling.cpp - ATen's pools ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file builds max, average and adaptive pools over one to three spatial
// axes, with or without a batch axis.
//
//===----------------------------------------------------------------------===//

#include "frontends/aten/Table.h"

using namespace graven;
using namespace graven::aten;
using llvm::StringRef;

/// The number of spatial axes in an operator's name.
static int64_t spatialAxes(Call &c) {
  for (char digit : c.schema.name)
    if (digit >= '1' && digit <= '3')
      return digit - '0';
  return 0;
}

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
/// The indices, which are the second result, are not computed.
static void maxPoolWithIndices(Call &c) { c.give(maxPool(c)); }

static mlir::Value avgPool(Call &c) {
  Batched b(c);
  if (!b.x)
    return {};
  auto window = readWindow(c, b.axes);
  std::optional<int64_t> divisor =
      c.has("divisor_override") ? c.integer("divisor_override") : 0;
  if (!window || !divisor)
    return {};
  return b.result(c.make<AvgPoolOp>(
      b.x, window->kernel, window->strides, Shape(b.axes, 1), window->pads,
      c.flag("ceil_mode"), c.flag("count_include_pad"), uint64_t(*divisor)));
}

//===----------------------------------------------------------------------===//
// Adaptive pools
//===----------------------------------------------------------------------===//

/// Averages the bins [floor(i D / O), ceil((i + 1) D / O)) of one axis by a
/// product with a constant matrix [D, O].
static mlir::Value averageAxis(Call &c, mlir::Value x, int64_t axis,
                               int64_t bins) {
  int64_t extent = c.type(x).getDimSize(axis), last = c.rank(x) - 1;
  llvm::SmallVector<float> matrix(extent * bins, 0);
  for (int64_t i = 0; i < bins; ++i) {
    int64_t begin = i * extent / bins,
            end = ((i + 1) * extent + bins - 1) / bins;
    for (int64_t j = begin; j < end; ++j)
      matrix[j * bins + i] = 1.0f / static_cast<float>(end - begin);
  }
  auto type =
      mlir::RankedTensorType::get({extent, bins}, c.builder.getF32Type());
  mlir::Value weights = c.cast(c.constant(mlir::DenseElementsAttr::get(
                                   type, llvm::ArrayRef<float>(matrix))),
                               c.element(x));
  Shape order;
  for (int64_t i = 0; i <= last; ++i)
    order.push_back(i);
  std::swap(order[axis], order[last]);
  mlir::Value y = c.transpose(x, order);
  if (!y || !weights)
    return {};
  Shape shape = c.shape(y);
  y = c.reshape(
      y, {c.type(y).getNumElements() / std::max<int64_t>(extent, 1), extent});
  y = y ? c.make<MatmulOp>(y, weights) : y;
  shape[last] = bins;
  return c.transpose(c.reshape(y, shape), order);
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
}

void graven::aten::addPooling(Table &t) {
  t.add("max_pool1d max_pool2d max_pool3d", maxPool);
  t.add("max_pool2d_with_indices", maxPoolWithIndices);
  t.add("avg_pool1d avg_pool2d avg_pool3d", avgPool);
  t.add("adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d "
        "_adaptive_avg_pool2d _adaptive_avg_pool3d",
        adaptiveAvgPool);
  t.add("adaptive_max_pool1d adaptive_max_pool2d", adaptiveMaxPool);
}
