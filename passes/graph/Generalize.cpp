//===- Generalize.cpp - one graph for all extents ---------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the walk over a model at several extents, side by side,
// which makes one Graph of them. Constants are compared where they are read,
// because the samples may share other ones.
//===----------------------------------------------------------------------===//

#include "passes/graph/Generalize.h"

#include "mlir/IR/Verifier.h"
#include "passes/graph/ExtentFormulas.h"
#include "passes/graph/GraphUtils.h"
#include "passes/graph/PadByConcat.h"
#include "passes/graph/Resampling.h"
#include "llvm/ADT/TypeSwitch.h"

#include <cmath>

using namespace mlir;

namespace graven {

namespace {

class Generalizer {
public:
  Generalizer(GraphOp graph, ArrayRef<GraphOp> samples)
      : graph(graph), samples(samples), b(graph.getContext()),
        otherNumbers(samples.size()) {}

  std::optional<PartsProblem> run();

private:
  using Others = ArrayRef<Operation *>;
  /// Of an attribute: the Graph's, and the samples'.
  using Lists = ArrayRef<SmallVector<int64_t>>;

  bool fail(Operation *node, const Twine &reason);
  bool takeBlock(Block &own, ArrayRef<Block *> others);
  bool takeNode(Operation *node, Others others);
  bool takeRegions(Operation *node, Others others);
  bool take(Operation *node, Value own, ArrayRef<Value> others);
  bool connect(Operation *node, Others others);
  bool connectConstant(OpOperand &operand, ArrayRef<Value> others);
  Value sameEverywhere(Location loc, DenseElementsAttr own,
                       ArrayRef<DenseElementsAttr> others);
  Value counting(Location loc, DenseElementsAttr own,
                 ArrayRef<DenseElementsAttr> others);
  Value listed(Location loc, DenseElementsAttr own,
               ArrayRef<DenseElementsAttr> others);
  bool sameAttributes(Operation *node, Others others);
  bool takeAttributes(Operation *node, Others others);
  bool takeShape(ReshapeOp node, Others others);
  template <class Op> bool takeShape(Op node, Others others);
  bool takeBounds(SliceOp node, Others others);
  bool takePlace(InsertSliceOp node, Others others);
  bool takeSizes(ResizeOp node, Others others);
  static bool differs(ResizeOp node, Others others);
  bool takeAmounts(PadOp node, Others others);
  Operation *padded(PadOp node, Others others);
  Operation *gathered(ResizeOp node, Others others);
  /// One of a list's entries, at each sample: `known` may give it as a number
  /// or as a Value.
  using Known = llvm::function_ref<std::variant<std::monostate, int64_t, Value>(
      size_t entry, ArrayRef<int64_t> tuple)>;
  bool mixed(Operation *node, Lists lists, ValueRange before, Known known,
             SmallVector<int64_t> &entries, SmallVector<Value> &operands);
  /// The extent of x along an axis at the Graph and each sample.
  Tuple extentOf(Value own, ArrayRef<Value> others, int64_t axis);
  static SmallVector<Value> operandsAt(Others others, unsigned operand) {
    SmallVector<Value> values;
    for (Operation *other : others)
      values.push_back(other->getOperand(operand));
    return values;
  }
  template <class Op, class Get>
  static SmallVector<SmallVector<int64_t>> listsOf(Op own, Others others,
                                                   Get get) {
    SmallVector<SmallVector<int64_t>> lists{SmallVector<int64_t>(get(own))};
    for (Operation *other : others)
      lists.emplace_back(get(cast<Op>(other)));
    return lists;
  }
  void nameOutputs();

  GraphOp graph;
  ArrayRef<GraphOp> samples;
  OpBuilder b;
  std::optional<PartsProblem> problem;
  ExtentFormulas formulas;
  /// Equal Values of the Graph and of each sample have equal numbers.
  llvm::DenseMap<Value, unsigned> numbers;
  std::vector<llvm::DenseMap<Value, unsigned>> otherNumbers;
  unsigned nextNumber = 1;
  /// Extents at the samples, as the Graph's types said them before.
  llvm::DenseMap<Value, SmallVector<int64_t>> shapes;
  SmallVector<std::pair<Tuple, StringAttr>> symbols;
};

} // namespace

bool Generalizer::fail(Operation *node, const Twine &reason) {
  if (!problem)
    problem = {node->getLoc(),
               (node->getName().getStringRef() + " " + reason).str()};
  return false;
}

Tuple Generalizer::extentOf(Value own, ArrayRef<Value> others, int64_t axis) {
  auto known = shapes.find(own);
  Tuple tuple{known == shapes.end() ? tensorType(own).getDimSize(axis)
                                    : known->second[axis]};
  for (Value other : others)
    tuple.push_back(tensorType(other).getDimSize(axis));
  return tuple;
}

/// Gives a Value that all have the extents that they share.
bool Generalizer::take(Operation *node, Value own, ArrayRef<Value> others) {
  RankedTensorType type = tensorType(own);
  shapes[own] = SmallVector<int64_t>(type.getShape());
  numbers[own] = nextNumber;
  for (auto [known, other] : llvm::zip_equal(otherNumbers, others)) {
    known[other] = nextNumber;
    if (tensorType(other).getRank() != type.getRank() ||
        tensorType(other).getElementType() != type.getElementType())
      return fail(node, "gives other types at other extents");
  }
  ++nextNumber;
  SmallVector<int64_t> shape(type.getShape());
  for (int64_t axis = 0; axis < type.getRank(); ++axis) {
    Tuple tuple = extentOf(own, others, axis);
    if (!varies(tuple))
      continue;
    shape[axis] = ShapedType::kDynamic;
    formulas.add(tuple, own, axis);
  }
  own.setType(RankedTensorType::get(shape, type.getElementType()));
  return true;
}

//===----------------------------------------------------------------------===//
// Operands
//===----------------------------------------------------------------------===//

bool Generalizer::connect(Operation *node, Others others) {
  for (Operation *other : others)
    if (other->getNumOperands() != node->getNumOperands())
      return fail(node, "has other operands at other extents");
  for (OpOperand &operand : node->getOpOperands()) {
    SmallVector<Value> values = operandsAt(others, operand.getOperandNumber());
    if (operand.get().getDefiningOp<ConstantOp>()) {
      if (!connectConstant(operand, values))
        return false;
      continue;
    }
    unsigned number = numbers.lookup(operand.get());
    for (auto [known, value] : llvm::zip_equal(otherNumbers, values))
      if (known.lookup(value) != number)
        return fail(node, "reads other Nodes at other extents");
  }
  return true;
}

/// Equal elements under a shape that follows from extents.
Value Generalizer::sameEverywhere(Location loc, DenseElementsAttr own,
                                  ArrayRef<DenseElementsAttr> others) {
  auto isSplat = [](DenseElementsAttr elements) {
    return elements.isSplat() || elements.getNumElements() == 0;
  };
  if (!isSplat(own) || !llvm::all_of(others, isSplat) ||
      own.getNumElements() == 0)
    return {};
  Type element = own.getElementType();
  auto one = own.getSplatValue<Attribute>();
  bool isOne = true;
  SmallVector<double> numbers{eval::Tensor::fromElements(own).getDouble(0)};
  for (DenseElementsAttr other : others) {
    if (other.getNumElements() == 0)
      return {};
    isOne &= other.getSplatValue<Attribute>() == one;
    numbers.push_back(eval::Tensor::fromElements(other).getDouble(0));
  }
  Value value;
  if (isOne)
    value = ConstantOp::create(
        b, loc,
        DenseElementsAttr::get(RankedTensorType::get({}, element), one));
  else
    value =
        followingNumber(b, loc, element, numbers, [&](ArrayRef<int64_t> whole) {
          return formulas.find(b, loc, whole);
        });
  if (!value || own.getType().getRank() == 0)
    return value;
  SmallVector<int64_t> shape;
  SmallVector<Value> dynamic;
  for (int64_t axis = 0; axis < own.getType().getRank(); ++axis) {
    Tuple tuple{own.getType().getDimSize(axis)};
    for (DenseElementsAttr other : others)
      tuple.push_back(other.getType().getDimSize(axis));
    shape.push_back(varies(tuple) ? ShapedType::kDynamic : tuple.front());
    if (!varies(tuple))
      continue;
    dynamic.push_back(formulas.find(b, loc, tuple));
    if (!dynamic.back())
      return {};
  }
  return BroadcastOp::create(b, loc, RankedTensorType::get(shape, element),
                             value, dynamic, shape, ArrayRef<int64_t>{});
}

/// start, start + step, ... along the one axis whose extent differs.
Value Generalizer::counting(Location loc, DenseElementsAttr own,
                            ArrayRef<DenseElementsAttr> others) {
  RankedTensorType type = cast<RankedTensorType>(own.getType());
  Type element = type.getElementType();
  if (element.isInteger(1))
    return {};
  SmallVector<DenseElementsAttr> all{own};
  llvm::append_range(all, others);
  std::optional<int64_t> along;
  Tuple extents;
  for (int64_t axis = 0; axis < type.getRank(); ++axis) {
    Tuple tuple;
    for (DenseElementsAttr one : all)
      tuple.push_back(one.getType().getDimSize(axis));
    if (!varies(tuple) && tuple.front() == 1)
      continue;
    if (along)
      return {};
    along = axis;
    extents = tuple;
  }
  if (!along)
    return {};
  eval::Tensor first = eval::Tensor::fromElements(own);
  if (first.size() < 2)
    return {};
  double start = first.getDouble(0), step = first.getDouble(1) - start;
  for (DenseElementsAttr one : all) {
    eval::Tensor tensor = eval::Tensor::fromElements(one);
    for (int64_t i = 0; i < tensor.size(); ++i)
      if (tensor.getDouble(i) != start + step * i)
        return {};
  }
  Value count = formulas.find(b, loc, extents);
  if (!count)
    return {};
  SmallVector<int64_t> shape(type.getRank(), 1);
  shape[*along] = ShapedType::kDynamic;
  Value value = IotaOp::create(b, loc, RankedTensorType::get(shape, element),
                               ValueRange{count}, shape, *along, element);
  if (step != 1)
    value =
        MulOp::create(b, loc, value, scalarConstant(b, loc, element, step, 0));
  if (start != 0)
    value =
        AddOp::create(b, loc, value, scalarConstant(b, loc, element, start, 0));
  return value;
}

/// A few ints, some of which follow from extents: a shape as a tensor.
Value Generalizer::listed(Location loc, DenseElementsAttr own,
                          ArrayRef<DenseElementsAttr> others) {
  constexpr int64_t most = 64;
  auto type = cast<RankedTensorType>(own.getType());
  if (!type.getElementType().isSignlessInteger() ||
      type.getElementType().isInteger(1) || type.getNumElements() > most ||
      type.getNumElements() == 0)
    return {};
  std::vector<eval::Tensor> all{eval::Tensor::fromElements(own)};
  for (DenseElementsAttr other : others) {
    if (other.getType() != type)
      return {};
    all.push_back(eval::Tensor::fromElements(other));
  }
  SmallVector<Value> parts;
  for (int64_t i = 0; i < type.getNumElements(); ++i) {
    Tuple tuple;
    for (const eval::Tensor &tensor : all)
      tuple.push_back(tensor.getInt(i));
    Value part = formulas.find(b, loc, tuple);
    if (!part)
      return {};
    part = converted(b, loc, part, type.getElementType());
    parts.push_back(ReshapeOp::create(b, loc, part, ArrayRef<int64_t>{1}));
  }
  Value list = ConcatOp::create(b, loc, parts, 0);
  return reshaped(b, loc, list, type.getShape());
}

bool Generalizer::connectConstant(OpOperand &operand, ArrayRef<Value> others) {
  Operation *node = operand.getOwner();
  auto constant = operand.get().getDefiningOp<ConstantOp>();
  auto own = dyn_cast<DenseElementsAttr>(constant.getValue());
  SmallVector<DenseElementsAttr> values;
  bool differs = false;
  for (Value other : others) {
    auto one = other.getDefiningOp<ConstantOp>();
    if (!one)
      return fail(node, "reads other Nodes at other extents");
    differs |= one.getValue() != constant.getValue();
    auto elements = dyn_cast<DenseElementsAttr>(one.getValue());
    if (!differs)
      continue;
    if (!own || !elements ||
        elements.getElementType() != own.getElementType() ||
        elements.getType().getRank() != own.getType().getRank())
      return fail(node, "reads other constants at other extents");
  }
  if (!differs)
    return true;
  for (Value other : others)
    values.push_back(
        cast<DenseElementsAttr>(other.getDefiningOp<ConstantOp>().getValue()));
  b.setInsertionPoint(node);
  Value value = sameEverywhere(node->getLoc(), own, values);
  if (!value)
    value = counting(node->getLoc(), own, values);
  if (!value)
    value = listed(node->getLoc(), own, values);
  if (!value)
    return fail(node, "reads a constant that depends on the extents");
  shapes[value] = SmallVector<int64_t>(own.getType().getShape());
  operand.set(value);
  return true;
}

//===----------------------------------------------------------------------===//
// Attributes
//===----------------------------------------------------------------------===//

/// The attributes that may differ, because they say extents.
static ArrayRef<StringRef> extentAttributes(Operation *node) {
  static constexpr StringRef shape[] = {"shape"}, bounds[] = {"starts", "ends"},
                             starts[] = {"starts"}, extent[] = {"extent"},
                             sizes[] = {"sizes", "scales"},
                             amounts[] = {"low", "high"};
  return llvm::TypeSwitch<Operation *, ArrayRef<StringRef>>(node)
      .Case<ReshapeOp, BroadcastOp, IotaOp>(
          [](auto) { return ArrayRef<StringRef>(shape); })
      .Case<SliceOp>([](auto) { return ArrayRef<StringRef>(bounds); })
      .Case<InsertSliceOp>([](auto) { return ArrayRef<StringRef>(starts); })
      .Case<PrefixOp>([](auto) { return ArrayRef<StringRef>(extent); })
      .Case<ResizeOp>([](auto) { return ArrayRef<StringRef>(sizes); })
      .Case<PadOp>([](auto) { return ArrayRef<StringRef>(amounts); })
      .Default(ArrayRef<StringRef>());
}

bool Generalizer::sameAttributes(Operation *node, Others others) {
  ArrayRef<StringRef> free = extentAttributes(node);
  auto rest = [&](Operation *one) {
    SmallVector<NamedAttribute> attributes;
    for (NamedAttribute attribute : one->getAttrDictionary())
      if (!llvm::is_contained(free, attribute.getName().strref()))
        attributes.push_back(attribute);
    return DictionaryAttr::get(one->getContext(), attributes);
  };
  DictionaryAttr own = rest(node);
  for (Operation *other : others)
    if (rest(other) != own)
      return fail(node, "has other attributes at other extents");
  return true;
}

bool Generalizer::mixed(Operation *node, Lists lists, ValueRange before,
                        Known known, SmallVector<int64_t> &entries,
                        SmallVector<Value> &operands) {
  for (const SmallVector<int64_t> &list : lists)
    if (list.size() != lists.front().size())
      return fail(node, "has other ranks at other extents");
  b.setInsertionPoint(node);
  for (size_t i = 0; i < lists.front().size(); ++i) {
    Tuple tuple;
    for (const SmallVector<int64_t> &list : lists)
      tuple.push_back(list[i]);
    if (!varies(tuple)) {
      entries.push_back(tuple.front());
      if (ShapedType::isDynamic(tuple.front())) {
        operands.push_back(before.front());
        before = before.drop_front();
      }
      continue;
    }
    if (llvm::any_of(tuple, ShapedType::isDynamic))
      return fail(node, "has an extent that is only known at some extents");
    auto entry = known(i, tuple);
    if (auto *number = std::get_if<int64_t>(&entry)) {
      entries.push_back(*number);
      continue;
    }
    auto *value = std::get_if<Value>(&entry);
    operands.push_back(value ? *value
                             : formulas.find(b, node->getLoc(), tuple));
    entries.push_back(ShapedType::kDynamic);
    if (!operands.back())
      return fail(node, "has an extent that follows from no others in a way "
                        "that is known");
  }
  return true;
}

/// An extent that x has at the same place is x's, one other is what is left.
bool Generalizer::takeShape(ReshapeOp node, Others others) {
  auto lists =
      listsOf(node, others, [](ReshapeOp op) { return op.getShape(); });
  SmallVector<int64_t> entries;
  SmallVector<Value> operands;
  Value x = node.getX();
  SmallVector<Value> otherX = operandsAt(others, 0);
  bool isFree = !llvm::is_contained(lists.front(), -1) &&
                !llvm::is_contained(lists.front(), 0);
  auto known = [&](size_t i, ArrayRef<int64_t> tuple)
      -> std::variant<std::monostate, int64_t, Value> {
    if (static_cast<int64_t>(i) < tensorType(x).getRank() &&
        ArrayRef<int64_t>(extentOf(x, otherX, i)) == tuple)
      return DimOp::create(b, node.getLoc(), x, i).getResult();
    if (std::exchange(isFree, false))
      return int64_t(-1);
    return std::monostate();
  };
  if (!mixed(node, lists, node.getDynamicShape(), known, entries, operands))
    return false;
  node.getDynamicShapeMutable().assign(operands);
  node.setShape(entries);
  return true;
}

static std::variant<std::monostate, int64_t, Value>
nothingKnown(size_t, ArrayRef<int64_t>) {
  return std::monostate();
}

template <class Op> bool Generalizer::takeShape(Op node, Others others) {
  SmallVector<int64_t> entries;
  SmallVector<Value> operands;
  auto lists = listsOf(node, others, [](Op op) { return op.getShape(); });
  if (!mixed(node, lists, node.getDynamicShape(), nothingKnown, entries,
             operands))
    return false;
  node.getDynamicShapeMutable().assign(operands);
  node.setShape(entries);
  return true;
}

bool Generalizer::takeBounds(SliceOp node, Others others) {
  SmallVector<int64_t> starts, ends;
  SmallVector<Value> dynamicStarts, dynamicEnds;
  Value x = node.getX();
  SmallVector<Value> otherX = operandsAt(others, 0);
  // All that there is, whatever that is.
  auto open = [&](size_t i, ArrayRef<int64_t> tuple)
      -> std::variant<std::monostate, int64_t, Value> {
    if (ArrayRef<int64_t>(extentOf(x, otherX, i)) == tuple)
      return std::numeric_limits<int64_t>::max();
    return std::monostate();
  };
  auto from = listsOf(node, others, [](SliceOp op) { return op.getStarts(); });
  auto to = listsOf(node, others, [](SliceOp op) { return op.getEnds(); });
  if (!mixed(node, from, node.getDynamicStarts(), nothingKnown, starts,
             dynamicStarts) ||
      !mixed(node, to, node.getDynamicEnds(), open, ends, dynamicEnds))
    return false;
  node.getDynamicStartsMutable().assign(dynamicStarts);
  node.getDynamicEndsMutable().assign(dynamicEnds);
  node.setStarts(starts);
  node.setEnds(ends);
  return true;
}

bool Generalizer::takePlace(InsertSliceOp node, Others others) {
  SmallVector<int64_t> starts;
  SmallVector<Value> operands;
  auto lists =
      listsOf(node, others, [](InsertSliceOp op) { return op.getStarts(); });
  if (!mixed(node, lists, node.getDynamicStarts(), nothingKnown, starts,
             operands))
    return false;
  node.getDynamicStartsMutable().assign(operands);
  node.setStarts(starts);
  return true;
}

/// The scale that gives these sizes of the extents at all samples, as C5 of
/// resize has it: one of the Nodes' own, or a whole number.
static std::optional<double> scaleOf(ArrayRef<int64_t> extents,
                                     ArrayRef<int64_t> sizes,
                                     std::optional<double> given) {
  if (extents.front() == 0)
    return std::nullopt;
  double scale = given.value_or(static_cast<double>(sizes.front()) /
                                static_cast<double>(extents.front()));
  if (!given && scale != std::floor(scale))
    return std::nullopt;
  for (auto [extent, size] : llvm::zip_equal(extents, sizes))
    if (static_cast<int64_t>(std::floor(static_cast<float>(extent) *
                                        static_cast<float>(scale))) != size)
      return std::nullopt;
  return scale;
}

/// Sizes that scales give, where they differ; others are left for `gathered`.
/// Importers leave scales out where the ratio of the extents says the same.
bool Generalizer::takeSizes(ResizeOp node, Others others) {
  SmallVector<ResizeOp> all{node};
  for (Operation *other : others)
    all.push_back(cast<ResizeOp>(other));
  DenseF64ArrayAttr given;
  for (ResizeOp op : all) {
    DenseF64ArrayAttr own = op.getScalesAttr();
    if (own && given && own != given)
      return fail(node, "has other scales at other extents");
    if (!given)
      given = own;
  }
  if (!differs(node, others))
    return true;
  SmallVector<Value> values = operandsAt(others, 0);
  SmallVector<int64_t> entries;
  SmallVector<double> scales;
  for (auto [n, axis] : llvm::enumerate(node.getAxes())) {
    Tuple sizes;
    for (ResizeOp op : all)
      sizes.push_back(op.getSizes()[n]);
    // What another Value has may be meant, and be no multiple elsewhere.
    if (!given && varies(sizes) && formulas.has(sizes))
      return true;
    auto scale = scaleOf(extentOf(node.getX(), values, axis), sizes,
                         given ? std::optional(given[n]) : std::nullopt);
    if (!scale)
      return !given || fail(node, "has sizes that its scales do not give");
    scales.push_back(*scale);
    entries.push_back(varies(sizes) ? ShapedType::kDynamic : sizes.front());
  }
  node.setScales(scales);
  node.setSizes(entries);
  return true;
}

/// Whether sizes or scales are others somewhere.
bool Generalizer::differs(ResizeOp node, Others others) {
  return llvm::any_of(others, [&](Operation *other) {
    auto own = cast<ResizeOp>(other);
    return own.getSizes() != node.getSizes() ||
           own.getScalesAttr() != node.getScalesAttr();
  });
}

/// Where no scale gives the sizes, they are computed, and what the taps read is
/// gathered. Null after a problem.
Operation *Generalizer::gathered(ResizeOp node, Others others) {
  b.setInsertionPoint(node);
  Value value = node.getX();
  for (size_t n = 0; n < node.getAxes().size(); ++n) {
    Tuple sizes{node.getSizes()[n]};
    for (Operation *other : others)
      sizes.push_back(cast<ResizeOp>(other).getSizes()[n]);
    Value size = formulas.find(b, node.getLoc(), sizes);
    if (size)
      value = resampled(b, node, value, n, size);
    if (!size || !value) {
      fail(node, "resizes to extents that do not follow from the inputs' in a "
                 "way that is known");
      return nullptr;
    }
  }
  value.setType(node.getType());
  node.replaceAllUsesWith(value);
  node.erase();
  return value.getDefiningOp();
}

/// Amounts that differ are left for `padded`, if it can.
bool Generalizer::takeAmounts(PadOp node, Others others) {
  auto reason = whyNotByConcat(node, others);
  return !reason || fail(node, *reason);
}

/// Null after a problem.
Operation *Generalizer::padded(PadOp node, Others others) {
  b.setInsertionPoint(node);
  Value value = padByConcat(b, node, others, [&](ArrayRef<int64_t> amounts) {
    return formulas.find(b, node.getLoc(), amounts);
  });
  if (!value) {
    fail(node, "adds numbers of elements that do not follow from the extents "
               "in a way that is known");
    return nullptr;
  }
  Operation *last = value.getDefiningOp();
  node.replaceAllUsesWith(value);
  node.erase();
  return last;
}

bool Generalizer::takeAttributes(Operation *node, Others others) {
  return llvm::TypeSwitch<Operation *, bool>(node)
      .Case<ReshapeOp, BroadcastOp, IotaOp>(
          [&](auto op) { return takeShape(op, others); })
      .Case<SliceOp>([&](auto op) { return takeBounds(op, others); })
      .Case<InsertSliceOp>([&](auto op) { return takePlace(op, others); })
      .Case<ResizeOp>([&](auto op) { return takeSizes(op, others); })
      .Case<PadOp>([&](auto op) { return takeAmounts(op, others); })
      .Default(true);
}

//===----------------------------------------------------------------------===//
// The walk
//===----------------------------------------------------------------------===//

/// The slice that a prefix is when its count is known.
static Operation *asSlice(OpBuilder &b, PrefixOp node) {
  RankedTensorType type = tensorType(node.getX());
  SmallVector<int64_t> starts(type.getRank(), 0), steps(type.getRank(), 1),
      ends(type.getRank(), std::numeric_limits<int64_t>::max());
  ends[node.getAxis()] = ShapedType::kDynamic;
  b.setInsertionPoint(node);
  auto slice = SliceOp::create(b, node.getLoc(), node.getType(), node.getX(),
                               ValueRange{}, ValueRange{node.getCount()},
                               starts, ends, steps);
  node.replaceAllUsesWith(slice.getResult());
  node.erase();
  return slice;
}

bool Generalizer::takeNode(Operation *node, Others others) {
  for (Operation *other : others)
    if (other->getName() != node->getName() ||
        other->getNumResults() != node->getNumResults() ||
        other->getNumRegions() != node->getNumRegions())
      return fail(node, "is another Node at other extents");
  if (!connect(node, others) || !sameAttributes(node, others) ||
      !takeAttributes(node, others) || !takeRegions(node, others))
    return false;
  auto prefix = dyn_cast<PrefixOp>(node);
  Operation *now = prefix ? asSlice(b, prefix) : node;
  auto resize = dyn_cast<ResizeOp>(node);
  if (resize && !llvm::any_of(resize.getSizes(), ShapedType::isDynamic) &&
      differs(resize, others))
    now = gathered(resize, others);
  auto pad = dyn_cast<PadOp>(node);
  if (pad && hasOtherAmounts(pad, others))
    now = padded(pad, others);
  if (!now)
    return false;
  for (unsigned i = 0; i < now->getNumResults(); ++i) {
    SmallVector<Value> values;
    for (Operation *other : others)
      values.push_back(other->getResult(i));
    if (!take(now, now->getResult(i), values))
      return false;
  }
  return true;
}

bool Generalizer::takeRegions(Operation *node, Others others) {
  for (unsigned i = 0; i < node->getNumRegions(); ++i) {
    SmallVector<Block *> blocks;
    for (Operation *other : others)
      blocks.push_back(&other->getRegion(i).front());
    if (!takeBlock(node->getRegion(i).front(), blocks))
      return false;
  }
  return true;
}

bool Generalizer::takeBlock(Block &own, ArrayRef<Block *> others) {
  ExtentFormulas::Scope scope(formulas);
  Operation *parent = own.getParentOp();
  for (Block *other : others)
    if (other->getNumArguments() != own.getNumArguments())
      return fail(parent, "has other inputs at other extents");
  for (unsigned i = 0; i < own.getNumArguments(); ++i) {
    SmallVector<Value> values;
    for (Block *other : others)
      values.push_back(other->getArgument(i));
    if (!take(parent, own.getArgument(i), values))
      return false;
    if (parent != graph)
      continue;
    auto names = graph.getArgAttrOfType<ArrayAttr>(i, "graven.symbols");
    for (size_t axis = 0; names && axis < names.size(); ++axis)
      symbols.push_back({extentOf(own.getArgument(i), values, axis),
                         cast<StringAttr>(names[axis])});
  }
  auto listOf = [](Block &block) {
    SmallVector<Operation *> nodes;
    for (Operation &node : block)
      if (!isa<ConstantOp>(node))
        nodes.push_back(&node);
    return nodes;
  };
  SmallVector<Operation *> nodes = listOf(own);
  SmallVector<SmallVector<Operation *>> lists;
  for (Block *other : others)
    lists.push_back(listOf(*other));
  for (auto [i, node] : llvm::enumerate(nodes)) {
    SmallVector<Operation *> at;
    for (const SmallVector<Operation *> &list : lists) {
      if (i >= list.size())
        return fail(node, "is not there at other extents");
      at.push_back(list[i]);
    }
    if (!takeNode(node, at))
      return false;
  }
  return true;
}

/// Outputs say the names of the inputs' extents that they have.
void Generalizer::nameOutputs() {
  for (auto [i, value] : llvm::enumerate(graph.getReturn()->getOperands())) {
    SmallVector<Value> others;
    for (GraphOp sample : samples)
      others.push_back(
          const_cast<GraphOp &>(sample).getReturn()->getOperand(i));
    SmallVector<StringRef> names(tensorType(value).getRank());
    bool isNamed = false;
    for (auto [axis, name] : llvm::enumerate(names)) {
      Tuple tuple = extentOf(value, others, axis);
      for (const auto &[known, symbol] : symbols)
        if (varies(tuple) && known == tuple && name.empty())
          name = symbol.getValue();
      isNamed |= !name.empty();
    }
    if (isNamed)
      graph.setResultAttr(i, "graven.symbols", b.getStrArrayAttr(names));
  }
}

std::optional<PartsProblem> Generalizer::run() {
  SmallVector<Block *> blocks;
  for (GraphOp sample : samples)
    blocks.push_back(&sample.getBody().front());
  if (!takeBlock(graph.getBody().front(), blocks))
    return problem;
  graph.updateType();
  nameOutputs();
  ScopedDiagnosticHandler quiet(graph.getContext(), [&](Diagnostic &error) {
    if (!problem)
      problem = {error.getLocation(), error.str()};
    return success();
  });
  (void)verify(graph);
  return problem;
}

std::optional<PartsProblem> generalize(GraphOp graph,
                                       ArrayRef<GraphOp> samples) {
  return Generalizer(graph, samples).run();
}

} // namespace graven
