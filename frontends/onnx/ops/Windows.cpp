//===- Windows.cpp - places in windows ---*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the builders of what goes from windows back to images:
// the indices of MaxPool, MaxUnpool and Col2Im.
//===----------------------------------------------------------------------===//

#include "frontends/onnx/OpTable.h"
#include "frontends/onnx/ops/Window.h"

using namespace mlir;

namespace graven::onnx {

/// Windows of more places than this have no indices: each place costs Nodes.
static constexpr int64_t maxPlaces = 128;

/// Of each element of a tensor [N, C, D..] its number; `isColumnMajor` counts
/// the spatial axes in reverse.
static Value numbersOf(NodeBuilder &n, ArrayRef<int64_t> shape,
                       bool isColumnMajor) {
  Type i64 = n.getBuilder().getI64Type();
  int64_t rank = shape.size();
  IntList order = sequence(0, rank);
  if (isColumnMajor)
    std::reverse(order.begin() + 2, order.end());
  Value total;
  int64_t stride = 1;
  for (int64_t axis : llvm::reverse(order)) {
    IntList line(rank, 1);
    line[axis] = shape[axis];
    Value own = n.binary<MulOp>(n.make<IotaOp>(ValueRange(), line, axis, i64),
                                n.scalar(i64, stride));
    total = total ? n.binary<AddOp>(total, own) : own;
    stride *= shape[axis];
  }
  return n.expand(total, shape);
}

Value maxPoolIndices(NodeBuilder &n, Value x, ArrayRef<int64_t> kernel,
                     const WindowSpec &window, Value pooled) {
  auto shape = n.staticShape(x), made = n.staticShape(pooled);
  auto places = elementCount(kernel);
  if (!shape || !made || !places)
    return {};
  Type type = n.elementTypeOf(x);
  if (*places > maxPlaces || !isa<FloatType>(type)) {
    n.error(Code::UnsupportedFeature)
        << "indices of windows of " << *places << " elements of " << type
        << ", expected at most " << maxPlaces << " floats";
    return {};
  }
  // As far as the last window reaches.
  IntList low(2, 0), high(2, 0);
  for (size_t i = 0; i < kernel.size(); ++i) {
    int64_t reach = ((*made)[i + 2] - 1) * window.strides[i] +
                    (kernel[i] - 1) * window.dilations[i] + 1;
    low.push_back(window.pads[i]);
    high.push_back(reach - (*shape)[i + 2] - window.pads[i]);
  }
  double infinity = std::numeric_limits<double>::infinity();
  Value data =
      n.make<PadOp>(x, n.scalar(type, -infinity), low, high, PadMode::Constant);
  Value numbers = n.make<PadOp>(
      numbersOf(n, *shape, n.flagAttr("storage_order")),
      n.scalar(n.getBuilder().getI64Type(), -1), low, high, PadMode::Constant);
  Value best, index;
  for (int64_t place = 0; place < *places && !n.hasFailed(); ++place) {
    IntList starts(2, 0), ends(ArrayRef(*made).take_front(2)), steps(2, 1);
    int64_t rest = place;
    IntList at(kernel.size());
    for (size_t i = kernel.size(); i-- > 0; rest /= kernel[i])
      at[i] = rest % kernel[i];
    for (size_t i = 0; i < kernel.size(); ++i) {
      starts.push_back(at[i] * window.dilations[i]);
      ends.push_back(starts.back() + ((*made)[i + 2] - 1) * window.strides[i] +
                     1);
      steps.push_back(window.strides[i]);
    }
    auto cut = [&](Value whole) {
      return n.make<SliceOp>(whole, ValueRange(), ValueRange(), starts, ends,
                             steps);
    };
    Value own = cut(data), number = cut(numbers);
    if (!best) {
      best = own;
      index = number;
      continue;
    }
    // The first of equal ones, but no place outside.
    Value isBetter =
        n.binary<OrOp>(n.compare(ComparePredicate::Gt, own, best),
                       n.compare(ComparePredicate::Lt, index,
                                 n.scalar(n.getBuilder().getI64Type(), 0)));
    best = n.select(isBetter, own, best);
    index = n.select(isBetter, number, index);
  }
  return index;
}

namespace {

/// Puts elements at their numbers in zeros of the shape that was pooled.
LogicalResult buildMaxUnpool(NodeBuilder &n) {
  Value x = n.input(0);
  auto kernel = n.intsAttr("kernel_shape");
  auto shape = n.staticShape(x);
  if (!kernel || !shape)
    return n.hasFailed() ? failure()
                         : LogicalResult(n.error(Code::BadGraph)
                                         << "there is no kernel_shape");
  auto window = readWindow(n, x, *kernel);
  if (!window)
    return failure();
  if (n.typeOf(n.input(1)).getShape() != n.typeOf(x).getShape())
    return n.error(Code::BadGraph) << "indices of type " << n.typeOf(n.input(1))
                                   << " for an input of " << n.typeOf(x);
  IntList pooled(ArrayRef(*shape).take_front(2));
  for (size_t i = 0; i < kernel->size(); ++i)
    pooled.push_back(((*shape)[i + 2] - 1) * window->strides[i] + (*kernel)[i] -
                     window->pads[i] - window->pads[kernel->size() + i]);
  auto count = elementCount(pooled);
  int64_t own = n.typeOf(x).getNumElements();
  if (!count || *count < 0 || *count > std::numeric_limits<int32_t>::max())
    return n.error(Code::BadGraph)
           << "the result would have the shape [" << pooled << "]";
  Value zeros = n.splat(RankedTensorType::get({*count}, n.elementTypeOf(x)), 0);
  Value y = n.make<ScatterNdOp>(zeros, n.reshape(n.input(1), {own, 1}),
                                n.reshape(x, {own}), ScatterKind::None, false);
  y = n.reshape(y, pooled);
  if (!n.input(2))
    return n.finish(y);
  auto wanted = n.ints(n.input(2), "output_shape");
  if (!wanted)
    return failure();
  IntList low(pooled.size(), 0), high(pooled.size(), 0);
  if (wanted->size() != pooled.size())
    return n.error(Code::BadGraph) << "output_shape has " << wanted->size()
                                   << " entries, expected " << pooled.size();
  for (auto [i, extent] : llvm::enumerate(*wanted)) {
    high[i] = extent - pooled[i];
    if (high[i] < 0)
      return n.error(Code::BadGraph) << "output_shape has the entry " << extent
                                     << ", expected at least " << pooled[i];
  }
  return n.finish(n.make<PadOp>(y, Value(), low, high, PadMode::Constant));
}

/// Adds up the places that windows have in common.
LogicalResult buildCol2Im(NodeBuilder &n) {
  Value x = n.input(0);
  auto image = n.ints(n.input(1), "image_shape"),
       block = n.ints(n.input(2), "block_shape");
  auto shape = n.staticShape(x);
  if (!image || !block || !shape)
    return failure();
  size_t spatial = block->size();
  auto places = elementCount(*block);
  auto list = [&](StringRef name, int64_t size, int64_t otherwise) {
    return n.intsAttr(name).value_or(IntList(size, otherwise));
  };
  IntList strides = list("strides", spatial, 1),
          dilations = list("dilations", spatial, 1),
          pads = list("pads", 2 * spatial, 0);
  if (spatial == 0 || image->size() != spatial || shape->size() != 3 ||
      !places || *places < 1 || (*shape)[1] % *places ||
      strides.size() != spatial || dilations.size() != spatial ||
      pads.size() != 2 * spatial)
    return n.error(Code::BadGraph)
           << "blocks of [" << *block << "] of an image of [" << *image
           << "] in columns of type " << n.typeOf(x);
  constexpr int64_t most = std::numeric_limits<int32_t>::max();
  for (const IntList &list : {*image, *block, strides, dilations, pads})
    if (llvm::any_of(list, [](int64_t i) { return i < -most || i > most; }))
      return n.error(Code::BadGraph)
             << "an extent, stride, dilation or pad is beyond " << most;
  // Extents with pads, and how many blocks there are along each axis.
  IntList padded, blocks;
  for (size_t i = 0; i < spatial; ++i) {
    padded.push_back((*image)[i] + pads[i] + pads[spatial + i]);
    int64_t room = padded[i] - dilations[i] * ((*block)[i] - 1) - 1;
    if (strides[i] < 1 || dilations[i] < 1 || (*image)[i] < 1 || pads[i] < 0 ||
        pads[spatial + i] < 0 || room < 0)
      return n.error(Code::BadGraph)
             << "axis " << i << " has extent " << (*image)[i]
             << " and blocks of " << (*block)[i];
    blocks.push_back(room / strides[i] + 1);
  }
  auto columns = elementCount(blocks), size = elementCount(padded);
  if (!columns || !size || *columns != (*shape)[2] || *size > most)
    return n.error(Code::BadGraph)
           << "there are " << (*shape)[2] << " columns, expected those of ["
           << blocks << "]";
  // Where each place of each block lies: [block.., blocks..].
  Type i64 = n.getBuilder().getI64Type();
  Value at = n.scalar(i64, 0);
  int64_t stride = 1;
  for (size_t i = spatial; i-- > 0; stride *= padded[i]) {
    IntList inner(2 * spatial, 1), outer(2 * spatial, 1);
    inner[i] = (*block)[i];
    outer[spatial + i] = blocks[i];
    auto along = [&](const IntList &line, size_t axis, int64_t by) {
      return n.binary<MulOp>(
          n.make<IotaOp>(ValueRange(), line, int64_t(axis), i64),
          n.scalar(i64, by * stride));
    };
    at = n.binary<AddOp>(at, along(inner, i, dilations[i]));
    at = n.binary<AddOp>(at, along(outer, spatial + i, strides[i]));
  }
  int64_t planes = (*shape)[0] * ((*shape)[1] / *places),
          rows = *places * *columns;
  // [N, C, places, columns] to [places * columns, N * C]
  Value updates = n.transpose(n.reshape(x, {planes, rows}), {1, 0});
  Value y = n.make<ScatterNdOp>(
      n.splat(RankedTensorType::get({*size, planes}, n.elementTypeOf(x)), 0),
      n.reshape(at, {rows, 1}), updates, ScatterKind::Add, false);
  IntList result{(*shape)[0], (*shape)[1] / *places};
  llvm::append_range(result, padded);
  y = n.reshape(n.transpose(y, {1, 0}), result);
  for (size_t i = 0; i < spatial; ++i)
    y = n.slice(y, i + 2, pads[i], pads[i] + (*image)[i]);
  return n.finish(y);
}

} // namespace

void addWindows(OpTable &table) {
  table.add("MaxUnpool", 2, buildMaxUnpool);
  table.add("Col2Im", 3, buildCol2Im);
}

} // namespace graven::onnx
