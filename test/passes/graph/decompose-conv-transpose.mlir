// RUN: graven-opt --graven-decompose-conv-transpose --split-input-file %s | FileCheck %s

// Windows side by side: six phases of one tap each, and no border.

// CHECK-LABEL: graven.graph @plain(
//  CHECK-SAME:   %[[X:.*]]: tensor<1x8x4x5xf32>
//   CHECK-NOT:   graven.pad
//       CHECK:   %[[T:.*]] = graven.transpose %{{.*}} by [0, 2, 1, 3, 4] : (tensor<1x8x3x2x3xf32>) -> tensor<1x3x8x2x3xf32>
//       CHECK:   %[[W:.*]] = graven.reshape %[[T]] to [3, 8, 2, 3]
//       CHECK:   %[[W0:.*]] = graven.slice %[[W]] [0, 0, 0, 0] to [3, 8, 2, 3] by [1, 1, 2, 3]
//       CHECK:   %[[R0:.*]] = graven.reverse %[[W0]] axes [2, 3]
//       CHECK:   %[[C0:.*]] = graven.conv %{{.*}}, %[[R0]] bias %{{.*}} strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] : {{.*}} -> tensor<1x3x4x5xf32>
//       CHECK:   %[[Y0:.*]] = graven.insert_slice %[[C0]] into %{{.*}} [0, 0, 0, 0] by [1, 1, 2, 3]
//       CHECK:   graven.slice %[[W]] [0, 0, 0, 1] to [3, 8, 2, 3] by [1, 1, 2, 3]
//       CHECK:   graven.insert_slice %{{.*}} into %[[Y0]] [0, 0, 0, 1] by [1, 1, 2, 3]
// CHECK-COUNT-4: graven.insert_slice
//   CHECK-NOT:   graven.insert_slice
graven.param @w : tensor<8x3x2x3xf32> = dense<0.5> : tensor<8x3x2x3xf32>
graven.param @b : tensor<3xf32> = dense<0.5> : tensor<3xf32>
graven.graph @plain(%x: tensor<1x8x4x5xf32>) -> tensor<1x3x8x15xf32> {
  %w = graven.get_param @w : tensor<8x3x2x3xf32>
  %b = graven.get_param @b : tensor<3xf32>
  %0 = graven.conv_transpose %x, %w bias %b strides [2, 3] dilations [1, 1] pads [0, 0, 0, 0] output_padding [0, 0] : (tensor<1x8x4x5xf32>, tensor<8x3x2x3xf32>, tensor<3xf32>) -> tensor<1x3x8x15xf32>
  graven.return %0 : tensor<1x3x8x15xf32>
}

// -----

// Overlapping windows: even positions have tap 1, odd ones taps 2 and 0; one
// border serves both. The elementwise Node goes before the insertions.

// CHECK-LABEL: graven.graph @overlap(
//       CHECK:   %[[P:.*]] = graven.pad %{{.*}} low [0, 0, 0] high [0, 0, 1]
//       CHECK:   graven.slice %[[P]] [0, 0, 0] to [1, 4, 5] by [1, 1, 1]
//       CHECK:   graven.slice %{{.*}} [0, 0, 1] to [3, 4, 3] by [1, 1, 2]
//       CHECK:   %[[C0:.*]] = graven.conv {{.*}} -> tensor<1x3x5xf32>
//       CHECK:   %[[R0:.*]] = graven.relu %[[C0]]
//       CHECK:   graven.insert_slice %[[R0]] into %{{.*}} [0, 0, 0] by [1, 1, 2]
//       CHECK:   graven.slice %{{.*}} [0, 0, 0] to [3, 4, 3] by [1, 1, 2]
//       CHECK:   %[[C1:.*]] = graven.conv {{.*}} : (tensor<1x4x6xf32>, tensor<3x4x2xf32>) -> tensor<1x3x5xf32>
//       CHECK:   %[[R1:.*]] = graven.relu %[[C1]]
//       CHECK:   %[[Y:.*]] = graven.insert_slice %[[R1]] into %{{.*}} [0, 0, 1] by [1, 1, 2]
//       CHECK:   graven.return %[[Y]]
graven.param @w : tensor<4x3x3xf32> = dense<0.5> : tensor<4x3x3xf32>
graven.graph @overlap(%x: tensor<1x4x5xf32>) -> tensor<1x3x10xf32> {
  %w = graven.get_param @w : tensor<4x3x3xf32>
  %0 = graven.conv_transpose %x, %w strides [2] dilations [1] pads [1, 1] output_padding [1] : (tensor<1x4x5xf32>, tensor<4x3x3xf32>) -> tensor<1x3x10xf32>
  %1 = graven.relu %0 : tensor<1x3x10xf32>
  graven.return %1 : tensor<1x3x10xf32>
}

// -----

// Unit strides: one convolution with the taps reversed.

// CHECK-LABEL: graven.graph @unit(
//       CHECK:   graven.pad %{{.*}} low [0, 0, 2] high [0, 0, 2]
//       CHECK:   %[[Y:.*]] = graven.conv {{.*}} dilations [2] {{.*}} groups 2 : (tensor<1x4x9xf32>, tensor<6x2x2xf32>) -> tensor<1x6x7xf32>
//   CHECK-NOT:   insert_slice
//       CHECK:   graven.return %[[Y]]
graven.param @w : tensor<4x3x2xf32> = dense<0.5> : tensor<4x3x2xf32>
graven.graph @unit(%x: tensor<1x4x5xf32>) -> tensor<1x6x7xf32> {
  %w = graven.get_param @w : tensor<4x3x2xf32>
  %0 = graven.conv_transpose %x, %w strides [1] dilations [2] pads [0, 0] output_padding [0] groups 2 : (tensor<1x4x5xf32>, tensor<4x3x2xf32>) -> tensor<1x6x7xf32>
  graven.return %0 : tensor<1x6x7xf32>
}

// -----

// Positions between the windows have the bias alone.

// CHECK-LABEL: graven.graph @gaps(
//       CHECK:   graven.conv
//       CHECK:   graven.insert_slice
//       CHECK:   %[[B:.*]] = graven.broadcast %{{.*}} to [1, 3, 4] axes [1]
//       CHECK:   graven.insert_slice %[[B]] into %{{.*}} [0, 0, 1] by [1, 1, 2]
graven.param @w : tensor<4x3x1xf32> = dense<0.5> : tensor<4x3x1xf32>
graven.param @b : tensor<3xf32> = dense<0.5> : tensor<3xf32>
graven.graph @gaps(%x: tensor<1x4x5xf32>) -> tensor<1x3x9xf32> {
  %w = graven.get_param @w : tensor<4x3x1xf32>
  %b = graven.get_param @b : tensor<3xf32>
  %0 = graven.conv_transpose %x, %w bias %b strides [2] dilations [1] pads [0, 0] output_padding [0] : (tensor<1x4x5xf32>, tensor<4x3x1xf32>, tensor<3xf32>) -> tensor<1x3x9xf32>
  graven.return %0 : tensor<1x3x9xf32>
}

// -----

// Unknown extents and very many phases stay.

// CHECK-LABEL: graven.graph @stay(
// CHECK-COUNT-2: graven.conv_transpose
//       CHECK:   graven.return
graven.param @w : tensor<4x3x2xf32> = dense<0.5> : tensor<4x3x2xf32>
graven.graph @stay(%x: tensor<1x4x5xf32>, %d: tensor<1x4x?xf32>) -> (tensor<1x3x?xf32>, tensor<1x3x1202xf32>) {
  %w = graven.get_param @w : tensor<4x3x2xf32>
  %0 = graven.conv_transpose %d, %w strides [2] dilations [1] pads [0, 0] output_padding [0] : (tensor<1x4x?xf32>, tensor<4x3x2xf32>) -> tensor<1x3x?xf32>
  %1 = graven.conv_transpose %x, %w strides [300] dilations [1] pads [0, 0] output_padding [0] : (tensor<1x4x5xf32>, tensor<4x3x2xf32>) -> tensor<1x3x1202xf32>
  graven.return %0, %1 : tensor<1x3x?xf32>, tensor<1x3x1202xf32>
}
