//===- Pooling.cpp - meaning of the pooling ops ---------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the naive functions of max_pool and avg_pool. In a
// blocked tensor each lane of a block is a channel like any other.
//===----------------------------------------------------------------------===//

#include "dialects/graven/eval/Compute.h"
#include "dialects/graven/eval/Scalar.h"

using namespace mlir;
using namespace graven::eval;

namespace graven {

/// Runs `pool(planar x, planar result type)` in the layout of the op.
template <class OpTy, class Pool>
static Tensor inLayout(OpTy op, const Tensor &x, Pool &&pool) {
  RankedTensorType type = resultType(op);
  if (op.getLayout() == Layout::Planar)
    return pool(x, type);
  int64_t channels = x.getDim(1) * x.getShape().back();
  eval::Shape planar(type.getShape().drop_back());
  planar[1] = channels;
  return toBlocked(pool(toPlanar(x, channels),
                        RankedTensorType::get(planar, type.getElementType())));
}

template <class OpTy>
static Sweep sweepOf(OpTy op, const Tensor &x, RankedTensorType type) {
  return Sweep(x.getShape().drop_front(2), op.getKernel(),
               type.getShape().drop_front(2), op.getStrides(),
               op.getDilations(), op.getPads());
}

/// Positions in [lo, hi) of one window along one axis.
static SmallVector<int64_t> positions(const Sweep &s, int axis, int64_t o,
                                      int64_t lo, int64_t hi) {
  SmallVector<int64_t> inside;
  for (int64_t k = 0; k < s.kernel[axis]; ++k) {
    int64_t p = o * s.stride[axis] - s.low[axis] + k * s.dilation[axis];
    if (p >= lo && p < hi)
      inside.push_back(p);
  }
  return inside;
}

/// Calls body(result point, positions along each axis) for every window, with
/// the positions inside the input.
template <class Body> static void forEachWindow(const Sweep &s, Body &&body) {
  int64_t point = 0;
  for (int64_t o0 = 0; o0 < s.out[0]; ++o0) {
    auto p0 = positions(s, 0, o0, 0, s.in[0]);
    for (int64_t o1 = 0; o1 < s.out[1]; ++o1) {
      auto p1 = positions(s, 1, o1, 0, s.in[1]);
      for (int64_t o2 = 0; o2 < s.out[2]; ++o2)
        body(point++, Sweep::Triple{o0, o1, o2}, p0, p1,
             positions(s, 2, o2, 0, s.in[2]));
    }
  }
}

/// Folds every window of every plane: y = finish(fold of step from init, o).
template <class T, class Step, class Finish>
static Tensor poolPlanes(const Sweep &s, const Tensor &x, RankedTensorType type,
                         T init, Step &&step, Finish &&finish) {
  Tensor y(type);
  std::vector<T> from = x.toVector<T>();
  int64_t planes = x.getDim(0) * x.getDim(1), in = Sweep::count(s.in),
          out = Sweep::count(s.out);
  forEachWindow(s, [&](int64_t point, const Sweep::Triple &o,
                       ArrayRef<int64_t> p0, ArrayRef<int64_t> p1,
                       ArrayRef<int64_t> p2) {
    for (int64_t plane = 0; plane < planes; ++plane) {
      T value = init;
      for (int64_t i0 : p0)
        for (int64_t i1 : p1)
          for (int64_t i2 : p2)
            value = step(value,
                         from[plane * in + (i0 * s.in[1] + i1) * s.in[2] + i2]);
      y.set(plane * out + point, finish(value, o));
    }
  });
  return y;
}

FailureOr<Tensors> MaxPoolOp::evaluate(ArrayRef<Tensor> operands, Evaluator &) {
  return Tensors{
      inLayout(*this, operands[0], [&](const Tensor &x, RankedTensorType type) {
        Sweep s = sweepOf(*this, x, type);
        return dispatch(x.getElementType(), [&](auto zero) {
          using T = decltype(zero);
          return poolPlanes<T>(
              s, x, type, lowest<T>(x.getElementType()),
              [](T a, T b) { return eval::max(a, b); },
              [](T value, const Sweep::Triple &) { return value; });
        });
      })};
}

FailureOr<Tensors> AvgPoolOp::evaluate(ArrayRef<Tensor> operands, Evaluator &) {
  int64_t divisor = getDivisor();
  bool countPad = getCountIncludePad();
  return Tensors{
      inLayout(*this, operands[0], [&](const Tensor &x, RankedTensorType type) {
        Sweep s = sweepOf(*this, x, type);
        auto taps = [&](const Sweep::Triple &o) {
          int64_t count = 1;
          for (int axis = 0; axis < 3; ++axis)
            count *= countPad
                         ? positions(s, axis, o[axis], -s.low[axis],
                                     s.in[axis] + s.high[axis])
                               .size()
                         : positions(s, axis, o[axis], 0, s.in[axis]).size();
          return count;
        };
        return poolPlanes<double>(
            s, x, type, 0.0, [](double a, double b) { return a + b; },
            [&](double sum, const Sweep::Triple &o) {
              return sum / static_cast<double>(divisor > 0 ? divisor : taps(o));
            });
      })};
}

} // namespace graven
