// RUN: graven-opt %s --canonicalize | FileCheck %s
// One way to say a thing: elementwise ops.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// max(x, 0) is relu.
// CHECK-LABEL: graven.graph @max_zero
// CHECK-NEXT: %0 = graven.relu %arg0 : tensor<2xf32>
// CHECK-NEXT: check.expect_eq %0, %0 : tensor<2xf32>
graven.graph @max_zero(%x: tensor<2xf32>) {
  %c = graven.constant dense<0.0> : tensor<f32>
  %r = graven.max %x, %c : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  check.expect_eq %r, %r : tensor<2xf32>
  graven.return
}

// max with another number stays.
// CHECK-LABEL: graven.graph @max_one
// CHECK-NEXT: %0 = graven.constant dense<1.000000e+00> : tensor<f32>
// CHECK-NEXT: %1 = graven.max %arg0, %0 : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
// CHECK-NEXT: check.expect_eq %1, %1 : tensor<2xf32>
graven.graph @max_one(%x: tensor<2xf32>) {
  %c = graven.constant dense<1.0> : tensor<f32>
  %r = graven.max %x, %c : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  check.expect_eq %r, %r : tensor<2xf32>
  graven.return
}

// clamp from 0 is relu.
// CHECK-LABEL: graven.graph @clamp_zero
// CHECK-NEXT: %0 = graven.relu %arg0 : tensor<2xf32>
// CHECK-NEXT: check.expect_eq %0, %0 : tensor<2xf32>
graven.graph @clamp_zero(%x: tensor<2xf32>) {
  %c = graven.constant dense<0.0> : tensor<f32>
  %r = graven.clamp %x lo %c : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  check.expect_eq %r, %r : tensor<2xf32>
  graven.return
}

// clamp from 0 to 6 stays.
// CHECK-LABEL: graven.graph @clamp_six
// CHECK-NEXT: %0 = graven.constant dense<0.000000e+00> : tensor<f32>
// CHECK-NEXT: %1 = graven.clamp %arg0 lo %0 hi %arg1 : (tensor<2xf32>, tensor<f32>, tensor<f32>) -> tensor<2xf32>
// CHECK-NEXT: check.expect_eq %1, %1 : tensor<2xf32>
graven.graph @clamp_six(%x: tensor<2xf32>, %s: tensor<f32>) {
  %c = graven.constant dense<0.0> : tensor<f32>
  %r = graven.clamp %x lo %c hi %s : (tensor<2xf32>, tensor<f32>, tensor<f32>) -> tensor<2xf32>
  check.expect_eq %r, %r : tensor<2xf32>
  graven.return
}

// A constant subtracted from ints is added.
// CHECK-LABEL: graven.graph @sub_const
// CHECK-NEXT: %0 = graven.constant dense<[-3, -4]> : tensor<2xi32>
// CHECK-NEXT: %1 = graven.add %arg0, %0 : (tensor<2xi32>, tensor<2xi32>) -> tensor<2xi32>
// CHECK-NEXT: check.expect_eq %1, %1 : tensor<2xi32>
graven.graph @sub_const(%i: tensor<2xi32>) {
  %c = graven.constant dense<[3, 4]> : tensor<2xi32>
  %r = graven.sub %i, %c : (tensor<2xi32>, tensor<2xi32>) -> tensor<2xi32>
  check.expect_eq %r, %r : tensor<2xi32>
  graven.return
}

// Constants of ints meet.
// CHECK-LABEL: graven.graph @reassociate
// CHECK-NEXT: %0 = graven.constant dense<[6, 8]> : tensor<2xi32>
// CHECK-NEXT: %1 = graven.add %arg0, %0 : (tensor<2xi32>, tensor<2xi32>) -> tensor<2xi32>
// CHECK-NEXT: check.expect_eq %1, %1 : tensor<2xi32>
graven.graph @reassociate(%i: tensor<2xi32>) {
  %c = graven.constant dense<[3, 4]> : tensor<2xi32>
  %0 = graven.add %i, %c : (tensor<2xi32>, tensor<2xi32>) -> tensor<2xi32>
  %r = graven.add %0, %c : (tensor<2xi32>, tensor<2xi32>) -> tensor<2xi32>
  check.expect_eq %r, %r : tensor<2xi32>
  graven.return
}

// Those of floats do not: rounding.
// CHECK-LABEL: graven.graph @no_reassociation
// CHECK-NEXT: %0 = graven.constant dense<[3.000000e+00, 4.000000e+00]> : tensor<2xf32>
// CHECK-NEXT: %1 = graven.add %arg0, %0 : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
// CHECK-NEXT: %2 = graven.add %1, %0 : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
// CHECK-NEXT: check.expect_eq %2, %2 : tensor<2xf32>
graven.graph @no_reassociation(%x: tensor<2xf32>) {
  %c = graven.constant dense<[3.0, 4.0]> : tensor<2xf32>
  %0 = graven.add %x, %c : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %r = graven.add %0, %c : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  check.expect_eq %r, %r : tensor<2xf32>
  graven.return
}
