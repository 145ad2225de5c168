// RUN: graven-opt --graven-recompose-ops --canonicalize --split-input-file %s | FileCheck %s

// As the ONNX exporter writes a group norm: an instance norm of groups between reshapes, scale and bias behind it.

// CHECK-LABEL: graven.graph @by_instance_norm(
//  CHECK-SAME:   %[[X:.*]]: tensor<2x8x4x4xf32>
//   CHECK-DAG:   %[[S:.*]] = graven.reshape %{{.*}} to [8]
//   CHECK-DAG:   %[[B:.*]] = graven.reshape %{{.*}} to [8]
//       CHECK:   %[[Y:.*]] = graven.group_norm %[[X]] scale %[[S]] bias %[[B]] groups 4 epsilon 1.000000e-05
//       CHECK:   graven.return %[[Y]]
graven.param @g : tensor<8x1x1xf32> = #graven.blob<"m", 0, 32>
graven.param @b : tensor<8x1x1xf32> = #graven.blob<"m", 32, 32>
graven.graph @by_instance_norm(%x: tensor<2x8x4x4xf32>) -> tensor<2x8x4x4xf32> {
  %one = graven.constant dense<1.0> : tensor<4xf32>
  %zero = graven.constant dense<0.0> : tensor<4xf32>
  %g = graven.get_param @g : tensor<8x1x1xf32>
  %b = graven.get_param @b : tensor<8x1x1xf32>
  %g4 = graven.reshape %g to [1, 8, 1, 1] : (tensor<8x1x1xf32>) -> tensor<1x8x1x1xf32>
  %b4 = graven.reshape %b to [1, 8, 1, 1] : (tensor<8x1x1xf32>) -> tensor<1x8x1x1xf32>
  %0 = graven.reshape %x to [2, 4, 32] : (tensor<2x8x4x4xf32>) -> tensor<2x4x32xf32>
  %1 = graven.group_norm %0 scale %one bias %zero groups 4 epsilon 1.0e-5 : (tensor<2x4x32xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<2x4x32xf32>
  %2 = graven.reshape %1 to [2, 8, 4, 4] : (tensor<2x4x32xf32>) -> tensor<2x8x4x4xf32>
  %3 = graven.mul %2, %g4 : (tensor<2x8x4x4xf32>, tensor<1x8x1x1xf32>) -> tensor<2x8x4x4xf32>
  %4 = graven.add %3, %b4 : (tensor<2x8x4x4xf32>, tensor<1x8x1x1xf32>) -> tensor<2x8x4x4xf32>
  graven.return %4 : tensor<2x8x4x4xf32>
}

// -----

// Mean and variance spelled out over rows of samples and groups.

// CHECK-LABEL: graven.graph @by_rows(
//  CHECK-SAME:   %[[X:.*]]: tensor<2x8x4xf32>
//       CHECK:   %[[Y:.*]] = graven.group_norm %[[X]] groups 2 epsilon 1.000000e-03
//       CHECK:   graven.return %[[Y]]
graven.graph @by_rows(%x: tensor<2x8x4xf32>) -> tensor<2x8x4xf32> {
  %0 = graven.reshape %x to [4, 16] : (tensor<2x8x4xf32>) -> tensor<4x16xf32>
  %1 = graven.layer_norm %0 axis 1 epsilon 1.0e-3 : (tensor<4x16xf32>) -> tensor<4x16xf32>
  %2 = graven.reshape %1 to [2, 8, 4] : (tensor<4x16xf32>) -> tensor<2x8x4xf32>
  graven.return %2 : tensor<2x8x4xf32>
}

// -----

// Rows of half a channel; a scale that is not 1; another shape behind; a second user; no channels.

// CHECK-LABEL: graven.graph @keeps_other_norms(
//   CHECK-NOT:   graven.group_norm {{.*}} tensor<2x8x4xf32>
//       CHECK:   graven.return
graven.graph @keeps_other_norms(%x: tensor<2x8x4xf32>, %y: tensor<4x4xf32>)
    -> (tensor<2x8x4xf32>, tensor<2x8x4xf32>, tensor<2x4x8xf32>, tensor<2x8x4xf32>, tensor<4x16xf32>, tensor<4x4xf32>) {
  %two = graven.constant dense<2.0> : tensor<16xf32>
  %0 = graven.reshape %x to [32, 2] : (tensor<2x8x4xf32>) -> tensor<32x2xf32>
  %1 = graven.layer_norm %0 axis 1 epsilon 1.0e-3 : (tensor<32x2xf32>) -> tensor<32x2xf32>
  %2 = graven.reshape %1 to [2, 8, 4] : (tensor<32x2xf32>) -> tensor<2x8x4xf32>
  %3 = graven.reshape %x to [4, 16] : (tensor<2x8x4xf32>) -> tensor<4x16xf32>
  %4 = graven.layer_norm %3 scale %two axis 1 epsilon 1.0e-3 : (tensor<4x16xf32>, tensor<16xf32>) -> tensor<4x16xf32>
  %5 = graven.reshape %4 to [2, 8, 4] : (tensor<4x16xf32>) -> tensor<2x8x4xf32>
  %6 = graven.layer_norm %3 axis 1 epsilon 1.0e-3 : (tensor<4x16xf32>) -> tensor<4x16xf32>
  %7 = graven.reshape %6 to [2, 4, 8] : (tensor<4x16xf32>) -> tensor<2x4x8xf32>
  %8 = graven.layer_norm %3 axis 1 epsilon 1.0e-2 : (tensor<4x16xf32>) -> tensor<4x16xf32>
  %9 = graven.reshape %8 to [2, 8, 4] : (tensor<4x16xf32>) -> tensor<2x8x4xf32>
  %10 = graven.reshape %y to [2, 8] : (tensor<4x4xf32>) -> tensor<2x8xf32>
  %11 = graven.layer_norm %10 axis 1 epsilon 1.0e-3 : (tensor<2x8xf32>) -> tensor<2x8xf32>
  %12 = graven.reshape %11 to [4, 4] : (tensor<2x8xf32>) -> tensor<4x4xf32>
  graven.return %2, %5, %7, %9, %8, %12 : tensor<2x8x4xf32>, tensor<2x8x4xf32>, tensor<2x4x8xf32>, tensor<2x8x4xf32>, tensor<4x16xf32>, tensor<4x4xf32>
}

// -----

// One number an element, and a scale behind the bias.

// CHECK-LABEL: graven.graph @keeps_other_weights(
//       CHECK:   graven.group_norm {{.*}} bias {{.*}} groups 2
//       CHECK:   graven.mul
//       CHECK:   graven.mul
graven.param @c : tensor<1x8x1xf32> = #graven.blob<"m", 0, 32>
graven.param @e : tensor<1x1x4xf32> = #graven.blob<"m", 0, 16>
graven.graph @keeps_other_weights(%x: tensor<2x8x4xf32>) -> tensor<2x8x4xf32> {
  %c = graven.get_param @c : tensor<1x8x1xf32>
  %e = graven.get_param @e : tensor<1x1x4xf32>
  %0 = graven.group_norm %x groups 2 epsilon 1.0e-5 : (tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  %1 = graven.add %0, %c : (tensor<2x8x4xf32>, tensor<1x8x1xf32>) -> tensor<2x8x4xf32>
  %2 = graven.mul %1, %c : (tensor<2x8x4xf32>, tensor<1x8x1xf32>) -> tensor<2x8x4xf32>
  %3 = graven.mul %2, %e : (tensor<2x8x4xf32>, tensor<1x1x4xf32>) -> tensor<2x8x4xf32>
  graven.return %3 : tensor<2x8x4xf32>
}
