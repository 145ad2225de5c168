//===- Models.h - two models written in C++ ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares LeNet-5 and a GRU cell as they are written with the
// tracing API: a Module a part, its Parameters as members, and an operator()
// that computes.
//
//===----------------------------------------------------------------------===//

#ifndef EXAMPLES_TRACING_MODELS_H
#define EXAMPLES_TRACING_MODELS_H

#include "frontends/trace/Control.h"
#include "frontends/trace/Ops.h"

#include <functional>
#include <string>
#include <vector>

namespace example {

using namespace graven::trace;
using Shape = std::vector<int64_t>;

/// Gives the elements of the Parameter of that name; nothing here is trained.
using Weights =
    std::function<std::vector<float>(const std::string &name, const Shape &)>;

/// A part whose Parameters come from Weights.
struct Part : Module {
  Part(Trace &trace) : Module(trace) {}
  Part(const Module &parent, const char *name) : Module(parent, name) {}

  Tensor weights(const char *name, const Shape &shape, const Weights &w) {
    return parameter(name, shape, w(qualified(name), shape));
  }
};

struct Conv2d : Part {
  Tensor weight, bias;
  int64_t padding;

  Conv2d(const Module &parent, const char *name, int64_t in, int64_t out,
         int64_t kernel, int64_t padding, const Weights &w)
      : Part(parent, name),
        weight(weights("weight", {out, in, kernel, kernel}, w)),
        bias(weights("bias", {out}, w)), padding(padding) {}

  Tensor operator()(const Tensor &x) const {
    return conv2d(x, weight, bias, 1, padding);
  }
};

struct Linear : Part {
  Tensor weight, bias;

  Linear(const Module &parent, const char *name, int64_t in, int64_t out,
         const Weights &w)
      : Part(parent, name), weight(weights("weight", {out, in}, w)),
        bias(weights("bias", {out}, w)) {}

  Tensor operator()(const Tensor &x) const { return linear(x, weight, bias); }
};

/// LeNet-5: images [N, 1, 28, 28] to scores [N, 10].
struct LeNet : Part {
  Conv2d conv1, conv2;
  Linear fc1, fc2, fc3;

  LeNet(Trace &trace, const Weights &w)
      : Part(trace), conv1(*this, "conv1", 1, 6, 5, 2, w),
        conv2(*this, "conv2", 6, 16, 5, 0, w),
        fc1(*this, "fc1", 16 * 5 * 5, 120, w), fc2(*this, "fc2", 120, 84, w),
        fc3(*this, "fc3", 84, 10, w) {}

  Tensor operator()(Tensor x) const {
    x = max_pool2d(relu(conv1(x)), 2);
    x = max_pool2d(relu(conv2(x)), 2);
    x = flatten(x, 1);
    return fc3(relu(fc2(relu(fc1(x)))));
  }
};

/// A gated recurrent unit, gate by gate: x [N, in] and h [N, hidden] to the
/// next h.
struct GruCell : Part {
  Tensor weightIh, weightHh, biasIh, biasHh;

  GruCell(Trace &trace, int64_t in, int64_t hidden, const Weights &w)
      : Part(trace), weightIh(weights("weight_ih", {3 * hidden, in}, w)),
        weightHh(weights("weight_hh", {3 * hidden, hidden}, w)),
        biasIh(weights("bias_ih", {3 * hidden}, w)),
        biasHh(weights("bias_hh", {3 * hidden}, w)) {}

  Tensor operator()(const Tensor &x, const Tensor &h) const {
    auto fromX = chunk(linear(x, weightIh, biasIh), 3, 1);
    auto fromH = chunk(linear(h, weightHh, biasHh), 3, 1);
    Tensor reset = sigmoid(fromX[0] + fromH[0]);
    Tensor update = sigmoid(fromX[1] + fromH[1]);
    Tensor candidate = tanh(fromX[2] + reset * fromH[2]);
    return (1 - update) * candidate + update * h;
  }
};

} // namespace example

#endif // EXAMPLES_TRACING_MODELS_H
