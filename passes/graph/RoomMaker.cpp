//===- RoomMaker.cpp - giving a graph room ---------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the walk through a Graph and its samples side by side:
// what differs between them follows from the symbols, or is a problem.
//===----------------------------------------------------------------------===//

#include "passes/graph/RoomMaker.h"

#include "llvm/ADT/STLExtras.h"

using namespace mlir;

namespace graven {

RoomMaker::RoomMaker(GraphOp graph, ArrayRef<RoomSymbol> symbols,
                     ArrayRef<RoomSample> samples)
    : graph(graph), symbols(symbols), samples(samples), b(graph.getContext()),
      maps(samples.size()) {}

std::nullopt_t RoomMaker::fail(Operation *node, const Twine &reason) {
  if (!problem)
    problem = PartsProblem{
        node->getLoc(),
        ("'" + node->getName().getStringRef() + "' " + reason).str()};
  return std::nullopt;
}

bool RoomMaker::takeInputs(
    ArrayRef<SmallVector<std::optional<unsigned>>> axes) {
  for (auto [s, symbol] : llvm::enumerate(symbols)) {
    std::vector<int64_t> values;
    for (int64_t v = symbol.lowest; v <= symbol.highest; ++v)
      values.push_back(v);
    addFunction(s, std::move(values));
  }
  Block &block = graph.getBody().front();
  for (auto [i, argument] : llvm::enumerate(block.getArguments())) {
    RoomShape shape;
    for (auto [axis, extent] : llvm::enumerate(tensorType(argument).getShape()))
      shape.push_back(axes[i][axis] ? RoomAxis{{extent, *axes[i][axis]}}
                                    : fixed(extent));
    room.inputs.push_back(shape);
    shapes[argument] = std::move(shape);
    SmallVector<Value> others;
    for (auto [sample, map] : llvm::zip_equal(samples, maps)) {
      others.push_back(GraphOp(sample.graph).getBody().front().getArgument(i));
      map[others.back()] = argument;
    }
    if (!agree(graph, argument, others))
      return false;
  }
  return true;
}

/// Whether the extents of `value` in the samples are as its shape says.
bool RoomMaker::agree(Operation *node, Value value, ArrayRef<Value> others) {
  const RoomShape &shape = of(value);
  for (auto [k, other] : llvm::enumerate(others)) {
    RankedTensorType type = tensorType(other);
    bool same = type.getRank() == static_cast<int64_t>(shape.size()) &&
                type.getElementType() == tensorType(value).getElementType();
    for (int64_t axis = 0; same && axis < type.getRank(); ++axis) {
      int64_t extent = 1;
      for (const RoomFactor &factor : shape[axis])
        extent *= factor.function ? at(*factor.function, k) : factor.most;
      same = extent == type.getDimSize(axis);
    }
    if (!same) {
      fail(node, "gives extents that do not follow from the symbols in a way "
                 "that is known");
      return false;
    }
  }
  return true;
}

//===----------------------------------------------------------------------===//
// Constants
//===----------------------------------------------------------------------===//

/// Where a place of a joined axis of a sample lies at the most extents; -1 for
/// none.
int64_t RoomMaker::placeAtMost(int64_t place, const RoomAxis &axis,
                               size_t sample) const {
  int64_t result = 0, inner = 1;
  if (place < 0)
    return -1;
  for (const RoomFactor &factor : llvm::reverse(axis)) {
    int64_t used = factor.function ? at(*factor.function, sample) : factor.most;
    result += place % used * inner;
    place /= used;
    inner *= factor.most;
  }
  return place == 0 ? result : -1;
}

/// The constant of the Graph where those of the samples are parts of it.
Value RoomMaker::knownConstant(ConstantOp constant, ArrayRef<Value> others,
                               const RoomAxis &joined) {
  auto elements = dyn_cast<DenseElementsAttr>(constant.getValue());
  if (!elements)
    return {};
  RoomShape shape;
  for (int64_t axis = 0; axis < elements.getType().getRank(); ++axis) {
    auto own = axisOf(extentsAt(constant.getResult(), others, axis));
    if (!own)
      return {};
    shape.push_back(*own);
  }
  std::optional<eval::Tensor> all;
  for (auto [k, other] : llvm::enumerate(others)) {
    auto part = dyn_cast<DenseElementsAttr>(
        other.getDefiningOp<ConstantOp>().getValue());
    if (!part)
      return {};
    if (part == elements)
      continue;
    if (part.isSplat() && elements.isSplat()) {
      if (part.getSplatValue<Attribute>() !=
          elements.getSplatValue<Attribute>())
        return {};
      continue;
    }
    if (!all)
      all = eval::Tensor::fromElements(elements);
    eval::Tensor own = eval::Tensor::fromElements(part);
    std::vector<int64_t> places =
        eval::stridedOffsets(own.getShape(), eval::stridesOf(all->getShape()));
    int64_t bytes = own.size() ? own.getBytes().size() / own.size() : 0;
    for (auto [i, place] : llvm::enumerate(places))
      if (!joined.empty()) {
        if (placeAtMost(own.getInt(i), joined, k) != all->getInt(place))
          return {};
      } else if (own.getBytes().slice(i * bytes, bytes) !=
                 all->getBytes().slice(place * bytes, bytes))
        return {};
  }
  Value value = constant.getResult();
  if (shapes.contains(value))
    value = b.clone(*constant)->getResult(0);
  shapes[value] = std::move(shape);
  return value;
}

/// A constant of equal elements that are a number which follows from extents,
/// or in floats its root or reciprocal, computed from them.
Value RoomMaker::computedConstant(ConstantOp constant, ArrayRef<Value> others) {
  RankedTensorType type = tensorType(constant.getResult());
  SmallVector<double> numbers;
  SmallVector<Value> all(others);
  all.push_back(constant.getResult());
  for (Value value : all) {
    auto splat = splatOf(value);
    if (!splat || tensorType(value) != type)
      return {};
    numbers.push_back(*splat);
  }
  Location loc = constant.getLoc();
  Type element = type.getElementType();
  auto close = [](double x, double y) {
    return std::abs(x - y) <= 1e-6 * std::abs(x);
  };
  // Of a whole number: itself, 1/x, sqrt x, 1/sqrt x.
  double (*forms[])(double) = {
      [](double x) { return x; }, [](double x) { return 1 / x; },
      [](double x) { return x * x; }, [](double x) { return 1 / (x * x); }};
  for (auto [form, toWhole] : llvm::enumerate(forms)) {
    if (form > 0 && !isa<FloatType>(element))
      break;
    SmallVector<int64_t> whole;
    for (double x : numbers) {
      double y = toWhole(x);
      if (!(std::abs(y) < 1e15) || !close(y, std::round(y)))
        break;
      whole.push_back(static_cast<int64_t>(std::round(y)));
    }
    if (whole.size() != numbers.size())
      continue;
    Value value = scalarOf(loc, whole);
    if (!value)
      continue;
    value = converted(b, loc, value, element);
    if (form >= 2)
      value = SqrtOp::create(b, loc, value);
    if (form % 2 == 1)
      value =
          DivOp::create(b, loc, scalarConstant(b, loc, element, 1, 0), value);
    if (type.getRank() > 0)
      value = BroadcastOp::create(b, loc, value, type.getShape(),
                                  ArrayRef<int64_t>{});
    RoomShape shape;
    for (int64_t extent : type.getShape())
      shape.push_back(fixed(extent));
    shapes[value] = std::move(shape);
    return value;
  }
  return {};
}

bool RoomMaker::connectConstant(OpOperand &operand, ArrayRef<Value> others) {
  auto constant = operand.get().getDefiningOp<ConstantOp>();
  RoomAxis joined;
  if (auto gather = dyn_cast<GatherOp>(operand.getOwner()))
    if (operand.getOperandNumber() == 1)
      if (RoomAxis axis = of(gather.getX())[gather.getAxis()];
          varies(axis) && !isSimple(axis))
        joined = axis;
  std::vector<const void *> key{joined.empty() ? nullptr : operand.getOwner(),
                                constant.getValue().getAsOpaquePointer()};
  for (Value other : others) {
    auto own = other.getDefiningOp<ConstantOp>();
    if (!own ||
        tensorType(own.getResult()).getElementType() !=
            tensorType(constant.getResult()).getElementType() ||
        tensorType(own.getResult()).getRank() !=
            tensorType(constant.getResult()).getRank()) {
      fail(operand.getOwner(), "reads other Nodes at other extents");
      return false;
    }
    key.push_back(own.getValue().getAsOpaquePointer());
  }
  Value &value = constants[key];
  if (!value) {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPoint(constant);
    value = knownConstant(constant, others, joined);
    if (!value && joined.empty())
      value = computedConstant(constant, others);
  }
  if (!value) {
    fail(operand.getOwner(), "reads a constant that depends on the extents");
    return false;
  }
  operand.set(value);
  return true;
}

//===----------------------------------------------------------------------===//
// Nodes
//===----------------------------------------------------------------------===//

/// Makes the operands of a Node those that the samples' are.
bool RoomMaker::connect(Operation *node, Others others) {
  for (Operation *other : others)
    if (other->getNumOperands() != node->getNumOperands()) {
      fail(node, "has other operands at other extents");
      return false;
    }
  for (OpOperand &operand : node->getOpOperands()) {
    SmallVector<Value> own;
    for (Operation *other : others)
      own.push_back(other->getOperand(operand.getOperandNumber()));
    Value value = operand.get();
    if (value.getDefiningOp<ConstantOp>()) {
      if (!connectConstant(operand, own))
        return false;
      continue;
    }
    if (auto get = value.getDefiningOp<GetParamOp>()) {
      // A slice of all of it is gone at the most extents.
      Value mapped = maps.front().lookup(own.front());
      for (auto [map, other] : llvm::zip_equal(maps, own)) {
        auto param = other.getDefiningOp<GetParamOp>();
        if (!(param && param.getParam() == get.getParam()) &&
            !(mapped && map.lookup(other) == mapped &&
              tensorType(mapped) == tensorType(value))) {
          fail(node, "reads other Parameters at other extents");
          return false;
        }
      }
      if (own.front().getDefiningOp<GetParamOp>()) {
        RoomShape shape;
        for (int64_t extent : tensorType(value).getShape())
          shape.push_back(fixed(extent));
        shapes[value] = std::move(shape);
      } else {
        operand.set(mapped);
      }
      continue;
    }
    Value mapped = maps.front().lookup(own.front());
    bool same = mapped && tensorType(mapped) == tensorType(value);
    for (auto [map, other] : llvm::zip_equal(maps, own))
      same &= map.lookup(other) == mapped;
    // Not the operand that it has, where a Node that changes nothing at the
    // most extents was put back.
    if (!same) {
      fail(node, "reads other Nodes at other extents");
      return false;
    }
    operand.set(mapped);
  }
  return true;
}

/// Attributes that say extents are seen to by the rules.
bool RoomMaker::sameAttributes(Operation *node, Others others) {
  if (isa<ReshapeOp, BroadcastOp, IotaOp, SliceOp, AvgPoolOp, ResizeOp>(node))
    return true;
  for (Operation *other : others)
    if (other->getAttrDictionary() != node->getAttrDictionary()) {
      fail(node, "has other attributes at other extents");
      return false;
    }
  return true;
}

bool RoomMaker::visit(Operation *node, Others others) {
  if (node->getNumRegions() > 0) {
    fail(node, "has Blocks of its own");
    return false;
  }
  if (!connect(node, others) || !sameAttributes(node, others))
    return false;
  b.setInsertionPoint(node);
  Shapes results = transfer(node, others);
  if (!results)
    return false;
  // A rule may have put another Node in the place of this one.
  Operation *now = node;
  if (replacement) {
    now = std::exchange(replacement, nullptr);
    node->getResult(0).replaceAllUsesWith(now->getResult(0));
  }
  for (auto [i, shape] : llvm::enumerate(*results)) {
    Value value = now->getResult(i);
    shapes[value] = shape;
    SmallVector<Value> own;
    for (auto [other, map] : llvm::zip_equal(others, maps)) {
      own.push_back(other->getResult(i));
      map[own.back()] = value;
    }
    if (!agree(node, value, own))
      return false;
  }
  if (now != node)
    node->erase();
  return true;
}

static bool isLeaf(Operation &node) {
  return isa<ConstantOp, GetParamOp>(node);
}

/// Constants and Parameters are looked at where they are used. What else the
/// samples have and the Graph has not is a slice that takes all of its operand
/// at the most extents.
bool RoomMaker::takeNodes() {
  SmallVector<Operation *> nodes;
  for (Operation &node : graph.getBody().front().without_terminator())
    if (!isLeaf(node))
      nodes.push_back(&node);
  SmallVector<SmallVector<Operation *>> lists(samples.size());
  for (auto [list, sample] : llvm::zip_equal(lists, samples))
    for (Operation &node :
         GraphOp(sample.graph).getBody().front().without_terminator())
      if (!isLeaf(node))
        list.push_back(&node);
  size_t i = 0;
  for (size_t k = 0; k < lists.front().size(); ++k) {
    SmallVector<Operation *> others;
    for (auto &list : lists) {
      if (k >= list.size() ||
          list[k]->getName() != lists.front()[k]->getName()) {
        fail(lists.front()[k], "is not there at other extents");
        return false;
      }
      others.push_back(list[k]);
    }
    Operation *node = i < nodes.size() ? nodes[i] : nullptr;
    bool missing =
        !node || node->getName() != others.front()->getName() ||
        (isa<SliceOp>(node) && nodes.size() - i < lists.front().size() - k &&
         isIdentityAtMost(others));
    if (missing) {
      node = putBack(others, node ? node : graph.getReturn());
      if (!node) {
        fail(others.front(), "depends on the extents");
        return false;
      }
    } else {
      ++i;
    }
    if (!visit(node, others))
      return false;
  }
  if (i != nodes.size()) {
    fail(nodes[i], "is not there at other extents");
    return false;
  }
  return true;
}

/// The Value of the Graph that a slice of the samples takes a part of.
Value RoomMaker::wholeOf(Others others) {
  Value whole;
  for (auto [other, map] : llvm::zip_equal(others, maps)) {
    auto slice = dyn_cast<SliceOp>(other);
    if (!slice)
      return {};
    Value own = map.lookup(slice.getX());
    if (auto get = slice.getX().getDefiningOp<GetParamOp>())
      own = params.lookup(get.getParam());
    if (!own || (whole && own != whole))
      return {};
    whole = own;
  }
  return whole;
}

/// Whether the slices of the samples begin at 0 and go as far as the symbols,
/// whose most extents are those of the whole.
bool RoomMaker::isIdentityAtMost(Others others) {
  Value whole = wholeOf(others);
  if (!whole)
    return false;
  for (Operation *other : others) {
    auto slice = cast<SliceOp>(other);
    if (llvm::any_of(slice.getStarts(), [](int64_t x) { return x != 0; }) ||
        llvm::any_of(slice.getSteps(), [](int64_t x) { return x != 1; }))
      return false;
  }
  for (int64_t axis = 0; axis < tensorType(whole).getRank(); ++axis) {
    SmallVector<Value> results;
    for (Operation *other : others)
      results.push_back(other->getResult(0));
    if (!axisOf(extentsAt(whole, results, axis)))
      return false;
  }
  return true;
}

Operation *RoomMaker::putBack(Others others, Operation *before) {
  if (!isIdentityAtMost(others))
    return nullptr;
  Value whole = wholeOf(others);
  RankedTensorType type = tensorType(whole);
  b.setInsertionPoint(before);
  if (auto get = whole.getDefiningOp<GetParamOp>()) {
    RoomShape shape = of(whole);
    whole = b.clone(*get)->getResult(0);
    shapes[whole] = std::move(shape);
  }
  return SliceOp::create(b, others.front()->getLoc(), whole,
                         SmallVector<int64_t>(type.getRank(), 0),
                         type.getShape(),
                         SmallVector<int64_t>(type.getRank(), 1));
}

//===----------------------------------------------------------------------===//
// Outputs
//===----------------------------------------------------------------------===//

/// Outputs get an axis for each factor, so that what is used of each comes
/// first.
bool RoomMaker::takeOutputs() {
  ReturnOp end = graph.getReturn();
  SmallVector<Operation *> others;
  for (const RoomSample &sample : samples)
    others.push_back(GraphOp(sample.graph).getReturn());
  if (!connect(end, others))
    return false;
  b.setInsertionPoint(end);
  for (OpOperand &operand : end->getOpOperands()) {
    Value value = operand.get();
    SmallVector<Value> own;
    for (Operation *other : others)
      own.push_back(other->getOperand(operand.getOperandNumber()));
    if (!agree(end, value, own))
      return false;
    RoomShape shape = of(value);
    SmallVector<int64_t> extents;
    for (const RoomAxis &axis : shape) {
      for (const RoomFactor &factor : axis)
        extents.push_back(factor.most);
      if (axis.empty())
        extents.push_back(1);
    }
    operand.set(graven::reshaped(b, end.getLoc(), value, extents));
    room.outputs.push_back(std::move(shape));
  }
  return true;
}

std::variant<Room, PartsProblem>
RoomMaker::run(ArrayRef<SmallVector<std::optional<unsigned>>> axes) {
  for (GetParamOp get : graph.getOps<GetParamOp>()) {
    params.try_emplace(get.getParam(), get.getResult());
    RoomShape shape;
    for (int64_t extent : tensorType(get.getResult()).getShape())
      shape.push_back(fixed(extent));
    shapes[get.getResult()] = std::move(shape);
  }
  if (!takeInputs(axes) || !takeNodes() || !takeOutputs())
    return *problem;
  unsigned own = graph.getFunctionType().getNumInputs();
  SmallVector<Attribute> noted;
  if (ArrayAttr attributes = graph.getArgAttrsAttr())
    llvm::append_range(noted, attributes);
  noted.resize(own + room.passed.size(), b.getDictionaryAttr({}));
  graph.updateType();
  graph.setArgAttrsAttr(b.getArrayAttr(noted));
  for (auto [i, function] : llvm::enumerate(room.passed))
    graph.setInputName(own + i, ("extent." + Twine(i) + "." +
                                 symbols[room.functions[function].symbol].name)
                                    .str());
  return std::move(room);
}

std::variant<Room, PartsProblem>
makeRoom(GraphOp graph, ArrayRef<RoomSymbol> symbols,
         ArrayRef<RoomSample> samples,
         ArrayRef<SmallVector<std::optional<unsigned>>> axes) {
  return RoomMaker(graph, symbols, samples).run(axes);
}

} // namespace graven
