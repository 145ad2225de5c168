//===- ExtentFormulas.cpp - extents that follow from others -----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the search for the formula of an extent. Simple ones
// come first, and each must agree with every sample.
//===----------------------------------------------------------------------===//

#include "passes/graph/ExtentFormulas.h"

#include "passes/graph/GraphUtils.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace graven {

/// What extents are divided by: patches, windows, strides, heads.
static constexpr int64_t mostDivisor = 64;
/// Products and sums are looked for among the first extents, which are those
/// of the inputs.
static constexpr size_t mostFactors = 48;

void ExtentFormulas::add(ArrayRef<int64_t> tuple, Value value, int64_t axis) {
  for (const Extent &extent : extents)
    if (ArrayRef<int64_t>(extent.tuple) == tuple)
      return;
  extents.push_back({Tuple(tuple), value, axis});
}

/// Whether `f` of each sample is the tuple's number.
template <class F> static bool agrees(ArrayRef<int64_t> tuple, F f) {
  for (auto [i, number] : llvm::enumerate(tuple))
    if (f(i) != number)
      return false;
  return true;
}

std::optional<ExtentFormulas::Formula>
ExtentFormulas::product(ArrayRef<int64_t> tuple,
                        ArrayRef<size_t> factors) const {
  auto at = [&](size_t i) {
    int64_t result = 1;
    for (size_t factor : factors)
      if (llvm::MulOverflow(result, extents[factor].tuple[i], result))
        return int64_t(0);
    return result;
  };
  int64_t first = at(0);
  if (first == 0 || tuple.front() % first != 0)
    return std::nullopt;
  int64_t a = tuple.front() / first;
  if (a == 0 || !agrees(tuple, [&](size_t i) { return a * at(i); }))
    return std::nullopt;
  return Formula{llvm::SmallVector<size_t, 3>(factors), a};
}

std::optional<ExtentFormulas::Formula>
ExtentFormulas::line(ArrayRef<int64_t> tuple, size_t x) const {
  ArrayRef<int64_t> own = extents[x].tuple;
  for (size_t i = 1; i < own.size(); ++i) {
    int64_t run = own[i] - own[0], rise = tuple[i] - tuple[0];
    if (run == 0)
      continue;
    if (rise % run != 0 || rise == 0)
      return std::nullopt;
    int64_t a = rise / run, b = tuple[0] - a * own[0];
    if (!agrees(tuple, [&](size_t k) { return a * own[k] + b; }))
      return std::nullopt;
    return Formula{{x}, a, b};
  }
  return std::nullopt;
}

std::optional<ExtentFormulas::Formula>
ExtentFormulas::quotient(ArrayRef<int64_t> tuple, size_t x) const {
  ArrayRef<int64_t> own = extents[x].tuple;
  for (int64_t c = 2; c <= mostDivisor; ++c)
    for (int64_t before = 0; before < c; ++before) {
      int64_t b = tuple[0] - (own[0] + before) / c;
      if (agrees(tuple, [&](size_t k) { return (own[k] + before) / c + b; })) {
        Formula formula{{x}, 1, b};
        formula.before = before;
        formula.c = c;
        return formula;
      }
    }
  return std::nullopt;
}

std::optional<ExtentFormulas::Formula>
ExtentFormulas::search(ArrayRef<int64_t> tuple) const {
  size_t all = extents.size(), few = std::min(all, mostFactors);
  for (size_t x = 0; x < all; ++x)
    if (ArrayRef<int64_t>(extents[x].tuple) == tuple)
      return Formula{{x}};
  for (size_t x = 0; x < all; ++x)
    if (auto found = product(tuple, {x}))
      return found;
  for (size_t x = 0; x < all; ++x)
    if (auto found = line(tuple, x))
      return found;
  for (size_t x = 0; x < few; ++x)
    for (size_t y = x; y < few; ++y)
      if (auto found = product(tuple, {x, y}))
        return found;
  for (size_t x = 0; x < few; ++x)
    for (size_t y = x; y < few; ++y) {
      ArrayRef<int64_t> left = extents[x].tuple, right = extents[y].tuple;
      int64_t b = tuple[0] - left[0] - right[0];
      if (!agrees(tuple, [&](size_t i) { return left[i] + right[i] + b; }))
        continue;
      Formula formula{{x}, 1, b};
      formula.plus = y;
      return formula;
    }
  for (size_t x = 0; x < all; ++x)
    if (auto found = quotient(tuple, x))
      return found;
  for (size_t x = 0; x < few; ++x)
    for (size_t y = x; y < few; ++y)
      for (size_t z = y; z < few; ++z)
        if (auto found = product(tuple, {x, y, z}))
          return found;
  return std::nullopt;
}

Value ExtentFormulas::find(OpBuilder &b, Location loc,
                           ArrayRef<int64_t> tuple) {
  Type i64 = b.getI64Type();
  auto number = [&](int64_t value) {
    auto type = RankedTensorType::get({}, i64);
    return ConstantOp::create(b, loc, DenseElementsAttr::get(type, value))
        .getResult();
  };
  if (!varies(tuple))
    return number(tuple.front());
  for (const auto &[known, value] : computed)
    if (ArrayRef<int64_t>(known) == tuple)
      return value;
  auto formula = search(tuple);
  if (!formula)
    return {};
  auto extent = [&](size_t i) -> Value {
    return DimOp::create(b, loc, extents[i].value, extents[i].axis);
  };
  Value result;
  for (size_t factor : formula->factors)
    result = result ? MulOp::create(b, loc, result, extent(factor)).getResult()
                    : extent(factor);
  auto plus = [&](int64_t n) {
    if (n != 0)
      result = AddOp::create(b, loc, result, number(n));
  };
  if (formula->a != 1)
    result = MulOp::create(b, loc, result, number(formula->a));
  plus(formula->before);
  if (formula->c != 1)
    result = DivOp::create(b, loc, result, number(formula->c));
  if (formula->plus)
    result = AddOp::create(b, loc, result, extent(*formula->plus));
  plus(formula->b);
  computed.push_back({Tuple(tuple), result});
  return result;
}

Value followingNumber(OpBuilder &b, Location loc, Type element,
                      ArrayRef<double> numbers,
                      llvm::function_ref<Value(ArrayRef<int64_t> whole)> find) {
  auto close = [](double x, double y) {
    return std::abs(x - y) <= 1e-6 * std::abs(x);
  };
  // Of a whole number: itself, 1/x, sqrt x, 1/sqrt x.
  double (*forms[])(double) = {
      [](double x) { return x; }, [](double x) { return 1 / x; },
      [](double x) { return x * x; }, [](double x) { return 1 / (x * x); }};
  for (auto [form, toWhole] : llvm::enumerate(forms)) {
    if (form > 0 && !isa<FloatType>(element))
      break;
    Tuple whole;
    for (double x : numbers) {
      double y = toWhole(x);
      if (std::abs(y) < 1e15 && close(y, std::round(y)))
        whole.push_back(static_cast<int64_t>(std::round(y)));
    }
    Value value = whole.size() == numbers.size() ? find(whole) : Value();
    if (!value)
      continue;
    value = converted(b, loc, value, element);
    if (form >= 2)
      value = SqrtOp::create(b, loc, value);
    if (form % 2 == 1)
      value =
          DivOp::create(b, loc, scalarConstant(b, loc, element, 1, 0), value);
    return value;
  }
  return {};
}

} // namespace graven
