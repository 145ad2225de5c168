//===- RowsNorm.cpp - normalisations ----------------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the rows of the ops that normalise.
//===----------------------------------------------------------------------===//

#include "test/fuzz/random/Rows.h"

using namespace mlir;

namespace graven::fuzz {
namespace {

llvm::APFloat drawEpsilon(Draft &d) {
  return llvm::APFloat(d.pick({1e-5, 1e-3, 0.1}));
}

/// Often an operand, else absent.
Value drawOptional(Draft &d, Type element, ArrayRef<int64_t> shape) {
  return d.chance(65) ? d.like(element, shape) : Value();
}

void drawBatchNorm(Draft &d) {
  Value x = d.operand(Types::Float, 2);
  Type element = Draft::elementOf(x);
  Draft::Shape channels{Draft::shapeOf(x)[1]};
  // As x a + b, which is how PyTorch and kernels have it, an infinite one of
  // these gives NaN where the formula may give infinity.
  constexpr Range finite{-4, 4};
  Value scale = d.like(element, channels, finite),
        bias = d.like(element, channels, finite),
        mean = d.like(element, channels, finite),
        variance = d.like(element, channels, {0.1, 2});
  d.add<BatchNormOp>(x, scale, bias, mean, variance, drawEpsilon(d));
}

void drawLayerNorm(Draft &d) {
  Value x = d.operand(Types::Float, 1);
  int64_t axis = d.number(0, Draft::typeOf(x).getRank() - 1);
  auto normalised = Draft::typeOf(x).getShape().drop_front(axis);
  Type element = Draft::elementOf(x);
  Value scale = drawOptional(d, element, normalised);
  Value bias = drawOptional(d, element, normalised);
  d.add<LayerNormOp>(x, scale, bias, axis, drawEpsilon(d));
}

void drawRmsNorm(Draft &d) {
  Value x = d.operand(Types::Float, 1);
  int64_t axis = d.number(0, Draft::typeOf(x).getRank() - 1);
  Value scale = drawOptional(d, Draft::elementOf(x),
                             Draft::typeOf(x).getShape().drop_front(axis));
  d.add<RmsNormOp>(x, scale, axis, drawEpsilon(d));
}

void drawGroupNorm(Draft &d) {
  Value x = d.operand(Types::Float, 2);
  int64_t channels = Draft::shapeOf(x)[1];
  SmallVector<int64_t> divisors{1};
  for (int64_t k = 2; k <= channels; ++k)
    if (channels % k == 0)
      divisors.push_back(k);
  Type element = Draft::elementOf(x);
  Value scale = drawOptional(d, element, {channels});
  Value bias = drawOptional(d, element, {channels});
  d.add<GroupNormOp>(x, scale, bias, d.pick<int64_t>(divisors), drawEpsilon(d));
}

template <class Op> void drawSoftmax(Draft &d) {
  Value x = d.operand(Types::Float, 1);
  d.add<Op>(x, d.number(0, Draft::typeOf(x).getRank() - 1));
}

} // namespace

llvm::ArrayRef<Row> getNormRows() {
  static const Row rows[] = {
      row<BatchNormOp>(drawBatchNorm),
      row<LayerNormOp>(drawLayerNorm),
      row<RmsNormOp>(drawRmsNorm),
      row<GroupNormOp>(drawGroupNorm),
      row<SoftmaxOp>(drawSoftmax<SoftmaxOp>),
      row<LogSoftmaxOp>(drawSoftmax<LogSoftmaxOp>),
  };
  return rows;
}

} // namespace graven::fuzz
