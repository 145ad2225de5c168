// RUN: graven-opt --graven-split-batch --split-input-file %s | FileCheck %s

// Eight images, each of which a Node reads and writes 640 KiB: one at a time.

// CHECK-LABEL: graven.graph @split(
//  CHECK-SAME:   %[[X:.*]]: tensor<8x1x128x64x16xf32>
//       CHECK:   %[[G:.*]] = graven.reshape %[[X]] to [8, 1, 1, 128, 64, 16]
//       CHECK:   %[[L:.*]] = graven.loop trip(%{{.*}}) init() stacked(tensor<8x1x1x32x16x16xf32>) {
//       CHECK:   ^bb0(%[[I:.*]]: tensor<i64>):
//       CHECK:     %[[S:.*]] = graven.slice %[[G]] [%[[I]], 0, 0, 0, 0, 0]
//       CHECK:     %[[R:.*]] = graven.reshape %[[S]] to [1, 1, 128, 64, 16]
//       CHECK:     %[[C:.*]] = graven.conv %[[R]], {{.*}} -> tensor<1x1x64x32x16xf32>
//       CHECK:     %[[E:.*]] = graven.relu %[[C]] : tensor<1x1x64x32x16xf32>
//       CHECK:     %[[D:.*]] = graven.conv %[[E]]
//       CHECK:     graven.yield %{{.*}}, %[[D]]
//       CHECK:   %[[Y:.*]] = graven.reshape %[[L]] to [8, 1, 32, 16, 16]
//       CHECK:   graven.return %[[Y]]
graven.param @w : tensor<16x16x2x2xf32> = dense<0.5> : tensor<16x16x2x2xf32>
graven.graph @split(%x: tensor<8x1x128x64x16xf32>) -> tensor<8x1x32x16x16xf32> {
  %w = graven.get_param @w : tensor<16x16x2x2xf32>
  %0 = graven.conv %x, %w strides [2, 2] dilations [1, 1] pads [0, 0, 0, 0] layout nchw16c channels 16 : (tensor<8x1x128x64x16xf32>, tensor<16x16x2x2xf32>) -> tensor<8x1x64x32x16xf32>
  %1 = graven.relu %0 : tensor<8x1x64x32x16xf32>
  %2 = graven.conv %1, %w strides [2, 2] dilations [1, 1] pads [0, 0, 0, 0] layout nchw16c channels 16 : (tensor<8x1x64x32x16xf32>, tensor<16x16x2x2xf32>) -> tensor<8x1x32x16x16xf32>
  graven.return %2 : tensor<8x1x32x16x16xf32>
}

// -----

// Small images go in groups that divide the batch: six of 160 KiB.

// CHECK-LABEL: graven.graph @groups(
//       CHECK:   graven.loop trip({{.*}}) init() stacked(tensor<8x6x1x16x8x16xf32>)
graven.param @w : tensor<16x16x2x2xf32> = dense<0.5> : tensor<16x16x2x2xf32>
graven.graph @groups(%x: tensor<48x1x64x32x16xf32>) -> tensor<48x1x16x8x16xf32> {
  %w = graven.get_param @w : tensor<16x16x2x2xf32>
  %0 = graven.conv %x, %w strides [2, 2] dilations [1, 1] pads [0, 0, 0, 0] layout nchw16c channels 16 : (tensor<48x1x64x32x16xf32>, tensor<16x16x2x2xf32>) -> tensor<48x1x32x16x16xf32>
  %1 = graven.conv %0, %w strides [2, 2] dilations [1, 1] pads [0, 0, 0, 0] layout nchw16c channels 16 : (tensor<48x1x32x16x16xf32>, tensor<16x16x2x2xf32>) -> tensor<48x1x16x8x16xf32>
  graven.return %1 : tensor<48x1x16x8x16xf32>
}

// -----

// What mixes images stays behind the loop, with all that depends on it.

// CHECK-LABEL: graven.graph @mixes(
//       CHECK:   graven.loop
//       CHECK:     graven.conv
//       CHECK:     graven.conv
//       CHECK:     graven.yield
//       CHECK:   graven.reduce
//       CHECK:   graven.add
graven.param @w : tensor<16x16x2x2xf32> = dense<0.5> : tensor<16x16x2x2xf32>
graven.graph @mixes(%x: tensor<8x1x128x64x16xf32>) -> tensor<8x1x32x16x16xf32> {
  %w = graven.get_param @w : tensor<16x16x2x2xf32>
  %0 = graven.conv %x, %w strides [2, 2] dilations [1, 1] pads [0, 0, 0, 0] layout nchw16c channels 16 : (tensor<8x1x128x64x16xf32>, tensor<16x16x2x2xf32>) -> tensor<8x1x64x32x16xf32>
  %1 = graven.conv %0, %w strides [2, 2] dilations [1, 1] pads [0, 0, 0, 0] layout nchw16c channels 16 : (tensor<8x1x64x32x16xf32>, tensor<16x16x2x2xf32>) -> tensor<8x1x32x16x16xf32>
  %2 = graven.reduce sum %1 axes [0] keep : (tensor<8x1x32x16x16xf32>) -> tensor<1x1x32x16x16xf32>
  %3 = graven.add %1, %2 : (tensor<8x1x32x16x16xf32>, tensor<1x1x32x16x16xf32>) -> tensor<8x1x32x16x16xf32>
  graven.return %3 : tensor<8x1x32x16x16xf32>
}

// -----

// One convolution, one image, and activations that stay in cache anyway.

// CHECK-LABEL: graven.graph @one_convolution(
//   CHECK-NOT:   graven.loop
graven.param @w : tensor<16x16x2x2xf32> = dense<0.5> : tensor<16x16x2x2xf32>
graven.graph @one_convolution(%x: tensor<8x1x128x64x16xf32>) -> tensor<8x1x64x32x16xf32> {
  %w = graven.get_param @w : tensor<16x16x2x2xf32>
  %0 = graven.conv %x, %w strides [2, 2] dilations [1, 1] pads [0, 0, 0, 0] layout nchw16c channels 16 : (tensor<8x1x128x64x16xf32>, tensor<16x16x2x2xf32>) -> tensor<8x1x64x32x16xf32>
  graven.return %0 : tensor<8x1x64x32x16xf32>
}

// -----

// CHECK-LABEL: graven.graph @fits(
//   CHECK-NOT:   graven.loop
graven.param @w : tensor<16x16x2x2xf32> = dense<0.5> : tensor<16x16x2x2xf32>
graven.graph @fits(%x: tensor<2x1x128x64x16xf32>) -> tensor<2x1x32x16x16xf32> {
  %w = graven.get_param @w : tensor<16x16x2x2xf32>
  %0 = graven.conv %x, %w strides [2, 2] dilations [1, 1] pads [0, 0, 0, 0] layout nchw16c channels 16 : (tensor<2x1x128x64x16xf32>, tensor<16x16x2x2xf32>) -> tensor<2x1x64x32x16xf32>
  %1 = graven.conv %0, %w strides [2, 2] dilations [1, 1] pads [0, 0, 0, 0] layout nchw16c channels 16 : (tensor<2x1x64x32x16xf32>, tensor<16x16x2x2xf32>) -> tensor<2x1x32x16x16xf32>
  graven.return %1 : tensor<2x1x32x16x16xf32>
}

// -----

// CHECK-LABEL: graven.graph @large_images(
//   CHECK-NOT:   graven.loop
graven.param @w : tensor<16x16x2x2xf32> = dense<0.5> : tensor<16x16x2x2xf32>
graven.graph @large_images(%x: tensor<2x1x256x256x16xf32>) -> tensor<2x1x64x64x16xf32> {
  %w = graven.get_param @w : tensor<16x16x2x2xf32>
  %0 = graven.conv %x, %w strides [2, 2] dilations [1, 1] pads [0, 0, 0, 0] layout nchw16c channels 16 : (tensor<2x1x256x256x16xf32>, tensor<16x16x2x2xf32>) -> tensor<2x1x128x128x16xf32>
  %1 = graven.conv %0, %w strides [2, 2] dilations [1, 1] pads [0, 0, 0, 0] layout nchw16c channels 16 : (tensor<2x1x128x128x16xf32>, tensor<16x16x2x2xf32>) -> tensor<2x1x64x64x16xf32>
  graven.return %1 : tensor<2x1x64x64x16xf32>
}
