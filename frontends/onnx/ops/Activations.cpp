//===- Activations.cpp - activation functions ---*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the builders of the activation functions.
//===----------------------------------------------------------------------===//

#include "frontends/onnx/NodeBuilder.h"
#include "frontends/onnx/OpTable.h"

using namespace mlir;

namespace graven::onnx {

namespace {

template <class OpTy> LogicalResult unary(NodeBuilder &n) {
  return n.finish(n.make<OpTy>(n.input(0)));
}

FloatAttr f64(NodeBuilder &n, double value) {
  return n.getBuilder().getF64FloatAttr(value);
}

/// The only element as a scalar, so that it broadcasts to any rank.
Value asScalar(NodeBuilder &n, Value value) {
  auto type = n.typeOf(value);
  if (type.hasStaticShape() && type.getRank() > 0 && type.getNumElements() == 1)
    return n.reshape(value, {});
  return value;
}

LogicalResult clamp(NodeBuilder &n, Value lo, Value hi) {
  Value x = n.input(0);
  if (!lo && !hi)
    return n.finish(x);
  if (!hi) {
    auto low = n.known(lo);
    Type type = n.elementTypeOf(x);
    if (low && low->size() == 1 &&
        (isa<FloatType>(type) ? low->getDouble(0) == 0
                              : !type.isInteger(1) && low->getInt(0) == 0))
      return n.finish(n.make<ReluOp>(x));
  }
  return n.finish(n.make<ClampOp>(x, lo, hi));
}

LogicalResult buildClipByAttributes(NodeBuilder &n) {
  Type type = n.elementTypeOf(n.input(0));
  Value lo, hi;
  if (n.hasAttr("min"))
    lo = n.scalar(type, n.floatAttr("min", 0));
  if (n.hasAttr("max"))
    hi = n.scalar(type, n.floatAttr("max", 0));
  return clamp(n, lo, hi);
}

LogicalResult buildClip(NodeBuilder &n) {
  Value lo = n.input(1), hi = n.input(2);
  return clamp(n, lo ? asScalar(n, lo) : lo, hi ? asScalar(n, hi) : hi);
}

LogicalResult buildLeakyRelu(NodeBuilder &n) {
  Value x = n.input(0);
  Value slope = n.scalar(n.elementTypeOf(x), n.floatAttr("alpha", 0.01f));
  return n.finish(n.make<LeakyReluOp>(x, slope));
}

LogicalResult buildPRelu(NodeBuilder &n) {
  Value x = n.input(0), slope = asScalar(n, n.input(1));
  // Until opset 6 slopes are those of the channels.
  if (n.getOpset() < 7 && n.rankOf(slope) == 1 && n.rankOf(x) > 2) {
    auto shape = n.staticShape(slope);
    if (!shape)
      return failure();
    shape->append(n.rankOf(x) - 2, 1);
    slope = n.reshape(slope, *shape);
  }
  return n.finish(n.make<LeakyReluOp>(x, n.alignRank(slope, n.rankOf(x))));
}

LogicalResult buildThresholdedRelu(NodeBuilder &n) {
  Value x = n.input(0);
  Type type = n.elementTypeOf(x);
  Value isAbove = n.compare(ComparePredicate::Gt, x,
                            n.scalar(type, n.floatAttr("alpha", 1)));
  return n.finish(n.select(isAbove, x, n.scalar(type, 0)));
}

LogicalResult buildElu(NodeBuilder &n) {
  return n.finish(n.make<EluOp>(n.input(0), f64(n, n.floatAttr("alpha", 1)),
                                f64(n, 1), f64(n, 1)));
}

LogicalResult buildSelu(NodeBuilder &n) {
  bool isOld = n.getOpset() < 6;
  double alpha =
             n.floatAttr("alpha", isOld ? 1.6732f : 1.67326319217681884765625f),
         gamma =
             n.floatAttr("gamma", isOld ? 1.0507f : 1.05070102214813232421875f);
  return n.finish(
      n.make<EluOp>(n.input(0), f64(n, alpha), f64(n, gamma), f64(n, 1)));
}

LogicalResult buildCelu(NodeBuilder &n) {
  double alpha = n.floatAttr("alpha", 1);
  return n.finish(
      n.make<EluOp>(n.input(0), f64(n, alpha), f64(n, 1), f64(n, 1 / alpha)));
}

LogicalResult buildHardSigmoid(NodeBuilder &n) {
  double alpha = n.floatAttr("alpha", 0.2);
  // PyTorch's, as far as an f32 can say so.
  if (static_cast<float>(alpha) == 1.0f / 6 &&
      !n.elementTypeOf(n.input(0)).isF64())
    alpha = 1.0 / 6;
  return n.finish(n.make<HardSigmoidOp>(n.input(0), f64(n, alpha),
                                        f64(n, n.floatAttr("beta", 0.5))));
}

LogicalResult buildSoftsign(NodeBuilder &n) {
  Value x = n.input(0);
  Value one = n.scalar(n.elementTypeOf(x), 1);
  Value below = n.binary<AddOp>(n.make<AbsOp>(x), one);
  return n.finish(n.make<DivOp>(x, below));
}

LogicalResult buildMish(NodeBuilder &n) {
  Value x = n.input(0);
  return n.finish(n.make<MulOp>(x, n.make<TanhOp>(n.make<SoftplusOp>(x))));
}

LogicalResult buildShrink(NodeBuilder &n) {
  Value x = n.input(0);
  Type type = n.elementTypeOf(x);
  double lambda = n.floatAttr("lambd", 0.5f), bias = n.floatAttr("bias", 0);
  Value shift = n.scalar(type, bias), zero = n.scalar(type, 0);
  Value isAbove = n.compare(ComparePredicate::Gt, x, n.scalar(type, lambda));
  Value isBelow = n.compare(ComparePredicate::Lt, x, n.scalar(type, -lambda));
  Value inner = n.select(isAbove, n.binary<SubOp>(x, shift), zero);
  return n.finish(n.select(isBelow, n.binary<AddOp>(x, shift), inner));
}

Value swish(NodeBuilder &n, Value x) {
  double alpha = n.floatAttr("alpha", 1);
  if (alpha == 1)
    return n.make<SiluOp>(x);
  Value scaled = n.binary<MulOp>(x, n.scalar(n.elementTypeOf(x), alpha));
  return n.make<MulOp>(x, n.make<SigmoidOp>(scaled));
}

LogicalResult buildSwish(NodeBuilder &n) {
  return n.finish(swish(n, n.input(0)));
}

LogicalResult buildSwiGlu(NodeBuilder &n) {
  return n.finish(n.make<MulOp>(swish(n, n.input(0)), n.input(1)));
}

LogicalResult buildGelu(NodeBuilder &n) {
  std::string form = n.stringAttr("approximate", "none");
  if (form != "none" && form != "tanh")
    return n.error(Code::UnsupportedFeature)
           << "approximate is " << quoted(form);
  return n.finish(n.make<GeluOp>(n.input(0), form == "tanh" ? GeluForm::Tanh
                                                            : GeluForm::Exact));
}

} // namespace

void addActivations(OpTable &table) {
  table.add("Relu", 1, unary<ReluOp>);
  table.add("Sigmoid", 1, unary<SigmoidOp>);
  table.add("Softplus", 1, unary<SoftplusOp>);
  table.add("HardSwish", 1, unary<HardSwishOp>);
  table.add("Clip", 1, buildClipByAttributes, 1, 11);
  table.add("Clip", 1, buildClip, 11);
  table.add("LeakyRelu", 1, buildLeakyRelu);
  table.add("PRelu", 2, buildPRelu);
  table.add("ThresholdedRelu", 1, buildThresholdedRelu);
  table.add("Elu", 1, buildElu);
  table.add("Selu", 1, buildSelu);
  table.add("Celu", 1, buildCelu);
  table.add("HardSigmoid", 1, buildHardSigmoid);
  table.add("Softsign", 1, buildSoftsign);
  table.add("Mish", 1, buildMish);
  table.add("Shrink", 1, buildShrink);
  table.add("Swish", 1, buildSwish);
  table.add("SwiGLU", 2, buildSwiGlu);
  table.add("Gelu", 1, buildGelu);
}

} // namespace graven::onnx
