// RUN: %graven-opt --graven-to-kernel --split-input-file --verify-diagnostics %s | FileCheck %s

// Boxes and regions.

// One class: what the kernel has chosen is moved to rows as it lies.

// CHECK-LABEL: func.func @one_class
//       CHECK: %[[CHOSEN:.*]]:4 = kernel.nms xyxy ins({{.*}}) outs({{.*}} : tensor<1x1x9xi64>, tensor<1x1xi64>, tensor<1x1x9xi64>, tensor<1x1x5x16xf32>)
//   CHECK-NOT: scf.for
//       CHECK: linalg.generic
//       CHECK: return {{.*}} : tensor<9x3xi64>, tensor<i64>
graven.graph @one_class(%boxes: tensor<1x9x4xf32>, %scores: tensor<1x1x9xf32>, %iou: tensor<f32>) -> (tensor<9x3xi64>, tensor<i64>) {
  %0:2 = graven.nms xyxy %boxes scores %scores iou %iou : (tensor<1x9x4xf32>, tensor<1x1x9xf32>, tensor<f32>) -> (tensor<9x3xi64>, tensor<i64>)
  graven.return %0#0, %0#1 : tensor<9x3xi64>, tensor<i64>
}

// -----

// Several: a row finds its class among the running sums of the counts. Halves are computed in f32.

// CHECK-LABEL: func.func @classes
//       CHECK: arith.extf
//       CHECK: kernel.nms corners ins({{.*}} : tensor<2x9x4xf32>, tensor<2x3x9xf32>, tensor<f32>) score({{.*}}) outs({{.*}} : tensor<2x3x4xi64>, tensor<2x3xi64>, tensor<2x3x9xi64>, tensor<2x3x5x16xf32>)
//       CHECK: kernel.scan
//       CHECK: linalg.generic
//       CHECK:   %[[STEPS:.*]] = arith.constant 3 : index
//       CHECK:   scf.for %{{.*}} to %[[STEPS]]
graven.graph @classes(%boxes: tensor<2x9x4xf16>, %scores: tensor<2x3x9xf16>, %iou: tensor<f16>) -> (tensor<24x3xi64>, tensor<i64>) {
  %0:2 = graven.nms corners %boxes scores %scores iou %iou score %iou max_per_class 4 : (tensor<2x9x4xf16>, tensor<2x3x9xf16>, tensor<f16>, tensor<f16>) -> (tensor<24x3xi64>, tensor<i64>)
  graven.return %0#0, %0#1 : tensor<24x3xi64>, tensor<i64>
}

// -----

// The images of regions are checked; those that are not used are not.

// CHECK-LABEL: func.func @regions
//       CHECK: arith.cmpi slt
//       CHECK: linalg.generic {{.*}}iterator_types = ["reduction"]
//       CHECK: kernel.regions samples max ins({{.*}}) valid({{.*}}) outs({{.*}}) {aligned, sampling_ratio = 2 : i64, spatial_scale = 5.000000e-01 : f64}
graven.graph @regions(%x: tensor<2x5x8x9xf32>, %rois: tensor<6x4xf32>, %batch: tensor<6xi64>, %valid: tensor<i64>) -> tensor<6x5x3x2xf32> {
  %0 = graven.roi_align max %x rois %rois batch %batch valid %valid output [3, 2] scale 0.5 sampling_ratio 2 aligned : (tensor<2x5x8x9xf32>, tensor<6x4xf32>, tensor<6xi64>, tensor<i64>) -> tensor<6x5x3x2xf32>
  graven.return %0 : tensor<6x5x3x2xf32>
}

// -----

// CHECK-LABEL: func.func @pixels
//       CHECK: kernel.regions pixels avg {{.*}}per_bin
graven.graph @pixels(%x: tensor<2x6x8x9xf32>, %rois: tensor<6x4xf32>, %batch: tensor<6xi64>) -> tensor<6x1x3x2xf32> {
  %0 = graven.roi_pool avg %x rois %rois batch %batch output [3, 2] scale 0.5 per_bin : (tensor<2x6x8x9xf32>, tensor<6x4xf32>, tensor<6xi64>) -> tensor<6x1x3x2xf32>
  graven.return %0 : tensor<6x1x3x2xf32>
}
