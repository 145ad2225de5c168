// RUN: graven-opt %s | graven-opt | FileCheck %s
// Reductions, pools, resize and normalisations parse and print as written.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Reductions.
// CHECK-LABEL: graven.graph @reduce
// CHECK-NEXT: %0 = graven.reduce  mean %arg0 axes [0, 1] : (tensor<2x3xf32>) -> tensor<f32>
// CHECK-NEXT: %1 = graven.reduce  max %arg0 axes [1] keep : (tensor<2x3xf32>) -> tensor<2x1xf32>
// CHECK-NEXT: %2 = graven.arg_reduce  min %arg0 axis 0 keep last_index : (tensor<2x3xf32>) -> tensor<1x3xi64>
// CHECK-NEXT: %3 = graven.cum_reduce  sum %arg0 axis 1 exclusive reverse : (tensor<2x3xf32>) -> tensor<2x3xf32>
// CHECK-NEXT: %values, %indices = graven.topk %arg0 k 2 axis 1 largest false : (tensor<2x3xf32>) -> (tensor<2x2xf32>, tensor<2x2xi64>)
graven.graph @reduce(%x: tensor<2x3xf32>) {
  %0 = graven.reduce mean %x axes [0, 1] : (tensor<2x3xf32>) -> tensor<f32>
  %1 = graven.reduce max %x axes [1] keep : (tensor<2x3xf32>) -> tensor<2x1xf32>
  %2 = graven.arg_reduce min %x axis 0 keep last_index : (tensor<2x3xf32>) -> tensor<1x3xi64>
  %3 = graven.cum_reduce sum %x axis 1 exclusive reverse : (tensor<2x3xf32>) -> tensor<2x3xf32>
  %4:2 = graven.topk %x k 2 axis 1 largest false : (tensor<2x3xf32>) -> (tensor<2x2xf32>, tensor<2x2xi64>)
  graven.return
}

// Pools and resize.
// CHECK-LABEL: graven.graph @window
// CHECK-NEXT: %0 = graven.max_pool %arg0 kernel [3, 3] strides [2, 2] dilations [1, 1] pads [1, 1, 1, 1] ceil_mode : (tensor<1x4x8x8xf32>) -> tensor<1x4x5x5xf32>
// CHECK-NEXT: %1 = graven.avg_pool %arg0 kernel [3, 3] strides [2, 2] dilations [1, 1] pads [1, 1, 1, 1] count_include_pad divisor 4 : (tensor<1x4x8x8xf32>) -> tensor<1x4x4x4xf32>
// CHECK-NEXT: %2 = graven.resize  nearest %arg0 axes [2, 3] sizes [16, 16] scales [2.000000e+00, 2.000000e+00] coordinate  asymmetric nearest  floor : (tensor<1x4x8x8xf32>) -> tensor<1x4x16x16xf32>
graven.graph @window(%x: tensor<1x4x8x8xf32>) {
  %0 = graven.max_pool %x kernel [3, 3] strides [2, 2] dilations [1, 1] pads [1, 1, 1, 1] ceil_mode : (tensor<1x4x8x8xf32>) -> tensor<1x4x5x5xf32>
  %1 = graven.avg_pool %x kernel [3, 3] strides [2, 2] dilations [1, 1] pads [1, 1, 1, 1] count_include_pad divisor 4 : (tensor<1x4x8x8xf32>) -> tensor<1x4x4x4xf32>
  %2 = graven.resize nearest %x axes [2, 3] sizes [16, 16] scales [2.000000e+00, 2.000000e+00] coordinate asymmetric nearest floor : (tensor<1x4x8x8xf32>) -> tensor<1x4x16x16xf32>
  graven.return
}

// Normalisations.
// CHECK-LABEL: graven.graph @norm
// CHECK-NEXT: %0 = graven.batch_norm %arg0 scale %arg1 bias %arg1 mean %arg1 variance %arg1 epsilon 1.000000e-05 : (tensor<1x4x8x8xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<1x4x8x8xf32>
// CHECK-NEXT: %1 = graven.layer_norm %arg0 bias %arg2 axis 3 epsilon 1.000000e-05 : (tensor<1x4x8x8xf32>, tensor<8xf32>) -> tensor<1x4x8x8xf32>
// CHECK-NEXT: %2 = graven.rms_norm %arg0 scale %arg2 axis 3 epsilon 1.000000e-05 : (tensor<1x4x8x8xf32>, tensor<8xf32>) -> tensor<1x4x8x8xf32>
// CHECK-NEXT: %3 = graven.group_norm %arg0 scale %arg1 bias %arg1 groups 2 epsilon 1.000000e-05 : (tensor<1x4x8x8xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<1x4x8x8xf32>
// CHECK-NEXT: %4 = graven.softmax %arg0 axis 3 : tensor<1x4x8x8xf32>
// CHECK-NEXT: %5 = graven.log_softmax %arg0 axis 1 : tensor<1x4x8x8xf32>
graven.graph @norm(%x: tensor<1x4x8x8xf32>, %c: tensor<4xf32>, %r: tensor<8xf32>) {
  %0 = graven.batch_norm %x scale %c bias %c mean %c variance %c epsilon 1.000000e-05 : (tensor<1x4x8x8xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<1x4x8x8xf32>
  %1 = graven.layer_norm %x bias %r axis 3 epsilon 1.000000e-05 : (tensor<1x4x8x8xf32>, tensor<8xf32>) -> tensor<1x4x8x8xf32>
  %2 = graven.rms_norm %x scale %r axis 3 epsilon 1.000000e-05 : (tensor<1x4x8x8xf32>, tensor<8xf32>) -> tensor<1x4x8x8xf32>
  %3 = graven.group_norm %x scale %c bias %c groups 2 epsilon 1.000000e-05 : (tensor<1x4x8x8xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<1x4x8x8xf32>
  %4 = graven.softmax %x axis 3 : tensor<1x4x8x8xf32>
  %5 = graven.log_softmax %x axis 1 : tensor<1x4x8x8xf32>
  graven.return
}
