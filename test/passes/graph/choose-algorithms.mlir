// RUN: graven-opt --graven-choose-algorithms --split-input-file %s | FileCheck %s
// RUN: graven-opt --graven-choose-algorithms=numerics=strict --split-input-file %s | FileCheck %s --check-prefix=STRICT
// RUN: graven-opt --graven-choose-algorithms=numerics=fast --split-input-file %s | FileCheck %s --check-prefix=FAST

// STRICT-NOT: algorithm

// Big images take tiles of 4x4; a multiplied Parameter is still known.

// CHECK-LABEL: @large
//       CHECK:   graven.conv %{{.*}} channels 32 algorithm winograd4
graven.param @w : tensor<32x32x3x3xf32> = dense<0.5> : tensor<32x32x3x3xf32>
graven.param @f : tensor<32xf32> = dense<2.0> : tensor<32xf32>
graven.graph @large(%x: tensor<1x2x28x28x16xf32>) -> tensor<1x2x28x28x16xf32> {
  %w = graven.get_param @w : tensor<32x32x3x3xf32>
  %f = graven.get_param @f : tensor<32xf32>
  %g = graven.reshape %f to [32, 1, 1, 1] : (tensor<32xf32>) -> tensor<32x1x1x1xf32>
  %v = graven.mul %w, %g : (tensor<32x32x3x3xf32>, tensor<32x1x1x1xf32>) -> tensor<32x32x3x3xf32>
  %0 = graven.conv %x, %v strides [1, 1] dilations [1, 1] pads [1, 1, 1, 1] layout nchw16c channels 32 : (tensor<1x2x28x28x16xf32>, tensor<32x32x3x3xf32>) -> tensor<1x2x28x28x16xf32>
  graven.return %0 : tensor<1x2x28x28x16xf32>
}

// -----

// Few pixels: the larger weights of 4x4 would cost more than they save.

// CHECK-LABEL: @small
//       CHECK:   graven.conv %{{.*}} channels 512 algorithm winograd2
graven.param @w : tensor<512x512x3x3xf32> = dense<0.5> : tensor<512x512x3x3xf32>
graven.graph @small(%x: tensor<1x32x7x7x16xf32>) -> tensor<1x32x7x7x16xf32> {
  %w = graven.get_param @w : tensor<512x512x3x3xf32>
  %0 = graven.conv %x, %w strides [1, 1] dilations [1, 1] pads [1, 1, 1, 1] layout nchw16c channels 512 : (tensor<1x32x7x7x16xf32>, tensor<512x512x3x3xf32>) -> tensor<1x32x7x7x16xf32>
  graven.return %0 : tensor<1x32x7x7x16xf32>
}

// -----

// The weights are not a multiple of a Parameter: 4x4 cannot be measured.

// CHECK-LABEL: @unmeasured
//       CHECK:   graven.conv %{{.*}} channels 32 algorithm winograd2
//  FAST-LABEL: @unmeasured
//        FAST:   graven.conv %{{.*}} channels 32 algorithm winograd4
graven.param @w : tensor<32x32x3x3xf32> = dense<0.5> : tensor<32x32x3x3xf32>
graven.graph @unmeasured(%x: tensor<1x2x28x28x16xf32>) -> tensor<1x2x28x28x16xf32> {
  %w = graven.get_param @w : tensor<32x32x3x3xf32>
  %v = graven.tanh %w : tensor<32x32x3x3xf32>
  %0 = graven.conv %x, %v strides [1, 1] dilations [1, 1] pads [1, 1, 1, 1] layout nchw16c channels 32 : (tensor<1x2x28x28x16xf32>, tensor<32x32x3x3xf32>) -> tensor<1x2x28x28x16xf32>
  graven.return %0 : tensor<1x2x28x28x16xf32>
}

// -----

// A weight that is not a number leaves nothing to measure.

// CHECK-LABEL: @nan
//       CHECK:   graven.conv %{{.*}} channels 32 algorithm winograd2
graven.param @w : tensor<32x32x3x3xf32> = dense<0x7FC00000> : tensor<32x32x3x3xf32>
graven.graph @nan(%x: tensor<1x2x28x28x16xf32>) -> tensor<1x2x28x28x16xf32> {
  %w = graven.get_param @w : tensor<32x32x3x3xf32>
  %0 = graven.conv %x, %w strides [1, 1] dilations [1, 1] pads [1, 1, 1, 1] layout nchw16c channels 32 : (tensor<1x2x28x28x16xf32>, tensor<32x32x3x3xf32>) -> tensor<1x2x28x28x16xf32>
  graven.return %0 : tensor<1x2x28x28x16xf32>
}

// -----

// Strides, groups, other kernels, few channels, planes, and weights computed
// when the model runs stay direct.

// CHECK-LABEL: @direct
//   CHECK-NOT:   algorithm
graven.param @w : tensor<32x32x3x3xf32> = dense<0.5> : tensor<32x32x3x3xf32>
graven.param @grouped : tensor<32x16x3x3xf32> = dense<0.5> : tensor<32x16x3x3xf32>
graven.param @pointwise : tensor<32x32x1x1xf32> = dense<0.5> : tensor<32x32x1x1xf32>
graven.param @narrow : tensor<8x32x3x3xf32> = dense<0.5> : tensor<8x32x3x3xf32>
graven.graph @direct(%x: tensor<1x2x28x28x16xf32>, %p: tensor<1x32x28x28xf32>, %v: tensor<32x32x3x3xf32>) -> (tensor<1x2x14x14x16xf32>, tensor<1x2x28x28x16xf32>, tensor<1x2x28x28x16xf32>, tensor<1x1x28x28x16xf32>, tensor<1x32x28x28xf32>, tensor<1x2x28x28x16xf32>) {
  %w = graven.get_param @w : tensor<32x32x3x3xf32>
  %g = graven.get_param @grouped : tensor<32x16x3x3xf32>
  %q = graven.get_param @pointwise : tensor<32x32x1x1xf32>
  %n = graven.get_param @narrow : tensor<8x32x3x3xf32>
  %0 = graven.conv %x, %w strides [2, 2] dilations [1, 1] pads [1, 1, 1, 1] layout nchw16c channels 32 : (tensor<1x2x28x28x16xf32>, tensor<32x32x3x3xf32>) -> tensor<1x2x14x14x16xf32>
  %1 = graven.conv %x, %g strides [1, 1] dilations [1, 1] pads [1, 1, 1, 1] groups 2 layout nchw16c channels 32 : (tensor<1x2x28x28x16xf32>, tensor<32x16x3x3xf32>) -> tensor<1x2x28x28x16xf32>
  %2 = graven.conv %x, %q strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] layout nchw16c channels 32 : (tensor<1x2x28x28x16xf32>, tensor<32x32x1x1xf32>) -> tensor<1x2x28x28x16xf32>
  %3 = graven.conv %x, %n strides [1, 1] dilations [1, 1] pads [1, 1, 1, 1] layout nchw16c channels 32 : (tensor<1x2x28x28x16xf32>, tensor<8x32x3x3xf32>) -> tensor<1x1x28x28x16xf32>
  %4 = graven.conv %p, %w strides [1, 1] dilations [1, 1] pads [1, 1, 1, 1] : (tensor<1x32x28x28xf32>, tensor<32x32x3x3xf32>) -> tensor<1x32x28x28xf32>
  %5 = graven.conv %x, %v strides [1, 1] dilations [1, 1] pads [1, 1, 1, 1] layout nchw16c channels 32 : (tensor<1x2x28x28x16xf32>, tensor<32x32x3x3xf32>) -> tensor<1x2x28x28x16xf32>
  graven.return %0, %1, %2, %3, %4, %5 : tensor<1x2x14x14x16xf32>, tensor<1x2x28x28x16xf32>, tensor<1x2x28x28x16xf32>, tensor<1x1x28x28x16xf32>, tensor<1x32x28x28xf32>, tensor<1x2x28x28x16xf32>
}

// -----

// A product with many rows takes Strassen's recursion, whichever way its
// weights lie and however many columns there are.

// CHECK-LABEL: @product
//       CHECK:   graven.matmul %{{.*}}, %{{.*}} algorithm strassen
//       CHECK:   graven.matmul %{{.*}}, %{{.*}} transpose_b algorithm strassen
graven.param @w : tensor<768x769xf32> = dense<0.5> : tensor<768x769xf32>
graven.param @v : tensor<768x768xf32> = dense<0.5> : tensor<768x768xf32>
graven.graph @product(%x: tensor<128x768xf32>) -> (tensor<128x769xf32>, tensor<128x768xf32>) {
  %w = graven.get_param @w : tensor<768x769xf32>
  %v = graven.get_param @v : tensor<768x768xf32>
  %0 = graven.matmul %x, %w : (tensor<128x768xf32>, tensor<768x769xf32>) -> tensor<128x769xf32>
  %1 = graven.matmul %x, %v transpose_b : (tensor<128x768xf32>, tensor<768x768xf32>) -> tensor<128x768xf32>
  graven.return %0, %1 : tensor<128x769xf32>, tensor<128x768xf32>
}

// -----

// A product whose rows are brought to length 1 stays direct: rows of 0 stay 0.

// CHECK-LABEL: @normalised
//       CHECK:   graven.matmul %{{[a-z0-9]+}}, %{{[a-z0-9]+}} :
graven.param @n : tensor<768x768xf32> = dense<0.5> : tensor<768x768xf32>
graven.graph @normalised(%x: tensor<128x768xf32>) -> (tensor<2x64x1xf32>) {
  %w = graven.get_param @n : tensor<768x768xf32>
  %0 = graven.matmul %x, %w : (tensor<128x768xf32>, tensor<768x768xf32>) -> tensor<128x768xf32>
  %1 = graven.reshape %0 to [2, 64, 768] : (tensor<128x768xf32>) -> tensor<2x64x768xf32>
  %2 = graven.mul %1, %1 : (tensor<2x64x768xf32>, tensor<2x64x768xf32>) -> tensor<2x64x768xf32>
  %3 = graven.reduce sum %2 axes [2] keep : (tensor<2x64x768xf32>) -> tensor<2x64x1xf32>
  %4 = graven.sqrt %3 : tensor<2x64x1xf32>
  graven.return %4 : tensor<2x64x1xf32>
}

// -----

// Few rows, an odd depth, weights computed when the model runs, and products in
// batches stay direct.

// CHECK-LABEL: @plain
//   CHECK-NOT:   algorithm
graven.param @w : tensor<768x768xf32> = dense<0.5> : tensor<768x768xf32>
graven.param @odd : tensor<769x768xf32> = dense<0.5> : tensor<769x768xf32>
graven.param @batch : tensor<2x768x768xf32> = dense<0.5> : tensor<2x768x768xf32>
graven.graph @plain(%few: tensor<16x768xf32>, %x: tensor<128x768xf32>, %y: tensor<128x769xf32>, %v: tensor<768x768xf32>, %b: tensor<2x128x768xf32>) -> (tensor<16x768xf32>, tensor<128x768xf32>, tensor<128x768xf32>, tensor<2x128x768xf32>) {
  %w = graven.get_param @w : tensor<768x768xf32>
  %o = graven.get_param @odd : tensor<769x768xf32>
  %p = graven.get_param @batch : tensor<2x768x768xf32>
  %0 = graven.matmul %few, %w : (tensor<16x768xf32>, tensor<768x768xf32>) -> tensor<16x768xf32>
  %1 = graven.matmul %y, %o : (tensor<128x769xf32>, tensor<769x768xf32>) -> tensor<128x768xf32>
  %2 = graven.matmul %x, %v : (tensor<128x768xf32>, tensor<768x768xf32>) -> tensor<128x768xf32>
  %3 = graven.matmul %b, %p : (tensor<2x128x768xf32>, tensor<2x768x768xf32>) -> tensor<2x128x768xf32>
  graven.return %0, %1, %2, %3 : tensor<16x768xf32>, tensor<128x768xf32>, tensor<128x768xf32>, tensor<2x128x768xf32>
}
