//===- Windows.cpp - ATen's windows as columns and places ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file builds what needs the elements of sliding windows one by one:
// columns of windows (unfold, fold), the places of maxima, and unpooling.
//
//===----------------------------------------------------------------------===//

#include "frontends/aten/Windows.h"

#include "frontends/aten/Norms.h"
#include "frontends/aten/Table.h"

#include <limits>

using namespace graven;
using namespace graven::aten;

int64_t aten::spatialAxes(Call &c) {
  for (char digit : c.schema.name)
    if (digit >= '1' && digit <= '3')
      return digit - '0';
  return 0;
}

mlir::Value aten::timesAlongAxis(Call &c, mlir::Value x, int64_t axis,
                                 int64_t size, llvm::ArrayRef<double> matrix) {
  int64_t extent = c.type(x).getDimSize(axis), last = c.rank(x) - 1;
  mlir::Value weights = c.numbers(c.element(x), {extent, size}, matrix);
  Shape order = allAxes(x);
  std::swap(order[axis], order[last]);
  mlir::Value y = c.transpose(x, order);
  if (!y || !weights)
    return {};
  Shape shape = c.shape(y);
  y = c.reshape(
      y, {c.type(y).getNumElements() / std::max<int64_t>(extent, 1), extent});
  y = y ? c.make<MatmulOp>(y, weights) : y;
  shape[last] = size;
  return c.transpose(c.reshape(y, shape), order);
}

//===----------------------------------------------------------------------===//
// Columns
//===----------------------------------------------------------------------===//

namespace {
/// The windows of torch.nn.Unfold over two axes.
struct Grid {
  Shape kernel, dilation, padding, stride, count;
  int64_t windows() const { return count[0] * count[1]; }
  /// Position of tap k of window i on the padded axis.
  int64_t at(int axis, int64_t i, int64_t k) const {
    return i * stride[axis] + k * dilation[axis];
  }
};
} // namespace

static std::optional<Grid> readGrid(Call &c, llvm::ArrayRef<int64_t> extents) {
  auto kernel = c.integers("kernel_size", 2, {}),
       dilation = c.integers("dilation", 2, {1, 1}),
       padding = c.integers("padding", 2, {0, 0}),
       stride = c.integers("stride", 2, {1, 1});
  if (!kernel || !dilation || !padding || !stride)
    return std::nullopt;
  Grid g{*kernel, *dilation, *padding, *stride, {}};
  for (int i = 0; i < 2; ++i) {
    bool fits = g.kernel[i] > 0 && g.dilation[i] > 0 && g.padding[i] >= 0 &&
                g.stride[i] > 0 && g.kernel[i] < (1 << 20) &&
                g.dilation[i] < (1 << 20) && g.padding[i] < (1 << 20);
    int64_t room = fits ? extents[i] + 2 * g.padding[i] -
                              g.dilation[i] * (g.kernel[i] - 1) - 1
                        : -1;
    if (room < 0) {
      c.fail() << "windows do not fit in extents [" << extents << "]";
      return std::nullopt;
    }
    g.count.push_back(room / g.stride[i] + 1);
  }
  return g;
}

/// [.., C, H, W] to [.., C kh kw, windows].
static mlir::Value im2col(Call &c) {
  mlir::Value x = c.tensor();
  if (c.rank(x) != 3 && c.rank(x) != 4)
    return c.failed("tensor of rank " + llvm::Twine(c.rank(x)));
  int64_t rank = c.rank(x);
  auto g = readGrid(c, c.type(x).getShape().take_back(2));
  if (!g)
    return {};
  Shape shape = c.shape(x);
  if (g->padding[0] || g->padding[1]) {
    Shape pads(rank, 0);
    pads[rank - 2] = g->padding[0];
    pads[rank - 1] = g->padding[1];
    x = c.make<PadOp>(x, mlir::Value(), pads, pads, PadMode::Constant);
  }
  // Each axis becomes two, tap and window.
  for (int axis = 1; axis >= 0; --axis) {
    Shape places;
    for (int64_t k = 0; k < g->kernel[axis]; ++k)
      for (int64_t i = 0; i < g->count[axis]; ++i)
        places.push_back(g->at(axis, i, k));
    x = x ? c.make<GatherOp>(
                x, c.indices({g->kernel[axis], g->count[axis]}, places),
                uint64_t(rank - 2 + axis), /*nonneg=*/true)
          : x;
  }
  // [.., kh, oh, kw, ow] to [.., kh, kw, oh, ow]
  Shape order = x ? allAxes(x) : Shape();
  if (!x)
    return x;
  std::swap(order[rank - 1], order[rank]);
  x = c.transpose(x, order);
  Shape result(shape.begin(), shape.end() - 3);
  result.append({shape[rank - 3] * g->kernel[0] * g->kernel[1], g->windows()});
  return c.reshape(x, result);
}

/// The sums of the columns back at their places.
static mlir::Value col2im(Call &c) {
  mlir::Value x = c.tensor();
  auto size = c.integers("output_size", 2, {});
  if (!size)
    return {};
  auto g = readGrid(c, *size);
  if (!g)
    return {};
  bool batched = c.rank(x) == 3;
  if (!batched)
    x = c.unsqueeze(x, 0);
  int64_t taps = g->kernel[0] * g->kernel[1];
  if (c.rank(x) != 3 || c.type(x).getDimSize(1) % taps ||
      c.type(x).getDimSize(2) != g->windows())
    return c.failed("columns of shape [" + llvm::Twine(c.rank(x)) +
                    "] axes do not fit the windows");
  int64_t n = c.type(x).getDimSize(0),
          channels = c.type(x).getDimSize(1) / taps;
  int64_t height = (*size)[0] + 2 * g->padding[0],
          width = (*size)[1] + 2 * g->padding[1];
  Shape places;
  for (int64_t ky = 0; ky < g->kernel[0]; ++ky)
    for (int64_t kx = 0; kx < g->kernel[1]; ++kx)
      for (int64_t y = 0; y < g->count[0]; ++y)
        for (int64_t z = 0; z < g->count[1]; ++z)
          places.push_back(g->at(0, y, ky) * width + g->at(1, z, kx));
  // The places in front: [taps windows, N C].
  mlir::Value columns = c.reshape(x, {n * channels, taps * g->windows()});
  columns = c.transpose(columns, {1, 0});
  mlir::Value base =
      c.full(c.element(x), {height * width, n * channels}, int64_t(0));
  mlir::Value index =
      c.indices({static_cast<int64_t>(places.size()), 1}, places);
  if (!columns || !base || !index)
    return {};
  mlir::Value y = c.make<ScatterNdOp>(base, index, columns, ScatterKind::Add,
                                      /*nonneg=*/true);
  y = c.transpose(y, {1, 0});
  y = c.reshape(y, {n, channels, height, width});
  y = c.slice(y, 2, g->padding[0], g->padding[0] + (*size)[0]);
  y = c.slice(y, 3, g->padding[1], g->padding[1] + (*size)[1]);
  return y && !batched ? c.select(y, 0, 0) : y;
}

//===----------------------------------------------------------------------===//
// Places of maxima
//===----------------------------------------------------------------------===//

mlir::Value aten::placesOfMaxima(Call &c, mlir::Value x,
                                 llvm::ArrayRef<AxisWindows> axes) {
  int64_t lead = c.rank(x) - static_cast<int64_t>(axes.size());
  // The taps of each axis side by side: windows, then taps.
  mlir::Value values = x;
  int64_t windows = 1, taps = 1;
  Shape outer, order, result(c.type(x).getShape().take_front(lead));
  for (auto [i, axis] : llvm::enumerate(axes)) {
    int64_t count = axis.count, width = axis.width;
    result.push_back(count);
    windows *= count;
    taps *= width;
  }
  if (windows > (int64_t(1) << 19) || windows * taps > (int64_t(1) << 19))
    return {};
  // Flat places [windows, taps] in the plane; taps that lie outside repeat a
  // place of the same window, which changes no maximum and no first place.
  Shape places, position(axes.size(), 0), tap(axes.size(), 0);
  auto flat = [&]() {
    int64_t place = 0;
    for (size_t i = 0; i < axes.size(); ++i) {
      int64_t at = axes[i].first(position[i]);
      int64_t inside = std::min(tap[i], axes[i].taps(position[i]) - 1);
      place = place * axes[i].extent + at + inside * axes[i].dilation;
    }
    return place;
  };
  auto next = [&](Shape &digits, bool isTap) {
    for (size_t i = axes.size(); i-- > 0;) {
      if (++digits[i] < (isTap ? axes[i].width : axes[i].count))
        return true;
      digits[i] = 0;
    }
    return false;
  };
  if (windows > 0)
    do
      do
        places.push_back(flat());
      while (next(tap, true));
    while (next(position, false));
  Shape plane(c.type(x).getShape().take_front(lead));
  int64_t area = extentProduct(c.type(x).getShape().drop_front(lead));
  plane.push_back(area);
  values = c.reshape(x, plane);
  mlir::Value at = c.indices({windows, taps}, places);
  mlir::Value window = values && at
                           ? c.make<GatherOp>(values, at, uint64_t(lead),
                                              /*nonneg=*/true)
                           : mlir::Value();
  if (!window)
    return {};
  mlir::Value best =
      c.make<ArgReduceOp>(window, ExtremeKind::Max, uint64_t(lead + 1),
                          /*keep=*/false, /*last=*/false);
  if (!best)
    return {};
  // From the tap to the place: places[window * taps + tap].
  Shape line(lead + 1, 1);
  line[lead] = windows;
  mlir::Value base = c.iota(line, lead);
  mlir::Value index =
      c.binary<AddOp>(c.binary<MulOp>(base, static_cast<double>(taps)), best);
  mlir::Value table = c.reshape(at, {windows * taps});
  if (!index || !table)
    return {};
  return c.reshape(c.make<GatherOp>(table, index, uint64_t(0), /*nonneg=*/true),
                   result);
}

//===----------------------------------------------------------------------===//
// Unpooling
//===----------------------------------------------------------------------===//

/// Values at their places in planes of zeros.
static mlir::Value maxUnpool(Call &c) {
  int64_t axes = spatialAxes(c);
  mlir::Value x = c.tensor(), index = c.tensor("indices");
  auto size = c.integers("output_size", axes, {});
  if (!size)
    return {};
  if (c.rank(x) != axes + 1 && c.rank(x) != axes + 2)
    return c.failed("tensor of rank " + llvm::Twine(c.rank(x)));
  if (c.type(x).getShape() != c.type(index).getShape() ||
      llvm::any_of(*size, [](int64_t s) { return s < 0; }))
    return c.failed("indices of another shape");
  Shape result(c.type(x).getShape().drop_back(axes));
  int64_t planes = extentProduct(result), area = extentProduct(*size),
          inside = extentProduct(c.type(x).getShape().take_back(axes));
  result.append(*size);
  mlir::Type i64 = c.builder.getI64Type();
  index = c.reshape(c.cast(index, i64), {planes, inside});
  mlir::Value plane = c.iota({planes, 1}, 0);
  index =
      c.binary<AddOp>(index, c.binary<MulOp>(plane, static_cast<double>(area)));
  index = c.reshape(index, {planes * inside, 1});
  mlir::Value values = c.reshape(x, {planes * inside});
  if (!index || !values)
    return {};
  mlir::Value y =
      c.make<ScatterNdOp>(c.full(c.element(x), {planes * area}, int64_t(0)),
                          index, values, ScatterKind::None, /*nonneg=*/true);
  return c.reshape(y, result);
}

void graven::aten::addWindows(Table &t) {
  t.add("im2col", im2col);
  t.add("col2im", col2im);
  t.add("max_unpool2d max_unpool3d", maxUnpool);
}
