//===- Movement.cpp - meaning of the movement ops -------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the naive functions of the ops that copy and reorder
// elements. Most are a table of offsets from result to operand or back.
//===----------------------------------------------------------------------===//

#include "dialects/graven/eval/Compute.h"

using namespace mlir;
using namespace graven::eval;

namespace graven {

/// A tensor of this shape whose element i is element from[i] of x.
static Tensor copyFrom(const Tensor &x, ArrayRef<int64_t> shape,
                       const std::vector<int64_t> &from) {
  Tensor y(RankedTensorType::get(shape, x.getElementType()));
  for (int64_t i = 0, e = y.size(); i < e; ++i)
    y.copy(i, x, from[i]);
  return y;
}

/// Fails unless the number of elements of a shape that is known only now fits
/// i64 and no extent is negative.
static LogicalResult checkResolved(Operation *op, ArrayRef<int64_t> shape) {
  for (int64_t extent : shape)
    if (extent < 0)
      return op->emitOpError("dynamic shape has the extent ")
             << extent << ", expected at least 0";
  auto count = elementCount(shape);
  if (!count || *count > (int64_t(1) << 32))
    return op->emitOpError("dynamic shape is too large to evaluate");
  return success();
}

FailureOr<Tensors> ReshapeOp::evaluate(ArrayRef<Tensor> operands, Evaluator &) {
  const Tensor &x = operands[0];
  size_t next = 1;
  eval::Shape shape = resolveMixed(getShape(), operands, next);
  for (int64_t &extent : shape) {
    if (extent != -1)
      continue;
    extent = 1;
    auto rest = elementCount(shape);
    if (!rest || *rest <= 0)
      return emitOpError("shape has -1 beside a zero extent (C3)");
    extent = x.size() / *rest;
    break;
  }
  if (failed(checkResolved(*this, shape)))
    return failure();
  if (*elementCount(shape) != x.size())
    return emitOpError("shape holds ")
           << *elementCount(shape) << " elements, expected " << x.size()
           << " (C2)";
  return Tensors{x.reshaped(shape)};
}

FailureOr<Tensors> TransposeOp::evaluate(ArrayRef<Tensor> operands,
                                         Evaluator &) {
  const Tensor &x = operands[0];
  eval::Shape strides = stridesOf(x.getShape()), shape, permuted;
  for (int64_t axis : getPermutation()) {
    shape.push_back(x.getDim(axis));
    permuted.push_back(strides[axis]);
  }
  return Tensors{copyFrom(x, shape, stridedOffsets(shape, permuted))};
}

FailureOr<Tensors> BroadcastOp::evaluate(ArrayRef<Tensor> operands,
                                         Evaluator &) {
  const Tensor &x = operands[0];
  size_t next = 1;
  eval::Shape shape = resolveMixed(getShape(), operands, next),
              from = stridesOf(x.getShape()), strides(shape.size(), 0);
  if (failed(checkResolved(*this, shape)))
    return failure();
  for (auto [i, axis] : llvm::enumerate(getAxes())) {
    if (x.getDim(i) == 1)
      continue;
    if (x.getDim(i) != shape[axis])
      return emitOpError("the result's extent is ")
             << shape[axis] << ", expected " << x.getDim(i) << " (C2)";
    strides[axis] = from[i];
  }
  return Tensors{copyFrom(x, shape, stridedOffsets(shape, strides))};
}

FailureOr<Tensors> SliceOp::evaluate(ArrayRef<Tensor> operands, Evaluator &) {
  const Tensor &x = operands[0];
  size_t next = 1;
  eval::Shape starts = resolveMixed(getStarts(), operands, next),
              ends = resolveMixed(getEnds(), operands, next),
              strides = stridesOf(x.getShape()), shape;
  int64_t base = 0;
  for (int64_t axis = 0; axis < x.getRank(); ++axis) {
    SliceBounds bounds = resolveSlice(x.getDim(axis), starts[axis], ends[axis],
                                      getSteps()[axis]);
    shape.push_back(bounds.extent);
    base += bounds.start * strides[axis];
    strides[axis] *= bounds.extent > 1 ? getSteps()[axis] : 0;
  }
  return Tensors{copyFrom(x, shape, stridedOffsets(shape, strides, base))};
}

FailureOr<Tensors> InsertSliceOp::evaluate(ArrayRef<Tensor> operands,
                                           Evaluator &) {
  const Tensor &dest = operands[0], &src = operands[1];
  size_t next = 2;
  eval::Shape starts = resolveMixed(getStarts(), operands, next),
              strides = stridesOf(dest.getShape());
  int64_t base = 0;
  for (int64_t axis = 0; axis < dest.getRank(); ++axis) {
    int64_t start = starts[axis], extent = src.getDim(axis),
            step = getSteps()[axis], d = dest.getDim(axis);
    if (start < 0 ||
        (extent > 0 && (start >= d || (d - 1 - start) / step < extent - 1)))
      return emitOpError("the window that starts at ")
             << start << " does not fit extent " << d << " of axis " << axis
             << " (C2)";
    base += extent > 0 ? start * strides[axis] : 0;
    strides[axis] *= extent > 1 ? step : 0;
  }
  Tensor y = Tensor::fromBytes(dest.getType(), dest.getBytes());
  auto to = stridedOffsets(src.getShape(), strides, base);
  for (int64_t i = 0, e = src.size(); i < e; ++i)
    y.copy(to[i], src, i);
  return Tensors{y};
}

FailureOr<Tensors> ConcatOp::evaluate(ArrayRef<Tensor> operands, Evaluator &) {
  Tensor y(resultType(*this));
  int64_t axis = getAxis(), outer = product(y.getShape().take_front(axis)),
          inner = product(y.getShape().drop_front(axis + 1)), start = 0;
  for (const Tensor &x : operands) {
    int64_t rows = x.getDim(axis) * inner;
    for (int64_t o = 0; o < outer; ++o)
      y.copy(o * y.getDim(axis) * inner + start, x, o * rows, rows);
    start += rows;
  }
  return Tensors{y};
}

/// Position in [0, d) that index i (perhaps outside) reads; `outside` for none.
static int64_t paddedSource(int64_t i, int64_t d, PadMode mode) {
  if (i >= 0 && i < d)
    return i;
  switch (mode) {
  case PadMode::Constant:
    return outside;
  case PadMode::Reflect:
    return i < 0 ? -i : 2 * (d - 1) - i;
  case PadMode::Edge:
    return i < 0 ? 0 : d - 1;
  case PadMode::Wrap:
    return ((i % d) + d) % d;
  }
  llvm_unreachable("unknown mode");
}

FailureOr<Tensors> PadOp::evaluate(ArrayRef<Tensor> operands, Evaluator &) {
  const Tensor &x = operands[0];
  Tensor y(resultType(*this));
  eval::Shape strides = stridesOf(x.getShape());
  std::vector<std::vector<int64_t>> tables;
  for (int64_t axis = 0; axis < x.getRank(); ++axis) {
    int64_t low = getLow()[axis], high = getHigh()[axis];
    // Cropping comes first, so it moves the edge that padding repeats.
    int64_t first = std::max<int64_t>(-low, 0),
            extent = x.getDim(axis) - first - std::max<int64_t>(-high, 0);
    auto &table = tables.emplace_back();
    for (int64_t i = 0, e = y.getDim(axis); i < e; ++i) {
      int64_t source =
          paddedSource(i - std::max<int64_t>(low, 0), extent, getMode());
      table.push_back(source == outside ? outside
                                        : (first + source) * strides[axis]);
    }
  }
  auto from = gridOffsets(tables);
  for (int64_t i = 0, e = y.size(); i < e; ++i) {
    if (from[i] != outside)
      y.copy(i, x, from[i]);
    else if (getValue())
      y.copy(i, operands[1], 0);
  }
  return Tensors{y};
}

FailureOr<Tensors> ReverseOp::evaluate(ArrayRef<Tensor> operands, Evaluator &) {
  const Tensor &x = operands[0];
  eval::Shape strides = stridesOf(x.getShape());
  int64_t base = 0;
  for (int64_t axis : getAxes()) {
    base += std::max<int64_t>(x.getDim(axis) - 1, 0) * strides[axis];
    strides[axis] = -strides[axis];
  }
  return Tensors{
      copyFrom(x, x.getShape(), stridedOffsets(x.getShape(), strides, base))};
}

FailureOr<Tensors> IotaOp::evaluate(ArrayRef<Tensor> operands, Evaluator &) {
  size_t next = 0;
  eval::Shape shape = resolveMixed(getShape(), operands, next),
              strides(shape.size(), 0);
  if (failed(checkResolved(*this, shape)))
    return failure();
  strides[getAxis()] = 1;
  return Tensors{
      Tensor::fromVector(RankedTensorType::get(shape, getElementType()),
                         stridedOffsets(shape, strides))};
}

FailureOr<Tensors> DimOp::evaluate(ArrayRef<Tensor> operands, Evaluator &) {
  Tensor y(getType());
  y.set(0, operands[0].getDim(getAxis()));
  return Tensors{y};
}

FailureOr<Tensors> RelayoutOp::evaluate(ArrayRef<Tensor> operands,
                                        Evaluator &) {
  if (getTo() == Layout::Blocked)
    return Tensors{toBlocked(operands[0])};
  return Tensors{toPlanar(operands[0], getChannels())};
}

} // namespace graven
