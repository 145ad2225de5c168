//===- InferShapes.cpp - extents from inputs to outputs ---------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements InferShapes, which gives inputs the shapes asked for and
// carries what is known of extents through every Node, sub-Block and output.
//===----------------------------------------------------------------------===//

#include "dialects/graven/folds/Folds.h"
#include "dialects/support/Diagnostics.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "passes/graph/Fingerprint.h"
#include "passes/graph/GraphUtils.h"
#include "passes/graph/Passes.h"

namespace graven {
#define GEN_PASS_DEF_INFERSHAPES
#include "passes/graph/Passes.h.inc"
} // namespace graven

using namespace mlir;

namespace graven {
namespace {

/// `type` with the extents that only `other` knows; null when both know one and
/// differ.
RankedTensorType met(RankedTensorType type, RankedTensorType other) {
  if (type.getRank() != other.getRank() ||
      type.getElementType() != other.getElementType())
    return {};
  SmallVector<int64_t> shape;
  for (auto [a, b] : llvm::zip(type.getShape(), other.getShape())) {
    if (!sameExtent(a, b))
      return {};
    shape.push_back(ShapedType::isDynamic(a) ? b : a);
  }
  return RankedTensorType::get(shape, type.getElementType());
}

/// The extents that both types have; null for different ranks or elements.
RankedTensorType joined(RankedTensorType a, RankedTensorType b) {
  if (a.getRank() != b.getRank() || a.getElementType() != b.getElementType())
    return {};
  SmallVector<int64_t> shape;
  for (auto [x, y] : llvm::zip(a.getShape(), b.getShape()))
    shape.push_back(x == y ? x : ShapedType::kDynamic);
  return RankedTensorType::get(shape, a.getElementType());
}

/// "NAME:1x3x224x224" as its two parts; a rank-0 shape is empty.
struct InputShape {
  StringRef name;
  SmallVector<int64_t> extents;
};

std::optional<InputShape> parseShape(StringRef text) {
  InputShape result;
  StringRef extents;
  size_t colon = text.rfind(':');
  if (colon == StringRef::npos)
    return std::nullopt;
  result.name = text.take_front(colon);
  extents = text.drop_front(colon + 1);
  SmallVector<StringRef> parts;
  extents.split(parts, 'x', -1, /*KeepEmpty=*/false);
  for (StringRef part : parts) {
    int64_t extent = ShapedType::kDynamic;
    if (part != "?" && (part.getAsInteger(10, extent) || extent < 0))
      return std::nullopt;
    result.extents.push_back(extent);
  }
  return result;
}

class InferShapesPass : public impl::InferShapesBase<InferShapesPass> {
public:
  using InferShapesBase::InferShapesBase;

private:
  void runOnOperation() override {
    settled = &getAnalysis<SettledGraphs>();
    auto forward = getOperation().lookupSymbol<GraphOp>("forward");
    for (StringRef text : inputShapes)
      if (failed(setInput(forward, text)))
        return signalPassFailure();
    for (auto graph : getOperation().getOps<GraphOp>())
      if (failed(inferGraph(graph)))
        return signalPassFailure();
  }

  LogicalResult setInput(GraphOp graph, StringRef text) {
    Location at = graph ? graph.getLoc() : getOperation().getLoc();
    auto wanted = parseShape(text);
    if (!wanted)
      return emitCoded(at, Code::BadInputSpec)
             << "expected NAME:1x3x224x224, got '" << text << "'";
    for (unsigned i = 0, e = graph ? graph.getNumArguments() : 0; i < e; ++i) {
      if (graph.getInputName(i) != wanted->name)
        continue;
      BlockArgument input = graph.getArgument(i);
      auto asked = RankedTensorType::get(wanted->extents,
                                         tensorType(input).getElementType());
      RankedTensorType both = met(tensorType(input), asked);
      if (!both)
        return emitCoded(at, Code::BadInputShape)
               << "input '" << wanted->name << "' has type " << input.getType()
               << ", got " << asked;
      input.setType(both);
      return success();
    }
    return emitCoded(at, Code::UnknownInput)
           << "no input is named '" << wanted->name << "'";
  }

  /// Types and the folds that they make possible, in turn, until neither
  /// changes anything.
  LogicalResult inferGraph(GraphOp graph) {
    constexpr int maxRounds = 16;
    for (int round = 0; round < maxRounds; ++round) {
      changed = false;
      if (failed(inferBlock(graph.getBody().front())))
        return failure();
      graph.updateType();
      if (!changed && isCanonical(graph))
        break;
      RewritePatternSet patterns(&getContext());
      for (RegisteredOperationName name :
           getContext().getRegisteredOperationsByDialect("graven"))
        name.getCanonicalizationPatterns(patterns, &getContext());
      bool folded = false;
      (void)applyPatternsGreedily(
          graph, std::move(patterns),
          GreedyRewriteConfig().setRegionSimplificationLevel(
              GreedySimplifyRegionLevel::Disabled),
          &folded);
      if (!changed && !folded)
        break;
    }
    return success();
  }

  /// Whether graven-canonicalize left it like this: folds find nothing.
  bool isCanonical(GraphOp graph) {
    return settled->of(graph).canonical == fingerprintOf(graph);
  }

  LogicalResult refine(Value value, RankedTensorType inferred, Location loc) {
    RankedTensorType both = met(tensorType(value), inferred);
    if (!both)
      return emitCoded(loc, Code::BadGraph)
             << "contradicting shapes: the model says " << value.getType()
             << ", the operands give " << inferred;
    if (both == value.getType())
      return success();
    value.setType(both);
    changed = true;
    ++numRefined;
    return success();
  }

  LogicalResult inferBlock(Block &block) {
    for (Operation &node : block) {
      if (failed(inferNode(&node)))
        return failure();
    }
    return success();
  }

  /// Extents and bounds that have become constants move from the operands into
  /// the attributes, where inference sees them.
  void takeConstantExtents(Operation *node) {
    auto takeShape = [&](auto op) {
      SmallVector<int64_t> shape(op.getShape());
      SmallVector<Value> operands(op.getDynamicShape());
      if (!takeConstants(shape, operands))
        return;
      op.getDynamicShapeMutable().assign(operands);
      op.setShape(shape);
      changed = true;
    };
    if (auto reshape = dyn_cast<ReshapeOp>(node))
      takeShape(reshape);
    else if (auto broadcast = dyn_cast<BroadcastOp>(node))
      takeShape(broadcast);
    else if (auto iota = dyn_cast<IotaOp>(node))
      takeShape(iota);
    auto slice = dyn_cast<SliceOp>(node);
    if (!slice)
      return;
    SmallVector<int64_t> starts(slice.getStarts()), ends(slice.getEnds());
    SmallVector<Value> from(slice.getDynamicStarts()),
        to(slice.getDynamicEnds());
    bool start = takeConstants(starts, from), end = takeConstants(ends, to);
    if (!start && !end)
      return;
    slice.getDynamicStartsMutable().assign(from);
    slice.getDynamicEndsMutable().assign(to);
    slice.setStarts(starts);
    slice.setEnds(ends);
    changed = true;
  }

  LogicalResult inferNode(Operation *node) {
    takeConstantExtents(node);
    if (auto op = dyn_cast<IfOp>(node))
      return inferIf(op);
    if (auto loop = dyn_cast<LoopOp>(node))
      return inferLoop(loop);
    if (auto fusion = dyn_cast<FusionOp>(node))
      return inferFusion(fusion);
    auto infer = dyn_cast<InferTypeOpInterface>(node);
    if (!infer)
      return success();
    SmallVector<Type> types;
    if (failed(infer.inferReturnTypes(
            node->getContext(), node->getLoc(), node->getOperands(),
            node->getDiscardableAttrDictionary(), node->getPropertiesStorage(),
            node->getRegions(), types)))
      return failure();
    for (auto [result, type] : llvm::zip(node->getResults(), types))
      if (failed(refine(result, cast<RankedTensorType>(type), node->getLoc())))
        return failure();
    return success();
  }

  LogicalResult inferIf(IfOp op) {
    if (failed(inferBlock(op.getThenBlock().front())) ||
        failed(inferBlock(op.getElseBlock().front())))
      return failure();
    auto thens = op.getThenBlock().front().getTerminator()->getOperands(),
         elses = op.getElseBlock().front().getTerminator()->getOperands();
    for (auto [result, a, b] : llvm::zip(op.getResults(), thens, elses)) {
      RankedTensorType either = joined(tensorType(a), tensorType(b));
      if (either && failed(refine(result, either, op.getLoc())))
        return failure();
    }
    return success();
  }

  /// A carried value that the body yields unchanged, or with the extents of the
  /// first iteration whatever it was given, has those extents throughout.
  LogicalResult inferLoop(LoopOp op) {
    Block &body = op.getBody().front();
    auto yield = cast<YieldOp>(body.getTerminator());
    for (auto [argument, init, next] :
         llvm::zip(body.getArguments().drop_front(), op.getInit(),
                   yield.getValues().drop_front())) {
      bool invariant = next == argument || tensorType(next) == tensorType(init);
      if (invariant && failed(refine(argument, tensorType(init), op.getLoc())))
        return failure();
    }
    if (failed(inferBlock(body)))
      return failure();
    size_t carried = op.getInit().size();
    for (auto [i, result] : llvm::enumerate(op.getFinal())) {
      RankedTensorType either = joined(tensorType(op.getInit()[i]),
                                       tensorType(yield.getValues()[1 + i]));
      if (either && failed(refine(result, either, op.getLoc())))
        return failure();
    }
    for (auto [i, result] : llvm::enumerate(op.getStacked())) {
      RankedTensorType slice = tensorType(yield.getValues()[1 + carried + i]);
      SmallVector<int64_t> shape{tensorType(result).getDimSize(0)};
      llvm::append_range(shape, slice.getShape());
      if (failed(refine(result,
                        RankedTensorType::get(shape, slice.getElementType()),
                        op.getLoc())))
        return failure();
    }
    return success();
  }

  LogicalResult inferFusion(FusionOp op) {
    Block &body = op.getBody().front();
    for (auto [argument, input] :
         llvm::zip(body.getArguments(), op.getInputs()))
      if (failed(refine(argument, tensorType(input), op.getLoc())))
        return failure();
    if (failed(inferBlock(body)))
      return failure();
    for (auto [result, value] :
         llvm::zip(op.getResults(), body.getTerminator()->getOperands()))
      if (failed(refine(result, tensorType(value), op.getLoc())))
        return failure();
    return success();
  }

  bool changed = false;
  SettledGraphs *settled = nullptr;
};

} // namespace
} // namespace graven
