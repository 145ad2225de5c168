//===- Attention.cpp - attention ---*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the builders of Attention and RotaryEmbedding.
//===----------------------------------------------------------------------===//

#include "frontends/onnx/NodeBuilder.h"
#include "frontends/onnx/OpTable.h"
#include "frontends/onnx/ops/Heads.h"

using namespace mlir;

namespace graven::onnx {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// The mask as rank 4 with all keys; keys that it leaves out are masked.
Value completeMask(NodeBuilder &n, Value mask, int64_t keys, Type type) {
  bool isBool = n.elementTypeOf(mask).isInteger(1);
  mask = n.alignRank(isBool ? mask : n.cast(mask, type), 4);
  auto shape = n.staticShape(mask);
  if (!shape)
    return {};
  int64_t own = shape->back();
  if (own == keys)
    return mask;
  if (own > keys) {
    n.error(Code::BadGraph)
        << "the mask has " << own << " keys, expected " << keys;
    return {};
  }
  shape->back() = keys - own;
  Value rest = n.splat(RankedTensorType::get(*shape, n.elementTypeOf(mask)),
                       isBool ? 0 : -kInfinity);
  return n.make<ConcatOp>(ValueRange{mask, rest}, int64_t(3));
}

/// Both conditions in one mask.
Value joinMasks(NodeBuilder &n, Value mask, Value allowed) {
  if (!mask || !allowed)
    return mask ? mask : allowed;
  if (n.elementTypeOf(mask).isInteger(1))
    return n.binary<AndOp>(mask, allowed);
  return n.select(allowed, mask, n.scalar(n.elementTypeOf(mask), -kInfinity));
}

/// Attention over q [B, H, S, E], k [B, G, L, E] and v [B, G, L, F].
struct Attention {
  NodeBuilder &n;
  Value q, k, v, mask;
  int64_t queries = 0, keys = 0;
  double scale = 0;
  /// How many keys come before the first query's own: a number, or, as
  /// [B, 1, 1, 1], that of each sample.
  Value offset = {};
  /// How many keys of each sample [B, 1, 1, 1] are any.
  Value present = {};

  Type i64() const { return n.getBuilder().getI64Type(); }
  Value iota(IntList shape, int64_t axis) const {
    return n.make<IotaOp>(ValueRange(), shape, axis, i64());
  }

  /// Which keys a query may see by their places; null for all of them.
  Value visible(bool isCausal, int64_t left, int64_t right) const {
    Value key = iota({1, 1, 1, keys}, 3),
          place = n.binary<AddOp>(iota({1, 1, queries, 1}, 2), offset);
    auto shifted = [&](int64_t by) {
      return n.binary<AddOp>(place, n.scalar(i64(), by));
    };
    Value allowed;
    auto also = [&](ComparePredicate predicate, Value bound) {
      Value condition = n.compare(predicate, key, bound);
      allowed = allowed ? n.binary<AndOp>(allowed, condition) : condition;
    };
    if (isCausal)
      also(ComparePredicate::Le, place);
    if (left >= 0)
      also(ComparePredicate::Ge, shifted(-left));
    if (right >= 0)
      also(ComparePredicate::Le, shifted(right));
    if (present)
      also(ComparePredicate::Lt, present);
    return allowed;
  }

  /// The scores [B, H, S, L] at a stage: 0 as they are, 1 with a soft cap, 2
  /// masked, 3 the weights.
  Value scores(int64_t stage, double softcap) const {
    IntList query = n.shapeOf(q), key = n.shapeOf(k);
    int64_t groups = key[1];
    if (groups == 0 || query[1] % groups) {
      n.error(Code::BadGraph)
          << query[1] << " heads of queries share " << groups << " of keys";
      return {};
    }
    Type type = n.elementTypeOf(q);
    Value rows =
        n.reshape(q, {query[0], groups, query[1] / groups * queries, query[3]});
    Value x = n.reshape(n.make<MatmulOp>(rows, k, false, true),
                        {query[0], query[1], queries, keys});
    x = n.binary<MulOp>(x, n.scalar(type, scale));
    if (stage > 0 && softcap > 0) {
      Value cap = n.scalar(type, softcap);
      x = n.binary<MulOp>(n.make<TanhOp>(n.binary<DivOp>(x, cap)), cap);
    }
    if (stage < 2)
      return x;
    Value none = n.scalar(type, -kInfinity);
    if (mask)
      x = n.elementTypeOf(mask).isInteger(1) ? n.select(mask, x, none)
                                             : n.binary<AddOp>(x, mask);
    if (stage == 2)
      return x;
    // A query that sees no key has no weights.
    Value most = n.reduce(x, ReduceKind::Max, {3}, /*keep=*/true);
    return n.select(n.compare(ComparePredicate::Eq, most, none),
                    n.scalar(type, 0), n.make<SoftmaxOp>(x, int64_t(3)));
  }
};

/// Lengths [B] as [B, 1, 1, 1].
Value perSample(NodeBuilder &n, Value lengths, int64_t batch) {
  if (n.shapeOf(lengths) != IntList{batch}) {
    n.error(Code::BadGraph) << "nonpad_kv_seqlen has type " << n.typeOf(lengths)
                            << ", expected " << batch << " lengths";
    return {};
  }
  return n.reshape(n.cast(lengths, n.getBuilder().getI64Type()),
                   {batch, 1, 1, 1});
}

LogicalResult buildAttention(NodeBuilder &n) {
  bool isFlat = n.rankOf(n.input(0)) == 3;
  Value q = splitHeads(n, n.input(0), n.intAttr("q_num_heads", 0)),
        k = splitHeads(n, n.input(1), n.intAttr("kv_num_heads", 0)),
        v = splitHeads(n, n.input(2), n.intAttr("kv_num_heads", 0));
  int64_t past = 0;
  if (Value key = n.input(4), value = n.input(5); key || value) {
    if (!key || !value || n.rankOf(key) != 4 || !n.staticShape(key))
      return n.error(Code::BadGraph) << "past key and value go together";
    past = n.shapeOf(key)[2];
    k = n.make<ConcatOp>(ValueRange{key, k}, int64_t(2));
    v = n.make<ConcatOp>(ValueRange{value, v}, int64_t(2));
  }
  auto queries = n.staticShape(q), keys = n.staticShape(k);
  if (!queries || !keys || n.hasFailed())
    return failure();
  if (queries->size() != 4 || keys->size() != 4)
    return n.error(Code::BadGraph) << "queries have rank " << queries->size()
                                   << ", keys " << keys->size();
  double scale = n.floatAttr("scale", 0), softcap = n.floatAttr("softcap", 0);
  if (!n.hasAttr("scale"))
    scale = 1 / std::sqrt(static_cast<double>((*queries)[3]));
  Attention attention{n, q, k, v, {}, (*queries)[2], (*keys)[2], scale};
  if (n.input(3))
    attention.mask =
        completeMask(n, n.input(3), (*keys)[2], n.elementTypeOf(q));
  attention.offset = n.scalar(attention.i64(), past);
  if (Value lengths = n.input(6)) {
    attention.present = perSample(n, lengths, (*queries)[0]);
    attention.offset = n.binary<SubOp>(
        attention.present, n.scalar(attention.i64(), (*queries)[2]));
  }
  bool isCausal = n.flagAttr("is_causal"), wantsScores = n.wantsOutput(3);
  int64_t left = n.intAttr("left_window_size", -1),
          right = n.intAttr("right_window_size", -1);
  // The op's own causal mask begins with the first key.
  bool isPlain = isCausal && past == 0 && !n.input(6) && left < 0 &&
                 right < 0 && !wantsScores;
  if (!isPlain)
    attention.mask =
        joinMasks(n, attention.mask, attention.visible(isCausal, left, right));
  Value y =
      n.make<AttentionOp>(q, k, v, attention.mask, llvm::APFloat(scale),
                          isPlain, llvm::APFloat(softcap), EmptyRow::Zero);
  n.setOutput(1, k);
  n.setOutput(2, v);
  if (wantsScores)
    n.setOutput(
        3, attention.scores(n.intAttr("qk_matmul_output_mode", 0), softcap));
  return n.finish(isFlat ? joinHeads(n, y) : y);
}

/// Positions [b, s] picked from a cache [max, e], or a cache [b, s, e].
Value pickCache(NodeBuilder &n, Value cache, Value positions) {
  if (!positions)
    return cache;
  return n.make<GatherOp>(cache, positions, int64_t(0), false);
}

LogicalResult buildRotaryEmbedding(NodeBuilder &n) {
  bool isFlat = n.rankOf(n.input(0)) == 3;
  Value y =
      rotate(n, splitHeads(n, n.input(0), n.intAttr("num_heads", 0)),
             {pickCache(n, n.input(1), n.input(3)),
              pickCache(n, n.input(2), n.input(3)),
              n.intAttr("rotary_embedding_dim", 0), n.flagAttr("interleaved")});
  return n.finish(isFlat ? joinHeads(n, y) : y);
}

} // namespace

Value splitHeads(NodeBuilder &n, Value x, int64_t heads) {
  auto shape = n.staticShape(x);
  if (!shape || shape->size() == 4)
    return x;
  if (shape->size() != 3 || heads <= 0 || (*shape)[2] % heads) {
    n.error(Code::BadGraph) << "an input of rank " << shape->size()
                            << " cannot be split into " << heads << " heads";
    return {};
  }
  return n.transpose(
      n.reshape(x, {(*shape)[0], (*shape)[1], heads, (*shape)[2] / heads}),
      {0, 2, 1, 3});
}

Value joinHeads(NodeBuilder &n, Value x) {
  auto shape = n.staticShape(x);
  if (!shape || n.hasFailed())
    return {};
  return n.reshape(n.transpose(x, {0, 2, 1, 3}),
                   {(*shape)[0], (*shape)[2], (*shape)[1] * (*shape)[3]});
}

Value rotate(NodeBuilder &n, Value x, Rotation rotation) {
  auto shape = n.staticShape(x), cache = n.staticShape(rotation.cosines);
  if (!shape || !cache || n.hasFailed())
    return {};
  if (shape->size() != 4 || cache->size() != 3) {
    n.error(Code::BadGraph) << "the input has rank " << shape->size()
                            << ", the cache " << cache->size();
    return {};
  }
  int64_t b = (*shape)[0], h = (*shape)[1], s = (*shape)[2], e = (*shape)[3];
  int64_t turned = rotation.turned ? rotation.turned : e, half = turned / 2;
  if (turned < 0 || turned > e || turned % 2 || half > cache->back()) {
    n.error(Code::BadGraph)
        << "rotary_embedding_dim is " << turned << " of " << e;
    return {};
  }
  Value head = n.slice(x, 3, 0, turned), first, second;
  if (rotation.isInterleaved) {
    Value pairs = n.reshape(head, {b, h, s, half, 2});
    first = n.reshape(n.slice(pairs, 4, 0, 1), {b, h, s, half});
    second = n.reshape(n.slice(pairs, 4, 1, 2), {b, h, s, half});
  } else {
    first = n.slice(head, 3, 0, half);
    second = n.slice(head, 3, half, turned);
  }
  auto perHead = [&](Value table) {
    return n.reshape(n.slice(table, 2, 0, half),
                     {(*cache)[0], 1, (*cache)[1], half});
  };
  Value c = perHead(rotation.cosines), d = perHead(rotation.sines);
  Value real = n.binary<SubOp>(n.binary<MulOp>(c, first),
                               n.binary<MulOp>(d, second)),
        imaginary = n.binary<AddOp>(n.binary<MulOp>(d, first),
                                    n.binary<MulOp>(c, second));
  Value y;
  if (rotation.isInterleaved) {
    Value parts[] = {n.reshape(real, {b, h, s, half, 1}),
                     n.reshape(imaginary, {b, h, s, half, 1})};
    y = n.reshape(n.make<ConcatOp>(ValueRange(parts), int64_t(4)),
                  {b, h, s, turned});
  } else {
    y = n.make<ConcatOp>(ValueRange{real, imaginary}, int64_t(3));
  }
  if (turned < e)
    y = n.make<ConcatOp>(ValueRange{y, n.slice(x, 3, turned, e)}, int64_t(3));
  return y;
}

void addAttention(OpTable &table) {
  table.add("Attention", 3, buildAttention, 23);
  table.add("RotaryEmbedding", 3, buildRotaryEmbedding);
}

} // namespace graven::onnx
