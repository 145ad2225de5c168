//===- RoomMaker.cpp - giving a graph room ---------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the walk through a Graph and its samples side by side:
// what differs between them follows from the symbols, or is a problem.
//===----------------------------------------------------------------------===//

#include "passes/graph/RoomLists.h"

#include "llvm/ADT/STLExtras.h"

using namespace mlir;

namespace graven {

RoomMaker::RoomMaker(GraphOp graph, ArrayRef<RoomSymbol> symbols,
                     ArrayRef<RoomSample> samples, ArrayRef<PrefixRange> ranges)
    : graph(graph), symbols(symbols), samples(samples), ranges(ranges),
      b(graph.getContext()), maps(samples.size()), backs(samples.size()) {}

RoomMaker::~RoomMaker() {
  for (Operation *node : llvm::reverse(added))
    node->erase();
}

std::nullopt_t RoomMaker::fail(Operation *node, const Twine &reason) {
  if (!problem)
    problem = PartsProblem{
        node->getLoc(),
        ("'" + node->getName().getStringRef() + "' " + reason).str()};
  return std::nullopt;
}

bool RoomMaker::takeInputs(ArrayRef<InputAxes> axes) {
  for (unsigned s = 0; s < symbols.size(); ++s)
    functionOf(s);
  Block &block = graph.getBody().front();
  for (auto [i, argument] : llvm::enumerate(block.getArguments())) {
    RoomShape shape;
    for (auto [axis, extent] : llvm::enumerate(tensorType(argument).getShape()))
      shape.push_back(axes[i][axis]
                          ? RoomAxis{{extent, functionOf(*axes[i][axis])}}
                          : fixed(extent));
    room.inputs.push_back(shape);
    shapes[argument] = std::move(shape);
    SmallVector<Value> others;
    for (auto [sample, map, back] : llvm::zip_equal(samples, maps, backs)) {
      others.push_back(GraphOp(sample.graph).getBody().front().getArgument(i));
      map[others.back()] = {argument};
      back[argument] = others.back();
    }
    if (!agree(graph, argument, others))
      return false;
  }
  return true;
}

unsigned RoomMaker::functionOf(const SymbolicExtent &extent) {
  std::vector<int64_t> values;
  const RoomSymbol &symbol = symbols[extent.symbol];
  for (int64_t v = symbol.lowest; v <= symbol.highest; ++v)
    values.push_back(extent.scale * v + extent.offset);
  return addFunction(extent.symbol, std::move(values));
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
// Nodes
//===----------------------------------------------------------------------===//

/// What Values of the samples may be in the Graph, the latest last.
SmallVector<Value> RoomMaker::candidates(ArrayRef<Value> others) {
  SmallVector<Value> values(maps.front().lookup(others.front()));
  for (auto [map, other] : llvm::zip_equal(maps, others))
    llvm::erase_if(values, [&, &map = map, other = other](Value value) {
      return !llvm::is_contained(map.lookup(other), value);
    });
  return values;
}

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
      SmallVector<Value> values = candidates(own);
      Value mapped = values.empty() ? Value() : values.back();
      bool isSame = llvm::all_of(own, [&](Value other) {
        auto param = other.getDefiningOp<GetParamOp>();
        return param && param.getParam() == get.getParam();
      });
      if (!isSame && !(mapped && tensorType(mapped) == tensorType(value))) {
        fail(node, "reads other Parameters at other extents");
        return false;
      }
      if (isSame) {
        RoomShape shape;
        for (int64_t extent : tensorType(value).getShape())
          shape.push_back(fixed(extent));
        shapes[value] = std::move(shape);
      } else {
        operand.set(mapped);
      }
      continue;
    }
    // Not the operand that it has, where a Node that changes nothing at the
    // most extents was put back.
    SmallVector<Value> values = candidates(own);
    Value mapped = llvm::is_contained(values, value) ? value
                   : values.empty()                  ? Value()
                                                     : values.back();
    if (!mapped || tensorType(mapped) != tensorType(value)) {
      fail(node, "reads other Nodes at other extents");
      return false;
    }
    operand.set(mapped);
  }
  return true;
}

/// Attributes that say extents are seen to by the rules.
bool RoomMaker::sameAttributes(Operation *node, Others others) {
  if (isa<ReshapeOp, BroadcastOp, IotaOp, SliceOp, AvgPoolOp, ResizeOp,
          PrefixOp, TopKOp>(node))
    return true;
  for (Operation *other : others)
    if (other->getAttrDictionary() != node->getAttrDictionary()) {
      fail(node, "has other attributes at other extents");
      return false;
    }
  return true;
}

bool RoomMaker::visit(Operation *node, Others others) {
  for (auto [k, other] : llvm::enumerate(others))
    if (!hasSameBlocks(node, other, k)) {
      fail(node, "has Blocks that depend on the extents");
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
    for (auto [other, map, back] : llvm::zip_equal(others, maps, backs)) {
      own.push_back(other->getResult(i));
      map[own.back()] = {value};
      back[value] = own.back();
      // Who reads the result elsewhere may read the operand here.
      if (isPassing(other))
        map[other->getOperand(0)].push_back(value);
    }
    if (!agree(node, value, own))
      return false;
  }
  if (now != node)
    node->erase();
  return true;
}

/// What else the samples have and the Graph has not is a slice that takes all
/// of its operand at the most extents.
bool RoomMaker::takeNodes() {
  Lists lists(graph, samples);
  for (;;) {
    align(lists);
    SmallVector<Operation *> others;
    for (size_t k = 0; k < samples.size(); ++k)
      if (Operation *other = lists.sample(k))
        others.push_back(other);
    Operation *node = lists.node();
    if (others.empty() && !node)
      return true;
    if (others.empty()) {
      fail(node, "is not there at other extents");
      return false;
    }
    for (Operation *other : others)
      if (others.size() < samples.size() ||
          other->getName() != others.front()->getName()) {
        fail(other, "is not there at other extents");
        return false;
      }
    bool missing = !node || node->getName() != others.front()->getName() ||
                   (isa<SliceOp>(node) && lists.left() < lists.left(0) &&
                    isIdentityAtMost(others));
    if (missing) {
      node = putBack(others, node ? node : graph.getReturn());
      if (!node) {
        fail(others.front(), "depends on the extents");
        return false;
      }
    } else {
      ++lists.own.next;
    }
    for (auto &list : lists.others)
      ++list.next;
    if (!visit(node, others))
      return false;
  }
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

std::variant<Room, PartsProblem> RoomMaker::run(ArrayRef<InputAxes> axes) {
  for (GetParamOp get : graph.getOps<GetParamOp>()) {
    params.try_emplace(get.getParam(), get.getResult());
    RoomShape shape;
    for (int64_t extent : tensorType(get.getResult()).getShape())
      shape.push_back(fixed(extent));
    shapes[get.getResult()] = std::move(shape);
  }
  numberCounts();
  room.numSymbols = symbols.size();
  for (const RoomSymbol &symbol : symbols)
    room.lowest.push_back(symbol.lowest);
  if (!takeInputs(axes) || !takeNodes() || !takeOutputs())
    return *problem;
  giveCounts();
  unsigned own = graph.getFunctionType().getNumInputs();
  SmallVector<Attribute> noted;
  if (ArrayAttr attributes = graph.getArgAttrsAttr())
    llvm::append_range(noted, attributes);
  noted.resize(own + room.passed.size(), b.getDictionaryAttr({}));
  graph.updateType();
  graph.setArgAttrsAttr(b.getArrayAttr(noted));
  for (auto [i, function] : llvm::enumerate(room.passed))
    graph.setInputName(own + i, ("extent." + Twine(i) + "." +
                                 nameOf(room.functions[function].symbol))
                                    .str());
  return std::move(room);
}

std::variant<Room, PartsProblem> makeRoom(GraphOp graph,
                                          ArrayRef<RoomSymbol> symbols,
                                          ArrayRef<RoomSample> samples,
                                          ArrayRef<InputAxes> axes,
                                          ArrayRef<PrefixRange> ranges) {
  return RoomMaker(graph, symbols, samples, ranges).run(axes);
}

} // namespace graven
