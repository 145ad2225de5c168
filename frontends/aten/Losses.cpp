//===- Losses.cpp - ATen's losses ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file builds the losses of torch.nn.functional. Their formulas, with the
// constants that keep logarithms finite, are PyTorch's: ATen/native/Loss*.cpp.
//
//===----------------------------------------------------------------------===//

#include "frontends/aten/Norms.h"
#include "frontends/aten/Table.h"

#include <numbers>

using namespace graven;
using namespace graven::aten;
using llvm::StringRef;

namespace {
/// Two operands of one float type.
struct Pair {
  mlir::Value a, b;
  explicit operator bool() const { return a && b; }
};
} // namespace

static Pair pairOf(Call &c, StringRef first = "self",
                   StringRef second = "target") {
  std::optional<ScalarType> type = c.promoted({first, second});
  if (!type)
    return {};
  if (!isFloating(*type)) {
    c.fail() << "loss of integers";
    return {};
  }
  return {c.operand(first, *type), c.operand(second, *type)};
}

static mlir::Value zeroLike(Emitter &e, mlir::Value x) {
  return x ? e.scalar(e.element(x), 0.0, e.rank(x)) : x;
}
/// 1 - x
static mlir::Value complement(Emitter &e, mlir::Value x) {
  return x ? e.binary<SubOp>(e.scalar(e.element(x), 1.0, e.rank(x)), x) : x;
}
/// max(x, bound); NaN stays.
static mlir::Value atLeast(Emitter &e, mlir::Value x, double bound) {
  return x ? e.binary<MaxOp>(x, bound) : x;
}

//===----------------------------------------------------------------------===//
// Regression
//===----------------------------------------------------------------------===//

static mlir::Value l1Loss(Call &c) {
  Pair p = pairOf(c);
  return p ? reduceLoss(c, c.unary<AbsOp>(c.binary<SubOp>(p.a, p.b)))
           : mlir::Value();
}
static mlir::Value mseLoss(Call &c) {
  Pair p = pairOf(c);
  mlir::Value d = p ? c.binary<SubOp>(p.a, p.b) : mlir::Value();
  return d ? reduceLoss(c, c.binary<MulOp>(d, d)) : d;
}
static mlir::Value smoothL1Loss(Call &c) {
  Pair p = pairOf(c);
  auto beta = c.number("beta");
  if (!p || !beta)
    return {};
  mlir::Value z = c.unary<AbsOp>(c.binary<SubOp>(p.a, p.b));
  if (*beta == 0)
    return reduceLoss(c, z);
  mlir::Value near =
      c.binary<DivOp>(c.binary<MulOp>(c.binary<MulOp>(z, 0.5), z), *beta);
  return reduceLoss(c, c.where(c.compare(ComparePredicate::Lt, z, *beta), near,
                               c.binary<SubOp>(z, 0.5 * *beta)));
}
static mlir::Value huberLoss(Call &c) {
  Pair p = pairOf(c);
  auto delta = c.number("delta");
  if (!p || !delta)
    return {};
  mlir::Value z = c.unary<AbsOp>(c.binary<SubOp>(p.a, p.b));
  mlir::Value near = c.binary<MulOp>(c.binary<MulOp>(z, 0.5), z);
  mlir::Value far = c.binary<MulOp>(c.binary<SubOp>(z, 0.5 * *delta), *delta);
  return reduceLoss(
      c, c.where(c.compare(ComparePredicate::Le, z, *delta), near, far));
}

static mlir::Value poissonLoss(Call &c) {
  Pair p = pairOf(c, "input", "target");
  auto epsilon = c.number("eps");
  if (!p || !epsilon)
    return {};
  mlir::Value loss;
  if (c.flag("log_input"))
    loss = c.binary<SubOp>(c.unary<ExpOp>(p.a), c.binary<MulOp>(p.b, p.a));
  else
    loss = c.binary<SubOp>(
        p.a,
        c.binary<MulOp>(p.b, c.unary<LogOp>(c.binary<AddOp>(p.a, *epsilon))));
  if (c.flag("full")) {
    // Stirling's approximation of the logarithm of a factorial.
    mlir::Value term =
        c.binary<SubOp>(c.binary<MulOp>(p.b, c.unary<LogOp>(p.b)), p.b);
    mlir::Value tail = c.binary<MulOp>(
        c.unary<LogOp>(c.binary<MulOp>(p.b, 2 * std::numbers::pi)), 0.5);
    term = c.where(c.compare(ComparePredicate::Le, p.b, 1.0), zeroLike(c, p.b),
                   c.binary<AddOp>(term, tail));
    loss = c.binary<AddOp>(loss, term);
  }
  return reduceLoss(c, loss);
}

//===----------------------------------------------------------------------===//
// Probabilities
//===----------------------------------------------------------------------===//

static mlir::Value weighted(Call &c, mlir::Value loss) {
  if (mlir::Value weight = c.tensor("weight"); weight && loss)
    return c.binary<MulOp>(loss, c.cast(weight, c.element(loss)));
  return loss;
}

/// Logarithms are bounded by -100, so that 0 times them is 0.
static mlir::Value binaryCrossEntropy(Call &c) {
  Pair p = pairOf(c);
  if (!p)
    return {};
  mlir::Value log = atLeast(c, c.unary<LogOp>(p.a), -100);
  mlir::Value other = atLeast(c, c.unary<Log1pOp>(c.unary<NegOp>(p.a)), -100);
  mlir::Value loss =
      c.binary<SubOp>(c.binary<MulOp>(c.binary<SubOp>(p.b, 1.0), other),
                      c.binary<MulOp>(p.b, log));
  return reduceLoss(c, weighted(c, loss));
}
static mlir::Value crossEntropyWithLogits(Call &c) {
  Pair p = pairOf(c);
  if (!p)
    return {};
  mlir::Value log = c.unary<SoftplusOp>(c.unary<NegOp>(p.a));
  if (mlir::Value weight = c.tensor("pos_weight")) {
    weight = c.cast(weight, c.element(p.a));
    log = c.binary<MulOp>(
        log, c.binary<AddOp>(c.binary<MulOp>(c.binary<SubOp>(weight, 1.0), p.b),
                             1.0));
  }
  mlir::Value loss =
      c.binary<AddOp>(c.binary<MulOp>(complement(c, p.b), p.a), log);
  return reduceLoss(c, weighted(c, loss));
}

static mlir::Value klDiv(Call &c) {
  Pair p = pairOf(c);
  if (!p)
    return {};
  if (c.flag("log_target"))
    return reduceLoss(
        c, c.binary<MulOp>(c.unary<ExpOp>(p.b), c.binary<SubOp>(p.b, p.a)));
  mlir::Value entropy = c.binary<MulOp>(p.b, c.unary<LogOp>(p.b));
  entropy = c.where(c.compare(ComparePredicate::Eq, p.b, 0.0), zeroLike(c, p.b),
                    entropy);
  return reduceLoss(c, c.binary<SubOp>(entropy, c.binary<MulOp>(p.b, p.a)));
}

//===----------------------------------------------------------------------===//
// Classes
//===----------------------------------------------------------------------===//

/// The axis of the classes: 1, or 0 of a tensor without a batch.
static int64_t classAxis(mlir::Value x) { return Emitter::rank(x) > 1; }

/// [C] as [1, C, 1..] for a tensor whose classes are at that axis.
static mlir::Value alongClasses(Call &c, mlir::Value weight, mlir::Value x) {
  Shape shape(c.rank(x), 1);
  shape[classAxis(x)] = c.type(x).getDimSize(classAxis(x));
  if (c.type(weight).getNumElements() != shape[classAxis(x)])
    return c.failed("weight of " +
                    llvm::Twine(c.type(weight).getNumElements()) +
                    " classes, expected " + llvm::Twine(shape[classAxis(x)]));
  return c.reshape(c.cast(weight, c.element(x)), shape);
}

namespace {
/// The loss per element, 0 where the target is ignored, and what a mean divides
/// by: the weights of the elements that count.
struct ClassLoss {
  mlir::Value loss, weights, counts;
};
} // namespace

static std::optional<ClassLoss> classLoss(Call &c, mlir::Value logs,
                                          mlir::Value target) {
  auto ignored = c.integer("ignore_index");
  if (!ignored || !logs || !target)
    return std::nullopt;
  if (c.isFloat(target) || c.rank(logs) < 1 ||
      c.rank(target) != c.rank(logs) - 1) {
    c.fail() << "target of rank " << c.rank(target) << " for a tensor of rank "
             << c.rank(logs);
    return std::nullopt;
  }
  int64_t axis = classAxis(logs);
  mlir::Type i64 = c.builder.getI64Type(), type = c.element(logs);
  target = c.cast(target, i64);
  mlir::Value counts =
      c.compare(ComparePredicate::Ne, target, c.scalar(i64, *ignored));
  mlir::Value safe = c.where(counts, target, c.scalar(i64, int64_t(0)));
  mlir::Value index = c.unsqueeze(safe, axis);
  if (!index)
    return std::nullopt;
  mlir::Value picked = c.make<GatherElementsOp>(logs, index, uint64_t(axis),
                                                /*nonneg=*/true);
  mlir::Value zero = c.scalar(type, 0.0);
  mlir::Value weights = c.full(type, c.shape(target), 1.0);
  if (mlir::Value given = c.tensor("weight"))
    weights = c.make<GatherOp>(c.cast(given, type), safe, uint64_t(0),
                               /*nonneg=*/true);
  if (!picked || !weights)
    return std::nullopt;
  weights = c.where(counts, weights, zero);
  mlir::Value loss = c.unary<NegOp>(c.reshape(picked, c.shape(target)));
  loss = c.where(counts, c.binary<MulOp>(loss, weights), zero);
  return loss && weights ? std::optional(ClassLoss{loss, weights, counts})
                         : std::nullopt;
}

/// The mean of a loss over the classes' weights.
static mlir::Value reduceClasses(Call &c, mlir::Value loss,
                                 mlir::Value weights) {
  auto reduction = c.integer("reduction");
  if (!loss || !reduction)
    return {};
  if (*reduction != 1)
    return reduceLoss(c, loss);
  auto total = [&](mlir::Value x) {
    return x ? c.reduce(ReduceKind::Sum, x, allAxes(x), /*keep=*/false) : x;
  };
  return c.binary<DivOp>(total(loss), total(weights));
}

static void nllLoss(Call &c) {
  auto l = classLoss(c, c.tensor(), c.tensor("target"));
  if (!l)
    return;
  c.give(reduceClasses(c, l->loss, l->weights));
  if (c.schema.results.size() > 1)
    c.give(c.reduce(ReduceKind::Sum, l->weights, allAxes(l->weights),
                    /*keep=*/false));
}

/// Targets that are probabilities of the classes.
static mlir::Value softTargets(Call &c, mlir::Value logs, mlir::Value target,
                               double smoothing) {
  int64_t axis = classAxis(logs);
  double classes = c.type(logs).getDimSize(axis);
  if (c.type(target).getShape() != c.type(logs).getShape())
    return c.failed("target of shape [" + llvm::Twine(c.rank(target)) +
                    "] axes");
  target = c.cast(target, c.element(logs));
  if (smoothing > 0)
    target = c.binary<AddOp>(c.binary<MulOp>(target, 1 - smoothing),
                             smoothing / classes);
  mlir::Value terms = c.binary<MulOp>(logs, target);
  if (mlir::Value weight = c.tensor("weight"))
    terms = c.binary<MulOp>(terms, alongClasses(c, weight, logs));
  mlir::Value loss =
      c.unary<NegOp>(c.reduce(ReduceKind::Sum, terms, {axis}, /*keep=*/false));
  auto reduction = c.integer("reduction");
  if (!loss || !reduction)
    return {};
  if (*reduction == 0)
    return loss;
  loss = c.reduce(ReduceKind::Sum, loss, allAxes(loss), /*keep=*/false);
  if (*reduction == 2 || !loss)
    return loss;
  return c.binary<DivOp>(loss, c.type(logs).getNumElements() / classes);
}

static mlir::Value crossEntropy(Call &c) {
  mlir::Value x = c.tensor(), target = c.tensor("target");
  auto smoothing = c.number("label_smoothing");
  if (!smoothing)
    return {};
  if (c.rank(x) == 0 || !c.isFloat(x))
    return c.failed("tensor of rank " + llvm::Twine(c.rank(x)));
  int64_t axis = classAxis(x);
  mlir::Value logs = c.make<LogSoftmaxOp>(x, uint64_t(axis));
  if (!logs)
    return {};
  if (c.isFloat(target) && c.rank(target) == c.rank(x))
    return softTargets(c, logs, target, *smoothing);
  auto l = classLoss(c, logs, target);
  if (!l)
    return {};
  mlir::Value loss = reduceClasses(c, l->loss, l->weights);
  if (*smoothing <= 0 || !loss)
    return loss;
  mlir::Value all = logs;
  if (mlir::Value weight = c.tensor("weight"))
    all = c.binary<MulOp>(all, alongClasses(c, weight, logs));
  mlir::Value smooth =
      c.unary<NegOp>(c.reduce(ReduceKind::Sum, all, {axis}, /*keep=*/false));
  smooth = c.where(l->counts, smooth, c.scalar(c.element(x), 0.0));
  smooth = reduceClasses(c, smooth, l->weights);
  double share = *smoothing / c.type(x).getDimSize(axis);
  return smooth ? c.binary<AddOp>(c.binary<MulOp>(loss, 1 - *smoothing),
                                  c.binary<MulOp>(smooth, share))
                : smooth;
}

void graven::aten::addLosses(Table &t) {
  t.addWide("l1_loss", l1Loss);
  t.addWide("mse_loss", mseLoss);
  t.addWide("smooth_l1_loss", smoothL1Loss);
  t.addWide("huber_loss", huberLoss);
  t.addWide("poisson_nll_loss", poissonLoss);
  t.addWide("binary_cross_entropy", binaryCrossEntropy);
  t.addWide("binary_cross_entropy_with_logits", crossEntropyWithLogits);
  t.addWide("kl_div", klDiv);
  t.addWide(
      "nll_loss nll_loss_nd nll_loss2d nll_loss_forward nll_loss2d_forward",
      nllLoss);
  t.addWide("cross_entropy_loss", crossEntropy);
}
