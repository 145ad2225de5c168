//===- Passes.td - passes on graphs ------------------------*- tablegen -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file defines the passes from the graven dialect to itself, in the order
// in which the pipeline runs them (Pipeline.cpp says why that order); those that
// choose how kernels compute are in KernelPasses.td.
//===----------------------------------------------------------------------===//

#ifndef PASSES_GRAPH_PASSES_TD
#define PASSES_GRAPH_PASSES_TD

include "mlir/Pass/PassBase.td"
include "passes/graph/AlgebraPasses.td"
include "passes/graph/KernelPasses.td"

def InlineCalls : Pass<"graven-inline-calls", "::mlir::ModuleOp"> {
  let summary = "replace calls by the Graphs they name";
  let description = [{
    Every `graven.call` becomes a copy of the Nodes of its callee, callees first, with locations that name both places.
    Private Graphs are then erased, but for @forward and @prepare.

    Before ==> after:
    ```mlir
    graven.graph private @block(%a: tensor<2xf32>) -> tensor<2xf32> {
      %0 = graven.relu %a : tensor<2xf32>
      graven.return %0 : tensor<2xf32>
    }
    graven.graph @forward(%x: tensor<2xf32>) -> tensor<2xf32> {
      %0 = graven.call @block(%x) : (tensor<2xf32>) -> tensor<2xf32>
      graven.return %0 : tensor<2xf32>
    }
    ==>
    graven.graph @forward(%x: tensor<2xf32>) -> tensor<2xf32> {
      %0 = graven.relu %x : tensor<2xf32>
      graven.return %0 : tensor<2xf32>
    }
    ```

    Preconditions: no Graph calls itself, directly or through others (GRV0202 at the call).
  }];
  let statistics = [
    Statistic<"numInlined", "inlined", "Number of calls inlined">,
    Statistic<"numErased", "erased", "Number of private Graphs erased">,
  ];
}

def InferShapes : Pass<"graven-infer-shapes", "::mlir::ModuleOp"> {
  let summary = "carry extents from the inputs to the outputs";
  let description = [{
    Gives the inputs of @forward the shapes of the option, infers the types of all Nodes again in order, through sub-Blocks
    to the Graph's results, and applies the canonicalizations (constant extents, `dim`s) that this makes possible, until
    nothing changes. Only a `?` changes. A carried value of a loop takes the extents of its first value where the body
    yields it unchanged, or with those extents.

    Before ==> after, with `input-shapes=x:4x3`:
    ```mlir
    graven.graph @forward(%x: tensor<?x3xf32> {graven.name = "x"}) -> tensor<?x3xf32> {
      %0 = graven.relu %x : tensor<?x3xf32>
    ==>
    graven.graph @forward(%x: tensor<4x3xf32> {graven.name = "x"}) -> tensor<4x3xf32> {
      %0 = graven.relu %x : tensor<4x3xf32>
    ```

    Preconditions: a shape names an input (else GRV0302) and agrees with its type (else GRV0304). What the Nodes' operands
    give contradicts no type of the model (else GRV0107 at the Node).
  }];
  let options = [
    ListOption<"inputShapes", "input-shapes", "std::string", "shapes of inputs, as NAME:1x3x224x224">,
  ];
  let dependentDialects = ["::graven::GravenDialect"];
  let statistics = [Statistic<"numRefined", "refined", "Number of times a type got more extents">];
}

def FoldConstants : Pass<"graven-fold-constants", "::mlir::ModuleOp"> {
  let summary = "compute Nodes of constants";
  let description = [{
    A Node whose operands are constants becomes the constants that the reference evaluator gives for it. An `if` on a
    constant becomes the Nodes of the branch it takes; a `loop` that never runs becomes its initial values. Larger than what
    the folders of single ops do, and with `fold-params` also of small Parameters.

    Before ==> after:
    ```mlir
    %0 = graven.constant dense<[1.0, 2.0]> : tensor<2xf32>
    %1 = graven.exp %0 : tensor<2xf32>
    ==>
    %1 = graven.constant dense<[2.71828175, 7.3890562]> : tensor<2xf32>
    ```

    Preconditions: results and operands have at most `max-elements` elements and static types; results have at most
    `max-rank` axes, so that with 0 it hardly depends on extents whether a Node is folded; the Node has no effect and
    evaluates without an error (one that would fail is left to fail when the model runs). What depends on larger Parameters
    is computed by @prepare instead. Nodes inside fusions stay.
  }];
  let options = [
    Option<"maxElements", "max-elements", "int64_t", "16384", "most elements of an operand or result">,
    Option<"maxRank", "max-rank", "int64_t", "INT64_MAX", "most axes of a result">,
    Option<"foldParams", "fold-params", "bool", "false", "read Parameters of at most max-elements elements, too">,
  ];
  let dependentDialects = ["::graven::GravenDialect"];
  let statistics = [
    Statistic<"numFolded", "folded", "Number of Nodes computed">,
    Statistic<"numBranches", "branches", "Number of ifs and loops decided">,
  ];
}

def HoistLoopInvariants : Pass<"graven-hoist-loop-invariants", "::graven::GraphOp"> {
  let summary = "move what sub-Blocks repeat in front of them";
  let description = [{
    A Node of a loop's body that reads nothing of the loop moves in front of it; inner loops first. A carried value that
    each iteration yields as it is, is its initial one. Nodes that both Blocks of an `if` have move in front of it, and a
    value that both yield is that result.

    Before ==> after:
    ```mlir
    %0 = graven.loop trip(%n) init(%x : tensor<4xf32>) -> (tensor<4xf32>) {
    ^bb0(%i: tensor<i64>, %a: tensor<4xf32>):
      %1 = graven.exp %y : tensor<4xf32>
      %2 = graven.add %a, %1 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
      graven.yield %true, %2 : tensor<i1>, tensor<4xf32>
    }
    ==>
    %1 = graven.exp %y : tensor<4xf32>
    %0 = graven.loop trip(%n) init(%x : tensor<4xf32>) -> (tensor<4xf32>) {
    ^bb0(%i: tensor<i64>, %a: tensor<4xf32>):
      %2 = graven.add %a, %1 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
      graven.yield %true, %2 : tensor<i1>, tensor<4xf32>
    }
    ```

    Preconditions: a loop may not run at all, so that what leaves it has no effect, cannot fail (as a gather can), and holds
    no loop. The types of a carried value that goes are one.
  }];
  let statistics = [
    Statistic<"numHoisted", "hoisted", "Number of Nodes moved in front of loops">,
    Statistic<"numUnchanged", "unchanged", "Number of carried values that do not change">,
    Statistic<"numCommon", "common", "Number of Nodes and results that two Blocks have in common">,
  ];
}

def UnrollLoops : Pass<"graven-unroll-loops", "::graven::GraphOp"> {
  let summary = "write the iterations of short loops one after the other";
  let description = [{
    A loop of a known number of iterations becomes the Nodes of all of them, the iteration a constant in each, its
    stacked results concats of the slices. A longer one has, with `factor`, that many iterations in one.

    Before ==> after:
    ```mlir
    %0 = graven.loop trip(%two) init(%x : tensor<4xf32>) -> (tensor<4xf32>) {
    ^bb0(%i: tensor<i64>, %a: tensor<4xf32>):
      %1 = graven.exp %a : tensor<4xf32>
      graven.yield %true, %1 : tensor<i1>, tensor<4xf32>
    }
    ==>
    %1 = graven.exp %x : tensor<4xf32>
    %0 = graven.exp %1 : tensor<4xf32>
    ```

    Preconditions: the number of iterations is a constant, no condition ends it earlier, the types of each carried value are
    one, the extents of stacked results known. The iterations have at most `max-nodes` Nodes, or there is one iteration.
    By a factor: it divides the number of iterations, and nothing is stacked.
  }];
  let options = [
    Option<"maxNodes", "max-nodes", "int64_t", "64", "most Nodes that a loop becomes">,
    Option<"factor", "factor", "int64_t", "1", "iterations in one, of loops that are longer">,
  ];
  let dependentDialects = ["::graven::GravenDialect"];
  let statistics = [
    Statistic<"numUnrolled", "unrolled", "Number of loops that became their iterations">,
    Statistic<"numWidened", "widened", "Number of loops with several iterations in one">,
  ];
}

def RemoveIdentities : Pass<"graven-remove-identities", "::graven::GraphOp"> {
  let summary = "erase Nodes that give back what is there";
  let description = [{
    Beyond the folders of single ops (same shape, whole slice, no pad, cast to itself, factor 1, ...): the maximum or
    minimum of a value and itself; a broadcast that its elementwise user does by itself; a slice that is one part of a
    concat; a concat that puts the slices of a tensor together again; empty parts of a concat, and concats inside of
    concats; a window that replaces the whole tensor; zeros padded in front of a convolution, which its pads supply; a
    mean over windows of one element; a gather with one constant index, which is a slice; a reshape in front of an
    elementwise Node that a reshape behind it undoes, as of the scores of windows to which one mask a window is added.

    Before ==> after:
    ```mlir
    %0 = graven.broadcast %b to [4, 8] axes [0, 1] : (tensor<1x8xf32>) -> tensor<4x8xf32>
    %1 = graven.add %x, %0 : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<4x8xf32>
    ==>
    %1 = graven.add %x, %b : (tensor<4x8xf32>, tensor<1x8xf32>) -> tensor<4x8xf32>
    ```

    Preconditions: static extents where extents decide. Adding 0.0 is no identity (-0.0), and is left. A reshape that is
    undone goes where fewer Nodes are left: other operands of the elementwise Node may need reshapes, or a broadcast.
  }];
  let dependentDialects = ["::graven::GravenDialect"];
  let statistics = [Statistic<"numRemoved", "removed", "Number of Nodes found to change nothing">];
}

def SimplifyMovement : Pass<"graven-simplify-movement", "::graven::GraphOp"> {
  let summary = "merge slices, pads and broadcasts, and what they do with what reads them";
  let description = [{
    A slice of a slice is one slice, and so are pads of one number and broadcasts. A slice of what a pad added nothing to
    reads what the pad reads. -inf around the input of a max_pool, and zeros around that of an avg_pool, are its pads. A
    resize to the same extents gives what is there. (Pads in front of convolutions are RemoveIdentities'.)

    Before ==> after:
    ```mlir
    %0 = graven.slice %x [1, 0] to [4, 8] by [1, 1] : (tensor<4x8xf32>) -> tensor<3x8xf32>
    %1 = graven.slice %0 [0, 2] to [2, 8] by [1, 2] : (tensor<3x8xf32>) -> tensor<2x3xf32>
    ==>
    %1 = graven.slice %x [1, 2] to [3, 7] by [1, 2] : (tensor<4x8xf32>) -> tensor<2x3xf32>
    ```

    Preconditions: bounds and extents are known. Pads that become one crop nothing. A pool has no windows past the end
    (`ceil_mode`) or of pads alone, its pad is of spatial axes alone, and pads of a mean count, or there were none. Coordinates
    of the resize are those of elements: no scales but 1, and not `tf_half_pixel_for_nn`.
  }];
  let dependentDialects = ["::graven::GravenDialect"];
  let statistics = [Statistic<"numMerged", "merged", "Number of Nodes merged with those they read">];
}

def RecomposeOps : Pass<"graven-recompose-ops", "::graven::GraphOp"> {
  let summary = "find the ops that exporters spell out";
  let description = [{
    Finds, however their multiplications are grouped: gelu (by erf and by tanh), silu, hard_swish; layer_norm, rms_norm
    and group_norm, with their scale and bias; and attention, `softmax(scale q k^T + mask) v`, with scales on q, k or the scores, one for all or one
    a head, a cap `c tanh(x / c)` on them and up to four masks, each added or selecting a low number; keys and values that are repeated
    for the heads that share them are read once. Masks are taken apart into conditions, those of an attention that
    the model has as one op too: a lower triangle known at compile time makes it `causal`, what leaves nothing out goes,
    and a condition that is one for all rows is kept as one row. A row of attention without an open key gives NaN, as
    softmax does, or 0 where the weights are `select(isnan(w), 0, w)` or `select(all(scores == -inf), 0, w)`, as exporters
    write it; a NaN among the scores of a row stays NaN there.

    Before ==> after:
    ```mlir
    %0 = graven.sigmoid %x : tensor<4xf32>
    %1 = graven.mul %x, %0 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    ==>
    %1 = graven.silu %x : tensor<4xf32>
    ```

    Preconditions: mathematically the same formula, its constants within 1e-6 of the exact ones; inner values of a product
    have one user, and so has the norm between two reshapes that is one of groups, each row whole channels of one sample; the scores of an attention have one user, are f32 or f64, static, of rank 3 or 4, and q, k, v have the
    same batch extents. A finite number in place of -inf must be below -1e9: it swallows the score, so it is added. Masks
    of other shapes are left.
  }];
  let dependentDialects = ["::graven::GravenDialect"];
  let statistics = [Statistic<"numRecomposed", "recomposed", "Number of ops found, or given their weights">];
}

def MergeProjections : Pass<"graven-merge-projections", "::graven::GraphOp"> {
  let summary = "multiply the inputs of an attention at once";
  let description = [{
    Products of one tensor with the weights of a query, a key and a value become one product with the weights side by
    side, so that the tensor is read (and, by Strassen's recursion, combined) once; attention reads its columns in place.
    Biases behind them are added at once, zeros where there is none.

    Before ==> after:
    ```mlir
    %0 = graven.matmul %x, %wq : (tensor<8x16xf32>, tensor<16x16xf32>) -> tensor<8x16xf32>
    %1 = graven.matmul %x, %wk : (tensor<8x16xf32>, tensor<16x16xf32>) -> tensor<8x16xf32>
    ==>
    %w = graven.concat %wq, %wk axis 1 : ...
    %y = graven.matmul %x, %w : (tensor<8x16xf32>, tensor<16x32xf32>) -> tensor<8x32xf32>
    %0 = graven.slice %y [0, 0] to [8, 16] by [1, 1] : (tensor<8x32xf32>) -> tensor<8x16xf32>
    %1 = graven.slice %y [0, 16] to [8, 32] by [1, 1] : (tensor<8x32xf32>) -> tensor<8x16xf32>
    ```

    Preconditions: products of rank 2 with static extents, in one Block, of one tensor that is not transposed, their weights
    Parameters, transposed alike; nothing becomes of them but that they are moved into attentions. Products whose results
    go elsewhere, as those of a gated unit, are left: elementwise Nodes behind them are fused instead.
  }];
  let dependentDialects = ["::graven::GravenDialect"];
  let statistics = [Statistic<"numMerged", "merged", "Number of products that became parts of one">];
}

def FuseConvBN : Pass<"graven-fuse-conv-bn", "::graven::GraphOp"> {
  let summary = "multiply batch normalisations into weights";
  let description = [{
    A batch normalisation behind a convolution (1-d to 3-d, grouped or transposed) or a matrix product of rank 2, with or
    without bias, is multiplied into the weights and the bias: `w' = w s`, `b' = (b - mean) s + bias` with
    `s = scale / sqrt(variance + epsilon)`. The arithmetic is Nodes on Parameters, computed once at compile time, in f32
    for f16 and bf16. A bias added behind a convolution without one becomes its bias. A batch normalisation with nothing
    before it to take it becomes a product and a sum, unless `expand` is off. A convolution's bias that comes out as zeros (of at most 65536
    elements) is dropped.

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
  let options = [
    Option<"expand", "expand", "bool", "true", "make a product and a sum of what nothing takes">,
  ];
  let statistics = [Statistic<"numFused", "fused", "Number of batch normalisations and biases absorbed or expanded">];
}

def ScaleWeights : Pass<"graven-scale-weights", "::graven::GraphOp"> {
  let summary = "multiply factors into weights, move sums into biases";
  let description = [{
    A factor behind a convolution or matrix product, one number for each channel or column or one for all, is multiplied
    into the weights and the bias; one in front of it, for each channel or column of what it reads, into the weights. A sum
    behind a convolution with a bias joins the bias; one in front of it adds the weights times it. The arithmetic is Nodes
    on Parameters, computed once at compile time. So a batch normalisation in front of a convolution, which FuseConvBN
    makes a product and a sum of, is gone with it.

    Before ==> after:
    ```mlir
    %0 = graven.conv %x, %w bias %b strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] : ...
    %1 = graven.mul %0, %s : (tensor<1x16x4x4xf32>, tensor<1x16x1x1xf32>) -> tensor<1x16x4x4xf32>
    ==>
    %0 = graven.reshape %s to [16, 1, 1, 1] : (tensor<1x16x1x1xf32>) -> tensor<16x1x1x1xf32>
    %1 = graven.mul %w, %0 : (tensor<16x8x1x1xf32>, tensor<16x1x1x1xf32>) -> tensor<16x8x1x1xf32>
    %2 = graven.reshape %s to [16] : (tensor<1x16x1x1xf32>) -> tensor<16xf32>
    %3 = graven.mul %b, %2 : (tensor<16xf32>, tensor<16xf32>) -> tensor<16xf32>
    %4 = graven.conv %x, %1 bias %3 strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] : ...
    ```

    Preconditions: f32 or f64; weights, bias and numbers are computed from Parameters alone, the weights not from integers
    (sums of whole numbers are exact, as quantized models count on), and nothing else reads the weights, of which there
    would be two copies; the inner value has one user. A sum in front of a convolution with pads
    stays: the pads are 0, not the term.
  }];
  let dependentDialects = ["::graven::GravenDialect"];
  let statistics = [Statistic<"numScaled", "scaled", "Number of factors and terms that went into weights">];
}

def Canonicalize : Pass<"graven-canonicalize"> {
  let summary = "MLIR's canonicalize, explained";
  let description = [{
    Applies the folders and canonicalizations of all ops, as `canonicalize` does with its default options, unless the
    graph is as this pass left it before. With `--explain` it says which pattern (or fold) changed which Node, and
    the reasons of those patterns that give one.

    Before ==> after:
    ```mlir
    %0 = graven.neg %x : tensor<4xf32>
    %1 = graven.neg %0 : tensor<4xf32>
    %2 = graven.max %1, %zero : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    ==>
    %2 = graven.relu %x : tensor<4xf32>
    ```
  }];
}

def MergeEqualNodes : Pass<"graven-merge-equal-nodes"> {
  let summary = "MLIR's cse, where it may find something";
  let description = [{
    Of Nodes that compute the same, all but the first go, as `cse` does it. Like graven-canonicalize, it does nothing
    when the graph is as it left it before: in a pipeline where most passes find nothing, most of its runs are free.

    Before ==> after:
    ```mlir
    %0 = graven.relu %x : tensor<4xf32>
    %1 = graven.relu %x : tensor<4xf32>
    %2 = graven.add %0, %1 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    ==>
    %0 = graven.relu %x : tensor<4xf32>
    %2 = graven.add %0, %0 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    ```
  }];
}

def DecomposeRecurrent : Pass<"graven-decompose-recurrent", "::graven::GraphOp"> {
  let summary = "recurrent layers as one product and a loop";
  let description = [{
    An lstm, gru or rnn becomes, for each direction, one matrix product for the inputs of all steps with both biases in
    its epilogue, and a loop over the steps that carries the state, with one product of the state a step. A single
    step needs no loop. A gru with linear_before_reset adds bias_r in the loop. f16 and bf16 compute in f32.

    Before ==> after:
    ```mlir
    %y, %h = graven.rnn %x, %w, %r : (tensor<5x2x3xf32>, tensor<1x4x3xf32>, tensor<1x4x4xf32>)
        -> (tensor<5x2x4xf32>, tensor<1x2x4xf32>)
    ==>
    %0 = graven.reshape %x to [10, 3] : ...
    %1 = graven.reshape %w to [4, 3] : ...
    %2 = graven.matmul %0, %1 transpose_b : (tensor<10x3xf32>, tensor<4x3xf32>) -> tensor<10x4xf32>
    %3 = graven.reshape %2 to [5, 2, 4] : ...
    %4 = graven.reshape %r to [4, 4] : ...
    %5, %y = graven.loop trip(%trip) init(%zero : ...) -> (tensor<2x4xf32>) stacked(tensor<5x2x4xf32>) {
    ^bb0(%t: tensor<i64>, %state: tensor<2x4xf32>):
      %6 = graven.slice %3 [%t, 0, 0] to [%next, 2, 4] by [1, 1, 1] : ... -> tensor<1x2x4xf32>
      %7 = graven.reshape %6 to [2, 4] : ...
      %8 = graven.matmul %state, %4 transpose_b : ...
      %9 = graven.add %8, %7 : ...
      %10 = graven.tanh %9 : ...
      graven.yield %true, %10, %10 : ...
    }
    %h = graven.reshape %5 to [1, 2, 4] : ...
    ```

    Without elements in y, the states are those before the first step.

    Preconditions: static extents; with `kernels=keep`, that no kernel computes the layer whole: f16 or bf16, sequences
    with lengths of their own, directions with other activations, a gru that resets before its product. Walks of the two directions are not merged into one loop.
  }];
  let dependentDialects = ["::graven::GravenDialect"];
  let options = [
    Option<"kernels", "kernels", "::graven::RecurrentKernels", /*default=*/"::graven::RecurrentKernels::Decompose",
           "layers that a kernel computes whole", [{::llvm::cl::values(
             clEnumValN(::graven::RecurrentKernels::Keep, "keep", "stay"),
             clEnumValN(::graven::RecurrentKernels::Decompose, "decompose", "are decomposed like others"))}]>];
  let statistics = [Statistic<"numDecomposed", "decomposed", "Number of recurrent layers rewritten">];
}

def BubbleUpSlices : Pass<"graven-bubble-up-slices", "::graven::GraphOp"> {
  let summary = "compute only the rows that are read";
  let description = [{
    A slice moves in front of the Node whose result it shortens, through elementwise Nodes, reshapes, transposes, norms and
    softmax along other axes, the rows or columns of matrix products and the queries of attention: a classifier that reads
    one token computes the last block for that token alone. No element changes.

    Before ==> after:
    ```mlir
    %0 = graven.matmul %x, %w : (tensor<197x768xf32>, tensor<768x3072xf32>) -> tensor<197x3072xf32>
    %1 = graven.gelu %0 : tensor<197x3072xf32>
    %2 = graven.slice %1 [0, 0] to [1, 3072] by [1, 1] : (tensor<197x3072xf32>) -> tensor<1x3072xf32>
    ==>
    %0 = graven.slice %x [0, 0] to [1, 768] by [1, 1] : (tensor<197x768xf32>) -> tensor<1x768xf32>
    %1 = graven.matmul %0, %w : (tensor<1x768xf32>, tensor<768x3072xf32>) -> tensor<1x3072xf32>
    %2 = graven.gelu %1 : tensor<1x3072xf32>
    ```

    Preconditions: the slice shortens one axis by known numbers; every user of the sliced value is that slice, so that
    nothing is computed twice; a product or attention in front of it, not one of Parameters, gets fewer rows. Attention is
    not causal. Convolutions, reductions and Nodes with sub-Blocks are not passed.
  }];
  let dependentDialects = ["::graven::GravenDialect"];
  let statistics = [Statistic<"numMoved", "moved", "Number of Nodes behind slices that were in front of them">];
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

def SinkTransposes : Pass<"graven-sink-transposes", "::graven::GraphOp"> {
  let summary = "move transposes behind the elementwise Nodes that read them";
  let description = [{
    An elementwise Node of transposes by one permutation becomes the transpose of that Node of what they transpose. What
    stands behind a matrix product is then next to it, to be fused, and the transpose may meet another that cancels it: a
    network whose convolutions are in one order of axes and whose linear layers are in another has one transpose on
    either side of each convolution, none around the sums between.

    Before ==> after:
    ```mlir
    %0 = graven.transpose %x by [0, 3, 1, 2] : (tensor<1x4x4x8xf32>) -> tensor<1x8x4x4xf32>
    %1 = graven.mul %0, %scale : (tensor<1x8x4x4xf32>, tensor<1x8x1x1xf32>) -> tensor<1x8x4x4xf32>
    ==>
    %0 = graven.transpose %scale by [0, 2, 3, 1] : (tensor<1x8x1x1xf32>) -> tensor<1x1x1x8xf32>
    %1 = graven.mul %x, %0 : (tensor<1x4x4x8xf32>, tensor<1x1x1x8xf32>) -> tensor<1x4x4x8xf32>
    %2 = graven.transpose %1 by [0, 3, 1, 2] : (tensor<1x4x4x8xf32>) -> tensor<1x8x4x4xf32>
    ```

    Preconditions: one result; the transposes have its shape, and one of them no other user, so that there are never more
    of them than before; every other operand is one number or computed from Parameters alone.
  }];
  let dependentDialects = ["::graven::GravenDialect"];
  let statistics = [Statistic<"numSunk", "sunk", "Number of elementwise Nodes in front of their transposes">];
}

def SelectBranches : Pass<"graven-select-branches", "::graven::GraphOp"> {
  let summary = "run both Blocks of an `if` that counts, or is cheap, and select";
  let description = [{
    An `if` that sees what follows from an extent that data decide (`graven.prefix`), or finds one, becomes the Nodes of
    both Blocks and a `select` for each result, so that the extent is seen to by the rules of Nodes. So does, with
    `max-cost`, one whose Blocks and selections are together no more than so many simple operations on elements: what
    stands around it can then be fused with what is in it.

    Before ==> after:
    ```mlir
    %p = graven.prefix %x count %n axis 0 extent 4 : (tensor<4xf32>, tensor<i64>) -> tensor<4xf32>
    %0 = graven.if %c -> (tensor<f32>) {
      %1 = graven.reduce sum %p axes [0] : (tensor<4xf32>) -> tensor<f32>
      graven.yield %1 : tensor<f32>
    } else {
      graven.yield %z : tensor<f32>
    }
    ==>
    %p = graven.prefix %x count %n axis 0 extent 4 : (tensor<4xf32>, tensor<i64>) -> tensor<4xf32>
    %1 = graven.reduce sum %p axes [0] : (tensor<4xf32>) -> tensor<f32>
    %2 = graven.reshape %c to [] : (tensor<i1>) -> tensor<i1>
    %0 = graven.select %2, %1, %z : (tensor<i1>, tensor<f32>, tensor<f32>) -> tensor<f32>
    ```

    An index in the Block that is not taken becomes 0, as it may lead outside there.

    Preconditions: nothing in the Blocks may run forever (no `loop`), and what they yield has the static types of the
    results. Cheap Blocks have Nodes by elements and movements without extents or places from the run: nothing that may fail
    where it would not have been taken, and no sub-Blocks. A function (exp, div, ...) counts as 16 operations.
  }];
  let dependentDialects = ["::graven::GravenDialect"];
  let options = [
    Option<"maxCost", "max-cost", "int64_t", "0", "most operations on elements of a cheap `if`; 0: none is">,
  ];
  let statistics = [
    Statistic<"numSelected", "selected", "Number of `if`s that see counts and became selects">,
    Statistic<"numCheap", "cheap", "Number of `if`s that became selects because both Blocks are cheap">,
  ];
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

def HoistParameters : Pass<"graven-hoist-parameters", "::mlir::ModuleOp"> {
  let summary = "move Nodes of Parameters alone to @prepare";
  let description = [{
    The Nodes of @forward that depend on Parameters and constants alone move to the Graph @prepare, which is run once, when
    the model is compiled. Its outputs become Parameters of @forward. So a batch norm that the pipeline folded and one that
    an exporter folded before leave the same @forward.

    Before ==> after:
    ```mlir
    graven.param @w : tensor<8x3x1x1xf32> = #graven.blob<"m", 0, 96>
    graven.graph @forward(%x: tensor<1x3x4x4xf32>) -> tensor<1x8x4x4xf32> {
      %w = graven.get_param @w : tensor<8x3x1x1xf32>
      %0 = graven.mul %w, %w : (tensor<8x3x1x1xf32>, tensor<8x3x1x1xf32>) -> tensor<8x3x1x1xf32>
      %1 = graven.conv %x, %0 ...
    ==>
    graven.param @w : tensor<8x3x1x1xf32> = #graven.blob<"m", 0, 96>
    graven.param @w.prepared : tensor<8x3x1x1xf32> = #graven.prepared<0>
    graven.graph @prepare() -> tensor<8x3x1x1xf32> {
      %w = graven.get_param @w : tensor<8x3x1x1xf32>
      %0 = graven.mul %w, %w : (tensor<8x3x1x1xf32>, tensor<8x3x1x1xf32>) -> tensor<8x3x1x1xf32>
      graven.return %0 : tensor<8x3x1x1xf32>
    }
    graven.graph @forward(%x: tensor<1x3x4x4xf32>) -> tensor<1x8x4x4xf32> {
      %0 = graven.get_param @w.prepared : tensor<8x3x1x1xf32>
      %1 = graven.conv %x, %0 ...
    ```

    Preconditions: static extents; no effect. What repeats a Parameter (more elements than it reads) stays, to be fused with
    what reads it; so do Nodes that check indices, `if` and `loop`. Packing for kernels is the kernel phase's, which adds it
    to @prepare.
  }];
  let dependentDialects = ["::graven::GravenDialect"];
  let statistics = [
    Statistic<"numHoisted", "hoisted", "Number of Nodes moved to @prepare">,
    Statistic<"numOutputs", "outputs", "Number of Parameters that @prepare computes">,
  ];
}

def UnflattenMatmul : Pass<"graven-unflatten-matmul", "::graven::GraphOp"> {
  let summary = "give products the batch axes of what surrounds them";
  let description = [{
    Exporters join the batch axes in front of a linear layer and split them behind it. The reshape that splits the rows
    of a product, or of elementwise Nodes behind one, moves in front of it, where it meets the one that joined them: the
    product, its bias, activation and residual then follow one another, to be fused. So does one that splits the batches
    of a product that has matrices on both sides for each, as in an attention whose heads were joined with the batch.

    Before ==> after:
    ```mlir
    %0 = graven.reshape %x to [197, 768] : (tensor<1x197x768xf32>) -> tensor<197x768xf32>
    %1 = graven.matmul %0, %w : (tensor<197x768xf32>, tensor<768x64xf32>) -> tensor<197x64xf32>
    %2 = graven.reshape %1 to [1, 197, 64] : (tensor<197x64xf32>) -> tensor<1x197x64xf32>
    %3 = graven.add %2, %bias : (tensor<1x197x64xf32>, tensor<1x1x64xf32>) -> tensor<1x197x64xf32>
    ==>
    %0 = graven.reshape %w to [1, 768, 64] : (tensor<768x64xf32>) -> tensor<1x768x64xf32>
    %1 = graven.matmul %x, %0 : (tensor<1x197x768xf32>, tensor<1x768x64xf32>) -> tensor<1x197x64xf32>
    %2 = graven.add %1, %bias : (tensor<1x197x64xf32>, tensor<1x1x64xf32>) -> tensor<1x197x64xf32>
    ```

    Preconditions: static extents; the reshape keeps the last axis and is the only user; the left-hand side is not
    transposed and there is one right-hand side for all batches, or both sides have the batches of the result, and one of
    them is a Parameter or a reshape of what has the split ones; the operands of elementwise Nodes are full, rows of the
    last axis, one number, or, where batches are split, of one matrix (or row) for each. With `exact`, there is a reshape on
    the left (for batches, on both sides), with which the one that moves merges, perhaps behind another such product, and the
    right-hand side of rows is not transposed: there are never more Nodes then. Products that are divided into columns, each
    reshaped, then lose the reshape in front of them as well.
  }];
  let dependentDialects = ["::graven::GravenDialect"];
  let options = [
    Option<"exact", "exact", "bool", "false", "only products that are the better for it by themselves">,
  ];
  let statistics = [Statistic<"numUnflattened", "unflattened", "Number of reshapes moved in front of a Node">];
}

def VerifyGraphPhase : Pass<"graven-verify-graph-phase", "::mlir::ModuleOp"> {
  let summary = "check the contract of the graph phase";
  let description = [{
    Reports, each message beginning with "graph contract: ": anything in the module but Graphs and Parameters; no @forward;
    a Node of another dialect; a call; a result that is no ranked tensor; a relayout of a relayout; a fusion without a kind;
    a Parameter that no Node reads. Changes nothing.
  }];
}

def RewriteByPdl : Pass<"graven-rewrite-by-pdl", "::mlir::ModuleOp"> {
  let summary = "apply patterns that a file describes";
  let description = [{
    Reads patterns in PDLL (https://mlir.llvm.org/docs/PDLL) and applies them to the whole module until none matches.
    `graven-opt --pdl my.pdll` is short for it. A file whose name ends in `.mlir` has them in the pdl dialect.

    With this file
    ```
    Constraint HasOneUse(value: Value);
    Pattern SubOfNeg {
      let neg = op<graven.neg>(y: Value);
      HasOneUse(neg.0);
      let root = op<graven.sub>(x: Value, neg.0) -> (type: Type);
      replace root with op<graven.add>(x, y) -> (type);
    }
    ```
    Before ==> after:
    ```mlir
    %0 = graven.neg %y : tensor<4xf32>
    %1 = graven.sub %x, %0 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    ==>
    %1 = graven.add %x, %y : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    ```

    A file may declare these constraints on Values, which are Graven's: `HasOneUse`, `IsParameterValue` (computed from
    Parameters and constants alone) and `HasStaticShape`. Others are written in PDLL itself.

    Preconditions: `mlir-pdll`, which comes with LLVM's tools, is in a folder of PATH or in LLVM's own, unless the file is
    in the pdl dialect. Otherwise, and where the file has mistakes, the pass fails with them.
  }];
  let options = [
    Option<"file", "file", "std::string", "", "the patterns">,
    ListOption<"includes", "includes", "std::string", "folders of files that it includes, beside its own">,
  ];
  let dependentDialects = ["::mlir::pdl::PDLDialect", "::mlir::pdl_interp::PDLInterpDialect"];
  let statistics = [Statistic<"numRewritten", "rewritten", "Number of Nodes replaced">];
}

#endif // PASSES_GRAPH_PASSES_TD
