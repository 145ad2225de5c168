// RUN: graven-opt %s | graven-opt | FileCheck %s
// Boxes and regions parse and print as written.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// CHECK-LABEL: graven.graph @nms
// CHECK-NEXT: %indices, %count = graven.nms  xyxy %arg0 scores %arg1 iou %arg2 : (tensor<2x7x4xf32>, tensor<2x3x7xf32>, tensor<f32>) -> (tensor<42x3xi64>, tensor<i64>)
// CHECK-NEXT: %indices_0, %count_1 = graven.nms  center %arg0 scores %arg1 iou %arg2 score %arg2 group %arg3 valid %arg4 max_per_class 2 : (tensor<2x7x4xf32>, tensor<2x3x7xf32>, tensor<f32>, tensor<f32>, tensor<2x7xi64>, tensor<i64>) -> (tensor<12x3xi64>, tensor<i64>)
graven.graph @nms(%boxes: tensor<2x7x4xf32>, %scores: tensor<2x3x7xf32>, %iou: tensor<f32>, %group: tensor<2x7xi64>, %valid: tensor<i64>) {
  %0, %n = graven.nms xyxy %boxes scores %scores iou %iou : (tensor<2x7x4xf32>, tensor<2x3x7xf32>, tensor<f32>) -> (tensor<42x3xi64>, tensor<i64>)
  %1, %m = graven.nms center %boxes scores %scores iou %iou score %iou group %group valid %valid max_per_class 2
      : (tensor<2x7x4xf32>, tensor<2x3x7xf32>, tensor<f32>, tensor<f32>, tensor<2x7xi64>, tensor<i64>) -> (tensor<12x3xi64>, tensor<i64>)
  graven.return
}

// CHECK-LABEL: graven.graph @regions
// CHECK-NEXT: %0 = graven.roi_align  avg %arg0 rois %arg1 batch %arg2 output [7, 5] scale 5.000000e-01 : (tensor<2x70x9x8xf32>, tensor<6x4xf32>, tensor<6xi64>) -> tensor<6x70x7x5xf32>
// CHECK-NEXT: %1 = graven.roi_align  avg %arg0 rois %arg1 batch %arg2 valid %arg3 output [7, 5] scale 1.000000e+00 sampling_ratio 2 aligned per_bin : (tensor<2x70x9x8xf32>, tensor<6x4xf32>, tensor<6xi64>, tensor<i64>) -> tensor<6x2x7x5xf32>
// CHECK-NEXT: %2 = graven.roi_pool  max %arg0 rois %arg1 batch %arg2 output [2, 2] scale 1.000000e+00 : (tensor<2x70x9x8xf32>, tensor<6x4xf32>, tensor<6xi64>) -> tensor<6x70x2x2xf32>
graven.graph @regions(%x: tensor<2x70x9x8xf32>, %rois: tensor<6x4xf32>, %batch: tensor<6xi64>, %valid: tensor<i64>) {
  %0 = graven.roi_align avg %x rois %rois batch %batch output [7, 5] scale 0.5 : (tensor<2x70x9x8xf32>, tensor<6x4xf32>, tensor<6xi64>) -> tensor<6x70x7x5xf32>
  %1 = graven.roi_align avg %x rois %rois batch %batch valid %valid output [7, 5] scale 1.0 sampling_ratio 2 aligned per_bin
      : (tensor<2x70x9x8xf32>, tensor<6x4xf32>, tensor<6xi64>, tensor<i64>) -> tensor<6x2x7x5xf32>
  %2 = graven.roi_pool max %x rois %rois batch %batch output [2, 2] scale 1.0 : (tensor<2x70x9x8xf32>, tensor<6x4xf32>, tensor<6xi64>) -> tensor<6x70x2x2xf32>
  graven.return
}
