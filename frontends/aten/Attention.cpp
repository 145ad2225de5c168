//===- Attention.cpp - ATen's attention ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file builds scaled dot product attention and the fused layers of
// torch.nn.MultiheadAttention and TransformerEncoderLayer, which traces of
// models in evaluation mode hold.
//
//===----------------------------------------------------------------------===//

#include "frontends/aten/Ragged.h"
#include "frontends/aten/Table.h"

#include <cmath>

using namespace graven;
using namespace graven::aten;
using llvm::StringRef;

/// Axes in front of the last two as exactly two: batch and heads.
static mlir::Value asFour(Call &c, mlir::Value x) {
  if (!x || c.rank(x) <= 4)
    return c.withRank(x, 4);
  Shape shape = c.shape(x);
  int64_t batch = 1;
  for (int64_t extent : llvm::ArrayRef(shape).drop_back(3))
    batch *= extent;
  Shape four{batch};
  four.append(shape.end() - 3, shape.end());
  return c.reshape(x, four);
}

static mlir::Value attend(Call &c, mlir::Value q, mlir::Value k, mlir::Value v,
                          mlir::Value mask, double scale, bool causal) {
  if (!q || !k || !v)
    return {};
  if (mask && !c.isBool(mask))
    mask = c.cast(mask, c.element(q));
  return c.make<AttentionOp>(q, k, v, mask, llvm::APFloat(scale), causal,
                             llvm::APFloat(0.0));
}

static mlir::Value sdpa(Call &c) {
  mlir::Value q = c.tensor("query"), k = c.tensor("key"), v = c.tensor("value"),
              mask = c.tensor("attn_mask");
  auto dropout = c.number("dropout_p");
  if (!dropout)
    return {};
  if (*dropout != 0) {
    c.fail(Code::TrainingMode) << "dropout is on";
    return {};
  }
  if (c.rank(q) < 2)
    return c.failed("query of rank " + llvm::Twine(c.rank(q)));
  Shape shape = c.shape(q);
  double extent = static_cast<double>(shape.back());
  std::optional<double> scale =
      c.has("scale") ? c.number("scale") : 1 / std::sqrt(extent);
  if (!scale)
    return {};
  // Leading axes of key and value may broadcast against the query's.
  auto aligned = [&](mlir::Value x) {
    x = c.withRank(x, c.rank(q));
    if (c.flag("enable_gqa") || c.rank(x) != c.rank(q))
      return asFour(c, x);
    Shape target(shape.begin(), shape.end() - 2);
    target.append({c.type(x).getDimSize(c.rank(x) - 2),
                   c.type(x).getDimSize(c.rank(x) - 1)});
    return asFour(c, c.broadcastTo(x, target));
  };
  k = aligned(k);
  v = aligned(v);
  if (mask)
    mask = asFour(c, mask);
  mlir::Value y =
      attend(c, asFour(c, q), k, v, mask, *scale, c.flag("is_causal"));
  if (!y)
    return {};
  shape.back() = c.type(y).getDimSize(3);
  return c.reshape(y, shape);
}

/// What programs decomposed for the CPU hold in place of it; the second result
/// is the logarithm of what each row of exponentials adds up to, f32 at least.
static void flashAttention(Call &c) {
  mlir::Value y = sdpa(c), q = c.widened(c.tensor("query")),
              k = c.widened(c.tensor("key")), mask = c.tensor("attn_mask");
  auto scale = c.has("scale")
                   ? c.number("scale")
                   : 1 / std::sqrt(static_cast<double>(c.shape(q).back()));
  if (!y || !q || !k || !scale)
    return;
  mlir::Value scores = c.binary<MulOp>(
      c.make<MatmulOp>(q, k, false, /*transpose_b=*/true), *scale);
  if (mask && scores)
    scores = c.binary<AddOp>(scores, c.cast(mask, c.element(scores)));
  if (c.flag("is_causal") && scores) {
    int64_t rows = c.shape(q)[2], keys = c.shape(k)[2];
    mlir::Value later =
        c.compare(ComparePredicate::Gt, c.iota({1, 1, 1, keys}, 3),
                  c.iota({1, 1, rows, 1}, 2));
    scores = c.where(later, c.scalar(c.element(scores), -HUGE_VAL, 4), scores);
  }
  if (!scores)
    return;
  mlir::Value most = c.reduce(ReduceKind::Max, scores, {3}, /*keep=*/true);
  mlir::Value total = c.reduce(
      ReduceKind::Sum, c.unary<ExpOp>(c.binary<SubOp>(scores, most)), {3},
      /*keep=*/true);
  mlir::Value logs = c.binary<AddOp>(c.unary<LogOp>(total), most);
  if (!logs)
    return;
  Shape shape(c.shape(logs));
  shape.pop_back();
  c.give(y);
  c.give(c.reshape(logs, shape));
}

//===----------------------------------------------------------------------===//
// Fused layers
//===----------------------------------------------------------------------===//

/// x [B, T, K] times w [N, K] transposed, plus a bias.
static mlir::Value project(Call &c, mlir::Value x, mlir::Value w,
                           mlir::Value bias) {
  if (!x || !w || !bias)
    return {};
  Shape shape = c.shape(x);
  int64_t rows =
      c.type(x).getNumElements() / std::max<int64_t>(shape.back(), 1);
  mlir::Value y = c.reshape(x, {rows, shape.back()});
  y = y ? c.make<MatmulOp>(y, w, false, /*transpose_b=*/true) : y;
  y = c.binary<AddOp>(y, bias);
  if (!y)
    return {};
  shape.back() = c.type(y).getDimSize(1);
  return c.reshape(y, shape);
}

/// A mask whose true elements are left out, as one whose true elements stay,
/// in four axes: type 0 [L, L], type 1 padding [B, L], type 2 [B, H, L, L].
/// That of a nested tensor is the places that count.
static mlir::Value keepMask(Call &c) {
  if (const Ragged *nested = Ragged::in(c.argument("src"))) {
    mlir::Value kept = nested->kept->read(c.builder);
    return c.reshape(
        kept, {c.type(kept).getDimSize(0), 1, 1, c.type(kept).getDimSize(1)});
  }
  mlir::Value mask = c.tensor("mask");
  if (!mask)
    return mask;
  int64_t type = c.has("mask_type") ? c.integer("mask_type").value_or(0) : 0;
  if (type == 1) {
    Shape shape = c.shape(mask);
    if (shape.size() != 2)
      return c.failed("padding mask of rank " + llvm::Twine(shape.size()));
    mask = c.reshape(mask, {shape[0], 1, 1, shape[1]});
  }
  mask = c.withRank(mask, 4);
  // A mask of numbers is one of what is not 0: nn.MultiheadAttention makes -inf
  // of true before it calls the operator.
  return c.unary<NotOp>(c.toBool(mask));
}

/// softmax(scale q k^T), 0 where the mask is false.
static mlir::Value attentionWeights(Call &c, mlir::Value q, mlir::Value k,
                                    mlir::Value mask, double scale) {
  mlir::Value scores = q && k ? c.make<MatmulOp>(q, k, false, true) : q;
  scores = c.binary<MulOp>(scores, scale);
  if (!scores || !mask)
    return scores ? c.make<SoftmaxOp>(scores, uint64_t(3)) : scores;
  auto low = c.scalar(c.element(scores), -HUGE_VAL, c.rank(scores)),
       none = c.scalar(c.element(scores), 0.0, c.rank(scores));
  scores = c.where(mask, scores, low);
  return scores ? c.where(mask, c.make<SoftmaxOp>(scores, uint64_t(3)), none)
                : scores;
}

/// Multi-head attention of [B, T, D] inputs with packed weights [3 D, D]. With
/// `weights` also its weights [B, H, T, S].
static mlir::Value multiHead(Call &c, mlir::Value query, mlir::Value key,
                             mlir::Value value, int64_t heads,
                             mlir::Value *weights = nullptr) {
  mlir::Value weight = c.tensor("qkv_weight"), bias = c.tensor("qkv_bias");
  int64_t width = c.rank(query) == 3 ? c.type(query).getDimSize(2) : 0;
  if (heads < 1 || width < heads || width % heads ||
      c.type(weight).getDimSize(0) != 3 * width) {
    return c.failed("query of shape [" + llvm::Twine(width) + "] with " +
                    llvm::Twine(heads) + " heads");
  }
  int64_t part = 0;
  llvm::SmallVector<mlir::Value> parts;
  mlir::Value packed;
  if (query == key && key == value)
    packed = project(c, query, weight, bias);
  for (mlir::Value x : {query, key, value}) {
    int64_t from = part++ * width, to = from + width;
    mlir::Value y = packed ? c.slice(packed, 2, from, to)
                           : project(c, x, c.slice(weight, 0, from, to),
                                     c.slice(bias, 0, from, to));
    if (!y)
      return {};
    Shape shape = c.shape(y);
    y = c.reshape(y, {shape[0], shape[1], heads, width / heads});
    parts.push_back(c.transpose(y, {0, 2, 1, 3}));
  }
  mlir::Value mask = keepMask(c);
  if (c.has("mask") && !mask)
    return {};
  int64_t depth = width / heads;
  double scale = 1 / std::sqrt(static_cast<double>(depth));
  mlir::Value y;
  if (weights) {
    *weights = attentionWeights(c, parts[0], parts[1], mask, scale);
    y = *weights && parts[2] ? c.make<MatmulOp>(*weights, parts[2]) : *weights;
  } else {
    y = attend(c, parts[0], parts[1], parts[2], mask, scale, /*causal=*/false);
  }
  y = c.reshape(y ? c.transpose(y, {0, 2, 1, 3}) : y, c.shape(query));
  return project(c, y, c.tensor("proj_weight"), c.tensor("proj_bias"));
}

static void nativeMultiHead(Call &c) {
  auto heads = c.integer("num_head");
  if (!heads)
    return;
  mlir::Value q = c.tensor("query"), k = c.tensor("key"), v = c.tensor("value"),
              weights;
  if (!c.flag("need_weights")) {
    c.give(multiHead(c, q, k, v, *heads));
    c.results.push_back(Value()); // no weights
    return;
  }
  c.give(multiHead(c, q, k, v, *heads, &weights));
  if (weights && c.flag("average_attn_weights"))
    weights = c.reduce(ReduceKind::Mean, weights, {1}, /*keep=*/false);
  c.give(weights);
}

static mlir::Value encodeLayer(Call &c, mlir::Value x) {
  auto heads = c.integer("num_heads");
  auto epsilon = c.number("eps");
  if (!heads || !epsilon)
    return {};
  auto normalise = [&](mlir::Value v, StringRef which) -> mlir::Value {
    return v ? c.make<LayerNormOp>(v, c.tensor(("norm_weight_" + which).str()),
                                   c.tensor(("norm_bias_" + which).str()),
                                   uint64_t(c.rank(v) - 1),
                                   llvm::APFloat(*epsilon))
             : v;
  };
  auto attention = [&](mlir::Value v) {
    return v ? multiHead(c, v, v, v, *heads) : v;
  };
  auto feedForward = [&](mlir::Value v) {
    mlir::Value h =
        project(c, v, c.tensor("ffn_weight_1"), c.tensor("ffn_bias_1"));
    if (h)
      h = c.flag("use_gelu") ? c.make<GeluOp>(h, GeluForm::Exact)
                             : c.unary<ReluOp>(h);
    return project(c, h, c.tensor("ffn_weight_2"), c.tensor("ffn_bias_2"));
  };
  if (c.flag("norm_first")) {
    x = c.binary<AddOp>(x, attention(normalise(x, "1")));
    return c.binary<AddOp>(x, feedForward(normalise(x, "2")));
  }
  x = normalise(c.binary<AddOp>(x, attention(x)), "1");
  return normalise(c.binary<AddOp>(x, feedForward(x)), "2");
}

static void encoderLayer(Call &c) {
  const Ragged *nested = Ragged::in(c.argument("src"));
  if (!nested)
    return c.give(encodeLayer(c, c.tensor("src")));
  if (!nested->is(Ragged::Part::Nested) || c.has("mask")) {
    c.fail() << "a packed sequence, or a nested tensor with a mask";
    return;
  }
  mlir::Value y = encodeLayer(c, nested->padded->read(c.builder));
  if (!y)
    return c.give(y);
  c.results.push_back(nested->with(Tensor::make(y)));
}

void graven::aten::addAttention(Table &t) {
  t.add("scaled_dot_product_attention", sdpa);
  t.add("_scaled_dot_product_flash_attention_for_cpu", flashAttention);
  t.add("_native_multi_head_attention", nativeMultiHead);
  t.addForExtensions("_transformer_encoder_layer_fwd", encoderLayer);
}
