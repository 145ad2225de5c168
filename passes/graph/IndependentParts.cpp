//===- IndependentParts.cpp - graphs that work part by part ---*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the flow of independent parts, such as the samples of a
// batch, through a Graph: for each Node, which axis of its result has them, or
// why it mixes them. A Node that is not listed mixes.
//===----------------------------------------------------------------------===//

#include "passes/graph/IndependentParts.h"

#include "mlir/Transforms/RegionUtils.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace graven {

using Parts = std::optional<PartsAxis>;

static RankedTensorType typeOf(Value value) {
  return cast<RankedTensorType>(value.getType());
}

static int64_t product(ArrayRef<int64_t> extents) {
  int64_t result = 1;
  for (int64_t extent : extents)
    result *= extent;
  return result;
}

//===----------------------------------------------------------------------===//
// Axes along which all elements are equal
//===----------------------------------------------------------------------===//

static bool isUniformConstant(ConstantOp constant, int64_t axis) {
  auto elements = dyn_cast<DenseElementsAttr>(constant.getValue());
  if (!elements)
    return false;
  if (elements.isSplat())
    return true;
  eval::Tensor tensor = eval::Tensor::fromElements(elements);
  ArrayRef<int64_t> shape = tensor.getShape();
  ArrayRef<char> bytes = tensor.getBytes();
  int64_t outer = product(shape.take_front(axis)), extent = shape[axis];
  if (bytes.empty())
    return true;
  int64_t row = static_cast<int64_t>(bytes.size()) / (outer * extent);
  for (int64_t o = 0; o < outer; ++o)
    for (int64_t i = 1; i < extent; ++i)
      if (bytes.slice((o * extent + i) * row, row) !=
          bytes.slice(o * extent * row, row))
        return false;
  return true;
}

/// The axis of `from` whose elements are axis `axis` of `to`, a reshape of it;
/// nothing where both have no such axis of one extent.
static std::optional<int64_t> sameAxis(ArrayRef<int64_t> from,
                                       ArrayRef<int64_t> to, int64_t axis) {
  int64_t before = product(to.take_front(axis));
  for (int64_t a = 0; a < static_cast<int64_t>(from.size()); ++a)
    if (from[a] == to[axis] && product(from.take_front(a)) == before)
      return a;
  return std::nullopt;
}

bool IndependentParts::isUniform(Value value, int64_t axis) {
  if (typeOf(value).getDimSize(axis) == 1)
    return true;
  Operation *node = value.getDefiningOp();
  if (!node)
    return false;
  if (node->hasTrait<Elementwise>())
    return llvm::all_of(node->getOperands(), [&](Value operand) {
      return typeOf(operand).getRank() == 0 || isUniform(operand, axis);
    });
  return llvm::TypeSwitch<Operation *, bool>(node)
      .Case([&](ConstantOp op) { return isUniformConstant(op, axis); })
      .Case([&](BroadcastOp op) {
        const auto *own = llvm::find(op.getAxes(), axis);
        return own == op.getAxes().end() ||
               isUniform(op.getX(), own - op.getAxes().begin());
      })
      .Case([&](ReshapeOp op) {
        auto own = sameAxis(typeOf(op.getX()).getShape(),
                            typeOf(value).getShape(), axis);
        return own && isUniform(op.getX(), *own);
      })
      .Case([&](TransposeOp op) {
        return isUniform(op.getX(), op.getPermutation()[axis]);
      })
      .Case([&](SliceOp op) { return isUniform(op.getX(), axis); })
      .Case([&](ConcatOp op) {
        return static_cast<int64_t>(op.getAxis()) != axis &&
               llvm::all_of(op.getInputs(), [&](Value input) {
                 return isUniform(input, axis);
               });
      })
      .Case([&](GatherOp op) {
        int64_t own = op.getAxis(), rank = typeOf(op.getIndices()).getRank();
        if (axis >= own && axis < own + rank)
          return isUniform(op.getIndices(), axis - own);
        return isUniform(op.getX(), axis < own ? axis : axis - rank + 1);
      })
      .Case(
          [&](IotaOp op) { return static_cast<int64_t>(op.getAxis()) != axis; })
      .Default(false);
}

//===----------------------------------------------------------------------===//
// Nodes
//===----------------------------------------------------------------------===//

IndependentParts::IndependentParts(GraphOp graph, int64_t count,
                                   ArrayRef<Parts> inputs)
    : count(count) {
  Block &block = graph.getBody().front();
  for (auto [argument, axis] : llvm::zip_equal(block.getArguments(), inputs))
    if (axis)
      parts[argument] = *axis;
  for (Operation &node : block.without_terminator()) {
    visit(&node);
    if (found)
      return;
  }
}

Parts IndependentParts::of(Value value) const {
  auto entry = parts.find(value);
  return entry == parts.end() ? Parts() : entry->second;
}

Parts IndependentParts::fail(Operation *node, const Twine &why) {
  if (!found)
    found =
        PartsProblem{node->getLoc(),
                     ("'" + node->getName().getStringRef() + "' " + why).str()};
  return std::nullopt;
}

void IndependentParts::visit(Operation *node) {
  llvm::SetVector<Value> reads(node->operand_begin(), node->operand_end());
  getUsedValuesDefinedAbove(node->getRegions(), reads);
  if (llvm::none_of(reads, [&](Value read) { return of(read).has_value(); }))
    return;
  for (Value value :
       llvm::concat<Value>(llvm::to_vector(reads),
                           llvm::to_vector_of<Value>(node->getResults())))
    if (!typeOf(value).hasStaticShape()) {
      fail(node, "has extents that are only known when it runs");
      return;
    }
  Parts result = transfer(node);
  if (found)
    return;
  for (Value value : node->getResults())
    parts[value] = *result;
}

/// Operands whose axes are those of the result: each has the parts there, or
/// one element to broadcast, or equal ones.
Parts IndependentParts::aligned(Operation *node, ValueRange operands) {
  Parts common;
  for (Value operand : operands) {
    Parts own = of(operand);
    if (own && common && *own != *common)
      return fail(node, "combines parts that lie along different axes");
    common = own ? own : common;
  }
  if (!common)
    return fail(node, "is not known to keep parts of the inputs apart");
  for (Value operand : operands)
    if (!of(operand) && typeOf(operand).getRank() != 0 &&
        !isUniform(operand, common->axis))
      return fail(node, "combines parts with values of which each part would "
                        "need its own");
  return common;
}

Parts IndependentParts::reshaped(ReshapeOp node) {
  Parts from = of(node.getX());
  ArrayRef<int64_t> own = typeOf(node.getX()).getShape(),
                    shape = typeOf(node.getResult()).getShape();
  int64_t before = product(own.take_front(from->axis));
  for (auto [axis, extent] : llvm::enumerate(shape))
    if (extent > 1 && product(shape.take_front(axis)) == before &&
        extent % count == 0)
      return PartsAxis{static_cast<int64_t>(axis), extent / count};
  return fail(node, "mixes parts of the inputs in one axis");
}

Parts IndependentParts::sliced(SliceOp node) {
  Parts from = of(node.getX());
  if (typeOf(node.getResult()).getDimSize(from->axis) !=
      typeOf(node.getX()).getDimSize(from->axis))
    return fail(node, "picks some of the parts");
  return from;
}

Parts IndependentParts::gathered(GatherOp node) {
  Parts data = of(node.getX()), indices = of(node.getIndices());
  int64_t axis = node.getAxis();
  if (data && indices)
    return fail(node, "picks across parts of the inputs");
  if (indices)
    return PartsAxis{axis + indices->axis, indices->rows};
  if (data->axis == axis)
    return fail(node, "picks some of the parts");
  return PartsAxis{data->axis < axis
                       ? data->axis
                       : data->axis + typeOf(node.getIndices()).getRank() - 1,
                   data->rows};
}

Parts IndependentParts::multiplied(MatmulOp node) {
  int64_t rank = typeOf(node.getA()).getRank();
  Parts a = of(node.getA()), b = of(node.getB());
  int64_t rows = node.getTransposeA() ? rank - 1 : rank - 2,
          columns = node.getTransposeB() ? rank - 2 : rank - 1;
  bool batchA = a && a->axis < rank - 2, batchB = b && b->axis < rank - 2;
  if ((batchA || !a) && (batchB || !b))
    return aligned(node, node.getOperands());
  if (a && !b && a->axis == rows)
    return PartsAxis{rank - 2, a->rows};
  if (b && !a && b->axis == columns)
    return PartsAxis{rank - 1, b->rows};
  return fail(node, "sums over parts of the inputs, or multiplies them with "
                    "each other");
}

Parts IndependentParts::attended(AttentionOp node) {
  Parts result = aligned(node, node.getOperands());
  if (result && result->axis != 0)
    return fail(node, "mixes parts of the inputs");
  return result;
}

Parts IndependentParts::reduced(ReduceOp node) {
  Parts from = of(node.getX());
  if (llvm::is_contained(node.getAxes(), from->axis))
    return fail(node, "combines parts of the inputs");
  int64_t dropped =
      node.getKeep() ? 0 : llvm::count_if(node.getAxes(), [&](int64_t axis) {
        return axis < from->axis;
      });
  return PartsAxis{from->axis - dropped, from->rows};
}

/// The first operand has the parts along `axis`, the others none.
Parts IndependentParts::onlyOnAxis(Operation *node, int64_t axis) {
  Parts from = of(node->getOperand(0));
  for (Value operand : node->getOperands().drop_front())
    if (of(operand))
      return fail(node, "has parameters that differ between parts");
  if (!from || from->axis != axis)
    return fail(node, "mixes parts of the inputs");
  return from;
}

/// The parts of a recurrent layer are along axis 1 of x, y and the states.
template <class Op> static bool isRecurrentBatch(Op op, IndependentParts &all) {
  auto isAt = [&](Value value, int64_t axis) {
    if (!value)
      return true;
    Parts parts = all.of(value);
    return parts ? parts->axis == axis && parts->rows == 1
                 : IndependentParts::isUniform(value, axis);
  };
  SmallVector<Value> states{op.getH0()};
  SmallVector<Value> weights{op.getW(), op.getR(), op.getBiasW(),
                             op.getBiasR()};
  if constexpr (std::is_same_v<Op, LstmOp>) {
    states.push_back(op.getC0());
    weights.push_back(op.getPeephole());
  }
  return all.of(op.getX()) && isAt(op.getX(), 1) && isAt(op.getSeqLens(), 0) &&
         llvm::all_of(states, [&](Value state) { return isAt(state, 1); }) &&
         llvm::none_of(weights, [&](Value weight) {
           return weight && all.of(weight).has_value();
         });
}

Parts IndependentParts::transfer(Operation *node) {
  auto keepsOffAxis = [&](int64_t axis) {
    Parts from = of(node->getOperand(0));
    return from->axis == axis ? fail(node, "combines parts of the inputs")
                              : from;
  };
  // The axes from `axis` on are combined.
  auto normalises = [&](int64_t axis) -> Parts {
    Parts from = of(node->getOperand(0));
    bool others = llvm::any_of(node->getOperands().drop_front(),
                               [&](Value v) { return of(v).has_value(); });
    if (!from || others || from->axis >= axis)
      return fail(node, "combines parts of the inputs");
    return from;
  };
  auto recurrent = [&](auto op) -> Parts {
    if (!isRecurrentBatch(op, *this))
      return fail(node, "mixes parts of the inputs");
    return PartsAxis{1, 1};
  };
  if (node->hasTrait<Elementwise>())
    return aligned(node, node->getOperands());
  return llvm::TypeSwitch<Operation *, Parts>(node)
      .Case([&](ReshapeOp op) { return reshaped(op); })
      .Case([&](TransposeOp op) {
        Parts from = of(op.getX());
        const auto *place = llvm::find(op.getPermutation(), from->axis);
        return PartsAxis{place - op.getPermutation().begin(), from->rows};
      })
      .Case([&](BroadcastOp op) {
        Parts from = of(op.getX());
        return PartsAxis{op.getAxes()[from->axis], from->rows};
      })
      .Case([&](SliceOp op) { return sliced(op); })
      .Case([&](InsertSliceOp op) -> Parts {
        Parts result = aligned(op, {op.getDest(), op.getSrc()});
        if (result && typeOf(op.getDest()).getDimSize(result->axis) !=
                          typeOf(op.getSrc()).getDimSize(result->axis))
          return fail(op, "replaces some of the parts");
        return result;
      })
      .Case([&](ConcatOp op) -> Parts {
        Parts result = aligned(op, op.getInputs());
        if (result && result->axis == static_cast<int64_t>(op.getAxis()))
          return fail(op, "joins parts of the inputs with others");
        return result;
      })
      .Case([&](PadOp op) -> Parts {
        Parts from = of(op.getX());
        if (!from || op.getLow()[from->axis] != 0 ||
            op.getHigh()[from->axis] != 0)
          return fail(op, "adds to the parts");
        return from;
      })
      .Case([&](ReverseOp op) -> Parts {
        Parts from = of(op.getX());
        if (llvm::is_contained(op.getAxes(), from->axis))
          return fail(op, "reverses the order of the parts");
        return from;
      })
      .Case([&](GatherOp op) { return gathered(op); })
      .Case([&](GatherElementsOp op) -> Parts {
        Parts result = aligned(op, op.getOperands());
        if (result && result->axis == static_cast<int64_t>(op.getAxis()))
          return fail(op, "picks some of the parts");
        return result;
      })
      .Case([&](MatmulOp op) { return multiplied(op); })
      .Case([&](AttentionOp op) { return attended(op); })
      .Case<ConvOp, ConvTransposeOp, BatchNormOp, GroupNormOp, MaxPoolOp,
            AvgPoolOp>([&](Operation *op) { return onlyOnAxis(op, 0); })
      .Case<LayerNormOp, RmsNormOp>(
          [&](auto op) { return normalises(op.getAxis()); })
      .Case<SoftmaxOp, LogSoftmaxOp, ArgReduceOp, CumReduceOp, TopKOp>(
          [&](auto op) -> Parts {
            Parts from = keepsOffAxis(op.getAxis());
            if constexpr (std::is_same_v<decltype(op), ArgReduceOp>)
              if (from && !op.getKeep() &&
                  static_cast<int64_t>(op.getAxis()) < from->axis)
                return PartsAxis{from->axis - 1, from->rows};
            return from;
          })
      .Case([&](ReduceOp op) { return reduced(op); })
      .Case([&](ResizeOp op) -> Parts {
        Parts from = of(op.getX());
        if (llvm::is_contained(op.getAxes(), from->axis))
          return fail(op, "combines parts of the inputs");
        return from;
      })
      .Case<LstmOp, GruOp, RnnOp>(recurrent)
      .Default([&](Operation *op) {
        return fail(op, "is not known to keep parts of the inputs apart");
      });
}

} // namespace graven
