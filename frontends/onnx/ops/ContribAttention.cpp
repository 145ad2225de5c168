//===- ContribAttention.cpp - attentions of ONNX Runtime ------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the builders of com.microsoft's Attention,
// QAttention, MultiHeadAttention and RotaryEmbedding.
//===----------------------------------------------------------------------===//

#include "frontends/onnx/OpTable.h"
#include "frontends/onnx/ops/Heads.h"
#include "frontends/onnx/ops/Quantized.h"
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

/// Of `all` queries, keys and values side by side [B, S, 3 H E]: the heads'
/// result, and what `present` names: the keys and values with those before.
LogicalResult attendAll(NodeBuilder &n, Value all, ArrayRef<int64_t> sizes,
                        size_t marks, size_t earlier, Value bias) {
  int64_t count = n.intAttr("num_heads", 0);
  auto part = [&](int64_t begin, int64_t size) {
    return splitHeads(n, n.slice(all, 2, begin, begin + size), count);
  };
  Heads heads{part(0, sizes[0]), part(sizes[0], sizes[1]),
              part(sizes[0] + sizes[1], sizes[2])};
  int64_t past = 0;
  if (n.input(earlier)) {
    auto before = prependPair(n, n.input(earlier), heads);
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
  return attend(n, heads, n.input(marks), bias, past);
}

/// The columns of queries, keys and values in weights [I, 3 H E].
std::optional<IntList> readSizes(NodeBuilder &n) {
  if (n.flagAttr("do_rotary") || n.flagAttr("past_present_share_buffer")) {
    n.error(Code::UnsupportedFeature)
        << "do_rotary and past_present_share_buffer are not supported";
    return std::nullopt;
  }
  auto weights = n.staticShape(n.input(1));
  if (!weights)
    return std::nullopt;
  if (weights->size() != 2 || n.rankOf(n.input(0)) != 3) {
    n.error(Code::BadGraph)
        << "an input of rank " << n.rankOf(n.input(0))
        << " and weights of rank " << weights->size() << ", expected 3 and 2";
    return std::nullopt;
  }
  IntList sizes =
      n.intsAttr("qkv_hidden_sizes").value_or(IntList(3, weights->back() / 3));
  if (sizes.size() != 3 || sizes[0] + sizes[1] + sizes[2] != weights->back()) {
    n.error(Code::BadGraph)
        << "qkv_hidden_sizes do not make up " << weights->back() << " columns";
    return std::nullopt;
  }
  return sizes;
}

/// x [B, S, I] times weights [I, 3 H E], all three at once.
LogicalResult buildPackedAttention(NodeBuilder &n) {
  auto sizes = readSizes(n);
  if (!sizes)
    return failure();
  Value operands[] = {n.input(0), n.input(1)};
  n.alignRanks(operands);
  Value all = n.make<MatmulOp>(operands[0], operands[1], false, false);
  if (n.input(2))
    all = n.binary<AddOp>(all, n.input(2));
  return attendAll(n, all, *sizes, 3, 4, n.input(5));
}

/// (x, weights, bias, scale of x, scale of the weights, marks, zero of x, zero
/// of the weights, past): the product is one of codes.
LogicalResult buildQuantizedAttention(NodeBuilder &n) {
  auto sizes = readSizes(n);
  if (!sizes)
    return failure();
  Type type = n.elementTypeOf(n.input(2));
  Value sums = exactProduct(n, n.input(0), n.input(6), n.input(1), n.input(7));
  Value scale = n.binary<MulOp>(n.reshape(n.input(3), {}), n.input(4));
  Value all = n.binary<AddOp>(
      n.binary<MulOp>(n.cast(sums, type), n.cast(scale, type)), n.input(2));
  return attendAll(n, all, *sizes, 5, 8, {});
}

/// Packed [B, S, H, count, E]: the heads [B, H, S, E] of place i.
Value unpackHeads(NodeBuilder &n, Value packed, int64_t i) {
  IntList shape = n.shapeOf(packed);
  Value one = n.reshape(n.slice(packed, 3, i, i + 1),
                        {shape[0], shape[1], shape[2], shape[4]});
  return n.transpose(one, {0, 2, 1, 3});
}

/// Queries [B, S, H E] with keys and values of that form or heads themselves
/// [B, H, L, E]; packed ones [B, S, H, 2 or 3, E].
std::optional<Heads> readHeads(NodeBuilder &n) {
  Value q = n.input(0), k = n.input(1), v = n.input(2), bias = n.input(3);
  int64_t count = n.intAttr("num_heads", 0), rank = n.rankOf(q);
  auto isPacked = [&](Value x, int64_t parts) {
    auto shape = x ? n.staticShape(x) : std::nullopt;
    return shape && shape->size() == 5 && (*shape)[3] == parts;
  };
  if (!k && !v && !bias && isPacked(q, 3))
    return Heads{unpackHeads(n, q, 0), unpackHeads(n, q, 1),
                 unpackHeads(n, q, 2)};
  if (rank == 3 && k && !v && !bias && isPacked(k, 2))
    return Heads{splitHeads(n, q, count), unpackHeads(n, k, 0),
                 unpackHeads(n, k, 1)};
  bool areHeads = k && v && n.rankOf(k) == 4 && n.rankOf(v) == 4;
  if (rank != 3 || !k || !v ||
      (!areHeads && (n.rankOf(k) != 3 || n.rankOf(v) != 3))) {
    if (!n.hasFailed())
      n.error(Code::UnsupportedFeature) << "queries of type " << n.typeOf(q)
                                        << " with such keys, values and bias";
    return std::nullopt;
  }
  if (bias) {
    auto whole = n.staticShape(bias), a = n.staticShape(q),
         b = n.staticShape(k), c = n.staticShape(v);
    if (!whole || !a || !b || !c)
      return std::nullopt;
    // Keys that are heads have theirs already.
    auto widthOf = [](const IntList &shape) {
      return shape.size() == 4 ? shape[1] * shape[3] : shape.back();
    };
    int64_t first = a->back(), second = first + widthOf(*b),
            third = second + widthOf(*c);
    if (*whole != IntList{third}) {
      n.error(Code::BadGraph) << "bias has type " << n.typeOf(bias)
                              << ", expected " << third << " elements";
      return std::nullopt;
    }
    q = n.binary<AddOp>(q, n.slice(bias, 0, 0, first));
    if (!areHeads) {
      k = n.binary<AddOp>(k, n.slice(bias, 0, first, second));
      v = n.binary<AddOp>(v, n.slice(bias, 0, second, third));
    }
  }
  if (areHeads)
    return Heads{splitHeads(n, q, count), k, v};
  return Heads{splitHeads(n, q, count), splitHeads(n, k, count),
               splitHeads(n, v, count)};
}

LogicalResult buildMultiHeadAttention(NodeBuilder &n) {
  if (n.input(8) || n.input(9))
    return n.error(Code::UnsupportedFeature)
           << "past_sequence_length and cache_indirection are not supported";
  auto made = readHeads(n);
  if (!made)
    return failure();
  Heads heads = *made;
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
  table.add("com.microsoft/QAttention", 5, buildQuantizedAttention);
  table.add("com.microsoft/RotaryEmbedding", 4, buildRotary);
}

} // namespace graven::onnx
