//===- DraftValues.cpp - operands for drawn Nodes -------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the choice of operands: Values that there are, Values
// made to fit, and new inputs, Parameters and constants.
//===----------------------------------------------------------------------===//

#include "test/fuzz/random/Draft.h"

#include <cmath>

using namespace mlir;
using graven::eval::Tensor;

namespace graven::fuzz {

static bool isInside(const Tensor &tensor, Range range) {
  return llvm::all_of(tensor.toDoubles(), [&](double x) {
    return x >= range.least && x <= range.most;
  });
}

static bool isUsualRange(Range range) {
  return range.least == usual.least && range.most == usual.most;
}

Value Draft::find(llvm::function_ref<bool(RankedTensorType)> fits) {
  SmallVector<Value> found = llvm::filter_to_vector(
      visible(), [&](Value value) { return fits(typeOf(value)); });
  if (found.empty())
    return {};
  // Late Values more often than early ones: graphs are rather deep than wide.
  int64_t last = found.size() - 1;
  return found[std::max(number(0, last), number(0, last))];
}

/// Elements that are not all alike, and now and then those on which
/// simplifications and edge cases depend.
Tensor Draft::fill(RankedTensorType type, Range range) {
  Tensor tensor(type);
  Type element = type.getElementType();
  if (isa<FloatType>(element)) {
    double infinity = std::numeric_limits<double>::infinity();
    bool isSplat = chance(15), isRound = chance(25);
    double splat =
        std::clamp(pick<double>({0, 1, -1, 0.5, 2}), range.least, range.most);
    for (int64_t i = 0; i < tensor.size(); ++i) {
      double x = isSplat ? splat : real(range);
      if (isRound)
        x = std::clamp(std::round(x * 2) / 2, range.least, range.most);
      if (isWild && isUsualRange(range) && chance(5))
        x = pick<double>({0.0, -0.0, infinity, -infinity, NAN});
      tensor.set(i, x);
    }
    return tensor;
  }
  if (element.isInteger(1)) {
    int64_t percent = pick<int64_t>({50, 50, 50, 0, 100});
    for (int64_t i = 0; i < tensor.size(); ++i)
      tensor.set(i, int64_t(chance(percent)));
    return tensor;
  }
  int64_t least = std::ceil(range.least), most = std::floor(range.most);
  bool isAnything = isUsualRange(range) && chance(20);
  if (isUsualRange(range) && chance(50))
    least = -5, most = 5;
  for (int64_t i = 0; i < tensor.size(); ++i)
    tensor.set(i, isAnything ? static_cast<int64_t>(random())
                             : number(least, most));
  return tensor;
}

Value Draft::constant(const Tensor &tensor) {
  auto op =
      ConstantOp::create(builder, loc, tensor.getType(), tensor.toElements());
  samples.set(op, tensor);
  return op;
}

Value Draft::constant(Type elementType, double value) {
  Tensor tensor(RankedTensorType::get({}, elementType));
  if (isa<FloatType>(elementType))
    tensor.set(0, value);
  else
    tensor.set(0, static_cast<int64_t>(value));
  return constant(tensor);
}

Value Draft::leaf(Type elementType, ArrayRef<int64_t> shape, Range range) {
  auto type = RankedTensorType::get(shape, elementType);
  Tensor tensor = fill(type, range);
  Value value;
  // A called Graph has no inputs but its own.
  bool isCalled = scopes.back().visible > 0;
  int64_t kind = number(isCalled ? 45 : 1, 100);
  if (kind < 45) {
    value = graph.getBody().front().addArgument(type, loc);
    samples.set(value, tensor);
  } else if (kind < 75) {
    std::string name = newName("p");
    OpBuilder outside = OpBuilder::atBlockBegin(module->getBody());
    ParamOp::create(outside, loc, name, type, tensor.toElements(),
                    /*requires_grad=*/chance(50), /*is_buffer=*/chance(20),
                    /*sym_visibility=*/StringAttr());
    value = GetParamOp::create(builder, loc, type, name);
    samples.set(value, tensor);
  } else {
    value = constant(tensor);
  }
  offer(value);
  return value;
}

Value Draft::operandOf(Type elementType, int64_t leastRank, int64_t mostRank) {
  Value found;
  if (chance(80))
    found = find([&](RankedTensorType type) {
      return type.getElementType() == elementType &&
             type.getRank() >= leastRank && type.getRank() <= mostRank;
    });
  return found ? found : leaf(elementType, shape(leastRank, mostRank));
}

Value Draft::like(Type elementType, ArrayRef<int64_t> shape, Range range) {
  auto type = RankedTensorType::get(shape, elementType);
  auto isInRange = [&](Value value) {
    return value &&
           (isUsualRange(range) || isInside(samples.exact(value), range));
  };
  Value found = find([&](RankedTensorType other) { return other == type; });
  if (isInRange(found) && chance(70))
    return found;
  // The same number of elements, under another shape.
  found = find([&](RankedTensorType other) {
    return other.getElementType() == elementType &&
           other.getNumElements() == type.getNumElements();
  });
  if (isInRange(found) && chance(50))
    if (Value reshaped = make<ReshapeOp>(found, ValueRange(), shape))
      return reshaped;
  return leaf(elementType, shape, range);
}

Value Draft::partner(Type elementType, ArrayRef<int64_t> shape, Range range) {
  if (chance(10))
    return like(elementType, {}, range);
  Shape extents(shape);
  bool isWhole = chance(55);
  for (int64_t &own : extents)
    if (!isWhole && chance(40))
      own = own == 1 ? extent() : 1;
  return like(elementType, extents, range);
}

Value Draft::within(Value value, Range range) {
  const Tensor &tensor = samples.exact(value);
  if (isInside(tensor, range) || chance(5))
    return value;
  Value lo, hi;
  if (std::isfinite(range.least))
    lo = constant(elementOf(value), range.least);
  if (std::isfinite(range.most))
    hi = constant(elementOf(value), range.most);
  if (!lo && !hi)
    return value;
  return make<ClampOp>(value, lo, hi);
}

Value Draft::indices(ArrayRef<int64_t> shape, int64_t extent, bool &isNonneg) {
  Type element = chance(60) ? builder.getI64Type() : Type(builder.getI32Type());
  isNonneg = chance(60);
  double least = isNonneg ? 0 : -extent, most = extent - 1;
  auto type = RankedTensorType::get(shape, element);
  if (chance(40))
    if (Value found = find([&](RankedTensorType t) { return t == type; }))
      return make<ClampOp>(found, constant(element, least),
                           constant(element, most));
  return leaf(element, shape, {least, most});
}

} // namespace graven::fuzz
