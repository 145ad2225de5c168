//===- FoldConstants.cpp - Nodes of constants are constants -----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements FoldConstants, which runs Nodes whose operands are
// constants in the reference evaluator and takes branches and loops that are
// decided.
//===----------------------------------------------------------------------===//

#include "mlir/IR/Matchers.h"
#include "passes/graph/GraphUtils.h"
#include "passes/graph/Passes.h"
#include "llvm/ADT/SetVector.h"

namespace graven {
#define GEN_PASS_DEF_FOLDCONSTANTS
#include "passes/graph/Passes.h.inc"
} // namespace graven

using namespace mlir;

namespace graven {
namespace {

class FoldConstantsPass : public impl::FoldConstantsBase<FoldConstantsPass> {
public:
  using FoldConstantsBase::FoldConstantsBase;

private:
  void runOnOperation() override {
    for (auto graph : getOperation().getOps<GraphOp>())
      foldRegion(graph.getBody());
  }

  /// Folds the Nodes in order; a Node sees its operands folded.
  void foldRegion(Region &region) {
    SmallVector<Operation *> nodes;
    region.walk<WalkOrder::PreOrder>([&](Operation *node) {
      // Kernels expect operands, not constants, in a fused Block.
      if (isa<FusionOp>(node))
        return WalkResult::skip();
      nodes.push_back(node);
      return WalkResult::advance();
    });
    llvm::DenseSet<Operation *> gone;
    for (Operation *node : nodes) {
      if (gone.contains(node))
        continue;
      if (auto op = dyn_cast<IfOp>(node))
        takeBranch(op, gone);
      else if (auto loop = dyn_cast<LoopOp>(node))
        skipLoop(loop, gone);
      else
        evaluate(node);
    }
  }

  /// The value of an operand that may be read now.
  std::optional<eval::Tensor> valueOf(Value value) {
    DenseElementsAttr elements;
    if (matchPattern(value, m_Constant(&elements)))
      return elements.getNumElements() <= maxElements
                 ? std::optional(eval::Tensor::fromElements(elements))
                 : std::nullopt;
    auto get = value.getDefiningOp<GetParamOp>();
    if (!get || !foldParams || tensorType(value).getNumElements() > maxElements)
      return std::nullopt;
    eval::Evaluator evaluator;
    auto tensors = evaluator.runNode(get, {});
    return succeeded(tensors) ? std::optional((*tensors)[0]) : std::nullopt;
  }

  void evaluate(Operation *node) {
    bool plain = isa<EvaluateInterface>(node) && isMemoryEffectFree(node) &&
                 !isa<ConstantOp, GetParamOp, CallOp>(node) &&
                 node->getNumRegions() == 0 && !node->use_empty();
    if (!plain)
      return;
    for (Type type : node->getResultTypes()) {
      auto tensor = dyn_cast<RankedTensorType>(type);
      auto count = tensor ? elementCount(tensor.getShape()) : std::nullopt;
      // A result of unknown extents is still no larger than its operands say,
      // but what it holds is the caller's: leave it.
      if (!count || *count > maxElements || tensor.getRank() > maxRank)
        return;
    }
    SmallVector<eval::Tensor> operands;
    for (Value operand : node->getOperands()) {
      auto tensor = valueOf(operand);
      if (!tensor)
        return;
      operands.push_back(*tensor);
    }
    eval::Evaluator evaluator;
    // An index out of range is reported when the model runs, not now.
    ScopedDiagnosticHandler quiet(node->getContext(),
                                  [](Diagnostic &) { return success(); });
    auto results = evaluator.runNode(node, operands);
    if (failed(results))
      return;
    for (auto [old, tensor] : llvm::zip(node->getResults(), *results))
      if (tensor.getType() != old.getType())
        return;
    OpBuilder builder(node);
    for (auto [old, tensor] : llvm::zip(node->getResults(), *results)) {
      auto made = ConstantOp::create(builder, node->getLoc(),
                                     cast<ElementsAttr>(tensor.toElements()));
      old.replaceAllUsesWith(made);
    }
    llvm::SetVector<Value> read(node->operand_begin(), node->operand_end());
    node->erase();
    for (Value operand : read)
      if (auto constant = operand.getDefiningOp<ConstantOp>();
          constant && constant->use_empty())
        constant.erase();
    ++numFolded;
  }

  static std::optional<int64_t> scalarOf(Value value) {
    DenseElementsAttr elements;
    if (!value || !matchPattern(value, m_Constant(&elements)) ||
        elements.getNumElements() != 1)
      return std::nullopt;
    APInt number = elements.getSplatValue<APInt>();
    return number.getBitWidth() == 1 ? number.getZExtValue()
                                     : number.getSExtValue();
  }

  static void replaceResults(ValueRange old, ValueRange with) {
    for (auto [from, to] : llvm::zip(old, with))
      from.replaceAllUsesWith(to);
  }

  /// Values that may stand for results of these types.
  static bool sameTypes(ValueRange values, ValueRange results) {
    return TypeRange(values) == TypeRange(results);
  }

  void takeBranch(IfOp op, llvm::DenseSet<Operation *> &gone) {
    auto cond = scalarOf(op.getCond());
    if (!cond)
      return;
    Block &taken = (*cond ? op.getThenBlock() : op.getElseBlock()).front();
    Block &other = (*cond ? op.getElseBlock() : op.getThenBlock()).front();
    Operation *yield = taken.getTerminator();
    if (!sameTypes(yield->getOperands(), op.getResults()))
      return;
    other.walk([&](Operation *inner) { gone.insert(inner); });
    gone.insert(yield);
    op->getBlock()->getOperations().splice(op->getIterator(),
                                           taken.getOperations(), taken.begin(),
                                           yield->getIterator());
    replaceResults(op.getResults(), yield->getOperands());
    op.erase();
    ++numBranches;
  }

  void skipLoop(LoopOp op, llvm::DenseSet<Operation *> &gone) {
    auto trip = scalarOf(op.getTrip()), cond = scalarOf(op.getCond());
    bool never = (trip && *trip <= 0) || (cond && *cond == 0);
    if (!never || !op.getStacked().empty() ||
        !sameTypes(op.getInit(), op.getFinal()))
      return;
    op.getBody().walk([&](Operation *inner) { gone.insert(inner); });
    replaceResults(op.getFinal(), op.getInit());
    op.erase();
    ++numBranches;
  }
};

} // namespace
} // namespace graven
