//===- ContribGrouped.cpp - attention of language models ------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the builder of com.microsoft's GroupQueryAttention: the
// places of queries and keys, the keys of earlier calls, and what may be seen.
//===----------------------------------------------------------------------===//

#include "frontends/onnx/OpTable.h"
#include "frontends/onnx/ops/Heads.h"
#include <cmath>

using namespace mlir;

namespace graven::onnx {

namespace {

class GroupedAttention {
public:
  explicit GroupedAttention(NodeBuilder &n) : n(n) {}

  LogicalResult build();

private:
  LogicalResult readHeads();
  LogicalResult readLengths();
  Value extended(Value past, Value own);
  Value mask();
  void addSink(Value &mask);
  Value iota(IntList shape, int64_t axis) {
    return n.make<IotaOp>(ValueRange(), shape, axis, i64());
  }
  Type i64() const { return n.getBuilder().getI64Type(); }

  NodeBuilder &n;
  int64_t heads = 0, groups = 0;
  Value q, k, v;
  int64_t batch = 0, queries = 0, size = 0;
  /// Places of the keys of earlier calls, and of all keys.
  int64_t room = 0, keys = 0;
  /// How many keys come before the queries' own: `before` at most, and of each
  /// sample that many, [B, 1, 1, 1]. One number for all is a constant.
  int64_t before = 0;
  Value begins;
  bool isEqual = true;
};

LogicalResult GroupedAttention::readHeads() {
  heads = n.intAttr("num_heads", 0);
  groups = n.intAttr("kv_num_heads", 0);
  q = n.input(0);
  k = n.input(1);
  v = n.input(2);
  auto shape = n.staticShape(q);
  if (!shape || n.hasFailed())
    return failure();
  if (shape->size() != 3 || heads < 1 || groups < 1 || heads % groups ||
      !k != !v)
    return n.error(Code::BadGraph)
           << "queries of type " << n.typeOf(q) << " in " << heads
           << " heads, keys in " << groups;
  batch = shape->front();
  queries = (*shape)[1];
  int64_t all = k ? heads : heads + 2 * groups;
  size = shape->back() / all;
  if (shape->back() % all || size == 0)
    return n.error(Code::BadGraph)
           << shape->back() << " columns are not those of " << all << " heads";
  if (!k) {
    int64_t first = heads * size, second = first + groups * size;
    k = n.slice(q, 2, first, second);
    v = n.slice(q, 2, second, second + groups * size);
    q = n.slice(q, 2, 0, first);
  }
  q = splitHeads(n, q, heads);
  k = splitHeads(n, k, groups);
  v = splitHeads(n, v, groups);
  return n.finish();
}

LogicalResult GroupedAttention::readLengths() {
  if (!n.input(5) || !n.input(6))
    return n.error(Code::BadGraph)
           << "there is no seqlens_k or total_sequence_length";
  auto total = n.oneInt(n.input(6), "total_sequence_length");
  auto lengths = n.staticShape(n.input(5));
  Value past = n.input(3);
  if (!total || !lengths || (past && !n.staticShape(past)))
    return failure();
  if (past && n.rankOf(past) == 4)
    room = n.shapeOf(past)[2];
  before = *total - queries;
  if (elementCount(*lengths) != batch || before < 0 || before > room ||
      (past && n.rankOf(past) != 4) || !past != !n.input(4))
    return n.error(Code::BadGraph)
           << "total_sequence_length is " << *total << " with " << queries
           << " queries and " << room << " keys of earlier calls, seqlens_k of "
           << n.typeOf(n.input(5)) << " for " << batch << " samples";
  keys = std::max(room, *total);
  // The longest sample has them all, and a first call has nothing before.
  isEqual = batch == 1 || before == 0;
  if (isEqual) {
    begins = n.scalar(i64(), static_cast<double>(before));
    return n.finish();
  }
  begins =
      n.binary<SubOp>(n.cast(n.reshape(n.input(5), {batch, 1, 1, 1}), i64()),
                      n.scalar(i64(), static_cast<double>(queries - 1)));
  begins = n.make<ClampOp>(begins, n.scalar(i64(), 0),
                           n.scalar(i64(), static_cast<double>(before)));
  return n.finish();
}

/// The keys or values [B, G, L, E]: of each sample those before, its own, and
/// zeros.
Value GroupedAttention::extended(Value past, Value own) {
  Type type = n.elementTypeOf(own);
  auto zeros = [&](int64_t count) {
    return n.splat(RankedTensorType::get({batch, groups, count, size}, type),
                   0);
  };
  if (isEqual) {
    SmallVector<Value> parts;
    if (before > 0)
      parts.push_back(n.slice(past, 2, 0, before));
    parts.push_back(own);
    if (keys > before + queries)
      parts.push_back(zeros(keys - before - queries));
    return parts.size() == 1 ? own
                             : n.make<ConcatOp>(ValueRange(parts), int64_t(2));
  }
  // One row after the other: those before, the own, and one of zeros.
  Value rows = n.make<ConcatOp>(ValueRange{past, own, zeros(1)}, int64_t(2));
  int64_t count = room + queries + 1;
  rows =
      n.reshape(n.transpose(rows, {0, 2, 1, 3}), {batch * count, groups, size});
  Value place = iota({1, keys}, 1), begin = n.reshape(begins, {batch, 1});
  Value inside = n.binary<SubOp>(place, begin);
  auto number = [&](int64_t value) {
    return n.scalar(i64(), static_cast<double>(value));
  };
  Value from = n.select(
      n.compare(ComparePredicate::Lt, inside, number(0)), place,
      n.select(n.compare(ComparePredicate::Lt, inside, number(queries)),
               n.binary<AddOp>(inside, number(room)), number(count - 1)));
  from = n.binary<AddOp>(from,
                         n.binary<MulOp>(iota({batch, 1}, 0), number(count)));
  Value picked = n.make<GatherOp>(rows, from, int64_t(0), false);
  return n.transpose(picked, {0, 2, 1, 3});
}

/// Which keys a query may see.
Value GroupedAttention::mask() {
  Value key = iota({1, 1, 1, keys}, 3),
        place = n.binary<AddOp>(iota({1, 1, queries, 1}, 2), begins);
  Value seen = n.compare(ComparePredicate::Le, key, place);
  int64_t window = n.intAttr("local_window_size", -1);
  if (window < 1)
    return seen;
  Value first =
      n.binary<SubOp>(place, n.scalar(i64(), static_cast<double>(window)));
  return n.binary<AndOp>(seen, n.compare(ComparePredicate::Gt, key, first));
}

/// A number that each row of scores has besides: a key that is nothing.
void GroupedAttention::addSink(Value &mask) {
  Value sink = n.input(11);
  Type type = n.elementTypeOf(q);
  if (!sink)
    sink = n.splat(RankedTensorType::get({heads}, type), 0);
  if (n.shapeOf(sink) != IntList{heads}) {
    n.error(Code::BadGraph) << "head_sink has type " << n.typeOf(sink)
                            << ", expected " << heads << " numbers";
    return;
  }
  Value nothing =
      n.splat(RankedTensorType::get({batch, groups, 1, size}, type), 0);
  k = n.make<ConcatOp>(ValueRange{k, nothing}, int64_t(2));
  v = n.make<ConcatOp>(ValueRange{v, nothing}, int64_t(2));
  Value column =
      n.expand(n.reshape(sink, {1, heads, 1, 1}), {batch, heads, queries, 1});
  mask = n.make<ConcatOp>(
      ValueRange{n.expand(mask, {batch, heads, queries, keys}), column},
      int64_t(3));
}

LogicalResult GroupedAttention::build() {
  for (size_t i = 12; i < n.getInputCount(); ++i)
    if (n.input(i))
      return n.error(Code::UnsupportedFeature)
             << "input #" << i << ", of quantized keys or normed heads, is not "
             << "supported";
  if (n.flagAttr("sliding_window_cache") || n.intAttr("qk_output", 0) ||
      !n.flagAttr("causal", true))
    return n.error(Code::UnsupportedFeature)
           << "sliding_window_cache, qk_output and causal = 0 are not "
              "supported";
  if (failed(readHeads()) || failed(readLengths()))
    return failure();
  if (n.flagAttr("do_rotary")) {
    Value places = n.input(9);
    if (!n.input(7) || !n.input(8))
      return n.error(Code::BadGraph) << "do_rotary has no caches";
    if (!places)
      places =
          n.binary<AddOp>(iota({1, queries}, 1),
                          isEqual ? begins : n.reshape(begins, {batch, 1}));
    auto rows = [&](size_t i) {
      return n.make<GatherOp>(n.input(i), n.cast(places, i64()), int64_t(0),
                              false);
    };
    Value cosines = rows(7), sines = rows(8);
    auto width = n.staticShape(cosines);
    if (!width)
      return failure();
    Rotation rotation{cosines, sines, 2 * width->back(),
                      n.flagAttr("rotary_interleaved")};
    q = rotate(n, q, rotation);
    k = rotate(n, k, rotation);
  }
  k = extended(n.input(3), k);
  v = extended(n.input(4), v);
  n.setOutput(1, k);
  n.setOutput(2, v);
  double scale = n.floatAttr("scale", 0);
  if (scale == 0)
    scale = 1 / std::sqrt(static_cast<double>(size));
  Type type = n.elementTypeOf(q);
  Value seen = mask(), bias = n.input(10);
  bool hasSink = n.input(11) || n.intAttr("smooth_softmax", 0) == 1;
  if (bias || hasSink) {
    // Of the keys that there are; places behind them are not seen.
    if (auto own = bias ? n.staticShape(bias) : std::nullopt;
        own && own->size() == 4 && own->back() < keys) {
      own->back() = keys - own->back();
      Value rest = n.splat(RankedTensorType::get(*own, type), 0);
      bias = n.make<ConcatOp>(ValueRange{bias, rest}, int64_t(3));
    }
    seen = n.select(seen, bias ? bias : n.scalar(type, 0),
                    n.scalar(type, -std::numeric_limits<float>::infinity()));
  }
  if (hasSink)
    addSink(seen);
  Value y = n.make<AttentionOp>(q, k, v, seen, llvm::APFloat(scale), false,
                                llvm::APFloat(n.floatAttr("softcap", 0)),
                                EmptyRow::Zero);
  return n.finish(joinHeads(n, y));
}

LogicalResult buildGroupQueryAttention(NodeBuilder &n) {
  return GroupedAttention(n).build();
}

} // namespace

void addContribGrouped(OpTable &table) {
  table.add("com.microsoft/GroupQueryAttention", 1, buildGroupQueryAttention);
}

} // namespace graven::onnx
