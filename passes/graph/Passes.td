//===- Passes.td - passes on graphs ------------------------*- tablegen -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file defines the passes from the graven dialect to itself, in the order
// in which the pipeline runs them (Pipeline.cpp says why that order).
//===----------------------------------------------------------------------===//

#ifndef PASSES_GRAPH_PASSES_TD
#define PASSES_GRAPH_PASSES_TD

include "mlir/Pass/PassBase.td"

def FuseConvBN : Pass<"graven-fuse-conv-bn", "::graven::GraphOp"> {
  let summary = "multiply batch normalisations into weights";
  let description = [{
    A batch normalisation behind a convolution (1-d to 3-d, grouped or transposed) or a matrix product of rank 2, with or
    without bias, is multiplied into the weights and the bias: `w' = w s`, `b' = (b - mean) s + bias` with
    `s = scale / sqrt(variance + epsilon)`. The arithmetic is Nodes on Parameters, computed once at compile time, in f32
    for f16 and bf16. A bias added behind a convolution without one becomes its bias. A batch normalisation with nothing
    before it to take it becomes a product and a sum.

    Before ==> after:
    ```mlir
    %0 = graven.conv %x, %w strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] : ...
    %1 = graven.batch_norm %0 scale %s bias %b mean %m variance %v epsilon 1.0e-5 : ...
    ==>
    %e = graven.constant dense<1.0e-5> : tensor<1xf32>
    %0 = graven.add %v, %e : ...
    %1 = graven.sqrt %0 : tensor<8xf32>
    %2 = graven.div %s, %1 : ...
    %3 = graven.mul %m, %2 : ...
    %4 = graven.sub %b, %3 : ...
    %5 = graven.reshape %2 to [8, 1, 1, 1] : ...
    %6 = graven.mul %w, %5 : ...
    %7 = graven.conv %x, %6 bias %4 strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] : ...
    ```

    Preconditions: the statistics and the weights are computed from Parameters and constants alone; the contraction has
    no second user (then the product and the sum are built). It does not move a batch normalisation across other Nodes.
  }];
  let dependentDialects = ["::graven::GravenDialect"];
  let statistics = [Statistic<"numFused", "fused", "Number of batch normalisations and biases absorbed or expanded">];
}

def SimplifyTransposes : Pass<"graven-simplify-transposes", "::graven::GraphOp"> {
  let summary = "merge, cancel and absorb transposes";
  let description = [{
    Transposes of transposes merge; one that moves only extents of 1 is a reshape; reshapes of reshapes merge. A transpose
    behind elementwise Nodes moves in front of them where every path up ends in a transpose it merges with, or in weights.
    A transpose of the last two axes becomes a flag of the matrix product it feeds, or turns the product it follows
    around. A reduction goes in front of the transpose it follows.

    Before ==> after:
    ```mlir
    %0 = graven.transpose %x by [0, 2, 3, 1] : (tensor<1x8x4x4xf32>) -> tensor<1x4x4x8xf32>
    %1 = graven.relu %0 : tensor<1x4x4x8xf32>
    %2 = graven.transpose %1 by [0, 3, 1, 2] : (tensor<1x4x4x8xf32>) -> tensor<1x8x4x4xf32>
    ==>
    %2 = graven.relu %x : tensor<1x8x4x4xf32>
    ```

    Preconditions: values on the way have one user; a product is turned around only where its right-hand side is no
    weight. It does not split a transpose, and does not move one that would remain.
  }];
  let dependentDialects = ["::graven::GravenDialect"];
  let statistics = [Statistic<"numRewritten", "rewritten", "Number of transposes moved or absorbed">];
}

def EliminateDeadNodes : Pass<"graven-eliminate-dead-nodes", "::mlir::ModuleOp"> {
  let summary = "erase what no output depends on";
  let description = [{
    Erases Nodes without effect or user, results of `if`, carried values and stacked results of `loop` that nothing but
    themselves depends on, with what they yield, and Parameters that no Node reads.

    Before ==> after:
    ```mlir
    %0, %1 = graven.if %c -> (tensor<2xf32>, tensor<2xf32>) {
      graven.yield %a, %b : tensor<2xf32>, tensor<2xf32>
    } else {
      graven.yield %b, %a : tensor<2xf32>, tensor<2xf32>
    }
    graven.return %0 : tensor<2xf32>
    ==>
    %0 = graven.if %c -> (tensor<2xf32>) {
      graven.yield %a : tensor<2xf32>
    } else {
      graven.yield %b : tensor<2xf32>
    }
    graven.return %0 : tensor<2xf32>
    ```

    Preconditions: none. Inputs of a Graph stay, used or not: they are its signature. A loop that may not end and whose
    results are unused is erased like any other.
  }];
  let statistics = [
    Statistic<"numNodes", "nodes", "Number of Nodes erased">,
    Statistic<"numShrunk", "shrunk", "Number of times an if or loop lost results">,
    Statistic<"numParams", "params", "Number of Parameters erased">,
  ];
}

def AssignLayouts : Pass<"graven-assign-layouts", "::graven::GraphOp"> {
  let summary = "put convolutional parts of the graph into channel blocks";
  let description = [{
    Chooses for each Node the planar layout ([N,C,D..]) or the channel-blocked one ([N,ceil(C/16),D..,16]) that the kernels
    of convolutions and pools work on, and inserts `graven.relayout` where the two meet. A relayout of a Parameter is
    computed once, at compile time; one between a tensor of whole blocks and no spatial extent is a reshape.

    These have a blocked form, for one or two spatial axes: convolutions of f32 and f64 (dense; depthwise; grouped with a
    multiple of 16 channels a group on both sides), max_pool, avg_pool, elementwise Nodes whose operands have all channels
    or one, concat on the channel axis when every part but the last is whole blocks, concat and slice on other axes, slice
    of whole blocks, reduce over spatial axes (of all of them, without `keep`, to [N,C]), resize and pad of spatial axes. A
    convolution of at most 4 channels reads planes and gives blocks.

    Before ==> after:
    ```mlir
    %0 = graven.conv %x, %w strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0]
        : (tensor<1x3x8x8xf32>, tensor<32x3x1x1xf32>) -> tensor<1x32x8x8xf32>
    %1 = graven.relu %0 : tensor<1x32x8x8xf32>
    ==>
    %0 = graven.conv %x, %w strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] layout nchw16c channels 3
        : (tensor<1x3x8x8xf32>, tensor<32x3x1x1xf32>) -> tensor<1x2x8x8x16xf32>
    %1 = graven.relu %0 : tensor<1x2x8x8x16xf32>
    %2 = graven.relayout %1 from nchw16c to nchw channels 32 : (tensor<1x2x8x8x16xf32>) -> tensor<1x32x8x8xf32>
    ```

    The choice: Nodes that hang together and have a blocked form are blocked if a convolution is among them. Then single
    Nodes turn back to planar as long as that lowers the cost, which is bytes: of every result in its layout (a block of few
    channels is mostly padding), and three times the mean of both layouts' bytes for every relayout. Convolutions never
    turn back: their planar form is many times slower than any relayout.

    Preconditions: static extents. Values that sub-Blocks or other Nodes read stay planar for them. It runs once: blocked
    Nodes are left as they are.
  }];
  let dependentDialects = ["::graven::GravenDialect"];
  let statistics = [
    Statistic<"numBlocked", "blocked", "Number of Nodes put into channel blocks">,
    Statistic<"numRelayouts", "relayouts", "Number of relayouts inserted">,
  ];
}

def FuseEpilogues : Pass<"graven-fuse-epilogues", "::graven::GraphOp"> {
  let summary = "fuse elementwise Nodes behind contractions";
  let description = [{
    A convolution or matrix product of f32 or f64 and the chain of elementwise Nodes behind it (bias, activation, residual
    sum, ...) become one `graven.fusion` of kind "epilogue": the chain then runs on the register tile before it is stored.
    Constants and Parameters are operands of the fusion.

    Before ==> after:
    ```mlir
    %0 = graven.matmul %x, %w : (tensor<4x8xf32>, tensor<8x2xf32>) -> tensor<4x2xf32>
    %1 = graven.add %0, %b : (tensor<4x2xf32>, tensor<1x2xf32>) -> tensor<4x2xf32>
    %2 = graven.relu %1 : tensor<4x2xf32>
    ==>
    %2 = graven.fusion(%a0 = %x : tensor<4x8xf32>, %a1 = %w : tensor<8x2xf32>, %a2 = %b : tensor<1x2xf32>)
        attributes {kind = "epilogue"} -> tensor<4x2xf32> {
      %0 = graven.matmul %a0, %a1 : ...
      %1 = graven.add %0, %a2 : ...
      %r = graven.relu %1 : tensor<4x2xf32>
      graven.yield %r : tensor<4x2xf32>
    }
    ```

    Preconditions: static extents; each value has one user, which lies in the same Block; every Node of the chain gives the
    type of the contraction; its other operands have the element type and are the full tensor, one number, one a channel of
    the convolution or one a column of the matrix. At most 24 Nodes and 6 tensors, which registers can hold. The chain ends
    before the first Node that does not fit.
  }];
  let dependentDialects = ["::graven::GravenDialect"];
  let statistics = [Statistic<"numFused", "fused", "Number of fusions made">];
}

#endif // PASSES_GRAPH_PASSES_TD
