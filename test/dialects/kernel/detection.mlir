// RUN: %graven-opt --split-input-file --verify-diagnostics %s | FileCheck %s

// CHECK-LABEL: func.func @nms
//       CHECK:   kernel.nms xyxy ins({{.*}} : memref<2x9x4xf32>, memref<2x3x9xf32>, memref<f32>) outs({{.*}} : memref<2x3x9xi64>, memref<2x3xi64>, memref<2x3x9xi64>, memref<2x3x5x16xf32>)
//       CHECK:   kernel.nms center ins({{.*}}) score({{.*}} : memref<f32>) group({{.*}} : memref<2x9xi64>) valid({{.*}} : memref<i64>) outs({{.*}} : memref<2x3x4xi64>, memref<2x3xi64>, memref<2x3x9xi64>, memref<2x3x7x16xf32>)
func.func @nms(%boxes: memref<2x9x4xf32>, %scores: memref<2x3x9xf32>, %iou: memref<f32>, %group: memref<2x9xi64>, %valid: memref<i64>,
    %kept: memref<2x3x9xi64>, %few: memref<2x3x4xi64>, %counts: memref<2x3xi64>, %order: memref<2x3x9xi64>,
    %corners: memref<2x3x5x16xf32>, %more: memref<2x3x7x16xf32>) {
  kernel.nms xyxy ins(%boxes, %scores, %iou : memref<2x9x4xf32>, memref<2x3x9xf32>, memref<f32>)
      outs(%kept, %counts, %order, %corners : memref<2x3x9xi64>, memref<2x3xi64>, memref<2x3x9xi64>, memref<2x3x5x16xf32>)
  kernel.nms center ins(%boxes, %scores, %iou : memref<2x9x4xf32>, memref<2x3x9xf32>, memref<f32>)
      score(%iou : memref<f32>) group(%group : memref<2x9xi64>) valid(%valid : memref<i64>)
      outs(%few, %counts, %order, %more : memref<2x3x4xi64>, memref<2x3xi64>, memref<2x3x9xi64>, memref<2x3x7x16xf32>)
  return
}

// CHECK-LABEL: func.func @regions
//       CHECK:   kernel.regions samples avg ins({{.*}}) outs(%{{.*}} : memref<6x5x3x2xf32>) {aligned, sampling_ratio = 2 : i64, spatial_scale = 5.000000e-01 : f64}
//       CHECK:   kernel.regions pixels max ins({{.*}}) valid({{.*}} : memref<i64>) outs({{.*}})
func.func @regions(%x: memref<2x5x8x9xf32>, %rois: memref<6x4xf32>, %batch: memref<6xi64>, %valid: memref<i64>, %out: memref<6x5x3x2xf32>) {
  kernel.regions samples avg ins(%x, %rois, %batch : memref<2x5x8x9xf32>, memref<6x4xf32>, memref<6xi64>)
      outs(%out : memref<6x5x3x2xf32>) {spatial_scale = 0.5 : f64, sampling_ratio = 2 : i64, aligned}
  kernel.regions pixels max ins(%x, %rois, %batch : memref<2x5x8x9xf32>, memref<6x4xf32>, memref<6xi64>)
      valid(%valid : memref<i64>) outs(%out : memref<6x5x3x2xf32>) {spatial_scale = 0.5 : f64}
  return
}

// -----

func.func @nms_types(%boxes: memref<2x9x4xf32>, %scores: memref<2x3x9xf64>, %iou: memref<f32>, %kept: memref<2x3x9xi64>,
    %counts: memref<2x3xi64>, %order: memref<2x3x9xi64>, %corners: memref<2x3x5x16xf32>) {
  // expected-error @+1 {{C1: expects equal element types, got 'f32' and 'f64'}}
  kernel.nms xyxy ins(%boxes, %scores, %iou : memref<2x9x4xf32>, memref<2x3x9xf64>, memref<f32>)
      outs(%kept, %counts, %order, %corners : memref<2x3x9xi64>, memref<2x3xi64>, memref<2x3x9xi64>, memref<2x3x5x16xf32>)
  return
}

// -----

func.func @nms_room(%boxes: memref<2x9x4xf32>, %scores: memref<2x3x9xf32>, %iou: memref<f32>, %kept: memref<2x3x9xi64>,
    %counts: memref<2x3xi64>, %order: memref<2x3x9xi64>, %corners: memref<2x3x5x9xf32>) {
  // expected-error @+1 {{C2: expects 'corners' of shape [2, 3, 5, 16], got [2, 3, 5, 9]}}
  kernel.nms xyxy ins(%boxes, %scores, %iou : memref<2x9x4xf32>, memref<2x3x9xf32>, memref<f32>)
      outs(%kept, %counts, %order, %corners : memref<2x3x9xi64>, memref<2x3xi64>, memref<2x3x9xi64>, memref<2x3x5x9xf32>)
  return
}

// -----

func.func @regions_channels(%x: memref<2x5x8x9xf32>, %rois: memref<6x4xf32>, %batch: memref<6xi64>, %out: memref<6x4x3x2xf32>) {
  // expected-error @+1 {{C2: expects 'x' of shape [2, 4, 8, 9], got [2, 5, 8, 9]}}
  kernel.regions samples avg ins(%x, %rois, %batch : memref<2x5x8x9xf32>, memref<6x4xf32>, memref<6xi64>)
      outs(%out : memref<6x4x3x2xf32>) {spatial_scale = 1.0 : f64}
  return
}

// -----

func.func @regions_samples(%x: memref<2x5x8x9xf32>, %rois: memref<6x4xf32>, %batch: memref<6xi64>, %out: memref<6x5x3x2xf32>) {
  // expected-error @+1 {{C3: expects sampling_ratio >= 0, got -1}}
  kernel.regions samples avg ins(%x, %rois, %batch : memref<2x5x8x9xf32>, memref<6x4xf32>, memref<6xi64>)
      outs(%out : memref<6x5x3x2xf32>) {spatial_scale = 1.0 : f64, sampling_ratio = -1 : i64}
  return
}
