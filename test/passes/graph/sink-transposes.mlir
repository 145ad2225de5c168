// RUN: graven-opt --graven-sink-transposes --split-input-file %s | FileCheck %s

// A scale in the weights and a residual that comes by the same transpose.

// CHECK-LABEL: graven.graph @residual(
//  CHECK-SAME:   %[[X:.*]]: tensor<1x4x4x8xf32>, %[[Y:.*]]: tensor<1x4x4x8xf32>
//       CHECK:   %[[S:.*]] = graven.get_param @scale
//       CHECK:   %[[ST:.*]] = graven.transpose %[[S]] by [0, 2, 3, 1]
//       CHECK:   %[[M:.*]] = graven.mul %[[X]], %[[ST]] : (tensor<1x4x4x8xf32>, tensor<1x1x1x8xf32>) -> tensor<1x4x4x8xf32>
//       CHECK:   %[[A:.*]] = graven.add %[[M]], %[[Y]]
//       CHECK:   %[[T:.*]] = graven.transpose %[[A]] by [0, 3, 1, 2]
//       CHECK:   graven.return %[[T]]
graven.param @scale : tensor<1x8x1x1xf32> = #graven.blob<"m", 0, 32>
graven.graph @residual(%x: tensor<1x4x4x8xf32>, %y: tensor<1x4x4x8xf32>) -> tensor<1x8x4x4xf32> {
  %s = graven.get_param @scale : tensor<1x8x1x1xf32>
  %0 = graven.transpose %x by [0, 3, 1, 2] : (tensor<1x4x4x8xf32>) -> tensor<1x8x4x4xf32>
  %1 = graven.mul %0, %s : (tensor<1x8x4x4xf32>, tensor<1x8x1x1xf32>) -> tensor<1x8x4x4xf32>
  %2 = graven.transpose %y by [0, 3, 1, 2] : (tensor<1x4x4x8xf32>) -> tensor<1x8x4x4xf32>
  %3 = graven.add %1, %2 : (tensor<1x8x4x4xf32>, tensor<1x8x4x4xf32>) -> tensor<1x8x4x4xf32>
  graven.return %3 : tensor<1x8x4x4xf32>
}

// -----

// One of two transposes has another reader: as many are left.

// CHECK-LABEL: graven.graph @shared(
//  CHECK-SAME:   %[[X:.*]]: tensor<3x2xf32>, %[[Y:.*]]: tensor<3x2xf32>
//       CHECK:   %[[XT:.*]] = graven.transpose %[[X]]
//       CHECK:   %[[A:.*]] = graven.add %[[X]], %[[Y]]
//       CHECK:   %[[T:.*]] = graven.transpose %[[A]]
//       CHECK:   graven.return %[[XT]], %[[T]]
graven.graph @shared(%x: tensor<3x2xf32>, %y: tensor<3x2xf32>) -> (tensor<2x3xf32>, tensor<2x3xf32>) {
  %0 = graven.transpose %x by [1, 0] : (tensor<3x2xf32>) -> tensor<2x3xf32>
  %1 = graven.transpose %y by [1, 0] : (tensor<3x2xf32>) -> tensor<2x3xf32>
  %2 = graven.add %0, %1 : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  graven.return %0, %2 : tensor<2x3xf32>, tensor<2x3xf32>
}

// -----

// Every transpose has another reader.

// CHECK-LABEL: graven.graph @keeps_for_a_second_user(
//       CHECK:   %[[T:.*]] = graven.transpose
//       CHECK:   graven.relu %[[T]]
graven.graph @keeps_for_a_second_user(%x: tensor<3x2xf32>) -> (tensor<2x3xf32>, tensor<2x3xf32>) {
  %0 = graven.transpose %x by [1, 0] : (tensor<3x2xf32>) -> tensor<2x3xf32>
  %1 = graven.relu %0 : tensor<2x3xf32>
  graven.return %0, %1 : tensor<2x3xf32>, tensor<2x3xf32>
}

// -----

// Another operand is computed when the model runs.

// CHECK-LABEL: graven.graph @keeps_beside_an_activation(
//       CHECK:   %[[T:.*]] = graven.transpose
//       CHECK:   graven.add %[[T]]
graven.graph @keeps_beside_an_activation(%x: tensor<3x2xf32>, %y: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %0 = graven.transpose %x by [1, 0] : (tensor<3x2xf32>) -> tensor<2x3xf32>
  %1 = graven.add %0, %y : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  graven.return %1 : tensor<2x3xf32>
}

// -----

// The transposes differ.

// CHECK-LABEL: graven.graph @keeps_different_transposes(
//       CHECK:   graven.add %{{.*}} : (tensor<2x2x2xf32>
//  CHECK-NEXT:   graven.return
graven.graph @keeps_different_transposes(%x: tensor<2x2x2xf32>, %y: tensor<2x2x2xf32>) -> tensor<2x2x2xf32> {
  %0 = graven.transpose %x by [1, 0, 2] : (tensor<2x2x2xf32>) -> tensor<2x2x2xf32>
  %1 = graven.transpose %y by [2, 1, 0] : (tensor<2x2x2xf32>) -> tensor<2x2x2xf32>
  %2 = graven.add %0, %1 : (tensor<2x2x2xf32>, tensor<2x2x2xf32>) -> tensor<2x2x2xf32>
  graven.return %2 : tensor<2x2x2xf32>
}

// -----

// A transposed row is less to move than the matrix it is added to.

// CHECK-LABEL: graven.graph @keeps_a_row(
//       CHECK:   %[[T:.*]] = graven.transpose
//       CHECK:   graven.add %[[T]]
graven.graph @keeps_a_row(%x: tensor<3x1xf32>) -> tensor<2x3xf32> {
  %c = graven.constant dense<1.0> : tensor<2x3xf32>
  %0 = graven.transpose %x by [1, 0] : (tensor<3x1xf32>) -> tensor<1x3xf32>
  %1 = graven.add %c, %0 : (tensor<2x3xf32>, tensor<1x3xf32>) -> tensor<2x3xf32>
  graven.return %1 : tensor<2x3xf32>
}
