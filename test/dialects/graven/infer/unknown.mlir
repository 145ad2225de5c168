// RUN: graven-opt %s | FileCheck %s
// An unknown extent stays unknown where the result depends on it, and becomes known where an operand says it.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// A known extent wins over an unknown one; 1 broadcasts to it.
// CHECK-LABEL: graven.graph @broadcast
// CHECK-NEXT: %0 = graven.add %arg0, %arg1 : (tensor<?x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
// CHECK-NEXT: %1 = graven.add %arg0, %arg2 : (tensor<?x3xf32>, tensor<1x3xf32>) -> tensor<?x3xf32>
// CHECK-NEXT: %2 = graven.add %arg0, %arg0 : (tensor<?x3xf32>, tensor<?x3xf32>) -> tensor<?x3xf32>
graven.graph @broadcast(%x: tensor<?x3xf32>, %y: tensor<2x3xf32>, %o: tensor<1x3xf32>) {
  %0 = graven.add %x, %y : (tensor<?x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  %1 = graven.add %x, %o : (tensor<?x3xf32>, tensor<1x3xf32>) -> tensor<?x3xf32>
  %2 = graven.add %x, %x : (tensor<?x3xf32>, tensor<?x3xf32>) -> tensor<?x3xf32>
  graven.return
}

// The printed type may refine what is inferred.
// CHECK-LABEL: graven.graph @refined
// CHECK-NEXT: %0 = graven.reshape %arg0 to [-1] : (tensor<?x3xf32>) -> tensor<12xf32>
// CHECK-NEXT: %1 = graven.slice %arg0 [0, 0] to [2, 1] by [1, 1] : (tensor<?x3xf32>) -> tensor<2x1xf32>
graven.graph @refined(%x: tensor<?x3xf32>) {
  %0 = graven.reshape %x to [-1] : (tensor<?x3xf32>) -> tensor<12xf32>
  %1 = graven.slice %x [0, 0] to [2, 1] by [1, 1] : (tensor<?x3xf32>) -> tensor<2x1xf32>
  graven.return
}

// Movement.
// CHECK-LABEL: graven.graph @movement
// CHECK-NEXT: %0 = graven.reshape %arg0 to [-1] : (tensor<?x3xf32>) -> tensor<?xf32>
// CHECK-NEXT: %1 = graven.transpose %arg0 by [1, 0] : (tensor<?x3xf32>) -> tensor<3x?xf32>
// CHECK-NEXT: %2 = graven.slice %arg0 [1, 1] to [9223372036854775807, 3] by [1, 1] : (tensor<?x3xf32>) -> tensor<?x2xf32>
// CHECK-NEXT: %3 = graven.concat %arg0, %arg0 axis 0 : (tensor<?x3xf32>, tensor<?x3xf32>) -> tensor<?x3xf32>
// CHECK-NEXT: %4 = graven.concat %arg0, %arg0 axis 1 : (tensor<?x3xf32>, tensor<?x3xf32>) -> tensor<?x6xf32>
// CHECK-NEXT: %5 = graven.pad %arg0 low [1, 0] high [1, 0] mode  reflect : (tensor<?x3xf32>) -> tensor<?x3xf32>
graven.graph @movement(%x: tensor<?x3xf32>) {
  %0 = graven.reshape %x to [-1] : (tensor<?x3xf32>) -> tensor<?xf32>
  %1 = graven.transpose %x by [1, 0] : (tensor<?x3xf32>) -> tensor<3x?xf32>
  %2 = graven.slice %x [1, 1] to [9223372036854775807, 3] by [1, 1] : (tensor<?x3xf32>) -> tensor<?x2xf32>
  %3 = graven.concat %x, %x axis 0 : (tensor<?x3xf32>, tensor<?x3xf32>) -> tensor<?x3xf32>
  %4 = graven.concat %x, %x axis 1 : (tensor<?x3xf32>, tensor<?x3xf32>) -> tensor<?x6xf32>
  %5 = graven.pad %x low [1, 0] high [1, 0] mode reflect : (tensor<?x3xf32>) -> tensor<?x3xf32>
  graven.return
}

// Contractions: unknown batch and spatial extents.
// CHECK-LABEL: graven.graph @contraction
// CHECK-NEXT: %0 = graven.matmul %arg0, %arg1 : (tensor<?x4x5xf32>, tensor<1x5x?xf32>) -> tensor<?x4x?xf32>
// CHECK-NEXT: %1 = graven.conv %arg2, %arg3 strides [2, 2] dilations [1, 1] pads [1, 1, 1, 1] : (tensor<?x3x?x8xf32>, tensor<6x3x3x3xf32>) -> tensor<?x6x?x4xf32>
// CHECK-NEXT: %2 = graven.max_pool %arg2 kernel [2, 2] strides [2, 2] dilations [1, 1] pads [0, 0, 0, 0] : (tensor<?x3x?x8xf32>) -> tensor<?x3x?x4xf32>
graven.graph @contraction(%a: tensor<?x4x5xf32>, %b: tensor<1x5x?xf32>, %im: tensor<?x3x?x8xf32>, %w: tensor<6x3x3x3xf32>) {
  %0 = graven.matmul %a, %b : (tensor<?x4x5xf32>, tensor<1x5x?xf32>) -> tensor<?x4x?xf32>
  %1 = graven.conv %im, %w strides [2, 2] dilations [1, 1] pads [1, 1, 1, 1] : (tensor<?x3x?x8xf32>, tensor<6x3x3x3xf32>) -> tensor<?x6x?x4xf32>
  %2 = graven.max_pool %im kernel [2, 2] strides [2, 2] dilations [1, 1] pads [0, 0, 0, 0] : (tensor<?x3x?x8xf32>) -> tensor<?x3x?x4xf32>
  graven.return
}

// Reductions and indexing.
// CHECK-LABEL: graven.graph @reduction
// CHECK-NEXT: %0 = graven.reduce  sum %arg0 axes [0] : (tensor<?x3xf32>) -> tensor<3xf32>
// CHECK-NEXT: %1 = graven.reduce  sum %arg0 axes [1] keep : (tensor<?x3xf32>) -> tensor<?x1xf32>
// CHECK-NEXT: %values, %indices = graven.topk %arg0 k 5 axis 0 : (tensor<?x3xf32>) -> (tensor<5x3xf32>, tensor<5x3xi64>)
// CHECK-NEXT: %2 = graven.gather %arg0[%arg1] axis 1 : (tensor<?x3xf32>, tensor<?xi64>) -> tensor<?x?xf32>
graven.graph @reduction(%x: tensor<?x3xf32>, %i: tensor<?xi64>) {
  %0 = graven.reduce sum %x axes [0] : (tensor<?x3xf32>) -> tensor<3xf32>
  %1 = graven.reduce sum %x axes [1] keep : (tensor<?x3xf32>) -> tensor<?x1xf32>
  %2:2 = graven.topk %x k 5 axis 0 : (tensor<?x3xf32>) -> (tensor<5x3xf32>, tensor<5x3xi64>)
  %3 = graven.gather %x[%i] axis 1 : (tensor<?x3xf32>, tensor<?xi64>) -> tensor<?x?xf32>
  graven.return
}
