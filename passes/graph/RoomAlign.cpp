//===- RoomAlign.cpp - Nodes that are not everywhere -----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements putting back Nodes that change nothing at some extents,
// where they are gone, so that a Graph and its samples have the same Nodes.
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

/// What may leave a tensor as it is: importers leave it out then.
static bool mayPass(Operation *node) {
  return isa_and_nonnull<SliceOp, BroadcastOp, ReshapeOp>(node);
}

bool RoomMaker::isPassing(Operation *node) {
  return mayPass(node) &&
         node->getOperand(0).getType() == node->getResult(0).getType();
}

/// A Node as `leader` that leaves `own` as it is.
static Operation *makePassing(OpBuilder &b, Operation *leader, Value own) {
  ArrayRef<int64_t> extents = tensorType(own).getShape();
  Location loc = leader->getLoc();
  if (auto broadcast = dyn_cast<BroadcastOp>(leader))
    return BroadcastOp::create(b, loc, own, extents, broadcast.getAxes());
  if (isa<ReshapeOp>(leader))
    return ReshapeOp::create(b, loc, own, extents);
  return SliceOp::create(b, loc, own, SmallVector<int64_t>(extents.size(), 0),
                         extents, SmallVector<int64_t>(extents.size(), 1));
}

/// Where some samples come to a Node that changes nothing elsewhere, and others
/// do not, the others get one. What that makes of the walk is checked as for
/// any Node.
void RoomMaker::align(Lists &lists) {
  SmallVector<Operation *> heads{lists.node()};
  for (size_t k = 0; k < samples.size(); ++k)
    heads.push_back(lists.sample(k));
  bool isSame = llvm::all_of(heads, [&](Operation *head) {
    return head && heads.front() && head->getName() == heads.front()->getName();
  });
  if (isSame && !isa<SliceOp>(heads.front()))
    return;
  Operation *leader = nullptr;
  size_t most = 0;
  Value whole;
  if (mayPass(lists.node())) {
    leader = lists.node();
    most = lists.left();
    whole = leader->getOperand(0);
  }
  for (size_t k = 0; k < samples.size(); ++k) {
    Operation *head = lists.sample(k);
    if (!mayPass(head) || (leader && lists.left(k) <= most))
      continue;
    auto values = maps[k].find(head->getOperand(0));
    if (values == maps[k].end())
      continue;
    leader = head;
    most = lists.left(k);
    whole = values->second.back();
  }
  if (!leader)
    return;
  for (size_t k = 0; k < samples.size(); ++k) {
    Operation *next = lists.sample(k);
    if (next && next->getName() == leader->getName() &&
        (!isa<SliceOp>(next) || lists.left(k) == most ||
         shareAxis(cast<SliceOp>(next), cast<SliceOp>(leader))))
      continue;
    Value own = backs[k].lookup(whole);
    auto broadcast = dyn_cast<BroadcastOp>(leader);
    if (!own || (broadcast && int64_t(broadcast.getAxes().size()) !=
                                  tensorType(own).getRank()))
      return;
    b.setInsertionPoint(next ? next : GraphOp(samples[k].graph).getReturn());
    added.push_back(makePassing(b, leader, own));
    lists.insert(k, added.back());
  }
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
