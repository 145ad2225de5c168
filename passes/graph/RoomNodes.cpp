//===- RoomNodes.cpp - what Nodes make of room -----------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the rules for elementwise Nodes, contractions,
// reductions and norms. Places that are not used hold anything, even NaN, so
// what sums over an axis gets them replaced first.
//===----------------------------------------------------------------------===//

#include "passes/graph/RoomMaker.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace graven {

using Shapes = std::optional<SmallVector<RoomShape>>;
using Axis = std::optional<RoomAxis>;

static Shapes just(RoomShape shape) {
  return SmallVector<RoomShape>{std::move(shape)};
}

/// Axes of the operands are those of the result; what has one element repeats.
Shapes RoomMaker::aligned(Operation *node, ValueRange operands, Value result) {
  RoomShape shape(tensorType(result).getRank());
  for (Value operand : operands) {
    RoomShape own = of(operand);
    if (own.empty())
      continue;
    if (own.size() != shape.size())
      return fail(node, "has operands of several ranks");
    for (auto [common, axis] : llvm::zip_equal(shape, own)) {
      if (axis.empty())
        continue;
      if (!common.empty() && !same(common, axis))
        return fail(node, "has operands that differ in how their extents "
                          "follow from the symbols");
      common = axis;
    }
  }
  return just(std::move(shape));
}

Shapes RoomMaker::elementwise(Operation *node) {
  // What is divided by may be anything but 0.
  if (isa<DivOp, RemOp>(node) &&
      !isa<FloatType>(tensorType(node->getResult(0)).getElementType())) {
    RoomShape divisor = of(node->getOperand(1));
    fillOperand(node, 1, llvm::to_vector(llvm::seq<int64_t>(divisor.size())),
                1);
  }
  return aligned(node, node->getOperands(), node->getResult(0));
}

Shapes RoomMaker::multiplied(MatmulOp node) {
  int64_t rank = tensorType(node.getResult()).getRank();
  RoomShape a = of(node.getA()), c = of(node.getB());
  if (rank < 2 || int64_t(a.size()) != rank || int64_t(c.size()) != rank)
    return fail(node, "multiplies vectors");
  int64_t rowsA = rank - (node.getTransposeA() ? 1 : 2),
          depthA = rank - (node.getTransposeA() ? 2 : 1),
          depthB = rank - (node.getTransposeB() ? 1 : 2),
          columnsB = rank - (node.getTransposeB() ? 2 : 1);
  if (!same(a[depthA], c[depthB]))
    return fail(node, "sums over axes that differ in how their extents follow "
                      "from the symbols");
  RoomShape shape(rank);
  for (int64_t axis = 0; axis < rank - 2; ++axis) {
    if (!a[axis].empty() && !c[axis].empty() && !same(a[axis], c[axis]))
      return fail(node, "has operands that differ in how their extents follow "
                        "from the symbols");
    shape[axis] = a[axis].empty() ? c[axis] : a[axis];
  }
  shape[rank - 2] = a[rowsA];
  shape[rank - 1] = c[columnsB];
  if (varies(a[depthA])) {
    if (!zeroBeyond.contains({node.getA(), depthA}))
      fillOperand(node, 0, depthA, 0);
    fillOperand(node, 1, depthB, 0);
  }
  // Keys that are not used give scores to which -inf may be added.
  if (varies(c[columnsB]))
    fillOperand(node, 1, columnsB, 0);
  return just(std::move(shape));
}

Shapes RoomMaker::attended(AttentionOp node) {
  RoomShape q = of(node.getQ()), k = of(node.getK()), v = of(node.getV());
  for (int64_t axis : {1, 3})
    if (varies(q[axis]) || varies(k[axis]) || varies(v[axis]))
      return fail(node, "has a number of heads or a width that is a symbol");
  bool sameBatch = q[0] == k[0] && q[0] == v[0];
  if (!sameBatch || !(k[2] == v[2]) || (node.getCausal() && !(q[2] == k[2])))
    return fail(node, "has operands that differ in how their extents follow "
                      "from the symbols");
  if (varies(k[2])) {
    Location loc = node.getLoc();
    fillOperand(node, 1, 2, 0);
    fillOperand(node, 2, 2, 0);
    // Causality keeps queries in use from keys that are not.
    if (!node.getCausal()) {
      Value used = inUse(loc, node.getK(), 2);
      Type element = tensorType(node.getQ()).getElementType();
      int64_t length = tensorType(node.getK()).getDimSize(2);
      used = graven::reshaped(b, loc, used, {1, 1, 1, length});
      if (Value mask = node.getMask()) {
        RankedTensorType type = tensorType(mask);
        used = type.getElementType().isInteger(1)
                   ? AndOp::create(b, loc, mask, used).getResult()
                   : SelectOp::create(
                         b, loc, used, mask,
                         ConstantOp::create(
                             b, loc,
                             cast<ElementsAttr>(DenseElementsAttr::get(
                                 RankedTensorType::get({1, 1, 1, 1}, element),
                                 extreme(element, false)))))
                         .getResult();
      }
      node.getMaskMutable().assign(used);
    }
  }
  return just({q[0], q[1], q[2], v[3]});
}

Shapes RoomMaker::softened(Operation *node, int64_t axis) {
  RoomShape shape = of(node->getOperand(0));
  if (varies(shape[axis])) {
    Type element = tensorType(node->getOperand(0)).getElementType();
    node->setOperand(
        0, filled(node, node->getOperand(0), axis, extreme(element, false)));
    if (isa<SoftmaxOp>(node))
      zeroBeyond.insert({node->getResult(0), axis});
  }
  return just(std::move(shape));
}

Attribute RoomMaker::neutral(ReduceKind kind, Type element) {
  switch (kind) {
  case ReduceKind::Sum:
  case ReduceKind::Mean:
  case ReduceKind::Or:
    return Builder(element.getContext()).getZeroAttr(element);
  case ReduceKind::Prod:
    return isa<FloatType>(element) ? Attribute(FloatAttr::get(element, 1))
                                   : Attribute(IntegerAttr::get(element, 1));
  case ReduceKind::And:
    return IntegerAttr::get(element,
                            APInt::getAllOnes(element.getIntOrFloatBitWidth()));
  case ReduceKind::Max:
    return extreme(element, false);
  case ReduceKind::Min:
    return extreme(element, true);
  }
  llvm_unreachable("all kinds are listed");
}

Shapes RoomMaker::reduced(ReduceOp node) {
  RoomShape from = of(node.getX()), shape;
  Type element = tensorType(node.getX()).getElementType();
  RoomAxis number;
  SmallVector<int64_t> open;
  for (auto [axis, own] : llvm::enumerate(from)) {
    bool goes = llvm::is_contained(node.getAxes(), int64_t(axis));
    if (!goes)
      shape.push_back(own);
    else if (node.getKeep())
      shape.push_back({});
    if (goes && varies(own))
      open.push_back(axis);
    if (goes)
      llvm::append_range(number, own);
  }
  if (open.empty())
    return just(std::move(shape));
  ReduceKind kind = node.getKind();
  Attribute fill = neutral(kind, element);
  Location loc = node.getLoc();
  Value value = filled(node, node.getX(), open, fill);
  if (kind == ReduceKind::Mean) {
    // The sum of narrow floats, and the number of them, need f32.
    Type wide = accumulatorType(element);
    Value sum =
        ReduceOp::create(b, loc, converted(b, loc, value, wide),
                         ReduceKind::Sum, node.getAxes(), node.getKeep());
    Value divisor = converted(b, loc, count(loc, number), wide);
    value = DivOp::create(b, loc, sum, divisor);
    value = converted(b, loc, value, element);
  } else {
    value =
        ReduceOp::create(b, loc, value, kind, node.getAxes(), node.getKeep());
  }
  replacement = value.getDefiningOp();
  return just(std::move(shape));
}

Shapes RoomMaker::extremes(ArgReduceOp node) {
  RoomShape shape = of(node.getX());
  int64_t axis = node.getAxis();
  if (varies(shape[axis])) {
    if (node.getLastIndex())
      return fail(node, "takes the last of equal elements along a symbol");
    bool least = node.getKind() == ExtremeKind::Min;
    node->setOperand(
        0, filled(node, node.getX(), axis,
                  extreme(tensorType(node.getX()).getElementType(), least)));
  }
  if (node.getKeep())
    shape[axis].clear();
  else
    shape.erase(shape.begin() + axis);
  return just(std::move(shape));
}

Shapes RoomMaker::accumulated(CumReduceOp node) {
  RoomShape shape = of(node.getX());
  int64_t axis = node.getAxis();
  if (varies(shape[axis]) && node.getReverse())
    node->setOperand(0,
                     filled(node, node.getX(), axis,
                            neutral(node.getKind(),
                                    tensorType(node.getX()).getElementType())));
  return just(std::move(shape));
}

/// Of fewer elements than k, as importers say it, all.
Shapes RoomMaker::best(TopKOp node, Others others) {
  RoomShape shape = of(node.getX());
  int64_t axis = node.getAxis(), most = node.getK();
  SmallVector<Value> values;
  for (Operation *other : others) {
    auto own = cast<TopKOp>(other);
    if (int64_t(own.getAxis()) != axis || own.getLargest() != node.getLargest())
      return fail(node, "has other attributes at other extents");
    values.push_back(own.getValues());
  }
  SmallVector<int64_t> counts = extentsAt(node.getValues(), values, axis);
  if (!varies(shape[axis])) {
    Axis own = axisOf(counts);
    if (!own)
      return fail(node, "takes a number of elements that does not follow from "
                        "the symbols in a way that is known");
    shape[axis] = *own;
    return SmallVector<RoomShape>{shape, shape};
  }
  RoomAxis from = simplified(node, shape[axis]);
  if (!isSimple(from))
    return fail(node, "takes elements of an axis that joins several");
  // Where none is used, the least or greatest; NaN is the greatest, and the
  // first of equal elements come first.
  Type element = tensorType(node.getX()).getElementType();
  Attribute fill = extreme(element, !node.getLargest());
  if (auto type = dyn_cast<FloatType>(element); type && !node.getLargest())
    fill = FloatAttr::get(type, APFloat::getNaN(type.getFloatSemantics()));
  Axis own = llvm::all_equal(counts) && lowest(from) >= most
                 ? Axis(fixed(most))
                 : limited(node, from, most);
  if (!own)
    return std::nullopt;
  node->setOperand(0, filled(node, node.getX(), axis, fill));
  shape[axis] = *own;
  return SmallVector<RoomShape>{shape, shape};
}

/// The axes from `axis` on are normalised.
Shapes RoomMaker::normalised(Operation *node, int64_t axis) {
  RoomShape shape = of(node->getOperand(0));
  for (int64_t i = axis; i < int64_t(shape.size()); ++i)
    if (varies(shape[i]))
      return fail(node, "normalises along a symbol");
  return just(std::move(shape));
}

/// Along images whose extents are symbols, by sums over what is used.
Shapes RoomMaker::grouped(GroupNormOp node) {
  RoomShape shape = of(node.getX());
  if (varies(shape[1]))
    return fail(node, "has a number of channels that is a symbol");
  SmallVector<int64_t> spatial =
      llvm::to_vector(llvm::seq<int64_t>(2, shape.size()));
  if (llvm::none_of(spatial, [&](int64_t i) { return varies(shape[i]); }))
    return just(std::move(shape));
  RankedTensorType type = tensorType(node.getX());
  Location loc = node.getLoc();
  Type element = type.getElementType();
  if (!element.isF32() && !element.isF64())
    return fail(node, "normalises narrow floats along a symbol");
  int64_t groups = node.getGroups(), channels = type.getDimSize(1);
  // [N, G, C/G, D..], summed over all but the first two.
  SmallVector<int64_t> split(type.getShape());
  split[1] = groups;
  split.insert(split.begin() + 2, channels / groups);
  RoomShape splitShape = shape;
  splitShape[1] = fixed(groups);
  splitShape.insert(splitShape.begin() + 2, fixed(channels / groups));
  SmallVector<int64_t> axes =
      llvm::to_vector(llvm::seq<int64_t>(2, split.size()));
  RoomAxis number;
  for (int64_t axis : axes)
    llvm::append_range(number, splitShape[axis]);
  Value divisor = converted(b, loc, count(loc, number), element);
  auto meanOf = [&](Value value) {
    Value sum =
        ReduceOp::create(b, loc, value, ReduceKind::Sum, axes, /*keep=*/true);
    return DivOp::create(b, loc, sum, divisor).getResult();
  };
  Value x = graven::reshaped(b, loc, node.getX(), split);
  shapes[x] = splitShape;
  x = filled(node, x, axes, 0);
  Value centred = SubOp::create(b, loc, x, meanOf(x));
  shapes[centred] = splitShape;
  centred = filled(node, centred, axes, 0);
  Value variance = meanOf(MulOp::create(b, loc, centred, centred));
  Value deviation = SqrtOp::create(
      b, loc,
      AddOp::create(b, loc, variance,
                    scalarConstant(b, loc, element,
                                   node.getEpsilon().convertToDouble(), 0)));
  Value result = DivOp::create(b, loc, centred, deviation);
  result = graven::reshaped(b, loc, result, type.getShape());
  SmallVector<int64_t> perChannel(type.getRank(), 1);
  perChannel[1] = channels;
  if (Value scale = node.getScale())
    result = MulOp::create(b, loc, result,
                           graven::reshaped(b, loc, scale, perChannel));
  if (Value bias = node.getBias())
    result = AddOp::create(b, loc, result,
                           graven::reshaped(b, loc, bias, perChannel));
  replacement = result.getDefiningOp();
  return just(std::move(shape));
}

Shapes RoomMaker::transfer(Operation *node, Others others) {
  if (node->getNumRegions())
    fillPicks(node);
  if (auto loop = dyn_cast<LoopOp>(node))
    return looped(loop, others);
  bool any = llvm::any_of(node->getOperands(),
                          [&](Value value) { return varies(value); });
  // What makes extents of its own.
  if (!any &&
      !isa<BroadcastOp, IotaOp, SliceOp, PrefixOp, TopKOp, ResizeOp>(node)) {
    SmallVector<RoomShape> results;
    for (Value value : node->getResults()) {
      RoomShape &shape = results.emplace_back();
      for (int64_t extent : tensorType(value).getShape())
        shape.push_back(fixed(extent));
    }
    for (Operation *other : others)
      if (other->getAttrDictionary() != node->getAttrDictionary())
        return fail(node, "has other attributes at other extents");
    return results;
  }
  if (node->hasTrait<Elementwise>())
    return elementwise(node);
  return llvm::TypeSwitch<Operation *, Shapes>(node)
      .Case([&](ReshapeOp op) { return reshaped(op, others); })
      .Case([&](TransposeOp op) { return transposed(op); })
      .Case([&](BroadcastOp op) { return broadcasted(op, others); })
      .Case([&](IotaOp op) { return counted(op, others); })
      .Case([&](SliceOp op) { return sliced(op, others); })
      .Case([&](ConcatOp op) { return concatenated(op); })
      .Case([&](PadOp op) { return padded(op, others); })
      .Case([&](ReverseOp op) { return reversed(op); })
      .Case([&](GatherOp op) { return gathered(op); })
      .Case([&](GatherElementsOp op) { return gatheredElements(op); })
      .Case([&](GatherNdOp op) { return gatheredTuples(op); })
      .Case([&](ScatterNdOp op) { return scattered(op); })
      .Case([&](InsertSliceOp op) { return inserted(op); })
      .Case([&](PrefixOp op) { return prefixed(op, others); })
      .Case([&](DimOp op) -> Shapes {
        Value extent = count(op.getLoc(), of(op.getX())[op.getAxis()]);
        replacement =
            ReshapeOp::create(b, op.getLoc(), extent, ArrayRef<int64_t>{});
        return just({});
      })
      .Case([&](NonzeroOp op) { return found(op); })
      .Case([&](NmsOp op) { return suppressed(op); })
      .Case<RoiAlignOp, RoiPoolOp>([&](auto op) { return pooledRegions(op); })
      .Case([&](MatmulOp op) { return multiplied(op); })
      .Case([&](AttentionOp op) { return attended(op); })
      .Case([&](ConvOp op) { return convolved(op); })
      .Case([&](ConvTransposeOp op) { return transposedConv(op); })
      .Case([&](MaxPoolOp op) { return pooled(op); })
      .Case([&](AvgPoolOp op) { return averaged(op, others); })
      .Case([&](ResizeOp op) { return resized(op, others); })
      .Case<SoftmaxOp, LogSoftmaxOp>(
          [&](auto op) { return softened(op, op.getAxis()); })
      .Case<LayerNormOp, RmsNormOp>(
          [&](auto op) { return normalised(op, op.getAxis()); })
      .Case([&](GroupNormOp op) { return grouped(op); })
      .Case([&](BatchNormOp op) -> Shapes {
        RoomShape shape = of(op.getX());
        if (varies(shape[1]))
          return fail(op, "has a number of channels that is a symbol");
        return just(std::move(shape));
      })
      .Case([&](ReduceOp op) { return reduced(op); })
      .Case([&](ArgReduceOp op) { return extremes(op); })
      .Case([&](CumReduceOp op) { return accumulated(op); })
      .Case([&](TopKOp op) { return best(op, others); })
      .Case<LstmOp, GruOp, RnnOp>([&](Operation *op) { return recurrent(op); })
      .Default([&](Operation *op) {
        return fail(op, "is not known to keep what is not used apart");
      });
}

} // namespace graven
