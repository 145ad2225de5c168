// RUN: graven-opt %s | graven-opt | FileCheck %s
// Shape and movement ops parse and print as written.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// A mixed list takes its dynamic entries from operands.
// CHECK-LABEL: graven.graph @reshape
// CHECK-NEXT: %0 = graven.reshape %arg0 to [3, -1] : (tensor<2x3xf32>) -> tensor<3x2xf32>
// CHECK-NEXT: %1 = graven.reshape %arg0 to [%arg1, 2] : (tensor<2x3xf32>, tensor<i64>) -> tensor<?x2xf32>
// CHECK-NEXT: %2 = graven.transpose %arg0 by [1, 0] : (tensor<2x3xf32>) -> tensor<3x2xf32>
// CHECK-NEXT: %3 = graven.broadcast %arg0 to [%arg1, 2, 3] axes [1, 2] : (tensor<2x3xf32>, tensor<i64>) -> tensor<?x2x3xf32>
graven.graph @reshape(%x: tensor<2x3xf32>, %n: tensor<i64>) {
  %0 = graven.reshape %x to [3, -1] : (tensor<2x3xf32>) -> tensor<3x2xf32>
  %1 = graven.reshape %x to [%n, 2] : (tensor<2x3xf32>, tensor<i64>) -> tensor<?x2xf32>
  %2 = graven.transpose %x by [1, 0] : (tensor<2x3xf32>) -> tensor<3x2xf32>
  %3 = graven.broadcast %x to [%n, 2, 3] axes [1, 2] : (tensor<2x3xf32>, tensor<i64>) -> tensor<?x2x3xf32>
  graven.return
}

// Windows.
// CHECK-LABEL: graven.graph @slice
// CHECK-NEXT: %0 = graven.slice %arg0 [0, -2] to [9223372036854775807, 3] by [1, 2] : (tensor<2x3xf32>) -> tensor<2x1xf32>
// CHECK-NEXT: %1 = graven.slice %arg0 [%arg1, 0] to [2, %arg1] by [1, 1] : (tensor<2x3xf32>, tensor<i64>, tensor<i64>) -> tensor<?x?xf32>
// CHECK-NEXT: %2 = graven.insert_slice %0 into %arg0 [0, %arg1] by [1, 1] : (tensor<2x3xf32>, tensor<2x1xf32>, tensor<i64>) -> tensor<2x3xf32>
// CHECK-NEXT: %3 = graven.concat %arg0, %arg0 axis 1 : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x6xf32>
graven.graph @slice(%x: tensor<2x3xf32>, %n: tensor<i64>) {
  %0 = graven.slice %x [0, -2] to [9223372036854775807, 3] by [1, 2] : (tensor<2x3xf32>) -> tensor<2x1xf32>
  %1 = graven.slice %x [%n, 0] to [2, %n] by [1, 1] : (tensor<2x3xf32>, tensor<i64>, tensor<i64>) -> tensor<?x?xf32>
  %2 = graven.insert_slice %0 into %x [0, %n] by [1, 1] : (tensor<2x3xf32>, tensor<2x1xf32>, tensor<i64>) -> tensor<2x3xf32>
  %3 = graven.concat %x, %x axis 1 : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x6xf32>
  graven.return
}

// Padding, reversing, counting.
// CHECK-LABEL: graven.graph @pad
// CHECK-NEXT: %0 = graven.pad %arg0 value %arg1 low [1, 0] high [0, -1] : (tensor<2x3xf32>, tensor<f32>) -> tensor<3x2xf32>
// CHECK-NEXT: %1 = graven.pad %arg0 low [1, 0] high [0, 2] mode  reflect : (tensor<2x3xf32>) -> tensor<3x5xf32>
// CHECK-NEXT: %2 = graven.reverse %arg0 axes [0, 1] : (tensor<2x3xf32>) -> tensor<2x3xf32>
// CHECK-NEXT: %3 = graven.iota [4, %arg2] axis 0 of ui8 : (tensor<i64>) -> tensor<4x?xui8>
// CHECK-NEXT: %4 = graven.dim %arg0 axis 1 : tensor<2x3xf32>
graven.graph @pad(%x: tensor<2x3xf32>, %v: tensor<f32>, %n: tensor<i64>) {
  %0 = graven.pad %x value %v low [1, 0] high [0, -1] : (tensor<2x3xf32>, tensor<f32>) -> tensor<3x2xf32>
  %1 = graven.pad %x low [1, 0] high [0, 2] mode reflect : (tensor<2x3xf32>) -> tensor<3x5xf32>
  %2 = graven.reverse %x axes [0, 1] : (tensor<2x3xf32>) -> tensor<2x3xf32>
  %3 = graven.iota [4, %n] axis 0 of ui8 : (tensor<i64>) -> tensor<4x?xui8>
  %4 = graven.dim %x axis 1 : tensor<2x3xf32>
  graven.return
}

// Layouts.
// CHECK-LABEL: graven.graph @relayout
// CHECK-NEXT: %0 = graven.relayout %arg0 from  nchw to  nchw16c channels 20 : (tensor<1x20x4xf32>) -> tensor<1x2x4x16xf32>
// CHECK-NEXT: %1 = graven.relayout %0 from  nchw16c to  nchw channels 20 : (tensor<1x2x4x16xf32>) -> tensor<1x20x4xf32>
graven.graph @relayout(%p: tensor<1x20x4xf32>) {
  %0 = graven.relayout %p from nchw to nchw16c channels 20 : (tensor<1x20x4xf32>) -> tensor<1x2x4x16xf32>
  %1 = graven.relayout %0 from nchw16c to nchw channels 20 : (tensor<1x2x4x16xf32>) -> tensor<1x20x4xf32>
  graven.return
}

// Indexing by data.
// CHECK-LABEL: graven.graph @indexed
// CHECK-NEXT: %0 = graven.gather %arg0[%arg1] axis 1 nonneg : (tensor<2x3xf32>, tensor<2x1xi64>) -> tensor<2x2x1xf32>
// CHECK-NEXT: %1 = graven.gather_elements %arg0[%arg1] axis 1 : (tensor<2x3xf32>, tensor<2x1xi64>) -> tensor<2x1xf32>
// CHECK-NEXT: %2 = graven.gather_nd %arg0[%arg1] batch_dims 1 : (tensor<2x3xf32>, tensor<2x1xi64>) -> tensor<2xf32>
// CHECK-NEXT: %3 = graven.scatter_nd %arg2 into %arg0[%arg1] kind  add nonneg : (tensor<2x3xf32>, tensor<2x1xi64>, tensor<2x3xf32>) -> tensor<2x3xf32>
graven.graph @indexed(%x: tensor<2x3xf32>, %i: tensor<2x1xi64>, %u: tensor<2x3xf32>) {
  %0 = graven.gather %x[%i] axis 1 nonneg : (tensor<2x3xf32>, tensor<2x1xi64>) -> tensor<2x2x1xf32>
  %1 = graven.gather_elements %x[%i] axis 1 : (tensor<2x3xf32>, tensor<2x1xi64>) -> tensor<2x1xf32>
  %2 = graven.gather_nd %x[%i] batch_dims 1 : (tensor<2x3xf32>, tensor<2x1xi64>) -> tensor<2xf32>
  %3 = graven.scatter_nd %u into %x[%i] kind add nonneg : (tensor<2x3xf32>, tensor<2x1xi64>, tensor<2x3xf32>) -> tensor<2x3xf32>
  graven.return
}

// Extents that data decide.
// CHECK-LABEL: graven.graph @counted
// CHECK-NEXT: %indices, %count = graven.nonzero %arg0 : (tensor<2x3xf32>) -> (tensor<6x2xi64>, tensor<i64>)
// CHECK-NEXT: %0 = graven.prefix %indices count %count axis 0 extent 6 : (tensor<6x2xi64>, tensor<i64>) -> tensor<6x2xi64>
graven.graph @counted(%x: tensor<2x3xf32>) {
  %0, %n = graven.nonzero %x : (tensor<2x3xf32>) -> (tensor<6x2xi64>, tensor<i64>)
  %1 = graven.prefix %0 count %n axis 0 extent 6 : (tensor<6x2xi64>, tensor<i64>) -> tensor<6x2xi64>
  graven.return
}
