// RUN: graven-opt --graven-remove-identities --split-input-file %s | FileCheck %s

// CHECK-LABEL: graven.graph @same_operands(
//  CHECK-SAME:   %[[X:.*]]: tensor<4xf32>, %[[Y:.*]]: tensor<4xf32>
//       CHECK:   %[[M:.*]] = graven.max %[[X]], %[[Y]]
//       CHECK:   %[[N:.*]] = graven.min %[[X]], %[[Y]]
//       CHECK:   graven.return %[[X]], %[[M]], %[[N]]
graven.graph @same_operands(%x: tensor<4xf32>, %y: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) {
  %0 = graven.max %x, %x : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %1 = graven.min %0, %0 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %2 = graven.max %x, %y : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %3 = graven.min %x, %y : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  graven.return %1, %2, %3 : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
}

// -----

// A user that has the extents from elsewhere broadcasts by itself. One that has
// them from the broadcast alone does not.

// CHECK-LABEL: graven.graph @broadcasts(
//  CHECK-SAME:   %[[X:.*]]: tensor<4x8xf32>, %[[B:.*]]: tensor<8xf32>
//   CHECK-DAG:   %[[R:.*]] = graven.reshape %[[B]] to [1, 8]
//   CHECK-DAG:   %[[W:.*]] = graven.broadcast %[[B]] to [4, 8]
//   CHECK-DAG:   graven.add %[[X]], %[[R]] : (tensor<4x8xf32>, tensor<1x8xf32>) -> tensor<4x8xf32>
//   CHECK-DAG:   graven.mul %[[W]], %[[W]] : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<4x8xf32>
//   CHECK-DAG:   graven.relu %[[W]]
graven.graph @broadcasts(%x: tensor<4x8xf32>, %b: tensor<8xf32>) -> (tensor<4x8xf32>, tensor<4x8xf32>, tensor<4x8xf32>) {
  %0 = graven.broadcast %b to [4, 8] axes [1] : (tensor<8xf32>) -> tensor<4x8xf32>
  %1 = graven.add %x, %0 : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<4x8xf32>
  %2 = graven.mul %0, %0 : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<4x8xf32>
  %3 = graven.relu %0 : tensor<4x8xf32>
  graven.return %1, %2, %3 : tensor<4x8xf32>, tensor<4x8xf32>, tensor<4x8xf32>
}

// -----

// CHECK-LABEL: graven.graph @slice_of_concat(
//  CHECK-SAME:   %[[X:.*]]: tensor<2x3xf32>, %[[Y:.*]]: tensor<2x5xf32>
//       CHECK:   %[[C:.*]] = graven.concat %[[X]], %[[Y]]
//       CHECK:   %[[S:.*]] = graven.slice %[[C]]
//       CHECK:   graven.return %[[Y]], %[[S]]
graven.graph @slice_of_concat(%x: tensor<2x3xf32>, %y: tensor<2x5xf32>) -> (tensor<2x5xf32>, tensor<2x5xf32>) {
  %0 = graven.concat %x, %y axis 1 : (tensor<2x3xf32>, tensor<2x5xf32>) -> tensor<2x8xf32>
  %1 = graven.slice %0 [0, 3] to [2, 8] by [1, 1] : (tensor<2x8xf32>) -> tensor<2x5xf32>
  %2 = graven.slice %0 [0, 2] to [2, 7] by [1, 1] : (tensor<2x8xf32>) -> tensor<2x5xf32>
  graven.return %1, %2 : tensor<2x5xf32>, tensor<2x5xf32>
}

// -----

// CHECK-LABEL: graven.graph @concat_of_slices(
//  CHECK-SAME:   %[[X:.*]]: tensor<2x8xf32>
//       CHECK:   %[[C:.*]] = graven.concat
//       CHECK:   graven.return %[[X]], %[[C]]
graven.graph @concat_of_slices(%x: tensor<2x8xf32>) -> (tensor<2x8xf32>, tensor<2x8xf32>) {
  %0 = graven.slice %x [0, 0] to [2, 3] by [1, 1] : (tensor<2x8xf32>) -> tensor<2x3xf32>
  %1 = graven.slice %x [0, 3] to [2, 8] by [1, 1] : (tensor<2x8xf32>) -> tensor<2x5xf32>
  %2 = graven.concat %0, %1 axis 1 : (tensor<2x3xf32>, tensor<2x5xf32>) -> tensor<2x8xf32>
  %3 = graven.concat %1, %0 axis 1 : (tensor<2x5xf32>, tensor<2x3xf32>) -> tensor<2x8xf32>
  graven.return %2, %3 : tensor<2x8xf32>, tensor<2x8xf32>
}

// -----

// CHECK-LABEL: graven.graph @nested_concat(
//  CHECK-SAME:   %[[X:.*]]: tensor<2x3xf32>, %{{.*}}: tensor<2x0xf32>
//       CHECK:   %[[C:.*]] = graven.concat %[[X]], %[[X]], %[[X]] axis 1
//       CHECK:   graven.return %[[C]]
graven.graph @nested_concat(%x: tensor<2x3xf32>, %e: tensor<2x0xf32>) -> tensor<2x9xf32> {
  %0 = graven.concat %x, %e, %x axis 1 : (tensor<2x3xf32>, tensor<2x0xf32>, tensor<2x3xf32>) -> tensor<2x6xf32>
  %1 = graven.concat %0, %x axis 1 : (tensor<2x6xf32>, tensor<2x3xf32>) -> tensor<2x9xf32>
  graven.return %1 : tensor<2x9xf32>
}

// -----

// CHECK-LABEL: graven.graph @whole_insert(
//  CHECK-SAME:   %{{.*}}: tensor<4xf32>, %[[S:.*]]: tensor<4xf32>
//       CHECK:   graven.return %[[S]]
graven.graph @whole_insert(%d: tensor<4xf32>, %s: tensor<4xf32>) -> tensor<4xf32> {
  %0 = graven.insert_slice %s into %d [0] by [1] : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  graven.return %0 : tensor<4xf32>
}

// -----

// CHECK-LABEL: graven.graph @part_of_an_insert(
//       CHECK:   graven.insert_slice
graven.graph @part_of_an_insert(%d: tensor<4xf32>, %s: tensor<3xf32>) -> tensor<4xf32> {
  %0 = graven.insert_slice %s into %d [1] by [1] : (tensor<4xf32>, tensor<3xf32>) -> tensor<4xf32>
  graven.return %0 : tensor<4xf32>
}

// -----

// Zeros become pads; other values, crops and padded channels do not.

// CHECK-LABEL: graven.graph @pad_into_conv(
//  CHECK-SAME:   %[[X:.*]]: tensor<1x2x4x4xf32>
//       CHECK:   graven.conv %[[X]], %{{.*}} strides [1, 1] dilations [1, 1] pads [1, 3, 2, 3]
//       CHECK:   %[[P:.*]] = graven.pad
//       CHECK:   graven.conv %[[P]]
//       CHECK:   %[[Q:.*]] = graven.pad
//       CHECK:   graven.conv %[[Q]]
graven.graph @pad_into_conv(%x: tensor<1x2x4x4xf32>, %w: tensor<2x2x3x3xf32>) -> (tensor<1x2x5x8xf32>, tensor<1x2x4x4xf32>, tensor<1x2x1x1xf32>) {
  %one = graven.constant dense<1.0> : tensor<f32>
  %0 = graven.pad %x low [0, 0, 1, 2] high [0, 0, 2, 2] : (tensor<1x2x4x4xf32>) -> tensor<1x2x7x8xf32>
  %1 = graven.conv %0, %w strides [1, 1] dilations [1, 1] pads [0, 1, 0, 1] : (tensor<1x2x7x8xf32>, tensor<2x2x3x3xf32>) -> tensor<1x2x5x8xf32>
  %2 = graven.pad %x value %one low [0, 0, 1, 1] high [0, 0, 1, 1] : (tensor<1x2x4x4xf32>, tensor<f32>) -> tensor<1x2x6x6xf32>
  %3 = graven.conv %2, %w strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] : (tensor<1x2x6x6xf32>, tensor<2x2x3x3xf32>) -> tensor<1x2x4x4xf32>
  %4 = graven.pad %x low [0, 0, -1, 0] high [0, 0, 0, -1] : (tensor<1x2x4x4xf32>) -> tensor<1x2x3x3xf32>
  %5 = graven.conv %4, %w strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] : (tensor<1x2x3x3xf32>, tensor<2x2x3x3xf32>) -> tensor<1x2x1x1xf32>
  graven.return %1, %3, %5 : tensor<1x2x5x8xf32>, tensor<1x2x4x4xf32>, tensor<1x2x1x1xf32>
}

// -----

// CHECK-LABEL: graven.graph @gather(
//  CHECK-SAME:   %[[X:.*]]: tensor<2x8xf32>
//       CHECK:   %[[S:.*]] = graven.slice %[[X]] [0, 7] to [2, 8] by [1, 1]
//       CHECK:   graven.reshape %[[S]] to [2] : (tensor<2x1xf32>) -> tensor<2xf32>
//       CHECK:   graven.gather %[[X]]
graven.graph @gather(%x: tensor<2x8xf32>) -> (tensor<2xf32>, tensor<2xf32>) {
  %i = graven.constant dense<-1> : tensor<i64>
  %j = graven.constant dense<8> : tensor<i64>
  %0 = graven.gather %x[%i] axis 1 : (tensor<2x8xf32>, tensor<i64>) -> tensor<2xf32>
  %1 = graven.gather %x[%j] axis 1 : (tensor<2x8xf32>, tensor<i64>) -> tensor<2xf32>
  graven.return %0, %1 : tensor<2xf32>, tensor<2xf32>
}

// -----

// The mean of a window of one element is the element; not so of more, in steps, or divided.

// CHECK-LABEL: graven.graph @window_of_one(
//  CHECK-SAME:   %[[X:.*]]: tensor<1x2x4x4xf32>
//   CHECK-DAG:   graven.relu %[[X]]
//   CHECK-DAG:   %[[B:.*]] = graven.avg_pool %[[X]] kernel [1, 1] strides [2, 1]
//   CHECK-DAG:   %[[C:.*]] = graven.avg_pool %[[X]] kernel [1, 1] {{.*}} divisor 2
graven.graph @window_of_one(%x: tensor<1x2x4x4xf32>) -> (tensor<1x2x4x4xf32>, tensor<1x2x2x4xf32>, tensor<1x2x4x4xf32>) {
  %0 = graven.avg_pool %x kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] count_include_pad : (tensor<1x2x4x4xf32>) -> tensor<1x2x4x4xf32>
  %1 = graven.relu %0 : tensor<1x2x4x4xf32>
  %2 = graven.avg_pool %x kernel [1, 1] strides [2, 1] dilations [1, 1] pads [0, 0, 0, 0] : (tensor<1x2x4x4xf32>) -> tensor<1x2x2x4xf32>
  %3 = graven.avg_pool %x kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] divisor 2 : (tensor<1x2x4x4xf32>) -> tensor<1x2x4x4xf32>
  graven.return %1, %2, %3 : tensor<1x2x4x4xf32>, tensor<1x2x2x4xf32>, tensor<1x2x4x4xf32>
}

// -----

// One mask a window is added to the scores of all heads, which are put beside each other for that; the mask of a batch of
// two is repeated.

// CHECK-LABEL: graven.graph @reshapes_there_and_back(
//  CHECK-SAME:   %[[X:.*]]: tensor<8x2x3x3xf32>
//       CHECK:   %[[M:.*]] = graven.get_param @mask
//       CHECK:   %[[W:.*]] = graven.broadcast %[[M]] to [2, 4, 1, 3, 3]
//       CHECK:   %[[R:.*]] = graven.reshape %[[W]] to [8, 1, 3, 3]
//       CHECK:   %[[Y:.*]] = graven.add %[[X]], %[[R]] : (tensor<8x2x3x3xf32>, tensor<8x1x3x3xf32>) -> tensor<8x2x3x3xf32>
//       CHECK:   graven.return %[[Y]]
graven.param @mask : tensor<1x4x1x3x3xf32> = #graven.blob<"m", 0, 144>
graven.graph @reshapes_there_and_back(%x: tensor<8x2x3x3xf32>) -> tensor<8x2x3x3xf32> {
  %m = graven.get_param @mask : tensor<1x4x1x3x3xf32>
  %0 = graven.reshape %x to [2, 4, 2, 3, 3] : (tensor<8x2x3x3xf32>) -> tensor<2x4x2x3x3xf32>
  %1 = graven.add %0, %m : (tensor<2x4x2x3x3xf32>, tensor<1x4x1x3x3xf32>) -> tensor<2x4x2x3x3xf32>
  %2 = graven.reshape %1 to [8, 2, 3, 3] : (tensor<2x4x2x3x3xf32>) -> tensor<8x2x3x3xf32>
  graven.return %2 : tensor<8x2x3x3xf32>
}

// -----

// As many Nodes would be needed for another operand; a second user; the second reshape gives another shape.

// CHECK-LABEL: graven.graph @keeps_reshapes(
// CHECK-COUNT-6: graven.reshape
//       CHECK:   graven.return
graven.graph @keeps_reshapes(%x: tensor<8x9xf32>, %m: tensor<1x4x9xf32>) -> (tensor<8x9xf32>, tensor<8x9xf32>, tensor<2x4x9xf32>, tensor<4x18xf32>) {
  %0 = graven.reshape %x to [2, 4, 9] : (tensor<8x9xf32>) -> tensor<2x4x9xf32>
  %1 = graven.add %0, %m : (tensor<2x4x9xf32>, tensor<1x4x9xf32>) -> tensor<2x4x9xf32>
  %2 = graven.reshape %1 to [8, 9] : (tensor<2x4x9xf32>) -> tensor<8x9xf32>
  %3 = graven.reshape %x to [2, 4, 9] : (tensor<8x9xf32>) -> tensor<2x4x9xf32>
  %4 = graven.tanh %3 : tensor<2x4x9xf32>
  %5 = graven.reshape %4 to [8, 9] : (tensor<2x4x9xf32>) -> tensor<8x9xf32>
  %6 = graven.reshape %x to [2, 4, 9] : (tensor<8x9xf32>) -> tensor<2x4x9xf32>
  %7 = graven.exp %6 : tensor<2x4x9xf32>
  %8 = graven.reshape %7 to [4, 18] : (tensor<2x4x9xf32>) -> tensor<4x18xf32>
  graven.return %2, %5, %4, %8 : tensor<8x9xf32>, tensor<8x9xf32>, tensor<2x4x9xf32>, tensor<4x18xf32>
}
