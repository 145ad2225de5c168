//===- Attention.cpp - attention ---*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the builders of Attention and RotaryEmbedding.
//===----------------------------------------------------------------------===//

#include "frontends/onnx/NodeBuilder.h"
#include "frontends/onnx/OpTable.h"

using namespace mlir;

namespace graven::onnx {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// [B, S, H * E] to [B, H, S, E]; rank 4 stays.
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

/// j <= i + offset, as [1, 1, S, L].
Value causalMask(NodeBuilder &n, int64_t queries, int64_t keys,
                 int64_t offset) {
  Type type = n.getBuilder().getI64Type();
  Value row = n.make<IotaOp>(ValueRange(), IntList{1, 1, queries, 1},
                             int64_t(2), type),
        column = n.make<IotaOp>(ValueRange(), IntList{1, 1, 1, keys},
                                int64_t(3), type);
  return n.compare(ComparePredicate::Le, column,
                   n.binary<AddOp>(row, n.scalar(type, offset)));
}

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

LogicalResult buildAttention(NodeBuilder &n) {
  bool isFlat = n.rankOf(n.input(0)) == 3;
  Value q = splitHeads(n, n.input(0), n.intAttr("q_num_heads", 0)),
        k = splitHeads(n, n.input(1), n.intAttr("kv_num_heads", 0)),
        v = splitHeads(n, n.input(2), n.intAttr("kv_num_heads", 0));
  if (n.input(6))
    return n.error(Code::UnsupportedFeature)
           << "nonpad_kv_seqlen is not supported";
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
  Type type = n.elementTypeOf(q);
  Value mask;
  if (n.input(3))
    mask = completeMask(n, n.input(3), (*keys)[2], type);
  bool causal = n.flagAttr("is_causal");
  if (causal && past > 0)
    mask = joinMasks(n, mask, causalMask(n, (*queries)[2], (*keys)[2], past));
  double scale = n.floatAttr("scale", 0);
  if (!n.hasAttr("scale"))
    scale = 1 / std::sqrt(static_cast<double>((*queries)[3]));
  Value y = n.make<AttentionOp>(
      q, k, v, mask, llvm::APFloat(scale), causal && past == 0,
      llvm::APFloat(n.floatAttr("softcap", 0)), EmptyRow::Zero);
  n.setOutput(1, k);
  n.setOutput(2, v);
  if (!isFlat || n.hasFailed())
    return n.finish(y);
  IntList shape = n.shapeOf(y);
  return n.finish(n.reshape(n.transpose(y, {0, 2, 1, 3}),
                            {shape[0], shape[2], shape[1] * shape[3]}));
}

/// Positions [b, s] picked from a cache [max, e], or a cache [b, s, e].
Value pickCache(NodeBuilder &n, Value cache, Value positions) {
  if (!positions)
    return cache;
  return n.make<GatherOp>(cache, positions, int64_t(0), false);
}

LogicalResult buildRotaryEmbedding(NodeBuilder &n) {
  bool isFlat = n.rankOf(n.input(0)) == 3;
  Value x = splitHeads(n, n.input(0), n.intAttr("num_heads", 0));
  Value cosines = pickCache(n, n.input(1), n.input(3)),
        sines = pickCache(n, n.input(2), n.input(3));
  auto shape = n.staticShape(x), cache = n.staticShape(cosines);
  if (!shape || !cache || n.hasFailed())
    return failure();
  if (shape->size() != 4 || cache->size() != 3)
    return n.error(Code::BadGraph) << "the input has rank " << shape->size()
                                   << ", the cache " << cache->size();
  int64_t b = (*shape)[0], h = (*shape)[1], s = (*shape)[2], e = (*shape)[3];
  int64_t turned = n.intAttr("rotary_embedding_dim", 0);
  turned = turned ? turned : e;
  int64_t half = turned / 2;
  if (turned < 0 || turned > e || turned % 2 || half > cache->back())
    return n.error(Code::BadGraph)
           << "rotary_embedding_dim is " << turned << " of " << e;
  bool isInterleaved = n.flagAttr("interleaved");
  Value head = n.slice(x, 3, 0, turned), first, second;
  if (isInterleaved) {
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
  Value c = perHead(cosines), d = perHead(sines);
  Value real = n.binary<SubOp>(n.binary<MulOp>(c, first),
                               n.binary<MulOp>(d, second)),
        imaginary = n.binary<AddOp>(n.binary<MulOp>(d, first),
                                    n.binary<MulOp>(c, second));
  Value y;
  if (isInterleaved) {
    Value parts[] = {n.reshape(real, {b, h, s, half, 1}),
                     n.reshape(imaginary, {b, h, s, half, 1})};
    y = n.reshape(n.make<ConcatOp>(ValueRange(parts), int64_t(4)),
                  {b, h, s, turned});
  } else {
    y = n.make<ConcatOp>(ValueRange{real, imaginary}, int64_t(3));
  }
  if (turned < e)
    y = n.make<ConcatOp>(ValueRange{y, n.slice(x, 3, turned, e)}, int64_t(3));
  if (isFlat)
    y = n.reshape(n.transpose(y, {0, 2, 1, 3}), {b, s, h * e});
  return n.finish(y);
}

} // namespace

void addAttention(OpTable &table) {
  table.add("Attention", 3, buildAttention, 23, 25);
  table.add("RotaryEmbedding", 3, buildRotaryEmbedding);
}

} // namespace graven::onnx
