//===- Classic.cpp - the domain ai.onnx.ml ---*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the builders of ai.onnx.ml whose inputs and results are
// tensors of numbers.
//===----------------------------------------------------------------------===//

#include "frontends/onnx/ops/Classic.h"

#include "frontends/onnx/GraphImporter.h"
#include "frontends/onnx/OpTable.h"
#include "frontends/onnx/ops/Strings.h"

using namespace mlir;

namespace graven::onnx {

Value rowOf(NodeBuilder &n, ArrayRef<double> values, Type type) {
  eval::Tensor tensor(
      RankedTensorType::get({1, static_cast<int64_t>(values.size())}, type));
  for (auto [i, value] : llvm::enumerate(values))
    tensor.set(static_cast<int64_t>(i), value);
  return n.constant(tensor);
}

Value postTransform(NodeBuilder &n, Value scores, StringRef transform) {
  if (transform == "NONE")
    return scores;
  if (transform == "LOGISTIC")
    return n.make<SigmoidOp>(scores);
  if (transform == "SOFTMAX")
    return n.make<SoftmaxOp>(scores, int64_t(1));
  if (!n.hasFailed())
    n.error(Code::UnsupportedFeature)
        << "post_transform is " << quoted(transform)
        << ", expected 'NONE', 'LOGISTIC' or 'SOFTMAX'";
  return {};
}

std::optional<Classes> readClasses(NodeBuilder &n, StringRef ints) {
  auto numbers = n.intsAttr(ints);
  auto texts = n.stringsAttr("classlabels_strings");
  Classes classes;
  if (texts && !texts->empty()) {
    classes.count = static_cast<int64_t>(texts->size());
    classes.labels =
        numbersOf(n, {classes.count}, {texts->begin(), texts->end()});
    classes.areStrings = true;
  } else if (numbers && !numbers->empty()) {
    classes.count = static_cast<int64_t>(numbers->size());
    classes.labels = n.intList(*numbers);
  } else {
    if (!n.hasFailed())
      n.error(Code::BadGraph) << "there are no labels of classes";
    return std::nullopt;
  }
  return classes;
}

LogicalResult giveClasses(NodeBuilder &n, const Classes &classes, Value places,
                          Value scores) {
  if (classes.areStrings)
    n.setNarrow(0, stringType(n.getContext()));
  n.setOutput(1, n.cast(scores, n.getBuilder().getF32Type()));
  return n.finish(n.make<GatherOp>(classes.labels, places, int64_t(0), false));
}

LogicalResult finishClassifier(NodeBuilder &n, const Classes &classes,
                               Value scores) {
  Value best =
      n.make<ArgReduceOp>(scores, ExtremeKind::Max, int64_t(1), false, false);
  return giveClasses(
      n, classes, best,
      postTransform(n, scores, n.stringAttr("post_transform", "NONE")));
}

namespace {

/// A list of numbers as a tensor of x's type; an error when it is absent.
Value listAttr(NodeBuilder &n, StringRef name, Type type) {
  auto list = n.floatsAttr(name);
  if (!list) {
    if (!n.hasFailed())
      n.error(Code::BadGraph) << "there is no " << name;
    return {};
  }
  eval::Tensor tensor(
      RankedTensorType::get({static_cast<int64_t>(list->size())}, type));
  for (auto [i, value] : llvm::enumerate(*list))
    tensor.set(static_cast<int64_t>(i), value);
  return n.constant(tensor);
}

LogicalResult buildBinarizer(NodeBuilder &n) {
  Value x = n.input(0);
  Type type = n.elementTypeOf(x);
  Value isAbove = n.compare(ComparePredicate::Gt, x,
                            n.scalar(type, n.floatAttr("threshold", 0)));
  return n.finish(n.cast(isAbove, type));
}

/// Some columns of the last axis.
LogicalResult buildFeatureExtractor(NodeBuilder &n) {
  Value x = n.input(0), columns = n.input(1);
  auto shape = n.staticShape(x), picked = n.staticShape(columns);
  if (!shape || !picked)
    return failure();
  auto count = elementCount(*picked);
  if (shape->empty() || !count)
    return n.error(Code::BadGraph) << "the input is a scalar";
  Value y = n.make<GatherOp>(x, n.reshape(columns, {*count}),
                             static_cast<int64_t>(shape->size()) - 1, false);
  if (shape->size() == 1)
    y = n.reshape(y, {1, *count});
  return n.finish(y);
}

/// The columns of all inputs side by side, in f32.
LogicalResult buildFeatureVectorizer(NodeBuilder &n) {
  SmallVector<Value> parts;
  for (Value x : n.getInputs()) {
    auto shape = x ? n.staticShape(x) : std::nullopt;
    if (!shape)
      return n.hasFailed() ? failure()
                           : LogicalResult(n.error(Code::BadGraph)
                                           << "an input is absent");
    if (shape->empty() || shape->size() > 2)
      return n.error(Code::BadGraph)
             << "input has rank " << shape->size() << ", expected 1 or 2";
    if (shape->size() == 1)
      x = n.reshape(x, {shape->front(), 1});
    parts.push_back(n.cast(x, n.getBuilder().getF32Type()));
  }
  return n.finish(n.make<ConcatOp>(ValueRange(parts), int64_t(1)));
}

/// (x - offset) * scale, in f32.
LogicalResult buildScaler(NodeBuilder &n) {
  Type f32 = n.getBuilder().getF32Type();
  Value offset = listAttr(n, "offset", f32), scale = listAttr(n, "scale", f32);
  Value centred = n.binary<SubOp>(n.cast(n.input(0), f32), offset);
  return n.finish(n.binary<MulOp>(centred, scale));
}

/// x * coefficients + intercepts: [N, C].
Value linear(NodeBuilder &n, int64_t count) {
  Type f32 = n.getBuilder().getF32Type();
  Value x = n.cast(n.input(0), f32);
  auto shape = n.staticShape(x);
  auto coefficients = n.floatsAttr("coefficients"),
       intercepts = n.floatsAttr("intercepts");
  if (!shape)
    return {};
  if (shape->size() == 1) {
    shape->insert(shape->begin(), 1);
    x = n.reshape(x, *shape);
  }
  if (shape->size() != 2 || !coefficients || count < 1 ||
      static_cast<int64_t>(coefficients->size()) != count * shape->back()) {
    if (!n.hasFailed())
      n.error(Code::BadGraph)
          << "the input has shape ["
          << llvm::join(
                 llvm::map_range(*shape,
                                 [](int64_t e) { return std::to_string(e); }),
                 ", ")
          << "], there are " << (coefficients ? coefficients->size() : 0)
          << " coefficients for " << count << " results";
    return {};
  }
  Value factors =
      n.reshape(rowOf(n, *coefficients, f32), {count, shape->back()});
  Value y = n.make<MatmulOp>(x, factors, false, true);
  return intercepts ? n.binary<AddOp>(y, rowOf(n, *intercepts, f32)) : y;
}

LogicalResult buildLinearRegressor(NodeBuilder &n) {
  Value y = linear(n, n.intAttr("targets", 1));
  return n.finish(postTransform(n, y, n.stringAttr("post_transform", "NONE")));
}

LogicalResult buildLinearClassifier(NodeBuilder &n) {
  auto classes = readClasses(n, "classlabels_ints");
  if (!classes)
    return failure();
  auto intercepts = n.floatsAttr("intercepts");
  if (classes->count < 2 ||
      (intercepts &&
       static_cast<int64_t>(intercepts->size()) != classes->count))
    return n.error(Code::UnsupportedFeature)
           << "there are " << (intercepts ? intercepts->size() : 0)
           << " intercepts for " << classes->count << " classes";
  Value scores = linear(n, classes->count);
  return n.hasFailed() ? failure() : finishClassifier(n, *classes, scores);
}

/// Rows divided by their greatest magnitude, or by their L1 or L2 norm.
LogicalResult buildNormalizer(NodeBuilder &n) {
  Type f32 = n.getBuilder().getF32Type();
  Value x = n.cast(n.input(0), f32);
  int64_t rank = n.rankOf(x);
  std::string norm = n.stringAttr("norm", "MAX");
  if (rank < 1 || rank > 2)
    return n.error(Code::BadGraph)
           << "input has rank " << rank << ", expected 1 or 2";
  Value size;
  if (norm == "MAX")
    size = n.reduce(n.make<AbsOp>(x), ReduceKind::Max, {rank - 1}, true);
  else if (norm == "L1")
    size = n.reduce(n.make<AbsOp>(x), ReduceKind::Sum, {rank - 1}, true);
  else if (norm == "L2")
    size = n.make<SqrtOp>(
        n.reduce(n.make<MulOp>(x, x), ReduceKind::Sum, {rank - 1}, true));
  else
    return n.error(Code::BadGraph)
           << "norm is " << quoted(norm) << ", expected 'MAX', 'L1' or 'L2'";
  // A row of zeros stays one.
  size = n.select(n.compare(ComparePredicate::Eq, size, n.scalar(f32, 0)),
                  n.scalar(f32, 1), size);
  return n.finish(n.binary<DivOp>(x, size));
}

/// What stands for a missing number, by columns, or one for all.
LogicalResult buildImputer(NodeBuilder &n) {
  Value x = n.input(0);
  Type type = n.elementTypeOf(x);
  bool isFloat = isa<FloatType>(type);
  SmallVector<double> values;
  double missing =
      isFloat ? n.floatAttr("replaced_value_float", 0)
              : static_cast<double>(n.intAttr("replaced_value_int64", 0));
  if (isFloat)
    values = n.floatsAttr("imputed_value_floats").value_or(values);
  else
    for (int64_t value : n.intsAttr("imputed_value_int64s").value_or(IntList()))
      values.push_back(static_cast<double>(value));
  auto shape = n.staticShape(x);
  if (!shape)
    return failure();
  if (shape->empty() || values.empty() ||
      (values.size() != 1 &&
       static_cast<int64_t>(values.size()) != shape->back()))
    return n.error(Code::BadGraph)
           << "there are " << values.size() << " values for input of type "
           << n.typeOf(x);
  Value isMissing = std::isnan(missing) ? n.compare(ComparePredicate::Ne, x, x)
                                        : n.compare(ComparePredicate::Eq, x,
                                                    n.scalar(type, missing));
  return n.finish(n.select(isMissing, rowOf(n, values, type), x));
}

} // namespace

void addClassics(OpTable &table) {
  table.add("ai.onnx.ml/ArrayFeatureExtractor", 2, buildFeatureExtractor);
  table.add("ai.onnx.ml/Binarizer", 1, buildBinarizer);
  table.add("ai.onnx.ml/Imputer", 1, buildImputer);
  table.add("ai.onnx.ml/FeatureVectorizer", 1, buildFeatureVectorizer);
  table.add("ai.onnx.ml/LinearClassifier", 1, buildLinearClassifier);
  table.add("ai.onnx.ml/LinearRegressor", 1, buildLinearRegressor);
  table.add("ai.onnx.ml/Normalizer", 1, buildNormalizer);
  table.add("ai.onnx.ml/Scaler", 1, buildScaler);
}

} // namespace graven::onnx
