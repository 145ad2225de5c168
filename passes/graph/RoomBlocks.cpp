//===- RoomBlocks.cpp - Nodes with Blocks beside room ----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the comparison of the Blocks of `if` and `loop` in a
// Graph and its samples: those that see nothing of what varies, or just single
// elements of it, stay as they are. A loop may have an iteration for each place
// of an axis.
//===----------------------------------------------------------------------===//

#include "passes/graph/RoomMaker.h"

using namespace mlir;

namespace graven {

/// Whether `other`, a Value of sample `k`, stands for `value`, which is the
/// same at all extents. `inner` knows those of the Blocks.
bool RoomMaker::isSameInBlocks(Value value, Value other, size_t k,
                               const DenseMap<Value, Value> &inner) const {
  if (auto found = inner.find(other); found != inner.end())
    return found->second == value;
  if (value.getType() != other.getType())
    return false;
  if (auto constant = value.getDefiningOp<ConstantOp>()) {
    auto own = other.getDefiningOp<ConstantOp>();
    return own && own.getValue() == constant.getValue();
  }
  if (auto get = value.getDefiningOp<GetParamOp>()) {
    auto own = other.getDefiningOp<GetParamOp>();
    return own && own.getParam() == get.getParam();
  }
  auto found = maps[k].find(other);
  return found != maps[k].end() && llvm::is_contained(found->second, value) &&
         !varies(value);
}

/// Whether two Nodes of Blocks pick from what varies along the axis that they
/// pick from.
bool RoomMaker::isSamePick(Operation &own, Operation &theirs, size_t k) const {
  auto gather = dyn_cast<GatherOp>(own);
  if (!gather || !gather.getNonneg())
    return false;
  auto shape = shapes.find(gather.getX());
  auto found = maps[k].find(theirs.getOperand(0));
  if (shape == shapes.end() || found == maps[k].end() ||
      !llvm::is_contained(found->second, gather.getX()))
    return false;
  for (auto [i, axis] : llvm::enumerate(shape->second))
    if (varies(axis) && (i != gather.getAxis() || !isSimple(axis)))
      return false;
  return true;
}

bool RoomMaker::hasSameBlocks(Operation *node, Operation *other, size_t k) {
  DenseMap<Value, Value> inner;
  std::function<bool(Operation &, Operation &)> sameRegions =
      [&](Operation &own, Operation &theirs) {
        if (own.getNumRegions() != theirs.getNumRegions())
          return false;
        for (auto [s, t] :
             llvm::zip_equal(own.getRegions(), theirs.getRegions())) {
          Block &left = s.front(), &right = t.front();
          if (left.getArgumentTypes() != right.getArgumentTypes() ||
              !llvm::hasNItems(left, std::distance(right.begin(), right.end())))
            return false;
          for (auto [a, b] :
               llvm::zip_equal(left.getArguments(), right.getArguments()))
            inner[b] = a;
          for (auto [a, b] : llvm::zip_equal(left, right)) {
            bool same = a.getName() == b.getName() && !isa<PrefixOp>(a) &&
                        a.getAttrDictionary() == b.getAttrDictionary() &&
                        a.getResultTypes() == b.getResultTypes() &&
                        a.getNumOperands() == b.getNumOperands();
            for (size_t i = 0; same && i < a.getNumOperands(); ++i)
              same =
                  isSameInBlocks(a.getOperand(i), b.getOperand(i), k, inner) ||
                  (i == 0 && isSamePick(a, b, k));
            if (!same || !sameRegions(a, b))
              return false;
            for (auto [x, y] : llvm::zip_equal(a.getResults(), b.getResults()))
              inner[y] = x;
          }
        }
        return true;
      };
  return sameRegions(*node, *other);
}

/// What the Blocks of a Node pick from is zero where it is not used.
void RoomMaker::fillPicks(Operation *node) {
  DenseMap<Value, Value> known;
  node->walk([&](GatherOp gather) {
    Value x = gather.getX();
    if (!varies(x))
      return;
    Value &value = known[x];
    if (!value)
      value = filled(node, x, gather.getAxis(), 0);
    gather.getXMutable().assign(value);
  });
}

/// Whether the loop has as many iterations as its trip count says, whatever it
/// computes.
static bool isCounted(LoopOp node) {
  auto yield = cast<YieldOp>(node.getBody().front().getTerminator());
  return node.getTrip() && (!node.getCond() || splatOf(node.getCond()) == 1) &&
         splatOf(yield.getValues().front()) == 1;
}

/// A loop that stacks a slice for each place of an axis goes on to the most,
/// where it sees zeros. What is carried would see that.
RoomMaker::Shapes RoomMaker::looped(LoopOp node, Others others) {
  for (Value init : node.getInit())
    if (varies(init))
      return fail(node, "carries a tensor whose extents follow from a symbol");
  SmallVector<RoomShape> results;
  for (Value value : node.getResults())
    for (RoomShape &shape = results.emplace_back();
         int64_t extent : tensorType(value).getShape())
      shape.push_back(fixed(extent));
  for (auto [i, value] : llvm::enumerate(node.getStacked())) {
    SmallVector<Value> values;
    for (Operation *other : others)
      values.push_back(cast<LoopOp>(other).getStacked()[i]);
    Axis own = axisOf(extentsAt(value, values, 0));
    if (!own)
      return fail(node, "stacks a number of slices that does not follow from "
                        "the symbols in a way that is known");
    if (varies(*own)) {
      if (!isCounted(node) || !node.getFinal().empty())
        return fail(node, "stacks slices along a symbol, and carries tensors "
                          "or ends by a condition");
      node.getTripMutable().assign(
          number(node.getLoc(), tensorType(value).getDimSize(0)));
    }
    results[node.getFinal().size() + i].front() = *own;
  }
  return results;
}

} // namespace graven
