//===- KernelPasses.td - forms for kernels -----------------*- tablegen -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file defines those passes of graphs that choose the forms, layouts and
// algorithms which kernels compute.
//===----------------------------------------------------------------------===//

#ifndef PASSES_GRAPH_KERNELPASSES_TD
#define PASSES_GRAPH_KERNELPASSES_TD

include "mlir/Pass/PassBase.td"

def ChooseAlgorithms : Pass<"graven-choose-algorithms", "::graven::GraphOp"> {
  let summary = "choose how contractions are computed";
  let description = [{
    A 3x3 convolution in channel blocks, with strides and dilations 1, one group, and at least 16 channels on either side,
    is given Winograd's algorithm (Lavin and Gray, 2015) where a cost model says that it is faster: with output tiles of
    4x4 (a quarter of the multiplications) or 2x2 (four ninths). The model counts multiplications, transforms, and the
    bytes of the transformed weights, which are four times or 1.8 times as large. A matrix product with weights, of at
    least 64 rows, takes one level of Strassen's recursion (seven products of quadrants instead of eight) by a like model.

    With `numerics` default, tiles of 4x4 and Strassen's recursion are taken only where their error on the actual weights stays within what the
    accuracy policy allows a sum of products; fast does not measure, strict leaves all contractions direct. 2x2 rounds no
    worse than a direct convolution. A NaN or an infinity in the input reaches all pixels of its tile. Strassen's recursion
    mixes rows: a product whose vectors are brought to length 1 stays direct (but with fast), so that rows of 0 stay 0.

    Before ==> after:
    ```mlir
    %0 = graven.conv %x, %w strides [1, 1] dilations [1, 1] pads [1, 1, 1, 1] layout nchw16c channels 64 : ...
    ==>
    %0 = graven.conv %x, %w strides [1, 1] dilations [1, 1] pads [1, 1, 1, 1] layout nchw16c channels 64
        algorithm winograd4 : ...
    ```

    Preconditions: f32, static extents, and weights that are computed from Parameters and constants alone.
  }];
  let dependentDialects = ["::graven::GravenDialect"];
  let options = [
    Option<"numerics", "numerics", "::graven::Numerics", /*default=*/"::graven::Numerics::Default",
           "how much rounding may differ from plain sums", [{::llvm::cl::values(
             clEnumValN(::graven::Numerics::Strict, "strict", "plain sums only"),
             clEnumValN(::graven::Numerics::Default, "default", "within the accuracy policy"),
             clEnumValN(::graven::Numerics::Fast, "fast", "not measured"))}]>];
  let statistics = [Statistic<"numWinograd2", "winograd2", "Number of convolutions on tiles of 2x2">,
                    Statistic<"numWinograd4", "winograd4", "Number of convolutions on tiles of 4x4">,
                    Statistic<"numStrassen", "strassen", "Number of products by Strassen's recursion">];
}

def LowerPrecision : Pass<"graven-lower-precision", "::graven::GraphOp"> {
  let summary = "multiply bf16 instead of f32";
  let description = [{
    The weights of a matrix product, of a recurrent layer, or of a convolution in channel blocks, are rounded to bf16 (to
    nearest, ties to even): they take half the memory and half the time to read. With `activations`, for a target that
    multiplies pairs of bf16, so is what a product or convolution multiplies them with. Sums, and all other Nodes, stay f32,
    and so do the inputs and outputs of the Graph. A table of Parameters from which slices are gathered is rounded, too.

    Before ==> after:
    ```mlir
    %0 = graven.matmul %x, %w : (tensor<4x768xf32>, tensor<768x768xf32>) -> tensor<4x768xf32>
    ==>
    %w16 = graven.cast %w {to = bf16} : (tensor<768x768xf32>) -> tensor<768x768xbf16>
    %w32 = graven.cast %w16 {to = f32} : (tensor<768x768xbf16>) -> tensor<768x768xf32>
    %0 = graven.matmul %x, %w32 : (tensor<4x768xf32>, tensor<768x768xf32>) -> tensor<4x768xf32>
    ```
    The casts back are no work: the rounding is what @prepare computes, and kernels widen what they load.

    A rounded factor differs by at most 2^-9 of it, so a product of two by less than 2^-8 of it, and a sum of K products by
    less than 2^-8 sum |x w|: within what the accuracy policy allows bf16, 2 sqrt(K) 2^-7 sum |x w|, unless factors become
    infinite or are taken for 0. So, unless `numerics` is fast, the error of a contraction on its actual weights is measured,
    and it stays f32 where the policy would be broken. Weights that cannot be read now are taken for ordinary ones.

    Preconditions: f32, static extents, at least 4096 weights, computed from Parameters alone. With `activations`, attention multiplies
    its queries, keys, values and weights rounded, too (`rounded`). What stays f32: other products of two activations, depthwise convolutions, convolutions of planar inputs (the first of an image network),
    and, without `activations`, convolutions for which Winograd's algorithm is faster.
  }];
  let dependentDialects = ["::graven::GravenDialect"];
  let options = [
    Option<"type", "type", "::graven::Precision", /*default=*/"::graven::Precision::BF16",
           "what contractions multiply", [{::llvm::cl::values(
             clEnumValN(::graven::Precision::F32, "f32", "f32, as it is"),
             clEnumValN(::graven::Precision::BF16, "bf16", "bf16"))}]>,
    Option<"activations", "activations", "bool", /*default=*/"false", "Round both factors, not weights alone">,
    Option<"numerics", "numerics", "::graven::Numerics", /*default=*/"::graven::Numerics::Default",
           "whether errors are measured", [{::llvm::cl::values(
             clEnumValN(::graven::Numerics::Strict, "strict", "within the accuracy policy"),
             clEnumValN(::graven::Numerics::Default, "default", "within the accuracy policy"),
             clEnumValN(::graven::Numerics::Fast, "fast", "not measured"))}]>,
  ];
  let statistics = [Statistic<"numLowered", "lowered", "Number of Nodes that read bf16">,
                    Statistic<"numKept", "kept", "Number of contractions that stay f32">];
}

def DecomposeConvTranspose : Pass<"graven-decompose-conv-transpose", "::graven::GraphOp"> {
  let summary = "transposed convolutions as sub-pixel convolutions";
  let description = [{
    The output positions of a transposed convolution fall into phases by their remainder by the strides. The positions of one
    phase are reached by the same taps, those k with k d = o + lo (mod s), so that each phase is a convolution with unit
    strides and some of the taps in reverse order, whose result goes to every s-th position (Shi et al., "Real-Time Single
    Image and Video Super-Resolution Using an Efficient Sub-Pixel Convolutional Neural Network", 2016). No zero is
    multiplied, the phases are stored at their places, and they take any of the algorithms of convolutions. Elementwise Nodes
    behind it that read nothing else but numbers and one value a channel go before the phases are put together.

    Before ==> after, the first of four phases:
    ```mlir
    %0 = graven.conv_transpose %x, %w strides [2, 2] dilations [1, 1] pads [0, 0, 0, 0] output_padding [0, 0]
        : (tensor<1x8x4x4xf32>, tensor<8x3x2x2xf32>) -> tensor<1x3x8x8xf32>
    ==>
    %0 = graven.transpose %w by [0, 2, 1, 3, 4] : ... (between reshapes: [Ci, Co/g, K..] to [Co, Ci/g, K..])
    %1 = graven.slice %0 [0, 0, 0, 0] to [3, 8, 2, 2] by [1, 1, 2, 2] : (tensor<3x8x2x2xf32>) -> tensor<3x8x1x1xf32>
    %2 = graven.reverse %1 axes [2, 3] : (tensor<3x8x1x1xf32>) -> tensor<3x8x1x1xf32>
    %3 = graven.conv %x, %2 strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0]
        : (tensor<1x8x4x4xf32>, tensor<3x8x1x1xf32>) -> tensor<1x3x4x4xf32>
    %4 = graven.insert_slice %3 into %zeros [0, 0, 0, 0] by [1, 1, 2, 2]
        : (tensor<1x3x8x8xf32>, tensor<1x3x4x4xf32>) -> tensor<1x3x8x8xf32>
    ```

    Any strides, kernels, dilations, pads, output padding and groups. Preconditions: static extents, at least one element,
    at most 256 phases.
  }];
  let dependentDialects = ["::graven::GravenDialect"];
  let statistics = [Statistic<"numDecomposed", "decomposed", "Number of transposed convolutions rewritten">];
}

def DecomposeVolumeConv : Pass<"graven-decompose-volume-conv", "::graven::GraphOp"> {
  let summary = "3-D convolutions as 2-D ones";
  let description = [{
    A convolution over depth, height and width is a 2-D convolution of each plane of its output: over the channels of all
    planes of the input that reach it, KD times as many. Planes are copied beside each other for that, KD times the input,
    which is little beside the products: each of their elements is multiplied Co KH KW times. The 2-D convolutions take
    any of the algorithms and layouts there are for those. Elementwise Nodes of one operand behind it go along.

    Before ==> after:
    ```mlir
    %0 = graven.conv %x, %w strides [1, 1, 1] dilations [1, 1, 1] pads [0, 1, 1, 0, 1, 1]
        : (tensor<1x8x4x6x6xf32>, tensor<16x8x2x3x3xf32>) -> tensor<1x16x3x6x6xf32>
    ==>
    %1 = graven.transpose %x by [0, 2, 1, 3, 4] : (tensor<1x8x4x6x6xf32>) -> tensor<1x4x8x6x6xf32>
    (slices of three planes, from 0 and from 1, concatenated along the channels, as 3x16x6x6; the weights as 16x16x3x3)
    %2 = graven.conv %planes, %weights strides [1, 1] dilations [1, 1] pads [1, 1, 1, 1]
        : (tensor<3x16x6x6xf32>, tensor<16x16x3x3xf32>) -> tensor<3x16x6x6xf32>
    (as 1x3x16x6x6, transposed by [0, 2, 1, 3, 4])
    ```

    Any strides, kernels, dilations, pads and groups. Preconditions: three spatial axes, static extents, at least one
    element, the planar layout.
  }];
  let dependentDialects = ["::graven::GravenDialect"];
  let statistics = [Statistic<"numDecomposed", "decomposed", "Number of 3-D convolutions rewritten">];
}

def AssignLayouts : Pass<"graven-assign-layouts", "::graven::GraphOp"> {
  let summary = "put convolutional parts of the graph into channel blocks";
  let description = [{
    Chooses for each Node the planar layout ([N,C,D..]) or the channel-blocked one ([N,ceil(C/16),D..,16]) that the kernels
    of convolutions and pools work on, and inserts `graven.relayout` where the two meet. A relayout of a Parameter is
    computed once, at compile time; one between a tensor of whole blocks and no spatial extent is a reshape.

    These have a blocked form, for one or two spatial axes: convolutions of f32 and f64, max_pool, avg_pool, elementwise Nodes whose operands have all channels
    or one, concat on the channel axis when every part but the last is whole blocks, concat and slice on other axes, slice
    of whole blocks, insert_slice of all channels, reduce over spatial axes (of all of them, without `keep`, to [N,C]), resize and pad of spatial axes. A
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
    channels is mostly padding; an elementwise Node that will be fused behind a blocked one costs nothing), and three times the mean of both layouts' bytes for every relayout. Convolutions never
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

def SplitBatch : Pass<"graven-split-batch", "::graven::GraphOp"> {
  let summary = "work off a batch of small images one by one";
  let description = [{
    Puts the convolutions of a Graph and the Nodes between and behind them that work on each image alone into a loop over
    the batch: the activations of one image, or of as many as fit, stay in cache from one Node to the next. What follows,
    a matmul over all images, reads the stacked results.

    Before ==> after:
    ```mlir
    %0 = graven.conv %x, %w0 ... : (tensor<128x4x32x32x16xf32>, ...) -> tensor<128x4x32x32x16xf32>
    %1 = graven.conv %0, %w1 ... : (tensor<128x4x32x32x16xf32>, ...) -> tensor<128x4x32x32x16xf32>
    ==>
    %2 = graven.reshape %x to [128, 1, 4, 32, 32, 16] : ...
    %3 = graven.loop trip(%c128) init() stacked(tensor<128x1x4x32x32x16xf32>) {
    ^bb0(%i: tensor<i64>):
      %5 = graven.slice %2 [%i, 0, ...] ...
      %6 = graven.reshape %5 to [1, 4, 32, 32, 16] : ...
      %7 = graven.conv %6, %w0 ... : (tensor<1x4x32x32x16xf32>, ...) -> tensor<1x4x32x32x16xf32>
      %8 = graven.conv %7, %w1 ... : (tensor<1x4x32x32x16xf32>, ...) -> tensor<1x4x32x32x16xf32>
      graven.yield %true, %8
    }
    %1 = graven.reshape %3 to [128, 4, 32, 32, 16] : ...
    ```

    Preconditions: static extents; at least two convolutions; some Node reads and writes at least 4 MiB, and at most 1 MiB
    for one image; weights of at most 4 MiB as their algorithms store them. Larger weights would come from memory again
    for each image. Takes the Nodes of the Graph's own Block, none of sub-Blocks.
  }];
  let dependentDialects = ["::graven::GravenDialect"];
  let statistics = [Statistic<"numSplit", "split", "Number of batches split">];
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

#endif // PASSES_GRAPH_KERNELPASSES_TD
