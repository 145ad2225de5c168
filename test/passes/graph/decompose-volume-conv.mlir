// RUN: graven-opt --graven-decompose-volume-conv --split-input-file %s | FileCheck %s

// The planes 0 to 2 beside the planes 1 to 3; the activation goes along.

// CHECK-LABEL: graven.graph @plain(
//  CHECK-SAME:   %[[X:.*]]: tensor<1x8x4x6x6xf32>
//       CHECK:   %[[T:.*]] = graven.transpose %[[X]] by [0, 2, 1, 3, 4] : (tensor<1x8x4x6x6xf32>) -> tensor<1x4x8x6x6xf32>
//       CHECK:   %[[S0:.*]] = graven.slice %[[T]] [0, 0, 0, 0, 0] to [1, 3, 8, 6, 6]
//       CHECK:   %[[P0:.*]] = graven.reshape %[[S0]] to [1, 3, 1, 8, 6, 6]
//       CHECK:   %[[S1:.*]] = graven.slice %[[T]] [0, 1, 0, 0, 0] to [1, 4, 8, 6, 6]
//       CHECK:   %[[P1:.*]] = graven.reshape %[[S1]] to [1, 3, 1, 8, 6, 6]
//       CHECK:   %[[C:.*]] = graven.concat %[[P0]], %[[P1]] axis 3
//       CHECK:   %[[I:.*]] = graven.reshape %[[C]] to [3, 16, 6, 6]
//       CHECK:   %[[V:.*]] = graven.transpose %{{.*}} by [0, 2, 1, 3, 4] : (tensor<16x8x2x3x3xf32>) -> tensor<16x2x8x3x3xf32>
//       CHECK:   %[[W:.*]] = graven.reshape %[[V]] to [16, 16, 3, 3]
//       CHECK:   %[[Y:.*]] = graven.conv %[[I]], %[[W]] bias %{{.*}} strides [1, 1] dilations [1, 1] pads [1, 1, 1, 1] : {{.*}} -> tensor<3x16x6x6xf32>
//       CHECK:   %[[R:.*]] = graven.relu %[[Y]] : tensor<3x16x6x6xf32>
//       CHECK:   %[[B:.*]] = graven.reshape %[[R]] to [1, 3, 16, 6, 6]
//       CHECK:   %[[O:.*]] = graven.transpose %[[B]] by [0, 2, 1, 3, 4]
//       CHECK:   graven.return %[[O]] : tensor<1x16x3x6x6xf32>
graven.param @w : tensor<16x8x2x3x3xf32> = dense<0.5> : tensor<16x8x2x3x3xf32>
graven.param @b : tensor<16xf32> = dense<0.5> : tensor<16xf32>
graven.graph @plain(%x: tensor<1x8x4x6x6xf32>) -> tensor<1x16x3x6x6xf32> {
  %w = graven.get_param @w : tensor<16x8x2x3x3xf32>
  %b = graven.get_param @b : tensor<16xf32>
  %0 = graven.conv %x, %w bias %b strides [1, 1, 1] dilations [1, 1, 1] pads [0, 1, 1, 0, 1, 1] : (tensor<1x8x4x6x6xf32>, tensor<16x8x2x3x3xf32>, tensor<16xf32>) -> tensor<1x16x3x6x6xf32>
  %1 = graven.relu %0 : tensor<1x16x3x6x6xf32>
  graven.return %1 : tensor<1x16x3x6x6xf32>
}

// -----

// A padded depth, a stride, a dilation, and groups, whose channels stay
// together.

// CHECK-LABEL: graven.graph @groups(
//       CHECK:   %[[P:.*]] = graven.pad %{{.*}} low [0, 1, 0, 0, 0] high [0, 2, 0, 0, 0]
//       CHECK:   graven.slice %[[P]] [0, 0, 0, 0, 0] to [2, 5, 4, 5, 5] by [1, 2, 1, 1, 1]
//       CHECK:   graven.slice %[[P]] [0, 3, 0, 0, 0] to [2, 8, 4, 5, 5] by [1, 2, 1, 1, 1]
//       CHECK:   graven.concat {{.*}} axis 3 : (tensor<2x3x2x2x5x5xf32>, tensor<2x3x2x2x5x5xf32>) -> tensor<2x3x2x4x5x5xf32>
//       CHECK:   graven.conv {{.*}} strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] groups 2 : (tensor<6x8x5x5xf32>, tensor<6x4x2x2xf32>) -> tensor<6x6x4x4xf32>
graven.param @w : tensor<6x2x2x2x2xf32> = dense<0.5> : tensor<6x2x2x2x2xf32>
graven.graph @groups(%x: tensor<2x4x5x5x5xf32>) -> tensor<2x6x3x4x4xf32> {
  %w = graven.get_param @w : tensor<6x2x2x2x2xf32>
  %0 = graven.conv %x, %w strides [2, 1, 1] dilations [3, 1, 1] pads [1, 0, 0, 2, 0, 0] groups 2 : (tensor<2x4x5x5x5xf32>, tensor<6x2x2x2x2xf32>) -> tensor<2x6x3x4x4xf32>
  graven.return %0 : tensor<2x6x3x4x4xf32>
}

// -----

// CHECK-LABEL: graven.graph @keeps_what_has_two_axes(
//   CHECK-NOT:   graven.slice
//       CHECK:   graven.conv
graven.param @w : tensor<6x4x2x2xf32> = dense<0.5> : tensor<6x4x2x2xf32>
graven.graph @keeps_what_has_two_axes(%x: tensor<2x4x5x5xf32>) -> tensor<2x6x4x4xf32> {
  %w = graven.get_param @w : tensor<6x4x2x2xf32>
  %0 = graven.conv %x, %w strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] : (tensor<2x4x5x5xf32>, tensor<6x4x2x2xf32>) -> tensor<2x6x4x4xf32>
  graven.return %0 : tensor<2x6x4x4xf32>
}

// -----

// CHECK-LABEL: graven.graph @keeps_unknown_extents(
//   CHECK-NOT:   graven.slice
//       CHECK:   graven.conv
graven.param @w : tensor<6x4x2x2x2xf32> = dense<0.5> : tensor<6x4x2x2x2xf32>
graven.graph @keeps_unknown_extents(%x: tensor<?x4x5x5x5xf32>) -> tensor<?x6x4x4x4xf32> {
  %w = graven.get_param @w : tensor<6x4x2x2x2xf32>
  %0 = graven.conv %x, %w strides [1, 1, 1] dilations [1, 1, 1] pads [0, 0, 0, 0, 0, 0] : (tensor<?x4x5x5x5xf32>, tensor<6x4x2x2x2xf32>) -> tensor<?x6x4x4x4xf32>
  graven.return %0 : tensor<?x6x4x4x4xf32>
}
