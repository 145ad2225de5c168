//===- ContribAttention.cpp - attentions of ONNX Runtime ------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the builders of com.microsoft's Attention,
// MultiHeadAttention and RotaryEmbedding.
//===----------------------------------------------------------------------===//

#include "frontends/onnx/OpTable.h"
#include "frontends/onnx/ops/Heads.h"
#include <cmath>

using namespace mlir;

namespace graven::onnx {

namespace {

/// Heads [B, H, S, E] of queries and [B, H, L, E] of keys and values.
struct Heads {
  Value q, k, v;
};

/// What a mask of keys adds to scores, of rank 4: 0, or `mask_filter_value`,
/// which is finite. Keys [B, L] and more are marked one by one, as 1; keys [B]
/// are counted.
Value maskOfKeys(NodeBuilder &n, Value mask, int64_t batch, int64_t keys,
                 Type type) {
  auto shape = n.staticShape(mask);
  if (!shape)
    return {};
  Type i64 = n.getBuilder().getI64Type();
  Value isKept;
  if (*shape == IntList{batch}) {
    Value place =
        n.make<IotaOp>(ValueRange(), IntList{1, 1, 1, keys}, int64_t(3), i64);
    isKept = n.compare(ComparePredicate::Lt, place,
                       n.reshape(n.cast(mask, i64), {batch, 1, 1, 1}));
  } else if (shape->size() >= 2 && shape->size() <= 3 &&
             shape->front() == batch && shape->back() == keys) {
    IntList whole{batch, 1, shape->size() == 3 ? (*shape)[1] : 1, keys};
    isKept = n.reshape(n.compare(ComparePredicate::Ne, mask,
                                 n.scalar(n.elementTypeOf(mask), 0)),
                       whole);
  } else {
    n.error(Code::UnsupportedFeature)
        << "a mask of type " << n.typeOf(mask) << " for " << keys << " keys of "
        << batch << " samples is not supported";
    return {};
  }
  double hidden = n.floatAttr("mask_filter_value", -10000);
  return n.select(isKept, n.scalar(type, 0), n.scalar(type, hidden));
}

Value join(NodeBuilder &n, Value a, Value b) {
  if (!a || !b)
    return a ? a : b;
  return n.binary<AddOp>(a, b);
}

/// The heads' result side by side. `past` keys come before the queries' own.
LogicalResult attend(NodeBuilder &n, const Heads &heads, Value marks,
                     Value bias, int64_t past) {
  auto queries = n.staticShape(heads.q), keys = n.staticShape(heads.k);
  if (!queries || !keys || n.hasFailed())
    return failure();
  if (queries->size() != 4 || keys->size() != 4 || (*queries)[1] != (*keys)[1])
    return n.error(Code::BadGraph) << "queries of type " << n.typeOf(heads.q)
                                   << ", keys of " << n.typeOf(heads.k);
  Type type = n.elementTypeOf(heads.q);
  Value mask = bias;
  if (marks)
    mask = join(n, mask, maskOfKeys(n, marks, (*queries)[0], (*keys)[2], type));
  bool isCausal = n.flagAttr("unidirectional");
  if (isCausal && past > 0) {
    Type i64 = n.getBuilder().getI64Type();
    auto iota = [&](IntList shape, int64_t axis) {
      return n.make<IotaOp>(ValueRange(), shape, axis, i64);
    };
    Value last =
        n.binary<AddOp>(iota({1, 1, (*queries)[2], 1}, 2), n.scalar(i64, past));
    Value isSeen =
        n.compare(ComparePredicate::Le, iota({1, 1, 1, (*keys)[2]}, 3), last);
    mask =
        join(n, mask,
             n.select(isSeen, n.scalar(type, 0),
                      n.scalar(type, -std::numeric_limits<float>::infinity())));
  }
  double scale = n.floatAttr("scale", 0);
  if (scale == 0)
    scale = 1 / std::sqrt(static_cast<double>((*queries)[3]));
  Value y = n.make<AttentionOp>(heads.q, heads.k, heads.v, mask,
                                llvm::APFloat(scale), isCausal && past == 0,
                                llvm::APFloat(0.0), EmptyRow::Zero);
  return n.finish(joinHeads(n, y));
}

/// Keys and values after those of earlier calls, `pair` [2, B, H, P, E].
std::optional<int64_t> prependPair(NodeBuilder &n, Value pair, Heads &heads) {
  auto shape = n.staticShape(pair);
  if (!shape)
    return std::nullopt;
  if (shape->size() != 5 || shape->front() != 2) {
    n.error(Code::BadGraph) << "past has type " << n.typeOf(pair);
    return std::nullopt;
  }
  IntList own(llvm::drop_begin(*shape));
  auto half = [&](int64_t i) {
    return n.reshape(n.slice(pair, 0, i, i + 1), own);
  };
  heads.k = n.make<ConcatOp>(ValueRange{half(0), heads.k}, int64_t(2));
  heads.v = n.make<ConcatOp>(ValueRange{half(1), heads.v}, int64_t(2));
  return own[2];
}

/// x [B, S, I] times weights [I, 3 H E], all three at once.
LogicalResult buildPackedAttention(NodeBuilder &n) {
  if (n.flagAttr("do_rotary") || n.flagAttr("past_present_share_buffer"))
    return n.error(Code::UnsupportedFeature)
           << "do_rotary and past_present_share_buffer are not supported";
  int64_t count = n.intAttr("num_heads", 0);
  auto weights = n.staticShape(n.input(1));
  if (!weights || weights->size() != 2 || n.rankOf(n.input(0)) != 3)
    return n.hasFailed()
               ? failure()
               : LogicalResult(n.error(Code::BadGraph)
                               << "an input of rank " << n.rankOf(n.input(0))
                               << " and weights of rank " << weights->size());
  IntList sizes =
      n.intsAttr("qkv_hidden_sizes").value_or(IntList(3, weights->back() / 3));
  if (sizes.size() != 3 || sizes[0] + sizes[1] + sizes[2] != weights->back())
    return n.error(Code::BadGraph) << "qkv_hidden_sizes do not make up "
                                   << weights->back() << " columns";
  Value operands[] = {n.input(0), n.input(1)};
  n.alignRanks(operands);
  Value all = n.make<MatmulOp>(operands[0], operands[1], false, false);
  if (n.input(2))
    all = n.binary<AddOp>(all, n.input(2));
  auto part = [&](int64_t begin, int64_t size) {
    return splitHeads(n, n.slice(all, 2, begin, begin + size), count);
  };
  Heads heads{part(0, sizes[0]), part(sizes[0], sizes[1]),
              part(sizes[0] + sizes[1], sizes[2])};
  int64_t past = 0;
  if (n.input(4)) {
    auto before = prependPair(n, n.input(4), heads);
    if (!before)
      return failure();
    past = *before;
  }
  if (n.wantsOutput(1)) {
    auto first = [&](Value x) {
      IntList shape = n.shapeOf(x);
      shape.insert(shape.begin(), 1);
      return n.reshape(x, shape);
    };
    if (!n.hasFailed())
      n.setOutput(1,
                  n.make<ConcatOp>(ValueRange{first(heads.k), first(heads.v)},
                                   int64_t(0)));
  }
  return attend(n, heads, n.input(3), n.input(5), past);
}

/// query [B, S, H E], key and value [B, L, H E].
LogicalResult buildMultiHeadAttention(NodeBuilder &n) {
  Value q = n.input(0), k = n.input(1), v = n.input(2);
  if (!k || !v || n.rankOf(q) != 3 || n.rankOf(k) != 3 || n.rankOf(v) != 3)
    return n.error(Code::UnsupportedFeature)
           << "packed queries, keys and values are not supported";
  int64_t count = n.intAttr("num_heads", 0);
  if (Value bias = n.input(3)) {
    auto whole = n.staticShape(bias), a = n.staticShape(q),
         b = n.staticShape(k), c = n.staticShape(v);
    if (!whole || !a || !b || !c)
      return failure();
    int64_t first = a->back(), second = first + b->back(),
            third = second + c->back();
    if (*whole != IntList{third})
      return n.error(Code::BadGraph) << "bias has type " << n.typeOf(bias)
                                     << ", expected " << third << " elements";
    q = n.binary<AddOp>(q, n.slice(bias, 0, 0, first));
    k = n.binary<AddOp>(k, n.slice(bias, 0, first, second));
    v = n.binary<AddOp>(v, n.slice(bias, 0, second, third));
  }
  Heads heads{splitHeads(n, q, count), splitHeads(n, k, count),
              splitHeads(n, v, count)};
  int64_t past = 0;
  if (Value key = n.input(6), value = n.input(7); key || value) {
    if (!key || !value || n.rankOf(key) != 4 || !n.staticShape(key))
      return n.error(Code::BadGraph) << "past key and value go together";
    past = n.shapeOf(key)[2];
    heads.k = n.make<ConcatOp>(ValueRange{key, heads.k}, int64_t(2));
    heads.v = n.make<ConcatOp>(ValueRange{value, heads.v}, int64_t(2));
  }
  n.setOutput(1, heads.k);
  n.setOutput(2, heads.v);
  return attend(n, heads, n.input(4), n.input(5), past);
}

/// Input, places, and tables [max, E / 2].
LogicalResult buildRotary(NodeBuilder &n) {
  Value x = n.input(0), places = n.input(1);
  auto shape = n.staticShape(x), table = n.staticShape(n.input(2)),
       given = n.staticShape(places);
  if (!shape || !table || !given)
    return failure();
  if (n.flagAttr("is_packed_batching"))
    return n.error(Code::UnsupportedFeature)
           << "is_packed_batching is not supported";
  bool isFlat = shape->size() == 3;
  if ((!isFlat && shape->size() != 4) || table->size() != 2)
    return n.error(Code::BadGraph) << "the input has rank " << shape->size()
                                   << ", the cache " << table->size();
  int64_t count = n.intAttr("num_heads", 0);
  if (isFlat && count == 0 && table->back() > 0)
    count = shape->back() / (2 * table->back());
  Type i64 = n.getBuilder().getI64Type();
  places = n.cast(places, i64);
  // One place is that of the first row.
  if (given->size() == 1)
    places = n.binary<AddOp>(
        n.make<IotaOp>(ValueRange(), IntList{1, (*shape)[isFlat ? 1 : 2]},
                       int64_t(1), i64),
        n.reshape(places, {}));
  auto rows = [&](size_t i) {
    return n.make<GatherOp>(n.input(i), places, int64_t(0), false);
  };
  Value y = rotate(n, splitHeads(n, x, count),
                   {rows(2), rows(3), n.intAttr("rotary_embedding_dim", 0),
                    n.flagAttr("interleaved")});
  if (isFlat)
    y = joinHeads(n, y);
  double scale = n.floatAttr("scale", 1);
  return n.finish(
      scale == 1 ? y : n.binary<MulOp>(y, n.scalar(n.elementTypeOf(y), scale)));
}

} // namespace

void addContribAttention(OpTable &table) {
  table.add("com.microsoft/Attention", 2, buildPackedAttention);
  table.add("com.microsoft/MultiHeadAttention", 1, buildMultiHeadAttention);
  table.add("com.microsoft/RotaryEmbedding", 4, buildRotary);
}

} // namespace graven::onnx
