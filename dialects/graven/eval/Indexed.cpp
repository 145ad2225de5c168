//===- Indexed.cpp - meaning of the gather and scatter ops ----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the naive functions of the ops that are indexed by data.
// An index outside its axis is a located error.
//===----------------------------------------------------------------------===//

#include "dialects/graven/eval/Compute.h"
#include "dialects/graven/eval/Scalar.h"

using namespace mlir;
using namespace graven::eval;

namespace graven {

FailureOr<Tensors> GatherOp::evaluate(ArrayRef<Tensor> operands, Evaluator &) {
  const Tensor &x = operands[0], &indices = operands[1];
  Tensor y(resultType(*this));
  int64_t axis = getAxis(), extent = x.getDim(axis),
          outer = product(x.getShape().take_front(axis)),
          inner = product(x.getShape().drop_front(axis + 1)), to = 0;
  for (int64_t o = 0; o < outer; ++o)
    for (int64_t i = 0, e = indices.size(); i < e; ++i) {
      auto index = resolveIndex(*this, indices.getInt(i), extent, axis);
      if (failed(index))
        return failure();
      y.copy(to, x, (o * extent + *index) * inner, inner);
      to += inner;
    }
  return Tensors{y};
}

FailureOr<Tensors> GatherElementsOp::evaluate(ArrayRef<Tensor> operands,
                                              Evaluator &) {
  const Tensor &x = operands[0], &indices = operands[1];
  Tensor y(resultType(*this));
  int64_t axis = getAxis();
  eval::Shape strides = stridesOf(x.getShape());
  int64_t stride = strides[axis];
  strides[axis] = 0;
  auto bases = stridedOffsets(indices.getShape(), strides);
  for (int64_t i = 0, e = y.size(); i < e; ++i) {
    auto index = resolveIndex(*this, indices.getInt(i), x.getDim(axis), axis);
    if (failed(index))
      return failure();
    y.copy(i, x, bases[i] + *index * stride);
  }
  return Tensors{y};
}

/// Offset into x of the index tuple `tuple` of `indices`, which names the axes
/// of x from `firstAxis` on.
static FailureOr<int64_t> tupleOffset(Operation *op, const Tensor &x,
                                      const Tensor &indices, int64_t tuple,
                                      int64_t firstAxis) {
  eval::Shape strides = stridesOf(x.getShape());
  int64_t length = indices.getShape().back(), offset = 0;
  for (int64_t t = 0; t < length; ++t) {
    int64_t axis = firstAxis + t;
    auto index = resolveIndex(op, indices.getInt(tuple * length + t),
                              x.getDim(axis), axis);
    if (failed(index))
      return failure();
    offset += *index * strides[axis];
  }
  return offset;
}

FailureOr<Tensors> GatherNdOp::evaluate(ArrayRef<Tensor> operands,
                                        Evaluator &) {
  const Tensor &x = operands[0], &indices = operands[1];
  Tensor y(resultType(*this));
  int64_t batch = getBatchDims(), length = indices.getShape().back(),
          samples = product(x.getShape().take_front(batch)),
          sample = product(x.getShape().drop_front(batch)),
          inner = product(x.getShape().drop_front(batch + length)),
          tuples = product(indices.getShape().drop_back()),
          perSample = samples == 0 ? 0 : tuples / samples;
  for (int64_t i = 0; i < tuples; ++i) {
    auto offset = tupleOffset(*this, x, indices, i, batch);
    if (failed(offset))
      return failure();
    y.copy(i * inner, x, i / perSample * sample + *offset, inner);
  }
  return Tensors{y};
}

template <class T> static T combine(T old, T update, ScatterKind kind) {
  switch (kind) {
  case ScatterKind::None:
    return update;
  case ScatterKind::Add:
    return eval::add(old, update);
  case ScatterKind::Mul:
    return eval::mul(old, update);
  case ScatterKind::Max:
    return eval::max(old, update);
  case ScatterKind::Min:
    return eval::min(old, update);
  }
  llvm_unreachable("unknown kind");
}

FailureOr<Tensors> ScatterNdOp::evaluate(ArrayRef<Tensor> operands,
                                         Evaluator &) {
  const Tensor &x = operands[0], &indices = operands[1], &updates = operands[2];
  Tensor y = Tensor::fromBytes(x.getType(), x.getBytes());
  int64_t length = indices.getShape().back(),
          inner = product(x.getShape().drop_front(length)),
          tuples = product(indices.getShape().drop_back());
  for (int64_t i = 0; i < tuples; ++i) {
    auto offset = tupleOffset(*this, x, indices, i, 0);
    if (failed(offset))
      return failure();
    dispatch(x.getElementType(), [&](auto zero) {
      using T = decltype(zero);
      for (int64_t j = 0; j < inner; ++j)
        y.set(*offset + j, combine(y.get<T>(*offset + j),
                                   updates.get<T>(i * inner + j), getKind()));
    });
  }
  return Tensors{y};
}

FailureOr<Tensors> NonzeroOp::evaluate(ArrayRef<Tensor> operands, Evaluator &) {
  const Tensor &x = operands[0];
  Tensor indices(cast<RankedTensorType>(getIndices().getType())),
      count(cast<RankedTensorType>(getCount().getType()));
  eval::Shape strides = stridesOf(x.getShape());
  int64_t found = 0, rank = x.getRank();
  for (int64_t i = 0, e = x.size(); i < e; ++i) {
    if (x.getDouble(i) == 0)
      continue;
    for (int64_t axis = 0; axis < rank; ++axis)
      indices.set(found * rank + axis, i / strides[axis] % x.getDim(axis));
    ++found;
  }
  count.set(0, found);
  return Tensors{indices, count};
}

FailureOr<Tensors> PrefixOp::evaluate(ArrayRef<Tensor> operands, Evaluator &) {
  const Tensor &x = operands[0];
  Tensor y(resultType(*this));
  int64_t axis = getAxis(), most = x.getDim(axis), extent = getExtent(),
          inner = product(x.getShape().drop_front(axis + 1));
  for (int64_t o = 0, e = product(x.getShape().take_front(axis)); o < e; ++o)
    y.copy(o * extent * inner, x, o * most * inner, extent * inner);
  return Tensors{y};
}

} // namespace graven
