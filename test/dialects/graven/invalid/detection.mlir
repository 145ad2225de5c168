// RUN: graven-opt %s --split-input-file --verify-diagnostics
// Each constraint of the ops of object detection, broken.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// nms C1: one type.
graven.graph @nms(%boxes: tensor<1x7x4xf32>, %scores: tensor<1x3x7xf64>, %iou: tensor<f32>) {
  // expected-error @below {{(C1)}}
  // expected-error @below {{failed to infer returned types}}
  %0, %n = graven.nms xyxy %boxes scores %scores iou %iou : (tensor<1x7x4xf32>, tensor<1x3x7xf64>, tensor<f32>) -> (tensor<21x3xi64>, tensor<i64>)
  graven.return
}

// -----

// nms C2: a threshold is a number.
graven.graph @nms(%boxes: tensor<1x7x4xf32>, %scores: tensor<1x3x7xf32>, %iou: tensor<1xf32>) {
  // expected-error @below {{threshold has rank 1, expected 0 (C2)}}
  // expected-error @below {{failed to infer returned types}}
  %0, %n = graven.nms xyxy %boxes scores %scores iou %iou : (tensor<1x7x4xf32>, tensor<1x3x7xf32>, tensor<1xf32>) -> (tensor<21x3xi64>, tensor<i64>)
  graven.return
}

// -----

// nms C3: a score for each box.
graven.graph @nms(%boxes: tensor<1x7x4xf32>, %scores: tensor<1x3x8xf32>, %iou: tensor<f32>) {
  // expected-error @below {{the number of scores is 8, expected 7 (C3)}}
  // expected-error @below {{failed to infer returned types}}
  %0, %n = graven.nms xyxy %boxes scores %scores iou %iou : (tensor<1x7x4xf32>, tensor<1x3x8xf32>, tensor<f32>) -> (tensor<24x3xi64>, tensor<i64>)
  graven.return
}

// -----

// nms C3: a group for each box.
graven.graph @nms(%boxes: tensor<1x7x4xf32>, %scores: tensor<1x3x7xf32>, %iou: tensor<f32>, %group: tensor<1x6xi64>) {
  // expected-error @below {{(C3)}}
  // expected-error @below {{failed to infer returned types}}
  %0, %n = graven.nms xyxy %boxes scores %scores iou %iou group %group : (tensor<1x7x4xf32>, tensor<1x3x7xf32>, tensor<f32>, tensor<1x6xi64>) -> (tensor<21x3xi64>, tensor<i64>)
  graven.return
}

// -----

// roi_align C2: an image for each region.
graven.graph @roi_align(%x: tensor<2x3x9x8xf32>, %rois: tensor<6x4xf32>, %batch: tensor<5xi64>) {
  // expected-error @below {{the number of batch indices is 5, expected 6 (C2)}}
  // expected-error @below {{failed to infer returned types}}
  %0 = graven.roi_align avg %x rois %rois batch %batch output [7, 5] scale 0.5 : (tensor<2x3x9x8xf32>, tensor<6x4xf32>, tensor<5xi64>) -> tensor<6x3x7x5xf32>
  graven.return
}

// -----

// roi_align C3: bins.
graven.graph @roi_align(%x: tensor<2x3x9x8xf32>, %rois: tensor<6x4xf32>, %batch: tensor<6xi64>) {
  // expected-error @below {{output is [7, 0], expected two positive extents (C3)}}
  // expected-error @below {{failed to infer returned types}}
  %0 = graven.roi_align avg %x rois %rois batch %batch output [7, 0] scale 0.5 : (tensor<2x3x9x8xf32>, tensor<6x4xf32>, tensor<6xi64>) -> tensor<6x3x7x0xf32>
  graven.return
}

// -----

// roi_align C3: samples.
graven.graph @roi_align(%x: tensor<2x3x9x8xf32>, %rois: tensor<6x4xf32>, %batch: tensor<6xi64>) {
  // expected-error @below {{sampling_ratio is -1, expected at least 0 (C3)}}
  // expected-error @below {{failed to infer returned types}}
  %0 = graven.roi_align avg %x rois %rois batch %batch output [7, 5] scale 0.5 sampling_ratio -1 : (tensor<2x3x9x8xf32>, tensor<6x4xf32>, tensor<6xi64>) -> tensor<6x3x7x5xf32>
  graven.return
}

// -----

// roi_align C4: a channel for each bin.
graven.graph @roi_align(%x: tensor<2x3x9x8xf32>, %rois: tensor<6x4xf32>, %batch: tensor<6xi64>) {
  // expected-error @below {{x has 3 channels, expected a multiple of 4 (C4)}}
  // expected-error @below {{failed to infer returned types}}
  %0 = graven.roi_align avg %x rois %rois batch %batch output [2, 2] scale 0.5 per_bin : (tensor<2x3x9x8xf32>, tensor<6x4xf32>, tensor<6xi64>) -> tensor<6x1x2x2xf32>
  graven.return
}

// -----

// roi_pool C4: means only.
graven.graph @roi_pool(%x: tensor<2x4x9x8xf32>, %rois: tensor<6x4xf32>, %batch: tensor<6xi64>) {
  // expected-error @below {{mode is max, expected avg with per_bin (C4)}}
  // expected-error @below {{failed to infer returned types}}
  %0 = graven.roi_pool max %x rois %rois batch %batch output [2, 2] scale 0.5 per_bin : (tensor<2x4x9x8xf32>, tensor<6x4xf32>, tensor<6xi64>) -> tensor<6x1x2x2xf32>
  graven.return
}

// -----

// roi_pool C5: pixels.
graven.graph @roi_pool(%x: tensor<2x4x9x0xf32>, %rois: tensor<6x4xf32>, %batch: tensor<6xi64>) {
  // expected-error @below {{x is 'tensor<2x4x9x0xf32>', expected pixels (C5)}}
  // expected-error @below {{failed to infer returned types}}
  %0 = graven.roi_pool max %x rois %rois batch %batch output [2, 2] scale 0.5 : (tensor<2x4x9x0xf32>, tensor<6x4xf32>, tensor<6xi64>) -> tensor<6x4x2x2xf32>
  graven.return
}
