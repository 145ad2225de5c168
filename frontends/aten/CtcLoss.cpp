//===- CtcLoss.cpp - connectionist temporal classification ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file builds ctc_loss: the forward variables of all alignments of a
// target sequence, carried from one time step to the next by a loop.
//
//===----------------------------------------------------------------------===//

#include "frontends/aten/Norms.h"
#include "frontends/aten/Table.h"

#include <limits>

using namespace graven;
using namespace graven::aten;
using llvm::StringRef;

static constexpr double kMinusInfinity =
    -std::numeric_limits<double>::infinity();

namespace {
/// N sequences: of T steps over C classes, and of at most S labels.
struct Sequences {
  mlir::Value logs;    ///< [T, N, C]
  mlir::Value labels;  ///< [N, S] i64
  mlir::Value steps;   ///< [N, 1] i64: how many steps count
  mlir::Value lengths; ///< [N, 1] i64: how many labels count
};
} // namespace

/// A list of ints or a tensor of N lengths, as [N, 1].
static mlir::Value lengthsOf(Call &c, StringRef name, int64_t count) {
  mlir::Value x;
  if (c.argument(name).is(Value::Kind::Tensor)) {
    x = c.cast(c.tensor(name), ScalarType::Long);
  } else if (auto known = c.integers(name)) {
    x = c.indices({static_cast<int64_t>(known->size())}, *known);
  }
  if (x && c.type(x).getNumElements() != count)
    return c.failed("argument '" + name + "' of " +
                    llvm::Twine(c.type(x).getNumElements()) +
                    " lengths, expected " + llvm::Twine(count));
  return c.reshape(x, {count, 1});
}

/// Targets one behind the other [sum of lengths] as rows of labels.
static mlir::Value rowsOf(Call &c, mlir::Value targets, mlir::Value lengths) {
  int64_t total = c.type(targets).getNumElements(),
          n = c.type(lengths).getDimSize(0), most = total;
  // Known lengths make short rows.
  if (auto known = c.evaluate(lengths)) {
    most = 0;
    for (int64_t i = 0; i < n; ++i)
      most = std::max(most, known->getInt(i));
  }
  mlir::Value ends = c.make<CumReduceOp>(lengths, ReduceKind::Sum, uint64_t(0));
  mlir::Value places =
      c.binary<AddOp>(c.binary<SubOp>(ends, lengths), c.iota({1, most}, 1));
  if (places && total > 0)
    places = c.make<ClampOp>(places, c.scalar(c.element(places), int64_t(0)),
                             c.scalar(c.element(places), total - 1));
  if (!places)
    return {};
  return most && total ? c.make<GatherOp>(targets, places, uint64_t(0),
                                          /*nonneg=*/true)
                       : c.full(c.element(targets), {n, most}, int64_t(0));
}

static std::optional<Sequences> sequences(Call &c) {
  mlir::Value logs = c.tensor("log_probs"),
              targets = c.cast(c.tensor("targets"), ScalarType::Long);
  if (!logs || !targets)
    return std::nullopt;
  bool isSingle = c.rank(logs) == 2;
  if (isSingle)
    logs = c.unsqueeze(logs, 1);
  if (!logs || c.rank(logs) != 3 || c.type(logs).getNumElements() == 0) {
    c.failed("log_probs without steps, sequences or classes");
    return std::nullopt;
  }
  int64_t n = c.type(logs).getDimSize(1);
  Sequences s{logs, targets, lengthsOf(c, "input_lengths", n),
              lengthsOf(c, "target_lengths", n)};
  if (!s.steps || !s.lengths)
    return std::nullopt;
  if (c.rank(targets) == 1)
    s.labels =
        isSingle ? c.unsqueeze(targets, 0) : rowsOf(c, targets, s.lengths);
  if (s.labels && c.rank(s.labels) == 2 && c.type(s.labels).getDimSize(0) == n)
    return s;
  c.failed("targets of rank " + llvm::Twine(c.rank(targets)));
  return std::nullopt;
}

/// ln(e^a + e^b + ...), of which all may be -inf.
static mlir::Value logSum(Call &c, llvm::ArrayRef<mlir::Value> terms) {
  mlir::Value most = terms.front(), sum;
  for (mlir::Value term : terms.drop_front())
    most = c.binary<MaxOp>(most, term);
  most = c.where(c.compare(ComparePredicate::Eq, most, kMinusInfinity),
                 c.scalar(c.element(terms.front()), 0.0), most);
  for (mlir::Value term : terms) {
    mlir::Value power = c.unary<ExpOp>(c.binary<SubOp>(term, most));
    sum = sum ? c.binary<AddOp>(sum, power) : power;
  }
  return c.binary<AddOp>(c.unary<LogOp>(sum), most);
}

/// x [N, P] moved right by `count` places, with -inf in front.
static mlir::Value moved(Call &c, mlir::Value x, int64_t count) {
  int64_t n = c.type(x).getDimSize(0), places = c.type(x).getDimSize(1);
  count = std::min(count, places);
  return c.concat({c.full(c.element(x), {n, count}, kMinusInfinity),
                   c.slice(x, 1, 0, places - count)},
                  1);
}

/// Source: A. Graves et al., "Connectionist Temporal Classification", 2006,
/// section 4.1, in logarithms.
static mlir::Value losses(Call &c, const Sequences &s, int64_t blank) {
  int64_t time = c.type(s.logs).getDimSize(0), n = c.type(s.logs).getDimSize(1),
          labels = c.type(s.labels).getDimSize(1), places = 2 * labels + 1;
  mlir::Type type = c.element(s.logs), i64 = c.builder.getI64Type();
  // blank, label, blank, label, ..., blank
  mlir::Value blanks = c.full(i64, {n, labels, 1}, blank);
  mlir::Value path = c.reshape(c.concat({blanks, c.unsqueeze(s.labels, 2)}, 2),
                               {n, 2 * labels});
  path = c.concat({path, c.full(i64, {n, 1}, blank)}, 1);
  if (!path)
    return {};
  // A label may follow another one at once if they are different.
  mlir::Value isLabel =
      c.compare(ComparePredicate::Ne, path, static_cast<double>(blank));
  int64_t two = std::min<int64_t>(2, places);
  mlir::Value before = c.concat(
      {c.full(i64, {n, two}, blank), c.slice(path, 1, 0, places - two)}, 1);
  mlir::Value skips =
      c.binary<AndOp>(isLabel, c.compare(ComparePredicate::Ne, path, before));
  mlir::Value index = c.broadcastTo(c.unsqueeze(path, 0), {time, n, places});
  mlir::Value emitted = index ? c.make<GatherElementsOp>(
                                    s.logs, index, uint64_t(2), /*nonneg=*/true)
                              : index;
  mlir::Value position = c.iota({1, places}, 1);
  mlir::Value starts =
      c.binary<AndOp>(c.compare(ComparePredicate::Lt, position, 2.0),
                      c.compare(ComparePredicate::Le, position,
                                c.binary<MulOp>(s.lengths, 2.0)));
  mlir::Value none = c.scalar(type, kMinusInfinity, 2);
  mlir::Value alpha = c.where(starts, c.select(emitted, 0, 0), none);
  alpha = c.broadcastTo(alpha, {n, places});
  mlir::Value trip = c.full(i64, {}, time - 1);
  if (!skips)
    return {};
  auto carried = c.repeat(trip, {alpha}, [&](mlir::Value t, auto state) {
    mlir::Value last = state[0], step = c.binary<AddOp>(t, 1.0);
    mlir::Value now = c.make<GatherOp>(emitted, step, uint64_t(0), true);
    mlir::Value next = logSum(
        c, {last, moved(c, last, 1), c.where(skips, moved(c, last, 2), none)});
    next = now ? c.binary<AddOp>(next, now) : now;
    return llvm::SmallVector<mlir::Value>{
        c.where(c.compare(ComparePredicate::Lt, step, s.steps), next, last)};
  });
  if (carried.empty())
    return {};
  // An alignment ends on the last label or the blank behind it.
  mlir::Value end = c.binary<MulOp>(s.lengths, 2.0);
  mlir::Value ends = c.binary<OrOp>(
      c.compare(ComparePredicate::Eq, position, end),
      c.compare(ComparePredicate::Eq, position, c.binary<SubOp>(end, 1.0)));
  mlir::Value final = c.where(ends, carried[0], none);
  mlir::Value most = c.reduce(ReduceKind::Max, final, {1}, /*keep=*/true);
  most = c.where(c.compare(ComparePredicate::Eq, most, kMinusInfinity),
                 c.scalar(type, 0.0, 2), most);
  mlir::Value sum = c.reduce(ReduceKind::Sum,
                             c.unary<ExpOp>(c.binary<SubOp>(final, most)), {1},
                             /*keep=*/true);
  mlir::Value loss = c.unary<NegOp>(c.binary<AddOp>(c.unary<LogOp>(sum), most));
  return c.reshape(loss, {n});
}

static mlir::Value ctcLoss(Call &c) {
  auto s = sequences(c);
  auto blank = c.integer("blank"), reduction = c.integer("reduction");
  if (!s || !blank || !reduction)
    return {};
  if (*blank < 0 || *blank >= c.type(s->logs).getDimSize(2))
    return c.failed("blank " + llvm::Twine(*blank));
  mlir::Value loss = losses(c, *s, *blank);
  if (!loss)
    return loss;
  if (c.flag("zero_infinity"))
    loss = c.where(c.compare(ComparePredicate::Eq, loss, -kMinusInfinity),
                   c.scalar(c.element(loss), 0.0, 1), loss);
  if (*reduction == 1) {
    mlir::Value lengths = c.reshape(s->lengths, c.shape(loss));
    lengths = c.binary<MaxOp>(c.cast(lengths, c.element(loss)), 1.0);
    loss = c.binary<DivOp>(loss, lengths);
  }
  bool isSingle = c.rank(c.tensor("log_probs")) == 2;
  if (*reduction == 0)
    return isSingle ? c.reshape(loss, {}) : loss;
  return reduceLoss(c, loss);
}

void graven::aten::addCtcLoss(Table &t) { t.addWide("ctc_loss", ctcLoss); }
