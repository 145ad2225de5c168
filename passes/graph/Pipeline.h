//===- Pipeline.h - the graph phase -----------------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file declares the pipeline that takes an imported model to the end of
// the graph phase.
//===----------------------------------------------------------------------===//

#ifndef PASSES_GRAPH_PIPELINE_H
#define PASSES_GRAPH_PIPELINE_H

#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassOptions.h"
#include "passes/graph/Passes.h"
#include "passes/lower/TargetInfo.h"

namespace graven {

struct GraphPipelineOptions
    : public mlir::PassPipelineOptions<GraphPipelineOptions> {
  Option<int> level{*this, "level",
                    llvm::cl::desc("optimization level, 0 to 3"),
                    llvm::cl::init(2)};
  Option<bool> layouts{
      *this, "layouts",
      llvm::cl::desc("choose channel-blocked layouts, and convolutions that "
                     "have them instead of others (level 1 and up)"),
      llvm::cl::init(true)};
  Option<Numerics> numerics{
      *this, "numerics",
      llvm::cl::desc("how much rounding may differ from plain sums"),
      llvm::cl::init(Numerics::Default),
      llvm::cl::values(
          clEnumValN(Numerics::Strict, "strict", "plain sums only"),
          clEnumValN(Numerics::Default, "default",
                     "within the accuracy policy"),
          clEnumValN(Numerics::Fast, "fast", "not measured"))};
  Option<Precision> precision{
      *this, "precision", llvm::cl::desc("what contractions multiply"),
      llvm::cl::init(Precision::F32),
      llvm::cl::values(clEnumValN(Precision::F32, "f32", "f32"),
                       clEnumValN(Precision::BF16, "bf16", "bf16"))};
  Option<bool> bf16Dot{*this, "bf16-dot",
                       llvm::cl::desc("the target multiplies pairs of bf16"),
                       llvm::cl::init(false)};
  Option<Processor> processor{
      *this, "processor", llvm::cl::desc("what runs the kernels"),
      llvm::cl::init(Processor::CPU),
      llvm::cl::values(clEnumValN(Processor::CPU, "cpu", "few fast threads"),
                       clEnumValN(Processor::GPU, "gpu",
                                  "blocks of many threads, and tensor cores"))};
  ListOption<std::string> inputShapes{
      *this, "input-shapes",
      llvm::cl::desc("shapes of inputs, as NAME:1x3x224x224")};
};

/// Adds the passes of the graph phase to the pass manager of a module.
void buildGraphPipeline(mlir::OpPassManager &manager,
                        const GraphPipelineOptions &options);

/// Adds the first of these passes: one Graph of Nodes, with all extents that
/// can be known.
void buildShapePipeline(mlir::OpPassManager &manager);

/// Adds the same without the merging of equal Nodes: Graphs of one model at
/// several extents, where other extents happen to be equal, then have the same
/// Nodes.
void buildSampleShapePipeline(mlir::OpPassManager &manager);

/// The same for samples with extents of one and none, of which canonical forms
/// are others (a sum over an axis of one is a reshape), where the extents are
/// known already.
void buildCountedShapePipeline(mlir::OpPassManager &manager);

/// Makes it known as `graven-graph-pipeline`, and `graven-dce`, as compilers
/// call the elimination of dead Nodes.
void registerGraphPipeline();

} // namespace graven

#endif // PASSES_GRAPH_PIPELINE_H
