//===- Recurrent.cpp - meaning of recurrent layers ------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the naive functions of lstm, gru and rnn: states in
// double, step by step, rounded once at the end.
//===----------------------------------------------------------------------===//

#include "dialects/graven/Recurrent.h"
#include "dialects/graven/eval/Compute.h"
#include "dialects/graven/eval/Scalar.h"

using namespace mlir;
using namespace graven::eval;

namespace graven {

static double apply(const GateFunction &gate, double x) {
  double alpha = gate.alpha, beta = gate.beta;
  switch (gate.function) {
  case Activation::Relu:
    return x < 0 ? 0 : x;
  case Activation::Tanh:
    return std::tanh(x);
  case Activation::Sigmoid:
    return sigmoid(x);
  case Activation::Affine:
    return alpha * x + beta;
  case Activation::LeakyRelu:
    return x < 0 ? alpha * x : x;
  case Activation::ThresholdedRelu:
    return x < alpha ? 0 : x;
  case Activation::ScaledTanh:
    return alpha * std::tanh(beta * x);
  case Activation::HardSigmoid:
    return hardSigmoid(x, alpha, beta);
  case Activation::Elu:
    return x < 0 ? alpha * std::expm1(x) : x;
  case Activation::Softsign:
    return x / (1 + std::fabs(x));
  case Activation::Softplus:
    return softplus(x);
  }
  llvm_unreachable("unknown activation");
}

namespace {

/// The operands of a layer as doubles, and the walk over its steps.
class Layer {
public:
  template <class OpTy>
  Layer(OpTy op, ArrayRef<Tensor> operands)
      : gates(kindOf(op).gates), clip(op.getClip().convertToDouble()),
        direction(op.getDirection()), x(operands[0].toDoubles()),
        w(operands[1].toDoubles()), r(operands[2].toDoubles()) {
    directions = directionsOf(direction);
    steps = operands[0].getDim(0);
    batch = operands[0].getDim(1);
    input = operands[0].getDim(2);
    hidden = operands[2].getDim(2);
    next = operands.begin() + 3;
    biasW = take(op.getBiasW(), directions * rows());
    biasR = take(op.getBiasR(), directions * rows());
    lengths.assign(batch, steps);
    if (op.getSeqLens()) {
      for (int64_t b = 0; b < batch; ++b)
        lengths[b] = next->getInt(b);
      ++next;
    }
    h = take(op.getH0(), directions * batch * hidden);
    y.assign(steps * batch * directions * hidden, 0);
  }

  int64_t rows() const { return gates * hidden; }
  /// The next operand, when it is present; otherwise zeros.
  Doubles take(Value operand, int64_t count) {
    return operand ? (next++)->toDoubles() : Doubles(count, 0);
  }
  double clamp(double v) const {
    return clip > 0 && v > clip ? clip : clip > 0 && v < -clip ? -clip : v;
  }
  /// Row `row` of R in direction d times a state.
  double timesState(int64_t d, int64_t row, ArrayRef<double> state) const {
    double sum = 0;
    for (int64_t k = 0; k < hidden; ++k)
      sum += r[(d * rows() + row) * hidden + k] * state[k];
    return sum;
  }

  /// Calls cell(d, state, place, fromInput, fromState) for each direction,
  /// sample and step inside its length: the cell replaces the state, whose
  /// place in [D,B] is given; fromInput is W x + bias_w, fromState R h +
  /// bias_r, row by row.
  template <class Cell> void run(Cell &&cell) {
    for (int64_t d = 0; d < directions; ++d)
      for (int64_t b = 0; b < batch; ++b)
        for (int64_t s = 0; s < steps; ++s) {
          int64_t t = isReverse(direction, d) ? steps - 1 - s : s;
          if (t < lengths[b])
            step(d, b, t, cell);
        }
  }

  Tensor output(Value result, const Doubles &values) const {
    return Tensor::fromVector(cast<RankedTensorType>(result.getType()), values);
  }

  int64_t gates, directions, steps, batch, input, hidden;
  double clip;
  Direction direction;
  Doubles x, w, r, biasW, biasR, h, y;

private:
  template <class Cell>
  void step(int64_t d, int64_t b, int64_t t, Cell &&cell) {
    int64_t place = d * batch + b;
    auto state = MutableArrayRef(h).slice(place * hidden, hidden);
    Doubles fromInput(rows()), fromState(rows());
    for (int64_t row = 0; row < rows(); ++row) {
      int64_t at = d * rows() + row;
      double sum = biasW[at];
      for (int64_t k = 0; k < input; ++k)
        sum += w[at * input + k] * x[(t * batch + b) * input + k];
      fromInput[row] = sum;
      fromState[row] = timesState(d, row, state) + biasR[at];
    }
    cell(d, state, place, fromInput, fromState);
    std::copy(state.begin(), state.end(),
              y.begin() + ((t * batch + b) * directions + d) * hidden);
  }

  const Tensor *next;
  std::vector<int64_t> lengths;
};

} // namespace

FailureOr<Tensors> LstmOp::evaluate(ArrayRef<Tensor> operands, Evaluator &) {
  Layer layer(*this, operands);
  int64_t n = layer.hidden;
  Doubles c = layer.take(getC0(), layer.directions * layer.batch * n),
          peephole = layer.take(getPeephole(), 0);
  layer.run([&](int64_t d, MutableArrayRef<double> h, int64_t place,
                const Doubles &fromInput, const Doubles &fromState) {
    auto functions = gateFunctionsOf(*this, d);
    auto gate = [&](int64_t index, int64_t j, double more,
                    const GateFunction &f) {
      int64_t row = index * n + j;
      return apply(f, layer.clamp(fromInput[row] + fromState[row] + more));
    };
    // Without peepholes nothing is added; 0 times an infinite state is NaN.
    auto seen = [&](int64_t hole, int64_t j, double state) {
      return peephole.empty() ? 0 : peephole[(d * 3 + hole) * n + j] * state;
    };
    for (int64_t j = 0; j < n; ++j) {
      double &cell = c[place * n + j];
      double in = gate(0, j, seen(0, j, cell), functions[0]);
      double forget = getInputForget()
                          ? 1 - in
                          : gate(1, j, seen(1, j, cell), functions[0]);
      cell = forget * cell + in * gate(2, j, 0, functions[1]);
      double out = gate(3, j, seen(2, j, cell), functions[0]);
      h[j] = out * apply(functions[2], cell);
    }
  });
  return Tensors{layer.output(getY(), layer.y), layer.output(getH(), layer.h),
                 layer.output(getC(), c)};
}

FailureOr<Tensors> GruOp::evaluate(ArrayRef<Tensor> operands, Evaluator &) {
  Layer layer(*this, operands);
  int64_t n = layer.hidden;
  layer.run([&](int64_t d, MutableArrayRef<double> h, int64_t,
                const Doubles &fromInput, const Doubles &fromState) {
    auto functions = gateFunctionsOf(*this, d);
    Doubles reset(n), update(n), scaled(n);
    for (int64_t j = 0; j < n; ++j) {
      reset[j] = apply(functions[0], layer.clamp(fromInput[j] + fromState[j]));
      update[j] =
          apply(functions[0], layer.clamp(fromInput[n + j] + fromState[n + j]));
      scaled[j] = reset[j] * h[j];
    }
    for (int64_t j = 0; j < n; ++j) {
      int64_t row = 2 * n + j;
      double term = getLinearBeforeReset()
                        ? reset[j] * fromState[row]
                        : layer.timesState(d, row, scaled) +
                              layer.biasR[d * layer.rows() + row];
      double fresh = apply(functions[1], layer.clamp(fromInput[row] + term));
      h[j] = (1 - update[j]) * fresh + update[j] * h[j];
    }
  });
  return Tensors{layer.output(getY(), layer.y), layer.output(getH(), layer.h)};
}

FailureOr<Tensors> RnnOp::evaluate(ArrayRef<Tensor> operands, Evaluator &) {
  Layer layer(*this, operands);
  layer.run([&](int64_t d, MutableArrayRef<double> h, int64_t,
                const Doubles &fromInput, const Doubles &fromState) {
    GateFunction function = gateFunctionsOf(*this, d)[0];
    for (size_t j = 0; j < h.size(); ++j)
      h[j] = apply(function, layer.clamp(fromInput[j] + fromState[j]));
  });
  return Tensors{layer.output(getY(), layer.y), layer.output(getH(), layer.h)};
}

} // namespace graven
