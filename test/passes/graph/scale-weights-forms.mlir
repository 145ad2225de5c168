// RUN: graven-opt --graven-scale-weights --canonicalize --split-input-file %s | FileCheck %s

// The other op of each form: sums that are added, products in front of convolutions, quotients around matrix products.

// CHECK-LABEL: graven.graph @conv(
//  CHECK-SAME:   %[[X:.*]]: tensor<1x2x4x4xf32>
//   CHECK-DAG:   %[[W:.*]] = graven.constant dense<6.0{{.*}}> : tensor<3x2x1x1xf32>
//   CHECK-DAG:   %[[B:.*]] = graven.constant dense<[2.150000e+01, 2.250000e+01, 2.350000e+01]> : tensor<3xf32>
//       CHECK:   %[[Y:.*]] = graven.conv %[[X]], %[[W]] bias %[[B]]
//       CHECK:   graven.return %[[Y]]
graven.graph @conv(%x: tensor<1x2x4x4xf32>) -> tensor<1x3x4x4xf32> {
  %w = graven.constant dense<2.0> : tensor<3x2x1x1xf32>
  %b = graven.constant dense<[1.0, 2.0, 3.0]> : tensor<3xf32>
  %three = graven.constant dense<3.0> : tensor<1x2x1x1xf32>
  %five = graven.constant dense<5.0> : tensor<1x2x1x1xf32>
  %half = graven.constant dense<0.5> : tensor<1x3x1x1xf32>
  %0 = graven.mul %x, %three : (tensor<1x2x4x4xf32>, tensor<1x2x1x1xf32>) -> tensor<1x2x4x4xf32>
  %1 = graven.add %0, %five : (tensor<1x2x4x4xf32>, tensor<1x2x1x1xf32>) -> tensor<1x2x4x4xf32>
  %2 = graven.conv %1, %w bias %b strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] : (tensor<1x2x4x4xf32>, tensor<3x2x1x1xf32>, tensor<3xf32>) -> tensor<1x3x4x4xf32>
  %3 = graven.add %2, %half : (tensor<1x3x4x4xf32>, tensor<1x3x1x1xf32>) -> tensor<1x3x4x4xf32>
  graven.return %3 : tensor<1x3x4x4xf32>
}

// -----

// CHECK-LABEL: graven.graph @matmul(
//  CHECK-SAME:   %[[X:.*]]: tensor<3x4xf32>
//   CHECK-DAG:   %[[W:.*]] = graven.constant dense<1.2{{.*}}> : tensor<4x5xf32>
//   CHECK-DAG:   %[[ROWS:.*]] = graven.constant dense<4.0{{.*}}> : tensor<4x1xf32>
//   CHECK-DAG:   %[[COLUMNS:.*]] = graven.constant dense<2.0{{.*}}> : tensor<1x5xf32>
//       CHECK:   %[[W1:.*]] = graven.div %[[W]], %[[COLUMNS]]
//       CHECK:   %[[W2:.*]] = graven.div %[[W1]], %[[ROWS]]
//       CHECK:   %[[Y:.*]] = graven.matmul %[[X]], %[[W2]]
//       CHECK:   graven.return %[[Y]]
graven.graph @matmul(%x: tensor<3x4xf32>) -> tensor<3x5xf32> {
  %w = graven.constant dense<12.0> : tensor<4x5xf32>
  %four = graven.constant dense<4.0> : tensor<1x4xf32>
  %two = graven.constant dense<2.0> : tensor<1x5xf32>
  %0 = graven.div %x, %four : (tensor<3x4xf32>, tensor<1x4xf32>) -> tensor<3x4xf32>
  %1 = graven.matmul %0, %w : (tensor<3x4xf32>, tensor<4x5xf32>) -> tensor<3x5xf32>
  %2 = graven.div %1, %two : (tensor<3x5xf32>, tensor<1x5xf32>) -> tensor<3x5xf32>
  graven.return %2 : tensor<3x5xf32>
}
