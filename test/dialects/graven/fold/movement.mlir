// RUN: graven-opt %s --canonicalize | FileCheck %s
// Movement ops that do nothing fold; shape arithmetic is computed.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// To the same shape.
// CHECK-LABEL: graven.graph @reshape
// CHECK-NEXT: check.expect_eq %arg0, %arg0 : tensor<2x3xf32>
graven.graph @reshape(%x: tensor<2x3xf32>) {
  %r = graven.reshape %x to [2, -1] : (tensor<2x3xf32>) -> tensor<2x3xf32>
  check.expect_eq %r, %r : tensor<2x3xf32>
  graven.return
}

// Two unknown extents may change: stays.
// CHECK-LABEL: graven.graph @reshape_unknown
// CHECK-NEXT: %0 = graven.reshape %arg0 to [%arg1, -1] : (tensor<?x?xf32>, tensor<i64>) -> tensor<?x?xf32>
// CHECK-NEXT: check.expect_eq %0, %0 : tensor<?x?xf32>
graven.graph @reshape_unknown(%x: tensor<?x?xf32>, %n: tensor<i64>) {
  %r = graven.reshape %x to [%n, -1] : (tensor<?x?xf32>, tensor<i64>) -> tensor<?x?xf32>
  check.expect_eq %r, %r : tensor<?x?xf32>
  graven.return
}

// Identity permutation.
// CHECK-LABEL: graven.graph @transpose
// CHECK-NEXT: check.expect_eq %arg0, %arg0 : tensor<2x3xf32>
graven.graph @transpose(%x: tensor<2x3xf32>) {
  %r = graven.transpose %x by [0, 1] : (tensor<2x3xf32>) -> tensor<2x3xf32>
  check.expect_eq %r, %r : tensor<2x3xf32>
  graven.return
}

// A whole slice.
// CHECK-LABEL: graven.graph @slice
// CHECK-NEXT: check.expect_eq %arg0, %arg0 : tensor<2x3xf32>
graven.graph @slice(%x: tensor<2x3xf32>) {
  %r = graven.slice %x [0, -3] to [2, 100] by [1, 1] : (tensor<2x3xf32>) -> tensor<2x3xf32>
  check.expect_eq %r, %r : tensor<2x3xf32>
  graven.return
}

// A whole slice of an unknown extent; one that may be shorter stays.
// CHECK-LABEL: graven.graph @slice_unknown
// CHECK-NEXT: %0 = graven.slice %arg0 [0] to [5] by [1] : (tensor<?xf32>) -> tensor<?xf32>
// CHECK-NEXT: check.expect_eq %0, %0 : tensor<?xf32>
graven.graph @slice_unknown(%x: tensor<?xf32>) {
  %0 = graven.slice %x [0] to [9223372036854775807] by [1] : (tensor<?xf32>) -> tensor<?xf32>
  %r = graven.slice %0 [0] to [5] by [1] : (tensor<?xf32>) -> tensor<?xf32>
  check.expect_eq %r, %r : tensor<?xf32>
  graven.return
}

// One part, no padding, no repetition.
// CHECK-LABEL: graven.graph @others
// CHECK-NEXT: check.expect_eq %arg0, %arg0 : tensor<2x3xf32>
graven.graph @others(%x: tensor<2x3xf32>) {
  %0 = graven.concat %x axis 0 : (tensor<2x3xf32>) -> tensor<2x3xf32>
  %1 = graven.pad %0 low [0, 0] high [0, 0] : (tensor<2x3xf32>) -> tensor<2x3xf32>
  %2 = graven.broadcast %1 to [2, 3] axes [0, 1] : (tensor<2x3xf32>) -> tensor<2x3xf32>
  %r = graven.reduce sum %2 axes [] : (tensor<2x3xf32>) -> tensor<2x3xf32>
  check.expect_eq %r, %r : tensor<2x3xf32>
  graven.return
}

// A layout there and back.
// CHECK-LABEL: graven.graph @relayout
// CHECK-NEXT: check.expect_eq %arg0, %arg0 : tensor<1x20x4xf32>
graven.graph @relayout(%p: tensor<1x20x4xf32>) {
  %0 = graven.relayout %p from nchw to nchw16c channels 20 : (tensor<1x20x4xf32>) -> tensor<1x2x4x16xf32>
  %r = graven.relayout %0 from nchw16c to nchw channels 20 : (tensor<1x2x4x16xf32>) -> tensor<1x20x4xf32>
  check.expect_eq %r, %r : tensor<1x20x4xf32>
  graven.return
}

// A known extent is a constant.
// CHECK-LABEL: graven.graph @dim
// CHECK-NEXT: %0 = graven.constant dense<3> : tensor<i64>
// CHECK-NEXT: check.expect_eq %0, %0 : tensor<i64>
graven.graph @dim(%x: tensor<2x3xf32>) {
  %r = graven.dim %x axis 1 : tensor<2x3xf32>
  check.expect_eq %r, %r : tensor<i64>
  graven.return
}

// The extent that a reshape was given is its operand.
// CHECK-LABEL: graven.graph @dim_of_reshape
// CHECK-NEXT: check.expect_eq %arg1, %arg1 : tensor<i64>
graven.graph @dim_of_reshape(%x: tensor<?xf32>, %n: tensor<i64>) {
  %0 = graven.reshape %x to [3, %n] : (tensor<?xf32>, tensor<i64>) -> tensor<3x?xf32>
  %r = graven.dim %0 axis 1 : tensor<3x?xf32>
  check.expect_eq %r, %r : tensor<i64>
  graven.return
}

// A shape, computed: [dim 0, dim 1 * 4].
// CHECK-LABEL: graven.graph @shape_arithmetic
// CHECK-NEXT: %0 = graven.constant dense<[2, 12]> : tensor<2xi64>
// CHECK-NEXT: check.expect_eq %0, %0 : tensor<2xi64>
graven.graph @shape_arithmetic(%x: tensor<2x3xf32>) {
  %four = graven.constant dense<4> : tensor<i64>
  %0 = graven.dim %x axis 0 : tensor<2x3xf32>
  %1 = graven.dim %x axis 1 : tensor<2x3xf32>
  %2 = graven.mul %1, %four : (tensor<i64>, tensor<i64>) -> tensor<i64>
  %3 = graven.reshape %0 to [1] : (tensor<i64>) -> tensor<1xi64>
  %4 = graven.reshape %2 to [1] : (tensor<i64>) -> tensor<1xi64>
  %r = graven.concat %3, %4 axis 0 : (tensor<1xi64>, tensor<1xi64>) -> tensor<2xi64>
  check.expect_eq %r, %r : tensor<2xi64>
  graven.return
}

// A gather out of range is left to the run.
// CHECK-LABEL: graven.graph @gather_out_of_range
// CHECK-NEXT: %0 = graven.constant dense<[1, 2]> : tensor<2xi64>
// CHECK-NEXT: %1 = graven.constant dense<5> : tensor<i64>
// CHECK-NEXT: %2 = graven.gather %0[%1] axis 0 : (tensor<2xi64>, tensor<i64>) -> tensor<i64>
// CHECK-NEXT: check.expect_eq %2, %2 : tensor<i64>
graven.graph @gather_out_of_range() {
  %x = graven.constant dense<[1, 2]> : tensor<2xi64>
  %i = graven.constant dense<5> : tensor<i64>
  %r = graven.gather %x[%i] axis 0 : (tensor<2xi64>, tensor<i64>) -> tensor<i64>
  check.expect_eq %r, %r : tensor<i64>
  graven.return
}

// More than 16 floats are left to the constant folding pass.
// CHECK-LABEL: graven.graph @big
// CHECK-NEXT: %0 = graven.constant dense<1.500000e+00> : tensor<17xf32>
// CHECK-NEXT: %1 = graven.exp %0 : tensor<17xf32>
// CHECK-NEXT: check.expect_eq %1, %1 : tensor<17xf32>
graven.graph @big() {
  %x = graven.constant dense<1.5> : tensor<17xf32>
  %r = graven.exp %x : tensor<17xf32>
  check.expect_eq %r, %r : tensor<17xf32>
  graven.return
}
