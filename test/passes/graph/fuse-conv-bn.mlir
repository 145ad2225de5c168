// RUN: graven-opt --graven-fuse-conv-bn --split-input-file %s | FileCheck %s
// RUN: graven-opt --graven-fuse-conv-bn=expand=false --split-input-file %s | FileCheck %s --check-prefix=WHOLE

// Without a bias: the shift of the statistics becomes one.

// CHECK-LABEL: graven.graph @conv2d(
//  CHECK-SAME:   %[[X:.*]]: tensor<1x4x5x5xf32>
//   CHECK-DAG:   %[[W:.*]] = graven.get_param @w
//   CHECK-DAG:   %[[S:.*]] = graven.get_param @s
//   CHECK-DAG:   %[[B:.*]] = graven.get_param @b
//   CHECK-DAG:   %[[M:.*]] = graven.get_param @m
//   CHECK-DAG:   %[[V:.*]] = graven.get_param @v
//   CHECK-DAG:   %[[E:.*]] = graven.constant dense<1.000000e-03> : tensor<1xf32>
//       CHECK:   %[[VE:.*]] = graven.add %[[V]], %[[E]]
//       CHECK:   %[[D:.*]] = graven.sqrt %[[VE]]
//       CHECK:   %[[F:.*]] = graven.div %[[S]], %[[D]]
//       CHECK:   %[[MF:.*]] = graven.mul %[[M]], %[[F]]
//       CHECK:   %[[SHIFT:.*]] = graven.sub %[[B]], %[[MF]]
//       CHECK:   %[[F4:.*]] = graven.reshape %[[F]] to [6, 1, 1, 1]
//       CHECK:   %[[W2:.*]] = graven.mul %[[W]], %[[F4]]
//       CHECK:   %[[Y:.*]] = graven.conv %[[X]], %[[W2]] bias %[[SHIFT]]
//   CHECK-NOT:   batch_norm
//       CHECK:   graven.return %[[Y]]
graven.param @w : tensor<6x4x3x3xf32> = dense<0.5> : tensor<6x4x3x3xf32>
graven.param @s : tensor<6xf32> = dense<2.0> : tensor<6xf32>
graven.param @b : tensor<6xf32> = dense<1.0> : tensor<6xf32>
graven.param @m : tensor<6xf32> = dense<0.25> : tensor<6xf32>
graven.param @v : tensor<6xf32> = dense<4.0> : tensor<6xf32>
graven.graph @conv2d(%x: tensor<1x4x5x5xf32>) -> tensor<1x6x3x3xf32> {
  %w = graven.get_param @w : tensor<6x4x3x3xf32>
  %s = graven.get_param @s : tensor<6xf32>
  %b = graven.get_param @b : tensor<6xf32>
  %m = graven.get_param @m : tensor<6xf32>
  %v = graven.get_param @v : tensor<6xf32>
  %0 = graven.conv %x, %w strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] : (tensor<1x4x5x5xf32>, tensor<6x4x3x3xf32>) -> tensor<1x6x3x3xf32>
  %1 = graven.batch_norm %0 scale %s bias %b mean %m variance %v epsilon 1.0e-3 : (tensor<1x6x3x3xf32>, tensor<6xf32>, tensor<6xf32>, tensor<6xf32>, tensor<6xf32>) -> tensor<1x6x3x3xf32>
  graven.return %1 : tensor<1x6x3x3xf32>
}

// -----

// A grouped transposed convolution: the channels of w are within a group.

// CHECK-LABEL: graven.graph @transposed(
//       CHECK:   %[[F:.*]] = graven.div
//       CHECK:   %[[WG:.*]] = graven.reshape %{{.*}} to [2, 2, 3, 2]
//       CHECK:   %[[FG:.*]] = graven.reshape %[[F]] to [2, 1, 3, 1]
//       CHECK:   graven.mul %[[WG]], %[[FG]]
//       CHECK:   %[[BF:.*]] = graven.mul %{{.*}}, %[[F]]
//       CHECK:   %[[B:.*]] = graven.add %[[BF]]
//       CHECK:   graven.conv_transpose %{{.*}} bias %[[B]]
//   CHECK-NOT:   batch_norm
graven.param @w : tensor<4x3x2xf32> = dense<0.5> : tensor<4x3x2xf32>
graven.param @p : tensor<6xf32> = dense<2.0> : tensor<6xf32>
graven.graph @transposed(%x: tensor<1x4x5xf32>) -> tensor<1x6x6xf32> {
  %w = graven.get_param @w : tensor<4x3x2xf32>
  %p = graven.get_param @p : tensor<6xf32>
  %0 = graven.conv_transpose %x, %w bias %p strides [1] dilations [1] pads [0, 0] output_padding [0] groups 2 : (tensor<1x4x5xf32>, tensor<4x3x2xf32>, tensor<6xf32>) -> tensor<1x6x6xf32>
  %1 = graven.batch_norm %0 scale %p bias %p mean %p variance %p epsilon 1.0e-3 : (tensor<1x6x6xf32>, tensor<6xf32>, tensor<6xf32>, tensor<6xf32>, tensor<6xf32>) -> tensor<1x6x6xf32>
  graven.return %1 : tensor<1x6x6xf32>
}

// -----

// Behind a linear layer, with its weights transposed.

// CHECK-LABEL: graven.graph @linear(
//       CHECK:   %[[F:.*]] = graven.div
//       CHECK:   %[[F2:.*]] = graven.reshape %[[F]] to [3, 1]
//       CHECK:   %[[W:.*]] = graven.mul %{{.*}}, %[[F2]]
//       CHECK:   %[[Y:.*]] = graven.matmul %{{.*}}, %[[W]] transpose_b
//       CHECK:   graven.add %[[Y]]
//   CHECK-NOT:   batch_norm
graven.param @w : tensor<3x4xf32> = dense<0.5> : tensor<3x4xf32>
graven.param @bias : tensor<1x3xf32> = dense<0.5> : tensor<1x3xf32>
graven.param @p : tensor<3xf32> = dense<2.0> : tensor<3xf32>
graven.graph @linear(%x: tensor<2x4xf32>) -> tensor<2x3xf32> {
  %w = graven.get_param @w : tensor<3x4xf32>
  %bias = graven.get_param @bias : tensor<1x3xf32>
  %p = graven.get_param @p : tensor<3xf32>
  %0 = graven.matmul %x, %w transpose_b : (tensor<2x4xf32>, tensor<3x4xf32>) -> tensor<2x3xf32>
  %1 = graven.add %0, %bias : (tensor<2x3xf32>, tensor<1x3xf32>) -> tensor<2x3xf32>
  %2 = graven.batch_norm %1 scale %p bias %p mean %p variance %p epsilon 1.0e-3 : (tensor<2x3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  graven.return %2 : tensor<2x3xf32>
}

// -----

// f16: the statistics are computed in f32 and rounded once.

// CHECK-LABEL: graven.graph @half(
//       CHECK:   graven.cast %{{.*}} : (tensor<2xf16>) -> tensor<2xf32>
//       CHECK:   %[[F:.*]] = graven.div %{{.*}} : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
//       CHECK:   graven.cast %{{.*}} : (tensor<2x2x1x1xf32>) -> tensor<2x2x1x1xf16>
//       CHECK:   graven.conv
graven.param @w : tensor<2x2x1x1xf16> = dense<0.5> : tensor<2x2x1x1xf16>
graven.param @p : tensor<2xf16> = dense<2.0> : tensor<2xf16>
graven.graph @half(%x: tensor<1x2x3x3xf16>) -> tensor<1x2x3x3xf16> {
  %w = graven.get_param @w : tensor<2x2x1x1xf16>
  %p = graven.get_param @p : tensor<2xf16>
  %0 = graven.conv %x, %w strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] : (tensor<1x2x3x3xf16>, tensor<2x2x1x1xf16>) -> tensor<1x2x3x3xf16>
  %1 = graven.batch_norm %0 scale %p bias %p mean %p variance %p epsilon 1.0e-3 : (tensor<1x2x3x3xf16>, tensor<2xf16>, tensor<2xf16>, tensor<2xf16>, tensor<2xf16>) -> tensor<1x2x3x3xf16>
  graven.return %1 : tensor<1x2x3x3xf16>
}

// -----

// The convolution has a second user: a product and a sum instead.

// CHECK-LABEL: graven.graph @second_user(
//       CHECK:   %[[Y:.*]] = graven.conv %{{.*}}, %{{[^ ]*}} strides
//       CHECK:   %[[P:.*]] = graven.mul %[[Y]], %{{.*}} : (tensor<1x2x3x3xf32>, tensor<1x2x1x1xf32>)
//       CHECK:   %[[Z:.*]] = graven.add %[[P]]
//       CHECK:   graven.return %[[Y]], %[[Z]]
graven.param @w : tensor<2x2x1x1xf32> = dense<0.5> : tensor<2x2x1x1xf32>
graven.param @p : tensor<2xf32> = dense<2.0> : tensor<2xf32>
graven.graph @second_user(%x: tensor<1x2x3x3xf32>) -> (tensor<1x2x3x3xf32>, tensor<1x2x3x3xf32>) {
  %w = graven.get_param @w : tensor<2x2x1x1xf32>
  %p = graven.get_param @p : tensor<2xf32>
  %0 = graven.conv %x, %w strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] : (tensor<1x2x3x3xf32>, tensor<2x2x1x1xf32>) -> tensor<1x2x3x3xf32>
  %1 = graven.batch_norm %0 scale %p bias %p mean %p variance %p epsilon 1.0e-3 : (tensor<1x2x3x3xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x2x3x3xf32>
  graven.return %0, %1 : tensor<1x2x3x3xf32>, tensor<1x2x3x3xf32>
}

// -----

// Statistics that are computed when the model runs stay.

// CHECK-LABEL: graven.graph @run_time_statistics(
//       CHECK:   graven.conv
//       CHECK:   graven.batch_norm
graven.param @w : tensor<2x2x1x1xf32> = dense<0.5> : tensor<2x2x1x1xf32>
graven.graph @run_time_statistics(%x: tensor<1x2x3x3xf32>, %p: tensor<2xf32>) -> tensor<1x2x3x3xf32> {
  %w = graven.get_param @w : tensor<2x2x1x1xf32>
  %0 = graven.conv %x, %w strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] : (tensor<1x2x3x3xf32>, tensor<2x2x1x1xf32>) -> tensor<1x2x3x3xf32>
  %1 = graven.batch_norm %0 scale %p bias %p mean %p variance %p epsilon 1.0e-3 : (tensor<1x2x3x3xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x2x3x3xf32>
  graven.return %1 : tensor<1x2x3x3xf32>
}

// -----

// Weights that are computed when the model runs stay as they are.

// CHECK-LABEL: graven.graph @run_time_weights(
//  CHECK-SAME:   %[[W:[a-z0-9]*]]: tensor<2x2x1x1xf32>
//       CHECK:   graven.conv %{{.*}}, %[[W]] strides
//       CHECK:   graven.mul
//       CHECK:   graven.add
graven.param @p : tensor<2xf32> = dense<2.0> : tensor<2xf32>
graven.graph @run_time_weights(%w: tensor<2x2x1x1xf32>, %x: tensor<1x2x3x3xf32>) -> tensor<1x2x3x3xf32> {
  %p = graven.get_param @p : tensor<2xf32>
  %0 = graven.conv %x, %w strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] : (tensor<1x2x3x3xf32>, tensor<2x2x1x1xf32>) -> tensor<1x2x3x3xf32>
  %1 = graven.batch_norm %0 scale %p bias %p mean %p variance %p epsilon 1.0e-3 : (tensor<1x2x3x3xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x2x3x3xf32>
  graven.return %1 : tensor<1x2x3x3xf32>
}

// -----

// A bias behind a convolution becomes its own; one that is not one number a
// channel does not.

// CHECK-LABEL: graven.graph @bias(
//       CHECK:   %[[B:.*]] = graven.reshape %{{.*}} to [2]
//       CHECK:   %[[Y:.*]] = graven.conv %{{.*}} bias %[[B]]
//       CHECK:   %[[Z:.*]] = graven.add %[[Y]]
//       CHECK:   graven.return %[[Z]]
graven.param @w : tensor<2x2x1x1xf32> = dense<0.5> : tensor<2x2x1x1xf32>
graven.param @p : tensor<1x2x1x1xf32> = dense<2.0> : tensor<1x2x1x1xf32>
graven.param @q : tensor<1x2x1x3xf32> = dense<2.0> : tensor<1x2x1x3xf32>
graven.graph @bias(%x: tensor<1x2x3x3xf32>) -> tensor<1x2x3x3xf32> {
  %w = graven.get_param @w : tensor<2x2x1x1xf32>
  %p = graven.get_param @p : tensor<1x2x1x1xf32>
  %q = graven.get_param @q : tensor<1x2x1x3xf32>
  %0 = graven.conv %x, %w strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] : (tensor<1x2x3x3xf32>, tensor<2x2x1x1xf32>) -> tensor<1x2x3x3xf32>
  %1 = graven.add %0, %p : (tensor<1x2x3x3xf32>, tensor<1x2x1x1xf32>) -> tensor<1x2x3x3xf32>
  %2 = graven.add %1, %q : (tensor<1x2x3x3xf32>, tensor<1x2x1x3xf32>) -> tensor<1x2x3x3xf32>
  graven.return %2 : tensor<1x2x3x3xf32>
}

// -----

// Statistics that were never trained leave a bias of zeros, which is none; one
// that is not zero stays.

// CHECK-LABEL: graven.graph @zero(
//       CHECK:   graven.conv %{{.*}}, %{{.*}} strides
//       CHECK:   graven.conv %{{.*}}, %{{.*}} bias
graven.param @w : tensor<2x2x1x1xf32> = dense<0.5> : tensor<2x2x1x1xf32>
graven.param @none : tensor<2xf32> = dense<0.0> : tensor<2xf32>
graven.param @ones : tensor<2xf32> = dense<1.0> : tensor<2xf32>
graven.graph @zero(%x: tensor<1x2x3x3xf32>) -> tensor<1x2x3x3xf32> {
  %w = graven.get_param @w : tensor<2x2x1x1xf32>
  %none = graven.get_param @none : tensor<2xf32>
  %ones = graven.get_param @ones : tensor<2xf32>
  %0 = graven.conv %x, %w strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] : (tensor<1x2x3x3xf32>, tensor<2x2x1x1xf32>) -> tensor<1x2x3x3xf32>
  %1 = graven.batch_norm %0 scale %ones bias %none mean %none variance %ones epsilon 1.0e-3 : (tensor<1x2x3x3xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x2x3x3xf32>
  %2 = graven.conv %1, %w bias %ones strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] : (tensor<1x2x3x3xf32>, tensor<2x2x1x1xf32>, tensor<2xf32>) -> tensor<1x2x3x3xf32>
  graven.return %2 : tensor<1x2x3x3xf32>
}

// -----

// In a branch, what the bias is made of may stand outside: it stays.

// CHECK-LABEL: graven.graph @branch(
//       CHECK:   graven.if
//       CHECK:     graven.conv %{{.*}}, %{{.*}} bias
graven.param @w : tensor<2x2x1x1xf32> = dense<0.5> : tensor<2x2x1x1xf32>
graven.param @none : tensor<2xf32> = dense<0.0> : tensor<2xf32>
graven.graph @branch(%x: tensor<1x2x3x3xf32>, %c: tensor<i1>) -> tensor<1x2x3x3xf32> {
  %w = graven.get_param @w : tensor<2x2x1x1xf32>
  %none = graven.get_param @none : tensor<2xf32>
  %0 = graven.if %c -> (tensor<1x2x3x3xf32>) {
    %b = graven.abs %none : tensor<2xf32>
    %1 = graven.conv %x, %w bias %b strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] : (tensor<1x2x3x3xf32>, tensor<2x2x1x1xf32>, tensor<2xf32>) -> tensor<1x2x3x3xf32>
    graven.yield %1 : tensor<1x2x3x3xf32>
  } else {
    graven.yield %x : tensor<1x2x3x3xf32>
  }
  graven.return %0 : tensor<1x2x3x3xf32>
}

// -----

// What nothing takes is arithmetic, or stays.

// CHECK-LABEL: graven.graph @alone(
//   CHECK-NOT:   graven.batch_norm
// WHOLE-LABEL: graven.graph @alone(
//       WHOLE:   graven.batch_norm
graven.param @ones : tensor<2xf32> = dense<1.0> : tensor<2xf32>
graven.graph @alone(%x: tensor<1x2x3x3xf32>) -> tensor<1x2x3x3xf32> {
  %ones = graven.get_param @ones : tensor<2xf32>
  %0 = graven.batch_norm %x scale %ones bias %ones mean %ones variance %ones epsilon 1.0e-3 : (tensor<1x2x3x3xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x2x3x3xf32>
  graven.return %0 : tensor<1x2x3x3xf32>
}
