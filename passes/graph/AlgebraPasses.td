//===- AlgebraPasses.td - cheaper formulas -----------------*- tablegen -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file defines those passes of graphs that write what Nodes compute by
// cheaper Nodes.
//===----------------------------------------------------------------------===//

#ifndef PASSES_GRAPH_ALGEBRAPASSES_TD
#define PASSES_GRAPH_ALGEBRAPASSES_TD

include "mlir/Pass/PassBase.td"

def SimplifyArithmetic : Pass<"graven-simplify-arithmetic", "::graven::GraphOp"> {
  let summary = "write powers, signs and bounds by cheaper Nodes";
  let description = [{
    `x^c` for c one of 0, 1, 2, 3, -1, 0.5 and -0.5; `1 / sqrt(x)` as rsqrt; a quotient by a power of two as a product; sums
    and products with negated values; |x| and relu(x) of what has no sign; and what bounds what bounds (relu, max, min, clamp)
    as one clamp, or as nothing where no number is beyond the bounds.

    Before ==> after:
    ```mlir
    %0 = graven.relu %x : tensor<4xf32>
    %1 = graven.min %0, %six : (tensor<4xf32>, tensor<1xf32>) -> tensor<4xf32>
    %2 = graven.pow %1, %two : (tensor<4xf32>, tensor<1xf32>) -> tensor<4xf32>
    ==>
    %1 = graven.clamp %x lo %zero hi %six : (tensor<4xf32>, tensor<f32>, tensor<f32>) -> tensor<4xf32>
    %2 = graven.mul %1, %1 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    ```

    Preconditions: a root stands for a power only where the base is seen to have no sign (`(-inf)^0.5` is inf); 1 / the
    divisor is exact; bounds are numbers, none of them NaN or -0, the lower one not above the other, and what is between has
    one user.
  }];
  let dependentDialects = ["::graven::GravenDialect"];
  let statistics = [Statistic<"numSimplified", "simplified", "Number of Nodes written otherwise">];
}

def SimplifyConditions : Pass<"graven-simplify-conditions", "::graven::GraphOp"> {
  let summary = "merge comparisons, logic and selections";
  let description = [{
    The complement of a comparison is the opposite one; a bool compared with a constant, or cast and compared with 0 or 1,
    is itself or its complement; a selection by a complement, of what the same condition selected, or of constant
    bools; x with its complement. Of ints: comparisons that the Nodes in front of them decide (`relu(x) >= 0`,
    `x rem 8 < 8`), `x + 2 == 5` as `x == 3`, and two comparisons of one Value with constants as one, or none.

    Before ==> after:
    ```mlir
    %0 = graven.compare gt %x, %three : (tensor<4xi64>, tensor<1xi64>) -> tensor<4xi1>
    %1 = graven.compare gt %x, %five : (tensor<4xi64>, tensor<1xi64>) -> tensor<4xi1>
    %2 = graven.and %0, %1 : (tensor<4xi1>, tensor<4xi1>) -> tensor<4xi1>
    ==>
    %2 = graven.compare gt %x, %five : (tensor<4xi64>, tensor<1xi64>) -> tensor<4xi1>
    ```

    Preconditions: of floats only `eq` and `ne` are opposites (NaN is neither less nor greater); a comparison that is
    turned around has one user; extents are known where a constant takes a Node's place.
  }];
  let dependentDialects = ["::graven::GravenDialect"];
  let statistics = [Statistic<"numSimplified", "simplified", "Number of Nodes written otherwise">];
}

def MoveCasts : Pass<"graven-move-casts", "::graven::GraphOp"> {
  let summary = "cast fewer elements, move narrower ones";
  let description = [{
    A cast goes behind a slice or gather that keeps fewer elements, and in front of a broadcast. One that widens goes
    behind a transpose or a concat of such casts, one that narrows in front of a transpose, so that these move fewer bytes. Casts
    around a reshape meet where the first loses nothing; ints that are narrowed twice are narrowed once; a comparison of
    numbers that were cast without loss compares what was cast.

    Before ==> after:
    ```mlir
    %0 = graven.cast %x {to = f32} : (tensor<8x4xf16>) -> tensor<8x4xf32>
    %1 = graven.slice %0 [0, 0] to [1, 4] by [1, 1] : (tensor<8x4xf32>) -> tensor<1x4xf32>
    ==>
    %0 = graven.slice %x [0, 0] to [1, 4] by [1, 1] : (tensor<8x4xf16>) -> tensor<1x4xf16>
    %1 = graven.cast %0 {to = f32} : (tensor<1x4xf16>) -> tensor<1x4xf32>
    ```

    Preconditions: each element is cast as before; the inner value has one user; a cast that sinks is not of Parameters
    (those are cast once, at compile time), nor, in front of a transpose, of a contraction's result, which is stored as what it is cast to.
  }];
  let dependentDialects = ["::graven::GravenDialect"];
  let statistics = [Statistic<"numMoved", "moved", "Number of casts moved, or merged">];
}

def MergeContractions : Pass<"graven-merge-contractions", "::graven::GraphOp"> {
  let summary = "multiply weights of linear Nodes in a row";
  let description = [{
    A convolution of one group and a 1x1 convolution of its result are one convolution, whose weights are the product of
    both; so are two matrix products with weights, with or without a bias between them. The product is Nodes on Parameters,
    computed once at compile time.

    Before ==> after:
    ```mlir
    %0 = graven.matmul %x, %v : (tensor<8x16xf32>, tensor<16x64xf32>) -> tensor<8x64xf32>
    %1 = graven.matmul %0, %w : (tensor<8x64xf32>, tensor<64x16xf32>) -> tensor<8x16xf32>
    ==>
    %0 = graven.matmul %v, %w : (tensor<16x64xf32>, tensor<64x16xf32>) -> tensor<16x16xf32>
    %1 = graven.matmul %x, %0 : (tensor<8x16xf32>, tensor<16x16xf32>) -> tensor<8x16xf32>
    ```

    Preconditions: f32 or f64; weights and biases are computed from Parameters alone, not from integers, and nothing else
    reads the weights; the inner value has one user; neither multiplications nor bytes of weights become more (a product of
    low rank stays); the second convolution has no pads and one group.
  }];
  let dependentDialects = ["::graven::GravenDialect"];
  let statistics = [Statistic<"numMerged", "merged", "Number of contractions that went into the next one">];
}

def FoldExtents : Pass<"graven-fold-extents", "::graven::GraphOp"> {
  let summary = "compute what follows from the relations of extents";
  let description = [{
    Extents, and i64 numbers computed from them, are formulas of the inputs' extents: sums, multiples, quotients and rests
    by numbers, maxima and minima, carried through each Node's rule of shapes. A number whose formula is a constant becomes
    it; one that another Value is already becomes that Value; `dim` reads an input where it has the extent. A comparison
    that holds for all extents, or none, is decided. A pool whose last window ends with the input needs no `ceil_mode`.

    Before ==> after:
    ```mlir
    %0 = graven.concat %x, %x axis 0 : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
    %1 = graven.dim %0 axis 0 : tensor<?xf32>
    %2 = graven.rem %1, %two : (tensor<i64>, tensor<i64>) -> tensor<i64>
    ==>
    %2 = graven.constant dense<0> : tensor<i64>
    ```

    Preconditions: quotients and rests are by positive numbers, of what cannot be negative; inputs whose extents have one
    name in `graven.symbols` have one extent.
  }];
  let dependentDialects = ["::graven::GravenDialect"];
  let statistics = [Statistic<"numFolded", "folded", "Number of Nodes that relations of extents decide">];
}

#endif // PASSES_GRAPH_ALGEBRAPASSES_TD
