//===- Comparison.cpp - what two Graphs compute -----------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements random inputs and the comparison of tensors.
//===----------------------------------------------------------------------===//

#include "passes/verify/Comparison.h"

#include "llvm/Support/Format.h"
#include <cmath>

using namespace mlir;
using graven::eval::Tensor;

namespace graven {

Tensor randomTensor(RankedTensorType type, std::mt19937 &random,
                    int64_t least) {
  Tensor tensor(type);
  std::uniform_real_distribution<double> real(-2, 2);
  std::uniform_int_distribution<int64_t> integer(least, least + 1);
  bool isFloat = isa<FloatType>(type.getElementType());
  for (int64_t i = 0; i < tensor.size(); ++i) {
    if (isFloat)
      tensor.set(i, real(random));
    else
      tensor.set(i, integer(random));
  }
  return tensor;
}

/// An extent that has this name, of symbols that are all the same number:
/// "4*h+1" is a multiple, and one more.
static int64_t extentNamed(StringRef name) {
  constexpr int64_t anyExtent = 3;
  int64_t scale = 1, offset = 0;
  auto [factor, rest] = name.split('*');
  if (rest.empty() || factor.getAsInteger(10, scale))
    return anyExtent;
  auto [symbol, sum] = rest.split('+');
  if (!sum.empty() && sum.getAsInteger(10, offset))
    return anyExtent;
  return scale * anyExtent + offset;
}

SmallVector<Tensor> randomInputs(GraphOp graph, std::mt19937 &random,
                                 int64_t least) {
  SmallVector<Tensor> inputs;
  for (BlockArgument input : graph.getArguments()) {
    auto tensor = cast<RankedTensorType>(input.getType());
    auto names = graph.getArgAttrOfType<ArrayAttr>(input.getArgNumber(),
                                                   "graven.symbols");
    SmallVector<int64_t> shape(tensor.getShape());
    for (auto [axis, extent] : llvm::enumerate(shape))
      if (ShapedType::isDynamic(extent))
        extent = extentNamed(names ? cast<StringAttr>(names[axis]).getValue()
                                   : StringRef());
    inputs.push_back(randomTensor(
        RankedTensorType::get(shape, tensor.getElementType()), random, least));
  }
  return inputs;
}

Tolerance toleranceOf(Type elementType) {
  if (!isa<FloatType>(elementType))
    return {0, 0};
  // Sums of hundreds of terms, added in another order.
  if (elementType.isF64())
    return {1e-12, 1e-12};
  if (elementType.isF32())
    return {2e-5, 2e-5};
  // What torch.testing.assert_close allows bf16.
  return {1.6e-2, 1.6e-2};
}

static std::string shapeText(const Tensor &tensor) {
  std::string text;
  llvm::raw_string_ostream(text) << tensor.getType();
  return text;
}

std::optional<std::string> differenceOf(const Tensor &before,
                                        const Tensor &after,
                                        std::optional<Tolerance> tolerance) {
  if (before.getType() != after.getType())
    return "expected " + shapeText(before) + ", got " + shapeText(after);
  Tolerance allowed =
      tolerance ? *tolerance : toleranceOf(before.getElementType());
  std::vector<double> olds = before.toDoubles(), news = after.toDoubles();
  for (int64_t i = 0; i < before.size(); ++i) {
    double a = olds[i], b = news[i];
    if (a == b || (std::isnan(a) && std::isnan(b)))
      continue;
    double limit = allowed.absolute +
                   allowed.relative * std::max(std::abs(a), std::abs(b));
    if (std::isfinite(a) && std::isfinite(b) && std::abs(a - b) <= limit)
      continue;
    std::string text;
    llvm::raw_string_ostream(text)
        << "element " << i << " of " << before.getType() << ": expected "
        << llvm::format("%.9g, got %.9g", a, b);
    return text;
  }
  return std::nullopt;
}

double Errors::relative() const {
  if (numNotFinite() > 0)
    return std::numeric_limits<double>::infinity();
  return scale > 0 ? greatest / scale : greatest;
}

Errors errorsOf(const Tensor &expected, const Tensor &got) {
  Errors errors;
  std::vector<double> wanted = expected.toDoubles(), found = got.toDoubles();
  for (double value : wanted)
    if (std::isfinite(value))
      errors.scale = std::max(errors.scale, std::abs(value));
  double unit = errors.scale > 0 ? errors.scale : 1;
  for (size_t i = 0; i < wanted.size(); ++i) {
    double a = wanted[i], b = found[i];
    if (a == b || (std::isnan(a) && std::isnan(b))) {
      ++errors.histogram[0];
      continue;
    }
    double distance = std::abs(a - b);
    if (!std::isfinite(distance)) {
      if (errors.numNotFinite() == 0)
        errors.worst = static_cast<int64_t>(i);
      ++errors.histogram.back();
      continue;
    }
    size_t bin = 1;
    for (double limit = 1e-8;
         bin + 2 < Errors::bins && distance / unit >= limit; limit *= 10)
      ++bin;
    ++errors.histogram[bin];
    if (distance <= errors.greatest)
      continue;
    errors.greatest = distance;
    if (errors.numNotFinite() == 0)
      errors.worst = static_cast<int64_t>(i);
  }
  return errors;
}

StringRef binName(size_t bin) {
  static constexpr std::array<StringRef, Errors::bins> names = {
      "equal",  "< 1e-8", "< 1e-7", "< 1e-6",  "< 1e-5",    "< 1e-4",
      "< 1e-3", "< 1e-2", "< 1e-1", ">= 1e-1", "not finite"};
  return names[bin];
}

double usualTolerance(Type elementType) {
  if (!isa<FloatType>(elementType))
    return 0;
  if (elementType.isF64())
    return 1e-10;
  return elementType.isF32() ? 1e-4 : 2e-2;
}

} // namespace graven
