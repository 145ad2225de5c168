//===- RoomAlign.cpp - slices that are not everywhere ----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements putting back slices that take all of their operand at
// some extents, where they are gone, so that a Graph and its samples have the
// same Nodes.
//===----------------------------------------------------------------------===//

#include "passes/graph/RoomLists.h"

using namespace mlir;

namespace graven {

/// The axes that a slice takes a part of.
static SmallVector<int64_t> cutAxes(SliceOp slice) {
  SmallVector<int64_t> axes;
  for (auto [axis, extents] : llvm::enumerate(
           llvm::zip_equal(tensorType(slice.getX()).getShape(),
                           tensorType(slice.getResult()).getShape())))
    if (std::get<0>(extents) != std::get<1>(extents))
      axes.push_back(axis);
  return axes;
}

static bool shareAxis(SliceOp left, SliceOp right) {
  SmallVector<int64_t> own = cutAxes(left), other = cutAxes(right);
  return own.empty() || other.empty() || llvm::any_of(own, [&](int64_t axis) {
           return llvm::is_contained(other, axis);
         });
}

/// Where some samples come to a slice next and others do not, the others get
/// one. False when there is nothing that it could take.
bool RoomMaker::alignSlices(Lists &lists) {
  SliceOp leader;
  size_t most = lists.left();
  Value whole;
  if (auto slice = dyn_cast_or_null<SliceOp>(lists.node())) {
    leader = slice;
    whole = slice.getX();
  }
  for (size_t k = 0; k < samples.size(); ++k) {
    auto slice = dyn_cast_or_null<SliceOp>(lists.sample(k));
    if (!slice || (leader && lists.left(k) <= most))
      continue;
    auto values = maps[k].find(slice.getX());
    if (values == maps[k].end())
      continue;
    leader = slice;
    most = lists.left(k);
    whole = values->second.back();
  }
  if (!leader)
    return true;
  for (size_t k = 0; k < samples.size(); ++k) {
    Operation *next = lists.sample(k);
    auto slice = dyn_cast_or_null<SliceOp>(next);
    if (slice && (lists.left(k) == most || shareAxis(slice, leader)))
      continue;
    Value own = backs[k].lookup(whole);
    if (!own)
      return true;
    b.setInsertionPoint(next ? next : GraphOp(samples[k].graph).getReturn());
    ArrayRef<int64_t> extents = tensorType(own).getShape();
    Operation *made = SliceOp::create(
        b, leader.getLoc(), own, SmallVector<int64_t>(extents.size(), 0),
        extents, SmallVector<int64_t>(extents.size(), 1));
    added.push_back(made);
    lists.insert(k, made);
  }
  return true;
}

/// The Value of the Graph that a slice of the samples takes a part of.
Value RoomMaker::wholeOf(Others others) {
  SmallVector<Value> wholes;
  for (Operation *other : others) {
    auto slice = dyn_cast<SliceOp>(other);
    if (!slice)
      return {};
    wholes.push_back(slice.getX());
  }
  if (auto get = wholes.front().getDefiningOp<GetParamOp>()) {
    for (Value own : wholes) {
      auto other = own.getDefiningOp<GetParamOp>();
      if (!other || other.getParam() != get.getParam())
        return {};
    }
    return params.lookup(get.getParam());
  }
  SmallVector<Value> values = candidates(wholes);
  return values.empty() ? Value() : values.back();
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

} // namespace graven
