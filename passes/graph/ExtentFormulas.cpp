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

/// Without a sum behind it first: samples that leave no rest of c do not tell
/// x / c + 1 from (x + c - 1) / c, which is what rounds up.
std::optional<ExtentFormulas::Formula>
ExtentFormulas::quotient(ArrayRef<int64_t> tuple, size_t x) const {
  ArrayRef<int64_t> own = extents[x].tuple;
  for (bool isPlain : {true, false})
    for (int64_t c = 2; c <= mostDivisor; ++c)
      for (int64_t before = 0; before < c; ++before) {
        int64_t b = tuple[0] - (own[0] + before) / c;
        if ((b == 0) != isPlain ||
            !agrees(tuple, [&](size_t k) { return (own[k] + before) / c + b; }))
          continue;
        Formula formula{{x}, 1, b};
        formula.before = before;
        formula.c = c;
        return formula;
      }
  return std::nullopt;
}

/// The multiple of c at or around x, and how far it is from there: what is
/// padded to a multiple is, and is padded by. Multiples themselves, and rests
/// from 0 on, come first.
std::optional<ExtentFormulas::Formula>
ExtentFormulas::rounded(ArrayRef<int64_t> tuple, size_t x) const {
  ArrayRef<int64_t> own = extents[x].tuple;
  for (bool isPlain : {true, false})
    for (int64_t c = 2; c <= mostDivisor; ++c)
      for (int64_t before = 0; before < c; ++before) {
        auto multiple = [&](size_t k) { return (own[k] + before) / c * c; };
        auto rest = [&](size_t k) { return (own[k] + before) % c; };
        Formula formula{{x}};
        formula.before = before;
        formula.b = tuple[0] - multiple(0);
        formula.c = formula.times = c;
        if ((formula.b == 0) == isPlain &&
            agrees(tuple, [&](size_t k) { return multiple(k) + formula.b; }))
          return formula;
        formula.c = 1;
        formula.rest = c;
        for (int64_t sign : {1, -1}) {
          formula.times = sign;
          formula.b = tuple[0] - sign * rest(0);
          int64_t least = sign > 0 ? formula.b : formula.b - (c - 1);
          if ((least == 0) == isPlain && agrees(tuple, [&](size_t k) {
                return sign * rest(k) + formula.b;
              }))
            return formula;
        }
      }
  return std::nullopt;
}

/// min(x, n) and max(x, n), where samples are on both sides of n.
std::optional<ExtentFormulas::Formula>
ExtentFormulas::limited(ArrayRef<int64_t> tuple, size_t x) const {
  constexpr int64_t few = 2;
  ArrayRef<int64_t> own = extents[x].tuple;
  int64_t most = *llvm::max_element(tuple), least = *llvm::min_element(tuple);
  if (llvm::count(tuple, most) >= few &&
      agrees(tuple, [&](size_t k) { return std::min(own[k], most); })) {
    Formula formula{{x}};
    formula.most = most;
    return formula;
  }
  if (llvm::count(tuple, least) >= few &&
      agrees(tuple, [&](size_t k) { return std::max(own[k], least); })) {
    Formula formula{{x}};
    formula.least = least;
    return formula;
  }
  return std::nullopt;
}

/// max(x, y) + b, min(x, y) + b, and max(x - y, 0), by which y is padded to the
/// greater one.
std::optional<ExtentFormulas::Formula>
ExtentFormulas::extreme(ArrayRef<int64_t> tuple, size_t x, size_t y) const {
  ArrayRef<int64_t> own = extents[x].tuple, other = extents[y].tuple;
  Formula formula{{x}};
  formula.b = tuple[0] - std::max(own[0], other[0]);
  if (agrees(tuple, [&](size_t k) {
        return std::max(own[k], other[k]) + formula.b;
      })) {
    formula.greater = y;
    return formula;
  }
  formula.b = tuple[0] - std::min(own[0], other[0]);
  if (agrees(tuple, [&](size_t k) {
        return std::min(own[k], other[k]) + formula.b;
      })) {
    formula.lesser = y;
    return formula;
  }
  formula.b = 0;
  if (agrees(tuple, [&](size_t k) {
        return std::max<int64_t>(own[k] - other[k], 0);
      })) {
    formula.minus = y;
    formula.least = 0;
    return formula;
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
  for (size_t x = 0; x < few; ++x)
    if (auto found = limited(tuple, x))
      return found;
  for (size_t x = 0; x < few; ++x)
    for (size_t y = 0; y < few; ++y)
      if (auto found = x == y ? std::nullopt : extreme(tuple, x, y))
        return found;
  for (size_t x = 0; x < few; ++x)
    if (auto found = rounded(tuple, x))
      return found;
  return std::nullopt;
}

static Value numberOf(OpBuilder &b, Location loc, int64_t value) {
  auto type = RankedTensorType::get({}, b.getI64Type());
  return ConstantOp::create(b, loc, DenseElementsAttr::get(type, value));
}

Value ExtentFormulas::emit(OpBuilder &b, Location loc,
                           const Formula &formula) const {
  auto extent = [&](size_t i) -> Value {
    return DimOp::create(b, loc, extents[i].value, extents[i].axis);
  };
  auto number = [&](int64_t value) { return numberOf(b, loc, value); };
  Value result;
  for (size_t factor : formula.factors)
    result = result ? MulOp::create(b, loc, result, extent(factor)).getResult()
                    : extent(factor);
  auto times = [&](int64_t n) {
    if (n != 1)
      result = MulOp::create(b, loc, result, number(n));
  };
  auto plus = [&](int64_t n) {
    if (n != 0)
      result = AddOp::create(b, loc, result, number(n));
  };
  times(formula.a);
  plus(formula.before);
  if (formula.c != 1)
    result = DivOp::create(b, loc, result, number(formula.c));
  if (formula.rest != 0)
    result = RemOp::create(b, loc, result, number(formula.rest));
  times(formula.times);
  if (formula.plus)
    result = AddOp::create(b, loc, result, extent(*formula.plus));
  if (formula.minus)
    result = SubOp::create(b, loc, result, extent(*formula.minus));
  if (formula.greater)
    result = MaxOp::create(b, loc, result, extent(*formula.greater));
  if (formula.lesser)
    result = MinOp::create(b, loc, result, extent(*formula.lesser));
  if (formula.least)
    result = MaxOp::create(b, loc, result, number(*formula.least));
  if (formula.most)
    result = MinOp::create(b, loc, result, number(*formula.most));
  plus(formula.b);
  return result;
}

Value ExtentFormulas::find(OpBuilder &b, Location loc,
                           ArrayRef<int64_t> tuple) {
  if (!varies(tuple))
    return numberOf(b, loc, tuple.front());
  for (const auto &[known, value] : computed)
    if (ArrayRef<int64_t>(known) == tuple)
      return value;
  auto formula = search(tuple);
  if (!formula)
    return {};
  Value result = emit(b, loc, *formula);
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
