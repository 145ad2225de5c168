//===- Classic.cpp - the domain ai.onnx.ml ---*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the builders of ai.onnx.ml whose inputs and results are
// tensors of numbers.
//===----------------------------------------------------------------------===//

#include "frontends/onnx/NodeBuilder.h"
#include "frontends/onnx/OpTable.h"

using namespace mlir;

namespace graven::onnx {

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

/// (x - offset) * scale, in f32.
LogicalResult buildScaler(NodeBuilder &n) {
  Type f32 = n.getBuilder().getF32Type();
  Value offset = listAttr(n, "offset", f32), scale = listAttr(n, "scale", f32);
  Value centred = n.binary<SubOp>(n.cast(n.input(0), f32), offset);
  return n.finish(n.binary<MulOp>(centred, scale));
}

} // namespace

void addClassics(OpTable &table) {
  table.add("ai.onnx.ml/ArrayFeatureExtractor", 2, buildFeatureExtractor);
  table.add("ai.onnx.ml/Binarizer", 1, buildBinarizer);
  table.add("ai.onnx.ml/Scaler", 1, buildScaler);
}

} // namespace graven::onnx
