// Shapes, slices and copies.
// RUN: graven export %s -o %t.onnx && graven import %t.onnx | FileCheck %s

// CHECK-LABEL: graven.graph @forward
// CHECK: graven.reshape
// CHECK: graven.transpose {{.*}} by [2, 0, 1]
// CHECK: graven.slice
// CHECK: graven.pad
// CHECK: graven.concat
// CHECK: graven.gather
// CHECK: graven.broadcast
graven.graph @forward(%x: tensor<2x6xf32> {graven.name = "x"}, %i: tensor<2xi64> {graven.name = "i"}) -> (tensor<4x2x8x5xf32> {graven.name = "y"}) {
  %0 = graven.reshape %x to [2, 3, 2] : (tensor<2x6xf32>) -> tensor<2x3x2xf32>
  %1 = graven.transpose %0 by [2, 0, 1] : (tensor<2x3x2xf32>) -> tensor<2x2x3xf32>
  %2 = graven.slice %1 [0, 0, 1] to [2, 2, 3] by [1, 1, 1] : (tensor<2x2x3xf32>) -> tensor<2x2x2xf32>
  %3 = graven.pad %2 low [0, 1, 1] high [0, 1, 2] : (tensor<2x2x2xf32>) -> tensor<2x4x5xf32>
  %4 = graven.concat %3, %3 axis 1 : (tensor<2x4x5xf32>, tensor<2x4x5xf32>) -> tensor<2x8x5xf32>
  %5 = graven.gather %4[%i] axis 0 : (tensor<2x8x5xf32>, tensor<2xi64>) -> tensor<2x8x5xf32>
  %6 = graven.broadcast %5 to [4, 2, 8, 5] axes [1, 2, 3] : (tensor<2x8x5xf32>) -> tensor<4x2x8x5xf32>
  graven.return %6 : tensor<4x2x8x5xf32>
}
