//===- Resize.cpp - meaning of resize -------------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the naive function of resize, axis by axis: each index
// of the result reads a few weighted taps.
//===----------------------------------------------------------------------===//

#include "dialects/graven/ResizeTaps.h"
#include "dialects/graven/eval/Compute.h"

using namespace mlir;
using namespace graven::eval;

namespace graven {

/// The elements resampled along one axis; `shape` is updated.
static Doubles resampleAxis(const Doubles &from, eval::Shape &shape,
                            int64_t axis, const ResizeTaps &taps) {
  int64_t outer = product(ArrayRef(shape).take_front(axis)),
          inner = product(ArrayRef(shape).drop_front(axis + 1)),
          in = shape[axis], out = taps.count();
  Doubles to(outer * out * inner);
  for (int64_t o = 0; o < outer; ++o)
    for (int64_t i = 0; i < out; ++i)
      for (int64_t t = i * taps.width; t < (i + 1) * taps.width; ++t)
        for (int64_t j = 0; j < inner; ++j)
          to[(o * out + i) * inner + j] +=
              taps.weights[t] * from[(o * in + taps.positions[t]) * inner + j];
  shape[axis] = out;
  return to;
}

/// Copied, not computed: exact for wide ints and NaN.
static Tensor resizeNearest(const Tensor &x, RankedTensorType type,
                            ArrayRef<int64_t> axes, ArrayRef<ResizeTaps> taps) {
  Tensor y(type);
  eval::Shape strides = stridesOf(x.getShape());
  std::vector<std::vector<int64_t>> tables(x.getRank());
  for (int64_t axis = 0; axis < x.getRank(); ++axis)
    for (int64_t i = 0; i < x.getDim(axis); ++i)
      tables[axis].push_back(i * strides[axis]);
  for (auto [axis, tap] : llvm::zip(axes, taps)) {
    tables[axis].clear();
    for (int64_t position : tap.positions)
      tables[axis].push_back(position * strides[axis]);
  }
  auto from = gridOffsets(tables);
  for (int64_t i = 0, e = y.size(); i < e; ++i)
    y.copy(i, x, from[i]);
  return y;
}

FailureOr<Tensors> ResizeOp::evaluate(ArrayRef<Tensor> operands, Evaluator &) {
  const Tensor &x = operands[0];
  eval::Shape whole(x.getShape());
  std::vector<ResizeTaps> taps;
  for (auto [n, axis] : llvm::enumerate(getAxes())) {
    whole[axis] = resizedExtent(*this, n, x.getDim(axis));
    if (x.getDim(axis) == 0 && whole[axis] > 0)
      return emitOpError("axis ")
             << axis << " has extent 0, expected at least 1 (C4)";
    taps.push_back(resizeTaps(*this, n, x.getDim(axis), whole[axis]));
  }
  auto type = RankedTensorType::get(whole, x.getElementType());
  if (getMode() == ResizeMode::Nearest)
    return Tensors{resizeNearest(x, type, getAxes(), taps)};
  Doubles values = x.toDoubles();
  eval::Shape shape(x.getShape());
  for (auto [axis, tap] : llvm::zip(getAxes(), taps))
    values = resampleAxis(values, shape, axis, tap);
  if (isa<FloatType>(x.getElementType()))
    return Tensors{Tensor::fromVector(type, values)};
  std::vector<int64_t> rounded;
  for (double value : values)
    rounded.push_back(static_cast<int64_t>(std::nearbyint(value)));
  return Tensors{Tensor::fromVector(type, rounded)};
}

} // namespace graven
