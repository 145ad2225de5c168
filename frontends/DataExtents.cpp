//===- DataExtents.cpp - extents that data decide ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the memory of counts. Programs write x[m] + y[m], with m
// computed each time: both must have one extent, so what is computed alike is
// taken for the same.
//
//===----------------------------------------------------------------------===//

#include "frontends/DataExtents.h"

using namespace graven;

bool graven::isWithin(mlir::Block *block, mlir::Block *outer) {
  for (; block; block = block->getParentOp() ? block->getParentOp()->getBlock()
                                             : nullptr)
    if (block == outer)
      return true;
  return false;
}

eval::Tensor graven::placesOfNonzero(const eval::Tensor &x) {
  std::vector<int64_t> places;
  int64_t at = 0, count = 0;
  eval::forEachIndex(x.getShape(), [&](llvm::ArrayRef<int64_t> place) {
    if (x.getDouble(at++) == 0)
      return;
    places.insert(places.end(), place.begin(), place.end());
    ++count;
  });
  auto i64 = mlir::IntegerType::get(x.getType().getContext(), 64);
  return eval::Tensor::fromVector(
      mlir::RankedTensorType::get({count, x.getRank()}, i64), places);
}

/// Nodes that are compared to say whether two values are computed alike.
static constexpr unsigned kComparisons = 64;

/// Whether the Nodes behind a and b compute the same, by at most `budget`
/// comparisons.
static bool isSame(mlir::Value a, mlir::Value b, unsigned &budget) {
  if (a == b)
    return true;
  mlir::Operation *x = a.getDefiningOp(), *y = b.getDefiningOp();
  if (!x || !y || budget == 0 || x->getName() != y->getName() ||
      x->getNumOperands() != y->getNumOperands() || x->getNumRegions() != 0 ||
      !mlir::isMemoryEffectFree(x) ||
      x->getAttrDictionary() != y->getAttrDictionary() ||
      x->getResultTypes() != y->getResultTypes() ||
      mlir::cast<mlir::OpResult>(a).getResultNumber() !=
          mlir::cast<mlir::OpResult>(b).getResultNumber())
    return false;
  --budget;
  for (auto [p, q] : llvm::zip(x->getOperands(), y->getOperands()))
    if (!isSame(p, q, budget))
      return false;
  return true;
}

int64_t DataExtents::extentFor(mlir::Value count, int64_t most) {
  int64_t found = -1;
  for (auto [known, extent] : extents) {
    unsigned budget = kComparisons;
    if (extent <= most && extent > found && isSame(known, count, budget))
      found = extent;
  }
  if (found < 0)
    found = decide ? std::clamp<int64_t>(decide(most), 0, most) : most;
  return extents[count] = found;
}

mlir::Value DataExtents::prefix(mlir::OpBuilder &builder, mlir::Location loc,
                                mlir::Value x, mlir::Value count,
                                int64_t axis) {
  int64_t most =
      mlir::cast<mlir::RankedTensorType>(x.getType()).getDimSize(axis);
  int64_t extent = extentFor(count, most);
  for (mlir::Operation *user : x.getUsers())
    if (auto same = mlir::dyn_cast<PrefixOp>(user);
        same && same.getX() == x && same.getCount() == count &&
        int64_t(same.getAxis()) == axis &&
        int64_t(same.getExtent()) == extent &&
        isWithin(builder.getInsertionBlock(), same->getBlock()))
      return same;
  auto node = tryCreate<PrefixOp>(builder, loc, x, count, uint64_t(axis),
                                  uint64_t(extent));
  return mlir::failed(node) ? mlir::Value() : node->getResult();
}

NonzeroOp DataExtents::findNonzero(mlir::OpBuilder &builder,
                                   mlir::Value x) const {
  for (NonzeroOp node : llvm::reverse(nonzeros)) {
    unsigned budget = kComparisons;
    if (isWithin(builder.getInsertionBlock(), node->getBlock()) &&
        isSame(node.getX(), x, budget))
      return node;
  }
  return {};
}

std::optional<int64_t> DataExtents::extentOfNonzero(mlir::OpBuilder &builder,
                                                    mlir::Value x) const {
  NonzeroOp node = findNonzero(builder, x);
  auto known = node ? extents.find(node.getCount()) : extents.end();
  return known == extents.end() ? std::nullopt : std::optional(known->second);
}

NonzeroOp DataExtents::nonzero(mlir::OpBuilder &builder, mlir::Location loc,
                               mlir::Value x) {
  if (NonzeroOp found = findNonzero(builder, x))
    return found;
  auto made = tryCreate<NonzeroOp>(builder, loc, x);
  if (mlir::failed(made))
    return {};
  nonzeros.push_back(*made);
  return *made;
}
