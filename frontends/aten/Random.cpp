//===- Random.cpp - ATen's random tensors ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file builds random tensors from counters: each element is a hash of its
// index and of the call, so that a graph has no state and gives the same
// numbers in every run, on which the importer warns. They are not those of
// PyTorch's generator. Docs: docs/pytorch-models.md.
//
//===----------------------------------------------------------------------===//

#include "frontends/aten/Formula.h"
#include "frontends/aten/Table.h"

#include <cmath>
#include <functional>
#include <numbers>
#include <numeric>

using namespace graven;
using namespace graven::aten;
using llvm::StringRef;

static Term bitsLike(Term x, uint64_t number) {
  mlir::Value value = x;
  return {x.in(), x.in().scalar(Emitter::element(value),
                                static_cast<int64_t>(number), 1)};
}
static Term shifted(Term x, unsigned bits) {
  return apply<ShrOp>(x, bitsLike(x, bits));
}

/// 64 bits for each of n elements.
/// Source: G. L. Steele, D. Lea, C. H. Flood, "Fast splittable pseudorandom
/// number generators", 2014: SplitMix64, of the counter alone.
static std::optional<Term> randomBits(Call &c, int64_t n, unsigned stream) {
  c.isRandom = true;
  mlir::Type ui64 = mlir::IntegerType::get(c.builder.getContext(), 64,
                                           mlir::IntegerType::Unsigned);
  mlir::Value index = c.iota({n}, 0, ui64);
  if (!index)
    return std::nullopt;
  constexpr uint64_t kGolden = 0x9e3779b97f4a7c15;
  Term z(c, index);
  uint64_t start = (c.serial * 2 + stream + 1) * 0xd1342543de82ef95;
  z = z * bitsLike(z, kGolden) + bitsLike(z, start);
  z = apply<XorOp>(z, shifted(z, 30)) * bitsLike(z, 0xbf58476d1ce4e5b9);
  z = apply<XorOp>(z, shifted(z, 27)) * bitsLike(z, 0x94d049bb133111eb);
  return apply<XorOp>(z, shifted(z, 31));
}

/// Numbers of f64 from 0 to 1, without 1 also when rounded to `type`.
static Term uniform(Call &c, llvm::ArrayRef<int64_t> shape, ScalarType type,
                    unsigned stream = 0) {
  unsigned digits = type == ScalarType::Double     ? 53
                    : type == ScalarType::Half     ? 11
                    : type == ScalarType::BFloat16 ? 8
                                                   : 24;
  int64_t n = std::accumulate(shape.begin(), shape.end(), int64_t(1),
                              std::multiplies<>());
  std::optional<Term> bits = randomBits(c, n, stream);
  if (!bits)
    return {c, {}};
  Term y = cast(shifted(*bits, 64 - digits), c.builder.getF64Type());
  return {c, c.reshape(y * std::ldexp(1.0, -static_cast<int>(digits)), shape)};
}

/// Of mean 0 and deviation 1.
/// Source: G. E. P. Box, M. E. Muller, "A note on the generation of random
/// normal deviates", 1958.
static Term normal(Call &c, llvm::ArrayRef<int64_t> shape) {
  Term u = uniform(c, shape, ScalarType::Double),
       v = uniform(c, shape, ScalarType::Double, 1);
  return sqrt(log(1 - u) * -2) * cos(v * (2 * std::numbers::pi));
}

//===----------------------------------------------------------------------===//
// New tensors
//===----------------------------------------------------------------------===//

namespace {
/// What the call makes, or fills.
struct Target {
  Shape shape;
  ScalarType type;
};
} // namespace

/// Of the shape of self, or of the size argument.
static std::optional<Target> targetOf(Call &c, ScalarType fallback) {
  mlir::Value self = c.tensor();
  ScalarType type = c.dtype().value_or(self ? c.scalarType(self) : fallback);
  if (!c.mlirType(type)) {
    c.fail() << "elements of type " << name(type);
    return std::nullopt;
  }
  if (self)
    return Target{c.shape(self), type};
  std::optional<Shape> shape = c.integers("size");
  if (!shape)
    return std::nullopt;
  if (llvm::any_of(*shape, [](int64_t d) { return d < 0; })) {
    c.fail() << "negative extent in size [" << *shape << "]";
    return std::nullopt;
  }
  return Target{*shape, type};
}

static mlir::Value rand(Call &c) {
  auto target = targetOf(c, ScalarType::Float);
  return target ? c.cast(uniform(c, target->shape, target->type), target->type)
                : mlir::Value();
}
static mlir::Value randn(Call &c) {
  auto target = targetOf(c, ScalarType::Float);
  return target ? c.cast(normal(c, target->shape), target->type)
                : mlir::Value();
}

/// Whole numbers from low (0) up to high, without it.
static mlir::Value randint(Call &c) {
  auto target = targetOf(c, ScalarType::Long);
  auto low = c.has("low") ? c.integer("low") : 0, high = c.integer("high");
  if (!target || !low || !high)
    return {};
  if (*low >= *high)
    return c.failed("from " + llvm::Twine(*low) + " to " + llvm::Twine(*high));
  double range = static_cast<double>(*high) - static_cast<double>(*low);
  Term u = uniform(c, target->shape, ScalarType::Double);
  return c.cast(floor(u * range) + static_cast<double>(*low), target->type);
}

static mlir::Value randperm(Call &c) {
  std::optional<int64_t> n = c.integer("n");
  if (!n)
    return {};
  if (*n < 0)
    return c.failed(llvm::Twine(*n) + " elements");
  Term u = uniform(c, {*n}, ScalarType::Double);
  if (!mlir::Value(u))
    return {};
  auto op = tryCreate<TopKOp>(c.builder, c.loc, mlir::Value(u), uint64_t(*n),
                              uint64_t(0), /*largest=*/true);
  return mlir::failed(op)
             ? mlir::Value()
             : c.cast(op->getIndices(), c.dtype().value_or(ScalarType::Long));
}

//===----------------------------------------------------------------------===//
// Distributions
//===----------------------------------------------------------------------===//

static mlir::Value uniformBetween(Call &c) {
  mlir::Value x = c.tensor();
  auto from = c.number("from"), to = c.number("to");
  if (!x || !from || !to)
    return {};
  Term u = uniform(c, c.shape(x), c.scalarType(x));
  return c.cast(u * (*to - *from) + *from, c.element(x));
}

/// Normal numbers times `std` plus `mean`, each a number or a tensor.
static mlir::Value normalOf(Call &c) {
  mlir::Value mean = c.operand("mean", ScalarType::Double),
              deviation = c.operand("std", ScalarType::Double);
  if (!mean || !deviation)
    return {};
  ScalarType type = c.dtype().value_or(ScalarType::Float);
  Shape shape;
  if (mlir::Value self = c.tensor()) {
    shape = c.shape(self);
    type = c.scalarType(self);
  } else if (c.has("size")) {
    std::optional<Shape> size = c.integers("size");
    if (!size)
      return {};
    shape = *size;
  } else {
    auto broadcast = c.broadcastShape(c.shape(mean), c.shape(deviation));
    if (!broadcast)
      return c.failed("mean and std do not broadcast");
    shape = *broadcast;
    for (StringRef name : {"std", "mean"})
      if (mlir::Value given = c.tensor(name))
        type = c.scalarType(given);
  }
  return c.cast(normal(c, shape) * Term(c, deviation) + Term(c, mean), type);
}

static mlir::Value bernoulli(Call &c) {
  mlir::Value x = c.tensor();
  mlir::Value p = x && c.has("p") ? c.operand("p", ScalarType::Double)
                                  : c.cast(x, ScalarType::Double);
  if (!p)
    return {};
  Term u = uniform(c, c.shape(x), ScalarType::Double);
  return c.cast(less(u, Term(c, p)), c.element(x));
}

/// A formula of self's shape in numbers u from 0 to 1.
template <class Formula> static mlir::Value fromUniform(Call &c, Formula f) {
  mlir::Value x = c.tensor();
  return x ? c.cast(f(uniform(c, c.shape(x), ScalarType::Double)), c.element(x))
           : x;
}
static mlir::Value exponential(Call &c) {
  std::optional<double> rate = c.number("lambd");
  return rate ? fromUniform(c, [&](Term u) { return -log(1 - u) / *rate; })
              : mlir::Value();
}
static mlir::Value cauchy(Call &c) {
  auto median = c.number("median"), sigma = c.number("sigma");
  if (!median || !sigma)
    return {};
  return fromUniform(c, [&](Term u) {
    return tan((u - 0.5) * std::numbers::pi) * *sigma + *median;
  });
}
static mlir::Value geometric(Call &c) {
  std::optional<double> p = c.number("p");
  if (!p)
    return {};
  if (!(*p > 0 && *p < 1))
    return c.failed("probability out of range");
  return fromUniform(
      c, [&](Term u) { return floor(log(1 - u) / std::log1p(-*p)) + 1; });
}
static mlir::Value logNormal(Call &c) {
  mlir::Value x = c.tensor();
  auto mean = c.number("mean"), deviation = c.number("std");
  if (!x || !mean || !deviation)
    return {};
  return c.cast(exp(normal(c, c.shape(x)) * *deviation + *mean), c.element(x));
}

/// Without replacement the places of the greatest log(p) + noise, which is
/// Gumbel's; with it, where a number from 0 to the sum stands among the sums.
static mlir::Value multinomial(Call &c) {
  mlir::Value x = c.tensor();
  std::optional<int64_t> count = c.integer("num_samples");
  if (!x || !count)
    return {};
  if (c.rank(x) < 1 || c.rank(x) > 2)
    return c.failed("probabilities of rank " + llvm::Twine(c.rank(x)));
  uint64_t axis = c.rank(x) - 1;
  Term p(c, c.cast(x, ScalarType::Double));
  if (!c.flag("replacement")) {
    Term u = uniform(c, c.shape(x), ScalarType::Double);
    Term score = log(p) - log(-log(1 - u));
    if (!mlir::Value(score))
      return {};
    auto op = tryCreate<TopKOp>(c.builder, c.loc, mlir::Value(score),
                                uint64_t(*count), axis, /*largest=*/true);
    return mlir::failed(op) ? mlir::Value() : op->getIndices();
  }
  if (*count < 1)
    return c.failed(llvm::Twine(*count) + " samples");
  Shape drawn = c.shape(x), sums = c.shape(x);
  drawn.back() = *count;
  drawn.push_back(1);
  sums.insert(sums.end() - 1, 1);
  mlir::Value running = c.make<CumReduceOp>(p, ReduceKind::Sum, axis);
  if (!running)
    return {};
  Term total(c, c.slice(running, axis, sums.back() - 1, sums.back()));
  Term u = uniform(c, drawn, ScalarType::Double);
  Term u2 = u * Term(c, c.unsqueeze(total, axis));
  mlir::Value passed =
      c.compare(ComparePredicate::Le,
                c.reshape(c.slice(running, axis, 0, sums.back()), sums), u2);
  mlir::Value place =
      c.reduce(ReduceKind::Sum, c.cast(passed, ScalarType::Long),
               {static_cast<int64_t>(axis) + 1}, /*keep=*/false);
  return c.binary<MinOp>(place, static_cast<double>(sums.back() - 1));
}

void graven::aten::addRandom(Table &t) {
  t.add("rand rand_like", rand);
  t.add("randn randn_like", randn);
  t.add("randint randint_like", randint);
  t.add("randperm", randperm);
  t.add("uniform", uniformBetween);
  t.add("normal", normalOf);
  t.add("bernoulli", bernoulli);
  t.add("exponential", exponential);
  t.add("cauchy", cauchy);
  t.add("geometric", geometric);
  t.add("log_normal", logNormal);
  t.add("multinomial", multinomial);
}
