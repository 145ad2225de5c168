// RUN: graven-opt --graven-fuse-epilogues --split-input-file %s | FileCheck %s

// CHECK-LABEL: graven.graph @linear(
//  CHECK-SAME:   %[[X:.*]]: tensor<4x8xf32>, %[[W:.*]]: tensor<8x2xf32>, %[[B:.*]]: tensor<1x2xf32>, %[[R:.*]]: tensor<4x2xf32>
//       CHECK:   %[[F:.*]] = graven.fusion(%[[A0:.*]] = %[[X]] : tensor<4x8xf32>, %[[A1:.*]] = %[[W]] : tensor<8x2xf32>, %[[A2:.*]] = %[[B]] : tensor<1x2xf32>, %[[A3:.*]] = %[[R]] : tensor<4x2xf32>) attributes {kind = "epilogue"} -> tensor<4x2xf32> {
//  CHECK-NEXT:     %[[M:.*]] = graven.matmul %[[A0]], %[[A1]]
//  CHECK-NEXT:     %[[S:.*]] = graven.add %[[M]], %[[A2]]
//  CHECK-NEXT:     %[[G:.*]] = graven.gelu %[[S]]
//  CHECK-NEXT:     %[[T:.*]] = graven.add %[[A3]], %[[G]]
//  CHECK-NEXT:     graven.yield %[[T]]
//       CHECK:   graven.return %[[F]]
graven.graph @linear(%x: tensor<4x8xf32>, %w: tensor<8x2xf32>, %b: tensor<1x2xf32>, %r: tensor<4x2xf32>) -> tensor<4x2xf32> {
  %0 = graven.matmul %x, %w : (tensor<4x8xf32>, tensor<8x2xf32>) -> tensor<4x2xf32>
  %1 = graven.add %0, %b : (tensor<4x2xf32>, tensor<1x2xf32>) -> tensor<4x2xf32>
  %2 = graven.gelu %1 : tensor<4x2xf32>
  %3 = graven.add %r, %2 : (tensor<4x2xf32>, tensor<4x2xf32>) -> tensor<4x2xf32>
  graven.return %3 : tensor<4x2xf32>
}

// -----

// Constants stay outside. A blocked convolution takes one number a channel.

// CHECK-LABEL: graven.graph @blocked_conv(
//       CHECK:   %[[C:.*]] = graven.constant dense<6.000000e+00> : tensor<f32>
//       CHECK:   graven.fusion({{.*}} = %[[C]] : tensor<f32>) attributes
//       CHECK:     graven.conv
//       CHECK:     graven.mul
//       CHECK:     graven.clamp
//  CHECK-NEXT:     graven.yield
graven.graph @blocked_conv(%x: tensor<1x1x4x4x16xf32>, %w: tensor<32x16x1x1xf32>, %s: tensor<1x2x1x1x16xf32>) -> tensor<1x2x4x4x16xf32> {
  %c = graven.constant dense<6.0> : tensor<f32>
  %0 = graven.conv %x, %w strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] layout nchw16c channels 16 : (tensor<1x1x4x4x16xf32>, tensor<32x16x1x1xf32>) -> tensor<1x2x4x4x16xf32>
  %1 = graven.mul %0, %s : (tensor<1x2x4x4x16xf32>, tensor<1x2x1x1x16xf32>) -> tensor<1x2x4x4x16xf32>
  %2 = graven.clamp %1 hi %c : (tensor<1x2x4x4x16xf32>, tensor<f32>) -> tensor<1x2x4x4x16xf32>
  graven.return %2 : tensor<1x2x4x4x16xf32>
}

// -----

// The product and the value of the chain have second users.

// CHECK-LABEL: graven.graph @second_user(
//       CHECK:   graven.matmul
//   CHECK-NOT:   fusion
//       CHECK:   graven.return
graven.graph @second_user(%x: tensor<4x8xf32>, %w: tensor<8x2xf32>) -> (tensor<4x2xf32>, tensor<4x2xf32>) {
  %0 = graven.matmul %x, %w : (tensor<4x8xf32>, tensor<8x2xf32>) -> tensor<4x2xf32>
  %1 = graven.relu %0 : tensor<4x2xf32>
  graven.return %0, %1 : tensor<4x2xf32>, tensor<4x2xf32>
}

// -----

// A sum that reads the product by another path ends the chain.

// CHECK-LABEL: graven.graph @other_path(
//       CHECK:   %[[M:.*]] = graven.matmul
//       CHECK:   %[[S:.*]] = graven.sigmoid %[[M]]
//       CHECK:   graven.mul %[[M]], %[[S]]
graven.graph @other_path(%x: tensor<4x8xf32>, %w: tensor<8x2xf32>) -> tensor<4x2xf32> {
  %0 = graven.matmul %x, %w : (tensor<4x8xf32>, tensor<8x2xf32>) -> tensor<4x2xf32>
  %1 = graven.sigmoid %0 : tensor<4x2xf32>
  %2 = graven.mul %0, %1 : (tensor<4x2xf32>, tensor<4x2xf32>) -> tensor<4x2xf32>
  graven.return %2 : tensor<4x2xf32>
}

// -----

// The chain ends before a result of another shape or type, and before an
// operand that kernels cannot read.

// CHECK-LABEL: graven.graph @ends(
//       CHECK:   graven.fusion
//       CHECK:     graven.matmul
//  CHECK-NEXT:     graven.relu
//  CHECK-NEXT:     graven.yield
//       CHECK:   graven.add %{{.*}} : (tensor<1x2xf32>, tensor<4x2xf32>)
//       CHECK:   graven.fusion
//       CHECK:     graven.matmul
//  CHECK-NEXT:     graven.neg
//  CHECK-NEXT:     graven.yield
//       CHECK:   graven.cast
//       CHECK:   graven.fusion
//       CHECK:     graven.matmul
//  CHECK-NEXT:     graven.abs
//  CHECK-NEXT:     graven.yield
//       CHECK:   graven.mul %{{.*}} : (tensor<4x2xf32>, tensor<4x1xf32>)
graven.graph @ends(%x: tensor<4x8xf32>, %y: tensor<1x8xf32>, %w: tensor<8x2xf32>, %r: tensor<4x2xf32>, %c: tensor<4x1xf32>) -> (tensor<4x2xf32>, tensor<4x2xf64>, tensor<4x2xf32>) {
  %0 = graven.matmul %y, %w : (tensor<1x8xf32>, tensor<8x2xf32>) -> tensor<1x2xf32>
  %1 = graven.relu %0 : tensor<1x2xf32>
  %2 = graven.add %1, %r : (tensor<1x2xf32>, tensor<4x2xf32>) -> tensor<4x2xf32>
  %3 = graven.matmul %x, %w : (tensor<4x8xf32>, tensor<8x2xf32>) -> tensor<4x2xf32>
  %4 = graven.neg %3 : tensor<4x2xf32>
  %5 = graven.cast %4 {to = f64} : (tensor<4x2xf32>) -> tensor<4x2xf64>
  %6 = graven.matmul %x, %w : (tensor<4x8xf32>, tensor<8x2xf32>) -> tensor<4x2xf32>
  %7 = graven.abs %6 : tensor<4x2xf32>
  %8 = graven.mul %7, %c : (tensor<4x2xf32>, tensor<4x1xf32>) -> tensor<4x2xf32>
  graven.return %2, %5, %8 : tensor<4x2xf32>, tensor<4x2xf64>, tensor<4x2xf32>
}

// -----

// Ints and unknown extents have no such kernel.

// CHECK-LABEL: graven.graph @no_kernel(
//   CHECK-NOT:   fusion
//       CHECK:   graven.return
graven.graph @no_kernel(%i: tensor<4x4xi32>, %d: tensor<?x4xf32>, %w: tensor<4x4xf32>) -> (tensor<4x4xi32>, tensor<?x4xf32>) {
  %0 = graven.matmul %i, %i : (tensor<4x4xi32>, tensor<4x4xi32>) -> tensor<4x4xi32>
  %1 = graven.relu %0 : tensor<4x4xi32>
  %4 = graven.matmul %d, %w : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  %5 = graven.relu %4 : tensor<?x4xf32>
  graven.return %1, %5 : tensor<4x4xi32>, tensor<?x4xf32>
}

// -----

// A user in a sub-Block is not behind the product.

// CHECK-LABEL: graven.graph @sub_block(
//   CHECK-NOT:   fusion
//       CHECK:   graven.return
graven.graph @sub_block(%c: tensor<i1>, %x: tensor<4x8xf32>, %w: tensor<8x2xf32>, %r: tensor<4x2xf32>) -> tensor<4x2xf32> {
  %0 = graven.matmul %x, %w : (tensor<4x8xf32>, tensor<8x2xf32>) -> tensor<4x2xf32>
  %1 = graven.if %c -> (tensor<4x2xf32>) {
    %2 = graven.relu %0 : tensor<4x2xf32>
    graven.yield %2 : tensor<4x2xf32>
  } else {
    graven.yield %r : tensor<4x2xf32>
  }
  graven.return %1 : tensor<4x2xf32>
}

// -----

// A max pool of 2x2 is taken from Winograd's tiles; what it pools is a result
// as well where somebody else reads it.

// CHECK-LABEL: graven.graph @pools(
//       CHECK:   %[[F:.*]]:2 = graven.fusion(
//       CHECK:     %[[C:.*]] = graven.conv
//       CHECK:     %[[R:.*]] = graven.relu %[[C]]
//       CHECK:     %[[P:.*]] = graven.max_pool %[[R]]
//       CHECK:     graven.yield %[[R]], %[[P]]
//       CHECK:   %[[G:.*]] = graven.fusion(%{{.*}} = %[[F]]#1
//       CHECK:     graven.conv
//       CHECK:     %[[Q:.*]] = graven.max_pool
//       CHECK:     graven.yield %[[Q]] : tensor<1x1x2x2x16xf32>
//       CHECK:   graven.return %[[F]]#0, %[[G]]
graven.param @w : tensor<16x16x3x3xf32> = dense<0.5> : tensor<16x16x3x3xf32>
graven.graph @pools(%x: tensor<1x1x8x8x16xf32>) -> (tensor<1x1x8x8x16xf32>, tensor<1x1x2x2x16xf32>) {
  %w = graven.get_param @w : tensor<16x16x3x3xf32>
  %0 = graven.conv %x, %w strides [1, 1] dilations [1, 1] pads [1, 1, 1, 1] layout nchw16c channels 16 algorithm winograd4 : (tensor<1x1x8x8x16xf32>, tensor<16x16x3x3xf32>) -> tensor<1x1x8x8x16xf32>
  %1 = graven.relu %0 : tensor<1x1x8x8x16xf32>
  %2 = graven.max_pool %1 kernel [2, 2] strides [2, 2] dilations [1, 1] pads [0, 0, 0, 0] layout nchw16c : (tensor<1x1x8x8x16xf32>) -> tensor<1x1x4x4x16xf32>
  %3 = graven.conv %2, %w strides [1, 1] dilations [1, 1] pads [1, 1, 1, 1] layout nchw16c channels 16 algorithm winograd2 : (tensor<1x1x4x4x16xf32>, tensor<16x16x3x3xf32>) -> tensor<1x1x4x4x16xf32>
  %4 = graven.max_pool %3 kernel [2, 2] strides [2, 2] dilations [1, 1] pads [0, 0, 0, 0] layout nchw16c : (tensor<1x1x4x4x16xf32>) -> tensor<1x1x2x2x16xf32>
  graven.return %1, %4 : tensor<1x1x8x8x16xf32>, tensor<1x1x2x2x16xf32>
}

// -----

// Other windows, odd extents and direct convolutions leave the pool alone.

// CHECK-LABEL: graven.graph @keeps_pools(
//   CHECK-NOT:   graven.fusion
// CHECK-COUNT-3: graven.max_pool
graven.param @w : tensor<16x16x3x3xf32> = dense<0.5> : tensor<16x16x3x3xf32>
graven.graph @keeps_pools(%x: tensor<1x1x8x8x16xf32>, %y: tensor<1x1x7x8x16xf32>) -> (tensor<1x1x7x7x16xf32>, tensor<1x1x3x4x16xf32>, tensor<1x1x4x4x16xf32>) {
  %w = graven.get_param @w : tensor<16x16x3x3xf32>
  %0 = graven.conv %x, %w strides [1, 1] dilations [1, 1] pads [1, 1, 1, 1] layout nchw16c channels 16 algorithm winograd4 : (tensor<1x1x8x8x16xf32>, tensor<16x16x3x3xf32>) -> tensor<1x1x8x8x16xf32>
  %1 = graven.max_pool %0 kernel [2, 2] strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] layout nchw16c : (tensor<1x1x8x8x16xf32>) -> tensor<1x1x7x7x16xf32>
  %2 = graven.conv %y, %w strides [1, 1] dilations [1, 1] pads [1, 1, 1, 1] layout nchw16c channels 16 algorithm winograd4 : (tensor<1x1x7x8x16xf32>, tensor<16x16x3x3xf32>) -> tensor<1x1x7x8x16xf32>
  %3 = graven.max_pool %2 kernel [2, 2] strides [2, 2] dilations [1, 1] pads [0, 0, 0, 0] layout nchw16c : (tensor<1x1x7x8x16xf32>) -> tensor<1x1x3x4x16xf32>
  %4 = graven.conv %x, %w strides [1, 1] dilations [1, 1] pads [1, 1, 1, 1] layout nchw16c channels 16 : (tensor<1x1x8x8x16xf32>, tensor<16x16x3x3xf32>) -> tensor<1x1x8x8x16xf32>
  %5 = graven.max_pool %4 kernel [2, 2] strides [2, 2] dilations [1, 1] pads [0, 0, 0, 0] layout nchw16c : (tensor<1x1x8x8x16xf32>) -> tensor<1x1x4x4x16xf32>
  graven.return %1, %3, %5 : tensor<1x1x7x7x16xf32>, tensor<1x1x3x4x16xf32>, tensor<1x1x4x4x16xf32>
}

// -----

// Of any float type.

// CHECK-LABEL: graven.graph @half(
//       CHECK:   graven.fusion
//       CHECK:     graven.matmul
//       CHECK:     graven.relu
graven.graph @half(%h: tensor<4x4xf16>) -> tensor<4x4xf16> {
  %0 = graven.matmul %h, %h : (tensor<4x4xf16>, tensor<4x4xf16>) -> tensor<4x4xf16>
  %1 = graven.relu %0 : tensor<4x4xf16>
  graven.return %1 : tensor<4x4xf16>
}
