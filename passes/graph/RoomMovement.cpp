//===- RoomMovement.cpp - moving elements in their room --------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the rules for Nodes that move elements. Where what is
// used would no longer come first, elements are picked by computed places.
//===----------------------------------------------------------------------===//

#include "passes/graph/RoomMaker.h"

using namespace mlir;

namespace graven {

using Shapes = std::optional<SmallVector<RoomShape>>;
using Axis = std::optional<RoomAxis>;

static Shapes just(RoomShape shape) {
  return SmallVector<RoomShape>{std::move(shape)};
}

/// What is left of an extent that a factor without places made 0.
static constexpr int64_t anything = -1;

/// The factors of all axes, in order, fall into the axes of the result.
Shapes RoomMaker::reshaped(ReshapeOp node, Others others) {
  SmallVector<RoomFactor> factors;
  for (const RoomAxis &axis : of(node.getX()))
    llvm::append_range(factors, axis);
  SmallVector<Value> results;
  for (Operation *other : others)
    results.push_back(other->getResult(0));
  RoomShape shape;
  size_t next = 0;
  for (int64_t axis = 0; axis < tensorType(node.getResult()).getRank();
       ++axis) {
    SmallVector<int64_t> left = extentsAt(node.getResult(), results, axis);
    SmallVector<RoomFactor> own;
    while (left.back() > 1) {
      if (next == factors.size())
        return fail(node, "has an empty axis");
      RoomFactor &factor = factors[next];
      // Of 4 n elements n rows of 4.
      if (factor.function && factor.most > left.back() && left.back() > 0 &&
          factor.most % left.back() == 0) {
        int64_t inner = factor.most / left.back();
        if (llvm::all_of(valuesOf(*factor.function),
                         [&](int64_t value) { return value % inner == 0; })) {
          Axis outer = mapped(node, {factor},
                              [&](int64_t value) { return value / inner; });
          if (!outer)
            return std::nullopt;
          factor = outer->front();
          factors.insert(factors.begin() + next + 1, {inner, std::nullopt});
          continue;
        }
      }
      int64_t part = factor.most;
      if (!factor.function && part > left.back())
        part = left.back();
      if (part == 0 || left.back() % part != 0 || factor.most % part != 0)
        return fail(node, "splits an extent that follows from a symbol");
      own.push_back({part, factor.function});
      for (auto [i, extent] : llvm::enumerate(left)) {
        int64_t used = factor.function ? at(*factor.function, i) : part;
        if (extent == anything || (used == 0 && extent == 0)) {
          extent = anything;
          continue;
        }
        if (used == 0 || extent % used != 0)
          return fail(node, "splits an extent that follows from a symbol");
        extent /= used;
      }
      factor.most /= part;
      if (factor.most == 1 || factor.function)
        ++next;
    }
    if (llvm::any_of(left, [](int64_t extent) {
          return extent != 1 && extent != anything;
        }))
      return fail(node, "splits an extent that follows from a symbol");
    shape.push_back(joined(own));
  }
  for (; next < factors.size(); ++next)
    if (factors[next].function)
      return fail(node, "drops an extent that follows from a symbol");
  return just(std::move(shape));
}

Shapes RoomMaker::transposed(TransposeOp node) {
  RoomShape from = of(node.getX()), shape;
  for (int64_t axis : node.getPermutation())
    shape.push_back(from[axis]);
  for (auto [to, axis] : llvm::enumerate(node.getPermutation()))
    if (zeroBeyond.contains({node.getX(), axis}))
      zeroBeyond.insert({node.getResult(), int64_t(to)});
  return just(std::move(shape));
}

Shapes RoomMaker::broadcasted(BroadcastOp node, Others others) {
  SmallVector<Value> results;
  for (Operation *other : others) {
    if (cast<BroadcastOp>(other).getAxes() != node.getAxes())
      return fail(node, "has other attributes at other extents");
    results.push_back(other->getResult(0));
  }
  RoomShape from = of(node.getX()), shape;
  for (int64_t axis = 0; axis < tensorType(node.getResult()).getRank();
       ++axis) {
    const auto *own = llvm::find(node.getAxes(), axis);
    int64_t source = own - node.getAxes().begin();
    if (own != node.getAxes().end() && !from[source].empty()) {
      shape.push_back(from[source]);
      continue;
    }
    Axis made = axisOf(extentsAt(node.getResult(), results, axis));
    if (!made)
      return fail(node, "repeats along an extent that does not follow from the "
                        "symbols in a way that is known");
    shape.push_back(*made);
  }
  return just(std::move(shape));
}

Shapes RoomMaker::counted(IotaOp node, Others others) {
  SmallVector<Value> results;
  for (Operation *other : others) {
    if (cast<IotaOp>(other).getAxis() != node.getAxis())
      return fail(node, "has other attributes at other extents");
    results.push_back(other->getResult(0));
  }
  RoomShape shape;
  for (int64_t axis = 0; axis < tensorType(node.getResult()).getRank();
       ++axis) {
    Axis own = axisOf(extentsAt(node.getResult(), results, axis));
    if (!own)
      return fail(node, "counts to an extent that does not follow from the "
                        "symbols in a way that is known");
    shape.push_back(*own);
  }
  return just(std::move(shape));
}

/// Along each axis either the places from a fixed one on, or those that a
/// number computed from the extents says.
Shapes RoomMaker::sliced(SliceOp node, Others others) {
  Location loc = node.getLoc();
  RoomShape from = of(node.getX()), shape;
  SmallVector<int64_t> starts, ends, steps(node.getSteps());
  SmallVector<std::pair<int64_t, Value>> computed;
  SmallVector<Value> results, sources;
  for (Operation *other : others) {
    if (cast<SliceOp>(other).getSteps() != node.getSteps())
      return fail(node, "has other attributes at other extents");
    results.push_back(other->getResult(0));
    sources.push_back(other->getOperand(0));
  }
  if (!node.getDynamicStarts().empty() || !node.getDynamicEnds().empty())
    return fail(node, "begins or ends at a computed place");
  for (int64_t axis = 0; axis < int64_t(from.size()); ++axis) {
    SmallVector<int64_t> extents = extentsAt(node.getX(), sources, axis),
                         sizes = extentsAt(node.getResult(), results, axis),
                         firsts;
    SmallVector<SliceOp> slices;
    for (Operation *other : others)
      slices.push_back(cast<SliceOp>(other));
    slices.push_back(node);
    int64_t step = steps[axis];
    for (auto [slice, extent] : llvm::zip_equal(slices, extents))
      firsts.push_back(resolveSlice(extent, slice.getStarts()[axis],
                                    slice.getEnds()[axis], step)
                           .start);
    int64_t first = firsts.back(), most = extents.back();
    // All of an axis.
    if (sizes == extents && step == 1) {
      starts.push_back(0);
      ends.push_back(most);
      shape.push_back(from[axis]);
      continue;
    }
    from[axis] = simplified(node, from[axis]);
    if (!isSimple(from[axis]))
      return fail(node, "takes a part of an axis that joins several");
    // Where there are fewer places, all of them come before the first one.
    for (auto [place, extent] : llvm::zip_equal(firsts, extents))
      if (varies(from[axis]) && place == extent && extent < first)
        place = first;
    bool fromEnd = llvm::all_of(llvm::zip_equal(firsts, extents), [&](auto x) {
      return std::get<1>(x) - std::get<0>(x) == most - first;
    });
    if (varies(from[axis]) && !llvm::all_equal(firsts)) {
      // A fixed number of places, counted from the end.
      if (!fromEnd || !llvm::all_equal(sizes) ||
          most - first > lowest(from[axis]))
        return fail(node, "begins at a place that does not follow from the "
                          "symbols in a way that is known");
      Value begin = AddOp::create(b, loc, count(loc, from[axis]),
                                  number(loc, first - most));
      Value all = MulOp::create(b, loc, places(loc, sizes.back(), 0, 1),
                                number(loc, step, 1));
      computed.push_back({axis, AddOp::create(b, loc, all, begin)});
      starts.push_back(0);
      ends.push_back(most);
      steps[axis] = 1;
      shape.push_back(fixed(sizes.back()));
      continue;
    }
    if (!llvm::all_equal(firsts)) {
      Value begin = scalarOf(loc, firsts);
      Axis own = axisOf(sizes);
      if (!begin || !own)
        return fail(node, "begins at a place that does not follow from the "
                          "symbols in a way that is known");
      Value all = MulOp::create(b, loc, places(loc, sizes.back(), 0, 1),
                                number(loc, step, 1));
      all = AddOp::create(b, loc, all, begin);
      computed.push_back({axis, clampedPlaces(loc, all, number(loc, most))});
      starts.push_back(0);
      ends.push_back(most);
      steps[axis] = 1;
      shape.push_back(*own);
      continue;
    }
    starts.push_back(first);
    ends.push_back(std::min(most, first + (sizes.back() - 1) * step + 1));
    if (!varies(from[axis])) {
      Axis own = axisOf(sizes);
      if (!own)
        return fail(node, "ends at a place that does not follow from the "
                          "symbols in a way that is known");
      shape.push_back(*own);
      continue;
    }
    Axis own = slicedTo(node, from[axis], extents, sizes, first, step);
    if (!own)
      return std::nullopt;
    shape.push_back(*own);
  }
  Value value = SliceOp::create(b, loc, node.getX(), starts, ends, steps);
  for (auto [axis, indices] : computed)
    value = picked(loc, value, axis, indices);
  replacement = value.getDefiningOp();
  return just(std::move(shape));
}

/// From `first` on a fixed number of places, all up to one, or all but as many
/// at the end.
RoomMaker::Axis RoomMaker::slicedTo(SliceOp node, const RoomAxis &axis,
                                    ArrayRef<int64_t> extents,
                                    ArrayRef<int64_t> sizes, int64_t first,
                                    int64_t step) {
  int64_t size = sizes.back(), less = extents.back() - first - size * step;
  if (llvm::all_equal(sizes) && first + (size - 1) * step + 1 <= lowest(axis))
    return fixed(size);
  auto upTo = [&](int64_t extent) {
    return std::clamp<int64_t>((extent - first + step - 1) / step, 0, size);
  };
  auto before = [&](int64_t extent) {
    int64_t length = extent - first - (step == 1 ? less : 0);
    return std::max<int64_t>(0, (length + step - 1) / step);
  };
  auto isAlways = [&](auto f) {
    return llvm::all_of(llvm::zip_equal(extents, sizes), [&](auto one) {
      return f(std::get<0>(one)) == std::get<1>(one);
    });
  };
  if (isAlways(upTo))
    return first == 0 && step == 1 ? limited(node, axis, size)
                                   : mapped(node, axis, upTo);
  if (isAlways(before))
    return mapped(node, axis, before);
  return fail(node, "ends at a place that does not follow from the symbols in "
                    "a way that is known");
}

/// The parts of a run follow each other without gaps.
Shapes RoomMaker::concatenated(ConcatOp node) {
  int64_t axis = node.getAxis();
  RoomShape shape;
  SmallVector<RoomAxis> parts;
  for (Value input : node.getInputs()) {
    RoomShape own = of(input);
    parts.push_back(simplified(node, std::exchange(own[axis], {})));
    if (shape.empty())
      shape = own;
    if (!same(shape, own))
      return fail(node, "has operands that differ in how their extents follow "
                        "from the symbols");
    if (!isSimple(parts.back()))
      return fail(node, "joins an axis that joins several");
  }
  int64_t most = tensorType(node.getResult()).getDimSize(axis), begin = 0;
  if (llvm::none_of(parts, [](const RoomAxis &own) { return varies(own); })) {
    shape[axis] = fixed(most);
    return just(std::move(shape));
  }
  // Where each part begins in a run, and what lies unused before it.
  Location loc = node.getLoc();
  shape[axis] = sumOf(loc, parts);
  Value place = places(loc, most, 0, 1), result = place, start;
  for (const RoomAxis &part : parts) {
    if (start) {
      Value inside =
          CompareOp::create(b, loc, place, start, ComparePredicate::Ge);
      Value skipped = SubOp::create(b, loc, number(loc, begin), start);
      result = SelectOp::create(b, loc, inside,
                                AddOp::create(b, loc, place, skipped), result);
    }
    begin += part.empty() ? 1 : part.front().most;
    if (start)
      start = AddOp::create(b, loc, start, count(loc, part));
    else if (varies(part))
      start = AddOp::create(b, loc, count(loc, part),
                            number(loc, begin - part.front().most));
  }
  // What varies comes last: nothing is to be moved.
  bool moves = llvm::any_of(ArrayRef(parts).drop_back(),
                            [](const RoomAxis &part) { return varies(part); });
  if (moves) {
    b.setInsertionPointAfter(node);
    Value all = ConcatOp::create(b, loc, node.getInputs(), axis);
    Value last = number(loc, most);
    replacement = picked(loc, all, axis, clampedPlaces(loc, result, last))
                      .getDefiningOp();
  }
  return just(std::move(shape));
}

/// Beyond the extent comes the padding.
Shapes RoomMaker::padded(PadOp node, Others others) {
  RoomShape shape = of(node.getX());
  Location loc = node.getLoc();
  Value x = node.getX();
  for (int64_t axis = 0; axis < int64_t(shape.size()); ++axis) {
    int64_t low = node.getLow()[axis], high = node.getHigh()[axis];
    if (!varies(shape[axis]) || (low == 0 && high == 0)) {
      if (!varies(shape[axis]))
        shape[axis] = fixed(tensorType(node.getResult()).getDimSize(axis));
      continue;
    }
    Axis own = mapped(node, shape[axis],
                      [&](int64_t extent) { return extent + low + high; });
    if (!own)
      return std::nullopt;
    if (low < 0 || high < 0)
      return fail(node, "takes places away along a symbol");
    if (node.getMode() == PadMode::Constant) {
      if (Value used = inUse(loc, node.getX(), axis)) {
        Type element = tensorType(x).getElementType();
        Value value = node.getValue();
        if (!value)
          value = scalarConstant(b, loc, element, 0, 0);
        x = SelectOp::create(b, loc, used, x,
                             graven::reshaped(b, loc, value, {}));
      }
    } else {
      return fail(node, "repeats what is at the end of a symbol");
    }
    shape[axis] = *own;
  }
  node->setOperand(0, x);
  return just(std::move(shape));
}

Shapes RoomMaker::reversed(ReverseOp node) {
  RoomShape shape = of(node.getX());
  Location loc = node.getLoc();
  Value value = node.getX();
  SmallVector<int64_t> rest;
  for (int64_t axis : node.getAxes()) {
    if (!varies(shape[axis])) {
      rest.push_back(axis);
      continue;
    }
    if (!isSimple(shape[axis]))
      return fail(node, "reverses an axis that joins several");
    Value number = count(loc, shape[axis]);
    Value place = places(loc, shape[axis].front().most, 0, 1);
    Value last = SubOp::create(b, loc, number, this->number(loc, 1));
    Value mirrored = SubOp::create(b, loc, last, place);
    value = picked(loc, value, axis, clampedPlaces(loc, mirrored, number));
  }
  if (rest.size() == node.getAxes().size())
    return just(std::move(shape));
  if (!rest.empty())
    value = ReverseOp::create(b, loc, value, rest);
  replacement = value.getDefiningOp();
  return just(std::move(shape));
}

} // namespace graven
