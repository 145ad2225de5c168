//===- Recurrences.cpp - states carried along a sequence ---*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the builders of the ops that decode with a state:
// LinearAttention, CausalConvWithState and TensorScatter.
//===----------------------------------------------------------------------===//

#include "frontends/onnx/GraphImporter.h"
#include "frontends/onnx/NodeBuilder.h"
#include "frontends/onnx/OpTable.h"

using namespace mlir;

namespace graven::onnx {

namespace {

/// S = e^g S + k (beta (v - (e^g S)' k))' and o = scale q' S for each step; the
/// decay g, and what is taken off v, only where the rule has them.
struct LinearAttention {
  NodeBuilder &n;
  int64_t batch = 0, steps = 0, heads = 0, groups = 0, keySize = 0,
          valueSize = 0;
  Type type = {}; ///< in which the state is computed
  double scale = 0;
  Value q = {}, k = {}, v = {}, decay = {}, beta = {}; ///< [B, T, ..]

  /// Reads the inputs; an error when their shapes do not fit.
  bool read() {
    heads = n.intAttr("q_num_heads", 0);
    groups = n.intAttr("kv_num_heads", 0);
    auto query = n.staticShape(n.input(0)), key = n.staticShape(n.input(1)),
         value = n.staticShape(n.input(2));
    if (!query || !key || !value)
      return false;
    auto splits = [](const IntList &shape, int64_t parts) {
      return shape.size() == 3 && parts > 0 && shape[2] % parts == 0;
    };
    if (!splits(*query, heads) || !splits(*key, groups) ||
        !splits(*value, groups) || heads % groups ||
        (*query)[2] / heads != (*key)[2] / groups) {
      n.error(Code::BadGraph)
          << "queries of type " << n.typeOf(n.input(0)) << " for keys of type "
          << n.typeOf(n.input(1)) << " with " << heads << " and " << groups
          << " heads";
      return false;
    }
    batch = (*query)[0];
    steps = (*query)[1];
    keySize = (*key)[2] / groups;
    valueSize = (*value)[2] / groups;
    scale = n.floatAttr("scale", 0);
    if (scale == 0)
      scale = 1 / std::sqrt(static_cast<double>(keySize));
    type =
        n.input(3) ? n.elementTypeOf(n.input(3)) : n.elementTypeOf(n.input(0));
    if (type.isF16() || type.isBF16())
      type = n.getBuilder().getF32Type();
    q = n.reshape(n.cast(n.input(0), type),
                  {batch, steps, groups, heads / groups, keySize});
    k = n.reshape(n.cast(n.input(1), type), {batch, steps, groups, keySize, 1});
    v = n.reshape(n.cast(n.input(2), type),
                  {batch, steps, groups, 1, valueSize});
    return readRule();
  }

  bool readRule() {
    std::string rule = n.stringAttr("update_rule", "gated_delta");
    bool isGated = rule == "gated" || rule == "gated_delta",
         isDelta = rule == "delta" || rule == "gated_delta";
    if (!isGated && !isDelta && rule != "linear") {
      n.error(Code::UnsupportedFeature) << "update_rule is " << quoted(rule);
      return false;
    }
    if (isGated)
      decay = gate(n.input(4), "decay", keySize);
    if (isDelta)
      beta = gate(n.input(5), "beta", 1);
    return !n.hasFailed();
  }

  /// A gate [B, T, H * size], [B, T, H] or [B, T, 1] as [B, T, H, size, 1].
  Value gate(Value x, StringRef name, int64_t size) {
    auto shape = x ? n.staticShape(x) : std::nullopt;
    if (shape && shape->size() == 3)
      for (auto [h, s] :
           {std::pair(groups, size), std::pair(groups, int64_t(1)),
            std::pair(int64_t(1), int64_t(1))})
        if ((*shape)[2] == h * s)
          return n.reshape(n.cast(x, type), {batch, steps, h, s, 1});
    if (!n.hasFailed())
      n.error(Code::BadGraph)
          << name
          << " is absent or has another shape than the update rule needs";
    return {};
  }

  /// A step's slice of x, whose number is a value.
  Value at(Value x, Value step) {
    return n.make<GatherOp>(x, step, int64_t(1), true);
  }

  /// The next state [B, H, K, V], and the output [B, Hq * V].
  std::pair<Value, Value> advance(Value state, Value step) {
    Value key = at(k, step), added = at(v, step);
    if (decay)
      state = n.binary<MulOp>(state, n.make<ExpOp>(at(decay, step)));
    if (beta) {
      Value known = n.reduce(n.binary<MulOp>(state, key), ReduceKind::Sum, {2},
                             /*keep=*/true);
      added = n.binary<MulOp>(at(beta, step), n.binary<SubOp>(added, known));
    }
    state = n.binary<AddOp>(state, n.binary<MulOp>(key, added));
    Value read = n.make<MatmulOp>(at(q, step), state, false, false);
    read = n.binary<MulOp>(read, n.scalar(type, scale));
    return {state, n.reshape(read, {batch, heads * valueSize})};
  }

  LogicalResult build() {
    if (!read())
      return failure();
    Type stateType =
        n.input(3) ? n.elementTypeOf(n.input(3)) : n.elementTypeOf(n.input(0));
    IntList shape{batch, groups, keySize, valueSize};
    if (n.input(3) && n.shapeOf(n.input(3)) != shape)
      return n.error(Code::BadGraph)
             << "past_state has type " << n.typeOf(n.input(3));
    Value state = n.input(3) ? n.cast(n.input(3), type)
                             : n.splat(RankedTensorType::get(shape, type), 0);
    if (n.hasFailed())
      return failure();
    OpBuilder &builder = n.getBuilder();
    Type index = RankedTensorType::get({}, builder.getI64Type());
    Region region;
    Block &block = region.emplaceBlock();
    block.addArguments({index, state.getType()}, {n.getLoc(), n.getLoc()});
    {
      OpBuilder::InsertionGuard guard(builder);
      builder.setInsertionPointToStart(&block);
      auto [next, read] = advance(block.getArgument(1), block.getArgument(0));
      if (n.hasFailed())
        return failure();
      YieldOp::create(builder, n.getLoc(),
                      ValueRange{n.scalar(builder.getI1Type(), 1), next, read});
    }
    Type stacked =
        RankedTensorType::get({steps, batch, heads * valueSize}, type);
    Value trip = n.scalar(builder.getI64Type(), steps);
    auto loop = LoopOp::create(builder, n.getLoc(), TypeRange{state.getType()},
                               TypeRange{stacked}, trip, Value(), state);
    loop.getBody().takeBody(region);
    n.setOutput(1, n.cast(loop->getResult(0), stateType));
    Value y = n.transpose(loop->getResult(1), {1, 0, 2});
    return n.finish(n.cast(y, n.elementTypeOf(n.input(0))));
  }
};

LogicalResult buildLinearAttention(NodeBuilder &n) {
  return LinearAttention{n}.build();
}

/// A depthwise convolution of the last places and x.
LogicalResult buildCausalConv(NodeBuilder &n) {
  Value x = n.input(0), w = n.input(1);
  auto shape = n.staticShape(x), kernel = n.staticShape(w);
  if (!shape || !kernel)
    return failure();
  if (shape->size() != 3 || kernel->size() != 3 ||
      (*kernel)[0] != (*shape)[1] || (*kernel)[1] != 1 || (*kernel)[2] < 1)
    return n.error(Code::BadGraph) << "a kernel of type " << n.typeOf(w)
                                   << " for an input of type " << n.typeOf(x);
  int64_t channels = (*shape)[1], length = (*shape)[2], past = (*kernel)[2] - 1;
  auto pastType =
      RankedTensorType::get({(*shape)[0], channels, past}, n.elementTypeOf(x));
  Value state = n.input(3) ? n.input(3) : n.splat(pastType, 0);
  if (n.typeOf(state) != pastType)
    return n.error(Code::BadGraph) << "past_state has type " << n.typeOf(state)
                                   << ", expected " << pastType;
  Value whole = n.make<ConcatOp>(ValueRange{state, x}, int64_t(2));
  n.setOutput(1, n.slice(whole, 2, length, length + past));
  Value y =
      n.make<ConvOp>(whole, w, n.input(2), IntList{1}, IntList{1},
                     IntList{0, 0}, channels, Layout::Planar, IntegerAttr());
  std::string activation = n.stringAttr("activation", "none");
  if (activation == "silu" || activation == "swish")
    y = n.make<SiluOp>(y);
  else if (activation != "none")
    return n.error(Code::UnsupportedFeature)
           << "activation is " << quoted(activation);
  return n.finish(y);
}

/// Writes the update at each sample's index along the axis.
LogicalResult buildTensorScatter(NodeBuilder &n) {
  Value cache = n.input(0), update = n.input(1);
  auto shape = n.staticShape(cache), own = n.staticShape(update);
  if (!shape || !own)
    return failure();
  int64_t rank = shape->size(), axis = n.axis(n.intAttr("axis", -2), rank);
  std::string mode = n.stringAttr("mode", "linear");
  if (n.hasFailed())
    return failure();
  IntList expected = *shape;
  if (rank > 0 && own->size() == shape->size())
    expected[axis] = (*own)[axis];
  if (axis == 0 || *own != expected || (*own)[axis] > (*shape)[axis] ||
      (mode != "linear" && mode != "circular"))
    return n.error(Code::BadGraph)
           << "an update of type " << n.typeOf(update)
           << " for a cache of type " << n.typeOf(cache) << " along axis "
           << axis << ", mode " << quoted(mode);
  Type i64 = n.getBuilder().getI64Type();
  auto iota = [&](int64_t along, int64_t size) {
    IntList line(rank, 1);
    line[along] = size;
    return Value(n.make<IotaOp>(ValueRange(), line, along, i64));
  };
  // Where each element goes: its own place, but for the axis.
  Value place = iota(axis, (*own)[axis]);
  if (Value first = n.input(2)) {
    IntList line(rank, 1);
    line[0] = (*shape)[0];
    place = n.binary<AddOp>(place, n.reshape(n.cast(first, i64), line));
  }
  if (mode == "circular")
    place = n.binary<RemOp>(place, n.scalar(i64, (*shape)[axis]));
  IntList column = *own;
  column.push_back(1);
  SmallVector<Value> tuple;
  for (int64_t i = 0; i < rank; ++i)
    tuple.push_back(n.reshape(
        n.expand(i == axis ? place : iota(i, (*own)[i]), *own), column));
  Value places = n.make<ConcatOp>(tuple, rank);
  return n.finish(
      n.make<ScatterNdOp>(cache, places, update, ScatterKind::None, false));
}

} // namespace

void addRecurrences(OpTable &table) {
  table.add("LinearAttention", 3, buildLinearAttention);
  table.add("CausalConvWithState", 2, buildCausalConv);
  table.add("TensorScatter", 2, buildTensorScatter);
}

} // namespace graven::onnx
