//===- Pipeline.cpp - the graph phase ---------------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file implements the pipeline of the graph phase, with the reasons for
// its order.
//===----------------------------------------------------------------------===//

#include "passes/graph/Pipeline.h"
#include "dialects/graven/Graven.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"
#include "passes/graph/Passes.h"

using namespace mlir;

namespace graven {

/// Most operations on elements of branches that both run: some 1 us.
static constexpr int64_t kCheapBranches = 4096;

/// The local simplifications, between the passes that look further. Where these
/// found nothing to do, it does nothing either.
static void clean(OpPassManager &manager) {
  manager.addNestedPass<GraphOp>(createCanonicalize());
  manager.addNestedPass<GraphOp>(createMergeEqualNodes());
}

void buildShapePipeline(OpPassManager &manager) {
  manager.addPass(createInlineCalls());
  manager.addPass(createInferShapes());
  clean(manager);
  manager.addNestedPass<GraphOp>(createFoldExtents());
  manager.addPass(createFoldConstants());
  manager.addPass(createInferShapes());
  clean(manager);
}

void buildSampleShapePipeline(OpPassManager &manager) {
  manager.addPass(createInlineCalls());
  manager.addPass(createInferShapes());
  manager.addNestedPass<GraphOp>(createCanonicalize());
  manager.addPass(createFoldConstants());
  manager.addPass(createInferShapes());
  manager.addNestedPass<GraphOp>(createCanonicalize());
  manager.addPass(createEliminateDeadNodes());
}

void buildCountedShapePipeline(OpPassManager &manager) {
  manager.addPass(createInlineCalls());
  // What is folded at one extent must be at each of the others.
  FoldConstantsOptions fold;
  fold.maxRank = 0;
  manager.addPass(createFoldConstants(fold));
  manager.addNestedPass<GraphOp>(createSelectBranches());
  manager.addPass(createEliminateDeadNodes());
}

void buildGraphPipeline(OpPassManager &manager,
                        const GraphPipelineOptions &options) {
  // One Graph with all extents that can be known: what the lowering needs even
  // when nothing is to be optimized.
  manager.addPass(createInlineCalls());
  InferShapesOptions shapes;
  llvm::append_range(shapes.inputShapes, options.inputShapes);
  manager.addPass(createInferShapes(shapes));
  DecomposeRecurrentOptions recurrent;
  recurrent.kernels = RecurrentKernels::Keep;
  manager.addNestedPass<GraphOp>(createDecomposeRecurrent(recurrent));
  if (options.level <= 0)
    return;

  // Shape arithmetic and masks become constants, branches that they decide are
  // taken, and then more extents are known.
  clean(manager);
  manager.addNestedPass<GraphOp>(createFoldExtents());
  manager.addPass(createFoldConstants());
  manager.addPass(createInferShapes());
  clean(manager);

  // What does not depend on the iteration leaves a loop before the loop is
  // unrolled; what then depends on a number alone is folded.
  manager.addNestedPass<GraphOp>(createHoistLoopInvariants());
  manager.addNestedPass<GraphOp>(createUnrollLoops());
  manager.addPass(createFoldConstants());
  clean(manager);

  // Branches that cost less than they separate, when loops are unrolled and
  // what both Blocks have is in front of them.
  SelectBranchesOptions branches;
  branches.maxCost = kCheapBranches;
  manager.addNestedPass<GraphOp>(createSelectBranches(branches));

  // Redundant Nodes hide patterns, so they go first. Transposes before the
  // patterns: attention is recognised by the flag of its first product.
  manager.addNestedPass<GraphOp>(createRemoveIdentities());
  manager.addNestedPass<GraphOp>(createSimplifyArithmetic());
  manager.addNestedPass<GraphOp>(createSimplifyMovement());
  manager.addNestedPass<GraphOp>(createSimplifyTransposes());
  manager.addNestedPass<GraphOp>(createUnflattenMatmul());
  clean(manager);
  manager.addNestedPass<GraphOp>(createRecomposeOps());
  // Masks of attention are recognised by the selections that models write.
  manager.addNestedPass<GraphOp>(createSimplifyConditions());
  clean(manager);
  // When attention and norms are whole, what a slice spares is seen through
  // them.
  manager.addNestedPass<GraphOp>(createBubbleUpSlices());

  // The weights of several projections are one where attention reads their
  // results; what it reads is known now.
  manager.addNestedPass<GraphOp>(createMergeProjections());

  // Batch norms disappear into weights while convolutions are still planar and
  // their weights are in the order of the model.
  manager.addNestedPass<GraphOp>(createFuseConvBN());
  manager.addNestedPass<GraphOp>(createScaleWeights());
  // Norms between contractions are gone now. Sums of sums are no plain sums.
  if (options.numerics != Numerics::Strict)
    manager.addNestedPass<GraphOp>(createMergeContractions());
  if (options.layouts) {
    manager.addNestedPass<GraphOp>(createDecomposeConvTranspose());
    manager.addNestedPass<GraphOp>(createDecomposeVolumeConv());
  }
  // Scales of attention were found behind the transposes of heads; now what
  // stands behind a product is to follow it.
  manager.addNestedPass<GraphOp>(createSinkTransposes());
  // Recomposed Nodes free transposes around them.
  manager.addNestedPass<GraphOp>(createSimplifyTransposes());
  // Casts go to their places around transposes when these are at theirs.
  manager.addNestedPass<GraphOp>(createMoveCasts());
  clean(manager);
  manager.addPass(createEliminateDeadNodes());

  // Layouts after everything that matches Nodes by their planar form, fusion
  // after layouts: a relayout between a convolution and its activation would
  // keep them apart.
  if (options.layouts)
    manager.addNestedPass<GraphOp>(createAssignLayouts());
  clean(manager);
  manager.addPass(createFoldConstants());
  clean(manager);
  // Which contractions read bf16 depends on layouts, and what is left for other
  // algorithms on that.
  if (options.precision != Precision::F32) {
    LowerPrecisionOptions lower;
    lower.type = options.precision;
    lower.activations = options.bf16Dot;
    lower.numerics = options.numerics;
    manager.addNestedPass<GraphOp>(createLowerPrecision(lower));
    manager.addNestedPass<GraphOp>(createMergeEqualNodes());
  }
  // Both weigh work against caches of a core. Tensor cores multiply faster than
  // transforms save multiplications, and have the whole batch at a time.
  if (options.processor == Processor::CPU) {
    // What a convolution costs depends on its layout.
    ChooseAlgorithmsOptions algorithms;
    algorithms.numerics = options.numerics;
    manager.addNestedPass<GraphOp>(createChooseAlgorithms(algorithms));
    // What images weigh depends on the layout, and weights on the algorithm;
    // each iteration has its own epilogues.
    if (options.layouts)
      manager.addNestedPass<GraphOp>(createSplitBatch());
  }
  // Nothing folds after this: constants must stay outside of the fusions.
  manager.addNestedPass<GraphOp>(createFuseEpilogues());
  manager.addPass(createEliminateDeadNodes());
  // Last, because the passes before recognise what is computed from Parameters
  // by its Nodes.
  manager.addPass(createHoistParameters());
  manager.addPass(createVerifyGraphPhase());
}

void registerGraphPipeline() {
  PassPipelineRegistration<GraphPipelineOptions>(
      "graven-graph-pipeline", "the graph phase, from imported to fused",
      buildGraphPipeline);
  PassPipelineRegistration<>("graven-dce",
                             "short for graven-eliminate-dead-nodes",
                             [](OpPassManager &manager) {
                               manager.addPass(createEliminateDeadNodes());
                             });
}

} // namespace graven
