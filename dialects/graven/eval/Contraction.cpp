//===- Contraction.cpp - meaning of matmul and attention ------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the naive functions of matmul and attention. Sums are
// taken in double, in the order of the formula.
//===----------------------------------------------------------------------===//

#include "dialects/graven/eval/Compute.h"
#include "dialects/graven/eval/Scalar.h"

using namespace mlir;
using namespace graven::eval;

namespace graven {

/// Row-major copy of the [rows, columns] matrix at `from` of `elements`,
/// transposed if that is how it is stored.
template <class T>
static std::vector<T> matrixAt(const std::vector<T> &elements, int64_t from,
                               int64_t rows, int64_t columns,
                               bool storedTransposed) {
  std::vector<T> matrix(rows * columns);
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t c = 0; c < columns; ++c)
      matrix[r * columns + c] =
          elements[from + (storedTransposed ? c * rows + r : r * columns + c)];
  return matrix;
}

/// out[m,n] += sum_k a[m,k] b[k,n], all row-major.
template <class T>
static void multiply(const T *a, const T *b, T *out, int64_t M, int64_t N,
                     int64_t K) {
  for (int64_t m = 0; m < M; ++m)
    for (int64_t k = 0; k < K; ++k) {
      T left = a[m * K + k];
      const T *row = b + k * N;
      T *to = out + m * N;
      for (int64_t n = 0; n < N; ++n)
        to[n] = eval::add(to[n], eval::mul(left, row[n]));
    }
}

FailureOr<Tensors> MatmulOp::evaluate(ArrayRef<Tensor> operands, Evaluator &) {
  const Tensor &a = operands[0], &b = operands[1];
  Tensor y(resultType(*this));
  ArrayRef<int64_t> batch = y.getShape().drop_back(2);
  int64_t M = y.getShape().drop_front(batch.size())[0], N = y.getShape().back(),
          K = a.getDim(a.getRank() - (getTransposeA() ? 2 : 1));
  auto batchA = broadcastOffsets(a.getShape().drop_back(2), batch),
       batchB = broadcastOffsets(b.getShape().drop_back(2), batch);
  dispatch(y.getElementType(), [&](auto zero) {
    using T = decltype(zero);
    std::vector<T> left = a.toVector<T>(), right = b.toVector<T>(), out;
    out.resize(y.size());
    for (size_t i = 0; i < batchA.size(); ++i) {
      auto leftMatrix =
          matrixAt(left, batchA[i] * M * K, M, K, getTransposeA());
      auto rightMatrix =
          matrixAt(right, batchB[i] * K * N, K, N, getTransposeB());
      multiply(leftMatrix.data(), rightMatrix.data(), out.data() + i * M * N, M,
               N, K);
    }
    y = Tensor::fromVector(y.getType(), out);
  });
  return Tensors{y};
}

namespace {
/// What one attention head needs.
struct Head {
  const double *q, *k, *v;
  double *out;
  int64_t S, L, E, Ev;
};
} // namespace

/// Scores to probabilities in place; false if every key is masked.
static bool softmaxRow(MutableArrayRef<double> scores) {
  double most = -std::numeric_limits<double>::infinity(), sum = 0;
  for (double s : scores)
    most = eval::max(most, s);
  if (most == -std::numeric_limits<double>::infinity())
    return false;
  for (double &s : scores)
    sum += s = std::exp(s - most);
  for (double &s : scores)
    s /= sum;
  return true;
}

/// One head; `maskAt(i, j)` is added to score (i, j).
template <class Mask>
static void attend(AttentionOp op, const Head &head, Mask &&maskAt) {
  double scale = op.getScale().convertToDouble(),
         cap = op.getSoftcap().convertToDouble();
  constexpr double infinity = std::numeric_limits<double>::infinity();
  Doubles scores(head.L);
  for (int64_t i = 0; i < head.S; ++i) {
    double *out = head.out + i * head.Ev;
    for (int64_t j = 0; j < head.L; ++j) {
      double dot = 0;
      for (int64_t e = 0; e < head.E; ++e)
        dot += head.q[i * head.E + e] * head.k[j * head.E + e];
      double s = scale * dot;
      if (cap > 0)
        s = cap * std::tanh(s / cap);
      scores[j] = op.getCausal() && j > i ? -infinity : s + maskAt(i, j);
    }
    if (!softmaxRow(scores)) {
      double fill = op.getEmptyRow() == EmptyRow::Zero
                        ? 0
                        : std::numeric_limits<double>::quiet_NaN();
      std::fill(out, out + head.Ev, fill);
      continue;
    }
    for (int64_t j = 0; j < head.L; ++j)
      for (int64_t e = 0; e < head.Ev; ++e)
        out[e] += scores[j] * head.v[j * head.Ev + e];
  }
}

FailureOr<Tensors> AttentionOp::evaluate(ArrayRef<Tensor> operands,
                                         Evaluator &) {
  Tensor y(resultType(*this));
  Doubles q = operands[0].toDoubles(), k = operands[1].toDoubles(),
          v = operands[2].toDoubles(), out(y.size()), mask;
  int64_t B = operands[0].getDim(0), H = operands[0].getDim(1),
          S = operands[0].getDim(2), E = operands[0].getDim(3),
          Hk = operands[1].getDim(1), L = operands[1].getDim(2),
          Ev = operands[2].getDim(3);
  std::vector<int64_t> maskOffsets;
  if (getMask()) {
    mask = operands[3].toDoubles();
    // A bool mask becomes the float mask that it stands for.
    if (operands[3].getElementType().isInteger(1))
      for (double &m : mask)
        m = m == 0 ? -std::numeric_limits<double>::infinity() : 0;
    maskOffsets = broadcastOffsets(operands[3].getShape(), {B, H, S, L});
  }
  for (int64_t b = 0; b < B; ++b)
    for (int64_t h = 0; h < H; ++h) {
      int64_t head = b * H + h, keyHead = b * Hk + h * Hk / H;
      Head one{q.data() + head * S * E,
               k.data() + keyHead * L * E,
               v.data() + keyHead * L * Ev,
               out.data() + head * S * Ev,
               S,
               L,
               E,
               Ev};
      attend(*this, one, [&](int64_t i, int64_t j) {
        return mask.empty() ? 0.0 : mask[maskOffsets[(head * S + i) * L + j]];
      });
    }
  return Tensors{Tensor::fromVector(y.getType(), out)};
}

} // namespace graven
