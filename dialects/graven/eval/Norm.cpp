//===- Norm.cpp - meaning of the normalisations ---------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the naive functions of the normalisations and of
// softmax: statistics in double, two passes, rounded once.
//===----------------------------------------------------------------------===//

#include "dialects/graven/eval/Compute.h"
#include "dialects/graven/eval/Scalar.h"

using namespace mlir;
using namespace graven::eval;

namespace graven {

static double meanOf(ArrayRef<double> row) {
  double sum = 0;
  for (double v : row)
    sum += v;
  return sum / static_cast<double>(row.size());
}

/// Subtracts the mean from a row and divides it by the root of its biased
/// variance plus epsilon.
static void normalise(MutableArrayRef<double> row, double epsilon) {
  double mean = meanOf(row), squares = 0;
  for (double v : row)
    squares += (v - mean) * (v - mean);
  double root = std::sqrt(squares / static_cast<double>(row.size()) + epsilon);
  for (double &v : row)
    v = (v - mean) / root;
}

/// Multiplies by scale and adds bias, where present; element i of a row takes
/// parameter index(i).
template <class Index>
static void applyAffine(Doubles &values, const Tensor *scale,
                        const Tensor *bias, Index &&index) {
  Doubles factors, terms;
  if (scale)
    factors = scale->toDoubles();
  if (bias)
    terms = bias->toDoubles();
  for (size_t i = 0; i < values.size(); ++i) {
    if (scale)
      values[i] *= factors[index(i)];
    if (bias)
      values[i] += terms[index(i)];
  }
}

FailureOr<Tensors> BatchNormOp::evaluate(ArrayRef<Tensor> operands,
                                         Evaluator &) {
  const Tensor &x = operands[0];
  Doubles values = x.toDoubles(), scale = operands[1].toDoubles(),
          bias = operands[2].toDoubles(), mean = operands[3].toDoubles(),
          variance = operands[4].toDoubles();
  double epsilon = getEpsilon().convertToDouble();
  size_t points = product(x.getShape().drop_front(2)), channels = x.getDim(1);
  for (size_t i = 0; i < values.size(); ++i) {
    size_t c = i / points % channels;
    values[i] =
        (values[i] - mean[c]) / std::sqrt(variance[c] + epsilon) * scale[c] +
        bias[c];
  }
  return Tensors{Tensor::fromVector(x.getType(), values)};
}

FailureOr<Tensors> LayerNormOp::evaluate(ArrayRef<Tensor> operands,
                                         Evaluator &) {
  const Tensor &x = operands[0];
  Doubles values = x.toDoubles();
  size_t row = product(x.getShape().drop_front(getAxis()));
  for (size_t i = 0; i < values.size(); i += row)
    normalise(MutableArrayRef(values).slice(i, row),
              getEpsilon().convertToDouble());
  size_t next = 1;
  const Tensor *scale = getScale() ? &operands[next++] : nullptr,
               *bias = getBias() ? &operands[next] : nullptr;
  applyAffine(values, scale, bias, [row](size_t i) { return i % row; });
  return Tensors{Tensor::fromVector(x.getType(), values)};
}

FailureOr<Tensors> RmsNormOp::evaluate(ArrayRef<Tensor> operands, Evaluator &) {
  const Tensor &x = operands[0];
  Doubles values = x.toDoubles();
  size_t row = product(x.getShape().drop_front(getAxis()));
  double epsilon = getEpsilon().convertToDouble();
  for (size_t i = 0; i < values.size(); i += row) {
    auto slice = MutableArrayRef(values).slice(i, row);
    double squares = 0;
    for (double v : slice)
      squares += v * v;
    double root = std::sqrt(squares / static_cast<double>(row) + epsilon);
    for (double &v : slice)
      v /= root;
  }
  applyAffine(values, getScale() ? &operands[1] : nullptr, nullptr,
              [row](size_t i) { return i % row; });
  return Tensors{Tensor::fromVector(x.getType(), values)};
}

FailureOr<Tensors> GroupNormOp::evaluate(ArrayRef<Tensor> operands,
                                         Evaluator &) {
  const Tensor &x = operands[0];
  Doubles values = x.toDoubles();
  size_t points = product(x.getShape().drop_front(2)), channels = x.getDim(1),
         row = channels / static_cast<size_t>(getGroups()) * points;
  for (size_t i = 0; i < values.size(); i += row)
    normalise(MutableArrayRef(values).slice(i, row),
              getEpsilon().convertToDouble());
  size_t next = 1;
  const Tensor *scale = getScale() ? &operands[next++] : nullptr,
               *bias = getBias() ? &operands[next] : nullptr;
  applyAffine(values, scale, bias,
              [points, channels](size_t i) { return i / points % channels; });
  return Tensors{Tensor::fromVector(x.getType(), values)};
}

/// Calls body(row) with a copy of every line along `axis` and stores what it
/// leaves there.
template <class Body>
static Tensor mapLines(const Tensor &x, int64_t axis, Body &&body) {
  Tensor y(x.getType());
  int64_t extent = x.getDim(axis),
          stride = product(x.getShape().drop_front(axis + 1)),
          lines = product(x.getShape().take_front(axis)) * stride;
  Doubles row(extent);
  for (int64_t line = 0; line < lines; ++line) {
    int64_t start = line / stride * stride * extent + line % stride;
    for (int64_t i = 0; i < extent; ++i)
      row[i] = x.getDouble(start + i * stride);
    body(row);
    for (int64_t i = 0; i < extent; ++i)
      y.set(start + i * stride, row[i]);
  }
  return y;
}

static double greatest(ArrayRef<double> row) {
  double most = -std::numeric_limits<double>::infinity();
  for (double v : row)
    most = eval::max(most, v);
  return most;
}

FailureOr<Tensors> SoftmaxOp::evaluate(ArrayRef<Tensor> operands, Evaluator &) {
  return Tensors{mapLines(operands[0], getAxis(), [](Doubles &row) {
    double most = greatest(row), sum = 0;
    for (double &v : row)
      sum += v = std::exp(v - most);
    for (double &v : row)
      v /= sum;
  })};
}

FailureOr<Tensors> LogSoftmaxOp::evaluate(ArrayRef<Tensor> operands,
                                          Evaluator &) {
  return Tensors{mapLines(operands[0], getAxis(), [](Doubles &row) {
    double most = greatest(row), sum = 0;
    for (double v : row)
      sum += std::exp(v - most);
    for (double &v : row)
      v = v - most - std::log(sum);
  })};
}

} // namespace graven
