//===- Gamma.cpp - the gamma function's family ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file builds the logarithm of the gamma function, its derivatives and
// Hurwitz' zeta function, all in f64.
//
//===----------------------------------------------------------------------===//

#include "frontends/aten/Special.h"
#include "frontends/aten/Table.h"

#include <cmath>
#include <numbers>

using namespace graven;
using namespace graven::aten;
using std::numbers::pi;

/// For x >= 1/2. Source: C. Lanczos, "A precision approximation of the gamma
/// function", 1964; g = 7, nine terms.
static Term lgammaOfPositive(Term x) {
  constexpr double kTerms[] = {676.5203681218851,     -1259.1392167224028,
                               771.32342877765313,    -176.61502916214059,
                               12.507343278686905,    -0.13857109526572012,
                               9.9843695780195716e-6, 1.5056327351493116e-7};
  Term sum = constantLike(x, 0.99999999999980993);
  for (auto [i, term] : llvm::enumerate(kTerms))
    sum = sum + term / (x + static_cast<double>(i));
  Term t = x + 6.5;
  return (x - 0.5) * log(t) - t + log(sum) + 0.5 * std::log(2 * pi);
}

static Term lgamma(Term x) {
  Term reflects = less(x, 0.5);
  Term y = lgammaOfPositive(where(reflects, 1 - x, x));
  Term reflected = log(pi / abs(sinPi(x))) - y;
  return where(equals(abs(x), kInfinity), kInfinity,
               where(reflects, reflected, y));
}

/// Source: Cephes, psi: the asymptotic series, from 10 on.
static Term digammaOfPositive(Term x) {
  Term sum = 1 / x;
  for (int i = 1; i < 10; ++i)
    sum = sum + 1 / (x + i);
  Term y = x + 10;
  Term z = 1 / (y * y);
  Term series =
      z * polynomial(z, {8.33333333333333333333e-2, -2.10927960927960927961e-2,
                         7.57575757575757575758e-3, -4.16666666666666666667e-3,
                         3.96825396825396825397e-3, -8.33333333333333333333e-3,
                         8.33333333333333333333e-2});
  return log(y) - 0.5 / y - series - sum;
}

static Term digamma(Term x) {
  Term isNegative = less(x, 0.0);
  Term y = digammaOfPositive(where(isNegative, 1 - x, x));
  y = where(isNegative, y - pi / tanPi(x), y);
  Term isPole = both(isNegative, equals(x, floor(x)));
  return where(equals(x, 0.0), -1 / x, where(isPole, kNaN, y));
}

/// The sum of (q + k)^-s over k >= 0, of s > 1 and q > 0: nine terms, then
/// Euler's and Maclaurin's formula.
/// Source: Cephes, zeta; the divisors are (2k)! / B_2k.
static Term zetaOfPositive(Term s, Term q) {
  constexpr double kDivisors[] = {12.0,
                                  -720.0,
                                  30240.0,
                                  -1209600.0,
                                  47900160.0,
                                  -1.8924375803183791606e9,
                                  7.47242496e10,
                                  -2.950130727918164224e12,
                                  1.1646782814350067249e14,
                                  -4.5979787224074726105e15,
                                  1.8152105401943546773e17,
                                  -7.1661652561756670113e18};
  Term sum = pow(q, -s);
  for (int k = 1; k < 9; ++k)
    sum = sum + pow(q + k, -s);
  Term w = q + 9;
  Term power = pow(w, -s);
  sum = sum + power * w / (s - 1) + power * 0.5;
  Term factor = s, k = s;
  power = power / w;
  for (double divisor : kDivisors) {
    sum = sum + factor * power / divisor;
    factor = factor * (k + 1) * (k + 2);
    k = k + 2;
    power = power / (w * w);
  }
  // Infinite powers of tiny q make NaNs of what is added to them.
  return where(equals(pow(q, -s), kInfinity), kInfinity, sum);
}

/// Terms with a negative base count for whole s only; they are those of two
/// zetas of positive arguments: the fraction's and its complement's.
static Term zeta(Term s, Term q) {
  Term isNegative = less(q, 0.0);
  Term fraction = q - floor(q);
  Term y = zetaOfPositive(s, where(isNegative, fraction, q));
  Term negatives = zetaOfPositive(s, 1 - fraction) - zetaOfPositive(s, 1 - q);
  Term half = s * 0.5;
  Term isOdd = compare(ComparePredicate::Ne, half, floor(half));
  y = where(isNegative, y + where(isOdd, -negatives, negatives), y);
  Term isWhole = equals(q, floor(q));
  Term fails = both(isNegative, compare(ComparePredicate::Ne, s, floor(s)));
  y = where(fails, kNaN, y);
  y = where(both(lessEqual(q, 0.0), isWhole), kInfinity, y);
  y = where(less(s, 1.0), kNaN, where(equals(s, 1.0), kInfinity, y));
  return where(either(isNaN(s), isNaN(q)), kNaN, y);
}

static mlir::Value polygamma(Call &c) {
  std::optional<int64_t> n = c.integer("n");
  if (!n)
    return {};
  if (*n < 0 || *n > 150)
    return c.failed("derivative of order " + llvm::Twine(*n));
  return inDouble(c, [&](Term x) {
    if (*n == 0)
      return digamma(x);
    double factor = std::tgamma(*n + 1.0) * (*n % 2 ? 1 : -1);
    return zeta(constantLike(x, *n + 1.0), x) * factor;
  });
}

/// The sum of lgamma(x - i/2), i < p, and p(p-1)/4 log pi.
static mlir::Value mvlgamma(Call &c) {
  std::optional<int64_t> p = c.integer("p");
  if (!p)
    return {};
  if (*p < 1 || *p > 64)
    return c.failed(llvm::Twine(*p) + " dimensions");
  return inDouble(c, [&](Term x) {
    Term sum = lgamma(x);
    for (int64_t i = 1; i < *p; ++i)
      sum = sum + lgamma(x - i / 2.0);
    return sum + *p * (*p - 1) / 4.0 * std::log(pi);
  });
}

//===----------------------------------------------------------------------===//
// Incomplete
//===----------------------------------------------------------------------===//

/// Repeats a step on tensors of one shape while the last of them, a bool, is
/// true anywhere; at most 10000 times.
static llvm::SmallVector<Term>
repeat(llvm::ArrayRef<Term> start,
       llvm::function_ref<llvm::SmallVector<Term>(llvm::ArrayRef<Term>)> step) {
  Emitter &in = start.front().in();
  mlir::OpBuilder &builder = in.builder;
  llvm::SmallVector<mlir::Value> init(start.begin(), start.end());
  if (!llvm::all_of(init, [](mlir::Value v) { return bool(v); }))
    return {start.begin(), start.end()};
  Shape axes =
      llvm::to_vector(llvm::seq<int64_t>(0, Emitter::rank(init.back())));
  auto anyOf = [&](mlir::Value x) {
    return in.reduce(ReduceKind::Or, x, axes, /*keep=*/false);
  };
  mlir::Value most = in.full(builder.getI64Type(), {}, int64_t(10000));
  mlir::TypeRange types = mlir::ValueRange(init).getTypes();
  auto op = LoopOp::create(builder, in.loc, types, mlir::TypeRange(), most,
                           anyOf(init.back()), init);
  mlir::OpBuilder::InsertionGuard guard(builder);
  llvm::SmallVector<mlir::Type> formals{most.getType()};
  llvm::append_range(formals, types);
  mlir::Block *block = builder.createBlock(
      &op.getBody(), {}, formals,
      llvm::SmallVector<mlir::Location>(formals.size(), in.loc));
  llvm::SmallVector<Term> carried;
  for (mlir::Value argument : block->getArguments().drop_front())
    carried.emplace_back(in, argument);
  llvm::SmallVector<mlir::Value> yielded{{}};
  for (Term term : step(carried))
    yielded.push_back(term);
  yielded.front() = anyOf(yielded.back());
  YieldOp::create(builder, in.loc, yielded);
  llvm::SmallVector<Term> results;
  for (mlir::Value result : op->getResults())
    results.emplace_back(in, result);
  return results;
}

/// The incomplete gamma functions' shares of the whole, lower and upper: by the
/// power series where x is small, else by the continued fraction.
/// Source: W. H. Press et al., "Numerical Recipes", 6.2.
static std::pair<Term, Term> incompleteGamma(Term a, Term x) {
  constexpr double kEpsilon = 1e-16, kTiny = 1e-300;
  Term finite = both(less(a, kInfinity), less(x, kInfinity));
  Term defined = both(finite, both(greater(a, 0.0), greater(x, 0.0)));
  Term byseries = either(less(x, 1.0), lessEqual(x, a));
  Term factor = exp(a * log(x) - x - lgamma(a));

  // What the other branch computes must end at once.
  Term isFirst = both(defined, byseries);
  Term b = where(isFirst, a, 1.0), y = where(isFirst, x, 0.0);
  Term zero = y * 0, one = zero + 1;
  auto series =
      repeat({one, one, b, isFirst},
             [&](llvm::ArrayRef<Term> v) -> llvm::SmallVector<Term> {
               Term next = v[2] + 1, term = v[0] * y / next;
               Term sum = v[1] + term;
               return {term, sum, next, greater(term, sum * kEpsilon)};
             });
  Term lower = factor * series[1] / b;

  Term isSecond = both(defined, negated(byseries));
  Term p = where(isSecond, a, 1.0), z = where(isSecond, x, 2.0);
  Term start = z + 1 - p;
  auto fraction =
      repeat({zero, start, zero + 1 / kTiny, 1 / start, 1 / start, isSecond},
             [&](llvm::ArrayRef<Term> v) -> llvm::SmallVector<Term> {
               Term i = v[0] + 1, n = i * (p - i), next = v[1] + 2;
               auto away = [&](Term t) {
                 return where(less(abs(t), kTiny), kTiny, t);
               };
               Term d = 1 / away(n * v[3] + next), c = away(next + n / v[2]);
               Term change = c * d;
               return {i,
                       next,
                       c,
                       d,
                       v[4] * change,
                       both(isSecond, greater(abs(change - 1), kEpsilon * 4))};
             });
  Term upper = factor * fraction[4];

  Term share = where(byseries, lower, 1 - upper);
  // At the ends: nothing lies below 0, all below infinity.
  auto ends = [&](Term inside, double below, double above) {
    Term y = where(equals(x, kInfinity), above,
                   where(equals(a, kInfinity), below, inside));
    y = where(equals(x, 0.0), below, y);
    y = where(both(equals(a, 0.0), greater(x, 0.0)), above, y);
    Term fails =
        either(either(less(a, 0.0), less(x, 0.0)),
               either(both(equals(a, 0.0), equals(x, 0.0)),
                      both(equals(a, kInfinity), equals(x, kInfinity))));
    y = where(fails, kNaN, y);
    return where(either(isNaN(a), isNaN(x)), kNaN, y);
  };
  return {ends(share, 0, 1), ends(where(byseries, 1 - lower, upper), 1, 0)};
}

/// Both operands in the shape of the result, which loops carry.
static std::pair<Term, Term> spread(Term a, Term x) {
  mlir::Value left = a, right = x;
  auto shape = left && right ? Emitter::broadcastShape(Emitter::shape(left),
                                                       Emitter::shape(right))
                             : std::nullopt;
  if (!shape)
    return {Term(a.in(), {}), Term(a.in(), {})};
  return {Term(a.in(), a.in().broadcastTo(left, *shape)),
          Term(a.in(), a.in().broadcastTo(right, *shape))};
}
static Term igamma(Term a, Term x) {
  auto [left, right] = spread(a, x);
  return mlir::Value(left) && mlir::Value(right)
             ? incompleteGamma(left, right).first
             : left;
}
static Term igammac(Term a, Term x) {
  auto [left, right] = spread(a, x);
  return mlir::Value(left) && mlir::Value(right)
             ? incompleteGamma(left, right).second
             : left;
}

void graven::aten::addGamma(Table &t) {
  t.add("lgamma special_gammaln", special<lgamma>);
  t.add("digamma special_digamma special_psi", special<digamma>);
  t.add("polygamma special_polygamma", polygamma);
  t.add("mvlgamma special_multigammaln", mvlgamma);
  t.add("special_zeta", special<zeta>);
  t.add("igamma special_gammainc", special<igamma>);
  t.add("igammac special_gammaincc", special<igammac>);
}
