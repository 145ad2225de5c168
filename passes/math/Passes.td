//===- Passes.td - passes on elementary functions ----------*- tablegen -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// This file defines the passes that turn math ops into plain arithmetic.
//===----------------------------------------------------------------------===//
#ifndef GRAVEN_PASSES_MATH_PASSES_TD
#define GRAVEN_PASSES_MATH_PASSES_TD

include "mlir/Pass/PassBase.td"

def ExpandMath : Pass<"graven-expand-math", "::mlir::ModuleOp"> {
  let summary = "rewrite math functions into branch-free arithmetic";
  let description = [{
    Rewrites the elementary functions of the math dialect on f32 scalars and
    vectors into arith ops: polynomials, bit operations and selects, without a
    branch, a table or a call, so that the loop vectorizer of LLVM and vector
    code both get full width. Every unary result is within 2 ULP of the exact
    one for each of the 2^32 inputs, with denormals, infinities, NaN and the
    sign of zero as Annex F of C has them; sin, cos and tan reduce arguments of
    any size exactly. f16 and bf16 are computed in f32. No fast-math flag is
    set on what is built or required of it.

    Before ==> after, the polynomial shortened:
    ```mlir
    %y = math.exp2 %x : vector<8xf32>
    ==>
    %over = arith.cmpf olt, %c128, %x : vector<8xf32>
    %0 = arith.select %over, %c128, %x : vector<8xi1>, vector<8xf32>
    %under = arith.cmpf ogt, %cm151, %0 : vector<8xf32>
    %1 = arith.select %under, %cm151, %0 : vector<8xi1>, vector<8xf32>
    %2 = arith.addf %1, %c12582912 : vector<8xf32>
    %n = arith.subf %2, %c12582912 : vector<8xf32>
    %bits = arith.bitcast %2 : vector<8xf32> to vector<8xi32>
    %r = arith.subf %1, %n : vector<8xf32>
    ...
    %half = arith.shrsi %int, %c1 : vector<8xi32>
    %y = arith.mulf %scaled, %power : vector<8xf32>
    ```

    Some formulas of several f32 ops are one function, cheaper or more accurate
    than its parts: gelu (a product with erfc), sigmoid and what is divided by
    1 + exp(x), log1p(exp(-|x|)) in softplus, and tanh of softplus in mish.

    An f64 function becomes a call of libm's, element by element; libm is
    within 2 ULP there and an artifact may depend on it.

    With `fma` a product that feeds a sum is a math.fma, for targets that have
    the instruction; without, it is a product and a sum, never contracted, so
    that the vector body and the tail of a loop round alike. With `rounding`,
    math.floor, ceil, trunc, round and roundeven are rewritten too, for targets
    on which LLVM would call libm for them (x86-64 before SSE4.1).

    Run it after graven-expand-kernels: what it builds depends on the order of
    its additions, and the expanders mark the ops of a reduction as free to be
    reassociated.

    Preconditions: the type is f16, bf16, f32 or f64 or a fixed-size vector of
    those. Ops on tensors, on other float types, math.ipowi and what is one
    instruction anyway (absf, copysign, fma, sqrt) are left alone.
  }];
  let options = [
    Option<"fma", "fma", "bool", "false",
           "the target has a fused multiply-add instruction">,
    Option<"rounding", "rounding", "bool", "false",
           "the target lacks rounding instructions: expand those ops too">
  ];
  let statistics = [
    Statistic<"numExpanded", "expanded", "Number of math ops rewritten">,
    Statistic<"numComposites", "composites",
              "Number of formulas of several ops rewritten as one function">
  ];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::func::FuncDialect",
                           "::mlir::math::MathDialect",
                           "::mlir::vector::VectorDialect"];
}

#endif // GRAVEN_PASSES_MATH_PASSES_TD
