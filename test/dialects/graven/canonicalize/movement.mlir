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

// Transposes with a reshape between them that only adds extents of 1 merge: here to nothing.
// CHECK-LABEL: graven.graph @over_reshape
// CHECK-NEXT: check.expect_eq %arg0, %arg0 : tensor<1x4x3x5xf32>
graven.graph @over_reshape(%x: tensor<1x4x3x5xf32>) {
  %0 = graven.reshape %x to [4, 3, 5] : (tensor<1x4x3x5xf32>) -> tensor<4x3x5xf32>
  %1 = graven.transpose %0 by [0, 2, 1] : (tensor<4x3x5xf32>) -> tensor<4x5x3xf32>
  %2 = graven.reshape %1 to [1, 4, 5, 3] : (tensor<4x5x3xf32>) -> tensor<1x4x5x3xf32>
  %r = graven.transpose %2 by [0, 1, 3, 2] : (tensor<1x4x5x3xf32>) -> tensor<1x4x3x5xf32>
  check.expect_eq %r, %r : tensor<1x4x3x5xf32>
  graven.return
}

// Or to one.
// CHECK-LABEL: graven.graph @over_reshape_to_one
// CHECK-NEXT: %0 = graven.reshape %arg0 to [1, 2, 3, 4] : (tensor<2x3x4xf32>) -> tensor<1x2x3x4xf32>
// CHECK-NEXT: %1 = graven.transpose %0 by [2, 0, 3, 1] : (tensor<1x2x3x4xf32>) -> tensor<3x1x4x2xf32>
// CHECK-NEXT: check.expect_eq %1, %1 : tensor<3x1x4x2xf32>
graven.graph @over_reshape_to_one(%x: tensor<2x3x4xf32>) {
  %0 = graven.transpose %x by [2, 0, 1] : (tensor<2x3x4xf32>) -> tensor<4x2x3xf32>
  %1 = graven.reshape %0 to [4, 1, 2, 3] : (tensor<4x2x3xf32>) -> tensor<4x1x2x3xf32>
  %r = graven.transpose %1 by [3, 1, 0, 2] : (tensor<4x1x2x3xf32>) -> tensor<3x1x4x2xf32>
  check.expect_eq %r, %r : tensor<3x1x4x2xf32>
  graven.return
}

// A reshape that changes extents keeps its transposes apart.
// CHECK-LABEL: graven.graph @not_over_reshape
// CHECK-COUNT-2: graven.transpose
graven.graph @not_over_reshape(%x: tensor<2x3x4xf32>) {
  %0 = graven.transpose %x by [2, 0, 1] : (tensor<2x3x4xf32>) -> tensor<4x2x3xf32>
  %1 = graven.reshape %0 to [3, 2, 4] : (tensor<4x2x3xf32>) -> tensor<3x2x4xf32>
  %r = graven.transpose %1 by [2, 0, 1] : (tensor<3x2x4xf32>) -> tensor<4x3x2xf32>
  check.expect_eq %r, %r : tensor<4x3x2xf32>
  graven.return
}

// The bounds of a slice are absolute and within the extent, where it is known.
// CHECK-LABEL: graven.graph @clamped
// CHECK-NEXT: %0 = graven.slice %arg0 [0, 1, 0] to [2, 3, 9223372036854775807] by [1, 1, 2] : (tensor<2x3x?xf32>) -> tensor<2x2x?xf32>
// CHECK-NEXT: check.expect_eq %0, %0 : tensor<2x2x?xf32>
graven.graph @clamped(%x: tensor<2x3x?xf32>) {
  %r = graven.slice %x [-9, -2, 0] to [9223372036854775807, 9, 9223372036854775807] by [1, 1, 2] : (tensor<2x3x?xf32>) -> tensor<2x2x?xf32>
  check.expect_eq %r, %r : tensor<2x2x?xf32>
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
