//===- Convolution.cpp - meaning of the convolutions ----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the naive functions of conv and conv_transpose. A plane
// of the result is accumulated in double, tap by tap; blocked tensors are made
// planar first.
//===----------------------------------------------------------------------===//

#include "dialects/graven/eval/Compute.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace graven::eval;

namespace graven {

using Triple = Sweep::Triple;

/// Calls body(out offset, in offset, count, in step) for every row of result
/// points whose tap lies inside the input: out = o, in = o stride + k dilation
/// - low.
template <class Body>
static void forEachTapRow(const Sweep &s, const Triple &k, Body &&body) {
  auto position = [&](int axis, int64_t o) {
    return o * s.stride[axis] + k[axis] * s.dilation[axis] - s.low[axis];
  };
  // Result columns [first, last) read inside the input.
  int64_t shift = position(2, 0),
          first =
              std::max<int64_t>(0, llvm::divideCeilSigned(-shift, s.stride[2])),
          last = std::min(s.out[2],
                          llvm::divideCeilSigned(s.in[2] - shift, s.stride[2]));
  if (first >= last)
    return;
  for (int64_t o0 = 0; o0 < s.out[0]; ++o0) {
    int64_t i0 = position(0, o0);
    if (i0 < 0 || i0 >= s.in[0])
      continue;
    for (int64_t o1 = 0; o1 < s.out[1]; ++o1) {
      int64_t i1 = position(1, o1);
      if (i1 < 0 || i1 >= s.in[1])
        continue;
      body((o0 * s.out[1] + o1) * s.out[2] + first,
           (i0 * s.in[1] + i1) * s.in[2] + position(2, first), last - first,
           s.stride[2]);
    }
  }
}

/// Calls body(k, flat index of k) for every tap of the kernel.
template <class Body> static void forEachTap(const Sweep &s, Body &&body) {
  int64_t flat = 0;
  for (int64_t k0 = 0; k0 < s.kernel[0]; ++k0)
    for (int64_t k1 = 0; k1 < s.kernel[1]; ++k1)
      for (int64_t k2 = 0; k2 < s.kernel[2]; ++k2)
        body(Triple{k0, k1, k2}, flat++);
}

/// Fills every [n, c] plane of `points` elements of `out` with bias[c].
static void fillBias(Doubles &out, const Tensor &bias, int64_t points) {
  Doubles values = bias.toDoubles();
  for (size_t i = 0; i < out.size(); ++i)
    out[i] = values[i / points % values.size()];
}

/// x planar [N,Ci,D..], w [Co,Ci/groups,K..]; `type` is planar.
static Tensor convolve(ConvOp op, const Tensor &x, const Tensor &w,
                       const Tensor *bias, RankedTensorType type) {
  Sweep s(x.getShape().drop_front(2), w.getShape().drop_front(2),
          type.getShape().drop_front(2), op.getStrides(), op.getDilations(),
          op.getPads());
  int64_t samples = x.getDim(0), inChannels = x.getDim(1),
          outChannels = w.getDim(0), perGroup = w.getDim(1),
          outPerGroup = outChannels / static_cast<int64_t>(op.getGroups()),
          in = Sweep::count(s.in), out = Sweep::count(s.out),
          taps = Sweep::count(s.kernel);
  Doubles from = x.toDoubles(), weights = w.toDoubles(),
          to(product(type.getShape()));
  if (bias)
    fillBias(to, *bias, out);
  for (int64_t n = 0; n < samples; ++n)
    for (int64_t co = 0; co < outChannels; ++co) {
      double *plane = to.data() + (n * outChannels + co) * out;
      for (int64_t ci = 0; ci < perGroup; ++ci) {
        int64_t channel = co / outPerGroup * perGroup + ci;
        const double *source = from.data() + (n * inChannels + channel) * in;
        forEachTap(s, [&](const Triple &k, int64_t tap) {
          double weight = weights[(co * perGroup + ci) * taps + tap];
          forEachTapRow(s, k,
                        [&](int64_t o, int64_t i, int64_t count, int64_t step) {
                          double *y = plane + o;
                          const double *row = source + i;
                          if (step == 1) {
                            for (int64_t p = 0; p < count; ++p)
                              y[p] += weight * row[p];
                          } else {
                            for (int64_t p = 0; p < count; ++p)
                              y[p] += weight * row[p * step];
                          }
                        });
        });
      }
    }
  return Tensor::fromVector(type, to);
}

FailureOr<Tensors> ConvOp::evaluate(ArrayRef<Tensor> operands, Evaluator &) {
  const Tensor *bias = getBias() ? &operands[2] : nullptr;
  RankedTensorType type = resultType(*this);
  if (getLayout() == Layout::Planar)
    return Tensors{convolve(*this, operands[0], operands[1], bias, type)};
  eval::Shape planar(type.getShape().drop_back());
  planar[1] = operands[1].getDim(0);
  const Tensor &given = operands[0];
  Tensor x = given.getRank() == operands[1].getRank()
                 ? given
                 : toPlanar(given, *getChannels());
  return Tensors{toBlocked(
      convolve(*this, x, operands[1], bias,
               RankedTensorType::get(planar, type.getElementType())))};
}

FailureOr<Tensors> ConvTransposeOp::evaluate(ArrayRef<Tensor> operands,
                                             Evaluator &) {
  const Tensor &x = operands[0], &w = operands[1];
  RankedTensorType type = resultType(*this);
  // The scatter of conv_transpose walks the taps of the convolution that maps
  // the result back onto x.
  Sweep s(type.getShape().drop_front(2), w.getShape().drop_front(2),
          x.getShape().drop_front(2), getStrides(), getDilations(), getPads());
  int64_t samples = x.getDim(0), inChannels = x.getDim(1),
          outChannels = type.getDimSize(1), outPerGroup = w.getDim(1),
          inPerGroup = inChannels / static_cast<int64_t>(getGroups()),
          in = Sweep::count(s.out), out = Sweep::count(s.in),
          taps = Sweep::count(s.kernel);
  Doubles from = x.toDoubles(), weights = w.toDoubles(),
          to(product(type.getShape()));
  if (getBias())
    fillBias(to, operands[2], out);
  for (int64_t n = 0; n < samples; ++n)
    for (int64_t ci = 0; ci < inChannels; ++ci)
      for (int64_t j = 0; j < outPerGroup; ++j) {
        int64_t co = ci / inPerGroup * outPerGroup + j;
        double *plane = to.data() + (n * outChannels + co) * out;
        const double *source = from.data() + (n * inChannels + ci) * in;
        forEachTap(s, [&](const Triple &k, int64_t tap) {
          double weight = weights[(ci * outPerGroup + j) * taps + tap];
          forEachTapRow(s, k,
                        [&](int64_t i, int64_t o, int64_t count, int64_t step) {
                          for (int64_t p = 0; p < count; ++p)
                            plane[o + p * step] += weight * source[i + p];
                        });
        });
      }
  return Tensors{Tensor::fromVector(type, to)};
}

} // namespace graven
