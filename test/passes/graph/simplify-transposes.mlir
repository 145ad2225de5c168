// RUN: graven-opt --graven-simplify-transposes --split-input-file %s | FileCheck %s

// CHECK-LABEL: graven.graph @cancel(
//  CHECK-SAME:   %[[X:.*]]: tensor<1x8x4x4xf32>
//       CHECK:   %[[R:.*]] = graven.relu %[[X]]
//       CHECK:   %[[S:.*]] = graven.mul %[[R]], %{{.*}} : (tensor<1x8x4x4xf32>, tensor<1x8x1x1xf32>)
//       CHECK:   graven.return %[[S]]
graven.param @p : tensor<1x1x1x8xf32> = dense<2.0> : tensor<1x1x1x8xf32>
graven.graph @cancel(%x: tensor<1x8x4x4xf32>) -> tensor<1x8x4x4xf32> {
  %p = graven.get_param @p : tensor<1x1x1x8xf32>
  %0 = graven.transpose %x by [0, 2, 3, 1] : (tensor<1x8x4x4xf32>) -> tensor<1x4x4x8xf32>
  %1 = graven.relu %0 : tensor<1x4x4x8xf32>
  %2 = graven.mul %1, %p : (tensor<1x4x4x8xf32>, tensor<1x1x1x8xf32>) -> tensor<1x4x4x8xf32>
  %3 = graven.transpose %2 by [0, 3, 1, 2] : (tensor<1x4x4x8xf32>) -> tensor<1x8x4x4xf32>
  graven.return %3 : tensor<1x8x4x4xf32>
}

// -----

// Two transposes that do not cancel merge into one.

// CHECK-LABEL: graven.graph @merge(
//  CHECK-SAME:   %[[X:.*]]: tensor<2x3x4xf32>
//       CHECK:   %[[T:.*]] = graven.transpose %[[X]] by [2, 0, 1]
//       CHECK:   %[[R:.*]] = graven.relu %[[T]]
//       CHECK:   graven.return %[[R]]
graven.graph @merge(%x: tensor<2x3x4xf32>) -> tensor<4x2x3xf32> {
  %0 = graven.transpose %x by [1, 2, 0] : (tensor<2x3x4xf32>) -> tensor<3x4x2xf32>
  %1 = graven.relu %0 : tensor<3x4x2xf32>
  %2 = graven.transpose %1 by [1, 2, 0] : (tensor<3x4x2xf32>) -> tensor<4x2x3xf32>
  graven.return %2 : tensor<4x2x3xf32>
}

// -----

// A second user keeps the values as they are, and so does a path without a
// transpose.

// CHECK-LABEL: graven.graph @stay(
//       CHECK:   %[[R:.*]] = graven.relu
//       CHECK:   graven.transpose %[[R]]
//       CHECK:   %[[A:.*]] = graven.add
//       CHECK:   graven.transpose %[[A]]
graven.graph @stay(%x: tensor<2x3xf32>, %y: tensor<3x2xf32>) -> (tensor<3x2xf32>, tensor<2x3xf32>, tensor<2x3xf32>) {
  %0 = graven.transpose %x by [1, 0] : (tensor<2x3xf32>) -> tensor<3x2xf32>
  %1 = graven.relu %0 : tensor<3x2xf32>
  %2 = graven.transpose %1 by [1, 0] : (tensor<3x2xf32>) -> tensor<2x3xf32>
  %3 = graven.add %0, %y : (tensor<3x2xf32>, tensor<3x2xf32>) -> tensor<3x2xf32>
  %4 = graven.transpose %3 by [1, 0] : (tensor<3x2xf32>) -> tensor<2x3xf32>
  graven.return %1, %2, %4 : tensor<3x2xf32>, tensor<2x3xf32>, tensor<2x3xf32>
}

// -----

// CHECK-LABEL: graven.graph @into_matmul(
//  CHECK-SAME:   %[[A:.*]]: tensor<2x4x8xf32>, %[[B:.*]]: tensor<2x3x8xf32>
//       CHECK:   graven.matmul %[[A]], %[[B]] transpose_b :
//       CHECK:   graven.matmul %[[A]], %{{.*}} transpose_a :
//       CHECK:   %[[T:.*]] = graven.transpose %[[A]] by [1, 0, 2]
//       CHECK:   graven.matmul %[[T]]
graven.graph @into_matmul(%a: tensor<2x4x8xf32>, %b: tensor<2x3x8xf32>, %c: tensor<2x4x5xf32>, %d: tensor<4x8x5xf32>) -> (tensor<2x4x3xf32>, tensor<2x8x5xf32>, tensor<4x2x5xf32>) {
  %0 = graven.transpose %b by [0, 2, 1] : (tensor<2x3x8xf32>) -> tensor<2x8x3xf32>
  %1 = graven.matmul %a, %0 : (tensor<2x4x8xf32>, tensor<2x8x3xf32>) -> tensor<2x4x3xf32>
  %2 = graven.transpose %a by [0, 2, 1] : (tensor<2x4x8xf32>) -> tensor<2x8x4xf32>
  %3 = graven.matmul %2, %c : (tensor<2x8x4xf32>, tensor<2x4x5xf32>) -> tensor<2x8x5xf32>
  %4 = graven.transpose %a by [1, 0, 2] : (tensor<2x4x8xf32>) -> tensor<4x2x8xf32>
  %5 = graven.matmul %4, %d : (tensor<4x2x8xf32>, tensor<4x8x5xf32>) -> tensor<4x2x5xf32>
  graven.return %1, %3, %5 : tensor<2x4x3xf32>, tensor<2x8x5xf32>, tensor<4x2x5xf32>
}

// -----

// A product of two run-time matrices turns around; one with weights does not.

// CHECK-LABEL: graven.graph @out_of_matmul(
//  CHECK-SAME:   %[[A:.*]]: tensor<4x8xf32>, %[[B:.*]]: tensor<8x3xf32>
//       CHECK:   graven.matmul %[[B]], %[[A]] transpose_a transpose_b :
//       CHECK:   %[[Y:.*]] = graven.matmul %[[A]]
//       CHECK:   graven.transpose %[[Y]]
graven.param @w : tensor<8x3xf32> = dense<2.0> : tensor<8x3xf32>
graven.graph @out_of_matmul(%a: tensor<4x8xf32>, %b: tensor<8x3xf32>) -> (tensor<3x4xf32>, tensor<3x4xf32>) {
  %w = graven.get_param @w : tensor<8x3xf32>
  %0 = graven.matmul %a, %b : (tensor<4x8xf32>, tensor<8x3xf32>) -> tensor<4x3xf32>
  %1 = graven.transpose %0 by [1, 0] : (tensor<4x3xf32>) -> tensor<3x4xf32>
  %2 = graven.matmul %a, %w : (tensor<4x8xf32>, tensor<8x3xf32>) -> tensor<4x3xf32>
  %3 = graven.transpose %2 by [1, 0] : (tensor<4x3xf32>) -> tensor<3x4xf32>
  graven.return %1, %3 : tensor<3x4xf32>, tensor<3x4xf32>
}

// -----

// CHECK-LABEL: graven.graph @reduce(
//  CHECK-SAME:   %[[X:.*]]: tensor<2x8x4x5xf32>
//       CHECK:   %[[M:.*]] = graven.reduce mean %[[X]] axes [2, 3] : (tensor<2x8x4x5xf32>) -> tensor<2x8xf32>
//       CHECK:   %[[S:.*]] = graven.reduce sum %[[X]] axes [1] keep : (tensor<2x8x4x5xf32>) -> tensor<2x1x4x5xf32>
//       CHECK:   %[[T:.*]] = graven.reshape %[[S]] to [2, 4, 5, 1]
//       CHECK:   graven.return %[[M]], %[[T]]
graven.graph @reduce(%x: tensor<2x8x4x5xf32>) -> (tensor<2x8xf32>, tensor<2x4x5x1xf32>) {
  %0 = graven.transpose %x by [0, 2, 3, 1] : (tensor<2x8x4x5xf32>) -> tensor<2x4x5x8xf32>
  %1 = graven.reduce mean %0 axes [1, 2] : (tensor<2x4x5x8xf32>) -> tensor<2x8xf32>
  %2 = graven.transpose %x by [0, 2, 3, 1] : (tensor<2x8x4x5xf32>) -> tensor<2x4x5x8xf32>
  %3 = graven.reduce sum %2 axes [3] keep : (tensor<2x4x5x8xf32>) -> tensor<2x4x5x1xf32>
  graven.return %1, %3 : tensor<2x8xf32>, tensor<2x4x5x1xf32>
}

// -----

// Reshapes merge; a transpose that moves only extents of 1 is one of them.

// CHECK-LABEL: graven.graph @unit_extents(
//  CHECK-SAME:   %[[X:.*]]: tensor<1x4x1x8xf32>
//       CHECK:   %[[R:.*]] = graven.reshape %[[X]] to [32]
//       CHECK:   graven.return %[[R]]
graven.graph @unit_extents(%x: tensor<1x4x1x8xf32>) -> tensor<32xf32> {
  %0 = graven.transpose %x by [0, 2, 1, 3] : (tensor<1x4x1x8xf32>) -> tensor<1x1x4x8xf32>
  %1 = graven.reshape %0 to [32] : (tensor<1x1x4x8xf32>) -> tensor<32xf32>
  graven.return %1 : tensor<32xf32>
}
