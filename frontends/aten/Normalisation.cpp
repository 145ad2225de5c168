//===- Normalisation.cpp - ATen's normalisations ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file builds batch, layer, group, instance and RMS normalisation and
// softmax, in their inference forms.
//
//===----------------------------------------------------------------------===//

#include "frontends/aten/Norms.h"
#include "frontends/aten/Table.h"

#include <limits>

using namespace graven;
using namespace graven::aten;
using llvm::StringRef;

/// A parameter of C elements, or that number when it is missing.
static mlir::Value channels(Call &c, StringRef name, mlir::Value x,
                            double missing) {
  if (mlir::Value value = c.tensor(name))
    return c.cast(value, c.element(x));
  return c.full(c.element(x), {c.type(x).getDimSize(1)}, missing);
}

/// By the running statistics.
static mlir::Value runningNorm(Call &c, mlir::Value x, double epsilon) {
  if (!c.has("running_mean") || !c.has("running_var"))
    return c.failed("needs running statistics");
  return c.make<BatchNormOp>(
      x, channels(c, "weight", x, 1), channels(c, "bias", x, 0),
      channels(c, "running_mean", x, 0), channels(c, "running_var", x, 1),
      llvm::APFloat(epsilon));
}

namespace {

/// What batch normalisation makes of the batch itself.
struct BatchNorm {
  mlir::Value y;
  mlir::Value mean, variance; ///< biased, of each channel
  int64_t count = 0;          ///< elements of a channel
};

} // namespace

/// By the statistics of the batch: also what instance_norm becomes, its samples
/// made channels.
static BatchNorm batchStatisticsNorm(Call &c, mlir::Value x, double epsilon) {
  Shape axes{0};
  for (int64_t axis = 2; axis < c.rank(x); ++axis)
    axes.push_back(axis);
  mlir::Value mean = c.reduce(ReduceKind::Mean, x, axes, /*keep=*/true);
  mlir::Value centred = c.binary<SubOp>(x, mean);
  BatchNorm norm;
  norm.variance =
      c.reduce(ReduceKind::Mean, c.binary<MulOp>(centred, centred), axes,
               /*keep=*/false);
  if (!norm.variance)
    return {};
  norm.mean = c.reshape(mean, c.shape(norm.variance));
  norm.count = 1;
  for (int64_t axis : axes)
    norm.count *= c.type(x).getDimSize(axis);
  norm.y = c.make<BatchNormOp>(x, channels(c, "weight", x, 1),
                               channels(c, "bias", x, 0), norm.mean,
                               norm.variance, llvm::APFloat(epsilon));
  return norm;
}

/// `old` moved towards `seen`, in the type of `old`.
static mlir::Value moved(Call &c, StringRef old, mlir::Value seen,
                         double momentum) {
  mlir::Value kept = c.tensor(old);
  return c.binary<AddOp>(
      c.binary<MulOp>(kept, 1 - momentum),
      c.binary<MulOp>(c.cast(seen, c.element(kept)), momentum));
}

/// The running statistics after the batch: a mean, and a variance that is
/// unbiased.
static std::optional<std::pair<mlir::Value, mlir::Value>>
movedStatistics(Call &c, const BatchNorm &norm) {
  auto momentum = c.number("momentum");
  if (!momentum)
    return std::nullopt;
  if (norm.count < 2) {
    c.fail() << "expected more than one value per channel when training, got "
             << norm.count;
    return std::nullopt;
  }
  mlir::Value unbiased = c.binary<MulOp>(
      norm.variance, double(norm.count) / double(norm.count - 1));
  return std::pair(moved(c, "running_mean", norm.mean, *momentum),
                   moved(c, "running_var", unbiased, *momentum));
}

/// A tensor with channels, and the epsilon.
static std::optional<std::pair<mlir::Value, double>> normInput(Call &c) {
  mlir::Value x = c.tensor("input");
  auto epsilon = c.number("eps");
  if (!epsilon)
    return std::nullopt;
  if (c.rank(x) < 2) {
    c.failed("tensor of rank < 2");
    return std::nullopt;
  }
  return std::pair(x, *epsilon);
}

static mlir::Value batchNorm(Call &c) {
  auto input = normInput(c);
  if (!input)
    return {};
  auto [x, epsilon] = *input;
  if (!c.flag("training"))
    return runningNorm(c, x, epsilon);
  BatchNorm norm = batchStatisticsNorm(c, x, epsilon);
  if (norm.y && c.has("running_mean")) {
    auto statistics = movedStatistics(c, norm);
    if (!statistics)
      return {};
    c.trains = true;
    c.write("running_mean", statistics->first);
    c.write("running_var", statistics->second);
  }
  return norm.y;
}

/// Results two and three are the statistics used, the second as the inverse of
/// the deviation; four and five of the functional form the running ones.
static void batchNormLegit(Call &c) {
  bool isFunctional = c.schema.results.size() == 5;
  auto input = normInput(c);
  c.ok = input.has_value();
  if (!c.ok)
    return;
  auto [x, epsilon] = *input;
  bool hasRunning = c.has("running_mean");
  if (hasRunning && !c.flag("training")) {
    c.give(runningNorm(c, x, epsilon));
    mlir::Type type = c.element(x);
    c.give(c.full(type, {0}, int64_t(0)));
    c.give(c.full(type, {0}, int64_t(0)));
    if (isFunctional) {
      c.give(c.tensor("running_mean"));
      c.give(c.tensor("running_var"));
    }
    return;
  }
  BatchNorm norm = batchStatisticsNorm(c, x, epsilon);
  c.give(norm.y);
  if (!norm.y)
    return;
  c.give(norm.mean);
  c.give(c.unary<RsqrtOp>(c.binary<AddOp>(norm.variance, epsilon)));
  if (!hasRunning)
    return;
  auto statistics = movedStatistics(c, norm);
  c.ok = statistics.has_value();
  if (!c.ok)
    return;
  c.trains = true;
  if (isFunctional) {
    c.give(statistics->first);
    c.give(statistics->second);
  } else {
    c.write("running_mean", statistics->first);
    c.write("running_var", statistics->second);
  }
}

/// The saved statistics, results two and three, are empty.
static void batchNormThree(Call &c) {
  c.give(batchNorm(c));
  mlir::Type type = c.mlirType(ScalarType::Float);
  c.give(c.full(type, {0}, int64_t(0)));
  c.give(c.full(type, {0}, int64_t(0)));
}

/// x less its mean over `axes`, if it `centres`, by the root of what its
/// squares have for a mean, plus an epsilon that the Nodes do not take: below
/// 0.
static mlir::Value normalised(Call &c, mlir::Value x, const Shape &axes,
                              double epsilon, bool centres) {
  x = c.widened(x);
  if (centres)
    x = c.binary<SubOp>(x, c.reduce(ReduceKind::Mean, x, axes, /*keep=*/true));
  mlir::Value variance = c.reduce(ReduceKind::Mean, c.binary<MulOp>(x, x), axes,
                                  /*keep=*/true);
  return c.binary<MulOp>(x,
                         c.unary<RsqrtOp>(c.binary<AddOp>(variance, epsilon)));
}

/// y times the weight plus the bias, where there are, which have `shape`; in
/// the type of x.
static mlir::Value scaledAndMoved(Call &c, mlir::Value y, mlir::Value x,
                                  std::optional<Shape> shape) {
  auto parameter = [&](StringRef name) {
    mlir::Value value = c.widened(c.tensor(name));
    return value && shape ? c.reshape(value, *shape) : value;
  };
  if (mlir::Value weight = parameter("weight"))
    y = c.binary<MulOp>(y, weight);
  if (mlir::Value bias = parameter("bias"))
    y = c.binary<AddOp>(y, bias);
  return c.cast(y, c.element(x));
}

static mlir::Value groupNormOf(Call &c, int64_t groups) {
  mlir::Value x = c.tensor("input");
  auto epsilon = c.number("eps");
  if (epsilon && *epsilon < 0 && c.rank(x) >= 2 && groups > 0 &&
      c.type(x).getDimSize(1) % groups == 0 && c.type(x).getNumElements() > 0) {
    Shape shape = c.shape(x), channels(c.rank(x), 1);
    channels[1] = shape[1];
    mlir::Value y =
        c.reshape(x, {shape[0], groups,
                      c.type(x).getNumElements() / (shape[0] * groups)});
    y = normalised(c, y, {2}, *epsilon, /*centres=*/true);
    return scaledAndMoved(c, c.reshape(y, shape), x, channels);
  }
  return epsilon
             ? c.make<GroupNormOp>(x, c.tensor("weight"), c.tensor("bias"),
                                   uint64_t(groups), llvm::APFloat(*epsilon))
             : mlir::Value();
}
static mlir::Value groupNorm(Call &c) {
  auto groups = c.integer(c.has("num_groups") ? "num_groups" : "group");
  return groups ? groupNormOf(c, *groups) : mlir::Value();
}

/// Results two and three of a normalisation: the mean over `axes`, which stay
/// as 1, and the inverse of the deviation, in that shape if one is given.
static void giveMoments(Call &c, mlir::Value x, llvm::ArrayRef<int64_t> axes,
                        std::optional<Shape> shape = std::nullopt) {
  auto epsilon = c.number("eps");
  if (!epsilon)
    return;
  mlir::Type type = c.element(x);
  x = c.widened(x);
  mlir::Value mean = c.reduce(ReduceKind::Mean, x, axes, /*keep=*/true);
  mlir::Value centred = c.binary<SubOp>(x, mean);
  mlir::Value variance = c.reduce(
      ReduceKind::Mean, c.binary<MulOp>(centred, centred), axes, /*keep=*/true);
  mlir::Value inverse = c.unary<RsqrtOp>(c.binary<AddOp>(variance, *epsilon));
  if (shape && inverse) {
    mean = c.reshape(mean, *shape);
    inverse = c.reshape(inverse, *shape);
  }
  c.give(c.cast(mean, type));
  c.give(c.cast(inverse, type));
}
static void nativeGroupNorm(Call &c) {
  c.give(groupNorm(c));
  auto groups = c.integer("group");
  if (!c.ok || !groups)
    return;
  mlir::Value x = c.tensor("input");
  if (c.type(x).getNumElements() == 0)
    return; // no moments
  Shape rows{c.type(x).getDimSize(0), *groups,
             c.type(x).getNumElements() / (c.type(x).getDimSize(0) * *groups)};
  giveMoments(c, c.reshape(x, rows), {2}, Shape{rows[0], rows[1]});
}
static mlir::Value instanceNorm(Call &c) {
  mlir::Value x = c.tensor("input");
  if (c.rank(x) < 2)
    return c.failed("tensor of rank < 2");
  if (!c.flag("use_input_stats"))
    return batchNorm(c);
  return groupNormOf(c, c.type(x).getDimSize(1));
}

/// The first normalised axis; the normalised shape must be x's last extents.
static std::optional<int64_t> firstAxis(Call &c, mlir::Value x) {
  auto shape = c.integers("normalized_shape");
  if (!shape)
    return std::nullopt;
  int64_t count = shape->size();
  if (count >= 1 && count <= c.rank(x) &&
      c.type(x).getShape().take_back(count) == llvm::ArrayRef(*shape))
    return c.rank(x) - count;
  c.fail() << "normalized shape [" << *shape << "] for a tensor of shape ["
           << c.type(x).getShape() << "]";
  return std::nullopt;
}

static Shape lastAxes(Call &c, mlir::Value x, int64_t first) {
  return llvm::to_vector(llvm::seq<int64_t>(first, c.rank(x)));
}

static mlir::Value layerNorm(Call &c) {
  mlir::Value x = c.tensor("input");
  auto axis = firstAxis(c, x);
  auto epsilon = c.number("eps");
  if (!axis || !epsilon)
    return {};
  if (*epsilon < 0 && *axis < c.rank(x))
    return scaledAndMoved(c,
                          normalised(c, x, lastAxes(c, x, *axis), *epsilon,
                                     /*centres=*/true),
                          x, std::nullopt);
  return c.make<LayerNormOp>(x, c.tensor("weight"), c.tensor("bias"),
                             uint64_t(*axis), llvm::APFloat(*epsilon));
}
static void nativeLayerNorm(Call &c) {
  c.give(layerNorm(c));
  mlir::Value x = c.tensor("input");
  auto first = c.ok ? firstAxis(c, x) : std::nullopt;
  if (!first)
    return;
  giveMoments(c, x, lastAxes(c, x, *first));
}

static mlir::Value rmsNorm(Call &c) {
  mlir::Value x = c.tensor("input");
  auto axis = firstAxis(c, x);
  std::optional<double> epsilon =
      c.has("eps") ? c.number("eps")
      : c.element(x).isF64()
          ? std::numeric_limits<double>::epsilon()
          : static_cast<double>(std::numeric_limits<float>::epsilon());
  if (!axis || !epsilon)
    return {};
  if (*epsilon < 0 && *axis < c.rank(x))
    return scaledAndMoved(c,
                          normalised(c, x, lastAxes(c, x, *axis), *epsilon,
                                     /*centres=*/false),
                          x, std::nullopt);
  return c.make<RmsNormOp>(x, c.tensor("weight"), uint64_t(*axis),
                           llvm::APFloat(*epsilon));
}

template <class Op> static mlir::Value softmax(Call &c) {
  mlir::Value x = c.tensor();
  if (std::optional<ScalarType> type = c.dtype())
    x = c.cast(x, *type);
  else if (c.flag("half_to_float") || !c.isFloat(x))
    x = c.cast(x, ScalarType::Float);
  auto axis = x ? c.axis("dim", c.rank(x)) : std::nullopt;
  if (!axis)
    return {};
  if (c.rank(x) > 0)
    return c.make<Op>(x, uint64_t(*axis));
  return c.reshape(c.make<Op>(c.reshape(x, {1}), uint64_t(0)), {});
}

//===----------------------------------------------------------------------===//
// Normalised weights
//===----------------------------------------------------------------------===//

/// The norm of v over all axes but `dim`, which stays with extents of 1 around
/// it; over all axes, as a number, for -1.
static mlir::Value normExceptDim(Call &c, double p) {
  mlir::Value v = c.tensor("v");
  auto dim = c.integer("dim");
  if (!v || !dim)
    return {};
  Shape axes = allAxes(v);
  if (*dim != -1) {
    auto axis = c.checkedAxis(*dim, c.rank(v));
    if (!axis)
      return {};
    axes.erase(axes.begin() + *axis);
  }
  return pNorm(c, v, p, axes, /*keep=*/*dim != -1);
}

static mlir::Value normExceptDimOf(Call &c) {
  auto p = c.integer("pow");
  return p ? normExceptDim(c, static_cast<double>(*p)) : mlir::Value();
}

/// v g / |v|, the weight of torch.nn.utils.weight_norm.
static mlir::Value normalisedWeight(Call &c, mlir::Value norm) {
  return c.binary<MulOp>(c.tensor("v"), c.binary<DivOp>(c.tensor("g"), norm));
}
static mlir::Value weightNorm(Call &c) {
  return normalisedWeight(c, normExceptDim(c, 2));
}
static void weightNormTwo(Call &c) {
  mlir::Value norm = normExceptDim(c, 2);
  c.give(normalisedWeight(c, norm));
  c.give(norm);
}

void graven::aten::addNormalisation(Table &t) {
  t.add("batch_norm", batchNorm);
  t.add("_native_batch_norm_legit_no_training", batchNormThree);
  t.add("_native_batch_norm_legit _native_batch_norm_legit_functional "
        "native_batch_norm",
        batchNormLegit);
  t.add("group_norm", groupNorm);
  t.add("native_group_norm", nativeGroupNorm);
  t.add("instance_norm", instanceNorm);
  t.add("layer_norm", layerNorm);
  t.add("native_layer_norm", nativeLayerNorm);
  t.add("rms_norm", rmsNorm);
  t.add("norm_except_dim", normExceptDimOf);
  t.add("_weight_norm", weightNorm);
  t.add("_weight_norm_interface", weightNormTwo);
  t.add("softmax _softmax special_softmax", softmax<SoftmaxOp>);
  t.add("log_softmax _log_softmax special_log_softmax", softmax<LogSoftmaxOp>);
}
