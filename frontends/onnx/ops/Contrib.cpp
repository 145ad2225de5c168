//===- Contrib.cpp - ops of ONNX Runtime ----------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the builders of com.microsoft: what ONNX Runtime's
// optimizer and the exporters for it write (ContribOperators.md). Its
// attentions are in ContribAttention.cpp.
//===----------------------------------------------------------------------===//

#include "frontends/onnx/NodeBuilder.h"
#include "frontends/onnx/OpTable.h"
#include "frontends/onnx/ops/Products.h"
#include "frontends/onnx/ops/Quantized.h"
#include "frontends/onnx/ops/Window.h"
#include "llvm/Support/MathExtras.h"
#include <array>

using namespace mlir;

namespace graven::onnx {

namespace {

//===- Fused activations ----------------------------------------------------//

/// What a fused op applies to its result: a name of ai.onnx and up to two
/// numbers.
struct Activation {
  std::string name;
  double alpha, beta;
};

Value activate(NodeBuilder &n, Value x, const Activation &function) {
  auto number = [&](double value) {
    return n.scalar(n.elementTypeOf(x), value);
  };
  if (function.name.empty())
    return x;
  if (function.name == "Relu")
    return n.make<ReluOp>(x);
  if (function.name == "Sigmoid")
    return n.make<SigmoidOp>(x);
  if (function.name == "Tanh")
    return n.make<TanhOp>(x);
  if (function.name == "HardSwish")
    return n.make<HardSwishOp>(x);
  if (function.name == "LeakyRelu")
    return n.make<LeakyReluOp>(
        x, n.alignRank(number(function.alpha), n.rankOf(x)));
  if (function.name == "Clip")
    return n.make<ClampOp>(x, number(function.alpha), number(function.beta));
  if (function.name == "HardSigmoid") {
    Value line =
        n.binary<AddOp>(scaled(n, x, function.alpha), number(function.beta));
    return n.make<ClampOp>(line, number(0), number(1));
  }
  n.error(Code::UnsupportedFeature)
      << "activation is " << quoted(function.name);
  return {};
}

LogicalResult buildFusedConv(NodeBuilder &n) {
  Value y = convolve(n);
  if (n.input(3))
    y = n.binary<AddOp>(y, n.input(3));
  auto numbers =
      n.floatsAttr("activation_params").value_or(llvm::SmallVector<double>{});
  Activation function{n.stringAttr("activation", ""), 0.01, 0};
  bool isPair = function.name == "Clip" || function.name == "HardSigmoid";
  if (isPair && numbers.size() != 2)
    return n.error(Code::BadGraph) << "activation_params has " << numbers.size()
                                   << " entries, expected 2";
  if (!numbers.empty())
    function.alpha = numbers[0];
  if (numbers.size() > 1)
    function.beta = numbers[1];
  return n.finish(activate(n, y, function));
}

LogicalResult buildFusedGemm(NodeBuilder &n) {
  Value y = multiplyAdd(n);
  return n.finish(activate(n, y,
                           {n.stringAttr("activation", ""),
                            n.floatAttr("activation_alpha", 0.01f),
                            n.floatAttr("activation_beta", 0)}));
}

/// The axis of rows behind those of the batch: [M, .., K] to [.., M, K].
Value rowsInward(NodeBuilder &n, Value x) {
  int64_t rank = n.rankOf(x);
  IntList order = sequence(1, rank - 1);
  order.append({0, rank - 1});
  return n.transpose(x, order);
}

LogicalResult buildFusedMatMul(NodeBuilder &n) {
  Value operands[] = {n.input(0), n.input(1)};
  if (n.rankOf(operands[0]) < 2 || n.rankOf(operands[1]) < 2)
    return n.error(Code::BadGraph)
           << "the matrices have rank " << n.rankOf(operands[0]) << " and "
           << n.rankOf(operands[1]) << ", expected 2 or more";
  if (n.flagAttr("transBatchA"))
    operands[0] = rowsInward(n, operands[0]);
  if (n.flagAttr("transBatchB"))
    operands[1] = rowsInward(n, operands[1]);
  n.alignRanks(operands);
  Value y = n.make<MatmulOp>(operands[0], operands[1], n.flagAttr("transA"),
                             n.flagAttr("transB"));
  return n.finish(scaled(n, y, n.floatAttr("alpha", 1)));
}

template <GeluForm form> LogicalResult buildBiasGelu(NodeBuilder &n) {
  Value x = n.input(0);
  if (n.input(1))
    x = n.binary<AddOp>(x, n.input(1));
  return n.finish(n.make<GeluOp>(x, form));
}

LogicalResult buildQuickGelu(NodeBuilder &n) {
  Value x = n.input(0);
  return n.finish(n.make<MulOp>(
      x, n.make<SigmoidOp>(scaled(n, x, n.floatAttr("alpha", 1.702f)))));
}

//===- Norms ----------------------------------------------------------------//

llvm::APFloat epsilonOf(NodeBuilder &n, float otherwise) {
  return llvm::APFloat(n.floatAttr("epsilon", otherwise));
}

/// Input, skip, gamma and more: the norm of their sum, which is output 3.
Value skip(NodeBuilder &n, size_t bias) {
  Value sum = n.binary<AddOp>(n.input(0), n.input(1));
  if (n.input(bias))
    sum = n.binary<AddOp>(sum, n.input(bias));
  n.setOutput(3, sum);
  return sum;
}

LogicalResult buildSkipLayerNorm(NodeBuilder &n) {
  Value sum = skip(n, 4);
  return n.finish(n.make<LayerNormOp>(sum, n.input(2), n.input(3),
                                      n.axis(-1, n.rankOf(sum)),
                                      epsilonOf(n, 1e-12f)));
}

LogicalResult buildSkipRmsNorm(NodeBuilder &n) {
  Value sum = skip(n, 3);
  return n.finish(n.make<RmsNormOp>(sum, n.input(2), n.axis(-1, n.rankOf(sum)),
                                    epsilonOf(n, 1e-12f)));
}

/// In ai.onnx, where ONNX Runtime puts it.
LogicalResult buildSimplifiedLayerNorm(NodeBuilder &n) {
  Value x = n.input(0);
  int64_t axis = n.axis(n.intAttr("axis", -1), n.rankOf(x));
  if (n.hasFailed())
    return failure();
  return n.finish(n.make<RmsNormOp>(x, n.input(1), axis, epsilonOf(n, 1e-5f)));
}

/// What an embedding adds up and how it is normed; segments may have no table.
struct Embedding {
  Value words, places, segments, gamma, beta;
  /// Of the ids; null where they are counted from 0.
  Value placeIds;
};

/// The sum of rows of up to three tables, and its norm.
LogicalResult embed(NodeBuilder &n, Embedding tables) {
  Value ids = n.input(0), segmentIds = n.input(1), mask = n.input(7),
        places = tables.placeIds;
  auto shape = n.staticShape(ids);
  if (!shape || shape->size() != 2)
    return n.hasFailed() ? failure()
                         : LogicalResult(n.error(Code::BadGraph)
                                         << "the ids have rank "
                                         << n.rankOf(ids) << ", expected 2");
  auto rows = [&](Value table, Value at) {
    return n.make<GatherOp>(table, at, int64_t(0), false);
  };
  if (!places)
    places = n.make<IotaOp>(ValueRange(), IntList{1, (*shape)[1]}, int64_t(1),
                            n.getBuilder().getI64Type());
  Value sum =
      n.binary<AddOp>(rows(tables.words, ids), rows(tables.places, places));
  if (segmentIds && tables.segments)
    sum = n.binary<AddOp>(sum, rows(tables.segments, segmentIds));
  Type i32 = n.getBuilder().getI32Type();
  if (n.wantsOutput(1))
    n.setOutput(1, mask
                       ? n.reduce(n.cast(mask, i32), ReduceKind::Sum, {1},
                                  /*keep=*/false)
                       : n.splat(RankedTensorType::get({(*shape)[0]}, i32), 0));
  if (n.wantsOutput(2))
    n.setOutput(2, sum);
  return n.finish(n.make<LayerNormOp>(sum, tables.gamma, tables.beta,
                                      int64_t(2), epsilonOf(n, 1e-12f)));
}

LogicalResult buildEmbedLayerNorm(NodeBuilder &n) {
  return embed(n, {n.input(2), n.input(3), n.input(4), n.input(5), n.input(6),
                   n.input(8)});
}

/// The same of codes: inputs 2 to 6 have scales from 8 and zero points from 13.
LogicalResult buildQuantizedEmbedLayerNorm(NodeBuilder &n) {
  for (size_t i : {2, 3, 5, 6, 8, 9, 11, 12})
    if (!n.input(i))
      return n.error(Code::BadGraph) << "input #" << i << " is absent";
  if (n.input(4) && !n.input(10))
    return n.error(Code::BadGraph) << "the segments have no scale";
  auto table = [&](size_t i) {
    return n.input(i) ? decoded(n, i, i + 6, i + 11) : Value();
  };
  Embedding tables{table(2), table(3), table(4), table(5), table(6), {}};
  return n.hasFailed() ? failure() : embed(n, tables);
}

//===- Products of packed weights -------------------------------------------//

/// The codes [.., bits * count / 8] of a byte each, lowest bits first.
Value unpack(NodeBuilder &n, Value bytes, int64_t bits) {
  if (bits == 8)
    return bytes;
  IntList split = n.shapeOf(bytes), joined = split;
  int64_t count = 8 / bits;
  split.push_back(1);
  joined.back() *= count;
  Type type = n.elementTypeOf(bytes);
  Value one = n.reshape(bytes, split);
  SmallVector<Value> codes;
  for (int64_t i = 0; i < count; ++i)
    codes.push_back(
        n.binary<AndOp>(n.binary<ShrOp>(one, n.scalar(type, bits * i)),
                        n.scalar(type, (1 << bits) - 1)));
  return n.reshape(
      n.make<ConcatOp>(ValueRange(codes), int64_t(split.size() - 1)), joined);
}

/// x [.., K] times rows [N, K] that are (code - zero point) * scale, of a block
/// of K at a time.
LogicalResult buildMatMulNBits(NodeBuilder &n) {
  int64_t k = n.intAttr("K", 0), rows = n.intAttr("N", 0),
          bits = n.intAttr("bits", 4), block = n.intAttr("block_size", 0);
  if (n.input(4))
    return n.error(Code::UnsupportedFeature) << "g_idx is not supported";
  if (bits != 2 && bits != 4 && bits != 8)
    return n.error(Code::UnsupportedFeature)
           << "bits is " << bits << ", expected 2, 4 or 8";
  constexpr int64_t most = std::numeric_limits<int32_t>::max();
  if (k < 1 || rows < 1 || block < 1 || k > most || rows > most ||
      block > most || (block * bits) % 8)
    return n.error(Code::BadGraph) << "K, N and block_size are " << k << ", "
                                   << rows << " and " << block;
  Value x = n.input(0), zero = n.input(3);
  Type type = n.elementTypeOf(x);
  int64_t blocks = llvm::divideCeil(k, block);
  auto weights = n.staticShape(n.input(1)), scales = n.staticShape(n.input(2));
  if (!weights || !scales)
    return failure();
  if (*weights != IntList{rows, blocks, block * bits / 8} ||
      elementCount(*scales) != rows * blocks)
    return n.error(Code::BadGraph)
           << "packed weights of type " << n.typeOf(n.input(1))
           << " with scales of type " << n.typeOf(n.input(2)) << ", expected "
           << rows << " rows of " << blocks << " blocks";
  auto perBlock = [&](Value list) {
    return n.cast(n.reshape(list, {rows, blocks, 1}), type);
  };
  Value codes = n.cast(unpack(n, n.input(1), bits), type), offset;
  if (!zero) {
    offset = n.scalar(type, 1 << (bits - 1));
  } else if (isa<FloatType>(n.elementTypeOf(zero))) {
    offset = perBlock(zero);
  } else {
    int64_t bytes = llvm::divideCeil(blocks * bits, 8);
    auto shape = n.staticShape(zero);
    if (!shape || elementCount(*shape) != rows * bytes)
      return n.error(Code::BadGraph)
             << "zero points of type " << n.typeOf(zero) << ", expected "
             << rows << " rows of " << bytes << " bytes";
    Value all = unpack(n, n.reshape(zero, {rows, bytes}), bits);
    offset = perBlock(n.slice(all, 1, 0, blocks));
  }
  Value table =
      n.binary<MulOp>(n.binary<SubOp>(codes, offset), perBlock(n.input(2)));
  table = n.slice(n.reshape(table, {rows, blocks * block}), 1, 0, k);
  Value operands[] = {x, table};
  n.alignRanks(operands);
  Value y = n.make<MatmulOp>(operands[0], operands[1], false, true);
  return n.finish(n.input(5) ? n.binary<AddOp>(y, n.input(5)) : y);
}

/// What 4 bits of bitsandbytes stand for, in units of a block's greatest
/// magnitude: floats of one bit of sign, two of exponent and one of mantissa
/// with steps of their own, and quantiles of the normal distribution.
constexpr std::array<float, 16> kBitsAndBytes[] = {
    {0.0f, 5.208333333e-03f, 0.66666667f, 1.0f, 0.33333333f, 0.5f, 0.16666667f,
     0.25f, -0.0f, -5.208333333e-03f, -0.66666667f, -1.0f, -0.33333333f, -0.5f,
     -0.16666667f, -0.25f},
    {-1.0f, -0.6961928009986877f, -0.5250730514526367f, -0.39491748809814453f,
     -0.28444138169288635f, -0.18477343022823334f, -0.09105003625154495f, 0.0f,
     0.07958029955625534f, 0.16093020141124725f, 0.24611230194568634f,
     0.33791524171829224f, 0.44070982933044434f, 0.5626170039176941f,
     0.7229568362236023f, 1.0f}};

/// x [.., K] times rows [N, K] that are table[code] * magnitude, of a block of
/// elements at a time; the first code of a byte is in its high bits.
LogicalResult buildMatMulBnb4(NodeBuilder &n) {
  int64_t k = n.intAttr("K", 0), rows = n.intAttr("N", 0),
          block = n.intAttr("block_size", 0), kind = n.intAttr("quant_type", 0);
  if (kind != 0 && kind != 1)
    return n.error(Code::BadGraph)
           << "quant_type is " << kind << ", expected 0 or 1";
  constexpr int64_t most = std::numeric_limits<int32_t>::max();
  if (k < 1 || rows < 1 || block < 1 || k > most || rows > most || block > most)
    return n.error(Code::BadGraph) << "K, N and block_size are " << k << ", "
                                   << rows << " and " << block;
  auto packed = n.staticShape(n.input(1)), scales = n.staticShape(n.input(2));
  if (!packed || !scales)
    return failure();
  int64_t count = rows * k, bytes = llvm::divideCeil(count, 2),
          blocks = llvm::divideCeil(count, block);
  if (!n.elementTypeOf(n.input(1)).isUnsignedInteger(8) ||
      elementCount(*packed) != bytes || elementCount(*scales) != blocks)
    return n.error(Code::BadGraph)
           << "packed weights of type " << n.typeOf(n.input(1))
           << " with magnitudes of type " << n.typeOf(n.input(2))
           << ", expected " << bytes << " bytes and " << blocks << " blocks";
  Type byte = n.elementTypeOf(n.input(1)), type = n.elementTypeOf(n.input(0));
  Value both = n.reshape(n.input(1), {bytes, 1});
  Value halves[] = {n.binary<ShrOp>(both, n.scalar(byte, 4)),
                    n.binary<AndOp>(both, n.scalar(byte, 15))};
  Value codes = n.slice(
      n.reshape(n.make<ConcatOp>(ValueRange(halves), int64_t(1)), {bytes * 2}),
      0, 0, count);
  eval::Tensor table(RankedTensorType::get({16}, n.getBuilder().getF32Type()));
  for (int64_t i = 0; i < 16; ++i)
    table.set(i, kBitsAndBytes[kind][i]);
  Value units = n.make<GatherOp>(n.constant(table),
                                 n.cast(codes, n.getBuilder().getI64Type()),
                                 int64_t(0), false);
  Value magnitudes = n.slice(
      n.reshape(n.expand(n.reshape(n.input(2), {blocks, 1}), {blocks, block}),
                {blocks * block}),
      0, 0, count);
  Value weights =
      n.reshape(n.binary<MulOp>(n.cast(units, type), n.cast(magnitudes, type)),
                {rows, k});
  Value operands[] = {n.input(0), weights};
  n.alignRanks(operands);
  return n.finish(n.make<MatmulOp>(operands[0], operands[1], false,
                                   n.intAttr("transB", 1) != 0));
}

} // namespace

void addContrib(OpTable &table) {
  table.add("SimplifiedLayerNormalization", 2, buildSimplifiedLayerNorm);
  auto add = [&](StringRef name, unsigned required, BuildFunction build) {
    table.add(("com.microsoft/" + name).str(), required, build);
  };
  add("FusedConv", 2, buildFusedConv);
  add("FusedGemm", 2, buildFusedGemm);
  add("FusedMatMul", 2, buildFusedMatMul);
  add("TransposeMatMul", 2, buildFusedMatMul);
  add("Gelu", 1, buildBiasGelu<GeluForm::Exact>);
  add("BiasGelu", 2, buildBiasGelu<GeluForm::Exact>);
  add("FastGelu", 1, buildBiasGelu<GeluForm::Tanh>);
  add("QuickGelu", 1, buildQuickGelu);
  add("SkipLayerNormalization", 3, buildSkipLayerNorm);
  add("SkipSimplifiedLayerNormalization", 3, buildSkipRmsNorm);
  add("EmbedLayerNormalization", 4, buildEmbedLayerNorm);
  add("QEmbedLayerNormalization", 1, buildQuantizedEmbedLayerNorm);
  add("MatMulNBits", 3, buildMatMulNBits);
  add("MatMulBnb4", 3, buildMatMulBnb4);
}

} // namespace graven::onnx
