// RUN: graven-opt %s --graven-run-checks -split-input-file -verify-diagnostics
// Each way in which an expectation does not hold; one run reports all of them.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

graven.graph @all_are_reported() {
  %x = graven.constant dense<[[1.0, 2.0], [3.0, -0.0]]> : tensor<2x2xf32>
  // expected-error @below {{[GRV0401] 1 of 4 elements differ; element [1, 0] is 3, expected 5}}
  check.expect_eq_const %x, dense<[[1.0, 2.0], [5.0, -0.0]]> : tensor<2x2xf32>
  // -0 is close to 0, but not equal.
  // expected-error @below {{1 of 4 elements differ; element [1, 1] is -0, expected 0}}
  check.expect_eq_const %x, dense<[[1.0, 2.0], [3.0, 0.0]]> : tensor<2x2xf32>
  check.expect_close_const %x, dense<[[1.0, 2.0], [3.0, 0.0]]> : tensor<2x2xf32>
  graven.return
}

// -----

graven.graph @close() {
  %x = graven.constant dense<[1.0, 0x7FC00000]> : tensor<2xf32>
  // Two ULPs above 1.
  // expected-error @below {{1 of 2 elements differ; element [0] is 1, expected 1.00000024}}
  check.expect_close_const %x, dense<[1.00000024, 0x7FC00000]> : tensor<2xf32> ulp 1
  // expected-error @below {{element [1] is nan, expected 1}}
  check.expect_close_const %x, dense<[1.0, 1.0]> : tensor<2xf32> rtol 1.0e+10
  // expected-error @below {{element [0] is 1, expected 1.5}}
  check.expect_close_const %x, dense<[1.5, 0x7FC00000]> : tensor<2xf32> rtol 0.3
  graven.return
}

// -----

graven.graph @infinity() {
  %x = graven.constant dense<3.40282347E+38> : tensor<1xf32>
  // No relative tolerance reaches infinity.
  // expected-error @below {{element [0] is 3.40282347e+38, expected inf}}
  check.expect_close_const %x, dense<0x7F800000> : tensor<1xf32> rtol 1.0
  graven.return
}

// -----

graven.graph @ints() {
  %x = graven.constant dense<[1, 2]> : tensor<2xi64>
  %y = graven.constant dense<[1, 3]> : tensor<2xi64>
  // expected-error @below {{element [1] is 2, expected 3}}
  check.expect_eq %x, %y : tensor<2xi64>
  graven.return
}

// -----

graven.graph @extents() {
  %n = graven.constant dense<2> : tensor<i64>
  %x = graven.iota [%n] axis 0 of i64 : (tensor<i64>) -> tensor<?xi64>
  // expected-error @below {{got type 'tensor<2xi64>', expected 'tensor<3xi64>'}}
  check.expect_eq_const %x, dense<[0, 1, 2]> : tensor<3xi64> as tensor<?xi64>
  graven.return
}

// -----

graven.graph @type(%x: tensor<2xi64>) {
  // expected-error @below {{compares 'tensor<2xi64>' with a constant of type 'tensor<3xi64>' (C1)}}
  check.expect_eq_const %x, dense<[0, 1, 2]> : tensor<3xi64> as tensor<2xi64>
  graven.return
}

// -----

graven.graph @tolerance(%x: tensor<2xf32>) {
  // expected-error @below {{has a negative tolerance (C2)}}
  check.expect_close %x, %x atol -1.0 : tensor<2xf32>
  graven.return
}
