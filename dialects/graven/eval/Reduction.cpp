//===- Reduction.cpp - meaning of reductions and scans --------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the naive functions of the reductions, scans and top-k.
// Floats accumulate in double and are rounded once.
//===----------------------------------------------------------------------===//

#include "dialects/graven/eval/Compute.h"
#include "dialects/graven/eval/Scalar.h"
#include <numeric>

using namespace mlir;
using namespace graven::eval;

namespace graven {

/// What an empty reduction gives.
template <class T> static T identityOf(ReduceKind kind, Type elementType) {
  switch (kind) {
  case ReduceKind::Sum:
  case ReduceKind::Mean:
  case ReduceKind::Or:
    return 0;
  case ReduceKind::Prod:
    return 1;
  case ReduceKind::Max:
    return lowest<T>(elementType);
  case ReduceKind::Min:
    return highest<T>(elementType);
  case ReduceKind::And:
    return static_cast<T>(-1);
  }
  llvm_unreachable("unknown kind");
}

template <class T> static T combine(ReduceKind kind, T a, T b) {
  switch (kind) {
  case ReduceKind::Sum:
  case ReduceKind::Mean:
    return eval::add(a, b);
  case ReduceKind::Prod:
    return eval::mul(a, b);
  case ReduceKind::Max:
    return eval::max(a, b);
  case ReduceKind::Min:
    return eval::min(a, b);
  case ReduceKind::And:
    return eval::bitAnd(a, b);
  case ReduceKind::Or:
    return eval::bitOr(a, b);
  }
  llvm_unreachable("unknown kind");
}

/// The quotient of a mean: floats NaN for no elements, ints 0, truncated.
template <class T> static T meanOf(T sum, int64_t count) {
  if constexpr (std::is_same_v<T, double>)
    return sum / static_cast<double>(count);
  else
    return count == 0 ? T(0) : sum / static_cast<T>(count);
}

FailureOr<Tensors> ReduceOp::evaluate(ArrayRef<Tensor> operands, Evaluator &) {
  const Tensor &x = operands[0];
  Tensor y(resultType(*this));
  // Strides of the result for every axis of x: 0 on those reduced away.
  eval::Shape kept(x.getShape()), strides;
  int64_t count = 1;
  for (int64_t axis : getAxes()) {
    count *= kept[axis];
    kept[axis] = 1;
  }
  strides = stridesOf(kept);
  for (int64_t axis : getAxes())
    strides[axis] = 0;
  auto to = stridedOffsets(x.getShape(), strides);
  ReduceKind kind = getKind();
  dispatch(x.getElementType(), [&](auto zero) {
    using T = decltype(zero);
    std::vector<T> sums(y.size(), identityOf<T>(kind, x.getElementType()));
    for (int64_t i = 0, e = x.size(); i < e; ++i)
      sums[to[i]] = combine(kind, sums[to[i]], x.get<T>(i));
    if (kind == ReduceKind::Mean)
      for (T &sum : sums)
        sum = meanOf(sum, count);
    y = Tensor::fromVector(y.getType(), sums);
  });
  return Tensors{y};
}

namespace {
/// The lines of a tensor along one axis: element i of a line is at
/// `start + i * stride`.
struct Lines {
  int64_t extent, stride, outer;

  Lines(const Tensor &x, int64_t axis)
      : extent(x.getDim(axis)),
        stride(product(x.getShape().drop_front(axis + 1))),
        outer(product(x.getShape().take_front(axis))) {}

  int64_t count() const { return outer * stride; }
  /// First element of line `line` in a tensor with `extent` elements a line.
  int64_t start(int64_t line, int64_t extent) const {
    return line / stride * stride * extent + line % stride;
  }
};
} // namespace

/// Strict order in which NaN is the greatest.
template <class T> static bool less(T a, T b) {
  if constexpr (std::is_same_v<T, double>) {
    if (std::isnan(a))
      return false;
    if (std::isnan(b))
      return true;
  }
  return a < b;
}

/// Whether a is the more extreme element: NaN is, of either extreme.
template <class T> static bool isMoreExtreme(T a, T b, ExtremeKind kind) {
  if constexpr (std::is_same_v<T, double>) {
    if (std::isnan(a) || std::isnan(b))
      return std::isnan(a) && !std::isnan(b);
  }
  return kind == ExtremeKind::Max ? b < a : a < b;
}

FailureOr<Tensors> ArgReduceOp::evaluate(ArrayRef<Tensor> operands,
                                         Evaluator &) {
  const Tensor &x = operands[0];
  Tensor y(resultType(*this));
  Lines lines(x, getAxis());
  dispatch(x.getElementType(), [&](auto zero) {
    using T = decltype(zero);
    for (int64_t line = 0, e = lines.count(); line < e; ++line) {
      int64_t start = lines.start(line, lines.extent), best = 0;
      for (int64_t i = 1; i < lines.extent; ++i) {
        T now = x.get<T>(start + i * lines.stride),
          old = x.get<T>(start + best * lines.stride);
        if (isMoreExtreme(now, old, getKind()) ||
            (getLastIndex() && !isMoreExtreme(old, now, getKind())))
          best = i;
      }
      y.set(line, best);
    }
  });
  return Tensors{y};
}

FailureOr<Tensors> CumReduceOp::evaluate(ArrayRef<Tensor> operands,
                                         Evaluator &) {
  const Tensor &x = operands[0];
  Tensor y(resultType(*this));
  Lines lines(x, getAxis());
  dispatch(x.getElementType(), [&](auto zero) {
    using T = decltype(zero);
    for (int64_t line = 0, e = lines.count(); line < e; ++line) {
      int64_t start = lines.start(line, lines.extent);
      T running = identityOf<T>(getKind(), x.getElementType());
      for (int64_t i = 0; i < lines.extent; ++i) {
        int64_t at =
            start + (getReverse() ? lines.extent - 1 - i : i) * lines.stride;
        if (getExclusive())
          y.set(at, running);
        running = combine(getKind(), running, x.get<T>(at));
        if (!getExclusive())
          y.set(at, running);
      }
    }
  });
  return Tensors{y};
}

FailureOr<Tensors> TopKOp::evaluate(ArrayRef<Tensor> operands, Evaluator &) {
  const Tensor &x = operands[0];
  Tensor values(cast<RankedTensorType>(getValues().getType())),
      indices(cast<RankedTensorType>(getIndices().getType()));
  Lines lines(x, getAxis());
  int64_t k = getK();
  dispatch(x.getElementType(), [&](auto zero) {
    using T = decltype(zero);
    std::vector<int64_t> order(lines.extent);
    for (int64_t line = 0, e = lines.count(); line < e; ++line) {
      int64_t start = lines.start(line, lines.extent),
              to = lines.start(line, k);
      std::iota(order.begin(), order.end(), 0);
      std::partial_sort(order.begin(), order.begin() + k, order.end(),
                        [&](int64_t a, int64_t b) {
                          T left = x.get<T>(start + a * lines.stride),
                            right = x.get<T>(start + b * lines.stride);
                          if (getLargest())
                            std::swap(left, right);
                          return less(left, right) ||
                                 (!less(right, left) && a < b);
                        });
      for (int64_t i = 0; i < k; ++i) {
        values.copy(to + i * lines.stride, x, start + order[i] * lines.stride);
        indices.set(to + i * lines.stride, order[i]);
      }
    }
  });
  return Tensors{values, indices};
}

} // namespace graven
