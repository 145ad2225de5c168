//===- RowsContraction.cpp - products, convolutions, attention --*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the rows of the ops that sum products.
//===----------------------------------------------------------------------===//

#include "test/fuzz/random/Rows.h"

#include <cmath>

using namespace mlir;

namespace graven::fuzz {
namespace {

/// Batch axes broadcast, matrices are transposed or not.
void drawMatmul(Draft &d) {
  Value a = d.operand(Types::Number, 2);
  Draft::Shape shape = Draft::shapeOf(a);
  bool isATransposed = d.chance(25), isBTransposed = d.chance(35);
  size_t rank = shape.size();
  int64_t inner = shape[isATransposed ? rank - 2 : rank - 1];
  int64_t columns = d.extent();
  for (size_t axis = 0; axis + 2 < rank; ++axis)
    if (d.chance(40))
      shape[axis] = shape[axis] == 1 ? d.number(1, 3) : 1;
  shape[rank - 2] = isBTransposed ? columns : inner;
  shape[rank - 1] = isBTransposed ? inner : columns;
  Value b = d.like(Draft::elementOf(a), shape);
  d.add<MatmulOp>(a, b, isATransposed, isBTransposed);
}

/// What convolutions of both kinds have in common.
struct Windows {
  Draft::Shape kernel, strides, dilations, pads;

  Windows(Draft &d, ArrayRef<int64_t> extents) {
    Draft::Shape high;
    for (int64_t extent : extents) {
      int64_t size = d.pick<int64_t>({1, 1, 2, 3, 3, 3, 5});
      int64_t dilation = d.pick<int64_t>({1, 1, 1, 2});
      int64_t reach = (size - 1) * dilation + 1;
      int64_t lo = d.number(0, reach / 2), hi = d.number(0, reach / 2);
      if (d.chance(50))
        hi = lo;
      // Outputs of no extent are rather of small images than of all.
      if (extent + lo + hi < reach && !d.chance(2)) {
        size = 1;
        lo = hi = 0;
      }
      kernel.push_back(size);
      strides.push_back(d.pick<int64_t>({1, 1, 1, 2, 3}));
      dilations.push_back(dilation);
      pads.push_back(lo);
      high.push_back(hi);
    }
    // O >= 0 holds for all but these.
    for (size_t i = 0; i < extents.size(); ++i)
      if (extents[i] + pads[i] + high[i] + strides[i] <
          (kernel[i] - 1) * dilations[i] + 1)
        kernel[i] = 1;
    llvm::append_range(pads, high);
  }
};

/// Winograd and joined groups mix elements that a direct sum keeps apart, so
/// that NaN and infinities spread: their place is not the formula's.
bool isFinite(Draft &d, Value value) {
  return !value || llvm::all_of(d.samples.exact(value).toDoubles(),
                                [](double x) { return std::isfinite(x); });
}

/// Images of more channels than a block now and then, for what works on those.
Value drawImages(Draft &d) {
  Value x;
  if (d.chance(50))
    x = d.operand(Types::Float, 3, 5);
  if (!x || Draft::typeOf(x).getDimSize(1) == 0) {
    Draft::Shape shape{d.number(1, 2),
                       d.pick<int64_t>({1, 3, 4, 8, 16, 20, 32})};
    int64_t most = shape[1] > 8 ? 9 : 12;
    for (int64_t axes = d.pick<int64_t>({1, 2, 2, 2, 3}); axes > 0; --axes)
      shape.push_back(shape.size() > 3 ? d.number(1, 4) : d.number(1, most));
    x = d.leaf(d.type(Types::Float), shape);
  }
  return x;
}

int64_t drawDivisor(Draft &d, int64_t number) {
  SmallVector<int64_t> divisors{1, 1, 1, number};
  for (int64_t k = 2; k < number; ++k)
    if (number % k == 0)
      divisors.push_back(k);
  return d.pick<int64_t>(divisors);
}

void drawConv(Draft &d) {
  Value x = drawImages(d);
  Draft::Shape shape = Draft::shapeOf(x);
  Windows windows(d, ArrayRef(shape).drop_front(2));
  int64_t groups = drawDivisor(d, shape[1]);
  int64_t channels = groups * (groups > 4 ? d.number(1, 2)
                                          : d.pick<int64_t>({1, 2, 4, 8, 16}));
  Draft::Shape weights{channels, shape[1] / groups};
  llvm::append_range(weights, windows.kernel);
  Type element = Draft::elementOf(x);
  Value w = d.like(element, weights, {-0.5, 0.5});
  Value bias = d.chance(60) ? d.like(element, {channels}) : Value();
  if (isFinite(d, x) && isFinite(d, w) && isFinite(d, bias))
    d.add<ConvOp>(x, w, bias, windows.strides, windows.dilations, windows.pads,
                  groups, Layout::Planar, IntegerAttr());
}

void drawConvTranspose(Draft &d) {
  Value x = drawImages(d);
  Draft::Shape shape = Draft::shapeOf(x);
  Windows windows(d, ArrayRef(shape).drop_front(2));
  size_t axes = windows.kernel.size();
  Draft::Shape outputPadding;
  for (size_t i = 0; i < axes; ++i) {
    int64_t &lo = windows.pads[i], &hi = windows.pads[axes + i];
    int64_t stride = windows.strides[i], dilation = windows.dilations[i];
    outputPadding.push_back(
        d.chance(30) ? d.number(0, std::max(stride, dilation) - 1) : 0);
    int64_t extent = (shape[2 + i] - 1) * stride +
                     dilation * (windows.kernel[i] - 1) + 1 + outputPadding[i];
    if (d.chance(10))
      lo = -1;
    if (extent - lo - hi < 0)
      lo = hi = 0;
    // Of an axis without elements nothing but a negative extent could come.
    if (extent < 0)
      return;
  }
  int64_t groups = drawDivisor(d, shape[1]);
  int64_t perGroup = d.pick<int64_t>({1, 2, 3, 8});
  Draft::Shape weights{shape[1], perGroup};
  llvm::append_range(weights, windows.kernel);
  Type element = Draft::elementOf(x);
  Value w = d.like(element, weights, {-0.5, 0.5});
  Value bias = d.chance(60) ? d.like(element, {groups * perGroup}) : Value();
  if (isFinite(d, x) && isFinite(d, w) && isFinite(d, bias))
    d.add<ConvTransposeOp>(x, w, bias, windows.strides, windows.dilations,
                           windows.pads, outputPadding, groups);
}

void drawAttention(Draft &d) {
  Type element = d.type(Types::Float);
  Value q;
  if (d.chance(40))
    q = d.find([&](RankedTensorType type) {
      return type.getElementType() == element && type.getRank() == 4 &&
             type.getNumElements() > 0;
    });
  if (!q)
    q = d.leaf(element, {d.number(1, 2), d.pick<int64_t>({1, 2, 4}),
                         d.number(1, 9), d.pick<int64_t>({1, 3, 4, 8, 16})});
  Draft::Shape shape = Draft::shapeOf(q);
  int64_t keyHeads = shape[1] / drawDivisor(d, shape[1]), keys = d.number(1, 9);
  Value k = d.like(element, {shape[0], keyHeads, keys, shape[3]});
  Value v = d.like(element, {shape[0], keyHeads, keys,
                             d.chance(70) ? shape[3] : d.extent()});
  Value mask;
  if (d.chance(60)) {
    Draft::Shape extents{shape[0], shape[1], shape[2], keys};
    for (int64_t &extent : extents)
      extent = d.chance(40) ? 1 : extent;
    mask = d.like(d.chance(50) ? d.builder.getI1Type() : element, extents);
  }
  // A key that is masked is not read, so that its NaN is no 0 NaN.
  if (!isFinite(d, v))
    return;
  d.add<AttentionOp>(q, k, v, mask,
                     llvm::APFloat(d.pick({1.0, 0.5, 0.25, 0.1})), d.chance(30),
                     llvm::APFloat(d.pick({0.0, 0.0, 2.0})),
                     d.pick({EmptyRow::Zero, EmptyRow::NaN}));
}

} // namespace

llvm::ArrayRef<Row> getContractionRows() {
  static const Row rows[] = {
      row<MatmulOp>(drawMatmul),
      row<ConvOp>(drawConv),
      row<ConvTransposeOp>(drawConvTranspose),
      row<AttentionOp>(drawAttention),
  };
  return rows;
}

} // namespace graven::fuzz
