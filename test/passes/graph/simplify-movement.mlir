// RUN: graven-opt --graven-simplify-movement --split-input-file %s | FileCheck %s

// CHECK-LABEL: graven.graph @slices(
//  CHECK-SAME:   %[[X:.*]]: tensor<4x8xf32>, %[[Y:.*]]: tensor<9xf32>
//   CHECK-DAG:   %[[A:.*]] = graven.slice %[[X]] [1, 2] to [3, 7] by [1, 2] : (tensor<4x8xf32>) -> tensor<2x3xf32>
//   CHECK-DAG:   %[[B:.*]] = graven.slice %[[Y]] [1] to [8] by [6] : (tensor<9xf32>) -> tensor<2xf32>
//   CHECK-DAG:   %[[C:.*]] = graven.slice %[[Y]] [1] to [1] by [1] : (tensor<9xf32>) -> tensor<0xf32>
//       CHECK:   graven.return %[[A]], %[[B]], %[[C]]
graven.graph @slices(%x: tensor<4x8xf32>, %y: tensor<9xf32>) -> (tensor<2x3xf32>, tensor<2xf32>, tensor<0xf32>) {
  %0 = graven.slice %x [1, 0] to [4, 8] by [1, 1] : (tensor<4x8xf32>) -> tensor<3x8xf32>
  %1 = graven.slice %0 [0, 2] to [2, 8] by [1, 2] : (tensor<3x8xf32>) -> tensor<2x3xf32>
  %2 = graven.slice %y [1] to [9] by [2] : (tensor<9xf32>) -> tensor<4xf32>
  %3 = graven.slice %2 [0] to [4] by [3] : (tensor<4xf32>) -> tensor<2xf32>
  %4 = graven.slice %2 [1] to [1] by [1] : (tensor<4xf32>) -> tensor<0xf32>
  graven.return %1, %3, %4 : tensor<2x3xf32>, tensor<2xf32>, tensor<0xf32>
}

// -----

// CHECK-LABEL: graven.graph @keeps_slices_by_data(
// CHECK-COUNT-2: graven.slice
graven.graph @keeps_slices_by_data(%x: tensor<8xf32>, %n: tensor<i64>) -> tensor<?xf32> {
  %0 = graven.slice %x [1] to [8] by [1] : (tensor<8xf32>) -> tensor<7xf32>
  %1 = graven.slice %0 [%n] to [7] by [1] : (tensor<7xf32>, tensor<i64>) -> tensor<?xf32>
  graven.return %1 : tensor<?xf32>
}

// -----

// CHECK-LABEL: graven.graph @step_to_no_other_element(
//       CHECK:   graven.slice %{{.*}} [4] to [5] by [1] : (tensor<8xf32>) -> tensor<1xf32>
graven.graph @step_to_no_other_element(%x: tensor<8xf32>) -> tensor<1xf32> {
  %0 = graven.slice %x [1] to [8] by [3] : (tensor<8xf32>) -> tensor<3xf32>
  %1 = graven.slice %0 [1] to [3] by [9223372036854775807] : (tensor<3xf32>) -> tensor<1xf32>
  graven.return %1 : tensor<1xf32>
}

// -----

// CHECK-LABEL: graven.graph @keeps_windows_of_pads(
// CHECK-COUNT-2: graven.pad
graven.graph @keeps_windows_of_pads(%x: tensor<1x1x4x4xf32>) -> (tensor<1x1x7x7xf32>, tensor<1x1x7x7xf32>) {
  %inf = graven.constant dense<0xFF800000> : tensor<f32>
  %0 = graven.pad %x value %inf low [0, 0, 2, 2] high [0, 0, 2, 2] : (tensor<1x1x4x4xf32>, tensor<f32>) -> tensor<1x1x8x8xf32>
  %1 = graven.max_pool %0 kernel [2, 2] strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] : (tensor<1x1x8x8xf32>) -> tensor<1x1x7x7xf32>
  %2 = graven.pad %x low [0, 0, 2, 2] high [0, 0, 2, 2] : (tensor<1x1x4x4xf32>) -> tensor<1x1x8x8xf32>
  %3 = graven.avg_pool %2 kernel [2, 2] strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] : (tensor<1x1x8x8xf32>) -> tensor<1x1x7x7xf32>
  graven.return %1, %3 : tensor<1x1x7x7xf32>, tensor<1x1x7x7xf32>
}

// -----

// CHECK-LABEL: graven.graph @empty_slice_of_pad(
//       CHECK:   graven.slice %{{.*}} [1] to [1] by [1] : (tensor<4xf32>) -> tensor<0xf32>
graven.graph @empty_slice_of_pad(%x: tensor<4xf32>) -> tensor<0xf32> {
  %0 = graven.pad %x low [2] high [1] : (tensor<4xf32>) -> tensor<7xf32>
  %1 = graven.slice %0 [3] to [1] by [1] : (tensor<7xf32>) -> tensor<0xf32>
  graven.return %1 : tensor<0xf32>
}

// -----

// A slice of what was there, and one that reads a row more.

// CHECK-LABEL: graven.graph @slice_of_pad(
//  CHECK-SAME:   %[[X:.*]]: tensor<4x4xf32>
//   CHECK-DAG:   %[[P:.*]] = graven.pad %[[X]]
//   CHECK-DAG:   %[[A:.*]] = graven.slice %[[X]] [0, 1] to [4, 4] by [1, 2] : (tensor<4x4xf32>) -> tensor<4x2xf32>
//   CHECK-DAG:   %[[B:.*]] = graven.slice %[[P]]
//       CHECK:   graven.return %[[A]], %[[B]]
graven.graph @slice_of_pad(%x: tensor<4x4xf32>) -> (tensor<4x2xf32>, tensor<5x4xf32>) {
  %0 = graven.pad %x low [1, 0] high [1, 2] mode reflect : (tensor<4x4xf32>) -> tensor<6x6xf32>
  %1 = graven.slice %0 [1, 1] to [5, 4] by [1, 2] : (tensor<6x6xf32>) -> tensor<4x2xf32>
  %2 = graven.slice %0 [1, 0] to [6, 4] by [1, 1] : (tensor<6x6xf32>) -> tensor<5x4xf32>
  graven.return %1, %2 : tensor<4x2xf32>, tensor<5x4xf32>
}

// -----

// CHECK-LABEL: graven.graph @pads(
//  CHECK-SAME:   %[[X:.*]]: tensor<4xf32>
//       CHECK:   %[[P:.*]] = graven.pad %[[X]] low [3] high [1] : (tensor<4xf32>) -> tensor<8xf32>
//       CHECK:   graven.return %[[P]]
graven.graph @pads(%x: tensor<4xf32>) -> tensor<8xf32> {
  %zero = graven.constant dense<0.0> : tensor<f32>
  %0 = graven.pad %x low [1] high [0] : (tensor<4xf32>) -> tensor<5xf32>
  %1 = graven.pad %0 value %zero low [2] high [1] : (tensor<5xf32>, tensor<f32>) -> tensor<8xf32>
  graven.return %1 : tensor<8xf32>
}

// -----

// Of zeros and ones, of zeros and mirrored elements, and one that crops.

// CHECK-LABEL: graven.graph @keeps_other_pads(
// CHECK-COUNT-4: graven.pad
//   CHECK-NOT:   graven.pad
graven.graph @keeps_other_pads(%x: tensor<4xf32>) -> (tensor<6xf32>, tensor<6xf32>, tensor<4xf32>) {
  %one = graven.constant dense<1.0> : tensor<f32>
  %0 = graven.pad %x low [1] high [0] : (tensor<4xf32>) -> tensor<5xf32>
  %1 = graven.pad %0 value %one low [0] high [1] : (tensor<5xf32>, tensor<f32>) -> tensor<6xf32>
  %2 = graven.pad %0 low [1] high [0] mode reflect : (tensor<5xf32>) -> tensor<6xf32>
  %3 = graven.pad %0 low [0] high [-1] : (tensor<5xf32>) -> tensor<4xf32>
  graven.return %1, %2, %3 : tensor<6xf32>, tensor<6xf32>, tensor<4xf32>
}

// -----

// CHECK-LABEL: graven.graph @pools(
//  CHECK-SAME:   %[[X:.*]]: tensor<1x2x4x4xf32>
//   CHECK-DAG:   graven.max_pool %[[X]] kernel [3, 2] strides [2, 2] dilations [1, 1] pads [1, 0, 2, 1] :
//   CHECK-DAG:   graven.avg_pool %[[X]] kernel [2, 2] strides [2, 2] dilations [1, 1] pads [1, 1, 1, 1] count_include_pad :
//   CHECK-DAG:   graven.avg_pool %[[X]] kernel [3, 3] strides [2, 2] dilations [1, 1] pads [2, 2, 2, 2] count_include_pad divisor 3 :
//   CHECK-NOT:   graven.pad
graven.graph @pools(%x: tensor<1x2x4x4xf32>) -> (tensor<1x2x3x2xf32>, tensor<1x2x3x3xf32>, tensor<1x2x3x3xf32>) {
  %low = graven.constant dense<0xFF800000> : tensor<f32>
  %0 = graven.pad %x value %low low [0, 0, 1, 0] high [0, 0, 1, 0] : (tensor<1x2x4x4xf32>, tensor<f32>) -> tensor<1x2x6x4xf32>
  %1 = graven.max_pool %0 kernel [3, 2] strides [2, 2] dilations [1, 1] pads [0, 0, 1, 1] : (tensor<1x2x6x4xf32>) -> tensor<1x2x3x2xf32>
  %2 = graven.pad %x low [0, 0, 1, 1] high [0, 0, 1, 1] : (tensor<1x2x4x4xf32>) -> tensor<1x2x6x6xf32>
  %3 = graven.avg_pool %2 kernel [2, 2] strides [2, 2] dilations [1, 1] pads [0, 0, 0, 0] : (tensor<1x2x6x6xf32>) -> tensor<1x2x3x3xf32>
  %4 = graven.avg_pool %2 kernel [3, 3] strides [2, 2] dilations [1, 1] pads [1, 1, 1, 1] divisor 3 : (tensor<1x2x6x6xf32>) -> tensor<1x2x3x3xf32>
  graven.return %1, %3, %4 : tensor<1x2x3x2xf32>, tensor<1x2x3x3xf32>, tensor<1x2x3x3xf32>
}

// -----

// A maximum beside zeros; windows past the end; channels; a mean whose own pads do not count.

// CHECK-LABEL: graven.graph @keeps_pads_of_pools(
//   CHECK-DAG:   %[[Z:.*]] = graven.pad {{.*}} -> tensor<1x2x6x6xf32>
//   CHECK-DAG:   graven.max_pool %[[Z]]
//   CHECK-DAG:   graven.avg_pool %[[Z]] {{.*}} ceil_mode
//   CHECK-DAG:   %[[C:.*]] = graven.pad {{.*}} -> tensor<1x3x4x4xf32>
//   CHECK-DAG:   graven.avg_pool %[[C]]
//   CHECK-DAG:   graven.avg_pool %[[Z]] {{.*}} pads [1, 1, 1, 1]
graven.graph @keeps_pads_of_pools(%x: tensor<1x2x4x4xf32>)
    -> (tensor<1x2x3x3xf32>, tensor<1x2x3x3xf32>, tensor<1x3x2x2xf32>, tensor<1x2x4x4xf32>) {
  %0 = graven.pad %x low [0, 0, 1, 1] high [0, 0, 1, 1] : (tensor<1x2x4x4xf32>) -> tensor<1x2x6x6xf32>
  %1 = graven.max_pool %0 kernel [2, 2] strides [2, 2] dilations [1, 1] pads [0, 0, 0, 0] : (tensor<1x2x6x6xf32>) -> tensor<1x2x3x3xf32>
  %2 = graven.avg_pool %0 kernel [2, 2] strides [2, 2] dilations [1, 1] pads [0, 0, 0, 0] ceil_mode : (tensor<1x2x6x6xf32>) -> tensor<1x2x3x3xf32>
  %3 = graven.pad %x low [0, 1, 0, 0] high [0, 0, 0, 0] : (tensor<1x2x4x4xf32>) -> tensor<1x3x4x4xf32>
  %4 = graven.avg_pool %3 kernel [2, 2] strides [2, 2] dilations [1, 1] pads [0, 0, 0, 0] : (tensor<1x3x4x4xf32>) -> tensor<1x3x2x2xf32>
  %5 = graven.avg_pool %0 kernel [2, 2] strides [2, 2] dilations [1, 1] pads [1, 1, 1, 1] : (tensor<1x2x6x6xf32>) -> tensor<1x2x4x4xf32>
  graven.return %1, %2, %4, %5 : tensor<1x2x3x3xf32>, tensor<1x2x3x3xf32>, tensor<1x3x2x2xf32>, tensor<1x2x4x4xf32>
}

// -----

// CHECK-LABEL: graven.graph @broadcasts(
//  CHECK-SAME:   %[[X:.*]]: tensor<3xf32>
//       CHECK:   graven.broadcast %[[X]] to [5, 2, 3] axes [2] : (tensor<3xf32>) -> tensor<5x2x3xf32>
//   CHECK-NOT:   graven.broadcast
graven.graph @broadcasts(%x: tensor<3xf32>) -> tensor<5x2x3xf32> {
  %0 = graven.broadcast %x to [2, 3] axes [1] : (tensor<3xf32>) -> tensor<2x3xf32>
  %1 = graven.broadcast %0 to [5, 2, 3] axes [1, 2] : (tensor<2x3xf32>) -> tensor<5x2x3xf32>
  graven.return %1 : tensor<5x2x3xf32>
}

// -----

// CHECK-LABEL: graven.graph @keeps_a_broadcast_by_data(
// CHECK-COUNT-2: graven.broadcast
graven.graph @keeps_a_broadcast_by_data(%x: tensor<3xf32>, %n: tensor<i64>) -> tensor<?x2x3xf32> {
  %0 = graven.broadcast %x to [2, 3] axes [1] : (tensor<3xf32>) -> tensor<2x3xf32>
  %1 = graven.broadcast %0 to [%n, 2, 3] axes [1, 2] : (tensor<2x3xf32>, tensor<i64>) -> tensor<?x2x3xf32>
  graven.return %1 : tensor<?x2x3xf32>
}

// -----

// To the same extents; with a zoom, between elements, to others.

// CHECK-LABEL: graven.graph @resizes(
//  CHECK-SAME:   %[[X:.*]]: tensor<1x2x4x4xf32>
//   CHECK-DAG:   %[[A:.*]] = graven.resize linear %[[X]] {{.*}} scales
//   CHECK-DAG:   %[[B:.*]] = graven.resize nearest %[[X]] {{.*}} tf_half_pixel_for_nn
//   CHECK-DAG:   %[[C:.*]] = graven.resize linear %[[X]] {{.*}} sizes [8, 4]
//       CHECK:   graven.return %[[X]], %[[A]], %[[B]], %[[C]]
graven.graph @resizes(%x: tensor<1x2x4x4xf32>) -> (tensor<1x2x4x4xf32>, tensor<1x2x4x4xf32>, tensor<1x2x4x4xf32>, tensor<1x2x8x4xf32>) {
  %0 = graven.resize linear %x axes [2, 3] sizes [4, 4] coordinate half_pixel : (tensor<1x2x4x4xf32>) -> tensor<1x2x4x4xf32>
  %1 = graven.resize linear %x axes [2, 3] sizes [4, 4] scales [2.0, 1.0] coordinate half_pixel : (tensor<1x2x4x4xf32>) -> tensor<1x2x4x4xf32>
  %2 = graven.resize nearest %x axes [2, 3] sizes [4, 4] coordinate tf_half_pixel_for_nn : (tensor<1x2x4x4xf32>) -> tensor<1x2x4x4xf32>
  %3 = graven.resize linear %x axes [2, 3] sizes [8, 4] coordinate half_pixel : (tensor<1x2x4x4xf32>) -> tensor<1x2x8x4xf32>
  graven.return %0, %1, %2, %3 : tensor<1x2x4x4xf32>, tensor<1x2x4x4xf32>, tensor<1x2x4x4xf32>, tensor<1x2x8x4xf32>
}
