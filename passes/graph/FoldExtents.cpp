//===- FoldExtents.cpp - numbers that follow from extents -------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements FoldExtents, which computes what models do with extents
// as far as their relations tell it.
//===----------------------------------------------------------------------===//

#include "passes/graph/Explain.h"
#include "passes/graph/ExtentRelations.h"
#include "passes/graph/GraphUtils.h"
#include "passes/graph/Passes.h"

namespace graven {
#define GEN_PASS_DEF_FOLDEXTENTS
#include "passes/graph/Passes.h.inc"
} // namespace graven

using namespace mlir;

namespace graven {
namespace {

class FoldExtentsPass : public impl::FoldExtentsBase<FoldExtentsPass> {
  void runOnOperation() override {
    ExtentRelations relations(getOperation());
    // The first Value of a formula, and those that are formulas already.
    llvm::DenseMap<std::pair<Type, AffineExpr>, Value> first;
    SmallVector<Operation *> nodes;
    getOperation()->walk<WalkOrder::PreOrder>([&](Operation *node) {
      if (isNumber(node) || isa<CompareOp, MaxPoolOp, AvgPoolOp>(node))
        nodes.push_back(node);
    });
    // All formulas come before the first rewrite: they are those of the Values.
    for (Operation *node : nodes)
      if (isNumber(node))
        (void)relations.numberOf(node->getResult(0));
    for (Operation *node : nodes) {
      if (auto compare = dyn_cast<CompareOp>(node))
        decide(compare, relations);
      else if (auto pool = dyn_cast<MaxPoolOp>(node))
        roundDown(pool, relations);
      else if (auto pool = dyn_cast<AvgPoolOp>(node))
        roundDown(pool, relations);
      else
        fold(node, relations, first);
    }
  }

  /// Whether it computes an i64 number from others, or gives an extent.
  static bool isNumber(Operation *node) {
    if (!isa<DimOp, AddOp, SubOp, MulOp, DivOp, RemOp, MaxOp, MinOp, ReluOp>(
            node))
      return false;
    RankedTensorType type = tensorType(node->getResult(0));
    return type.getElementType().isSignlessInteger(64) &&
           type.hasStaticShape() && type.getNumElements() == 1;
  }

  void replace(Operation *node, Value value) {
    node->getResult(0).replaceAllUsesWith(value);
    node->erase();
  }

  void fold(Operation *node, ExtentRelations &relations,
            llvm::DenseMap<std::pair<Type, AffineExpr>, Value> &first) {
    Value result = node->getResult(0);
    RankedTensorType type = tensorType(result);
    AffineExpr formula = relations.numberOf(result);
    OpBuilder b(node);
    if (auto number = dyn_cast<AffineConstantExpr>(formula)) {
      explainDone(*this, node,
                  [&] { return "it is " + std::to_string(number.getValue()); });
      ++numFolded;
      return replace(node, ConstantOp::create(b, node->getLoc(),
                                              DenseElementsAttr::get(
                                                  type, number.getValue())));
    }
    auto [known, isNew] = first.try_emplace({type, formula}, result);
    // In a sub-Block, it is there for that Block alone.
    if (!isNew && !isThere(known->second, node)) {
      known->second = result;
      isNew = true;
    }
    if (!isNew) {
      explainDone(*this, node,
                  [] { return std::string("it is a number that is there"); });
      ++numFolded;
      return replace(node, known->second);
    }
    auto [input, axis] = relations.inputOf(formula);
    auto dim = dyn_cast<DimOp>(node);
    if (dim && input && isa<BlockArgument>(input) && dim.getX() != input) {
      explainDone(*this, node,
                  [] { return std::string("it is the extent of an input"); });
      ++numFolded;
      dim.getXMutable().assign(input);
      dim.setAxis(axis);
      return;
    }
    explainNotDone(*this, node, [] {
      return std::string("no other Value is known to be this number");
    });
  }

  static bool isThere(Value value, Operation *node) {
    return value.getParentBlock()->findAncestorOpInBlock(*node) != nullptr;
  }

  /// A comparison of numbers whose difference has a sign.
  void decide(CompareOp node, ExtentRelations &relations) {
    auto isOne = [](Value value) {
      RankedTensorType type = tensorType(value);
      return type.getElementType().isSignlessInteger(64) &&
             type.hasStaticShape() && type.getNumElements() == 1;
    };
    if (!isOne(node.getA()) || !isOne(node.getB()) ||
        !node.getType().hasStaticShape())
      return;
    AffineExpr a = relations.numberOf(node.getA()),
               b = relations.numberOf(node.getB());
    auto [least, most] = relations.limitsOf(relations.simplified(a - b));
    std::optional<bool> holds;
    bool isLess = most && *most < 0, isGreater = least && *least > 0,
         isNoLess = least && *least >= 0, isNoMore = most && *most <= 0;
    auto decideBy = [&](bool yes, bool no) {
      if (yes || no)
        holds = yes;
    };
    switch (node.getPredicate()) {
    case ComparePredicate::Eq:
      decideBy(isNoLess && isNoMore, isLess || isGreater);
      break;
    case ComparePredicate::Ne:
      decideBy(isLess || isGreater, isNoLess && isNoMore);
      break;
    case ComparePredicate::Lt:
      decideBy(isLess, isNoLess);
      break;
    case ComparePredicate::Le:
      decideBy(isNoMore, isGreater);
      break;
    case ComparePredicate::Gt:
      decideBy(isGreater, isNoMore);
      break;
    case ComparePredicate::Ge:
      decideBy(isNoLess, isLess);
      break;
    }
    if (!holds) {
      explainNotDone(*this, node, [] {
        return std::string("the extents of a run decide it");
      });
      return;
    }
    explainDone(*this, node, [&] {
      return std::string(*holds ? "it holds for all extents"
                                : "it holds for no extents");
    });
    OpBuilder builder(node);
    ++numFolded;
    replace(node, ConstantOp::create(
                      builder, node.getLoc(),
                      DenseElementsAttr::get(node.getType(),
                                             builder.getBoolAttr(*holds))));
  }

  /// Windows that end with the input are as many, rounded up or down.
  template <class PoolOp>
  void roundDown(PoolOp node, ExtentRelations &relations) {
    if (!node.getCeilMode() || node.getLayout() != Layout::Planar)
      return;
    int64_t half = node.getStrides().size();
    for (int64_t i = 0; i < half; ++i) {
      AffineExpr rest = relations.simplified(
          (relations.extentOf(node.getX(), 2 + i) + node.getPads()[i] +
           node.getPads()[half + i] -
           node.getDilations()[i] * (node.getKernel()[i] - 1) - 1) %
          node.getStrides()[i]);
      if (rest == getAffineConstantExpr(0, node.getContext()))
        continue;
      explainNotDone(*this, node, [&] {
        return "the last window along axis " + std::to_string(2 + i) +
               " may end behind the input";
      });
      return;
    }
    explainDone(*this, node, [] {
      return std::string("the last window ends with the input");
    });
    node.setCeilMode(false);
    ++numFolded;
  }
};

} // namespace
} // namespace graven
