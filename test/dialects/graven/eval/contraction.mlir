// RUN: graven-opt %s --graven-run-checks
// Contractions on tensors small enough to check by eye.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

graven.graph @matmul() {
  %a = graven.constant dense<[[1, 2], [3, 4]]> : tensor<2x2xi32>
  %b = graven.constant dense<[[5, 6], [7, 8]]> : tensor<2x2xi32>
  %ab = graven.matmul %a, %b : (tensor<2x2xi32>, tensor<2x2xi32>) -> tensor<2x2xi32>
  check.expect_eq_const %ab, dense<[[19, 22], [43, 50]]> : tensor<2x2xi32>
  %abt = graven.matmul %a, %b transpose_b : (tensor<2x2xi32>, tensor<2x2xi32>) -> tensor<2x2xi32>
  check.expect_eq_const %abt, dense<[[17, 23], [39, 53]]> : tensor<2x2xi32>
  %atb = graven.matmul %a, %b transpose_a : (tensor<2x2xi32>, tensor<2x2xi32>) -> tensor<2x2xi32>
  check.expect_eq_const %atb, dense<[[26, 30], [38, 44]]> : tensor<2x2xi32>
  graven.return
}

graven.graph @empty_sum() {
  %a = graven.constant dense<> : tensor<2x0xf32>
  %b = graven.constant dense<> : tensor<0x1xf32>
  %y = graven.matmul %a, %b : (tensor<2x0xf32>, tensor<0x1xf32>) -> tensor<2x1xf32>
  check.expect_eq_const %y, dense<0.0> : tensor<2x1xf32>
  graven.return
}

graven.graph @wide_accumulator() {
  // In f16 the first sum would overflow.
  %a = graven.constant dense<[[60000.0, 60000.0, -60000.0]]> : tensor<1x3xf16>
  %b = graven.constant dense<1.0> : tensor<3x1xf16>
  %y = graven.matmul %a, %b : (tensor<1x3xf16>, tensor<3x1xf16>) -> tensor<1x1xf16>
  check.expect_eq_const %y, dense<60000.0> : tensor<1x1xf16>
  graven.return
}

graven.graph @conv() {
  %x = graven.constant dense<[[[1.0, 2.0, 3.0, 4.0]]]> : tensor<1x1x4xf32>
  %w = graven.constant dense<[[[1.0, 10.0]]]> : tensor<1x1x2xf32>
  %b = graven.constant dense<0.5> : tensor<1xf32>
  // The kernel is not flipped; outside is 0.
  %y = graven.conv %x, %w bias %b strides [1] dilations [1] pads [1, 0] : (tensor<1x1x4xf32>, tensor<1x1x2xf32>, tensor<1xf32>) -> tensor<1x1x4xf32>
  check.expect_eq_const %y, dense<[[[10.5, 21.5, 32.5, 43.5]]]> : tensor<1x1x4xf32>
  %s = graven.conv %x, %w strides [2] dilations [2] pads [0, 1] : (tensor<1x1x4xf32>, tensor<1x1x2xf32>) -> tensor<1x1x2xf32>
  check.expect_eq_const %s, dense<[[[31.0, 3.0]]]> : tensor<1x1x2xf32>
  graven.return
}

graven.graph @conv_transpose() {
  %x = graven.constant dense<[[[1.0, 2.0]]]> : tensor<1x1x2xf32>
  %w = graven.constant dense<[[[1.0, 10.0, 100.0]]]> : tensor<1x1x3xf32>
  %b = graven.constant dense<0.5> : tensor<1xf32>
  // The last place is reached by output_padding alone and holds the bias.
  %y = graven.conv_transpose %x, %w bias %b strides [3] dilations [1] pads [0, 0] output_padding [1] : (tensor<1x1x2xf32>, tensor<1x1x3xf32>, tensor<1xf32>) -> tensor<1x1x7xf32>
  check.expect_eq_const %y, dense<[[[1.5, 10.5, 100.5, 2.5, 20.5, 200.5, 0.5]]]> : tensor<1x1x7xf32>
  graven.return
}

graven.graph @attention() {
  %q = graven.constant dense<[[[[0.0], [0.0]]]]> : tensor<1x1x2x1xf32>
  %v = graven.constant dense<[[[[1.0], [3.0]]]]> : tensor<1x1x2x1xf32>
  // Equal scores give means; causal, the first query sees the first key only.
  %y = graven.attention %q, %q, %v scale 1.0 : (tensor<1x1x2x1xf32>, tensor<1x1x2x1xf32>, tensor<1x1x2x1xf32>) -> tensor<1x1x2x1xf32>
  check.expect_eq_const %y, dense<2.0> : tensor<1x1x2x1xf32>
  %c = graven.attention %q, %q, %v scale 1.0 causal : (tensor<1x1x2x1xf32>, tensor<1x1x2x1xf32>, tensor<1x1x2x1xf32>) -> tensor<1x1x2x1xf32>
  check.expect_eq_const %c, dense<[[[[1.0], [2.0]]]]> : tensor<1x1x2x1xf32>
  // A row without a key.
  %m = graven.constant dense<[[[[false, false], [false, true]]]]> : tensor<1x1x2x2xi1>
  %z = graven.attention %q, %q, %v mask %m scale 1.0 : (tensor<1x1x2x1xf32>, tensor<1x1x2x1xf32>, tensor<1x1x2x1xf32>, tensor<1x1x2x2xi1>) -> tensor<1x1x2x1xf32>
  check.expect_eq_const %z, dense<[[[[0.0], [3.0]]]]> : tensor<1x1x2x1xf32>
  %n = graven.attention %q, %q, %v mask %m scale 1.0 empty_row nan : (tensor<1x1x2x1xf32>, tensor<1x1x2x1xf32>, tensor<1x1x2x1xf32>, tensor<1x1x2x2xi1>) -> tensor<1x1x2x1xf32>
  check.expect_eq_const %n, dense<[[[[0x7FC00000], [3.0]]]]> : tensor<1x1x2x1xf32>
  graven.return
}
