//===- Elementwise.cpp - meaning of the elementwise ops -------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the naive functions of the elementwise ops that are
// neither plainly unary nor plainly binary (those are generated).
//===----------------------------------------------------------------------===//

#include "dialects/graven/eval/Compute.h"
#include "dialects/graven/eval/Scalar.h"

using namespace mlir;
using namespace graven::eval;

namespace graven {

/// Truncates and saturates; NaN gives 0.
template <class T> static T saturate(double value, Type elementType) {
  if (std::isnan(value))
    return 0;
  T least = lowest<T>(elementType), most = highest<T>(elementType);
  value = std::trunc(value);
  if (value <= static_cast<double>(least))
    return least;
  return value >= static_cast<double>(most) ? most : static_cast<T>(value);
}

FailureOr<Tensors> CastOp::evaluate(ArrayRef<Tensor> operands, Evaluator &) {
  const Tensor &x = operands[0];
  Tensor y(resultType(*this));
  Type to = y.getElementType();
  bool fromFloat = isa<FloatType>(x.getElementType());
  dispatch(x.getElementType(), [&](auto zero) {
    using T = decltype(zero);
    for (int64_t i = 0, e = x.size(); i < e; ++i) {
      T value = x.get<T>(i);
      if (to.isInteger(1))
        y.set(i, static_cast<uint64_t>(value != T(0)));
      else if (!fromFloat || isa<FloatType>(to))
        y.set(i, value);
      else if (kindOf(to) == Kind::Signed)
        y.set(i, saturate<int64_t>(static_cast<double>(value), to));
      else
        y.set(i, saturate<uint64_t>(static_cast<double>(value), to));
    }
  });
  return Tensors{y};
}

FailureOr<Tensors> BitcastOp::evaluate(ArrayRef<Tensor> operands, Evaluator &) {
  return Tensors{Tensor::fromBytes(resultType(*this), operands[0].getBytes())};
}

template <class T> static bool compare(T a, T b, ComparePredicate predicate) {
  switch (predicate) {
  case ComparePredicate::Eq:
    return a == b;
  case ComparePredicate::Ne:
    return a != b;
  case ComparePredicate::Lt:
    return a < b;
  case ComparePredicate::Le:
    return a <= b;
  case ComparePredicate::Gt:
    return a > b;
  case ComparePredicate::Ge:
    return a >= b;
  }
  llvm_unreachable("unknown predicate");
}

FailureOr<Tensors> CompareOp::evaluate(ArrayRef<Tensor> operands, Evaluator &) {
  const Tensor &a = operands[0], &b = operands[1];
  Tensor y(resultType(*this));
  auto fromA = broadcastOffsets(a.getShape(), y.getShape()),
       fromB = broadcastOffsets(b.getShape(), y.getShape());
  dispatch(a.getElementType(), [&](auto zero) {
    using T = decltype(zero);
    for (int64_t i = 0, e = y.size(); i < e; ++i)
      y.set(i, static_cast<uint64_t>(compare(
                   a.get<T>(fromA[i]), b.get<T>(fromB[i]), getPredicate())));
  });
  return Tensors{y};
}

FailureOr<Tensors> SelectOp::evaluate(ArrayRef<Tensor> operands, Evaluator &) {
  const Tensor &cond = operands[0], &a = operands[1], &b = operands[2];
  Tensor y(resultType(*this));
  auto fromCond = broadcastOffsets(cond.getShape(), y.getShape()),
       fromA = broadcastOffsets(a.getShape(), y.getShape()),
       fromB = broadcastOffsets(b.getShape(), y.getShape());
  for (int64_t i = 0, e = y.size(); i < e; ++i) {
    if (cond.getUnsigned(fromCond[i]))
      y.copy(i, a, fromA[i]);
    else
      y.copy(i, b, fromB[i]);
  }
  return Tensors{y};
}

FailureOr<Tensors> ClampOp::evaluate(ArrayRef<Tensor> operands, Evaluator &) {
  Tensor y = operands[0];
  size_t next = 1;
  auto zipMax = [](auto a, auto b) { return eval::max(a, b); };
  auto zipMin = [](auto a, auto b) { return eval::min(a, b); };
  if (getLo())
    y = eval::zip(y, operands[next++], zipMax)[0];
  if (getHi())
    y = eval::zip(y, operands[next], zipMin)[0];
  return Tensors{y};
}

FailureOr<Tensors> LeakyReluOp::evaluate(ArrayRef<Tensor> operands,
                                         Evaluator &) {
  return eval::zip(operands[0], operands[1], [](auto x, auto slope) {
    return x < 0 ? eval::mul(slope, x) : x;
  });
}

} // namespace graven
