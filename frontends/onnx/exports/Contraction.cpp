//===- Contraction.cpp - products, convolutions, attention ---*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file expresses the contractions.
//===----------------------------------------------------------------------===//

#include "frontends/onnx/exports/Exporter.h"

using namespace mlir;
using Ints = SmallVector<int64_t>;

namespace graven::onnx {

/// The product that a sum with a bias makes one Gemm of; null for others.
static MatmulOp productOf(AddOp op, Value &bias) {
  auto type = Exporter::typeOf(op.getResult());
  if (type.getRank() != 2 || !isa<FloatType>(type.getElementType()))
    return {};
  for (auto [product, other] :
       {std::pair(op.getA(), op.getB()), std::pair(op.getB(), op.getA())}) {
    auto matmul = product.getDefiningOp<MatmulOp>();
    // A bias comes from outside of the sum's operands, and is small.
    if (!matmul || !matmul->hasOneUse() || matmul.getType() != type ||
        matmul->getBlock() != op->getBlock() ||
        Exporter::typeOf(other).getDimSize(0) != 1)
      continue;
    bias = other;
    return matmul;
  }
  return {};
}

static void express(Exporter &e, AddOp op) {
  Value bias;
  MatmulOp matmul = productOf(op, bias);
  if (!matmul) {
    e.give(op, "Add", {e.name(op.getA()), e.name(op.getB())});
    return;
  }
  e.give(
      op, "Gemm", {e.name(matmul.getA()), e.name(matmul.getB()), e.name(bias)},
      {{"transA", matmul.getTransposeA()}, {"transB", matmul.getTransposeB()}});
}

static Name swapped(Exporter &e, Value value) {
  Ints permutation;
  int64_t rank = Exporter::rank(value);
  for (int64_t i = 0; i < rank; ++i)
    permutation.push_back(i);
  std::swap(permutation[rank - 2], permutation[rank - 1]);
  return e.transpose(e.name(value), permutation);
}

static void express(Exporter &e, MatmulOp op) {
  Value bias;
  if (op->hasOneUse())
    if (auto sum = dyn_cast<AddOp>(*op->user_begin());
        sum && sum->getBlock() == op->getBlock() && productOf(sum, bias) == op)
      return;
  bool isFlat = Exporter::rank(op.getResult()) == 2;
  bool isTransposed = op.getTransposeA() || op.getTransposeB();
  if (isFlat && isTransposed && e.opset() >= 11 &&
      Exporter::isFloat(op.getResult())) {
    e.give(op, "Gemm", {e.name(op.getA()), e.name(op.getB())},
           {{"transA", op.getTransposeA()}, {"transB", op.getTransposeB()}});
    return;
  }
  Name a = op.getTransposeA() ? swapped(e, op.getA()) : e.name(op.getA());
  Name b = op.getTransposeB() ? swapped(e, op.getB()) : e.name(op.getB());
  e.give(op, "MatMul", {a, b});
}

static void express(Exporter &e, ConvOp op) {
  auto kernel = e.shape(op, op.getW());
  if (!kernel)
    return;
  if (op.getLayout() != Layout::Planar)
    return e.unsupported(op, "its layout is not NCHW");
  e.give(op, "Conv",
         {e.name(op.getX()), e.name(op.getW()), e.name(op.getBias())},
         {{"kernel_shape", ArrayRef<int64_t>(*kernel).drop_front(2)},
          {"strides", op.getStrides()},
          {"dilations", op.getDilations()},
          {"pads", op.getPads()},
          {"group", int64_t(op.getGroups())}});
}

static void express(Exporter &e, ConvTransposeOp op) {
  auto kernel = e.shape(op, op.getW());
  if (!kernel)
    return;
  if (llvm::any_of(op.getPads(), [](int64_t pad) { return pad < 0; }))
    return e.unsupported(op, "negative pads");
  e.give(op, "ConvTranspose",
         {e.name(op.getX()), e.name(op.getW()), e.name(op.getBias())},
         {{"kernel_shape", ArrayRef<int64_t>(*kernel).drop_front(2)},
          {"strides", op.getStrides()},
          {"dilations", op.getDilations()},
          {"pads", op.getPads()},
          {"output_padding", op.getOutputPadding()},
          {"group", int64_t(op.getGroups())}});
}

/// Heads of keys or values, each as often as queries share it.
static Name spread(Exporter &e, const Name &x, ArrayRef<int64_t> shape,
                   int64_t heads) {
  int64_t own = shape[1];
  if (own == heads)
    return x;
  Name apart = e.reshape(x, {shape[0], own, 1, shape[2], shape[3]});
  Name repeated =
      e.make("Expand",
             {apart, e.ints({shape[0], own, heads / own, shape[2], shape[3]})});
  return e.reshape(repeated, {shape[0], heads, shape[2], shape[3]});
}

/// Attention in its parts, which every opset has.
static void express(Exporter &e, AttentionOp op) {
  auto q = e.shape(op, op.getQ()), k = e.shape(op, op.getK()),
       v = e.shape(op, op.getV());
  if (!q || !k || !v)
    return;
  Type type = Exporter::element(op.getQ());
  Name keys = spread(e, e.name(op.getK()), *k, (*q)[1]);
  Name scaled =
      e.make("Mul", {e.name(op.getQ()),
                     e.scalar(type, op.getScale().convertToDouble())});
  Name scores = e.make("MatMul", {scaled, e.transpose(keys, {0, 1, 3, 2})});
  double cap = op.getSoftcap().convertToDouble();
  if (cap > 0) {
    Name bound = e.scalar(type, cap);
    scores = e.make("Mul",
                    {e.make("Tanh", {e.make("Div", {scores, bound})}), bound});
  }
  Name never = e.scalar(type, -std::numeric_limits<double>::infinity());
  if (op.getCausal()) {
    auto shape = RankedTensorType::get({1, 1, (*q)[2], (*k)[2]},
                                       IntegerType::get(op.getContext(), 1));
    std::vector<int64_t> allowed;
    for (int64_t i = 0; i < (*q)[2]; ++i)
      for (int64_t j = 0; j < (*k)[2]; ++j)
        allowed.push_back(j <= i);
    Name mask = e.constant(eval::Tensor::fromVector(shape, allowed));
    scores = e.make("Where", {mask, scores, never});
  }
  if (Value mask = op.getMask())
    scores = Exporter::isBool(mask)
                 ? e.make("Where", {e.name(mask), scores, never})
                 : e.make("Add", {scores, e.name(mask)});
  Name weights = e.make("Softmax", {scores}, {{"axis", 3}});
  // A row that may see no key has no maximum.
  if (op.getMask() && op.getEmptyRow() == EmptyRow::Zero)
    weights = e.make("Where",
                     {e.make("IsNaN", {weights}), e.scalar(type, 0), weights});
  e.give(op, "MatMul", {weights, spread(e, e.name(op.getV()), *v, (*q)[1])});
}

void addContractionExports(ExportTable &table) {
  table.add<AddOp, express>();
  table.add<MatmulOp, express>();
  table.add<ConvOp, express>();
  table.add<ConvTransposeOp, express>();
  table.add<AttentionOp, express>();
}

} // namespace graven::onnx
