// RUN: graven-opt %s --graven-run-checks
// Elementwise ops at the values that formulas get wrong.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

graven.graph @nan_and_infinities() {
  %x = graven.constant dense<[0x7F800000, 0xFF800000, 0x7FC00000]> : tensor<3xf32>
  %relu = graven.relu %x : tensor<3xf32>
  check.expect_eq_const %relu, dense<[0x7F800000, 0.0, 0x7FC00000]> : tensor<3xf32>
  %silu = graven.silu %x : tensor<3xf32>
  check.expect_eq_const %silu, dense<[0x7F800000, 0x7FC00000, 0x7FC00000]> : tensor<3xf32>
  %gelu = graven.gelu %x : tensor<3xf32>
  check.expect_eq_const %gelu, dense<[0x7F800000, 0x7FC00000, 0x7FC00000]> : tensor<3xf32>
  %hard = graven.hard_swish %x : tensor<3xf32>
  check.expect_eq_const %hard, dense<[0x7F800000, 0x7FC00000, 0x7FC00000]> : tensor<3xf32>
  %sign = graven.sign %x : tensor<3xf32>
  check.expect_eq_const %sign, dense<[1.0, -1.0, 0x7FC00000]> : tensor<3xf32>
  %softplus = graven.softplus %x : tensor<3xf32>
  check.expect_eq_const %softplus, dense<[0x7F800000, 0.0, 0x7FC00000]> : tensor<3xf32>
  %sigmoid = graven.sigmoid %x : tensor<3xf32>
  check.expect_eq_const %sigmoid, dense<[1.0, 0.0, 0x7FC00000]> : tensor<3xf32>
  graven.return
}

graven.graph @signed_zeros() {
  %x = graven.constant dense<[0.0, -0.0]> : tensor<2xf32>
  %y = graven.constant dense<[-0.0, 0.0]> : tensor<2xf32>
  %max = graven.max %x, %y : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  check.expect_eq_const %max, dense<[0.0, 0.0]> : tensor<2xf32>
  %min = graven.min %x, %y : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  check.expect_eq_const %min, dense<[-0.0, -0.0]> : tensor<2xf32>
  %half = graven.constant dense<[-0.5, 2.5]> : tensor<2xf32>
  %round = graven.round %half : tensor<2xf32>
  check.expect_eq_const %round, dense<[-0.0, 2.0]> : tensor<2xf32>
  %sqrt = graven.sqrt %x : tensor<2xf32>
  check.expect_eq_const %sqrt, dense<[0.0, -0.0]> : tensor<2xf32>
  %sum = graven.add %x, %y : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  check.expect_eq_const %sum, dense<[0.0, 0.0]> : tensor<2xf32>
  %relu = graven.relu %x : tensor<2xf32>
  check.expect_eq_const %relu, dense<[0.0, -0.0]> : tensor<2xf32>
  graven.return
}

graven.graph @one_rounding() {
  // 2049 is no f16; the sum rounds to even once.
  %a = graven.constant dense<2048.0> : tensor<1xf16>
  %b = graven.constant dense<1.0> : tensor<1xf16>
  %sum = graven.add %a, %b : (tensor<1xf16>, tensor<1xf16>) -> tensor<1xf16>
  check.expect_eq_const %sum, dense<2048.0> : tensor<1xf16>
  graven.return
}

graven.graph @compare_nan() {
  %nan = graven.constant dense<0x7FC00000> : tensor<1xf32>
  %eq = graven.compare eq %nan, %nan : (tensor<1xf32>, tensor<1xf32>) -> tensor<1xi1>
  check.expect_eq_const %eq, dense<false> : tensor<1xi1>
  %ne = graven.compare ne %nan, %nan : (tensor<1xf32>, tensor<1xf32>) -> tensor<1xi1>
  check.expect_eq_const %ne, dense<true> : tensor<1xi1>
  %ge = graven.compare ge %nan, %nan : (tensor<1xf32>, tensor<1xf32>) -> tensor<1xi1>
  check.expect_eq_const %ge, dense<false> : tensor<1xi1>
  graven.return
}

graven.graph @clamp() {
  %x = graven.constant dense<[-5.0, 0.5, 5.0, 0x7FC00000]> : tensor<4xf32>
  %lo = graven.constant dense<1.0> : tensor<f32>
  %hi = graven.constant dense<0.0> : tensor<f32>
  // lo > hi gives hi; NaN stays.
  %y = graven.clamp %x lo %lo hi %hi : (tensor<4xf32>, tensor<f32>, tensor<f32>) -> tensor<4xf32>
  check.expect_eq_const %y, dense<[0.0, 0.0, 0.0, 0x7FC00000]> : tensor<4xf32>
  graven.return
}

graven.graph @select_takes_no_arithmetic() {
  %c = graven.constant dense<[true, false]> : tensor<2xi1>
  %a = graven.constant dense<[1.0, 0x7FC00000]> : tensor<2xf32>
  %b = graven.constant dense<[0x7FC00000, 2.0]> : tensor<2xf32>
  %y = graven.select %c, %a, %b : (tensor<2xi1>, tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  check.expect_eq_const %y, dense<[1.0, 2.0]> : tensor<2xf32>
  graven.return
}
