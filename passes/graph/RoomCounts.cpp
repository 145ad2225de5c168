//===- RoomCounts.cpp - extents that data decide ---------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the symbols that a run learns from its data: prefixes,
// sums and products of extents, what follows from them in Nodes, and the output
// that tells the caller.
//===----------------------------------------------------------------------===//

#include "passes/graph/EqualValues.h"
#include "passes/graph/RoomMaker.h"

using namespace mlir;

namespace graven {

using Shapes = std::optional<SmallVector<RoomShape>>;

unsigned RoomMaker::addData(Value value, ArrayRef<int64_t> at, int64_t lowest,
                            Location loc, DataSymbol::Kind kind,
                            std::vector<unsigned> functions, int64_t rest) {
  unsigned symbol = symbols.size() + data.size();
  data.push_back({value, llvm::to_vector(at), lowest, loc, 0});
  room.data.push_back(
      {kind, llvm::to_vector(at), std::move(functions), rest, lowest});
  return data.back().function = addFunction(symbol, {});
}

static int64_t combinedValue(DataSymbol::Kind kind, int64_t x, int64_t y) {
  if (kind == DataSymbol::Least)
    return std::min(x, y);
  return kind == DataSymbol::Sum ? x + y : x * y;
}

SmallVector<int64_t>
shapeAt(const Room &room, const RoomShape &shape, ArrayRef<int64_t> extents,
        llvm::function_ref<int64_t(ArrayRef<int64_t>)> prefixAt) {
  // Symbols come after what they follow from.
  std::vector<int64_t> symbols(extents.begin(), extents.end());
  auto valueOf = [&](unsigned function) -> int64_t {
    const ExtentFunction &f = room.functions[function];
    int64_t lowest = f.symbol < room.numSymbols
                         ? room.lowest[f.symbol]
                         : room.data[f.symbol - room.numSymbols].lowest;
    int64_t place = symbols[f.symbol] - lowest;
    if (f.values.empty())
      return symbols[f.symbol];
    return place < 0 || place >= static_cast<int64_t>(f.values.size())
               ? -1
               : f.values[place];
  };
  for (const DataSymbol &symbol : room.data) {
    int64_t value = symbol.kind == DataSymbol::Prefix ? prefixAt(symbol.extents)
                                                      : symbol.rest;
    for (unsigned f : symbol.functions)
      value = combinedValue(symbol.kind, value, valueOf(f));
    symbols.push_back(value);
  }
  SmallVector<int64_t> result;
  for (const RoomAxis &axis : shape) {
    int64_t extent = 1;
    for (const RoomFactor &factor : axis)
      extent *= factor.function ? valueOf(*factor.function) : factor.most;
    result.push_back(extent);
  }
  return result;
}

/// Counts that are computed alike are one, however often the model takes them.
void RoomMaker::numberCounts() {
  EqualValues values(graph.getBody().front());
  for (PrefixOp prefix : graph.getOps<PrefixOp>())
    countNumbers[prefix] = values.of(prefix.getCount());
}

/// The operand, of which the first places are used from here on.
Shapes RoomMaker::prefixed(PrefixOp node, Others others) {
  RoomShape shape = of(node.getX());
  int64_t axis = node.getAxis(), most = node.getExtent();
  if (!isSimple(simplified(node, shape[axis])))
    return fail(node, "takes the first places of an axis that joins several");
  SmallVector<Value> results;
  for (Operation *other : others) {
    if (cast<PrefixOp>(other).getAxis() != node.getAxis())
      return fail(node, "has other attributes at other extents");
    results.push_back(other->getResult(0));
  }
  SmallVector<int64_t> at = extentsAt(node.getResult(), results, axis);
  Location loc = node.getLoc();
  auto [entry, isNew] = prefixes.try_emplace({countNumbers[node], most}, 0u);
  if (isNew) {
    int64_t lowest = 0;
    for (const PrefixRange &range : ranges)
      if (range.extents == at)
        lowest = range.lowest;
    if (llvm::any_of(at, [&](int64_t extent) { return extent < lowest; }))
      return fail(node, "has a sample below its range");
    // Whatever the count, nothing outside of the room is touched.
    Value count =
        MaxOp::create(b, loc, node.getCount(), number(loc, 0)).getResult();
    count = MinOp::create(b, loc, count, number(loc, most));
    entry->second = data.size();
    addData(count, at, lowest, loc);
  } else if (data[entry->second].at != at) {
    return fail(node, "has another extent than where its count was met before");
  }
  SmallVector<int64_t> extents(tensorType(node.getResult()).getShape());
  if (tensorType(node.getX()) == tensorType(node.getResult()))
    replacement = ReshapeOp::create(b, loc, node.getX(), extents);
  else
    replacement = SliceOp::create(
        b, loc, node.getX(), SmallVector<int64_t>(extents.size(), 0), extents,
        SmallVector<int64_t>(extents.size(), 1));
  shape[axis] = fixed(most);
  if (most > 0)
    shape[axis] = {{most, data[entry->second].function}};
  return SmallVector<RoomShape>{std::move(shape)};
}

/// What is not used is zero, so the places that are found come first whatever
/// the extents are, and lie in it as they do in the run's own tensor.
Shapes RoomMaker::found(NonzeroOp node) {
  RoomShape shape = of(node.getX());
  SmallVector<RoomFactor> factors;
  for (const RoomAxis &axis : shape)
    llvm::append_range(factors, axis);
  fillOperand(node, 0, llvm::to_vector(llvm::seq<int64_t>(shape.size())), 0);
  RoomAxis all = productOf(node, factors);
  return SmallVector<RoomShape>{{all, fixed(shape.size())}, {}};
}

//===----------------------------------------------------------------------===//
// Sums and products
//===----------------------------------------------------------------------===//

/// The sum or product of functions and a number, or the least of them, as a
/// symbol of its own.
unsigned RoomMaker::combined(Location loc, DataSymbol::Kind kind,
                             std::vector<unsigned> functions, int64_t rest,
                             int64_t least) {
  llvm::sort(functions);
  auto [entry, isNew] = combinations.try_emplace({kind, functions, rest}, 0u);
  if (!isNew)
    return entry->second;
  Value value = number(loc, rest);
  SmallVector<int64_t> at(samples.size() + 1, rest);
  for (unsigned f : functions) {
    Value own = extent(f);
    if (kind == DataSymbol::Least)
      value = MinOp::create(b, loc, value, own);
    else if (kind == DataSymbol::Sum)
      value = AddOp::create(b, loc, value, own);
    else
      value = MulOp::create(b, loc, value, own);
    for (auto [i, total] : llvm::enumerate(at))
      total = combinedValue(kind, total, this->at(f, i));
  }
  return entry->second = addData(value, at, least, loc, kind, functions, rest);
}

RoomAxis RoomMaker::sumOf(Location loc, ArrayRef<RoomAxis> parts) {
  int64_t rest = 0, most = 0, least = 0;
  std::vector<unsigned> functions;
  for (const RoomAxis &part : parts) {
    int64_t extent = part.empty() ? 1 : part.front().most;
    most += extent;
    least += lowest(part);
    if (varies(part))
      functions.push_back(*part.front().function);
    else
      rest += extent;
  }
  if (functions.empty())
    return fixed(rest);
  unsigned symbol = room.functions[functions.front()].symbol;
  bool isOne = llvm::all_of(functions, [&](unsigned f) {
    return room.functions[f].symbol == symbol;
  });
  if (isOne && highestOf(symbol) - lowestOf(symbol) <= longestRange) {
    std::vector<int64_t> values(highestOf(symbol) - lowestOf(symbol) + 1, rest);
    for (unsigned f : functions)
      for (auto [sum, value] : llvm::zip_equal(values, valuesOf(f)))
        sum += value;
    return {{most, addFunction(symbol, std::move(values))}};
  }
  unsigned own = combined(loc, DataSymbol::Sum, functions, rest, least);
  return {{most, own}};
}

/// Of extents whose used places lie side by side.
RoomAxis RoomMaker::productOf(Operation *node, ArrayRef<RoomFactor> factors) {
  int64_t rest = 1, most = 1, least = 1;
  std::vector<unsigned> functions;
  for (const RoomFactor &factor : factors) {
    most *= factor.most;
    least *= lowest({factor});
    if (factor.function)
      functions.push_back(*factor.function);
    else
      rest *= factor.most;
  }
  if (functions.empty())
    return fixed(most);
  if (functions.size() == 1 && rest == 1)
    return {{most, functions.front()}};
  unsigned symbol = room.functions[functions.front()].symbol;
  if (functions.size() == 1 &&
      highestOf(symbol) - lowestOf(symbol) <= longestRange) {
    std::vector<int64_t> values = valuesOf(functions.front());
    for (int64_t &value : values)
      value *= rest;
    return {{most, addFunction(symbol, std::move(values))}};
  }
  unsigned own =
      combined(node->getLoc(), DataSymbol::Product, functions, rest, least);
  return {{most, own}};
}

//===----------------------------------------------------------------------===//
// Functions as Nodes
//===----------------------------------------------------------------------===//

namespace {
/// (n * times + plus) / by, from `least` to `most`.
struct Line {
  int64_t times, plus, by, least, most;

  int64_t at(int64_t n) const {
    return std::clamp((n * times + plus) / by, least, most);
  }

  /// The line of which the values from `first` on are these.
  static std::optional<Line> find(ArrayRef<int64_t> values, int64_t first) {
    Line line{0, 0, 1, *llvm::min_element(values), *llvm::max_element(values)};
    std::optional<size_t> step, next;
    for (size_t i = 1; i < values.size(); ++i) {
      int64_t difference = values[i] - values[i - 1];
      if (difference <= 0)
        continue;
      if (!step) {
        step = i;
        line.times = difference;
      } else if (!next) {
        next = i;
      }
    }
    if (!step)
      return std::nullopt;
    int64_t n = first + static_cast<int64_t>(*step);
    SmallVector<Line> tried;
    line.plus = values[*step] - n * line.times;
    tried.push_back(line);
    // Between a bound and a step of a line may lie less than a whole step.
    if (next) {
      Line other = line;
      other.times = values[*next] - values[*next - 1];
      other.plus =
          values[*next] - (first + static_cast<int64_t>(*next)) * other.times;
      tried.push_back(other);
      other = line;
      other.by = static_cast<int64_t>(*next - *step);
      other.plus = values[*step] * other.by - n * other.times;
      tried.push_back(other);
    }
    for (const Line &candidate : tried)
      if (llvm::all_of(llvm::seq<size_t>(values.size()), [&](size_t i) {
            return candidate.at(first + static_cast<int64_t>(i)) == values[i];
          }))
        return candidate;
    return std::nullopt;
  }
};
} // namespace

/// A function of a symbol that data decide, where the symbol is known.
Value RoomMaker::computedExtent(unsigned function) {
  const ExtentFunction &f = room.functions[function];
  const DataValue &symbol = data[f.symbol - symbols.size()];
  if (f.values.empty())
    return symbol.value;
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointAfterValue(symbol.value);
  Location loc = symbol.loc;
  if (auto line = Line::find(f.values, symbol.lowest)) {
    Value value = symbol.value;
    if (line->times != 1)
      value = MulOp::create(b, loc, value, number(loc, line->times));
    if (line->plus != 0)
      value = AddOp::create(b, loc, value, number(loc, line->plus));
    if (line->by != 1)
      value = DivOp::create(b, loc, value, number(loc, line->by));
    value = MaxOp::create(b, loc, value, number(loc, line->least));
    return MinOp::create(b, loc, value, number(loc, line->most));
  }
  auto type = RankedTensorType::get({static_cast<int64_t>(f.values.size())},
                                    b.getI64Type());
  Value table = ConstantOp::create(
      b, loc,
      cast<ElementsAttr>(DenseElementsAttr::get(type, ArrayRef(f.values))));
  Value place = symbol.value;
  if (symbol.lowest > 0) {
    place = SubOp::create(b, loc, place, number(loc, symbol.lowest));
    place = MaxOp::create(b, loc, place, number(loc, 0));
  }
  return picked(loc, table, 0, place);
}

/// What outputs' extents follow from, and what must be checked, as one more
/// output.
void RoomMaker::giveCounts() {
  auto need = [&](unsigned function, int64_t lowest) {
    const DataValue &symbol =
        data[room.functions[function].symbol - symbols.size()];
    for (RoomCount &known : room.counts)
      if (known.function == function)
        return;
    room.counts.push_back(
        {function, lowest, at(function, samples.size()), symbol.loc});
  };
  for (const auto &[key, index] : prefixes)
    if (data[index].lowest > 0)
      need(data[index].function, data[index].lowest);
  for (const RoomShape &shape : room.outputs)
    for (const RoomAxis &axis : shape)
      for (const RoomFactor &factor : axis)
        if (factor.function && isOfData(*factor.function))
          need(*factor.function, 0);
  if (room.counts.empty())
    return;
  ReturnOp end = graph.getReturn();
  b.setInsertionPoint(end);
  SmallVector<Value> numbers;
  for (const RoomCount &count : room.counts)
    numbers.push_back(graven::reshaped(b, end.getLoc(), extent(count.function),
                                       ArrayRef<int64_t>{1}));
  Value all = ConcatOp::create(b, end.getLoc(), numbers, 0);
  end->insertOperands(end->getNumOperands(), all);
  if (ArrayAttr attributes = graph.getResAttrsAttr()) {
    SmallVector<Attribute> noted(attributes.getValue());
    noted.push_back(b.getDictionaryAttr({}));
    graph.setResAttrsAttr(b.getArrayAttr(noted));
  }
}

} // namespace graven
