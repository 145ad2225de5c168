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
static Name spread(Exporter &e, Value value, int64_t heads) {
  auto type = Exporter::typeOf(value);
  int64_t own = type.getDimSize(1);
  if (own == heads)
    return e.name(value);
  Name apart = e.unsqueeze(e.name(value), {2});
  Name repeated = e.make("Expand", {apart, e.ints({1, 1, heads / own, 1, 1})});
  return e.reshape(repeated, {0, heads, -1, type.getDimSize(3)});
}

/// Keys as the product with the queries reads them.
static Name transposedKeys(Exporter &e, AttentionOp op, int64_t heads) {
  constexpr int64_t swap[] = {0, 1, 3, 2};
  auto known = op.getK().getDefiningOp<TransposeOp>();
  if (!known || Exporter::typeOf(op.getK()).getDimSize(1) != heads)
    return e.transpose(spread(e, op.getK(), heads), swap);
  Ints both;
  for (int64_t axis : swap)
    both.push_back(known.getPermutation()[axis]);
  if (llvm::equal(both, llvm::seq<int64_t>(0, 4)))
    return e.name(known.getX());
  return e.transpose(e.name(known.getX()), both);
}

/// Whether query i may see key j: j <= i.
static Name causalMask(Exporter &e, AttentionOp op) {
  auto q = Exporter::typeOf(op.getQ()), k = Exporter::typeOf(op.getK());
  int64_t rows = q.getDimSize(2), columns = k.getDimSize(2);
  if (ShapedType::isDynamic(rows) || ShapedType::isDynamic(columns)) {
    auto places = [&](Value value) {
      return e.range(e.reshape(e.extent(value, 2), {}));
    };
    Name i = e.unsqueeze(places(op.getQ()), {1});
    return e.make("Not", {e.make("Less", {i, places(op.getK())})});
  }
  auto shape = RankedTensorType::get({1, 1, rows, columns},
                                     IntegerType::get(op.getContext(), 1));
  std::vector<int64_t> allowed;
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < columns; ++j)
      allowed.push_back(j <= i);
  return e.constant(eval::Tensor::fromVector(shape, allowed));
}

/// Whether a mask is part of the model. Such a one lets each query see a key.
static bool isOfTheModel(Value mask) {
  constexpr size_t most = 64;
  SmallVector<Value> values{mask};
  for (size_t i = 0; i < values.size(); ++i) {
    Operation *node = values[i].getDefiningOp();
    if (!node || values.size() > most || node->getNumRegions() > 0)
      return false;
    llvm::append_range(values, node->getOperands());
  }
  return true;
}

/// One node since 23. Its causal mask begins at the first key only where
/// queries and keys are as many, and a query without any key gives zeros.
static bool expressWhole(Exporter &e, AttentionOp op) {
  auto q = Exporter::typeOf(op.getQ()), k = Exporter::typeOf(op.getK());
  bool isSquare = !q.isDynamicDim(2) && q.getDimSize(2) == k.getDimSize(2);
  bool seesAKey = !op.getMask() || op.getEmptyRow() == EmptyRow::Zero ||
                  isOfTheModel(op.getMask());
  if (e.opset() < 23 || (op.getCausal() && !isSquare) || !seesAKey)
    return false;
  SmallVector<Attr> attributes{{"scale", op.getScale().convertToDouble()}};
  if (op.getCausal())
    attributes.push_back({"is_causal", 1});
  if (double cap = op.getSoftcap().convertToDouble(); cap > 0)
    attributes.push_back({"softcap", cap});
  Name mask = e.name(op.getMask());
  // Runtimes want a row for each query, and a column for each key.
  if (Value value = op.getMask()) {
    auto type = Exporter::typeOf(value);
    int64_t rank = type.getRank();
    bool hasRows = rank >= 2 && type.getDimSize(rank - 2) != 1,
         hasColumns = rank >= 1 && type.getDimSize(rank - 1) != 1;
    if (!hasRows || !hasColumns)
      mask = e.make("Expand", {mask, e.list({e.extent(op.getQ(), 2),
                                             e.extent(op.getK(), 2)})});
  }
  e.give(op, "Attention",
         {e.name(op.getQ()), e.name(op.getK()), e.name(op.getV()), mask},
         attributes);
  return true;
}

/// Attention in its parts, which every opset has.
static void express(Exporter &e, AttentionOp op) {
  int64_t heads = Exporter::typeOf(op.getQ()).getDimSize(1);
  for (Value value : {op.getQ(), op.getK(), op.getV()})
    if (Exporter::typeOf(value).isDynamicDim(1))
      return e.unsupported(op, "a number of heads that is not known");
  if (expressWhole(e, op))
    return;
  Type type = Exporter::element(op.getQ());
  Name queries = e.name(op.getQ());
  if (double scale = op.getScale().convertToDouble(); scale != 1)
    queries = e.make("Mul", {queries, e.scalar(type, scale)});
  Name scores = e.make("MatMul", {queries, transposedKeys(e, op, heads)});
  double cap = op.getSoftcap().convertToDouble();
  if (cap > 0) {
    Name bound = e.scalar(type, cap);
    scores = e.make("Mul",
                    {e.make("Tanh", {e.make("Div", {scores, bound})}), bound});
  }
  Name never = e.scalar(type, -std::numeric_limits<double>::infinity());
  if (op.getCausal())
    scores = e.make("Where", {causalMask(e, op), scores, never});
  if (Value mask = op.getMask())
    scores = Exporter::isBool(mask)
                 ? e.make("Where", {e.name(mask), scores, never})
                 : e.make("Add", {scores, e.name(mask)});
  Name weights = e.make("Softmax", {scores}, {{"axis", 3}});
  // A row that may see no key has no maximum.
  if (op.getMask() && op.getEmptyRow() == EmptyRow::Zero)
    weights = e.make("Where",
                     {e.make("IsNaN", {weights}), e.scalar(type, 0), weights});
  e.give(op, "MatMul", {weights, spread(e, op.getV(), heads)});
}

void addContractionExports(ExportTable &table) {
  table.add<AddOp, express>();
  table.add<MatmulOp, express>();
  table.add<ConvOp, express>();
  table.add<ConvTransposeOp, express>();
  table.add<AttentionOp, express>();
}

} // namespace graven::onnx
