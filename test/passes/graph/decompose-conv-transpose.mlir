// RUN: graven-opt --graven-decompose-conv-transpose --split-input-file %s | FileCheck %s
// RUN: graven-opt --graven-decompose-conv-transpose=keep-blocks --split-input-file %s | FileCheck %s --check-prefix=KEEP

// CHECK-LABEL: graven.graph @plain(
//  CHECK-SAME:   %[[X:.*]]: tensor<1x8x4x5xf32>
//       CHECK:   %[[T:.*]] = graven.transpose %{{.*}} by [2, 3, 1, 0] : (tensor<8x3x2x3xf32>) -> tensor<2x3x3x8xf32>
//       CHECK:   %[[W:.*]] = graven.reshape %[[T]] to [18, 8, 1, 1]
//       CHECK:   %[[B:.*]] = graven.broadcast %{{.*}} to [6, 3] axes [1]
//       CHECK:   %[[B2:.*]] = graven.reshape %[[B]] to [18]
//       CHECK:   %[[C:.*]] = graven.conv %[[X]], %[[W]] bias %[[B2]] strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0]
//       CHECK:   %[[S:.*]] = graven.reshape %[[C]] to [1, 2, 3, 3, 4, 5]
//       CHECK:   %[[P:.*]] = graven.transpose %[[S]] by [0, 3, 4, 1, 5, 2]
//       CHECK:   %[[Y:.*]] = graven.reshape %[[P]] to [1, 3, 8, 15]
//       CHECK:   graven.return %[[Y]]
// KEEP-LABEL:  graven.graph @plain(
//       KEEP:   graven.conv %
graven.param @w : tensor<8x3x2x3xf32> = dense<0.5> : tensor<8x3x2x3xf32>
graven.param @b : tensor<3xf32> = dense<0.5> : tensor<3xf32>
graven.graph @plain(%x: tensor<1x8x4x5xf32>) -> tensor<1x3x8x15xf32> {
  %w = graven.get_param @w : tensor<8x3x2x3xf32>
  %b = graven.get_param @b : tensor<3xf32>
  %0 = graven.conv_transpose %x, %w bias %b strides [2, 3] dilations [1, 1] pads [0, 0, 0, 0] output_padding [0, 0] : (tensor<1x8x4x5xf32>, tensor<8x3x2x3xf32>, tensor<3xf32>) -> tensor<1x3x8x15xf32>
  graven.return %0 : tensor<1x3x8x15xf32>
}

// -----

// Whole channel blocks are left for the assignment of layouts when asked.

// CHECK-LABEL: graven.graph @blocks(
//   CHECK-NOT:   conv_transpose
//       CHECK:   graven.return
// KEEP-LABEL:  graven.graph @blocks(
//       KEEP:   graven.conv_transpose
graven.param @w : tensor<8x16x2xf32> = dense<0.5> : tensor<8x16x2xf32>
graven.graph @blocks(%x: tensor<1x8x4xf32>) -> tensor<1x16x8xf32> {
  %w = graven.get_param @w : tensor<8x16x2xf32>
  %0 = graven.conv_transpose %x, %w strides [2] dilations [1] pads [0, 0] output_padding [0] : (tensor<1x8x4xf32>, tensor<8x16x2xf32>) -> tensor<1x16x8xf32>
  graven.return %0 : tensor<1x16x8xf32>
}

// -----

// Overlapping windows, pads, groups, dilated taps, unknown extents and weights
// of run time stay.

// CHECK-LABEL: graven.graph @stay(
// CHECK-COUNT-6: graven.conv_transpose
//       CHECK:   graven.return
graven.param @w : tensor<4x3x2xf32> = dense<0.5> : tensor<4x3x2xf32>
graven.graph @stay(%x: tensor<1x4x5xf32>, %d: tensor<1x4x?xf32>, %v: tensor<4x3x2xf32>) -> (tensor<1x3x6xf32>, tensor<1x3x9xf32>, tensor<1x6x10xf32>, tensor<1x3x11xf32>, tensor<1x3x?xf32>, tensor<1x3x10xf32>) {
  %w = graven.get_param @w : tensor<4x3x2xf32>
  %0 = graven.conv_transpose %x, %w strides [1] dilations [1] pads [0, 0] output_padding [0] : (tensor<1x4x5xf32>, tensor<4x3x2xf32>) -> tensor<1x3x6xf32>
  %1 = graven.conv_transpose %x, %w strides [2] dilations [1] pads [1, 0] output_padding [0] : (tensor<1x4x5xf32>, tensor<4x3x2xf32>) -> tensor<1x3x9xf32>
  %2 = graven.conv_transpose %x, %w strides [2] dilations [1] pads [0, 0] output_padding [0] groups 2 : (tensor<1x4x5xf32>, tensor<4x3x2xf32>) -> tensor<1x6x10xf32>
  %3 = graven.conv_transpose %x, %w strides [2] dilations [2] pads [0, 0] output_padding [0] : (tensor<1x4x5xf32>, tensor<4x3x2xf32>) -> tensor<1x3x11xf32>
  %4 = graven.conv_transpose %d, %w strides [2] dilations [1] pads [0, 0] output_padding [0] : (tensor<1x4x?xf32>, tensor<4x3x2xf32>) -> tensor<1x3x?xf32>
  %5 = graven.conv_transpose %x, %v strides [2] dilations [1] pads [0, 0] output_padding [0] : (tensor<1x4x5xf32>, tensor<4x3x2xf32>) -> tensor<1x3x10xf32>
  graven.return %0, %1, %2, %3, %4, %5 : tensor<1x3x6xf32>, tensor<1x3x9xf32>, tensor<1x6x10xf32>, tensor<1x3x11xf32>, tensor<1x3x?xf32>, tensor<1x3x10xf32>
}
