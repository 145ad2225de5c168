//===- MergeBounds.cpp - clamps of clamps -----------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the patterns that make one clamp of Nodes that bound
// numbers, and drop bounds that bound nothing.
//===----------------------------------------------------------------------===//

#include "passes/graph/MergeBounds.h"
#include "passes/graph/GraphUtils.h"
#include "llvm/ADT/TypeSwitch.h"
#include <cmath>

using namespace mlir;

namespace graven {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// The least and the greatest number of a type. Of floats, the infinities.
std::pair<double, double> limitsOf(Type element) {
  auto type = dyn_cast<IntegerType>(element);
  if (!type)
    return {-kInfinity, kInfinity};
  unsigned bits = type.getWidth();
  if (type.isUnsigned())
    return {0, std::ldexp(1, bits) - 1};
  return {-std::ldexp(1, bits - 1), std::ldexp(1, bits - 1) - 1};
}

/// min(max(x, lo), hi), with lo <= hi.
struct Bounds {
  Value x;
  double lo, hi;

  double operator()(double number) const {
    return std::min(std::max(number, lo), hi);
  }
};

/// The number that is a bound; nullopt where it is not one, or is NaN, -0, or
/// an int that is none of a double.
std::optional<double> boundOf(Value value) {
  constexpr double exactInts = 0x1p53;
  std::optional<double> number = splatOf(value);
  if (!number || std::isnan(*number) || (*number == 0 && std::signbit(*number)))
    return std::nullopt;
  if (isa<IntegerType>(tensorType(value).getElementType()) &&
      std::abs(*number) >= exactInts)
    return std::nullopt;
  return number;
}

/// What a Node bounds, and how; nullopt for one that does something else.
std::optional<Bounds> boundsOf(Operation *op) {
  if (!isa_and_present<ReluOp, MaxOp, MinOp, ClampOp>(op))
    return std::nullopt;
  auto type = tensorType(op->getResult(0));
  if (type.getElementType().isInteger(1))
    return std::nullopt;
  auto [least, greatest] = limitsOf(type.getElementType());
  Bounds bounds{op->getOperand(0), least, greatest};
  bool known = llvm::TypeSwitch<Operation *, bool>(op)
                   .Case<ReluOp>([&](auto) {
                     bounds.lo = std::max(0.0, least);
                     return true;
                   })
                   .Case<MaxOp>([&](MaxOp max) {
                     auto number = boundOf(max.getB());
                     bounds.lo = number.value_or(least);
                     return number.has_value();
                   })
                   .Case<MinOp>([&](MinOp min) {
                     auto number = boundOf(min.getB());
                     bounds.hi = number.value_or(greatest);
                     return number.has_value();
                   })
                   .Case<ClampOp>([&](ClampOp clamp) {
                     auto lo = clamp.getLo() ? boundOf(clamp.getLo()) : least;
                     auto hi =
                         clamp.getHi() ? boundOf(clamp.getHi()) : greatest;
                     bounds.lo = lo.value_or(least);
                     bounds.hi = hi.value_or(greatest);
                     return lo && hi;
                   })
                   .Default(false);
  if (!known || bounds.x.getType() != type || bounds.lo > bounds.hi)
    return std::nullopt;
  return bounds;
}

/// x between the bounds, by the fewest Nodes.
Value bounded(OpBuilder &b, Location loc, const Bounds &bounds) {
  Type element = tensorType(bounds.x).getElementType();
  auto [least, greatest] = limitsOf(element);
  auto scalar = [&](double number, bool counts) {
    return counts ? scalarConstant(b, loc, element, number, /*rank=*/0)
                  : Value();
  };
  bool hasLo = bounds.lo > least, hasHi = bounds.hi < greatest;
  if (!hasLo && !hasHi)
    return bounds.x;
  if (bounds.lo == 0 && hasLo && !hasHi)
    return ReluOp::create(b, loc, bounds.x);
  Value lo = scalar(bounds.lo, hasLo), hi = scalar(bounds.hi, hasHi);
  return ClampOp::create(b, loc, bounds.x.getType(), bounds.x, lo, hi);
}

/// Bounds of bounds: relu of a clamp, the least of a number and a relu, ...
template <class OpTy> struct BoundsOfBounds : CountingPattern<OpTy> {
  using CountingPattern<OpTy>::CountingPattern;

  LogicalResult matchAndRewrite(OpTy op,
                                PatternRewriter &rewriter) const override {
    std::optional<Bounds> outer = boundsOf(op);
    if (!outer)
      return rewriter.notifyMatchFailure(
          op, "its bounds are not numbers in their order");
    std::optional<Bounds> inner = boundsOf(outer->x.getDefiningOp());
    if (!inner)
      return rewriter.notifyMatchFailure(op, "x is not between numbers");
    if (!soleUser(outer->x))
      return rewriter.notifyMatchFailure(op, "x has a second user");
    // Ascending functions: what is between the inner bounds stays between
    // their images.
    Bounds both{inner->x, (*outer)(inner->lo), (*outer)(inner->hi)};
    Location loc = rewriter.getFusedLoc({outer->x.getLoc(), op.getLoc()});
    rewriter.replaceOp(op, bounded(rewriter, loc, both));
    return this->rewritten();
  }
};

/// A bound that no number is beyond: max(x, -inf) is x.
template <class OpTy> struct BoundOfNothing : CountingPattern<OpTy> {
  using CountingPattern<OpTy>::CountingPattern;

  LogicalResult matchAndRewrite(OpTy op,
                                PatternRewriter &rewriter) const override {
    std::optional<Bounds> bounds = boundsOf(op);
    if (!bounds)
      return rewriter.notifyMatchFailure(
          op, "its bounds are not numbers in their order");
    auto [least, greatest] = limitsOf(op.getType().getElementType());
    bool hasLo = bounds->lo > least, hasHi = bounds->hi < greatest;
    bool writesLo = true, writesHi = true;
    if (auto clamp = dyn_cast<ClampOp>(op.getOperation())) {
      writesLo = bool(clamp.getLo());
      writesHi = bool(clamp.getHi());
    } else {
      writesLo = std::is_same_v<OpTy, MaxOp>;
      writesHi = !writesLo;
    }
    if (hasLo == writesLo && hasHi == writesHi)
      return rewriter.notifyMatchFailure(op, "numbers are beyond its bounds");
    rewriter.replaceOp(op, bounded(rewriter, op.getLoc(), *bounds));
    return this->rewritten();
  }
};

} // namespace

void populateMergeBoundsPatterns(RewritePatternSet &patterns,
                                 Pass::Statistic *count) {
  patterns.add<BoundsOfBounds<ClampOp>, BoundsOfBounds<ReluOp>,
               BoundsOfBounds<MaxOp>, BoundsOfBounds<MinOp>,
               BoundOfNothing<ClampOp>, BoundOfNothing<MaxOp>,
               BoundOfNothing<MinOp>>(patterns.getContext(), count);
}

} // namespace graven
