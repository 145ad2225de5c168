//===- RoomBlocks.cpp - Nodes with Blocks beside room ----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the comparison of the Blocks of `if` and `loop` in a
// Graph and its samples: those that see nothing of what varies stay as they
// are.
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
              same = isSameInBlocks(a.getOperand(i), b.getOperand(i), k, inner);
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

} // namespace graven
