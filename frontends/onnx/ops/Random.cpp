//===- Random.cpp - numbers that are drawn --------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the builders of the ops that draw random numbers. A
// compiled model gives the same results for the same inputs, so they are drawn
// when the model is imported: NumPy's generator, with the node's seed, or one
// that its name gives.
//===----------------------------------------------------------------------===//

#include "frontends/onnx/NodeBuilder.h"
#include "frontends/onnx/OpTable.h"
#include "frontends/onnx/TensorData.h"
#include "llvm/Support/xxhash.h"

#include <random>

using namespace mlir;

namespace graven::onnx {

namespace {

/// More would not be a constant of a model.
constexpr int64_t kMostDrawn = int64_t(1) << 26;

/// NumPy's legacy RandomState.
class Generator {
public:
  explicit Generator(uint32_t seed) : bits(seed) {}

  /// In [0, 1), of 53 bits.
  double uniform() {
    uint32_t high = bits() >> 5, low = bits() >> 6;
    return (high * 67108864.0 + low) / 9007199254740992.0;
  }
  /// By the polar method, which gives two at a time.
  double normal() {
    if (spare)
      return *std::exchange(spare, std::nullopt);
    double x, y, square;
    do {
      x = 2 * uniform() - 1;
      y = 2 * uniform() - 1;
      square = x * x + y * y;
    } while (square >= 1 || square == 0);
    double factor = std::sqrt(-2 * std::log(square) / square);
    spare = factor * x;
    return factor * y;
  }

private:
  std::mt19937 bits;
  std::optional<double> spare;
};

/// The attribute is a float, or an int in Dropout.
Generator generatorOf(NodeBuilder &n, std::optional<double> seed) {
  if (seed && *seed >= 0 && *seed < 4294967296.0)
    return Generator(static_cast<uint32_t>(*seed));
  std::string place;
  llvm::raw_string_ostream(place) << n.getLoc();
  return Generator(static_cast<uint32_t>(llvm::xxh3_64bits(place)));
}

std::optional<double> seedOf(NodeBuilder &n) {
  return n.hasAttr("seed") ? std::optional(n.floatAttr("seed", 0))
                           : std::nullopt;
}

/// A constant of that type, each element what `draw` gives; says that it is
/// one.
Value drawn(NodeBuilder &n, ArrayRef<int64_t> shape, Type type,
            llvm::function_ref<double()> draw) {
  auto count = elementCount(shape);
  if (!count || *count > kMostDrawn || !isa<FloatType>(type)) {
    if (!n.hasFailed())
      n.error(Code::UnsupportedFeature)
          << "draws a tensor of type " << RankedTensorType::get(shape, type)
          << ", expected at most " << kMostDrawn << " floats";
    return {};
  }
  emitWarning(n.getLoc())
      << "the model draws random numbers, which are the same in every run";
  eval::Tensor tensor(RankedTensorType::get(shape, type));
  for (int64_t i = 0; i < *count; ++i)
    tensor.set(i, draw());
  return n.constant(tensor);
}

/// The attribute dtype, or what stands in its place.
Type typeOfDraws(NodeBuilder &n, Type otherwise) {
  int64_t dtype = n.intAttr("dtype", 0);
  Type type = dtype ? elementTypeOf(n.getContext(), dtype) : otherwise;
  if (!type && !n.hasFailed())
    n.error(Code::UnsupportedFeature) << "dtype is " << dtype;
  return type;
}

enum class Law : uint8_t { Uniform, Normal };

template <Law law>
LogicalResult drawTensor(NodeBuilder &n, ArrayRef<int64_t> shape, Type type) {
  if (!type)
    return failure();
  Generator generator = generatorOf(n, seedOf(n));
  double first = n.floatAttr(law == Law::Uniform ? "low" : "mean", 0),
         second = n.floatAttr(law == Law::Uniform ? "high" : "scale", 1);
  return n.finish(drawn(n, shape, type, [&] {
    return law == Law::Uniform ? first + (second - first) * generator.uniform()
                               : first + second * generator.normal();
  }));
}

template <Law law> LogicalResult buildDraw(NodeBuilder &n) {
  auto shape = n.intsAttr("shape");
  if (!shape)
    return n.hasFailed()
               ? failure()
               : LogicalResult(n.error(Code::BadGraph) << "there is no shape");
  for (int64_t extent : *shape)
    if (extent < 0)
      return n.error(Code::BadGraph) << "shape has the extent " << extent;
  return drawTensor<law>(n, *shape,
                         typeOfDraws(n, n.getBuilder().getF32Type()));
}

template <Law law> LogicalResult buildDrawLike(NodeBuilder &n) {
  auto shape = n.staticShape(n.input(0));
  if (!shape)
    return failure();
  return drawTensor<law>(n, *shape,
                         typeOfDraws(n, n.elementTypeOf(n.input(0))));
}

/// 1 with the probability that each element says.
LogicalResult buildBernoulli(NodeBuilder &n) {
  Value x = n.input(0);
  auto shape = n.staticShape(x);
  Type type = typeOfDraws(n, n.elementTypeOf(x));
  if (!shape || !type)
    return failure();
  Generator generator = generatorOf(n, seedOf(n));
  Value draws =
      drawn(n, *shape, n.elementTypeOf(x), [&] { return generator.uniform(); });
  return n.finish(n.cast(n.compare(ComparePredicate::Lt, draws, x), type));
}

/// Of rows of logarithms [B, C] the places of `sample_size` draws each: the
/// greatest sum with noise of Gumbel's law is one.
LogicalResult buildMultinomial(NodeBuilder &n) {
  Value x = n.input(0);
  auto shape = n.staticShape(x);
  int64_t count = n.intAttr("sample_size", 1);
  if (!shape)
    return failure();
  if (shape->size() != 2 || count < 1)
    return n.error(Code::BadGraph)
           << "input has type " << n.typeOf(x) << ", sample_size is " << count;
  Type type = typeOfDraws(n, n.getBuilder().getI32Type());
  if (!type)
    return failure();
  Generator generator = generatorOf(n, seedOf(n));
  Value noise =
      drawn(n, {(*shape)[0], count, (*shape)[1]}, n.elementTypeOf(x),
            [&] { return -std::log(-std::log(generator.uniform())); });
  Value scores =
      n.binary<AddOp>(n.reshape(x, {(*shape)[0], 1, (*shape)[1]}), noise);
  Value place =
      n.make<ArgReduceOp>(scores, ExtremeKind::Max, int64_t(2), false, false);
  return n.finish(n.cast(place, type));
}

/// Whether the node drops anything, and how likely it is for an element.
std::optional<double> dropRatio(NodeBuilder &n) {
  if (n.getOpset() < 7 && !n.flagAttr("is_test")) {
    n.error(Code::UnsupportedFeature)
        << "is_test = 0, which is training, is not supported";
    return std::nullopt;
  }
  if (!n.input(2))
    return 0;
  auto training = n.oneInt(n.input(2), "training_mode");
  if (!training)
    return std::nullopt;
  if (!*training)
    return 0;
  auto ratio = n.input(1) ? n.floats(n.input(1), "ratio")
                          : std::optional(SmallVector<double>{0.5});
  if (!ratio)
    return std::nullopt;
  if (ratio->size() != 1 || !(ratio->front() >= 0) || !(ratio->front() < 1)) {
    n.error(Code::BadGraph) << "ratio is no number from 0 to 1";
    return std::nullopt;
  }
  return ratio->front();
}

/// Without training, the input; the mask is all true.
LogicalResult buildDropout(NodeBuilder &n) {
  Value x = n.input(0);
  auto ratio = dropRatio(n);
  if (!ratio)
    return failure();
  // Until opset 10 the mask has the type of the data.
  Type type =
      n.getOpset() < 10 ? n.elementTypeOf(x) : n.getBuilder().getI1Type();
  if (*ratio == 0 && !n.wantsOutput(1))
    return n.finish(x);
  auto shape = n.staticShape(x);
  if (!shape)
    return failure();
  if (*ratio == 0) {
    n.setOutput(1, n.splat(RankedTensorType::get(*shape, type), 1));
    return n.finish(x);
  }
  std::optional<double> seed;
  if (n.hasAttr("seed"))
    seed = static_cast<double>(n.intAttr("seed", 0));
  Generator generator = generatorOf(n, seed);
  Type element = n.elementTypeOf(x);
  Value kept = drawn(n, *shape, element,
                     [&] { return generator.uniform() >= *ratio ? 1.0 : 0.0; });
  Value scaled = n.binary<MulOp>(x, n.scalar(element, 1 / (1 - *ratio)));
  n.setOutput(1, n.cast(kept, type));
  return n.finish(n.binary<MulOp>(kept, scaled));
}

} // namespace

void addRandom(OpTable &table) {
  table.add("RandomUniform", 0, buildDraw<Law::Uniform>);
  table.add("RandomNormal", 0, buildDraw<Law::Normal>);
  table.add("RandomUniformLike", 1, buildDrawLike<Law::Uniform>);
  table.add("RandomNormalLike", 1, buildDrawLike<Law::Normal>);
  table.add("Bernoulli", 1, buildBernoulli);
  table.add("Multinomial", 1, buildMultinomial);
  table.add("Dropout", 1, buildDropout);
}

} // namespace graven::onnx
