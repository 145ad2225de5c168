// RUN: graven-opt %s --canonicalize | FileCheck %s
// One way to say a thing: movement ops.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Reshapes merge.
// CHECK-LABEL: graven.graph @reshapes
// CHECK-NEXT: %0 = graven.reshape %arg0 to [3, 2] : (tensor<2x3xf32>) -> tensor<3x2xf32>
// CHECK-NEXT: check.expect_eq %0, %0 : tensor<3x2xf32>
graven.graph @reshapes(%x: tensor<2x3xf32>) {
  %0 = graven.reshape %x to [6] : (tensor<2x3xf32>) -> tensor<6xf32>
  %r = graven.reshape %0 to [3, -1] : (tensor<6xf32>) -> tensor<3x2xf32>
  check.expect_eq %r, %r : tensor<3x2xf32>
  graven.return
}

// Transposes merge.
// CHECK-LABEL: graven.graph @transposes
// CHECK-NEXT: %0 = graven.transpose %arg0 by [1, 2, 0] : (tensor<2x3x4xf32>) -> tensor<3x4x2xf32>
// CHECK-NEXT: check.expect_eq %0, %0 : tensor<3x4x2xf32>
graven.graph @transposes(%x: tensor<2x3x4xf32>) {
  %0 = graven.transpose %x by [1, 0, 2] : (tensor<2x3x4xf32>) -> tensor<3x2x4xf32>
  %r = graven.transpose %0 by [0, 2, 1] : (tensor<3x2x4xf32>) -> tensor<3x4x2xf32>
  check.expect_eq %r, %r : tensor<3x4x2xf32>
  graven.return
}

// Transposes that undo each other vanish.
// CHECK-LABEL: graven.graph @undone
// CHECK-NEXT: check.expect_eq %arg0, %arg0 : tensor<2x3xf32>
graven.graph @undone(%x: tensor<2x3xf32>) {
  %0 = graven.transpose %x by [1, 0] : (tensor<2x3xf32>) -> tensor<3x2xf32>
  %r = graven.transpose %0 by [1, 0] : (tensor<3x2xf32>) -> tensor<2x3xf32>
  check.expect_eq %r, %r : tensor<2x3xf32>
  graven.return
}

// Moving extents of 1 is a reshape.
// CHECK-LABEL: graven.graph @ones
// CHECK-NEXT: %0 = graven.reshape %arg0 to [1, 2, 3] : (tensor<2x1x3xf32>) -> tensor<1x2x3xf32>
// CHECK-NEXT: check.expect_eq %0, %0 : tensor<1x2x3xf32>
graven.graph @ones(%x: tensor<2x1x3xf32>) {
  %r = graven.transpose %x by [1, 0, 2] : (tensor<2x1x3xf32>) -> tensor<1x2x3xf32>
  check.expect_eq %r, %r : tensor<1x2x3xf32>
  graven.return
}

// Moving others is not.
// CHECK-LABEL: graven.graph @not_ones
// CHECK-NEXT: %0 = graven.transpose %arg0 by [2, 1, 0] : (tensor<2x1x3xf32>) -> tensor<3x1x2xf32>
// CHECK-NEXT: check.expect_eq %0, %0 : tensor<3x1x2xf32>
graven.graph @not_ones(%x: tensor<2x1x3xf32>) {
  %r = graven.transpose %x by [2, 1, 0] : (tensor<2x1x3xf32>) -> tensor<3x1x2xf32>
  check.expect_eq %r, %r : tensor<3x1x2xf32>
  graven.return
}

// A broadcast that repeats nothing is a reshape.
// CHECK-LABEL: graven.graph @broadcast
// CHECK-NEXT: %0 = graven.reshape %arg0 to [1, 2, 3] : (tensor<2x3xf32>) -> tensor<1x2x3xf32>
// CHECK-NEXT: check.expect_eq %0, %0 : tensor<1x2x3xf32>
graven.graph @broadcast(%x: tensor<2x3xf32>) {
  %r = graven.broadcast %x to [1, 2, 3] axes [1, 2] : (tensor<2x3xf32>) -> tensor<1x2x3xf32>
  check.expect_eq %r, %r : tensor<1x2x3xf32>
  graven.return
}

// A reduction over extents of 1 is a reshape.
// CHECK-LABEL: graven.graph @reduce
// CHECK-NEXT: %0 = graven.reshape %arg0 to [2] : (tensor<2x1xf32>) -> tensor<2xf32>
// CHECK-NEXT: check.expect_eq %0, %0 : tensor<2xf32>
graven.graph @reduce(%x: tensor<2x1xf32>) {
  %r = graven.reduce mean %x axes [1] : (tensor<2x1xf32>) -> tensor<2xf32>
  check.expect_eq %r, %r : tensor<2xf32>
  graven.return
}

// Constant entries of a mixed list become static where the type says so.
// CHECK-LABEL: graven.graph @static_list
// CHECK-NEXT: %0 = graven.slice %arg0 [1, 0] to [2, 3] by [1, 1] : (tensor<2x3xf32>) -> tensor<1x3xf32>
// CHECK-NEXT: %1 = graven.insert_slice %0 into %arg0 [1, 0] by [1, 1] : (tensor<2x3xf32>, tensor<1x3xf32>) -> tensor<2x3xf32>
// CHECK-NEXT: check.expect_eq %1, %1 : tensor<2x3xf32>
graven.graph @static_list(%x: tensor<2x3xf32>) {
  %n = graven.constant dense<1> : tensor<i64>
  %0 = graven.slice %x [%n, 0] to [2, 3] by [1, 1] : (tensor<2x3xf32>, tensor<i64>) -> tensor<1x3xf32>
  %r = graven.insert_slice %0 into %x [%n, 0] by [1, 1] : (tensor<2x3xf32>, tensor<1x3xf32>, tensor<i64>) -> tensor<2x3xf32>
  check.expect_eq %r, %r : tensor<2x3xf32>
  graven.return
}

// Refining a type is shape inference, so this stays.
// CHECK-LABEL: graven.graph @unknown_list
// CHECK-NEXT: %0 = graven.constant dense<1> : tensor<i64>
// CHECK-NEXT: %1 = graven.slice %arg0 [%0, 0] to [2, 3] by [1, 1] : (tensor<2x3xf32>, tensor<i64>) -> tensor<?x3xf32>
// CHECK-NEXT: check.expect_eq %1, %1 : tensor<?x3xf32>
graven.graph @unknown_list(%x: tensor<2x3xf32>) {
  %n = graven.constant dense<1> : tensor<i64>
  %r = graven.slice %x [%n, 0] to [2, 3] by [1, 1] : (tensor<2x3xf32>, tensor<i64>) -> tensor<?x3xf32>
  check.expect_eq %r, %r : tensor<?x3xf32>
  graven.return
}
