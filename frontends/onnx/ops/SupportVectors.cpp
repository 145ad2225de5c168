//===- SupportVectors.cpp - support vector machines -----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the builders of ai.onnx.ml's support vector machines:
// kernels of rows and vectors, weighted sums of them, votes and probabilities.
//===----------------------------------------------------------------------===//

#include "frontends/onnx/OpTable.h"
#include "frontends/onnx/ops/Classic.h"
#include "frontends/onnx/ops/Products.h"

using namespace mlir;

namespace graven::onnx {

namespace {

/// Vectors [V, F], and what a row has to do with each.
class SupportVectors {
public:
  explicit SupportVectors(NodeBuilder &n) : n(n) {}

  /// x as [N, F] in f32; null after an error.
  Value rows();
  /// [N, V] of `count` vectors, which are the attribute of that name.
  Value kernels(Value x, StringRef vectors, int64_t count, StringRef kernel);
  /// A list of numbers, of which there are at least `least`.
  std::optional<SmallVector<double>> numbers(StringRef name, size_t least);

private:
  Type f32() const { return n.getBuilder().getF32Type(); }
  Value number(double value) { return n.scalar(f32(), value); }

  NodeBuilder &n;
};

Value SupportVectors::rows() {
  Value x = n.cast(n.input(0), f32());
  auto shape = n.staticShape(x);
  if (!shape)
    return {};
  if (shape->size() == 1)
    return n.reshape(x, {1, shape->front()});
  if (shape->size() == 2)
    return x;
  n.error(Code::BadGraph) << "input has rank " << shape->size()
                          << ", expected 1 or 2";
  return {};
}

std::optional<SmallVector<double>> SupportVectors::numbers(StringRef name,
                                                           size_t least) {
  auto list = n.floatsAttr(name);
  if (list && list->size() >= least)
    return list;
  if (!n.hasFailed())
    n.error(Code::BadGraph) << name << " has " << (list ? list->size() : 0)
                            << " entries, expected " << least;
  return std::nullopt;
}

Value SupportVectors::kernels(Value x, StringRef vectors, int64_t count,
                              StringRef kernel) {
  int64_t features = n.hasFailed() ? 0 : n.shapeOf(x).back();
  auto table = n.floatsAttr(vectors);
  if (!table || static_cast<int64_t>(table->size()) != count * features) {
    if (!n.hasFailed())
      n.error(Code::BadGraph)
          << vectors << " has " << (table ? table->size() : 0)
          << " entries, expected those of " << count << " rows of " << features;
    return {};
  }
  auto params = n.floatsAttr("kernel_params").value_or(SmallVector<double>{});
  params.resize(3, 0);
  Value list = n.reshape(rowOf(n, *table, f32()), {count, features});
  if (kernel == "RBF") {
    IntList shape = n.shapeOf(x);
    Value away = n.binary<SubOp>(n.reshape(x, {shape[0], 1, features}), list);
    Value square = n.reduce(n.make<MulOp>(away, away), ReduceKind::Sum, {2},
                            /*keep=*/false);
    return n.make<ExpOp>(n.binary<MulOp>(square, number(-params[0])));
  }
  Value product = n.make<MatmulOp>(x, list, false, true);
  if (kernel == "LINEAR")
    return product;
  Value line =
      n.binary<AddOp>(scaled(n, product, params[0]), number(params[1]));
  if (kernel == "POLY")
    return n.binary<PowOp>(line, number(params[2]));
  if (kernel == "SIGMOID")
    return n.make<TanhOp>(line);
  n.error(Code::BadGraph) << "kernel_type is " << quoted(kernel)
                          << ", expected 'LINEAR', 'POLY', 'RBF' or 'SIGMOID'";
  return {};
}

LogicalResult buildRegressor(NodeBuilder &n) {
  SupportVectors machine(n);
  int64_t count = n.intAttr("n_supports", 0);
  auto rho = machine.numbers("rho", 1);
  Value x = machine.rows();
  if (!rho || !x)
    return failure();
  Type f32 = n.getBuilder().getF32Type();
  Value y;
  if (count > 0) {
    auto weights = machine.numbers("coefficients", count);
    Value kernels = machine.kernels(x, "support_vectors", count,
                                    n.stringAttr("kernel_type", "LINEAR"));
    if (!weights)
      return failure();
    weights->resize(count);
    y = n.make<MatmulOp>(kernels, rowOf(n, *weights, f32), false, true);
  } else {
    y = machine.kernels(x, "coefficients", 1, "LINEAR");
  }
  y = n.binary<AddOp>(y, n.scalar(f32, rho->front()));
  if (n.flagAttr("one_class"))
    y = n.select(n.compare(ComparePredicate::Gt, y, n.scalar(f32, 0)),
                 n.scalar(f32, 1), n.scalar(f32, -1));
  return n.finish(postTransform(n, y, n.stringAttr("post_transform", "NONE")));
}

/// One machine for each two classes.
class PairClassifier {
public:
  PairClassifier(NodeBuilder &n, const Classes &classes)
      : n(n), classes(classes), machine(n) {}

  LogicalResult build();

private:
  bool decide(Value x);
  Value votes();
  Value probabilities();
  Type f32() const { return n.getBuilder().getF32Type(); }
  Value number(double value) { return n.scalar(f32(), value); }
  int64_t pairs() const { return classes.count * (classes.count - 1) / 2; }
  Value column(Value table, int64_t i) { return n.slice(table, 1, i, i + 1); }

  NodeBuilder &n;
  const Classes &classes;
  SupportVectors machine;
  IntList vectors;
  Value sums; ///< [N, pairs]
};

/// Each pair sums the kernels of the vectors of its two classes.
bool PairClassifier::decide(Value x) {
  int64_t count = 0;
  for (int64_t own : vectors) {
    if (own < 0 || own > (int64_t(1) << 24)) {
      n.error(Code::BadGraph) << "vectors_per_class has the entry " << own;
      return false;
    }
    count += own;
  }
  auto weights = machine.numbers("coefficients", (classes.count - 1) * count),
       rho = machine.numbers("rho", pairs());
  if (!weights || !rho)
    return false;
  Value kernels = machine.kernels(x, "support_vectors", count,
                                  n.stringAttr("kernel_type", "LINEAR"));
  std::vector<int64_t> starts{0};
  for (int64_t own : vectors)
    starts.push_back(starts.back() + own);
  SmallVector<double> table(pairs() * count, 0);
  int64_t pair = 0;
  for (int64_t i = 0; i < classes.count; ++i)
    for (int64_t j = i + 1; j < classes.count; ++j, ++pair) {
      for (int64_t m = starts[i]; m < starts[i + 1]; ++m)
        table[pair * count + m] = (*weights)[(j - 1) * count + m];
      for (int64_t m = starts[j]; m < starts[j + 1]; ++m)
        table[pair * count + m] = (*weights)[i * count + m];
    }
  rho->resize(pairs());
  Value factors = n.reshape(rowOf(n, table, f32()), {pairs(), count});
  sums = n.binary<AddOp>(n.make<MatmulOp>(kernels, factors, false, true),
                         rowOf(n, *rho, f32()));
  return !n.hasFailed();
}

/// How often each class wins: [N, classes].
Value PairClassifier::votes() {
  Value first = n.cast(n.compare(ComparePredicate::Gt, sums, number(0)), f32());
  Value second = n.binary<SubOp>(number(1), first);
  SmallVector<double> wins(pairs() * classes.count, 0), losses = wins;
  int64_t pair = 0;
  for (int64_t i = 0; i < classes.count; ++i)
    for (int64_t j = i + 1; j < classes.count; ++j, ++pair) {
      wins[pair * classes.count + i] = 1;
      losses[pair * classes.count + j] = 1;
    }
  auto spread = [&](Value one, ArrayRef<double> table) {
    return n.make<MatmulOp>(
        one, n.reshape(rowOf(n, table, f32()), {pairs(), classes.count}), false,
        false);
  };
  return n.binary<AddOp>(spread(first, wins), spread(second, losses));
}

/// Of two classes, as Platt has it, by the steps that libsvm takes to make the
/// probabilities of all classes agree. It stops when they do nearly, so that
/// what it gives is not what they tend to.
Value PairClassifier::probabilities() {
  auto a = machine.numbers("prob_a", 1), b = machine.numbers("prob_b", 1);
  if (!a || !b)
    return {};
  Value line = n.binary<AddOp>(n.binary<MulOp>(sums, rowOf(n, *a, f32())),
                               rowOf(n, *b, f32()));
  constexpr double least = 1e-7;
  Value second = n.make<ClampOp>(n.make<SigmoidOp>(n.make<NegOp>(line)),
                                 number(least), number(1 - least));
  Value r01 = second, r10 = n.binary<SubOp>(number(1), second);
  // The matrix Q of both classes.
  Value q00 = n.make<MulOp>(r10, r10), q11 = n.make<MulOp>(r01, r01),
        q01 = n.make<NegOp>(n.make<MulOp>(r10, r01));
  Value half = n.splat(n.typeOf(second), 0.5), p0 = half, p1 = half;
  auto times = [&](Value x, Value y) { return n.make<MulOp>(x, y); };
  auto plus = [&](Value x, Value y) { return n.make<AddOp>(x, y); };
  auto minus = [&](Value x, Value y) { return n.make<SubOp>(x, y); };
  // Two classes agree after a few of the 100 steps.
  constexpr int steps = 12;
  constexpr double enough = 0.005 / 2;
  for (int step = 0; step < steps; ++step) {
    Value g0 = plus(times(q00, p0), times(q01, p1)),
          g1 = plus(times(q01, p0), times(q11, p1));
    Value whole = plus(times(p0, g0), times(p1, g1));
    Value error = n.make<MaxOp>(n.make<AbsOp>(minus(g0, whole)),
                                n.make<AbsOp>(minus(g1, whole)));
    Value isDone = n.compare(ComparePredicate::Lt, error, number(enough));
    Value x = p0, y = p1;
    for (int i = 0; i < 2; ++i) {
      Value q = i == 0 ? q00 : q11, g = i == 0 ? g0 : g1;
      Value change = n.make<DivOp>(minus(whole, g), q);
      Value scale = n.binary<AddOp>(change, number(1));
      (i == 0 ? x : y) = plus(i == 0 ? x : y, change);
      Value inner = plus(times(change, q), scaled(n, g, 2));
      whole = n.make<DivOp>(
          n.make<DivOp>(plus(whole, times(change, inner)), scale), scale);
      g0 = n.make<DivOp>(plus(g0, times(change, i == 0 ? q00 : q01)), scale);
      g1 = n.make<DivOp>(plus(g1, times(change, i == 0 ? q01 : q11)), scale);
      x = n.make<DivOp>(x, scale);
      y = n.make<DivOp>(y, scale);
    }
    p0 = n.select(isDone, p0, x);
    p1 = n.select(isDone, p1, y);
  }
  return n.make<ConcatOp>(ValueRange{p0, p1}, int64_t(1));
}

LogicalResult PairClassifier::build() {
  vectors = n.intsAttr("vectors_per_class").value_or(IntList());
  if (static_cast<int64_t>(vectors.size()) != classes.count ||
      classes.count < 2 || classes.count > 1024)
    return n.error(Code::BadGraph)
           << "vectors_per_class has " << vectors.size() << " entries for "
           << classes.count << " classes";
  bool hasProbabilities =
      !n.floatsAttr("prob_a").value_or(SmallVector<double>{}).empty();
  if (hasProbabilities && classes.count != 2)
    return n.error(Code::UnsupportedFeature)
           << "probabilities of " << classes.count << " classes, expected 2";
  std::string transform = n.stringAttr("post_transform", "NONE");
  if (transform != "NONE" && classes.count == 2 && !hasProbabilities)
    return n.error(Code::UnsupportedFeature)
           << "post_transform of one sum for two classes is "
           << quoted(transform) << ", expected 'NONE'";
  Value x = machine.rows();
  if (!x || !decide(x))
    return failure();
  Value scores = sums;
  if (hasProbabilities)
    scores = probabilities();
  else if (classes.count == 2)
    scores =
        n.make<ConcatOp>(ValueRange{n.make<NegOp>(sums), sums}, int64_t(1));
  Value best =
      n.make<ArgReduceOp>(votes(), ExtremeKind::Max, int64_t(1), false, false);
  return giveClasses(n, classes, best, postTransform(n, scores, transform));
}

LogicalResult buildClassifier(NodeBuilder &n) {
  auto classes = readClasses(n, "classlabels_ints");
  if (!classes)
    return failure();
  if (n.intsAttr("vectors_per_class").value_or(IntList()).empty()) {
    SupportVectors machine(n);
    auto rho = machine.numbers("rho", 1);
    Value x = machine.rows();
    if (!rho || !x)
      return failure();
    Value scores = machine.kernels(x, "coefficients", classes->count, "LINEAR");
    Type f32 = n.getBuilder().getF32Type();
    return finishClassifier(
        n, *classes, n.binary<AddOp>(scores, n.scalar(f32, rho->front())));
  }
  return PairClassifier(n, *classes).build();
}

} // namespace

void addSupportVectors(OpTable &table) {
  table.add("ai.onnx.ml/SVMRegressor", 1, buildRegressor);
  table.add("ai.onnx.ml/SVMClassifier", 1, buildClassifier);
}

} // namespace graven::onnx
