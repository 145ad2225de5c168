//===- RoomExtents.cpp - extents that are values of a run ------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the extents of a Graph with room as functions of its
// symbols, and the Nodes that tell the used places of an axis from the others.
//===----------------------------------------------------------------------===//

#include "passes/graph/RoomMaker.h"

#include "llvm/ADT/APFloat.h"

using namespace mlir;

namespace graven {

//===----------------------------------------------------------------------===//
// Functions and axes
//===----------------------------------------------------------------------===//

int64_t RoomMaker::lowestOf(unsigned symbol) const {
  return symbol < symbols.size() ? symbols[symbol].lowest
                                 : data[symbol - symbols.size()].lowest;
}

int64_t RoomMaker::highestOf(unsigned symbol) const {
  return symbol < symbols.size() ? symbols[symbol].highest
                                 : data[symbol - symbols.size()].at.back();
}

std::string RoomMaker::nameOf(unsigned symbol) const {
  if (symbol < symbols.size())
    return symbols[symbol].name;
  return ("data" + Twine(symbol - symbols.size())).str();
}

int64_t RoomMaker::symbolAt(unsigned symbol, size_t i) const {
  if (symbol >= symbols.size())
    return data[symbol - symbols.size()].at[i];
  return i == samples.size() ? symbols[symbol].highest
                             : samples[i].extents[symbol];
}

/// With those of a function that is its symbol.
std::vector<int64_t> RoomMaker::valuesOf(unsigned function) const {
  const ExtentFunction &f = room.functions[function];
  std::vector<int64_t> values = f.values;
  if (values.empty())
    for (int64_t v = lowestOf(f.symbol); v <= highestOf(f.symbol); ++v)
      values.push_back(v);
  return values;
}

unsigned RoomMaker::addFunction(unsigned symbol, std::vector<int64_t> values) {
  bool isSymbol = symbol >= symbols.size();
  for (auto [i, value] : llvm::enumerate(values))
    isSymbol &= value == lowestOf(symbol) + static_cast<int64_t>(i);
  if (isSymbol)
    values.clear();
  for (auto [i, known] : llvm::enumerate(room.functions))
    if (known.symbol == symbol && known.values == values)
      return i;
  room.functions.push_back({symbol, std::move(values)});
  return room.functions.size() - 1;
}

int64_t RoomMaker::at(unsigned function, size_t i) const {
  const ExtentFunction &f = room.functions[function];
  int64_t own = symbolAt(f.symbol, i);
  return f.values.empty() ? own : f.values[own - lowestOf(f.symbol)];
}

RoomAxis RoomMaker::fixed(int64_t extent) {
  return extent == 1 ? RoomAxis() : RoomAxis{{extent, std::nullopt}};
}

bool RoomMaker::varies(const RoomAxis &axis) {
  return llvm::any_of(axis, [](const RoomFactor &factor) {
    return factor.function.has_value();
  });
}

bool RoomMaker::varies(Value value) const {
  auto shape = shapes.find(value);
  return shape != shapes.end() &&
         llvm::any_of(shape->second,
                      [](const RoomAxis &axis) { return varies(axis); });
}

RoomAxis RoomMaker::joined(ArrayRef<RoomFactor> factors) {
  RoomAxis axis;
  for (const RoomFactor &factor : factors) {
    if (factor.most == 1 && !factor.function)
      continue;
    if (!factor.function && !axis.empty() && !axis.back().function)
      axis.back().most *= factor.most;
    else
      axis.push_back(factor);
  }
  return axis;
}

/// The least number of used places.
int64_t RoomMaker::lowest(const RoomAxis &axis) const {
  int64_t result = 1;
  for (const RoomFactor &factor : axis)
    if (!factor.function)
      result *= factor.most;
    else if (const auto &f = room.functions[*factor.function]; f.values.empty())
      result *= lowestOf(f.symbol);
    else
      result *= *llvm::min_element(f.values);
  return result;
}

std::optional<RoomAxis> RoomMaker::axisOf(ArrayRef<int64_t> extents) const {
  if (llvm::all_equal(extents))
    return fixed(extents.front());
  std::optional<RoomAxis> found;
  for (unsigned f = 0; f < room.functions.size(); ++f) {
    bool fits = llvm::all_of(llvm::seq<size_t>(extents.size()),
                             [&](size_t i) { return at(f, i) == extents[i]; });
    // What the samples do not tell apart is not guessed.
    if (fits && found)
      return std::nullopt;
    if (fits)
      found = RoomAxis{{extents.back(), f}};
  }
  return found;
}

SmallVector<int64_t> RoomMaker::extentsAt(Value value, ArrayRef<Value> others,
                                          int64_t axis) const {
  SmallVector<int64_t> extents;
  for (Value other : others)
    extents.push_back(tensorType(other).getDimSize(axis));
  extents.push_back(tensorType(value).getDimSize(axis));
  return extents;
}

/// Whether there may be a table of what follows from each value of a symbol.
bool RoomMaker::hasTable(unsigned symbol) const {
  constexpr int64_t longestTable = 1 << 22;
  return highestOf(symbol) - lowestOf(symbol) <= longestTable;
}

std::optional<RoomAxis>
RoomMaker::mapped(Operation *node, const RoomAxis &axis,
                  llvm::function_ref<int64_t(int64_t)> f) {
  if (!isSimple(axis))
    return fail(node, "changes the extent of an axis that joins several");
  if (!varies(axis))
    return fixed(f(axis.empty() ? 1 : axis.front().most));
  unsigned symbol = room.functions[*axis.front().function].symbol;
  if (!hasTable(symbol))
    return fail(node, "changes an extent of up to " + Twine(highestOf(symbol)) +
                          " places");
  std::vector<int64_t> values = valuesOf(*axis.front().function);
  for (int64_t &value : values)
    value = f(value);
  int64_t most = values.back();
  if (llvm::all_equal(values))
    return fixed(most);
  for (auto [i, value] : llvm::enumerate(values))
    if (value < 0 || value > most)
      return fail(node, "has " + Twine(value) + " places where " +
                            nameOf(symbol) + " is " +
                            Twine(lowestOf(symbol) + int64_t(i)));
  return RoomAxis{{most, addFunction(symbol, std::move(values))}};
}

std::optional<RoomAxis> RoomMaker::limited(Operation *node,
                                           const RoomAxis &axis, int64_t most) {
  if (isSimple(axis) && varies(axis)) {
    unsigned function = *axis.front().function;
    if (!hasTable(room.functions[function].symbol) && isOfData(function) &&
        most < axis.front().most)
      return RoomAxis{
          {most, combined(node->getLoc(), DataSymbol::Least, {function}, most,
                          std::min(lowest(axis), most))}};
  }
  return mapped(node, axis,
                [&](int64_t extent) { return std::min(extent, most); });
}

RoomAxis RoomMaker::simplified(Operation *node, const RoomAxis &axis) {
  bool isPrefix = llvm::none_of(
      ArrayRef(axis).drop_front(axis.empty() ? 0 : 1),
      [](const RoomFactor &factor) { return factor.function.has_value(); });
  if (isSimple(axis) || !isPrefix)
    return axis;
  return productOf(node, axis);
}

bool RoomMaker::same(const RoomAxis &left, const RoomAxis &right) {
  if (left == right)
    return true;
  if (isSimple(left) == isSimple(right))
    return false;
  Operation *end = graph.getReturn();
  return simplified(end, left) == simplified(end, right);
}

bool RoomMaker::same(const RoomShape &left, const RoomShape &right) {
  return left.size() == right.size() &&
         llvm::all_of(llvm::zip_equal(left, right), [&](auto axes) {
           return same(std::get<0>(axes), std::get<1>(axes));
         });
}

//===----------------------------------------------------------------------===//
// Nodes
//===----------------------------------------------------------------------===//

Value RoomMaker::number(Location loc, int64_t value, int64_t rank) {
  auto type =
      RankedTensorType::get(SmallVector<int64_t>(rank, 1), b.getI64Type());
  return ConstantOp::create(b, loc,
                            cast<ElementsAttr>(DenseElementsAttr::get(
                                type, b.getI64IntegerAttr(value))));
}

Value RoomMaker::extent(unsigned function) {
  Value &argument = arguments[function];
  if (!argument && isOfData(function)) {
    argument = computedExtent(function);
  } else if (!argument) {
    room.passed.push_back(function);
    argument = graph.getBody().front().addArgument(
        RankedTensorType::get({}, b.getI64Type()), graph.getLoc());
  }
  return argument;
}

Value RoomMaker::count(Location loc, const RoomAxis &axis) {
  Value result;
  for (const RoomFactor &factor : axis) {
    Value own =
        factor.function ? extent(*factor.function) : number(loc, factor.most);
    result = result ? MulOp::create(b, loc, result, own).getResult() : own;
  }
  return result ? result : number(loc, 1);
}

/// A constant, an extent, the product of two, or an extent and a constant.
Value RoomMaker::scalarOf(Location loc, ArrayRef<int64_t> values) {
  if (llvm::all_equal(values))
    return number(loc, values.front());
  size_t count = room.functions.size();
  auto isAlways = [&](auto f) {
    return llvm::all_of(llvm::seq<size_t>(values.size()),
                        [&](size_t i) { return f(i) == values[i]; });
  };
  for (unsigned f = 0; f < count; ++f)
    if (isAlways([&](size_t i) { return at(f, i); }))
      return extent(f);
  for (unsigned f = 0; f < count; ++f)
    for (unsigned g = f; g < count; ++g)
      if (isAlways([&](size_t i) { return at(f, i) * at(g, i); }))
        return MulOp::create(b, loc, extent(f), extent(g));
  for (unsigned f = 0; f < count; ++f) {
    int64_t more = values.back() - at(f, samples.size());
    if (isAlways([&](size_t i) { return at(f, i) + more; }))
      return AddOp::create(b, loc, extent(f), number(loc, more));
  }
  return {};
}

Value RoomMaker::places(Location loc, int64_t extent, int64_t axis,
                        int64_t rank) {
  SmallVector<int64_t> shape(rank, 1);
  shape[axis] = extent;
  return IotaOp::create(b, loc, shape, axis, b.getI64Type());
}

Value RoomMaker::inUse(Location loc, Value value, ArrayRef<int64_t> axes) {
  RoomShape shape = of(value);
  int64_t rank = shape.size();
  Value result;
  for (int64_t axis : axes) {
    int64_t inner = tensorType(value).getDimSize(axis);
    Value all = places(loc, inner, axis, rank);
    for (auto [i, factor] : llvm::enumerate(shape[axis])) {
      inner /= factor.most;
      if (!factor.function)
        continue;
      Value place = all;
      if (inner > 1)
        place = DivOp::create(b, loc, place, number(loc, inner));
      if (i > 0)
        place = RemOp::create(b, loc, place, number(loc, factor.most));
      Value used = CompareOp::create(b, loc, place, extent(*factor.function),
                                     ComparePredicate::Lt);
      result = result ? AndOp::create(b, loc, result, used).getResult() : used;
    }
  }
  return result;
}

Value RoomMaker::filled(Operation *node, Value value, ArrayRef<int64_t> axes,
                        Attribute fill) {
  Location loc = node->getLoc();
  Value used = inUse(loc, value, axes);
  if (!used)
    return value;
  RankedTensorType type = tensorType(value);
  Value rest = ConstantOp::create(
      b, loc,
      cast<ElementsAttr>(DenseElementsAttr::get(
          RankedTensorType::get(SmallVector<int64_t>(type.getRank(), 1),
                                type.getElementType()),
          fill)));
  Value result = SelectOp::create(b, loc, used, value, rest);
  RoomShape shape = of(value);
  shapes[result] = std::move(shape);
  return result;
}

static Attribute numberOf(Type element, double value) {
  if (isa<FloatType>(element))
    return FloatAttr::get(element, value);
  return IntegerAttr::get(element, static_cast<int64_t>(value));
}

Value RoomMaker::filled(Operation *node, Value value, ArrayRef<int64_t> axes,
                        double fill) {
  return filled(node, value, axes,
                numberOf(tensorType(value).getElementType(), fill));
}

void RoomMaker::fillOperand(Operation *node, unsigned operand,
                            ArrayRef<int64_t> axes, double fill) {
  node->setOperand(operand,
                   filled(node, node->getOperand(operand), axes, fill));
}

Attribute RoomMaker::extreme(Type element, bool greatest) {
  if (auto type = dyn_cast<FloatType>(element))
    return FloatAttr::get(type,
                          APFloat::getInf(type.getFloatSemantics(), !greatest));
  unsigned width = element.getIntOrFloatBitWidth();
  bool isUnsigned = width == 1 || element.isUnsignedInteger();
  return IntegerAttr::get(
      element, greatest ? (isUnsigned ? APInt::getMaxValue(width)
                                      : APInt::getSignedMaxValue(width))
                        : (isUnsigned ? APInt::getMinValue(width)
                                      : APInt::getSignedMinValue(width)));
}

Value RoomMaker::picked(Location loc, Value value, int64_t axis,
                        Value indices) {
  return GatherOp::create(b, loc, value, indices, axis, /*nonneg=*/true);
}

/// At most count - 1, and never negative.
Value RoomMaker::clampedPlaces(Location loc, Value places, Value count) {
  Value last = SubOp::create(b, loc, count, number(loc, 1));
  Value low = MinOp::create(b, loc, places, last);
  return MaxOp::create(b, loc, low, number(loc, 0));
}

} // namespace graven
