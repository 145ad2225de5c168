// RUN: graven-opt --graven-assign-layouts --split-input-file %s | FileCheck %s

// A stem reads planes; what follows stays in blocks up to the flattening, whose
// relayout is a reshape because no spatial extent is left.

// CHECK-LABEL: graven.graph @network(
//  CHECK-SAME:   %[[X:.*]]: tensor<1x3x8x8xf32>
//       CHECK:   %[[S:.*]] = graven.conv %[[X]], %{{.*}} layout nchw16c channels 3 : (tensor<1x3x8x8xf32>, tensor<32x3x1x1xf32>) -> tensor<1x2x8x8x16xf32>
//       CHECK:   %[[R:.*]] = graven.relu %[[S]] : tensor<1x2x8x8x16xf32>
//       CHECK:   %[[P:.*]] = graven.max_pool %[[R]] {{.*}} layout nchw16c : (tensor<1x2x8x8x16xf32>) -> tensor<1x2x4x4x16xf32>
//       CHECK:   %[[C:.*]] = graven.conv %[[P]], %{{.*}} layout nchw16c channels 32 : (tensor<1x2x4x4x16xf32>
//       CHECK:   %[[A:.*]] = graven.add %[[C]], %[[P]]
//       CHECK:   %[[M:.*]] = graven.reduce mean %[[A]] axes [2, 3] keep : (tensor<1x2x4x4x16xf32>) -> tensor<1x2x1x1x16xf32>
//   CHECK-NOT:   relayout
//       CHECK:   %[[Q:.*]] = graven.reshape %[[M]] to [1, 32, 1, 1]
//       CHECK:   graven.reshape %[[Q]] to [1, 32]
graven.param @w : tensor<32x3x1x1xf32> = dense<0.5> : tensor<32x3x1x1xf32>
graven.param @v : tensor<32x32x1x1xf32> = dense<0.5> : tensor<32x32x1x1xf32>
graven.graph @network(%x: tensor<1x3x8x8xf32>) -> tensor<1x32xf32> {
  %w = graven.get_param @w : tensor<32x3x1x1xf32>
  %v = graven.get_param @v : tensor<32x32x1x1xf32>
  %0 = graven.conv %x, %w strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] : (tensor<1x3x8x8xf32>, tensor<32x3x1x1xf32>) -> tensor<1x32x8x8xf32>
  %1 = graven.relu %0 : tensor<1x32x8x8xf32>
  %2 = graven.max_pool %1 kernel [2, 2] strides [2, 2] dilations [1, 1] pads [0, 0, 0, 0] : (tensor<1x32x8x8xf32>) -> tensor<1x32x4x4xf32>
  %3 = graven.conv %2, %v strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] : (tensor<1x32x4x4xf32>, tensor<32x32x1x1xf32>) -> tensor<1x32x4x4xf32>
  %4 = graven.add %3, %2 : (tensor<1x32x4x4xf32>, tensor<1x32x4x4xf32>) -> tensor<1x32x4x4xf32>
  %5 = graven.reduce mean %4 axes [2, 3] keep : (tensor<1x32x4x4xf32>) -> tensor<1x32x1x1xf32>
  %6 = graven.reshape %5 to [1, 32] : (tensor<1x32x1x1xf32>) -> tensor<1x32xf32>
  graven.return %6 : tensor<1x32xf32>
}

// -----

// Squeeze and excitation: a weight is relaid out, a scalar is not, and a plane
// for all channels gets an extent of 1. A reduce without keep gives [N,C].

// CHECK-LABEL: graven.graph @elementwise(
//  CHECK-SAME:   %[[X:.*]]: tensor<1x20x4x4xf32>, %[[PLANE:.*]]: tensor<1x1x4x4xf32>
//   CHECK-DAG:   %[[B:.*]] = graven.relayout %[[X]] from nchw to nchw16c channels 20 : (tensor<1x20x4x4xf32>) -> tensor<1x2x4x4x16xf32>
//   CHECK-DAG:   %[[P:.*]] = graven.relayout %{{.*}} from nchw to nchw16c channels 20 : (tensor<1x20x1x1xf32>) -> tensor<1x2x1x1x16xf32>
//   CHECK-DAG:   %[[U:.*]] = graven.reshape %[[PLANE]] to [1, 1, 4, 4, 1]
//   CHECK-DAG:   %[[S:.*]] = graven.constant dense<2.000000e+00> : tensor<f32>
//       CHECK:   %[[C:.*]] = graven.conv %[[B]]
//       CHECK:   graven.mul %[[C]], %[[P]]
//       CHECK:   graven.mul %{{.*}}, %[[S]]
//       CHECK:   %[[M:.*]] = graven.mul %{{.*}}, %[[U]]
//       CHECK:   %[[R:.*]] = graven.reduce max %[[M]] axes [2, 3] : (tensor<1x2x4x4x16xf32>) -> tensor<1x2x16xf32>
//       CHECK:   %[[Y:.*]] = graven.relayout %[[R]] from nchw16c to nchw channels 20 : (tensor<1x2x16xf32>) -> tensor<1x20xf32>
//       CHECK:   graven.return %[[Y]]
graven.param @w : tensor<20x20x1x1xf32> = dense<0.5> : tensor<20x20x1x1xf32>
graven.param @p : tensor<1x20x1x1xf32> = dense<0.5> : tensor<1x20x1x1xf32>
graven.graph @elementwise(%x: tensor<1x20x4x4xf32>, %plane: tensor<1x1x4x4xf32>) -> tensor<1x20xf32> {
  %w = graven.get_param @w : tensor<20x20x1x1xf32>
  %p = graven.get_param @p : tensor<1x20x1x1xf32>
  %s = graven.constant dense<2.0> : tensor<f32>
  %0 = graven.conv %x, %w strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] : (tensor<1x20x4x4xf32>, tensor<20x20x1x1xf32>) -> tensor<1x20x4x4xf32>
  %1 = graven.mul %0, %p : (tensor<1x20x4x4xf32>, tensor<1x20x1x1xf32>) -> tensor<1x20x4x4xf32>
  %2 = graven.mul %1, %s : (tensor<1x20x4x4xf32>, tensor<f32>) -> tensor<1x20x4x4xf32>
  %3 = graven.mul %2, %plane : (tensor<1x20x4x4xf32>, tensor<1x1x4x4xf32>) -> tensor<1x20x4x4xf32>
  %4 = graven.reduce max %3 axes [2, 3] : (tensor<1x20x4x4xf32>) -> tensor<1x20xf32>
  graven.return %4 : tensor<1x20xf32>
}

// -----

// Concat of whole blocks, slice of whole blocks, resize and pad of the image.

// CHECK-LABEL: graven.graph @movement(
//       CHECK:   %[[A:.*]] = graven.conv
//       CHECK:   %[[C:.*]] = graven.concat %[[A]], %[[A]] axis 1 : {{.*}} -> tensor<1x4x4x4x16xf32>
//       CHECK:   %[[S:.*]] = graven.slice %[[C]] [0, 1, 0, 0, 0] to [1, 3, 4, 4, 16] by [1, 1, 1, 1, 1]
//       CHECK:   %[[R:.*]] = graven.resize nearest %[[S]] axes [2, 3] sizes [8, 8] {{.*}} -> tensor<1x2x8x8x16xf32>
//       CHECK:   %[[P:.*]] = graven.pad %[[R]] low [0, 0, 1, 1, 0] high [0, 0, 0, 0, 0]
//       CHECK:   graven.conv %[[P]]
graven.param @w : tensor<32x16x1x1xf32> = dense<0.5> : tensor<32x16x1x1xf32>
graven.param @v : tensor<16x32x1x1xf32> = dense<0.5> : tensor<16x32x1x1xf32>
graven.graph @movement(%x: tensor<1x16x4x4xf32>) -> tensor<1x16x9x9xf32> {
  %w = graven.get_param @w : tensor<32x16x1x1xf32>
  %v = graven.get_param @v : tensor<16x32x1x1xf32>
  %0 = graven.conv %x, %w strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] : (tensor<1x16x4x4xf32>, tensor<32x16x1x1xf32>) -> tensor<1x32x4x4xf32>
  %1 = graven.concat %0, %0 axis 1 : (tensor<1x32x4x4xf32>, tensor<1x32x4x4xf32>) -> tensor<1x64x4x4xf32>
  %2 = graven.slice %1 [0, 16, 0, 0] to [1, 48, 4, 4] by [1, 1, 1, 1] : (tensor<1x64x4x4xf32>) -> tensor<1x32x4x4xf32>
  %3 = graven.resize nearest %2 axes [2, 3] sizes [8, 8] coordinate asymmetric nearest floor : (tensor<1x32x4x4xf32>) -> tensor<1x32x8x8xf32>
  %4 = graven.pad %3 low [0, 0, 1, 1] high [0, 0, 0, 0] : (tensor<1x32x8x8xf32>) -> tensor<1x32x9x9xf32>
  %5 = graven.conv %4, %v strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] : (tensor<1x32x9x9xf32>, tensor<16x32x1x1xf32>) -> tensor<1x16x9x9xf32>
  graven.return %5 : tensor<1x16x9x9xf32>
}

// -----

// Depthwise with any number of channels, grouped with whole blocks, 1-d.

// CHECK-LABEL: graven.graph @groups(
//       CHECK:   graven.conv %{{.*}} groups 18 layout nchw16c channels 18 : (tensor<1x2x4x16xf32>, tensor<18x1x1xf32>) -> tensor<1x2x4x16xf32>
//       CHECK:   graven.conv %{{.*}} groups 2 layout nchw16c channels 32 :
graven.param @w : tensor<18x1x1xf32> = dense<0.5> : tensor<18x1x1xf32>
graven.param @v : tensor<32x16x1xf32> = dense<0.5> : tensor<32x16x1xf32>
graven.graph @groups(%x: tensor<1x18x4xf32>, %y: tensor<1x32x4xf32>) -> (tensor<1x18x4xf32>, tensor<1x32x4xf32>) {
  %w = graven.get_param @w : tensor<18x1x1xf32>
  %v = graven.get_param @v : tensor<32x16x1xf32>
  %0 = graven.conv %x, %w strides [1] dilations [1] pads [0, 0] groups 18 : (tensor<1x18x4xf32>, tensor<18x1x1xf32>) -> tensor<1x18x4xf32>
  %1 = graven.conv %y, %v strides [1] dilations [1] pads [0, 0] groups 2 : (tensor<1x32x4xf32>, tensor<32x16x1xf32>) -> tensor<1x32x4xf32>
  graven.return %0, %1 : tensor<1x18x4xf32>, tensor<1x32x4xf32>
}

// -----

// Phases of a transposed convolution: every other pixel of all channels.

// CHECK-LABEL: graven.graph @inserted(
//       CHECK:   %[[Y:.*]] = graven.conv %{{.*}} layout nchw16c channels 16 : {{.*}} -> tensor<1x2x2x3x16xf32>
//       CHECK:   graven.insert_slice %[[Y]] into %{{.*}} [0, 0, 1, 0, 0] by [1, 1, 2, 1, 1] : (tensor<1x2x4x3x16xf32>, tensor<1x2x2x3x16xf32>) -> tensor<1x2x4x3x16xf32>
graven.param @w : tensor<32x16x1x1xf32> = dense<0.5> : tensor<32x16x1x1xf32>
graven.param @v : tensor<16x32x1x1xf32> = dense<0.5> : tensor<16x32x1x1xf32>
graven.graph @inserted(%x: tensor<1x16x2x3xf32>) -> tensor<1x16x4x3xf32> {
  %w = graven.get_param @w : tensor<32x16x1x1xf32>
  %z = graven.constant dense<0.0> : tensor<1x32x4x3xf32>
  %0 = graven.conv %x, %w strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] : (tensor<1x16x2x3xf32>, tensor<32x16x1x1xf32>) -> tensor<1x32x2x3xf32>
  %1 = graven.insert_slice %0 into %z [0, 0, 1, 0] by [1, 1, 2, 1] : (tensor<1x32x4x3xf32>, tensor<1x32x2x3xf32>) -> tensor<1x32x4x3xf32>
  %v = graven.get_param @v : tensor<16x32x1x1xf32>
  %2 = graven.conv %1, %v strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] : (tensor<1x32x4x3xf32>, tensor<16x32x1x1xf32>) -> tensor<1x16x4x3xf32>
  graven.return %2 : tensor<1x16x4x3xf32>
}

// -----

// What has no blocked form or no convolution near it stays planar: ints and
// 3-d images, a concat that would cut a block, a Node that reads other axes,
// a graph without convolutions.

// CHECK-LABEL: graven.graph @stay(
//   CHECK-NOT:   nchw16c
//       CHECK:   graven.return
graven.param @d : tensor<16x16x1x1x1xf32> = dense<0.5> : tensor<16x16x1x1x1xf32>
graven.graph @stay(%y: tensor<1x16x4x4x4xf32>, %z: tensor<1x16x4x4xf32>) -> (tensor<1x16x4x4x4xf32>, tensor<1x16x4x4xf32>) {
  %d = graven.get_param @d : tensor<16x16x1x1x1xf32>
  %1 = graven.conv %y, %d strides [1, 1, 1] dilations [1, 1, 1] pads [0, 0, 0, 0, 0, 0] : (tensor<1x16x4x4x4xf32>, tensor<16x16x1x1x1xf32>) -> tensor<1x16x4x4x4xf32>
  %2 = graven.relu %z : tensor<1x16x4x4xf32>
  graven.return %1, %2 : tensor<1x16x4x4x4xf32>, tensor<1x16x4x4xf32>
}

// -----

// Groups of part of a block: the lowering joins them.

// CHECK-LABEL: graven.graph @groups(
//       CHECK:   graven.conv {{.*}} groups 2 layout nchw16c channels 16 : (tensor<1x1x4x4x16xf32>, tensor<16x8x1x1xf32>) -> tensor<1x1x4x4x16xf32>
graven.param @g : tensor<16x8x1x1xf32> = dense<0.5> : tensor<16x8x1x1xf32>
graven.graph @groups(%z: tensor<1x16x4x4xf32>) -> tensor<1x16x4x4xf32> {
  %g = graven.get_param @g : tensor<16x8x1x1xf32>
  %0 = graven.conv %z, %g strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] groups 2 : (tensor<1x16x4x4xf32>, tensor<16x8x1x1xf32>) -> tensor<1x16x4x4xf32>
  graven.return %0 : tensor<1x16x4x4xf32>
}

// -----

// CHECK-LABEL: graven.graph @borders(
//       CHECK:   %[[C:.*]] = graven.conv {{.*}} -> tensor<1x2x4x4x16xf32>
//       CHECK:   %[[P:.*]] = graven.relayout %[[C]] from nchw16c to nchw channels 24
//       CHECK:   graven.softmax %[[P]] axis 1 : tensor<1x24x4x4xf32>
//       CHECK:   graven.concat %[[P]], %[[P]] axis 1
//       CHECK:   graven.if
//       CHECK:     graven.abs %[[P]] : tensor<1x24x4x4xf32>
graven.param @w : tensor<24x16x1x1xf32> = dense<0.5> : tensor<24x16x1x1xf32>
graven.graph @borders(%c: tensor<i1>, %x: tensor<1x16x4x4xf32>) -> (tensor<1x24x4x4xf32>, tensor<1x48x4x4xf32>, tensor<1x24x4x4xf32>) {
  %w = graven.get_param @w : tensor<24x16x1x1xf32>
  %0 = graven.conv %x, %w strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] : (tensor<1x16x4x4xf32>, tensor<24x16x1x1xf32>) -> tensor<1x24x4x4xf32>
  %1 = graven.softmax %0 axis 1 : tensor<1x24x4x4xf32>
  %2 = graven.concat %0, %0 axis 1 : (tensor<1x24x4x4xf32>, tensor<1x24x4x4xf32>) -> tensor<1x48x4x4xf32>
  %3 = graven.if %c -> (tensor<1x24x4x4xf32>) {
    %4 = graven.abs %0 : tensor<1x24x4x4xf32>
    graven.yield %4 : tensor<1x24x4x4xf32>
  } else {
    graven.yield %1 : tensor<1x24x4x4xf32>
  }
  graven.return %1, %2, %3 : tensor<1x24x4x4xf32>, tensor<1x48x4x4xf32>, tensor<1x24x4x4xf32>
}

// -----

// Upsampling at the end is done on planes, after the relayout of the small
// image; unknown extents stay.

// CHECK-LABEL: graven.graph @cheaper(
//       CHECK:   %[[C:.*]] = graven.conv {{.*}} layout nchw16c
//       CHECK:   %[[P:.*]] = graven.relayout %[[C]] from nchw16c to nchw channels 16
//       CHECK:   graven.resize nearest %[[P]] {{.*}} -> tensor<1x16x16x16xf32>
//       CHECK:   graven.conv %{{.*}} : (tensor<?x16x4x4xf32>
graven.param @w : tensor<16x16x1x1xf32> = dense<0.5> : tensor<16x16x1x1xf32>
graven.graph @cheaper(%x: tensor<1x16x4x4xf32>, %y: tensor<?x16x4x4xf32>) -> (tensor<1x16x16x16xf32>, tensor<?x16x4x4xf32>) {
  %w = graven.get_param @w : tensor<16x16x1x1xf32>
  %0 = graven.conv %x, %w strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] : (tensor<1x16x4x4xf32>, tensor<16x16x1x1xf32>) -> tensor<1x16x4x4xf32>
  %1 = graven.resize nearest %0 axes [2, 3] sizes [16, 16] coordinate asymmetric nearest floor : (tensor<1x16x4x4xf32>) -> tensor<1x16x16x16xf32>
  %2 = graven.conv %y, %w strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] : (tensor<?x16x4x4xf32>, tensor<16x16x1x1xf32>) -> tensor<?x16x4x4xf32>
  graven.return %1, %2 : tensor<1x16x16x16xf32>, tensor<?x16x4x4xf32>
}

// -----

// Even with few channels an activation stays with its convolution: fused, it is
// free.

// CHECK-LABEL: graven.graph @few_channels(
//       CHECK:   %[[C:.*]] = graven.conv {{.*}} -> tensor<1x1x4x4x16xf32>
//       CHECK:   %[[R:.*]] = graven.relu %[[C]]
//       CHECK:   graven.relayout %[[R]] from
graven.param @w : tensor<6x3x1x1xf32> = dense<0.5> : tensor<6x3x1x1xf32>
graven.graph @few_channels(%x: tensor<1x3x4x4xf32>) -> tensor<1x6x4x4xf32> {
  %w = graven.get_param @w : tensor<6x3x1x1xf32>
  %0 = graven.conv %x, %w strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] : (tensor<1x3x4x4xf32>, tensor<6x3x1x1xf32>) -> tensor<1x6x4x4xf32>
  %1 = graven.relu %0 : tensor<1x6x4x4xf32>
  graven.return %1 : tensor<1x6x4x4xf32>
}

// -----

// Of any float type.

// CHECK-LABEL: @half
//       CHECK:   graven.conv %{{.*}} layout nchw16c channels 16 : (tensor<1x1x4x4x16xf16>, tensor<16x16x1x1xf16>) -> tensor<1x1x4x4x16xf16>
graven.param @h : tensor<16x16x1x1xf16> = dense<0.5> : tensor<16x16x1x1xf16>
graven.graph @half(%x: tensor<1x16x4x4xf16>) -> tensor<1x16x4x4xf16> {
  %h = graven.get_param @h : tensor<16x16x1x1xf16>
  %0 = graven.conv %x, %h strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] : (tensor<1x16x4x4xf16>, tensor<16x16x1x1xf16>) -> tensor<1x16x4x4xf16>
  graven.return %0 : tensor<1x16x4x4xf16>
}
