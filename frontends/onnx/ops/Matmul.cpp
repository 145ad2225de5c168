//===- Matmul.cpp - matrix products ---*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the builders of MatMul and Gemm, in the form that every
// frontend gives: matmul with flags, then the bias.
//===----------------------------------------------------------------------===//

#include "frontends/onnx/NodeBuilder.h"
#include "frontends/onnx/OpTable.h"
#include "frontends/onnx/ops/Products.h"

using namespace mlir;

namespace graven::onnx {

namespace {

/// Batches in front of a plain matrix are rows of one product, as the ATen
/// table says it.
Value multiply(NodeBuilder &n, Value a, Value b) {
  if (n.rankOf(a) > 2 && n.rankOf(b) == 2 && n.typeOf(a).hasStaticShape() &&
      n.typeOf(b).hasStaticShape()) {
    IntList shape = n.shapeOf(a);
    auto rows = elementCount(ArrayRef(shape).drop_back());
    Value flat = n.reshape(a, {rows.value_or(-1), shape.back()});
    shape.back() = n.shapeOf(b)[1];
    return n.reshape(n.make<MatmulOp>(flat, b, false, false), shape);
  }
  Value operands[] = {a, b};
  n.alignRanks(operands);
  return n.make<MatmulOp>(operands[0], operands[1], false, false);
}

/// numpy's matmul: vectors get an axis that the result loses again.
LogicalResult buildMatMul(NodeBuilder &n) {
  Value a = n.input(0), b = n.input(1);
  bool isRow = n.rankOf(a) == 1, isColumn = n.rankOf(b) == 1;
  if (n.rankOf(a) == 0 || n.rankOf(b) == 0)
    return n.error(Code::BadGraph) << "an input is a scalar";
  if (isRow)
    a = n.reshape(a, {1, n.typeOf(a).isDynamicDim(0) ? -1 : n.shapeOf(a)[0]});
  if (isColumn)
    b = n.reshape(b, {n.typeOf(b).isDynamicDim(0) ? -1 : n.shapeOf(b)[0], 1});
  Value product = multiply(n, a, b);
  if (!product || (!isRow && !isColumn))
    return n.finish(product);
  auto shape = n.staticShape(product);
  if (!shape)
    return failure();
  if (isColumn)
    shape->pop_back();
  if (isRow)
    shape->erase(shape->end() - (isColumn ? 1 : 2));
  return n.finish(n.reshape(product, *shape));
}

LogicalResult buildGemm(NodeBuilder &n) { return n.finish(multiplyAdd(n)); }

} // namespace

Value scaled(NodeBuilder &n, Value x, double factor) {
  if (factor == 1)
    return x;
  return n.binary<MulOp>(x, n.scalar(n.elementTypeOf(x), factor));
}

Value multiplyAdd(NodeBuilder &n) {
  Value a = n.input(0), b = n.input(1), c = n.input(2);
  if (n.rankOf(a) != 2 || n.rankOf(b) != 2) {
    n.error(Code::BadGraph) << "the matrices have rank " << n.rankOf(a)
                            << " and " << n.rankOf(b) << ", expected 2";
    return {};
  }
  Value product =
      n.make<MatmulOp>(a, b, n.flagAttr("transA"), n.flagAttr("transB"));
  product = scaled(n, product, n.floatAttr("alpha", 1));
  double beta = n.floatAttr("beta", 1);
  if (!c || beta == 0)
    return product;
  return n.binary<AddOp>(product, scaled(n, c, beta));
}

void addMatmul(OpTable &table) {
  table.add("MatMul", 2, buildMatMul);
  table.add("Gemm", 2, buildGemm);
}

} // namespace graven::onnx
