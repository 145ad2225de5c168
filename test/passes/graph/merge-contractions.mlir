// RUN: graven-opt --graven-merge-contractions --split-input-file %s | FileCheck %s

graven.param @v : tensor<16x8x3x3xf32> = dense<1.0> : tensor<16x8x3x3xf32>
graven.param @a : tensor<16xf32> = dense<1.0> : tensor<16xf32>
graven.param @w : tensor<4x16x1x1xf32> = dense<1.0> : tensor<4x16x1x1xf32>
graven.param @b : tensor<4xf32> = dense<1.0> : tensor<4xf32>
// CHECK-LABEL: graven.graph @convs(
//  CHECK-SAME:   %[[X:.*]]: tensor<1x8x8x8xf32>
//   CHECK-DAG:   %[[V:.*]] = graven.get_param @v
//   CHECK-DAG:   %[[W:.*]] = graven.get_param @w
//   CHECK-DAG:   %[[A:.*]] = graven.get_param @a
//   CHECK-DAG:   %[[B:.*]] = graven.get_param @b
//       CHECK:   %[[O:.*]] = graven.reshape %[[W]] to [4, 16]
//       CHECK:   %[[R:.*]] = graven.reshape %[[V]] to [16, 72]
//       CHECK:   %[[M:.*]] = graven.matmul %[[O]], %[[R]]
//       CHECK:   %[[K:.*]] = graven.reshape %[[M]] to [4, 8, 3, 3]
//       CHECK:   %[[S:.*]] = graven.matmul %[[O]], %{{.*}}
//       CHECK:   %[[F:.*]] = graven.reshape %[[S]] to [4]
//       CHECK:   %[[N:.*]] = graven.add %[[B]], %[[F]]
//       CHECK:   %[[Y:.*]] = graven.conv %[[X]], %[[K]] bias %[[N]] strides [1, 1] dilations [1, 1] pads [1, 1, 1, 1]
//       CHECK:   graven.return %[[Y]]
graven.graph @convs(%x: tensor<1x8x8x8xf32>) -> (tensor<1x4x8x8xf32>) {
  %v = graven.get_param @v : tensor<16x8x3x3xf32>
  %a = graven.get_param @a : tensor<16xf32>
  %w = graven.get_param @w : tensor<4x16x1x1xf32>
  %b = graven.get_param @b : tensor<4xf32>
  %0 = graven.conv %x, %v bias %a strides [1, 1] dilations [1, 1] pads [1, 1, 1, 1] : (tensor<1x8x8x8xf32>, tensor<16x8x3x3xf32>, tensor<16xf32>) -> tensor<1x16x8x8xf32>
  %1 = graven.conv %0, %w bias %b strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] : (tensor<1x16x8x8xf32>, tensor<4x16x1x1xf32>, tensor<4xf32>) -> tensor<1x4x8x8xf32>
  graven.return %1 : tensor<1x4x8x8xf32>
}

// -----

graven.param @v : tensor<16x8x3x3xf32> = dense<1.0> : tensor<16x8x3x3xf32>
graven.param @w : tensor<4x16x1x1xf32> = dense<1.0> : tensor<4x16x1x1xf32>
// CHECK-LABEL: graven.graph @stride(
//       CHECK:   graven.conv %{{[^ ]*}}, %{{[^ ]*}} strides [2, 2] dilations [1, 1] pads [1, 1, 1, 1]
//   CHECK-NOT:   graven.conv
graven.graph @stride(%x: tensor<1x8x8x8xf32>) -> (tensor<1x4x4x4xf32>) {
  %v = graven.get_param @v : tensor<16x8x3x3xf32>
  %w = graven.get_param @w : tensor<4x16x1x1xf32>
  %0 = graven.conv %x, %v strides [1, 1] dilations [1, 1] pads [1, 1, 1, 1] : (tensor<1x8x8x8xf32>, tensor<16x8x3x3xf32>) -> tensor<1x16x8x8xf32>
  %1 = graven.conv %0, %w strides [2, 2] dilations [1, 1] pads [0, 0, 0, 0] : (tensor<1x16x8x8xf32>, tensor<4x16x1x1xf32>) -> tensor<1x4x4x4xf32>
  graven.return %1 : tensor<1x4x4x4xf32>
}

// -----

graven.param @v : tensor<16x8x3x3xf32> = dense<1.0> : tensor<16x8x3x3xf32>
graven.param @w : tensor<4x16x1x1xf32> = dense<1.0> : tensor<4x16x1x1xf32>
// The inner result is needed.
// CHECK-LABEL: graven.graph @second_user(
//       CHECK:   graven.conv
//       CHECK:   graven.conv
graven.graph @second_user(%x: tensor<1x8x8x8xf32>) -> (tensor<1x4x8x8xf32>, tensor<1x16x8x8xf32>) {
  %v = graven.get_param @v : tensor<16x8x3x3xf32>
  %w = graven.get_param @w : tensor<4x16x1x1xf32>
  %0 = graven.conv %x, %v strides [1, 1] dilations [1, 1] pads [1, 1, 1, 1] : (tensor<1x8x8x8xf32>, tensor<16x8x3x3xf32>) -> tensor<1x16x8x8xf32>
  %1 = graven.conv %0, %w strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] : (tensor<1x16x8x8xf32>, tensor<4x16x1x1xf32>) -> tensor<1x4x8x8xf32>
  graven.return %1, %0 : tensor<1x4x8x8xf32>, tensor<1x16x8x8xf32>
}

// -----

graven.param @v : tensor<16x8x3x3xf32> = dense<1.0> : tensor<16x8x3x3xf32>
graven.param @w : tensor<4x16x3x3xf32> = dense<1.0> : tensor<4x16x3x3xf32>
// Windows of windows are larger.
// CHECK-LABEL: graven.graph @larger_windows(
//       CHECK:   graven.conv
//       CHECK:   graven.conv
graven.graph @larger_windows(%x: tensor<1x8x8x8xf32>) -> (tensor<1x4x6x6xf32>) {
  %v = graven.get_param @v : tensor<16x8x3x3xf32>
  %w = graven.get_param @w : tensor<4x16x3x3xf32>
  %0 = graven.conv %x, %v strides [1, 1] dilations [1, 1] pads [1, 1, 1, 1] : (tensor<1x8x8x8xf32>, tensor<16x8x3x3xf32>) -> tensor<1x16x8x8xf32>
  %1 = graven.conv %0, %w strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] : (tensor<1x16x8x8xf32>, tensor<4x16x3x3xf32>) -> tensor<1x4x6x6xf32>
  graven.return %1 : tensor<1x4x6x6xf32>
}

// -----

graven.param @v : tensor<16x8x3x3xf32> = dense<1.0> : tensor<16x8x3x3xf32>
graven.param @w : tensor<4x16x1x1xf32> = dense<1.0> : tensor<4x16x1x1xf32>
// What is around the inner result is 0.
// CHECK-LABEL: graven.graph @pads(
//       CHECK:   graven.conv
//       CHECK:   graven.conv
graven.graph @pads(%x: tensor<1x8x8x8xf32>) -> (tensor<1x4x10x10xf32>) {
  %v = graven.get_param @v : tensor<16x8x3x3xf32>
  %w = graven.get_param @w : tensor<4x16x1x1xf32>
  %0 = graven.conv %x, %v strides [1, 1] dilations [1, 1] pads [1, 1, 1, 1] : (tensor<1x8x8x8xf32>, tensor<16x8x3x3xf32>) -> tensor<1x16x8x8xf32>
  %1 = graven.conv %0, %w strides [1, 1] dilations [1, 1] pads [1, 1, 1, 1] : (tensor<1x16x8x8xf32>, tensor<4x16x1x1xf32>) -> tensor<1x4x10x10xf32>
  graven.return %1 : tensor<1x4x10x10xf32>
}

// -----

graven.param @v : tensor<16x4x3x3xf32> = dense<1.0> : tensor<16x4x3x3xf32>
graven.param @w : tensor<4x16x1x1xf32> = dense<1.0> : tensor<4x16x1x1xf32>
// Groups.
// CHECK-LABEL: graven.graph @groups(
//       CHECK:   graven.conv
//       CHECK:   graven.conv
graven.graph @groups(%x: tensor<1x8x8x8xf32>) -> (tensor<1x4x8x8xf32>) {
  %v = graven.get_param @v : tensor<16x4x3x3xf32>
  %w = graven.get_param @w : tensor<4x16x1x1xf32>
  %0 = graven.conv %x, %v strides [1, 1] dilations [1, 1] pads [1, 1, 1, 1] groups 2 : (tensor<1x8x8x8xf32>, tensor<16x4x3x3xf32>) -> tensor<1x16x8x8xf32>
  %1 = graven.conv %0, %w strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] : (tensor<1x16x8x8xf32>, tensor<4x16x1x1xf32>) -> tensor<1x4x8x8xf32>
  graven.return %1 : tensor<1x4x8x8xf32>
}

// -----

graven.param @v : tensor<2x8x3x3xf32> = dense<1.0> : tensor<2x8x3x3xf32>
graven.param @w : tensor<64x2x1x1xf32> = dense<1.0> : tensor<64x2x1x1xf32>
// 2 channels in the middle are fewer multiplications than none.
// CHECK-LABEL: graven.graph @more_multiplications(
//       CHECK:   graven.conv
//       CHECK:   graven.conv
graven.graph @more_multiplications(%x: tensor<1x8x8x8xf32>) -> (tensor<1x64x8x8xf32>) {
  %v = graven.get_param @v : tensor<2x8x3x3xf32>
  %w = graven.get_param @w : tensor<64x2x1x1xf32>
  %0 = graven.conv %x, %v strides [1, 1] dilations [1, 1] pads [1, 1, 1, 1] : (tensor<1x8x8x8xf32>, tensor<2x8x3x3xf32>) -> tensor<1x2x8x8xf32>
  %1 = graven.conv %0, %w strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] : (tensor<1x2x8x8xf32>, tensor<64x2x1x1xf32>) -> tensor<1x64x8x8xf32>
  graven.return %1 : tensor<1x64x8x8xf32>
}

// -----

graven.param @v : tensor<2x8x1x1xf32> = dense<1.0> : tensor<2x8x1x1xf32>
graven.param @w : tensor<8x2x1x1xf32> = dense<1.0> : tensor<8x2x1x1xf32>
// Few places are left, but more weights would be read.
// CHECK-LABEL: graven.graph @more_weights(
//       CHECK:   graven.conv
//       CHECK:   graven.conv
graven.graph @more_weights(%x: tensor<1x8x8x8xf32>) -> (tensor<1x8x1x1xf32>) {
  %v = graven.get_param @v : tensor<2x8x1x1xf32>
  %w = graven.get_param @w : tensor<8x2x1x1xf32>
  %0 = graven.conv %x, %v strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] : (tensor<1x8x8x8xf32>, tensor<2x8x1x1xf32>) -> tensor<1x2x8x8xf32>
  %1 = graven.conv %0, %w strides [8, 8] dilations [1, 1] pads [0, 0, 0, 0] : (tensor<1x2x8x8xf32>, tensor<8x2x1x1xf32>) -> tensor<1x8x1x1xf32>
  graven.return %1 : tensor<1x8x1x1xf32>
}

// -----

graven.param @v : tensor<16x8x3x3xf32> = dense<1.0> : tensor<16x8x3x3xf32>
// Weights that are an input.
// CHECK-LABEL: graven.graph @weights_of_the_run(
//       CHECK:   graven.conv
//       CHECK:   graven.conv
graven.graph @weights_of_the_run(%x: tensor<1x8x8x8xf32>, %w: tensor<4x16x1x1xf32>) -> (tensor<1x4x8x8xf32>) {
  %v = graven.get_param @v : tensor<16x8x3x3xf32>
  %0 = graven.conv %x, %v strides [1, 1] dilations [1, 1] pads [1, 1, 1, 1] : (tensor<1x8x8x8xf32>, tensor<16x8x3x3xf32>) -> tensor<1x16x8x8xf32>
  %1 = graven.conv %0, %w strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] : (tensor<1x16x8x8xf32>, tensor<4x16x1x1xf32>) -> tensor<1x4x8x8xf32>
  graven.return %1 : tensor<1x4x8x8xf32>
}

// -----

graven.param @v : tensor<16x8x3x3xf32> = dense<1.0> : tensor<16x8x3x3xf32>
graven.param @w : tensor<4x16x1x1xf32> = dense<1.0> : tensor<4x16x1x1xf32>
// An extent that is not known.
// CHECK-LABEL: graven.graph @unknown_extent(
//       CHECK:   graven.conv
//       CHECK:   graven.conv
graven.graph @unknown_extent(%x: tensor<?x8x8x8xf32>) -> (tensor<?x4x8x8xf32>) {
  %v = graven.get_param @v : tensor<16x8x3x3xf32>
  %w = graven.get_param @w : tensor<4x16x1x1xf32>
  %0 = graven.conv %x, %v strides [1, 1] dilations [1, 1] pads [1, 1, 1, 1] : (tensor<?x8x8x8xf32>, tensor<16x8x3x3xf32>) -> tensor<?x16x8x8xf32>
  %1 = graven.conv %0, %w strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] : (tensor<?x16x8x8xf32>, tensor<4x16x1x1xf32>) -> tensor<?x4x8x8xf32>
  graven.return %1 : tensor<?x4x8x8xf32>
}
