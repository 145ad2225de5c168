// RUN: graven-opt %s --graven-run-checks
// Boxes and regions small enough to check by eye.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Box 1 overlaps box 0 by more than half, box 2 is far away, box 3 has no area.
graven.graph @nms() {
  %boxes = graven.constant dense<[[[0.0, 0.0, 4.0, 4.0], [0.0, 0.0, 4.0, 3.0], [9.0, 9.0, 12.0, 12.0], [1.0, 1.0, 1.0, 2.0]]]> : tensor<1x4x4xf32>
  %scores = graven.constant dense<[[[0.5, 0.75, 0x7FC00000, 0.5]]]> : tensor<1x1x4xf32>
  %iou = graven.constant dense<0.5> : tensor<f32>
  // NaN is the greatest score; of equal ones the lowest index comes first.
  %0, %n = graven.nms xyxy %boxes scores %scores iou %iou : (tensor<1x4x4xf32>, tensor<1x1x4xf32>, tensor<f32>) -> (tensor<4x3xi64>, tensor<i64>)
  check.expect_eq_const %0, dense<[[0, 0, 2], [0, 0, 1], [0, 0, 3], [0, 0, 0]]> : tensor<4x3xi64>
  check.expect_eq_const %n, dense<3> : tensor<i64>
  // With a threshold NaN is never chosen.
  %least = graven.constant dense<0.5> : tensor<f32>
  %1, %m = graven.nms xyxy %boxes scores %scores iou %iou score %least : (tensor<1x4x4xf32>, tensor<1x1x4xf32>, tensor<f32>, tensor<f32>) -> (tensor<4x3xi64>, tensor<i64>)
  check.expect_eq_const %1, dense<[[0, 0, 1], [0, 0, 0], [0, 0, 0], [0, 0, 0]]> : tensor<4x3xi64>
  check.expect_eq_const %m, dense<1> : tensor<i64>
  // In groups of their own boxes 0 and 1 both stay.
  %group = graven.constant dense<[[0, 1, 0, 0]]> : tensor<1x4xi64>
  %two = graven.constant dense<2> : tensor<i64>
  %2, %k = graven.nms xyxy %boxes scores %scores iou %iou group %group valid %two : (tensor<1x4x4xf32>, tensor<1x1x4xf32>, tensor<f32>, tensor<1x4xi64>, tensor<i64>) -> (tensor<4x3xi64>, tensor<i64>)
  check.expect_eq_const %2, dense<[[0, 0, 1], [0, 0, 0], [0, 0, 0], [0, 0, 0]]> : tensor<4x3xi64>
  check.expect_eq_const %k, dense<2> : tensor<i64>
  graven.return
}

graven.graph @empty() {
  %boxes = graven.constant dense<> : tensor<1x0x4xf32>
  %scores = graven.constant dense<> : tensor<1x2x0xf32>
  %iou = graven.constant dense<0.5> : tensor<f32>
  %0, %n = graven.nms corners %boxes scores %scores iou %iou : (tensor<1x0x4xf32>, tensor<1x2x0xf32>, tensor<f32>) -> (tensor<0x3xi64>, tensor<i64>)
  check.expect_eq_const %n, dense<0> : tensor<i64>
  graven.return
}

// An image whose pixels are 10 y + x: a sample is its position.
graven.graph @regions() {
  %x = graven.constant dense<[[[[0.0, 1.0, 2.0, 3.0], [10.0, 11.0, 12.0, 13.0], [20.0, 21.0, 22.0, 23.0]]]]> : tensor<1x1x3x4xf32>
  %rois = graven.constant dense<[[1.0, 0.0, 3.0, 2.0], [-9.0, -9.0, -5.0, -5.0]]> : tensor<2x4xf32>
  %batch = graven.constant dense<0> : tensor<2xi64>
  %0 = graven.roi_align avg %x rois %rois batch %batch output [1, 2] scale 1.0 sampling_ratio 1 : (tensor<1x1x3x4xf32>, tensor<2x4xf32>, tensor<2xi64>) -> tensor<2x1x1x2xf32>
  check.expect_eq_const %0, dense<[[[[11.5, 12.5]]], [[[0.0, 0.0]]]]> : tensor<2x1x1x2xf32>
  // Pixels 1 to 3 of rows 0 to 2.
  %1 = graven.roi_pool max %x rois %rois batch %batch output [1, 1] scale 1.0 : (tensor<1x1x3x4xf32>, tensor<2x4xf32>, tensor<2xi64>) -> tensor<2x1x1x1xf32>
  check.expect_eq_const %1, dense<[[[[23.0]]], [[[0.0]]]]> : tensor<2x1x1x1xf32>
  // One region is used.
  %one = graven.constant dense<1> : tensor<i64>
  %wrong = graven.constant dense<[0, 5]> : tensor<2xi64>
  %2 = graven.roi_align max %x rois %rois batch %wrong valid %one output [1, 1] scale 1.0 sampling_ratio 1 aligned : (tensor<1x1x3x4xf32>, tensor<2x4xf32>, tensor<2xi64>, tensor<i64>) -> tensor<2x1x1x1xf32>
  check.expect_eq_const %2, dense<[[[[3.0]]], [[[0.0]]]]> : tensor<2x1x1x1xf32>
  graven.return
}
