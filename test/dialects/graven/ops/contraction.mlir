// RUN: graven-opt %s | graven-opt | FileCheck %s
// Contractions parse and print as written.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Products.
// CHECK-LABEL: graven.graph @matmul
// CHECK-NEXT: %0 = graven.matmul %arg0, %arg1 transpose_b : (tensor<2x3x4xf32>, tensor<1x5x4xf32>) -> tensor<2x3x5xf32>
graven.graph @matmul(%a: tensor<2x3x4xf32>, %b: tensor<1x5x4xf32>) {
  %0 = graven.matmul %a, %b transpose_b : (tensor<2x3x4xf32>, tensor<1x5x4xf32>) -> tensor<2x3x5xf32>
  graven.return
}

// Convolutions, planar and blocked; a blocked one may read a planar x.
// CHECK-LABEL: graven.graph @conv
// CHECK-NEXT: %0 = graven.conv %arg0, %arg1 bias %arg2 strides [2, 1] dilations [1, 1] pads [1, 1, 1, 1] groups 2 : (tensor<1x4x8x8xf32>, tensor<6x2x3x3xf32>, tensor<6xf32>) -> tensor<1x6x4x8xf32>
// CHECK-NEXT: %1 = graven.conv_transpose %arg0, %arg3 strides [2, 2] dilations [1, 1] pads [0, 0, 0, 0] output_padding [1, 0] : (tensor<1x4x8x8xf32>, tensor<4x6x3x3xf32>) -> tensor<1x6x18x17xf32>
// CHECK-NEXT: %2 = graven.conv %arg4, %arg5 strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] layout  nchw16c channels 20 : (tensor<1x2x8x8x16xf32>, tensor<6x20x3x3xf32>) -> tensor<1x1x6x6x16xf32>
// CHECK-NEXT: %3 = graven.conv %arg0, %arg6 strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] layout  nchw16c : (tensor<1x4x8x8xf32>, tensor<8x4x3x3xf32>) -> tensor<1x1x6x6x16xf32>
graven.graph @conv(%x: tensor<1x4x8x8xf32>, %w: tensor<6x2x3x3xf32>, %b: tensor<6xf32>, %t: tensor<4x6x3x3xf32>, %xb: tensor<1x2x8x8x16xf32>, %wb: tensor<6x20x3x3xf32>, %wp: tensor<8x4x3x3xf32>) {
  %0 = graven.conv %x, %w bias %b strides [2, 1] dilations [1, 1] pads [1, 1, 1, 1] groups 2 : (tensor<1x4x8x8xf32>, tensor<6x2x3x3xf32>, tensor<6xf32>) -> tensor<1x6x4x8xf32>
  %1 = graven.conv_transpose %x, %t strides [2, 2] dilations [1, 1] pads [0, 0, 0, 0] output_padding [1, 0] : (tensor<1x4x8x8xf32>, tensor<4x6x3x3xf32>) -> tensor<1x6x18x17xf32>
  %2 = graven.conv %xb, %wb strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] layout nchw16c channels 20 : (tensor<1x2x8x8x16xf32>, tensor<6x20x3x3xf32>) -> tensor<1x1x6x6x16xf32>
  %3 = graven.conv %x, %wp strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] layout nchw16c : (tensor<1x4x8x8xf32>, tensor<8x4x3x3xf32>) -> tensor<1x1x6x6x16xf32>
  graven.return
}

// Attention.
// CHECK-LABEL: graven.graph @attention
// CHECK-NEXT: %0 = graven.attention %arg0, %arg1, %arg2 mask %arg3 scale 1.250000e-01 causal softcap 3.000000e+01 empty_row  nan : (tensor<1x4x5x8xf32>, tensor<1x2x7x8xf32>, tensor<1x2x7x6xf32>, tensor<1x1x5x7xi1>) -> tensor<1x4x5x6xf32>
graven.graph @attention(%q: tensor<1x4x5x8xf32>, %k: tensor<1x2x7x8xf32>, %v: tensor<1x2x7x6xf32>, %m: tensor<1x1x5x7xi1>) {
  %0 = graven.attention %q, %k, %v mask %m scale 1.250000e-01 causal softcap 3.000000e+01 empty_row nan : (tensor<1x4x5x8xf32>, tensor<1x2x7x8xf32>, tensor<1x2x7x6xf32>, tensor<1x1x5x7xi1>) -> tensor<1x4x5x6xf32>
  graven.return
}
