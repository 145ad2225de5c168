// RUN: graven-opt %s --graven-run-checks
// In layout nchw16c the ops compute what they compute in nchw.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

graven.graph @relayout() {
  %x = graven.iota [2, 20, 3] axis 1 of f32 : () -> tensor<2x20x3xf32>
  %b = graven.relayout %x from nchw to nchw16c channels 20 : (tensor<2x20x3xf32>) -> tensor<2x2x3x16xf32>
  // Channel 17 is lane 1 of block 1; lanes past channel 19 are zero.
  %lanes = graven.slice %b [1, 1, 2, 0] to [2, 2, 3, 6] by [1, 1, 1, 1] : (tensor<2x2x3x16xf32>) -> tensor<1x1x1x6xf32>
  check.expect_eq_const %lanes, dense<[[[[16.0, 17.0, 18.0, 19.0, 0.0, 0.0]]]]> : tensor<1x1x1x6xf32>
  %back = graven.relayout %b from nchw16c to nchw channels 20 : (tensor<2x2x3x16xf32>) -> tensor<2x20x3xf32>
  check.expect_eq %back, %x : tensor<2x20x3xf32>
  graven.return
}

graven.graph @conv() {
  %n = graven.iota [1, 20, 5, 4] axis 2 of f32 : () -> tensor<1x20x5x4xf32>
  %c = graven.iota [1, 20, 5, 4] axis 1 of f32 : () -> tensor<1x20x5x4xf32>
  %x0 = graven.mul %n, %c : (tensor<1x20x5x4xf32>, tensor<1x20x5x4xf32>) -> tensor<1x20x5x4xf32>
  %x = graven.sin %x0 : tensor<1x20x5x4xf32>
  %w0 = graven.iota [18, 20, 3, 2] axis 0 of f32 : () -> tensor<18x20x3x2xf32>
  %w1 = graven.iota [18, 20, 3, 2] axis 2 of f32 : () -> tensor<18x20x3x2xf32>
  %w2 = graven.add %w0, %w1 : (tensor<18x20x3x2xf32>, tensor<18x20x3x2xf32>) -> tensor<18x20x3x2xf32>
  %w = graven.cos %w2 : tensor<18x20x3x2xf32>
  %bias = graven.iota [18] axis 0 of f32 : () -> tensor<18xf32>
  %planar = graven.conv %x, %w bias %bias strides [2, 1] dilations [1, 1] pads [1, 0, 1, 1] : (tensor<1x20x5x4xf32>, tensor<18x20x3x2xf32>, tensor<18xf32>) -> tensor<1x18x3x4xf32>
  %xb = graven.relayout %x from nchw to nchw16c channels 20 : (tensor<1x20x5x4xf32>) -> tensor<1x2x5x4x16xf32>
  %yb = graven.conv %xb, %w bias %bias strides [2, 1] dilations [1, 1] pads [1, 0, 1, 1] layout nchw16c channels 20 : (tensor<1x2x5x4x16xf32>, tensor<18x20x3x2xf32>, tensor<18xf32>) -> tensor<1x2x3x4x16xf32>
  %y = graven.relayout %yb from nchw16c to nchw channels 18 : (tensor<1x2x3x4x16xf32>) -> tensor<1x18x3x4xf32>
  check.expect_eq %y, %planar : tensor<1x18x3x4xf32>
  // A planar x gives a blocked result as well.
  %zb = graven.conv %x, %w bias %bias strides [2, 1] dilations [1, 1] pads [1, 0, 1, 1] layout nchw16c : (tensor<1x20x5x4xf32>, tensor<18x20x3x2xf32>, tensor<18xf32>) -> tensor<1x2x3x4x16xf32>
  check.expect_eq %zb, %yb : tensor<1x2x3x4x16xf32>
  graven.return
}

graven.graph @pools() {
  %r = graven.iota [1, 20, 5, 5] axis 3 of f32 : () -> tensor<1x20x5x5xf32>
  %c = graven.iota [1, 20, 5, 5] axis 1 of f32 : () -> tensor<1x20x5x5xf32>
  %s = graven.add %r, %c : (tensor<1x20x5x5xf32>, tensor<1x20x5x5xf32>) -> tensor<1x20x5x5xf32>
  %x = graven.sin %s : tensor<1x20x5x5xf32>
  %xb = graven.relayout %x from nchw to nchw16c channels 20 : (tensor<1x20x5x5xf32>) -> tensor<1x2x5x5x16xf32>
  %max = graven.max_pool %x kernel [3, 3] strides [2, 2] dilations [1, 1] pads [1, 1, 1, 1] : (tensor<1x20x5x5xf32>) -> tensor<1x20x3x3xf32>
  %maxb = graven.max_pool %xb kernel [3, 3] strides [2, 2] dilations [1, 1] pads [1, 1, 1, 1] layout nchw16c : (tensor<1x2x5x5x16xf32>) -> tensor<1x2x3x3x16xf32>
  %maxp = graven.relayout %maxb from nchw16c to nchw channels 20 : (tensor<1x2x3x3x16xf32>) -> tensor<1x20x3x3xf32>
  check.expect_eq %maxp, %max : tensor<1x20x3x3xf32>
  %avg = graven.avg_pool %x kernel [2, 2] strides [2, 2] dilations [1, 1] pads [1, 1, 0, 0] : (tensor<1x20x5x5xf32>) -> tensor<1x20x3x3xf32>
  %avgb = graven.avg_pool %xb kernel [2, 2] strides [2, 2] dilations [1, 1] pads [1, 1, 0, 0] layout nchw16c : (tensor<1x2x5x5x16xf32>) -> tensor<1x2x3x3x16xf32>
  %avgp = graven.relayout %avgb from nchw16c to nchw channels 20 : (tensor<1x2x3x3x16xf32>) -> tensor<1x20x3x3xf32>
  check.expect_eq %avgp, %avg : tensor<1x20x3x3xf32>
  graven.return
}
